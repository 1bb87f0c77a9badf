package token

import "testing"

func TestTheListOfEverydayWordsIsRead(t *testing.T) {
	t.Parallel()
	for letters, n := range Daily.before {
		if n < 1 || n > 5 {
			t.Errorf("%s: %d digits", letters, n)
		}
	}
	for name, section := range map[string]int{"before": len(Daily.before), "behind": len(Daily.behind), "exact": len(Daily.exact), "kinds": len(Daily.Kinds)} {
		if section < 20 {
			t.Errorf("[%s]: %d words", name, section)
		}
	}
}
