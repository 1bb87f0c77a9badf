// Package act tells what one side of a conversation does with a turn: asks for a name, asks again, reads a value back,
// accepts it. It is a linear model over the words of the turn, learned from phrasings that people wrote (package hand,
// `make train-acts`) and embedded here.
//
// Zone: RED. Words: an *act* is what a turn does, a *feature* one observation about its words, a *row* what the model
// learned about a feature: a weight for every act.
//
// It promises: the same scores for the same words and model; time linear in the number of words, of which it reads the
// last readWords; no allocation. What it does not protect against: it has read only the phrasings of the hands
// named in its Header; docs/models/text.md says how often it is wrong on the phrasings of others.
package act

// Act is what a turn does.
type Act uint8

const (
	None        Act = iota // states, explains, waits: neither asks nor closes
	AskName                // asks who somebody is
	AskSpelling            // asks to spell it
	AskPostcode
	AskAddress
	AskBirth
	AskPhone
	AskNumber // asks for the number of a thing: a card, an account, an order, a plate
	AskCode   // asks for a secret: PIN, CVV, expiry, password, code
	AskEmail  // asks for an e-mail address, a user name, a web address
	AskOther  // asks for nothing personal
	Repeat    // asks to say it again
	Narrow    // asks for a part of it
	Confirm   // reads the value back
	Accept    // takes the answer and closes the matter
	Answer    // gives a value
	Acts
)

var names = [Acts]string{"none", "ask-name", "ask-spelling", "ask-postcode", "ask-address", "ask-birth", "ask-phone", "ask-number", "ask-code",
	"ask-email", "ask-other", "repeat", "narrow", "confirm", "accept", "answer"}

func (a Act) String() string {
	if a < Acts {
		return names[a]
	}
	return names[None]
}

// Named gives the act of a name.
func Named(name string) (Act, bool) {
	for a, n := range names {
		if n == name {
			return Act(a), true
		}
	}
	return None, false
}

// Asks reports whether the act asks for something personal.
func (a Act) Asks() bool { return a >= AskName && a <= AskEmail }

// Scores are those of one turn, by act; higher is surer. They are compared with each other only.
type Scores [Acts]int32

// Best is the act with the highest score.
func (s *Scores) Best() Act {
	best := None
	for a := range Acts {
		if s[a] > s[best] {
			best = a
		}
	}
	return best
}

// readWords is how many words of a turn are read: the last ones, where a question stands.
const readWords = 40
