package workspace

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Basis is the ground on which a kind of content may be used.
type Basis string

const (
	// Deny is the default: nothing is fetched, opened or analysed.
	Deny Basis = "deny"
	// Notice: the business states that a notice is played on every call and that opt-outs are honoured.
	Notice Basis = "notice"
	// OptIn: only what a person agreed to; everything else is held for seven days, then refused.
	OptIn Basis = "opt-in"
	// OneParty, for recordings alone: the business attests that the law where it and its callers are requires the
	// consent of one party, and that it gives it. murmur does not wait for a notice; a refusal still wins.
	OneParty Basis = "one-party"
)

// Policy is what a workspace chose. The zero value is not a policy; start from DefaultPolicy.
type Policy struct {
	Recordings, Transcripts Basis
	OptInCountries          string // ISO 3166 codes, "DE,FR"; EU: its members. Content of people there needs their agreement
	RawHours                int    // recordings live this long; 1 to 24
	LinkDays                int    // rows of one person can be linked this long; 1 to 60
	Timezone                string
	Region                  string // ISO 3166: where a phone number without a country is read
	OpenHours               string // "mon-fri 09:00-17:00; sat 10:00-14:00"; empty: always open
	ShortAbandonSeconds     int    // a caller who gives up sooner was not missed by anyone
	OptOutChoice            string // the menu choice that means "do not record"
	MinGroup                int    // distinct contacts, for numbers
	MinGroupContent         int    // distinct contacts, for anything derived from content
	Noise                   int    // scale of the noise on counts, 1 to 4; 0: none, for the owner alone
	Outside                 string // off; Monthly: figures that leave are made
	OutsideContacts         int    // of a month, roughly: what figures that leave are planned with
	Transforms              string // what stands for a masked value instead of its type: "DATE:week,AGE:band"
	Identifiers             string // shapes of numbers of the business's own making: "ORDER:ORD-####-######"
	Reader                  string // the second reader of texts: On or Off
}

// DefaultPolicy denies content and keeps the least.
func DefaultPolicy() Policy {
	return Policy{
		Recordings: Deny, Transcripts: Deny, RawHours: 24, LinkDays: 60, Timezone: "UTC", Region: "US",
		OptOutChoice: "9", MinGroup: 5, MinGroupContent: 10, Noise: 2, Outside: "off", OutsideContacts: 1000, Reader: On,
	}
}

// ErrPolicy is the parent of every refusal of a policy change.
var ErrPolicy = errors.New("policy")

// setting binds a key to a field: how it is read, checked and printed, in the order `policy show` prints.
type setting struct {
	key, help string
	get       func(*Policy) string
	set       func(*Policy, string) error
}

