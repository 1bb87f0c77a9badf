package synth

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// trade is a line of business: what it sells, what it looks after, and how often people come for what.
type trade struct {
	name, suffix string
	services     []string
	objects      []string
	weights      [len(topics)]int
}

// topics are the reasons people have; the words are the generator's own.
var topics = [...]string{"booking", "reschedule", "hours", "enquiry", "price", "status", "billing", "complaint", "help", "callback", "thanks", "spam", "smalltalk"}

var topicWords = map[string]string{
	"booking": "an appointment", "reschedule": "moving an appointment", "hours": "opening hours", "enquiry": "services",
	"price": "a price", "status": "the state of an order", "billing": "an invoice", "complaint": "a complaint",
	"help": "a technical problem", "callback": "a missed call", "thanks": "feedback", "spam": "an offer", "smalltalk": "several things",
}

var trades = []trade{
	{"dental", "Dental Care", list("a cleaning;a checkup;a root canal;a filling;whitening;braces"), list("my tooth;my crown;my retainer;the filling"),
		[...]int{28, 18, 6, 7, 9, 4, 9, 3, 5, 5, 4, 1, 1}},
	{"plumbing", "Plumbing", list("a drain cleaning;a water heater;a leak repair;a new faucet;an inspection"), list("the sink;the toilet;the water heater;the shower"),
		[...]int{24, 10, 3, 8, 14, 10, 6, 4, 13, 4, 2, 1, 1}},
	{"salon", "Hair Studio", list("a haircut;highlights;a blowout;a perm;a beard trim"), list("my hair;my color;my extensions;the appointment app"),
		[...]int{36, 20, 8, 5, 11, 1, 3, 3, 1, 3, 7, 1, 1}},
	{"auto", "Auto Repair", list("an oil change;a brake job;new tires;an inspection;a tune up"), list("my car;the truck;my brakes;the engine"),
		[...]int{22, 9, 6, 6, 15, 18, 6, 5, 6, 3, 2, 1, 1}},
	{"restaurant", "Kitchen", list("dinner;brunch;a birthday party;catering;a private room"), list("our table;our order;the menu;the terrace"),
		[...]int{35, 16, 17, 6, 6, 6, 2, 4, 1, 2, 4, 1, 0}},
	{"cleaning", "Home Cleaning", list("a deep clean;a weekly clean;a move-out clean;window cleaning"), list("the kitchen;the carpet;the bathroom;the oven"),
		[...]int{26, 18, 2, 9, 18, 5, 8, 5, 1, 3, 3, 1, 1}},
	{"vet", "Animal Clinic", list("a vaccination;a checkup;a nail trim;grooming;surgery"), list("my dog;my cat;his ear;the stitches"),
		[...]int{28, 13, 8, 6, 8, 10, 6, 3, 9, 4, 4, 1, 0}},
	{"physio", "Physiotherapy", list("a first session;a massage;a follow-up;shockwave therapy"), list("my back;my knee;my shoulder;the exercise app"),
		[...]int{30, 24, 5, 9, 8, 1, 8, 2, 4, 4, 4, 1, 0}},
	{"heating", "Heating & Air", list("a furnace service;a new air conditioner;duct cleaning;a repair"), list("the furnace;the thermostat;the air conditioner;the boiler"),
		[...]int{22, 10, 2, 7, 14, 11, 7, 4, 16, 3, 2, 1, 1}},
	{"law", "Law Office", list("a consultation;a will;a contract review;a divorce"), list("my file;the contract;the form;the court date"),
		[...]int{20, 15, 5, 14, 12, 13, 9, 3, 2, 5, 2, 0, 0}},
}

// Trades names the lines of business that Config.Trade accepts.
func Trades() (names []string) {
	for _, t := range trades {
		names = append(names, t.name)
	}
	return names
}

// tradeOf finds a trade; an empty or unknown name draws one.
func tradeOf(name string, r *rand.Rand) trade {
	drawn := pick(r, trades)
	if i := slices.IndexFunc(trades, func(t trade) bool { return t.name == name }); i >= 0 {
		return trades[i]
	}
	return drawn
}

func list(s string) []string { return strings.Split(s, ";") }

func (t trade) topic(r *rand.Rand) string {
	total := 0
	for _, w := range t.weights {
		total += w
	}
	n, i := r.IntN(total), 0
	for n >= t.weights[i] {
		n -= t.weights[i]
		i++
	}
	return topics[i]
}

