package crowd

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"murmur/internal/crowd/internal/enrich"
	"murmur/internal/crowd/internal/noise"
)

// wroteAbout gives texts about six things, of which no reason is told.
func wroteAbout(rng *rand.Rand, contacts int) (all []enrich.Said) {
	things := []string{
		"can my dog come along to the office", "there are wasps in the yard under the roof", "do you rent out tents for a wedding",
		"the bicycle has a flat tyre and no brakes", "my piano sounds wrong since the move", "are there lessons for children",
	}
	fillers := strings.Fields("today tomorrow maybe soon kindly really quickly friend street morning evening house village winter summer saturday question small large old")
	for i := range contacts {
		words := things[i%len(things)]
		for range 3 {
			words += " " + fillers[rng.IntN(len(fillers))]
		}
		var who [16]byte
		binary.BigEndian.PutUint64(who[:], uint64(i)+1)
		all = append(all, enrich.Said{Contact: who, Words: words})
	}
	return all
}

// features are what a list of subjects shows, each for itself.
func features(list []Subject) (all []string) {
	for _, s := range list {
		all = append(all, fmt.Sprint(s.Words[0], " has ", s.Contacts))
		for _, w := range s.Words {
			all = append(all, "word "+w)
		}
	}
	return append(all, fmt.Sprint(len(list), " subjects"))
}

// TestWhatSubjectsTellOfOnePerson attacks what is told of subjects (/topics/else, GET /v1/subjects). An attacker who knows every text but those of one
// person, and how the product works, looks at the list with and without that person under many release keys, learns how often each number and
// word is in it, and says of lists under other keys which they are, by the likelihood of all of them together. For each planted person it prints how often that is
// right: 20 lists each, so within 0.1. One text more can move all groups, and no noise hides that: so the bound is high, and subjects are the owner's alone.
// A word of one person is never shown; that of the tenth who uses a word not in every list.
func TestWhatSubjectsTellOfOnePerson(t *testing.T) {
	t.Parallel()
	const keys, contacts, most = 40, 210, 0.95
	others := wroteAbout(rand.New(rand.NewPCG(71, 1)), contacts)
	for i := range 9 { // nine people who ask for lessons say which
		others[6*i+5].Words += " violin"
	}
	person := func(words string) enrich.Said { return enrich.Said{Contact: [16]byte{255}, Words: words} }
	list := func(key byte, texts []enrich.Said) []Subject {
		found, err := subjectsOf(texts, nil, minimum{noise.NewKeys([]byte{key, 7}, "w", "p"), 2, 10}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	without := [][]Subject{}
	for key := range byte(keys) {
		without = append(without, list(key, others))
	}
	for _, planted := range []struct {
		who, words string
		word       string // of theirs
	}{
		{"one of many who write about dogs", "can my dog come along to the office today", ""},
		{"one of many who write about pianos", "my piano sounds wrong since the move", ""},
		{"one who writes of something else", "my zither needs strings", "zither"},
		{"one who writes a name", "can my dog meet thistlewood at the office", "thistlewood"},
		{"the tenth who uses a word", "are there violin lessons for children", "violin"},
	} {
		with, shown := [][]Subject{}, 0
		for key := range byte(keys) {
			// The person's text stands anywhere: texts are ordered by keyed ids.
			at := rand.New(rand.NewPCG(uint64(key), 3)).IntN(contacts)
			texts := append(append(append([]enrich.Said{}, others[:at]...), person(planted.words)), others[at:]...)
			l := list(key, texts)
			with = append(with, l)
			if planted.word != "" && strings.Contains(fmt.Sprint(l), planted.word) {
				shown++
			}
		}
		right := attackLists(without, with)
		t.Logf("%-36s right in %.2f of cases; the word is shown in %d of %d lists", planted.who, right, shown, keys)
		if right > most {
			t.Errorf("%s: an attacker is right in %.2f of cases, at most %.2f is promised", planted.who, right, most)
		}
		if planted.word != "" && planted.word != "violin" && shown > 0 {
			t.Errorf("%s: %q is shown", planted.who, planted.word)
		}
		if planted.word == "violin" && (shown == 0 || shown > keys*9/10) {
			t.Errorf("the tenth person's word is in %d of %d lists: without noise it would be in all", shown, keys)
		}
	}
	for _, l := range without {
		if strings.Contains(fmt.Sprint(l), "violin") {
			t.Fatal("a word of nine people is shown")
		}
	}
}

// attackLists learns from the even lists and is asked about the odd ones.
func attackLists(without, with [][]Subject) float64 {
	learn := func(lists [][]Subject) (map[string]float64, float64) {
		seen, n := map[string]float64{}, 0.0
		for i := 0; i < len(lists); i += 2 {
			n++
			for _, f := range features(lists[i]) {
				seen[f]++
			}
		}
		return seen, n
	}
	a, n := learn(without)
	b, _ := learn(with)
	score := func(l []Subject) (s float64) {
		there := map[string]bool{}
		for _, f := range features(l) {
			there[f] = true
		}
		all := map[string]bool{}
		for f := range a {
			all[f] = true
		}
		for f := range b {
			all[f] = true
		}
		for f := range all {
			p, q := (a[f]+0.5)/(n+1), (b[f]+0.5)/(n+1)
			if there[f] {
				s += math.Log(q / p)
			} else {
				s += math.Log((1 - q) / (1 - p))
			}
		}
		return s
	}
	right, tried := 0.0, 0.0
	for i := 1; i < len(without); i += 2 {
		tried += 2
		if score(without[i]) < 0 {
			right++
		}
		if score(with[i]) > 0 {
			right++
		}
	}
	return right / tried
}
