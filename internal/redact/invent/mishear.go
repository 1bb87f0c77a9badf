package invent

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"murmur/internal/redact/gazetteer"
)

// mishear is what a recogniser wrote instead of a name, a code or a date. The label stays on all of it.
func (w *writer) mishear(p piece) string {
	switch p.typ {
	case "PERSON":
		if isSpelled(p.text) {
			return w.mangleLetters(p.text)
		}
		return w.soundsLike(p.text, 35)
	case "LOCATION":
		return w.soundsLike(p.text, 8)
	case "POSTCODE", "ID", "VEHICLE":
		return w.mangleLetters(p.text)
	case "DATE_OF_BIRTH", "DATE", "AGE", "CREDIT_CARD", "PHONE", "SSN", "PIN", "CVV", "BANK_ACCT", "CARD_EXPIRY", "NUMBER":
		return w.mangleWords(p.text)
	}
	return p.text
}

// isSpelled reports whether a name is letter by letter.
func isSpelled(s string) bool {
	f := strings.Fields(s)
	short := 0
	for _, word := range f {
		if len(word) <= 2 {
			short++
		}
	}
	return len(f) > 2 && 2*short > len(f) || strings.Count(s, "-") > 2
}

// Letters, numbers and spelling words as recognisers write them. The digit rows serve both.
var (
	letterSounds = map[string][]string{"a": {"hey", "eh", "a", "ay", "8"}, "b": {"be", "bee", "p", "me"}, "c": {"see", "sea", "she"}, "d": {"the", "dee", "t", "day"}, "e": {"he", "ee", "e", "eat"},
		"f": {"if", "s", "half", "after"}, "g": {"gee", "jeep", "she", "j"}, "h": {"h", "age", "age", "page", "ach", "hatch", "8"}, "i": {"eye", "I", "hi", "I'm"}, "j": {"jay", "Jane", "jail", "g"},
		"k": {"okay", "cake", "Kay", "quay"}, "l": {"hell", "all", "well", "al", "L"}, "m": {"am", "them", "n", "um"}, "n": {"and", "in", "an", "m", "end"}, "o": {"oh", "or", "0", "old", "all"},
		"p": {"pea", "pay", "be", "please", "t"}, "q": {"queue", "you", "cute", "Q"}, "r": {"are", "our", "ah", "all"}, "s": {"yes", "f", "as", "s", "us"}, "t": {"tea", "tee", "to", "d"},
		"u": {"you", "new", "use"}, "v": {"we", "be", "the", "via"}, "w": {"double you", "w", "double", "where you"}, "x": {"ex", "eggs", "acts", "x"}, "y": {"why", "wide", "white", "Y"}, "z": {"said", "zed", "that", "said", "sad"}}
	numberSounds = map[string][]string{"zero": {"0", "hero", "sorrow", "zero"}, "oh": {"o", "0", "all", "owe"}, "one": {"won", "1", "want", "wan"}, "two": {"to", "too", "2", "true"}, "three": {"free", "3", "tree", "the"},
		"four": {"for", "4", "far", "fall"}, "five": {"5", "fine", "fife", "hive"}, "six": {"6", "sex", "fix", "sick"}, "seven": {"7", "heaven", "7", "several"}, "eight": {"ate", "8", "hate", "age"}, "nine": {"9", "mine", "line", "nice"},
		"ten": {"10", "then", "tend"}, "twenty": {"20", "plenty"}, "thirty": {"30", "dirty", "thirteen"}, "forty": {"40", "fourteen", "for tea"}, "fifty": {"50", "fifteen"}, "sixty": {"60", "sixteen"},
		"seventy": {"70", "seventeen"}, "eighty": {"80", "eighteen", "a tea"}, "ninety": {"90", "nineteen"}, "double": {"w", "double", "bubble", "trouble"}, "nineteen": {"19", "nineteen"}, "triple": {"trouble", "cripple"},
		"of": {"off", "of", "on", "or"}, "the": {"a", "the", ""}, "first": {"1st", "fast", "first"}, "second": {"2nd", "seconds"}, "third": {"3rd", "bird", "word"}, "fourth": {"4th", "forth", "force"}, "fifth": {"5th", "fit"},
		"sixth": {"6th", "six"}, "seventh": {"7th", "seven"}, "eighth": {"8th", "eight"}, "ninth": {"9th", "night"}, "tenth": {"10th", "tense"}, "january": {"January", "general"}, "february": {"February", "every"},
		"march": {"March", "much", "match"}, "april": {"April", "a pearl"}, "may": {"May", "me", "my"}, "june": {"June", "soon", "Jim"}, "july": {"July", "you lie"}, "august": {"August", "or gust"}, "september": {"September"},
		"october": {"October", "doctor"}, "november": {"November", "member"}, "december": {"December", "remember"}}
	natoSounds = map[string][]string{"alpha": {"alfa", "Alfred", "half a"}, "bravo": {"bravo", "bra", "brother"}, "charlie": {"Charlie", "shall he"}, "delta": {"Delta", "dealt", "daughter"}, "echo": {"echo", "a co", "gecko"},
		"foxtrot": {"fox trot", "Fox", "foxtrots"}, "golf": {"golf", "go", "gulf"}, "hotel": {"hotel", "tell", "motel"}, "india": {"India", "in the", "idea"}, "juliet": {"Juliette", "Julia", "duly at"}, "kilo": {"kilo", "key low", "pillow"},
		"lima": {"Lima", "leemer", "Emma"}, "mike": {"Mike", "like", "might"}, "november": {"November", "no member"}, "oscar": {"Oscar", "ask her", "Oscars"}, "papa": {"Papa", "pepper", "paper"}, "quebec": {"Quebec", "go back", "kubek"},
		"romeo": {"Romeo", "roamer"}, "sierra": {"Sierra", "see era", "Sarah"}, "tango": {"tango", "mango", "tangle"}, "uniform": {"uniform", "unicorn"}, "victor": {"Victor", "victim", "picture"}, "whiskey": {"whisky", "risky", "this key"},
		"x-ray": {"X ray", "extra", "x-rays"}, "yankee": {"Yankee", "hanky", "Yanky"}, "zulu": {"Zulu", "Lulu", "solo"}}
)

