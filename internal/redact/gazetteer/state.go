package gazetteer

import (
	_ "embed"
	"strings"
	"sync"
)

// stateLines holds lines "austin\tTX": US states, and towns that are clearly the largest of their name.
//
//go:embed states.txt
var stateLines string

var stateTable = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(stateLines) {
		name, code, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		m[name] = code
	}
	return m
})

// State gives the two letters of the US state that a lower-case state or town is in, "" if it is unknown or not clear.
func State(lower string) string { return stateTable()[lower] }
