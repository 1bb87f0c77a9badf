package lake

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"murmur/internal/bucket"
	"murmur/internal/bucket/buckettest"
	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

func placeIn(t testing.TB, s *buckettest.Store, prefix string) *bucket.Bucket {
	t.Helper()
	at, err := bucket.Parse(s.Address(prefix))
	must(t, err)
	b, err := bucket.Open(at, buckettest.Key)
	must(t, err)
	return b
}

// onlyCurrent holds that the bucket has the files of the current state and the mark, and nothing else.
func onlyCurrent(t *testing.T, l *Lake, s *buckettest.Store) {
	t.Helper()
	want := []string{"lake/" + markFile}
	for _, f := range l.currentFiles() {
		want = append(want, "lake/"+f.path)
	}
	got := slices.Sorted(maps.Keys(s.Objects(t)))
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("the bucket has %d objects, the lake %d files:\n%q\n%q", len(got), len(want), got, want)
	}
}

// nth is the n-th step of a test.
func nth(n int) Step {
	from := ""
	if n > 0 {
		from = fmt.Sprint(n)
	}
	return Step{From: from, To: fmt.Sprint(n + 1)}
}

// filled appends rows of four contacts, many commits.
func filled(t *testing.T, l *Lake, mk *facttest.Maker) []anon.Contact {
	t.Helper()
	var people []anon.Contact
	for i := range 4 {
		people = append(people, mk.Contact(i))
	}
	for i := range 12 {
		c := people[i%4]
		rows := []Row{call(2*i, noon.AddDate(0, 0, i%3), c, 1), message(2*i+1, noon.AddDate(0, 0, i%3), c, 1, mk.Text(fmt.Sprintf("words %d", i)))}
		must(t, l.Append(t.Context(), rows, nth(i)))
	}
	return people
}

func inABucket(t *testing.T) (*Lake, *buckettest.Store, Config) {
	t.Helper()
	s := buckettest.Open(t)
	dir := tempDir(t)
	cfg := Config{Dir: filepath.Join(dir, "lake"), Catalog: filepath.Join(dir, "lake.db"), Bucket: placeIn(t, s, "lake"), SmallFiles: 2, LooseFiles: 4}
	return openTest(t, cfg), s, cfg
}

