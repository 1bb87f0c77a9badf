package source

import (
	"context"
	"net/url"
	"time"
)

// API asks a vendor. The zone's own client (package vendor) is behind it: it knows the key and the host, keeps to
// the vendor's rate, waits and tries again where that helps, and bounds the size of an answer.
type API interface {
	// Ask carries out a request and gives the body of a 2xx answer, which is JSON. Every error is a Trouble, or
	// that of ctx.
	Ask(ctx context.Context, r Request) ([]byte, error)
}

// Request is what a connector asks of its vendor, relative to the API's base.
type Request struct {
	Method string // empty: GET
	Path   string
	Query  url.Values
	Body   []byte     // JSON; empty: none
	Form   url.Values // in place of a body
}

// Trouble says why a vendor did not give what it was asked for: a closed set, shown to people in words and kept
// in the state of a source. It carries no content.
type Trouble string

// The troubles. Key, Forbidden and Account stop a source until a person acts; after the others it
// recovers.
const (
	TroubleKey       Trouble = "key"         // 401: the key is wrong or was revoked
	TroubleForbidden Trouble = "forbidden"   // 403: the key may not, or the plan does not include it
	TroubleAccount   Trouble = "account"     // the key is of another account than before
	TroubleRequest   Trouble = "request"     // 400: the vendor does not understand the request
	TroubleCursor    Trouble = "cursor"      // the place in a list is no longer known to the vendor
	TroubleMissing   Trouble = "missing"     // 404, 410: deleted, or never there
	TroubleBusy      Trouble = "busy"        // 429, again and again
	TroubleDown      Trouble = "unavailable" // 5xx or no connection, again and again
	TroubleCut       Trouble = "cut"         // JSON that ends early, again and again
	TroubleHTML      Trouble = "html"        // a page for people where JSON belongs
	TroubleLarge     Trouble = "too-large"   // an answer beyond the limit
	TroubleRedirect  Trouble = "redirect"    // the vendor points to another host
	TroubleHost      Trouble = "host"        // the address is private and nobody named it
)

func (t Trouble) Error() string { return "source: the vendor's API: " + string(t) }

// Lasting reports whether a trouble lasts until a person acts.
func (t Trouble) Lasting() bool {
	return t == TroubleKey || t == TroubleForbidden || t == TroubleAccount
}

// Poller is a connector that can ask for what its vendor keeps.
type Poller interface {
	// Polling says where and how to ask. It has no effect.
	Polling() Polling
}

// Polling is a vendor's API as far as polling needs it.
type Polling struct {
	Base string  // the vendor's own address
	Rate float64 // requests a second that one key may make, all workers together
	// Authorize is the header that goes with a key, to the base's host alone.
	Authorize func(key string) map[string]string
	// Within is the path between the base and those of requests that a key decides; nil: there is none.
	Within func(key string) string
	// Account gives the vendor's id of the account behind the key; empty where the vendor does not say.
	Account func(ctx context.Context, api API) (string, error)
	Lists   []List
	// Trials find out what a new key gives beside its lists, without asking for anything of anybody.
	Trials []Trial
}

// Trial asks for an object that does not exist. TroubleMissing shows that the key may ask.
type Trial struct {
	Name string
	Ask  func(ctx context.Context, api API) error
}

// List is one of a vendor's lists, newest first.
type List struct {
	Name string
	// Words marks a list of what people said: it is asked for only while the policy allows words, and each item
	// only after its verdict.
	Words bool
	// Rest is the least time between two looks; 0: at every poll.
	Rest time.Duration
	// Page asks for one page.
	Page func(ctx context.Context, api API, q Query) (Page, error)
}

// Query cuts a list. Both bounds are inclusive and about when an item was created; a zero To is no bound.
type Query struct {
	From, To time.Time
	Cursor   string // of the page before; it may have expired: TroubleCursor
	Limit    int    // 0: as many as the vendor gives
	// Mine reports whether the URL of a webhook is this source's own.
	Mine func(url string) bool
}

// Page is one answer. An empty Next ends the list.
type Page struct {
	Items []Item
	Next  string
}

// Item is one object of a list in one version.
type Item struct {
	// Delivery has an id of object and version: an object that did not change is a duplicate. In a list of words
	// it says which conversation the words belong to, and is not accepted itself. Without a body there is nothing
	// to accept yet.
	Delivery Delivery
	At       time.Time // when the object was created; zero where that cannot be read
	Open     bool      // not finished: it is asked for again
	// More asks for what the list does not hold, once the verdict allows it: nil where there is nothing. open is
	// true while the vendor still works on it.
	More func(ctx context.Context, api API) (more []Delivery, open bool, err error)
}

// Fetcher gets media. It is asked only after the verdict.
type Fetcher interface {
	// Media lists the recordings of a call with addresses that expire: they are fetched at once or asked for again.
	Media(ctx context.Context, api API, call string) ([]Media, error)
}

// Hosted is a Fetcher whose vendor keeps media on other hosts than its API's: their names, in small letters; a leading
// dot stands for every host below.
type Hosted interface{ MediaHosts() []string }

// Media is one recorded segment of a call.
type Media struct {
	ID      string
	Start   time.Time
	Seconds float64
	Type    string // MIME
	URL     string // empty while the vendor works on it
}

// Controller records a call at its vendor, and ends that: stops it while it runs and deletes what there is.
type Controller interface {
	// Owns reports whether a call's id is one of this vendor's.
	Owns(call string) bool
	// StartRecording begins a recording of a live call. An error does not mean that nothing is recorded: the answer may
	// have been lost.
	StartRecording(ctx context.Context, api API, call string) error
	// StopRecording ends a recording that runs. nil: it was running and ends; TroubleMissing: none is running.
	StopRecording(ctx context.Context, api API, call string) error
	// DeleteRecordings deletes every recording of a call and its transcripts, and counts the recordings that were still
	// there when it began. 0 and nil: the vendor says that there is none.
	DeleteRecordings(ctx context.Context, api API, call string) (found int, err error)
}

// Keyed is a connector whose vendor signs with a part of the API key.
type Keyed interface {
	// SigningSecret is that part; empty: the key has none.
	SigningSecret(apiKey string) string
}

// Registrar adds a webhook at the vendor.
type Registrar interface {
	// Register asks the vendor to deliver to a URL and gives the secret that it will sign with.
	Register(ctx context.Context, api API, url string) (secret string, err error)
}
