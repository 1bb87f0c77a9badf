package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"murmur/internal/fact"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Register remembers, durably and before anything acts on it, what people said: opt-outs and opt-ins by call
// and by contact, and erasures. Every entry is in the ledger, in the same transaction. It is asked at every
// open, so consent never depends on the order in which deliveries arrive.
type Register struct {
	db     *meta.DB
	ledger *ledger.Ledger
	now    func() time.Time

	mu     sync.RWMutex
	loaded map[workspace.ID]*said
}

// said is the register of one workspace in memory: every delivery asks it.
type said struct {
	changes    uint64
	calls      map[fact.ID]act
	contacts   map[pseudonym]act
	unrecorded map[pseudonym]bool // want to be in no recording
	erased     map[pseudonym]time.Time
}

type (
	pseudonym [anon.ContactLen]byte // of a contact
	act       struct{ in, out bool }
)

// and adds an opt-out or an opt-in: neither undoes the other, and Decide lets the refusal win.
func (a act) and(out bool) act { return act{in: a.in || !out, out: a.out || out} }

// NewRegister opens the register; now is the clock of what it records.
func NewRegister(db *meta.DB, l *ledger.Ledger, now func() time.Time) *Register {
	return &Register{db: db, ledger: l, now: now, loaded: map[workspace.ID]*said{}}
}

// Subject is who or what an opt-out is about: a call, or a contact everywhere.
type Subject struct {
	Call    fact.ID
	Contact anon.Contact
	Calls   bool // of Contact, what is said in calls alone: not texts, not answers. For opt-outs
}

func (s Subject) row() (kind string, ref []byte) {
	if s.Call != (fact.ID{}) {
		return "call", s.Call[:]
	}
	c := s.Contact.Bytes()
	if s.Calls {
		return "contact-calls", c[:]
	}
	return "contact", c[:]
}

