package recorder

import (
	"context"
	"strings"

	"github.com/emiago/sipgo/sip"

	"murmur/internal/fact"
)

// again takes a re-INVITE (RFC 3261 14.2).
func (r *Recorder) again(req *sip.Request, tx sip.ServerTransaction) {
	c := r.find(req)
	if c == nil {
		r.reply(req, tx, 481, "Call/Transaction Does Not Exist")
		return
	}
	body, no := c.renew(req, tx)
	if no != nil {
		r.reply(req, tx, no.code, no.reason, no.extra...)
		return
	}
	res := sip.NewSDPResponseFromRequest(req, body)
	res.AppendHeader(&c.contactHeader)
	res.AppendHeader(allow())
	c.deliver(tx, res)
}

// renew takes a later offer and gives our answer.
func (c *call) renew(req *sip.Request, tx sip.ServerTransaction) ([]byte, *refusal) {
	if !c.ready.Load() || c.asking.Load() {
		return nil, refuse(491, "Request Pending")
	}
	if c.stormy() || c.dialog.ReadRequest(req, tx) != nil {
		return nil, refuse(500, "Server Internal Error", header("Retry-After", "10"))
	}
	if len(req.Body()) > 0 {
		offer, _, _, no := described(req)
		if no == nil {
			no = c.fit(offer)
		}
		if no != nil {
			return nil, no
		}
		c.settle(c.heed(offer))
	}
	return c.describe(), nil
}

// stormy reports more re-INVITEs than a call can need.
func (c *call) stormy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.recorder.c.Now(); now.Sub(c.window) > stormTime {
		c.window, c.inWindow = now, 0
	}
	c.inWindow++
	return c.inWindow > stormSize
}

func (r *Recorder) onUpdate(req *sip.Request, tx sip.ServerTransaction) {
	c := r.within(req, tx)
	if c == nil {
		return
	}
	body, no := c.renew(req, tx)
	switch {
	case no != nil:
		r.reply(req, tx, no.code, no.reason, no.extra...)
	case len(req.Body()) == 0:
		r.reply(req, tx, 200, "OK")
	default:
		_ = tx.Respond(sip.NewSDPResponseFromRequest(req, body))
	}
}

// within finds the call of a request inside a dialog, or answers that there is none.
func (r *Recorder) within(req *sip.Request, tx sip.ServerTransaction) *call {
	if !whole(req) {
		r.reply(req, tx, 400, "Bad Request")
		return nil
	}
	c := r.find(req)
	if c == nil {
		r.reply(req, tx, 481, "Call/Transaction Does Not Exist")
	}
	return c
}

func (r *Recorder) onAck(req *sip.Request, tx sip.ServerTransaction) {
	if !whole(req) {
		return
	}
	if c := r.find(req); c != nil && c.dialog.ReadAck(req, tx) == nil {
		select {
		case c.acks <- struct{}{}:
		default:
		}
	}
}

func (r *Recorder) onBye(req *sip.Request, tx sip.ServerTransaction) {
	c := r.within(req, tx)
	if c == nil {
		return
	}
	if c.dialog.ReadBye(req, tx) != nil {
		r.reply(req, tx, 500, "Server Internal Error")
		return
	}
	c.bye.Do(func() { close(c.gone) })
}

// onCancel answers a CANCEL that no INVITE waits for: ours are answered at once.
func (r *Recorder) onCancel(req *sip.Request, tx sip.ServerTransaction) {
	r.reply(req, tx, 481, "Call/Transaction Does Not Exist")
}

func (r *Recorder) onOptions(req *sip.Request, tx sip.ServerTransaction) {
	r.reply(req, tx, 200, "OK", allow(), accepts(), header("Supported", "siprec, record-aware"))
}

// onInfo takes keys from telephony that sends them beside the media.
func (r *Recorder) onInfo(req *sip.Request, tx sip.ServerTransaction) {
	c := r.within(req, tx)
	if c == nil {
		return
	}
	kind := ""
	if h := req.ContentType(); h != nil {
		kind = h.Value()
	}
	key, ok := infoKey(kind, req.Body())
	if !ok {
		r.reply(req, tx, 415, "Unsupported Media Type", header("Accept", "application/dtmf-relay, application/dtmf"))
		return
	}
	if c.ready.Load() {
		by := fact.SideContact
		if c.isCopy {
			by = 0 // either side's
		}
		c.key(key, by)
	}
	r.reply(req, tx, 200, "OK")
}

// infoKey reads the two customary bodies, whatever they are called: "Signal=9" lines, and the key alone.
func infoKey(kind string, body []byte) (byte, bool) {
	kind, _, _ = strings.Cut(strings.ToLower(kind), ";")
	text := strings.TrimSpace(string(body))
	if kind = strings.TrimSpace(kind); kind != "application/dtmf-relay" && kind != "application/dtmf" {
		return 0, false
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, "=")
		if strings.EqualFold(strings.TrimSpace(name), "signal") {
			text = strings.TrimSpace(value)
			break
		}
	}
	switch text = strings.ToUpper(text); text {
	case "10":
		text = "*"
	case "11":
		text = "#"
	}
	if len(text) != 1 || !strings.Contains("0123456789*#ABCD", text) {
		return 0, false
	}
	return text[0], true
}

// maxTries is how often a re-INVITE that failed is tried again.
const maxTries = 5

// tell sends a re-INVITE when what the peer heard about recording is not true any more. That a recording is over is told
// to everybody, the rest to peers that understand it (RFC 7866 6.3).
func (c *call) tell() {
	c.mu.Lock()
	is, over := c.mode(), c.over.Load()
	if !c.aware && !over {
		c.told = is
	}
	silent := !c.stale() || c.tries == maxTries || c.dead.Load()
	c.mu.Unlock()
	if silent {
		return
	}
	code := c.ask()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case code/100 == 2:
		c.told, c.toldEnd, c.tries = is, over, 0
	case code == 481 || code == 408: // the dialog is gone: RFC 3261 12.2.1.2
		c.dead.Store(true)
		c.wake()
	default: // 491 and the rest: look comes by again
		c.tries++
	}
}

// ask sends the re-INVITE and gives the code of the answer; 0: none.
func (c *call) ask() int {
	c.asking.Store(true)
	defer c.asking.Store(false)
	ctx, cancel := context.WithTimeout(c.ctx, ackWait)
	defer cancel()
	defer context.AfterFunc(c.dialog.Context(), cancel)() // a hang-up does not wait for the answer
	req := sip.NewRequest(sip.INVITE, c.dialog.InviteRequest.Contact().Address)
	req.AppendHeader(header("Content-Type", "application/sdp"))
	req.AppendHeader(allow())
	req.SetBody(c.describe())
	res, err := c.dialog.Do(ctx, req)
	if err != nil {
		return 0
	}
	if res.IsSuccess() {
		ack := sip.NewRequest(sip.ACK, c.dialog.InviteRequest.Contact().Address)
		_ = c.dialog.WriteRequest(ack)
	}
	return int(res.StatusCode)
}

// hangUp says BYE; the peer may be gone.
func (c *call) hangUp() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), byeWait)
	defer cancel()
	_ = c.dialog.Bye(ctx)
}
