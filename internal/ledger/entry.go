package ledger

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"
)

// ErrEntry is returned for an entry with a field outside its closed set.
var ErrEntry = errors.New("ledger: the entry is not well formed")

// Entry is an event that somebody may have to prove later: Consent, Erasure, Budget, Access, Policy, Key, Recording
// or Tenancy. Every field is a number, a reference or a word of a closed set; only a policy's reason and author are
// free text, written by the business about itself. Field order is the order of the canonical JSON: never change it.
type Entry interface {
	kind() string
	workspace() string
	check() error
	salted(rand io.Reader) (Entry, error)
}

// Consent: what a person said about a call, or about every call with them.
type Consent struct {
	Workspace string `json:"workspace"`
	Subject   string `json:"subject"` // call, contact, contact-calls, linked, linked-calls; call-in and contact-in for an opt-in
	Ref       Ref    `json:"ref"`
	Act       string `json:"act"` // opted-out, opted-in, withdrawn, noticed; of one purpose: opted-out:share
	Via       string `json:"via"` // the channel
}

// Erasure: everything about a contact must go, or has gone.
type Erasure struct {
	Workspace string `json:"workspace"`
	Ref       Ref    `json:"ref"`
	Step      string `json:"step"` // "": asked for; rows-gone; keys-gone
}

// Budget: privacy budget spent on a release, or its release published.
type Budget struct {
	Workspace  string `json:"workspace"` // "": across workspaces
	Release    Digest `json:"release"`   // SHA-256 of the release's spec
	Period     string `json:"period"`    // 2026, 2026-11, 2026-W48, 2026-11-24
	Step       string `json:"step"`      // reserve, commit
	NanoRho    int64  `json:"nano_rho"`
	FemtoDelta int64  `json:"femto_delta"`
	LeftRho    int64  `json:"left_nano_rho"` // after this entry
}

// Access: somebody with a token saw more than figures, or took data out.
type Access struct {
	Workspace string `json:"workspace"`
	Actor     Digest `json:"actor"` // SHA-256 of the token; zero: the command line
	Act       string `json:"act"`   // evidence, export, backup, restore, replay, token, source, alert, share
	Ref       Ref    `json:"ref"`   // the record; empty: none
}

// Policy: a setting changed.
type Policy struct {
	Workspace string `json:"workspace"`
	Key       string `json:"key"`
	From      string `json:"from"`
	To        string `json:"to"`
	Reason    string `json:"reason"` // free text, at most 500 bytes
	Author    string `json:"author"` // free text, at most 100 bytes
}

// Key: keys of a workspace were made or destroyed.
type Key struct {
	Workspace string `json:"workspace"`
	Act       string `json:"act"`   // created, epochs-destroyed, workspace-destroyed
	Below     uint32 `json:"below"` // epochs before this one
	Count     int64  `json:"count"` // how many keys
}

// Recording: how the recording of a call ended, or that what was kept of it is gone.
type Recording struct {
	Workspace string `json:"workspace"`
	Ref       Ref    `json:"ref"`      // the call; empty: a recording that a crash left, whose call is not known
	ID        string `json:"id"`       // of the recording, 32 hexadecimal digits
	State     string `json:"state"`    // of the call after Trace
	Kept      bool   `json:"kept"`     // its key was stored with this entry
	Rule      int64  `json:"rule"`     // version of the rule that was followed
	Basis     string `json:"basis"`    // notice, opt-in, one-party; stated: the platform plays the notice
	Notice    string `json:"notice"`   // the business's name of it
	Language  string `json:"language"` // BCP 47
	Audio     Digest `json:"audio"`    // SHA-256 of the notice's audio; zero: not known
	From      int64  `json:"from"`     // when it began, microseconds since 1970 UTC; 0: it did not
	To        int64  `json:"to"`       // when it was sent to its end; 0: it was not
	Via       string `json:"via"`      // of the person's last word; "": none
	Key       string `json:"key"`      // with which it was said; "": none
	Trace     []Move `json:"trace"`
}

// Move is one event of a call and the state after it, in the words of docs/consent.md.
type Move struct {
	On string `json:"on"`
	To string `json:"to"`
	At int64  `json:"at"` // microseconds since 1970 UTC
}

// Tenancy: what whoever runs the server did with a workspace.
type Tenancy struct {
	Workspace string `json:"workspace"`
	Act       string `json:"act"` // limited, suspended, resumed, exported, deleting, deleted
}

// GoneAct is the act of the last entry about a workspace that is deleted.
const GoneAct = "deleted"

// Kinds are the names of the entry types, for filters.
var Kinds = []string{"consent", "erasure", "budget", "access", "policy", "key", "recording", "tenancy"}

func (Consent) kind() string { return "consent" }
func (Erasure) kind() string { return "erasure" }
func (Budget) kind() string  { return "budget" }
func (Access) kind() string  { return "access" }
func (Policy) kind() string  { return "policy" }
func (Key) kind() string     { return "key" }

func (Recording) kind() string { return "recording" }
func (Tenancy) kind() string   { return "tenancy" }

