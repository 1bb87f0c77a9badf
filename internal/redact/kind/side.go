package kind

import "strings"

// Side tells the speakers of a conversation apart; the numbers are those of fact.Side. 0 is unknown.
type Side int64

const (
	Contact Side = iota + 1
	Member
	Machine // asks, and answers nothing
)

// ParseSide gives the side that a label or a name of a side stands for: "Agent: ", "customer". Sides without a
// number of their own get one above 99, the same for the same word.
func ParseSide(label string) Side {
	name := strings.ToLower(strings.Trim(label, ": \t"))
	switch name {
	case "":
		return 0
	case "agent", "rep", "representative", "member", "support", "operator", "advisor", "adviser", "host", "receptionist", "clerk", "employee", "staff", "technician", "dispatcher":
		return Member
	case "customer", "caller", "contact", "client", "guest", "user", "patient":
		return Contact
	case "system", "bot", "machine", "ivr":
		return Machine
	}
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return Side(100 + h>>1)
}
