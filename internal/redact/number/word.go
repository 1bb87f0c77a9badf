package number

import "iter"

// role is what a word does in a spoken number.
type role uint8

const (
	none     role = iota
	digit         // one symbol: "nine", "oh"
	teen          // ten .. nineteen
	ten           // twenty .. ninety
	hundred       // multiplies what stands before it
	thousand      // likewise
	repeat        // double, triple: the next symbol more than once
	nato          // a spelling word that is rarely anything else
	loose         // a spelling word that is a common word too: only beside another symbol
	joiner        // a spoken sign: dash, dot, underscore
	filler        // skipped between symbols
	fix           // takes the last group back: "no wait", "sorry"
)

type entry struct {
	role  role
	value int  // of a digit, teen, ten; times of a repeat; words of a filler or fix
	sign  byte // of a joiner or a spelling word
}

// known is what the reader knows of a word.
type known struct {
	entry
	class  classOf
	begins bool // a phrase of two words begins with it
}

// know looks a word up.
func know(lower string) known {
	k := table[lower]
	k.class = class(lower)
	return k
}

// table joins vocabulary and phrases, so that a word is looked up once.
var table = func() map[string]known {
	m := map[string]known{}
	for w, e := range vocabulary {
		m[w] = known{entry: e}
	}
	for p := range phrases {
		k := m[p[0]]
		k.begins = true
		m[p[0]] = k
	}
	return m
}()

// vocabulary holds every single word the reader understands. Words of two are in phrases.
var vocabulary = map[string]entry{
	"zero": {digit, 0, 0}, "oh": {digit, 0, 0}, "nought": {digit, 0, 0}, "naught": {digit, 0, 0}, "aught": {digit, 0, 0}, "nil": {digit, 0, 0},
	"one": {digit, 1, 0}, "two": {digit, 2, 0}, "three": {digit, 3, 0}, "four": {digit, 4, 0}, "five": {digit, 5, 0},
	"six": {digit, 6, 0}, "seven": {digit, 7, 0}, "eight": {digit, 8, 0}, "nine": {digit, 9, 0},
	"niner": {digit, 9, 0}, "fife": {digit, 5, 0},
	"ten": {teen, 10, 0}, "eleven": {teen, 11, 0}, "twelve": {teen, 12, 0}, "thirteen": {teen, 13, 0},
	"fourteen": {teen, 14, 0}, "fifteen": {teen, 15, 0}, "sixteen": {teen, 16, 0}, "seventeen": {teen, 17, 0},
	"eighteen": {teen, 18, 0}, "nineteen": {teen, 19, 0},
	"twenty": {ten, 20, 0}, "thirty": {ten, 30, 0}, "forty": {ten, 40, 0}, "fourty": {ten, 40, 0}, "fifty": {ten, 50, 0},
	"sixty": {ten, 60, 0}, "seventy": {ten, 70, 0}, "eighty": {ten, 80, 0}, "ninety": {ten, 90, 0},
	"hundred": {hundred, 100, 0}, "thousand": {thousand, 1000, 0},
	"double": {repeat, 2, 0}, "dubble": {repeat, 2, 0}, "triple": {repeat, 3, 0}, "treble": {repeat, 3, 0}, "quadruple": {repeat, 4, 0},

	"alpha": {nato, 0, 'a'}, "alfa": {nato, 0, 'a'}, "bravo": {nato, 0, 'b'}, "charlie": {loose, 0, 'c'},
	"delta": {loose, 0, 'd'}, "echo": {loose, 0, 'e'}, "foxtrot": {nato, 0, 'f'}, "golf": {loose, 0, 'g'},
	"hotel": {loose, 0, 'h'}, "india": {loose, 0, 'i'}, "juliet": {loose, 0, 'j'}, "juliett": {nato, 0, 'j'},
	"kilo": {loose, 0, 'k'}, "lima": {loose, 0, 'l'}, "mike": {loose, 0, 'm'}, "november": {loose, 0, 'n'},
	"oscar": {loose, 0, 'o'}, "papa": {loose, 0, 'p'}, "quebec": {loose, 0, 'q'}, "romeo": {loose, 0, 'r'},
	"sierra": {loose, 0, 's'}, "tango": {loose, 0, 't'}, "uniform": {loose, 0, 'u'}, "victor": {loose, 0, 'v'},
	"whiskey": {loose, 0, 'w'}, "whisky": {loose, 0, 'w'}, "xray": {nato, 0, 'x'}, "x-ray": {nato, 0, 'x'},
	"yankee": {loose, 0, 'y'}, "zulu": {nato, 0, 'z'}, "zed": {nato, 0, 'z'}, "zee": {loose, 0, 'z'},
	"bee": {loose, 0, 'b'}, "cee": {loose, 0, 'c'}, "dee": {loose, 0, 'd'}, "eff": {loose, 0, 'f'}, "gee": {loose, 0, 'g'},
	"aitch": {nato, 0, 'h'}, "haitch": {nato, 0, 'h'}, "jay": {loose, 0, 'j'}, "kay": {loose, 0, 'k'}, "ell": {loose, 0, 'l'},
	"em": {loose, 0, 'm'}, "en": {loose, 0, 'n'}, "pee": {loose, 0, 'p'}, "cue": {loose, 0, 'q'}, "ess": {loose, 0, 's'},
	"tee": {loose, 0, 't'}, "vee": {loose, 0, 'v'}, "ex": {loose, 0, 'x'}, "wye": {loose, 0, 'y'},

	// Spanish and French, where the word is no English one.
	"cero": {digit, 0, 0}, "uno": {digit, 1, 0}, "dos": {digit, 2, 0}, "tres": {digit, 3, 0}, "cuatro": {digit, 4, 0}, "cinco": {digit, 5, 0}, "seis": {digit, 6, 0},
	"siete": {digit, 7, 0}, "ocho": {digit, 8, 0}, "nueve": {digit, 9, 0}, "diez": {teen, 10, 0}, "doce": {teen, 12, 0}, "trece": {teen, 13, 0}, "catorce": {teen, 14, 0},
	"quince": {teen, 15, 0}, "veinte": {ten, 20, 0}, "treinta": {ten, 30, 0}, "cuarenta": {ten, 40, 0}, "cincuenta": {ten, 50, 0}, "sesenta": {ten, 60, 0},
	"setenta": {ten, 70, 0}, "ochenta": {ten, 80, 0}, "noventa": {ten, 90, 0}, "coma": {filler, 1, 0}, "doble": {repeat, 2, 0},
	"zéro": {digit, 0, 0}, "deux": {digit, 2, 0}, "trois": {digit, 3, 0}, "quatre": {digit, 4, 0}, "cinq": {digit, 5, 0}, "huit": {digit, 8, 0}, "neuf": {digit, 9, 0},
	"onze": {teen, 11, 0}, "douze": {teen, 12, 0}, "treize": {teen, 13, 0}, "quatorze": {teen, 14, 0}, "quinze": {teen, 15, 0}, "vingt": {ten, 20, 0},
	"trente": {ten, 30, 0}, "quarante": {ten, 40, 0}, "cinquante": {ten, 50, 0}, "soixante": {ten, 60, 0},

	"dash": {joiner, 0, '-'}, "hyphen": {joiner, 0, '-'}, "minus": {joiner, 0, '-'}, "dot": {joiner, 0, '.'},
	"point": {joiner, 0, '.'}, "period": {joiner, 0, '.'}, "slash": {joiner, 0, '/'}, "stroke": {joiner, 0, '/'},
	"underscore": {joiner, 0, '_'}, "plus": {joiner, 0, '+'}, "space": {joiner, 0, ' '}, "at": {joiner, 0, '@'},

	"uh": {filler, 1, 0}, "um": {filler, 1, 0}, "er": {filler, 1, 0}, "erm": {filler, 1, 0}, "ah": {filler, 1, 0},
	"hmm": {filler, 1, 0}, "mm": {filler, 1, 0}, "eh": {filler, 1, 0}, "and": {filler, 1, 0}, "then": {filler, 1, 0},
	"okay": {filler, 1, 0}, "ok": {filler, 1, 0}, "so": {filler, 1, 0}, "like": {filler, 1, 0}, "capital": {filler, 1, 0},
	"uppercase": {filler, 1, 0}, "lowercase": {filler, 1, 0}, "letter": {filler, 1, 0}, "extension": {filler, 1, 0}, "ext": {filler, 1, 0},
	"sorry": {fix, 1, 0}, "correction": {fix, 1, 0}, "oops": {fix, 1, 0}, "rather": {fix, 1, 0}, "actually": {fix, 1, 0}, "wait": {fix, 1, 0},
}

