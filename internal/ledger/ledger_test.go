package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"murmur/internal/meta"
)

var (
	alice = [16]byte{0xa1, 1}
	bob   = [16]byte{0xb0, 2}
	noon  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

// book is a ledger in a directory of its own.
type book struct {
	*Ledger
	db  *meta.DB
	dir string
}

func newBook(t testing.TB) *book {
	t.Helper()
	dir := t.TempDir()
	db, err := meta.Open(context.Background(), filepath.Join(dir, "murmur.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b := &book{db: db, dir: dir}
	b.reopen(t, [32]byte{7})
	return b
}

func (b *book) reopen(t testing.TB, key [32]byte) {
	t.Helper()
	l, err := Open(context.Background(), Config{
		DB: b.db, File: filepath.Join(b.dir, "ledger.checkpoints"), Key: &key,
		Clock: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Ledger = l
}

func (b *book) add(t testing.TB, e Entry) (r Receipt) {
	t.Helper()
	err := b.db.Tx(t.Context(), func(tx *sql.Tx) (err error) {
		r, err = b.Append(t.Context(), tx, e)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (b *book) checkpoint(t testing.TB) Checkpoint {
	t.Helper()
	c, err := b.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fill appends ten entries with a checkpoint after the fourth and the eighth.
func (b *book) fill(t testing.TB) {
	t.Helper()
	for i := range 10 {
		b.add(t, oneOfEach()[i%len(oneOfEach())])
		if i == 3 || i == 7 {
			b.checkpoint(t)
		}
	}
}

func oneOfEach() []Entry {
	return []Entry{
		Consent{Workspace: "shop", Subject: "call", Ref: alice[:], Act: "opted-out", Via: "dtmf"},
		Erasure{Workspace: "shop", Ref: alice[:]},
		Budget{Workspace: "", Release: Digest{1}, Period: "2026-W48", Step: "reserve", NanoRho: 5, FemtoDelta: 1, LeftRho: 100},
		Access{Workspace: "shop", Actor: Digest{2}, Act: "evidence", Ref: bob[:]},
		Policy{Workspace: "shop", Key: "open-hours", From: "", To: "mon-fri 09:00-17:00; sat 10:00-14:00", Reason: "we open on Saturdays, <finally>", Author: "Kim"},
		Key{Workspace: "shop", Act: "epochs-destroyed", Below: 20781, Count: 1},
		Recording{Workspace: "shop", Ref: bob[:], ID: "00112233445566778899aabbccddeeff", State: "shredded", Rule: 1, Basis: "notice", Notice: "usual",
			Language: "en", Audio: Digest{3}, From: 1, To: 2, Via: "dtmf", Key: "9", Trace: []Move{{"opted_out", "opted_out", 3}, {"destroyed", "shredded", 3}}},
	}
}

func (b *book) verify(t testing.TB, kept ...string) []Breach {
	t.Helper()
	found, err := b.Verify(t.Context(), kept...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (b *book) exec(t testing.TB, q string, args ...any) {
	t.Helper()
	err := b.db.Tx(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(q, args...); return err })
	if err != nil {
		t.Fatal(err)
	}
}

func (b *book) rows(t testing.TB) (all []row) {
	t.Helper()
	rows, err := b.db.QueryContext(t.Context(), `SELECT `+columns+` FROM ledger ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := r.scan(rows); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestAnUntouchedLedgerHolds(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	if found := b.verify(t); len(found) != 0 {
		t.Errorf("empty: %v", found)
	}
	b.fill(t)
	if found := b.verify(t); len(found) != 0 {
		t.Errorf("filled: %v", found)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.reopen(t, [32]byte{7})
	b.fill(t)
	if found := b.verify(t); len(found) != 0 {
		t.Errorf("reopened: %v", found)
	}
}

func TestEveryTamperingIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(*testing.T, *book)
		want []Breach
	}{
		"body edited": {func(t *testing.T, b *book) {
			b.exec(t, `UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), 'opted-out', 'opted-in') AS BLOB) WHERE seq = 1`)
		}, []Breach{{Edited, 1}}},
		"time edited": {func(t *testing.T, b *book) { b.exec(t, `UPDATE ledger SET at = at + 1 WHERE seq = 5`) },
			[]Breach{{Edited, 5}}},
		"kind edited": {func(t *testing.T, b *book) { b.exec(t, `UPDATE ledger SET kind = 'access' WHERE seq = 5`) },
			[]Breach{{Edited, 5}}},
		"workspace edited": {func(t *testing.T, b *book) { b.exec(t, `UPDATE ledger SET workspace = 'else' WHERE seq = 5`) },
			[]Breach{{Edited, 5}}},
		"leaf of the tree edited": {func(t *testing.T, b *book) { b.exec(t, `UPDATE ledger_tree SET hash = zeroblob(32) WHERE id = 0`) },
			[]Breach{{Tree, 1}}},
		"inner hash of the tree edited": {func(t *testing.T, b *book) { b.exec(t, `UPDATE ledger_tree SET hash = zeroblob(32) WHERE id = 6`) },
			[]Breach{{Tree, 4}}},
		"hash of the tree deleted": {func(t *testing.T, b *book) { b.exec(t, `DELETE FROM ledger_tree WHERE id = 5`) },
			[]Breach{{Tree, 4}}},
		"first deleted": {func(t *testing.T, b *book) { b.exec(t, `DELETE FROM ledger WHERE seq = 1`) },
			[]Breach{{Deleted, 1}}},
		"two deleted": {func(t *testing.T, b *book) { b.exec(t, `DELETE FROM ledger WHERE seq IN (4, 5)`) },
			[]Breach{{Deleted, 4}, {Deleted, 5}}},
		"neighbours swapped": {func(t *testing.T, b *book) { swap(t, b, 2, 3) },
			[]Breach{{Reordered, 2}, {Reordered, 3}}},
		"far ones swapped": {func(t *testing.T, b *book) { swap(t, b, 2, 9) },
			[]Breach{{Reordered, 2}, {Reordered, 9}}},
		"truncated after the last checkpoint": {func(t *testing.T, b *book) { b.exec(t, `DELETE FROM ledger WHERE seq > 9`) },
			[]Breach{{Truncated, 9}}},
		"truncated with the checkpoints and the head": {func(t *testing.T, b *book) {
			b.exec(t, `DELETE FROM ledger WHERE seq > 5`)
			b.exec(t, `DELETE FROM checkpoints WHERE size > 5`)
			b.exec(t, `DELETE FROM ledger_head`)
		}, []Breach{{Head, 0}, {Truncated, 5}}},
		"everything deleted": {func(t *testing.T, b *book) {
			for _, table := range []string{"ledger", "ledger_tree", "ledger_head", "checkpoints"} {
				b.exec(t, `DELETE FROM `+table)
			}
		}, []Breach{{Truncated, 0}}},
		"head forged": {func(t *testing.T, b *book) { b.exec(t, `UPDATE ledger_head SET size = 9`) },
			[]Breach{{Head, 9}}},
		"rebuilt without the key": {func(t *testing.T, b *book) { rebuild(t, b, 3) },
			[]Breach{{Rebuilt, 3}, {Rebuilt, 4}, {Rebuilt, 5}, {Rebuilt, 6}, {Rebuilt, 7}, {Rebuilt, 8}, {Rebuilt, 9}, {Rebuilt, 10}, {Head, 10}}},
		"checkpoint row forged": {func(t *testing.T, b *book) {
			b.exec(t, `UPDATE checkpoints SET note = replace(note, '2026', '2027') WHERE size = 8`)
		},
			[]Breach{{BadCheckpoint, 8}}},
		"checkpoint file cut": {func(t *testing.T, b *book) {
			editFile(t, b, func(s string) string { notes, _ := splitNotes([]byte(s)); return notes[0] })
		},
			[]Breach{{LostCheckpoint, 8}}},
		"checkpoint file gone": {func(t *testing.T, b *book) {
			if err := os.Remove(b.file); err != nil {
				t.Fatal(err)
			}
		}, []Breach{{LostCheckpoint, 4}, {LostCheckpoint, 8}}},
		"checkpoint line edited": {func(t *testing.T, b *book) {
			editFile(t, b, func(s string) string { return strings.Replace(s, "\n4\n", "\n5\n", 1) })
		}, []Breach{{LostCheckpoint, 4}, {BadNote, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBook(t)
			b.fill(t)
			c.do(t, b)
			found := b.verify(t)
			for _, w := range c.want {
				if !slices.Contains(found, w) {
					t.Errorf("not found: %v", w)
				}
			}
			if len(found) != len(c.want) {
				t.Errorf("found %v, want %v", found, c.want)
			}
		})
	}
}

func swap(t *testing.T, b *book, i, j int64) {
	b.exec(t, `UPDATE ledger SET seq = 1000 WHERE seq = ?`, i)
	b.exec(t, `UPDATE ledger SET seq = ? WHERE seq = ?`, i, j)
	b.exec(t, `UPDATE ledger SET seq = ? WHERE seq = 1000`, j)
}

// rebuild deletes an entry and computes a tree that fits again, as somebody without the key can.
func rebuild(t *testing.T, b *book, without int64) {
	all := b.rows(t)
	all = slices.Delete(all, int(without-1), int(without))
	all = append(all, all[0]) // so that the number of entries is right
	b.exec(t, `DELETE FROM ledger`)
	b.exec(t, `DELETE FROM ledger_tree`)
	err := b.db.Tx(t.Context(), func(tx *sql.Tx) error {
		for i, r := range all {
			r.seq = int64(i + 1)
			if err := errors.Join(insert(t.Context(), tx, &r), b.grow(t.Context(), tx, int64(i), r.leaf())); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(t.Context(), `UPDATE ledger_head SET mac = zeroblob(32)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func editFile(t *testing.T, b *book, f func(string) string) {
	s, err := os.ReadFile(b.file)
	if err == nil {
		err = os.WriteFile(b.file, []byte(f(string(s))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A whole directory set back, or a ledger begun anew with another key, shows against a checkpoint that was
// kept elsewhere.
func TestAKeptCheckpointShowsThatAllWasSetBack(t *testing.T) {
	t.Parallel()
	old := newBook(t)
	old.fill(t)
	kept := old.checkpoint(t).String()
	if found := old.verify(t, kept); len(found) != 0 {
		t.Fatalf("found %v", found)
	}
	shorter := newBook(t) // same key, fewer entries, all consistent
	shorter.add(t, oneOfEach()[5])
	shorter.checkpoint(t)
	if found := shorter.verify(t, kept); !slices.Equal(found, []Breach{{Truncated, 1}}) {
		t.Errorf("set back: found %v", found)
	}
	other := newBook(t)
	other.fill(t)
	if found := other.verify(t, kept); !slices.Equal(found, []Breach{{Rebuilt, 10}}) {
		t.Errorf("written anew with the key: found %v", found)
	}
	stranger := newBook(t)
	stranger.reopen(t, [32]byte{8})
	stranger.fill(t)
	if found := stranger.verify(t, kept); !slices.Equal(found, []Breach{{BadHeld, 1}}) {
		t.Errorf("another key: found %v", found)
	}
}

func TestNothingIsAppendedToABrokenChain(t *testing.T) {
	t.Parallel()
	for _, q := range []string{
		`DELETE FROM ledger WHERE seq = 10`, `UPDATE ledger SET mac = zeroblob(32) WHERE seq = 10`, `UPDATE ledger SET at = at + 1 WHERE seq = 10`,
		`DELETE FROM ledger_head`, `UPDATE ledger_head SET size = 9`, `UPDATE ledger_tree SET hash = zeroblob(32) WHERE id = 14`, `DELETE FROM ledger_tree WHERE id = 14`,
	} {
		b := newBook(t)
		b.fill(t)
		b.exec(t, q)
		err := b.db.Tx(t.Context(), func(tx *sql.Tx) error { _, err := b.Append(t.Context(), tx, oneOfEach()[0]); return err })
		if !errors.Is(err, ErrBroken) {
			t.Errorf("%s: append: %v, want ErrBroken", q, err)
		}
		if _, err := b.Checkpoint(t.Context()); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: checkpoint: %v, want ErrBroken", q, err)
		}
	}
}

func TestStateAndEntryCommitTogether(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	boom := errors.New("boom")
	err := b.db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := b.Append(t.Context(), tx, oneOfEach()[0])
		return errors.Join(err, boom)
	})
	if !errors.Is(err, boom) || len(b.rows(t)) != 0 {
		t.Errorf("an entry without its deed: %v", err)
	}
}

func TestCrashesAroundACheckpointAreMended(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.fill(t)
	// Killed after the file, before the database.
	b.exec(t, `DELETE FROM checkpoints WHERE size = 8`)
	if found := b.verify(t); len(found) != 0 {
		t.Errorf("before mending: %v", found)
	}
	// Killed while writing the next line.
	editFile(t, b, func(s string) string { return s + "murmur-00112233\n10\nabc" })
	b.reopen(t, [32]byte{7})
	if found := b.verify(t); len(found) != 0 {
		t.Errorf("after mending: %v", found)
	}
	var n int
	if err := b.db.QueryRowContext(t.Context(), `SELECT count(*) FROM checkpoints`).Scan(&n); err != nil || n != 2 {
		t.Errorf("%d checkpoints, want 2: %v", n, err)
	}
	if c := b.checkpoint(t); c.Size != 10 || len(b.verify(t)) != 0 {
		t.Errorf("after the next checkpoint: %v", b.verify(t))
	}
	// Each changed byte of the file is still named after mending, the last line's end too.
	good, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(good) - 1; i >= 0; i -= 4 {
		bad := slices.Clone(good)
		bad[i] ^= 1
		if err := os.WriteFile(b.file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		b.reopen(t, [32]byte{7})
		if len(b.verify(t)) == 0 {
			t.Fatalf("byte %d of the checkpoint file changed: not found", i)
		}
	}
}

func TestWritersOfManyProcessesMakeOneChain(t *testing.T) {
	t.Parallel()
	a := newBook(t)
	b := &book{db: a.db, dir: a.dir}
	db, err := meta.Open(t.Context(), filepath.Join(a.dir, "murmur.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b.db = db
	b.reopen(t, [32]byte{7})
	var wg sync.WaitGroup
	for _, l := range []*book{a, b, a, b} {
		wg.Go(func() {
			for i := range 10 {
				l.add(t, oneOfEach()[i%6])
				if i%3 == 0 {
					l.checkpoint(t)
				}
			}
		})
	}
	wg.Wait()
	if found := a.verify(t); len(found) != 0 || len(a.rows(t)) != 40 {
		t.Errorf("%d entries, found %v", len(a.rows(t)), found)
	}
}

func TestReceiptsAreChecked(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	r := b.add(t, oneOfEach()[1]).String()
	for s, want := range map[string]bool{r: true, "2" + r[1:]: false, r + "0": false, "": false, "x": false, strings.ToUpper(r): false} {
		if ok, err := b.Holds(t.Context(), s); err != nil || ok != want {
			t.Errorf("%d bytes: %v, want %v: %v", len(s), ok, want, err)
		}
	}
}

func TestEntriesAreFilteredByWorkspaceKindAndPlace(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	for _, e := range oneOfEach() {
		b.add(t, e)
	}
	b.add(t, Key{Workspace: "else", Act: "created"})
	get := func(ws string, c Filter) (seqs []int64) {
		err := b.Entries(t.Context(), ws, c, func(r Record) error { seqs = append(seqs, r.Seq); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return seqs
	}
	for _, c := range []struct {
		ws   string
		f    Filter
		want []int64
	}{
		{"shop", Filter{}, []int64{1, 2, 4, 5, 6, 7}}, {"shop", Filter{After: 2, Limit: 2}, []int64{4, 5}},
		{"shop", Filter{Kind: "policy"}, []int64{5}}, {"else", Filter{}, []int64{8}}, {"", Filter{}, []int64{3}},
	} {
		if got := get(c.ws, c.f); !slices.Equal(got, c.want) {
			t.Errorf("%q %+v: %v, want %v", c.ws, c.f, got, c.want)
		}
	}
	err := b.Entries(t.Context(), "shop", Filter{Kind: "erasure"}, func(r Record) error {
		e := r.Entry.(Erasure)
		if !e.Ref.Is(alice) || e.Ref.Is(bob) {
			t.Error("the reference does not point at the contact alone")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// No field of any entry takes free text, but a policy's reason and author; and no pseudonym is kept as it is.
func TestAnEntryCarriesNobody(t *testing.T) {
	t.Parallel()
	const canary = "Ann Example +4915550100"
	b := newBook(t)
	for _, e := range []Entry{
		Consent{Workspace: canary, Subject: "call", Ref: alice[:], Act: "opted-out", Via: "dtmf"},
		Consent{Workspace: "shop", Subject: canary, Ref: alice[:], Act: "opted-out", Via: "dtmf"},
		Consent{Workspace: "shop", Subject: "call", Ref: Ref(canary), Act: "opted-out", Via: "dtmf"},
		Consent{Workspace: "shop", Subject: "call", Act: "opted-out", Via: "dtmf"},
		Consent{Workspace: "shop", Subject: "call", Ref: alice[:], Act: canary, Via: "dtmf"},
		Consent{Workspace: "shop", Subject: "call", Ref: alice[:], Act: "opted-out", Via: canary},
		Erasure{Workspace: canary, Ref: alice[:]},
		Erasure{Workspace: "shop", Ref: Ref(canary)},
		Erasure{Workspace: "shop", Ref: alice[:], Step: canary},
		Budget{Workspace: canary, Period: "2026", Step: "commit"},
		Budget{Workspace: "shop", Period: canary, Step: "commit"},
		Budget{Workspace: "shop", Period: "2026", Step: canary},
		Access{Workspace: canary, Act: "export"},
		Access{Workspace: "shop", Act: canary},
		Access{Workspace: "shop", Act: "export", Ref: Ref(canary)},
		Policy{Workspace: canary, Key: "k", Reason: "r"},
		Policy{Workspace: "shop", Key: canary, Reason: "r"},
		Policy{Workspace: "shop", Key: "k", From: canary, Reason: "r"},
		Policy{Workspace: "shop", Key: "k", To: canary, Reason: "r"},
		Policy{Workspace: "shop", Key: "k", To: "ann@example.org", Reason: "r"},
		Policy{Workspace: "shop", Key: "k", Reason: strings.Repeat("r", 501)},
		Policy{Workspace: "shop", Key: "k", Reason: "two\nlines"},
		Policy{Workspace: "shop", Key: "k", Reason: "r", Author: strings.Repeat("r", 101)},
		Key{Workspace: canary, Act: "created"},
		Key{Workspace: "shop", Act: canary},
	} {
		err := b.db.Tx(t.Context(), func(tx *sql.Tx) error { _, err := b.Append(t.Context(), tx, e); return err })
		if !errors.Is(err, ErrEntry) || strings.Contains(err.Error(), "Ann") {
			t.Errorf("%T: %v, want ErrEntry without the value", e, err)
		}
	}
	b.add(t, oneOfEach()[1])
	b.add(t, oneOfEach()[1])
	rows := b.rows(t)
	hexed, _ := Ref(alice[:]).MarshalText()
	if bytes.Contains(rows[0].body, hexed) || bytes.Contains(rows[0].body, alice[:]) {
		t.Error("a pseudonym is in the ledger")
	}
	if bytes.Equal(rows[0].body, rows[1].body) {
		t.Error("two entries about one person can be linked")
	}
}

func TestTheCanonicalFormIsFixed(t *testing.T) {
	t.Parallel()
	want := []string{
		`{"workspace":"shop","subject":"call","ref":"REF","act":"opted-out","via":"dtmf"}`,
		`{"workspace":"shop","ref":"REF","step":""}`,
		`{"workspace":"","release":"01` + strings.Repeat("0", 62) + `","period":"2026-W48","step":"reserve","nano_rho":5,"femto_delta":1,"left_nano_rho":100}`,
		`{"workspace":"shop","actor":"02` + strings.Repeat("0", 62) + `","act":"evidence","ref":"REF"}`,
		`{"workspace":"shop","key":"open-hours","from":"","to":"mon-fri 09:00-17:00; sat 10:00-14:00","reason":"we open on Saturdays, <finally>","author":"Kim"}`,
		`{"workspace":"shop","act":"epochs-destroyed","below":20781,"count":1}`,
		`{"workspace":"shop","ref":"REF","id":"00112233445566778899aabbccddeeff","state":"shredded","kept":false,"rule":1,"basis":"notice","notice":"usual",` +
			`"language":"en","audio":"03` + strings.Repeat("0", 62) + `","from":1,"to":2,"via":"dtmf","key":"9",` +
			`"trace":[{"on":"opted_out","to":"opted_out","at":3},{"on":"destroyed","to":"shredded","at":3}]}`,
	}
	for i, e := range oneOfEach() {
		e, err := e.salted(bytes.NewReader(make([]byte, saltLen)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := encode(e)
		for _, id := range [][16]byte{alice, bob} {
			ref, _ := saltRef(make([]byte, saltLen), id[:]).MarshalText()
			b = bytes.Replace(b, ref, []byte("REF"), 1)
		}
		if err != nil || string(b) != want[i] {
			t.Errorf("%s\nwant %s", b, want[i])
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, e := range oneOfEach() {
		e, err := e.salted(bytes.NewReader(make([]byte, saltLen)))
		if err != nil {
			f.Fatal(err)
		}
		b, err := encode(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.kind(), b)
	}
	f.Add("policy", []byte(`{"workspace":"a","workspace":"b"}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		e, err := decode(kind, body)
		if err != nil {
			return
		}
		if b, err := encode(e); err != nil || !bytes.Equal(b, body) || e.kind() != kind {
			t.Error("an entry has two forms")
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	b := newBook(f)
	b.add(f, oneOfEach()[5])
	line := b.checkpoint(f).String()
	f.Add(line)
	f.Add(strings.Replace(line, "\n1\n", "\n01\n", 1))
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := ParseCheckpoint(s, b.key); err == nil && (s != line || c.String() != s) {
			t.Error("a checkpoint was forged")
		}
	})
}
