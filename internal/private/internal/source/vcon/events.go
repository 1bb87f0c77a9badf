package vcon

import (
	"fmt"
	"strings"
	"time"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
)

// events are what the conversation becomes: first what was said about consent, then calls and messages, then words.
func (c *conversation) events() []event.Event {
	contact, member := c.sides()
	var all []event.Event
	add := func(id string, at time.Time, e event.Event) {
		e.ID, e.At, e.UpdatedAt = id, at, c.updated
		e.Party, e.Others, e.Member = c.person(contact), c.others(contact), c.person(member)
		all = append(all, e)
	}
	silent := false // somebody refused
	for i, b := range c.bases {
		call, at := c.about(b.dialog)
		if at.IsZero() {
			continue
		}
		say := func(act fact.Act, p fact.Purpose) {
			id := fmt.Sprintf("%s/attachment/%d/%d/%d", c.id, i, act, p)
			add(id, at, event.Event{Consent: &event.Consent{Call: call, Purpose: p, Act: act, Via: fact.ViaImport}})
		}
		for _, p := range b.denied {
			silent = silent || p != fact.Share
			say(fact.OptedOut, p)
		}
		for _, p := range b.granted {
			say(fact.OptedIn, p)
		}
	}
	number := ""
	if member >= 0 {
		number = c.parties[member].tel
	}
	for i, d := range c.dialogs {
		switch d.kind {
		case "recording", "incomplete":
			add(c.callID(i), d.start, event.Event{Call: c.call(d, number)})
		case "text":
			m := &event.Message{Direction: c.way(d), Number: number, Media: d.media}
			m.Status = map[fact.Direction]fact.Delivered{fact.In: fact.Received, fact.Out: fact.Sent}[m.Direction]
			if !silent {
				m.Body = personal.New(d.words)
			}
			add(fmt.Sprintf("%s/%d", c.id, i), d.start, event.Event{Message: m})
		}
	}
	type made struct {
		call   string
		origin fact.Origin
	}
	seen := map[made]bool{}
	for i, a := range c.analyses {
		call, at := c.about(a.dialog)
		if !a.used() || at.IsZero() || seen[made{call, a.origin}] || a.dialog >= 0 && c.dialogs[a.dialog].kind == "text" {
			continue // of a call one transcript counts; one of texts says what the texts say
		}
		seen[made{call, a.origin}] = true
		add(fmt.Sprintf("%s/analysis/%d", c.id, i), at, event.Event{Talk: &event.Talk{Call: call, Number: number, Origin: a.origin, Turns: a.turns}})
	}
	return all
}

// callID names the first call of a vCon by its uuid, which is what people know, and each further one by its position.
func (c *conversation) callID(i int) string {
	for _, d := range c.dialogs[:i] {
		if d.kind == "recording" || d.kind == "incomplete" {
			return fmt.Sprintf("%s/%d", c.id, i)
		}
	}
	return c.id
}

// about is the call that a statement is about, and its time: of the dialog at i, else of the first call. A vCon that has
// nothing but the statement is taken for one call.
func (c *conversation) about(i int) (call string, at time.Time) {
	if i >= 0 {
		return c.callID(i), c.dialogs[i].start
	}
	for i, d := range c.dialogs {
		if d.kind == "recording" || d.kind == "incomplete" || d.kind == "text" && i == len(c.dialogs)-1 {
			return c.callID(i), d.start
		}
	}
	return c.id, c.updated
}

// call says how a recording or an attempt ended (draft-ietf-vcon-vcon-core 4.3: dispositions, and what exchanges say).
func (c *conversation) call(d dialog, number string) *event.Call {
	k := &event.Call{Direction: c.way(d), Number: number, Ring: event.RingUnknown}
	word := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(d.disposition))
	k.Result, k.Reason = fact.Missed, map[string]fact.Reason{
		"noanswer": fact.MembersDidNotAnswer, "unanswered": fact.MembersDidNotAnswer, "hungup": fact.Abandoned, "abandoned": fact.Abandoned,
	}[word]
	switch {
	case word == "answered", d.kind == "recording" && !notAnswered[word]:
		k.Result = fact.Answered
		k.Answered, k.Completed = d.start, d.start.Add(time.Duration(d.seconds*float64(time.Second)))
	case word == "voicemail":
		k.Voicemail = true
	}
	if k.Result == fact.Missed && k.Direction == fact.Out {
		k.Result, k.Reason = fact.Failed, 0
	}
	return k
}