// asks are what a contact says first. Slots: {service} {object} {day} {clock} {name} {first} {phone} {email}
// {address} {birth} {id} {price}.
var asks = map[string][]string{
	"booking": list("Hi, I'd like to book {service} for {day} if you have anything.;hey can i get in for {service} {day} around {clock};" +
		"Hello, this is {name}. Do you have any openings {day}? I need {service}.;Do you have time {day} for {service}? You can reach me at {phone}.;" +
		"need an appointment {day} for {object} please;could someone come out to {address} {day} for {service};" +
		"I'd like to schedule {service}. My email is {email}.;Can I make an appointment for {service}? My date of birth is {birth}."),
	"reschedule": list("I need to reschedule my appointment {day}, sorry.;cant make it {day} can we do another time;This is {name}, please cancel {service} {day}.;" +
		"Something came up, could we move {service} to {clock} instead?;running 15 min late for my {clock};Can we change my appointment from {day} to later? Call me at {phone}"),
	"hours": list("What time do you close {day}?;are you open {day};Where exactly are you located? I'm at {address}.;is there parking;What are your hours over the holidays?"),
	"enquiry": list("Do you do {service}?;Hi I'm {name}, I'm new in town and looking for {service}.;do you take new clients? my email is {email};" +
		"A friend recommended you. Can you tell me more about {service}?;Do you work with {object}?"),
	"price": list("How much is {service}?;whats the price for {service} these days;Could I get a quote for {service} at {address}?;" +
		"What would it cost to fix {object}? Email me at {email}.;I was quoted {price} elsewhere for {service}, can you beat it?"),
	"status": list("Is {object} ready yet?;any update on {object}? order {id};Hi, {name} here, just checking on the status of {object}.;" +
		"Is the technician still coming to {address} {day}?;my order number is {id} when will it arrive"),
	"billing": list("I have a question about my invoice {id}.;why was i charged {price} twice;Can I pay my bill over the phone? I'm {name}.;" +
		"Please send the receipt for {service} to {email}.;My card was declined but the payment of {price} is gone."),
	"complaint": list("I'm really unhappy with {service}, {object} is worse than before.;nobody showed up {day} and i took the day off, this is unacceptable;" +
		"I want to speak to a manager. My name is {name} and nobody calls me back at {phone}.;Your person was rude and left a mess at {address}.;" +
		"third time I'm writing about {object}, terrible service"),
	"help": list("{object} stopped working since {day}, can you help?;there is something wrong with {object} what should i do;" +
		"It's {name} at {address}, {object} is making a strange noise.;How do I take care of {object} after {service}?;I can't log in to the portal with {email}"),
	"callback": list("Please call me back at {phone}.;hi this is {name} i missed a call from you;Can {first} from your office call me {day}?;" +
		"returning your call, my number is {phone};Is somebody there I can talk to about {object}?"),
	"thanks": list("Thank you so much for {service}, it was great!;{object} looks amazing, thanks again - {first};you guys are the best;" +
		"Just wanted to say everyone was so kind {day}.;thanks for fitting me in"),
	"spam": list("We can get your business to the top of Google, guaranteed.;Your business has been pre-approved for a loan, reply YES.;sorry wrong number;" +
		"You have an unclaimed parcel, click https://parcel.example.com/claim"),
	"smalltalk": list("ok;it's the house on the corner of {address};ok let me ask my wife;yes that's me, {name}"),
}

var replies = map[string][]string{
	"booking":    list("Hi {first}, {day} at {clock} works. See you then!;We have {day} {clock} open, shall I put you down, {first}?"),
	"reschedule": list("No problem {first}, I moved you to {day} {clock}.;All done. Let us know if anything changes."),
	"hours":      list("We are open Monday to Friday, nine to five.;Yes, parking is behind the building."),
	"price":      list("{service} is usually {price}, {first}.;I can send an estimate to {email}."),
	"status":     list("It will be ready {day} at {clock}.;I checked order {id}: it is on its way to {address}."),
	"billing":    list("I sent the receipt to {email}.;You are right, we refunded {price} today."),
	"complaint":  list("I am so sorry, {first}. Our manager will call you at {phone} {day}.;That should not have happened, we will make it right."),
	"":           list("Thanks {first}, we will get back to you {day}.;Sure, someone will call you at {phone}."),
}

// The parts of a call between the reason and the goodbye.
var (
	introductions = list("Yes, it's {name}, and the number is {phone}.;My name is {name}. You can call me at {phone}.")
	questions     = list("And what is the address?;Could you spell your email for me?;Thank you. One moment please.")
	particulars   = list("It's {address}.;Sure, that's {email}.;No problem.")
	goodbyes      = list("Perfect, thank you so much.;Okay, that works. Bye.;Alright, thanks for your help.")
)

var days = list("today;tomorrow;on Monday;on Tuesday;on Wednesday;on Thursday;on Friday;next week;this afternoon;tomorrow morning")

