package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"murmur/internal/digest"
	"murmur/internal/mail"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

type digestCmd struct {
	Preview digestPreviewCmd `cmd:"" default:"withargs" help:"Print the letter of the last week that is over (the word preview may be left out)."`
	Add     digestAddCmd     `cmd:"" help:"Mail the letter to an address every Monday."`
	List    digestListCmd    `cmd:"" help:"List who gets the letter, without addresses."`
	Remove  digestRemoveCmd  `cmd:"" help:"End the letters to one of them."`
}

type digestPreviewCmd struct {
	Workspace string `default:"default" help:"Workspace."`
	As        string `default:"owner" env:"MURMUR_DIGEST_AS" enum:"owner,viewer" help:"Whose letter: the owner's, or a viewer's with noise on every count."`
	Preview   bool   `help:"Print the letter as it would be mailed; this verb does nothing else."`
	HTML      bool   `name:"html" help:"Print its HTML form."`
}

func (c *digestPreviewCmd) Run(r *run) error {
	var l digest.Letter
	if err := r.do("digest", rpc.DigestArgs{Workspace: c.Workspace, As: c.As}, &l); err != nil {
		return err
	}
	return r.print(l, func(w io.Writer) {
		if c.HTML {
			fmt.Fprint(w, l.HTML)
			return
		}
		fmt.Fprintf(w, "Subject: %s\n\n%s", l.Subject, l.Text)
	})
}

type digestAddCmd struct {
	Address   string `arg:"" help:"E-mail address; - reads it from stdin."`
	Workspace string `default:"default" help:"Workspace."`
	As        string `default:"viewer" env:"MURMUR_DIGEST_ROLE" enum:"owner,viewer" help:"Whose figures: the owner's, or a viewer's with noise on every count."`
}

func (c *digestAddCmd) Run(r *run) error {
	if c.Address == "-" {
		b, err := io.ReadAll(io.LimitReader(r.In, 1<<10))
		if err != nil {
			return err
		}
		c.Address = strings.TrimSpace(string(b))
	}
	var sub workspace.Subscriber
	if err := r.do("digest-add", rpc.SubscribeArgs{Workspace: c.Workspace, Address: c.Address, Role: workspace.Role(c.As)}, &sub); err != nil {
		return err
	}
	return r.print(sub, func(w io.Writer) {
		fmt.Fprintf(w, "Subscriber %s gets the next week on Monday, once a server runs with --smtp.\n", sub.ID)
	})
}

type digestListCmd struct {
	Workspace string `default:"default" help:"Workspace."`
}

func (c *digestListCmd) Run(r *run) error {
	list := []workspace.Subscriber{}
	if err := r.do("digest-list", rpc.WorkspaceArgs{Workspace: c.Workspace}, &list); err != nil {
		return err
	}
	return r.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "Nobody gets the letter yet: murmur digest add ADDRESS")
			return
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "ID\tROLE\tSINCE\tLAST WEEK SENT\tLAST FAILURE")
		for _, s := range list {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.Role, s.Created.Format(time.DateOnly), dash(s.Sent), dash(s.Failed))
		}
		_ = t.Flush()
	})
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

type digestRemoveCmd struct {
	ID        string `arg:"" help:"The id that murmur digest list shows."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *digestRemoveCmd) Run(r *run) error {
	var a rpc.Revoked
	if err := r.do("digest-remove", rpc.RevokeArgs{Workspace: c.Workspace, ID: c.ID}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, "%s gets no more letters.\n", a.ID) })
}

// mailFlags name the mail server of serve.
type mailFlags struct {
	SMTP         string `name:"smtp" help:"Mail the weekly letters by this server: smtp://USER@HOST:587 (STARTTLS) or smtps://USER@HOST:465. None: they are not mailed." placeholder:"URL"`
	SMTPPassword string `name:"smtp-password" help:"Password of the mail server, or @FILE." placeholder:"P|@FILE"`
	MailFrom     string `name:"mail-from" help:"Sender of the letters." placeholder:"ADDRESS"`
	PublicURL    string `name:"public-url" help:"Where readers reach the pages, for the links in letters." placeholder:"URL"`
}

func (f mailFlags) server() (*mail.Server, error) {
	if f.SMTP == "" {
		return nil, nil
	}
	password := f.SMTPPassword
	if file, ok := strings.CutPrefix(password, "@"); ok {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the password of the mail server: %w", err)
		}
		password = strings.TrimSpace(string(b))
	}
	if f.MailFrom == "" {
		return nil, errors.New("--smtp needs --mail-from, the sender of the letters")
	}
	s, err := mail.ParseServer(f.SMTP, password, f.MailFrom)
	return &s, err
}
