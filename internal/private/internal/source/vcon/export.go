package vcon

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"murmur/internal/fact"
)

// Redacted is a call as it may be given away: masked words and the ground on which they were read. There is no field for
// a name, an address or a sound.
type Redacted struct {
	Call      [16]byte // keyed id of the call: stands for the vCon that is not redacted, which only this directory could make
	At        time.Time
	Made      time.Time // of this vCon
	Direction fact.Direction
	Seconds   int64 // of talk; fact.Absent: not known
	Words     []Words
	Ground    Ground
	Redactor  string // version, "2"
}

// Words are one masked transcript or summary.
type Words struct {
	Summary bool
	Turns   []Turn
}

// Turn is one utterance, masked.
type Turn struct {
	Speaker string `json:"speaker"` // Customer, Agent, System; empty: not known
	Text    string `json:"text"`
}

// Ground is why the words may be read.
type Ground struct {
	Asked   bool      // the person was asked and agreed; else a notice is played and they did not refuse
	At      time.Time // when
	Receipt string    // of the ledger's last entry about the call; empty: it has none
}

type (
	object = map[string]any
	list   = []any
)

// JSON is the vCon: syntax 0.4.0, with a redacted reference, one dialog without a body, the masked words as analyses
// and a lawful_basis attachment. The same call exported at the same moment is the same vCon.
func (r Redacted) JSON() ([]byte, error) {
	dialog := object{"type": "recording", "start": stamp(r.At), "parties": list{0, 1}}
	if r.Seconds >= 0 {
		dialog["duration"] = r.Seconds
	}
	switch r.Direction {
	case fact.In:
		dialog["originator"] = 0
	case fact.Out:
		dialog["originator"] = 1
	}
	analyses := list{}
	for _, w := range r.Words {
		kind := "transcript-redacted"
		if w.Summary {
			kind = "summary"
		}
		analyses = append(analyses, object{
			"type": kind, "dialog": 0, "vendor": "murmur", "product": "murmur redactor " + r.Redactor, "mediatype": "application/json",
			"encoding": "json", "body": w.Turns,
		})
	}
	doc := object{
		"vcon": "0.4.0", "created_at": stamp(r.Made), "extensions": list{"CC", "lawful_basis"},
		"redacted": object{"uuid": uuid(r.Call[:]), "type": "personal data masked"},
		"parties":  list{object{"role": "customer"}, object{"role": "agent"}},
		"dialog":   list{dialog}, "analysis": analyses, "attachments": list{r.Ground.attachment(r.At)},
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("write vcon: %w", err)
	}
	sum := sha256.Sum256(body)
	doc["uuid"] = uuid(sum[:16])
	return json.MarshalIndent(doc, "", "  ")
}

func (g Ground) attachment(at time.Time) object {
	basis, why := "legitimate_interests", "The business states that a notice is played on every call; the person did not refuse."
	if g.Asked {
		basis, why = "consent", "The person was asked and agreed."
	}
	var grants list
	for _, purpose := range []string{"transcription", "analysis"} {
		grants = append(grants, object{"purpose": purpose, "granted": true, "granted_at": stamp(g.At)})
	}
	body := object{"lawful_basis": basis, "justification": why, "expiration": nil, "purpose_grants": grants}
	if g.Receipt != "" {
		body["proof_mechanisms"] = list{object{"proof_type": "external_system", "timestamp": stamp(g.At), "proof_data": object{"system": "murmur ledger", "entry": g.Receipt}}}
	}
	return object{"type": "lawful_basis", "start": stamp(at), "party": 0, "dialog": 0, "mediatype": "application/json", "encoding": "json", "body": body}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// uuid makes a UUID of version 8 (RFC 9562 5.8) of 16 bytes that say nothing.
func uuid(b []byte) string {
	var u [16]byte
	copy(u[:], b)
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
