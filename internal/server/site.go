package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"murmur/internal/crowd/release"
	"murmur/internal/explain"
	"murmur/internal/fact"
	"murmur/internal/insight"
	"murmur/internal/private"
	"murmur/internal/private/anon"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// site is the node as the pages and the API see it: it implements the interfaces of package web.
type site struct{ *Node }

func webErr(err error) error {
	switch {
	case errors.Is(err, workspace.ErrNotFound), err != nil && explain.Of(err).Status == http.StatusNotFound:
		return web.ErrNotFound
	case errors.Is(err, private.ErrNobody), errors.Is(err, private.ErrContact), errors.Is(err, private.ErrVia), errors.Is(err, workspace.ErrBadID), errors.Is(err, workspace.ErrExists),
		errors.Is(err, workspace.ErrWorks), errors.Is(err, workspace.ErrDeleting), errors.Is(err, workspace.ErrDefault), errors.Is(err, workspace.ErrLimits):
		return unacceptable{err}
	}
	return err
}

// unacceptable is an input that was not accepted: what is wrong with it and what to do, in one line.
type unacceptable struct{ why error }

func (r unacceptable) Error() string {
	p := explain.Of(r.why)
	if p.Hint == "" {
		return p.Message
	}
	return p.Message + ": " + p.Hint
}

func (r unacceptable) Unwrap() []error { return []error{web.ErrInput, r.why} }

// Token, Redeem, Session and End are web.Keys. Owners of the default workspace may make workspaces.
func (s site) Token(ctx context.Context, token web.Hash) (web.Access, error) {
	ws, role, err := s.store.Token(ctx, token)
	if err != nil {
		return web.Access{}, noAccess(err)
	}
	return web.Access{Workspace: ws, Role: web.Role(role), Operator: ws == workspace.Default && role == workspace.Owner}, s.suspended(ctx, ws)
}

func (s site) Redeem(ctx context.Context, link, session web.Hash) error {
	return noAccess(s.store.Redeem(ctx, link, session, web.LinkLife))
}

func (s site) Session(ctx context.Context, session web.Hash) (web.Access, error) {
	ws, err := s.store.Session(ctx, session, web.SessionLife)
	if err != nil {
		return web.Access{}, noAccess(err)
	}
	return web.Access{Workspace: ws, Role: web.Owner, Operator: ws == workspace.Default}, s.suspended(ctx, ws)
}

// suspended is web.ErrSuspended for a workspace that is.
func (s site) suspended(ctx context.Context, ws workspace.ID) error {
	rests, err := s.rests(ctx, ws)
	if err == nil && rests {
		err = web.ErrSuspended
	}
	return err
}

func (s site) Start(ctx context.Context, ws workspace.ID, session web.Hash) error {
	if err := s.store.StartSession(ctx, ws, session); err != nil {
		return err
	}
	return s.accessed(ctx, ws, "token")
}

func (s site) End(ctx context.Context, session web.Hash) error {
	return s.store.EndSession(ctx, session)
}

func (s site) Passes(ctx context.Context, ws workspace.ID) ([]workspace.Pass, error) {
	return s.store.Passes(ctx, ws, web.SessionLife)
}

func (s site) Revoke(ctx context.Context, ws workspace.ID, id string) error {
	_, err := s.revoke(ctx, rpc.RevokeArgs{Workspace: ws.String(), ID: id})
	return webErr(err)
}

// Unsubscribe is web.Letters.
func (s site) Unsubscribe(ctx context.Context, ender web.Hash) error {
	err := s.store.Unsubscribe(ctx, ender)
	if errors.Is(err, workspace.ErrNotFound) {
		err = s.store.EndAlert(ctx, ender)
	}
	return webErr(err)
}

func noAccess(err error) error {
	if errors.Is(err, workspace.ErrNotFound) {
		return web.ErrNoAccess
	}
	return err
}

func (s site) Figures(ctx context.Context, ws workspace.ID, slug string, as web.Role) ([]insight.Figure, error) {
	switch as {
	case web.Owner:
		return s.Node.Figures(ctx, ws, slug, release.Owner)
	case web.Outside:
		return s.Node.Outside(ctx, ws, slug)
	}
	return s.Node.Figures(ctx, ws, slug, release.Others)
}

func (s site) Status(ctx context.Context, ws workspace.ID) (web.WorkspaceStatus, error) {
	all, err := s.journal.Counts(ctx)
	if err != nil {
		return web.WorkspaceStatus{}, err
	}
	return s.statusOf(ctx, ws, all[ws])
}

func (s site) Lag(ctx context.Context, _ workspace.ID) (web.Lag, error) {
	b, err := s.journal.Backlog(ctx)
	l := web.Lag{Waiting: b.Pending}
	if !b.Oldest.IsZero() {
		l.Oldest = s.now().Sub(b.Oldest)
	}
	return l, err
}

func (s site) Quarantine(ctx context.Context, ws workspace.ID) ([]web.Quarantine, error) {
	reasons, err := s.journal.Reasons(ctx, ws, fact.Quarantined)
	var out []web.Quarantine
	for _, r := range reasons {
		out = append(out, web.Quarantine{Reason: r.Why.String(), Words: words(r.Why), Deliveries: r.Deliveries, Oldest: r.Oldest})
	}
	return out, err
}

