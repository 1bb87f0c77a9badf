package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/keyring"
	"murmur/internal/safe"
	"murmur/internal/workspace"
)

// maxFacts is how many bytes of encoded facts one message carries at most: with its seal it fits into the journal.
const maxFacts = journal.MaxPayload - 32<<10

// made is what a stage makes of deliveries: their facts, and a state for each. A delivery whose facts cannot be carried
// is quarantined: one fact is too large, or the workspace's key does not seal. An error is one of the installation as a
// whole.
func (p *Pipeline) made(in []journal.Message, outcomes []fact.Outcome) ([]journal.Message, error) {
	out, err := p.seal(in, outcomes)
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		m := in[i] // a state that waits keeps what was sent
		m.Topic = journal.States
		out = append(out, decided(m, o))
	}
	return out, nil
}

// decided is a message with its outcome.
func decided(m journal.Message, o fact.Outcome) journal.Message {
	m.State, m.Why = o.State, o.Why
	if o.Contact.Valid() {
		m.Contact = o.Contact.Bytes()
	}
	if o.State == fact.Held {
		m.About.Call = o.Waits.Call
		if o.Waits.Contact.Valid() {
			m.About.Contact = o.Waits.Contact.Bytes()
		}
	}
	return m
}

// seal puts the facts of deliveries into messages, by workspace, as many as their bytes need.
func (p *Pipeline) seal(in []journal.Message, outcomes []fact.Outcome) ([]journal.Message, error) {
	var order []workspace.ID
	packs := map[workspace.ID]*pack{}
	for i := range outcomes {
		o, ws := &outcomes[i], in[i].Workspace
		if len(o.Facts) == 0 {
			continue
		}
		b := packs[ws]
		if b == nil {
			b = &pack{workspace: ws}
			packs[ws], order = b, append(order, ws)
		}
		if !b.add(in[i].ID, o) {
			*o = fact.Outcome{State: fact.Quarantined, Why: fact.WhyTooLarge, Contact: o.Contact}
		}
	}
	out := make([]journal.Message, 0, len(order)+len(in))
	for _, ws := range order {
		sealed, err := p.sealPack(packs[ws])
		if err == nil {
			out = append(out, sealed...)
			continue
		}
		if p.stops(context.Background(), err) {
			return nil, safe.Wrap("seal facts", err)
		}
		for i := range outcomes { // this workspace's alone
			if o := &outcomes[i]; in[i].Workspace == ws && len(o.Facts) > 0 {
				p.setAside(in[i], err)
				*o = fact.Outcome{State: fact.Quarantined, Why: reason(err), Contact: o.Contact}
			}
		}
	}
	return out, nil
}

// pack holds facts and names of deliveries of one workspace, cut to the size of messages. A delivery's names come
// before its facts.
type pack struct {
	workspace workspace.ID
	batches   []fact.Batch
	size      int    // of the last batch, encoded
	ids       []byte // of the deliveries
	scratch   []byte
}

// add takes all facts and names of a delivery or, when one of them is larger than a message, none.
func (b *pack) add(id journal.ID, o *fact.Outcome) bool {
	pieces := make([]fact.Batch, 0, len(o.Labels)+len(o.Facts))
	for i := range o.Labels {
		pieces = append(pieces, fact.Batch{Workspace: b.workspace, Labels: o.Labels[i : i+1]})
	}
	for i := range o.Facts {
		pieces = append(pieces, fact.Batch{Workspace: b.workspace, Facts: o.Facts[i : i+1]})
	}
	sizes := make([]int, len(pieces))
	for i, piece := range pieces {
		b.scratch = fact.Encode(b.scratch[:0], piece)
		if sizes[i] = len(b.scratch); sizes[i] > maxFacts {
			return false
		}
	}
	for i, piece := range pieces {
		if len(b.batches) == 0 || b.size+sizes[i] > maxFacts {
			b.batches, b.size = append(b.batches, fact.Batch{Workspace: b.workspace}), 0
		}
		last := &b.batches[len(b.batches)-1]
		last.Labels, last.Facts = append(last.Labels, piece.Labels...), append(last.Facts, piece.Facts...)
		b.size += sizes[i]
	}
	b.ids = append(b.ids, id[:]...)
	return true
}

func (p *Pipeline) sealPack(b *pack) (out []journal.Message, err error) {
	for n, batch := range b.batches {
		sum := sha256.Sum256(binary.BigEndian.AppendUint32(b.ids, uint32(n)))
		m := journal.Message{Topic: journal.Facts, ID: journal.ID(sum[:16]), Workspace: b.workspace}
		if m.Epoch, m.Payload, err = p.Seal.Seal(b.workspace, keyring.TopicFacts, m.ID, factsVersion, fact.Encode(nil, batch)); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}
