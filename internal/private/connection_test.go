package private

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/journal"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/source"
	"murmur/internal/tour"
	"murmur/internal/workspace"
)

// send processes a delivery of a connection and gives its facts.
func (h *callHouse) send(o origin, id, body string) fact.Outcome {
	h.t.Helper()
	_, err := h.zone.append(h.t.Context(), workspace.Default, o, []source.Delivery{{ID: id, Body: []byte(body)}})
	must(h.t, err)
	return h.process(h.inbox[len(h.inbox)-1])
}

func missedCall(id, updated string) string {
	return fmt.Sprintf(`{"schema":"murmur.v1","type":"call","source_id":%q,"occurred_at":%q,"source_updated_at":%q,"direction":"in","outcome":"missed","party":{"phone":"+12125550142"}}`,
		id, tour.Now.Add(-time.Hour).Format(time.RFC3339), updated)
}

// TestAHostileSourceChangesNothingOfAnother: a second source that uses the first one's ids, with versions of a far future,
// makes facts of its own, and none that cannot be outdone for more than a day.
func TestAHostileSourceChangesNothingOfAnother(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	mine := h.send(origin{"desk", "native", "desk"}, "1", missedCall("AC1", tour.Now.Format(time.RFC3339))).Facts[0].Meta()
	theirs := h.send(origin{"evil", "native", "evil"}, "1", missedCall("AC1", "2099-01-01T00:00:00Z")).Facts[0].Meta()
	if mine.ID == theirs.ID {
		t.Error("the call of one source is the call of another")
	}
	if latest := tour.Now.Add(24 * time.Hour).UnixMicro(); theirs.Version > latest|7 {
		t.Errorf("a version lies %s ahead", time.UnixMicro(theirs.Version).Sub(tour.Now))
	}
	again := h.send(origin{"desk", "native", "desk"}, "2", missedCall("AC1", tour.Now.Add(time.Second).Format(time.RFC3339))).Facts[0].Meta()
	if again.ID != mine.ID || again.Version <= mine.Version {
		t.Error("a correction of one source is another call, or no newer")
	}
}

// TestARefusalByACallsIDHoldsInEveryConnection: who names a call by its id alone, over the API, refuses it wherever a call of
// that id came from.
func TestARefusalByACallsIDHoldsInEveryConnection(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	must(t, h.zone.OptOutCall(t.Context(), workspace.Default, "AC1", "agent"))
	at := tour.Now.Add(-time.Hour).Format(time.RFC3339)
	for _, connection := range []string{"", "desk", "shop"} {
		if o := h.send(origin{"desk", "native", connection}, "t"+connection, deliveriesOf["native"]("AC1", "+12125550142", at)); o.State != fact.Refused {
			t.Errorf("connection %q: %s", connection, o.State)
		}
	}
	_, r := h.receipt("AC1")
	if r.Verdict != "refuse" || len(r.Entries) != 1 {
		t.Errorf("the receipt says %s with %d entries", r.Verdict, len(r.Entries))
	}
}

// TestFilesSayWhoseIDsTheyUse: the ids of files with other headers are other calls, those of one export's files are the
// same, and a file of a named source has the source's.
func TestFilesSayWhoseIDsTheyUse(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	file := func(headers string) string {
		var b strings.Builder
		b.WriteString(headers + "\n")
		for i := range 10 {
			fmt.Fprintf(&b, "%d,2026-11-09T08:%02d:00Z,inbound,missed,+121255501%02d\n", i+1, i, i)
		}
		return b.String()
	}
	ids := decidedIDs{}
	load := func(name, content string) {
		t.Helper()
		_, err := h.zone.Import(t.Context(), workspace.Default, strings.NewReader(content), ImportOptions{Kind: "calls", Source: name}, ids)
		must(t, err)
	}
	one, other := file("Call ID,Date,Direction,Status,From"), file("ID,Started,Direction,Outcome,Caller")
	load("", one)
	load("", other)
	if len(ids) != 20 {
		t.Errorf("two exports of ten calls are %d calls", len(ids))
	}
	load("desk", one)
	load("desk", other)
	if len(ids) != 30 {
		t.Errorf("two files of one source are %d calls more", len(ids)-20)
	}
	hook := h.send(origin{"desk", "native", "desk"}, "1", missedCall("1", tour.Now.Format(time.RFC3339))).Facts[0].Meta()
	if !ids[hook.ID] {
		t.Error("a call by webhook and in the source's file are two")
	}
	if _, err := h.zone.Import(t.Context(), workspace.Default, strings.NewReader(one), ImportOptions{Source: "Not A Name"}, ids); err == nil {
		t.Error("a name that no source can have is taken")
	}
}

