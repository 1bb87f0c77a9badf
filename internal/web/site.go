package web

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"murmur/internal/insight"
	"murmur/internal/workspace"
)

//go:embed pages/*.html
var pageFiles embed.FS

// site is the pages.
type site struct {
	Config
	templates map[string]*template.Template
	hearing   sync.Mutex // one clip at a time: a transcriber takes a core
	sending   sync.Map   // workspaces that send a clip
}

func newSite(c Config) *site {
	s := &site{Config: c, templates: map[string]*template.Template{}}
	funcs := template.FuncMap{
		"count": func(n int64) string { return group(strconv.FormatInt(n, 10)) },
		"ago":   func(t time.Time) string { return ageText(c.Now().Sub(t)) },
		"for":   durationText,
		"day":   func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") },
		"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"value": valueText, "interval": intervalText, "hidden": hiddenText, "base": baseText, "figure": figureID,
		"measure": measureText, "split": splitText, "period": periodText, "level": levelText,
		"keep": keep, "kind": s.kindTitle, "setting": settingText, "plain": func(s string) string { return strings.ReplaceAll(s, "_", " ") }, "state": stateText, "care": careText, "asked": askedText, "capital": capital, "missing": missingText, "given": givenText, "what": whatText, "left": leftText, "percent": percent, "seconds": secondsText, "clipwhy": clipWhy,
	}
	base := template.Must(template.New("base.html").Funcs(funcs).ParseFS(pageFiles, "pages/base.html", "pages/parts*.html"))
	names, err := pageFiles.ReadDir("pages")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	for _, f := range names {
		if name, _ := strings.CutSuffix(f.Name(), ".html"); name != "base" && !strings.HasPrefix(name, "parts") {
			s.templates[name] = template.Must(template.Must(base.Clone()).ParseFS(pageFiles, "pages/"+f.Name()))
		}
	}
	return s
}

// section is an entry of the navigation, shown to whoever may open it.
type section struct {
	Path, Name, Key, Lead string
	Need                  Role
}

var sections = []section{
	{"/", "The week", "h", "", Viewer},
	{"/calls", "Calls", "c", "Who gets through, who does not, and when.", Viewer},
	{"/messages", "Messages", "m", "How long people wait for an answer.", Viewer},
	{"/topics", "Topics", "t", "What people want and how they sound, read in anonymised words.", Viewer},
	{"/flows", "Phone menu", "f", "Where callers go in the menu, and where they give up.", Viewer},
	{"/satisfaction", "Satisfaction", "s", "What people say when they are asked.", Viewer},
	{"/suggestions", "Suggestions", "u", "What to try next, and the effect of what you tried.", Viewer},
	{"/privacy", "Privacy", "p", "What is kept, for how long, and how a person can refuse or be erased.", Viewer},
	{"/recordings", "Recordings", "r", "What is recorded, who refused, and what was transcribed.", Viewer},
	{"/playground", "Playground", "y", "See what is masked before anything is analysed.", Viewer},
	{"/pipeline", "Pipeline", "l", "Where every delivery is.", Viewer},
	{"/settings", "Settings", ",", "What is connected, what may be used of it and for how long, and who gets in.", Owner},
}

// page is what the layout needs and the page's own data.
type page struct {
	Title   string
	Path    string // of the navigation entry
	Lead    string
	Access  Access
	Nav     []section
	Periods *periods // nil: the page has no period
	Fresh   time.Time
	Seen    string // as whom the figures are shown, and whether they have noise
	Version string
	Done    string // one line about what was just done
	Data    any
}

