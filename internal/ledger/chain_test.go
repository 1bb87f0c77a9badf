package ledger

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// proof is the chain of the second and fourth of ten entries, up to the checkpoint after the fourth, having been through JSON.
func proof(t *testing.T, b *book) Chain {
	t.Helper()
	all, err := b.Chains(t.Context(), []int64{4, 2})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d chains: %v", len(all), err)
	}
	js, err := json.MarshalIndent(all[0], "", "  ")
	var c Chain
	if err == nil {
		err = json.Unmarshal(js, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAChainStandsAlone(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.fill(t)
	c := proof(t, b)
	if found := c.Verify(b.PublicKey()); len(found) != 0 || len(c.Links) != 3 {
		t.Fatalf("%d links, found %v", len(c.Links), found)
	}
	shown, err := c.Records()
	if err != nil || len(shown) != 2 || shown[0].Seq != 2 || shown[1].Seq != 4 {
		t.Errorf("shows %v: %v", shown, err)
	}
	if k := c.Links[1]; k.Body != "" || k.Kind != "" || k.At != 0 {
		t.Error("an entry that was not asked for is shown")
	}
	for name, f := range map[string]struct {
		do   func(*Chain)
		want What
	}{
		"an entry's words":       {func(c *Chain) { c.Links[0].Body = strings.Replace(c.Links[0].Body, "shop", "x", 1) }, Edited},
		"an entry's time":        {func(c *Chain) { c.Links[0].At++ }, Edited},
		"an entry's kind":        {func(c *Chain) { c.Links[2].Kind = "budget" }, Edited},
		"an entry's hash":        {func(c *Chain) { c.Links[0].Hash = make([]byte, 32) }, Edited},
		"another one's leaf":     {func(c *Chain) { c.Links[1].Leaf = make([]byte, 32) }, Edited}, // named at the entry after it
		"the hash before":        {func(c *Chain) { c.Prev = make([]byte, 32) }, Edited},
		"an entry taken out":     {func(c *Chain) { c.Links = slices.Delete(c.Links, 1, 2) }, Deleted},
		"two entries in turn":    {func(c *Chain) { c.Links[0], c.Links[2] = c.Links[2], c.Links[0] }, Reordered},
		"the end cut off":        {func(c *Chain) { c.Links = c.Links[:2] }, Truncated},
		"everything cut off":     {func(c *Chain) { c.Links = nil }, Truncated},
		"the checkpoint's words": {func(c *Chain) { c.Checkpoint = strings.Replace(c.Checkpoint, " 4 ", " 5 ", 1) }, BadCheckpoint},
		"no checkpoint":          {func(c *Chain) { c.Checkpoint = "" }, BadCheckpoint},
		"another key":            {func(c *Chain) { c.Key = ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey) }, BadCheckpoint},
		"rebuilt":                {fit, Rebuilt},
	} {
		bad := proof(t, b)
		f.do(&bad)
		found := bad.Verify(b.PublicKey())
		if !slices.ContainsFunc(found, func(b Breach) bool { return b.What == f.want }) {
			t.Errorf("%s: found %v, want %s", name, found, f.want)
		}
	}
	if _, err := b.Chains(t.Context(), []int64{99}); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

// fit changes an entry and makes every hash after it fit.
func fit(c *Chain) {
	c.Links[0].At++
	hash := c.Prev
	for i := range c.Links {
		k := &c.Links[i]
		leaf := k.Leaf
		if leaf == nil {
			r := row{at: k.At, kind: k.Kind, body: []byte(k.Body)}
			leaf = r.leaf()
		}
		hash = link(hash, k.Seq, leaf)
		if k.Leaf == nil {
			k.Hash = hash
		}
	}
}

func TestAChainEndsAtTheNextCheckpoint(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.fill(t) // checkpoints after 4 and 8 of 10
	all, err := b.Chains(t.Context(), []int64{1, 9, 5})
	if err != nil || len(all) != 3 {
		t.Fatalf("%d chains: %v", len(all), err)
	}
	for i, links := range []int{4, 4, 2} {
		if len(all[i].Links) != links || len(all[i].Verify(b.PublicKey())) != 0 {
			t.Errorf("chain %d has %d links, found %v", i, len(all[i].Links), all[i].Verify(b.PublicKey()))
		}
	}
}
