package act

import "math/bits"

// rowBits is the size of the table of rows: features are hashed into it and share rows where hashes meet.
const (
	rowBits = 16
	Rows    = 1 << rowBits
)

// families are the kinds of features. Every word has one of most of them.
const (
	famLength   = iota // how many words
	famWord            // the word
	famPair            // it and the next
	famThree           // it and the next two
	famSkip            // it and the one behind the next
	famSkip2           // it and the third
	famFirst           // the first word
	famFirst2          // the first two
	famLast            // the last word
	famLast2           // the last two
	famQuestion        // whether a question mark ends it, with the first word
	famHead            // the beginning of a long word
	famTail            // its end
	famFrame           // three words, of which rare ones count as one
	famValues          // how many numbers, masks and letters it says
	families
)

const (
	mulA = 0x9e3779b97f4a7c15
	mulB = 0xd6e8feb86659fd93
	mulC = 0xa0761d6478bd642f
)

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^mulC, b^mulB)
	return hi ^ lo
}

func hash(w string) uint64 {
	h := uint64(len(w)) * mulA
	for i := range len(w) {
		h = (h ^ uint64(w[i])) * mulB
		h ^= h >> 29
	}
	return h
}

// Scratch is the working memory of reading, reused from turn to turn. It is not safe for concurrent use.
type Scratch struct {
	hashes []uint64
	frames []uint64
	rows   []uint32
}

// features gives the rows of the features of a turn. A word is in lower case; "0" stands for any number, "[]" for a
// mask, "?" for a question mark; other signs are left out.
func (s *Scratch) features(words []string) []uint32 {
	if len(words) > readWords {
		words = words[len(words)-readWords:]
	}
	h, frames := s.hashes[:0], s.frames[:0]
	for _, w := range words {
		h = append(h, hash(w))
		frames = append(frames, frame(w, h[len(h)-1]))
	}
	frames = append(frames, 7, 7) // behind the last word
	s.hashes, s.frames, s.rows = h, frames, s.rows[:0]
	n := len(h)
	add := func(family, v uint64) {
		x := (v + family*mulC) * mulA
		x ^= x >> 32
		s.rows = append(s.rows, uint32(x*mulB>>(64-rowBits)))
	}
	at := func(i int) uint64 {
		if i < n {
			return h[i]
		}
		return 7
	}
	numbers, masks, single := uint64(0), uint64(0), uint64(0)
	for i, w := range words {
		a, b, c := h[i], at(i+1), at(i+2)
		add(famWord, a)
		add(famPair, mix(a, b))
		add(famThree, mix(mix(a, b), c))
		add(famSkip, mix(a, c+1))
		add(famSkip2, mix(a, at(i+3)+2))
		add(famFrame, mix(mix(frames[i], frames[i+1]), frames[i+2]))
		if len(w) >= 5 {
			add(famHead, hash(w[:4]))
			add(famTail, hash(w[len(w)-4:]))
		}
		switch {
		case w == "0":
			numbers++
		case w == "[]":
			masks++
		case len(w) == 1 && w != "?" && w != "a" && w != "i":
			single++
		}
	}
	last, question := n-1, uint64(0)
	if n > 0 && words[n-1] == "?" {
		last, question = n-2, 1
	}
	add(famLength, uint64(bits.Len(uint(n))))
	add(famFirst, at(0))
	add(famFirst2, mix(at(0), at(1)))
	if last >= 0 {
		add(famLast, h[last])
	}
	if last > 0 {
		add(famLast2, mix(h[last-1], h[last]))
	}
	add(famQuestion, question)
	add(famQuestion, mix(question, at(0)))
	add(famValues, min(numbers, 4)<<16|min(masks, 2)<<8|min(single, 4))
	return s.rows
}

// frame gives the hash h of a word of a closed class, the same value for any other.
func frame(w string, h uint64) uint64 {
	if len(w) <= 4 || closed[w] {
		return h
	}
	return 11
}

// closed are longer words that carry a frame.
var closed = map[string]bool{"please": true, "could": true, "would": true, "can't": true, "what's": true, "that's": true, "there": true, "where": true,
	"which": true, "again": true, "sorry": true, "didn't": true, "couldn't": true, "catch": true, "spell": true, "confirm": true, "right": true, "thanks": true, "thank": true,
	"under": true, "about": true, "you're": true, "we're": true, "number": true, "repeat": true, "first": true, "still": true, "perfect": true, "lovely": true}
