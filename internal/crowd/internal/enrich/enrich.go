// Package enrich reads anonymised words: what a contact wants (topic) and how it sounds (sentiment).
//
// Zone: AMBER. It gets anon.Text and nothing else of a person; it has no network, no clock and no state, so the
// same fact always gets the same topic. The models were trained from sentences of our own (train/*.txt).
//
// What it does not protect against: errors. On texts unlike its examples the classifier falls back to "other";
// the word list does not understand irony. Figures made of its output say so.
package enrich

import (
	_ "embed"
	"iter"
	"strings"
	"unicode"

	"murmur/internal/crowd/internal/enrich/classify"
	"murmur/internal/fact"
	"murmur/internal/private/anon"
)

//go:generate go run ./train -o topics.mcl

//go:embed topics.mcl
var topicModel []byte

// sure is the least probability of a topic; below it the topic is "other". Cross-validation chose it (train/main.go).
const sure = 0.3

// maxTurns bounds the part of a transcript that is read for its topic: reasons are told at the beginning.
const maxTurns = 40

// Enricher sets what is read from words. It is safe for use by several goroutines.
type Enricher struct {
	model  *classify.Model
	topics []fact.Topic // by label of the model
	other  int          // the label of the reject class
	tone   *tone
}

// New loads the models that are part of the program.
func New() *Enricher {
	m, err := classify.Read(topicModel)
	if err != nil {
		panic("enrich: the embedded model is broken: " + err.Error())
	}
	e := &Enricher{model: m, tone: newTone()}
	for i, l := range m.Labels() {
		t := topicOf(l)
		if t == fact.TopicOther {
			e.other = i
		}
		e.topics = append(e.topics, t)
	}
	return e
}

func topicOf(label string) fact.Topic {
	for _, t := range fact.Topics() {
		if t.String() == label {
			return t
		}
	}
	panic("enrich: the embedded model has a label outside the taxonomy")
}

// Enrich sets the topic and the sentiment of an incoming message, a talk or an answer. What members write says
// nothing about what people want: outgoing messages, other facts and facts without words keep topic 0 and an
// absent sentiment.
func (e *Enricher) Enrich(f fact.Fact) {
	switch f := f.(type) {
	case *fact.Message:
		f.Topic, f.Sentiment, f.Reply = 0, fact.Absent, 0
		switch {
		case !f.Body.Valid():
		case f.Direction == fact.In:
			f.Topic, f.Sentiment = e.read(f.Body)
		case f.Direction == fact.Out && f.Automatic == 0:
			f.Reply = reply(f.Body.String())
		}
	case *fact.Talk:
		f.Topic, f.Sentiment = 0, fact.Absent
		if f.Body.Valid() {
			f.Topic, f.Sentiment = e.read(f.Body)
		}
	case *fact.Answer:
		f.Topic, f.Sentiment = 0, fact.Absent
		if f.Comment.Valid() {
			f.Topic, f.Sentiment = e.read(f.Comment)
		}
	}
}

func (e *Enricher) read(t anon.Text) (fact.Topic, int64) {
	turns := contactTurns(t.String())
	return e.topic(turns), e.tone.of(strings.Join(turns, "\n"))
}

// topic adds up the probabilities of the sentences that are sure of something. Most conversations end with thanks
// and most voicemails ask for a call back: a text is about those only when it is about nothing else.
func (e *Enricher) topic(turns []string) fact.Topic {
	p, sum := make([]float32, len(e.topics)), make([]float32, len(e.topics))
	for sentence := range sentencesOf(turns) {
		e.model.Predict(sentence, p)
		if best := highest(p); best != e.other && p[best] >= sure {
			sum[best] += p[best]
		}
	}
	first := highest(sum)
	if sum[first] == 0 {
		return fact.TopicOther
	}
	for i, t := range e.topics {
		if t == fact.TopicThanks || t == fact.TopicCallback {
			sum[i] = 0
		}
	}
	if second := highest(sum); sum[second] > 0 {
		return e.topics[second]
	}
	return e.topics[first]
}

// sentencesOf gives the sentences with words of the first turns.
func sentencesOf(turns []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, turn := range turns[:min(maxTurns, len(turns))] {
			for _, s := range sentences(turn) {
				if hasWord(s) && !yield(s) {
					return
				}
			}
		}
	}
}

// longTurn is the length in bytes from which a turn is read sentence by sentence.
const longTurn = 80

// sentences cuts a long turn at full stops, question and exclamation marks before a space.
func sentences(turn string) []string {
	if len(turn) < longTurn {
		return []string{turn}
	}
	var cut []string
	start := 0
	for i := 0; i+1 < len(turn); i++ {
		if strings.IndexByte(".?!", turn[i]) >= 0 && turn[i+1] == ' ' {
			cut = append(cut, turn[start:i+1])
			start = i + 2
		}
	}
	return append(cut, turn[start:])
}

// hasWord reports whether a letter stands outside of masks.
func hasWord(turn string) bool {
	masked := false
	for _, r := range turn {
		switch {
		case r == '[':
			masked = true
		case r == ']':
			masked = false
		case !masked && unicode.IsLetter(r):
			return true
		}
	}
	return false
}

func highest(p []float32) int {
	best := 0
	for i, v := range p {
		if v > p[best] {
			best = i
		}
	}
	return best
}

// memberLabels begin the lines of a transcript that members speak; a machine's lines say nothing either.
var memberLabels = []string{"agent", "member", "assistant", "operator", "representative", "rep", "machine", "system"}

// contactTurns cuts a text into its lines, without speaker labels and without the members' lines. A text in which
// only members speak stays whole.
func contactTurns(text string) []string {
	var turns []string
	for line := range strings.Lines(text) {
		label, words, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || len(label) > 20 || strings.Count(label, " ") > 1 {
			label, words = "", strings.TrimSpace(line)
		}
		if words == "" || isMember(label) {
			continue
		}
		turns = append(turns, words)
	}
	if len(turns) == 0 {
		return []string{text}
	}
	return turns
}

func isMember(label string) bool {
	for _, m := range memberLabels {
		if strings.EqualFold(label, m) {
			return true
		}
	}
	return false
}
