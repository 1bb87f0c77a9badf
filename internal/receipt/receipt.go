// Package receipt is the evidence of one call as one signed file: which notice was played, what people said about consent,
// what was decided, and the proof that the ledger has it. docs/format/receipt.md
//
// Zone: below both doors. A receipt holds no phone number, no word and nothing of another call. The private zone makes and
// checks it (private.Zone.Receipt, private.CheckReceipt); the pages and the API show it.
//
// It does not protect against somebody with the root key, who can sign anything.
package receipt

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"murmur/internal/ledger"
)

// Format is the first field of a receipt.
const Format = "murmur-receipt-2"

// Call is the evidence of one call: one statement, signed as a whole. It holds no phone number, no word and no other call.
type Call struct {
	Format     string         `json:"format"`
	Call       string         `json:"call"`    // the platform's id
	ID         string         `json:"id"`      // keyed id of the call: what the entries' references are made of
	Verdict    string         `json:"verdict"` // for the content of the call at MadeAt: allow, refuse, unknown
	MadeAt     time.Time      `json:"made_at"`
	Takes      []Take         `json:"takes"`   // live recordings of the call, or their refusals
	Entries    []Entry        `json:"entries"` // everything the ledger has about the call
	Head       string         `json:"ledger_head"`
	Proofs     []ledger.Proof `json:"proofs"`     // that the tree of Checkpoint has each of Entries
	Checkpoint string         `json:"checkpoint"` // a signed note
	Key        string         `json:"key"`        // the verifier key of the ledger that signed
	Signature  []byte         `json:"signature,omitempty"`
}

// Statement is what Signature signs: the receipt without it, in the canonical form of RFC 8785.
func (c Call) Statement() ([]byte, error) {
	c.Signature = nil
	b, err := json.Marshal(c)
	v := jsontext.Value(b)
	if err == nil {
		err = v.Canonicalize()
	}
	if err != nil {
		return nil, fmt.Errorf("write the statement of a receipt: %w", err)
	}
	return v, nil
}

// Take is one recording of a call, or why there is none.
type Take struct {
	Recording    string `json:"recording"`
	State        string `json:"state"` // docs/consent.md
	Basis        string `json:"basis"` // notice, opt-in, one-party, stated (the platform plays the notice), deny
	Rule         int64  `json:"rule"`
	Notice       Notice `json:"notice"`
	Via          string `json:"via,omitempty"` // of the person's last word
	Key          string `json:"key,omitempty"` // with which it was said
	Kept         bool   `json:"kept"`          // audio was kept here
	KeyDestroyed bool   `json:"key_destroyed"` // no key of it is left, or there never was one
	Trace        []Move `json:"trace"`
}

// Notice is what was played before.
type Notice struct {
	ID       string    `json:"id,omitempty"`
	Language string    `json:"language,omitempty"`
	SHA256   string    `json:"sha256,omitempty"` // of its audio
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"`
	Whole    bool      `json:"whole"` // it was sent to its end
}

// Move is one event of a call and the state after it.
type Move struct {
	At time.Time `json:"at"`
	On string    `json:"on"`
	To string    `json:"to"`
}

// Entry is one entry of the ledger.
type Entry struct {
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"`
	What string    `json:"what"` // opted-out, opted-in, withdrawn, noticed; of a recording: its state
	Via  string    `json:"via,omitempty"`
}
