package audio

import "time"

// Balance is how a conversation was shared. Shares are of its duration and may add up to more than 1.
type Balance struct {
	Talk          []float64 // a leg
	Silence       float64   // nobody speaks
	Interruptions []int     // by a leg: it begins while another leg, well on its way, speaks, and that one gives way
}

// What an interruption is.
const (
	wellOnItsWay = time.Second            // the other has spoken for so long
	notYetDone   = 200 * time.Millisecond // and goes on for so long, or it was merely an overlap of turns
	givesWay     = 2 * time.Second        // but for no longer; otherwise it was a "hm" beside it
)

// Shares measures the regions of each leg of a recording.
func Shares(legs [][]Interval, duration time.Duration) Balance {
	b := Balance{Talk: make([]float64, len(legs)), Interruptions: make([]int, len(legs))}
	if duration <= 0 {
		return b
	}
	var all []Interval
	for leg, regions := range legs {
		regions = Union(regions, 0)
		all = append(all, regions...)
		b.Talk[leg] = float64(Total(regions)) / float64(duration)
		for other, theirs := range legs {
			if other != leg {
				b.Interruptions[leg] += interruptions(regions, Union(theirs, 0))
			}
		}
	}
	b.Silence = max(0, 1-float64(Total(Union(all, 0)))/float64(duration))
	return b
}

// interruptions counts the regions that begin within one of theirs, cut it short and go on alone.
func interruptions(ours, theirs []Interval) (n int) {
	t := 0
	for _, o := range ours {
		for t < len(theirs) && theirs[t].End <= o.Start {
			t++
		}
		if t == len(theirs) {
			break
		}
		their := theirs[t]
		rest := their.End - o.Start
		if o.Start-their.Start >= wellOnItsWay && rest >= notYetDone && rest <= givesWay && o.End > their.End {
			n++
		}
	}
	return n
}
