package private

import (
	"bytes"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/ledger"
	"murmur/internal/private/anon"
	"murmur/internal/private/internal/consent"
	"murmur/internal/workspace"
)

// restart gives the house another register over the same rows, as after a restart; slow counts the slow sums that it makes.
func (h *callHouse) restart() (slow *int) {
	slow = new(int)
	h.zone.register = consent.NewRegister(h.db, h.zone.ledger, func(ws workspace.ID, b []byte) ([16]byte, error) {
		*slow++
		return h.zone.ring.Slow(ws, b)
	}, h.zone.now)
	return slow
}

func (h *callHouse) contact(address string) anon.Contact {
	h.t.Helper()
	who, err := h.zone.who(h.t.Context(), workspace.Default, address)
	must(h.t, err)
	return who.Contact
}

// refusers refuse, and one agrees, more than link-days ago.
func (h *callHouse) refusers() map[string]anon.Contact {
	h.t.Helper()
	all := map[string]anon.Contact{}
	for _, a := range []string{"+12125550142", "rosa@example.com", "+12125550143", "+12125550144", "+12125550145"} {
		all[a] = h.contact(a)
	}
	if o := h.said("native", "named", "+12125550143", "rosa@example.com"); o.State != fact.Published {
		h.t.Fatalf("before anybody refused: %s %s", o.State, o.Why)
	}
	for _, a := range []string{"+12125550142", "rosa@example.com"} {
		_, err := h.zone.OptOutContact(h.t.Context(), workspace.Default, a, "web")
		must(h.t, err)
	}
	calls := consent.Subject{Contact: all["+12125550144"], Calls: true}
	must(h.t, h.zone.say(h.t.Context(), workspace.Default, calls, fact.OptedOut, consent.Everything, fact.ViaDTMF))
	agrees := consent.Subject{Contact: all["+12125550145"]}
	must(h.t, h.zone.say(h.t.Context(), workspace.Default, agrees, fact.OptedIn, consent.Heard, fact.ViaWeb))
	must(h.t, h.db.Tx(h.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), `DELETE FROM addresses`) // LetGo waits three days with it
		return err
	}))
	must(h.t, h.zone.LetGo(h.t.Context(), workspace.Default, h.zone.now().Add(time.Hour)))
	return all
}

// TestARefusalOutlivesItsPseudonym: once rows of its time are linked no more, what somebody said holds as before, by every
// spelling and by the other address, and no file of the directory has their pseudonym or, in the ledger, a hash of it.
func TestARefusalOutlivesItsPseudonym(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	all := h.refusers()
	for address, c := range all {
		b := c.Bytes()
		if found := holding(t, filepath.Dir(h.audio), b[:]); len(found) > 0 {
			t.Errorf("%s: the pseudonym is in %v", address, found)
		}
	}
	for range 2 {
		for _, a := range []string{"+1 (212) 555-0142", "+12125550143", "Rosa <ROSA@example.com>"} {
			if heard, o := h.hears("native", "after"+a, a); heard || o.State != fact.Refused {
				t.Errorf("%s: %s %s", a, o.State, o.Why)
			}
		}
		if heard, o := h.hears("native", "other", "+12125550199"); !heard {
			t.Errorf("somebody else: %s %s", o.State, o.Why)
		}
		known := func(c anon.Contact) consent.Known {
			k, err := h.zone.register.Known(t.Context(), workspace.Default, fact.ID{}, c)
			must(t, err)
			return k
		}
		if k := known(all["+12125550144"]); !k.CallsOut || k.Contact.Out != 0 {
			t.Errorf("who pressed the key: %+v", k)
		}
		if k := known(all["+12125550145"]); k.Contact.In != consent.Heard || k.Contact.Out != 0 {
			t.Errorf("who agreed: %+v", k)
		}
		h.restart()
	}
	h.policy("transcripts", "opt-in")
	if heard, o := h.hears("native", "agreed", "+12125550145"); !heard {
		t.Errorf("who agreed is %s %s", o.State, o.Why)
	}

	before := h.consents(all["+12125550142"])
	fresh, err := h.zone.register.Say(t.Context(), workspace.Default, consent.Subject{Contact: all["+12125550142"]}, fact.OptedOut, consent.Everything, fact.ViaWeb)
	if err != nil || fresh || h.consents(all["+12125550142"]) != before {
		t.Errorf("what was said long ago is new: %v", err)
	}
}

// consents counts the entries of the ledger about a contact: by the slow sum they are found, by the pseudonym they are not.
func (h *callHouse) consents(c anon.Contact) (n int) {
	h.t.Helper()
	b := c.Bytes()
	slow, err := h.zone.ring.Slow(workspace.Default, b[:])
	must(h.t, err)
	must(h.t, h.zone.ledger.Entries(h.t.Context(), workspace.Default.String(), ledger.Filter{Kind: "consent"}, func(r ledger.Record) error {
		ref := r.Entry.(ledger.Consent).Ref
		if ref.Is(slow) {
			n++
		}
		if ref.Is(b) {
			h.t.Errorf("entry %d can be tested against a pseudonym", r.Seq)
		}
		return nil
	}))
	if n == 0 {
		h.t.Error("the ledger has no entry")
	}
	return n
}

// holding lists the files that hold some bytes.
func holding(t *testing.T, dir string, needle []byte) (found []string) {
	t.Helper()
	files := 0
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if files++; bytes.Contains(b, needle) {
			found = append(found, filepath.Base(path))
		}
		return err
	}))
	if files < 3 {
		t.Fatalf("%d files looked at", files)
	}
	return found
}

// TestSlowSumsAreMadeForFew: none where nobody refused long ago, none for what needs no verdict, else one for each contact.
func TestSlowSumsAreMadeForFew(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	slow := h.restart()
	for i, a := range []string{"+12125550146", "+12125550147"} {
		h.hears("native", "fresh"+string(rune('a'+i)), a)
	}
	if *slow != 0 {
		t.Errorf("%d in a register without refusals", *slow)
	}
	h.refusers()
	slow = h.restart()
	h.process(h.inbox[0]) // a transcript
	if *slow != 1 {
		t.Errorf("%d for the words of one contact", *slow)
	}
	for range 3 {
		h.hears("native", "again", "+12125550146")
		h.hears("native", "and", "+12125550147")
	}
	if *slow != 2 {
		t.Errorf("%d for two contacts", *slow)
	}
}

// TestAnotherDirectorysRefusalsOfLongAgoAreTakenOver: a restore asks the directory that it replaces, and finds what is kept
// under slow sums.
func TestAnotherDirectorysRefusalsOfLongAgoAreTakenOver(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	all := h.refusers()
	dir := filepath.Dir(h.audio)
	other := filepath.Join(t.TempDir(), "murmur.db")
	must(t, h.db.Backup(t.Context(), other))
	must(t, h.db.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `DELETE FROM lasting`)
		return err
	}))
	h.restart()
	if heard, _ := h.hears("native", "before", "+12125550142"); !heard {
		t.Fatal("refused before anything was taken over: the test shows nothing")
	}
	must(t, h.zone.Adopt(t.Context(), workspace.Default, dir, other))
	b := all["+12125550142"].Bytes()
	refused, err := h.zone.RefusedAmong(t.Context(), workspace.Default, [][anon.ContactLen]byte{b})
	if err != nil || len(refused) != 1 {
		t.Errorf("%d of those with words refused, %v", len(refused), err)
	}
	if heard, o := h.hears("native", "after", "+12125550142"); heard || o.State != fact.Refused {
		t.Errorf("%s %s", o.State, o.Why)
	}
}
