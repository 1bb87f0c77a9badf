package crowd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"murmur/internal/crowd/provable"
	"murmur/internal/crowd/release"
	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
	"murmur/internal/faulttest"
	"murmur/internal/keyring"
	"murmur/internal/ledger"
	"murmur/internal/meta"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// afterOctober is a moment at which October 2026 is due.
var afterOctober = time.Date(2026, 11, 3, 1, 0, 0, 0, time.UTC)

// testPlan costs share per mille of a month's budget.
func testPlan(t testing.TB, share int) provable.Plan {
	t.Helper()
	calls := release.Query{
		Name: "missed-calls/1", Kinds: []fact.Kind{fact.KindCall}, Where: []release.Filter{{Column: fact.ColDirection, In: []int64{int64(fact.In)}}},
		Value: release.Value{Derived: release.Missed, Bins: []int64{0, 1}},
	}
	s, err := provable.ParseSpec(fmt.Appendf(nil, `{version: 1, unit: contact-month, budget: {epsilon: 2, delta: 1e-6}, bounds: {days: 4},
		metrics: [{measure: missed-calls, share: %d, month: 2}]}`, share))
	must(t, err)
	p, err := provable.Compile(s, []provable.Measure{{Name: "missed-calls", Query: calls}})
	must(t, err)
	return p
}

// house is a crowd in a directory that can be opened again, with its ledger.
type house struct {
	*Crowd
	ledger *ledger.Ledger
	db     *meta.DB
}

func openHouse(t testing.TB, dir string, now func() time.Time) *house {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "meta.db")); err != nil {
		must(t, keyring.CreateRoot(dir, keyring.Config{}))
	}
	ring, err := keyring.Open(dir, keyring.Config{})
	must(t, err)
	must(t, ring.Create(workspace.Default))
	db, err := meta.Open(t.Context(), filepath.Join(dir, "meta.db"))
	must(t, err)
	book, err := ledger.Open(t.Context(), ledger.Config{DB: db, File: filepath.Join(dir, "checkpoints"), Key: new([32]byte), Clock: now})
	must(t, err)
	policy := workspace.DefaultPolicy()
	policy.Outside = workspace.Monthly
	c, err := Open(t.Context(), Config{
		Lake: filepath.Join(dir, "lake"), Catalog: filepath.Join(dir, "catalog.db"), Temp: dir, DB: db, Seal: ring, Ledger: book,
		ReleaseKey: make([]byte, 32), Now: now, Outside: func(int) provable.Plan { return testPlan(t, 1000) },
		Policy: func(context.Context, workspace.ID) (workspace.Policy, error) { return policy, nil },
		Erased: func(context.Context, workspace.ID, anon.Contact) (time.Time, error) { return time.Time{}, nil },
	})
	must(t, err)
	t.Cleanup(func() { _, _ = c.Close(), db.Close() })
	return &house{c, book, db}
}

// fill appends calls of October: of each contact one that was missed and one that was answered, and many of one contact.
func (h *house) fill(t testing.TB, contacts int) {
	t.Helper()
	mk := facttest.New(t)
	b := fact.Batch{Workspace: workspace.Default}
	call := func(who int, result fact.Result) {
		at := time.Date(2026, 10, 1+len(b.Facts)%31, 12, 0, 0, 0, time.UTC)
		b.Facts = append(b.Facts, &fact.Call{Head: facttest.Head(len(b.Facts), at, mk.Contact(who), 1), Direction: fact.In, Result: result})
	}
	for who := range contacts {
		call(who, fact.Missed)
		call(who, fact.Answered)
	}
	for range 3000 {
		call(0, fact.Missed)
	}
	must(t, h.Append(t.Context(), []fact.Batch{b}, 0, "", "1"))
}

