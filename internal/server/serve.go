package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/term"

	"murmur/internal/admission"
	"murmur/internal/datadir"
	"murmur/internal/explain"
	"murmur/internal/insight"
	"murmur/internal/mail"
	"murmur/internal/rpc"
	"murmur/internal/signin"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// ServeConfig starts a server.
type ServeConfig struct {
	Data   string
	Listen string
	SIP    SIPConfig
	Out    io.Writer        // the first line is "listening on http://HOST:PORT", the second, of a recorder, "sip on HOST:PORT"
	Err    io.Writer        // the log, and the one-time link
	Now    func() time.Time // nil: time.Now
	// Listener is the transcriber that hears recordings, a command; empty: the installed one, if there is one.
	Listener string
	// AllowHosts are HOST:PORT that the APIs and media of every workspace may be on, private and loopback ones too.
	AllowHosts []string
	// Mail takes the weekly letters; nil: they are not mailed. PublicURL is where their readers reach the pages; may be empty.
	Mail      *mail.Server
	PublicURL string
	// SignIn is the identity provider that lets owners in; nil: one-time links alone do.
	SignIn *signin.Provider
	// Queue and QueuePassword are Config's.
	Queue, QueuePassword string
	// Lake and LakeKey are Config's.
	Lake, LakeKey string
	// LeaveRecordings leaves the transcription of recordings to the next server, so that the demo has the processor
	// for itself.
	LeaveRecordings bool
	// Ready, when set, is called with the base URL and the node once the server listens; the demo does its work in
	// it. The server stops when it returns an error or done is true.
	Ready func(ctx context.Context, base string, n *Node) (done bool, err error)
}

// cannotListen tells a port in use from an invalid address.
func cannotListen(address string, err error) *rpc.Problem {
	p := &rpc.Problem{Message: "cannot listen on " + address, Hint: "another program may have the port; choose another one with --listen", Exit: 1}
	var in *net.OpError
	if errors.As(err, &in) && errors.As(in.Err, new(*net.AddrError)) || errors.As(err, new(*net.DNSError)) {
		p.Hint, p.Exit = "--listen is HOST:PORT, such as 127.0.0.1:8377", 2
	}
	return p
}

// A server has ended 10 s after it was told to: requests under way have drainTime, jobs jobTime, and what is left of
// stopTime goes into the manifest of the directory.
const (
	drainTime = 4 * time.Second
	jobTime   = 2 * time.Second
	stopTime  = 9 * time.Second
)

