package invent

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"murmur/internal/redact/gazetteer"
)

// Hand-written lists, a name twice or more is commoner. Names that are English words too stand in wordnames.txt.
var (
	//go:embed lists/first.txt
	firstText string
	//go:embed lists/last.txt
	lastText string
	//go:embed lists/wordnames.txt
	wordText string
	//go:embed lists/nicknames.txt
	nickText string

	firstNames = list(firstText)
	lastNames  = list(lastText)
	wordNames  = list(wordText)
	nickNames  = list(nickText)
)

// list splits lines of comma-separated entries, without comments.
func list(text string) (out []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, e := range strings.Split(line, ",") {
			if e = strings.TrimSpace(e); e != "" {
				out = append(out, e)
			}
		}
	}
	return out
}

// rare holds the long tail of the gazetteer, with capitals.
var rare = sync.OnceValue(func() (names struct{ first, last, place []string }) {
	for word, f := range gazetteer.All() {
		n := utf8.RuneCountInString(word)
		if n < 3 || n > 22 {
			continue
		}
		if f&gazetteer.Given != 0 && (f&gazetteer.Word == 0 || f&gazetteer.CommonFirst != 0) {
			names.first = append(names.first, capital(word))
		}
		if f&gazetteer.Sur != 0 && (f&gazetteer.Word == 0 || f&gazetteer.CommonLast != 0) {
			names.last = append(names.last, capital(word))
		}
		if f&gazetteer.Place != 0 && f&gazetteer.Word == 0 {
			names.place = append(names.place, capital(word))
		}
	}
	return names
})

// small words keep their lower case inside a name.
var small = map[string]bool{"de": true, "la": true, "van": true, "der": true, "den": true, "von": true, "del": true, "da": true, "di": true,
	"of": true, "the": true, "sur": true, "am": true, "an": true, "en": true, "el": true, "al": true, "bin": true, "le": true, "upon": true}

// capital writes a lower-case name with capitals: "mary-kate", "o'brien", "mcneil", "rio de janeiro".
func capital(s string) string {
	words := strings.Split(s, " ")
	for i, w := range words {
		if i > 0 && small[w] {
			continue
		}
		b := []rune(w)
		up := true
		for j, c := range b {
			if up {
				b[j] = unicode.ToUpper(c)
			}
			up = c == '-' || c == '\'' && j == 1 || j == 1 && b[0] == 'M' && c == 'c' && len(b) > 4
		}
		words[i] = string(b)
	}
	return strings.Join(words, " ")
}

// person makes the slot of one part of a name; "spell" spells it, "initial" is its first letter.
func person(part func(*writer, string) string) func(*writer, string, string) {
	return func(w *writer, key, mod string) {
		v := part(w, key)
		switch mod {
		case "spell":
			w.labelRaw("PERSON", w.spell(v))
		case "initial":
			w.label("PERSON", string([]rune(v)[:1]))
		default:
			w.label("PERSON", v)
		}
	}
}

// who is the person of a key: "", "2", "3" or, for who answers the telephone, the whole key.
func who(key string) string {
	if strings.HasPrefix(key, "agent") {
		return key
	}
	return strings.TrimLeft(key, "abcdefghijklmnopqrstuvwxyz")
}

func (w *writer) first(key string) string {
	return w.once("first"+who(key), func() string {
		if w.own != nil && w.one(ownShare) {
			return pick(w.r, w.own.first)
		}
		switch n := w.r.IntN(100); {
		case n < 50:
			return pick(w.r, firstNames)
		case n < 60:
			return pick(w.r, wordNames)
		case n < 62:
			return pick(w.r, firstNames) + "-" + pick(w.r, firstNames)
		case n < 64:
			return pick(w.r, firstNames) + " " + pick(w.r, firstNames)
		}
		return pick(w.r, rare().first)
	})
}

