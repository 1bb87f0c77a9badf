package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"murmur/internal/explain"
	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/stream"
	"murmur/internal/workspace"
)

// The operator's own stream as a source: docs/stream.md. What becomes of a record is in stream_take.go, what is said of a stream
// in stream_said.go.

const (
	// streamsEvery is how often a server looks which streams are connected; a verb that changes them looks at once.
	streamsEvery = time.Minute
	// streamRest and streamRestMost are how long a stream rests after a failure, doubled until it goes well.
	streamRest, streamRestMost = time.Second, 30 * time.Second
)

// streams are those that a server reads.
type streams struct {
	matching sync.Mutex // one looks at a time

	mu      sync.Mutex
	reading context.Context         //nolint:containedctx // under which streams are read; nil: no server reads
	running map[[32]byte]*streaming // by workspace.Source.Connection
}

func (s *streams) under() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reading
}

func (s *streams) of(src workspace.Source) *streaming {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[src.Connection()]
}

// streaming is the reading of one stream.
type streaming struct {
	node     *Node
	src      workspace.Source
	config   stream.Config
	progress stream.Progress
	stop     context.CancelFunc
	ended    chan struct{}

	lane  sync.Mutex // held while records are taken: the stream and what is read again take turns
	aside asideBook  // under lane

	mu      sync.Mutex
	trouble error // why nothing can be read; nil: it goes well
	taken   int64 // records since the start
}

// keepStreams reads every connected stream until ctx ends.
func (n *Node) keepStreams(ctx context.Context) {
	n.streams.mu.Lock()
	n.streams.reading = ctx
	n.streams.mu.Unlock()
	tick := time.NewTicker(streamsEvery)
	defer tick.Stop()
	for {
		n.followStreams(ctx)
		select {
		case <-ctx.Done():
			n.streams.matching.Lock()
			defer n.streams.matching.Unlock()
			n.endStreams(func(*streaming) bool { return true })
			return
		case <-tick.C:
		}
	}
}

// followStreams reads what is connected now, and nothing else when it returns: a group that was left may be set back.
func (n *Node) followStreams(ctx context.Context) {
	n.streams.matching.Lock()
	defer n.streams.matching.Unlock()
	reading := n.streams.under()
	if reading == nil || reading.Err() != nil {
		return
	}
	if err := n.matchStreams(ctx, reading); err != nil && ctx.Err() == nil {
		n.log.Error("which streams are connected cannot be read; it is tried again", "error", err)
	}
}

// matchStreams ends readers of streams that are removed, paused or changed, and starts those that are missing.
func (n *Node) matchStreams(ctx, reading context.Context) error {
	all, err := n.store.Streams(ctx)
	if err != nil {
		return err
	}
	wanted := map[[32]byte]workspace.Source{}
	for _, src := range all {
		if !src.Paused {
			wanted[src.Connection()] = src
		}
	}
	ended := n.endStreams(func(s *streaming) bool {
		src, ok := wanted[s.src.Connection()]
		return !ok || src.Config.APIBase != s.src.Config.APIBase || !slices.Equal(src.Secrets, s.src.Secrets)
	})
	for _, s := range ended {
		if err := s.config.Leave(ctx); err != nil { // the group misses it by itself
			n.log.Warn("a stream that is read no more did not leave its group", "source", s.src.Name, "error", err)
		}
	}
	var errs []error
	for connection, src := range wanted {
		if n.streams.of(src) == nil {
			s, err := n.newStreaming(src)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			n.streams.mu.Lock()
			n.streams.running[connection] = s
			n.streams.mu.Unlock()
			s.start(reading)
		}
	}
	return errors.Join(errs...)
}

// endStreams ends those readers and waits for them.
func (n *Node) endStreams(which func(*streaming) bool) (ending []*streaming) {
	n.streams.mu.Lock()
	for connection, s := range n.streams.running {
		if which(s) {
			ending = append(ending, s)
			delete(n.streams.running, connection)
		}
	}
	n.streams.mu.Unlock()
	for _, s := range ending {
		s.stop()
	}
	for _, s := range ending {
		<-s.ended
	}
	return ending
}

func (n *Node) newStreaming(src workspace.Source) (*streaming, error) {
	c, err := n.streamConfig(src)
	return &streaming{node: n, src: src, config: c, ended: make(chan struct{})}, err
}

// streamConfig is what a connected stream reads. Its name in the group is this installation's own: a server that starts again
// goes on at once, and of two copies of a directory the servers turn one out.
func (n *Node) streamConfig(src workspace.Source) (stream.Config, error) {
	c, err := stream.Address(src.Config.APIBase)
	if err != nil {
		return c, err
	}
	if len(src.Secrets) > 0 {
		c.Password = src.Secrets[0]
	}
	own, connection := n.ring.Root().Derive("murmur stream 1"), src.Connection()
	member := sha256.Sum256(append(own[:], connection[:]...))
	c.Member = "murmur-" + hex.EncodeToString(member[:8])
	return c, nil
}

