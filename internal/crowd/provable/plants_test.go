package provable

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// plant is a bug: one place of the source with other words in it, and the test that has to fail with it.
type plant struct {
	bug      string
	file     string // below internal/crowd
	old, new string // old stands there once
	test     string
	in       string    // package of the test, seen from internal/crowd
	always   bool      // tried by every run of the tests; the others with MURMUR_PLANTS=all
	also     [2]string // a second old and new, of the same file
}

// plants are the ways in which releases with differential privacy go wrong.
var plants = []plant{
	{
		bug: "noise of half the scale", file: "provable/make.go", test: "TestTheErrorsOfAnAttackerLieOnTheCurve", in: "provable", always: true,
		old: "sampler.Gaussian(values[i][g], part.Variance)",
		new: "sampler.Gaussian(values[i][g], part.Variance/4)",
	},
	{
		bug: "noise of half the scale, on the smallest metric alone", file: "provable/make.go", test: "TestTheErrorsOfAnAttackerLieOnTheCurve", in: "provable",
		old: "sampler.Gaussian(values[i][g], part.Variance)",
		new: "sampler.Gaussian(values[i][g], part.Variance>>(2*uint(max(0, 1-i))))",
	},
	{
		bug: "noise of twice the scale", file: "provable/make.go", test: "TestTheErrorsOfAnAttackerLieOnTheCurve", in: "provable",
		old: "sampler.Gaussian(values[i][g], part.Variance)",
		new: "sampler.Gaussian(values[i][g], part.Variance*4)",
	},
	{
		bug: "one draw for all cells", file: "provable/make.go", test: "TestAReleaseIsItsSumsAndOneDraw", in: "provable",
		old: "values[i][g][j] += exact",
		new: "values[i][g][j] = values[i][g][0] + exact",
	},
	{
		bug: "noise with a seed", file: "internal/dp/sampler.go", test: "TestNoTwoSamplersDrawAlike", in: "internal/dp",
		old: "s.left = s.buffer[:]",
		new: "s.left = new(big.Int).Exp(big.NewInt(3), big.NewInt(20600), nil).FillBytes(s.buffer[:])",
	},
	{
		bug: "noise that is not the discrete Gaussian", file: "internal/dp/sampler.go", test: "TestTheNoiseHasItsExactProbabilities", in: "internal/dp",
		old: "if s.accept(distance(y), t, variance) {",
		new: "if s.accept(0, t, variance) {",
	},
	{
		bug: "no noise where there is no randomness", file: "internal/dp/sampler.go", test: "TestWithoutRandomnessThereIsNoNoise", in: "internal/dp",
		old: "*err = fmt.Errorf(\"%w: %w\", ErrRandom, p.error)",
		new: "*err = nil",
	},
	{
		bug: "a draw is cut at zero before it is added", file: "provable/make.go", test: "TestAReleaseIsItsSumsAndOneDraw", in: "provable",
		old: "values[i][g][j] += exact",
		new: "values[i][g][j] = max(values[i][g][j], 0) + exact",
	},
	{
		bug: "one contact counted as three: calls, texts and answers apart", file: "provable/make.go", test: "TestNeighbours", in: "provable", always: true,
		old: "b.add(unit, rows)",
		new: "for k := range len(rows) { b.add(unit, rows[k:k+1]) }",
	},
	{
		bug: "the bound over days is forgotten, that of each day is left", file: "provable/bound.go", test: "TestNeighbours", in: "provable", always: true,
		old: "b.month[n] == m.Month || ",
		new: "",
	},
	{
		bug: "the bound is forgotten for contacts with few rows", file: "provable/bound.go", test: "TestNeighbours", in: "provable",
		old: "if b.month[n] > b.plan.Metrics[n].Month {",
		new: "if b.month[n] > 2*b.plan.Metrics[n].Month {",
	},
	{
		bug: "a contact counts more than once in a cell", file: "provable/bound.go", test: "TestNeighbours", in: "provable",
		old: "if *last == b.look {\n\t\treturn true",
		new: "if *last == b.look {\n\t\treturn false",
	},
	{
		bug: "a cell gets another key after the bound was checked", file: "provable/bound.go", test: "TestNeighbours", in: "provable",
		old: "b.today[n]++\n\t\t\tb.count(n, day, cell)",
		new: "b.today[n]++\n\t\t\tb.count(n, day, cell/2)",
	},
	{
		bug: "a sensitivity that is not squared", file: "provable/plan.go", test: "TestNeighbours", in: "provable",
		old: "return m.Month/most*most*most + (m.Month%most)*(m.Month%most)",
		new: "return m.Month + 0*most",
	},
	{
		bug: "the first rows of a month are kept", file: "provable/bound.go", test: "TestKeptRowsAreFlatOverTheDays", in: "provable",
		old: "if b.days[j].before(&b.days[i]) {",
		new: "if b.days[j].day < b.days[i].day {",
	},
	{
		bug: "empty cells are hidden, as a plain group-by hides them", file: "provable/make.go", test: "TestEmptyCellsHaveNoise", in: "provable", always: true,
		old: "values[i][g][j] += exact",
		new: "values[i][g][j] = (values[i][g][j] + exact) * min(exact, 1)",
	},
	{
		bug: "a grain is forgotten in the sensitivity: weeks have that of days", file: "provable/plan.go", test: "TestNeighbours", in: "provable", always: true,
		old: "most := min(m.Month, m.Day*g.days())",
		new: "most := min(m.Month, m.Day*(g.days()+6)/7)",
	},
	{
		bug: "contacts that count in every period have the sensitivity of the month", file: "provable/plan.go", test: "TestNeighbours", in: "provable",
		old: "return min(m.Month, g.mostPeriods()*int64(len(m.Cells)))",
		new: "return min(m.Month, int64(len(m.Cells)))",
	},
	{
		bug: "a contact counts once in a month where its periods were meant", file: "provable/bound.go", test: "TestPeopleCountOnceInEveryPeriod", in: "provable",
		old: "cell += day * int32(len(m.Cells))",
		new: "",
	},
	{
		bug: "cells merge after the bound was checked", file: "provable/bound.go", test: "TestNeighbours", in: "provable",
		old: "at := b.in[metric][g][day]*int32(len(m.Cells)) + cell",
		new: "at := b.in[metric][g][day]*int32(len(m.Cells)) + cell - cell%int32(1+len(m.to)/14)",
	},
	{
		bug: "the rho of days is not charged", file: "provable/plan.go", test: "TestTheCostIsThatOfAllThatOneContactAdds", in: "provable", always: true,
		old: "m.Parts, m.Cost = append(m.Parts, p), m.Cost+p.Cost",
		new: "m.Parts = append(m.Parts, p)\n\t\tif p.Grain != ByDay {\n\t\t\tm.Cost += p.Cost\n\t\t}",
	},
	{
		bug: "each grain has the whole share", file: "provable/plan.go", test: "TestTheCostIsThatOfAllThatOneContactAdds", in: "provable",
		old: "dp.Rho(share(budget, w.share, whole))",
		new: "dp.Rho(budget)",
	},
	{
		bug: "a week in two months is charged once: all of it is in the later month", file: "provable/make.go", test: "TestAWeekInTwoMonthsIsOfBoth", in: "provable", always: true,
		old: "span := release.Span{Start: q.Month.Start.UTC()",
		new: "span := release.Span{Start: q.Month.Periods(ByWeek)[1].Start.AddDate(0, 0, -7).UTC()",
	},
	{
		bug: "a week in two months is shown from one", file: "provable/provable.go", test: "TestAWeekInTwoMonthsIsOfBoth", in: "provable",
		old: "case c.Period.begins() && c.Period.ends():",
		new: "case c.Period.ends(), c.Period.begins():",
	},
	{
		bug: "days add up to the exact sum of the month", file: "provable/make.go", test: "TestAReleaseIsItsSumsAndOneDraw", in: "provable",
		old: "values[i][g][j] += exact",
		new: "values[i][g][j] += exact\n\t\t\t\tif part.Grain == ByMonth {\n\t\t\t\t\tvalues[i][g][j] = exact\n\t\t\t\t}",
	},
	{
		bug: "the least squares forget the weights", file: "provable/consistent.go", test: "TestCountsAddUpAndAreTheNearest", in: "provable",
		old: "s.from = (s.count*variance + sum*s.variance) / (variance + s.variance)",
		new: "s.from = (s.count + sum) / 2",
	},
	{
		bug: "what is left of the noise is told too small", file: "provable/consistent.go", test: "TestTheNoiseThatIsLeftIsAsTold", in: "provable",
		old: "k.spread-part*part*(variance-left)",
		new: "k.spread*part",
	},
	{
		bug: "grains are given up where few came", file: "provable/make.go", test: "TestThePlanIsTheSameWhateverTheRows", in: "provable", always: true,
		old: "\tvalues, err := noised(dp.NewSampler(r.Random), q.Plan, sums)",
		new: "\tfor i := range q.Plan.Metrics {\n\t\tif m := &q.Plan.Metrics[i]; sums[i][len(sums[i])-1][0] < 50 {\n\t\t\tm.Parts, sums[i] = m.Parts[len(m.Parts)-1:], sums[i][len(sums[i])-1:]\n\t\t}\n\t}\n\tvalues, err := noised(dp.NewSampler(r.Random), q.Plan, sums)",
	},
	{
		bug: "a month of the plan before is released again", file: "outside.go", test: "TestAMonthOfAnotherPlanIsNotReleasedAgain", in: ".",
		old: "if left || a.Cap-a.Spent",
		new: "if left && a.Reserved || a.Cap-a.Spent",
	},
	{
		bug: "noise is drawn again for whoever asks again", file: "provable/make.go", test: "TestAReleaseIsMadeOnce", in: "provable", always: true,
		old: "case a.Released:\n\t\treturn unseal(r.Key, charge, q.Settings.Zone, a.Sealed)",
		new: "case a.Released:\n\t\treturn r.make(ctx, q)",
	},
	{
		bug: "noise is drawn again after a failure", file: "provable/make.go", test: "TestWhatFailsHasSpent", in: "provable",
		old: "case a.Reserved:\n\t\treturn Release{}, fmt.Errorf(\"release %s: %w\", q.Month.Name, ErrSpent)",
		new: "case a.Reserved:\n\t\treturn r.make(ctx, q)",
	},
	{
		bug: "the budget is reserved after the noise was drawn", file: "provable/make.go", test: "TestWhatFailsHasSpent", in: "provable",
		old: "if err := r.Store.Reserve(ctx, charge); err != nil {\n\t\treturn Release{}, fmt.Errorf(\"reserve the budget of %s: %w\", q.Month.Name, err)\n\t}\n\tmade, err := r.make(ctx, q)",
		new: "made, err := r.make(ctx, q)\n\tif err == nil {\n\t\terr = r.Store.Reserve(ctx, charge)\n\t}",
	},
	{
		bug: "a month is released when it is not over", file: "provable/make.go", test: "TestMonthsThatAreNotDueSpendNothing", in: "provable",
		old: "now.Before(q.Month.End.Add(Cutoff)) || ",
		new: "",
	},
	{
		bug: "a cost is rounded down", file: "internal/dp/dp.go", test: "TestCostsAreRoundedUp", in: "internal/dp",
		old: "if rest > 0 {\n\t\tq++\n\t}",
		new: "_ = rest",
	},
	{
		bug: "a cap is rounded up", file: "internal/dp/dp.go", test: "TestTheLargestSoundRho", in: "internal/dp",
		old: "return low\n}",
		new: "return high\n}",
	},
	{
		bug: "stored releases are not bound to their month", file: "provable/seal.go", test: "TestStoredReleasesAreAuthentic", in: "provable",
		old: "c.Workspace, c.Month)",
		new: "c.Workspace, \"\")",
	},
	{
		bug: "what is spent has no bound", file: "budget.go", test: "TestSpendersWhoRaceNeverOverspend", in: ".",
		old: " AND ?1 <= cap - spent",
		new: "",
	},
	{
		bug: "the budget is read, then written", file: "budget.go", test: "TestSpendersWhoRaceNeverOverspend", in: ".",
		old: "func (b budget) Reserve(ctx context.Context, c provable.Charge) error {\n",
		new: "func (b budget) Reserve(ctx context.Context, c provable.Charge) error {\n" +
			"\tvar read int64\n\t_ = b.db.QueryRowContext(ctx, `SELECT spent FROM budgets`).Scan(&read)\n",
		also: [2]string{"SET spent = spent + ?1 WHERE workspace = ?2 AND month = ?3 AND ?1 > 0 AND ?1 <= cap - spent\n\t\t\tRETURNING cap - spent`, int64(c.Cost)", "SET spent = ?4 + ?1 WHERE workspace = ?2 AND month = ?3 AND ?1 <= cap - ?4 RETURNING cap - spent`, int64(c.Cost)"},
	},
	{
		bug: "one release has two outputs", file: "budget.go", test: "TestSpendersWhoRaceNeverOverspend", in: ".",
		old: "AND plan = ? AND body IS NULL",
		new: "AND plan = ?",
	},
	{
		bug: "a spending is not in the ledger", file: "budget.go", test: "TestAKillAtEveryStepSpendsOnce", in: ".",
		old: "return b.note(ctx, tx, c, \"reserve\", left)",
		new: "return nil",
	},
	{
		bug: "a restored directory spends what the one before it spent", file: "budget.go", test: "TestARestoredDirectoryReleasesNoOldMonth", in: ".",
		old: "VALUES(?1, ?2, ?3, ?3)",
		new: "VALUES(?1, ?2, ?3, 0)",
	},
	{
		bug: "the engine gives one contact as two", file: "internal/count/duckdb/contacts.go", test: "TestNeighboursThroughTheWholeHouse", in: "../server",
		old: "f(keys[contact], rows)",
		new: "f(keys[contact], rows[:len(rows)/2])\n\t\t\tf(keys[contact], rows[len(rows)/2:])",
	},
	{
		bug: "the engine gives each call without a number as a contact", file: "internal/count/duckdb/contacts.go", test: "TestNeighboursThroughTheWholeHouse", in: "../server",
		old:  "contact > 0 && ",
		new:  "",
		also: [2]string{"f(keys[contact], rows)", "for k := range rows {\n\t\t\t\tif contact > 0 {\n\t\t\t\t\tf(keys[contact], rows)\n\t\t\t\t\tbreak\n\t\t\t\t}\n\t\t\t\tf(keys[contact], rows[k:k+1])\n\t\t\t}"},
	},
	{
		bug: "somebody outside is shown what viewers see", file: "../server/site.go", test: "TestOutsideReadsWhatLeftAndNothingElse", in: "../server",
		old: "case web.Outside:\n\t\treturn s.Node.Outside(ctx, ws, slug)\n",
		new: "",
	},
	{
		bug: "a restore forgets that months may have left since", file: "../server/restore.go", test: "TestWhatLeftStaysAfterARestore", in: "../server",
		old: ", n.crowd.Restored(ctx, ws))",
		new: ")",
	},
}

