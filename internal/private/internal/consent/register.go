package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"murmur/internal/fact"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// Register stores what people said, durably and before any other code acts on it: opt-outs and opt-ins by
// call and by contact, and erasures. Every entry is in the ledger, in the same transaction. Code asks it
// each time before it opens content, so that consent never depends on the order in which deliveries arrive.
type Register struct {
	db     *meta.DB
	ledger *ledger.Ledger
	slow   Slow
	now    func() time.Time

	mu     sync.RWMutex
	loaded map[workspace.ID]*said
}

// said is the register of one workspace in memory: every delivery asks it.
type said struct {
	changes    uint64
	calls      map[fact.ID]Statement
	contacts   map[name]Statement
	unrecorded map[name]bool // must not be in any recording
	erased     map[name]time.Time

	lasting  map[name]lasting   // by the slow sum of a pseudonym (register_last.go)
	asked    map[pseudonym]bool // whose lasting statements, if any, are in contacts and unrecorded already
	recalled map[pseudonym]bool // who has any
	oldest   int64              // when the first lasting statement was made, in microseconds
}

type pseudonym [anon.ContactLen]byte // of a contact

// name is a pseudonym by which something was said or, with linked, by another address of the same person (register_link.go).
type name struct {
	pseudonym
	linked bool
}

// names are those under which something may be known of a person who is known by pseudonyms of their own.
func names(who []anon.Contact) (all []name) {
	for _, c := range who {
		if c.Person() {
			all = append(all, name{c.Bytes(), false}, name{c.Bytes(), true})
		}
	}
	return all
}

// NewRegister opens the register; now is the clock of what it records.
func NewRegister(db *meta.DB, l *ledger.Ledger, slow Slow, now func() time.Time) *Register {
	return &Register{db: db, ledger: l, slow: slow, now: now, loaded: map[workspace.ID]*said{}}
}

// Subject is who or what an opt-out is about: a call, or a contact everywhere.
type Subject struct {
	Call    fact.ID
	Contact anon.Contact
	Calls   bool // of Contact, what is said in calls alone: not texts, not answers. For opt-outs
	Linked  bool // of Contact, what was said by another address of the same person. For opt-outs

	stored pseudonym // instead of Contact, where only its bytes are known
}

func (s Subject) name() name {
	if s.stored != (pseudonym{}) {
		return name{s.stored, s.Linked}
	}
	return name{s.Contact.Bytes(), s.Linked}
}

func (s Subject) row() (kind string, ref []byte) {
	if s.Call != (fact.ID{}) {
		return "call", s.Call[:]
	}
	c := s.name().pseudonym
	kind = "contact"
	if s.Linked {
		kind = "linked"
	}
	if s.Calls {
		kind += "-calls"
	}
	return kind, c[:]
}

// Say records an opt-out from, or an opt-in to, some purposes. It is idempotent: fresh is false when all of it was known.
// An opt-in never undoes an opt-out. An opt-out by one address of a person holds for those that it is linked with.
func (r *Register) Say(ctx context.Context, ws workspace.ID, s Subject, a fact.Act, of Purposes, via fact.Via) (fresh bool, err error) {
	if fresh, err = r.record(ctx, ws, s, a, of, via); err != nil || s.Linked || s.Call != (fact.ID{}) || a == fact.OptedIn {
		return fresh, err
	}
	linked, err := r.Linked(ctx, ws, s.Contact)
	for _, c := range linked {
		err = errors.Join(err, r.lead(ctx, ws, c, s.Contact.Bytes()))
	}
	return fresh, err
}

func (r *Register) record(ctx context.Context, ws workspace.ID, s Subject, a fact.Act, of Purposes, via fact.Via) (fresh bool, err error) {
	out := a == fact.OptedOut || a == fact.Withdrawn
	if !out && a != fact.OptedIn {
		return false, nil // a notice changes no verdict
	}
	known, err := r.of(ctx, ws)
	if err != nil {
		return false, err
	}
	kind, ref := s.row()
	about := ref // in the ledger, which is kept for good
	if ofContact(kind) {
		if err := r.recall(ws, known, pseudonym(ref)); err != nil {
			return false, err
		}
	}
	if r.has(known, s, out, of) {
		return false, nil
	}
	if ofContact(kind) {
		if about, err = r.slowly(ws, ref); err != nil {
			return false, err
		}
	}
	if !out {
		kind += "-in"
	}
	err = r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, stored := range kindsOf(kind, out, of) {
			n, err := r.insert(ctx, tx, ws, stored, ref, via)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			fresh = true
			entry := ledger.Consent{Workspace: ws.String(), Subject: kind, Ref: about, Act: actName(out), Via: ViaName(via)}
			if _, purpose, ok := strings.Cut(stored, ":"); ok {
				entry.Act += ":" + purpose
			}
			if _, err := r.ledger.Append(ctx, tx, entry); err != nil {
				return err
			}
		}
		if fresh && out && of&Heard != 0 {
			return orderShred(ctx, tx, ws, r.now())
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("record consent: %w", err)
	}
	r.mu.Lock()
	known.say(strings.TrimSuffix(kind, "-in"), ref, out, of)
	known.changes++
	r.mu.Unlock()
	return fresh, nil
}

