package duckdb

import (
	"fmt"
	"strings"

	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

// The SQL is DuckDB's. Every number in it is made here; of texts only the workspace's name and file paths occur, quoted.

// splitColumns are the columns of a split's key.
var splitColumns = map[release.Split][]fact.Column{
	release.ByNumber: {fact.ColNumber}, release.ByTopic: {fact.ColTopic}, release.ByAct: {fact.ColAct}, release.ByReply: {fact.ColReply}, release.ByKind: {fact.ColKind},
	release.ByMenu: {fact.ColNode, fact.ColChoice}, release.BySurvey: {fact.ColSurvey, fact.ColMedium},
}

// keySQL gives the two halves of a row's key. A topic of the workspace's own comes before the public one.
func keySQL(s split, own bool) (string, string) {
	key := [2]string{"0", "0"}
	for i, c := range splitColumns[s.by] {
		key[i] = nameSQL(c)
	}
	if own && s.by == release.ByTopic {
		key[0] = "coalesce(own_topic, " + key[0] + ")"
	}
	return key[0], key[1]
}

// leafSQL numbers the leaf of a row, and gives the join that it needs for that.
func leafSQL(s split, i int, own bool) (leaf, join string) {
	a, b := keySQL(s, own)
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

func nameSQL(c fact.Column) string {
	d, _ := fact.Declared(c)
	return `"` + d.Name + `"`
}

func list64(numbers []int64) string {
	s := make([]string, len(numbers))
	for i, n := range numbers {
		s[i] = fmt.Sprint(n)
	}
	return strings.Join(s, ", ")
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
