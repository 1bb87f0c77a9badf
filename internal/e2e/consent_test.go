package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"murmur/internal/rpc"
)

// menu is Quo's delivery about a choice in the phone menu.
func menu(id, call, phone, choice string, at time.Time) []byte {
	return line(`{"id":%q,"type":"call.menu.selected","createdAt":%[5]q,"data":{"resource":{"id":%[2]q,"createdAt":%[5]q,"updatedAt":%[5]q,"phoneMenuSelection":%[4]q,"statusReason":"phone-menu-dial"},"context":{"phoneNumberId":"PN1","participants":{"workspace":["+12025550190"],"external":[%[3]q]}}}}`,
		id, call, phone, choice, at.UTC().Format(time.RFC3339))
}

// agree is a native consent event about a call (call), or about the party everywhere ("").
func agree(id, call, phone, act string, at time.Time) []byte {
	return line(`{"schema":"murmur.v1","type":"consent","source_id":%q,"occurred_at":%q,"call":%q,"purpose":"transcribe","act":%q,"via":"web","party":{"phone":%q}}`,
		id, at.UTC().Format(time.RFC3339), call, act, phone)
}

// TestOptOutWins: whoever refuses, in whatever way and order, has no word in the lake; the neighbour who did not
// refuse has. Words are looked for in the decoded files of the lake.
func TestOptOutWins(t *testing.T) {
	t.Parallel()
	h := open(t, newData(t))
	h.policy("transcripts", "notice")
	quo, native := h.connect("quo"), h.connect("native")
	token := h.token()
	now := time.Now().Add(-time.Hour).Truncate(time.Second)
	n := 0
	say := func(call, phone, word string) func() {
		return func() {
			h.post(native.Path, transcript(call, now, phone, "please send the "+word+" invoice again"), bearer(native.Secret), 200)
		}
	}
	optOutCall := func(call string) func() {
		return func() { h.post("/v1/calls/"+call+"/opt-out", []byte(`{"via":"agent"}`), bearer(token), 204) }
	}
	optOutContact := func(phone string) func() {
		return func() {
			h.post("/v1/contacts/opt-out", line(`{"contact":%q,"via":"sms"}`, phone), bearer(token), 204)
		}
	}
	nine := func(call, phone string) func() {
		return func() {
			n++
			body := menu(fmt.Sprint("EV", n), call, phone, "9", now)
			h.post(quo.Path, body, signStandard(quo.Secret, fmt.Sprint("EV", n), time.Now(), body), 200)
		}
	}
	event := func(call, phone string) func() {
		return func() {
			h.post(native.Path, agree("co"+call, call, phone, "opted_out", now), bearer(native.Secret), 200)
		}
	}
	refuse := map[string]func(call, phone string) func(){
		"api":     func(call, _ string) func() { return optOutCall(call) },
		"contact": func(_, phone string) func() { return optOutContact(phone) },
		"menu":    nine,
		"event":   event,
	}
	var gone []string
	i := 0
	for _, way := range []string{"api", "contact", "menu", "event"} {
		for _, order := range []string{"before", "after", "long after"} {
			i++
			call, phone := fmt.Sprint("AC", way, i), fmt.Sprintf("+120255501%02d", i)
			word := "zebra" + strings.Repeat("q", i)
			gone = append(gone, word+" ")
			speak, no := say(call, phone, word), refuse[way](call, phone)
			switch order {
			case "before":
				no()
				speak()
			case "after":
				speak()
				no()
			default:
				speak()
				h.drain()
				no()
			}
		}
	}
	say("ACfine", "+12025550170", "giraffe")()
	h.drain()
	h.figures() // a count that began before the last refusal has ended
	words := h.lakeWords()
	for _, w := range gone {
		if strings.Contains(words, w) {
			t.Errorf("the lake has %q of a caller who refused", w)
		}
	}
	if !strings.Contains(words, "giraffe") {
		t.Error("the lake lost the words of a caller who did not refuse")
	}
	if c := h.counts(); c.Refused < 4 || c.Refused > 8 { // those just before it may be overtaken
		t.Errorf("four transcripts came after the refusal, four just before it: %+v", c)
	}
	// An agreement afterwards opens nothing: a refusal is final for its call.
	h.post(native.Path, agree("late", "ACapi1", "+12025550101", "opted_in", now), bearer(native.Secret), 200)
	say("ACapi1", "+12025550101", "zebraq")()
	h.drain()
	if strings.Contains(h.lakeWords(), "zebraq ") {
		t.Error("an agreement undid a refusal")
	}
	if r := h.send2(http.MethodGet, "/v1/calls/ACapi1/receipt", token); r.status != 200 || !strings.Contains(string(r.body), "opt") {
		t.Errorf("receipt of a call: %d %s", r.status, r.body)
	}
}