// decidedIDs are the facts that an import made; one worker at a time writes here, for files of one batch.
type decidedIDs map[fact.ID]bool

func (s decidedIDs) Settle(_ context.Context, _ func() bool, in []journal.Message, outcomes []fact.Outcome) ([]bool, error) {
	fresh := make([]bool, len(in))
	for i, o := range outcomes {
		fresh[i] = true
		for _, f := range o.Facts {
			s[f.Meta().ID] = true
		}
	}
	return fresh, nil
}

func (s decidedIDs) Known(context.Context, workspace.ID, []journal.ID) (map[journal.ID]fact.State, error) {
	return nil, nil
}

// TestTheSecondPartyIsAsked: in a call of several people the strictest of all verdicts holds, in any order, and what was
// published before is taken out when whoever came second refuses, or is erased.
func TestTheSecondPartyIsAsked(t *testing.T) {
	t.Parallel()
	at := tour.Now.Add(-time.Hour).Format(time.RFC3339)
	call := func(first, second string) string {
		return fmt.Sprintf(`{"id":"AC7","type":"call.voicemail.completed","createdAt":%[1]q,"data":{"resource":{"id":"AC7","callId":"AC7","direction":"incoming","createdAt":%[1]q,"transcript":"the heater is broken"},
			"context":{"participants":{"external":[%q,%q],"workspace":["+12125550100"]},"phoneNumberId":"PN1"}}}`, at, first, second)
	}
	for name, people := range map[string][2]string{"first": {"+12125550142", "+12125550143"}, "second": {"+12125550143", "+12125550142"}} {
		h := newCallHouse(t, "notice")
		_, err := h.zone.OptOutContact(t.Context(), workspace.Default, "+1 (212) 555-0142", "agent")
		must(t, err)
		if o := h.send(origin{"quo", "quo", "quo"}, "1", call(people[0], people[1])); o.State != fact.Refused {
			t.Errorf("whoever comes %s refused, and it is %s", name, o.State)
		}
	}
	for name, leave := range map[string]func(*callHouse) error{
		"refuses": func(h *callHouse) error {
			_, err := h.zone.OptOutContact(t.Context(), workspace.Default, "+12125550142", "agent")
			return err
		},
		"is erased": func(h *callHouse) error {
			return h.erase("+12125550142")
		},
	} {
		h := newCallHouse(t, "notice")
		o := h.send(origin{"quo", "quo", "quo"}, "1", call("+12125550143", "+12125550142"))
		if o.State != fact.Published {
			t.Fatalf("before: %s %s", o.State, o.Why)
		}
		talk := o.Facts[0].(*fact.Talk)
		before := len(h.inbox)
		must(t, leave(h))
		gone := false
		for _, m := range h.inbox[before:] {
			for _, f := range h.process(m).Facts {
				c, ok := f.(*fact.Consent)
				gone = gone || ok && c.Act == fact.OptedOut && c.Call == talk.Call
			}
		}
		if !gone {
			t.Errorf("whoever came second %s, and the words of the call stay", name)
		}
	}
}

// TestWordsOfNoCallWait: a transcript that does not say of which call it is may be of one that somebody refused.
func TestWordsOfNoCallWait(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	body := strings.Replace(deliveriesOf["native"]("T1", "+12125550142", tour.Now.Add(-time.Hour).Format(time.RFC3339)), `"call":"T1",`, "", 1)
	if o := h.send(origin{"desk", "native", "desk"}, "1", body); o.State != fact.Held || o.Why != fact.WhyNoCall {
		t.Errorf("%s %s", o.State, o.Why)
	}
}

