package workspace

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Flow is the way of calls through menus and phones, as the owner of a business described it (docs/workflow.md): vendors
// do not tell it. ParseFlow makes one; Version, Since and SetAt are the Store's.
type Flow struct {
	Name    string
	Numbers []string // of the vendor, ids or telephone numbers; empty: every number
	Hours   string   // as open-hours of the policy
	Start   string   // the node that a call comes to first
	Nodes   []FlowNode
	Version int
	Since   time.Time // from when calls go this way; zero in a file: from when it is set
	SetAt   time.Time
	YAML    string
}

// FlowNode is one station of a call.
type FlowNode struct {
	Name, Kind, Label string
	IDs               []string      // what the vendor calls it
	Timeout           time.Duration // after which the call goes on to Else; 0: not said
	Keys              []FlowKey
	None, Else, Next  string // nodes: without a key, without an answer, in any case
}

// FlowKey is one key of a menu.
type FlowKey struct {
	Key, Label, To string
	OptOut         bool // it means: do not record
}

// ErrFlow is the parent of every refusal of a flow.
var ErrFlow = errors.New("the flow cannot be read")

// FlowKinds are the kinds of nodes, as in murmur.v1.
var FlowKinds = []string{"hours", "greeting", "notice", "menu", "ring_group", "queue", "voicemail", "forward", "auto_reply", "ai_agent"}

// FlowEnd may stand where a node is named: the call ends there.
const FlowEnd = "end"

const (
	maxFlow  = 64 << 10 // bytes of a file
	maxNodes = 200
)

var flowName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// ParseFlow reads a flow, strictly: a field that does not exist, a node that nothing leads to or that does not exist, a
// key twice, each is refused with its line and what to write instead.
func ParseFlow(file []byte) (Flow, error) {
	if len(file) > maxFlow {
		return Flow{}, fmt.Errorf("%w: it has more than 64 KiB", ErrFlow)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(file, &doc); err != nil {
		line := regexp.MustCompile(`line \d+`).FindString(err.Error()) // the rest of the error may repeat the file's content
		return Flow{}, fmt.Errorf("%w: %s: it is not YAML (every level is indented by the same number of blanks, a text with a colon is in quotes)", ErrFlow, line)
	}
	if len(doc.Content) == 0 {
		return Flow{}, fmt.Errorf("%w: it is empty", ErrFlow)
	}
	p := flowParser{flow: Flow{YAML: string(file)}, lines: map[string]int{}}
	p.file(doc.Content[0])
	if p.err == nil {
		p.connected(doc.Content[0])
	}
	return p.flow, p.err
}

// flowParser stores the first error.
type flowParser struct {
	flow  Flow
	lines map[string]int // of the nodes
	err   error
}

func (p *flowParser) reject(n *yaml.Node, what string) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: line %d: %s", ErrFlow, n.Line, what)
	}
}

// fields walks a mapping and hands each field to the function of its name.
func (p *flowParser) fields(n *yaml.Node, what string, read map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.reject(n, what+" is written as field: value")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && p.err == nil; i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		f, ok := read[k.Value]
		switch {
		case !ok:
			names := make([]string, 0, len(read))
			for name := range read {
				names = append(names, name)
			}
			slices.Sort(names)
			p.reject(k, what+" has no such field; its fields are "+strings.Join(names, ", "))
		case seen[k.Value]:
			p.reject(k, "the field stands here twice")
		default:
			seen[k.Value] = true
			f(v)
		}
	}
}

func (p *flowParser) text(into *string, most int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || len(n.Value) > most {
			p.reject(n, fmt.Sprintf("a text of at most %d characters is expected", most))
			return
		}
		*into = strings.TrimSpace(n.Value)
	}
}

func (p *flowParser) texts(into *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		all := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			all = n.Content
		}
		for _, item := range all {
			var s string
			if p.text(&s, 100)(item); s == "" {
				p.reject(item, "a list of texts is expected, such as [one, two]")
			}
			*into = append(*into, s)
		}
	}
}

func (p *flowParser) name(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if !flowName.MatchString(n.Value) || longDigits.MatchString(n.Value) {
			p.reject(n, "a name has small letters, digits, - and _, begins with a letter and has at most 32 of them")
			return
		}
		*into = n.Value
	}
}

// longDigits is a run of digits that a telephone number has and a name has not.
var longDigits = regexp.MustCompile(`\d{5}`)

func (p *flowParser) file(n *yaml.Node) {
	f := &p.flow
	p.fields(n, "a flow", map[string]func(*yaml.Node){
		"flow": p.name(&f.Name), "numbers": p.texts(&f.Numbers), "start": p.name(&f.Start),
		"hours": func(n *yaml.Node) {
			if _, err := ParseHours(n.Value); err != nil || n.Kind != yaml.ScalarNode {
				p.reject(n, `hours `+errHours.Error())
			}
			f.Hours = n.Value
		},
		"since": func(n *yaml.Node) {
			t, err := time.Parse(time.DateOnly, n.Value)
			if err != nil {
				p.reject(n, "a day is written 2026-11-01")
			}
			f.Since = t
		},
		"nodes": p.nodes,
	})
	switch {
	case p.err != nil:
	case f.Name == "":
		p.reject(n, "the flow has no name; write flow: front-desk")
	case len(f.Nodes) == 0:
		p.reject(n, "there are no nodes; write nodes: and below it one a line")
	case f.Start == "":
		f.Start = f.Nodes[0].Name
	}
}

