package enrich

import (
	"fmt"
	"slices"
	"testing"
)

// who makes texts of different contacts.
func who(from int, texts ...string) (all []Said) {
	for i, t := range texts {
		all = append(all, Said{Contact: [16]byte{byte(from + i), byte((from + i) >> 8)}, Words: t})
	}
	return all
}

func TestFoundSubjectsHaveTheWordsOfMany(t *testing.T) {
	t.Parallel()
	var untold []Said
	for i := range 24 {
		own := fmt.Sprintf(" %c%cxyz", 'a'+i, 'a'+i)
		untold = append(untold, who(2*i, "can my dog come along to the office"+own, "there are wasps under the roof"+own)...)
	}
	found, err := Find(untold, who(500, slices.Repeat([]string{"how much is it at the office"}, 20)...), ten)
	if err != nil || len(found) != 2 || len(found[0].Texts) != 24 || len(found[1].Texts) != 24 {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, f := range found {
		if !slices.Contains(f.Words, "dog") && !slices.Contains(f.Words, "wasps") || slices.Contains(f.Words, "the") {
			t.Errorf("%q", f.Words)
		}
	}
	if found, err := Find(untold[:18], nil, ten); err != nil || len(found) > 0 {
		t.Errorf("nine people each: %+v, %v", found, err)
	}
	if found, err := Find(nil, nil, ten); err != nil || len(found) > 0 {
		t.Errorf("nothing: %+v, %v", found, err)
	}
}

func TestGroupsWithAWordInCommonAreOne(t *testing.T) {
	t.Parallel()
	if got := alike([][]string{{"dog", "allowed"}, {"wasps"}, {}, {"along", "dog"}, {"x", "y", "wasps"}, {"along", "z"}, {"q"}}); !slices.Equal(got, []int{0, 1, 2, 0, 1, 0, 6}) {
		t.Errorf("%v", got)
	}
}

// ten people are enough.
func ten(contacts map[[16]byte]bool) bool { return len(contacts) >= 10 }
