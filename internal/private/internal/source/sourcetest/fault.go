package sourcetest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

// Fault is one way in which a vendor misbehaves.
type Fault string

// The faults of the wire. With Revoked, HTML, Huge and Redirect nothing can be had from then on.
const (
	Calm       Fault = "calm"
	Busy       Fault = "429"
	BusyFor    Fault = "429 with Retry-After"
	Down       Fault = "502"
	Slow       Fault = "slow"
	Cut        Fault = "cut page"
	Revoked    Fault = "revoked key"
	HTML       Fault = "HTML"
	Huge       Fault = "300 MB page"
	Redirected Fault = "redirect to another host"
)

// The faults of what is listed.
const (
	Repeated     Fault = "repeated item over a page edge"
	CursorGone   Fault = "expired cursor"
	Reordered    Fault = "reorder"
	Fivefold     Fault = "duplicates x5"
	Skewed       Fault = "clock skew"
	UnknownType  Fault = "unknown type"
	UnknownField Fault = "unknown field"
	Future       Fault = "date in the future"
	Deleted      Fault = "deleted resource"
	MediaGone    Fault = "expired media URL"
)

// Faults are all of them, the calm vendor first.
func Faults() []Fault {
	return []Fault{Calm, Busy, BusyFor, Down, Slow, Cut, Repeated, CursorGone, Reordered, Fivefold, Skewed, UnknownType, UnknownField,
		Future, Deleted, MediaGone, Revoked, HTML, Huge, Redirected}
}

// Final reports whether a vendor with this fault gives nothing any more.
func (f Fault) Final() bool { return f == Revoked || f == HTML || f == Huge || f == Redirected }

// OfTheWire are those of the faults that Flaky knows; a Pager knows the others.
func OfTheWire(all []Fault) (out []Fault) {
	for _, f := range all {
		if f.Final() || f == Busy || f == BusyFor || f == Down || f == Slow || f == Cut {
			out = append(out, f)
		}
	}
	return out
}

// Flaky stands in front of a vendor and breaks the wire.
type Flaky struct {
	Vendor http.Handler
	Faults []Fault
	// Every is how many requests are answered well for one that is not; Final faults begin at this request and stay.
	Every int
	// Rate is how many requests a second are answered; more get a 429. 0: no limit.
	Rate int

	mu       sync.Mutex
	requests int
	turn     int
	second   time.Time
	used     int
}

// Requests counts what was asked so far.
func (f *Flaky) Requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests
}

// next says how the request that now comes is answered.
func (f *Flaky) next() Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	if now := time.Now(); f.Rate > 0 {
		if now.Sub(f.second) >= time.Second {
			f.second, f.used = now, 0
		}
		if f.used++; f.used > f.Rate {
			return Busy
		}
	}
	for _, x := range f.Faults {
		if x.Final() && f.requests >= f.Every {
			return x
		}
	}
	if len(f.Faults) == 0 || f.Every == 0 || f.requests%f.Every != 0 {
		return Calm
	}
	f.turn++
	return f.Faults[f.turn%len(f.Faults)]
}

func (f *Flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch f.next() {
	case BusyFor:
		w.Header().Set("Retry-After", "1")
		failure(w, http.StatusTooManyRequests)
	case Busy:
		failure(w, http.StatusTooManyRequests)
	case Down:
		failure(w, http.StatusBadGateway)
	case Revoked:
		failure(w, http.StatusUnauthorized)
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>Log in</title>"))
	case Huge:
		huge(w)
	case Redirected:
		http.Redirect(w, r, "http://elsewhere.example.com/", http.StatusFound)
	case Slow:
		select {
		case <-r.Context().Done():
		case <-time.After(700 * time.Millisecond):
		}
		f.Vendor.ServeHTTP(w, r)
	case Cut:
		whole := httptest.NewRecorder()
		f.Vendor.ServeHTTP(whole, r)
		w.WriteHeader(whole.Code)
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()*2/3])
	default:
		f.Vendor.ServeHTTP(w, r)
	}
}

func failure(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"title":` + strconv.Quote(http.StatusText(status)) + `}`))
}

// huge writes a page of 300 MB until nobody reads any more.
func huge(w http.ResponseWriter) {
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for range 300 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}
