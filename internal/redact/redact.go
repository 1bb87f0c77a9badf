// Package redact finds personal data in what people say on the telephone and write in texts, and masks it.
//
// Zone: RED. Its order of work on one conversation: fold and cut the text (internal/token), read spoken numbers (package
// number), tell what each turn does and which question it may answer (dialogue.go, package act), run the rules over it
// (internal/rule), let the tagger read it (tagged.go, package tag); then the reader (second.go, package reader); fuse the marks into spans (fuse.go), mask, remember what
// was masked (memory.go), and read the masked text again until nothing more is found.
//
// Words: a *mark* is one rule's finding, a *span* what is masked after fusion, a *cue* a word that says what
// the value near it is, a *reading* the symbols of a spoken number.
//
// It promises: masking a masked text changes nothing; every span found is masked; a value masked once is
// masked everywhere in the document; offsets are code points of the text as it was given; the same input
// gives the same output; no network, no clock, no goroutine.
//
// What it does not protect against: what no rule, list or question gives away. The measured leak rate stands
// in docs/models/text.md. A person can also be known by what happened to them; that is kept by the crowd's
// minimum group, not here.
package redact

import (
	"errors"
	"sync"

	"murmur/internal/redact/act"
	"murmur/internal/redact/internal/rule/subject"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
	"murmur/internal/redact/tag"
)

// Version counts changes of the rules that change what is masked. Every fact made from a text carries it.
const Version = 8

// Limits of one document. Beyond them Redact refuses: a caller splits, or quarantines.
const (
	MaxTurns = 200_000
	MaxBytes = 64 << 20
)

// ErrTooLarge says that a document is beyond MaxTurns or MaxBytes.
var ErrTooLarge = errors.New("redact: the document is too large")

// Config of a Detector.
type Config struct {
	// Dial trades recall against precision. The zero value is Balanced.
	Dial Dial
	// Tagger is the trained part; nil is the model that ships.
	Tagger *tag.Model
	// Acts is what tells what a turn does; nil is the model that ships.
	Acts *act.Model
	// RulesOnly leaves the tagger out, and the reader if none is given, to measure what they add.
	RulesOnly bool
	// Reader is the second reader of context; nil is the model that ships.
	Reader Reader
	// WithoutReader leaves the reader out.
	WithoutReader bool
	// Transforms say what stands for a value of each type; the zero value is its type alone.
	Transforms Transforms
	// Key makes pseudonyms; needed where Transforms have one, 16 bytes or more.
	Key []byte
	// Identifiers are numbers of the business's own making.
	Identifiers []Identifier
}

// Doc is one conversation or one text.
type Doc struct {
	Turns []Turn
	// Subjects are names, numbers and addresses of the people in it, as the source knows them.
	Subjects []string
}

// Turn is what one side said. Label is the text before it that names the side ("Agent: "), kept as it is.
type Turn struct {
	Side  Side // who speaks; 0 is unknown. See ParseSide
	Text  string
	Label string
}

// Detector masks documents. It is safe for concurrent use.
type Detector struct {
	dial        Dial
	tagger      *tag.Model
	acts        *act.Model
	reader      Reader // nil is the embedded one, which is read when it is first needed
	second      bool   // the reader reads
	transforms  Transforms
	key         []byte
	identifiers []Identifier
	pool        *sync.Pool
	part        int  // bytes of a turn that are read at once
	thorough    bool // every turn is read in every round, for a test
}

// New makes a Detector. ErrKey, ErrIdentifier, ErrOverlap; tag.ErrModel from a damaged binary.
func New(c Config) (*Detector, error) {
	if c.Dial >= kind.Dials {
		return nil, errors.New("redact: unknown dial")
	}
	if c.Tagger == nil && !c.RulesOnly {
		m, err := tag.Embedded()
		if err != nil {
			return nil, err
		}
		c.Tagger = m
	}
	if c.Acts == nil {
		m, err := act.Embedded()
		if err != nil {
			return nil, err
		}
		c.Acts = m
	}
	d := &Detector{dial: c.Dial, tagger: c.Tagger, acts: c.Acts, reader: c.Reader, second: (c.Reader != nil || !c.RulesOnly) && !c.WithoutReader, pool: &sync.Pool{New: func() any { return new(turn) }}, part: longTurn}
	return d.With(c.Transforms, c.Key, c.Identifiers)
}