// TestALakeMovesIntoABucketAndBack: rows are the same on the way; without a single copy it opens from the bucket alone; the bucket is
// empty in the end.
func TestALakeMovesIntoABucketAndBack(t *testing.T) {
	t.Parallel()
	mk := facttest.New(t)
	dir := tempDir(t)
	cfg := Config{Dir: filepath.Join(dir, "lake"), Catalog: filepath.Join(dir, "lake.db")}
	l := openTest(t, cfg)
	filled(t, l, mk)
	want := latest(t, l, fact.Facts)
	must(t, l.Close())

	s := buckettest.Open(t)
	cfg.Bucket = placeIn(t, s, "lake")
	s.Fail(buckettest.Deny(http.MethodDelete))
	if _, err := Open(t.Context(), cfg); !errors.Is(err, bucket.ErrTrust) {
		t.Fatalf("%v: it moves into a bucket that keeps everything", err)
	}
	if at, err := Where(t.Context(), cfg.Catalog); at != "" || err != nil {
		t.Errorf("a failed move is remembered: %q, %v", at, err)
	}
	s.Fail(nil)
	l = openTest(t, cfg)
	if at, err := Where(t.Context(), cfg.Catalog); at != cfg.Bucket.String() || err != nil {
		t.Errorf("it is at %q, %v", at, err)
	}
	must(t, l.Append(t.Context(), []Row{call(100, noon, mk.Contact(9), 1)}, nth(12)))
	must(t, l.Compact(t.Context()))
	must(t, l.Expire(t.Context()))
	onlyCurrent(t, l, s)
	must(t, l.Close())

	must(t, os.RemoveAll(cfg.Dir)) // all copies
	if _, err := Open(t.Context(), Config{Dir: cfg.Dir, Catalog: cfg.Catalog}); !errors.Is(err, ErrElsewhere) {
		t.Errorf("%v, want ErrElsewhere", err)
	}
	if _, err := Open(t.Context(), Config{Dir: cfg.Dir, Catalog: cfg.Catalog, Bucket: placeIn(t, s, "other")}); !errors.Is(err, ErrOther) {
		t.Errorf("%v, want ErrOther", err)
	}
	l = openTest(t, cfg)
	got := latest(t, l, fact.Facts)
	if len(got) != len(want)+1 {
		t.Errorf("%d facts, want %d", len(got), len(want)+1)
	}
	if b, err := l.Verify(t.Context()); err != nil || len(b) > 0 {
		t.Errorf("%v, %v", b, err)
	}
	backup := tempDir(t)
	must(t, l.Backup(t.Context(), filepath.Join(backup, "lake"), filepath.Join(backup, "lake.db")))
	left, err := l.ComeBack(t.Context())
	if must(t, err); left != nil || len(s.Objects(t)) > 0 {
		t.Errorf("left in the bucket: %v, %d objects", left, len(s.Objects(t)))
	}
	must(t, l.Close())
	for name, c := range map[string]Config{"the directory": {Dir: cfg.Dir, Catalog: cfg.Catalog}, "the backup": {Dir: filepath.Join(backup, "lake"), Catalog: filepath.Join(backup, "lake.db")}} {
		l = openTest(t, c)
		if again := latest(t, l, fact.Facts); !sameRows(again, got) {
			t.Errorf("%s has %d facts, want %d", name, len(again), len(got))
		}
		if b, err := l.Verify(t.Context()); err != nil || len(b) > 0 {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
}

func sameRows(a, b map[key]Stored) bool {
	return maps.EqualFunc(a, b, func(x, y Stored) bool { return x.Version == y.Version && x.At == y.At && x.Contact == y.Contact })
}

// TestWhatIsErasedLeavesTheBucket: after the rows of somebody were forgotten no object but those of the current state is left, and
// none of these has a row of theirs. While the bucket denies to delete, the error and the state say so.
func TestWhatIsErasedLeavesTheBucket(t *testing.T) {
	t.Parallel()
	l, s, _ := inABucket(t)
	people := filled(t, l, facttest.New(t))
	s.Fail(buckettest.Deny(http.MethodDelete))
	must(t, l.Forget(t.Context(), workspace.Default, people[:1]))
	asked := s.Calls(http.MethodDelete)
	err := l.Expire(t.Context())
	a, _ := l.Away()
	if asked = s.Calls(http.MethodDelete) - asked; asked > 2*parallel || a.Kept < 2*parallel {
		t.Errorf("the bucket was asked %d times to delete %d files, and always says no", asked, a.Kept)
	}
	if !errors.Is(err, bucket.ErrTrust) || a.Kept == 0 || !errors.Is(a.Failed, bucket.ErrTrust) {
		t.Errorf("%v, %+v", err, a)
	}
	if n, err := l.Waiting(t.Context()); err != nil || n == 0 {
		t.Errorf("%d files wait, %v", n, err)
	}
	s.Fail(nil)
	must(t, l.Expire(t.Context()))
	if a, _ = l.Away(); a.Kept != 0 || a.Failed != nil {
		t.Errorf("%+v", a)
	}
	onlyCurrent(t, l, s)
	for _, tab := range tables {
		for r, err := range allRows(l, tab) {
			if must(t, err); r.Contact == people[0].Bytes() {
				t.Fatal("a row of somebody erased")
			}
		}
	}
	who := people[0].Bytes()
	for name, b := range s.Objects(t) {
		if bytes.Contains(b, who[:]) {
			t.Errorf("%s has bytes of somebody erased", name)
		}
	}
}

// TestABucketThatFails: a commit that fails is none, and its error says why; done again it is one; what it had written is removed.
func TestABucketThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault buckettest.Fault
		want  error
	}{
		"it is away":                {buckettest.Away, bucket.ErrAway},
		"it breaks off writes":      {buckettest.Break, bucket.ErrAway},
		"it denies writes":          {buckettest.Deny(http.MethodPut), bucket.ErrTrust},
		"it has half, and says all": {buckettest.Halve, bucket.ErrAway},
		"it denies everything": {func(w http.ResponseWriter, r *http.Request, h http.Handler) bool {
			return buckettest.Deny(r.Method)(w, r, h)
		}, bucket.ErrTrust},
		"it breaks off every answer": {buckettest.Cut, bucket.ErrAway},
		"it takes data alone": {func(w http.ResponseWriter, r *http.Request, h http.Handler) bool {
			return strings.HasSuffix(r.URL.Path, ".metadata.json") && buckettest.Deny(http.MethodPut)(w, r, h)
		}, bucket.ErrTrust},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, s, _ := inABucket(t)
			l.catalog.disk.away.limit = 1 // what is not read leaves the machine
			mk := facttest.New(t)
			must(t, l.Append(t.Context(), []Row{call(1, noon, mk.Contact(1), 1)}, nth(0)))
			s.Fail(c.fault)
			err := l.Append(t.Context(), []Row{call(2, noon, mk.Contact(2), 1)}, nth(1))
			if !errors.Is(err, c.want) || isDamage(err) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if pos, err := l.Position(t.Context(), 0); pos != "1" || err != nil {
				t.Errorf("the lake is at %q, %v", pos, err)
			}
			if a, _ := l.Away(); !errors.Is(a.Failed, c.want) {
				t.Errorf("%+v", a)
			}
			s.Fail(nil)
			must(t, l.Append(t.Context(), []Row{call(2, noon, mk.Contact(2), 1)}, nth(1)))
			must(t, l.Expire(t.Context()))
			onlyCurrent(t, l, s)
			if n := len(latest(t, l, fact.Facts)); n != 2 {
				t.Errorf("%d facts, want 2", n)
			}
		})
	}
}