// TestWordsFindTheirCall: a transcript that does not say of which call it is finds it by the contact, the number and the time,
// and with it what was said in the call; where that is not one call it waits.
func TestWordsFindTheirCall(t *testing.T) {
	t.Parallel()
	desk := origin{"desk", "native", "desk"}
	at := func(minute int) string {
		return tour.Now.Add(-time.Hour + time.Duration(minute)*time.Minute).Format(time.RFC3339)
	}
	call := func(id, number string, from, to int) string {
		return fmt.Sprintf(`{"schema":"murmur.v1","type":"call","source_id":%q,"occurred_at":%q,"answered_at":%[2]q,"ended_at":%q,"direction":"in","outcome":"answered","number":%q,"party":{"phone":"+12125550142"}}`,
			id, at(from), at(to), number)
	}
	words := func(number string, minute int) string {
		return fmt.Sprintf(`{"schema":"murmur.v1","type":"transcript","source_id":"T1","occurred_at":%q,"number":%q,"turns":[{"side":"contact","text":"the heater is broken"}],"party":{"phone":"(212) 555-0142"}}`,
			at(minute), number)
	}
	for name, c := range map[string]struct {
		calls  []string
		refuse string
		words  string
		state  fact.State
	}{
		"in the call":           {calls: []string{call("c1", "main", 0, 9)}, words: words("main", 3), state: fact.Published},
		"the call was refused":  {calls: []string{call("c1", "main", 0, 9)}, refuse: "c1", words: words("main", 3), state: fact.Refused},
		"another was refused":   {calls: []string{call("c1", "main", 0, 9), call("c2", "main", 20, 29)}, refuse: "c2", words: words("main", 3), state: fact.Published},
		"after the call":        {calls: []string{call("c1", "main", 0, 9)}, words: words("main", 10), state: fact.Held},
		"another number":        {calls: []string{call("c1", "main", 0, 9)}, words: words("sales", 3), state: fact.Held},
		"no number":             {calls: []string{call("c1", "main", 0, 9)}, words: words("", 3), state: fact.Held},
		"two calls at once":     {calls: []string{call("c1", "main", 0, 9), call("c2", "main", 2, 5)}, words: words("main", 3), state: fact.Held},
		"corrected: it was not": {calls: []string{call("c1", "main", 0, 9), call("c1", "main", 4, 9)}, words: words("main", 3), state: fact.Held},
		"no call":               {words: words("main", 3), state: fact.Held},
	} {
		h := newCallHouse(t, "notice")
		h.policy("transcripts", "notice")
		for i, body := range c.calls {
			if o := h.send(desk, fmt.Sprint("call", i), body); o.State != fact.Published {
				t.Fatalf("%s: the call is %s %s", name, o.State, o.Why)
			}
		}
		if c.refuse != "" {
			must(t, h.zone.OptOutCall(t.Context(), workspace.Default, c.refuse, "agent"))
		}
		o := h.send(desk, "words", c.words)
		if o.State != c.state {
			t.Errorf("%s: %s %s", name, o.State, o.Why)
		}
		if c.state == fact.Published && o.Facts[0].(*fact.Talk).Call != h.builder().call("c1") {
			t.Errorf("%s: the words are of another call", name)
		}
	}
}

