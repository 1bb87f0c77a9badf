package enrich

import "testing"

func TestRepliesOfATemplateHaveOneLabel(t *testing.T) {
	t.Parallel()
	a := reply("Hi [NAME], we are open Monday to Friday from 9 to 5. You can book any time at our website.")
	for _, same := range []string{
		"Hi [NAME], we are open Monday to Friday from 8 to 6! You can book any time at our website",
		"hi [NAME] - we are OPEN Monday to Friday from 9 to 5, you can book any time at our website.",
	} {
		if reply(same) != a {
			t.Errorf("another label: %s", same)
		}
	}
	if a == 0 || a == reply("Thanks [NAME], your order is ready. Please bring the receipt when you pick it up.") {
		t.Error("another reply has the same label")
	}
	for _, short := range []string{"", "ok", "ok, thanks!", "[NAME] [NAME] [NAME] ok ok ok", "1 2 3 4 5 6 7"} {
		if reply(short) != 0 {
			t.Errorf("%q has a label", short)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add("we are open from 9 to 5, see you")
	f.Fuzz(func(t *testing.T, s string) {
		if l := reply(s); l < 0 || l != reply(s) {
			t.Errorf("label %d", l)
		}
	})
}
