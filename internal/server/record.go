package server

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"murmur/internal/private"
	"murmur/internal/workspace"
)

// SIPConfig starts the recorder. The zero value starts none.
type SIPConfig struct {
	Listen string    // HOST:PORT for SIP over UDP and TCP; empty: no recorder
	Ports  [2]uint16 // first and last RTP port
	Allow  []netip.Prefix
}

// ReadPorts reads a range of ports, such as 20000-23999.
func ReadPorts(s string) (ports [2]uint16, err error) {
	low, high, ok := strings.Cut(s, "-")
	for i, v := range []string{low, high} {
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil || !ok || n == 0 {
			return ports, fmt.Errorf("%q is no range of ports, such as 20000-23999", s)
		}
		ports[i] = uint16(n)
	}
	if ports[0] >= ports[1] {
		return ports, fmt.Errorf("the range of ports %q ends before it begins", s)
	}
	return ports, nil
}

// startRecorder opens the recorder's ports and runs it until the node closes. It gives the address; empty: no recorder.
func (n *Node) startRecorder(ctx context.Context, c SIPConfig) (string, error) {
	if c.Listen == "" {
		return "", nil
	}
	r, err := n.zone.Recorder(private.RecorderConfig{
		Listen: c.Listen, Ports: c.Ports, Allow: c.Allow, Notices: os.DirFS(filepath.Join(n.dir.Path(), "notices")), Log: n.log,
		Released: func(ctx context.Context, ws workspace.ID, id [16]byte) { n.kickHear(ctx, ws, id) },
	})
	if err != nil {
		p := cannotListen(c.Listen, err)
		p.Hint = strings.ReplaceAll(strings.ReplaceAll(p.Hint, "--listen", "--sip"), "8377", "5060")
		return "", p
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := n.stop
	n.stop = func() { cancel(); stop() }
	n.running.Go(func() {
		if err := r.Run(ctx); err != nil {
			n.log.Error("the recorder ended", "error", err)
		}
	})
	n.sip = r.Addr().String()
	return n.sip, nil
}

// SIP is HOST:PORT of the recorder; empty: there is none.
func (n *Node) SIP() string { return n.sip }
