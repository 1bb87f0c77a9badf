package recorder

import (
	"errors"
	"net"
	"net/netip"
	"sync"
)

// errNoPort means that every port of the range is in use.
var errNoPort = errors.New("recorder: no RTP port is free")

// ports hands out the even ports of a range (RFC 3550 11), one a leg, or any port when the range is empty.
type ports struct {
	low, high uint16

	mu   sync.Mutex
	next uint16
}

func (p *ports) listen(host netip.Addr) (*net.UDPConn, error) {
	if p.low == 0 {
		return net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	}
	first := p.low + p.low%2
	for range (int(p.high)-int(first))/2 + 1 {
		p.mu.Lock()
		if p.next < first || p.next > p.high {
			p.next = first
		}
		port := p.next
		if p.next += 2; p.next < port { // past 65535
			p.next = first
		}
		p.mu.Unlock()
		if c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, port))); err == nil {
			return c, nil
		}
	}
	return nil, errNoPort
}