// notAnswered are the dispositions of a call that nobody answered although something was recorded.
var notAnswered = map[string]bool{
	"noanswer": true, "unanswered": true, "hungup": true, "abandoned": true, "busy": true, "failed": true, "congestion": true,
	"voicemail": true, "voicemailnomessage": true, "missed": true, "canceled": true, "cancelled": true,
}

// way is the direction of a dialog: as somebody wrote it down, else whose side began it where roles say so. The texts of
// a conversation have a direction in any case, because one of them answers the other.
func (c *conversation) way(d dialog) fact.Direction {
	said := d.direction
	if said == "" && d.kind != "text" {
		said = c.direction
	}
	switch {
	case said == "in":
		return fact.In
	case said == "out":
		return fact.Out
	case d.kind != "text" && !c.roles():
		return 0
	}
	switch c.sideOf(d.originator) {
	case fact.SideContact:
		return fact.In
	case fact.SideMember:
		return fact.Out
	}
	return 0
}

// roles reports whether any party has one.
func (c *conversation) roles() bool {
	for _, p := range c.parties {
		if sideOfRole(p.role) != 0 {
			return true
		}
	}
	return false
}

// sideOf is the side of a party.
func (c *conversation) sideOf(i int) fact.Side {
	if i < 0 || i >= len(c.parties) {
		return 0
	}
	if s := sideOfRole(c.parties[i].role); s != 0 {
		return s
	}
	if c.roles() { // the others are on the other side of those who have one
		for _, p := range c.parties {
			if sideOfRole(p.role) == fact.SideMember {
				return fact.SideContact
			}
		}
		return fact.SideMember
	}
	if i == c.caller() {
		return fact.SideContact
	}
	return fact.SideMember
}

// caller is the contact of a conversation without roles: who began it, or of a call that went out who was called.
func (c *conversation) caller() int {
	for _, d := range c.dialogs {
		if d.originator < 0 {
			continue
		}
		if c.direction != "out" && d.direction != "out" {
			return d.originator
		}
		for _, i := range d.parties {
			if i != d.originator {
				return i
			}
		}
	}
	return 0
}

// sides are the first contact and the first member; -1: there is none.
func (c *conversation) sides() (contact, member int) {
	contact, member = -1, -1
	for i := range c.parties {
		switch s := c.sideOf(i); {
		case s == fact.SideContact && contact < 0:
			contact = i
		case s == fact.SideMember && member < 0:
			member = i
		}
	}
	return contact, member
}

// others are the contacts beside the first.
func (c *conversation) others(first int) (all []event.Party) {
	for i := range c.parties {
		if i != first && c.sideOf(i) == fact.SideContact {
			all = append(all, c.person(i))
		}
	}
	return all
}

// person is a party as an event has it. Of a member all names and addresses of the others are known subjects too.
func (c *conversation) person(i int) event.Party {
	if i < 0 {
		return event.Party{}
	}
	p := event.Party{Name: personal.New(c.parties[i].name)}
	for _, a := range c.parties[i].addresses {
		if p.Address.Empty() {
			p.Address = personal.New(a)
		} else {
			p.Also = append(p.Also, personal.New(a))
		}
	}
	for k, other := range c.parties {
		if k != i && c.sideOf(i) == fact.SideMember && c.sideOf(k) == fact.SideMember {
			p.Also = append(p.Also, personal.New(other.name))
			for _, a := range other.addresses {
				p.Also = append(p.Also, personal.New(a))
			}
		}
	}
	return p
}

func sideOfRole(role string) fact.Side {
	switch strings.ToLower(role) {
	case "customer", "contact", "caller", "client", "consumer", "guest", "patient", "lead", "prospect":
		return fact.SideContact
	case "agent", "member", "employee", "staff", "operator", "representative", "rep", "supervisor", "host", "assistant", "bot", "system":
		return fact.SideMember
	}
	return 0
}
