package web

import (
	"context"
	"embed"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// csp lets a page load this server's own files and pages and nothing else: no inline script, style or event handler,
// no frame, no plug-in, no other host.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect is what every answer goes through: headers, cross-origin check, body limit and time limit.
func protect(next http.Handler, c Config) http.Handler {
	// Sec-Fetch-Site or Origin of another site on a changing method: 403. Programs send neither header.
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		if c.secure(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		wait, most := c.Timeout, c.MaxBody
		if r.Method == http.MethodPost && r.URL.Path == clipPath {
			wait, most = clipTime, maxClip+clipFrame
			// Best effort, as below.
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(clipTime + c.Timeout))
		}
		ctx, cancel := context.WithTimeout(r.Context(), wait)
		defer cancel()
		// Best effort: a recorder or a wrapping server may have no deadline to set.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(wait))
		sent := r.Body
		r.Body = http.MaxBytesReader(w, io.NopCloser(sent), most)
		next.ServeHTTP(w, r.WithContext(ctx))
		if r.Header.Get("Expect") == "" { // else the sender has waited for leave, and sends nothing
			_, _ = io.CopyN(io.Discard, sent, maxUnread)
		}
	})
}

// maxUnread is how many bytes of a body that is not wanted are read all the same: most senders read the answer only after they
// have sent all of it, and a connection that is closed before takes the answer with it.
const maxUnread = 16 << 20

// left reports whether a request's sender is gone: what fails then is no fault of the server.
func left(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

//go:embed static
var static embed.FS

// staticFiles serves /static. Addresses carry the version (?v=), so a browser may keep a file; folders are not
// listed.
func staticFiles() http.Handler {
	files := http.FileServerFS(static)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if info, err := fs.Stat(static, name); err != nil || info.IsDir() {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=86400")
		files.ServeHTTP(w, r)
	})
}