func (e Consent) workspace() string { return e.Workspace }
func (e Erasure) workspace() string { return e.Workspace }
func (e Budget) workspace() string  { return e.Workspace }
func (e Access) workspace() string  { return e.Workspace }
func (e Policy) workspace() string  { return e.Workspace }
func (e Key) workspace() string     { return e.Workspace }

func (e Recording) workspace() string { return e.Workspace }
func (e Tenancy) workspace() string   { return e.Workspace }

func (e Consent) salted(r io.Reader) (_ Entry, err error) {
	e.Ref, err = e.Ref.salted(r)
	return e, err
}
func (e Erasure) salted(r io.Reader) (_ Entry, err error) {
	e.Ref, err = e.Ref.salted(r)
	return e, err
}
func (e Access) salted(r io.Reader) (_ Entry, err error) {
	if len(e.Ref) != 0 {
		e.Ref, err = e.Ref.salted(r)
	}
	return e, err
}
func (e Recording) salted(r io.Reader) (_ Entry, err error) {
	if len(e.Ref) != 0 {
		e.Ref, err = e.Ref.salted(r)
	}
	return e, err
}
func (e Budget) salted(io.Reader) (Entry, error) { return e, nil }
func (e Policy) salted(io.Reader) (Entry, error) { return e, nil }
func (e Key) salted(io.Reader) (Entry, error)    { return e, nil }

func (e Tenancy) salted(io.Reader) (Entry, error) { return e, nil }

var (
	workspaceName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	periodName    = regexp.MustCompile(`^\d{4}(-\d\d(-\d\d)?|-W\d\d)?$`)
	policyKey     = regexp.MustCompile(`^[a-z][a-z-]{0,31}$`)
	policyValue   = regexp.MustCompile(`^[A-Za-z0-9 _./:,;*#+-]{0,200}$`)
	longNumber    = regexp.MustCompile(`\d{5}`) // no setting has one, a telephone number does

	recordingID = regexp.MustCompile(`^[0-9a-f]{32}$`)
	noticeName  = regexp.MustCompile(`^[a-z0-9-]{0,32}$`)
	languageTag = regexp.MustCompile(`^([a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2})?$`)
	pressedKey  = regexp.MustCompile(`^[0-9*#]?$`)
	word        = regexp.MustCompile(`^[a-z_]{1,24}$`)

	consentSubjects = []string{"call", "contact", "contact-calls", "linked", "linked-calls", "call-in", "contact-in"}
	consentActs     = []string{
		"opted-out", "opted-in", "withdrawn", "noticed", // opted-out: of everything
		"opted-out:record", "opted-out:transcribe", "opted-out:analyse", "opted-out:share",
		"opted-in:record", "opted-in:transcribe", "opted-in:analyse", "opted-in:share",
	}
	consentVias  = []string{"unknown", "dtmf", "speech", "menu", "agent", "sms", "web", "import", "recordpref", "api", "policy"}
	erasureSteps = []string{"", "rows-gone", "keys-gone"}
	budgetSteps  = []string{"reserve", "commit"}
	accessActs   = []string{"evidence", "export", "backup", "restore", "replay", "token", "source", "alert", "share"}
	bases        = []string{"", "deny", "notice", "opt-in", "one-party", "stated"}
	keyActs      = []string{"created", "epochs-destroyed", "workspace-destroyed"}
	tenancyActs  = []string{"limited", "suspended", "resumed", "exported", "deleting", GoneAct}
)

// must returns ErrEntry naming the field, never its value.
func must(ok bool, field string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("field %s: %w", field, ErrEntry)
}

func (e Consent) check() error {
	return errors.Join(
		must(workspaceName.MatchString(e.Workspace), "workspace"),
		must(slices.Contains(consentSubjects, e.Subject), "subject"),
		must(len(e.Ref) == saltedLen, "ref"),
		must(slices.Contains(consentActs, e.Act), "act"),
		must(slices.Contains(consentVias, e.Via), "via"))
}

func (e Erasure) check() error {
	return errors.Join(
		must(workspaceName.MatchString(e.Workspace), "workspace"),
		must(len(e.Ref) == saltedLen, "ref"),
		must(slices.Contains(erasureSteps, e.Step), "step"))
}

func (e Budget) check() error {
	return errors.Join(
		must(e.Workspace == "" || workspaceName.MatchString(e.Workspace), "workspace"),
		must(periodName.MatchString(e.Period), "period"),
		must(slices.Contains(budgetSteps, e.Step), "step"),
		must(e.NanoRho >= 0, "nano_rho"), must(e.FemtoDelta >= 0, "femto_delta"), must(e.LeftRho >= 0, "left_nano_rho"))
}

func (e Access) check() error {
	return errors.Join(
		must(workspaceName.MatchString(e.Workspace), "workspace"),
		must(slices.Contains(accessActs, e.Act), "act"),
		must(len(e.Ref) == 0 || len(e.Ref) == saltedLen, "ref"))
}

func (e Policy) check() error {
	value := func(s string) bool { return policyValue.MatchString(s) && !longNumber.MatchString(s) }
	return errors.Join(
		must(workspaceName.MatchString(e.Workspace), "workspace"),
		must(policyKey.MatchString(e.Key), "key"),
		must(value(e.From), "from"), must(value(e.To), "to"),
		must(prose(e.Reason, MaxProse), "reason"), must(prose(e.Author, MaxAuthor), "author"))
}