// start reads the stream and, beside it, what was put aside to wait, until ctx ends or stop is called.
func (s *streaming) start(ctx context.Context) {
	ctx, s.stop = context.WithCancel(ctx)
	go func() {
		defer close(s.ended)
		var both sync.WaitGroup
		both.Go(func() { s.persist(ctx, s.read) })
		both.Go(func() { s.persist(ctx, s.readWaiting) })
		both.Wait()
	}()
}

// persist does something again and again until ctx ends, and rests after a failure.
func (s *streaming) persist(ctx context.Context, f func(context.Context) error) {
	rest := streamRest
	for ctx.Err() == nil {
		began := time.Now()
		err := f(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > streamRestMost {
			rest = streamRest
		}
		s.failed(err)
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		rest = min(2*rest, streamRestMost)
	}
}

// failed notes why the stream is not read, and logs it once.
func (s *streaming) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && (s.trouble == nil || explain.Describe(s.trouble) != explain.Describe(err)) {
		s.node.log.Error("a stream cannot be read; it is tried again, and nothing is lost", "source", s.src.Name, "error", err)
	}
	s.trouble = err
}

func (s *streaming) went(records int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble, s.taken = nil, s.taken+int64(records)
}

// read reads the stream until something fails.
func (s *streaming) read(ctx context.Context) error {
	if err := s.loadAside(ctx); err != nil {
		return err
	}
	return s.config.Read(ctx, &s.progress, s.take)
}

// connectStream connects the operator's own stream. Nothing is stored before its servers have answered.
func (n *Node) connectStream(ctx context.Context, a rpc.ConnectArgs) (rpc.Connected, error) {
	c, err := stream.Address(a.APIBase)
	if err != nil {
		return rpc.Connected{}, err
	}
	bad := func(message, hint string) (rpc.Connected, error) {
		return rpc.Connected{}, &rpc.Problem{Message: message, Hint: hint, Exit: 2, Status: 422}
	}
	switch {
	case cmp.Or(a.Workspace, workspace.Default.String()) != workspace.Default.String():
		return bad("a stream is of the whole server: its records name their workspaces", "leave out --workspace")
	case a.APIKey != "" || a.Mapping != "" || a.PublicURL != "" || a.Then != "" || a.Language != "" || len(a.MediaHosts) > 0:
		return bad("a stream takes --api-base, --secret and --name alone", "murmur connect kafka --api-base kafka+tls://USER@HOST:PORT/TOPIC --secret @FILE")
	case (c.User == "") != (a.Secret == ""):
		return bad("a user and a password go together", "kafka+tls://USER@HOST:PORT/TOPIC with --secret @FILE, or neither")
	}
	src := workspace.Source{Workspace: workspace.Default, Name: cmp.Or(a.Name, a.Kind), Kind: a.Kind, Secrets: []string{a.Secret},
		Config: workspace.SourceConfig{APIBase: c.String()}}
	c.Password = a.Secret
	if err := c.Try(ctx); err != nil {
		return rpc.Connected{}, err
	}
	if src, _, err = n.store.Connect(ctx, src); err != nil {
		return rpc.Connected{}, err
	}
	if err := n.accessed(ctx, src.Workspace, "source"); err != nil {
		return rpc.Connected{}, err
	}
	n.followStreams(ctx)
	return rpc.Connected{Workspace: src.Workspace.String(), Source: src.Name, Kind: src.Kind, Reads: src.Config.APIBase, Serving: n.jobs != nil}, nil
}

// streamNames are the names under which deliveries of streams are counted.
func (n *Node) streamNames(ctx context.Context) ([]string, error) {
	all, err := n.store.StreamNames(ctx)
	for i := range all {
		all[i] = private.StreamName(all[i])
	}
	return all, err
}

// mostWaiting is how many deliveries may wait to be processed before a stream waits: what is not read is kept by its servers.
const mostWaiting = 20_000

// room waits until the pipeline keeps up.
func (n *Node) room(ctx context.Context) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		b, err := n.journal.Backlog(ctx)
		if err != nil || b.Pending < mostWaiting {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// pauseStreams keeps the streams of a restored directory from being read: the directory that was backed up may still run, and the
// group is ahead of the backup.
func (n *Node) pauseStreams(ctx context.Context) error {
	all, err := n.store.Streams(ctx)
	for _, src := range all {
		err = errors.Join(err, n.store.Pause(ctx, src.Workspace, src.Name, true))
	}
	if err != nil {
		return fmt.Errorf("pause the streams: %w", err)
	}
	return nil
}