// spent gives the account of October, and how many releases and entries of the ledger there are.
func (h *house) spent(t testing.TB) (spent int64, releases int, steps []string) {
	t.Helper()
	err := h.db.QueryRowContext(t.Context(), `SELECT coalesce(sum(spent), 0) FROM budgets`).Scan(&spent)
	must(t, err)
	all, err := h.Outside(t.Context(), workspace.Default)
	must(t, err)
	must(t, h.ledger.Entries(t.Context(), workspace.Default.String(), ledger.Filter{Kind: "budget"}, func(r ledger.Record) error {
		steps = append(steps, r.Entry.(ledger.Budget).Step)
		return nil
	}))
	return spent, len(all), steps
}

// The schedule releases a month two days after its end, from the lake, once; the account and the ledger say so.
func TestAMonthLeavesOnce(t *testing.T) {
	t.Parallel()
	now := afterOctober.Add(-2 * time.Hour)
	h := openHouse(t, t.TempDir(), func() time.Time { return now })
	h.fill(t, 400)
	step := func() []provable.Release {
		_, err := h.Release(t.Context(), workspace.Default, Schedule)
		must(t, err)
		all, err := h.Outside(t.Context(), workspace.Default)
		must(t, err)
		return all
	}
	if early := step(); len(early) != 0 {
		t.Fatalf("%d releases before the month is due", len(early))
	}
	if _, next, err := h.monthly(t.Context(), workspace.Default); err != nil || !next.Equal(afterOctober.Add(-time.Hour)) {
		t.Errorf("the workspace is looked at again at %v, %v", next, err)
	}
	now = afterOctober
	made := step()
	if len(made) != 1 || made[0].Month().Name != "2026-10" {
		t.Fatalf("releases: %v", made)
	}
	c, _ := made[0].Counts("missed-calls")
	missed, _ := c.Of(func(c provable.Cell) bool { return c.Bin == 1 })
	if missed < 400-120 || missed > 402+120 { // sigma is 4.8
		t.Errorf("%d missed calls, about 400 count", missed)
	}
	now = now.AddDate(0, 0, 3)
	must(t, h.Append(t.Context(), nil, 0, "1", "2"))
	again := step()
	if d, _ := again[0].Counts("missed-calls"); len(again) != 1 || !reflect.DeepEqual(c.Cells, d.Cells) {
		t.Errorf("the release changed: %v, then %v", c.Cells, d.Cells)
	}
	spent, _, steps := h.spent(t)
	if spent != int64(testPlan(t, 1000).Cost) || !slices.Equal(steps, []string{"reserve", "commit"}) {
		t.Errorf("spent %d, ledger %v", spent, steps)
	}
	e, err := h.Explain(t.Context(), workspace.Default, testPlan(t, 500))
	must(t, err)
	if len(e.Months) != 1 || e.Months[0].State != "short" || e.Months[0].Left != int64(provable.MonthBudget())-spent {
		t.Errorf("explained: %+v", e.Months)
	}
}

// A month of which an earlier plan spent anything is not released again by another, which would cost less than is left.
func TestAMonthOfAnotherPlanIsNotReleasedAgain(t *testing.T) {
	t.Parallel()
	h := openHouse(t, t.TempDir(), func() time.Time { return afterOctober })
	h.fill(t, 5)
	for _, share := range []int{300, 200} {
		made, err := h.Leave(t.Context(), workspace.Default, testPlan(t, share))
		must(t, err)
		if want := map[int]int{300: 1, 200: 0}[share]; made != want {
			t.Errorf("a plan of %d per mille made %d releases, want %d", share, made, want)
		}
	}
	if spent, releases, _ := h.spent(t); spent != int64(testPlan(t, 300).Cost) || releases != 1 {
		t.Errorf("spent %d, %d releases", spent, releases)
	}
}

