package consent

import (
	"os"
	"strings"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/workspace"
)

var kinds = map[string]fact.Kind{
	"call": fact.KindCall, "step": fact.KindStep, "consent": fact.KindConsent, "message": fact.KindMessage,
	"answer": fact.KindAnswer, "transcript": fact.KindTalk, "other": fact.KindUnknown,
}

// TestVerdicts runs the table a lawyer can read.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/verdicts.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.SplitSeq(string(b), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Fields(line)
		var k Known
		for word := range strings.SplitSeq(f[2], "+") {
			switch word {
			case "call-out":
				k.CallOptedOut = true
			case "calls-out":
				k.CallsOptedOut = true
			case "contact-out":
				k.ContactOptedOut = true
			case "call-in":
				k.CallOptedIn = true
			case "contact-in":
				k.ContactOptedIn = true
			case "-":
			default:
				t.Fatalf("%s: what is %s", line, word)
			}
		}
		basis := workspace.Basis(f[1])
		v, why := Decide(workspace.Policy{Transcripts: basis}, kinds[f[0]], k)
		if f[0] == "recording" {
			v, why = Record(workspace.Policy{Recordings: basis}, k)
		}
		if got := strings.TrimSpace(v.String() + " " + why.String()); got != strings.Join(f[4:], " ") {
			t.Errorf("%s\n  got %s", line, got)
		}
		n++
	}
	if n < 20 {
		t.Fatalf("only %d cases were read", n)
	}
}

// TestRefusalIsAbsorbing enumerates every state of knowledge: adding a refusal never opens content, and no
// policy opens what a person refused.
func TestRefusalIsAbsorbing(t *testing.T) {
	t.Parallel()
	for _, basis := range []workspace.Basis{"", workspace.Deny, workspace.Notice, workspace.OptIn} {
		for bits := range 32 {
			k := Known{bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0, bits&16 != 0}
			for _, kind := range []fact.Kind{fact.KindMessage, fact.KindAnswer, fact.KindTalk} {
				v, _ := Decide(workspace.Policy{Transcripts: basis}, kind, k)
				if v == Allow && k.ContactOptedOut {
					t.Errorf("%v opened under %q although the contact opted out", kind, basis)
				}
				if v == Allow && kind == fact.KindTalk && (k.CallOptedOut || basis != workspace.Notice && basis != workspace.OptIn) {
					t.Errorf("a transcript opened under %q with %+v", basis, k)
				}
			}
		}
	}
}
