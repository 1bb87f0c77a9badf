package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"murmur/internal/workspace"
)

// dones are the lines shown after a redirect, by the word in ?done=. Nothing of the request's own text is
// ever shown from a URL.
var dones = map[string]string{
	"opt-out":   "The refusal is recorded. What was not yet published of this person will not be.",
	"applied":   "Marked as applied. The next closed weeks will show what changed.",
	"unapplied": "Back in the open list.",
	"replay":    "The deliveries are being processed again.",
	"policy":    "The new policy is in force and in the ledger.",
}

func done(r *http.Request) string { return dones[r.URL.Query().Get("done")] }

func seeOther(w http.ResponseWriter, r *http.Request, path, done string) {
	http.Redirect(w, r, path+"?"+url.Values{"done": {done}}.Encode(), http.StatusSeeOther)
}

// field reads a form field of at most max code points; missing or longer gives ErrInput.
func field(r *http.Request, name string, atLeast, atMost int) (string, error) {
	if err := r.ParseForm(); err != nil {
		return "", fmt.Errorf("%w: the form could not be read: %w", ErrInput, err)
	}
	v := strings.TrimSpace(r.PostForm.Get(name))
	if n := utf8.RuneCountInString(v); n < atLeast || n > atMost || !utf8.ValidString(v) {
		return "", fmt.Errorf("%w: %s must have %d to %d characters", ErrInput, name, atLeast, atMost)
	}
	return v, nil
}

