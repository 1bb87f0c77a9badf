package redact

import (
	"murmur/internal/redact/act"
	"murmur/internal/redact/internal/rule/answer"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
)

// acting is the part of a scan that tells what a turn does.
type acting struct {
	acts    *act.Model
	said    []string // the turn as the model reads it
	before  heard    // the turn before
	reading act.Scratch
}

// known is how much a phrase that the rules know adds to the score of its act, and awaited how much an open question adds
// to that of an answer, in units of the model's weights. A recogniser makes talk of a spelled name, postcode or birth date
// ("I know right"), so what comes right behind a question for one is an answer unless it clearly is none.
const (
	known    = 150
	awaited  = 120
	expected = 600
)

// findAct tells what the loaded turn does: what the model says, and the phrases that the rules know. own is the question
// of the side that speaks, answer the one that it may answer.
func (s *turn) findAct(own, answer *scan.Asked) act.Act {
	s.said = s.actWords(s.said[:0])
	score := s.acts.Read(s.said, &s.reading)
	types, n := s.Questions()
	for _, t := range types[:n] {
		score[actOf[t]] += known
	}
	if s.RepeatRequest() {
		score[act.Repeat] += known
	}
	if s.NewTopic() {
		score[act.AskOther] += known
	}
	if answer.Open() && answer.Heard == 0 {
		score[act.Answer] += awaited
		if t := answer.Types[0]; (t == Person || t == Postcode || t == DateOfBirth) && !s.asksPlainly() {
			score[act.Answer] += expected - awaited
		}
	}
	return score.Best()
}

// asksPlainly reports whether the turn has a question mark, or is longer than an answer.
func (s *turn) asksPlainly() bool {
	n := 0
	for i, t := range s.Tokens {
		if s.Low(i) == "?" {
			return true
		}
		if t.Kind >= token.Word {
			n++
		}
	}
	return n > answer.Briefly && !answer.Spelled(&s.Scan)
}

// actOf gives the act that asks for a type.
var actOf = func() (m [kind.Types]act.Act) {
	for t := range m {
		m[t] = act.AskNumber
	}
	for a, of := range map[act.Act][]Type{act.AskName: {Person}, act.AskPostcode: {Postcode}, act.AskAddress: {Address, Location}, act.AskBirth: {DateOfBirth, Age},
		act.AskPhone: {Phone}, act.AskCode: {PIN, CVV, CardExpiry, Password}, act.AskEmail: {Email, Username, URL}} {
		for _, t := range of {
			m[t] = a
		}
	}
	return m
}()

// actWords gives the loaded turn as package act reads it: words in lower case, "0" for a number, however long, "[]" for a
// mask, "?" for a question mark.
func (s *turn) actWords(dst []string) []string {
	number0 := func(i int) bool {
		switch t := s.Tokens[i]; t.Kind {
		case token.Digit, token.Mixed:
			return true
		case token.Word:
			r := s.RunAt(i)
			return t.Said > 0 && r != nil && r.Digits > 1
		}
		return false
	}
	for i, t := range s.Tokens {
		switch {
		case number0(i):
			if n := len(dst); n == 0 || dst[n-1] != "0" {
				dst = append(dst, "0")
			}
		case t.Kind == token.Word:
			dst = append(dst, s.Low(i))
		case t.Kind == token.Mask:
			dst = append(dst, "[]")
		case s.Low(i) == "?":
			dst = append(dst, "?")
		}
	}
	return dst
}

// ActWords gives a turn as package act reads it, for training.
func ActWords(text string) []string {
	s := &turn{}
	s.load(token.ViewOf(text), Strict)
	return s.actWords(nil)
}
