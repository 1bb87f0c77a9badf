package insight

// Change is one figure in two periods.
type Change struct {
	Before Figure `json:"before"`
	After  Figure `json:"after"`
	// Direction is "up" or "down" where the two intervals do not meet, otherwise "unclear".
	Direction string `json:"direction"`
}

// Compare pairs the shown figures of two periods by measure and split, in the order of after. What is shown in one of them
// alone is left out.
func Compare(before, after []Figure) (changes []Change) {
	for _, f := range after {
		if f.Value == nil {
			continue
		}
		if p, ok := match(f, before); ok {
			changes = append(changes, Change{Before: p, After: f, Direction: direction(p, f)})
		}
	}
	return changes
}

// direction says whether a figure rose or fell beyond what its intervals leave open.
func direction(before, after Figure) string {
	switch {
	case *after.Low > *before.High:
		return "up"
	case *after.High < *before.Low:
		return "down"
	}
	return "unclear"
}