// TestAnAbsentBucketIsNoDamage: while it cannot be read, operations fail and nothing is taken for damaged; an object that is gone or
// changed is named, and what is beside it goes on.
func TestAnAbsentBucketIsNoDamage(t *testing.T) {
	t.Parallel()
	l, s, cfg := inABucket(t)
	people := filled(t, l, facttest.New(t))
	must(t, l.Close())
	cfg.Copies = 1 // none stays
	must(t, os.RemoveAll(filepath.Join(cfg.Dir, "facts", "data")))
	l = openTest(t, cfg)
	s.Fail(buckettest.Away)
	for name, did := range map[string]error{
		"forget":  l.Forget(t.Context(), workspace.Default, people[:1]),
		"de-link": l.Delink(t.Context(), olderThan(noon.AddDate(1, 0, 0))),
		"vacate":  l.Vacate(t.Context(), workspace.Default),
		"compact": l.Compact(t.Context()),
		"verify":  func() error { _, err := l.Verify(t.Context()); return err }(),
	} {
		if !errors.Is(did, bucket.ErrAway) || isDamage(did) {
			t.Errorf("%s: %v, want ErrAway", name, did)
		}
	}
	s.Fail(nil)
	var data []string
	for _, f := range l.state[fact.Facts].files {
		data = append(data, "lake/"+f.path)
	}
	if slices.Sort(data); len(data) < 2 {
		t.Fatalf("only %d data files", len(data))
	}
	flipped := slices.Clone(s.Objects(t)[data[0]])
	flipped[len(flipped)/2] ^= 1
	s.Change(t, data[0], flipped)
	if _, _, err := l.catalog.disk.hold(t.Context(), strings.TrimPrefix(data[0], "lake/")); !isDamage(err) {
		t.Errorf("an object with a changed bit is taken: %v", err)
	}
	s.Lose(t, data[0])
	half := s.Objects(t)[data[1]]
	s.Change(t, data[1], half[:len(half)/2])
	if err := l.Forget(t.Context(), workspace.Default, people[:1]); !isDamage(err) {
		t.Errorf("%v, want damage", err)
	}
	found, err := l.Verify(t.Context())
	must(t, err)
	var named []string
	for _, b := range found {
		named = append(named, "lake/"+b.File+" "+b.What)
	}
	if slices.Sort(named); !slices.Equal(named, []string{data[0] + " is missing", data[1] + " has another size than was written"}) {
		t.Errorf("%q", named)
	}
}

// TestADamagedCopyIsFetchedAgain: the copy is not the file.
func TestADamagedCopyIsFetchedAgain(t *testing.T) {
	t.Parallel()
	l, _, cfg := inABucket(t)
	filled(t, l, facttest.New(t))
	for _, f := range l.state[fact.Facts].files {
		flip(t, filepath.Join(cfg.Dir, f.path))
	}
	must(t, l.Compact(t.Context()))
	if n := len(latest(t, l, fact.Facts)); n != 24 {
		t.Errorf("%d facts, want 24", n)
	}
	for _, f := range l.state[fact.Facts].files {
		flip(t, filepath.Join(cfg.Dir, f.path))
	}
	if b, err := l.Verify(t.Context()); err != nil || len(b) > 0 {
		t.Errorf("%v, %v", b, err)
	}
	if n := len(latest(t, l, fact.Facts)); n != 24 {
		t.Errorf("%d facts, want 24", n)
	}
}

