package duckdb

import (
	"context"

	"murmur/internal/crowd/release"
)

// Parts gives every row as what it adds to the cells of questions, for the attacks that murmur tries on its own figures:
// with one contact's left out, a count is what it would be without that person.
func (c *Counter) Parts(ctx context.Context, snap release.Snapshot, s release.Settings, qs []release.Question, f func(release.Part)) error {
	type asked struct {
		sheet             *sheet
		period, histogram int
	}
	var questions map[asked][]int
	n, err := c.read(ctx, snap, s, qs, func(p *plan, row counted) {
		if questions == nil {
			questions = map[asked][]int{}
			for i, a := range p.answers {
				at := asked{a.sheet, a.period, a.histogram}
				questions[at] = append(questions[at], i)
			}
		}
		part := release.Part{Leaf: row.at % row.sheet.leaves, Bin: row.bin, Mark: row.marks, Verified: row.verified}
		for _, part.Question = range questions[asked{row.sheet, row.at / row.sheet.leaves, row.histogram}] {
			f(part)
		}
	})
	if err != nil {
		return err
	}
	return n.Close()
}
