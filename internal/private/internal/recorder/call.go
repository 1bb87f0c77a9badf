package recorder

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/recorder/sdp"
	"murmur/internal/workspace"
)

const (
	maxLegs   = 2
	ackWait   = 32 * time.Second // 64 times T1, RFC 3261 13.3.1.4
	byeWait   = 2 * time.Second
	maxCall   = 6 * time.Hour // a dialog that nobody ends
	stormSize = 10            // re-INVITEs taken in stormTime
	stormTime = 10 * time.Second
)

// call is one dialog. The goroutine that the INVITE came in on runs it; a goroutine for each leg hears it.
type call struct {
	recorder *Recorder
	ws       workspace.ID
	id       string
	contact  personal.Value
	others   []personal.Value
	label    string // of the contact's stream
	isCopy   bool
	aware    bool // the peer understands a=record (RFC 7866 6.2)
	peer     netip.Addr
	local    netip.Addr
	began    time.Time

	tx            sip.ServerTransaction
	dialog        *sipgo.DialogServerSession
	contactHeader sip.ContactHeader
	take          Take     // nil: there was none to be had
	no            *refusal // the answer; nil: yes

	ctx    context.Context // ends with the call
	cancel context.CancelFunc
	ready  atomic.Bool   // take and legs are there
	over   atomic.Bool   // nothing is kept any more
	dead   atomic.Bool   // the peer is gone: end the dialog
	asking atomic.Bool   // a re-INVITE of ours is under way
	nudge  chan struct{} // something may have to be told
	acks   chan struct{} // an ACK came
	gone   chan struct{} // closed by the peer's BYE
	ended  chan struct{} // closed when all is done
	bye    sync.Once
	hears  sync.WaitGroup // legs, the notice
	writes sync.WaitGroup // legs' frames

	mu       sync.Mutex
	offer    sdp.Description
	lines    []*leg // of the offer's lines; nil: refused
	session  uint64
	version  uint64
	told     sdp.Recording // what the peer heard last
	toldEnd  bool          // it heard that the recording is over
	tries    int           // re-INVITEs that failed in a row
	held     bool          // the peer sends nothing, and said so
	pause    bool          // the peer wants a pause, until it says "on"
	window   time.Time     // of the storm
	inWindow int
}

// legs lists those that are in use. c.mu is held.
func (c *call) legs() (out []*leg) {
	for _, l := range c.lines {
		if l != nil {
			out = append(out, l)
		}
	}
	return out
}

// fit makes the legs fit an offer, the first or a later one.
func (c *call) fit(offer sdp.Description) *refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.take != nil && !c.ready.Load() {
		return refuse(481, "Call/Transaction Does Not Exist") // the call ends at this moment
	}
	if len(offer.Media) < len(c.lines) {
		return refuse(488, "Not Acceptable Here") // RFC 3264 8: lines do not go away
	}
	lines := make([]*leg, len(offer.Media))
	copy(lines, c.lines)
	held := true
	for i := range offer.Media {
		m := &offer.Media[i]
		switch {
		case !m.Usable():
			if i < len(c.lines) {
				continue // it falls silent; its socket stays
			}
		case lines[i] != nil:
			lines[i].use(*m, c.host(m))
		case c.count(lines) < maxLegs:
			l, err := c.newLeg(*m, c.host(m), c.side(lines, m.Label))
			if err != nil {
				return refuse(503, "Service Unavailable")
			}
			lines[i] = l
			c.lines = lines // so that silence closes it
			if c.ready.Load() {
				c.begin(l)
			}
		}
		held = held && (m.Direction == sdp.Inactive || m.Direction == sdp.RecvOnly || m.Addr.IsUnspecified()) // RFC 3264 8.4
	}
	if c.count(lines) == 0 {
		return refuse(488, "Not Acceptable Here")
	}
	c.offer, c.lines, c.held = offer, lines, held
	if c.session == 0 {
		c.session = c.recorder.session.Add(1)
	}
	return nil
}

func (c *call) begin(l *leg) {
	c.hears.Go(l.run)
	c.writes.Go(l.write)
}

func (c *call) count(lines []*leg) (n int) {
	for _, l := range lines {
		if l != nil {
			n++
		}
	}
	return n
}

// side says whose leg a new one is: the contact's label, else the order of the lines.
func (c *call) side(lines []*leg, label string) uint8 {
	want := uint8(0)
	if c.label != "" && label != c.label {
		want = 1
	}
	for _, l := range lines {
		if l != nil && l.side == want {
			return 1 - want
		}
	}
	return want
}

// host is the address that packets of a line come from and that ours go to: the one that the line names, if it is a
// peer's, else the sender of the INVITE, as behind a NAT. So nobody can make the recorder send sound to a third party.
func (c *call) host(m *sdp.Media) netip.Addr {
	if c.recorder.allow.has(m.Addr) {
		return m.Addr.Unmap()
	}
	return c.peer
}

// describe writes our answer to the last offer.
func (c *call) describe() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := sdp.Answer{Addr: c.local, Session: c.session, Version: c.version, Copy: c.isCopy, Held: c.isCopy && c.over.Load()}
	c.version++
	if c.aware || c.over.Load() {
		a.Recording = c.mode()
	}
	for i, l := range c.lines {
		port := uint16(0)
		if l != nil && c.offer.Media[i].Usable() {
			port = l.port()
		}
		a.Ports = append(a.Ports, port)
	}
	return c.offer.Write(a)
}

