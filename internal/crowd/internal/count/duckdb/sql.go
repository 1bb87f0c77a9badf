package duckdb

import (
	"fmt"
	"slices"
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
	fact.ColInterruptions: "interruptions",
}

// splitColumns are the columns of a split's key.
var splitColumns = map[release.Split][]fact.Column{
	release.ByNumber: {fact.ColNumber}, release.ByTopic: {fact.ColTopic}, release.ByAct: {fact.ColAct},
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
	return fmt.Sprintf("CAST(((t // 1000000 + (%s)) // 3600 + 72) %% 168 AS SMALLINT)", zone)
}

const (
	inboundCall = "kind = 1 AND direction = 1"
	reached     = "result IN (1, 2, 3)" // answered, by an AI agent, forwarded
	unreached   = "result IN (4, 5)"
	human       = "kind = 2 AND coalesce(automatic, 0) = 0 AND direction IN (1, 2) AND c > 0"
)

// derivedSQL gives the values of release.Derived that do not depend on the period, null where a row has none.
func (r *reader) derivedSQL() string {
	all := []string{"true AS here"}
	has := func(ds ...release.Derived) bool { return slices.ContainsFunc(ds, r.needs) }
	short := fmt.Sprintf("coalesce(ring_s < %d, false)", r.settings.ShortAbandonS)
	missed := fmt.Sprintf("CASE WHEN %s THEN CASE WHEN %s THEN 0 WHEN %s AND NOT %s THEN 1 END END", inboundCall, reached, unreached, short)
	if has(release.Missed) {
		all = append(all, missed+" AS missed")
	}
	if has(release.MissReason) || slices.ContainsFunc(r.splits, func(s split) bool { return s.by == release.ByReason }) {
		all = append(all, fmt.Sprintf("CASE WHEN %s AND %s THEN CASE WHEN %s THEN %d WHEN NOT %s THEN %d ELSE coalesce(reason, 0) END END AS miss_reason",
			inboundCall, unreached, short, fact.ShortAbandoned, r.openSQL(), fact.OutOfHours))
	}
	if has(release.AnswerSeconds) {
		all = append(all, fmt.Sprintf("CASE WHEN %s AND result = %d THEN ring_s END AS answer_s", inboundCall, fact.Answered))
	}
	if has(release.ReturnedIn24h) {
		all = append(all, fmt.Sprintf("CASE WHEN c > 0 AND (%s) = 1 THEN CASE WHEN met <= t + 86400000000 THEN 1 ELSE 0 END END AS returned", missed))
	}
	return strings.Join(all, ", ")
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

// layerSQL gives the rows of a layer's periods with their period, and the reply that a period sees: it looks Horizon
// beyond its own ends.
func (r *reader) layerSQL(l *layer) string {
	var period, first, last strings.Builder
	var in []string
	for i, s := range l.spans {
		from, to := s.Start.UnixMicro(), s.End.UnixMicro()
		when := fmt.Sprintf(" WHEN t >= %d AND t < %d THEN ", from, to)
		in = append(in, fmt.Sprintf("t >= %d AND t < %d", from, to))
		fmt.Fprintf(&period, "%s%d", when, i)
		fmt.Fprintf(&first, "%s%d", when, s.Start.Add(-release.Horizon).UnixMicro())
		fmt.Fprintf(&last, "%s%d", when, s.End.Add(release.Horizon).UnixMicro())
	}
	cols := fmt.Sprintf("*, CAST(CASE%s END AS TINYINT) AS period", period.String())
	if r.needs(release.ReplySeconds) {
		cols += fmt.Sprintf(", CASE WHEN replied < CASE%s END AND (coalesce(before, 2) = 2 OR before_t < CASE%s END) THEN (replied - t) // 1000000 END AS reply_s",
			last.String(), first.String())
	}
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s", cols, r.table("rows"), strings.Join(in, " OR "))
}

// sheetSQL gives one row for each period, leaf and contact, with the bits of the populations that it has a row in.
func (r *reader) sheetSQL(sh *sheet) string {
	var masks, or, any, rows []string
	for i, h := range sh.histograms {
		rows = append(rows, fmt.Sprintf("CAST(count(*) FILTER (WHERE %s) AS INTEGER) AS n%d", bitSQL(h.population), i))
	}
	for m := range sh.masks() {
		var bits []string
		for i, p := range sh.populations {
			if i/maskBits == m {
				bits = append(bits, fmt.Sprintf("CASE WHEN %s THEN %d ELSE 0 END", p, int64(1)<<(i%maskBits)))
			}
		}
		masks = append(masks, fmt.Sprintf("CAST(%s AS BIGINT) AS m%d", strings.Join(bits, " + "), m))
		or = append(or, fmt.Sprintf("bit_or(m%[1]d) AS m%[1]d", m))
		any = append(any, fmt.Sprintf("m%d <> 0", m))
	}
	return fmt.Sprintf("SELECT period, leaf, c, %s FROM (SELECT period, CAST(leaf%d AS INTEGER) AS leaf, c, %s FROM (%s)) WHERE %s GROUP BY period, leaf, c",
		strings.Join(append(or, rows...), ", "), sh.split, strings.Join(masks, ", "), r.layerSQL(sh.layer), strings.Join(any, " OR "))
}

// histogramsSQL gives the rows of every histogram of a sheet: (histogram, period, leaf, bin, rows, sums of marks).
func (r *reader) histogramsSQL(sh *sheet) string {
	var all []string
	for i, h := range sh.histograms {
		all = append(all, fmt.Sprintf("SELECT %d AS h, period, leaf%d AS leaf, %s AS bin, count(*), CAST(sum(k1) AS BIGINT), CAST(sum(k2) AS BIGINT) FROM (%s) WHERE %s GROUP BY 2, 3, 4",
			i, sh.split, binSQL(h.value), r.layerSQL(sh.layer), sh.populations[h.population]))
	}
	return strings.Join(all, "\nUNION ALL ")
}

// leavesTallySQL gives the tally of each leaf, wholeSQL that of each period.
func (sh *sheet) leavesTallySQL(table string) string {
	return fmt.Sprintf("SELECT period, leaf, %s FROM %s GROUP BY period, leaf", sh.tallySQL(), table)
}

func (sh *sheet) wholeSQL(table string) string {
	return fmt.Sprintf("SELECT period, %s FROM (SELECT period, c, %s FROM %s GROUP BY period, c) GROUP BY period", sh.tallySQL(), sh.togetherSQL(), table)
}

// cellsSQL gives the tallies of cells of one period.
func (sh *sheet) cellsSQL(table string, period int, cells [][]int) string {
	var pairs []string
	for i, cell := range cells {
		for _, leaf := range cell {
			pairs = append(pairs, fmt.Sprintf("(%d, %d)", i, leaf))
		}
	}
	return fmt.Sprintf(`SELECT cell, %s FROM (SELECT cell, c, %s FROM %s JOIN (VALUES %s) v(cell, l) ON l = leaf WHERE period = %d GROUP BY cell, c) GROUP BY cell`,
		sh.tallySQL(), sh.togetherSQL(), table, strings.Join(pairs, ", "), period)
}

// tallySQL makes a tally of rows that have a contact each.
func (sh *sheet) tallySQL() string {
	var all []string
	for i := range sh.populations {
		all = append(all, fmt.Sprintf("count(*) FILTER (WHERE %s)", bitSQL(i)))
	}
	for i := range sh.histograms {
		all = append(all, fmt.Sprintf("CAST(coalesce(max(n%d) FILTER (WHERE c > 0), 0) AS BIGINT)", i))
	}
	return strings.Join(all, ", ")
}

// togetherSQL joins the leaves of a contact.
func (sh *sheet) togetherSQL() string {
	var all []string
	for m := range sh.masks() {
		all = append(all, fmt.Sprintf("bit_or(m%[1]d) AS m%[1]d", m))
	}
	for i := range sh.histograms {
		all = append(all, fmt.Sprintf("sum(n%[1]d) AS n%[1]d", i))
	}
	return strings.Join(all, ", ")
}

// keySQL gives the two halves of a row's key; of weeks the leaf itself.
func keySQL(s split) (string, string) {
	if s.weeks != nil {
		var week strings.Builder
		for i, w := range s.weeks {
			fmt.Fprintf(&week, " WHEN t >= %d AND t < %d THEN %d", w.Start.UnixMicro(), w.End.UnixMicro(), i)
		}
		return fmt.Sprintf("CASE%s ELSE %d END", week.String(), len(s.weeks)), "0"
	}
	switch s.by {
	case release.ByReason:
		return "miss_reason", "0"
	case release.ByHourOfWeek:
		return "how", "0"
	}
	key := [2]string{"0", "0"}
	for i, c := range splitColumns[s.by] {
		key[i] = columns[c]
	}
	return key[0], key[1]
}

// regionSQL is true for the rows of a region.
func (p *plan) regionSQL(r release.Region) string {
	var in strings.Builder
	in.WriteString(p.populationSQL(r.Of))
	for _, m := range r.Minus {
		fmt.Fprintf(&in, " AND NOT coalesce(%s, false)", p.populationSQL(m))
	}
	return in.String()
}

// populationSQL is true for the rows that fall in one of the query's bins.
func (p *plan) populationSQL(q release.Query) string {
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
	if v := valueSQL(q.Value); v != "" {
		and = append(and, v+" IS NOT NULL")
		if len(q.Value.Bins) > 0 {
			and = append(and, fmt.Sprintf("%s >= %d", v, q.Value.Bins[0]))
		}
	}
	return "(" + strings.Join(and, " AND ") + ")"
}

// valueSQL names the column of a value; "" when rows are only counted.
func valueSQL(v release.Value) string {
	switch v.Derived {
	case release.FromColumn:
		return columns[v.Column]
	case release.Missed:
		return "missed"
	case release.MissReason:
		return "miss_reason"
	case release.AnswerSeconds:
		return "answer_s"
	case release.ReplySeconds:
		return "reply_s"
	case release.ReturnedIn24h:
		return "returned"
	}
	return ""
}

func binSQL(v release.Value) string {
	name := valueSQL(v)
	if name == "" || len(v.Bins) < 2 {
		return "0"
	}
	var s strings.Builder
	s.WriteString("CASE")
	for i, low := range slices.Backward(v.Bins) {
		fmt.Fprintf(&s, " WHEN %s >= %d THEN %d", name, low, i)
	}
	return s.String() + " END"
}

func list64(numbers []int64) string {
	s := make([]string, len(numbers))
	for i, n := range numbers {
		s[i] = fmt.Sprint(n)
	}
	return strings.Join(s, ", ")
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
