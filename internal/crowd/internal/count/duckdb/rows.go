package duckdb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// reader writes the SQL that turns the lake's files into the rows of a session.
//
// The rows are read once, by field id, into narrow tables: of each fact the newest version, contacts as numbers that
// mean nothing outside the session. They are read in slices of contacts, so that memory holds a part of a large block:
// whatever is derived from other rows looks at rows of the same contact alone, and distinct contacts add up over slices.
type reader struct {
	*plan
	questions []release.Question
	files     []release.File
	slice     int64  // rows that a slice has, about
	prefix    string // of the session's tables
	doubled   bool   // facts stand in more than one row: there are the tables _dup and _won
}

func (r *reader) table(name string) string { return r.prefix + "_" + name }

// queries gives every query that the questions mention.
func (r *reader) queries() (all []release.Query) {
	for _, q := range r.questions {
		all = append(all, q.Query)
		for _, region := range q.Regions {
			all = append(append(all, region.Of), region.Minus...)
		}
	}
	return all
}

func (r *reader) needs(d release.Derived) bool {
	return slices.ContainsFunc(r.queries(), func(q release.Query) bool { return q.Value.Derived == d })
}

// kinds gives the kinds to read: calls and texts too when a derived value looks at them.
func (r *reader) kinds() (kinds []int64) {
	for _, q := range r.queries() {
		for _, k := range q.Kinds {
			kinds = append(kinds, int64(k))
		}
	}
	if r.needs(release.ReturnedIn24h) {
		kinds = append(kinds, int64(fact.KindCall), int64(fact.KindMessage))
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// used gives the number columns to read, in the order of the schema.
func (r *reader) used() (used []fact.Column) {
	add := func(c ...fact.Column) { used = append(used, c...) }
	for _, q := range r.queries() {
		for _, f := range q.Where {
			add(f.Column)
		}
		switch q.Value.Derived {
		case release.FromColumn:
			add(q.Value.Column)
		case release.Nothing:
		case release.ReplySeconds:
			add(fact.ColDirection, fact.ColAutomatic)
		case release.ReturnedIn24h:
			add(fact.ColDirection, fact.ColResult, fact.ColRingS, fact.ColAutomatic)
		default:
			add(fact.ColDirection, fact.ColResult, fact.ColReason, fact.ColRingS)
		}
		add(splitColumns[q.Split]...)
		if q.Split == release.ByReason {
			add(fact.ColDirection, fact.ColResult, fact.ColReason, fact.ColRingS)
		}
	}
	used = slices.DeleteFunc(used, func(c fact.Column) bool { return columns[c] == "" })
	slices.Sort(used)
	return slices.Compact(used)
}

// near is what a return call may come in, wide what the texts of a conversation are looked for in.
func (r *reader) near() release.Span {
	s := r.span()
	if r.needs(release.ReturnedIn24h) {
		s.End = s.End.Add(24*time.Hour + time.Microsecond)
	}
	return s
}

func (r *reader) wide() release.Span {
	if !r.needs(release.ReplySeconds) {
		return r.near()
	}
	s := r.span()
	return release.Span{Start: s.Start.Add(-release.Horizon), End: s.End.Add(release.Horizon)}
}

// slices is how many parts of the contacts the rows are read in.
func (r *reader) slices(ctx context.Context, n *counts) (int, error) {
	total := int64(0)
	for _, f := range inside(r.files, r.wide()) {
		total += max(f.Rows, 1)
	}
	if total <= r.slice {
		return 1, nil
	}
	err := n.conn.QueryRowContext(ctx, "SELECT count(*) FROM ("+r.scanSQL("kind", "")+")").Scan(&total)
	return int(total/r.slice) + 1, err
}

// inside gives the files that can have rows of a span.
func inside(files []release.File, span release.Span) (in []release.File) {
	for _, f := range files {
		if f.Span == (release.Span{}) || f.Span.Start.Before(span.End) && f.Span.End.After(span.Start) {
			in = append(in, f)
		}
	}
	return in
}

// scanSQL reads what the questions look at, as cols: calls and whatever is no text near the span, texts in the wide one.
// where, when not empty, is a further condition.
func (r *reader) scanSQL(cols, where string) string {
	near, wide := r.near(), r.wide()
	if where != "" {
		where = " AND " + where
	}
	close := inside(r.files, near)
	far := slices.DeleteFunc(inside(r.files, wide), func(f release.File) bool { return slices.Contains(close, f) })
	scans := []string{r.fromSQL(cols, close, between(wide)+" AND (kind = 2 OR "+between(near)+")"+where)}
	if len(far) > 0 {
		scans = append(scans, r.fromSQL(cols, far, between(wide)+" AND kind = 2"+where))
	}
	return strings.Join(scans, "\nUNION ALL ")
}

// fromSQL reads rows of the workspace out of files by field id, so that no file is opened to plan. A column that a file
// is too old to have is null.
func (r *reader) fromSQL(cols string, files []release.File, where string) string {
	if len(files) == 0 {
		return "SELECT " + cols + " FROM (" + nothingSQL + ") WHERE false"
	}
	list := make([]string, len(files))
	for i, f := range files {
		list[i] = quote(f.Path)
	}
	if kinds := r.kinds(); len(kinds) > 0 {
		where += fmt.Sprintf(" AND kind IN (%s)", list64(kinds))
	}
	return fmt.Sprintf("SELECT %s FROM read_parquet([%s], schema = MAP {%s}) WHERE workspace = %s AND %s",
		cols, strings.Join(list, ", "), schemaSQL, quote(r.settings.Workspace.String()), where)
}

// schemaSQL names and types the columns by their field ids; nothingSQL has the same columns.
var schemaSQL, nothingSQL = func() (string, string) {
	types := map[fact.Type]string{fact.Long: "BIGINT", fact.Time: "TIMESTAMP WITH TIME ZONE", fact.Key: "BLOB", fact.Name: "VARCHAR", fact.Words: "VARCHAR"}
	var schema, nothing []string
	for i, d := range fact.Schema(fact.Facts) {
		schema = append(schema, fmt.Sprintf("%d: {name: '%s', type: '%s', default_value: NULL}", i+1, d.Name, types[d.Type]))
		nothing = append(nothing, fmt.Sprintf("CAST(NULL AS %s) AS \"%s\"", types[d.Type], d.Name))
	}
	return strings.Join(schema, ", "), "SELECT " + strings.Join(nothing, ", ")
}()

// suspectsSQL reads, as cols, the rows of facts that can stand in several: those that have a row in a fresh file.
func (r *reader) suspectsSQL(cols string, files []release.File) string {
	news := slices.DeleteFunc(slices.Clone(files), func(f release.File) bool { return f.Settled })
	settled := slices.DeleteFunc(slices.Clone(files), fresh)
	all := r.fromSQL(cols, news, "true")
	if len(settled) > 0 {
		all = fmt.Sprintf("%s UNION ALL SELECT s.* FROM (%s) s SEMI JOIN (%s) f ON s.kind = f.kind AND s.id = f.id",
			all, r.fromSQL(cols, settled, "true"), r.fromSQL("kind, id", news, "true"))
	}
	return all
}

// dupSQL gives the facts that stand in more than one row.
func (r *reader) dupSQL() string {
	return "SELECT kind, id FROM (" + r.suspectsSQL("kind, id", inside(r.files, r.wide())) + ") GROUP BY kind, id HAVING count(*) > 1"
}

// movedSQL gives the facts that stand on more than one day, movedDaysSQL their kinds and days.
func (r *reader) movedSQL() string {
	return "SELECT kind, id FROM (" + r.suspectsSQL("kind, id, "+dayCol, r.files) + ") GROUP BY kind, id HAVING min(day) < max(day)"
}

const dayCol = `epoch_us("at") // 86400000000 AS day`

func (r *reader) movedDaysSQL() string {
	return fmt.Sprintf("SELECT DISTINCT s.kind, s.day FROM (%s) s SEMI JOIN %s m ON s.kind = m.kind AND s.id = m.id",
		r.fromSQL("kind, id, "+dayCol, r.files, "true"), r.table("moved"))
}

// unsettled reports whether a fact may stand in several rows.
func (r *reader) unsettled() bool {
	return slices.ContainsFunc(inside(r.files, r.wide()), fresh)
}

// wonSQL gives of each doubled fact the row that counts: the highest version, among equals the de-linked one
// (docs/format/lake.md). Versions may differ in their time, so all of the files is looked at.
func (r *reader) wonSQL() string {
	return fmt.Sprintf(`SELECT * EXCLUDE (place) FROM (SELECT a.*, row_number() OVER (PARTITION BY kind, id
  ORDER BY version DESC, CASE WHEN contact IS NULL THEN 0 ELSE 1 END, "at" DESC) AS place
  FROM (%s) a SEMI JOIN %s d ON a.kind = d.kind AND a.id = d.id) WHERE place = 1`,
		r.fromSQL("*", inside(r.files, r.wide()), "true"), r.table("dup"))
}

// person is the contact of a row, null where it is nobody in particular: callers who are not shown are linked with nothing
// and are one unit, like rows that were de-linked.
var person = func() string {
	var bytes strings.Builder
	for _, b := range fact.Nobody {
		fmt.Fprintf(&bytes, `\x%02X`, b)
	}
	return "nullif(contact, CAST('" + bytes.String() + "' AS BLOB))"
}()

// rawSQL gives the rows of one slice of contacts as they are stored.
func (r *reader) rawSQL(slice, of int) string {
	cols := []string{"kind", "id", `epoch_us("at") AS t`, person + " AS contact"}
	for _, c := range r.used() {
		cols = append(cols, columns[c])
	}
	mine := ""
	if of > 1 {
		mine = fmt.Sprintf("hash(coalesce(%s, CAST('' AS BLOB))) %% %d = %d", person, of, slice)
	}
	list := strings.Join(cols, ", ")
	if !r.doubled {
		return r.scanSQL(list, mine)
	}
	near, wide := r.near(), r.wide()
	inTime := between(wide) + " AND (kind = 2 OR " + between(near) + ")"
	if mine == "" {
		mine = "true"
	}
	return fmt.Sprintf(`SELECT s.* FROM (%s) s ANTI JOIN %s d ON s.kind = d.kind AND s.id = d.id
UNION ALL SELECT %s FROM %s WHERE %s AND %s`, r.scanSQL(list, mine), r.table("dup"), list, r.table("won"), inTime, mine)
}

// contactsSQL numbers the contacts of a slice from 1 and gives the halves of their marks, as release.MarkOf.
func (r *reader) contactsSQL() string {
	const half = "CAST('0x' || substr(hex(contact) || '00000000000000', %d, 7) AS INTEGER) AS k%d"
	return fmt.Sprintf("SELECT contact, CAST(row_number() OVER () AS INTEGER) AS n, %s, %s FROM (SELECT DISTINCT contact FROM %s WHERE contact IS NOT NULL)",
		fmt.Sprintf(half, 1, 1), fmt.Sprintf(half, 8, 2), r.table("raw"))
}

// narrowSQL gives the rows of a slice with numbers as contacts (0: none), columns as narrow as their values. Of an id
// nothing is needed but the order of texts of one instant.
func (r *reader) narrowSQL() string {
	cols := []string{"CAST(kind AS TINYINT) AS kind", "t", "coalesce(n, 0) AS c", "coalesce(k1, 1) AS k1", "coalesce(k2, 1) AS k2", "CASE WHEN kind = 2 THEN id END AS id"}
	for _, c := range r.used() {
		cols = append(cols, fmt.Sprintf("TRY_CAST(%[1]s AS %[2]s) AS %[1]s", columns[c], width(c)))
	}
	return fmt.Sprintf("SELECT %s FROM %s LEFT JOIN %s USING (contact)", strings.Join(cols, ", "), r.table("raw"), r.table("con"))
}

// width is the narrowest type that holds the declared values of a column.
func width(c fact.Column) string {
	switch d, _ := fact.Declared(c); {
	case d.Min >= -128 && d.Max <= 127:
		return "TINYINT"
	case d.Min >= -(1<<31) && d.Max < 1<<31:
		return "INTEGER"
	}
	return "BIGINT"
}

// A missed call is met by the first of: a call or a text to the contact, a call of the contact that was not missed.
// Both windows look ahead, so they run from the latest row back: a running minimum is cheap, a frame of following rows
// is not. At equal times what reached the contact sorts as earlier: it does not count as after.
func (r *reader) metSQL() string {
	meets := fmt.Sprintf("coalesce(kind = 1 AND direction = 2 OR %s AND %s OR %s AND direction = 2, false)", inboundCall, reached, human)
	return fmt.Sprintf(`SELECT r, met FROM (SELECT r, waits,
  min(CASE WHEN meets THEN t END) OVER (PARTITION BY c ORDER BY t DESC, meets ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS met
  FROM (SELECT rowid AS r, c, t, %s AS meets, coalesce(%s AND %s, false) AS waits FROM %s WHERE c > 0) WHERE meets OR waits)
WHERE waits AND met IS NOT NULL`, meets, inboundCall, unreached, r.table("narrow"))
}

// A text is answered by the next one to the contact, and asks when the one before it went to the contact or was none.
func (r *reader) repliedSQL() string {
	return fmt.Sprintf(`SELECT r, before, before_t, replied FROM (SELECT rowid AS r, direction, lead(direction) OVER talk AS before,
  lead(t) OVER talk AS before_t, min(CASE WHEN direction = 2 THEN t END) OVER (talk ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS replied
  FROM %s WHERE %s WINDOW talk AS (PARTITION BY c ORDER BY t DESC, id DESC)) WHERE direction = 1 AND replied IS NOT NULL`,
		r.table("narrow"), human)
}

// rowsSQL gives the rows inside the span with what the queries ask of them, and each split's leaf.
func (r *reader) rowsSQL() string {
	span := r.span()
	cols := []string{"kind", "t", "c", "k1", "k2", r.hourSQL() + " AS how"}
	for _, c := range r.used() {
		cols = append(cols, columns[c])
	}
	from := fmt.Sprintf("(SELECT *, rowid AS r FROM %s WHERE t >= %d AND t < %d)", r.table("narrow"), span.Start.UnixMicro(), span.End.UnixMicro())
	if r.needs(release.ReturnedIn24h) {
		cols, from = append(cols, "met"), from+" LEFT JOIN "+r.table("met")+" USING (r)"
	}
	if r.needs(release.ReplySeconds) {
		cols, from = append(cols, "before", "before_t", "replied"), from+" LEFT JOIN "+r.table("replied")+" USING (r)"
	}
	return fmt.Sprintf("WITH w AS NOT MATERIALIZED (SELECT %s FROM %s), d AS NOT MATERIALIZED (SELECT *, %s FROM w)\n%s",
		strings.Join(cols, ", "), from, r.derivedSQL(), r.leavesSQL("d"))
}

// leavesSQL adds the leaf of each split to a relation, as leaf0, leaf1 and so on.
func (r *reader) leavesSQL(from string) string {
	cols, joins := []string{"x.*"}, from+" x"
	for i, s := range r.splits {
		rest := len(s.leaves)
		a, b := keySQL(s)
		switch {
		case s.weeks != nil:
			cols = append(cols, fmt.Sprintf("%s AS leaf%d", a, i))
		case rest == 0:
			cols = append(cols, fmt.Sprintf("0 AS leaf%d", i))
		default:
			var list []string
			for n, k := range s.leaves {
				list = append(list, fmt.Sprintf("(%d, %d, %d)", k[0], k[1], n))
			}
			cols = append(cols, fmt.Sprintf("coalesce(s%[1]d.leaf, %[2]d) AS leaf%[1]d", i, rest))
			joins += fmt.Sprintf("\nLEFT JOIN (VALUES %[1]s) s%[2]d(a, b, leaf) ON s%[2]d.a = coalesce(%[3]s, 0) AND s%[2]d.b = coalesce(%[4]s, 0)", strings.Join(list, ", "), i, a, b)
		}
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + joins
}

// between narrows by the stored time, so that files and row groups outside are never read.
func between(s release.Span) string {
	const layout = "2006-01-02 15:04:05.000000"
	return fmt.Sprintf(`"at" >= TIMESTAMP WITH TIME ZONE '%s+00' AND "at" < TIMESTAMP WITH TIME ZONE '%s+00'`,
		s.Start.UTC().Format(layout), s.End.UTC().Format(layout))
}
