// Package recorder is a SIP recording server: it gets a copy of a call, is never part of the call itself, and keeps
// the copy only with consent.
//
// Zone: RED. Two kinds of calls reach it. A *copy* is SIPREC (RFC 7866): the business's telephony sends both legs with
// metadata that says whose they are; the notice is played there, and the policy says that it is. A *plain* call is an
// INVITE like any other: the recorder answers, plays the notice itself, and records the caller.
//
// It promises: it takes packets only from the configured peers; no frame reaches the store unless the call's consent
// machine is in Holding, and none after the opt-out key was detected (RFC 4733, in the sound, or by INFO); stored
// recordings have silence in place of keys; the notice counts as played when its last frame was sent and nobody had hung
// up; it destroys the recording of a call whose media stops without notice, and of every call under way when the recorder
// stops.
//
// Addresses: RTP of a leg is taken from one address alone, the host that its description names (the sender of the INVITE
// when that is no allowed peer) at the port that spoke first (symmetric RTP, RFC 4961); everything else is dropped. A new
// description (re-INVITE) opens the choice again. RTP of ours goes to the same address.
//
// What it does not protect against: whoever can put packets on the way between telephony and recorder, for there is no
// SRTP and no TLS here: keep that way on one machine or in a tunnel; a peer that sends a call without its notice.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"golang.org/x/net/netutil"

	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/recording"
	"murmur/internal/workspace"
)

// Take is one call in the store (recording.Take).
type Take interface {
	State() consent.State
	ID() recording.ID
	Step(context.Context, consent.Event) (consent.State, error)
	Attest(context.Context) (consent.State, error)
	Write(context.Context, recording.Frame) error
	Close(context.Context) error
}

// Call is what the recorder knows of a call when it begins.
type Call struct {
	Workspace workspace.ID
	ID        string           // of the telephony: SIPREC's SIP session or session id, else the Call-ID of the INVITE
	Contact   personal.Value   // number or address of the outside party; empty: not known
	Others    []personal.Value // of further outside parties
	At        time.Time
}

// Config wires a recorder. The functions are required.
type Config struct {
	Listen string         // HOST:PORT for SIP over UDP and TCP; port 0: any
	Ports  [2]uint16      // first and last RTP port; 0: any
	Allow  []netip.Prefix // peers; nil: this machine alone

	Workspace func(ctx context.Context, name string) (workspace.ID, error)
	Begin     func(ctx context.Context, c Call) (Take, error)
	Notice    func(ws workspace.ID, question bool) (*Notice, error)
	Released  func(ctx context.Context, ws workspace.ID, id recording.ID) // a recording may be listened to

	Calls   int              // at once; 0: 1000
	Silence time.Duration    // without RTP until a call is given up; 0: 30 s
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: nothing is logged
}

// Recorder is a SIP server that records. Run it once.
type Recorder struct {
	c      Config
	allow  allowed
	ports  ports
	addr   netip.AddrPort
	udp    net.PacketConn
	tcp    net.Listener
	agent  *sipgo.UserAgent
	server *sipgo.Server
	client *sipgo.Client

	session atomic.Uint64 // numbers the sessions that we describe

	mu      sync.Mutex
	ctx     context.Context // of the calls; nil before Run
	closing bool
	calls   map[string]*call // by dialog id
	running sync.WaitGroup
}

// loopback are the allowed peers when none is configured.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// maxConnections over TCP at once.
const maxConnections = 256

// quietly keeps the SIP library from logging: it quotes messages. Its default logger is a variable of its package.
var quietly = sync.OnceFunc(func() { sip.SetDefaultLogger(slog.New(slog.DiscardHandler)) })

