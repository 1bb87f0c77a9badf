package fact_test

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/keyring"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// sample is a batch with every kind of fact, with and without words and contacts.
func sample(mk *facttest.Maker) fact.Batch {
	r := rand.New(rand.NewPCG(1, 1))
	b := fact.Batch{
		Workspace: workspace.Default,
		Labels: []fact.Named{{Label: -3, Dim: fact.DimNumber, Name: mk.Text("Front desk")},
			{Label: 9, Dim: fact.DimChoice, Parent: -4}},
	}
	for i, k := range facttest.Kinds {
		b.Facts = append(b.Facts,
			facttest.Random(r, k, facttest.Head(i, noon, mk.Contact(i), int64(i)), mk.Text("words of [name]")),
			facttest.Random(r, k, facttest.Head(100+i, noon, anon.Contact{}, -5), anon.Text{}))
	}
	return b
}

func TestABatchComesBackAsItWasEncoded(t *testing.T) {
	t.Parallel()
	mk := facttest.New(t)
	for _, want := range []fact.Batch{sample(mk), {Workspace: workspace.MustParse("a-longer-name-of-32-characters-x")}} {
		got, err := fact.Decode(mk.Opened(keyring.TopicFacts, fact.Encode(nil, want)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %d facts, %d labels, %v; want %d, %d", len(got.Facts), len(got.Labels), err, len(want.Facts), len(want.Labels))
		}
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// A record of today is read by every later version: the bytes of version 1 never change.
func TestTheFormatIsStable(t *testing.T) {
	t.Parallel()
	const golden = "testdata/batch-1.golden"
	mk := facttest.New(t)
	if *update {
		if err := os.WriteFile(golden, fact.Encode(nil, sample(mk)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, err := fact.Decode(mk.Opened(keyring.TopicFacts, b))
	if err != nil || !reflect.DeepEqual(got, sample(mk)) {
		t.Errorf("the record of version 1 reads differently: %v", err)
	}
	if !bytes.Equal(fact.Encode(nil, sample(mk)), b) {
		t.Error("version 1 is written differently")
	}
}

func TestOnlyRecordsSealedAsFactsDecode(t *testing.T) {
	t.Parallel()
	mk := facttest.New(t)
	b := fact.Encode(nil, fact.Batch{Workspace: workspace.Default})
	if _, err := fact.Decode(mk.Opened(keyring.TopicInbox, b)); !errors.Is(err, anon.ErrForeign) {
		t.Errorf("an inbox record decodes: %v", err)
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	t.Parallel()
	mk := facttest.New(t)
	whole := fact.Encode(nil, sample(mk))
	for i := range whole {
		if _, err := fact.Decode(mk.Opened(keyring.TopicFacts, whole[:i])); err == nil {
			t.Fatalf("the first %d of %d bytes decode", i, len(whole))
		}
	}
	if _, err := fact.Decode(mk.Opened(keyring.TopicFacts, append(whole, 0))); !errors.Is(err, fact.ErrCorrupt) {
		t.Errorf("a byte too many: %v", err)
	}
}

// A newer version may add columns; this one leaves them out. It refuses formats and kinds that it does not know.
func TestWhatANewerVersionWrites(t *testing.T) {
	t.Parallel()
	mk := facttest.New(t)
	id := facttest.ID(1)
	record := func(version, kind byte, fields ...byte) []byte {
		f := append([]byte{kind, 0}, id[:]...)
		f = append(f, 2, 4, 6, 8) // version, at, source, anonymiser
		f = append(f, fields...)
		b := append([]byte{version, 1, 'w', 1, byte(len(f))}, f...)
		return append(b, 0) // no labels
	}
	// two fields: column 63 = 3 is unknown, column 9 = 1 is the direction; then two bytes of something new
	b, err := fact.Decode(mk.Opened(keyring.TopicFacts, record(1, byte(fact.KindCall), 2, 126, 6, 18, 2, 0xaa, 0xbb)))
	if err != nil || len(b.Facts) != 1 || b.Facts[0].(*fact.Call).Direction != fact.In {
		t.Errorf("an unknown column: %+v, %v", b.Facts, err)
	}
	for name, r := range map[string][]byte{"format": record(2, 1, 0), "kind": record(1, 60, 0)} {
		if _, err := fact.Decode(mk.Opened(keyring.TopicFacts, r)); !errors.Is(err, fact.ErrNewer) {
			t.Errorf("an unknown %s: %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	mk := facttest.New(f)
	f.Add(fact.Encode(nil, sample(mk)))
	f.Add(fact.Encode(nil, fact.Batch{Workspace: workspace.Default}))
	f.Add([]byte{1, 1, 'w', 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := fact.Decode(mk.Opened(keyring.TopicFacts, b))
		if err != nil {
			return
		}
		again, err := fact.Decode(mk.Opened(keyring.TopicFacts, fact.Encode(nil, got)))
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("what was decoded does not come back: %v", err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	batch := sample(facttest.New(b))
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = fact.Encode(dst[:0], batch)
	}
	b.ReportMetric(float64(len(batch.Facts))*float64(b.N)/b.Elapsed().Seconds(), "facts/s")
}

func BenchmarkDecode(b *testing.B) {
	mk := facttest.New(b)
	batch := sample(mk)
	o := mk.Opened(keyring.TopicFacts, fact.Encode(nil, batch))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fact.Decode(o); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(batch.Facts))*float64(b.N)/b.Elapsed().Seconds(), "facts/s")
}