// TestAKeySpeaksOfItsCall: who presses 9 is not heard in that call; what they write, and what a platform wrote down of another
// call, is read as before, in whatever order it comes.
func TestAKeySpeaksOfItsCall(t *testing.T) {
	t.Parallel()
	h := open(t, newData(t))
	h.policy("transcripts", "notice")
	quo, native := h.connect("quo"), h.connect("native")
	now := time.Now().Add(-time.Hour).Truncate(time.Second)
	const phone = "+12025550133"
	body := menu("EV1", "AC1", phone, "9", now)
	h.post(quo.Path, body, signStandard(quo.Secret, "EV1", time.Now(), body), 200)
	h.drain()
	h.post(native.Path, transcript("AC1", now, phone, "the gnu of this call"), bearer(native.Secret), 200)
	h.post(native.Path, transcript("AC2", now, phone, "the ibex of another call"), bearer(native.Secret), 200)
	h.post(native.Path, line(`{"schema":"murmur.v1","type":"message","source_id":"M1","occurred_at":%q,"direction":"in","party":{"phone":%q},"body":"the jackal that was written"}`,
		now.UTC().Format(time.RFC3339), phone), bearer(native.Secret), 200)
	h.drain()
	words := h.lakeWords()
	for word, want := range map[string]bool{"gnu": false, "ibex": true, "jackal": true} {
		if strings.Contains(words, word) != want {
			t.Errorf("%s in the lake: %t; %+v", word, !want, h.counts())
		}
	}
}

func (h *house) token() string {
	h.t.Helper()
	var token string
	h.do("token", rpc.TokenArgs{Role: "owner"}, &token)
	return token
}

func (h *house) send2(method, path, token string) answer {
	h.t.Helper()
	a, err := h.send(method, path, nil, bearer(token))
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// TestTranscriptsNeedAGround: by default content is refused; under opt-in it waits, and is heard when somebody agrees,
// for a call or for everything, whether the agreement comes before or after, and across a restart.
func TestTranscriptsNeedAGround(t *testing.T) {
	t.Parallel()
	h := open(t, newData(t))
	native := h.connect("native")
	now := time.Now().Add(-time.Hour)
	say := func(call, phone, word string) {
		h.post(native.Path, transcript(call, now, phone, "where is my "+word+" parcel"), bearer(native.Secret), 200)
	}
	say("AC1", "+12025550101", "anteater")
	h.drain()
	if c := h.counts(); c.Refused != 1 || c.Published != 0 {
		t.Errorf("a transcript under the default policy: %+v", c)
	}
	h.policy("transcripts", "opt-in")
	say("AC2", "+12025550102", "badger")
	say("AC3", "+12025550103", "camel")
	say("AC4", "+12025550104", "donkey")
	h.drain()
	if c := h.counts(); c.Held != 3 || c.Refused != 1 {
		t.Errorf("three transcripts under opt-in: %+v", c)
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	h = open(t, h.data)
	h.post(native.Path, agree("yes2", "AC2", "+12025550102", "opted_in", now), bearer(native.Secret), 200)
	h.post(native.Path, agree("yes3", "", "+12025550103", "opted_in", now), bearer(native.Secret), 200)
	h.post(native.Path, agree("yes5", "AC5", "+12025550105", "opted_in", now), bearer(native.Secret), 200)
	say("AC5", "+12025550105", "eagle")
	h.drain()
	words := h.lakeWords()
	for word, want := range map[string]bool{"anteater": false, "badger": true, "camel": true, "donkey": false, "eagle": true} {
		if strings.Contains(words, word) != want {
			t.Errorf("%s in the lake: %t", word, !want)
		}
	}
	if c := h.counts(); c.Held != 1 || c.Published != 6 {
		t.Errorf("three agreed, one did not: %+v", c)
	}
}

// lakeWords are the words of every file that the lake has now.
func (h *house) lakeWords() string {
	h.t.Helper()
	var all strings.Builder
	for _, path := range files(h.t, h.data) {
		if strings.HasSuffix(path, ".parquet") {
			for _, v := range parquetValues(h.t, path) {
				all.Write(v)
				all.WriteString(" \n")
			}
		}
	}
	return all.String()
}

// files lists every regular file under a directory.
func files(t testing.TB, dir string) (paths []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		path := dir + "/" + e.Name()
		switch {
		case e.IsDir():
			paths = append(paths, files(t, path)...)
		case e.Type().IsRegular():
			paths = append(paths, path)
		}
	}
	return paths
}
