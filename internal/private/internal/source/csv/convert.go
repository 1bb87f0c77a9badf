package csv

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// parseNumber reads a number with a decimal point or comma; the last mark of two kinds is the decimal one.
func parseNumber(cell string) (float64, bool) {
	comma, point := strings.LastIndexByte(cell, ','), strings.LastIndexByte(cell, '.')
	switch {
	case comma > point:
		cell = strings.Replace(strings.ReplaceAll(cell, ".", ""), ",", ".", 1)
	case comma >= 0:
		cell = strings.ReplaceAll(cell, ",", "")
	}
	f, err := strconv.ParseFloat(cell, 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

var (
	colons = regexp.MustCompile(`^(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2})(?:[.,]\d+)?$`)
	units  = regexp.MustCompile(`^(?:(\d+)\s*(?:h|hr|hrs|hour|hours)\.?)?,?\s*(?:(\d+)\s*(?:m|min|mins|minute|minutes)\.?)?,?\s*(?:(\d+)\s*(?:s|sec|secs|second|seconds)\.?)?$`)
)

// parseSeconds reads a duration: a number in the unit of the header, [hh:]mm:ss, or 1h 2m 3s.
func parseSeconds(cell string, unit float64) (float64, bool) {
	if f, ok := parseNumber(cell); ok {
		return f * unit, f >= 0
	}
	m := colons.FindStringSubmatch(cell)
	if m == nil {
		m = units.FindStringSubmatch(strings.ToLower(cell))
	}
	if m == nil || cell == "" {
		return 0, false
	}
	var n [4]int
	for i := 1; i < 4; i++ {
		n[i], _ = strconv.Atoi(m[i])
	}
	return float64(n[1]*3600 + n[2]*60 + n[3]), true
}

// parseBool reads yes and no in the words of exports.
func parseBool(cell string) (yes, ok bool) {
	switch plainWord(cell) {
	case "true", "yes", "y", "1", "x", "t", "ja", "oui", "si":
		return true, true
	case "false", "no", "n", "0", "f", "nein", "non":
		return false, true
	}
	return false, false
}

// plainWord is the lower-case ASCII letters and digits of a cell.
func plainWord(cell string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, cell)
}

var directionWords = map[string]string{
	"in": "in", "inbound": "in", "incoming": "in", "received": "in", "incomingcall": "in", "inboundcall": "in",
	"eingehend": "in", "entrant": "in", "rx": "in", "missed": "in", "missedcall": "in", "voicemail": "in",
	"out": "out", "outbound": "out", "outgoing": "out", "sent": "out", "dialed": "out", "placed": "out",
	"outgoingcall": "out", "outboundcall": "out", "outboundapi": "out", "outbounddial": "out",
	"outboundreply": "out", "ausgehend": "out", "sortant": "out", "tx": "out",
}

// outcomeWords are the ends of a call. What an export calls missed without a reason stays without one.
var outcomeWords = map[string]string{
	"answered": "answered", "completed": "answered", "connected": "answered", "accepted": "answered",
	"success": "answered", "pickedup": "answered", "callconnected": "answered",
	"missed": "missed", "missedcall": "missed", "unanswered": "members_did_not_answer",
	"noanswer": "members_did_not_answer", "notanswered": "members_did_not_answer",
	"membersdidnotanswer": "members_did_not_answer", "ringtimeout": "members_did_not_answer",
	"abandoned": "abandoned", "hungup": "abandoned", "hangup": "abandoned", "callerhungup": "abandoned",
	"shortabandoned": "short_abandoned", "abandonedinmenu": "abandoned_in_menu", "abandonedinivr": "abandoned_in_menu",
	"outofopeninghours": "out_of_hours", "noavailableagent": "no_member_available", "agentsdidnotanswer": "members_did_not_answer",
	"outofhours": "out_of_hours", "afterhours": "out_of_hours", "closed": "out_of_hours",
	"nomemberavailable": "no_member_available", "noagentavailable": "no_member_available",
	"voicemail": "voicemail", "vm": "voicemail", "leftvoicemail": "voicemail",
	"forwarded": "forwarded", "transferred": "forwarded", "forward": "forwarded",
	"aihandled": "ai_handled", "ai": "ai_handled",
	"failed": "failed", "busy": "failed", "canceled": "failed", "cancelled": "failed", "rejected": "missed",
	"declined": "missed",
}

var statusWords = map[string]string{
	"received": "received", "sent": "sent", "queued": "sent", "sending": "sent", "accepted": "sent",
	"delivered": "delivered", "read": "delivered", "seen": "delivered",
	"undelivered": "undelivered", "failed": "undelivered", "error": "undelivered", "notdelivered": "undelivered",
	"bounced": "undelivered",
}

var scaleWords = map[string]string{
	"nps": "nps", "netpromoterscore": "nps", "csat": "csat", "satisfaction": "csat", "ces": "ces", "effort": "ces",
	"star": "stars", "stars": "stars", "star5": "stars", "rating": "stars", "smileys": "csat", "thumb": "thumb", "thumbs": "thumb", "text": "text",
}

var mediumWords = map[string]string{
	"call": "call", "phone": "call", "voice": "call", "ivr": "call", "text": "text", "sms": "text",
	"message": "text", "email": "email", "mail": "email", "web": "web", "link": "web", "website": "web", "kiosk": "web",
}

var stepWords = map[string]string{
	"matched": "matched", "selected": "matched", "match": "matched", "notmatched": "not_matched",
	"nomatch": "not_matched", "invalid": "not_matched", "timeout": "timeout", "noinput": "timeout", "none": "timeout",
	"hangup": "hangup", "hungup": "hangup", "abandoned": "hangup", "optout": "opt_out", "answered": "answered",
}

var nodeWords = map[string]string{
	"hours": "hours", "greeting": "greeting", "notice": "notice", "menu": "menu", "ivr": "menu",
	"ringgroup": "ring_group", "queue": "queue", "voicemail": "voicemail", "forward": "forward",
	"autoreply": "auto_reply", "aiagent": "ai_agent",
}
