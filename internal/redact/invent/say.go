package invent

import (
	"strconv"
	"strings"
)

var units = []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
	"fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"}

var tens = []string{"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}

// cardinal says 0 to 999,999 the American way.
func cardinal(n int) string {
	switch {
	case n < 20:
		return units[n]
	case n < 100 && n%10 == 0:
		return tens[n/10]
	case n < 100:
		return tens[n/10] + " " + units[n%10]
	case n < 1000 && n%100 == 0:
		return units[n/100] + " hundred"
	case n < 1000:
		return units[n/100] + " hundred " + cardinal(n%100)
	case n%1000 == 0:
		return cardinal(n/1000) + " thousand"
	}
	return cardinal(n/1000) + " thousand " + cardinal(n%1000)
}

var ordinalUnits = []string{"", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth",
	"thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"}

// ordinal says 1 to 99.
func ordinal(n int) string {
	switch {
	case n <= 20:
		return ordinalUnits[n]
	case n%10 == 0:
		return strings.TrimSuffix(tens[n/10], "y") + "ieth"
	}
	return tens[n/10] + " " + ordinalUnits[n%10]
}

// nth writes 1 to 99: 22nd.
func nth(n int) string {
	suffix := "th"
	if n/10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

func pad(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// oh says a month or a day with its leading zero: "oh four".
func oh(n int) string {
	if n < 10 {
		return "oh " + units[n]
	}
	return cardinal(n)
}

// nato and likeness are what spellers say for a letter, by letter.
var nato = strings.Fields("alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey x-ray yankee zulu")

var likeness = [][]string{{"apple", "adam"}, {"boy", "bravo", "bob"}, {"cat", "charlie"}, {"david", "dog"}, {"edward", "elephant", "egg"}, {"frank", "freddie", "fox"},
	{"george", "golf", "girl"}, {"henry", "hotel", "harry"}, {"ice", "igloo", "isaac"}, {"john", "jack", "juliet"}, {"kite", "king", "kilo"}, {"larry", "lemon", "love"},
	{"mary", "mother", "mike"}, {"nancy", "nora", "november"}, {"orange", "oscar", "ocean"}, {"peter", "paul", "papa"}, {"queen", "quebec"}, {"robert", "roger", "romeo"},
	{"sam", "sugar", "sierra"}, {"tom", "tango", "tiger"}, {"uncle", "umbrella"}, {"victor", "van", "violet"}, {"william", "whiskey", "water"}, {"xylophone", "x-ray"},
	{"yellow", "yankee", "young"}, {"zebra", "zulu", "zoo"}}

// letter says one letter in the manner of the document.
func (w *writer) letter(c byte) string {
	c |= 0x20
	switch how := w.style.spelling; {
	case how == natoSpelling || how == mixedSpelling && w.one(35):
		return nato[c-'a']
	case how == likeSpelling && w.one(60) || how == mixedSpelling && w.one(25):
		return string(c) + pick(w.r, []string{" as in ", " for ", " like in ", " as in ", " for "}) + pick(w.r, likeness[c-'a'])
	case w.one(4):
		return "capital " + string(c)
	}
	return string(c)
}

// say speaks digits, letters and signs.
func (w *writer) say(v string) string {
	var words []string
	groups := w.groups(v)
	for i, g := range groups {
		if i > 0 {
			if w.one(w.style.fillers) {
				words = append(words, pick(w.r, []string{"uh", "um", "er", "and then", "then", "uh", "and", "hold on"}))
			} else if w.style.commas && w.one(60) {
				words[len(words)-1] += ","
			}
		}
		if len(g) > 1 && w.one(w.style.corrections) && g[0] >= '0' && g[0] <= '9' {
			wrong := []byte(g)
			at := w.r.IntN(len(wrong))
			wrong[at] = byte('0' + w.r.IntN(10))
			words = append(words, w.group(string(wrong[:at+1])), pick(w.r, []string{"no wait", "sorry", "no sorry", "i mean", "scratch that", "correction", "no", "oops"}))
		}
		words = append(words, w.group(g))
	}
	return strings.Join(words, " ")
}

// groups cuts a value where a speaker would breathe: at signs, between letters and digits, every three or four digits.
func (w *writer) groups(v string) (out []string) {
	kind := func(c byte) int {
		switch {
		case c >= '0' && c <= '9':
			return 1
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
			return 2
		}
		return 0
	}
	for v != "" {
		k, n := kind(v[0]), 1
		for n < len(v) && kind(v[n]) == k {
			n++
		}
		g := v[:n]
		v = v[n:]
		switch {
		case k == 0 && strings.ContainsAny(g, "-/._@+") && w.one(30):
			i := strings.IndexAny(g, "-/._@+")
			out = append(out, g[i:i+1])
			continue
		case k == 0:
			continue
		}
		for k == 1 && len(g) > 5 {
			cut := 3 + w.r.IntN(2)
			out, g = append(out, g[:cut]), g[cut:]
		}
		out = append(out, g)
	}
	return out
}

var signs = map[string]string{"-": "dash", "/": "slash", ".": "dot", "_": "underscore", "@": "at", "+": "plus"}

// group says one group in the manner of the document, now and then in another.
func (w *writer) group(g string) string {
	if s, ok := signs[g]; ok {
		return s
	}
	if g[0] < '0' || g[0] > '9' {
		var words []string
		for i := range len(g) {
			words = append(words, w.letter(g[i]))
		}
		return strings.Join(words, " ")
	}
	how := w.style.digits
	if w.one(15) {
		how = digitManner(w.r.IntN(int(digitManners)))
	}
	switch {
	case how == glued:
		return g
	case how == spaced:
		return strings.Join(strings.Split(g, ""), " ")
	case how == pairs && len(g)%2 == 0:
		var words []string
		for i := 0; i < len(g); i += 2 {
			n, _ := strconv.Atoi(g[i : i+2])
			words = append(words, oh(n))
		}
		return strings.Join(words, " ")
	case how == hundreds && len(g) == 3 && g[0] != '0':
		n, _ := strconv.Atoi(g)
		if w.one(50) && n%100 > 9 {
			return units[n/100] + " " + cardinal(n%100)
		}
		return cardinal(n)
	case how == hundreds && len(g) == 4 && g[2:] == "00" && g[1] != '0':
		n, _ := strconv.Atoi(g[:2])
		return cardinal(n) + " hundred"
	}
	return w.oneByOne(g, how == doubles)
}

// oneByOne says digit after digit, two alike as "double" where the speaker does that.
func (w *writer) oneByOne(g string, double bool) string {
	var words []string
	for i := 0; i < len(g); i++ {
		d := units[g[i]-'0']
		if g[i] == '0' {
			d = w.style.zero
		}
		same := 1
		for i+same < len(g) && g[i+same] == g[i] {
			same++
		}
		switch {
		case double && same == 3:
			d, i = "triple "+d, i+2
		case double && same >= 2:
			d, i = "double "+d, i+1
		case w.one(3):
			d = g[i : i+1]
		}
		words = append(words, d)
	}
	return strings.Join(words, " ")
}

// spell says a name letter by letter.
func (w *writer) spell(name string) string {
	var words []string
	if !w.style.spoken {
		sep := pick(w.r, []string{"-", "-", " ", ", ", "."})
		for _, c := range strings.ToUpper(name) {
			if c != ' ' {
				words = append(words, string(c))
			}
		}
		return strings.Join(words, sep)
	}
	lower := strings.ToLower(name)
	for i := 0; i < len(lower); i++ {
		switch c := lower[i]; {
		case c >= 'a' && c <= 'z' && i+1 < len(lower) && lower[i+1] == c && w.one(60):
			words, i = append(words, "double "+string(c)), i+1
		case c >= 'a' && c <= 'z':
			words = append(words, w.letter(c))
		case c == '-':
			words = append(words, pick(w.r, []string{"hyphen", "dash"}))
		case c == '\'':
			words = append(words, "apostrophe")
		}
		if w.one(w.style.fillers / 2) {
			words = append(words, "uh")
		}
	}
	if len(words) > 0 && words[len(words)-1] == "uh" {
		words = words[:len(words)-1]
	}
	sep := " "
	if w.style.commas && w.one(50) {
		sep = pick(w.r, []string{", ", "-", " "})
	}
	return strings.Join(words, sep)
}
