package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"murmur/internal/rpc"
	"murmur/internal/server"
	"murmur/internal/workspace"
)

// importing carries out an import and, on a terminal, shows how far it is. size is that of the file, 0 when nobody knows.
func (r *run) importing(args rpc.ImportArgs, in io.Reader, size int64, out io.Writer) error {
	c, err := server.Attach(r.ctx, r.Data)
	if err != nil {
		return err
	}
	stop := func() {}
	if terminal(r.Err) && !args.DryRun {
		args.ID = workspace.Secret()
		in, stop = watch(r.ctx, r.Err, c, args.ID, in, size)
	}
	err = c.Do(r.ctx, "import", args, in, out)
	stop()
	return errors.Join(err, c.Close())
}

// asking is how often a server is asked how far an import is.
const asking = 250 * time.Millisecond

// watch shows on w how far an import is, until stop is called: by the bytes that were read of the file, and by the rows
// that the server counts.
func watch(ctx context.Context, w io.Writer, c rpc.Control, id string, in io.Reader, size int64) (body io.Reader, stop func()) {
	var far atomic.Pointer[rpc.Progress]
	far.Store(new(rpc.Progress))
	begun := time.Now()
	p := mpb.New(mpb.WithOutput(w), mpb.WithWidth(40))
	said := decor.Any(func(decor.Statistics) string { return rowsLine(*far.Load(), time.Since(begun)) })
	var bar *mpb.Bar
	if size > 0 {
		bar = p.AddBar(size, mpb.PrependDecorators(decor.Name("import "), decor.Percentage()),
			mpb.AppendDecorators(said, decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO), "")))
	} else {
		bar = p.AddSpinner(0, mpb.PrependDecorators(decor.Name("import ")), mpb.AppendDecorators(said))
	}
	body = counted{in, bar}
	ctx, cancel := context.WithCancel(ctx)
	var asks sync.WaitGroup
	asks.Go(func() {
		tick := time.NewTicker(asking)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			var answer bytes.Buffer
			var now rpc.Progress
			if c.Do(ctx, "import-progress", rpc.ProgressArgs{ID: id}, nil, &answer) == nil && unmarshal(answer.String(), &now) == nil {
				far.Store(&now)
			}
		}
	})
	return body, sync.OnceFunc(func() {
		cancel()
		asks.Wait()
		bar.Abort(true)
		p.Wait()
	})
}

// rowsLine says how far an import is, in words.
func rowsLine(p rpc.Progress, since time.Duration) string {
	line := fmt.Sprintf("  %d rows, %.0f/s", p.Rows, float64(p.Rows)/max(since.Seconds(), 0.001))
	if p.Known > 0 {
		line += fmt.Sprintf(", %d known before", p.Known)
	}
	if p.Storing {
		return line + ", writing the last day files "
	}
	return line + "  "
}

// counted moves a bar by what is read.
type counted struct {
	io.Reader
	bar *mpb.Bar
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.bar.IncrBy(n)
	return n, err
}

// progress wraps in with a bar on w when that is a terminal.
func progress(w io.Writer, what string, in io.ReadCloser, size int64) (io.Reader, func()) {
	if !terminal(w) || size == 0 {
		return in, func() {}
	}
	p := mpb.New(mpb.WithOutput(w), mpb.WithWidth(48))
	bar := p.AddBar(size, mpb.PrependDecorators(decor.Name(what+" ")), mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f"), decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace)))
	body, err := bar.ProxyReader(in)
	if err != nil {
		return in, func() {}
	}
	return body, func() {
		bar.SetTotal(-1, true)
		p.Wait()
	}
}
