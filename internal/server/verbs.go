package server

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"murmur/internal/datadir"
	"murmur/internal/deliveries"
	"murmur/internal/fact"
	"murmur/internal/ledger"
	"murmur/internal/private"
	"murmur/internal/rpc"
	"murmur/internal/web"
	"murmur/internal/workspace"
)

// Do carries out a verb in this process.
func (n *Node) Do(ctx context.Context, verb string, args any, in io.Reader, out io.Writer) error {
	b, err := json.Marshal(args)
	if err != nil {
		return err
	}
	return n.do(ctx, verb, b, in, out)
}

// do is the one table of verbs.
func (n *Node) do(ctx context.Context, verb string, args []byte, in io.Reader, out io.Writer) error {
	switch verb {
	case "connect":
		return answer(ctx, args, out, n.connect)
	case "connect-list":
		return answer(ctx, args, out, n.listSources)
	case "connect-remove":
		return answer(ctx, args, out, n.removeSource)
	case "connect-rotate":
		return answer(ctx, args, out, n.rotateSource)
	case "connect-pause", "connect-resume":
		return answer(ctx, args, out, func(ctx context.Context, a rpc.SourceArgs) (rpc.Removed, error) {
			return n.pause(ctx, a, verb == "connect-pause")
		})
	case "import":
		return answer(ctx, args, out, func(ctx context.Context, a rpc.ImportArgs) (any, error) { return n.importFile(ctx, a, in) })
	case "import-progress":
		return answer(ctx, args, out, n.importProgress)
	case "flow-set":
		return answer(ctx, args, out, func(ctx context.Context, a rpc.FlowArgs) (rpc.FlowSet, error) { return n.setFlow(ctx, a, in) })
	case "flow-show":
		return answer(ctx, args, out, n.showFlows)
	case "export":
		return answer(ctx, args, io.Discard, func(ctx context.Context, a rpc.ExportArgs) (any, error) { return nil, n.export(ctx, a, out) })
	case "policy":
		return answer(ctx, args, out, n.policy)
	case "name":
		return answer(ctx, args, out, n.rename)
	case "category-set":
		return answer(ctx, args, out, n.setCategory)
	case "category-list":
		return answer(ctx, args, out, n.listCategories)
	case "category-rename":
		return answer(ctx, args, out, n.renameCategory)
	case "category-remove":
		return answer(ctx, args, out, n.removeCategory)
	case "figures":
		return answer(ctx, args, io.Discard, func(ctx context.Context, a rpc.FiguresArgs) (any, error) { return nil, n.printFigures(ctx, a, out) })
	case "figures-explain":
		return answer(ctx, args, out, n.explainSpec)
	case "digest":
		return answer(ctx, args, out, n.digest)
	case "digest-add":
		return answer(ctx, args, out, n.subscribe)
	case "digest-list":
		return answer(ctx, args, out, n.subscribers)
	case "digest-remove":
		return answer(ctx, args, out, n.unsubscribe)
	case "alert-add":
		return answer(ctx, args, out, n.addAlert)
	case "alert-list":
		return answer(ctx, args, out, n.listAlerts)
	case "alert-test":
		return answer(ctx, args, out, n.tryAlert)
	case "alert-remove":
		return answer(ctx, args, out, n.removeAlert)
	case "share":
		return answer(ctx, args, out, n.share)
	case "workspace-list":
		return answer(ctx, args, out, n.tenants)
	case "workspace-create":
		return answer(ctx, args, out, n.createTenant)
	case "workspace-limit":
		return answer(ctx, args, out, n.limitTenant)
	case "workspace-suspend":
		return answer(ctx, args, out, onTenant(n, n.suspend))
	case "workspace-resume":
		return answer(ctx, args, out, onTenant(n, n.resume))
	case "workspace-delete":
		return answer(ctx, args, out, onTenant(n, n.deleteNow))
	case "workspace-export":
		return answer(ctx, args, io.Discard, func(ctx context.Context, a rpc.WorkspaceArgs) (any, error) { return nil, n.exportTenant(ctx, a, out) })
	case "status":
		return answer(ctx, args, out, func(ctx context.Context, _ rpc.WorkspaceArgs) (rpc.Status, error) { return n.Status(ctx) })
	case "erase":
		return answer(ctx, args, out, n.erase)
	case "replay":
		return answer(ctx, args, out, n.replay)
	case "doctor":
		return answer(ctx, args, out, n.doctor)
	case "token":
		return answer(ctx, args, out, n.token)
	case "token-list":
		return answer(ctx, args, out, n.passes)
	case "token-revoke":
		return answer(ctx, args, out, n.revoke)
	case "verify":
		return answer(ctx, args, out, n.verify)
	case "backup":
		return n.backup(ctx, out)
	}
	return fmt.Errorf("verb %q: %w", verb, rpc.ErrArgs)
}

