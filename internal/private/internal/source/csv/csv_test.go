package csv

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"murmur/internal/fact"
	"murmur/internal/private/internal/event"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/native"
	"murmur/internal/private/internal/source/sourcetest"
)

// imported is what became of a file: events by line number, verdicts by line number, delivery ids.
type imported struct {
	events map[int]event.Event
	bad    map[int]fact.Why
	ids    []string
}

func run(t testing.TB, file string, o Options) imported {
	t.Helper()
	f, err := Open(strings.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	got := imported{events: map[int]event.Event{}, bad: map[int]fact.Why{}}
	err = f.Rows(func(line int, n []byte, bad *source.Verdict) bool {
		if bad == nil {
			var events []event.Event
			events, err := native.Source{}.Decode(source.Delivery{Body: n})
			if _, why := sourcetest.Verdict(err); err != nil {
				got.bad[line] = why
				return true
			}
			got.events[line] = events[0]
			var head struct {
				ID string `json:"delivery_id"`
			}
			_ = json.Unmarshal(n, &head)
			if DeliveryID(n) != head.ID || head.ID == "" {
				t.Errorf("line %d: another delivery id", line)
			}
			got.ids = append(got.ids, head.ID)
			return true
		}
		got.bad[line] = bad.Why
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestCallsOfSeveralExports(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file      string
		at        string
		direction fact.Direction
		result    fact.Result
		contact   string
		number    string
		talk      time.Duration
	}{
		"plain":           {"id,started_at,direction,from,to,status,duration\nc1,2026-03-04T10:00:00Z,inbound,+15555550101,+15555550100,answered,65\n", "2026-03-04T10:00:00Z", fact.In, fact.Answered, "+15555550101", "+15555550100", 65 * time.Second},
		"spaces":          {"Call ID,Start Time,Call Direction,From Number,To Number,Call Status,Talk Time\nc1,2026-03-04 10:00:00,Outgoing,(555) 555-0100,(555) 555-0101,Completed,0:01:05\n", "2026-03-04T10:00:00Z", fact.Out, fact.Answered, "(555) 555-0101", "(555) 555-0100", 65 * time.Second},
		"date and time":   {"Date,Time,Call Type,Phone,Line,Duration\n03/24/2026,3:05 PM,Missed,555-0101,Sales,0\n", "2026-03-24T15:05:00Z", fact.In, fact.Missed, "555-0101", "Sales", 0},
		"European":        {"Datum;Uhrzeit;Richtung;Anrufer;Ziel;Dauer\n04.03.2026;10:00:00;eingehend;+4930123456;+4930999;00:01:05\n", "2026-03-04T10:00:00Z", fact.In, fact.Answered, "+4930123456", "+4930999", 65 * time.Second},
		"tab, title line": {"Call report for March\n\nTimestamp\tDirection\tCaller\tCalled\tResult\tTalk Time (min)\nMar 4, 2026 10:00 AM\tIn\t555-0101\t555-0100\tAnswered\t1.5\n", "2026-03-04T10:00:00Z", fact.In, fact.Answered, "555-0101", "555-0100", 90 * time.Second},
		"pipe, unix":      {"sep=|\nCreated At|Direction|Contact|Inbox|Outcome|Ring Time\n1772618400|IN|+15555550101|Main|Voicemail|20\n", "2026-03-04T10:00:00Z", fact.In, fact.Missed, "+15555550101", "Main", 0},
		"with offset":     {"Start Time,Type,From,To,Duration\n2026-03-04T12:00:00+02:00,outbound,100,200,1m 5s\n", "2026-03-04T10:00:00Z", fact.Out, fact.Answered, "200", "100", 65 * time.Second},
	} {
		got := run(t, c.file, Options{})
		if len(got.events) != 1 || len(got.bad) != 0 {
			t.Errorf("%s: %d events, %v", name, len(got.events), got.bad)
			continue
		}
		for _, e := range got.events {
			k := e.Call
			if k == nil {
				t.Errorf("%s: not a call", name)
				continue
			}
			if e.At.Format(time.RFC3339) != c.at || k.Direction != c.direction || k.Result != c.result || e.Party.Address.Reveal() != c.contact || k.Number != c.number {
				t.Errorf("%s: at %s direction %d result %d number %q", name, e.At.Format(time.RFC3339), k.Direction, k.Result, k.Number)
			}
			if c.talk > 0 && k.Completed.Sub(k.Answered) != c.talk {
				t.Errorf("%s: talk %s", name, k.Completed.Sub(k.Answered))
			}
		}
	}
}

func TestMessagesSurveysAndSteps(t *testing.T) {
	t.Parallel()
	m := run(t, "Message ID,Sent At,Direction,From,To,Body,Status\nm1,2026-03-04 10:00,incoming,+15555550101,+15555550100,\"Hello,\nis \"\"it\"\" ready?\",received\n", Options{}).events[2]
	if m.Message == nil || m.Message.Body.Reveal() != "Hello,\nis \"it\" ready?" || m.Message.Status != fact.Received || m.ID != "m1" {
		t.Error("message over two lines")
	}
	s := run(t, "Response ID;Submitted At;NPS Score;Comment;Email\nr1;04.03.2026 10:00;9,0;Gut;ada@example.com\n", Options{}).events[2]
	if s.Answer == nil || s.Answer.Scale != fact.NPS || s.Answer.Score != 9 || s.Party.Address.Reveal() != "ada@example.com" {
		t.Error("survey with a decimal comma")
	}
	k := run(t, "Call ID,Timestamp,Flow Name,Node,Digits,Option Name,Outcome\nc1,2026-03-04T10:00:00Z,Main,menu,1,Sales,\nc2,2026-03-04T10:00:00Z,Main,menu,,,timeout\n", Options{})
	if a, b := k.events[2].Step, k.events[3].Step; a == nil || b == nil || a.Choice != "1" || a.Outcome != fact.StepMatched || a.Run != "c1" || b.Choice != "none" || b.Outcome != fact.StepTimeout {
		t.Error("steps")
	}
}

func TestDateOrderIsDecidedForTheColumn(t *testing.T) {
	t.Parallel()
	const head = "Date,Direction,Phone,Duration\n"
	for name, c := range map[string]struct {
		file, first, note string
	}{
		"a later day proves it":   {head + "03/04/2026 10:00,in,1,5\n25/04/2026 10:00,in,1,5\n", "2026-04-03", "day/month/year,"},
		"a later month proves it": {head + "03/04/2026 10:00,in,1,5\n03/25/2026 10:00,in,1,5\n", "2026-03-04", "month/day/year,"},
		"nothing proves it":       {head + "03/04/2026 10:00,in,1,5\n", "2026-03-04", "month/day/year (assumed)"},
		"dots are European":       {head + "03.04.2026 10:00,in,1,5\n", "2026-04-03", "day/month/year (assumed)"},
		"semicolons are European": {strings.ReplaceAll(head, ",", ";") + "03/04/2026 10:00;in;1;5\n", "2026-04-03", "day/month/year (assumed)"},
	} {
		f, err := Open(strings.NewReader(c.file), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if note := f.Preview().Columns[0].Note; !strings.HasPrefix(note, c.note) {
			t.Errorf("%s: note %q", name, note)
		}
		if at := run(t, c.file, Options{}).events[2].At.Format(time.DateOnly); at != c.first {
			t.Errorf("%s: %s", name, at)
		}
	}
	// Against the order that the sample proved, a row is refused rather than swapped.
	var b strings.Builder
	b.WriteString(head)
	for range sampleRows {
		b.WriteString("03/25/2026 10:00,in,1,5\n")
	}
	b.WriteString("25/03/2026 10:00,in,1,5\n")
	if got := run(t, b.String(), Options{}); got.bad[sampleRows+2] != fact.WhyBadTime {
		t.Error("a date against the column's order was taken")
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	const text = "id,Sent At,Direction,From,Body\n1,2026-03-04 10:00,in,5,plain\n2,2026-03-04 10:00,in,5,Grüße an alle\n"
	wide := func(bom string, order func(uint16) []byte) string {
		var b strings.Builder
		for _, u := range utf16.Encode([]rune(bom + text)) {
			b.Write(order(u))
		}
		return b.String()
	}
	le := func(u uint16) []byte { return []byte{byte(u), byte(u >> 8)} }
	be := func(u uint16) []byte { return []byte{byte(u >> 8), byte(u)} }
	for name, c := range map[string]struct{ file, encoding string }{
		"UTF-8":               {text, "utf-8"},
		"UTF-8 with mark":     {"\ufeff" + text, "utf-8"},
		"UTF-16 LE with mark": {wide("\ufeff", le), "utf-16"},
		"UTF-16 BE with mark": {wide("\ufeff", be), "utf-16"},
		"UTF-16 LE, no mark":  {wide("", le), "utf-16"},
		"UTF-16 BE, no mark":  {wide("", be), "utf-16"},
		"Windows-1252":        {strings.NewReplacer("ü", "\xfc", "ß", "\xdf").Replace(text), "windows-1252"},
	} {
		f, err := Open(strings.NewReader(c.file), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p := f.Preview(); p.Encoding != c.encoding || p.Kind != "messages" {
			t.Errorf("%s: %s, %s", name, p.Encoding, p.Kind)
		}
		if e := run(t, c.file, Options{}).events[3]; e.Message == nil || e.Message.Body.Reveal() != "Grüße an alle" {
			t.Errorf("%s: wrong text", name)
		}
	}
	mixed := text + "3,2026-03-04 10:00,in,5,\xfc\n4,2026-03-04 10:00,in,5,x\n"
	if got := run(t, mixed, Options{}); got.bad[4] != fact.WhyEncoding || len(got.events) != 3 {
		t.Error("a row in another encoding costs that row")
	}
}

func TestABadRowCostsThatRow(t *testing.T) {
	t.Parallel()
	rows := []string{
		"id,Start Time,Direction,From,Duration",
		"1,2026-03-04 10:00,in,5,60",           // 2
		`2,2026-03-04 10:00,in,"5" x,60`,       // 3 text behind a quote
		`3,2026-03-04 10:00,in,5"6,60`,         // 4 quote in a bare cell
		`4,2026-03-04 10:00,in,"5,60`,          // 5 never closed
		"5,2026-03-04 10:00,in,5,60",           // 6
		"6,yesterday,in,5,60",                  // 7
		"7,2026-02-30 10:00,in,5,60",           // 8
		"8,2026-03-04 10:00,in,5,long",         // 9
		"9,2026-03-04 10:00,in",                // 10 short row: the rest is unknown
		"10," + strings.Repeat("x", maxRecord), // 11
		"11,2026-03-04 10:00,in,5,60,extra",    // 12
	}
	got := run(t, sourcetest.Lines(rows...), Options{})
	want := map[int]fact.Why{3: fact.WhyBadField, 4: fact.WhyBadField, 5: fact.WhyBadField, 7: fact.WhyBadTime,
		8: fact.WhyBadTime, 9: fact.WhyBadField, 11: fact.WhyTooLarge}
	if fmt.Sprint(got.bad) != fmt.Sprint(want) {
		t.Errorf("bad lines %v, want %v", got.bad, want)
	}
	for _, line := range []int{2, 6, 10, 12} {
		if _, ok := got.events[line]; !ok {
			t.Errorf("line %d was lost", line)
		}
	}
}

func TestFormulasAreData(t *testing.T) {
	t.Parallel()
	for _, cell := range []string{`=HYPERLINK(""https://example.com"")`, "+1+1", "-2+3", "@SUM(A1)", "=1+1"} {
		e := run(t, "id,Sent At,Direction,From,Body\n1,2026-03-04 10:00,in,5,\""+cell+"\"\n", Options{}).events[2]
		if e.Message == nil || e.Message.Body.Reveal() != strings.ReplaceAll(cell, `""`, `"`) {
			t.Errorf("a formula of %d bytes was changed", len(cell))
		}
	}
}

func TestDeliveryIDsDependOnTheContentAlone(t *testing.T) {
	t.Parallel()
	a := run(t, "id,Sent At,Direction,From,Body\n1,2026-03-04 10:00,in,5,x\n2,2026-03-04 10:00,in,5,x\n", Options{})
	b := run(t, "Body\tFrom\tUnused\tDirection\tSent At\tid\nx\t5\t?\tincoming\t2026-03-04T10:00:00Z\t2\nx\t5\t!\tIN\t04 Mar 2026 10:00\t1\n", Options{})
	if len(a.ids) != 2 || a.ids[0] == a.ids[1] || a.ids[0] != b.ids[1] || a.ids[1] != b.ids[0] {
		t.Errorf("%v %v", a.ids, b.ids)
	}
	c := run(t, "Sent At,Direction,From,Body\n2026-03-04 10:00,in,5,x\n", Options{}).events[2]
	if !strings.HasPrefix(c.ID, "row-") {
		t.Error("a row without an id is keyed by its content")
	}
}

func TestMappingWins(t *testing.T) {
	t.Parallel()
	const file = "A,B,C,From\n2026-03-04 10:00,5,hello,9\n"
	m, err := ParseMap([]byte("occurred_at: A\ncontact: B\nbody: C\n"))
	if err != nil {
		t.Fatal(err)
	}
	if e := run(t, file, Options{Map: m}).events[2]; e.Message == nil || e.Party.Address.Reveal() != "5" {
		t.Error("the mapping was not used")
	}
	for name, f := range map[string]func() error{
		"no kind": func() error { _, err := Open(strings.NewReader(file), Options{}); return err },
		"absent header": func() error {
			_, err := Open(strings.NewReader(file), Options{Map: map[string]string{"body": "Z"}})
			return err
		},
		"unknown kind":  func() error { _, err := Open(strings.NewReader(file), Options{Kind: "fax"}); return err },
		"wrong kind":    func() error { _, err := Open(strings.NewReader(file), Options{Kind: "surveys", Map: m}); return err },
		"empty file":    func() error { _, err := Open(strings.NewReader(""), Options{}); return err },
		"unknown field": func() error { _, err := ParseMap([]byte("nonsense: A")); return err },
		"not a mapping": func() error { _, err := ParseMap([]byte("- A")); return err },
	} {
		if f() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := Open(strings.NewReader("+15555550101,Ada\n"), Options{}); !errors.Is(err, ErrNoKind) || strings.Contains(err.Error(), "Ada") {
		t.Error("a file without headers is refused without showing its first row")
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	f, err := Open(strings.NewReader("id;Start Time;Direction;From;Dauer (min);Notes\n1;2026-03-04 10:00;in;5;2;secret\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := f.Preview()
	if p.Kind != "calls" || p.Delimiter != "semicolon" || p.Columns[1].Field != "occurred_at" || p.Columns[4].Field != "talk_s" ||
		p.Columns[4].Note != "times 60 = seconds" || p.Columns[5].Field != "" || len(p.Rows) != 1 {
		t.Errorf("%+v", p)
	}
	values := map[string]string{}
	for _, v := range p.Rows[0] {
		values[v.Name] = v.Value.Reveal()
	}
	if values["talk_s"] != "120" || values["party.phone"] != "5" || values["source_id"] != "1" {
		t.Errorf("%d fields", len(values))
	}
	if strings.Contains(fmt.Sprintf("%+v", p), "2026-03") {
		t.Error("a preview prints its rows")
	}
	rows := 0
	if err := f.Rows(func(int, []byte, *source.Verdict) bool { rows++; return true }); err != nil || rows != 1 {
		t.Error("a preview takes rows away")
	}
}

// endless is an export without end: Open and Rows must not try to hold it.
type endless struct{ sent int }

func (e *endless) Read(b []byte) (int, error) {
	const head, row = "id,Start Time,Direction,From,Duration\n", "1,2026-03-04 10:00,in,5,60\n"
	text := row
	if e.sent == 0 {
		text = head
	}
	e.sent++
	return copy(b, text), nil
}

func TestRowsStream(t *testing.T) {
	t.Parallel()
	f, err := Open(&endless{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	if err := f.Rows(func(int, []byte, *source.Verdict) bool { rows++; return rows < 20_000 }); err != nil || rows != 20_000 {
		t.Error(rows, err)
	}
}

// One stray quote a line, for a quarter of a mebibyte: looking ahead stays linear, every row is reported.
func TestStrayQuotesCostLinearTime(t *testing.T) {
	t.Parallel()
	for _, row := range []string{"\"a\n", "\"\"\n", "\"\"\"\n", "a,\"b\n", "\"\n\n"} {
		file := "id,Start Time,Direction,From,Duration\n" + strings.Repeat(row, (1<<18)/len(row))
		f, err := Open(strings.NewReader(file), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Rows(func(int, []byte, *source.Verdict) bool { return true }); err != nil {
			t.Error(err)
		}
	}
}

func TestBrokenReaderIsAnError(t *testing.T) {
	t.Parallel()
	broken := io.MultiReader(strings.NewReader("id,Start Time,Direction,From,Duration\n"), &failing{})
	if _, err := Open(broken, Options{}); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}

var errBroken = errors.New("broken")

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, errBroken }

// Whatever a file holds: no panic, every native line decodes or has a verdict, line numbers rise.
func FuzzOpen(f *testing.F) {
	for _, s := range []string{
		"id,Start Time,Direction,From,Duration\n1,2026-03-04 10:00,in,5,60\n",
		"Datum;Uhrzeit;Richtung;Anrufer;Dauer\n04.03.2026;10:00;eingehend;\"5\n;1:2\n",
		"\xff\xfeN\x00P\x00S\x00,\x00D\x00a\x00t\x00e\x00\n\x009\x00,\x001\x00",
		"score\tdate\tcomment\n9\t1/2/26\t=x\n", "run|node|key|date|flow\n1|m|2|2026-01-01|f\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := Open(strings.NewReader(string(file)), Options{})
		if err != nil {
			return
		}
		c.Preview()
		last := 0
		_ = c.Rows(func(line int, n []byte, bad *source.Verdict) bool {
			if line <= last || bad == nil && len(n) == 0 {
				t.Fatal("line numbers do not rise, or neither row nor verdict")
			}
			last = line
			if bad == nil {
				if _, err := (native.Source{}).Decode(source.Delivery{Body: n}); err != nil {
					if state, why := sourcetest.Verdict(err); state == -1 || why == fact.WhyNotJSON || why == fact.WhyUnknownType {
						t.Fatal("a line that is not murmur.v1")
					}
				}
			}
			return true
		})
	})
}

func BenchmarkRows(b *testing.B) {
	const row = "c1,2026-03-04 10:00:00,inbound,+15555550101,+15555550100,answered,65\n"
	file := "id,started_at,direction,from,to,status,duration\n" + strings.Repeat(row, 10_000)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		f, err := Open(strings.NewReader(file), Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Rows(func(int, []byte, *source.Verdict) bool { return true }); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLinesOfAnOldMac: lines that end in CR alone are lines; a CR inside lines that end in LF is a character.
func TestLinesOfAnOldMac(t *testing.T) {
	t.Parallel()
	const file = "Date,Direction,From,To,Status\n2026-03-02 10:00,inbound,+12125550142,+12125550100,completed\n2026-03-02 11:00,inbound,+12125550143,+12125550100,missed\n"
	want := run(t, file, Options{})
	got := run(t, strings.ReplaceAll(file, "\n", "\r"), Options{})
	if len(want.events) != 2 || len(got.events) != 2 || !slices.Equal(got.ids, want.ids) {
		t.Errorf("%d rows of %d", len(got.events), len(want.events))
	}
	for _, mark := range []string{"\xff\xfe\x00\x00", "\x00\x00\xfe\xff"} {
		if _, err := Open(strings.NewReader(mark+file), Options{}); !errors.Is(err, ErrUTF32) {
			t.Error(err)
		}
	}
}

// TestWhatTellsBadRowsApart: rows that cannot be read come with what tells one from another, whatever was wrong.
func TestWhatTellsBadRowsApart(t *testing.T) {
	t.Parallel()
	const head = "Date,Direction,From,To,Status\n"
	long := strings.Repeat("x", maxRecord)
	seen := map[string]bool{}
	for _, row := range []string{"never,inbound,+12125550142", "nowhere,inbound,+12125550142", "a\"b,c", "a\"b,d", "2026-03-02,\xe9,", long + "1", long + "2"} {
		f, err := Open(strings.NewReader(head+"2026-03-02 10:00,inbound,\u00e9\n"+row+"\n"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = f.Rows(func(line int, told []byte, bad *source.Verdict) bool {
			if line == 3 {
				if bad == nil || len(told) == 0 || seen[string(told)] {
					t.Errorf("%.20q: %v, told before: %v", row, bad, seen[string(told)])
				}
				seen[string(told)] = true
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
