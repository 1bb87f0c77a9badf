package vcon

import (
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source/strictjson"
)

// conversation is a vCon that was checked as a whole.
type conversation struct {
	id        string // its uuid; of one that has none a hash of its bytes
	updated   time.Time
	direction string // in, out; as far as somebody wrote it down
	parties   []party
	dialogs   []dialog
	analyses  []analysis // as many as the vCon has, those without a use empty
	bases     []basis    // as many as there are attachments
}

// party is one participant. Its addresses are the telephone number, the e-mail address and further ones, in this order.
type party struct {
	name      string
	tel       string
	addresses []string
	role      string
}

// answersTo reports whether an address of the party is written so, with its scheme or without.
func (p party) answersTo(address string) bool {
	return slices.ContainsFunc(p.addresses, func(a string) bool { return a == address || bare(a) == address })
}

// bare is an address without its scheme.
func bare(address string) string {
	for _, scheme := range []string{"tel:", "mailto:", "sip:", "sips:"} {
		if rest, ok := strings.CutPrefix(address, scheme); ok {
			return rest
		}
	}
	return address
}

// dialog is one recording, text, failed attempt or transfer.
type dialog struct {
	kind        string // recording, text, incomplete, transfer
	start       time.Time
	seconds     float64
	parties     []int
	originator  int // -1: there is no party
	disposition string
	direction   string
	words       string // of a text
	media       int    // parts of a text that are no words
}

// limits of a vCon, far above what a conversation has.
const (
	maxParties = 1_000
	maxDialogs = 10_000
)

// extensions are those whose names may stand in "critical": what they add is understood here, or changes nothing that
// is read here.
var extensions = []string{"CC", "lawful_basis", "wtf_transcription"}

// reader walks a vCon and keeps the first thing that is wrong.
type reader struct{ bad *Refusal }

func (r *reader) reject(why fact.Why, where, what string) {
	if r.bad == nil {
		r.bad = refuse(why, where, what)
	}
}

// read checks a bare vCon. The error is a *Refusal.
func read(plain []byte) (*conversation, error) {
	doc, err := parse(plain)
	if err != nil {
		return nil, err
	}
	if !isVCon(doc) {
		return nil, refuse(fact.WhyUnknownType, "", "it has nothing that a vCon has")
	}
	r := &reader{}
	r.syntax(doc)
	c := &conversation{id: r.text(doc, "uuid", "uuid"), direction: direction(doc)}
	switch {
	case doc.Has("uuid") && c.id == "":
		r.reject(fact.WhyBadField, "uuid", "it is empty")
	case c.id == "":
		sum := sha512.Sum512(plain)
		c.id = base64.RawURLEncoding.EncodeToString(sum[:16])
	}
	made := r.time(doc, "created_at", "created_at", false)
	if c.updated = r.time(doc, "updated_at", "updated_at", false); c.updated.IsZero() {
		c.updated = made
	}
	r.parties(c, doc)
	r.list(doc, "dialog", func(i int, v strictjson.Value) {
		c.dialogs = append(c.dialogs, r.dialog(v, fmt.Sprintf("dialog[%d]", i), len(c.parties)))
	})
	r.list(doc, "analysis", func(i int, v strictjson.Value) {
		c.analyses = append(c.analyses, r.analysis(v, fmt.Sprintf("analysis[%d]", i), c))
	})
	r.list(doc, "attachments", func(i int, v strictjson.Value) {
		c.bases = append(c.bases, r.basis(v, fmt.Sprintf("attachments[%d]", i), c))
	})
	if r.bad != nil {
		return nil, r.bad
	}
	return c, nil
}

// syntax refuses what a reader must refuse: a syntax after 0.x, and an extension that must be understood and is not
// (draft-ietf-vcon-vcon-core 4.1.4; "must_support" in older ones).
func (r *reader) syntax(doc strictjson.Value) {
	if v := r.text(doc, "vcon", "vcon"); doc.Has("vcon") && !strings.HasPrefix(v, "0.") {
		r.reject(fact.WhyUnknownType, "vcon", "the version of the syntax is not 0.x")
	}
	for _, name := range []string{"critical", "must_support"} {
		r.list(doc, name, func(i int, v strictjson.Value) {
			if s, _ := v.AsText(); !slices.Contains(extensions, s) {
				r.reject(fact.WhyUnknownType, fmt.Sprintf("%s[%d]", name, i), "the vCon says that this extension must be understood, and it is not")
			}
		})
	}
}

