package csv

import (
	"encoding/json"
	"math"
	"testing"
)

// FuzzEventJSON holds the bytes of a native line to those of encoding/json: the delivery ids of earlier imports rest on
// them.
func FuzzEventJSON(f *testing.F) {
	f.Add("Sam", "+12125550123", 65.0, true)
	f.Add("<a href=\"x\">\n\u2028 & ö \xff \x00", "", 1.5, false)
	f.Add("", "é", -1e30, false)
	f.Add("\x7f", "\\", 1e-9, true)
	f.Fuzz(func(t *testing.T, text, phone string, n float64, flag bool) {
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return // parseNumber gives none
		}
		e := nativeEvent{{name: "talk_s", number: &n}, {name: "body", text: text}, {name: "party", inner: nativeEvent{{name: "phone", text: phone}}}}
		m := map[string]any{"talk_s": n, "body": text, "party": map[string]any{"phone": phone}}
		if flag {
			e.set(nativeField{name: "voicemail", truth: true})
			m["voicemail"] = true
		}
		want, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.json(nil); string(got) != string(want) {
			t.Fatalf("%q, not %q", got, want)
		}
	})
}

// TestDeliveryIDStays pins the id of a row: a file that was imported by the first release is known to this one.
func TestDeliveryIDStays(t *testing.T) {
	t.Parallel()
	got := run(t, "Call ID,Started,Direction,From,To,Status,Duration (s),Agent\nc1,2026-10-01 08:00:00,inbound,+12125550001,+12125550000,answered,65.5,\"Sam <Jo> & Ö\"\n", Options{})
	if len(got.ids) != 1 || got.ids[0] != "csv-6615d2dae9e5200fb6ff64de584bffd8" {
		t.Errorf("%q", got.ids)
	}
}
