package web

import (
	"fmt"
	"math"
	"strings"
	"time"

	"murmur/internal/workspace"
)

// stateText says what a source does.
func stateText(s Source) string {
	switch {
	case s.State == "paused":
		return "Paused"
	case s.State == "stopped":
		return "Stopped"
	case troubled(s):
		return "Interrupted"
	case s.State == "waiting":
		return "Begins in a moment"
	case s.State == "history":
		return "History comes in"
	case s.State == "live":
		return "Up to date"
	}
	return "Listens"
}

// troubled reports whether repeated tries to poll a source fail.
func troubled(s Source) bool { return s.Polling != nil && s.Polling.Trouble != "" }

// askedText says how often the vendor of a polled source is asked.
func askedText(s Source) string {
	switch s.State {
	case "paused":
		return "its vendor is not asked until you resume it"
	case "stopped":
		return "its vendor is tried once an hour"
	}
	return "its vendor is asked every minute"
}

// hints say what to do about a refusal of a form, where a key can be pasted.
var hints = map[string]string{
	"key":         "Copy it once more, all of it, or make a new one at the vendor.",
	"forbidden":   "Use a key that an owner or administrator made.",
	"account":     "Connect that account as a source of its own, under another name.",
	"request":     "Is the address of the API right? If it is, a newer murmur may help.",
	"cursor":      "Try again in a moment.",
	"missing":     "Is the address of the API right?",
	"busy":        "Another program may use the same key. Give murmur a key of its own.",
	"unavailable": "Nothing was stored. Try again in a moment.",
	"cut":         "Nothing was stored. Try again in a moment.",
	"html":        "A proxy or a log-in page may answer in the API's place. Is its address right?",
	"too-large":   "Nothing beyond the limit was read. Ask the vendor why.",
	"redirect":    "murmur did not follow it, because the key belongs to the first host. Is the address of the API right?",
	"host":        "Name the address of the API if that is meant.",
	"name":        "Use small letters, digits and hyphens, and a name that no other source has.",
	"not-allowed": "Leave it empty for the vendor's own, or ask whoever runs this server to start it with --allow-host HOST:PORT.",
	"api-base":    "It is https://HOST, as in the vendor's documentation. Leave it empty for the vendor's own.",
	"no-api":      "Leave the key empty: it delivers by webhook.",
	"public-url":  "It is https://HOST. Leave it empty where the vendor cannot reach this server.",
}

// cares are the hints that differ for a source that is connected.
var cares = map[string]string{
	"key":         "Make a new one at the vendor and paste it under \"Change the key\". What came in is safe, and the history continues where it stopped.",
	"forbidden":   "Make a key as an owner or administrator and paste it under \"Change the key\".",
	"cursor":      "Nothing to do: the next poll continues where this one stopped.",
	"unavailable": "Nothing is lost: it is tried again every minute.",
	"cut":         "Nothing is lost: it is tried again every minute.",
}

// careText says what to do about the trouble of a connected source.
func careText(trouble string) string {
	if c := cares[trouble]; c != "" {
		return c
	}
	return hints[trouble]
}

// capital begins a sentence.
func capital(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }

func hintText(why string) string { return hints[why] }

// missingText says what a key or a plan does not give, and what goes on without.
func missingText(list string) string {
	switch list {
	case "words":
		return "Transcripts are not in this plan, or not for this key. Calls and texts go on without them."
	case "messages":
		return "Texts are not in this plan, or not for this key. Calls go on without them."
	case "calls":
		return "Calls are not in this plan, or not for this key."
	case "deliveries":
		return "Failed webhooks cannot be looked up with this key. A webhook that is lost may then stay lost; calls and texts do not depend on it."
	}
	return "Something is not in this plan, or not for this key: " + list + "."
}

// givenText is what a key gives, in words.
func givenText(g Given, p workspace.Policy) string {
	denied := g.What == "transcripts" && p.Transcripts == workspace.Deny || g.What == "recordings" && p.Recordings == workspace.Deny
	switch {
	case g.Has && denied:
		return "yes; not asked for until you allow it"
	case g.Has:
		return "yes"
	case g.Note != "":
		return "no: " + g.Note
	}
	return "no"
}

// whatText names what a vendor gives.
func whatText(what string) string {
	switch what {
	case "calls":
		return "Calls"
	case "messages":
		return "Texts"
	case "transcripts":
		return "What was said: transcripts"
	case "recordings":
		return "Recordings"
	case "webhooks":
		return "News at once: webhooks"
	}
	return capital(strings.ReplaceAll(what, "_", " "))
}

// leftText says how long a history still takes.
func leftText(seconds float64) string {
	switch {
	case seconds < 0:
		return "time left: known in a moment"
	case seconds < 10:
		return "a few seconds left"
	case seconds < 90:
		return fmt.Sprintf("about %d seconds left", 10*int(math.Ceil(seconds/10)))
	case seconds < 90*60:
		return fmt.Sprintf("about %d minutes left", int(math.Ceil(seconds/60)))
	}
	return fmt.Sprintf("about %d hours left", int(math.Ceil(seconds/3600)))
}

// percent is a part in whole percent: 100 only when all is there.
func percent(part float64) int { return int(math.Floor(100 * min(max(part, 0), 1))) }

// policyText says in plain words what a policy means for people.
func policyText(p workspace.Policy) (lines []string) {
	basis := func(what string, b workspace.Basis) string {
		switch b {
		case workspace.Notice:
			return what + " are used of calls whose greeting says so. Who says no, on the call or at any time, is left out."
		case workspace.OptIn:
			return what + " are used only of people who said yes. What others said waits sealed for seven days and is then destroyed unread."
		case workspace.OneParty:
			return what + " are used on your word that one party's consent suffices where you and your callers are. Who says no is left out all the same."
		}
		return what + " are not used."
	}
	if !content(p) {
		lines = append(lines, "Nothing that was said in a call is asked for, opened or analysed. Calls are counted; texts and survey answers, which were written to you, are read masked.")
	}
	if content(p) {
		lines = append(lines, basis("Recordings", p.Recordings), basis("Transcripts and summaries", p.Transcripts))
	}
	return append(lines,
		fmt.Sprintf("What a source sent is sealed, and forgotten once it was read; a recording is destroyed after %s.", durationText(time.Duration(p.RawHours)*time.Hour)),
		fmt.Sprintf("Rows of one person belong together for %s; then nobody can link them any more.", durationText(time.Duration(p.LinkDays)*24*time.Hour)),
		fmt.Sprintf("A figure stands for at least %d people, and for at least %d where words were read.", p.MinGroup, p.ContentGroup()))
}

// HasHint reports whether a page can say what to do about a trouble.
func HasHint(trouble string) bool { return hints[trouble] != "" }
