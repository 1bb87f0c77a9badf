package recorder

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"murmur/internal/private/internal/personal"
	"murmur/internal/private/internal/recorder/sdp"
	"murmur/internal/private/internal/recorder/siprec"
	"murmur/internal/private/internal/recording"
	"murmur/internal/workspace"
)

// refusal is an answer other than yes.
type refusal struct {
	code   int
	reason string
	extra  []sip.Header
}

func refuse(code int, reason string, extra ...sip.Header) *refusal {
	return &refusal{code, reason, extra}
}

func header(name, value string) sip.Header { return sip.NewHeader(name, value) }

func allow() sip.Header { return header("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE") }

// accepts is what a call may begin with (RFC 7866 9.1).
func accepts() sip.Header {
	return header("Accept", "application/sdp, application/rs-metadata+xml, multipart/mixed")
}

// reply answers a request. The transaction takes care that it arrives.
func (r *Recorder) reply(req *sip.Request, tx sip.ServerTransaction, code int, reason string, extra ...sip.Header) {
	res := sip.NewResponseFromRequest(req, code, reason, nil)
	for _, h := range extra {
		res.AppendHeader(h)
	}
	if tx.Respond(res) != nil {
		tx.Terminate()
	}
}

// whole reports whether a request has what every answer is made of; the library's parser asks for less.
func whole(req *sip.Request) bool {
	return req.Via() != nil && req.From() != nil && req.To() != nil && req.CallID() != nil && req.CSeq() != nil && len(req.CallID().Value()) <= 256
}

func (r *Recorder) onInvite(req *sip.Request, tx sip.ServerTransaction) {
	if !whole(req) || req.Contact() == nil {
		r.reply(req, tx, 400, "Bad Request")
		return
	}
	if _, inDialog := req.To().Params.Get("tag"); inDialog {
		r.again(req, tx)
		return
	}
	c, no := r.offered(req, tx)
	if no != nil {
		r.reply(req, tx, no.code, no.reason, no.extra...)
		return
	}
	defer r.remove(c)
	c.run()
}

// offered reads an INVITE and makes the call that it asks for. A call that it gives must be run and removed.
func (r *Recorder) offered(req *sip.Request, tx sip.ServerTransaction) (*call, *refusal) {
	if no := required(req); no != nil {
		return nil, no
	}
	offer, metadata, isCopy, no := described(req)
	if no != nil {
		return nil, no
	}
	if !r.routed(req) {
		return nil, refuse(403, "Forbidden")
	}
	peer, err := netip.ParseAddrPort(req.Source())
	if err != nil {
		return nil, refuse(400, "Bad Request")
	}
	c := &call{recorder: r, isCopy: isCopy, peer: peer.Addr().Unmap(), tx: tx, ended: make(chan struct{}), nudge: make(chan struct{}, 1), acks: make(chan struct{}, 4), gone: make(chan struct{})}
	c.aware = supports(req, "record-aware")
	ws, err := r.c.Workspace(r.context(), workspaceName(req.Recipient.User))
	if err != nil {
		return nil, refuse(404, "Not Found")
	}
	c.ws = ws
	c.contact, c.others, c.label = contactOf(req, metadata)
	c.id = metadata.Session
	if c.id == "" {
		c.id = req.CallID().Value()
	}
	if c.local, err = r.local(c.peer); err != nil {
		return nil, refuse(500, "Server Internal Error")
	}
	return r.begin(c, req, offer)
}

// routed reports whether our requests in the call will go to a peer: they go where the INVITE came from or, with a route
// set, to its first member, which could be anybody.
func (r *Recorder) routed(req *sip.Request) bool {
	routes := req.GetHeaders("Record-Route")
	if len(routes) == 0 {
		return true
	}
	probe := sip.NewRequest(sip.BYE, req.Recipient) // as the library will make ours
	probe.AppendHeader(header("Route", routes[0].Value()))
	first := probe.Route()
	if first == nil {
		return false
	}
	ip, err := netip.ParseAddr(strings.Trim(first.Address.Host, "[]"))
	return err == nil && r.allow.has(ip)
}

