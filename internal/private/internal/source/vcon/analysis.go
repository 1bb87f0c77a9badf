package vcon

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/source/strictjson"
)

// analysis is what somebody made of a dialog, as far as it is its words.
type analysis struct {
	dialog int // -1: the vCon does not say of which
	origin fact.Origin
	turns  []event.Turn
}

func (a analysis) used() bool { return len(a.turns) > 0 }

// maxTurns is how many turns of a transcript are read.
const maxTurns = 20_000

// analysis reads transcripts and summaries; everything else is left. No standard says what their bodies look like: the
// shapes of the writers that are known are read (turnsOf), others are no transcript.
func (r *reader) analysis(v strictjson.Value, where string, c *conversation) (a analysis) {
	a.dialog = -1
	if of := r.indices(v.Get("dialog"), where+".dialog", len(c.dialogs)); len(of) > 0 {
		a.dialog = of[0]
	}
	kind := strings.ToLower(r.text(v, "type", where+".type"))
	body := v.Get("body")
	if text, ok := body.AsText(); ok {
		if b, _ := r.body(v, where); json.Valid(b) {
			if inner, err := strictjson.Parse(b); err == nil && !isText(inner) {
				body = inner
			}
		} else {
			text = string(b)
		}
		if !strings.Contains(kind, "transcript") && kind != "summary" {
			return a // a sentence about the conversation
		}
		a.turns = []event.Turn{{Words: personal.New(text)}}
	}
	if !isText(body) {
		a.turns = turnsOf(body, c, 0)
	}
	a.origin = fact.VendorTranscript
	if kind == "summary" {
		a.origin = fact.VendorSummary
	}
	a.turns = slices.DeleteFunc(a.turns, func(t event.Turn) bool { return t.Words.Empty() })
	return a
}

func isText(v strictjson.Value) bool {
	_, ok := v.AsText()
	return ok
}

// spoken and speakers are the names under which writers put the words of a turn and who said them; nested are those
// that hold the turns.
var (
	spoken   = []string{"text", "message", "transcript", "body", "content", "sentence"}
	speakers = []string{"speaker", "role", "party", "parties", "speaker_id", "channel"}
	nested   = []string{"transcript", "segments", "turns", "utterances", "dialogue", "messages", "sentences", "body", "paragraphs", "results", "channels", "alternatives"}
)

// turnsOf finds the turns in a body: an array of objects with words, or an object that has such an array, or words.
func turnsOf(v strictjson.Value, c *conversation, depth int) []event.Turn {
	if depth > 8 {
		return nil
	}
	if v.IsList() {
		var all []event.Turn
		for _, item := range v.Items() {
			if len(all) >= maxTurns {
				break
			}
			if t, ok := turnOf(item, c); ok {
				all = append(all, t)
			} else {
				all = append(all, turnsOf(item, c, depth+1)...)
			}
		}
		return all
	}
	for _, name := range nested {
		if inner := v.Get(name); inner.IsList() || inner.IsObject() {
			if all := turnsOf(inner, c, depth+1); len(all) > 0 {
				return all
			}
		}
	}
	if t, ok := turnOf(v, c); ok {
		return []event.Turn{t}
	}
	return nil
}

func turnOf(v strictjson.Value, c *conversation) (t event.Turn, ok bool) {
	for _, name := range nested {
		if inner := v.Get(name); inner.IsList() || inner.IsObject() {
			return t, false
		}
	}
	for _, name := range spoken {
		if words, is := v.Get(name).AsText(); is {
			t.Words, ok = personal.New(words), true
			break
		}
	}
	for _, name := range speakers {
		if who := v.Get(name); who.Exists() && t.Side == 0 {
			t.Side = c.side(who)
		}
	}
	from, okFrom := v.Get("start").AsNumber() // a date, as some have it, gives no seconds
	to, okTo := v.Get("end").AsNumber()
	if long, has := v.Get("duration").AsNumber(); has && !okTo {
		to, okTo = from+long, okFrom
	}
	if okFrom && okTo && from >= 0 && to >= from && to < 366*24*3600 {
		t.Start, t.End = from, to
	}
	return t, ok
}

// side is whose turn it is: a position among the parties, a role, or a party's name.
func (c *conversation) side(who strictjson.Value) fact.Side {
	if i, ok := who.AsIndex(); ok && i < len(c.parties) {
		return c.sideOf(i)
	}
	name, _ := who.AsText()
	if s := sideOfRole(name); s != 0 {
		return s
	}
	for i, p := range c.parties {
		if name != "" && (strings.EqualFold(p.name, name) || p.answersTo(name)) {
			return c.sideOf(i)
		}
	}
	return 0
}

// basis is what a lawful_basis attachment (draft-howe-vcon-lawful-basis) says about a dialog.
type basis struct {
	dialog  int // -1: about all
	granted []fact.Purpose
	denied  []fact.Purpose
}

// purposes are those of a lawful basis that murmur knows.
var purposes = map[string]fact.Purpose{
	"recording": fact.Record, "transcription": fact.Transcribe, "analysis": fact.Analyse, "sharing": fact.Share,
}

// basis reads an attachment. A refusal of a purpose counts in any case; a consent only when it never ends, because what was
// said once is read without a clock.
func (r *reader) basis(v strictjson.Value, where string, c *conversation) (b basis) {
	b.dialog = -1
	kind := r.text(v, "type", where+".type")
	if kind == "" {
		kind = r.text(v, "purpose", where+".purpose")
	}
	if kind != "lawful_basis" {
		return b
	}
	if of := r.indices(v.Get("dialog"), where+".dialog", len(c.dialogs)); len(of) > 0 {
		b.dialog = of[0]
	}
	body := v.Get("body")
	if text, ok := body.AsText(); ok {
		inner, err := strictjson.Parse([]byte(text))
		if err != nil {
			r.reject(fact.WhyNotJSON, where+".body", "a lawful basis that is no JSON")
			return b
		}
		body = inner
	}
	ground, _ := body.Get("lawful_basis").AsText()
	for i, g := range body.Get("purpose_grants").Items() {
		name, _ := g.Get("purpose").AsText()
		purpose := purposes[name]
		if purpose == 0 {
			continue
		}
		switch granted, ok := g.Get("granted").AsBool(); {
		case !ok:
			r.reject(fact.WhyBadField, fmt.Sprintf("%s.body.purpose_grants[%d].granted", where, i), "it is neither true nor false")
		case !granted:
			b.denied = append(b.denied, purpose)
		case ground == "consent" && !body.Has("expiration"):
			b.granted = append(b.granted, purpose)
		}
	}
	return b
}
