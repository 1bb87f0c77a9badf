package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"murmur/internal/receipt"
)

// CallID is a call's id as the telephony gave it.
type CallID struct {
	ID string `path:"id" minLength:"1" maxLength:"256" pattern:"^[!-.0-~]+$" doc:"the call's id at its source: printable ASCII but /, escaped as in any URL"`
}

type viaBody struct {
	Via string `json:"via" enum:"dtmf,speech,menu,agent,sms,web,import,record_pref,api" doc:"how the person said so"`
}

type contactBody struct {
	Contact string `json:"contact" minLength:"3" maxLength:"320" doc:"a telephone number or an e-mail address"`
}

type refusalBody struct {
	Contact string `json:"contact" minLength:"3" maxLength:"320" doc:"a telephone number or an e-mail address"`
	Via     string `json:"via" enum:"dtmf,speech,menu,agent,sms,web,import,record_pref,api" doc:"how the person said so"`
}

// eventBody names the event in event; kind, with hyphens, is how the first version named it.
type eventBody struct {
	Event   string     `json:"event,omitempty" enum:"began,notice_started,notice_ended,key,opted_in,opted_out,suspended,resumed,hangup"`
	Kind    string     `json:"kind,omitempty" deprecated:"true" enum:"notice-started,notice-ended,key,hangup" doc:"the same as event"`
	Key     string     `json:"key,omitempty" maxLength:"1" pattern:"^[0-9*#]?$" doc:"for key"`
	Via     string     `json:"via,omitempty" enum:"dtmf,speech,menu,agent,sms,web,import,record_pref,api" doc:"for opted_in and opted_out"`
	Contact string     `json:"contact,omitempty" maxLength:"320" doc:"for began: number or address of the outside party"`
	Notice  CallNotice `json:"notice,omitzero" doc:"for notice_started"`
	At      time.Time  `json:"at,omitzero" doc:"when; default: now. Send it: an event that is reported twice is then known as one"`
}

// event reads the body; false for a field that does not go with the event.
func (b eventBody) event(now time.Time) (CallEvent, bool) {
	e := CallEvent{Kind: b.Event, Key: b.Key, Via: b.Via, Contact: b.Contact, Notice: b.Notice, At: b.At}
	if e.Kind == "" {
		e.Kind = strings.ReplaceAll(b.Kind, "-", "_")
	}
	if e.At.IsZero() {
		e.At = now
	}
	said := e.Kind == "opted_in" || e.Kind == "opted_out"
	ok := (b.Event == "") != (b.Kind == "") && (e.Kind == "key") == (e.Key != "") && (said || e.Via == "") &&
		(e.Kind == "began" || e.Contact == "") && (e.Kind == "notice_started" || e.Notice == CallNotice{})
	return e, ok
}

// people registers what concerns one call or one person. Addresses stand in bodies, never in URLs.
func (a api) people(h huma.API) {
	huma.Register(h, heeded(noContent(op(http.MethodPost, "/v1/calls/{id}/opt-out", "call-opt-out", Privacy, "Refuse a call's content; a call not seen yet is remembered"))),
		func(ctx context.Context, in *struct {
			Scoped
			CallID
			Body viaBody
		}) (*struct{}, error) {
			return nil, a.answer(ctx, a.Calls.OptOut(ctx, access(ctx).Workspace, in.ID, in.Body.Via))
		})
	huma.Register(h, op(http.MethodPost, "/v1/calls/{id}/events", "call-event", Owner, "Tell what happens on a live call; the answer says what to do"),
		func(ctx context.Context, in *struct {
			Scoped
			CallID
			Body eventBody
		}) (*body[CallState], error) {
			e, ok := in.Body.event(a.Now())
			if !ok {
				return nil, huma.Error422UnprocessableEntity("one event, and only the fields that go with it")
			}
			s, err := a.Calls.Event(ctx, access(ctx).Workspace, in.ID, e)
			return &body[CallState]{s}, a.answer(ctx, err)
		})
	huma.Register(h, op(http.MethodGet, "/v1/calls/{id}/receipt", "call-receipt", Privacy, "The evidence of one call, as one file that stands alone"),
		func(ctx context.Context, in *struct {
			Scoped
			CallID
		}) (*body[receipt.Call], error) {
			r, err := a.Calls.Receipt(ctx, access(ctx).Workspace, in.ID)
			return &body[receipt.Call]{r}, a.answer(ctx, err)
		})
	huma.Register(h, heeded(noContent(op(http.MethodPost, "/v1/contacts/opt-out", "contact-opt-out", Privacy, "Refuse the content of all of a person's contacts"))),
		func(ctx context.Context, in *struct {
			Scoped
			Body refusalBody
		}) (*struct{}, error) {
			return nil, a.answer(ctx, a.Contacts.OptOut(ctx, access(ctx).Workspace, in.Body.Contact, in.Body.Via))
		})
	huma.Register(h, heeded(op(http.MethodPost, "/v1/erasures", "erase", Privacy, "Erase a person; idempotent, the same answer for a person never seen")),
		func(ctx context.Context, in *struct {
			Scoped
			Body contactBody
		}) (*body[Receipt], error) {
			r, err := a.Contacts.Erase(ctx, access(ctx).Workspace, in.Body.Contact)
			return &body[Receipt]{r}, a.answer(ctx, err)
		})
}

// heeded is an operation that works in a suspended workspace too.
func heeded(o huma.Operation) huma.Operation {
	o.Metadata[always] = true
	return o
}

func noContent(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusNoContent
	return o
}