func (s *site) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.with(Viewer, s.week))
	for _, sec := range sections[1:6] {
		mux.HandleFunc("GET "+sec.Path, s.with(Viewer, s.sectionPage(sec)))
	}
	mux.HandleFunc("GET /topics/else", s.with(Owner, s.subjects))
	mux.HandleFunc("GET /figures", s.with(Viewer, s.catalogue))
	mux.HandleFunc("GET /figures/{id}", s.with(Viewer, s.explain))
	mux.HandleFunc("GET /suggestions", s.with(Viewer, s.suggestions))
	mux.HandleFunc("POST /suggestions", s.with(Owner, s.mark))
	mux.HandleFunc("GET /privacy", s.with(Viewer, s.privacy))
	mux.HandleFunc("POST /privacy/erase", s.with(Privacy, s.erase))
	mux.HandleFunc("POST /privacy/opt-out", s.with(Privacy, s.optOut))
	mux.HandleFunc("GET /privacy/receipt", s.with(Privacy, s.receipt))
	mux.HandleFunc("GET /recordings", s.with(Viewer, s.recordings))
	mux.HandleFunc("GET /playground", s.with(Viewer, s.playground))
	mux.HandleFunc("POST /playground", s.with(Viewer, s.play))
	mux.HandleFunc("POST "+clipPath, s.with(Viewer, s.playClip))
	mux.HandleFunc("GET /pipeline", s.with(Viewer, s.pipeline))
	mux.HandleFunc("POST /pipeline/replay", s.with(Owner, s.replay))
	mux.HandleFunc("GET /welcome", s.with(Owner, s.welcome))
	mux.HandleFunc("GET /welcome/history", s.with(Owner, s.incoming))
	mux.HandleFunc("POST /welcome/source", s.with(Owner, s.connect))
	mux.HandleFunc("POST /welcome/policy", s.with(Owner, s.decide("/welcome", s.welcomePage)))
	mux.HandleFunc("GET /settings", s.with(Owner, s.settings))
	mux.HandleFunc("POST /settings/policy", s.with(Owner, s.decide("/settings", s.settingsPage)))
	mux.HandleFunc("POST /settings/pause", s.with(Owner, s.onSource(s.pauseSource)))
	mux.HandleFunc("POST /settings/resume", s.with(Owner, s.onSource(s.resumeSource)))
	mux.HandleFunc("POST /settings/key", s.with(Owner, s.onSource(s.rekeySource)))
	mux.HandleFunc("POST /settings/secret", s.with(Owner, s.rotate))
	mux.HandleFunc("POST /settings/end", s.with(Owner, s.endPass))
	mux.HandleFunc("POST /settings/alert", s.with(Owner, s.addAlert))
	mux.HandleFunc("POST /settings/alert/test", s.with(Owner, s.onAlert(s.Alerts.TestAlert, "tested")))
	mux.HandleFunc("POST /settings/alert/remove", s.with(Owner, s.onAlert(s.Alerts.RemoveAlert, "unwatched")))
	mux.HandleFunc("POST /settings/category", s.with(Owner, s.setCategory))
	mux.HandleFunc("POST /settings/category/rename", s.with(Owner, s.renameCategory))
	mux.HandleFunc("POST /settings/category/remove", s.with(Owner, s.removeCategory))
	mux.HandleFunc("POST /settings/remove", s.with(Owner, s.onSource(s.removeSource)))
	mux.HandleFunc("POST /settings/share", s.with(Owner, s.share))
	mux.HandleFunc("GET /open/{token}", s.open)
	mux.HandleFunc("GET /s/{token}", s.shared(s.sharedPage))
	for _, f := range forms {
		mux.HandleFunc("GET /s/{token}/figures."+f.name, s.sharedForm(f))
		if f.write != nil {
			mux.HandleFunc("GET /figures."+f.name, s.with(Viewer, s.table(f)))
		}
	}
	mux.HandleFunc("GET /unsubscribe/{ender}", s.unsubscribing)
	mux.HandleFunc("POST /unsubscribe/{ender}", s.unsubscribe)
	mux.HandleFunc("POST /close", s.close)
	if s.SignIn != nil {
		mux.HandleFunc("GET /sign-in", s.signIn)
		mux.HandleFunc("GET /sign-in/back", s.signedIn)
	}
	if s.Passkeys != nil {
		mux.HandleFunc("POST /passkey/new", s.with(Owner, s.newPasskey))
		mux.HandleFunc("POST /passkey/add", s.with(Owner, s.addPasskey))
		mux.HandleFunc("POST /passkey/ask", s.askPasskey)
		mux.HandleFunc("POST /passkey/use", s.usePasskey)
	}
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s.message(w, r, http.StatusNotFound, "There is nothing here", "The address may have changed.", "")
	})
}