// Say records an opt-out or an opt-in. It is idempotent: fresh is false when it was known. An opt-in never
// undoes an opt-out.
func (r *Register) Say(ctx context.Context, ws workspace.ID, s Subject, a fact.Act, via fact.Via) (fresh bool, err error) {
	out := a == fact.OptedOut || a == fact.Withdrawn
	if !out && a != fact.OptedIn {
		return false, nil // a notice changes no verdict
	}
	known, err := r.of(ctx, ws)
	if err != nil {
		return false, err
	}
	if r.has(known, s, out) {
		return false, nil
	}
	kind, ref := s.row()
	if !out {
		kind += "-in"
	}
	err = r.db.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO optouts(workspace, kind, ref, at, via) VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING`,
			ws.String(), kind, ref, r.now().UnixMicro(), int64(via))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		fresh = true
		_, err = r.ledger.Append(ctx, tx, ledger.Consent{Workspace: ws.String(), Subject: kind, Ref: ref, Act: actName(out), Via: ViaName(via)})
		return err
	})
	if err != nil {
		return false, fmt.Errorf("record consent: %w", err)
	}
	r.mu.Lock()
	known.say(s, out)
	known.changes++
	r.mu.Unlock()
	return fresh, nil
}

// Known is what the register knows about one call and contact.
func (r *Register) Known(ctx context.Context, ws workspace.ID, call fact.ID, c anon.Contact) (Known, error) {
	s, err := r.of(ctx, ws)
	if err != nil {
		return Known{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	about, from := s.calls[call], s.contacts[c.Bytes()]
	return Known{
		CallOptedOut: about.out, CallOptedIn: about.in, CallsOptedOut: s.unrecorded[c.Bytes()], ContactOptedOut: from.out, ContactOptedIn: from.in,
	}, nil
}

// Changes counts what was said and erased in a workspace since the register was opened: who saw the same number before
// and after a decision knows that it still holds.
func (r *Register) Changes(ctx context.Context, ws workspace.ID) (uint64, error) {
	s, err := r.of(ctx, ws)
	if err != nil {
		return 0, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return s.changes, nil
}

// Erase records that everything about a contact up to now must go, and gives the receipt. It is idempotent and
// does the same work for a contact nobody knows.
func (r *Register) Erase(ctx context.Context, ws workspace.ID, c anon.Contact) (receipt string, err error) {
	s, err := r.of(ctx, ws)
	if err != nil {
		return "", err
	}
	b, at := c.Bytes(), r.now()
	err = r.db.Tx(ctx, func(tx *sql.Tx) error {
		rec, err := r.ledger.Append(ctx, tx, ledger.Erasure{Workspace: ws.String(), Ref: b[:]})
		if err != nil {
			return err
		}
		receipt = rec.String()
		_, err = tx.ExecContext(ctx, `INSERT INTO erasures(workspace, contact, at, receipt) VALUES(?,?,?,?)
			ON CONFLICT(workspace, contact) DO UPDATE SET at = excluded.at, receipt = excluded.receipt`, ws.String(), b[:], at.UnixMicro(), receipt)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("record erasure: %w", err)
	}
	r.mu.Lock()
	s.erased[c.Bytes()] = at
	s.changes++
	r.mu.Unlock()
	return receipt, nil
}

// Erased gives the moment up to which everything about a contact was erased; zero when nothing was.
func (r *Register) Erased(ctx context.Context, ws workspace.ID, c anon.Contact) (time.Time, error) {
	s, err := r.of(ctx, ws)
	if err != nil {
		return time.Time{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return s.erased[c.Bytes()], nil
}

// Refused lists the calls and contacts that opted out of everything before a moment.
func (r *Register) Refused(ctx context.Context, ws workspace.ID, before time.Time) (calls []fact.ID, contacts [][anon.ContactLen]byte, err error) {
	rows, err := r.db.QueryContext(ctx, `SELECT kind, ref FROM optouts WHERE workspace = ? AND at < ? AND kind IN ('call', 'contact')`,
		ws.String(), before.UnixMicro())
	if err != nil {
		return nil, nil, fmt.Errorf("read consent register: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind string
		var ref []byte
		if err := rows.Scan(&kind, &ref); err != nil {
			return nil, nil, err
		}
		switch {
		case len(ref) != 16:
			return nil, nil, fmt.Errorf("a reference of %d bytes", len(ref))
		case kind == "call":
			calls = append(calls, fact.ID(ref))
		default:
			contacts = append(contacts, pseudonym(ref))
		}
	}
	return calls, contacts, rows.Err()
}

// AllErased lists the pseudonyms of everyone who was erased.
func (r *Register) AllErased(ctx context.Context, ws workspace.ID) ([][anon.ContactLen]byte, error) {
	s, err := r.of(ctx, ws)
	if err != nil {
		return nil, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([][anon.ContactLen]byte, 0, len(s.erased))
	for who := range s.erased {
		out = append(out, who)
	}
	return out, nil
}

func (r *Register) has(s *said, about Subject, out bool) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	a := s.contacts[about.Contact.Bytes()]
	switch {
	case about.Call != (fact.ID{}):
		a = s.calls[about.Call]
	case about.Calls:
		a = act{out: s.unrecorded[about.Contact.Bytes()]}
	}
	return out && a.out || !out && a.in
}

func (s *said) say(about Subject, out bool) {
	if about.Call != (fact.ID{}) {
		s.calls[about.Call] = s.calls[about.Call].and(out)
		return
	}
	who := pseudonym(about.Contact.Bytes())
	if about.Calls {
		s.unrecorded[who] = true
		return
	}
	s.contacts[who] = s.contacts[who].and(out)
}

// of loads a workspace's register once.
func (r *Register) of(ctx context.Context, ws workspace.ID) (*said, error) {
	r.mu.RLock()
	s := r.loaded[ws]
	r.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.loaded[ws]; s != nil {
		return s, nil
	}
	s, err := r.load(ctx, ws)
	if err != nil {
		return nil, fmt.Errorf("read consent register: %w", err)
	}
	r.loaded[ws] = s
	return s, nil
}

func (r *Register) load(ctx context.Context, ws workspace.ID) (*said, error) {
	s := &said{calls: map[fact.ID]act{}, contacts: map[pseudonym]act{}, unrecorded: map[pseudonym]bool{}, erased: map[pseudonym]time.Time{}}
	rows, err := r.db.QueryContext(ctx, `SELECT kind, ref FROM optouts WHERE workspace = ?`, ws.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var kind string
		var ref []byte
		if err := rows.Scan(&kind, &ref); err != nil {
			return nil, err
		}
		if len(ref) != 16 {
			return nil, fmt.Errorf("a reference of %d bytes", len(ref))
		}
		switch kind {
		case "call", "call-in":
			s.calls[fact.ID(ref)] = s.calls[fact.ID(ref)].and(kind == "call")
		case "contact", "contact-in":
			s.contacts[pseudonym(ref)] = s.contacts[pseudonym(ref)].and(kind == "contact")
		case "contact-calls":
			s.unrecorded[pseudonym(ref)] = true
		default:
			return nil, errors.New("an entry of an unknown kind")
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	gone, err := r.db.QueryContext(ctx, `SELECT contact, at FROM erasures WHERE workspace = ?`, ws.String())
	if err != nil {
		return nil, err
	}
	defer gone.Close()
	for gone.Next() {
		var ref []byte
		var at int64
		if err := gone.Scan(&ref, &at); err != nil {
			return nil, err
		}
		if len(ref) != 16 {
			return nil, fmt.Errorf("a reference of %d bytes", len(ref))
		}
		s.erased[pseudonym(ref)] = time.UnixMicro(at)
	}
	return s, gone.Err()
}

func actName(out bool) string {
	if out {
		return "opted-out"
	}
	return "opted-in"
}

// ViaName is how the ledger spells a way.
func ViaName(v fact.Via) string {
	names := [...]string{"unknown", "dtmf", "speech", "menu", "agent", "sms", "web", "import", "recordpref", "api", "policy"}
	if v < 0 || int(v) >= len(names) {
		return names[0]
	}
	return names[v]
}
