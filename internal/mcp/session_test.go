package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"murmur/internal/insight"
)

var update = flag.Bool("update", false, "write the answers of the server into testdata/session.jsonl anew")

// line is one line of testdata/session.jsonl: what an owner asked, what the client of a language model sent, what the server
// answered, and what the assistant told the owner. The sentences of the assistant were written by hand and are not checked.
// Answers that say what the catalogue and the tools are stand in the code and are left out of the file.
type line struct {
	Who     string          `json:"who"` // owner, client, server, assistant
	Message json.RawMessage `json:"message,omitempty"`
	Text    string          `json:"text,omitempty"`
}

type request struct {
	ID     int    `json:"id"`
	Method string `json:"method"`
	Params struct {
		Name string `json:"name"`
	} `json:"params"`
}

type response struct {
	ID     int `json:"id"`
	Result *struct {
		Content []struct {
			Text string `json:"text"`
		} `json:"content,omitempty"`
		StructuredContent json.RawMessage `json:"structuredContent,omitempty"`
		IsError           bool            `json:"isError,omitempty"`
	} `json:"result"`
}

// TestASessionOfALanguageModel: the server answers what a language model sent as a client as the file says, with nothing but
// released figures, and says what to do next where the client erred. The figures are those of a viewer of murmur demo, cut to
// what the session reads; the names of one line and one reply were replaced by such that give orders. -update writes the
// answers anew: then read whether the sentences of the assistant still follow from them.
func TestASessionOfALanguageModel(t *testing.T) {
	t.Parallel()
	figures := linesOf[insight.Figure](t, "testdata/figures.jsonl")
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- Run(t.Context(), Config{Version: "test", Figures: func(context.Context) ([]insight.Figure, error) { return figures, nil }}, fromClient, toClient)
	}()
	answers := bufio.NewReader(fromServer)

	recorded := linesOf[line](t, "testdata/session.jsonl")
	var played []line
	for _, l := range recorded {
		if l.Who == "server" {
			continue
		}
		played = append(played, l)
		if l.Who != "client" {
			continue
		}
		if _, err := fmt.Fprintf(toServer, "%s\n", l.Message); err != nil {
			t.Fatal(err)
		}
		var ask request
		decode(t, l.Message, &ask)
		if ask.ID == 0 { // a notification has no answer
			continue
		}
		text, err := answers.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var r response
		if decode(t, text, &r); r.ID != ask.ID || r.Result == nil {
			t.Fatalf("request %d: %s", ask.ID, text)
		}
		if ask.Method != "tools/call" {
			continue
		}
		check(t, ask, r, figures)
		if ask.Params.Name == "list_insights" {
			continue
		}
		if !r.Result.IsError {
			r.Result.Content = nil // the same once more
		}
		played = append(played, line{Who: "server", Message: encode(t, r)})
	}
	_ = toServer.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}

	if *update {
		var out []byte
		for _, l := range played {
			out = append(append(out, encode(t, l)...), '\n')
		}
		if err := os.WriteFile("testdata/session.jsonl", out, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(played) != len(recorded) {
		t.Fatalf("%d lines, recorded %d", len(played), len(recorded))
	}
	for i, l := range played {
		if got, want := encode(t, l), encode(t, recorded[i]); !bytes.Equal(got, want) {
			t.Errorf("line %d (go test ./internal/mcp -run Session -update writes it anew)\n got %s\nwant %s", i+1, got, want)
		}
	}
}

// check holds an answer to what every answer promises.
func check(t *testing.T, ask request, r response, figures []insight.Figure) {
	t.Helper()
	if r.Result.IsError {
		text := r.Result.Content[0].Text
		if !slices.ContainsFunc([]string{"list_insights", "get_figures", "there are ", "want one of"}, func(next string) bool { return strings.Contains(text, next) }) {
			t.Errorf("request %d: the error does not say what to do: %s", ask.ID, text)
		}
		return
	}
	if len(r.Result.Content) != 1 || r.Result.Content[0].Text != string(r.Result.StructuredContent) {
		t.Errorf("request %d: the text is not the answer", ask.ID)
	}
	var answer any
	decode(t, r.Result.StructuredContent, &answer)
	for _, fault := range faults(answer, "", figures) {
		t.Errorf("request %d: %s", ask.ID, fault)
	}
}

// faults walks an answer: each number belongs to a released figure with its interval, and what the phone system named stands
// in a split or in quotation marks.
func faults(v any, under string, figures []insight.Figure) (fs []string) {
	switch v := v.(type) {
	case map[string]any:
		if _, is := v["tier"]; is {
			if !released(v, figures) {
				fs = append(fs, fmt.Sprintf("no released figure: %v", v))
			}
			return append(fs, faults(v["split"], "split", figures)...)
		}
		for key, x := range v {
			fs = append(fs, faults(x, key, figures)...)
		}
	case []any:
		for _, x := range v {
			fs = append(fs, faults(x, under, figures)...)
		}
	case float64:
		if under != "left_out" {
			fs = append(fs, fmt.Sprintf("%s: a number outside of a figure: %v", under, v))
		}
	case string:
		if strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			fs = append(fs, fmt.Sprintf("%s: a control character: %q", under, v))
		}
		if !inSplit(under) && strings.Contains(outsideQuotes(v), "Ignore") {
			fs = append(fs, fmt.Sprintf("%s: an order in plain words: %q", under, v))
		}
	}
	return fs
}

func inSplit(key string) bool { return slices.Contains([]string{"split", "number", "reply"}, key) }

// outsideQuotes is a sentence without what stands in “ ”.
func outsideQuotes(s string) string {
	var out strings.Builder
	for s != "" {
		before, rest, _ := strings.Cut(s, "“")
		out.WriteString(before)
		_, s, _ = strings.Cut(rest, "”")
	}
	return out.String()
}

// released reports whether what an assistant reads as a figure is one of figures, with its interval, or hidden.
func released(v map[string]any, figures []insight.Figure) bool {
	if v["tier"] != "guarded" && v["tier"] != "provable" {
		return false
	}
	return slices.ContainsFunc(figures, func(f insight.Figure) bool {
		if f.Measure != v["measure"] || f.Noise == 0 {
			return false
		}
		if f.Value == nil {
			return f.Hidden == v["hidden"] && v["value"] == nil
		}
		return v["value"] == *f.Value && v["low"] == *f.Low && v["high"] == *f.High && v["base"] == float64(f.Base)
	})
}

// linesOf reads a file with a JSON value on each line.
func linesOf[T any](t *testing.T, path string) (out []T) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for l := range bytes.Lines(text) {
		var v T
		decode(t, l, &v)
		out = append(out, v)
	}
	return out
}

func decode(t *testing.T, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%v: %.200s", err, text)
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(out.Bytes())
}
