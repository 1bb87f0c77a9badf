package vcon

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/sourcetest"
)

const shared = "vCons of the drafts and of other writers"

func files(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	dir := sourcetest.Shared(t, shared, "sources", "vcon", folder)
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatal("no files", err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		if all[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestSharedVConsAreRead(t *testing.T) {
	t.Parallel()
	calls, messages, talks := 0, 0, 0
	for _, folder := range []string{"text-dialogs", "core-draft"} {
		for name, body := range files(t, folder) {
			events, err := Source{}.Decode(source.Delivery{Body: body})
			state, why := sourcetest.Verdict(err)
			switch name {
			case "ab.vcon", "simple-vcon.vcon": // nobody said anything
				if state != fact.Ignored {
					t.Errorf("%s: %v", name, err)
				}
			case "ab_call_ext_rec_encrypted.vcon":
				if why != fact.WhyEncrypted {
					t.Errorf("%s: %v", name, err)
				}
			default:
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			for _, e := range events {
				switch {
				case e.Call != nil:
					calls++
				case e.Message != nil:
					messages++
					if e.Message.Body.Empty() || e.Message.Direction == 0 {
						t.Errorf("%s: a text without words or direction", name)
					}
				case e.Talk != nil:
					talks++
				}
			}
			if plain, err := Open(body, nil); err == nil {
				lean, err := Source{}.Decode(source.Delivery{Body: Lean(plain)})
				if len(lean) != len(events) || len(events) > 0 && events[0].ID == lean[0].ID && !sourcetest.Same(lean, events) {
					t.Errorf("%s: lean says something else: %v", name, err)
				}
			}
		}
	}
	if calls != 10 || messages != 233 || talks != 7 {
		t.Errorf("%d calls, %d messages, %d talks", calls, messages, talks)
	}
}

func TestSharedInvalidVConsAreRefusedWithAReason(t *testing.T) {
	t.Parallel()
	where := map[string]string{
		"null_parties.json": "parties", "bad_dialog_types.json": "dialog[0].duration", "empty_vcon.json": "vcon",
		"bad_party_ref.json": "dialog[0].parties", "bad_duration.json": "dialog[0].duration",
	}
	for name, body := range files(t, "invalid") {
		events, err := Source{}.Decode(source.Delivery{Body: body})
		var r *Refusal
		if len(events) > 0 || !errors.As(err, &r) || r.What == "" || r.Where != where[name] {
			t.Errorf("%s: %d events, %v", name, len(events), err)
		}
	}
}

// TestSharedSignature: no byte of a signed vCon can be changed, save blanks between its values.
func TestSharedSignature(t *testing.T) {
	t.Parallel()
	body := files(t, "core-draft")["ab_call_ext_rec_signed.vcon"]
	want, err := Open(body, nil)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	tries := 2_000
	if os.Getenv("MURMUR_FAULTS") != "" {
		tries = 100_000
	}
	blank := []byte(" \t\r\n")
	for range tries {
		i, mutated := random.IntN(len(body)), bytes.Clone(body)
		mutated[i] ^= byte(1 + random.IntN(255))
		if bytes.IndexByte(blank, body[i]) >= 0 && bytes.IndexByte(blank, mutated[i]) >= 0 {
			continue
		}
		if got, err := Open(mutated, nil); err == nil {
			t.Fatalf("byte %d changed from %q to %q is taken; the payload is the same: %t", i, body[i], mutated[i], bytes.Equal(got, want))
		}
	}
}