// phrases are words of two; the first word's value counts the words.
var phrases = map[[2]string]entry{
	{"no", "wait"}: {fix, 2, 0}, {"no", "sorry"}: {fix, 2, 0}, {"i", "mean"}: {fix, 2, 0}, {"scratch", "that"}: {fix, 2, 0},
	{"make", "that"}: {fix, 2, 0}, {"strike", "that"}: {fix, 2, 0}, {"hold", "on"}: {filler, 2, 0},
	{"you", "know"}: {filler, 2, 0}, {"and", "then"}: {filler, 2, 0}, {"then", "a"}: {filler, 2, 0}, {"and", "a"}: {filler, 2, 0},
	{"followed", "by"}: {filler, 2, 0}, {"upper", "case"}: {filler, 2, 0}, {"lower", "case"}: {filler, 2, 0},
	{"forward", "slash"}: {joiner, 2, '/'}, {"x", "ray"}: {nato, 2, 'x'}, {"x", "rays"}: {nato, 2, 'x'}, {"double", "u"}: {nato, 2, 'w'},
	{"double", "you"}: {nato, 2, 'w'}, {"full", "stop"}: {joiner, 2, '.'},
}

// Ordinal gives the number of "first" .. "ninetieth" said as one word, 0 for anything else.
func Ordinal(lower string) int { return ordinals[lower] }

var ordinals = map[string]int{
	"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
	"tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16,
	"seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}

// Words yields every single word that says a number, a place in a row, a letter, a sign or a pause, in no order.
func Words() iter.Seq[string] {
	return func(yield func(string) bool) {
		for w := range vocabulary {
			if !yield(w) {
				return
			}
		}
		for w := range ordinals {
			if !yield(w) {
				return
			}
		}
	}
}

// Spelling reports whether a lower-case word stands for one letter when spelled.
func Spelling(lower string) bool {
	e := vocabulary[lower]
	return e.role == nato || e.role == loose || len(lower) == 1 && lower[0] >= 'a' && lower[0] <= 'z'
}

// Spoken reports whether a lower-case word is a number said in words, with its value.
func Spoken(lower string) (value int, ok bool) {
	e := vocabulary[lower]
	switch e.role {
	case digit, teen, ten, hundred, thousand:
		return e.value, true
	}
	return 0, false
}