var settings = []setting{
	{"recordings", "deny, notice, opt-in or one-party: on what ground call recordings may be used",
		func(p *Policy) string { return string(p.Recordings) }, func(p *Policy, v string) error { return setBasis(&p.Recordings, v, OneParty) }},
	{"transcripts", "deny, notice or opt-in: on what ground transcripts and summaries may be used",
		func(p *Policy) string { return string(p.Transcripts) }, func(p *Policy, v string) error { return setBasis(&p.Transcripts, v) }},
	{"opt-in-countries", `countries whose people are heard only with a yes, as "EU,GB,CA"; a caller whose country is not known counts too; empty: none`,
		func(p *Policy) string { return p.OptInCountries }, setCountries},
	{"raw-hours", "hours that sealed recordings live (1-24); what else was sent goes once it is decided",
		func(p *Policy) string { return strconv.Itoa(p.RawHours) }, func(p *Policy, v string) error { return setInt(&p.RawHours, v, 1, 24) }},
	{"link-days", "days that rows of one person can be linked (1-60)",
		func(p *Policy) string { return strconv.Itoa(p.LinkDays) }, func(p *Policy, v string) error { return setInt(&p.LinkDays, v, 1, 60) }},
	{"timezone", "IANA name: days and weeks of figures",
		func(p *Policy) string { return p.Timezone }, setZone},
	{"region", "country in which phone numbers without one are read, as GB",
		func(p *Policy) string { return p.Region }, setRegion},
	{"open-hours", `when someone should answer, as "mon-fri 09:00-17:00; sat 10:00-14:00", whole hours; empty: always`,
		func(p *Policy) string { return p.OpenHours }, setHours},
	{"short-abandon-seconds", "a caller who gives up sooner is not counted as missed for another reason (0-60)",
		func(p *Policy) string { return strconv.Itoa(p.ShortAbandonSeconds) }, func(p *Policy, v string) error { return setInt(&p.ShortAbandonSeconds, v, 0, 60) }},
	{"opt-out-choice", "the phone-menu choice that means: do not record (a digit, * or #)",
		func(p *Policy) string { return p.OptOutChoice }, setChoice},
	{"min-group", "smallest group of distinct contacts for numbers (5 or more)",
		func(p *Policy) string { return strconv.Itoa(p.MinGroup) }, func(p *Policy, v string) error { return setInt(&p.MinGroup, v, 5, 1000) }},
	{"min-group-content", "smallest group of distinct contacts for what is derived from content (10 or more; where min-group is larger, that)",
		func(p *Policy) string { return strconv.Itoa(p.MinGroupContent) }, func(p *Policy, v string) error { return setInt(&p.MinGroupContent, v, 10, 1000) }},
	{"noise", "scale of the noise on every count that others than the owner see, and on all that comes from words, surveys and consent (1-4); 0: the owner sees exact counts and nobody else sees any",
		func(p *Policy) string { return strconv.Itoa(p.Noise) }, func(p *Policy, v string) error { return setInt(&p.Noise, v, 0, 4) }},
	{"outside", "off or monthly: whether differentially private figures are made, once a month, for tokens of the role outside; at most epsilon 2 a month",
		func(p *Policy) string { return p.Outside }, setOutside},
	{"outside-contacts", "about how many contacts a month has, as a round number (50-9999, or 1k-999k): figures that leave are planned with it, and have weeks and days where it is enough for them",
		contacts, setContacts},
	{"transforms", "what stands for a masked value instead of its type, as DATE:week,DATE_OF_BIRTH:decade,AGE:band,POSTCODE:zip3,LOCATION:state,PHONE:last4; empty: the type alone",
		func(p *Policy) string { return p.Transforms }, func(p *Policy, v string) error { return setList(&p.Transforms, v) }},
	{"identifiers", "numbers of your own making, each by an example, of which only the shape is kept: ORDER:ORD-2024-118822 becomes ORDER:ORD-####-######",
		func(p *Policy) string { return p.Identifiers }, func(p *Policy, v string) error { return setList(&p.Identifiers, shape(v)) }},
	{"reader", "on, or off: whether the second reader of context reads texts too; off is faster and leaves more names",
		func(p *Policy) string { return p.Reader }, setReader},
}

// ContentGroup is the least number of distinct contacts behind what is derived from content.
func (p Policy) ContentGroup() int { return max(p.MinGroup, p.MinGroupContent) }

// Monthly is the value of Policy.Outside that lets figures out.
const Monthly = "monthly"

func setOutside(p *Policy, v string) error {
	if v != "off" && v != Monthly {
		return errors.New("must be off or monthly")
	}
	p.Outside = v
	return nil
}

// contacts prints thousands with a k: no setting has five digits in a row, as telephone numbers do.
func contacts(p *Policy) string {
	if p.OutsideContacts >= 10_000 {
		return strconv.Itoa(p.OutsideContacts/1000) + "k"
	}
	return strconv.Itoa(p.OutsideContacts)
}

func setContacts(p *Policy, v string) error {
	digits, thousands := strings.CutSuffix(v, "k")
	n, err := strconv.Atoi(digits)
	if thousands {
		n *= 1000
	}
	if err != nil || len(digits) > 4 || n < 50 || n > 999_000 {
		return errors.New("must be from 50 to 9999, or from 1k to 999k")
	}
	p.OutsideContacts = n
	return nil
}

// Keys lists the policy's keys and what each means, in printing order.
func Keys() (keys, help []string) {
	for _, s := range settings {
		keys, help = append(keys, s.key), append(help, s.help)
	}
	return keys, help
}

// Get prints the value of a key; ok is false for an unknown key.
func (p Policy) Get(key string) (value string, ok bool) {
	for _, s := range settings {
		if s.key == key {
			return s.get(&p), true
		}
	}
	return "", false
}

