package crowd

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"murmur/internal/crowd/internal/enrich"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/safe"
	"murmur/internal/workspace"
)

// ErrCategory is returned for a category that cannot be made, ErrNoCategory for one that there is none of.
var (
	ErrCategory   = errors.New("category")
	ErrNoCategory = errors.New("no such category")
	// ErrSentences is an ErrCategory: there are too few or too many.
	ErrSentences = fmt.Errorf("%w: sentences", ErrCategory)
)

const (
	leastExamples     = 8
	mostExamples      = 200 // of either kind
	longestExample    = 500 // code points
	longestCategory   = 40  // its name, in code points
	mostCategories    = 20  // of a workspace
	keptModels        = 64  // of workspaces, in memory
	categoryTopic     = "category"
	firstCategoryKey  = 1 << 40
	categoryIDs       = 1 << 31
	versionsOfOneName = 1 << 16 // that a key has room for
)

// Category is a reason for contact that a business named itself. It is one of the topics from the next count on. Its sentences
// are masked.
type Category struct {
	ID           string // 8 hexadecimal digits
	Name         string
	Like, Unlike []string // sentences that are it, and some that may be taken for it and are not
	trial        enrich.Trial
}

// Found gives how many of the sentences are told to be the category by a model that had not seen them.
func (c Category) Found() (n, of int) { return c.trial.Found, c.trial.Like }

// Precision estimates which part of what is told to be the category is it, with a 95 % interval, from its released share of all
// texts. ok is false where nothing was told.
func (c Category) Precision(low, share, high float64) (p [3]float64, ok bool) {
	r, ok := c.trial.Precision(enrich.Range{Low: low, Value: share, High: high})
	return [3]float64{r.Low, r.Value, r.High}, ok
}

// categories keeps what the businesses named, and the models that were learned from it.
type categories struct {
	db   *meta.DB
	seal workspace.Sealer

	changing sync.Mutex // one change at a time

	mu     sync.Mutex
	models map[workspace.ID]*learned
}

// category is one as it is stored.
type category struct {
	id, version int64
	Name        string   `json:"name"`
	Like        []string `json:"like"`
	Unlike      []string `json:"unlike,omitempty"`
}

// key is the topic of what is told to be the category. It moves with the sentences: weeks of two versions are not compared.
func (c category) key() int64 { return firstCategoryKey + c.id*versionsOfOneName + c.version }

// name is how a category is named from outside.
func (c category) name() string { return fmt.Sprintf("%08x", c.id) }

// learned is the model of a workspace's categories, and how each did.
type learned struct {
	keys  []int64 // of the categories that it knows
	model *enrich.Own
	tried func() (map[int64]enrich.Trial, error)

	mu   sync.Mutex
	told map[string][]release.Own // by file of the lake, which never changes: what the model tells its texts to be
}

// mostTold is how many texts that are about a category are kept in memory of a workspace, 48 bytes each; files beyond are read at each count.
const mostTold = 1 << 20