// Listen opens the SIP ports. Run must follow.
func Listen(c Config) (*Recorder, error) {
	quietly()
	if c.Allow == nil {
		c.Allow = loopback
	}
	if c.Calls == 0 {
		c.Calls = 1000
	}
	if c.Silence == 0 {
		c.Silence = 30 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	r := &Recorder{c: c, allow: c.Allow, ports: ports{low: c.Ports[0], high: c.Ports[1]}, calls: map[string]*call{}}
	if err := r.bind(); err != nil {
		return nil, fmt.Errorf("listen for SIP: %w", err)
	}
	if err := r.serve(); err != nil {
		return nil, errors.Join(fmt.Errorf("start SIP: %w", err), r.udp.Close(), r.tcp.Close())
	}
	return r, nil
}

// bind opens the same port for UDP and TCP. With port 0 the kernel picks one, which may be taken for the other.
func (r *Recorder) bind() error {
	for try := 0; ; try++ {
		udp, err := net.ListenPacket("udp", r.c.Listen)
		if err != nil {
			return err
		}
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err == nil {
			r.addr = udp.LocalAddr().(*net.UDPAddr).AddrPort()
			r.addr = netip.AddrPortFrom(r.addr.Addr().Unmap(), r.addr.Port())
			r.udp = guardedPackets{udp, r.allow}
			r.tcp = netutil.LimitListener(guardedListener{tcp, r.allow}, maxConnections)
			return nil
		}
		_ = udp.Close()
		if _, port, _ := net.SplitHostPort(r.c.Listen); port != "0" || try == 20 {
			return err
		}
	}
}

func (r *Recorder) serve() (err error) {
	quiet := slog.New(slog.DiscardHandler)
	if r.agent, err = sipgo.NewUA(sipgo.WithUserAgent("murmur"),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(quiet)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(quiet))); err != nil {
		return err
	}
	if r.server, err = sipgo.NewServer(r.agent, sipgo.WithServerLogger(quiet)); err != nil {
		return err
	}
	if r.client, err = sipgo.NewClient(r.agent, sipgo.WithClientLogger(quiet), sipgo.WithClientAddr(r.addr.String())); err != nil {
		return err
	}
	r.server.OnInvite(r.onInvite)
	r.server.OnAck(r.onAck)
	r.server.OnBye(r.onBye)
	r.server.OnCancel(r.onCancel)
	r.server.OnInfo(r.onInfo)
	r.server.OnUpdate(r.onUpdate)
	r.server.OnOptions(r.onOptions)
	r.server.OnNoRoute(func(req *sip.Request, tx sip.ServerTransaction) { r.reply(req, tx, 405, "Method Not Allowed", allow()) })
	return nil
}

// Addr is where SIP is listened to.
func (r *Recorder) Addr() netip.AddrPort { return r.addr }

// lookEvery is how often calls are looked at: a refusal that came by another way is told to the peer, silence ends.
const lookEvery = 250 * time.Millisecond

// Run serves until ctx ends. Calls under way are then destroyed and ended.
func (r *Recorder) Run(ctx context.Context) error {
	r.mu.Lock()
	r.ctx = ctx
	r.mu.Unlock()
	failed := make(chan error, 2)
	r.running.Go(func() { failed <- r.server.ServeUDP(r.udp) })
	r.running.Go(func() { failed <- r.server.ServeTCP(r.tcp) })
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var err error
	for wait := true; wait; {
		select {
		case <-tick.C:
			r.look()
		case err = <-failed:
			wait = false
		case <-ctx.Done():
			wait = false
		}
	}
	return errors.Join(err, r.close())
}

func (r *Recorder) look() {
	now := r.c.Now()
	for _, c := range r.all() {
		c.look(now)
	}
}

func (r *Recorder) all() []*call {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*call, 0, len(r.calls))
	for _, c := range r.calls {
		out = append(out, c)
	}
	return out
}

// close ends the calls first, so that their peers can still be told, then the ports.
func (r *Recorder) close() error {
	r.mu.Lock()
	r.closing = true
	r.mu.Unlock()
	all := r.all()
	for _, c := range all {
		c.shutdown()
	}
	for _, c := range all {
		<-c.ended
	}
	err := errors.Join(r.udp.Close(), r.tcp.Close(), r.agent.Close())
	r.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// add takes a call on; false when there are too many or the recorder stops.
func (r *Recorder) add(c *call) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing || len(r.calls) >= r.c.Calls {
		return false
	}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(r.ctx))
	r.calls[c.dialog.ID] = c
	r.running.Add(1)
	return true
}

// context is what handlers run in: the library gives them none.
func (r *Recorder) context() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ctx
}

func (r *Recorder) remove(c *call) {
	r.mu.Lock()
	delete(r.calls, c.dialog.ID)
	r.mu.Unlock()
	c.cancel()
	close(c.ended)
	r.running.Done()
}

func (r *Recorder) find(req *sip.Request) *call {
	id, err := sip.DialogIDFromRequestUAS(req)
	if err != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[id]
}

// local is our address as a peer sees it: the one we listen on, or the one that routes to the peer.
func (r *Recorder) local(peer netip.Addr) (netip.Addr, error) {
	if !r.addr.Addr().IsUnspecified() {
		return r.addr.Addr(), nil
	}
	c, err := net.Dial("udp", netip.AddrPortFrom(peer, 9).String()) // sends nothing
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