// list walks an array that may be absent.
func (r *reader) list(doc strictjson.Value, name string, each func(int, strictjson.Value)) {
	if v := doc.Get(name); v.Exists() && !v.IsList() {
		r.reject(fact.WhyBadField, name, "it is no array")
	}
	items := doc.Get(name).Items()
	if len(items) > maxDialogs {
		r.reject(fact.WhyTooLarge, name, "it is too long")
	}
	for i, item := range items {
		if r.bad != nil {
			return
		}
		each(i, item)
	}
}

func (r *reader) parties(c *conversation, doc strictjson.Value) {
	if doc.IsNull("parties") {
		r.reject(fact.WhyBadField, "parties", "it is null")
	}
	r.list(doc, "parties", func(i int, v strictjson.Value) {
		where := fmt.Sprintf("parties[%d]", i)
		if !v.IsObject() || i >= maxParties {
			r.reject(fact.WhyBadField, where, "it is no object, or one too many")
			return
		}
		p := party{name: r.text(v, "name", where+".name"), role: r.text(v, "role", where+".role")}
		if p.role == "" {
			p.role, _ = v.Get("meta").Get("role").AsText()
		}
		for _, field := range []string{"tel", "mailto", "email", "sip", "id", "did"} {
			address := r.label(v, field, where+"."+field)
			if field == "tel" {
				p.tel = bare(address)
			}
			if address != "" && !slices.Contains(p.addresses, address) {
				p.addresses = append(p.addresses, address)
			}
		}
		c.parties = append(c.parties, p)
	})
}

func (r *reader) dialog(v strictjson.Value, where string, parties int) dialog {
	d := dialog{kind: r.text(v, "type", where+".type"), originator: -1}
	switch d.kind {
	case "recording", "text", "incomplete", "transfer":
	case "audio", "video": // as some writers of 0.0.1 say
		d.kind = "recording"
	case "":
		r.reject(fact.WhyBadField, where+".type", "it is absent")
	default:
		r.reject(fact.WhyUnknownType, where+".type", "no dialog is of this type")
	}
	d.start = r.time(v, "start", where+".start", d.kind != "transfer")
	if n := v.Get("duration"); n.Exists() {
		s, ok := n.AsNumber()
		if !ok || s < 0 || s > 366*24*3600 {
			r.reject(fact.WhyBadField, where+".duration", "it is no number of seconds")
		}
		d.seconds = s
	}
	d.parties = r.indices(v.Get("parties"), where+".parties", parties)
	if len(d.parties) > 0 {
		d.originator = d.parties[0]
	}
	if o := v.Get("originator"); o.Exists() {
		i, ok := o.AsIndex()
		if !ok || i >= parties {
			r.reject(fact.WhyBadField, where+".originator", "it names a party that does not exist")
		}
		d.originator = i
	}
	if d.disposition = r.text(v, "disposition", where+".disposition"); d.disposition == "" {
		d.disposition, _ = v.Get("meta").Get("disposition").AsText()
	}
	d.direction = direction(v)
	r.content(&d, v, where)
	return d
}

// indices reads parties or dialogs: one number, or numbers in arrays, one an audio channel.
func (r *reader) indices(v strictjson.Value, where string, below int) (all []int) {
	if v.IsList() {
		for _, item := range v.Items() {
			if r.bad == nil {
				all = append(all, r.indices(item, where, below)...)
			}
		}
		return all
	}
	if !v.Exists() {
		return nil
	}
	i, ok := v.AsIndex()
	if !ok || i >= below {
		r.reject(fact.WhyBadField, where, "it names one that does not exist")
	}
	return []int{i}
}