// Sixty-four spenders at once, each with a plan of its own that costs a tenth of the month: as many pass as fit, and what is
// spent is what was released.
func TestSpendersWhoRaceNeverOverspend(t *testing.T) {
	t.Parallel()
	h := openHouse(t, t.TempDir(), func() time.Time { return afterOctober })
	month := provable.MonthOf(time.UTC, time.Date(2026, 10, 9, 0, 0, 0, 0, time.UTC))
	plan := testPlan(t, 100)
	var wg sync.WaitGroup
	var passed, short, double atomic.Int64
	start := make(chan struct{})
	for i := range 64 {
		wg.Go(func() {
			c := provable.ChargeOf(workspace.Default, month, plan)
			c.Plan[0] = byte(i / 2) // two spenders a plan
			<-start
			switch err := h.budget.Reserve(t.Context(), c); {
			case err == nil:
				passed.Add(1)
				if h.budget.Commit(t.Context(), c, []byte{byte(i)}) != nil {
					t.Error("what was reserved is not stored")
				}
				if h.budget.Commit(t.Context(), c, []byte{byte(i)}) == nil {
					t.Error("a second output was stored")
				}
			case errors.Is(err, provable.ErrBudget):
				short.Add(1)
			case errors.Is(err, provable.ErrSpent):
				double.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	var spent, stored int64
	must(t, h.db.QueryRowContext(t.Context(), `SELECT (SELECT spent FROM budgets), (SELECT count(*) FROM provable WHERE body IS NOT NULL)`).Scan(&spent, &stored))
	if passed.Load() != 10 || stored != 10 || spent != 10*int64(plan.Cost) || spent > int64(provable.MonthBudget()) || passed.Load()+short.Load()+double.Load() != 64 {
		t.Errorf("%d passed, %d short, %d twice, %d stored, spent %d", passed.Load(), short.Load(), double.Load(), stored, spent)
	}
}

// killer ends the process at a step of a release, as kill -9 and a power cut do.
type killer struct {
	provable.Reader
	provable.Store
	at      string
	forgets bool // reserves in memory alone: a mistake that the test must see
}

func (k killer) die(at string) {
	if k.at == at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (k killer) Reserve(ctx context.Context, c provable.Charge) error {
	k.die("before the reservation")
	if k.forgets {
		return nil
	}
	return k.Store.Reserve(ctx, c)
}

func (k killer) Contacts(ctx context.Context, s release.Snapshot, set release.Settings, qs []release.Question, f func(provable.Unit, []provable.Row)) error {
	k.die("before the rows")
	err := k.Reader.Contacts(ctx, s, set, qs, f)
	k.die("before the noise")
	return err
}

func (k killer) Commit(ctx context.Context, c provable.Charge, sealed []byte) error {
	k.die("before the release is stored")
	err := k.Store.Commit(ctx, c, sealed)
	k.die("after the release is stored")
	return err
}

// killed is what is on the disk after a process was killed at a step.
type killed struct {
	at              string
	spent           int64 // in releases
	before, after   int   // releases after the kill, and after another try
	steps, endSteps []string
}

var kills = []killed{
	{"before the reservation", 0, 0, 1, nil, []string{"reserve", "commit"}},
	{"before the rows", 1, 0, 0, []string{"reserve"}, []string{"reserve"}},
	{"before the noise", 1, 0, 0, []string{"reserve"}, []string{"reserve"}},
	{"before the release is stored", 1, 0, 0, []string{"reserve"}, []string{"reserve"}},
	{"after the release is stored", 1, 1, 1, []string{"reserve", "commit"}, []string{"reserve", "commit"}},
}

// The killed process is this test binary again.
const killDir, killAt, killForgets = "MURMUR_TEST_KILL_DIR", "MURMUR_TEST_KILL_AT", "MURMUR_TEST_KILL_FORGETS"

// A process that is killed at any step has spent the budget once or not at all, and there is never a second release: 5 kills,
// 50 with LONG=1 make test-faults. The negative control reserves in memory.
func TestAKillAtEveryStepSpendsOnce(t *testing.T) {
	now := func() time.Time { return afterOctober }
	if home := os.Getenv(killDir); home != "" {
		h := openHouse(t, home, now)
		h.leaver.Reader = killer{Reader: h.leaver.Reader, at: os.Getenv(killAt)}
		h.leaver.Store = killer{Store: h.leaver.Store, at: os.Getenv(killAt), forgets: os.Getenv(killForgets) != ""}
		_, _ = h.Leave(t.Context(), workspace.Default, h.outside(0))
		t.Fatal("the process lives")
	}
	t.Parallel()
	row := faulttest.Begin(t, "kill -9 at every step of a release that leaves")
	row.Rounds, row.Note = faulttest.Rounds(5, 10, 50), "a second output is doubled, an overspent budget fails"
	for round := range row.Rounds {
		home := t.TempDir()
		if wrong := kills[round%len(kills)].wrong(t, home, false, now); wrong != "" {
			t.Errorf("round %d, %s: %s", round, kills[round%len(kills)].at, wrong)
		}
	}
	row.Planted(kills[2].wrong(t, t.TempDir(), true, now) != "")
}

// wrong kills a process and says what is not as it should be afterwards.
func (k killed) wrong(t *testing.T, home string, forgets bool, now func() time.Time) string {
	t.Helper()
	cost := int64(testPlan(t, 1000).Cost)
	h := openHouse(t, home, now)
	h.fill(t, 20)
	must(t, errors.Join(h.Close(), h.ledger.Close(t.Context()), h.db.Close()))
	child := exec.Command(os.Args[0], "-test.run=^TestAKillAtEveryStepSpendsOnce$") //nolint:gosec // itself
	child.Env = append(os.Environ(), killDir+"="+home, killAt+"="+k.at)
	if forgets {
		child.Env = append(child.Env, killForgets+"=1")
	}
	out, err := child.CombinedOutput()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed: %v\n%s", err, out)
	}
	h = openHouse(t, home, now)
	spent, releases, steps := h.spent(t)
	if spent != k.spent*cost || releases != k.before || !slices.Equal(steps, k.steps) {
		return fmt.Sprintf("after the kill: spent %d, %d releases, ledger %v", spent, releases, steps)
	}
	if _, err := h.Leave(t.Context(), workspace.Default, h.outside(0)); err != nil {
		return fmt.Sprintf("the next try: %v", err)
	}
	if spent, releases, steps = h.spent(t); spent > cost || releases != k.after || !slices.Equal(steps, k.endSteps) {
		return fmt.Sprintf("in the end: spent %d, %d releases, ledger %v", spent, releases, steps)
	}
	return ""
}

// A release that fails for want of randomness is an error, not a release without noise.
func TestAFailedReleaseIsNoRelease(t *testing.T) {
	t.Parallel()
	h := openHouse(t, t.TempDir(), func() time.Time { return afterOctober })
	h.fill(t, 5)
	h.leaver.Random = io.LimitReader(nil, 0)
	if _, err := h.Leave(t.Context(), workspace.Default, h.outside(0)); err == nil {
		t.Error("there is a release without randomness")
	}
	if spent, releases, _ := h.spent(t); spent == 0 || releases != 0 {
		t.Errorf("spent %d, %d releases", spent, releases)
	}
}

// What a backup was made of may have released months since: after a restore their budget is gone.
func TestARestoredDirectoryReleasesNoOldMonth(t *testing.T) {
	t.Parallel()
	now := afterOctober.AddDate(0, 0, -5)
	h := openHouse(t, t.TempDir(), func() time.Time { return now })
	h.fill(t, 5)
	now = afterOctober.Add(time.Hour)
	must(t, h.Restored(t.Context(), workspace.Default))
	if made, err := h.Leave(t.Context(), workspace.Default, h.outside(0)); err != nil || made != 0 {
		t.Errorf("%d months were released after a restore: %v", made, err)
	}
	now = time.Date(2026, 12, 3, 1, 0, 0, 0, time.UTC)
	if made, err := h.Leave(t.Context(), workspace.Default, h.outside(0)); err != nil || made != 1 {
		t.Errorf("the month of the restore: %d releases, %v", made, err)
	}
}