// ErrKey says that a pseudonym is asked for without a key of 16 bytes or more.
var ErrKey = errors.New("redact: a pseudonym needs a key of 16 bytes or more")

// With gives a Detector that shares everything with d but what stands for a value and what the business taught: one
// for a workspace. ErrKey, ErrIdentifier, ErrOverlap.
func (d *Detector) With(x Transforms, key []byte, ids []Identifier) (*Detector, error) {
	if x.needsKey() && len(key) < 16 {
		return nil, ErrKey
	}
	for _, id := range ids {
		if !id.valid() {
			return nil, ErrIdentifier
		}
	}
	w := &Detector{dial: d.dial, tagger: d.tagger, acts: d.acts, reader: d.reader, second: d.second, transforms: x, key: key, pool: d.pool, part: d.part}
	if err := w.overlaps(ids); err != nil {
		return nil, err
	}
	w.identifiers = ids
	return w, nil
}

// WithoutReader gives a Detector that shares everything with d and does without the reader.
func (d *Detector) WithoutReader() *Detector {
	w := *d
	w.second = false
	return &w
}

// rounds is how often a text is read until nothing more is found. Three suffice for all but contrived texts;
// a document that needs more is not verified.
const rounds = 8

// Redact masks one document. ErrTooLarge; ErrReader from a damaged binary.
func (d *Detector) Redact(doc Doc) (*Redaction, error) {
	return d.redact(doc, new(dialogue))
}

// redact masks doc and leaves in talk the questions that are open behind it.
func (d *Detector) redact(doc Doc, talk *dialogue) (*Redaction, error) {
	size := 0
	for _, t := range doc.Turns {
		size += len(t.Text)
	}
	if len(doc.Turns) > MaxTurns || size > MaxBytes {
		return nil, ErrTooLarge
	}
	s := d.pool.Get().(*turn)
	defer d.pool.Put(s)
	s.tagger, s.acts = d.tagger, d.acts
	clear(s.heard)
	known := subject.SubjectsOf(doc.Subjects)
	said, of := d.parts(doc.Turns)
	turns := make([]masking, len(said))
	for i, t := range said {
		turns[i].text, turns[i].masked = t.Text, t.Text
	}
	seen := memory{}
	var more second
	verdict := Unsettled
	var over outlook
	var read rereading
	var after dialogue
	for round := range rounds {
		found := false
		after = talk.clone()
		s.echoes.Forget()
		for i := range turns {
			m := &turns[i]
			if round > 0 && !d.thorough && len(m.pieces) == 0 && read.same(i, &after, &s.echoes, &seen, said[i].Side) {
				continue
			}
			read.begins(i, &after)
			s.load(token.ViewOf(m.masked), d.dial)
			s.nth = i
			if round == 0 {
				over.look(s)
			}
			s.findIdentifiers(d.identifiers)
			seen.recall(s)
			s.read(said[i].Side, &after, known)
			read.ends(i, &after, s)
			if len(s.Marks) > 0 && m.add(s.spans()) {
				found = true
			}
		}
		if !found {
			found, err := more.look(d, s, said, turns)
			if err != nil {
				return nil, err
			}
			if !found {
				verdict = over.verdict()
				break
			}
		}
		for i := range turns {
			seen.learn(&turns[i], i, said[i].Side)
		}
		seen.again(s, said, turns, &read)
		for i := range turns {
			turns[i].render(d)
		}
	}
	*talk = after
	s.forget()
	return finish(doc.Turns, turns, of, verdict), nil
}