// answer reads a verb's arguments and writes its answer.
func answer[A, R any](ctx context.Context, args []byte, out io.Writer, f func(context.Context, A) (R, error)) error {
	var a A
	if len(args) > 0 {
		if err := json.Unmarshal(args, &a); err != nil {
			return rpc.ErrArgs
		}
	}
	r, err := f(ctx, a)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

// known reads the name of a workspace that exists; empty is the default one.
func (n *Node) known(ctx context.Context, name string) (workspace.ID, error) {
	if name == "" {
		return workspace.Default, nil
	}
	ws, err := workspace.Parse(name)
	if err != nil {
		return ws, err
	}
	return ws, n.store.Exists(ctx, ws)
}

// connect adds a source for the operator: the hosts that it names may be private or loopback.
func (n *Node) connect(ctx context.Context, a rpc.ConnectArgs) (rpc.Connected, error) {
	if a.Kind == workspace.KindStream {
		return n.connectStream(ctx, a)
	}
	named, err := private.HostsOf(workspace.SourceConfig{APIBase: a.APIBase, MediaHosts: a.MediaHosts})
	if err != nil {
		return rpc.Connected{}, err
	}
	return n.connectTo(ctx, a, named)
}

// connectTo adds a source whose hosts the operator named, as far as they are listed.
func (n *Node) connectTo(ctx context.Context, a rpc.ConnectArgs, named []string) (rpc.Connected, error) {
	if a.Workspace == "" {
		a.Workspace = workspace.Default.String()
	}
	ws, err := workspace.Parse(a.Workspace)
	if err != nil {
		return rpc.Connected{}, err
	}
	if !slices.Contains(private.Kinds(), a.Kind) {
		return rpc.Connected{}, &rpc.Problem{Message: "this version cannot connect that kind of source", Hint: "the kinds are " + strings.Join(private.Kinds(), ", ") + "; " + workspace.KindStream + " on the machine itself", Exit: 2, Status: 422}
	}
	if a.APIKey != "" && !private.CanPoll(a.Kind) {
		return rpc.Connected{}, private.ErrNoPolling
	}
	if err := private.CheckMapping(a.Kind, a.Mapping); err != nil {
		return rpc.Connected{}, err
	}
	if err := checkPlatform(a); err != nil {
		return rpc.Connected{}, err
	}
	if a.APIKey == "" && (a.APIBase != "" || a.PublicURL != "" && !private.SignsAddress(a.Kind)) {
		return rpc.Connected{}, &rpc.Problem{Message: "an API is asked with a key, and none is given", Hint: "add --api-key @FILE", Exit: 2, Status: 422}
	}
	if a.Name == "" {
		a.Name = a.Kind
	}
	src := workspace.Source{Workspace: ws, Name: a.Name, Kind: a.Kind, APIKey: a.APIKey, Config: workspace.SourceConfig{
		APIBase: a.APIBase, MediaHosts: a.MediaHosts, Named: named, Mapping: a.Mapping, Then: a.Then, Language: a.Language,
	}}
	if private.SignsAddress(a.Kind) {
		src.Config.PublicURL = a.PublicURL
	}
	var t tried
	if a.APIKey != "" { // before anything is stored
		if t, err = n.tryKey(ctx, src); err != nil {
			return rpc.Connected{}, err
		}
	}
	if err := n.createWorkspace(ctx, ws); err != nil {
		return rpc.Connected{}, err
	}
	if secret := cmp.Or(a.Secret, private.SigningSecret(a.Kind, a.APIKey)); secret != "" {
		src.Secrets = []string{secret}
	}
	src, token, err := n.store.Connect(ctx, src)
	if err != nil {
		return rpc.Connected{}, err
	}
	if err := n.accessed(ctx, ws, "source"); err != nil {
		return rpc.Connected{}, err
	}
	c := rpc.Connected{Workspace: ws.String(), Source: src.Name, Kind: src.Kind, Path: "/in/" + src.Kind + "/" + token, Secret: src.Secrets[0]}
	c.Paste = paste(src, c.Path)
	if a.APIKey != "" {
		c.Gives, c.Serving = t.gives, n.jobs != nil
		if c.Webhook, c.Secret, err = n.begin(ctx, src, t, a.PublicURL, c.Path); err != nil { // undo: a source is connected completely or not at all
			return rpc.Connected{}, errors.Join(err, n.store.Remove(context.WithoutCancel(ctx), ws, src.Name))
		}
	}
	return c, nil
}

func (n *Node) listSources(ctx context.Context, a rpc.WorkspaceArgs) ([]rpc.Listed, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	sources, err := n.store.Sources(ctx, ws)
	list := make([]rpc.Listed, 0, len(sources))
	for _, s := range sources {
		p, err := n.pollingOf(ctx, s)
		if err != nil {
			return nil, err
		}
		list = append(list, rpc.Listed{Workspace: ws.String(), Source: s.Name, Kind: s.Kind, Secrets: len(s.Secrets), Level: private.Level(s), Polling: p})
	}
	return list, err
}

func (n *Node) removeSource(ctx context.Context, a rpc.SourceArgs) (rpc.Removed, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.Removed{}, err
	}
	defer n.followStreams(ctx)
	return rpc.Removed{Workspace: ws.String(), Source: a.Name, State: "removed"}, n.store.Remove(ctx, ws, a.Name)
}