// TestEveryPlantIsCaught builds the packages with each bug in them, beside the source and not in it, and wants the named test
// to fail. Some are tried always; MURMUR_PLANTS=all (make plants) tries each, which takes minutes, other words
// those bugs whose names have them.
func TestEveryPlantIsCaught(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds a test for each bug")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	asked := os.Getenv("MURMUR_PLANTS")
	t.Logf("%-62s %s", "planted bug", "caught by")
	for _, p := range plants {
		if asked == "" && !p.always || asked != "all" && !strings.Contains(p.bug, asked) {
			continue
		}
		if why := p.caught(t, root); why != "" {
			t.Errorf("%-62s NOT caught by %s: %s", p.bug, p.test, why)
		} else {
			t.Logf("%-62s %s", p.bug, p.test)
		}
	}
}

// caught says why the plant's test did not fail as it should; empty: it did.
func (p plant) caught(t *testing.T, root string) string {
	t.Helper()
	file := filepath.Join(root, p.file)
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for _, edit := range [][2]string{{p.old, p.new}, p.also} {
		if edit[0] != "" && strings.Count(text, edit[0]) != 1 {
			return "what it replaces is not there once"
		}
		text = strings.Replace(text, edit[0], edit[1], 1)
	}
	dir := t.TempDir()
	planted, overlay, tests := filepath.Join(dir, "planted.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "planted.test")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {file: planted}})
	err = errors.Join(err, os.WriteFile(planted, []byte(text), 0o600), os.WriteFile(overlay, replace, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", tests, "./"+p.in) //nolint:gosec // of the table above
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "it does not build: " + strings.TrimSpace(string(out))
	}
	run := exec.Command(tests, "-test.run", "^"+p.test+"$") //nolint:gosec // what was built
	run.Dir = filepath.Join(root, p.in)
	out, err := run.CombinedOutput()
	if failed, _ := regexp.Match(`(?m)^--- FAIL: `+p.test+` `, out); err == nil || !failed {
		return "it passes: " + strings.TrimSpace(string(out))
	}
	return ""
}
