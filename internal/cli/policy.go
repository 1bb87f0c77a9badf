package cli

import (
	"errors"
	"fmt"
	"io"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"murmur/internal/rpc"
)

type policyCmd struct {
	Show policyShowCmd `cmd:"" default:"withargs" help:"Print the policy."`
	Set  policySetCmd  `cmd:"" help:"Change it: KEY=VALUE .. with a reason; the ledger keeps both."`
}

type policyShowCmd struct {
	Workspace string `default:"default" help:"Workspace."`
}

func (c *policyShowCmd) Run(r *run) error {
	return r.policy(rpc.PolicyArgs{Workspace: c.Workspace})
}

type policySetCmd struct {
	Workspace string   `default:"default" help:"Workspace."`
	Reason    string   `help:"Why: it is kept in the ledger; without it the ledger says that none was given."`
	Author    string   `help:"Who: it is kept in the ledger. The user's login by default."`
	Change    []string `arg:"" help:"KEY=VALUE; murmur policy show lists the keys."`
}

func (c *policySetCmd) Run(r *run) error {
	args := rpc.PolicyArgs{Workspace: c.Workspace, Reason: c.Reason, Author: c.Author}
	if args.Reason == "" {
		args.Reason = noReason
	}
	if args.Author == "" {
		args.Author = "unknown"
		if u, err := user.Current(); err == nil {
			args.Author = u.Username
		}
	}
	for _, kv := range c.Change {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return usage{errors.New("a change is KEY=VALUE")}
		}
		args.Set = append(args.Set, rpc.KeyValue{Key: k, Value: v})
	}
	var before []rpc.KeyValue
	if c.Reason == "" {
		_ = r.do("policy", rpc.PolicyArgs{Workspace: c.Workspace}, &before) // there may be no directory yet
	}
	if err := r.policy(args); err != nil || c.Reason != "" || !changes(args.Set, before) {
		return err
	}
	fmt.Fprintln(r.Err, "warning: the ledger keeps for good that no reason was given; --reason says why")
	return nil
}

// noReason is what the ledger keeps of a change without one.
const noReason = "set on the command line, without a reason"

func (r *run) policy(args rpc.PolicyArgs) error {
	var a []rpc.KeyValue
	if err := r.do("policy", args, &a); err != nil {
		return err
	}
	m := map[string]any{}
	for _, kv := range a {
		m[kv.Key] = kv.Value
		if n, err := strconv.Atoi(kv.Value); err == nil && kv.Number {
			m[kv.Key] = n
		}
	}
	return r.print(m, func(w io.Writer) {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, kv := range a {
			fmt.Fprintf(t, "%s\t%s\t%s\n", kv.Key, kv.Value, kv.Help)
		}
		_ = t.Flush()
	})
}

// changes reports whether a policy would be another one.
func changes(set, policy []rpc.KeyValue) bool {
	return slices.ContainsFunc(set, func(kv rpc.KeyValue) bool {
		return !slices.ContainsFunc(policy, func(old rpc.KeyValue) bool { return old.Key == kv.Key && old.Value == kv.Value })
	})
}