// Serve runs a server until ctx ends, then drains and closes it.
func Serve(ctx context.Context, c ServeConfig) (err error) {
	log := explain.NewLog(c.Err)
	n, err := Open(ctx, Config{Data: c.Data, Listener: c.Listener, AllowHosts: c.AllowHosts, Queue: c.Queue, QueuePassword: c.QueuePassword, Lake: c.Lake, LakeKey: c.LakeKey, Now: c.Now, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	n.leaveRecordings, n.mail, n.public, n.signIn = c.LeaveRecordings, c.Mail, c.PublicURL, c.SignIn
	if n.relay != nil {
		if err := n.relay.Ask(ctx, log); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return cannotListen(c.Listen, err)
	}
	base := "http://" + l.Addr().String()
	n.Start(ctx)
	if err := n.startUpkeep(ctx); err != nil {
		_ = l.Close()
		return err
	}
	sip, err := n.startRecorder(ctx, c.SIP)
	if err != nil {
		_ = l.Close()
		return err
	}
	serving := newServing(n, log)
	if err := serving.start(l, datadir.Socket(n.dir.Path())); err != nil {
		return err
	}
	defer serving.stop()
	fmt.Fprintf(c.Out, "listening on %s\n", base)
	if sip != "" {
		fmt.Fprintf(c.Out, "sip on %s\n", sip)
	}
	n.welcome(ctx, c.Err, base)
	defer os.Remove(filepath.Join(n.dir.Path(), LinkFile))
	if c.Ready != nil {
		done, err := c.Ready(ctx, base, n)
		if err != nil || done {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// LinkFile is where a starting server leaves the one-time link, in the data directory, for its owner alone.
const LinkFile = "open-link"

// welcome makes a one-time link to the pages. It is written to a file of the data directory, and to a terminal. It is
// not written to the log of a service, because readers of a log must not get in.
func (n *Node) welcome(ctx context.Context, w io.Writer, base string) {
	link, err := n.store.NewLink(ctx, workspace.Default)
	if err != nil {
		n.log.Warn("no one-time link could be made", "error", err)
		return
	}
	address := cmp.Or(n.public, base) + "/open/" + link
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(w, "open %s (once, within 30 minutes)\n", address)
	}
	path := filepath.Join(n.dir.Path(), LinkFile)
	if err := writeLink(path, address); err != nil {
		n.log.Warn("the one-time link could not be written", "kind", fmt.Sprintf("%T", err))
		return
	}
	fmt.Fprintf(w, "the link that opens the pages, once and within 30 minutes, is in %s\n", path)
}

// writeLink replaces the file of the link; nobody else may read it at any moment.
func writeLink(path, address string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, address)
	return errors.Join(err, f.Close())
}

// serving is the two listeners of a node and their goroutines.
type serving struct {
	public, control *http.Server
	places          *admission.Connections
	node            *Node
	socket          string
	interrupt       context.CancelFunc // ends the verbs under way
}

func newServing(n *Node, log *slog.Logger) *serving {
	s := site{n}
	devices, err := n.passkeys()
	if err != nil {
		log.Error("passkeys", "error", err) // one-time links let owners in
	}
	var gates web.SignIn
	if n.signIn != nil {
		gates = gate{n.signIn}
	}
	pages := web.New(web.Config{
		Passkeys: devices, SignIn: gates, SecureHost: secureHost(n.public),
		Version: VersionOf().Version, Catalogue: insight.All(),
		Keys: s, Figures: s, Marks: s, Pipeline: s, Calls: calls{n}, Contacts: contacts{n}, Holdings: holdings{n}, Policies: policies{n},
		Sources: sources{n}, Workspaces: workspaces{n}, Letters: s, Alerts: alerts{n}, Categories: categories{n}, Shares: shares{n}, Redactor: redactor{n}, Kinds: kinds(),
		OpenHint: "murmur serve leaves a link in the file open-link of its data directory when it starts", Now: n.now, Log: log,
	})
	quiet := slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	verbs, interrupt := context.WithCancel(context.Background())
	return &serving{node: n, interrupt: interrupt,
		public: &http.Server{Handler: n.handler(pages), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
			WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: quiet, ConnContext: admission.Remember},
		control: &http.Server{Handler: socketHandler(n), ReadHeaderTimeout: 5 * time.Second, ErrorLog: quiet,
			BaseContext: func(net.Listener) context.Context { return verbs }},
	}
}

// kinds are what the first run offers.
func kinds() []web.SourceKind {
	return []web.SourceKind{
		{Name: "quo", Title: "Quo (OpenPhone)", Help: "In Quo, as an owner or administrator: Settings, API, make a key, and paste it below. It works behind a router."},
		{Name: "typeform", Title: "Typeform", Help: "In Typeform, open Connect, Webhooks: add the address that you get here, and set the secret. Pass the caller's number as the hidden field phone."},
		{Name: "twilio", Title: "Twilio", Help: "In Twilio's console: the account SID and the auth token, written as ACCOUNT:TOKEN, are the API key below. Say below as well where Twilio reaches this server: its signatures hold that address."},
		{Name: "delighted", Title: "Delighted", Help: "Survey scores and comments, by webhook. Its API key is the signing secret below."},
		{Name: "formbricks", Title: "Formbricks", Help: "Survey answers, by webhook. It shows its signing secret once the address is added."},
		{Name: "zendesk", Title: "Zendesk", Help: "Satisfaction ratings, by webhook and trigger."},
		{Name: "native", Title: "Your own system", Help: "Send murmur.v1 events, one JSON object a line, with the secret as a bearer token."},
	}
}

func (s *serving) start(l net.Listener, socket string) error {
	_ = os.Remove(socket) // a socket of a server that was killed; the lock says that nobody else runs
	u, err := net.Listen("unix", socket)
	if err != nil {
		_ = l.Close()
		return fmt.Errorf("open the control socket: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		_ = l.Close()
		_ = u.Close()
		return fmt.Errorf("protect the control socket: %w", err)
	}
	s.socket = socket
	s.places = admission.Limit(l, admission.MostConnections(), &s.node.crowded)
	s.node.running.Go(func() { _ = s.public.Serve(s.places) })
	s.node.running.Go(func() { _ = s.control.Serve(u) })
	return nil
}

// stop takes in nothing more, ends what computes, lets requests under way finish, and then cuts them off.
func (s *serving) stop() {
	s.node.halt()
	s.interrupt()
	s.places.Drain()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var both sync.WaitGroup
	for _, h := range []*http.Server{s.public, s.control} {
		both.Go(func() {
			if h.Shutdown(ctx) != nil {
				_ = h.Close()
			}
		})
	}
	both.Wait()
	_ = os.Remove(s.socket)
}