// words say what a reason means and what to do.
func words(w fact.Why) string {
	switch w {
	case fact.WhyNotJSON, fact.WhyTooDeep, fact.WhyDuplicateKey, fact.WhyEncoding:
		return "The body is not well-formed JSON. Look at what the source sends."
	case fact.WhyUnknownType:
		return "The source sent a type this version does not know. Replay after an update."
	case fact.WhyBadField, fact.WhyNoScore:
		return "A field is missing or has an impossible value."
	case fact.WhyBadTime:
		return "The time is before 2000 or in the future: check the clock of the sender."
	case fact.WhyNotVerified:
		return "The masked text did not pass the second look. It stays sealed; replay after an update of the redactor."
	case fact.WhyLanguage:
		return "Most of the text is in a language the redactor does not know. It stays sealed; replay after an update of the redactor."
	case fact.WhyUnsealed:
		return "The seal did not open: the key of that day is gone, or the file was changed."
	case fact.WhyTooLarge:
		return "The delivery is larger than the limit."
	case fact.WhySignature:
		return "A signature or hash inside does not match: somebody changed it after it was signed."
	case fact.WhyEncrypted:
		return "It is encrypted. Import it again with its key."
	case fact.WhyFailed:
		return "murmur failed to process it, and processed the others. The log has the error; replay after an update."
	case fact.WhyKeys:
		return "The keys of this workspace are missing or damaged: murmur verify names them. Restore them, then replay."
	case fact.WhyContact:
		return "The address cannot be read and may belong to somebody who refused. Correct it at the source."
	case fact.WhyNoCall:
		return "These words do not name their call, murmur did not find it, and somebody may have refused it. Send the call's id with them."
	case fact.WhyUnheard:
		return "The recording is in a format that cannot be read, or the transcriber failed on it. murmur doctor says whether one is installed."
	case fact.WhyUnconfined:
		return "This system cannot confine the transcriber, so the recording was not opened. murmur doctor says what is missing."
	}
	return "It could not be read."
}

func (s site) Replay(ctx context.Context, ws workspace.ID, reason string) (int64, error) {
	for why := fact.WhyNone; why.String() != "unknown"; why++ {
		if why.String() == reason && reason != "" {
			n, err := s.journal.Replay(ctx, ws, []fact.State{fact.Quarantined}, why)
			return int64(n), err
		}
	}
	return 0, web.ErrNotFound
}

// calls, contacts and the other small types exist because their methods share names.
type (
	calls    struct{ *Node }
	contacts struct{ *Node }
	policies struct{ *Node }
	redactor struct{ *Node }
)

func (c contacts) OptOut(ctx context.Context, ws workspace.ID, contact, via string) error {
	var former []anon.Contact
	err := c.evenIfFull(func() (err error) {
		former, err = c.zone.OptOutContact(ctx, ws, contact, via)
		return err
	})
	if err == nil && len(former) > 0 {
		_, err = c.crowd.Against(ctx, ws, nil, former)
	}
	return webErr(err)
}

func (c contacts) Erase(ctx context.Context, ws workspace.ID, contact string) (web.Receipt, error) {
	e, err := c.erase(ctx, rpc.EraseArgs{Workspace: ws.String(), Contact: contact})
	return web.Receipt{ID: e.Receipt, State: e.State, At: c.now().UTC()}, webErr(err)
}

func (p policies) Policy(ctx context.Context, ws workspace.ID) (workspace.Policy, error) {
	return p.store.Policy(ctx, ws)
}

func (p policies) SetPolicy(ctx context.Context, by web.Access, set map[string]string, reason string) (workspace.Policy, error) {
	a := rpc.PolicyArgs{Workspace: by.Workspace.String(), Reason: reason, Author: string(by.Role) + " token"}
	keys, _ := workspace.Keys()
	for _, k := range keys {
		if v, ok := set[k]; ok {
			a.Set = append(a.Set, rpc.KeyValue{Key: k, Value: v})
			delete(set, k)
		}
	}
	for k, v := range set {
		a.Set = append(a.Set, rpc.KeyValue{Key: k, Value: v}) // unknown: refused by name
	}
	if _, err := p.policy(ctx, a); err != nil {
		return workspace.Policy{}, err
	}
	return p.store.Policy(ctx, by.Workspace)
}

func (p policies) History(ctx context.Context, ws workspace.ID) ([]web.PolicyChange, error) {
	return p.policyHistory(ctx, ws)
}

func (r redactor) Redact(ctx context.Context, ws workspace.ID, text string) (string, []web.Span, error) {
	masked, spans, err := r.zone.Redact(ctx, ws, text)
	var out []web.Span
	for _, s := range spans {
		out = append(out, web.Span{Start: s.Start, End: s.End, Type: s.Type, Score: s.Score})
	}
	return masked, out, err
}

// Applied and Mark remember which suggestions the owner acted on.
func (s site) Applied(ctx context.Context, ws workspace.ID) (map[string]time.Time, error) {
	return s.store.Marks(ctx, ws)
}

func (s site) Mark(ctx context.Context, ws workspace.ID, id string, applied bool) error {
	return s.store.Mark(ctx, ws, id, applied)
}