// TestAPlaceInABucketHasOneLake: another directory is refused there; of two copies of one directory the one that started first stops
// before it writes or deletes anything.
func TestAPlaceInABucketHasOneLake(t *testing.T) {
	t.Parallel()
	l, s, cfg := inABucket(t)
	mk := facttest.New(t)
	filled(t, l, mk)
	other := tempDir(t)
	if _, err := Open(t.Context(), Config{Dir: filepath.Join(other, "lake"), Catalog: filepath.Join(other, "lake.db"), Bucket: placeIn(t, s, "lake")}); !errors.Is(err, ErrTaken) {
		t.Errorf("%v, want ErrTaken", err)
	}
	must(t, l.Close())
	twin := tempDir(t)
	must(t, os.CopyFS(filepath.Join(twin, "d"), os.DirFS(filepath.Dir(cfg.Dir))))
	l = openTest(t, cfg)
	must(t, l.Append(t.Context(), []Row{call(200, noon, mk.Contact(1), 1)}, nth(12)))
	cfg.Dir, cfg.Catalog = filepath.Join(twin, "d", "lake"), filepath.Join(twin, "d", "lake.db")
	copied := openTest(t, cfg)
	must(t, copied.Append(t.Context(), []Row{call(201, noon, mk.Contact(1), 1)}, nth(12)))
	for name, err := range map[string]error{
		"append": l.Append(t.Context(), []Row{call(202, noon, mk.Contact(1), 1)}, nth(13)),
		"expire": l.Expire(t.Context()),
	} {
		if !errors.Is(err, ErrTaken) {
			t.Errorf("%s: %v, want ErrTaken", name, err)
		}
	}
}

// TestTheLibraryReadsWhatItWrote: it merges manifests of many commits, and reads the new one before it is an object.
func TestTheLibraryReadsWhatItWrote(t *testing.T) {
	t.Parallel()
	s := buckettest.Open(t)
	dir := tempDir(t)
	l := openTest(t, Config{Dir: filepath.Join(dir, "lake"), Catalog: filepath.Join(dir, "lake.db"), Bucket: placeIn(t, s, "lake"), Copies: 1, LooseFiles: 1000})
	mk := facttest.New(t)
	for i := range 20 {
		if err := l.Append(t.Context(), []Row{call(i, noon, mk.Contact(i%4), 1)}, nth(i)); err != nil {
			t.Fatalf("commit %d: %v", i, err)
		}
	}
	if a, _ := l.Away(); a.Copies != 0 {
		t.Errorf("%d bytes of copies that nobody reads", a.Copies)
	}
}

// TestCopiesAreBounded: what nobody reads leaves; what is being read stays, and is counted.
func TestCopiesAreBounded(t *testing.T) {
	t.Parallel()
	l, s, cfg := inABucket(t)
	filled(t, l, facttest.New(t))
	must(t, l.Close())
	cfg.Copies = 1
	l = openTest(t, cfg)
	snap, release, err := l.Pin(t.Context())
	must(t, err)
	var paths []string
	for _, f := range snap.WorkspaceFiles(fact.Facts, workspace.Default, time.Time{}, time.Time{}) {
		paths = append(paths, f.Path)
	}
	must(t, snap.Fetch(t.Context(), paths))
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			t.Error("a file that is being read is not on this machine")
		}
	}
	held, _ := l.Away()
	snap.LetGo()
	if a, _ := l.Away(); a.Copies != 0 || held.Copies == 0 {
		t.Errorf("%d bytes of copies, %d while they were read", a.Copies, held.Copies)
	}
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			t.Error("a copy stays that nobody reads")
		}
	}
	release()
	before := s.Calls(http.MethodGet)
	must(t, snap.Fetch(t.Context(), paths[:1]))
	if s.Calls(http.MethodGet) == before {
		t.Error("nothing was fetched")
	}
	snap.LetGo()
	if names, err := os.ReadDir(filepath.Join(cfg.Dir, fetchFold)); err != nil || len(names) > 0 {
		t.Errorf("%d halves of files are left, %v", len(names), err)
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, strings.TrimPrefix(markFile, "/"))); err != nil {
		t.Error(err)
	}
}
