// Package dtmf detects the keys of a telephone in its sound (dual-tone multi-frequency, ITU-T Q.23).
//
// Zone: RED. Keys that callers press are card numbers and PINs, and also the opt-out: the recorder asks this
// package while the call goes on, masking asks it afterwards.
//
// Words: a *window* is 25.5 ms of sound, a *key* one press from its first to its last window.
//
// It promises: a key is told within 60 ms of its beginning; however the sound is cut into writes, the keys are the
// same; no allocation grows with the length of the sound.
//
// What it does not protect against: a key whose tones are weaker than the speech over it, tones more than 1.5 % off
// their nominal frequency, and a sound that somebody made to imitate a key.
package dtmf

import (
	"math"
	"slices"
)

// Key is one press. Start and End are samples since the first one written, the end exclusive.
type Key struct {
	Symbol     byte // '0'-'9', '*', '#', 'A'-'D'
	Start, End int
	Down       bool // still held: it comes again when it ends
}

// Rows and columns of the keypad, hertz (ITU-T Q.23 clause 6).
var (
	lows    = [4]float64{697, 770, 852, 941}
	highs   = [4]float64{1209, 1336, 1477, 1633}
	symbols = [4]string{"123A", "456B", "789C", "*0#D"}
)

// What makes a window a key's, and windows a key. Shares are of the window's energy that lies in the two tones.
const (
	window  = 0.0255 // seconds
	step    = window / 3
	sure    = 4    // windows in a row until a key is told: 51 ms of sound
	share   = 0.50 // of every window
	clear   = 0.85 // of the clearest window; singing vowels reach 0.8
	fair    = 0.60 // the same where a key too many does no harm
	alone   = 4    // a tone's energy over that of any other in its group: 6 dB
	minimum = 60   // root mean square, of 32768: -55 dB
)

// detuned is how far a tone may be off, as factors (ITU-T Q.24: 1.5 %).
var detuned = [4]float64{0.985, 0.9925, 1.0075, 1.015}

// Twist: how much stronger the high tone may be than the low one, and weaker (-10 .. +7 dB).
var twistLow, twistHigh = math.Pow(10, -1), math.Pow(10, 0.7)

// Detector detects keys in one stream of sound. It is not safe for concurrent use.
type Detector struct {
	rate         float64
	window, step int
	coefficients [8]float64 // 2 cos(w), low tones then high ones
	clear        float64

	held []int16 // samples of the windows that are not complete
	at   int     // samples before held

	symbol     byte    // of the windows now going on; 0 is none
	start, end int     // of them, in samples
	seen       int     // how many
	clearest   float64 // the largest share among them
	told       bool    // given as a key that is down
	gap        bool    // the last window did not have symbol
}

// New makes a detector for sound of rate samples a second, 8,000 or more. It may miss a key in much noise, so that
// it does not detect one in speech.
func New(rate int) *Detector { return detector(rate, clear) }

// Sensitive makes a detector for masking: it detects weak keys too, and may take other sound for a
// key.
func Sensitive(rate int) *Detector { return detector(rate, fair) }

func detector(rate int, clear float64) *Detector {
	d := &Detector{rate: float64(rate), window: int(math.Round(window * float64(rate))), step: int(step * float64(rate)), clear: clear}
	for i, f := range append(lows[:], highs[:]...) {
		d.coefficients[i] = d.coefficient(f)
	}
	return d
}

// coefficient is 2 cos(w) of a frequency in hertz.
func (d *Detector) coefficient(f float64) float64 { return 2 * math.Cos(2*math.Pi*f/d.rate) }

// Write hears more samples and gives the keys that became sure in them (Down) and those that ended.
func (d *Detector) Write(pcm []int16) []Key {
	var keys []Key
	for len(pcm) > 0 {
		n := min(len(pcm), d.window-len(d.held))
		d.held = append(d.held, pcm[:n]...)
		pcm = pcm[n:]
		if len(d.held) < d.window {
			break
		}
		symbol, share := d.judge(d.held)
		keys = d.hear(keys, symbol, share)
		d.held = d.held[:copy(d.held, d.held[d.step:])]
		d.at += d.step
	}
	return keys
}

// Close gives the key that was down when the sound ended. The detector then hears another sound.
func (d *Detector) Close() []Key {
	keys := d.hear(nil, 0, 0)
	if d.told { // hear bridged one window
		keys = d.hear(nil, 0, 0)
	}
	d.held, d.at = d.held[:0], 0
	return keys
}

func (d *Detector) key() Key { return Key{Symbol: d.symbol, Start: d.start, End: d.end, Down: !d.told} }

// hear takes in the verdict on the window at d.at. One window in between without the key does not end it.
func (d *Detector) hear(keys []Key, symbol byte, share float64) []Key {
	switch {
	case symbol == 0 && d.told && !d.gap:
		d.gap = true
		return keys
	case symbol == 0 || symbol != d.symbol:
		if d.told {
			keys = append(keys, d.key())
		}
		d.symbol, d.start, d.seen, d.clearest, d.told = symbol, d.at, 0, 0, false
	}
	d.gap, d.end = false, d.at+d.window
	d.seen++
	d.clearest = max(d.clearest, share)
	if symbol != 0 && !d.told && d.seen >= sure && d.clearest >= d.clear {
		keys = append(keys, d.key())
		d.told = true
	}
	return keys
}

// judge gives the symbol whose two tones make up the window with their share of its energy, 0 for none.
func (d *Detector) judge(pcm []int16) (byte, float64) {
	energy := 0.0
	for _, s := range pcm {
		energy += float64(s) * float64(s)
	}
	n := float64(len(pcm))
	if energy < n*minimum*minimum {
		return 0, 0
	}
	var power [8]float64
	for i, c := range d.coefficients {
		power[i] = goertzel(pcm, c)
	}
	row, column := strongest(power[:4]), strongest(power[4:])
	if row < 0 || column < 0 || power[row]+power[4+column] < share/2*energy {
		return 0, 0
	}
	low, high := d.near(pcm, lows[row], power[row]), d.near(pcm, highs[column], power[4+column])
	if low+high < share*energy || high < twistLow*low || high > twistHigh*low {
		return 0, 0
	}
	return symbols[row][column], (low + high) / energy
}

// near is the power of a tone that may be off f, where it has the power given.
func (d *Detector) near(pcm []int16, f, power float64) float64 {
	for _, off := range detuned {
		power = max(power, goertzel(pcm, d.coefficient(f*off)))
	}
	return power
}

// goertzel is the power of one tone in the samples, c twice the cosine of its angle a sample (G. Goertzel, 1958).
func goertzel(pcm []int16, c float64) float64 {
	var s1, s2 float64
	for _, x := range pcm {
		s1, s2 = float64(x)+c*s1-s2, s1
	}
	return (s1*s1 + s2*s2 - c*s1*s2) * 2 / float64(len(pcm))
}

// strongest gives the tone that stands out of its group, -1 if none does.
func strongest(power []float64) int {
	best := 0
	for i, p := range power {
		if p > power[best] {
			best = i
		}
	}
	for i, p := range power {
		if i != best && p*alone > power[best] {
			return -1
		}
	}
	return best
}

// Ended leaves out the keys that come again.
func Ended(keys []Key) []Key {
	return slices.DeleteFunc(keys, func(k Key) bool { return k.Down })
}