func (n *Node) rotateSource(ctx context.Context, a rpc.SourceArgs) (rpc.Connected, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.Connected{}, err
	}
	src, err := n.store.Source(ctx, ws, a.Name)
	if err != nil {
		return rpc.Connected{}, err
	}
	c := rpc.Connected{Workspace: ws.String(), Source: a.Name, Kind: src.Kind}
	if src.Kind == workspace.KindStream && a.Secret == "" {
		return c, &rpc.Problem{Message: "the password of a stream is its servers' to make", Hint: "murmur connect rotate " + a.Name + " --secret @FILE", Exit: 2, Status: 422}
	}
	defer n.followStreams(ctx)
	if a.APIKey != "" {
		return c, n.rekey(ctx, src, a.APIKey)
	}
	c.Secret, err = n.store.Rotate(ctx, ws, a.Name, a.Secret)
	return c, err
}

func (n *Node) policy(ctx context.Context, a rpc.PolicyArgs) ([]rpc.KeyValue, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	p, err := n.store.Policy(ctx, ws)
	if len(a.Set) > 0 && err == nil {
		var changes []workspace.Change
		for _, kv := range a.Set {
			changes = append(changes, workspace.Change{Key: kv.Key, Value: kv.Value})
		}
		var reason string
		if reason, err = n.withoutPeople(ctx, ws, a.Reason); err != nil {
			return nil, err
		}
		if p, err = n.store.SetPolicy(ctx, ws, changes, reason, a.Author); err == nil {
			// Held deliveries may be decided now.
			_, err = n.journal.Replay(ctx, ws, []fact.State{fact.Held}, fact.WhyNone)
		}
	}
	if err != nil {
		return nil, err
	}
	keys, help := workspace.Keys()
	out := make([]rpc.KeyValue, len(keys))
	for i, k := range keys {
		v, _ := p.Get(k)
		_, numeric := strconv.Atoi(v)
		out[i] = rpc.KeyValue{Key: k, Value: v, Help: help[i], Number: numeric == nil && k != "opt-out-choice"}
	}
	return out, nil
}

