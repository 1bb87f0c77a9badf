package csv

import (
	"strings"
	"testing"
	"time"

	"murmur/internal/fact"
)

// exports are the headers, and one row, of exports as phone systems and survey tools write them. All people are invented.
var exports = map[string]struct {
	file, kind string
	at         string
	contact    string
	result     fact.Result
	talk       time.Duration
	score      float64
}{
	"a PBX's records":      {file: "calldate,clid,src,dst,dcontext,channel,duration,billsec,disposition,uniqueid\n2026-03-04 10:00:00,\"\"\"Ann\"\" <12125550101>\",12125550101,100,from-pstn,SIP/x,70,65,NO ANSWER,1.2\n", kind: "calls", at: "2026-03-04T10:00:00Z"},
	"a switch's records":   {file: "caller_id_number,destination_number,direction,start_stamp,answer_stamp,end_stamp,duration,billsec,hangup_cause,uuid\n12125550101,12125550000,inbound,2026-03-04 10:00:00,2026-03-04 10:00:05,2026-03-04 10:01:10,70,65,NORMAL_CLEARING,u1\n", kind: "calls", at: "2026-03-04T10:00:00Z", contact: "12125550101", result: fact.Answered, talk: 65 * time.Second},
	"cloud phones, one":    {file: "line,datetime (UTC),direction,from,to,answered,missed_call_reason,user,duration (total),duration (in call),voicemail\nMain,2026-03-04 10:00:00,inbound,+12125550101,+12125550000,Yes,,Sam,70,65,\n", kind: "calls", at: "2026-03-04T10:00:00Z", contact: "+12125550101", result: fact.Answered},
	"cloud phones, missed": {file: "line,datetime (UTC),direction,from,to,answered,missed_call_reason,user,duration (in call)\nMain,2026-03-04 10:00:00,inbound,+12125550101,+12125550000,No,agents_did_not_answer,,0\n", kind: "calls", at: "2026-03-04T10:00:00Z", contact: "+12125550101", result: fact.Missed},
	"cloud phones, two":    {file: "call_id,direction,date_started,date_connected,date_ended,external_number,internal_number,talk_duration\nc1,inbound,2026-03-04T10:00:00Z,2026-03-04T10:00:05Z,2026-03-04T10:01:10Z,+12125550101,+12125550000,65\n", kind: "calls", at: "2026-03-04T10:00:00Z", contact: "+12125550101", result: fact.Answered, talk: 65 * time.Second},
	"cloud phones, three":  {file: "Direction,From,To,Extension,Name,Date,Time,Action,Action Result,Duration\nInbound,(212) 555-0101,(212) 555-0000,101,Ann,Wed 03/04/2026,10:00 AM,Phone Call,Missed,0:00:00\n", kind: "calls", at: "2026-03-04T10:00:00Z", contact: "(212) 555-0101", result: fact.Missed},
	"started and ended":    {file: "Started;Ended;Direction;Phone number;Result;Talk time (min)\n04.03.2026 10:00;04.03.2026 10:02;in;=\"+12125550101\";Answered;1,5\n", kind: "calls", at: "2026-03-04T10:00:00Z", contact: "+12125550101", result: fact.Answered},
	"a survey's question":  {file: "#,How likely are you to recommend us to a friend?,What is the main reason for your score?,Submit Date (UTC),Email\nr1,9,quick,2026-03-04 10:00:00,ann@example.com\n", kind: "surveys", at: "2026-03-04T10:00:00Z", contact: "ann@example.com", score: 9},
	"a survey's export":    {file: "Response ID;Survey Type;Score;Comment;Responded on;Person email\nr1;CSAT;4,0;fine;2026/03/04 10:00;ann@example.com\n", kind: "surveys", at: "2026-03-04T10:00:00Z", contact: "ann@example.com", score: 4},
	"texts":                {file: "SMS ID,Sent on,Direction,Sender,Recipient,Text body,Status\nm1,1772618400,Outbound,+12125550000,'+12125550101,Your parcel is here,delivered\n", kind: "messages", at: "2026-03-04T10:00:00Z", contact: "+12125550101"},
}

func TestExportsAreReadWithoutAMapping(t *testing.T) {
	t.Parallel()
	for name, c := range exports {
		f, err := Open(strings.NewReader(c.file), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.kind != c.kind {
			t.Errorf("%s: taken for %s", name, f.kind)
		}
		got := run(t, c.file, Options{})
		e, ok := got.events[2]
		if !ok {
			t.Errorf("%s: %v", name, got.bad)
			continue
		}
		if e.At.Format(time.RFC3339) != c.at || c.contact != "" && e.Party.Address.Reveal() != c.contact {
			t.Errorf("%s: at %s, or another contact", name, e.At.Format(time.RFC3339))
		}
		if k := e.Call; k != nil && c.result != 0 && (k.Result != c.result || c.talk > 0 && k.Completed.Sub(k.Answered) != c.talk) {
			t.Errorf("%s: result %d, talk %s", name, k.Result, k.Completed.Sub(k.Answered))
		}
		if a := e.Answer; a != nil && (!a.Scored || a.Score != c.score || a.Comment.Empty()) {
			t.Errorf("%s: another answer", name)
		}
	}
}

func TestThePreviewSaysHowDatesAreWritten(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"2026-03-04 10:00:00":       "year-month-day, UTC where no zone is written",
		"2026-03-04T10:00:00Z":      "year-month-day, with its zone",
		"2026-03-04 10:00:00+02:00": "year-month-day, with its zone",
		"25/03/2026 10:00":          "day/month/year, UTC where no zone is written",
		"03/04/2026 10:00":          "month/day/year (assumed), UTC where no zone is written",
		"1772618400":                "seconds since 1970",
		"1772618400000":             "milliseconds since 1970",
		"Mar 4, 2026 10:00 AM":      "month by name, UTC where no zone is written",
	} {
		f, err := Open(strings.NewReader("Started,Direction,Phone,Duration\n\""+cell+"\",in,1,5\n"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if note := f.Preview().Columns[0].Note; note != want {
			t.Errorf("%s: %q", cell, note)
		}
	}
}
