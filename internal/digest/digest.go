// Package digest writes one letter about a week of a business: its figures and suggestions, in plain words, as text and as
// HTML without images or scripts. It is pure: the same figures give the same letter.
//
// Zone: open. It sees released figures alone. The owner's letter has the owner's figures; every other letter has figures
// with noise on every count.
package digest

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode/utf8"

	"murmur/internal/insight"
	"murmur/internal/workspace"
)

// Letter is a mail without its addresses.
type Letter struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
}

// Week is what a letter is written from.
type Week struct {
	Workspace   string
	Begins      time.Time        // Monday 00:00 in the workspace's time zone
	Figures     []insight.Figure // those that the reader may see; other periods than the week and the block that ends with it are left out
	Checkpoint  string           // of the ledger, for the reader to keep; may be empty
	Pages       string           // address of the pages; may be empty
	Unsubscribe string           // address that ends these letters; may be empty
}

// bounds of a letter, so that it is read in two minutes.
const (
	maxHeadlines = 7
	maxMonth     = 5
	maxAdvice    = 3
)

//go:embed letter.txt letter.html
var files embed.FS

var (
	asText = texttemplate.Must(texttemplate.New("letter.txt").Funcs(texttemplate.FuncMap{"wrap": wrap}).ParseFS(files, "letter.txt"))
	asHTML = htmltemplate.Must(htmltemplate.ParseFS(files, "letter.html"))
)

// view is what the templates print.
type view struct {
	Week
	Title      string
	Headlines  []insight.Sentence // of the week
	MonthTitle string             // of the block of weeks that ends with the week; empty where none does
	Month      []insight.Sentence
	Advice     []insight.Suggestion
	FourWeeks  string // that the advice is read from
	Exact      bool
	Unplaced   bool // see insight.Unplaced
}

// Write writes the letter of a week.
func (w Week) Write() (Letter, error) {
	v := w.view()
	var text, html bytes.Buffer
	if err := asText.Execute(&text, v); err != nil {
		return Letter{}, fmt.Errorf("write the letter: %w", err)
	}
	if err := asHTML.Execute(&html, v); err != nil {
		return Letter{}, fmt.Errorf("write the letter: %w", err)
	}
	return Letter{Subject: about(v.Title, w.Workspace), Text: text.String(), HTML: html.String()}, nil
}

// view gathers what the week's own figures say, then what those of the block that ends with it do.
func (w Week) view() view {
	year, number := w.Begins.ISOWeek()
	week := fmt.Sprintf("%04d-W%02d", year, number)
	v := view{Week: w, Title: "The week of " + span(w.Begins, 1), FourWeeks: span(w.Begins.AddDate(0, 0, -21), 4)}
	figures := insight.Over(w.Figures)
	v.Headlines = insight.Headlines(figures, week)
	if block := insight.LastBlock(week); strings.HasSuffix(block, ".."+week) {
		weeks := insight.Weeks(block)
		v.MonthTitle = fmt.Sprintf("The %s weeks of %s", map[int]string{4: "four", 5: "five"}[weeks], span(w.Begins.AddDate(0, 0, -7*(weeks-1)), weeks))
		v.Month = insight.Headlines(figures, block)
	}
	v.Advice = insight.SuggestionsTo(figures, week)
	v.Unplaced = insight.Unplaced(figures)
	v.Headlines, v.Month = v.Headlines[:min(maxHeadlines, len(v.Headlines))], v.Month[:min(maxMonth, len(v.Month))]
	v.Advice = v.Advice[:min(maxAdvice, len(v.Advice))]
	for _, h := range slices.Concat(v.Headlines, v.Month) {
		v.Exact = v.Exact || h.Evidence[0].Noise == 0
	}
	for _, a := range v.Advice {
		v.Exact = v.Exact || a.Evidence[0].Noise == 0
	}
	return v
}

// about is the subject of a mail; the workspace that every installation begins with needs no name.
func about(title, ws string) string {
	if ws == workspace.Default.String() {
		return title
	}
	return title + ", " + ws
}

// span reads "2 to 8 November 2026", with as many months and years as it takes.
func span(monday time.Time, weeks int) string {
	sunday := monday.AddDate(0, 0, 7*weeks-1)
	first := "2"
	switch {
	case monday.Year() != sunday.Year():
		first = "2 January 2006"
	case monday.Month() != sunday.Month():
		first = "2 January"
	}
	return monday.Format(first) + " to " + sunday.Format("2 January 2006")
}

// Last is the Monday of the last week that was over at t, in t's time zone.
func Last(t time.Time) time.Time {
	days := (int(t.Weekday()) + 6) % 7
	return time.Date(t.Year(), t.Month(), t.Day()-days-7, 0, 0, 0, 0, t.Location())
}

// wrap breaks a paragraph into lines of at most 72 characters, each after the first behind indent. A number and its per cent
// sign stay together.
func wrap(indent, paragraph string) string {
	const width, noBreak = 72, "\x00"
	var b strings.Builder
	column := utf8.RuneCountInString(indent)
	for i, word := range strings.Fields(strings.ReplaceAll(paragraph, " %", noBreak+"%")) {
		word = strings.ReplaceAll(word, noBreak, " ")
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
