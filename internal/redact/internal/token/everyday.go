package token

import (
	_ "embed"
	"strconv"
	"strings"

	"murmur/internal/redact/internal/check"
)

// everyday are letters and digits that belong to nobody: versions, plugs, sizes, paper, roads, times, models.
//
//go:embed everyday.txt
var everydayFile string

// everydays is the file of everyday, read.
type everydays struct {
	before               map[string]int // letters: digits at most behind them
	behind, exact, Kinds map[string]bool
}

// Daily is the file of everyday letters and digits.
var Daily = func() (e everydays) {
	e = everydays{map[string]int{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	section := ""
	for line := range strings.Lines(everydayFile) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "#":
		case fields[0][0] == '[':
			section = fields[0]
		case section == "[before]":
			n, _ := strconv.Atoi(fields[1]) // a test reads the file
			e.before[fields[0]] = max(n, e.before[fields[0]])
		default:
			for _, w := range fields {
				map[string]map[string]bool{"[behind]": e.behind, "[exact]": e.exact, "[kinds]": e.Kinds}[section][w] = true
			}
		}
	}
	return e
}()

// Everyday reports whether a word of letters and digits, in lower case, is one that everybody says: "v2", "ipv4", "9am".
func Everyday(low string) bool {
	if Daily.exact[low] {
		return true
	}
	i := 0
	for i < len(low) && check.Letter(low[i]) {
		i++
	}
	j := i
	for j < len(low) && check.Digit(low[j]) {
		j++
	}
	switch {
	case j == len(low) && i > 0 && j > i:
		return j-i <= Daily.before[low[:i]]
	case i == 0 && j > 0 && j <= 4:
		if rest, times := strings.CutPrefix(low[j:], "x"); times && rest != "" && check.Atoi(rest) >= 0 && len(rest) <= 4 { // 160x200
			return true
		}
		return Daily.behind[low[j:]]
	}
	return false
}
