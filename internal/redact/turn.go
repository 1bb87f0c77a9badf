package redact

// turn is one turn at work: what the rules read and mark, what it does in the conversation, what the tagger reads of it,
// and what was said shortly before. It is reused from turn to turn; nothing in it outlives the call of Redact.
type turn struct {
	scan
	tagging
	acting
	echoes echoes
}

// load takes in a text. What was said before it stays.
func (s *turn) load(v view, dial Dial) {
	s.scan.load(v, dial)
	s.echoes.heard = append(s.echoes.heard[:0], make([]bool, len(s.tok))...)
}

// read runs every rule over the loaded turn.
func (s *turn) read(side Side, talk *dialogue, known []subject) {
	ask := talk.hear(s, side)
	s.side, s.ask = side, ask
	s.echoes.hear(&s.scan, side)
	s.findAnchors()
	s.findDates()
	s.findAddresses()
	s.findAges()
	s.findIBANs()
	s.findCodes()
	s.findEveryday()
	s.findNumbers()
	s.findSecrets()
	s.findSpelled()
	s.findNames()
	s.findAnswering()
	s.findSignOff()
	s.findAddressed()
	s.findPlates()
	s.findLonePlates()
	s.findRows()
	s.findPlaces()
	if s.tagger != nil {
		s.findWhole()
	}
	s.findAnswer()
	s.findLead()
	s.findTagged(ask, side)
	s.findSubjects(known)
	talk.note(s, side)
}

// forget drops every reference to a text before the scan goes back to the pool.
func (s *turn) forget() {
	s.view, s.ask, s.input.Lower = view{}, nil, ""
	clear(s.words[:cap(s.words)])
	clear(s.said[:cap(s.said)])
}
