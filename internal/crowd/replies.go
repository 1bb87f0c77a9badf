package crowd

import (
	"context"
	"fmt"
	"slices"
	"time"

	"murmur/internal/crowd/internal/count/duckdb"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
)

const (
	// repeatedBy is how many contacts got a reply, and each word of its name, as the minimum group of what comes from words. A
	// table shows the name only of a period in which enough contacts got it (package release).
	repeatedBy = 10
	// longestReply is in characters: what is longer is no reply that one types.
	longestReply = 1_000
)

// seen is the part of a period that an audience sees rows of.
func (l *look) seen(p release.Period, a release.Audience) release.Span {
	span := p.Span()
	if a == release.Others && l.midnight.Before(span.End) {
		span.End = l.midnight
	}
	return span
}

// wordless reports whether the words of a block that begins then are gone, or may go before all of its tables are made.
func (l *look) wordless(begins time.Time) bool {
	return begins.Before(l.now().AddDate(0, 0, -textDays))
}

// withReplies is the dictionary for the tables of a block: it names the replies that enough contacts got within the part of it
// that is seen. They follow from its rows alone, whatever came first. A block that is so old that its words are gone, or may go
// before all of its tables are made, has no such names.
func (l *look) withReplies(ctx context.Context, span release.Span, files release.Snapshot) (release.Dictionary, error) {
	if l.wordless(span.Start) || !span.Start.Before(span.End) {
		return l.names, nil
	}
	texts, err := fetched(ctx, l.snapshot, filesIn(l.snapshot, fact.Texts, l.ws, span.Start, span.End))
	if err != nil {
		return release.Dictionary{}, err
	}
	repeated, err := l.engine.Repeated(ctx, duckdb.Replies{
		Workspace: l.ws, Facts: files, Texts: texts,
		Span: span, Contacts: repeatedBy, Length: longestReply,
	})
	if err != nil {
		return release.Dictionary{}, fmt.Errorf("name replies: %w", err)
	}
	names := l.names
	names.Labels = slices.Clone(names.Labels)
	for _, r := range repeated {
		names.Labels = append(names.Labels, release.Label{Dim: fact.DimReply, Key: r.Key, Name: r.Name})
	}
	return names, nil
}
