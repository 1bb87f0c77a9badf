package arch

import (
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// gates: who may make a leaf, look into a personal value, or seal something as facts (which is what makes a leaf
// out of bytes). Every use outside the package that declares it is a finding.
var gates = rule{
	name: "gates",
	find: func(h *house) (out []string) {
		watched := []string{
			"internal/private/anon.Of", "internal/private/anon.Pseudonym", "internal/private/anon.Stored",
			"internal/private/anon.ReadText", "internal/private/anon.ReadContact",
			"internal/private/internal/personal.Value.Reveal",
			"internal/keyring.TopicFacts", "internal/keyring.Opened.Bytes", "internal/keyring.Pseudonym.Sum",
		}
		for _, p := range h.pkgs {
			for _, o := range p.uses() {
				if name := qualified(o); slices.Contains(watched, name) {
					out = append(out, p.name+" uses "+name)
				}
			}
			for _, o := range p.info.Uses { // an interface of the package itself as well
				if sealsRecords(o) {
					out = append(out, p.name+" seals records")
				}
			}
		}
		return out
	},
	allow: map[string]string{
		"internal/private uses internal/private/anon.Of":     "what the redactor masked",
		"internal/private uses internal/private/anon.Stored": "erasures carried out again after a restore",
		"internal/fact uses internal/private/anon.ReadText":  "decodes sealed facts",

		"internal/private/internal/person uses internal/private/anon.Pseudonym":  "the person at an address, whoever asks",
		"internal/private/internal/recording uses internal/private/anon.Stored":  "asks for the verdict on a stored recording again",
		"internal/private/internal/recording uses internal/keyring.Opened.Bytes": "opens the key of a recording",
		"internal/private/internal/recording seals records":                      "the key of a recording, under the day's epoch",

		"internal/fact uses internal/private/anon.ReadContact": "decodes sealed facts",

		"internal/fact/facttest uses internal/private/anon.ReadText":    "leaves for tests",
		"internal/fact/facttest uses internal/private/anon.ReadContact": "leaves for tests",
		"internal/fact/facttest uses internal/keyring.TopicFacts":       "leaves for tests",
		"internal/fact/facttest seals records":                          "leaves for tests",

		"internal/fact uses internal/keyring.Opened.Bytes":                       "decodes sealed facts",
		"internal/private uses internal/keyring.Opened.Bytes":                    "opens deliveries",
		"internal/private/anon uses internal/keyring.Opened.Bytes":               "leaves out of sealed facts",
		"internal/private/anon uses internal/keyring.Pseudonym.Sum":              "hashes an address",
		"internal/private/internal/identity uses internal/keyring.Pseudonym.Sum": "hashes a vendor's id",

		"internal/private/anon uses internal/private/internal/personal.Value.Reveal":              "hashes an address",
		"internal/private uses internal/private/internal/personal.Value.Reveal":                   "hands words and known subjects to the redactor",
		"internal/private/internal/identity uses internal/private/internal/personal.Value.Reveal": "makes an address canonical",

		"internal/pipeline seals records":                        "facts between the doors",
		"internal/keyring seals records":                         "moves a record into the next epoch, for the topic it was sealed for",
		"internal/private seals records":                         "deliveries into the inbox",
		"internal/pipeline uses internal/keyring.TopicFacts":     "facts between the doors",
		"internal/fact uses internal/keyring.TopicFacts":         "refuses what was not sealed as facts",
		"internal/private/anon uses internal/keyring.TopicFacts": "refuses what was not sealed as facts",
	},
	red: []plant{
		{pkg: "internal/private/internal/source/quo", src: `package quo; import "murmur/internal/private/internal/personal"; var s = personal.New("x").Reveal()`},
		{pkg: "internal/private/internal/consent", src: `package consent; import "murmur/internal/private/internal/personal"; var f = personal.Value.Reveal`},
		{pkg: "internal/private/internal/source/quo", src: `package quo; import "murmur/internal/private/internal/personal"; type v struct{ personal.Value }; func f(x v) string { return x.Reveal() }`},
		{pkg: "internal/server", src: `package server; import "murmur/internal/private/anon"; var f = anon.ReadText`},
		{pkg: "internal/crowd", src: `package crowd; import "murmur/internal/private/anon"; func f() { _ = anon.Stored }`},
		{pkg: "internal/private/internal/source/csv", src: `package csv; import "murmur/internal/private/anon"; var t = anon.Of(nil)`},
		{pkg: "internal/server", src: `package server; import "murmur/internal/keyring"; const topic = keyring.TopicFacts`},
		{pkg: "internal/server", src: `package server; import ("murmur/internal/keyring"; "murmur/internal/workspace"); func f(r *keyring.Ring) { r.Seal(workspace.Default, "facts", [16]byte{}, 1, nil) }`},
		{pkg: "internal/web", src: `package web; import "murmur/internal/workspace"; type s interface{ Seal(workspace.ID, string, [16]byte, uint8, []byte) (uint32, []byte, error) }; func f(x s) { x.Seal(workspace.Default, "facts", [16]byte{}, 1, nil) }`},
		{pkg: "internal/web", src: `package web; import "murmur/internal/keyring"; func f(p keyring.Pseudonym) [32]byte { return p.Sum(nil) }`},
	},
}

// sealsRecords reports whether o is Ring.Seal, or the same method of an interface that stands for it.
func sealsRecords(o types.Object) bool {
	f, ok := o.(*types.Func)
	return ok && f.Name() == "Seal" && f.Signature().Recv() != nil && strings.HasPrefix(types.TypeString(f.Signature().Params().At(0).Type(), nil), module+"/internal/workspace.ID")
}

// qualified is "package.Name" or "package.Type.Method", relative to the module.
func qualified(o types.Object) string {
	name := short(home(o)) + "." + owner(o)
	if owner(o) != o.Name() {
		name += "." + o.Name()
	}
	return name
}

// noUnsafe: no code bypasses the type system, because a gate type protects only as long as it
// cannot be bypassed.
var noUnsafe = rule{
	name: "no unsafe",
	find: func(h *house) (out []string) {
		for _, f := range h.files {
			for _, i := range imports(f.File) {
				if (i == "unsafe" || i == "reflect" && !f.test) || i == "C" || i == "plugin" {
					out = append(out, f.pkg+" imports "+i)
				}
			}
			for _, group := range f.Comments {
				for _, c := range group.List {
					if strings.HasPrefix(c.Text, "//go:linkname ") {
						out = append(out, f.pkg+" links by name")
					}
				}
			}
		}
		return out
	},
	allow: map[string]string{
		"internal/private/internal/source/sourcetest imports reflect": "compares events deeply, in tests of connectors",
		"internal/private/internal/confine/landlock imports unsafe":   "three system calls without a wrapper; the package imports nothing of ours",
	},
	red: []plant{
		{pkg: "internal/web", src: `package web; import _ "unsafe"`},
		{pkg: "internal/web", name: "planted_test.go", src: `package web; import _ "unsafe"`},
		{pkg: "internal/fact", src: `package fact; import _ "reflect"`},
		{pkg: "internal/private/internal/personal", src: `package personal; import _ "reflect"`},
		{pkg: "internal/server", src: `package server; import "C"`},
		{pkg: "internal/server", src: "package server\n\n//go:linkname steal murmur/internal/private/anon.Of\nfunc steal()"},
	},
}

// tableRewrites are iceberg-go's own ways to remove rows. They read and write whole tables in memory, or leave the
// erased rows in a file beside a list of positions; the lake rewrites its files itself.
var tableRewrites = regexp.MustCompile(`^(New)?(Delete|DeleteTable|Overwrite|OverwriteTable|DynamicPartitionOverwrite|RowDelta|RowDeltaTable)$`)

var noTableRewrites = rule{
	name: "no table rewrites",
	find: func(h *house) (out []string) {
		for _, p := range h.pkgs {
			for _, o := range p.uses() {
				if f, ok := o.(*types.Func); ok && strings.HasPrefix(home(o), "github.com/apache/iceberg-go/table") && tableRewrites.MatchString(f.Name()) {
					out = append(out, p.name+" calls "+owner(o)+"."+f.Name())
				}
			}
		}
		return out
	},
	red: []plant{
		lakePlant(`func f(t *table.Table) { t.Delete(nil, nil, nil) }`),
		lakePlant(`func f(t *table.Transaction) { _ = t.Delete }`),
		lakePlant(`func f(t *table.Table) { t.Overwrite(nil, nil, nil) }`),
		lakePlant(`func f(t *table.Transaction) { t.OverwriteTable(nil, nil, 0, nil) }`),
		lakePlant(`func f(t *table.Transaction) { t.NewRowDelta(nil) }`),
	},
}

func lakePlant(decl string) plant {
	return plant{pkg: "internal/crowd/internal/lake", src: "package lake\nimport \"github.com/apache/iceberg-go/table\"\n" + decl}
}
