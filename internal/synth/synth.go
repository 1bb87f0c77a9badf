// Package synth makes synthetic people, their conversations and the business they call: the one generator behind
// tests, benchmarks and `murmur demo`.
//
// Zone: outside. It plays the vendors' part: it knows wire formats and no type of the private zone or the crowd,
// and nothing of the program imports what it makes except through the front door.
//
// Promises: the same Config gives the same days, byte by byte; people exist nowhere else (names from lists of our
// own, telephone numbers from the ranges 555-0100 to 555-0199 that are reserved for fiction, e-mail at the
// reserved example domains of RFC 2606); and a planted problem that insights must find (see Config.Healthy).
//
// What it does not do: replace real language. Its texts are cleaner and more uniform than those of people, so
// accuracy measured on them is too high.
package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Config of a business. The zero value is a business of 150 contacts a month in UTC from Monday 2026-01-05.
type Config struct {
	Seed  uint64
	Start time.Time // first day; its date in Zone counts. Default 2026-01-05
	Zone  *time.Location
	// Contacts is about how many different people get in touch a month; default 150.
	Contacts int
	// Trade is one of Trades; default by seed.
	Trade string
	// Healthy leaves the planted problem out. The problem: on weekdays from 12:00 to 14:00 the members are at
	// lunch, most calls to the first number ring out although callers choose 3 in the menu, hear it again and hang
	// up; those people score low in surveys and are rarely called back.
	Healthy bool
}

// Business is a business and everyone it knows. Next gives its next day. Not for concurrent use.
type Business struct {
	Name    string
	Trade   string
	Zone    *time.Location
	Members []Member
	Numbers []Number
	Surveys []Survey

	cfg     Config
	trade   trade
	random  *rand.Rand
	people  []*Person
	pending []pending // what follows on later days
	day     int
	serial  uint64
}

// Automatic takes the texts that a rule sent out of a day: the workflow knows of those, and the phone system does not say
// which they are.
func (d Day) Automatic() (rest Day, automatic []Text) {
	rest = d
	rest.Texts = nil
	for _, t := range d.Texts {
		if t.Automatic {
			automatic = append(automatic, t)
		} else {
			rest.Texts = append(rest.Texts, t)
		}
	}
	return rest, automatic
}

// Called is what people call something that a platform knows by another name.
type Called struct{ Kind, From, To string }

// Names are those of the business's lines, menus and surveys.
func (b *Business) Names() []Called {
	return []Called{
		{"line", "PNmain", "Front desk"}, {"line", "PNsales", "New customers"}, {"line", "PNservice", "Service"},
		{"flow", "PNmain", "Front desk"}, {"flow", "PNsales", "New customers"}, {"flow", "PNservice", "Service"}, {"step", "menu", "Main menu"}, {"step", "opening hours", "Opening hours"}, {"step", "team", "Ring the team"},
		{"survey", "recommend", "Would you recommend us?"}, {"survey", "your-call", "How was your call?"},
	}
}

// Member is an employee.
type Member struct{ ID, Name string }

// Number is a number of the business, known everywhere by its ID; the first has the phone menu.
type Number struct{ ID, Phone string }

// Survey is a form: an NPS question or a rating from 1 to 5, and a comment.
type Survey struct{ ID, Title, Scale string }

// Person is a contact: the person outside the business.
type Person struct {
	Name, Phone, Email, Address, Birth string
	let                                bool // was let down by the planted problem
}

// Values lists everything personal about p: what no output may contain.
func (p *Person) Values() []string { return []string{p.Name, p.Phone, p.Email, p.Address, p.Birth} }

// Day is one day of a business, each list in the order of time.
type Day struct {
	Date     time.Time // midnight in the business's zone
	Calls    []Call
	Texts    []Text
	Steps    []Step
	Answers  []Answer
	Consents []Consent
}

// Call is one call. Times that did not come are zero.
type Call struct {
	ID                  string
	Person              *Person
	Number              Number
	Member              Member // who answered or called
	Out                 bool
	At, Answered, Ended time.Time
	Outcome             string // in the words of murmur.v1
	Voicemail           string // its words, empty without one
	Turns               []Turn // of the transcript, none when there is none
	Summary             string // the vendor's
	Recorded            bool
	Reason              string // why the person got in touch: the truth, in no wire format
}

// Turn is one utterance, in seconds from the beginning of the recording.
type Turn struct {
	Member     bool
	Start, End float64
	Words      string
}

