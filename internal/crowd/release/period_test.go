package release_test

import (
	"testing"
	"time"

	"murmur/internal/crowd/release"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestWeeksFollowTheCalendarOfTheZone(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	for _, c := range []struct {
		at, name, start string
		hours           int
	}{
		{"2026-11-04T12:00:00+01:00", "2026-W45", "2026-11-02T00:00:00+01:00", 168},
		{"2026-12-31T12:00:00+01:00", "2026-W53", "2026-12-28T00:00:00+01:00", 168},
		{"2027-01-03T23:59:59+01:00", "2026-W53", "2026-12-28T00:00:00+01:00", 168},
		{"2027-01-04T00:00:00+01:00", "2027-W01", "2027-01-04T00:00:00+01:00", 168},
		{"2024-12-30T00:00:00+01:00", "2025-W01", "2024-12-30T00:00:00+01:00", 168},
		{"2026-03-28T12:00:00+01:00", "2026-W13", "2026-03-23T00:00:00+01:00", 167}, // clocks go forward
		{"2026-10-21T12:00:00+02:00", "2026-W43", "2026-10-19T00:00:00+02:00", 169}, // and back
		{"2026-11-01T23:30:00Z", "2026-W45", "2026-11-02T00:00:00+01:00", 168},      // Monday here, Sunday in UTC
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		ws := release.Weeks(berlin, at, at.Add(time.Nanosecond))
		if len(ws) != 1 || ws[0].Name != c.name || ws[0].Start.Format(time.RFC3339) != c.start ||
			ws[0].End.Sub(ws[0].Start) != time.Duration(c.hours)*time.Hour {
			t.Errorf("%s: got %+v", c.at, ws)
		}
	}
	if ws := release.Weeks(berlin, time.Unix(0, 0), time.Unix(0, 0)); len(ws) != 0 {
		t.Errorf("an empty span has weeks: %v", ws)
	}
}

func TestWeeksNestInBlocksAndNothingIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe"} {
		z := zone(t, name)
		from, to := time.Date(2011, 6, 1, 0, 0, 0, 0, z), time.Date(2033, 6, 1, 0, 0, 0, 0, z)
		weeks, blocks := release.Weeks(z, from, to), release.Blocks(z, from, to)
		i := 0
		for n, b := range blocks {
			if n > 0 && !b.Start.Equal(blocks[n-1].End) {
				t.Fatalf("%s: %s does not follow %s", name, b.Name, blocks[n-1].Name)
			}
			inside := release.Weeks(z, b.Start, b.End)
			year, _ := b.Start.ISOWeek()
			long := release.LongYear(year) && inside[0].Name[5:] == "W49"
			if len(inside) != 4 && !(long && len(inside) == 5) {
				t.Fatalf("%s: %s has %d weeks", name, b.Name, len(inside))
			}
			if b.Name != inside[0].Name+".."+inside[len(inside)-1].Name || !inside[0].Start.Equal(b.Start) ||
				!inside[len(inside)-1].End.Equal(b.End) {
				t.Fatalf("%s: %s is not its weeks %s..%s", name, b.Name, inside[0].Name, inside[len(inside)-1].Name)
			}
			for i < len(weeks) && weeks[i].Start.Before(b.End) {
				i++
			}
			for _, p := range append(inside, b) {
				back, err := release.ParsePeriod(z, p.Name)
				if err != nil || back != p {
					t.Fatalf("%s: %s reads back as %+v, %v", name, p.Name, back, err)
				}
			}
		}
		if i != len(weeks) {
			t.Fatalf("%s: %d of %d weeks are in blocks", name, i, len(weeks))
		}
	}
}

func FuzzParsePeriod(f *testing.F) {
	for _, s := range []string{"2026-W45", "2026-W45..2026-W48", "2026-W49..2026-W53", "2025-W53", "2026-W00", "", "2026-W4", "2026-W+5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := release.ParsePeriod(time.UTC, s)
		if err == nil && (p.Name != s || !p.Start.Before(p.End)) {
			t.Errorf("a name of %d bytes reads as another period", len(s))
		}
	})
}