// kindsOf gives the kinds of rows that keep a statement: one for a refusal of everything, else one for each purpose.
func kindsOf(kind string, out bool, of Purposes) (all []string) {
	if out && of == Everything || strings.HasSuffix(kind, "-calls") {
		return []string{kind}
	}
	for p := range of.each() {
		all = append(all, kind+":"+PurposeName(p))
	}
	return all
}

func (r *Register) insert(ctx context.Context, tx *sql.Tx, ws workspace.ID, kind string, ref []byte, via fact.Via) (int64, error) {
	res, err := tx.ExecContext(ctx, `INSERT INTO optouts(workspace, kind, ref, at, via) VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING`,
		ws.String(), kind, ref, r.now().UnixMicro(), int64(via))
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Known is what the register knows about one call and one person, by the pseudonym that they have and those that they had.
func (r *Register) Known(ctx context.Context, ws workspace.ID, call fact.ID, who ...anon.Contact) (Known, error) {
	s, err := r.of(ctx, ws)
	if err != nil {
		return Known{}, err
	}
	if len(who) > 0 && who[0].Person() {
		if err := r.recall(ws, s, who[0].Bytes()); err != nil {
			return Known{}, err
		}
		if err := r.recallFormer(ctx, ws, s, who[1:]...); err != nil {
			return Known{}, err
		}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	k := Known{Call: s.calls[call]}
	for _, n := range names(who) {
		k.Contact, k.CallsOut = k.Contact.and(s.contacts[n]), k.CallsOut || s.unrecorded[n]
	}
	return k, nil
}

// Changes counts statements and erasures in a workspace since the register was opened: a caller that sees the same
// number before and after a decision knows that the decision still holds.
func (r *Register) Changes(ctx context.Context, ws workspace.ID) (uint64, error) {
	s, err := r.of(ctx, ws)
	if err != nil {
		return 0, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return s.changes, nil
}

// Carry takes what was said and erased under former pseudonyms of a person to the one of today, in case the next delivery
// spells the address in a way that leads to this one alone.
func (r *Register) Carry(ctx context.Context, ws workspace.ID, to anon.Contact, former []anon.Contact) error {
	s, err := r.of(ctx, ws)
	if err != nil {
		return err
	}
	if err := r.recallFormer(ctx, ws, s, former...); err != nil {
		return err
	}
	for _, c := range former {
		r.mu.RLock()
		from := name{c.Bytes(), false}
		said, unrecorded, gone := s.contacts[from], s.unrecorded[from], s.erased[from]
		r.mu.RUnlock()
		for a, of := range map[fact.Act]Purposes{fact.OptedOut: said.Out, fact.OptedIn: said.In} {
			if of == 0 {
				continue
			}
			if _, err := r.Say(ctx, ws, Subject{Contact: to}, a, of, fact.ViaPolicy); err != nil {
				return err
			}
		}
		if unrecorded {
			if _, err := r.Say(ctx, ws, Subject{Contact: to, Calls: true}, fact.OptedOut, Everything, fact.ViaPolicy); err != nil {
				return err
			}
		}
		if err := r.carryErasure(ctx, ws, s, Subject{Contact: to}, c.Bytes(), gone); err != nil {
			return err
		}
	}
	return nil
}

// Join remembers who takes part in a call beside the contact that its rows belong to, so that a refusal or an erasure of
// theirs finds it. Leave forgets it.
func (r *Register) Join(ctx context.Context, ws workspace.ID, call fact.ID, at time.Time, who []anon.Contact) error {
	if len(who) == 0 {
		return nil
	}
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, c := range who {
			b := c.Bytes()
			_, err := tx.ExecContext(ctx, `INSERT INTO parties(workspace, contact, call, at) VALUES(?,?,?,?) ON CONFLICT DO NOTHING`, ws.String(), b[:], call[:], at.UnixMicro())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remember who took part: %w", err)
	}
	return nil
}

// Joined lists the calls that somebody took part in beside the contact they belong to.
func (r *Register) Joined(ctx context.Context, ws workspace.ID, who ...anon.Contact) (calls []fact.ID, err error) {
	for _, c := range who {
		b := c.Bytes()
		rows, err := r.db.QueryContext(ctx, `SELECT call FROM parties WHERE workspace = ? AND contact = ?`, ws.String(), b[:])
		if err != nil {
			return nil, fmt.Errorf("read who took part: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var call []byte
			if err := rows.Scan(&call); err != nil {
				return nil, fmt.Errorf("read who took part: %w", err)
			}
			if len(call) != len(fact.ID{}) {
				return nil, errDamaged
			}
			calls = append(calls, fact.ID(call))
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read who took part: %w", err)
		}
	}
	return calls, nil
}

// Leave forgets who took part in calls before a moment, and which addresses are one person's.
func (r *Register) Leave(ctx context.Context, ws workspace.ID, before time.Time) error {
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM parties WHERE workspace = ? AND at < ?`, ws.String(), before.UnixMicro())
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM addresses WHERE workspace = ? AND day < ? AND seen < ?`, ws.String(), dayOf(before), r.now().Add(-telling).UnixMicro())
		}
		if err != nil {
			return err
		}
		return unspoken(ctx, tx, ws, before)
	})
	if err != nil {
		return fmt.Errorf("forget who took part: %w", err)
	}
	return nil
}

