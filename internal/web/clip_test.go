package web_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"murmur/internal/web"
	"murmur/internal/web/webtest"
	"murmur/internal/workspace"
)

// form is a multipart body with one file.
func form(t *testing.T, name string, file []byte) (io.Reader, string) {
	t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, err := m.CreateFormFile(name, "Lena Vogt.wav")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(file); err != nil || m.Close() != nil {
		t.Fatal("the form cannot be written")
	}
	return &body, m.FormDataContentType()
}

// upload sends a clip as the page's form does.
func upload(h http.Handler, session, site, kind string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/playground/clip", body)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", site)
	if session != "" {
		r.AddCookie(&http.Cookie{Name: "murmur", Value: session})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPlaygroundHearsAClip(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	wav := append([]byte("RIFF"), make([]byte, 2<<20)...) // more than any other form may have
	body, kind := form(t, "clip", wav)
	w := upload(b, "viewer", "same-origin", kind, body)
	page := strings.ReplaceAll(w.Body.String(), "\u00a0", " ")
	inspect(t, "playground with a clip", page)
	if w.Code != http.StatusOK {
		t.Fatalf("a clip: %d", w.Code)
	}
	for _, want := range []string{"Of 9.50 s in all", "<mark>[PHONE]</mark>", "1.00 s, leg 2:</b> Which number?", "5.50 s, leg 1:</b> It is ",
		`<th scope="row">6.10 s</th><td>8.90 s</td><td>PHONE</td>`, "a voice that gave no words", "would be withheld:</b> something personal was still heard"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "Lena Vogt.wav") {
		t.Error("the page repeats the name of the file")
	}
}

func TestClipsThatAreRefused(t *testing.T) {
	t.Parallel()
	wav := []byte("RIFF and no more")
	for name, c := range map[string]struct {
		session, site, field string
		file                 []byte
		code                 int
	}{
		"no session":         {"", "same-origin", "clip", wav, 401},
		"another site":       {"owner", "cross-site", "clip", wav, 403},
		"no field":           {"owner", "same-origin", "text", wav, 422},
		"empty":              {"owner", "same-origin", "clip", nil, 422},
		"no recording":       {"owner", "same-origin", "clip", []byte("once upon a time"), 422},
		"a byte too long":    {"owner", "same-origin", "clip", append([]byte("RIFF"), make([]byte, 20<<20-3)...), 413},
		"longer than a form": {"owner", "same-origin", "clip", append([]byte("RIFF"), make([]byte, 21<<20)...), 413},
		"as long as may be":  {"owner", "same-origin", "clip", append([]byte("RIFF"), make([]byte, 20<<20-4)...), 200},
	} {
		b := with(webtest.New())
		body, kind := form(t, c.field, c.file)
		w := upload(b, c.session, c.site, kind, body)
		if w.Code != c.code {
			t.Errorf("%s: %d, want %d", name, w.Code, c.code)
		}
		if heard := strings.Join(b.Said, ";") == "clip"; heard != (c.code == 200) {
			t.Errorf("%s: heard is %v", name, heard)
		}
	}
	b := with(webtest.New())
	for kind, body := range map[string]string{"application/x-www-form-urlencoded": "clip=RIFF", "multipart/form-data": "", "multipart/form-data; boundary=x": "--x\r\nContent-Disp"} {
		if w := upload(b, "owner", "same-origin", kind, strings.NewReader(body)); w.Code != 422 {
			t.Errorf("%s: %d", kind, w.Code)
		}
	}
}

func TestPlaygroundWithoutATranscriber(t *testing.T) {
	t.Parallel()
	b := webtest.New()
	b.NoTranscriber = true
	house := with(b)
	page := house.ask("viewer", "/playground", nil).Body.String()
	inspect(t, "playground without a transcriber", page)
	body, kind := form(t, "clip", []byte("RIFF"))
	w := upload(house, "viewer", "same-origin", kind, body)
	if w.Code != http.StatusServiceUnavailable || len(b.Said) > 0 {
		t.Errorf("a clip that nobody hears: %d, did %v", w.Code, b.Said)
	}
	for _, page := range []string{page, w.Body.String()} {
		if !strings.Contains(page, "<code>make voice</code>") || !strings.Contains(page, "disabled") {
			t.Error("the page does not say how a transcriber is installed")
		}
	}
}

// slow hears a clip only when it is told to go on.
type slow struct {
	*webtest.Business
	began, goOn chan struct{}
}

func (s slow) RedactClip(_ context.Context, _ workspace.ID, _ []byte) (web.Clip, error) {
	close(s.began)
	<-s.goOn
	return web.Clip{}, context.DeadlineExceeded
}

func TestOneClipIsHeardAtATime(t *testing.T) {
	t.Parallel()
	b := webtest.New()
	s := slow{b, make(chan struct{}), make(chan struct{})}
	c := with(b).Config()
	c.Redactor = s
	h := web.New(c)
	first := make(chan *httptest.ResponseRecorder)
	body, kind := form(t, "clip", []byte("RIFF"))
	go func() { first <- upload(h, "owner", "same-origin", kind, body) }()
	<-s.began
	again, kind2 := form(t, "clip", []byte("RIFF"))
	if w := upload(h, "owner", "same-origin", kind2, again); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "Another recording") {
		t.Errorf("a second clip: %d", w.Code)
	}
	close(s.goOn)
	if w := <-first; w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "took too long") {
		t.Errorf("a clip that takes too long: %d", w.Code)
	}
}

// TestWhoSendsSlowlyKeepsNobodyOut: a clip that comes slowly takes no place of another workspace's, and of its own only that of one.
func TestWhoSendsSlowlyKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	h := with(webtest.New())
	body, kind := form(t, "clip", []byte("RIFF"))
	begun, end := make(chan struct{}), make(chan struct{})
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- upload(h, "stranger", "same-origin", kind, &bytesThen{body, begun, end}) }()
	<-begun
	again, kind2 := form(t, "clip", []byte("RIFF"))
	if w := upload(h, "stranger", "same-origin", kind2, again); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a second one of the same workspace: %d", w.Code)
	}
	other, kind3 := form(t, "clip", []byte("RIFF"))
	if w := upload(h, "owner", "same-origin", kind3, other); w.Code != http.StatusOK {
		t.Errorf("one of another workspace: %d", w.Code)
	}
	close(end)
	if w := <-first; w.Code != http.StatusOK {
		t.Errorf("the slow one: %d", w.Code)
	}
}

// bytesThen gives what it has after end, and says when somebody waits for it.
type bytesThen struct {
	from       io.Reader
	begun, end chan struct{}
}

func (b *bytesThen) Read(p []byte) (int, error) {
	select {
	case <-b.begun:
	default:
		close(b.begun)
	}
	<-b.end
	return b.from.Read(p)
}

// deadlines remembers until when its connection may be read and written.
type deadlines struct {
	http.ResponseWriter
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

// TestAClipHasMoreTime: a transcriber takes longer than any other request may; the others keep to their time.
func TestAClipHasMoreTime(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	for path, longer := range map[string]bool{"/playground/clip": true, "/playground": false, "/v1/redact": false} {
		d := &deadlines{ResponseWriter: httptest.NewRecorder()}
		soon := time.Now().Add(time.Minute)
		b.ServeHTTP(d, httptest.NewRequest("POST", path, nil))
		if d.read.After(soon) != longer || d.write.After(soon) != longer {
			t.Errorf("%s may be read until %s and written until %s", path, d.read, d.write)
		}
	}
}