func (s *site) mark(w http.ResponseWriter, r *http.Request, a Access) {
	id, err := field(r, "id", 1, 64)
	if err == nil {
		err = s.Marks.Mark(r.Context(), a.Workspace, id, r.PostForm.Get("applied") == "yes")
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	word := "unapplied"
	if r.PostForm.Get("applied") == "yes" {
		word = "applied"
	}
	seeOther(w, r, "/suggestions", word)
}

// erase answers with the receipt on the page itself: asking again is harmless, and neither the contact nor the
// receipt stands in a URL.
func (s *site) erase(w http.ResponseWriter, r *http.Request, a Access) {
	contact, err := field(r, "contact", 3, 320)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	receipt, err := s.Contacts.Erase(r.Context(), a.Workspace, contact)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.privacyPage(w, r, a, &receipt)
}

func (s *site) optOut(w http.ResponseWriter, r *http.Request, a Access) {
	contact, err := field(r, "contact", 3, 320)
	if err == nil {
		err = s.Contacts.OptOut(r.Context(), a.Workspace, contact, "web")
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	seeOther(w, r, "/privacy", "opt-out")
}

// maxText bounds a text for the playground, in code points.
const maxText = 100_000

type playView struct {
	Text   string
	Masked []piece // nil: nothing was sent
	Types  []typeCount
	Sample string
}

// piece is a run of the masked text; Type is set for a mask.
type piece struct{ Text, Type string }

type typeCount struct {
	Type string
	N    int
}

// sample is offered on the empty playground; the people in it do not exist.
const sample = "Hi, this is Lena Vogt. My order 4711 has not come. Please call me on +1 202 555 0143 or write to lena.vogt@example.org. I live at 12 Harbour Road."

func (s *site) playground(w http.ResponseWriter, r *http.Request, a Access) {
	s.render(w, r, http.StatusOK, "playground", page{Path: "/playground", Access: a, Data: playView{Sample: sample}})
}

func (s *site) play(w http.ResponseWriter, r *http.Request, a Access) {
	text, err := field(r, "text", 1, maxText)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	masked, spans, err := s.Redactor.Redact(r.Context(), a.Workspace, text)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v := playView{Text: text, Masked: pieces(masked), Sample: sample}
	for _, sp := range spans {
		i := 0
		for i < len(v.Types) && v.Types[i].Type != sp.Type {
			i++
		}
		if i == len(v.Types) {
			v.Types = append(v.Types, typeCount{Type: sp.Type})
		}
		v.Types[i].N++
	}
	s.render(w, r, http.StatusOK, "playground", page{Path: "/playground", Access: a, Data: v})
}

// mask is how the redactor writes a masked value: [NAME], [PHONE_2], <PERSON>.
var mask = regexp.MustCompile(`\[[A-Z][A-Z0-9_ -]{1,40}\]|<[A-Z][A-Z0-9_ -]{1,40}>`)

// pieces splits a masked text so that the page can set the masks apart.
func pieces(text string) (out []piece) {
	at := 0
	for _, m := range mask.FindAllStringIndex(text, -1) {
		if m[0] > at {
			out = append(out, piece{Text: text[at:m[0]]})
		}
		out = append(out, piece{Text: text[m[0]:m[1]], Type: strings.Trim(text[m[0]:m[1]], "[]<>")})
		at = m[1]
	}
	if at < len(text) {
		out = append(out, piece{Text: text[at:]})
	}
	return out
}

func (s *site) replay(w http.ResponseWriter, r *http.Request, a Access) {
	reason, err := field(r, "reason", 1, 64)
	if err == nil {
		_, err = s.Pipeline.Replay(r.Context(), a.Workspace, reason)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	seeOther(w, r, "/pipeline", "replay")
}

// welcomeView is the first run.
type welcomeView struct {
	Kinds     []SourceKind
	Sources   []Source
	Connected *Connected
	Policy    workspace.Policy
	Lines     []keyValue
}

func policyLines(p workspace.Policy) (lines []keyValue) {
	keys, _ := workspace.Keys()
	for _, k := range keys {
		v, _ := p.Get(k)
		lines = append(lines, keyValue{k, v})
	}
	return lines
}

func (s *site) welcome(w http.ResponseWriter, r *http.Request, a Access) { s.welcomePage(w, r, a, nil) }

func (s *site) welcomePage(w http.ResponseWriter, r *http.Request, a Access, c *Connected) {
	v := welcomeView{Kinds: s.Kinds, Connected: c}
	var err error
	if v.Sources, err = s.Sources.Sources(r.Context(), a.Workspace); err != nil {
		s.fail(w, r, err)
		return
	}
	if v.Policy, err = s.Policies.Policy(r.Context(), a.Workspace); err != nil {
		s.fail(w, r, err)
		return
	}
	v.Lines = policyLines(v.Policy)
	s.render(w, r, http.StatusOK, "welcome", page{Title: "Welcome", Lead: "Three steps. Nothing is fetched before you say so.",
		Path: "/welcome", Access: a, Done: done(r), Data: v})
}

// connect adds a source and shows its webhook address and secret once, on the answer itself.
func (s *site) connect(w http.ResponseWriter, r *http.Request, a Access) {
	kind, err := field(r, "kind", 1, 32)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	key, err := field(r, "api_key", 0, 4096)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	secret, err := field(r, "secret", 0, 512)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.Sources.Connect(r.Context(), a.Workspace, NewSource{Kind: kind, Name: kind, APIKey: key, Secret: secret})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.welcomePage(w, r, a, &c)
}

// decide sets the policy fields of the form that differ from those in force.
func (s *site) decide(w http.ResponseWriter, r *http.Request, a Access) {
	reason, err := field(r, "reason", 3, 300)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	old, err := s.Policies.Policy(r.Context(), a.Workspace)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	set, check := map[string]string{}, old
	keys, _ := workspace.Keys()
	for _, k := range keys {
		if !r.PostForm.Has(k) {
			continue
		}
		v, err := field(r, k, 0, 200)
		if err == nil {
			err = check.Set(k, v)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if was, _ := old.Get(k); was != v {
			set[k] = v
		}
	}
	if len(set) > 0 {
		if _, err := s.Policies.SetPolicy(r.Context(), a, set, reason); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	seeOther(w, r, "/welcome", "policy")
}
