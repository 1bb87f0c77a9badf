package workspace

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// page is the flow that docs/workflow.md shows.
func page(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/workflow.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```yaml\n")
	flow, _, _ := strings.Cut(rest, "```")
	return flow
}

func TestTheFlowOfThePageIsRead(t *testing.T) {
	t.Parallel()
	f, err := ParseFlow([]byte(page(t)))
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != "front-desk" || len(f.Nodes) != 5 || f.Start != "hours" || len(f.Numbers) != 2 || f.Since.Format(time.DateOnly) != "2026-11-01" {
		t.Error("another flow")
	}
	menu, ok := f.Node("menu", "1", "")
	k, okKey := menu.Key("9")
	if !ok || menu.Name != "welcome" || menu.Timeout != 10*time.Second || !okKey || !k.OptOut || menu.None != "dispatch" {
		t.Error("another menu")
	}
}

func TestWhatIsWrongWithAFlowHasItsLine(t *testing.T) {
	t.Parallel()
	const good = "flow: desk\nnodes:\n  a: {kind: menu, keys: {1: b}}\n  b: {kind: voicemail}\n"
	if _, err := ParseFlow([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for want, file := range map[string]string{
		"it is empty":                             "",
		"line 2: it is not YAML":                  "flow: a\n\tnodes: x\n",
		"line 1: a flow is written as":            "- a\n",
		"line 1: the flow has no name":            "start: a\nnodes:\n  a: {kind: voicemail}\n",
		"line 1: there are no nodes":              "flow: desk\n",
		"line 2: a flow has no such field":        "flow: desk\ncolour: blue\n",
		"line 2: the field stands here twice":     "flow: desk\nflow: desk\n",
		"line 1: a name has small letters":        "flow: Desk 212\n",
		"line 2: hours must look like":            "flow: desk\nhours: all day\n",
		"line 2: a day is written":                "flow: desk\nsince: yesterday\n",
		"line 3: the kinds of nodes are":          strings.Replace(good, "menu", "seance", 1),
		"line 3: a node has no such field":        strings.Replace(good, "kind: menu", "kind: menu, colour: blue", 1),
		"line 4: the node has no kind":            strings.Replace(good, "kind: voicemail", "label: x", 1),
		"line 4: only a menu has keys":            strings.Replace(good, "kind: voicemail", "kind: voicemail, none: a", 1),
		"line 3: a menu has keys":                 strings.Replace(good, ", keys: {1: b}", "", 1),
		"line 3: a key is one of":                 strings.Replace(good, "1: b", "11: b", 1),
		"line 3: the menu has this key twice":     strings.Replace(good, "1: b", "1: b, 1: b", 1),
		"line 3: the key leads nowhere":           strings.Replace(good, "1: b", "1: {label: x}", 1),
		"line 3: opt_out is true or false":        strings.Replace(good, "1: b", "1: {to: b, opt_out: maybe}", 1),
		"line 3: a time-out is written":           strings.Replace(good, "kind: menu", "kind: menu, timeout: soon", 1),
		"line 3: this node leads to one":          strings.Replace(good, "1: b", "1: b, 2: c", 1),
		"line 4: no call can come to this node":   strings.Replace(good, "1: b", "1: end", 1),
		"line 5: a node of this name exists":      good + "  b: {kind: voicemail}\n",
		"line 0: start names a node":              "",
		"more than 64 KiB":                        good + strings.Repeat("#", maxFlow),
		"line 3: a text of at most 60 characters": strings.Replace(good, "kind: menu", "kind: menu, label: "+strings.Repeat("x", 61), 1),
	} {
		if strings.HasPrefix(want, "line 0") {
			want, file = "start names a node", "start: c\n"+good
		}
		_, err := ParseFlow([]byte(file))
		if !errors.Is(err, ErrFlow) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if err != nil && (strings.Contains(err.Error(), "blue") || strings.Contains(err.Error(), "seance") || strings.Contains(err.Error(), "212")) {
			t.Errorf("the error repeats a value: %v", err)
		}
	}
}

func TestAStepFindsItsFlow(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	all := []Flow{
		{Name: "desk", Version: 1, Since: day(1), Numbers: []string{"PN1"}}, {Name: "desk", Version: 2, Since: day(10), Numbers: []string{"PN1"}},
		{Name: "rest", Version: 1, Since: day(1)},
	}
	for name, c := range map[string]struct {
		named, number string
		at            int
		want          string
		version       int
	}{
		"by number, then":      {"PN1", "PN1", 5, "desk", 1},
		"by number, now":       {"PN1", "PN1", 10, "desk", 2},
		"by name":              {"desk", "PN7", 20, "desk", 2},
		"another number":       {"PN7", "PN7", 20, "rest", 1},
		"another flow by name": {"shop", "PN7", 20, "", 0},
		"before there was one": {"PN1", "PN1", 0, "", 0},
	} {
		f, ok := FlowAt(all, c.named, c.number, day(c.at))
		if ok != (c.want != "") || f.Name != c.want || f.Version != c.version {
			t.Errorf("%s: %s/%d", name, f.Name, f.Version)
		}
	}
	menus := Flow{Nodes: []FlowNode{
		{Name: "a", Kind: "menu", Keys: []FlowKey{{Key: "1", Label: "Sales"}}}, {Name: "b", Kind: "menu", Keys: []FlowKey{{Key: "1", Label: "Repairs"}}}, {Name: "c", Kind: "voicemail", IDs: []string{"VM"}},
	}}
	if n, _ := menus.Node("menu", "1", "repairs"); n.Name != "b" {
		t.Error("of two menus the one with the label is meant")
	}
	if _, ok := menus.Node("menu", "1", ""); ok {
		t.Error("a menu was guessed")
	}
	if n, _ := menus.Node("VM", "", ""); n.Name != "c" {
		t.Error("the vendor's id finds no node")
	}
}

func FuzzParseFlow(f *testing.F) {
	f.Add(page(f))
	f.Add("flow: a\nnodes: {a: {kind: menu, keys: {1: {to: a, opt_out: true}}}}")
	f.Add("&a [*a]")
	f.Fuzz(func(t *testing.T, file string) {
		flow, err := ParseFlow([]byte(file))
		if (err == nil) == (flow.Name == "" || len(flow.Nodes) == 0) && err == nil {
			t.Fatal("a flow without a name or nodes")
		}
		if err != nil && !errors.Is(err, ErrFlow) {
			t.Fatal("another error")
		}
	})
}
