package duckdb

import (
	"fmt"
	"strings"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// The SQL is DuckDB's. Every number in it is made here; of texts only the workspace's name and file paths occur, quoted.

// columns that the SQL may ask for; the lake writes them all as BIGINT.
var columns = map[fact.Column]string{
	fact.ColDirection: "direction", fact.ColNumber: "number", fact.ColTeam: "team", fact.ColResult: "result",
	fact.ColReason: "reason", fact.ColVoicemail: "voicemail", fact.ColRingS: "ring_s", fact.ColTalkS: "talk_s",
	fact.ColDelivered: "delivered", fact.ColAutomatic: "automatic", fact.ColMedia: "media", fact.ColLength: "length",
	fact.ColTopic: "topic", fact.ColSentiment: "sentiment", fact.ColCallHi: "call_hi", fact.ColCallLo: "call_lo",
	fact.ColOrigin: "origin", fact.ColTurns: "turns", fact.ColMemberS: "member_s", fact.ColFlow: "flow",
	fact.ColFlowVersion: "flow_version", fact.ColNode: "node", fact.ColChoice: "choice", fact.ColNodeKind: "node_kind",
	fact.ColStepOutcome: "step_outcome", fact.ColStayS: "stay_s", fact.ColInferred: "inferred", fact.ColSurvey: "survey",
	fact.ColScale: "scale", fact.ColScore: "score", fact.ColMedium: "medium", fact.ColPurpose: "purpose",
	fact.ColAct: "act", fact.ColVia: "via", fact.ColMemberShare: "member_share", fact.ColSilenceShare: "silence_share",
	fact.ColInterruptions: "interruptions", fact.ColReply: "reply",
}

// splitColumns are the columns of a split's key.
var splitColumns = map[release.Split][]fact.Column{
	release.ByNumber: {fact.ColNumber}, release.ByTopic: {fact.ColTopic}, release.ByAct: {fact.ColAct}, release.ByReply: {fact.ColReply},
	release.ByMenu: {fact.ColNode, fact.ColChoice}, release.BySurvey: {fact.ColSurvey, fact.ColMedium},
}

// hourSQL gives the hour of the week of a row's time, 0 = Monday 00:00 local. The zone's offsets in the span are numbers
// made here, so that every engine agrees with Go. 1970-01-01 was a Thursday.
func (p *plan) hourSQL() string {
	span := p.span()
	var offset strings.Builder
	at := span.Start.In(p.settings.Zone)
	for {
		_, end := at.ZoneBounds()
		_, seconds := at.Zone()
		if end.IsZero() || !end.Before(span.End) {
			fmt.Fprintf(&offset, " ELSE %d END", seconds)
			break
		}
		fmt.Fprintf(&offset, " WHEN t < %d THEN %d", end.UnixMicro(), seconds)
		at = end
	}
	zone := "CASE" + offset.String()
	if !strings.Contains(zone, "WHEN") {
		zone = strings.TrimSuffix(strings.TrimPrefix(zone, "CASE ELSE "), " END")
	}
	return fmt.Sprintf("((t // 1000000 + (%s)) // 3600 + 72) %% 168", zone)
}

const (
	inboundCall = "kind = 1 AND direction = 1"
	reached     = "result IN (1, 2, 3)" // answered, by an AI agent, forwarded
	unreached   = "result IN (4, 5)"
	human       = "kind = 2 AND coalesce(automatic, 0) = 0 AND direction IN (1, 2)"

	// What a conversation is made of: a missed call waits, and is met by the first of a call or a text to the contact and a
	// call of the contact that was not missed. A text of the contact asks, and is answered by the next one to it.
	meets = inboundCall + " AND " + reached + " OR direction = 2 AND (kind = 1 OR " + human + ")"
	waits = "missed = 1 AND contact IS NOT NULL"
	asks  = human + " AND direction = 1 AND contact IS NOT NULL"
)

// derivedSQL gives the values of release.Derived that a row has by itself, null where it has none.
func (p *plan) derivedSQL() string {
	short := fmt.Sprintf("coalesce(ring_s < %d, false)", p.settings.ShortAbandonS)
	return fmt.Sprintf(`CASE WHEN %[1]s THEN CASE WHEN %[2]s THEN 0 WHEN %[3]s AND NOT %[4]s THEN 1 END END AS missed,
  CASE WHEN %[1]s AND %[3]s THEN CASE WHEN %[4]s THEN %[5]d WHEN NOT %[6]s THEN %[7]d ELSE coalesce(reason, 0) END END AS miss_reason`,
		inboundCall, reached, unreached, short, fact.ShortAbandoned, p.openSQL(), fact.OutOfHours)
}

// openSQL is true in open hours.
func (p *plan) openSQL() string {
	var open []int64
	for h := range 168 {
		if p.settings.OpenHours.Has(h) {
			open = append(open, int64(h))
		}
	}
	if len(open) == 168 {
		return "true"
	}
	return fmt.Sprintf("(how IN (%s))", list64(open))
}

// keySQL gives the two halves of a row's key.
func keySQL(s split) (string, string) {
	switch s.by {
	case release.ByReason:
		return "miss_reason", "0"
	case release.ByHourOfWeek:
		return "how", "0"
	case release.ByKind:
		return "kind", "0"
	}
	key := [2]string{"0", "0"}
	for i, c := range splitColumns[s.by] {
		key[i] = columns[c]
	}
	return key[0], key[1]
}

// leafSQL numbers the leaf of a row, and gives the join that it needs for that.
func leafSQL(s split, i int) (leaf, join string) {
	a, b := keySQL(s)
	rest := len(s.leaves)
	if first, ok := consecutive(s.leaves); ok && b == "0" {
		return fmt.Sprintf("CASE WHEN coalesce(%[1]s, 0) BETWEEN %[2]d AND %[3]d THEN coalesce(%[1]s, 0) - %[2]d ELSE %[4]d END",
			a, first, first+int64(rest)-1, rest), ""
	}
	var list []string
	for n, k := range s.leaves {
		list = append(list, fmt.Sprintf("(%d, %d, %d)", k[0], k[1], n))
	}
	return fmt.Sprintf("coalesce(s%d.leaf, %d)", i, rest), fmt.Sprintf(
		"\nLEFT JOIN (VALUES %[1]s) s%[2]d(a, b, leaf) ON s%[2]d.a = coalesce(%[3]s, 0) AND s%[2]d.b = coalesce(%[4]s, 0)", strings.Join(list, ", "), i, a, b)
}

// consecutive reports whether keys are whole numbers in a row, as those of public lists are.
func consecutive(keys []release.Key) (first int64, ok bool) {
	for i, k := range keys {
		if k[1] != 0 || k[0] != keys[0][0]+int64(i) {
			return 0, false
		}
	}
	return keys[0][0], true
}

// conditionSQL is true for the rows that fall in one of the query's bins, as far as a row by itself says so.
func (p *plan) conditionSQL(q release.Query) string {
	var kinds []int64
	for _, k := range q.Kinds {
		kinds = append(kinds, int64(k))
	}
	and := []string{fmt.Sprintf("kind IN (%s)", list64(kinds))}
	for _, f := range q.Where {
		and = append(and, fmt.Sprintf("coalesce(%s, 0) IN (%s)", columns[f.Column], list64(f.In)))
	}
	if q.Open {
		and = append(and, p.openSQL())
	}
	switch v := valueSQL(q.Value); q.Value.Derived {
	case release.Nothing:
	case release.ReturnedIn24h:
		and = append(and, waits)
	case release.ReplySeconds:
		and = append(and, asks)
	case release.AnswerSeconds:
		and = append(and, inboundCall, fmt.Sprintf("result = %d", fact.Answered), atLeast(v, q.Value.Bins))
	default:
		if rows := tiedValues[q.Value.Derived]; rows != "" {
			and = append(and, rows, "contact IS NOT NULL")
		} else {
			and = append(and, atLeast(v, q.Value.Bins))
		}
	}
	return "(" + strings.Join(and, " AND ") + ")"
}

// valueColumns are the columns that a derived value is taken from.
var valueColumns = map[release.Derived]fact.Column{release.MissReason: fact.ColReason, release.AnswerSeconds: fact.ColRingS}

// valueSQL names the column of a value that a row has by itself.
func valueSQL(v release.Value) string {
	switch v.Derived {
	case release.Missed:
		return "missed"
	case release.MissReason:
		return "miss_reason"
	case release.AnswerSeconds:
		return columns[fact.ColRingS]
	}
	return columns[v.Column]
}

// atLeast is true for the values that fall in a bin.
func atLeast(value string, bins []int64) string {
	if len(bins) == 0 {
		return value + " IS NOT NULL"
	}
	return fmt.Sprintf("%s >= %d", value, bins[0])
}

func list64(numbers []int64) string {
	s := make([]string, len(numbers))
	for i, n := range numbers {
		s[i] = fmt.Sprint(n)
	}
	return strings.Join(s, ", ")
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
