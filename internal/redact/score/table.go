package score

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Interval is the middle 95 % of a measure over samples of the documents.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Resamples is how many samples, drawn with replacement, an interval rests on (Efron's bootstrap). The seed is fixed:
// the same board gives the same intervals.
const Resamples = 400

// Intervals are the uncertainty of one source's measures.
type Intervals struct {
	Recall    Interval `json:"recall"`
	Precision Interval `json:"precision"`
	Leak      Interval `json:"documents_leaking"`
	F2        Interval `json:"strict_f2"`
}

// Intervals resamples the documents of a source. A source with fewer than two documents has none: all zero.
func (b *Board) Intervals(source string) (v Intervals) {
	docs := b.docs[source]
	if len(docs) < 2 {
		return v
	}
	r := dice(len(docs))
	var recall, precision, leak, f2 []float64
	for range Resamples {
		var c Counts
		for range docs {
			c.plus(&docs[r.below(len(docs))])
		}
		recall, precision = append(recall, c.Recall()), append(precision, c.Precision())
		leak, f2 = append(leak, c.Leak()), append(f2, c.F2())
	}
	return Intervals{middle(recall), middle(precision), middle(leak), middle(f2)}
}

// dice are numbers that are the same every time (SplitMix64: Steele, Lea, Flood 2014).
type dice uint64

// below gives a number from 0 to n-1.
func (d *dice) below(n int) int {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

// middle gives the 2.5 % and 97.5 % quantiles of x, which it sorts.
func middle(x []float64) Interval {
	slices.Sort(x)
	cut := len(x) / 40
	return Interval{x[cut], x[len(x)-1-cut]}
}

// structured are the types that have a form of their own: digits, codes, addresses of machines.
var structured = []string{"AGE", "BANK_ACCT", "CARD_EXPIRY", "CREDIT_CARD", "CVV", "DATE_OF_BIRTH", "EMAIL", "IBAN", "ID", "IP", "PASSWORD", "PHONE",
	"PIN", "POSTCODE", "SSN", "URL", "USERNAME", "VEHICLE"}

// Structured sums the counts of the types that have a form of their own.
func (b *Board) Structured() (c Counts) {
	for _, t := range structured {
		if d := b.Types[t]; d != nil {
			c.plus(d)
		}
	}
	return c
}

// with prints a measure with its interval, if there are documents enough for one.
func (c *Counts) with(x float64, i Interval) string {
	if c.Documents < 2 {
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.3f (%.3f-%.3f)", x, i.Low, i.High)
}

// Table prints the board for people. A document leaks when one letter or digit of a gold span is left; a span is whole
// when every character of it is masked; strict F2 wants the same edges and type; near is an intersection over union of
// at least .9, blind to the type.
func (b *Board) Table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%-22s %6s %-19s %-19s %-19s %6s %-19s %6s %6s %6s\n", "source", "docs", "recall (95 %)", "precision (95 %)", "docs leak (95 %)", "whole",
		"strict F2 (95 %)", "near P", "near R", "false")
	for _, k := range slices.Sorted(maps.Keys(b.Sources)) {
		c, v := b.Sources[k], b.Intervals(k)
		fmt.Fprintf(&out, "%-22s %6d %-19s %-19s %-19s %6.3f %-19s %6.3f %6.3f %6d\n", k, c.Documents, c.with(c.Recall(), v.Recall), c.with(c.Precision(), v.Precision),
			c.with(c.Leak(), v.Leak), c.Cover(), c.with(c.F2(), v.F2), c.NearPrecision(), c.NearRecall(), c.FalseSpans)
	}
	clean := Counts{}
	for _, c := range b.Sources {
		clean.plus(c)
	}
	if clean.Clean > 0 {
		fmt.Fprintf(&out, "\n%d documents without personal data: %d spans masked in them, and %d dates\n", clean.Clean, clean.CleanSpans, clean.CleanDates)
	}
	fmt.Fprintf(&out, "\n%-22s %6s %7s %7s %7s %7s\n", "type", "spans", "recall", "whole", "F2", "near R")
	row := func(k string, c Counts) {
		fmt.Fprintf(&out, "%-22s %6d %7.3f %7.3f %7.3f %7.3f\n", k, c.Spans, c.Recall(), c.Cover(), c.F2(), c.NearRecall())
	}
	for _, k := range slices.Sorted(maps.Keys(b.Types)) {
		row(k, *b.Types[k])
	}
	row("(structured types)", b.Structured())
	return out.String()
}

// Markdown prints the board as two tables of a page.
func (b *Board) Markdown() string {
	var out strings.Builder
	out.WriteString("| source | documents | recall | precision | documents that leak | spans whole | strict F2 | near P / R | false spans |\n|---|---|---|---|---|---|---|---|---|\n")
	var clean Counts
	for _, k := range slices.Sorted(maps.Keys(b.Sources)) {
		c, v := b.Sources[k], b.Intervals(k)
		clean.plus(c)
		if c.Spans == 0 {
			fmt.Fprintf(&out, "| %s (no personal data) | %d | | | | | | | %d, and %d dates |\n", k, c.Documents, c.CleanSpans, c.CleanDates)
			continue
		}
		fmt.Fprintf(&out, "| %s | %d | %s | %s | %s | %.3f | %s | %.3f / %.3f | %d |\n", k, c.Documents, c.with(c.Recall(), v.Recall),
			c.with(c.Precision(), v.Precision), c.with(c.Leak(), v.Leak), c.Cover(), c.with(c.F2(), v.F2), c.NearPrecision(), c.NearRecall(), c.FalseSpans)
	}
	out.WriteString("\n| type | spans | recall | spans whole | strict F2 | near R |\n|---|---|---|---|---|---|\n")
	row := func(k string, c Counts) {
		if c.Spans > 0 {
			fmt.Fprintf(&out, "| %s | %d | %.3f | %.3f | %.3f | %.3f |\n", k, c.Spans, c.Recall(), c.Cover(), c.F2(), c.NearRecall())
		}
	}
	for _, k := range slices.Sorted(maps.Keys(b.Types)) {
		row(k, *b.Types[k])
	}
	row("all structured types", b.Structured())
	return out.String()
}

// measures is one row of JSON.
type measures struct {
	Documents     int        `json:"documents,omitempty"`
	Leaking       int        `json:"documents_leaking,omitempty"`
	Spans         int        `json:"spans"`
	Recall        float64    `json:"recall"`
	Precision     *float64   `json:"precision,omitempty"`
	Leak          float64    `json:"leak_rate"`
	Whole         float64    `json:"spans_whole"`
	F2            float64    `json:"strict_f2"`
	NearPrecision float64    `json:"near_precision"`
	NearRecall    float64    `json:"near_recall"`
	FalseSpans    int        `json:"false_spans,omitempty"`
	CleanSpans    int        `json:"clean_false_spans,omitempty"`
	CleanDates    int        `json:"clean_false_dates,omitempty"`
	Intervals     *Intervals `json:"intervals,omitempty"`
}

// MarshalJSON gives every measure of the table: {"sources":{NAME:{..}},"types":{NAME:{..}}}.
func (b *Board) MarshalJSON() ([]byte, error) {
	of := func(c *Counts) measures {
		return measures{c.Documents, c.Leaking, c.Spans, c.Recall(), nil, 1 - c.Recall(), c.Cover(), c.F2(), c.NearPrecision(), c.NearRecall(),
			c.FalseSpans, c.CleanSpans, c.CleanDates, nil}
	}
	sources, types := map[string]measures{}, map[string]measures{}
	for k, c := range b.Sources {
		m, p := of(c), c.Precision()
		m.Precision = &p
		if v := b.Intervals(k); c.Documents > 1 {
			m.Intervals = &v
		}
		sources[k] = m
	}
	for k, c := range b.Types {
		types[k] = of(c)
	}
	return json.Marshal(map[string]any{"sources": sources, "types": types})
}