func (n *Node) token(ctx context.Context, a rpc.TokenArgs) (string, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return "", err
	}
	life := workspace.TokenLife
	if a.Days != 0 {
		life = time.Duration(a.Days) * 24 * time.Hour
	}
	token, err := n.store.NewToken(ctx, ws, workspace.Role(a.Role), life)
	if err != nil {
		return "", err
	}
	return token, n.accessed(ctx, ws, "token")
}

// withoutPeople masks a free text before the ledger keeps it for good.
func (n *Node) withoutPeople(ctx context.Context, ws workspace.ID, text string) (string, error) {
	masked, _, err := n.zone.Redact(ctx, ws, text)
	return masked, err
}

// passes lists what gives access to a workspace: its tokens, and the signed-in browsers.
func (n *Node) passes(ctx context.Context, a rpc.WorkspaceArgs) ([]workspace.Pass, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	all, err := n.store.Passes(ctx, ws, web.SessionLife)
	return append([]workspace.Pass{}, all...), err
}

// revoke ends a token or a session at once.
func (n *Node) revoke(ctx context.Context, a rpc.RevokeArgs) (rpc.Revoked, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.Revoked{}, err
	}
	err = n.store.Revoke(ctx, ws, strings.ToLower(a.ID))
	if errors.Is(err, workspace.ErrNotFound) {
		err = &rpc.Problem{Message: "no token or session has that id", Hint: "murmur token list shows them", Exit: 2, Status: 404}
	}
	if err != nil {
		return rpc.Revoked{}, err
	}
	return rpc.Revoked{ID: a.ID, State: "revoked"}, n.accessed(ctx, ws, "token")
}

// accessed writes into the ledger that somebody saw or exported more than figures; act is one of the ledger's
// words.
func (n *Node) accessed(ctx context.Context, ws workspace.ID, act string) error {
	err := n.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := n.ledger.Append(ctx, tx, ledger.Access{Workspace: ws.String(), Act: act})
		return err
	})
	if err != nil {
		return fmt.Errorf("record the access: %w", err)
	}
	return nil
}

// evenIfFull runs a write that must succeed on a full disk (an opt-out, an erasure): when it fails, evenIfFull deletes
// the ballast to make room and tries once more. The ballast is filled again as soon as there is space.
func (n *Node) evenIfFull(f func() error) error {
	err := f()
	if err == nil {
		return nil
	}
	space, spaceErr := n.dir.Space()
	if spaceErr != nil || space.Free > ballastMatters {
		return err
	}
	if err := n.dir.ReleaseBallast(); err != nil {
		return err
	}
	return f()
}

// ballastMatters is the free space, in bytes, below which a failed write is taken for a full disk.
const ballastMatters = 1 << 20

func (n *Node) replay(ctx context.Context, a rpc.ReplayArgs) (rpc.Replayed, error) {
	ws, err := n.known(ctx, a.Workspace)
	if err != nil {
		return rpc.Replayed{}, err
	}
	var states []fact.State
	for _, name := range a.States {
		i := slices.IndexFunc(fact.States(), func(s fact.State) bool { return s.String() == name })
		if i < 0 || fact.States()[i] != fact.Held && fact.States()[i] != fact.Quarantined {
			return rpc.Replayed{}, &rpc.Problem{Message: "only held and quarantined deliveries can be processed again", Hint: "--state held, --state quarantined, or both", Exit: 2, Status: 422}
		}
		states = append(states, fact.States()[i])
	}
	k, err := n.journal.Replay(ctx, ws, states, fact.WhyNone)
	if err != nil {
		return rpc.Replayed{}, err
	}
	if _, err := n.journal.Unpark(ctx, ws); err != nil {
		return rpc.Replayed{}, err
	}
	return rpc.Replayed{Deliveries: k}, n.accessed(ctx, ws, "replay")
}

