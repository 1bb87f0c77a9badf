package invent

import (
	"strings"
	"unicode"
)

// spoil writes a piece down as the style's writer or recogniser would. Labelled pieces keep at least one
// letter or digit and no space at their edges.
func (w *writer) spoil(p piece, start bool) string {
	s := p.text
	if strings.HasSuffix(s, ": ") && p.raw && p.typ == "" { // a speaker's label
		return s
	}
	if w.style.spoken && p.typ != "" && w.style.mishear > 0 && w.one(w.style.mishear) {
		s = w.mishear(p)
	}
	switch {
	case p.typ == "":
		s = w.words(s)
	case !p.raw:
		s = w.misspell(s)
	}
	if w.style.bare && !p.raw {
		s = unpoint(s)
	}
	if w.style.joined && !p.raw {
		s = strings.ReplaceAll(s, "'", "")
	}
	s = w.cased(s, p, start)
	if p.typ == "" {
		return s
	}
	if s = strings.TrimSpace(s); s == "" {
		return p.text
	}
	return s
}

// unpoint drops punctuation, but not apostrophes and what stands inside a word or number.
func unpoint(s string) string {
	b := []rune(s)
	out := b[:0]
	for i, c := range b {
		switch {
		case strings.ContainsRune(",.?!;:\"()…", c):
			if i > 0 && i+1 < len(b) && unicode.IsDigit(b[i-1]) && unicode.IsDigit(b[i+1]) {
				out = append(out, c)
			}
		case c == '-' && i > 0 && i+1 < len(b) && b[i-1] == ' ' && b[i+1] == ' ':
		case c == ' ' && len(out) > 0 && out[len(out)-1] == ' ':
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func (w *writer) cased(s string, p piece, start bool) string {
	switch w.style.letters {
	case lowerCase:
		if !p.raw || w.one(85) {
			return strings.ToLower(s)
		}
	case lowerPlain:
		if p.typ == "" {
			return strings.ToLower(s)
		}
	case upperCase:
		return strings.ToUpper(s)
	case titleCase:
		return title(s)
	case randomCase:
		f := strings.SplitAfter(s, " ")
		for i := range f {
			switch w.r.IntN(5) {
			case 0:
				f[i] = strings.ToUpper(f[i])
			case 1:
				f[i] = title(f[i])
			case 2:
				f[i] = strings.ToLower(f[i])
			}
		}
		return strings.Join(f, "")
	case lowerStarts:
		if p.typ == "" && start {
			return lowerFirst(s)
		}
	case missingNames:
		if p.typ != "" && !p.raw {
			return strings.ToLower(s)
		}
	}
	return s
}

func title(s string) string {
	up := true
	return strings.Map(func(c rune) rune {
		defer func() { up = c == ' ' || c == '\n' }()
		if up {
			return unicode.ToUpper(c)
		}
		return c
	}, s)
}

func lowerFirst(s string) string {
	for i, c := range s {
		return strings.ToLower(string(c)) + s[i+len(string(c)):]
	}
	return s
}

// words spoils plain text word by word.
func (w *writer) words(s string) string {
	st := w.style
	if st.sms+st.slips+st.typos == 0 {
		return s
	}
	f := strings.SplitAfter(s, " ")
	for i, word := range f {
		core := strings.TrimRight(word, " ,.?!;:\n")
		tail := word[len(core):]
		lower := strings.ToLower(core)
		if core == "" {
			continue
		}
		if short := shorts[lower]; short != nil && w.one(st.sms) {
			f[i] = pick(w.r, short) + tail
			continue
		}
		switch {
		case st.slips > 0 && w.one(st.slips):
			f[i] = w.slip(core, lower) + tail
		case w.r.IntN(1000) < st.typos:
			f[i] = w.typo(core) + tail
		case tail == " " && i < len(f)-1 && w.r.IntN(4000) < st.typos:
			f[i] = core
		}
	}
	return strings.Join(f, "")
}

// misspell types a name or a day as carelessly as the words around it.
func (w *writer) misspell(s string) string {
	if w.r.IntN(1000) < 2*w.style.typos {
		s = w.typo(s)
	}
	if short := shorts[strings.ToLower(s)]; short != nil && w.one(w.style.sms) {
		s = pick(w.r, short)
	}
	return s
}

// slip is a recogniser's or a speaker's small mistake in plain speech.
func (w *writer) slip(core, lower string) string {
	if alike := homophones[lower]; alike != "" && w.one(70) {
		return alike
	}
	switch w.r.IntN(6) {
	case 0:
		return core + " " + core
	case 1:
		return pick(w.r, []string{"uh ", "um ", "er ", "like ", "you know "}) + core
	case 2:
		if len(core) <= 4 {
			return "uh"
		}
	case 3:
		return strings.TrimSuffix(core, "s")
	case 4:
		return core + pick(w.r, []string{" uh", " um", " you know", " like"})
	}
	return core
}

const keyboard = "qwertyuiop asdfghjkl zxcvbnm"

// typo is one slip of a finger.
func (w *writer) typo(s string) string {
	b := []rune(s)
	if len(b) < 4 {
		return s
	}
	i := 1 + w.r.IntN(len(b)-2)
	switch w.r.IntN(4) {
	case 0:
		b[i], b[i+1] = b[i+1], b[i]
	case 1:
		b = append(b[:i], b[i+1:]...)
	case 2:
		b = append(b[:i+1], b[i:]...)
	default:
		if at := strings.IndexRune(keyboard, unicode.ToLower(b[i])); at > 0 && keyboard[at-1] != ' ' && b[i] != ' ' {
			b[i] = rune(keyboard[at-1])
		}
	}
	return string(b)
}

var shorts = map[string][]string{"you": {"u", "u", "ya"}, "are": {"r"}, "your": {"ur", "yr"}, "you're": {"ur", "youre"}, "please": {"pls", "plz"}, "thanks": {"thx", "tnx", "ty", "thanx"},
	"thank": {"thank"}, "tomorrow": {"tmrw", "tmr", "tomoro", "2moro", "tmw"}, "today": {"2day", "tday"}, "tonight": {"2nite", "tonite"}, "to": {"2", "to"}, "for": {"4", "for"}, "before": {"b4"},
	"see": {"c"}, "people": {"ppl"}, "because": {"cuz", "bc", "cos"}, "okay": {"k", "ok", "kk"}, "great": {"gr8", "grt"}, "message": {"msg"}, "appointment": {"appt", "apt"}, "what": {"wat", "wut"},
	"with": {"w/", "wit"}, "about": {"abt", "bout"}, "minutes": {"mins", "min"}, "going": {"goin"}, "know": {"kno", "no"}, "just": {"jus", "jst"}, "love": {"luv"}, "though": {"tho"}, "through": {"thru"},
	"birthday": {"bday", "b day"}, "weekend": {"wknd"}, "number": {"num", "nr", "no."}, "address": {"addy", "addr"}, "house": {"hse"}, "morning": {"mornin", "am"}, "have": {"hv", "hav"}, "really": {"rly"},
	"want": {"wanna", "wnt"}, "i'm": {"im", "im"}, "don't": {"dont"}, "can't": {"cant"}, "won't": {"wont"}, "it's": {"its"}, "that's": {"thats"}, "what's": {"whats"}, "i'll": {"ill"}, "i've": {"ive"},
	"and": {"n", "&", "an"}, "be": {"b"}, "why": {"y"}, "be right back": {"brb"}, "monday": {"mon"}, "tuesday": {"tues", "tue"}, "wednesday": {"wed", "weds"}, "thursday": {"thurs", "thu"}, "friday": {"fri"},
	"saturday": {"sat"}, "sunday": {"sun"}, "next week": {"nxt week", "nxt wk"}, "this weekend": {"this wknd"}, "yesterday": {"yest", "yday", "ystrday"}, "when": {"wen"}, "where": {"wher"}, "my": {"my", "ma"},
	"never": {"nvr"}, "should": {"shud"}, "would": {"wud"}, "could": {"cud"}, "something": {"smth", "sumthin"}, "anyone": {"any1"}, "someone": {"some1", "sum1"}, "back": {"bk"}, "text": {"txt"}, "week": {"wk"}, "hours": {"hrs"}}

var homophones = map[string]string{"there": "their", "their": "there", "to": "two", "two": "to", "for": "four", "your": "you're", "you're": "your", "it's": "its", "hear": "here", "here": "hear",
	"right": "write", "new": "knew", "know": "no", "no": "know", "our": "are", "by": "buy", "buy": "by", "wait": "weight", "mail": "male", "sent": "cent", "week": "weak", "hour": "our", "would": "wood",
	"then": "than", "than": "then", "where": "wear", "whether": "weather", "weather": "whether", "and": "an", "is": "as", "a": "the", "the": "a", "in": "and", "can": "can't", "check": "cheque", "bill": "build",
	"card": "car", "order": "water", "booking": "looking", "call": "cool", "name": "main", "street": "straight", "number": "lumber", "account": "a count", "please": "police", "appointment": "a pointment",
	"i'm": "i am", "going": "gone", "want": "won't", "need": "knead", "it": "eat", "this": "these", "with": "would", "have": "of", "address": "a dress", "date": "data", "birth": "berth", "email": "e mail"}
