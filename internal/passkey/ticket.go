package passkey

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"murmur/internal/workspace"
)

// tickets are questions that wait for their answer. Anybody may ask, so the server keeps none of them: the browser brings back
// its question in a ticket that this process has signed. Only those that an owner has answered are remembered, so that each is
// answered once. A ticket does not outlive the process.
type tickets struct {
	key [32]byte
	now func() time.Time

	mu    sync.Mutex
	spent map[workspace.ID]map[string]time.Time // by challenge, until when it would be taken
}

// question is what a ticket says.
type question struct {
	Adds    string               `json:"adds,omitempty"` // the workspace that a device is added to; empty: whoever answers comes in
	Session webauthn.SessionData `json:"session"`
	Ends    time.Time            `json:"ends"`
}

const (
	patience = 5 * time.Minute
	maxSpent = 256 // answers of the owners of one workspace in patience; more are refused, to them alone
)

func newTickets(now func() time.Time) *tickets {
	t := &tickets{now: now, spent: map[workspace.ID]map[string]time.Time{}}
	_, _ = rand.Read(t.key[:]) // it never fails
	return t
}

// write gives the ticket of a question, which ends after patience.
func (t *tickets) write(q question) (string, error) {
	q.Ends = t.now().Add(patience)
	b, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b) + "." + base64.RawURLEncoding.EncodeToString(t.sign(b)), nil
}

// read gives the question of a ticket that was written here and has not ended.
func (t *tickets) read(ticket string) (q question, ok bool) {
	said, signed, _ := strings.Cut(ticket, ".")
	b, err := base64.RawURLEncoding.DecodeString(said)
	if err != nil {
		return q, false
	}
	mac, err := base64.RawURLEncoding.DecodeString(signed)
	if err != nil || !hmac.Equal(mac, t.sign(b)) || json.Unmarshal(b, &q) != nil {
		return question{}, false
	}
	return q, !t.now().After(q.Ends)
}

func (t *tickets) sign(b []byte) []byte {
	m := hmac.New(sha256.New, t.key[:])
	m.Write(b)
	return m.Sum(nil)
}

// spend reports whether a question, which an owner of ws has answered rightly, was not answered before.
func (t *tickets) spend(ws workspace.ID, q question) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for w, of := range t.spent {
		for challenge, ends := range of {
			if now.After(ends) {
				delete(of, challenge)
			}
		}
		if len(of) == 0 {
			delete(t.spent, w)
		}
	}
	if _, before := t.spent[ws][q.Session.Challenge]; before || len(t.spent[ws]) >= maxSpent {
		return false
	}
	if t.spent[ws] == nil {
		t.spent[ws] = map[string]time.Time{}
	}
	t.spent[ws][q.Session.Challenge] = q.Ends
	return true
}
