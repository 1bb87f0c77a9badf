package private

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"murmur/internal/fact"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/identity"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/connect"
	"murmur/internal/private/internal/source/twilio"
	"murmur/internal/workspace"
)

// A platform is a telephone system that runs calls for the business and records them when murmur tells it to: Twilio.
// What a caller hears is decided here, by the same consent machine and the same events as POST /v1/calls/{id}/events.

// ErrNoScript is returned for a call of a source that does not say where its calls go.
var ErrNoScript = errors.New("this source is not set up to answer calls")

// Answer is murmur's answer to a platform about a live call.
type Answer struct {
	Call   string
	Body   []byte // TwiML
	State  CallState
	Record bool // the notice has ended: the recording may start now, and may not before
}

// SignsAddress reports whether a kind of source signs its own address and sends forms.
func SignsAddress(kind string) bool {
	s, _ := connect.For(kind)
	_, ok := s.(source.Addressed)
	return ok
}

// Controls reports whether a source can stop and delete the recording of a call.
func Controls(src workspace.Source, call string) bool {
	s, _ := connect.For(src.Kind)
	c, ok := s.(source.Controller)
	return ok && src.APIKey != "" && c.Owns(call)
}

// CheckMapping reports whether a kind of source can be connected with a mapping, or without one when it is empty.
func CheckMapping(kind, mapping string) error {
	s, _ := connect.For(kind)
	m, ok := s.(source.Mapped)
	if !ok && mapping == "" {
		return nil
	}
	if !ok || mapping == "" {
		return ErrMapping
	}
	_, err := m.With([]byte(mapping))
	if err != nil {
		return errors.Join(ErrMapping, err)
	}
	return nil
}

// ErrMapping is returned for a mapping that is missing, cannot be used, or is given to a kind that needs none.
var ErrMapping = errors.New("a source of kind webhook needs a mapping, and no other kind takes one")

// SigningSecret is the part of an API key that a kind's vendor signs with; empty: it is another secret.
func SigningSecret(kind, apiKey string) string {
	s, _ := connect.For(kind)
	if k, ok := s.(source.Keyed); ok && apiKey != "" {
		return k.SigningSecret(apiKey)
	}
	return ""
}

// CanRegister reports whether a kind's webhook can be set up over its API.
func CanRegister(kind string) bool {
	s, _ := connect.For(kind)
	_, ok := s.(source.Registrar)
	return ok
}

// connector is the connector of a source, at the addresses that its vendor may have called.
func connector(src workspace.Source, urls []string) (source.Source, error) {
	s, ok := connect.For(src.Kind)
	if !ok {
		return nil, errors.New("the kind of the source is not known to this version")
	}
	if a, ok := s.(source.Addressed); ok {
		s = a.At(urls...)
	}
	if m, ok := s.(source.Mapped); ok {
		return m.With([]byte(src.Config.Mapping))
	}
	return s, nil
}

// replays is how often a notice begins again after a key without meaning; then the call goes on unrecorded.
const replays = 2

// AnswerCall says what a call of a platform hears next. step is voice when the call comes in, heard when the notice was
// played or a key was pressed, done when its Dial ended; again counts how often the notice began again. Once the
// request is verified there is always an Answer: after any failure the caller gets through, unrecorded.
func (z *Zone) AnswerCall(ctx context.Context, src workspace.Source, step string, again int, h http.Header, body []byte, urls ...string) (Answer, error) {
	s, err := connector(src, urls)
	if err != nil {
		return Answer{}, err
	}
	d, err := s.Verify(h, body, src.Secrets, z.now())
	switch {
	case errors.Is(err, source.ErrNoKey):
		return Answer{}, ErrNoKey
	case err != nil:
		return Answer{}, ErrSignature
	}
	r, ok := twilio.ReadRequest(d)
	if src.Config.Then == "" || !ok {
		return Answer{}, ErrNoScript
	}
	script := twilio.Script{Language: src.Config.Language, Then: src.Config.Then}
	if c, err := z.store.Condition(ctx, src.Workspace); err != nil || c != workspace.Works {
		return through(script, step, r), err
	}
	switch step {
	case "voice":
		return z.greet(ctx, src, script, r)
	case "heard":
		return z.heard(ctx, src, script, r, again)
	case "done":
		_, journaled := z.append(ctx, src.Workspace, from(src), []source.Delivery{d})
		state, err := z.CallEvent(ctx, src.Workspace, r.Call, CallEvent{Kind: "hangup"})
		return Answer{Call: r.Call, Body: script.End(), State: state}, errors.Join(journaled, err)
	}
	return Answer{}, ErrNoScript
}

// through lets a call of a workspace that is suspended go where it goes, unrecorded; nothing is written down.
func through(script twilio.Script, step string, r twilio.Request) Answer {
	if step == "done" {
		return Answer{Call: r.Call, Body: script.End()}
	}
	return Answer{Call: r.Call, Body: script.Connect("done")}
}

