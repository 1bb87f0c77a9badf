// Package poll asks vendors for their stored objects: the whole history once, newest first, and from then on new
// objects.
//
// Zone: RED. The words: a list is one of a vendor's lists (calls, messages); a gap is a time that was not listed yet;
// the checkpoint holds the gaps and is stored after each page, after its objects are durable. A process that dies at
// any moment therefore loses nothing, and what is listed twice is known by its id and version. A vendor's cursor is
// never stored, since it expires: a gap is resumed by time.
//
// The time since the last poll becomes a new gap in front of the old ones, so that new objects come in during a long
// backfill. Every look overlaps the last by an hour, unfinished objects are asked for again for a day, and once a
// day the last three days are listed again.
//
// What it does not protect against: an object that a vendor changes after more than three days, and one that the
// vendor's list leaves out.
package poll

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"murmur/internal/private/internal/source"
)

// Config is what a Poller works with. Functions are called from several goroutines, Save from one at a time.
type Config struct {
	API   source.API
	Lists []source.List
	// Accept makes deliveries durable and counts the new ones.
	Accept func(context.Context, []source.Delivery) (fresh int, err error)
	// Save stores the checkpoint.
	Save func(context.Context, Checkpoint) error
	// Words reports whether what was said in the conversation of a delivery may be asked for; nil: never.
	Words func(context.Context, source.Delivery) (bool, error)
	// Mine reports whether the URL of a webhook is this source's own; nil: none is.
	Mine func(url string) bool
	Now  func() time.Time
}

// Poller asks one source. It remembers between runs what it has seen lately, so that an unchanged object is not
// accepted again and again; the memory is only a saving.
type Poller struct {
	Config

	mu     sync.Mutex // of what follows, and of the checkpoint during a run
	seen   map[string]time.Time
	latest Checkpoint
}

// New makes a poller that starts at a checkpoint.
func New(c Config, from Checkpoint) *Poller {
	if from.Lists == nil {
		from.Lists = map[string]*Progress{}
	}
	if from.Refused == nil {
		from.Refused = map[string]time.Time{}
	}
	return &Poller{Config: c, seen: map[string]time.Time{}, latest: from}
}

