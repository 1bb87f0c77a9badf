package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"murmur/internal/private"
	"murmur/internal/redact/command"
	"murmur/internal/rpc"
)

// audioFlags are the flags of redact for recordings.
type audioFlags struct {
	Words    string `help:"For a recording: its transcript, a JSON array of {\"w\",\"start\",\"end\",\"leg\",\"conf\"} in seconds." type:"existingfile" placeholder:"WORDS.json"`
	Listener string `help:"For a recording without a transcript: the transcriber, a command; the one of make voice by default." type:"path" placeholder:"PATH"`
	Output   string `short:"o" help:"For a recording: write it here, masked, as a WAV." type:"path" placeholder:"OUT.wav"`
	Fill     string `default:"silence" enum:"silence,tone" help:"For a recording: the sound in the masks, silence or tone."`
}

// noListener says what to do when no transcriber is installed.
const noListener = "make voice installs a transcriber; --words takes a transcript, --listener another transcriber"

// run masks a recording.
func (f audioFlags) run(r *run, config command.Config, file string) error {
	private.Hide(r.Data)
	a, err := private.NewAudioRedactor(config, f.Listener)
	if err != nil {
		return usage{err}
	}
	var words io.Reader
	if f.Words != "" {
		w, err := os.Open(f.Words)
		if err != nil {
			return usage{fmt.Errorf("open the words: %w", err)}
		}
		defer w.Close()
		words = w
	}
	masked, err := a.Redact(r.ctx, file, words)
	switch {
	case errors.Is(err, private.ErrNoListener):
		return &rpc.Problem{Message: err.Error(), Hint: noListener, Exit: 2}
	case private.BadRecording(err):
		return usage{err}
	case err != nil:
		return err
	}
	if err := r.print(masked, func(w io.Writer) { showRecording(w, masked) }); err != nil || f.Output == "" {
		return err
	}
	if masked.Withheld {
		return &rpc.Problem{Message: "the audio is withheld: " + masked.Why, Hint: "the masked words were printed; docs/models/voice.md says when there is no audio", Exit: 1}
	}
	return writeWhole(f.Output, func(w io.Writer) error { return masked.Write(r.ctx, w, f.Fill) })
}

func showRecording(w io.Writer, m *private.Recording) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range m.Masked {
		fmt.Fprintf(t, "%.2f s\t%.2f s\t%s\n", s.Start, s.End, s.Why)
	}
	_ = t.Flush()
	var text strings.Builder
	for i, word := range m.Words {
		if i > 0 && (m.Words[i-1].Leg != word.Leg || word.Start-m.Words[i-1].End > 1) {
			text.WriteByte('\n')
		}
		text.WriteString(word.W + " ")
	}
	fmt.Fprintln(w, strings.TrimSpace(text.String()))
	if m.Withheld {
		fmt.Fprintln(w, "The audio is withheld:", m.Why)
	}
}

// writeWhole writes a file completely or not at all.
func writeWhole(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return usage{fmt.Errorf("create the recording: %w", err)}
	}
	err = errors.Join(write(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