// Status counts the deliveries of every workspace.
func (n *Node) Status(ctx context.Context) (rpc.Status, error) {
	all, err := n.journal.Counts(ctx)
	if err != nil {
		return rpc.Status{}, err
	}
	workspaces, err := n.store.List(ctx)
	if err != nil {
		return rpc.Status{}, err
	}
	s := rpc.Status{Workspaces: map[string]web.WorkspaceStatus{}, Calls: n.zone.CallTally()}
	if s.Queue, err = n.queueStatus(ctx); err != nil {
		return rpc.Status{}, err
	}
	s.Lake = n.lakeStatus()
	if s.Streams, err = n.streamStatus(ctx); err != nil {
		return rpc.Status{}, err
	}
	waiting, _, err := n.zone.WaitingOrders(ctx)
	if err != nil {
		return rpc.Status{}, err
	}
	for ws, k := range waiting {
		if s.Erasing == nil {
			s.Erasing = map[string]int{}
		}
		s.Erasing[ws.String()] = k
	}
	for _, ws := range workspaces {
		w, err := n.statusOf(ctx, ws, all[ws])
		if ctx.Err() != nil {
			return rpc.Status{}, ctx.Err()
		}
		n.stalls.note(n.now(), stalledJob{ws, "status"}, err) // counts that do not need it are given
		w.Stalled = n.stalls.of(ws)
		s.Workspaces[ws.String()] = w
	}
	return s, nil
}

// statusOf counts what it can whatever the error is: without the keys of a workspace its sources have no names.
func (n *Node) statusOf(ctx context.Context, ws workspace.ID, sources map[fact.Label]deliveries.Tally) (web.WorkspaceStatus, error) {
	w := web.WorkspaceStatus{BySource: map[string]rpc.Counts{}, Control: map[string]string{}}
	names, namesErr := n.sourceNames(ctx, ws)
	connected, connectedErr := n.store.Sources(ctx, ws)
	for _, s := range connected {
		w.Control[s.Name] = private.Level(s)
	}
	for label, t := range sources {
		name, ok := names[label]
		if !ok {
			name = "unknown"
		}
		c := w.BySource[name]
		rpc.Add(&c, countsOf(t), 1)
		w.BySource[name] = c
		if name == private.RecorderSource {
			w.Control[name] = "L3" // docs/consent.md
		}
		rpc.Add(&w.Counts, countsOf(t), 1)
	}
	p, policyErr := n.store.Policy(ctx, ws)
	w.ReaderOff = p.Reader == workspace.Off
	recordings, err := n.recorded(ctx, ws)
	w.Recordings = recordings
	return w, errors.Join(namesErr, connectedErr, policyErr, err)
}

// sourceNames says what each source is called: it may be connected, removed, an import or the control API.
func (n *Node) sourceNames(ctx context.Context, ws workspace.ID) (map[fact.Label]string, error) {
	names, err := n.store.SourceNames(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := map[fact.Label]string{}
	streams, err := n.streamNames(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range append(append(names, streams...), private.ImportSource, private.ControlSource, private.RecorderSource) {
		l, err := n.zone.SourceLabel(ws, name)
		if err != nil {
			return nil, err
		}
		out[l] = name
	}
	return out, nil
}

func countsOf(t deliveries.Tally) rpc.Counts {
	s := t.States
	return rpc.Counts{
		In: t.In, Pending: s[fact.Pending], Held: s[fact.Held], Published: s[fact.Published], Duplicate: s[fact.Duplicate],
		Ignored: s[fact.Ignored], Refused: s[fact.Refused], Quarantined: s[fact.Quarantined], Erased: s[fact.Erased],
	}
}

// VersionOf says what this binary is.
func VersionOf() rpc.Version {
	v := rpc.Version{Version: "development", Data: datadir.Format, Redactor: private.RedactorVersion}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		v.Version = b.Main.Version
	}
	return v
}
