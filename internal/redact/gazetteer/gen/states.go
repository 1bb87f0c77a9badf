package main

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// clearly is how many times larger the largest town of a name must be than the next one, for its name alone to stand
// for its state.
const clearly = 4

// states makes states.txt of the GeoNames package: US towns of 15,000 people and states, with the state's letters. A
// town whose name another town bears, anywhere, stands in it only if it is clearly the largest.
func states(b []byte) ([]byte, error) {
	type town struct {
		Name        string
		CountryCode string `json:"countrycode"`
		State       string `json:"admin1code"`
		Code        string `json:"code"`
		Population  int
	}
	best, second := map[string]town{}, map[string]int{}
	lines := map[string]string{}
	err := wheel(b, func(n string) bool {
		switch path.Base(n) {
		case "cities5000.json", "us_states.json":
			return true
		}
		return false
	}, func(_ string, c []byte) error {
		var rows map[string]town
		if err := json.Unmarshal(c, &rows); err != nil {
			return err
		}
		for _, r := range rows {
			name := strings.ToLower(r.Name)
			switch {
			case r.Code != "": // a state
				lines[name] = r.Code
			case !latin(name):
			case r.Population > best[name].Population:
				second[name], best[name] = best[name].Population, r
			default:
				second[name] = max(second[name], r.Population)
			}
		}
		return nil
	})
	for name, r := range best {
		if r.CountryCode == "US" && r.Population >= 15000 && r.Population >= clearly*second[name] && lines[name] == "" {
			lines[name] = r.State
		}
	}
	keys := make([]string, 0, len(lines))
	for name := range lines {
		keys = append(keys, name)
	}
	slices.Sort(keys)
	var out []byte
	for _, name := range keys {
		out = append(out, name+"\t"+lines[name]+"\n"...)
	}
	return out, err
}