// content reads what a dialog holds, or refers to.
func (r *reader) content(d *dialog, v strictjson.Value, where string) {
	kind := r.text(v, "mediatype", where+".mediatype")
	if old := r.text(v, "mimetype", where+".mimetype"); kind == "" {
		kind = old
	}
	r.text(v, "url", where+".url")
	body, ok := r.body(v, where)
	if d.kind != "text" {
		return
	}
	if !ok { // behind an address, or none
		if v.Has("url") {
			d.media = 1
		}
		return
	}
	if !isText(v.Get("body")) {
		kind = "text/plain" // the text of a JSON body
	}
	d.words, d.media = words(kind, body)
}

// body is an inline body as it was before it was put into JSON, checked against its hash. One that is JSON itself has
// its text where it has one.
func (r *reader) body(v strictjson.Value, where string) (body []byte, ok bool) {
	b := v.Get("body")
	if !b.Exists() {
		return nil, false
	}
	text, isText := b.AsText()
	encoding := r.text(v, "encoding", where+".encoding")
	if !isText { // encoding "json", and what some writers put beside "none"
		for _, field := range []string{"text", "message", "body", "content"} {
			if s, ok := b.Get(field).AsText(); ok {
				return []byte(s), true
			}
		}
		return nil, false
	}
	body = []byte(text)
	switch strings.ToLower(encoding) {
	case "", "none", "json":
	case "base64url", "base64":
		plain := strings.NewReplacer("+", "-", "/", "_", "=", "", "\r", "", "\n", "").Replace(text)
		decoded, err := base64.RawURLEncoding.DecodeString(plain)
		if err != nil {
			r.reject(fact.WhyEncoding, where+".body", "it is not in base64url")
		}
		body = decoded
	default:
		r.reject(fact.WhyBadField, where+".encoding", "it is none of none, json, base64url")
	}
	r.hash(v.Get("content_hash"), body, where+".content_hash")
	return body, true
}

// hash checks content_hash (draft-ietf-vcon-vcon-core 2.2): "sha512-" and the hash in base64url, or several of them.
// Of other algorithms nothing is known, and nothing is believed.
func (r *reader) hash(v strictjson.Value, body []byte, where string) {
	items := v.Items()
	if !v.IsList() && v.Exists() {
		items = []strictjson.Value{v}
	}
	for _, item := range items {
		text, _ := item.AsText()
		algorithm, sum, ok := strings.Cut(text, "-")
		want, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(sum, "="))
		got := sha512.Sum512(body)
		switch {
		case !ok || err != nil:
			r.reject(fact.WhyBadField, where, "it is no hash")
		case algorithm == "sha512" && subtle.ConstantTimeCompare(want, got[:]) != 1:
			r.reject(fact.WhySignature, where, "the body has another hash")
		}
	}
}

// text is a field that is a text where it is there at all.
func (r *reader) text(v strictjson.Value, name, where string) string {
	field := v.Get(name)
	s, ok := field.AsText()
	if field.Exists() && !ok {
		r.reject(fact.WhyBadField, where, "it is no text")
	}
	return strings.TrimSpace(s)
}

// label is a text that some write as a number.
func (r *reader) label(v strictjson.Value, name, where string) string {
	if n, ok := v.Get(name).AsIndex(); ok {
		return fmt.Sprint(n)
	}
	return r.text(v, name, where)
}

// time is a date of RFC 3339, or as older vCons have it: of RFC 2822, or without a zone, which then is UTC.
func (r *reader) time(v strictjson.Value, name, where string, must bool) time.Time {
	s := r.text(v, name, where)
	if s == "" && !must && !v.Has(name) {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
		"2006-01-02T15:04:05.999999999Z0700", "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST"} {
		if t, err := time.Parse(layout, s); err == nil && fact.Possible(t) {
			return t.UTC()
		}
	}
	r.reject(fact.WhyBadTime, where, "it is no date")
	return time.Time{}
}

// direction is what a vCon or dialog says of it beside the standard, in its meta.
func direction(v strictjson.Value) string {
	for _, holder := range []strictjson.Value{v, v.Get("meta")} {
		switch s, _ := holder.Get("direction").AsText(); strings.ToLower(s) {
		case "in", "inbound", "incoming":
			return "in"
		case "out", "outbound", "outgoing":
			return "out"
		}
	}
	return ""
}