// run answers the call and stays with it until it ends.
func (c *call) run() {
	if c.no != nil {
		c.refused()
		return
	}
	c.mu.Lock()
	for _, l := range c.legs() {
		c.begin(l)
	}
	c.ready.Store(true)
	c.mu.Unlock()
	hungUp := false
	if c.answer() {
		c.greet()
		hungUp = c.follow()
	}
	select {
	case <-c.gone:
		hungUp = true
	default:
	}
	c.finish(hungUp)
}

// refused says no and leaves nothing behind.
func (c *call) refused() {
	c.silence()
	if c.take != nil {
		_ = c.take.Close(c.ctx)
	}
	c.recorder.reply(c.dialog.InviteRequest, c.tx, c.no.code, c.no.reason, c.no.extra...)
}

// answer says yes and waits for the ACK; false when there was none.
func (c *call) answer() bool {
	res := sip.NewSDPResponseFromRequest(c.dialog.InviteRequest, c.describe())
	c.mu.Lock()
	c.told = c.mode()
	c.mu.Unlock()
	res.AppendHeader(&c.contactHeader)
	res.AppendHeader(allow())
	res.AppendHeader(header("Supported", "siprec, record-aware"))
	c.dialog.InviteResponse = res
	return c.deliver(c.tx, res)
}

// deliver answers an INVITE with a 2xx until it is acknowledged (RFC 3261 13.3.1.4, RFC 6026 7.1); false when it never is.
func (c *call) deliver(tx sip.ServerTransaction, res *sip.Response) bool {
	limit := time.After(ackWait)
	wait := sip.T1
	for tx.Respond(res) == nil {
		again := time.After(wait)
		if sip.IsReliable(c.dialog.InviteRequest.Transport()) {
			again = nil
		}
		select {
		case <-c.acks:
			return true
		case <-c.dialog.Context().Done():
			return false
		case <-c.ctx.Done():
			return false
		case <-limit:
			return false
		case <-again:
			wait = min(2*wait, sip.T2)
		}
	}
	return false
}

// follow stays until the peer hangs up (true), or the call is to be ended from here.
func (c *call) follow() bool {
	for {
		select {
		case <-c.gone:
			return true
		case <-c.ctx.Done():
		case <-c.nudge:
			if c.tell(); !c.dead.Load() {
				continue
			}
		}
		c.hangUp()
		return false
	}
}

// finish ends the call: with a hang-up what was heard to its end may be released, in any other way it is destroyed.
func (c *call) finish(hungUp bool) {
	c.mu.Lock()
	c.ready.Store(false) // no leg is added any more
	legs := c.legs()
	c.mu.Unlock()
	for _, l := range legs {
		_ = l.conn.SetReadDeadline(time.Now().Add(linger))
	}
	if !hungUp {
		c.cancel() // of the notice
	}
	c.hears.Wait()
	for _, l := range legs {
		l.finish(hungUp)
	}
	c.writes.Wait()
	if hungUp && !c.take.State().Over() {
		if c.step(consent.Event{Kind: consent.HungUp}) == consent.Released {
			c.recorder.c.Released(c.ctx, c.ws, c.take.ID())
		}
	}
	if err := c.take.Close(c.ctx); err != nil {
		c.log("a call could not be closed; it is tried again", err)
	}
	c.silence()
}

// silence closes the sockets.
func (c *call) silence() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.legs() {
		_ = l.conn.Close()
	}
}

// shutdown destroys the call, then lets it end.
func (c *call) shutdown() {
	if c.ready.Load() {
		if !c.take.State().Over() {
			c.step(consent.Event{Kind: consent.Failed})
		}
		c.over.Store(true)
	}
	c.cancel()
}

func (c *call) wake() {
	select {
	case c.nudge <- struct{}{}:
	default:
	}
}

// look checks for a refusal over the API, and for silence.
func (c *call) look(now time.Time) {
	if !c.ready.Load() {
		return
	}
	state := c.take.State()
	if state.Over() {
		c.over.Store(true)
	}
	c.mu.Lock()
	last, held, stale := c.began, c.held, c.stale()
	for _, l := range c.legs() {
		if at := time.Unix(0, l.last.Load()); at.After(last) {
			last = at
		}
	}
	c.mu.Unlock()
	switch {
	case !state.Over() && !held && now.Sub(last) > c.recorder.c.Silence:
		c.dead.Store(true)
		c.step(consent.Event{Kind: consent.TimedOut})
	case now.Sub(c.began) > maxCall:
		c.dead.Store(true)
		c.wake()
	case stale:
		c.wake()
	}
}

// stale reports whether the peer was told another recording mode than the present one. c.mu is
// held.
func (c *call) stale() bool {
	return c.told != c.mode() || c.over.Load() && !c.toldEnd
}

// mode is the present recording mode.
func (c *call) mode() sdp.Recording {
	switch c.take.State() {
	case consent.Holding:
		return sdp.On
	case consent.Paused:
		return sdp.Paused
	}
	return sdp.Off
}

func (c *call) log(what string, err error) {
	c.recorder.c.Log.Warn(what, "error", err)
}
