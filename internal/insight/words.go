package insight

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// dimension is how the members of a split are called on a page. Names of the workspace's own making (lines, menus, surveys,
// replies) stay as they are; everything that is a word of murmur has a display name here.
type dimension struct {
	title   string            // of one member, as a table's head
	members map[string]string // enum -> display name
	rest    string            // of whatever has no name of its own, or is merged with many
	ordered bool              // members are steps of one scale: merged, they go from the first to the last
}

var yesNoWords = map[string]string{"yes": "yes", "no": "no"}

var dimensions = map[string]dimension{
	"number": {title: "Line", rest: "other lines"},
	"flow":   {title: "Flow", rest: "other flows"},
	"node":   {title: "Step", rest: "other steps"},
	"choice": {title: "Choice", rest: "other choices", members: map[string]string{"none": "no choice"}},
	"survey": {title: "Survey", rest: "other surveys"},
	"reply":  {title: "Reply", rest: "all other replies"},
	"team":   {title: "Team", rest: "other teams"},
	"medium": {title: "Medium", rest: "other media", members: map[string]string{
		"call": "call", "text": "text", "email": "e-mail", "web": "web", "unknown": "not known"}},
	"from":  {title: "From", rest: "other media", members: map[string]string{"call": "from a call", "text": "from a text"}},
	"to":    {title: "To", rest: "other media", members: map[string]string{"call": "to a call", "text": "to a text"}},
	"scale": {title: "Scale", members: map[string]string{"nps": "recommendation, 0 to 10", "csat": "rating, 1 to 5"}},
	"delay": {title: "Called back", rest: "later", ordered: true, members: map[string]string{
		"5_minutes": "within 5 minutes", "15_minutes": "within 15 minutes", "1_hour": "within an hour", "4_hours": "within 4 hours", "24_hours": "within a day"}},
	"auto_reply": {title: "Automatic reply", members: yesNoWords},
	"case": {title: "Case", rest: "other cases", members: map[string]string{
		"call_open": "call in open hours", "call_closed": "call outside open hours", "text_open": "text in open hours", "text_closed": "text outside open hours"}},
	"driver": {title: "What happened before", rest: "several of them", members: map[string]string{
		"missed_call": "a missed call", "long_wait": "a long wait", "repeat_contact": "having to come back", "ai_agent": "a call with the AI agent"}},
	"reason": {title: "Reason", rest: "other reasons", members: map[string]string{
		"short_abandoned": "hung up at once", "out_of_hours": "outside open hours", "no_member_available": "nobody was free",
		"members_did_not_answer": "nobody picked up", "abandoned_in_menu": "gave up in the menu", "abandoned": "gave up waiting", "unknown": "reason not known",
		"booking": "bookings", "reschedule": "changes and cancellations", "hours": "opening hours and the way", "new-enquiry": "new enquiries",
		"price": "prices", "order-status": "where an order is", "billing": "bills and payments", "complaint": "complaints", "help": "something does not work",
		"callback": "asking for a call back", "thanks": "thanks", "spam": "spam and wrong numbers", "unclassified": "not read"}},
	"hour_of_week": {title: "Hours"},
}

// inOrder is the order in which the dimensions of a split are named.
var inOrder = []string{"flow", "node", "choice", "number", "survey", "from", "to", "delay", "auto_reply", "case", "driver", "reply", "reason", "medium", "scale", "hour_of_week"}

// Words are what pages call the members of a dimension, and the rest.
func Words(dim string) (all []string) {
	d := dimensions[dim]
	for _, w := range d.members {
		all = append(all, w)
	}
	return append(all, d.rest)
}

// DimensionTitle is what a dimension of splits is called.
func DimensionTitle(dim string) string {
	if d, ok := dimensions[dim]; ok {
		return d.title
	}
	return "Group"
}

