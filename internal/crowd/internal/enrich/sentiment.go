package enrich

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
	"unicode"

	"murmur/internal/fact"
)

//go:embed lexicon.txt
var lexiconText string

// tone reads the sentiment of a text from a word list, in the way of VADER (Hutto & Gilbert, "VADER: A
// Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text", ICWSM 2014): intensifiers,
// negation within three words, "but", capitals and exclamation marks. The list is our own.
type tone struct {
	words map[string]float64
}

// The constants of the paper's section 3.
const (
	boost       = 0.293 // of an intensifier next to the word; 5 and 10 % less one and two words away
	capitals    = 0.733 // of a word in capitals in a text that has others
	exclamation = 0.292 // of one mark, at most three
	negated     = -0.74
	softness    = 15 // how slowly the sum saturates
)

var intensifiers = map[string]float64{
	"very": boost, "really": boost, "so": boost, "too": boost, "extremely": boost, "absolutely": boost,
	"totally": boost, "completely": boost, "incredibly": boost, "super": boost, "such": boost, "highly": boost,
	"especially": boost, "truly": boost, "beyond": boost, "deeply": boost, "seriously": boost, "most": boost,
	"slightly": -boost, "somewhat": -boost, "kinda": -boost, "barely": -boost, "hardly": -boost,
	"almost": -boost, "fairly": -boost, "little": -boost, "bit": -boost, "partly": -boost,
}

var negations = wordSet("not no never none nobody nothing neither nor without cannot cant dont doesnt didnt isnt arent wasnt " +
	"werent wont wouldnt couldnt shouldnt hasnt havent hadnt aint lack lacks")

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

func newTone() *tone {
	t := &tone{words: map[string]float64{}}
	for line := range strings.Lines(lexiconText) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		v, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			panic("enrich: the embedded lexicon has a line without a tone")
		}
		for _, w := range fields[1:] {
			t.words[w] = v
		}
	}
	return t
}

// word is one token: its letters in lower case without apostrophes, and whether it was written in capitals.
type word struct {
	text string
	caps bool
}

// of gives the sentiment from -100 to 100 in steps of fact.SentimentStep; fact.Absent when no word of the text is
// in the list.
func (t *tone) of(text string) int64 {
	words, marks, mixed := tokens(text)
	var before, after float64 // the last "but"
	found := false
	for i, w := range words {
		if w.text == "but" || w.text == "however" {
			before, after = before+after, 0
			continue
		}
		v, ok := t.valence(w.text)
		if !ok {
			continue
		}
		found = true
		after += t.inContext(v, words, i, mixed)
	}
	if !found {
		return fact.Absent
	}
	sum := after
	if before != 0 {
		sum = before*0.5 + after*1.5
	}
	sum += math.Copysign(exclamation*float64(min(marks, 3)), sum)
	score := 100 * sum / math.Sqrt(sum*sum+softness)
	return int64(math.Round(score/fact.SentimentStep)) * fact.SentimentStep
}

// inContext is the tone of word i after capitals, intensifiers and negations before it.
func (t *tone) inContext(v float64, words []word, i int, mixed bool) float64 {
	if words[i].caps && mixed {
		v += math.Copysign(capitals, v)
	}
	turned := false
	for back := 1; back <= 3 && i-back >= 0; back++ {
		w := words[i-back].text
		if w == "but" {
			break
		}
		if b, ok := intensifiers[w]; ok {
			if _, toned := t.words[w]; !toned {
				v += b * (1 - 0.05*float64(back-1)) * math.Copysign(1, v)
			}
		}
		turned = turned || negations[w]
	}
	if turned {
		v *= negated
	}
	return v
}

// valence looks a word up, then without its ending.
func (t *tone) valence(w string) (float64, bool) {
	if v, ok := t.words[w]; ok {
		return v, true
	}
	for _, ending := range [...]string{"ing", "est", "ed", "ly", "er", "s", "d"} {
		if stem, ok := strings.CutSuffix(w, ending); ok && len(stem) >= 4 {
			if v, ok := t.words[stem]; ok {
				return v, true
			}
			if v, ok := t.words[stem+"e"]; ok && ending == "ing" {
				return v, true
			}
		}
	}
	return 0, false
}

// tokens splits a text into words; masks in brackets are left out. marks counts exclamation marks, mixed says
// whether some words are in capitals and some are not.
func tokens(text string) (words []word, marks int, mixed bool) {
	var b strings.Builder
	upper, lower, capital, plain := 0, 0, false, false
	flush := func() {
		if b.Len() > 0 {
			caps := upper > 1 && lower == 0
			words = append(words, word{b.String(), caps})
			capital, plain = capital || caps, plain || lower > 0
		}
		b.Reset()
		upper, lower = 0, 0
	}
	inMask := false
	for _, r := range text {
		switch {
		case r == '[':
			flush()
			inMask = true
		case r == ']':
			inMask = false
		case inMask:
		case r == '\'' || r == '’':
		case unicode.IsLetter(r):
			if unicode.IsUpper(r) {
				upper++
			} else {
				lower++
			}
			b.WriteRune(unicode.ToLower(r))
		default:
			flush()
			if r == '!' {
				marks++
			}
		}
	}
	flush()
	return words, marks, capital && plain
}