// TestWordsThatCameFirstFindTheirCall: whose words wait is known, and that there is a call by now.
func TestWordsThatCameFirstFindTheirCall(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	h.policy("transcripts", "notice")
	at := tour.Now.Add(-time.Hour).Format(time.RFC3339)
	talk := fmt.Sprintf(`{"schema":"murmur.v1","type":"transcript","source_id":"T1","occurred_at":%q,"number":"main","turns":[{"side":"contact","text":"the heater is broken"}],"party":{"phone":"+12125550142"}}`, at)
	if o := h.send(origin{"desk", "native", "desk"}, "words", talk); o.State != fact.Held || o.Why != fact.WhyNoCall {
		t.Fatalf("before the call: %s %s", o.State, o.Why)
	}
	waiting := h.inbox[len(h.inbox)-1]
	placeable := func() []journal.Subject {
		t.Helper()
		all, err := h.zone.Placeable(t.Context())
		must(t, err)
		return all[workspace.Default]
	}
	if all := placeable(); len(all) != 0 {
		t.Errorf("%d contacts have their call before it came", len(all))
	}
	h.send(origin{"quo", "native", "quo"}, "call", fmt.Sprintf(`{"schema":"murmur.v1","type":"call","source_id":"c1","occurred_at":%q,"answered_at":%[1]q,"direction":"in","outcome":"answered","number":"main","party":{"phone":"+12125550142"}}`, at))
	who := h.builder().who("+12125550142").Bytes()
	if all := placeable(); len(all) != 1 || all[0].Contact != who {
		t.Errorf("%d contacts have their call", len(all))
	}
	if o := h.process(waiting); o.State != fact.Published {
		t.Errorf("after the call: %s %s", o.State, o.Why)
	}
	placed := func(at time.Time) {
		t.Helper()
		must(t, h.zone.Placed(t.Context(), workspace.Default, placeable(), at))
	}
	if placed(tour.Now); len(placeable()) != 1 {
		t.Error("words that may not have been there yet are forgotten")
	}
	if placed(tour.Now.Add(2 * time.Minute)); len(placeable()) != 0 {
		t.Errorf("%d contacts still wait", len(placeable()))
	}
}

// TestWordsLookAgainWhenACallCame: words that wait are decided again when there is a call that they were not held against,
// and not over and over; of somebody who was erased no call is remembered, though it was decided before.
func TestWordsLookAgainWhenACallCame(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	now := tour.Now
	r := consent.NewRegister(h.db, h.zone.ledger, h.zone.ring.Slow, func() time.Time { return now })
	who, ws := h.builder().who("+12125550142"), workspace.Default
	spoke := func() {
		t.Helper()
		must(t, r.Tell(t.Context(), consent.Told{Spoken: []consent.Spoken{{Workspace: ws, Call: fact.ID{1}, Contact: who, Number: 7, Began: tour.Now, Ended: tour.Now}}}))
	}
	waiting := func(want int, when string) {
		t.Helper()
		all, err := r.Placeable(t.Context())
		if err != nil || len(all[ws]) != want {
			t.Errorf("%s: words of %d contacts are decided again, want %d (%v)", when, len(all[ws]), want, err)
		}
	}
	spoke()
	now = now.Add(2 * time.Minute)
	must(t, r.Tell(t.Context(), consent.Told{Waiting: []consent.Waiting{{Workspace: ws, Contact: who, Since: now}}}))
	waiting(0, "held against the call")
	spoke()
	waiting(1, "the call was told again")
	now = now.Add(time.Minute)
	_, err := r.Erase(t.Context(), ws, who)
	must(t, err)
	orders, err := r.Orders(t.Context(), ws)
	must(t, err)
	must(t, r.Fulfil(t.Context(), ws, orders))
	spoke()
	if call, err := r.CallAt(t.Context(), ws, 7, tour.Now, nil, who); err != nil || call != (fact.ID{}) {
		t.Errorf("a call of somebody who was erased is remembered: %v", err)
	}
}

// TestTimesHaveOneBound: what facts refuse is refused at the door, with its reason.
func TestTimesHaveOneBound(t *testing.T) {
	t.Parallel()
	h := newCallHouse(t, "notice")
	for _, at := range []string{"1990-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z"} {
		body := fmt.Sprintf(`{"schema":"murmur.v1","type":"call","source_id":"c","occurred_at":%q,"direction":"in","party":{"phone":"+12125550142"}}`, at)
		if o := h.send(origin{"desk", "native", "desk"}, at, body); o.State != fact.Quarantined || o.Why != fact.WhyBadTime {
			t.Errorf("%s: %s %s", at, o.State, o.Why)
		}
	}
}

