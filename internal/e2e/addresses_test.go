package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"murmur/internal/rpc"
)

// orders are all orders of n things.
func orders(n int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, o := range orders(n - 1) {
		for at := range n {
			all = append(all, append(append(append([]int(nil), o[:at]...), n-1), o[at:]...))
		}
	}
	return all
}

// wordsOf is a transcript of a person who is named by a party of murmur.v1.
func wordsOf(call, party, words string, at time.Time) []byte {
	return line(`{"schema":"murmur.v1","type":"transcript","source_id":"%[1]s/t","occurred_at":%[2]q,"call":%[1]q,"origin":"vendor","party":%[3]s,"turns":[{"side":"contact","text":%[4]q}]}`,
		call, at.UTC().Format(time.RFC3339), party, words)
}

// TestAPersonByTwoAddressesIsOne: somebody whom a source names by a number and an e-mail address in one delivery, and by
// either alone in others, refuses or is erased by one of the two. Whatever the order, no word of theirs is left. Whoever shares
// an address with them (a placeholder, a family's) and refused nothing keeps theirs.
func TestAPersonByTwoAddressesIsOne(t *testing.T) {
	t.Parallel()
	h := open(t, newData(t))
	h.policy("transcripts", "notice")
	native := h.connect("native")
	token := h.token()
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	say := func(call, party, words string) {
		h.post(native.Path, wordsOf(call, party, words, at), bearer(native.Secret), 200)
	}
	phone := func(n int) string { return fmt.Sprintf("+1202555%04d", n) }
	mail := func(n int) string { return fmt.Sprintf("person%d@example.com", n) }
	ways := []func(n int){
		func(n int) {
			h.post("/v1/contacts/opt-out", line(`{"contact":%q,"via":"sms"}`, phone(n)), bearer(token), 204)
		},
		func(n int) {
			h.post("/v1/contacts/opt-out", line(`{"contact":%q,"via":"web"}`, mail(n)), bearer(token), 204)
		},
		func(n int) { h.do("erase", rpc.EraseArgs{Contact: phone(n)}, nil) },
		func(n int) { h.do("erase", rpc.EraseArgs{Contact: mail(n)}, nil) },
		func(n int) {
			h.post(native.Path, line(`{"schema":"murmur.v1","type":"consent","source_id":"no%d","occurred_at":%q,"purpose":"transcribe","act":"opted_out","via":"web","party":{"email":%q}}`,
				n, at.Format(time.RFC3339), mail(n)), bearer(native.Secret), 200)
		},
	}
	n := 100
	var gone []string
	for _, way := range ways {
		for i, order := range orders(4) {
			n++
			parties := []string{
				fmt.Sprintf(`{"phone":%q}`, phone(n)), fmt.Sprintf(`{"phone":%q,"email":%q}`, phone(n), mail(n)), fmt.Sprintf(`{"email":%q}`, mail(n)),
			}
			for _, step := range order {
				if step == 3 {
					way(n)
				} else {
					word := fmt.Sprintf("zebra%c%c%c", 'a'+n%26, 'a'+n/26, 'p'+step)
					gone = append(gone, word)
					say(fmt.Sprintf("AC%d-%d", n, step), parties[step], "please send the "+word+" invoice again")
				}
				if i%8 == 7 {
					h.drain()
				}
			}
		}
	}
	shared := `"email":"none@example.com"`
	kept := []string{"giraffe", "badger", "hippo"}
	say("ACk1", `{"phone":"+12025550901",`+shared+`}`, "where is my giraffe parcel")
	say("ACk2", `{"phone":"+12025550902",`+shared+`}`, "where is my walrus parcel")
	for _, by := range []string{"+12025550902", "+12025550904"} {
		h.post("/v1/contacts/opt-out", line(`{"contact":%q,"via":"sms"}`, by), bearer(token), 204)
	}
	h.do("erase", rpc.EraseArgs{Contact: "+12025550902", Wait: true}, nil)
	say("ACk3", `{"phone":"+12025550903",`+shared+`}`, "where is my badger parcel")
	say("ACk4", `{"phone":"+12025550904",`+shared+`}`, "where is my walrus parcel")
	say("ACk5", `{"phone":"+12025550905","email":"person905@example.com"}`, "where is my hippo parcel")
	h.drain()
	h.erased()
	h.drain()
	h.figures()
	if err := h.node.Tidy(t.Context()); err != nil { // files that a count still read
		t.Fatal(err)
	}
	words := h.lakeWords()
	for _, w := range append(gone, "walrus") {
		if strings.Contains(words, w) {
			t.Errorf("the lake has %q of somebody who refused by another address", w)
		}
	}
	for _, w := range kept {
		if !strings.Contains(words, w) {
			t.Errorf("the lake lost %q of somebody who refused nothing", w)
		}
	}
}

// TestFiguresByTwoAddressesDoNotDependOnOrder: the same calls, texts, answers, refusals and erasures of people who have two
// addresses give the same figures in whatever order they come.
func TestFiguresByTwoAddressesDoNotDependOnOrder(t *testing.T) {
	t.Parallel()
	var want []byte
	for round := range 3 {
		h := open(t, newData(t))
		h.policy("transcripts", "notice", "noise", "0")
		native := h.connect("native")
		token := h.token()
		random := rand.New(rand.NewPCG(5, uint64(round)))
		var all []func()
		for n := range 42 {
			at := march.Add(time.Duration(n) * time.Hour)
			phone, mail := fmt.Sprintf("+1202555%04d", 100+n), fmt.Sprintf("person%d@example.com", n)
			send := func(body []byte) { all = append(all, func() { h.post(native.Path, body, bearer(native.Secret), 200) }) }
			for i, party := range []string{fmt.Sprintf(`{"phone":%q}`, phone), fmt.Sprintf(`{"phone":%q,"email":%q}`, phone, mail), fmt.Sprintf(`{"email":%q}`, mail)} {
				id := fmt.Sprintf("AC%d-%d", n, i)
				send(line(`{"schema":"murmur.v1","type":"call","source_id":%q,"occurred_at":%q,"direction":"in","number":"Sales","outcome":%q,"party":%s}`,
					id, at.Format(time.RFC3339), []string{"missed", "answered"}[n%2], party))
				if n%6 == 0 {
					continue // of who refused, notices are counted that were played before
				}
				send(wordsOf(id, party, "where is my parcel, I want a refund", at))
			}
			switch n % 6 {
			case 0:
				all = append(all, func() {
					h.post("/v1/contacts/opt-out", line(`{"contact":%q,"via":"web"}`, mail), bearer(token), 204)
				})
			case 1:
				all = append(all, func() { h.do("erase", rpc.EraseArgs{Contact: mail}, nil) })
			case 2:
				all = append(all, func() { h.do("erase", rpc.EraseArgs{Contact: phone}, nil) })
			}
		}
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, do := range all {
			do()
		}
		h.drain()
		h.erased()
		h.drain()
		got := h.figures()
		if want == nil {
			want = got
			continue
		}
		sameFigures(t, want, got)
	}
}