// mangleLetters garbles a spelling or a code: some letters become words, digits glue, capitals come and go.
func (w *writer) mangleLetters(s string) string {
	f := strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || c == '-' || c == ',' })
	var out []string
	for _, word := range f {
		lower := strings.ToLower(word)
		switch {
		case w.one(6) && len(out) > 0:
			continue // swallowed
		case w.one(25) && letterSounds[lower] != nil:
			word = pick(w.r, letterSounds[lower])
		case w.one(25) && numberSounds[lower] != nil:
			word = pick(w.r, numberSounds[lower])
		case w.one(30) && natoSounds[lower] != nil:
			word = pick(w.r, natoSounds[lower])
		case w.one(20) && natoSounds[lower] != nil:
			word = lower[:1]
		case len(word) == 1 && w.one(40):
			word = strings.ToUpper(word)
		}
		if len(out) > 0 && len(word) == 1 && len(out[len(out)-1]) <= 3 && w.one(22) {
			out[len(out)-1] += word
			continue
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

// mangleWords garbles numbers and dates: digits for words, words for digits, swallowed words.
func (w *writer) mangleWords(s string) string {
	f := strings.Fields(s)
	var out []string
	for _, word := range f {
		alike := numberSounds[strings.ToLower(word)]
		switch {
		case w.one(5) && len(f) > 2:
			continue
		case alike != nil && w.one(22):
			word = pick(w.r, alike)
		}
		if word != "" {
			out = append(out, word)
		}
	}
	return strings.Join(out, " ")
}

// soundsLike writes other names or plain words of the same sound for the parts of a name.
func (w *writer) soundsLike(s string, chance int) string {
	f := strings.Fields(s)
	for i, word := range f {
		if alike := sounds()[soundKey(word)]; len(alike) > 0 && w.one(chance) {
			f[i] = pick(w.r, alike)
			for range 3 { // rather a name than a word, but words do come
				if unicode.IsUpper(rune(f[i][0])) {
					break
				}
				f[i] = pick(w.r, alike)
			}
		}
	}
	if s = strings.Join(f, " "); w.one(chance / 4) {
		s = pick(w.r, []string{"hey ", "I'm ", "and ", "it's ", "my ", "and "}) + s
	}
	return s
}

// sounds holds plain English words and common names by sound.
var sounds = sync.OnceValue(func() map[string][]string {
	by := map[string][]string{}
	for word, f := range gazetteer.All() {
		if f&(gazetteer.Word|gazetteer.CommonFirst|gazetteer.CommonLast) == 0 || len(word) > 9 || len(word) < 3 || strings.Contains(word, "'") {
			continue
		}
		if f&gazetteer.Name != 0 {
			word = capital(word)
		}
		by[soundKey(word)] = append(by[soundKey(word)], word)
	}
	return by
})

// soundKey is Soundex (R. C. Russell, US patent 1,261,167) with the first sound folded too.
func soundKey(s string) string {
	const codes = "0123012-02245501262301-202" // a..z; '-' is silent and keeps the last sound
	key := make([]byte, 0, 4)
	var last byte
	for _, c := range strings.ToLower(s) {
		if c >= utf8.RuneSelf || c < 'a' || c > 'z' {
			continue
		}
		code := codes[c-'a']
		switch {
		case code == '-':
			continue
		case len(key) == 0:
			key = append(key, code+'A'-'0') // vowels begin alike
		case code != '0' && code != last:
			key = append(key, code)
		}
		if last = code; len(key) == 4 {
			break
		}
	}
	return string(key)
}
