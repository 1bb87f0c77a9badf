package enrich

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"murmur/internal/crowd/internal/enrich/classify"
	"murmur/internal/crowd/internal/enrich/cluster"
)

// Said is a masked text that somebody wrote or said, and a key of who it was.
type Said struct {
	Contact [16]byte
	Words   string
}

// Found is what several people write about: the words that tell it from everything else, and its texts as places in what was
// looked through.
type Found struct {
	Words []string
	Texts []int
}

const (
	textsOfOne = 30 // that a subject has, about
	mostFound  = 12
	mostWords  = 4
)

// Find looks for what people write about in texts of which no reason is told. Its words must tell it from the others, from told,
// which are texts of the same time, and from the sentences of the public reasons. Each of its words was used in it by contacts who are
// enough. The same texts in the same order give the same subjects, those of most texts first.
func Find(untold, told []Said, enough func(contacts map[[16]byte]bool) bool) ([]Found, error) {
	s := &search{untold: untold, enough: enough}
	for _, t := range slices.Concat(untold, told) {
		s.texts = append(s.texts, strings.Join(contactTurns(t.Words), "\n"))
	}
	known, err := classify.Parse(publicReasons)
	if err != nil {
		return nil, fmt.Errorf("find subjects: %w", err)
	}
	for _, e := range known {
		s.texts = append(s.texts, e.Text)
	}
	k := min(mostFound, len(untold)/textsOfOne+1)
	group := cluster.Groups(s.texts[:len(untold)], k)
	one := alike(s.names(group, k))
	for i := range group {
		group[i] = one[group[i]]
	}
	all := make([]Found, k)
	for i, g := range group {
		all[g].Texts = append(all[g].Texts, i)
	}
	for g, words := range s.names(group, k) {
		all[g].Words = words
	}
	all = slices.DeleteFunc(all, func(f Found) bool { return len(f.Words) == 0 })
	slices.SortStableFunc(all, func(a, b Found) int { return cmp.Compare(len(b.Texts), len(a.Texts)) })
	return all, nil
}

// search is what names are made from: texts begin with the untold ones.
type search struct {
	texts  []string
	untold []Said
	enough func(contacts map[[16]byte]bool) bool
}

// names gives the words of k groups of the untold texts; all others are one more.
func (s *search) names(group []int, k int) [][]string {
	groups, size := make([]int, len(s.texts)), make([]float64, k+1)
	in, everywhere := map[said]float64{}, map[string]float64{}
	who := map[said]map[[16]byte]bool{}
	for i, text := range s.texts {
		groups[i] = k
		if i < len(group) {
			groups[i] = group[i]
		}
		size[groups[i]]++
		for _, w := range cluster.Words(text) {
			at := said{groups[i], w}
			in[at]++
			everywhere[w]++
			if i < len(group) {
				if who[at] == nil {
					who[at] = map[[16]byte]bool{}
				}
				who[at][s.untold[i].Contact] = true
			}
		}
	}
	tells := func(g int, w string) bool {
		n, others := in[said{g, w}], float64(len(s.texts))-size[g]
		return n*others >= telling*(everywhere[w]-n)*size[g]
	}
	return cluster.Names(s.texts, groups, k+1, mostWords, func(g int, w string) bool {
		return g < k && tells(g, w) && !slices.Contains(little, w) && s.enough(who[said{g, w}])
	})[:k]
}

// said is a word in a group.
type said struct {
	group int
	word  string
}

// little are words that say nothing of what a text is about.
var little = strings.Fields(`the and for are was were can could would will shall should may might must what when where which who whom whose why how
does did done has have had having been being this that these those with from into onto your you our yours mine his her hers him she they them their
its there here please just not but any all some than then too very also about out get got let want need like make made still yet don't it's i'm i've
what's isn't doesn't can't won't didn't that's there's you're we're hello thanks thank`)

// telling is how much more often a word is in the texts of a group than in all others when it names the group.
const telling = 3

// alike gives for each group the first one that shares a word of its name.
func alike(names [][]string) (one []int) {
	for g, words := range names {
		one = append(one, g)
		for before := range g {
			if slices.ContainsFunc(words, func(w string) bool { return slices.Contains(names[before], w) }) {
				one[g] = one[before]
				break
			}
		}
	}
	return one
}
