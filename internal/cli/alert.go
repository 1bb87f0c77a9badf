package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

type alertCmd struct {
	Add    alertAddCmd    `cmd:"" help:"Watch a figure and tell somebody when it leaves a range."`
	List   alertListCmd   `cmd:"" help:"List the alerts, without addresses."`
	Test   alertTestCmd   `cmd:"" help:"Send a message without figures now."`
	Remove alertRemoveCmd `cmd:"" help:"End an alert."`
}

type alertAddCmd struct {
	Insight   string `arg:"" help:"The insight by its slug, such as missed-call-rate."`
	Measure   string `help:"One measure of it; that of its headline by default." placeholder:"NAME"`
	Below     string `help:"Alert when a figure is below this: 20% for a share, 5m for a time, a number (--below=-20 for one below zero). Without both limits: when it is outside its usual range." placeholder:"VALUE"`
	Above     string `help:"Alert when a figure is above this." placeholder:"VALUE"`
	Mail      string `help:"Send alerts by mail to this address; - reads it from stdin." placeholder:"ADDRESS"`
	Webhook   string `help:"Send alerts to a program, signed by Standard Webhooks; - reads the address from stdin." placeholder:"URL"`
	Slack     string `help:"Send alerts to a chat that takes Slack's incoming webhooks; - reads the address from stdin." placeholder:"URL"`
	As        string `default:"viewer" env:"MURMUR_ALERT_AS" enum:"owner,viewer" help:"Whose figures: the owner's, or a viewer's with noise on every count."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *alertAddCmd) Run(r *run) error {
	a := rpc.AlertArgs{Workspace: c.Workspace, Insight: c.Insight, Measure: c.Measure, Below: c.Below, Above: c.Above, As: workspace.Role(c.As)}
	ways := 0
	for _, w := range []struct {
		way workspace.Way
		to  string
	}{{workspace.ByMail, c.Mail}, {workspace.ByWebhook, c.Webhook}, {workspace.BySlack, c.Slack}} {
		if w.to != "" {
			a.Way, a.To = w.way, w.to
			ways++
		}
	}
	if ways != 1 {
		return usage{errors.New("give one of --mail, --webhook and --slack")}
	}
	if a.To == "-" {
		b, err := io.ReadAll(io.LimitReader(r.In, 4<<10))
		if err != nil {
			return err
		}
		a.To = strings.TrimSpace(string(b))
	}
	var made rpc.AlertMade
	if err := r.do("alert-add", a, &made); err != nil {
		return err
	}
	return r.print(made, func(w io.Writer) {
		fmt.Fprintf(w, "Alert %s is looked at every morning while a server runs. murmur alert test %s sends a message now.\n", made.ID, made.ID)
		if made.Secret != "" {
			fmt.Fprintf(w, "The receiver verifies messages with this secret, shown once: %s\n", made.Secret)
		}
	})
}

type alertListCmd struct {
	Workspace string `default:"default" help:"Workspace."`
}

func (c *alertListCmd) Run(r *run) error {
	list := []rpc.AlertListed{}
	if err := r.do("alert-list", rpc.WorkspaceArgs{Workspace: c.Workspace}, &list); err != nil {
		return err
	}
	return r.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "There is no alert yet: murmur alert add missed-call-rate --mail ADDRESS")
			return
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "ID\tFIGURE\tRANGE\tBY\tAS\tLAST WEEK TOLD\tLAST TAKEN\tLAST FAILURE")
		for _, a := range list {
			sent := "-"
			if a.Sent != nil {
				sent = a.Sent.Format(time.DateOnly)
			}
			fmt.Fprintf(t, "%s\t%s/%s\t%s\t%s %s\t%s\t%s\t%s\t%s\n", a.ID, a.Watch.Insight, a.Watch.Measure, rangeText(a.Watch), a.Way, a.Host, a.Role, dash(a.Fired), sent, dash(a.Failed))
		}
		_ = t.Flush()
	})
}

func rangeText(w workspace.Watch) string {
	low, high := "-", "-"
	if w.Below != nil {
		low = fmt.Sprintf("%g", *w.Below)
	}
	if w.Above != nil {
		high = fmt.Sprintf("%g", *w.Above)
	}
	if w.Usual() {
		return "usual"
	}
	return low + " to " + high
}

type alertTestCmd struct {
	ID        string `arg:"" help:"The id that murmur alert list shows."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *alertTestCmd) Run(r *run) error {
	var a rpc.Revoked
	if err := r.do("alert-test", rpc.RevokeArgs{Workspace: c.Workspace, ID: c.ID}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, "The receiver of %s took the message.\n", a.ID) })
}

type alertRemoveCmd struct {
	ID        string `arg:"" help:"The id that murmur alert list shows."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *alertRemoveCmd) Run(r *run) error {
	var a rpc.Revoked
	if err := r.do("alert-remove", rpc.RevokeArgs{Workspace: c.Workspace, ID: c.ID}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, "Alert %s is ended.\n", a.ID) })
}
