package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestEveryFlagHasAVariableAndAKey(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.Name("murmur"), kong.DefaultEnvars(envPrefix), kong.Vars{"or_recording": ""}, kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	enums, flags := map[string]string{}, 0
	_ = kong.Visit(parser.Model, func(n kong.Visitable, next kong.Next) error {
		f, ok := n.(*kong.Flag)
		if !ok || f.Name == "help" {
			return next(nil)
		}
		flags++
		if len(f.Envs) != 1 || !strings.HasPrefix(f.Envs[0], envPrefix+"_") || keyOf(f) == "" {
			t.Errorf("--%s: environment %v, key %q", f.Name, f.Envs, keyOf(f))
		}
		// Two verbs may share a flag, but then one value must suit both.
		if e, ok := enums[keyOf(f)]; ok && e != f.Enum {
			t.Errorf("--%s: one key, two meanings: %q and %q", f.Name, e, f.Enum)
		}
		enums[keyOf(f)] = f.Enum
		return next(nil)
	})
	if flags < 20 {
		t.Errorf("%d flags", flags)
	}
}