var clocks = list("9:30;10;11:15;2;3:30;4 pm;half past ten;noon")

// fill replaces a pattern's slots with the person's and random things. Spoken words say numbers and addresses.
func (t trade) fill(r *rand.Rand, pattern string, p *Person, speak bool) string {
	out := make([]byte, 0, len(pattern)+64)
	for {
		plain, rest, found := strings.Cut(pattern, "{")
		out = append(out, plain...)
		if !found {
			return string(out)
		}
		slot, after, _ := strings.Cut(rest, "}")
		out = append(out, t.slot(r, slot, p, speak)...)
		pattern = after
	}
}

func (t trade) slot(r *rand.Rand, name string, p *Person, speak bool) string {
	switch name {
	case "service":
		return pick(r, t.services)
	case "object":
		return pick(r, t.objects)
	case "day":
		return pick(r, days)
	case "clock":
		return pick(r, clocks)
	case "name":
		return p.Name
	case "first":
		return p.first()
	case "address":
		return p.Address
	case "birth":
		return p.Birth
	case "id":
		return string(rune('A'+r.IntN(26))) + string(rune('A'+r.IntN(26))) + "-" + strconv.Itoa(10000+r.IntN(90000))
	case "price":
		return "$" + strconv.Itoa(40+10*r.IntN(90))
	case "phone":
		if speak {
			return aloud(p.Phone)
		}
		return dashed(p.Phone)
	case "email":
		if speak {
			return spelled(p.Email)
		}
		return p.Email
	}
	panic("synth: a pattern has a slot without a filling")
}

func (p *Person) first() string {
	first, _, _ := strings.Cut(p.Name, " ")
	return first
}

// message is a text that a contact writes.
func (t trade) message(r *rand.Rand, p *Person, topic string) string {
	s := t.fill(r, pick(r, asks[topic]), p, false)
	if r.IntN(4) == 0 {
		s = strings.ToLower(s)
	}
	return s
}

func (t trade) reply(r *rand.Rand, p *Person, topic string) string {
	patterns := replies[topic]
	if len(patterns) == 0 {
		patterns = replies[""]
	}
	return t.fill(r, pick(r, patterns), p, false)
}

func closing(r *rand.Rand, p *Person) string {
	return pick(r, []string{"Perfect, thank you!", "ok thanks", "Great, see you then. " + p.first(), "thanks so much", "Sounds good"})
}

func autoReply(business string) string {
	return "Thanks for texting " + business + ". We are closed and will reply when we open at nine."
}

// voicemail is what a caller leaves after the tone.
func (t trade) voicemail(r *rand.Rand, p *Person, topic string) string {
	return t.fill(r, "Hi, this is {name}. "+pick(r, asks[topic])+" Please call me back at {phone}, that's {phone}. Thank you.", p, true)
}

// conversation is a call: the contact's reason, names and numbers read aloud, an arrangement, a goodbye.
func (t trade) conversation(r *rand.Rand, p *Person, m Member, business, topic string) []Turn {
	patterns := replies[topic]
	if len(patterns) == 0 {
		patterns = replies[""]
	}
	who := "the assistant"
	if m.Name != "" {
		who = m.Name
	}
	script := [...]struct {
		member bool
		words  string
	}{
		{true, "Thank you for calling " + business + ", this is " + who + ", how can I help you?"},
		{false, "Hi " + who + ", " + pick(r, asks[topic])},
		{true, "Sure. Can I have your name and a number to reach you?"},
		{false, pick(r, introductions)},
		{true, pick(r, questions)},
		{false, pick(r, particulars)},
		{true, pick(r, patterns)},
		{false, pick(r, goodbyes)},
	}
	turns, clock := make([]Turn, 0, len(script)), 0.4
	for _, s := range script {
		words := t.fill(r, s.words, p, true)
		end := clock + spoken(words).Seconds()
		turns = append(turns, Turn{s.member, clock, end, words})
		clock = end + 0.2*float64(1+r.IntN(5))
	}
	return turns
}

// remark is a survey's comment; most people leave none.
func remark(r *rand.Rand, p *Person, let bool) string {
	switch x := r.IntN(10); {
	case x < 6:
		return ""
	case let:
		return pick(r, []string{
			"I called at lunch time and nobody answered.", "The phone just rang and rang, very frustrating.",
			"Could not reach anyone, had to hear the menu twice. " + p.Name, "Nobody called me back at " + dashed(p.Phone) + ".",
		})
	}
	return pick(r, []string{
		"Great service, very friendly.", "Quick and helpful, thank you!", "All good. " + p.Name, "Everything was perfect.", "Fast answer by text, I liked that.",
	})
}