// Text is a text message.
type Text struct {
	ID        string
	Person    *Person
	Number    Number
	Member    Member
	Out       bool
	At        time.Time
	Body      string
	Automatic bool
	Failed    bool
	Reason    string // of incoming texts, as of calls
}

// Step is one pass of a call through a node of the workflow.
type Step struct {
	ID      string
	Call    string // the call's ID
	Person  *Person
	Number  Number
	Node    string
	Kind    string // of node, in the words of murmur.v1
	Key     string // the key pressed, or "none"
	Label   string
	Outcome string
	In, Out time.Time
}

// Answer is a survey's answer.
type Answer struct {
	ID      string
	Person  *Person
	Survey  Survey
	Score   int
	Comment string
	At      time.Time
	Call    string // the call it is about; may be empty
}

// Consent is a notice that was played or a refusal.
type Consent struct {
	ID     string
	Call   string
	Person *Person
	Act    string // noticed, opted_out
	Via    string
	At     time.Time
}

// New makes a business.
func New(c Config) *Business {
	if c.Start.IsZero() {
		c.Start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Contacts == 0 {
		c.Contacts = 150
	}
	b := &Business{cfg: c, Zone: c.Zone, random: rand.New(rand.NewPCG(c.Seed, 0x6d75726d7572))}
	b.trade = tradeOf(c.Trade, b.random)
	b.Trade = b.trade.name
	b.Name = pick(b.random, lastNames) + " " + b.trade.suffix
	for i := range 4 {
		b.Members = append(b.Members, Member{ID: b.id("US"), Name: firstNames[(b.random.IntN(20)*4+i)%len(firstNames)]})
	}
	for i, name := range []string{"main", "sales", "service"} {
		b.Numbers = append(b.Numbers, Number{ID: "PN" + name, Phone: fmt.Sprintf("+1%s555019%d", areaCodes[0], i)})
	}
	b.Surveys = []Survey{
		{ID: "recommend", Title: "How likely are you to recommend us?", Scale: "nps"},
		{ID: "your-call", Title: "How was your call?", Scale: "csat"},
	}
	return b
}

// Days makes a business and gives its first days.
func Days(c Config, days int) (*Business, []Day) {
	b := New(c)
	all := make([]Day, days)
	for i := range all {
		all[i] = b.Next()
	}
	return b, all
}

// People lists everyone who ever got in touch.
func (b *Business) People() []*Person { return b.people }

// id makes the vendor's next id: two letters, ten characters that look random, and a count.
func (b *Business) id(prefix string) string {
	const digits = "0123456789abcdefghijklmnopqrstuv"
	b.serial++
	x := (b.serial ^ b.cfg.Seed<<32) * 0x9e3779b97f4a7c15
	x ^= x >> 29
	buf := make([]byte, 0, 32)
	buf = append(buf, prefix...)
	for range 10 {
		buf = append(buf, digits[x&31])
		x >>= 5
	}
	return string(strconv.AppendUint(buf, b.serial, 16))
}

// meet gives someone new, or someone who was here before.
func (b *Business) meet() *Person {
	if n := len(b.people); n > 20 && b.random.Float64() < 0.25 {
		return b.people[n-1-b.random.IntN(min(n, 200))]
	}
	p := newPerson(b.random)
	b.people = append(b.people, p)
	return p
}

func newPerson(r *rand.Rand) *Person {
	first, last := pick(r, firstNames), pick(r, lastNames)
	return &Person{
		Name:    first + " " + last,
		Phone:   fmt.Sprintf("+1%s55501%02d", pick(r, areaCodes), r.IntN(90)), // 0190-0199 are the business's
		Email:   fmt.Sprintf("%s.%s%d@example.%s", ascii(first), ascii(last), r.IntN(100), pick(r, []string{"com", "net", "org"})),
		Address: fmt.Sprintf("%d %s", 1+r.IntN(1900), pick(r, streets)),
		Birth:   fmt.Sprintf("%d/%d/%d", 1+r.IntN(12), 1+r.IntN(28), 1940+r.IntN(65)),
	}
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// poisson draws a count of the given mean: Knuth's product for small means, rounded normal above 50.
func poisson(r *rand.Rand, mean float64) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n, product := 0, r.Float64()
	for limit := math.Exp(-mean); product > limit; n++ {
		product *= r.Float64()
	}
	return n
}

// around draws seconds of a log-normal spread about the median.
func around(r *rand.Rand, median, spread float64) time.Duration {
	s := median * math.Exp(spread*r.NormFloat64())
	return time.Duration(s * float64(time.Second)).Truncate(time.Second)
}
