package lake

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"murmur/internal/fact"
	"murmur/internal/fact/facttest"
)

// to is a step of partition 0 from where the lake stands to a position that is a number here.
func to[N int | int64](l *Lake, n N) Step {
	from, err := l.Position(context.Background(), 0)
	if err != nil {
		panic(err)
	}
	return Step{From: from, To: strconv.FormatInt(int64(n), 10)}
}

// Positions are bytes of the queue: no order, any content, one for each partition; who is not where the lake stands
// writes nothing.
func TestPositionsAreOpaque(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	mk := facttest.New(t)
	l := openTest(t, Config{})
	row := func(n int) []Row { return []Row{call(n, noon, mk.Contact(n), 1)} }
	strange := "\x00\xff%\n9"
	must(t, l.Append(ctx, row(1), Step{Partition: 0, To: "9"}))
	must(t, l.Append(ctx, row(2), Step{Partition: 3, To: strange}))
	must(t, l.Append(ctx, row(3), Step{Partition: 3, From: strange, To: "1"}))
	must(t, l.Append(ctx, row(4), Step{Partition: 3, From: strange, To: "1"})) // in already
	for _, stale := range []Step{{Partition: 0, To: "10"}, {Partition: 0, From: "8", To: "10"}, {Partition: 3, From: strange, To: "2"}} {
		if err := l.Append(ctx, row(5), stale); !errors.Is(err, ErrMoved) {
			t.Errorf("%+v: %v, want ErrMoved", stale, err)
		}
	}
	l = openTest(t, l.cfg)
	for partition, want := range map[int32]string{0: "9", 3: "1", 4: ""} {
		if got, err := l.Position(ctx, partition); err != nil || got != want {
			t.Errorf("partition %d: at %q, want %q: %v", partition, got, want, err)
		}
	}
	if got := len(latest(t, l, fact.Facts)); got != 3 {
		t.Errorf("%d rows, want 3", got)
	}
}
