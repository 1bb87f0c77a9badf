package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
)

// settings is what configuration files say, by key: a flag's environment variable without MURMUR_, in lower case and
// with hyphens (MURMUR_API_KEY: api-key). The command line wins over the environment, the environment over a file,
// a later file over an earlier one.
type settings map[string]any

// envPrefix begins the environment variable of every flag.
const envPrefix = "MURMUR"

// readSettings reads the configuration files: the machine's and the user's where they exist, and the one that the
// person named, which must.
func readSettings(args []string) (settings, error) {
	s := settings{}
	standard := []string{"/etc/murmur/config.json"}
	if dir, err := os.UserConfigDir(); err == nil {
		standard = append(standard, filepath.Join(dir, "murmur", "config.json"))
	}
	for _, f := range standard {
		if err := s.read(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if f := namedConfig(args); f != "" {
		return s, s.read(f)
	}
	return s, nil
}

// namedConfig is the file of --config, else of MURMUR_CONFIG. It is needed before the command line is parsed.
func namedConfig(args []string) string {
	for i, a := range args {
		if a == "--" {
			break
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
		if f, ok := strings.CutPrefix(a, "--config="); ok {
			return f
		}
	}
	return os.Getenv(envPrefix + "_CONFIG")
}

func (s settings) read(file string) error {
	b, err := os.ReadFile(kong.ExpandPath(file))
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil || m == nil {
		return fmt.Errorf("configuration file %s: not a JSON object of one key a flag", file)
	}
	for k, v := range m {
		s[strings.ReplaceAll(k, "_", "-")] = v
	}
	return nil
}

// keyOf is a flag's key in a configuration file; empty for a flag that has none (--help).
func keyOf(f *kong.Flag) string {
	if len(f.Envs) == 0 {
		return ""
	}
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(f.Envs[0], envPrefix+"_")), "_", "-")
}

// Validate refuses a key that no flag has, so that a misspelt setting is not silently ignored.
func (s settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	_ = kong.Visit(app, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			known[keyOf(f)] = true
		}
		return next(nil)
	})
	for k := range s {
		if k == "" || !known[k] {
			return fmt.Errorf("configuration file: no flag has the key %q", k)
		}
	}
	return nil
}

// Resolve gives a flag's value unless its environment variable is set.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
	for _, name := range f.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil
		}
	}
	return s[keyOf(f)], nil
}