func (p *flowParser) nodes(n *yaml.Node) {
	if n.Kind != yaml.MappingNode || len(n.Content) > 2*maxNodes {
		p.reject(n, fmt.Sprintf("nodes are written as name: {kind: ..}, at most %d", maxNodes))
		return
	}
	for i := 0; i+1 < len(n.Content) && p.err == nil; i += 2 {
		var node FlowNode
		p.name(&node.Name)(n.Content[i])
		if p.lines[node.Name] != 0 || node.Name == FlowEnd {
			p.reject(n.Content[i], "a node of this name exists")
		}
		p.lines[node.Name] = n.Content[i].Line
		p.node(&node, n.Content[i+1])
		p.flow.Nodes = append(p.flow.Nodes, node)
	}
}

func (p *flowParser) node(node *FlowNode, n *yaml.Node) {
	p.fields(n, "a node", map[string]func(*yaml.Node){
		"kind": func(n *yaml.Node) {
			if node.Kind = n.Value; !slices.Contains(FlowKinds, node.Kind) {
				p.reject(n, "the kinds of nodes are "+strings.Join(FlowKinds, ", "))
			}
		},
		"label": p.text(&node.Label, 60), "id": p.texts(&node.IDs), "none": p.name(&node.None), "else": p.name(&node.Else), "next": p.name(&node.Next),
		"timeout": func(n *yaml.Node) {
			d, err := time.ParseDuration(n.Value)
			if seconds, isNumber := strconv.Atoi(n.Value); isNumber == nil {
				d, err = time.Duration(seconds)*time.Second, nil
			}
			if err != nil || d <= 0 || d > time.Hour {
				p.reject(n, "a time-out is written 20s or 2m, at most an hour")
			}
			node.Timeout = d
		},
		"keys": func(n *yaml.Node) { p.keys(node, n) },
	})
	switch {
	case node.Kind == "":
		p.reject(n, "the node has no kind; the kinds are "+strings.Join(FlowKinds, ", "))
	case node.Kind != "menu" && (len(node.Keys) > 0 || node.None != ""):
		p.reject(n, "only a menu has keys and none; others have else and next")
	case node.Kind == "menu" && len(node.Keys) == 0:
		p.reject(n, `a menu has keys; write keys: {1: sales, 2: {label: Billing, to: billing}}`)
	}
}

func (p *flowParser) keys(node *FlowNode, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.reject(n, `keys are written as {1: sales, 2: {label: Billing, to: billing}}`)
		return
	}
	for i := 0; i+1 < len(n.Content) && p.err == nil; i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key := FlowKey{Key: k.Value}
		if len(k.Value) != 1 || !strings.Contains("0123456789*#", k.Value) {
			p.reject(k, `a key is one of 0-9, "*" and "#"`)
		}
		if slices.ContainsFunc(node.Keys, func(o FlowKey) bool { return o.Key == key.Key }) {
			p.reject(k, "the menu has this key twice")
		}
		if v.Kind == yaml.ScalarNode {
			p.name(&key.To)(v)
		} else {
			p.fields(v, "a key", map[string]func(*yaml.Node){
				"label": p.text(&key.Label, 60), "to": p.name(&key.To),
				"opt_out": func(n *yaml.Node) {
					if key.OptOut = n.Value == "true"; n.Value != "true" && n.Value != "false" {
						p.reject(n, "opt_out is true or false")
					}
				},
			})
		}
		if key.To == "" && !key.OptOut {
			p.reject(v, "the key leads nowhere; write to: and a node, or to: end")
		}
		node.Keys = append(node.Keys, key)
	}
}

// connected checks that every node that is named exists, and that calls can come to every node.
func (p *flowParser) connected(n *yaml.Node) {
	reached, queue := map[string]bool{}, []string{p.flow.Start}
	if p.lines[p.flow.Start] == 0 {
		p.reject(n, "start names a node that does not exist")
	}
	for len(queue) > 0 {
		name := queue[0]
		if queue = queue[1:]; reached[name] {
			continue
		}
		reached[name] = true
		i := slices.IndexFunc(p.flow.Nodes, func(n FlowNode) bool { return n.Name == name })
		if i < 0 {
			continue
		}
		for _, to := range p.flow.Nodes[i].ways() {
			if to != FlowEnd && p.lines[to] == 0 {
				p.reject(&yaml.Node{Line: p.lines[name]}, "this node leads to one that does not exist; write its name as below nodes:, or end")
			}
			queue = append(queue, to)
		}
	}
	for _, node := range p.flow.Nodes {
		if !reached[node.Name] {
			p.reject(&yaml.Node{Line: p.lines[node.Name]}, "no call can come to this node: name it in a key, none, else or next of another")
		}
	}
}

// ways are the nodes that a call may go to from here.
func (n FlowNode) ways() []string {
	var all []string
	for _, k := range n.Keys {
		all = append(all, k.To)
	}
	all = append(all, n.None, n.Else, n.Next)
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// Node finds where a step was: by the node's name or one of the vendor's. A vendor that knows only "the menu" means the
// one menu that there is, or the one that has this key with this label.
func (f Flow) Node(named, key, label string) (FlowNode, bool) {
	var menus []FlowNode
	for _, n := range f.Nodes {
		if n.Name == named || slices.Contains(n.IDs, named) {
			return n, true
		}
		if n.Kind == "menu" {
			menus = append(menus, n)
		}
	}
	if named != "menu" {
		return FlowNode{}, false
	}
	if len(menus) > 1 {
		menus = slices.DeleteFunc(menus, func(n FlowNode) bool {
			k, ok := n.Key(key)
			return !ok || !strings.EqualFold(k.Label, label)
		})
	}
	if len(menus) != 1 {
		return FlowNode{}, false
	}
	return menus[0], true
}

// Key is a key of the node.
func (n FlowNode) Key(key string) (FlowKey, bool) {
	i := slices.IndexFunc(n.Keys, func(k FlowKey) bool { return k.Key == key })
	if i < 0 {
		return FlowKey{}, false
	}
	return n.Keys[i], true
}
