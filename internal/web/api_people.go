package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// CallID is a call's id as the telephony gave it.
type CallID struct {
	ID string `path:"id" minLength:"1" maxLength:"128" pattern:"^[A-Za-z0-9._:~-]+$" doc:"the call's id at its source"`
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

type eventBody struct {
	Kind string    `json:"kind" enum:"notice-started,notice-ended,key,hangup"`
	Key  string    `json:"key,omitempty" maxLength:"1" pattern:"^[0-9*#]?$" doc:"for key"`
	At   time.Time `json:"at,omitzero" doc:"when; default: now"`
}

// people registers what concerns one call or one person. Addresses stand in bodies, never in URLs.
func (a api) people(h huma.API) {
	huma.Register(h, noContent(op(http.MethodPost, "/v1/calls/{id}/opt-out", "call-opt-out", Privacy, "Refuse a call's content; a call not seen yet is remembered")),
		func(ctx context.Context, in *struct {
			Scoped
			CallID
			Body viaBody
		}) (*struct{}, error) {
			return nil, a.answer(ctx, a.Calls.OptOut(ctx, access(ctx).Workspace, in.ID, in.Body.Via))
		})
	huma.Register(h, noContent(op(http.MethodPost, "/v1/calls/{id}/events", "call-event", Owner, "Tell what happens on a live call")),
		func(ctx context.Context, in *struct {
			Scoped
			CallID
			Body eventBody
		}) (*struct{}, error) {
			if (in.Body.Kind == "key") != (in.Body.Key != "") {
				return nil, huma.Error422UnprocessableEntity("key goes with the kind key, and only with it")
			}
			e := CallEvent{Kind: in.Body.Kind, Key: in.Body.Key, At: in.Body.At}
			if e.At.IsZero() {
				e.At = a.Now()
			}
			return nil, a.answer(ctx, a.Calls.Event(ctx, access(ctx).Workspace, in.ID, e))
		})
	huma.Register(h, op(http.MethodGet, "/v1/calls/{id}/receipt", "call-receipt", Privacy, "The evidence of one call"),
		func(ctx context.Context, in *struct {
			Scoped
			CallID
		}) (*body[CallReceipt], error) {
			r, err := a.Calls.Receipt(ctx, access(ctx).Workspace, in.ID)
			r.Entries = append([]CallEntry{}, r.Entries...)
			return &body[CallReceipt]{r}, a.answer(ctx, err)
		})
	huma.Register(h, noContent(op(http.MethodPost, "/v1/contacts/opt-out", "contact-opt-out", Privacy, "Refuse the content of all of a person's contacts")),
		func(ctx context.Context, in *struct {
			Scoped
			Body refusalBody
		}) (*struct{}, error) {
			return nil, a.answer(ctx, a.Contacts.OptOut(ctx, access(ctx).Workspace, in.Body.Contact, in.Body.Via))
		})
	huma.Register(h, op(http.MethodPost, "/v1/erasures", "erase", Privacy, "Erase a person; idempotent, the same answer for a person never seen"),
		func(ctx context.Context, in *struct {
			Scoped
			Body contactBody
		}) (*body[Receipt], error) {
			r, err := a.Contacts.Erase(ctx, access(ctx).Workspace, in.Body.Contact)
			return &body[Receipt]{r}, a.answer(ctx, err)
		})
}

func noContent(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusNoContent
	return o
}