// SplitDimensions lists the dimensions of a split in the order in which people name them.
func SplitDimensions(split map[string][]string) []string {
	names := Dimensions(split)
	rank := func(d string) int {
		if i := slices.Index(inOrder, d); i >= 0 {
			return i
		}
		return len(inOrder)
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

// manyMembers is from how many members on a merged group is called by what it is the rest of.
const manyMembers = 3

// Members says who is in a group: "Front desk", "bookings or prices", "other reasons (bookings and 4 more)".
func Members(dim string, names []string) string { return membersBy(dim, names, dimensions[dim].word) }

// Quoted is Members for use inside a sentence: names that are not murmur's own stand in quotation marks, so that none can pass
// for a part of the sentence.
func Quoted(dim string, names []string) string { return membersBy(dim, names, dimensions[dim].quoted) }

func membersBy(dim string, names []string, word func(string) string) string {
	d := dimensions[dim]
	if dim == "hour_of_week" {
		return hoursText(func(h int) bool { return slices.Contains(names, strconv.Itoa(h)) })
	}
	var words []string
	for _, n := range names {
		w := word(n)
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	switch {
	case len(words) == 0:
		return "all"
	case d.ordered:
		for len(words) > 1 && words[len(words)-1] == d.rest { // nobody is there
			words = words[:len(words)-1]
		}
		return words[len(words)-1]
	case len(words) < manyMembers:
		return strings.Join(words, " or ")
	}
	named := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == d.rest })
	if len(named) == 1 {
		return named[0] + " or " + d.rest
	}
	return cmp.Or(d.rest, "others") + " (" + named[0] + " and " + strconv.Itoa(len(words)-1) + " more)"
}

// word is the display name of one member.
func (d dimension) word(name string) string {
	if w, ok := d.members[name]; ok {
		return w
	}
	if name == "other" {
		return cmp.Or(d.rest, "others")
	}
	return short(name)
}

func (d dimension) quoted(name string) string {
	if _, own := d.members[name]; own || name == "other" {
		return d.word(name)
	}
	return "“" + strings.NewReplacer("“", "'", "”", "'", "\"", "'").Replace(short(name)) + "”"
}

// nameLength is how much of a name of the workspace's own making a line shows, in code points.
const nameLength = 70

func short(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) { // a mark that turns the direction of what follows, too
			return ' '
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	if r := []rune(name); len(r) > nameLength {
		return strings.TrimSpace(string(r[:nameLength-1])) + "…"
	}
	return name
}

// SplitText names the group of a figure: "Main › Welcome › no choice".
func SplitText(split map[string][]string) string {
	var parts []string
	for _, d := range SplitDimensions(split) {
		parts = append(parts, Members(d, split[d]))
	}
	return strings.Join(parts, " › ")
}

// settingTitles are the settings that figures print.
var settingTitles = map[string]string{
	"open_hours": "open hours", "short_abandon_seconds": "calls given up at once, in seconds", "min_group": "smallest group of people", "timezone": "time zone",
	weeksBefore: "weeks before that it is compared with",
}

// SettingTitle is what a setting of a figure is called.
func SettingTitle(key string) string {
	if t, ok := settingTitles[key]; ok {
		return t
	}
	return "setting"
}

// Definition is the formula as people read it: measures, members and settings by their display names.
func (in Insight) Definition() string {
	var pairs []string
	for _, m := range in.Measures {
		if strings.ContainsRune(m.Name, '_') || strings.Contains(in.Formula, m.Name+":") {
			pairs = append(pairs, m.Name, "“"+m.Title+"”")
		}
	}
	for _, d := range dimensions {
		for slug, word := range d.members {
			if strings.ContainsRune(slug, '_') {
				pairs = append(pairs, slug, word)
			}
		}
	}
	pairs = append(pairs, "short_abandon_seconds", "the time of a call given up at once", "open_hours", "open hours", "`none`", "“no choice”")
	return replacer(pairs).Replace(in.Formula)
}

func pairsOf(flat []string) (pairs [][2]string) {
	for i := 0; i+1 < len(flat); i += 2 {
		pairs = append(pairs, [2]string{flat[i], flat[i+1]})
	}
	return pairs
}

// replacer tries longer words first, so that no name is found inside another.
func replacer(flat []string) *strings.Replacer {
	pairs := pairsOf(flat)
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return len(b[0]) - len(a[0]) })
	var sorted []string
	for _, p := range pairs {
		sorted = append(sorted, p[0], p[1])
	}
	return strings.NewReplacer(sorted...)
}