// Refused lists the calls and contacts whose words may not be stored anywhere since a moment: those that refused a purpose that
// a transcript needs. Of contacts who refused before rows of today may be linked, only those whom this process was asked about
// are known (RefusedAmong asks about the others).
func (r *Register) Refused(ctx context.Context, ws workspace.ID, before time.Time) (calls []fact.ID, contacts [][anon.ContactLen]byte, err error) {
	rows, err := r.db.QueryContext(ctx, `SELECT kind, ref FROM optouts WHERE workspace = ? AND at < ?`,
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
		subject, out, of, ok := readKind(kind)
		switch {
		case len(ref) != 16 || !ok:
			return nil, nil, errDamaged
		case !out || of&Heard == 0:
		case subject == "call" && !slices.Contains(calls, fact.ID(ref)):
			calls = append(calls, fact.ID(ref))
		case (subject == "contact" || subject == "linked") && !slices.Contains(contacts, [anon.ContactLen]byte(ref)):
			contacts = append(contacts, pseudonym(ref))
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	s, err := r.of(ctx, ws)
	if err != nil {
		return nil, nil, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for c := range s.recalled {
		if out := s.contacts[name{c, false}].Out | s.contacts[name{c, true}].Out; out&Heard != 0 && !slices.Contains(contacts, [anon.ContactLen]byte(c)) {
			contacts = append(contacts, c)
		}
	}
	return calls, contacts, nil
}

func (r *Register) has(s *said, about Subject, out bool, of Purposes) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	a := s.contacts[about.name()]
	switch {
	case about.Call != (fact.ID{}):
		a = s.calls[about.Call]
	case about.Calls:
		return s.unrecorded[about.name()]
	}
	return out && of&^a.Out == 0 || !out && of&^a.In == 0
}

// say adds a statement of a subject, as row gives it.
func (s *said) say(subject string, ref []byte, out bool, of Purposes) {
	a := Statement{In: of}
	if out {
		a = Statement{Out: of}
	}
	switch subject {
	case "call":
		s.calls[fact.ID(ref)] = s.calls[fact.ID(ref)].and(a)
	case "contact", "linked":
		n := name{pseudonym(ref), subject == "linked"}
		s.contacts[n] = s.contacts[n].and(a)
	default:
		s.unrecorded[name{pseudonym(ref), subject == "linked-calls"}] = true
	}
}

// readKind reads the kind of a row: a subject, whether it refused, and what. An agreement from an older directory that did
// not store its purposes is ignored.
func readKind(kind string) (subject string, out bool, of Purposes, ok bool) {
	subject, purpose, single := strings.Cut(kind, ":")
	subject, in := strings.CutSuffix(subject, "-in")
	if !slices.Contains([]string{"call", "contact", "contact-calls", "linked", "linked-calls"}, subject) {
		return "", false, 0, false
	}
	switch {
	case single:
		i := slices.Index(purposeNames[:], purpose)
		return subject, !in, For(fact.Purpose(i)), i > 0
	case in:
		return subject, false, 0, true
	}
	return subject, true, Everything, true
}

var errDamaged = errors.New("a damaged entry")

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
	s := &said{
		calls: map[fact.ID]Statement{}, contacts: map[name]Statement{}, unrecorded: map[name]bool{},
		lasting: map[name]lasting{}, asked: map[pseudonym]bool{}, recalled: map[pseudonym]bool{}, oldest: math.MaxInt64,
	}
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
		subject, out, of, ok := readKind(kind)
		if len(ref) != 16 || !ok {
			return nil, errDamaged
		}
		s.say(subject, ref, out, of)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := r.loadLasting(ctx, ws, s); err != nil {
		return nil, err
	}
	s.erased, err = r.loadErased(ctx, ws)
	return s, err
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
