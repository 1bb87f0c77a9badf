package detect

// Word is one word of a recogniser: code points [Start, End) of the text of turn Turn, and when it was said, in seconds
// from the beginning of the recording.
type Word struct {
	Turn, Start, End int
	From, To         float64
}

// Interval is a stretch of a recording, in seconds, in which a span was said. Span is its index in Spans.
type Interval struct {
	From, To float64
	Span     int
}

// Intervals says when the spans were said: for each span its words from the first to the last, whole words where a span
// ends inside one. Words are in order of turn and start; they may leave text out. complete is false if a span touches
// no word or a word without a time (To not behind From): then the sound cannot be masked and must not be kept.
func (r *Redaction) Intervals(words []Word) (intervals []Interval, complete bool) {
	complete = true
	k := 0
	for i, s := range r.spans {
		for k < len(words) && (words[k].Turn < s.Turn || words[k].Turn == s.Turn && words[k].End <= s.Start) {
			k++
		}
		in := Interval{Span: i}
		for j := k; j < len(words) && words[j].Turn == s.Turn && words[j].Start < s.End; j++ {
			w := words[j]
			if w.To <= w.From {
				complete = false
				continue
			}
			if in.To == 0 {
				in.From = w.From
			}
			in.From, in.To = min(in.From, w.From), max(in.To, w.To)
		}
		if in.To == 0 {
			complete = false
			continue
		}
		intervals = append(intervals, in)
	}
	return intervals, complete
}
