package ledger

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

func TestAProofStandsAlone(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.fill(t)
	c, proofs, err := b.Prove(t.Context(), []int64{2, 10})
	if err != nil {
		t.Fatal(err)
	}
	js, err := json.MarshalIndent(proofs, "", "  ")
	if err == nil {
		err = json.Unmarshal(js, &proofs)
	}
	if err != nil {
		t.Fatal(err)
	}
	v, err := ParseKey(b.Key())
	if err != nil {
		t.Fatal(err)
	}
	if c, err = ParseCheckpoint(c.String(), v); err != nil || c.Size != 10 {
		t.Fatalf("size %d: %v", c.Size, err)
	}
	for i, seq := range []int64{2, 10} {
		rec, err := proofs[i].Record()
		if !proofs[i].Holds(c) || err != nil || rec.Seq != seq {
			t.Errorf("entry %d: holds %v, %v", seq, proofs[i].Holds(c), err)
		}
	}
	for name, f := range map[string]func(*Proof){
		"its words":     func(p *Proof) { p.Body = strings.Replace(p.Body, "shop", "x", 1) },
		"its time":      func(p *Proof) { p.At++ },
		"its kind":      func(p *Proof) { p.Kind = "budget" },
		"its number":    func(p *Proof) { p.Seq++ },
		"number 0":      func(p *Proof) { p.Seq = 0 },
		"past the end":  func(p *Proof) { p.Seq = 11 },
		"its path":      func(p *Proof) { p.Path[0][0] ^= 1 },
		"a path cut":    func(p *Proof) { p.Path = p.Path[1:] },
		"a path longer": func(p *Proof) { p.Path = append(p.Path, tlog.Hash{}) },
		"no path":       func(p *Proof) { p.Path = nil },
	} {
		bad := proofs[0]
		bad.Path = append(tlog.RecordProof{}, bad.Path...)
		f(&bad)
		if bad.Holds(c) {
			t.Errorf("%s changed: the proof still holds", name)
		}
	}
	if _, _, err := b.Prove(t.Context(), []int64{99}); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

// The tree that Verify builds beside the stored one is that of the library.
func TestTheEdgeIsThatOfTheLibrary(t *testing.T) {
	t.Parallel()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(ids []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(ids))
		for i, id := range ids {
			out[i] = stored[id]
		}
		return out, nil
	})
	var e edge
	for n := range int64(130) {
		leaf := tlog.RecordHash([]byte{byte(n)})
		want, err := tlog.StoredHashesForRecordHash(n, leaf, read)
		if err != nil {
			t.Fatal(err)
		}
		got := e.add(n, leaf)
		if len(got) != len(want) {
			t.Fatalf("record %d: %d hashes, want %d", n, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("record %d: hash %d differs", n, i)
			}
		}
		stored = append(stored, want...)
		root, err := tlog.TreeHash(n+1, read)
		if err != nil || e.root(n+1) != root {
			t.Fatalf("the root of %d records differs: %v", n+1, err)
		}
	}
}

func TestAStatementIsSignedForItsFormat(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	v, err := ParseKey(b.Key())
	if err != nil {
		t.Fatal(err)
	}
	sig := b.Sign("form-1", []byte("said"))
	for _, c := range []struct {
		format, said string
		want         bool
	}{{"form-1", "said", true}, {"form-2", "said", false}, {"form-1", "sais", false}, {"form-1\nsaid", "", false}} {
		if Signed(v, c.format, []byte(c.said), sig) != c.want {
			t.Errorf("%s, %s: want %v", c.format, c.said, c.want)
		}
	}
	for _, key := range []string{"", "murmur", b.Key() + "x", strings.ToUpper(b.Key())} {
		if _, err := ParseKey(key); !errors.Is(err, ErrKey) {
			t.Errorf("a key of %d bytes: %v, want ErrKey", len(key), err)
		}
	}
}