// Run asks for everything that is due and returns when nothing is left, ctx ends or the vendor gives up: the error
// is a source.Trouble, or that of Accept or Save. Lists are asked side by side; one that the key may not read is left
// out and tried again after a day.
func (p *Poller) Run(ctx context.Context) error {
	due, err := p.begin(ctx)
	if err != nil {
		return err
	}
	g, side := errgroup.WithContext(ctx)
	for _, l := range due {
		g.Go(func() error { return p.refusal(l, p.drain(side, l)) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return p.save(ctx, func(*Checkpoint) {})
}

// begin opens the gaps of the lists that are due.
func (p *Poller) begin(ctx context.Context) (due []source.List, err error) {
	now := p.Now().UTC()
	if p.latest.Oldest.IsZero() && len(p.Lists) > 0 {
		oldest, err := p.probe(ctx, p.Lists[0], now)
		if err != nil {
			return nil, err
		}
		p.latest.Oldest = oldest
	}
	return due, p.save(ctx, func(c *Checkpoint) {
		check := c.Complete() && now.Sub(c.Checked) >= checkEvery && !c.Checked.IsZero()
		if c.Checked.IsZero() || check {
			c.Checked = now
		}
		for _, l := range p.Lists {
			at := c.Lists[l.Name]
			if at == nil {
				at = &Progress{}
				c.Lists[l.Name] = at
			}
			if since := c.Refused[l.Name]; l.Words && p.Words == nil || !since.IsZero() && now.Sub(since) < checkEvery {
				continue
			}
			delete(c.Refused, l.Name)
			if len(at.Gaps) > 0 || now.Sub(at.High) >= l.Rest {
				at.extend(now)
			}
			if check && len(at.Gaps) > 0 {
				at.Gaps[0].From = earlier(at.Gaps[0].From, now.Add(-checkBack))
			}
			due = append(due, l)
		}
	})
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// ages are the steps in which the beginning of the history is looked for: it only scales the progress.
var ages = []time.Duration{30, 120, 500, 2000}

// probe asks in a few steps how far the history goes back.
func (p *Poller) probe(ctx context.Context, l source.List, now time.Time) (time.Time, error) {
	for _, days := range ages {
		at := now.Add(-days * 24 * time.Hour)
		page, err := l.Page(ctx, p.API, source.Query{From: floor, To: at, Limit: 1})
		if err != nil {
			return time.Time{}, err
		}
		if len(page.Items) == 0 {
			return at, nil
		}
	}
	return floor, nil
}

// refusal notes a list that this key or plan does not give; the others go on. Without calls there is no source.
func (p *Poller) refusal(l source.List, err error) error {
	if !errors.Is(err, source.TroubleForbidden) && !(l.Rest > 0 && errors.Is(err, source.TroubleMissing)) || l.Name == p.Lists[0].Name {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest.Refused[l.Name] = p.Now().UTC()
	return nil
}

// drain lists the gaps of a list, newest first, until none is left.
func (p *Poller) drain(ctx context.Context, l source.List) error {
	for {
		g, ok := p.gap(l)
		if !ok {
			return nil
		}
		if err := p.fill(ctx, l, g); err != nil {
			return err
		}
	}
}

func (p *Poller) gap(l source.List) (Gap, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.latest.Lists[l.Name]
	if len(at.Gaps) == 0 {
		return Gap{}, false
	}
	return at.Gaps[0], true
}

// fill lists one gap. The newest gap has no upper bound, so that a vendor whose clock is ahead hides nothing. A
// cursor that the vendor has forgotten is replaced by the time down to which the gap is listed.
func (p *Poller) fill(ctx context.Context, l source.List, g Gap) error {
	q := source.Query{From: g.From, To: g.To, Mine: p.Mine}
	if p.newest(l, g) {
		q.To = time.Time{}
	}
	moved := true
	for {
		page, err := l.Page(ctx, p.API, q)
		if forgotten(err) && q.Cursor != "" && moved {
			g, _ = p.gap(l)
			q.Cursor, q.To, moved = "", g.To, false
			continue
		}
		if err != nil {
			return err
		}
		if err := p.take(ctx, l, page.Items); err != nil {
			return err
		}
		down, past := reach(page.Items, g.From)
		done := page.Next == "" || past
		err = p.save(ctx, func(c *Checkpoint) {
			at := c.Lists[l.Name]
			if moved = at.shrink(down) || moved; done {
				at.close()
			}
		})
		if err != nil || done {
			return err
		}
		q.Cursor = page.Next
	}
}

// forgotten reports an error with which vendors answer to an old cursor.
func forgotten(err error) bool {
	return errors.Is(err, source.TroubleCursor) || errors.Is(err, source.TroubleRequest) || errors.Is(err, source.TroubleMissing)
}

func (p *Poller) newest(l source.List, g Gap) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return g.To.Equal(p.latest.Lists[l.Name].High)
}

// reach is the oldest time on a page, and whether all of the page lies before the gap: a vendor may not know bounds.
func reach(items []source.Item, from time.Time) (down time.Time, past bool) {
	past = len(items) > 0
	for _, i := range items {
		if i.At.IsZero() {
			past = false
			continue
		}
		past = past && i.At.Before(from)
		if down.IsZero() || i.At.Before(down) {
			down = i.At
		}
	}
	return down, past
}

// take makes the objects of a page durable, and only then remembers them.
func (p *Poller) take(ctx context.Context, l source.List, items []source.Item) error {
	var all []source.Delivery
	var settled []source.Item
	here := map[string]bool{}
	for _, i := range items {
		if i.Open {
			p.open(l, i.At)
		}
		if p.known(l, i) || here[i.Delivery.ID] {
			continue
		}
		here[i.Delivery.ID] = i.Delivery.ID != ""
		more, open, err := p.more(ctx, l, i)
		if err != nil {
			return err
		}
		if !l.Words && len(i.Delivery.Body) > 0 {
			all = append(all, i.Delivery)
		}
		all = append(all, more...)
		if open {
			p.open(l, i.At)
		} else {
			settled = append(settled, i)
		}
	}
	if err := p.accept(ctx, all); err != nil {
		return err
	}
	p.remember(l, settled)
	return nil
}

func (p *Poller) open(l source.List, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest.Lists[l.Name].open(at)
}

// more asks for what an item of the list does not hold: words only after the verdict. What is deleted meanwhile, or
// not in the plan for this one, is not there.
func (p *Poller) more(ctx context.Context, l source.List, i source.Item) ([]source.Delivery, bool, error) {
	if i.More == nil {
		return nil, false, nil
	}
	if l.Words {
		if ok, err := p.Words(ctx, i.Delivery); err != nil || !ok {
			return nil, false, err
		}
	}
	more, open, err := i.More(ctx, p.API)
	if errors.Is(err, source.TroubleMissing) {
		return nil, false, nil
	}
	return more, open, err
}

func (p *Poller) accept(ctx context.Context, all []source.Delivery) error {
	if len(all) == 0 {
		return nil
	}
	n, err := p.Accept(ctx, all)
	if err != nil {
		return fmt.Errorf("accept what was polled: %w", err)
	}
	p.mu.Lock()
	p.latest.Items += int64(n)
	p.mu.Unlock()
	return nil
}

// known and remember keep the ids of the last hours' objects; older ones are listed again once a day at most.
func (p *Poller) known(l source.List, i source.Item) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.seen[l.Name+"\x00"+i.Delivery.ID]
	return ok && i.Delivery.ID != ""
}

func (p *Poller) remember(l source.List, items []source.Item) {
	least := p.Now().Add(-2 * overlap)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) > 10_000 {
		maps.DeleteFunc(p.seen, func(_ string, at time.Time) bool { return at.Before(least) })
	}
	for _, i := range items {
		if i.At.After(least) && len(p.seen) < 100_000 {
			p.seen[l.Name+"\x00"+i.Delivery.ID] = i.At
		}
	}
}

// save changes the checkpoint and stores it.
func (p *Poller) save(ctx context.Context, change func(*Checkpoint)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.latest)
	if err := p.Save(ctx, p.latest); err != nil {
		return fmt.Errorf("store the checkpoint: %w", err)
	}
	return nil
}
