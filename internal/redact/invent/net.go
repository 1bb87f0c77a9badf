package invent

import (
	"strconv"
	"strings"
	"unicode"
)

var (
	mailHosts = []string{"gmail.com", "gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "btinternet.com", "proton.me", "live.co.uk", "comcast.net", "gmx.de", "mail.com", "web.de", "orange.fr"}
	topLevels = []string{".com", ".com", ".org", ".net", ".co.uk", ".de", ".io", ".fr", ".ca", ".es", ".edu", ".info", ".com.au", ".nl", ".se", ".it"}
	netWords  = []string{"sunny", "river", "pixel", "happy", "tiger", "garden", "guitar", "coffee", "rocket", "winter", "maple", "crafts", "runner", "studio", "kitchen", "puppy", "ocean", "retro", "cloud", "photo", "design", "fishing", "bikes", "star"}
)

// ascii keeps what fits into an address of the net.
func ascii(s string) string {
	return strings.Map(func(c rune) rune {
		if c < 128 && (unicode.IsLetter(c) || unicode.IsDigit(c)) {
			return unicode.ToLower(c)
		}
		return -1
	}, s)
}

// local is a user's name made from a person's.
func (w *writer) local(key, joint string) string {
	f, l := ascii(w.first(key)), ascii(w.last(key))
	if f == "" {
		f = pick(w.r, netWords)
	}
	if l == "" {
		l = pick(w.r, netWords)
	}
	n := pad(w.r.IntN(100))
	return pick(w.r, []string{f + joint + l, f + joint + l, f[:1] + l, f + l[:1], l + joint + f, f + n, f[:1] + joint + l + n, l + n, f + l + n,
		pick(w.r, netWords) + joint + f, f + joint + pick(w.r, netWords), pick(w.r, netWords) + pick(w.r, netWords) + n, f + "the" + pick(w.r, netWords), f + strconv.Itoa(1950+w.r.IntN(60))})
}

func (w *writer) host() string {
	if w.one(60) {
		return pick(w.r, mailHosts)
	}
	return w.domain()
}

func (w *writer) domain() string {
	return pick(w.r, []string{pick(w.r, netWords) + pick(w.r, netWords), ascii(pick(w.r, lastNames)) + pick(w.r, netWords), ascii(pick(w.r, lastNames)), pick(w.r, netWords) + "-" + pick(w.r, netWords), "the" + pick(w.r, netWords) + "shop"}) + pick(w.r, topLevels)
}

func (w *writer) email(key, _ string) {
	v := w.once(key, func() string { return w.local(key, pick(w.r, []string{".", ".", "_", "", "-"})) + "@" + w.host() })
	if w.style.spoken && w.one(85) {
		v = w.sayNet(v)
	} else if w.one(10) {
		v = strings.ToUpper(v[:1]) + v[1:]
	}
	w.labelRaw("EMAIL", v)
}

// sayNet speaks an address: "jane dot doe four two at gmail dot com", now and then spelled.
func (w *writer) sayNet(v string) string {
	var words []string
	spelled := w.one(12)
	for v != "" {
		n := strings.IndexFunc(v, func(c rune) bool { return !unicode.IsLetter(c) })
		if n < 0 {
			n = len(v)
		}
		if n > 0 {
			switch word := v[:n]; {
			case word == "www":
				words = append(words, pick(w.r, []string{"w w w", "double u double u double u", "www"}))
			case spelled || n <= 2 && w.one(70):
				words = append(words, w.spell(word))
			default:
				words = append(words, word)
			}
			v = v[n:]
			continue
		}
		n = strings.IndexFunc(v, func(c rune) bool { return !unicode.IsDigit(c) })
		if n < 0 {
			n = len(v)
		}
		if n > 0 {
			words, v = append(words, w.group(v[:n])), v[n:]
			continue
		}
		if s, ok := map[string]string{".": "dot", "@": "at", "_": "underscore", "-": pick(w.r, []string{"dash", "hyphen"}), "/": pick(w.r, []string{"slash", "forward slash"}), ":": "colon", "!": "exclamation mark", "$": "dollar sign", "#": "hash"}[v[:1]]; ok {
			words = append(words, s)
		}
		v = v[1:]
	}
	return strings.Join(words, " ")
}

func (w *writer) user(key, _ string) {
	v := w.once(key, func() string { return w.local(key, pick(w.r, []string{"_", "", ".", "-"})) })
	if w.style.spoken {
		v = w.sayNet(v)
	}
	w.labelRaw("USERNAME", v)
}

func (w *writer) handle(key, _ string) {
	v := w.once(key, func() string {
		v := w.local(key, pick(w.r, []string{"_", ""}))
		if w.one(40) {
			v = strings.ToUpper(v[:1]) + v[1:]
		}
		return "@" + v
	})
	w.labelRaw("USERNAME", v)
}

func (w *writer) password(key, _ string) {
	v := w.once(key, func() string {
		word := pick(w.r, []string{pick(w.r, netWords), ascii(pick(w.r, firstNames)), strings.ToLower(pick(w.r, roadNames))})
		return pick(w.r, []string{word + w.shaped("999"), word + w.shaped("99") + "!", word + "_" + w.shaped("9999"), w.shaped("A9") + word + w.shaped("9A"), word + pick(w.r, netWords), strings.ToUpper(word[:1]) + word[1:] + w.shaped("9999") + "$", word + "#" + w.shaped("99")})
	})
	if v = strings.ReplaceAll(v, " ", ""); w.style.spoken {
		v = w.sayNet(v)
	}
	w.labelRaw("PASSWORD", v)
}

func (w *writer) url(key, _ string) {
	v := w.once(key, func() string {
		path := pick(w.r, []string{"", "", "/", "/" + pick(w.r, netWords), "/" + pick(w.r, netWords) + "/" + strconv.Itoa(w.r.IntN(9999)), "/" + pick(w.r, netWords) + ".html", "/u/" + ascii(pick(w.r, firstNames))})
		return pick(w.r, []string{"www.", "https://", "http://", "https://www.", "http://www.", ""}) + w.domain() + path
	})
	if w.style.spoken {
		v = w.sayNet(v)
	}
	w.labelRaw("URL", v)
}

func (w *writer) ip(key, _ string) {
	v := w.once(key, func() string {
		if w.one(20) {
			const hex = "0123456789abcdef"
			b := []byte("2001:db8:xxxx:xx::xxxx")
			for i, c := range b {
				if c == 'x' {
					b[i] = hex[w.r.IntN(16)]
				}
			}
			return string(b)
		}
		var f []string
		for range 4 {
			f = append(f, strconv.Itoa(1+w.r.IntN(254)))
		}
		return strings.Join(f, ".")
	})
	if w.style.spoken {
		v = w.sayNet(v)
	}
	w.labelRaw("IP", v)
}