// begin asks for consent, opens the ports and takes the call on.
func (r *Recorder) begin(c *call, req *sip.Request, offer sdp.Description) (*call, *refusal) {
	c.contactHeader = sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "murmur", Host: hostOf(c.local), Port: int(r.addr.Port())}}
	if strings.EqualFold(req.Transport(), "tcp") {
		c.contactHeader.Address.UriParams = sip.NewParams()
		c.contactHeader.Address.UriParams.Add("transport", "tcp")
	}
	if c.isCopy {
		c.contactHeader.Params = sip.NewParams()
		c.contactHeader.Params.Add("+sip.srs", "") // RFC 7866 6.1.1
	}
	var err error
	agent := &sipgo.DialogUA{Client: r.client, ContactHDR: c.contactHeader, RewriteContact: true}
	if c.dialog, err = agent.ReadInvite(req, c.tx); err != nil {
		return nil, refuse(400, "Bad Request")
	}
	c.began = r.c.Now()
	if no := c.fit(offer); no != nil {
		c.silence()
		return nil, no
	}
	if !r.add(c) {
		c.silence()
		return nil, refuse(503, "Service Unavailable", header("Retry-After", "30"))
	}
	c.take, err = r.c.Begin(c.ctx, Call{Workspace: c.ws, ID: c.id, Contact: c.contact, Others: c.others, At: c.began})
	switch {
	case errors.Is(err, recording.ErrBusy):
		c.no = refuse(482, "Loop Detected") // the same call twice: RFC 3261 8.2.2.2
	case err != nil:
		c.no = refuse(503, "Service Unavailable", header("Retry-After", "30"))
	default:
		c.heed(offer)
		if c.take.State().Over() {
			c.no = refuse(603, "Decline")
		}
	}
	return c, nil
}

func hostOf(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// required refuses what we cannot do (RFC 3261 8.2.2.3).
func required(req *sip.Request) *refusal {
	var unknown []string
	for _, h := range req.GetHeaders("Require") {
		for name := range strings.SplitSeq(h.Value(), ",") {
			switch name = strings.TrimSpace(name); strings.ToLower(name) {
			case "siprec", "record-aware", "":
			default:
				unknown = append(unknown, name)
			}
		}
	}
	if len(unknown) > 0 {
		return refuse(420, "Bad Extension", header("Unsupported", strings.Join(unknown, ", ")))
	}
	return nil
}

func supports(req *sip.Request, option string) bool {
	for _, name := range []string{"Supported", "Require"} {
		for _, h := range req.GetHeaders(name) {
			for o := range strings.SplitSeq(h.Value(), ",") {
				if strings.EqualFold(strings.TrimSpace(o), option) {
					return true
				}
			}
		}
	}
	return false
}

// described reads the body of an INVITE.
func described(req *sip.Request) (sdp.Description, siprec.Metadata, bool, *refusal) {
	kind := ""
	if h := req.ContentType(); h != nil {
		kind = h.Value()
	}
	body, xml, err := siprec.Split(kind, req.Body())
	if errors.Is(err, siprec.ErrType) {
		return sdp.Description{}, siprec.Metadata{}, false, refuse(415, "Unsupported Media Type", accepts())
	}
	if err != nil {
		return sdp.Description{}, siprec.Metadata{}, false, refuse(400, "Bad Request")
	}
	var m siprec.Metadata
	if xml != nil {
		if m, err = siprec.Read(xml); err != nil {
			return sdp.Description{}, m, false, refuse(400, "Bad Request")
		}
	}
	d, err := sdp.Parse(body)
	if err != nil {
		return d, m, false, refuse(400, "Bad Request")
	}
	return d, m, xml != nil, nil
}

// workspaceName is the user part of the address that was called; "murmur" and nothing mean the default workspace.
func workspaceName(user string) string {
	if user == "" || user == "murmur" {
		return workspace.Default.String()
	}
	return user
}

// contactOf says who the outside party is and the label of its stream. Of the participants of a copy it is the first
// one with a whole telephone number, for extensions are short and agents have names; else the first. others are further
// ones with a whole number: consent is asked of each.
func contactOf(req *sip.Request, m siprec.Metadata) (contact personal.Value, others []personal.Value, label string) {
	if len(m.Parties) == 0 {
		return personal.New(req.From().Address.String()), nil, ""
	}
	who := m.Parties[0]
	for _, p := range m.Parties {
		if p.Number {
			who = p
			break
		}
	}
	if len(who.Labels) > 0 {
		label = who.Labels[0]
	}
	for _, p := range m.Parties {
		if p.Number && p.Address != who.Address {
			others = append(others, p.Address)
		}
	}
	return who.Address, others, label
}
