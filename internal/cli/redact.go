package cli

import (
	"errors"
	"io"

	"murmur/internal/private"
	"murmur/internal/redact/command"
)

type redactCmd struct {
	command.Command
	audioFlags `embed:""`
}

func (c *redactCmd) Run(r *run) error {
	if !c.Texts() && private.IsRecording(c.File) {
		config, err := c.Config()
		if err != nil {
			return usage{err}
		}
		return c.audioFlags.run(r, config, c.File)
	}
	err := c.Command.Run(command.Streams{In: r.In, Out: r.Out, Err: r.Err, JSON: r.JSON, Watch: func(in io.ReadCloser, size int64) (io.Reader, func()) {
		if terminal(r.Out) {
			return in, func() {}
		}
		return progress(r.Err, "masking", in, size)
	}})
	if errors.As(err, new(command.Usage)) {
		return usage{err}
	}
	return err
}
