package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/digest"
	"murmur/internal/mail"
	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// The letter of a week goes out on Monday from digestHour on, in the workspace's time zone, and is tried every digestEvery
// until it was taken or digestDays have passed.
const (
	digestHour  = 8
	digestDays  = 3
	digestEvery = 30 * time.Minute
)

// digest writes the letter that would be mailed now.
func (n *Node) digest(ctx context.Context, a rpc.DigestArgs) (digest.Letter, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return digest.Letter{}, err
	}
	role := workspace.Owner
	if a.As == "viewer" {
		role = workspace.Viewer
	}
	week, err := n.lastWeek(ctx, ws)
	if err != nil {
		return digest.Letter{}, err
	}
	return n.letter(ctx, ws, week, role, "")
}

// lastWeek is the Monday of the last week that is over in a workspace's time zone.
func (n *Node) lastWeek(ctx context.Context, ws workspace.ID) (time.Time, error) {
	p, err := n.store.Policy(ctx, ws)
	if err != nil {
		return time.Time{}, err
	}
	return digest.Last(n.now().In(p.Zone())), nil
}

func (n *Node) letter(ctx context.Context, ws workspace.ID, monday time.Time, role workspace.Role, unsubscribe string) (digest.Letter, error) {
	as := release.Others
	if role == workspace.Owner {
		as = release.Owner
	}
	figures, err := n.Figures(ctx, ws, "", as)
	if err != nil {
		return digest.Letter{}, err
	}
	week := digest.Week{Workspace: ws.String(), Begins: monday, Figures: figures, Pages: n.public, Unsubscribe: unsubscribe}
	if role == workspace.Owner { // only the owner can check the ledger
		c, err := n.ledger.Checkpoint(ctx)
		if err != nil {
			return digest.Letter{}, err
		}
		if c.Size > 0 {
			week.Checkpoint = strings.TrimSpace(c.String())
		}
	}
	return week.Write()
}

func (n *Node) subscribe(ctx context.Context, a rpc.SubscribeArgs) (workspace.Subscriber, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return workspace.Subscriber{}, err
	}
	address, err := mail.Address(a.Address)
	if err != nil {
		return workspace.Subscriber{}, err
	}
	return n.store.Subscribe(ctx, ws, address, a.Role)
}

func (n *Node) subscribers(ctx context.Context, a rpc.WorkspaceArgs) ([]workspace.Subscriber, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	return n.store.Subscribers(ctx, ws)
}

func (n *Node) unsubscribe(ctx context.Context, a rpc.RevokeArgs) (rpc.Revoked, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.Revoked{}, err
	}
	return rpc.Revoked{ID: a.ID}, n.store.RemoveSubscriber(ctx, ws, a.ID)
}

// digestArgs is the job that mails what is due.
type digestArgs struct{}

func (digestArgs) Kind() string { return "mail-digests" }

// mailDigests mails the week that is over to every subscriber who does not have it yet. A subscriber who cannot be reached delays
// the others by the mail server's time-out at most. A letter may be sent twice when the process dies between the mail server's
// answer and the note of it; both have one Message-ID.
func (n *Node) mailDigests(ctx context.Context) error {
	if n.mail == nil {
		return nil
	}
	return n.eachWorking(ctx, "digest", func(ws workspace.ID) error {
		monday, err := n.lastWeek(ctx, ws)
		if err != nil {
			return err
		}
		begins := monday.AddDate(0, 0, 7)
		from := time.Date(begins.Year(), begins.Month(), begins.Day(), digestHour, 0, 0, 0, begins.Location())
		if now := n.now(); now.Before(from) || now.After(from.AddDate(0, 0, digestDays)) {
			return nil
		}
		all, err := n.store.Subscribers(ctx, ws)
		if err != nil {
			return err
		}
		week := monday.Format(time.DateOnly)
		for _, sub := range all {
			if sub.Sent >= week || !sub.Created.Before(from) { // a later subscriber begins with the next week
				continue
			}
			if err := n.mailTo(ctx, ws, sub, monday); err != nil {
				return err
			}
		}
		return nil
	})
}

// mailTo mails one letter. What the mail server refuses is noted and is no error of the workspace.
func (n *Node) mailTo(ctx context.Context, ws workspace.ID, sub workspace.Subscriber, monday time.Time) error {
	end := n.unsubscribeURL(sub.Ender)
	letter, err := n.letter(ctx, ws, monday, sub.Role, end)
	if err != nil {
		return err
	}
	week := monday.Format(time.DateOnly)
	err = n.mail.Send(ctx, mail.Message{
		To: sub.Address, Subject: letter.Subject, Text: letter.Text, HTML: letter.HTML,
		ID: fmt.Sprintf("week-%s-%s@murmur.invalid", week, sub.ID), Unsubscribe: end,
	})
	why := ""
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, mail.ErrAddress):
		why = mail.ErrAddress.Error()
	case err != nil:
		why = mail.ErrUnsent.Error()
	}
	if why != "" {
		n.log.Warn("a week could not be mailed", "workspace", ws.String(), "subscriber", sub.ID, "error", err)
	}
	return n.store.Mailed(ctx, sub, week, why)
}

// unsubscribeURL is the address that ends mails; empty where the server was not told its own.
func (n *Node) unsubscribeURL(ender string) string {
	if n.public == "" {
		return ""
	}
	return n.public + "/unsubscribe/" + ender
}

// mailing says whether the last letters of a workspace were taken.
func (n *Node) mailing(ctx context.Context, name string, say func(name string, ok bool, hint, format string, args ...any)) error {
	all, err := n.subscribers(ctx, rpc.WorkspaceArgs{Workspace: name})
	if err != nil || len(all) == 0 {
		return err
	}
	failed := 0
	for _, sub := range all {
		if sub.Failed != "" {
			failed++
		}
	}
	say("digest of "+name, failed == 0, "murmur digest list says why; serve --smtp names the mail server", "%d subscribers, %d of whom the last letter did not reach", len(all), failed)
	return nil
}
