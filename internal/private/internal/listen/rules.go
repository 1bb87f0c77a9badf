package listen

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"murmur/internal/audio"
	"murmur/internal/redact/number"
)

// Rules of the sound, for personal data that the text alone does not show.
const (
	runDigits    = 4               // digits in a row that are masked whatever the text says
	runSingle    = 3               // the same for digits said one by one, with nothing in between
	runWithin    = 6 * time.Second // from the first of them to the last
	runGap       = 3 * time.Second // between two
	answerFor    = 20 * time.Second
	confident    = 0.5  // mean confidence of a sentence that was understood
	unsure       = 0.5  // a word below it makes its sentence doubted
	doubtful     = 0.15 // a word below it was not
	unheardAtAll = 0.3  // share of the voice; beyond it no audio is given
	slack        = 150 * time.Millisecond
	longUnheard  = 300 * time.Millisecond
	longestWord  = time.Second // how far a word is stretched to the next one
	islandGrowth = 800 * time.Millisecond
)

// stretch lets each word last as long as the voice goes on, up to the next word: transcribers end words early. Words
// are in order.
func stretch(words []Word, voice [][]audio.Interval) []Word {
	out := slices.Clone(words)
	next := map[[2]int]time.Duration{} // of the words of a leg, by either model
	for i := len(out) - 1; i >= 0; i-- {
		w := &out[i]
		ears := [2]int{w.Leg, 0}
		if w.Second {
			ears[1] = 1
		}
		end := w.End
		for _, v := range voice[w.Leg] {
			if v.Start < w.End && v.End > w.End {
				end = min(v.End, w.End+longestWord)
			}
		}
		if n, ok := next[ears]; ok {
			end = min(end, max(n, w.End))
		}
		w.End = end
		next[ears] = w.Start
	}
	return out
}

// homophones are words that transcribers write for digits, and people say for themselves.
var homophones = []string{"to", "too", "for", "oh", "o", "ate", "won", "tree", "sex", "nein", "fore"}

// digitLike counts the digits that a word stands for.
func digitLike(word string) (n int, homophone bool) {
	word = strings.TrimFunc(strings.ToLower(word), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, r := range word {
		if unicode.IsDigit(r) {
			n++
		}
	}
	switch {
	case n > 0:
		return n, false
	case slices.Contains(homophones, word):
		return 1, true
	case word == "double" || word == "triple":
		return 1, false
	case word == "hundred" || word == "thousand" || word == "million": // of quantities
		return 0, false
	}
	if _, ok := number.Spoken(word); ok {
		return 1, false
	}
	for part := range strings.SplitSeq(word, "-") { // twenty-two
		if _, ok := number.Spoken(part); ok {
			n++
		}
	}
	return n, false
}

// singleDigit reports whether a word says one digit.
func singleDigit(word string) bool {
	word = strings.Trim(strings.ToLower(word), ".,?!-")
	n, ok := number.Spoken(word)
	return ok && n < 10 || len(word) == 1 && word[0] >= '0' && word[0] <= '9'
}

// digitRuns finds four digits or more within six seconds of the words of one leg, with at most one homophone among
// them, or three said one by one.
func digitRuns(words []Word) []audio.Interval {
	type digit struct {
		word, n   int
		homophone bool
		single    bool // said as one digit
	}
	var digits []digit
	for i, w := range words {
		if n, h := digitLike(w.Text); n > 0 {
			digits = append(digits, digit{i, n, h, n == 1 && !h && singleDigit(w.Text)})
		}
	}
	var found []audio.Interval
	for i := range digits {
		start := words[digits[i].word].Start
		n, doubts, single := 0, 0, true
		for j := i; j < len(digits); j++ {
			w := words[digits[j].word]
			if w.Start-start > runWithin || j > i && w.Start-words[digits[j-1].word].End > runGap {
				break
			}
			n += digits[j].n
			single = single && digits[j].single && (j == i || digits[j].word == digits[j-1].word+1)
			if digits[j].homophone {
				if doubts++; doubts > 1 || j == i {
					break
				}
				continue // "one two three for" may go on
			}
			if n >= runDigits || n >= runSingle && single {
				found = append(found, audio.Interval{Start: start, End: words[digits[j].word].End})
			}
		}
	}
	return audio.Union(found, 0)
}

func onLeg(words []Word, leg int) []Word {
	return slices.DeleteFunc(slices.Clone(words), func(w Word) bool { return w.Leg != leg })
}

// cues are words after which somebody says something personal; "my name is" is its own answer.
var cues = []string{"card", "social", "account", "date of birth", "birthday", "born", "spell", "spelled", "email", "e-mail", "address", "my name is"}

// cued reports whether a sentence has a cue.
func cued(t *turn) bool {
	text := " " + strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || r == '-' {
			return unicode.ToLower(r)
		}
		return ' '
	}, t.text) + " "
	text = strings.Join(strings.Fields(text), " ")
	return slices.ContainsFunc(cues, func(c string) bool { return strings.Contains(" "+text+" ", " "+c+" ") })
}

