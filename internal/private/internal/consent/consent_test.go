package consent

import (
	"os"
	"slices"
	"strings"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

var namedUses = map[string]Use{
	"call": UseOf(fact.KindCall), "step": UseOf(fact.KindStep), "consent": UseOf(fact.KindConsent), "message": UseOf(fact.KindMessage),
	"answer": UseOf(fact.KindAnswer), "transcript": UseOf(fact.KindTalk), "recording": Recording, "export": Export,
}

// lines gives the words of each line of a table that a lawyer can read.
func lines(t *testing.T, file string) (all [][]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if line != "" && line[0] != '#' {
			all = append(all, strings.Fields(line))
		}
	}
	return all
}

// known reads what people said: call-out, contact-in:share, joined by +; without a purpose it is everything.
func known(t *testing.T, words string) (k Known) {
	t.Helper()
	for word := range strings.SplitSeq(words, "+") {
		about, purpose, single := strings.Cut(word, ":")
		of := Everything
		if single {
			of = For(fact.Purpose(slices.Index(purposeNames[:], purpose)))
		}
		switch about {
		case "call-out":
			k.Call.Out |= of
		case "call-in":
			k.Call.In |= of
		case "contact-out":
			k.Contact.Out |= of
		case "contact-in":
			k.Contact.In |= of
		case "calls-out":
			k.CallsOut = true
		case "-":
		default:
			t.Fatalf("what is %s", word)
		}
	}
	return k
}

// TestVerdicts runs the table a lawyer can read.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	n := 0
	for _, f := range lines(t, "testdata/verdicts.txt") {
		use, ok := namedUses[f[0]]
		if !ok {
			t.Fatalf("what is %s", f[0])
		}
		v, why := Allow, fact.WhyNone
		if use != 0 {
			v, why = Decide(workspace.Policy{Transcripts: workspace.Basis(f[1]), Recordings: workspace.Basis(f[1])}, use, known(t, f[2]))
		}
		if got := strings.TrimSpace(v.String() + " " + why.String()); got != strings.Join(f[4:], " ") {
			t.Errorf("%s\n  got %s", strings.Join(f, " "), got)
		}
		n++
	}
	if n < 40 {
		t.Fatalf("only %d cases were read", n)
	}
}

// TestUsesTakeTheirPurposes compares the table of the code with the one for people.
func TestUsesTakeTheirPurposes(t *testing.T) {
	t.Parallel()
	n := 0
	for _, f := range lines(t, "testdata/purposes.txt") {
		use := namedUses[f[0]]
		for p := fact.Record; p <= fact.Share; p++ {
			want := f[p]
			got := "-"
			switch of := For(p); {
			case uses[use].ground&of != 0:
				got = "ground"
			case uses[use].free&of != 0:
				got = "free"
			}
			if got != want {
				t.Errorf("%s takes %s for %s, the table says %s", f[0], got, PurposeName(p), want)
			}
		}
		n++
	}
	if n != 5 {
		t.Errorf("%d uses", n)
	}
}

var everyBasis = []workspace.Basis{"", workspace.Deny, workspace.Notice, workspace.OptIn, workspace.OneParty}

// TestOnePurposeSaysNothingAboutAnother goes through every policy, every use and all that can be said of the four purposes
// about a call and by a contact, 2^17 statements: what was said of a purpose that a use does not take changes nothing; a
// refusal of one that it takes closes it, whatever else was said; an agreement opens under opt-in alone, and only together
// with one for each purpose that needs a ground.
func TestOnePurposeSaysNothingAboutAnother(t *testing.T) {
	t.Parallel()
	for use := Recording; use <= Export; use++ {
		need := uses[use]
		for _, basis := range everyBasis {
			p := workspace.Policy{Transcripts: basis, Recordings: basis}
			for bits := range 1 << 17 {
				k := Known{Statement{Purposes(bits&15) << 1, Purposes(bits>>4&15) << 1}, Statement{Purposes(bits>>8&15) << 1, Purposes(bits>>12&15) << 1}, bits>>16 == 1}
				v, _ := Decide(p, use, k)
				takes := Known{Statement{k.Call.In & need.ground, k.Call.Out & (need.ground | need.free)}, Statement{k.Contact.In & need.ground, k.Contact.Out & (need.ground | need.free)}, k.CallsOut}
				if w, _ := Decide(p, use, takes); w != v {
					t.Fatalf("use %d under %q: %v with %+v, %v without what is of other purposes", use, basis, v, k, w)
				}
				said := k.Contact
				if use != Writing {
					said = said.and(k.Call)
				}
				refused := said.Out&(need.ground|need.free) != 0 || use == Recording && k.CallsOut
				agreed := need.ground&^said.In == 0
				want := Refuse
				switch {
				case refused:
				case need.ground == 0, basis == workspace.Notice, basis == workspace.OptIn && agreed, basis == workspace.OneParty && use == Recording:
					want = Allow
				case basis == workspace.OptIn:
					want = Unknown
				}
				if v != want {
					t.Fatalf("use %d under %q: %v with %+v, want %v", use, basis, v, k, want)
				}
			}
		}
	}
}

// TestTheStrictestOfAllHolds: of several answers the strictest is the answer, in any order.
func TestTheStrictestOfAllHolds(t *testing.T) {
	t.Parallel()
	for v, stricter := range map[Verdict][]Verdict{Allow: {Unknown, Refuse}, Unknown: {Refuse}, Refuse: nil} {
		for _, w := range []Verdict{Unknown, Allow, Refuse} {
			if Stricter(w, v) != slices.Contains(stricter, w) {
				t.Errorf("%v against %v", w, v)
			}
		}
	}
}