func (s *categories) read(ctx context.Context, ws workspace.ID) (all []category, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, version, learned FROM categories WHERE workspace = ? ORDER BY id`, ws.String())
	if err != nil {
		return nil, fmt.Errorf("read categories: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c category
		var sealed []byte
		if err := rows.Scan(&c.id, &c.version, &sealed); err != nil {
			return nil, fmt.Errorf("read categories: %w", err)
		}
		plain, err := s.seal.OpenLasting(ws, categoryTopic, categoryID(c.id), sealed)
		if err == nil {
			err = json.Unmarshal(plain, &c)
		}
		if err != nil {
			return nil, safe.Wrap("open a category", err)
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

func categoryID(id int64) (out [16]byte) {
	binary.BigEndian.PutUint64(out[:8], uint64(id))
	return out
}

// learned gives the model of categories; nil for none.
func (s *categories) learned(ws workspace.ID, all []category) (*learned, error) {
	if len(all) == 0 {
		return nil, nil
	}
	var known []enrich.Category
	l := &learned{}
	for _, c := range all {
		known = append(known, enrich.Category{Key: c.key(), Like: c.Like, Unlike: c.Unlike})
		l.keys = append(l.keys, c.key())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.models[ws]; m != nil && slices.Equal(m.keys, l.keys) {
		return m, nil
	}
	l.tried = sync.OnceValues(func() (map[int64]enrich.Trial, error) { return enrich.Try(known) })
	var err error
	if l.model, err = enrich.Learn(known); err != nil {
		return nil, safe.Wrap("learn categories", err)
	}
	if len(s.models) >= keptModels || s.models == nil {
		s.models = map[workspace.ID]*learned{}
	}
	s.models[ws] = l
	return l, nil
}

// untell lets go of what was told of files that are no more, or of all where that cannot be found out.
func (c *Crowd) untell(ctx context.Context, ws workspace.ID) {
	c.categories.mu.Lock()
	m := c.categories.models[ws]
	c.categories.mu.Unlock()
	if m == nil {
		return
	}
	snapshot, unpin, err := c.lake.Pin(ctx)
	if err != nil {
		m.keep(nil)
		return
	}
	defer unpin()
	m.keep(filesIn(snapshot, fact.Texts, ws, time.Time{}, time.Time{}).Files)
}

// forget lets go of what was learned for a workspace.
func (s *categories) forget(ws workspace.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.models, ws)
}

// change replaces a workspace's categories by what f makes of them.
func (s *categories) change(ctx context.Context, ws workspace.ID, f func([]category) ([]category, error)) error {
	all, err := s.read(ctx, ws)
	if err != nil {
		return err
	}
	now, err := f(all)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM categories WHERE workspace = ?`, ws.String()); err != nil {
			return err
		}
		for _, c := range now {
			plain, err := json.Marshal(c)
			if err != nil {
				return err
			}
			sealed, err := s.seal.SealLasting(ws, categoryTopic, categoryID(c.id), plain)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO categories(workspace, id, version, learned) VALUES(?,?,?,?)`, ws.String(), c.id, c.version, sealed); err != nil {
				return err
			}
		}
		return nil
	})
}

// Categories lists a workspace's own categories by name, each with how it did on its sentences.
func (c *Crowd) Categories(ctx context.Context, ws workspace.ID) ([]Category, error) {
	all, err := c.categories.read(ctx, ws)
	if err != nil {
		return nil, err
	}
	l, err := c.categories.learned(ws, all)
	if err != nil || l == nil {
		return nil, err
	}
	trials, err := l.tried()
	if err != nil {
		return nil, safe.Wrap("try categories", err)
	}
	var out []Category
	for _, s := range all {
		out = append(out, Category{s.name(), s.Name, s.Like, s.Unlike, trials[s.key()]})
	}
	slices.SortFunc(out, func(a, b Category) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// SetCategory makes a category of sentences, or gives the one of that name other sentences. It gives its ID.
func (c *Crowd) SetCategory(ctx context.Context, ws workspace.ID, name anon.Text, like, unlike []anon.Text) (id string, err error) {
	called, err := categoryName(name)
	if err != nil {
		return "", err
	}
	now := category{Name: called, Like: sentences(like), Unlike: sentences(unlike)}
	if len(now.Like) < leastExamples || len(now.Like) > mostExamples || len(now.Unlike) > mostExamples {
		return "", fmt.Errorf("%w: %d to %d different ones with words, of which %d are left, and at most %d that it is not",
			ErrSentences, leastExamples, mostExamples, len(now.Like), mostExamples)
	}
	err = c.changeCategories(ctx, ws, func(all []category) ([]category, error) {
		i := slices.IndexFunc(all, func(o category) bool { return strings.EqualFold(o.Name, called) })
		switch {
		case i < 0 && len(all) == mostCategories:
			return nil, fmt.Errorf("%w: a workspace has at most %d", ErrCategory, mostCategories)
		case i < 0:
			now.id, now.version = newCategoryID(), 1
			return append(all, now), nil
		}
		old := all[i]
		if now.id, now.version = old.id, old.version; !slices.Equal(old.Like, now.Like) || !slices.Equal(old.Unlike, now.Unlike) {
			now.version++
		}
		all[i] = now
		return all, nil
	})
	return now.name(), err
}

// RenameCategory calls a category something else, in every period.
func (c *Crowd) RenameCategory(ctx context.Context, ws workspace.ID, id string, to anon.Text) error {
	called, err := categoryName(to)
	if err != nil {
		return err
	}
	return c.changeCategories(ctx, ws, func(all []category) ([]category, error) {
		i := slices.IndexFunc(all, func(o category) bool { return o.name() == id })
		if i < 0 {
			return nil, ErrNoCategory
		}
		if slices.ContainsFunc(all, func(o category) bool { return strings.EqualFold(o.Name, called) && o.id != all[i].id }) {
			return nil, fmt.Errorf("%w: another one has that name", ErrCategory)
		}
		all[i].Name = called
		return all, nil
	})
}

// RemoveCategory forgets a category and its sentences. Periods that are final keep what they show.
func (c *Crowd) RemoveCategory(ctx context.Context, ws workspace.ID, id string) error {
	return c.changeCategories(ctx, ws, func(all []category) ([]category, error) {
		i := slices.IndexFunc(all, func(o category) bool { return o.name() == id })
		if i < 0 {
			return nil, ErrNoCategory
		}
		return slices.Delete(all, i, i+1), nil
	})
}

// changeCategories changes them and has the open periods looked at again.
func (c *Crowd) changeCategories(ctx context.Context, ws workspace.ID, f func([]category) ([]category, error)) error {
	c.categories.changing.Lock()
	defer c.categories.changing.Unlock()
	if err := c.categories.change(ctx, ws, f); err != nil {
		return err
	}
	c.watch.stir(ws, c.now())
	return nil
}

func categoryName(t anon.Text) (string, error) {
	name := seen(t.String())
	if n := utf8.RuneCountInString(name); !t.Valid() || n == 0 || n > longestCategory || !enrich.Knows(name) {
		return "", fmt.Errorf("%w: a name has 1 to %d characters, and words that are nobody's", ErrCategory, longestCategory)
	}
	for _, topic := range fact.Topics() {
		if name == "unclassified" || strings.EqualFold(strings.ReplaceAll(topic.String(), "-", " "), strings.ReplaceAll(name, "-", " ")) {
			return "", fmt.Errorf("%w: one of the public reasons is called so", ErrCategory)
		}
	}
	return name, nil
}

// sentences gives the different texts that have words, cut to length.
func sentences(all []anon.Text) (out []string) {
	for _, t := range all {
		s := []rune(strings.TrimSpace(t.String()))
		cut := string(s[:min(len(s), longestExample)])
		if t.Valid() && enrich.Knows(cut) && !slices.Contains(out, cut) {
			out = append(out, cut)
		}
	}
	return out
}

func newCategoryID() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return 1 + int64(binary.BigEndian.Uint64(b[:])%(categoryIDs-1))
}

// called gives today's name of every version of a workspace's categories.
func (s *categories) called(ctx context.Context, ws workspace.ID) (map[int64]string, error) {
	all, err := s.read(ctx, ws)
	names := map[int64]string{}
	for _, c := range all {
		for last := c.version; c.version > 0 && c.version <= last; c.version-- {
			names[c.key()] = c.Name
		}
	}
	return names, err
}

// withOwn adds a workspace's categories to the topics of a dictionary.
func withOwn(d release.Dictionary, all []category) release.Dictionary {
	d.Topics = slices.Clone(d.Topics)
	for _, c := range all {
		d.Topics = append(d.Topics, release.Name{Key: c.key(), Name: c.Name})
	}
	return d
}

// ownIn gives the categories that a block's texts are told by: none once its words may be gone.
func (l *look) ownIn(block release.Period) []category {
	if l.wordless(block.Start) {
		return nil
	}
	return l.own
}

// tellOwn tells which texts of a block are about an own category. A file's texts are read and told once: so a count costs what the new files
// have. Erasing and merging write files anew, and what was told of the ones before is let go.
func (l *look) tellOwn(ctx context.Context, block release.Period) (own []release.Own, err error) {
	if len(l.ownIn(block)) == 0 {
		return nil, nil
	}
	m, err := l.categories.learned(l.ws, l.own)
	if err != nil {
		return nil, err
	}
	m.keep(filesIn(l.snapshot, fact.Texts, l.ws, time.Time{}, time.Time{}).Files)
	for _, file := range filesIn(l.snapshot, fact.Texts, l.ws, block.Start, block.End).Files {
		of, err := m.of(file, func() (release.Snapshot, error) {
			return fetched(ctx, l.snapshot, release.Snapshot{Files: []release.File{file}})
		}, func(texts release.Snapshot, f func(release.Version, string)) error {
			return l.engine.Texts(ctx, l.ws, texts, f)
		})
		if err != nil {
			return nil, err
		}
		own = append(own, of...)
	}
	return own, nil
}

// keep lets go of what was told of files that are not there any more.
func (m *learned) keep(files []release.File) {
	there := map[string]bool{}
	for _, f := range files {
		there[f.Path] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.told, func(path string, _ []release.Own) bool { return !there[path] })
}

// of gives what the texts of a file are told to be, and reads them where that is not known.
func (m *learned) of(file release.File, fetch func() (release.Snapshot, error), read func(release.Snapshot, func(release.Version, string)) error) (own []release.Own, err error) {
	m.mu.Lock()
	own, known := m.told[file.Path]
	m.mu.Unlock()
	if known {
		return own, nil
	}
	texts, err := fetch()
	if err != nil {
		return nil, err
	}
	err = read(texts, func(v release.Version, words string) {
		if topic := m.model.Of(words); topic != 0 {
			own = append(own, release.Own{Version: v, Topic: topic})
		}
	})
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := len(own)
	for _, o := range m.told {
		kept += len(o)
	}
	if kept > mostTold {
		return own, nil
	}
	if m.told == nil {
		m.told = map[string][]release.Own{}
	}
	m.told[file.Path] = own
	return own, nil
}
