package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestItMasksAndSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args          string
		in, out, errs string
		code          int
	}{
		{in: "Customer: my card is four one one one, double one double one, one one one one, one one one one\n", out: "Customer: my card is [CREDIT_CARD]\n"},
		{args: "--jsonl", in: `{"id":1,"text":"call 212 555 0123"}` + "\n", out: `{"id":1,"text":"call 212 555 0123","redacted":"call [PHONE]","spans":[{"start":5,"end":17,"type":"PHONE","score":`},
		{args: "--json", in: "call 212 555 0123", out: `"redacted":"call [PHONE]"`},
		{args: "--explain", in: "call 212 555 0123", out: "call [PHONE]\n", errs: "5-17 PHONE: "},
		{args: "--dial x", errs: "hint: ", code: 2},
		{args: "--reader other", errs: "hint: ", code: 2},
		{args: "--jsonl", in: "no record\n", out: `"line":1`, errs: "hint: the answer has the number", code: 2},
		{args: "/nowhere/at/all", errs: "error: open the file", code: 2},
		{in: "RIFF....WAVE", errs: "that is a recording", code: 2},
		{args: "--help", out: "Mask personal data"},
	} {
		var out, errs bytes.Buffer
		code := run(strings.Fields(c.args), strings.NewReader(c.in), &out, &errs)
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.errs) {
			t.Errorf("%q: exit code %d, printed %q and %q", c.args, code, out.String(), errs.String())
		}
	}
}

// TestItIsSmallAndStandsAlone: one static file with its weights.
func TestItIsSmallAndStandsAlone(t *testing.T) {
	t.Parallel()
	const most = 40 << 20
	bin := filepath.Join(t.TempDir(), "murmur-redact")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	file, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	if file.Size() > most {
		t.Errorf("%d bytes, more than %d", file.Size(), most)
	}
	alone := exec.CommandContext(t.Context(), bin)
	alone.Env, alone.Dir = []string{}, t.TempDir()
	alone.Stdin = strings.NewReader("I am Anna Fields, call me 212 555 0123")
	out, err := alone.CombinedOutput()
	if err != nil || string(out) != "I am [PERSON], call me [PHONE]" && string(out) != "I am [PERSON], call me [PHONE]\n" {
		t.Errorf("%v: %q", err, out)
	}
}