func (e Key) check() error {
	return errors.Join(
		must(workspaceName.MatchString(e.Workspace), "workspace"),
		must(slices.Contains(keyActs, e.Act), "act"),
		must(e.Count >= 0, "count"))
}

func (e Tenancy) check() error {
	return errors.Join(
		must(workspaceName.MatchString(e.Workspace), "workspace"),
		must(slices.Contains(tenancyActs, e.Act), "act"))
}

func (e Recording) check() error {
	name := func(s string) bool { return noticeName.MatchString(s) && !longNumber.MatchString(s) }
	moves := len(e.Trace) <= maxMoves
	for _, m := range e.Trace {
		moves = moves && word.MatchString(m.On) && word.MatchString(m.To) && m.At >= 0
	}
	return errors.Join(
		must(workspaceName.MatchString(e.Workspace), "workspace"),
		must(len(e.Ref) == 0 || len(e.Ref) == saltedLen, "ref"),
		must(recordingID.MatchString(e.ID), "id"), must(word.MatchString(e.State), "state"),
		must(e.Rule > 0, "rule"), must(slices.Contains(bases, e.Basis), "basis"),
		must(name(e.Notice), "notice"), must(languageTag.MatchString(e.Language), "language"),
		must(e.From >= 0 && e.To >= 0, "from"),
		must(e.Via == "" || slices.Contains(consentVias, e.Via), "via"), must(pressedKey.MatchString(e.Key), "key"),
		must(moves, "trace"))
}

const maxMoves = 100

// prose is one line of printable text.
// MaxProse is the longest reason of a change, MaxAuthor the longest name of who made it, in bytes.
const (
	MaxProse  = 500
	MaxAuthor = 100
)

// Prose reports whether free text can stand in an entry: one line that can be printed, of at most MaxProse bytes.
func Prose(s string) bool { return prose(s, MaxProse) }

func prose(s string, most int) bool {
	if len(s) > most || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// encode gives the canonical JSON of an entry: the fields in their order, no white space, no HTML escapes.
func encode(e Entry) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads an entry and refuses every body that encode does not write.
func decode(kind string, body []byte) (Entry, error) {
	switch kind {
	case "consent":
		return decodeAs[Consent](body)
	case "erasure":
		return decodeAs[Erasure](body)
	case "budget":
		return decodeAs[Budget](body)
	case "access":
		return decodeAs[Access](body)
	case "policy":
		return decodeAs[Policy](body)
	case "key":
		return decodeAs[Key](body)
	case "recording":
		return decodeAs[Recording](body)
	case "tenancy":
		return decodeAs[Tenancy](body)
	}
	return nil, fmt.Errorf("unknown kind: %w", ErrEntry)
}

func decodeAs[E Entry](body []byte) (Entry, error) {
	var e E
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("body of %d bytes: %w", len(body), ErrEntry)
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	if again, err := encode(e); err != nil || !bytes.Equal(again, body) {
		return nil, fmt.Errorf("body of %d bytes is not canonical: %w", len(body), ErrEntry)
	}
	return e, nil
}

// Ref points at a call or a contact. As given to Append it is the 16 bytes of an id or a pseudonym; as kept
// it is a random salt and a hash of both, so that two entries about one person cannot be linked, nor an
// entry be tied to a person without the workspace's pseudonym key.
type Ref []byte

const (
	plainLen  = 16
	saltLen   = 16
	saltedLen = 32
)

// Is reports whether a kept reference points at id.
func (r Ref) Is(id [16]byte) bool {
	return len(r) == saltedLen && subtle.ConstantTimeCompare(r, saltRef(r[:saltLen], id[:])) == 1
}

func (r Ref) salted(rand io.Reader) (Ref, error) {
	if len(r) != plainLen {
		return nil, must(false, "ref")
	}
	salt := make([]byte, saltLen)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return nil, fmt.Errorf("random salt: %w", err)
	}
	return saltRef(salt, r), nil
}

func saltRef(salt, id []byte) Ref {
	h := sha256.New()
	h.Write([]byte("murmur ledger ref 1\x00"))
	h.Write(salt)
	h.Write(id)
	return append(slices.Clone(salt), h.Sum(nil)[:saltedLen-saltLen]...)
}

// MarshalText writes hexadecimal.
func (r Ref) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, r), nil }

// UnmarshalText reads hexadecimal.
func (r *Ref) UnmarshalText(b []byte) error {
	v, err := hex.DecodeString(string(b))
	*r = v
	if err != nil {
		return ErrEntry
	}
	return nil
}

// Digest is a SHA-256 of something that stays outside the ledger.
type Digest [sha256.Size]byte

// MarshalText writes hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads hexadecimal.
func (d *Digest) UnmarshalText(b []byte) error {
	v, err := hex.DecodeString(string(b))
	if err != nil || len(v) != len(d) {
		return ErrEntry
	}
	*d = Digest(v)
	return nil
}