// answers finds sentences behind a cue that were not understood well, up to the first that was and has nothing in
// it. known is what was found so far. Sentences are in order of time.
func answers(sentences []turn, legs int, known []audio.Interval) []Finding {
	var found []Finding
	open := map[int]time.Duration{} // leg that answers, and until when
	for i := range sentences {
		s := &sentences[i]
		span := audio.Interval{Start: s.start(), End: s.end()}
		if until, ok := open[s.leg]; ok {
			switch clean := len(audio.Common([]audio.Interval{span}, known)) == 0; {
			case span.Start > until, clean && understood(s.words):
				delete(open, s.leg)
			case !understood(s.words):
				found = append(found, Finding{span, Answer, s.leg})
			}
		}
		if cued(s) {
			for leg := range legs {
				if legs == 1 || leg != s.leg || strings.Contains(strings.ToLower(s.text), "my ") {
					open[leg] = s.end() + answerFor
				}
			}
		}
	}
	return found
}

// doubted reports whether a sentence has a word that the transcriber was not sure of, or voice between two words: a
// word that it left out. The wrong word may be the one that would have shown that the others are personal.
func doubted(words []Word, voice []audio.Interval) bool {
	for i, w := range words {
		if w.Conf < unsure {
			return true
		}
		if i > 0 && w.Start-words[i-1].End >= longUnheard {
			hole := []audio.Interval{{Start: words[i-1].End, End: w.Start}}
			if audio.Total(audio.Common(hole, voice)) >= longUnheard {
				return true
			}
		}
	}
	return false
}

// understood reports whether a transcriber is sure of what it heard.
func understood(words []Word) bool {
	sum := 0.0
	for _, w := range words {
		sum += w.Conf
	}
	return sum >= confident*float64(len(words))
}

// unheard finds voice that gave no words, or doubtful ones.
func unheard(h *Heard, voice [][]audio.Interval) (found []Finding, share float64) {
	var missed, all time.Duration
	for leg, voice := range voice {
		words := onLeg(h.Words, leg)
		var heard []audio.Interval
		for _, w := range words {
			if w.Conf >= doubtful {
				heard = append(heard, audio.Interval{Start: w.Start - slack, End: w.End + slack})
			}
		}
		voice = audio.Union(voice, 0)
		if h.Speech != nil && h.Speech[leg] != nil { // which has the pauses between words in it
			voice = audio.Common(h.Speech[leg], voice)
		}
		left := audio.Without(voice, audio.Union(heard, 0))
		left = slices.DeleteFunc(left, func(i audio.Interval) bool { return i.Length() < longUnheard })
		missed += audio.Total(left)
		all += audio.Total(voice)
		found = append(found, findings(left, Unheard, leg)...)
	}
	if all == 0 {
		return found, 0
	}
	return found, float64(missed) / float64(all)
}

// grow lets a mask of digits reach the ends of the voice that it touches, for their times are not exact.
func grow(masks []audio.Interval, voice [][]audio.Interval) []audio.Interval {
	out := slices.Clone(masks)
	for i, m := range masks {
		for _, leg := range voice {
			for _, v := range leg {
				if v.Start < m.Start && v.End > m.Start {
					out[i].Start = min(out[i].Start, max(v.Start, m.Start-islandGrowth))
				}
				if v.Start < m.End && v.End > m.End {
					out[i].End = max(out[i].End, min(v.End, m.End+islandGrowth))
				}
			}
		}
	}
	return out
}
