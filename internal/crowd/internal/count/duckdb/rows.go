package duckdb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/workspace"
)

// reader writes the SQL that turns the lake's files into the rows of a session.
//
// The rows are read once, by field id: of each fact the newest version. Large periods are read in slices of contacts, so
// that memory holds a part of them: whatever is derived from other rows looks at rows of the same contact alone, and
// distinct contacts add up over slices.
type reader struct {
	*plan
	questions []release.Question
	files     []release.File
	slice     int64  // rows that a slice has, about
	prefix    string // of the session's tables
	ids       bool   // of every row
	own       string // the table of the workspace's own topics; "": it has none, or no question asks for topics
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
	if r.needs(release.ReturnedIn24h) || r.ties() {
		kinds = append(kinds, int64(fact.KindCall), int64(fact.KindMessage))
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// near is what a return call, or what a contact did before, may come in, wide what the texts of a conversation are looked for in.
func (r *reader) near() release.Span {
	s := r.span()
	if r.ties() {
		s.Start = s.Start.Add(-release.Before)
	}
	if r.needs(release.ReturnedIn24h) || r.ties() {
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
	err := n.conn.QueryRowContext(ctx, "SELECT count(*) FROM ("+r.scanSQL("kind")+")").Scan(&total)
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

// scanSQL reads everything that the questions look at, as cols.
func (r *reader) scanSQL(cols string) string {
	close, far := r.parts()
	var scans []string
	if len(close) > 0 || len(far) == 0 {
		scans = append(scans, r.fromSQL(cols, close, r.inTime()))
	}
	if len(far) > 0 {
		scans = append(scans, r.fromSQL(cols, far, r.inTime()))
	}
	return strings.Join(scans, "\nUNION ALL ")
}

// parts tells the files with rows near the span from those in which texts alone are looked for.
func (r *reader) parts() (close, far []release.File) {
	close = inside(r.files, r.near())
	far = slices.DeleteFunc(inside(r.files, r.wide()), func(f release.File) bool { return slices.Contains(close, f) })
	return close, far
}

// inTime is true for calls and whatever is no text near the span, and for texts in the wide one.
func (r *reader) inTime() string {
	return between(r.wide()) + " AND (kind = 2 OR " + between(r.near()) + ")"
}

// fromSQL reads rows of the workspace out of files by field id, so that no file is opened to plan. A column that a file
// is too old to have is null.
func (r *reader) fromSQL(cols string, files []release.File, where string) string {
	if kinds := r.kinds(); len(kinds) > 0 {
		where += fmt.Sprintf(" AND kind IN (%s)", list64(kinds))
	}
	return r.anySQL(cols, files, where)
}

// anySQL is fromSQL for rows of every kind.
func (r *reader) anySQL(cols string, files []release.File, where string) string {
	if len(files) == 0 {
		return "SELECT " + cols + " FROM (" + nothingSQL + ") WHERE false"
	}
	if kinds := r.kinds(); len(kinds) > 0 {
		where += fmt.Sprintf(" AND kind IN (%s)", list64(kinds))
	}
	return tableSQL(fact.Facts, r.settings.Workspace, cols, files, where)
}

// tableSQL reads rows of a workspace out of files of a table.
func tableSQL(t fact.Table, ws workspace.ID, cols string, files []release.File, where string) string {
	list := make([]string, len(files))
	for i, f := range files {
		list[i] = quote(f.Path)
	}
	return fmt.Sprintf("SELECT %s FROM read_parquet([%s], schema = MAP {%s}) WHERE workspace = %s AND %s",
		cols, strings.Join(list, ", "), schemas[t], quote(ws.String()), where)
}

var types = map[fact.Type]string{fact.Long: "BIGINT", fact.Time: "TIMESTAMP WITH TIME ZONE", fact.Key: "BLOB", fact.Name: "VARCHAR", fact.Words: "VARCHAR"}

// schemas names and types the columns of a table by their field ids.
var schemas = map[fact.Table]string{fact.Facts: schemaOf(fact.Facts), fact.Texts: schemaOf(fact.Texts)}

func schemaOf(t fact.Table) string {
	var cols []string
	for i, d := range fact.Schema(t) {
		cols = append(cols, fmt.Sprintf("%d: {name: '%s', type: '%s', default_value: NULL}", i+1, d.Name, types[d.Type]))
	}
	return strings.Join(cols, ", ")
}

// nothingSQL has the columns of facts.
var nothingSQL = func() string {
	var cols []string
	for _, d := range fact.Schema(fact.Facts) {
		cols = append(cols, fmt.Sprintf("CAST(NULL AS %s) AS \"%s\"", types[d.Type], d.Name))
	}
	return "SELECT " + strings.Join(cols, ", ")
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

// batchRows is about how many rows one statement hands over.
const batchRows = 500_000

// batches cuts files into lists of at most batchRows rows.
func batches(files []release.File) (all [][]release.File) {
	rows := int64(0)
	for _, f := range files {
		if rows += f.Rows; len(all) == 0 || rows > batchRows {
			all, rows = append(all, nil), f.Rows
		}
		all[len(all)-1] = append(all[len(all)-1], f)
	}
	return all
}

// statements gives the queries that read one slice of contacts, each with the words of its rows.
func (r *reader) statements(w *words, slice, of int) (all []string) {
	mine := "true"
	if of > 1 {
		mine = fmt.Sprintf("hash(coalesce(%s, CAST('' AS BLOB))) %% %d = %d", person, of, slice)
	}
	in := r.inTime() + " AND " + mine
	anti := ""
	if r.doubled {
		anti = fmt.Sprintf(" ANTI JOIN %s d ON x.kind = d.kind AND x.id = d.id", r.table("dup"))
		all = append(all, r.rowsSQL(w, "SELECT * FROM "+r.table("won")+" WHERE "+in))
	}
	close, far := r.parts()
	for _, files := range batches(close) {
		all = append(all, r.rowsSQL(w, "SELECT x.* FROM ("+r.fromSQL("*", files, in)+") x"+anti))
	}
	for _, files := range batches(far) {
		all = append(all, r.rowsSQL(w, "SELECT "+textsSQL+" FROM ("+r.fromSQL("*", files, in+" AND kind = 2 AND contact IS NOT NULL")+") x"+anti))
	}
	return all
}

// textsSQL are the columns of texts beside the span: what a conversation needs, the rest null.
var textsSQL = func() string {
	var cols []string
	for _, d := range fact.Schema(fact.Facts) {
		switch name := `"` + d.Name + `"`; {
		case d.Column <= fact.ColContact || d.Column == fact.ColDirection || d.Column == fact.ColAutomatic:
			cols = append(cols, "x."+name)
		default:
			cols = append(cols, "CAST(NULL AS BIGINT) AS "+name)
		}
	}
	return strings.Join(cols, ", ")
}()

// rowsSQL gives of each row the contact, of a text its id, the time, and the words.
func (r *reader) rowsSQL(w *words, from string) string {
	var leaves []string
	joins := ""
	for i, s := range r.splits {
		if s.told() {
			leaf, join := leafSQL(s, i, r.own != "")
			leaves, joins = append(leaves, fmt.Sprintf("%s AS leaf%d", leaf, i)), joins+join
		}
	}
	return fmt.Sprintf(`WITH a AS NOT MATERIALIZED (SELECT * EXCLUDE (contact), %s AS contact FROM (%s)),
b AS NOT MATERIALIZED (SELECT %s FROM a%s)
SELECT contact, %s, epoch_us("at"), %s FROM b`,
		person, r.withOwn(from), strings.Join(append([]string{"a.*"}, leaves...), ", "), joins, r.idSQL(), strings.Join(w.columns(), ", "))
}

// idSQL is the id of the rows of which one is needed: it orders the texts of one instant.
func (r *reader) idSQL() string {
	if r.ids {
		return "id"
	}
	if !r.needs(release.ReplySeconds) {
		return "CAST(NULL AS BLOB)"
	}
	return "CASE WHEN kind = 2 AND contact IS NOT NULL THEN id END"
}

// between narrows by the stored time, so that files and row groups outside are never read.
func between(s release.Span) string {
	const layout = "2006-01-02 15:04:05.000000"
	return fmt.Sprintf(`"at" >= TIMESTAMP WITH TIME ZONE '%s+00' AND "at" < TIMESTAMP WITH TIME ZONE '%s+00'`,
		s.Start.UTC().Format(layout), s.End.UTC().Format(layout))
}
