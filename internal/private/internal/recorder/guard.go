package recorder

import (
	"net"
	"net/netip"
	"slices"
)

// allowed are the peers that may speak to the recorder; packets of all others are dropped.
type allowed []netip.Prefix

func (a allowed) has(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return ip.IsValid() && slices.ContainsFunc(a, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func (a allowed) hasAddr(addr net.Addr) bool {
	ap, err := netip.ParseAddrPort(addr.String())
	return err == nil && a.has(ap.Addr())
}

// guardedPackets drops datagrams of strangers before a byte of them is parsed.
type guardedPackets struct {
	net.PacketConn
	allowed allowed
}

func (g guardedPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := g.PacketConn.ReadFrom(b)
		if err != nil || g.allowed.hasAddr(from) {
			return n, from, err
		}
	}
}

// guardedListener closes connections of strangers.
type guardedListener struct {
	net.Listener
	allowed allowed
}

func (g guardedListener) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil || g.allowed.hasAddr(c.RemoteAddr()) {
			return c, err
		}
		_ = c.Close()
	}
}
