// Package audiotest makes sound for tests: tones, keys, and the shared recordings of speech.
//
// Zone: RED, tests only. Nothing in it is linked into the command.
package audiotest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Shared is a path below the shared test data that stands beside the repository. Without it the test is skipped.
func Shared(t testing.TB, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
	path := filepath.Join(append([]string{dir, "..", "shared", "data"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("NOT TESTED: the shared data %s is absent", filepath.Join(parts...))
	}
	return path
}

// Speech is read speech of five speakers, six minutes at 8 kHz, spoken at speed times the original.
func Speech(t testing.TB, speed float64) []int16 {
	t.Helper()
	dir := Shared(t, "voice", "speech")
	files, err := filepath.Glob(filepath.Join(dir, "*.flac"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	var list strings.Builder
	for _, f := range files {
		if !strings.HasPrefix(filepath.Base(f), "jfk") { // another rate than the rest
			fmt.Fprintf(&list, "file '%s'\n", f)
		}
	}
	name := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(name, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return decode(t, "-f", "concat", "-safe", "0", "-i", name, "-af", fmt.Sprintf("aresample=8000,asetrate=%.0f,aresample=8000", 8000*speed))
}

// Decoded is a file of any format as samples of one leg at 8 kHz.
func Decoded(t testing.TB, file string) []int16 {
	t.Helper()
	return decode(t, "-i", file)
}

func decode(t testing.TB, args ...string) []int16 {
	t.Helper()
	args = append([]string{"-nostdin", "-v", "error"}, append(args, "-f", "s16le", "-ac", "1", "-ar", "8000", "-")...)
	b, err := exec.Command("ffmpeg", args...).Output()
	if err != nil {
		t.Skipf("NOT TESTED: no ffmpeg to read the recordings of speech: %v", err)
	}
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

// Tones is the sum of sine waves of equal loudness, amplitude each.
func Tones(rate, samples int, amplitude float64, hertz ...float64) []int16 {
	pcm := make([]int16, samples)
	for i := range pcm {
		x := 0.0
		for _, f := range hertz {
			x += amplitude * math.Sin(2*math.Pi*f*float64(i)/float64(rate))
		}
		pcm[i] = int16(x)
	}
	return pcm
}

// Press is the sound of one key of a telephone.
func Press(rate int, symbol byte, samples int, amplitude float64) []int16 {
	at := strings.IndexByte("123A456B789C*0#D", symbol)
	low, high := []float64{697, 770, 852, 941}[at/4], []float64{1209, 1336, 1477, 1633}[at%4]
	return Tones(rate, samples, amplitude, low, high)
}

// Noise adds white noise of a root mean square.
func Noise(r *rand.Rand, pcm []int16, rms float64) {
	for i, x := range pcm {
		pcm[i] = int16(max(-32768, min(32767, float64(x)+r.NormFloat64()*rms)))
	}
}
