package cli

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"murmur/internal/datadir"
	"murmur/internal/rpc"
	"murmur/internal/server"
)

type backupCmd struct {
	Output    string `short:"o" required:"" help:"The backup file; one that is there is kept." type:"path" placeholder:"FILE"`
	Overwrite bool   `help:"Replace a file that is there, once the new one is whole."`
}

// backupFile receives a backup, and the server's header with it.
type backupFile struct {
	*os.File
	header http.Header
}

func (f backupFile) Header() http.Header { return f.header }

// backedUp is what `backup --json` prints.
type backedUp struct {
	File    string `json:"file"`
	Bytes   int64  `json:"bytes"`
	LeftOut int64  `json:"left_out"` // deliveries that could not be processed
}

// Run gives the file its name only when it is whole: every hash in it was compared, and it is on the disk.
func (c *backupCmd) Run(r *run) (err error) {
	if _, err := os.Lstat(c.Output); err == nil && !c.Overwrite {
		return &rpc.Problem{Message: "there is a file at " + c.Output, Hint: "name a new one, or replace it with --overwrite", Exit: 2}
	}
	f, err := os.CreateTemp(filepath.Dir(c.Output), ".murmur-backup-*")
	if err != nil {
		return fmt.Errorf("create the backup: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	out := backupFile{f, http.Header{}}
	if err := r.stream("backup", nil, nil, out); err != nil {
		return err
	}
	done := backedUp{File: c.Output}
	if done.LeftOut, err = strconv.ParseInt(out.header.Get(rpc.LeftOut), 10, 64); err != nil {
		return fmt.Errorf("read the answer of the running server: %w", err)
	}
	if done.Bytes, err = f.Seek(0, io.SeekEnd); err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	if err := checkWritten(r, f); err != nil {
		return err
	}
	if err := name(f.Name(), c.Output); err != nil {
		return fmt.Errorf("name the backup: %w", err)
	}
	return r.print(done, func(w io.Writer) {
		fmt.Fprintf(w, "Backup written to %s. Keep it as safe as the data directory: it holds the root key, unless that is kept apart.\n", c.Output)
		if done.LeftOut > 0 {
			fmt.Fprintf(r.Err, "warning: %d deliveries could not be processed and are not in it; murmur doctor says why, and their sources can send them again\n", done.LeftOut)
		}
	})
}

// name gives a file its name durably: it survives a power cut.
func name(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// checkWritten reads the file back and makes it and its name durable.
func checkWritten(r *run, f *os.File) error {
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	if err := datadir.CheckBackup(r.ctx, f); err != nil {
		return fmt.Errorf("check the backup: %w", err)
	}
	return nil
}

type restoreCmd struct {
	File      string `arg:"" help:"The backup file." type:"existingfile"`
	Erasures  string `help:"People erased after the backup was made: a file with one a line, as for murmur erase; a workspace and a tab may stand before it." type:"existingfile" placeholder:"FILE"`
	InsteadOf string `name:"instead-of" help:"The data directory that this one replaces: whoever refused or was erased there since the backup stays so." type:"existingdir" placeholder:"DIR"`
}

func (c *restoreCmd) Run(r *run) error {
	f, err := os.Open(c.File)
	if err != nil {
		return usage{err}
	}
	defer f.Close()
	var erasures io.Reader
	if c.Erasures != "" {
		e, err := os.Open(c.Erasures)
		if err != nil {
			return usage{err}
		}
		defer e.Close()
		erasures = e
	}
	if err := server.Restore(r.ctx, f, erasures, server.Config{Data: r.Data, InsteadOf: c.InsteadOf}); err != nil {
		return err
	}
	return r.print(map[string]string{"data": r.Data}, func(w io.Writer) {
		fmt.Fprintf(w, "Restored into %s; erasures were carried out again before anything became readable.\n", r.Data)
	})
}
