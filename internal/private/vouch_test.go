package private

import (
	"fmt"
	"testing"
	"time"

	"murmur/internal/fact"
	"murmur/internal/tour"
)

// Whom the network vouches for counts towards a minimum group; who a hidden field or a SIP From says it is does not.
func TestWhoIsVouchedFor(t *testing.T) {
	t.Parallel()
	const number = "+12125550199"
	at := tour.Now.Add(-time.Hour).Format(time.RFC3339)
	twilio := func(address string) string { return deliveriesOf["twilio"]("SM1", address, at) }
	call := fmt.Sprintf(`{"schema":"murmur.v1","type":"call","source_id":"c1","occurred_at":%q,"direction":"in","outcome":"answered","party":{"phone":%q}}`, at, number)
	answer := fmt.Sprintf(`{"schema":"murmur.v1","type":"answer","source_id":"a1","occurred_at":%q,"survey":"After the call","scale":"nps","score":9,"party":{"phone":%q}}`, at, number)
	for name, c := range map[string]struct {
		from    origin
		body    string
		claimed bool
	}{
		"a text of Twilio":             {origin{"twilio", "twilio", "twilio"}, twilio(number), false},
		"a short code":                 {origin{"twilio", "twilio", "twilio"}, twilio("12345"), false},
		"a caller who is not shown":    {origin{"twilio", "twilio", "twilio"}, twilio("anonymous"), false},
		"a SIP address over Twilio":    {origin{"twilio", "twilio", "twilio"}, twilio("sip:ann@pbx.example"), true},
		"a survey's hidden field":      {origin{"typeform", "typeform", "typeform"}, deliveriesOf["typeform"]("t1", number, at), true},
		"a call of the operator's":     {origin{"native", "native", "native"}, call, false},
		"an answer beside it":          {origin{"native", "native", "native"}, answer, true},
		"the same over the recorder":   {origin{RecorderSource, "native", ""}, call, true},
		"the same in a file":           {origin{ImportSource, "native", "import:native"}, call, false},
		"a source called as files are": {origin{"imports", "native", "imports"}, answer, true},
	} {
		h := newCallHouse(t, "notice")
		o := h.send(c.from, "d1", c.body)
		if len(o.Facts) == 0 {
			t.Errorf("%s: %s %s", name, o.State, o.Why)
		}
		for _, f := range o.Facts {
			if f.Meta().Claimed != flag(c.claimed) && f.Kind() != fact.KindConsent {
				t.Errorf("%s: claimed is %d", name, f.Meta().Claimed)
			}
		}
	}
}
