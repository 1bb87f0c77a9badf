package insight

import (
	"testing"

	"murmur/internal/crowd/release"
)

func autoReply(with, when string) []release.Member {
	return []release.Member{{Dim: "auto_reply", Name: with}, {Dim: "case", Name: when}}
}

// Missed calls outside hours: 5 of 20 try again with an automatic reply, 10 of 20 without. Texts outside hours: 1 of 10 and 2
// of 10. The difference is (5/20 - 10/20) * 20/30 + (1/10 - 2/10) * 10/30 = -1/6 - 1/30 = -20 points. Calls in open hours, 3 of
// 10, get no reply: they count among those without, 15 of 40, and not in the difference.
var _ = example("auto-reply-effect", func(q []release.Query) []answer {
	return []answer{answered(q[0],
		group(18, []int64{15, 5}, autoReply("yes", "call_closed")...), group(9, []int64{9, 1}, autoReply("yes", "text_closed")...),
		group(9, []int64{7, 3}, autoReply("no", "call_open")...),
		group(17, []int64{10, 10}, autoReply("no", "call_closed")...), group(9, []int64{8, 2}, autoReply("no", "text_closed")...))}
})

// What always gets a reply is compared with nothing.
func TestWithoutAlikeCasesThereIsNoEffect(t *testing.T) {
	t.Parallel()
	q := autoReplyEffect().Needs[0]
	fs := figuresOf(t, "auto-reply-effect", answered(q, group(9, []int64{9, 1}, autoReply("yes", "text_closed")...), group(9, []int64{7, 3}, autoReply("no", "text_open")...)))
	for _, f := range fs {
		if f.Measure == "effect" && f.Hidden != "no-data" {
			t.Errorf("an effect of %v among cases that are not alike", *f.Value)
		}
	}
}
