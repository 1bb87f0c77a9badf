package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// dones are the lines shown after a redirect, by the word in ?done=. Nothing of the request's own text is
// ever shown from a URL.
var dones = map[string]string{
	"opt-out":   "The refusal is recorded. What was not yet published of this person will not be.",
	"applied":   "Marked as applied. The next closed weeks will show what changed.",
	"unapplied": "Back in the open list.",
	"replay":    "The deliveries are being processed again.",
	"policy":    "The new policy is in force and in the ledger.",
	"paused":    "Paused: its vendor is not asked until you resume it. Webhooks are still taken.",
	"resumed":   "murmur asks its vendor again, from where it stopped.",
	"rekeyed":   "The new key works and is in use. The old one is forgotten.",
	"ended":     "Ended: it gives no access any more.",
	"alert":     "murmur checks the figure every morning from now on. Send a test to see whether messages arrive.",
	"tested":    "The test was taken.",
	"unwatched": "Ended: nothing more is sent.",
	"category":  "Learned: it is one of the reasons from the next count on.",
	"recalled":  "It is called so in every week.",
	"forgotten": "Forgotten, with its sentences. Weeks that are final keep what they show.",
	"removed":   "Removed: its address answers nobody any more. What it delivered stays.",
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
	Hears  bool      // a clip can be heard
	Clip   *clipView // nil: none was sent
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
	s.render(w, r, http.StatusOK, "playground", page{Path: "/playground", Access: a, Data: playView{Sample: sample, Hears: s.Redactor.Hears()}})
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
	v := playView{Text: text, Masked: pieces(masked), Sample: sample, Hears: s.Redactor.Hears()}
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
