package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"murmur/internal/private"
	"murmur/internal/server"
)

type serveCmd struct {
	Listen    string   `default:"127.0.0.1:8377" help:"Address to listen on; 127.0.0.1:8377 by default, reached from this machine alone." placeholder:"HOST:PORT"`
	Role      string   `default:"all" enum:"all,ingest,process,lake,web,recorder" help:"What this process does. This version runs everything in one process; recorder also takes calls over SIP."`
	SIP       string   `name:"sip" help:"Take calls: address of the recorder, SIP over UDP and TCP. With --role recorder 127.0.0.1:5060, else none." placeholder:"HOST:PORT"`
	SIPAllow  []string `name:"sip-allow" help:"Who may call the recorder: addresses or networks; this machine alone by default." placeholder:"CIDR"`
	RTPPorts  string   `name:"rtp-ports" default:"20000-23999" help:"UDP ports of the recorder's media." placeholder:"LOW-HIGH"`
	AllowHost []string `name:"allow-host" help:"Hosts that workspaces may name for an API or media, private ones too; none by default." placeholder:"HOST:PORT"`
	queueFlag
	lakeFlag
	mailFlags
	signInFlags
	Listener string `help:"The transcriber of recordings, a command; the one of make voice by default." type:"path" placeholder:"PATH"`
}

// queueFlag says where facts go on their way to the lake.
type queueFlag struct {
	Queue         string `help:"Where facts go on their way to the lake: kafka://HOST:PORT[,HOST:PORT..][/PREFIX] or kafka+tls://[USER@]HOST:PORT..; none: straight into it. The data directory remembers it." placeholder:"ADDRESS"`
	QueuePassword string `name:"queue-password" help:"Password of the queue's user, or @FILE." placeholder:"P|@FILE"`
}

func (f queueFlag) password() (string, error) {
	return secret(f.QueuePassword, "the password of the queue")
}

// lakeFlag says where the files of the lake are.
type lakeFlag struct {
	Lake    string `help:"Where the lake's files are: s3://BUCKET[/PREFIX][?endpoint=https://HOST:PORT&region=R&cache=GB]; files: in the data directory. The data directory remembers it." placeholder:"ADDRESS"`
	LakeKey string `name:"lake-key" help:"Key of the bucket, ID:SECRET, or @FILE; by default what the environment says (AWS_ACCESS_KEY_ID ..), ~/.aws/credentials, or the machine's role." placeholder:"K|@FILE"`
}

func (f lakeFlag) key() (string, error) { return secret(f.LakeKey, "the key of the bucket") }

// secret gives what is said, or what is in the file that @FILE names.
func secret(said, what string) (string, error) {
	file, ok := strings.CutPrefix(said, "@")
	if !ok {
		return said, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	return strings.TrimSpace(string(b)), nil
}

func (c *serveCmd) Run(r *run) error {
	if c.Role != "all" && c.Role != "recorder" {
		return usage{errors.New("this version serves every role in one process: use --role all, or recorder to take calls as well")}
	}
	sip, err := c.sip()
	if err != nil {
		return usage{err}
	}
	for i, h := range c.AllowHost {
		if c.AllowHost[i], err = private.ParseHost(h); err != nil {
			return usage{fmt.Errorf("--allow-host: %w", err)}
		}
	}
	mailServer, err := c.mailFlags.server()
	if err != nil {
		return usage{err}
	}
	signIn, err := c.signInFlags.provider(c.PublicURL)
	if err != nil {
		return usage{err}
	}
	password, err := c.queueFlag.password()
	if err != nil {
		return usage{err}
	}
	key, err := c.lakeFlag.key()
	if err != nil {
		return usage{err}
	}
	return server.Serve(r.ctx, server.ServeConfig{Data: r.Data, Listen: c.Listen, SIP: sip, Listener: c.Listener, AllowHosts: c.AllowHost, Queue: c.Queue, QueuePassword: password, Lake: c.Lake, LakeKey: key,
		Mail: mailServer, PublicURL: strings.TrimRight(c.PublicURL, "/"), SignIn: signIn, Out: r.Out, Err: r.Err})
}

func (c *serveCmd) sip() (s server.SIPConfig, err error) {
	if s.Listen = c.SIP; s.Listen == "" && c.Role == "recorder" {
		s.Listen = "127.0.0.1:5060"
	}
	if s.Ports, err = server.ReadPorts(c.RTPPorts); err != nil {
		return s, err
	}
	for _, a := range c.SIPAllow {
		p, err := netip.ParsePrefix(a)
		if ip, e := netip.ParseAddr(a); e == nil {
			p, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil {
			return s, errors.New("--sip-allow takes addresses and networks, such as 192.0.2.7 or 192.0.2.0/24")
		}
		s.Allow = append(s.Allow, p)
	}
	return s, nil
}
