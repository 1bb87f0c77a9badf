// Package listen transcribes a recording and finds the stretches of it that must be masked.
//
// Zone: RED. The order of work: measure (measure.go: voice, keys of the telephone), hear (listener.go: a transcriber
// gives words with times; words.go: or somebody else's transcript), cut into turns of both legs by time (turn.go),
// find what is personal in the text (package redact) and by what the sound alone gives away (rules.go), mask
// (package audio), and listen again to what lies around the masks (redact.go). Only transcribers, which are commands,
// process voices; each runs confined (package confine).
//
// Words: a *leg* is one side of a call, a *word* a transcribed word with its time, a *turn* words of one leg without
// a long pause, a *finding* a stretch that must be masked and why.
//
// It promises: what the transcriber does not understand is masked: voice without words, and words of low confidence.
// There is no audio at all when words have no times, or when the second pass still finds personal data. The same words
// and the same sound give the same masks.
//
// What it does not protect against: what neither the transcriber nor the text anonymiser noticed: docs/models/voice.md
// has the measured rates. The voice stays the speaker's.
package listen

import (
	"time"

	"murmur/internal/audio"
)

// Word is one word that somebody said.
type Word struct {
	Text       string
	Leg        int
	Start, End time.Duration
	Conf       float64 // 0 .. 1 how sure the transcriber is; 1 if it does not say
	Second     bool    // by the second model: for masks alone
}

func (w Word) length() time.Duration { return w.End - w.Start }

// Heard is what a transcriber made of a recording.
type Heard struct {
	Words  []Word             // by time
	Speech [][]audio.Interval // of each leg; nil if the transcriber does not say where speech is
}

// Why is what a stretch was masked for, beside the types of package redact.
type Why string

const (
	Keys    Why = "KEYS"    // keys of the telephone
	Digits  Why = "DIGITS"  // four digits or more in a row, whatever the text says
	Answer  Why = "ANSWER"  // the answer to a question for personal data, not understood well
	Unheard Why = "UNHEARD" // voice that gave no words, or doubtful ones
	Again   Why = "AGAIN"   // found when listening a second time
)

// Finding is a stretch that must not be heard.
type Finding struct {
	audio.Interval
	Why Why // or the name of a type of package redact
	Leg int // whose words it takes away as well; nobody for none
}

const nobody = -1
