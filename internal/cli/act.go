package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"murmur/internal/server"
)

type eraseCmd struct {
	Contact   string `arg:"" help:"A phone number, an e-mail address, or the platform's own id of a person."`
	Workspace string `default:"default" help:"Workspace."`
}

func (c *eraseCmd) Run(r *run) error {
	var a server.Erased
	if err := r.do("erase", server.EraseArgs{Workspace: c.Workspace, Contact: c.Contact}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) {
		fmt.Fprintf(w, "Everything about this contact up to now is erased, whether there was anything or not.\nReceipt: %s\n", a.Receipt)
	})
}

type replayCmd struct {
	Workspace string   `default:"default" help:"Workspace."`
	State     []string `default:"held,quarantined" help:"Which deliveries: held, quarantined."`
}

func (c *replayCmd) Run(r *run) error {
	var a server.Replayed
	if err := r.do("replay", server.ReplayArgs{Workspace: c.Workspace, States: c.State}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, "%d deliveries are processed again.\n", a.Deliveries) })
}

type tokenCmd struct {
	Workspace string `default:"default" help:"Workspace."`
	Role      string `default:"viewer" env:"MURMUR_TOKEN_ROLE" enum:"owner,viewer,privacy" help:"owner, viewer or privacy."`
}

func (c *tokenCmd) Run(r *run) error {
	var token string
	if err := r.do("token", server.TokenArgs{Workspace: c.Workspace, Role: c.Role}, &token); err != nil {
		return err
	}
	_, err := fmt.Fprintln(r.Out, token)
	return err
}

type backupCmd struct {
	Output string `short:"o" required:"" help:"The backup file." type:"path" placeholder:"FILE"`
}

func (c *backupCmd) Run(r *run) error {
	// The file becomes visible only when it is complete.
	f, err := os.CreateTemp(filepath.Dir(c.Output), ".murmur-backup-*")
	if err != nil {
		return fmt.Errorf("create the backup: %w", err)
	}
	defer os.Remove(f.Name())
	if err := r.stream("backup", nil, nil, f); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := os.Rename(f.Name(), c.Output); err != nil {
		return fmt.Errorf("name the backup: %w", err)
	}
	return r.print(map[string]string{"file": c.Output}, func(w io.Writer) {
		fmt.Fprintf(w, "Backup written to %s. It holds the root key: keep it as safe as the data directory.\n", c.Output)
	})
}

type restoreCmd struct {
	File string `arg:"" help:"The backup file." type:"existingfile"`
}

func (c *restoreCmd) Run(r *run) error {
	f, err := os.Open(c.File)
	if err != nil {
		return usage{err}
	}
	defer f.Close()
	if err := server.Restore(r.ctx, f, r.Data); err != nil {
		return err
	}
	return r.print(map[string]string{"data": r.Data}, func(w io.Writer) {
		fmt.Fprintf(w, "Restored into %s; erasures were carried out again before anything became readable.\n", r.Data)
	})
}

type versionCmd struct{}

func (c *versionCmd) Run(r *run) error {
	v := server.VersionOf()
	return r.print(v, func(w io.Writer) {
		fmt.Fprintf(w, "murmur %s, data format %d, redactor %d\n", v.Version, v.Data, v.Redactor)
	})
}