func (w *writer) last(key string) string {
	return w.once("last"+who(key), func() string {
		if w.own != nil && w.one(ownShare) {
			return pick(w.r, w.own.last)
		}
		switch n := w.r.IntN(100); {
		case n < 38:
			return pick(w.r, lastNames)
		case n < 45:
			return pick(w.r, wordNames)
		case n < 50:
			return pick(w.r, lastNames) + "-" + pick(w.r, lastNames)
		case n < 53:
			return pick(w.r, []string{"O'", "D'", "O'", "Mc", "Mac", "Fitz"}) + pick(w.r, lastNames)
		case n < 57:
			return pick(w.r, []string{"van ", "van der ", "de ", "de la ", "von ", "Di ", "al-", "Al ", "bin ", "St. ", "El ", "dos ", "Le ", "ten "}) + pick(w.r, lastNames)
		case n < 60:
			return pick(w.r, lastNames) + " " + pick(w.r, lastNames)
		}
		return pick(w.r, rare().last)
	})
}

func (w *writer) nick(key string) string {
	return w.once("nick"+who(key), func() string {
		if w.own != nil && w.one(ownShare) {
			return pick(w.r, w.own.nick)
		}
		return pick(w.r, nickNames)
	})
}

func (w *writer) full(key, mod string) {
	first, last := w.first(key), w.last(key)
	if mod == "spell" {
		w.labelRaw("PERSON", w.spell(first+" "+last))
		return
	}
	v := first + " " + last
	switch n := w.r.IntN(100); {
	case n < 5:
		v = first + " " + string("ABCDEFGHJKLMNPRSTW"[w.r.IntN(18)]) + pick(w.r, []string{". ", " "}) + last
	case n < 8:
		v = first + " " + pick(w.r, firstNames) + " " + last
	case n < 10:
		v = string([]rune(first)[:1]) + ". " + last
	case n < 11:
		v += pick(w.r, []string{" Jr.", " Jr", " III", " Sr."})
	case n < 12 && !w.style.spoken:
		v = last + ", " + first
	case n < 13:
		v = last + " " + first + pick(w.r, []string{"", " MD", " M", " " + string("ABCDEFGHJKLMNPRSTW"[w.r.IntN(18)])}) // as lists of a register print it
	case n < 15:
		v += pick(w.r, []string{", MD", " MD", ", PhD", " DDS", ", Esq.", " RN", " M.D.", " OBE"})
	}
	w.label("PERSON", v)
}

var titles = []string{"Mr.", "Mrs.", "Ms.", "Dr.", "Mr", "Mrs", "Ms", "Dr", "Miss", "Doctor", "Mister", "Professor", "Sir", "Madam", "Father", "Judge", "Officer", "Nurse", "Coach", "Aunt", "Uncle"}

func (w *writer) mr(key, _ string) {
	title := w.once("title"+who(key), func() string { return titles[min(w.r.IntN(len(titles)), w.r.IntN(len(titles)))] })
	w.out = append(w.out, piece{text: title, typ: "TITLE", opt: true})
	w.plain(" ")
	w.label("PERSON", w.last(key))
}

// name is any form of a name.
func (w *writer) name(key, _ string) {
	switch w.r.IntN(10) {
	case 0, 1, 2, 3:
		w.label("PERSON", w.first(key))
	case 4:
		w.mr(key, "")
	case 5:
		w.label("PERSON", w.last(key))
	default:
		w.full(key, "")
	}
}

// artist is a singer or a band called like people.
func (w *writer) artist(key, mod string) {
	if w.one(25) {
		w.label("PERSON", w.once(key, func() string {
			return pick(w.r, []string{w.first("first3"), w.last("last3"), "DJ " + w.first("first3"), "Lil " + w.first("first3")})
		}))
		return
	}
	w.full(key, mod)
}

func (w *writer) age(key, _ string) {
	n := w.r.IntN(96) + 1
	if w.style.spoken && w.one(75) || w.one(20) {
		w.label("AGE", cardinal(n))
		return
	}
	w.label("AGE", pick(w.r, []string{pad(n), pad(n)}))
}