// Set reads a value into a key. An unknown key or a value out of range is refused and changes nothing.
func (p *Policy) Set(key, value string) error {
	for _, s := range settings {
		if s.key == key {
			if err := s.set(p, strings.TrimSpace(value)); err != nil {
				return fmt.Errorf("%w %s: %w", ErrPolicy, key, err)
			}
			return nil
		}
	}
	keys, _ := Keys()
	return fmt.Errorf("%w: unknown key; the keys are %s", ErrPolicy, strings.Join(keys, ", "))
}

// Zone is the workspace's time zone.
func (p Policy) Zone() *time.Location {
	z, err := time.LoadLocation(p.Timezone)
	if err != nil {
		return time.UTC
	}
	return z
}

func setBasis(b *Basis, v string, also ...Basis) error {
	if !slices.Contains(append([]Basis{Deny, Notice, OptIn}, also...), Basis(v)) {
		return errors.New("must be deny, notice or opt-in")
	}
	*b = Basis(v)
	return nil
}

// In is the policy for a person of a country (ISO 3166), "" when it is not known: it may only be stricter. Where there is
// a list of countries, content of people who are, or may be, in one of them needs their agreement.
func (p Policy) In(country string) Policy {
	if p.OptInCountries == "" {
		return p
	}
	list := strings.Split(p.OptInCountries, ",")
	if country != "" && !slices.Contains(list, country) && (!slices.Contains(list, "EU") || !slices.Contains(union, country)) {
		return p
	}
	for _, b := range []*Basis{&p.Recordings, &p.Transcripts} {
		if *b != Deny {
			*b = OptIn
		}
	}
	return p
}

// union are the members of the European Union, 2026.
var union = strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")

var countries = regexp.MustCompile(`^([A-Z]{2}(,[A-Z]{2}){0,59})?$`)

func setCountries(p *Policy, v string) error {
	v = strings.ToUpper(strings.ReplaceAll(v, " ", ""))
	if !countries.MatchString(v) {
		return errors.New("must be two-letter codes of countries with commas between, such as EU,GB,CA")
	}
	p.OptInCountries = v
	return nil
}

func setInt(i *int, v string, lo, hi int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < lo || n > hi {
		return fmt.Errorf("must be a whole number from %d to %d", lo, hi)
	}
	*i = n
	return nil
}

// shape replaces every digit by #, because an example may be a real number and the ledger keeps policies
// for ever.
func shape(examples string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '#'
		}
		return r
	}, examples)
}

// setList takes a short list; what it means is for Store.Check to judge.
func setList(s *string, v string) error {
	if len(v) > 200 {
		return errors.New("must be a list of at most 200 characters")
	}
	*s = v
	return nil
}

// setZone takes the name of a place, and UTC: EST and its like have no summer time and mean another zone in another country.
func setZone(p *Policy, v string) error {
	if _, err := time.LoadLocation(v); err != nil || v != "UTC" && !strings.Contains(v, "/") {
		return errors.New("must be an IANA time zone such as Europe/Berlin, America/New_York or UTC")
	}
	p.Timezone = v
	return nil
}

// maxHours is the longest text of open hours, in bytes: the ledger keeps it.
const maxHours = 200

func setHours(p *Policy, v string) error {
	if _, err := ParseHours(v); err != nil {
		return err
	}
	if len(v) > maxHours {
		return fmt.Errorf("must have at most %d characters", maxHours)
	}
	p.OpenHours = v
	return nil
}

var region = regexp.MustCompile(`^[A-Z]{2}$`)

func setRegion(p *Policy, v string) error {
	if v = strings.ToUpper(v); !region.MatchString(v) {
		return errors.New("must be the two-letter code of a country, such as GB")
	}
	p.Region = v
	return nil
}

// On and Off are the values of Policy.Reader.
const (
	On  = "on"
	Off = "off"
)

func setReader(p *Policy, v string) error {
	if v != On && v != Off {
		return errors.New("must be on or off")
	}
	p.Reader = v
	return nil
}

// retired are keys that stored policies may still have and that say nothing any more.
var retired = []string{"recognizer"}

func setChoice(p *Policy, v string) error {
	if len(v) > 1 || !strings.Contains("0123456789*#", v) {
		return errors.New("must be one key: 0-9, * or #")
	}
	p.OptOutChoice = v
	return nil
}
