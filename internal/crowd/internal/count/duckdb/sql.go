package duckdb

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// Three templates in a subset of SQL that other engines share, but for `//` (integer division), read_parquet
// and UNION ALL BY NAME: rows (newest version, derived values), contributions (leaf, contact, bin) and cells.
// Every number in them is made here; of texts only the workspace's name and file paths occur, quoted.

// columns that the templates may ask for; the lake writes them all as BIGINT.
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

// builder writes the SQL of one session.
type builder struct {
	settings  release.Settings
	questions []release.Question
	rows      string // table
}

// queries gives every query that the questions mention.
func (b builder) queries() (all []release.Query) {
	for _, q := range b.questions {
		all = append(all, q.Query)
		for _, r := range q.Regions {
			all = append(append(all, r.Of), r.Minus...)
		}
	}
	return all
}

func (b builder) needs(d release.Derived) bool {
	return slices.ContainsFunc(b.queries(), func(q release.Query) bool { return q.Value.Derived == d })
}

// kinds gives the kinds to read: calls and texts too when a derived value looks at them.
func (b builder) kinds() (kinds []int64) {
	for _, q := range b.queries() {
		for _, k := range q.Kinds {
			kinds = append(kinds, int64(k))
		}
	}
	if b.needs(release.ReturnedIn24h) {
		kinds = append(kinds, int64(fact.KindCall), int64(fact.KindMessage))
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// used gives the number columns to read.
func (b builder) used() []string {
	used := map[fact.Column]bool{
		fact.ColDirection: true, fact.ColResult: true, fact.ColReason: true, fact.ColRingS: true, fact.ColAutomatic: true,
	}
	for _, q := range b.queries() {
		for _, f := range q.Where {
			used[f.Column] = true
		}
		if q.Value.Derived == release.FromColumn {
			used[q.Value.Column] = true
		}
		for _, c := range splitColumns[q.Split] {
			used[c] = true
		}
	}
	var names []string
	for c := range used {
		if columns[c] != "" {
			names = append(names, columns[c])
		}
	}
	slices.Sort(names)
	return names
}

// splitColumns are the columns of a split's key.
var splitColumns = map[release.Split][]fact.Column{
	release.ByNumber: {fact.ColNumber}, release.ByTopic: {fact.ColTopic}, release.ByAct: {fact.ColAct},
	release.ByMenu: {fact.ColNode, fact.ColChoice}, release.BySurvey: {fact.ColSurvey, fact.ColMedium},
}

// rowsSQL gives the rows inside the span of all questions: of each fact the newest version, with its hour of
// the week and its derived values. Among equal versions the de-linked one counts (docs/format/lake.md).
// Versions may differ in their time, so a newer one outside the window takes its row away.
func (b builder) rowsSQL(files []string) string {
	inside, window := b.spans()
	scan := b.scanSQL(files)
	kept := "kind, c, linked, t, how, " + strings.Join(b.used(), ", ")
	return fmt.Sprintf(`
WITH w AS (
  SELECT s.*, row_number() OVER (PARTITION BY kind, id 
    ORDER BY version DESC, CASE WHEN contact IS NULL THEN 0 ELSE 1 END, t DESC) AS place
  FROM (%[1]s) s WHERE %[2]s
), newest AS (
  SELECT w.*, %[3]s AS how, coalesce(contact, %[4]s) AS c, contact IS NOT NULL AS linked
  FROM w WHERE place = 1 AND NOT EXISTS (
    SELECT 1 FROM (%[1]s) o WHERE NOT (%[2]s) AND o.kind = w.kind AND o.id = w.id AND o.version > w.version)
), derived AS (SELECT newest.*, %[5]s FROM newest)
SELECT %[6]s, missed, miss_reason, answer_s, %[7]s FROM derived WHERE t >= %[8]d AND t < %[9]d`,
		scan, between(`"at"`, window), b.hourSQL("t"), "CAST('' AS BLOB)", b.derivedSQL(), kept, b.linkedSQL(),
		inside.Start.UnixMicro(), inside.End.UnixMicro())
}

// scanSQL reads the files. A column that a file is too old to have is null.
func (b builder) scanSQL(files []string) string {
	var empty, list []string
	for _, c := range b.used() {
		empty = append(empty, "CAST(NULL AS BIGINT) AS "+c)
	}
	for _, f := range files {
		list = append(list, quote(f))
	}
	head := "CAST(NULL AS BIGINT) AS kind, CAST(NULL AS BLOB) AS id, CAST(NULL AS BIGINT) AS version, " +
		"CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS \"at\", CAST(NULL AS BLOB) AS contact, CAST(NULL AS VARCHAR) AS workspace"
	from := fmt.Sprintf("SELECT %s, %s WHERE false", head, strings.Join(empty, ", "))
	if len(list) > 0 {
		from += fmt.Sprintf(" UNION ALL BY NAME SELECT * FROM read_parquet([%s], union_by_name=true)", strings.Join(list, ", "))
	}
	return fmt.Sprintf("SELECT kind, id, version, \"at\", epoch_us(\"at\") AS t, contact, %s FROM (%s) WHERE workspace = %s AND kind IN (%s)",
		strings.Join(b.used(), ", "), from, quote(b.settings.Workspace.String()), list64(b.kinds()))
}

// spans gives the span that holds all questions, and the window of rows that derived values look at.
func (b builder) spans() (inside, window release.Span) {
	for i, q := range b.questions {
		if i == 0 || q.Span.Start.Before(inside.Start) {
			inside.Start = q.Span.Start
		}
		if i == 0 || q.Span.End.After(inside.End) {
			inside.End = q.Span.End
		}
	}
	window = inside
	if b.needs(release.ReturnedIn24h) {
		window.End = inside.End.Add(24*time.Hour + time.Microsecond)
	}
	if b.needs(release.ReplySeconds) {
		window = release.Span{Start: inside.Start.Add(-release.Horizon), End: inside.End.Add(release.Horizon)}
	}
	return inside, window
}

// hourSQL gives the hour of the week of a time in microseconds, 0 = Monday 00:00 local. The zone's offsets
// in the span are numbers made here, so that every engine agrees with Go. 1970-01-01 was a Thursday.
func (b builder) hourSQL(t string) string {
	inside, _ := b.spans()
	var offset strings.Builder
	fmt.Fprintf(&offset, "CASE")
	at := inside.Start.In(b.settings.Zone)
	for {
		_, end := at.ZoneBounds()
		_, seconds := at.Zone()
		if end.IsZero() || !end.Before(inside.End) {
			fmt.Fprintf(&offset, " ELSE %d END", seconds)
			break
		}
		fmt.Fprintf(&offset, " WHEN %s < %d THEN %d", t, end.UnixMicro(), seconds)
		at = end
	}
	zone := offset.String()
	if !strings.Contains(zone, "WHEN") {
		_, seconds := at.Zone()
		zone = fmt.Sprint(seconds)
	}
	return fmt.Sprintf("((%s // 1000000 + (%s)) // 3600 + 72) %% 168", t, zone)
}

const (
	inboundCall = "kind = 1 AND direction = 1"
	reached     = "result IN (1, 2, 3)" // answered, by an AI agent, forwarded
	unreached   = "result IN (4, 5)"
	human       = "kind = 2 AND coalesce(automatic, 0) = 0 AND direction IN (1, 2) AND linked"
)

// derivedSQL gives the values of release.Derived, null where a row has none.
func (b builder) derivedSQL() string {
	short := fmt.Sprintf("coalesce(ring_s < %d, false)", b.settings.ShortAbandonS)
	missed := fmt.Sprintf("CASE WHEN %s THEN CASE WHEN %s THEN 0 WHEN %s AND NOT %s THEN 1 END END",
		inboundCall, reached, unreached, short)
	s := missed + " AS missed, " + fmt.Sprintf(`
  CASE WHEN %s AND %s THEN CASE WHEN %s THEN %d WHEN NOT %s THEN %d ELSE coalesce(reason, 0) END END AS miss_reason,
  CASE WHEN %s AND result = %d THEN ring_s END AS answer_s`,
		inboundCall, unreached, short, fact.ShortAbandoned, b.openSQL(), fact.OutOfHours, inboundCall, fact.Answered)
	// Both look ahead, so they run from the latest row back: a running minimum is cheap, a frame of following
	// rows is not. At equal times what reached the contact sorts as earlier: it does not count as after.
	if b.needs(release.ReplySeconds) {
		talk := fmt.Sprintf("PARTITION BY coalesce(%s, false), c ORDER BY t DESC, id DESC", human)
		s += fmt.Sprintf(`,
  lead(direction) OVER (%[1]s) AS before,
  min(CASE WHEN direction = 2 THEN t END) OVER (%[1]s ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS replied`, talk)
	}
	if b.needs(release.ReturnedIn24h) {
		met := fmt.Sprintf("coalesce(kind = 1 AND direction = 2 OR %s AND %s OR %s AND direction = 2, false)", inboundCall, reached, human)
		s += fmt.Sprintf(`,
  min(CASE WHEN %[1]s THEN t END) OVER (PARTITION BY c ORDER BY t DESC, %[1]s ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS met`, met)
	}
	return s
}

// linkedSQL finishes the values that need to know the contact.
func (b builder) linkedSQL() string {
	reply, returned := "CAST(NULL AS BIGINT)", "CAST(NULL AS BIGINT)"
	if b.needs(release.ReplySeconds) {
		reply = fmt.Sprintf("CASE WHEN %s AND direction = 1 AND coalesce(before, 2) = 2 THEN (replied - t) // 1000000 END", human)
	}
	if b.needs(release.ReturnedIn24h) {
		returned = "CASE WHEN missed = 1 AND linked THEN CASE WHEN met <= t + 86400000000 THEN 1 ELSE 0 END END"
	}
	return reply + " AS reply_s, " + returned + " AS returned"
}

// openSQL is true in open hours.
func (b builder) openSQL() string {
	var open []int64
	for h := range 168 {
		if b.settings.OpenHours.Has(h) {
			open = append(open, int64(h))
		}
	}
	if len(open) == 168 {
		return "true"
	}
	return fmt.Sprintf("(how IN (%s))", list64(open))
}

// contributionsSQL gives a question's rows summed by population (0, then the regions), leaf, contact and bin.
func (b builder) contributionsSQL(i int) string {
	q := b.questions[i]
	var leaves strings.Builder
	for n, k := range q.Leaves {
		fmt.Fprintf(&leaves, ", (%d, %d, %d)", k[0], k[1], n)
	}
	for n := range q.Weeks {
		fmt.Fprintf(&leaves, ", (%d, 0, %d)", n, n)
	}
	populations := []string{fmt.Sprintf("SELECT 0 AS p, *, %s AS bin FROM x WHERE %s", binSQL(q.Query.Value), b.populationSQL(q.Query))}
	for n, r := range q.Regions {
		var in strings.Builder
		in.WriteString(b.populationSQL(r.Of))
		for _, m := range r.Minus {
			in.WriteString(fmt.Sprintf(" AND NOT coalesce(%s, false)", b.populationSQL(m)))
		}
		populations = append(populations, fmt.Sprintf("SELECT %d AS p, *, 0 AS bin FROM x WHERE %s", n+1, in.String()))
	}
	a, other := keySQL(q)
	return fmt.Sprintf(`
WITH leaves(a, b, leaf) AS (VALUES (CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT))%s),
x AS (SELECT *, coalesce(%s, 0) AS k1, coalesce(%s, 0) AS k2 FROM %s WHERE t >= %d AND t < %d),
y AS (%s)
SELECT p, coalesce(leaf, %d) AS leaf, c, bin, count(*) AS n
FROM y LEFT JOIN leaves ON a = k1 AND b = k2 GROUP BY 1, 2, 3, 4`,
		leaves.String(), a, other, b.rows, q.Span.Start.UnixMicro(), q.Span.End.UnixMicro(),
		strings.Join(populations, " UNION ALL "), len(q.Leaves)+len(q.Weeks))
}

// keySQL gives the two halves of a row's key.
func keySQL(q release.Question) (string, string) {
	if q.Weeks != nil {
		var week strings.Builder
		for i, w := range q.Weeks {
			fmt.Fprintf(&week, " WHEN t >= %d AND t < %d THEN %d", w.Start.UnixMicro(), w.End.UnixMicro(), i)
		}
		return fmt.Sprintf("CASE%s ELSE %d END", week.String(), len(q.Weeks)), "0"
	}
	switch q.Query.Split {
	case release.ByReason:
		return "miss_reason", "0"
	case release.ByHourOfWeek:
		return "how", "0"
	}
	key := [2]string{"0", "0"}
	for i, c := range splitColumns[q.Query.Split] {
		key[i] = columns[c]
	}
	return key[0], key[1]
}

// populationSQL is true for the rows that fall in one of the query's bins.
func (b builder) populationSQL(q release.Query) string {
	var kinds []int64
	for _, k := range q.Kinds {
		kinds = append(kinds, int64(k))
	}
	and := []string{fmt.Sprintf("kind IN (%s)", list64(kinds))}
	for _, f := range q.Where {
		and = append(and, fmt.Sprintf("coalesce(%s, 0) IN (%s)", columns[f.Column], list64(f.In)))
	}
	if q.Open {
		and = append(and, b.openSQL())
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

// cellsSQL gives for each cell (cell, population, bin, number): distinct contacts with bin -1, and rows a bin.
func cellsSQL(table string, cells [][]int) string {
	var pairs []string
	for i, cell := range cells {
		for _, leaf := range cell {
			pairs = append(pairs, fmt.Sprintf("(%d, %d)", i, leaf))
		}
	}
	return fmt.Sprintf(`
WITH cells(cell, leaf) AS (VALUES %s), z AS (SELECT cell, p, c, bin, n FROM %s q JOIN cells ON cells.leaf = q.leaf)
SELECT cell, p, -1 AS bin, count(DISTINCT c) FROM z GROUP BY cell, p
UNION ALL SELECT cell, p, bin, CAST(sum(n) AS BIGINT) FROM z WHERE p = 0 GROUP BY cell, p, bin`,
		strings.Join(pairs, ", "), table)
}

// between narrows by the stored time, so that files and row groups outside are never read.
func between(column string, s release.Span) string {
	const layout = "2006-01-02 15:04:05.000000"
	return fmt.Sprintf("%s >= TIMESTAMP WITH TIME ZONE '%s+00' AND %s < TIMESTAMP WITH TIME ZONE '%s+00'",
		column, s.Start.UTC().Format(layout), column, s.End.UTC().Format(layout))
}

func list64(numbers []int64) string {
	s := make([]string, len(numbers))
	for i, n := range numbers {
		s[i] = fmt.Sprint(n)
	}
	return strings.Join(s, ", ")
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
