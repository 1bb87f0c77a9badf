package redact

import (
	"murmur/internal/redact/internal/echo"
	"murmur/internal/redact/internal/rule/answer"
	"murmur/internal/redact/internal/rule/date"
	"murmur/internal/redact/internal/rule/digits"
	"murmur/internal/redact/internal/rule/name"
	"murmur/internal/redact/internal/rule/net"
	"murmur/internal/redact/internal/rule/place"
	"murmur/internal/redact/internal/rule/secret"
	"murmur/internal/redact/internal/rule/subject"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/reader"
)

// turn is one turn at work: what the rules read and mark, what it does in the conversation, what the tagger reads of it,
// and what was said shortly before. It is reused from turn to turn; nothing in it outlives the call of Redact.
type turn struct {
	scan.Scan
	tagging
	acting
	echoes echo.Echoes
	window reader.Scratch
}

// load takes in a text. What was said before it stays.
func (s *turn) load(v token.View, dial Dial) {
	s.Scan.Load(v, dial)
	s.echoes.Heard = append(s.echoes.Heard[:0], make([]bool, len(s.Tokens))...)
}

// read runs every rule over the loaded turn.
func (s *turn) read(side Side, talk *dialogue, known []subject.Subject) {
	ask := talk.hear(s, side)
	s.Side, s.Ask = side, ask
	s.echoes.Hear(&s.Scan, side)
	net.FindAnchors(&s.Scan)
	date.FindDates(&s.Scan)
	place.FindAddresses(&s.Scan)
	digits.FindAges(&s.Scan)
	secret.FindIBANs(&s.Scan)
	secret.FindCodes(&s.Scan)
	digits.FindEveryday(&s.Scan)
	digits.FindNumbers(&s.Scan)
	secret.FindSecrets(&s.Scan)
	secret.FindSpelled(&s.Scan)
	name.FindNames(&s.Scan)
	name.FindAnswering(&s.Scan)
	name.FindSignOff(&s.Scan)
	name.FindAddressed(&s.Scan)
	digits.FindPlates(&s.Scan)
	digits.FindLonePlates(&s.Scan)
	name.FindRows(&s.Scan)
	place.FindPlaces(&s.Scan)
	if s.tagger != nil {
		answer.FindWhole(&s.Scan)
	}
	answer.FindAnswer(&s.Scan)
	answer.FindLead(&s.Scan)
	s.findTagged(ask, side)
	subject.FindSubjects(&s.Scan, known)
	talk.note(s, side)
}

// forget drops every reference to a text before the scan goes back to the pool.
func (s *turn) forget() {
	s.View, s.Ask, s.input.Lower = token.View{}, nil, ""
	clear(s.Words[:cap(s.Words)])
	clear(s.said[:cap(s.said)])
}
