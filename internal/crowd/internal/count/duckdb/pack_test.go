package duckdb

import (
	"database/sql/driver"
	"fmt"
	"math"
	"strings"
	"testing"
)

// A number comes out of the words as it went in; what is null or out of range is the nearest that fits, and disturbs no
// neighbour.
func TestWordsHoldNumbers(t *testing.T) {
	t.Parallel()
	c, _ := engine(t)
	type number struct{ in, low, high, out int64 }
	numbers := []number{
		{-100, -100, 100, -100}, {100, -100, 100, 100}, {7, 0, 7, 7}, {0, 0, 0, 0}, {math.MinInt64, math.MinInt64, math.MaxInt64, math.MinInt64},
		{1 << 40, 0, 1 << 40, 1 << 40}, {9, 0, 8, 8}, {-9, 0, 8, 0}, {1<<61 - 1, 0, 1<<62 - 1, 1<<61 - 1}, {3, 0, 1 << 30, 3},
	}
	var p packer
	var fields []field
	for i, n := range numbers {
		if i%2 == 0 {
			p.add("CAST(1 AS BIGINT)", 0, 1) // so that fields begin anywhere
		}
		fields = append(fields, p.add(fmt.Sprintf("CAST(%d::HUGEINT AS BIGINT)", n.in), n.low, n.high))
	}
	null := p.add("CAST(NULL AS BIGINT)", 5, 90)
	conn, err := c.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &counts{conn: conn}
	defer s.Close()
	var words []int64
	err = s.scan(t.Context(), "SELECT "+strings.Join(p.columns(), ", "), func(values []driver.Value) {
		for _, v := range values {
			words = append(words, v.(int64))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range numbers {
		if got := fields[i].get(words); got != n.out {
			t.Errorf("%d in [%d, %d]: got %d, want %d", n.in, n.low, n.high, got, n.out)
		}
	}
	if got := null.get(words); got != 5 {
		t.Errorf("null: %d", got)
	}
}