// greet begins a call with the notice that it needs. Twilio asks twice when an answer is lost: the second time it only
// gets the same answer.
func (z *Zone) greet(ctx context.Context, src workspace.Source, script twilio.Script, r twilio.Request) (Answer, error) {
	a := Answer{Call: r.Call, Body: script.Connect("done")}
	known := z.book.Find(src.Workspace, r.Call) != nil
	var err error
	if a.State, err = z.CallEvent(ctx, src.Workspace, r.Call, CallEvent{Kind: "began", Contact: r.From}); err != nil {
		return a, err
	}
	asks := a.State.State == consent.Asking.String()
	if a.State.State != consent.Noticing.String() && !asks {
		a.Record = !known && a.State.State == consent.Holding.String() // one party's consent suffices here
		return a, nil
	}
	if !known {
		notice := CallNotice{ID: src.Kind + "-" + script.Speaks(), Language: script.Speaks()}
		if a.State, err = z.CallEvent(ctx, src.Workspace, r.Call, CallEvent{Kind: "notice_started", Notice: notice}); err != nil {
			return a, err
		}
	}
	a.Body = script.Notice("heard")
	if asks {
		a.Body = script.Question("heard")
	}
	return a, nil
}

// heard takes what a caller did: a key, or nothing until the end of what was said.
func (z *Zone) heard(ctx context.Context, src workspace.Source, script twilio.Script, r twilio.Request, again int) (Answer, error) {
	a := Answer{Call: r.Call, Body: script.Connect("done")}
	before := ""
	if t := z.book.Find(src.Workspace, r.Call); t != nil {
		before = t.State().String()
	}
	e := CallEvent{Kind: "key", Key: r.Key}
	if r.Key == "" {
		e.Kind = "notice_ended"
	}
	if r.Key == "" && before == consent.Holding.String() {
		a.State = callState(consent.Holding) // asked twice
		return a, nil
	}
	var err error
	if a.State, err = z.CallEvent(ctx, src.Workspace, r.Call, e); err != nil {
		return a, err
	}
	next := "heard?again=" + strconv.Itoa(again+1)
	switch state := a.State.State; {
	case state == consent.Holding.String():
		a.Record = before != state
	case state == consent.Noticing.String() && before == consent.Asking.String():
		a.Body = script.Thanks("heard")
	case again >= replays: // the machine gives the call up by itself
	case state == consent.Noticing.String():
		a.Body = script.Notice(next)
	case state == consent.Asking.String():
		a.Body = script.Question(next)
	}
	return a, nil
}

// hungUp ends the live call that a verified delivery says is over. Nothing happens for calls that are not live here.
func (z *Zone) hungUp(ctx context.Context, src workspace.Source, d source.Delivery) error {
	if src.Kind != "twilio" {
		return nil
	}
	r, ok := twilio.ReadRequest(d)
	if !ok || !r.Over || r.Parent || z.book.Find(src.Workspace, r.Call) == nil {
		return nil
	}
	_, err := z.CallEvent(ctx, src.Workspace, r.Call, CallEvent{Kind: "hangup"})
	return err
}

// Standing says whether a platform's recording may be kept.
type Standing int

// The standings.
const (
	MustGo  Standing = iota // no consent, or not any more, or murmur stopped during the call: delete it
	IsLive                  // the call goes on, and may be recorded
	MayStay                 // the call ended with consent
)

// Stands reports whether the recording of a call may be kept. The recording of an unknown call must
// be deleted.
func (z *Zone) Stands(ctx context.Context, ws workspace.ID, call string) (Standing, error) {
	key, err := z.ring.Pseudonym(ws)
	if err != nil {
		return MustGo, err
	}
	known, err := z.register.Known(ctx, ws, identity.Ref(key, fact.KindCall, call))
	if err != nil || known.Call.Out&consent.Heard != 0 {
		return MustGo, err
	}
	if t := z.book.Find(ws, call); t != nil {
		switch s := t.State(); {
		case !s.Over():
			return IsLive, nil
		case s == consent.Released:
			return MayStay, nil
		}
		return MustGo, nil
	}
	r, err := z.Receipt(ctx, ws, call)
	if err != nil || len(r.Takes) == 0 {
		return MustGo, err
	}
	for _, t := range r.Takes {
		if t.State != consent.Released.String() {
			return MustGo, nil
		}
	}
	return MayStay, nil
}

// mayFetch keeps the audio of a call that a platform was told to record from being fetched before the call has ended with
// consent: what must be deleted there is not copied first.
func (z *Zone) mayFetch(ctx context.Context, src workspace.Source, call string) (bool, error) {
	if src.Config.Then == "" || !Controls(src, call) {
		return true, nil
	}
	s, err := z.Stands(ctx, src.Workspace, call)
	return s == MayStay, err
}

// StartRecording tells a platform to record a live call. After an error the platform may record all
// the same.
func (z *Zone) StartRecording(ctx context.Context, src workspace.Source, call string) error {
	c, api, err := z.controller(src, call)
	if err != nil {
		return err
	}
	return trouble(c.StartRecording(ctx, api, call))
}

// EndRecording tells a platform to stop recording a call and to delete its recordings, transcripts too. gone: the
// platform had already said, before it was told, that it records nothing and has nothing.
func (z *Zone) EndRecording(ctx context.Context, src workspace.Source, call string) (gone bool, err error) {
	c, api, err := z.controller(src, call)
	if err != nil {
		return false, err
	}
	stop := c.StopRecording(ctx, api, call)
	still := stop == nil
	if errors.Is(stop, source.TroubleMissing) {
		stop = nil
	}
	found, deleted := c.DeleteRecordings(ctx, api, call)
	if err := errors.Join(stop, deleted); err != nil {
		return false, trouble(err)
	}
	return !still && found == 0, nil
}

func (z *Zone) controller(src workspace.Source, call string) (source.Controller, source.API, error) {
	if !Controls(src, call) {
		return nil, nil, ErrNoPolling
	}
	s, _ := connect.For(src.Kind)
	api, err := z.urgent(src)
	return s.(source.Controller), api, err
}
