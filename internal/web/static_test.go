package web

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The vendored drawing code is the packages' own files: the sums were taken from the npm registry's tarballs.
func TestVendoredFilesAreUnmodified(t *testing.T) {
	t.Parallel()
	folders, err := fs.ReadDir(static, "static/vendor")
	if err != nil || len(folders) != 2 {
		t.Fatal(len(folders), err)
	}
	for _, dir := range folders {
		root := "static/vendor/" + dir.Name() + "/"
		files, _ := fs.ReadDir(static, root[:len(root)-1])
		sums, err := static.ReadFile(root + "SHA256SUMS")
		if err != nil {
			t.Fatal(err)
		}
		version, err := static.ReadFile(root + "VERSION")
		if err != nil || !regexp.MustCompile(`^\S+ \d+\.\d+\.\d+\nhttps://registry\.npmjs\.org/\S+\n$`).Match(version) {
			t.Errorf("%s: VERSION: %v", root, err)
		}
		lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
		for _, line := range lines {
			want, name, _ := strings.Cut(line, "  ")
			b, err := static.ReadFile(root + name)
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
				t.Errorf("%s%s was modified", root, name)
			}
			if name != "LICENSE" && !strings.Contains(string(b[:200]), strings.Fields(string(version))[1]) {
				t.Errorf("%s%s is of another version than VERSION says", root, name)
			}
		}
		if len(lines) != len(files)-2 {
			t.Errorf("%s has files without a sum", root)
		}
	}
}

// pairs are the foregrounds and backgrounds that meet on a page; 4.5 is WCAG 2.2, 1.4.3, level AA.
var pairs = []struct{ on, of string }{
	{"bg", "ink soft accent bad"}, {"surface", "ink soft accent second bad"}, {"accent-soft", "ink"},
	{"note-soft", "ink soft"}, {"good-soft", "ink soft"}, {"bad-soft", "ink soft"}, {"accent", "on-accent"},
}

func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := static.ReadFile("static/murmur.css")
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)
	themes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(themes) != 2 {
		t.Fatalf("%d themes", len(themes))
	}
	for i, theme := range themes {
		colour := map[string]string{}
		for _, v := range variable.FindAllStringSubmatch(theme[1], -1) {
			colour[v[1]] = v[2]
		}
		for _, p := range pairs {
			for name := range strings.FieldsSeq(p.of) {
				a, b := luminance(t, colour[name]), luminance(t, colour[p.on])
				if r := (max(a, b) + 0.05) / (min(a, b) + 0.05); r < 4.5 {
					t.Errorf("theme %d: %s on %s has contrast %.2f", i, name, p.on, r)
				}
			}
		}
	}
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) (l float64) {
	t.Helper()
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		if len(hex) != 6 {
			t.Fatal("a colour is missing")
		}
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}

// A page must be complete without a script, and no script or style may be fetched from elsewhere.
func TestOwnFilesStayHome(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"murmur.css", "murmur.js", "chart.js", "murmur.svg"} {
		b, err := static.ReadFile("static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), "http://www.w3.org/2000/svg", "")
		for _, bad := range []string{"http:", "https:", "//cdn", "@import", "eval(", "innerHTML", "localStorage"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s contains %s", name, bad)
			}
		}
	}
	css, _ := static.ReadFile("static/murmur.css")
	for _, want := range []string{"prefers-color-scheme: dark", "prefers-reduced-motion", "@media print", ":focus-visible"} {
		if !strings.Contains(string(css), want) {
			t.Errorf("the style sheet lacks %s", want)
		}
	}
}