// TestWordsAreWhoseTheirCallWas: words that name a call and nobody, or somebody else, are those of whoever the call was with. An
// opt-out or an erasure of theirs holds for them in every order.
func TestWordsAreWhoseTheirCallWas(t *testing.T) {
	t.Parallel()
	at := tour.Now.Add(-time.Hour).Format(time.RFC3339)
	const caller, other = "+12125550142", "+12125550143"
	call := fmt.Sprintf(`{"schema":"murmur.v1","type":"call","source_id":"c1","occurred_at":%q,"direction":"in","outcome":"missed","party":{"phone":%q}}`, at, caller)
	words := fmt.Sprintf(`{"schema":"murmur.v1","type":"transcript","source_id":"T1","occurred_at":%q,"call":"c1","turns":[{"side":"contact","text":"the heater is broken"}]%%s}`, at)
	nobodys, others := fmt.Sprintf(words, ""), fmt.Sprintf(words, `,"party":{"phone":"`+other+`"}`)
	desk := origin{"quo", "native", "quo"}
	for name, c := range map[string]struct {
		steps []string // call, words, others: a delivery; out, erase: what the caller says
		want  fact.State
	}{
		"nobody refused":                    {[]string{"call", "words"}, fact.Published},
		"opt-out, call, words":              {[]string{"out", "call", "words"}, fact.Refused},
		"call, opt-out, words":              {[]string{"call", "out", "words"}, fact.Refused},
		"opt-out, words, call":              {[]string{"out", "words", "call"}, fact.Refused},
		"words, opt-out, call":              {[]string{"words", "out", "call"}, fact.Refused},
		"words, call":                       {[]string{"words", "call"}, fact.Published},
		"words without their call":          {[]string{"words"}, fact.Held},
		"call, opt-out, others":             {[]string{"call", "out", "others"}, fact.Refused},
		"call, erasure, words":              {[]string{"call", "erase", "words"}, fact.Erased},
		"call, erasure, others":             {[]string{"call", "erase", "others"}, fact.Erased},
		"erasure, call, words":              {[]string{"erase", "call", "words"}, fact.Erased},
		"words, erasure, call":              {[]string{"words", "erase", "call"}, fact.Erased},
		"call, opt-out, erasure, words":     {[]string{"call", "out", "erase", "words"}, fact.Erased},
		"call, words, of another, in peace": {[]string{"call", "others"}, fact.Published},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newCallHouse(t, "notice")
			h.policy("transcripts", "notice")
			who := h.builder().who(caller)
			var said []journal.Message // the words
			var last fact.Outcome
			for _, step := range c.steps {
				switch step {
				case "call":
					h.send(desk, "call", call)
				case "words", "others":
					last = h.send(desk, "words", map[string]string{"words": nobodys, "others": others}[step])
					said = h.inbox[len(h.inbox)-1:]
				case "out":
					_, err := h.zone.register.Say(t.Context(), workspace.Default, consent.Subject{Contact: who}, fact.OptedOut, consent.Everything, fact.ViaAPI)
					must(t, err)
				case "erase":
					_, err := h.zone.register.Erase(t.Context(), workspace.Default, who)
					must(t, err)
					orders, err := h.zone.register.Orders(t.Context(), workspace.Default)
					must(t, err)
					must(t, h.zone.register.Fulfil(t.Context(), workspace.Default, orders))
				}
			}
			wanted, err := h.zone.Placeable(t.Context())
			must(t, err)
			if len(wanted[workspace.Default]) > 0 {
				last = h.process(said[0])
			}
			if last.State != c.want {
				t.Errorf("the words: %s %s, want %s", last.State, last.Why, c.want)
			}
			if c.want == fact.Published && c.steps[len(c.steps)-1] != "others" && last.Facts[0].(*fact.Talk).Contact != who {
				t.Error("the words are not the caller's")
			}
		})
	}
}
