package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"murmur/internal/rpc"
)

type connectCmd struct {
	Add    connectAddCmd    `cmd:"" default:"withargs" help:"Add a source (the word add may be left out)."`
	List   connectListCmd   `cmd:"" help:"List the sources."`
	Remove connectRemoveCmd `cmd:"" help:"Remove a source; what it delivered stays."`
	Rotate connectRotateCmd `cmd:"" help:"Add a second live secret, the one before the last ends; or change the API key."`
	Pause  connectPauseCmd  `cmd:"" help:"Stop polling a source; its webhooks go on."`
	Resume connectResumeCmd `cmd:"" help:"Poll a source again, now."`
}

type connectAddCmd struct {
	Kind      string   `arg:"" help:"Kind of source: quo, twilio, typeform, delighted, formbricks, zendesk, webhook, vcon or native; kafka for your own stream, of all workspaces."`
	Workspace string   `default:"default" help:"Workspace."`
	Name      string   `help:"Name of the source; the kind by default." placeholder:"N"`
	Secret    *string  `help:"Signing secret of the vendor, or @FILE; made up by default. Of kafka: the password." placeholder:"S|@FILE"`
	APIKey    *string  `help:"API key of the vendor, or @FILE: the server then asks for the history and polls." placeholder:"KEY|@FILE"`
	APIBase   string   `help:"Base URL of the vendor's API, where it is another one. Of kafka: kafka://HOST:PORT,HOST:PORT/TOPIC,TOPIC?group=NAME or kafka+tls://USER@HOST:PORT/.." placeholder:"URL"`
	PublicURL string   `help:"Where the vendor can reach this server: its webhook is then set up as well." placeholder:"URL"`
	MediaHost []string `help:"Further hosts that media may be fetched from." placeholder:"HOST[:PORT]"`
	Map       string   `help:"Mapping of a webhook's fields, YAML." placeholder:"FILE" type:"existingfile"`
	Then      string   `help:"Where Twilio calls go after the recording notice: a number, sip:.., client:.., or https://.. of TwiML." placeholder:"WHERE"`
	Language  string   `help:"Language of the notice: de, en, es or fr." placeholder:"L"`
}

// given stands where people read for a secret that they gave themselves. --json repeats it: contracts name the field.
const given = "the one that was given"

func (c *connectAddCmd) Run(r *run) error {
	key, err := givenSecret("API key", c.APIKey)
	if err != nil {
		return err
	}
	secret, err := givenSecret("secret", c.Secret)
	if err != nil {
		return err
	}
	mapping, err := fileArg(c.Map)
	if err != nil {
		return err
	}
	var a rpc.Connected
	err = r.do("connect", rpc.ConnectArgs{Mapping: mapping, Then: c.Then, Language: c.Language, Workspace: c.Workspace, Kind: c.Kind, Name: c.Name, Secret: secret, APIKey: key, APIBase: c.APIBase, MediaHosts: c.MediaHost, PublicURL: c.PublicURL}, &a)
	if err != nil {
		return err
	}
	if key != "" {
		return c.polled(r, a)
	}
	if a.Reads != "" {
		return r.print(a, func(w io.Writer) {
			said := "`murmur serve` reads it as soon as it runs."
			if a.Serving {
				said = "The server reads it from now on."
			}
			fmt.Fprintf(w, "Stream %s is connected: %s\n\n%s Records name their workspace in the header murmur-workspace (docs/stream.md); murmur status says how far it is.\n", a.Source, a.Reads, said)
		})
	}
	return r.print(a, func(w io.Writer) {
		if secret != "" {
			a.Secret = given
		}
		fmt.Fprintf(w, "Source %s (%s) is connected to workspace %s.\n\n  webhook path  %s\n  secret        %s\n\nThe path and the secret are shown once. Deliveries are accepted as soon as `murmur serve` runs.\n", a.Source, a.Kind, a.Workspace, a.Path, a.Secret)
		if a.Paste != "" {
			fmt.Fprintf(w, "\n%s\n", a.Paste)
		}
	})
}

// fileArg reads a file; none where the name is empty.
func fileArg(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return "", usage{fmt.Errorf("read the mapping: %w", err)}
	}
	return string(b), nil
}

// givenSecret is secretArg for a flag that must hold something where it is given: an unset variable of the shell, or the name of a
// file without its @, would otherwise connect a source that never gets anything.
func givenSecret(what string, s *string) (string, error) {
	if s == nil {
		return "", nil
	}
	if info, err := os.Stat(*s); err == nil && info.Mode().IsRegular() {
		return "", usage{fmt.Errorf("the %s is the name of a file: write @%s", what, *s)}
	}
	secret, err := secretArg(*s)
	if err == nil && secret == "" {
		err = usage{fmt.Errorf("the %s is empty", what)}
	}
	return secret, err
}

// secretArg reads a secret as it stands, or from a file when it begins with @.
func secretArg(s string) (string, error) {
	name, ok := strings.CutPrefix(s, "@")
	if !ok {
		return s, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return "", usage{fmt.Errorf("read the secret: %w", err)}
	}
	return strings.TrimSpace(string(b)), nil
}

type connectListCmd struct {
	Workspace string `default:"default" help:"Workspace."`
}

func (c *connectListCmd) Run(r *run) error {
	var list []rpc.Listed
	if err := r.do("connect-list", rpc.WorkspaceArgs{Workspace: c.Workspace}, &list); err != nil {
		return err
	}
	return r.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "No source is connected yet. Start with: murmur connect quo")
			return
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "SOURCE\tKIND\tCONTROL\tLIVE SECRETS\tPOLLING")
		for _, s := range list {
			fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\n", s.Source, s.Kind, s.Level, s.Secrets, pollingLine(s.Polling))
		}
		_ = t.Flush()
		for _, s := range list {
			if s.Polling != nil && s.Polling.Trouble != "" {
				fmt.Fprintf(w, "\n%s: %s.\n  %s.\n", s.Source, s.Polling.Said, s.Polling.Hint)
			}
		}
	})
}

type connectRemoveCmd struct {
	Name      string `arg:"" help:"Name of the source."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *connectRemoveCmd) Run(r *run) error {
	var a rpc.Removed
	if err := r.do("connect-remove", rpc.SourceArgs{Workspace: c.Workspace, Name: c.Name}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) {
		fmt.Fprintf(w, "Source %s is removed: its path answers 404 from now on, what it delivered stays.\n", a.Source)
	})
}

type connectRotateCmd struct {
	Name      string  `arg:"" help:"Name of the source."`
	Workspace string  `default:"default" help:"Workspace."`
	Secret    *string `help:"The new secret, or @FILE; made up by default." placeholder:"S|@FILE"`
	APIKey    *string `help:"Another API key of the same account, or @FILE; the secrets stay." placeholder:"KEY|@FILE"`
}

func (c *connectRotateCmd) Run(r *run) error {
	secret, err := givenSecret("secret", c.Secret)
	if err != nil {
		return err
	}
	key, err := givenSecret("API key", c.APIKey)
	if err != nil {
		return err
	}
	var a rpc.Connected
	if err := r.do("connect-rotate", rpc.SourceArgs{Workspace: c.Workspace, Name: c.Name, Secret: secret, APIKey: key}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) {
		if key != "" {
			fmt.Fprintf(w, "Source %s uses the new API key.\n", a.Source)
			return
		}
		if secret != "" {
			a.Secret = given
		}
		fmt.Fprintf(w, "Source %s has a new secret, and the last one stays valid until the next rotation:\n\n  %s\n", a.Source, a.Secret)
	})
}
