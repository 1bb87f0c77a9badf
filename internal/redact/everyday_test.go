package redact

import "testing"

func TestTheListOfEverydayWordsIsRead(t *testing.T) {
	t.Parallel()
	for letters, n := range daily.before {
		if n < 1 || n > 5 {
			t.Errorf("%s: %d digits", letters, n)
		}
	}
	for name, section := range map[string]int{"before": len(daily.before), "behind": len(daily.behind), "exact": len(daily.exact), "kinds": len(daily.kinds)} {
		if section < 20 {
			t.Errorf("[%s]: %d words", name, section)
		}
	}
}