// render writes a page. A template's mistake is an error before the first byte, not half a page.
func (s *site) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Version = s.Version
	for _, sec := range sections {
		if p.Access.Role.may(sec.Need) {
			p.Nav = append(p.Nav, sec)
		}
		if sec.Path == p.Path && p.Title == "" {
			p.Title, p.Lead = sec.Name, sec.Lead
		}
	}
	var b bytes.Buffer
	if err := s.templates[name].ExecuteTemplate(&b, "base.html", p); err != nil {
		s.Log.Error("page", "template", name, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the reader may be gone
}

type messageView struct {
	Text, Hint string
	SignIn     bool // offer the identity provider
	Passkey    bool // offer a key of the device
}

func (s *site) message(w http.ResponseWriter, r *http.Request, status int, title, text, hint string) {
	s.render(w, r, status, "message", page{Title: title, Data: messageView{Text: text, Hint: hint}})
}

// fail answers an error. Only refusals of an input show their text, which contains no values.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, ErrNotFound):
		s.message(w, r, http.StatusNotFound, "There is nothing here", "It does not exist in this workspace.", "")
	case errors.As(err, &tooLarge):
		s.message(w, r, http.StatusRequestEntityTooLarge, "That is too long", "Send less at once.", "")
	case errors.Is(err, ErrInput), errors.Is(err, workspace.ErrPolicy):
		s.message(w, r, http.StatusUnprocessableEntity, "That did not work", err.Error(), "Go back and change it.")
	case left(r.Context()):
		s.message(w, r, http.StatusServiceUnavailable, "The request ended", "It was cut before it was answered.", "")
	default:
		s.Log.Error("page", "route", r.Pattern, "error", err)
		s.message(w, r, http.StatusInternalServerError, "Something went wrong here", "It was not your doing, and nothing was lost. The server's log says more.", "")
	}
}

// periods is the one time control: the week shown and its neighbours.
type periods struct {
	Week, Text  string
	Prev, Next  string // empty at the ends
	All         []string
	Provisional bool
}

// periodsOf finds the weeks there are figures for and picks the one asked for; by default the newest that is over
// and shows anything, because a week that has just begun says little, and the running one where none is over.
func periodsOf(figures []insight.Figure, asked string) *periods {
	var p periods
	seen, newest, over := map[string]bool{}, "", ""
	for _, f := range figures {
		if _, ok := weekOf(f.Period); !ok || strings.Contains(f.Period, "..") {
			continue
		}
		if !seen[f.Period] {
			seen[f.Period] = true
			p.All = append(p.All, f.Period)
		}
		if f.Hidden == "" {
			newest = max(newest, f.Period)
		}
		if f.Hidden == "" && f.Finished() {
			over = max(over, f.Period)
		}
	}
	if over != "" {
		newest = over
	}
	if len(p.All) == 0 {
		return nil
	}
	slices.Sort(p.All)
	i, found := slices.BinarySearch(p.All, asked)
	if !found {
		if i, found = slices.BinarySearch(p.All, newest); !found {
			i = len(p.All) - 1
		}
	}
	p.Week, p.Text = p.All[i], periodText(p.All[i])
	if i > 0 {
		p.Prev = p.All[i-1]
	}
	if i+1 < len(p.All) {
		p.Next = p.All[i+1]
	}
	for _, f := range figures {
		p.Provisional = p.Provisional || f.Period == p.Week && f.Provisional
	}
	slices.Reverse(p.All)
	return &p
}

func freshest(figures []insight.Figure) (t time.Time) {
	for _, f := range figures {
		if f.AsOf.After(t) {
			t = f.AsOf
		}
	}
	return t
}
