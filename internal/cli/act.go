package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"murmur/internal/rpc"
	"murmur/internal/server"
)

type eraseCmd struct {
	Contact   string `arg:"" help:"A phone number, an e-mail address, or the platform's own id of a person as id:TEXT; - reads it from the keyboard or stdin, so that no list of processes and no shell history holds it."`
	Workspace string `default:"default" help:"Workspace."`
	Wait      bool   `help:"Where a server runs, wait until the rows are gone. Without, the answer takes the same time for a contact that nobody knows."`
}

func (c *eraseCmd) Run(r *run) error {
	contact, err := c.contact(r)
	if err != nil {
		return err
	}
	var a rpc.Erased
	if err := r.do("erase", rpc.EraseArgs{Workspace: c.Workspace, Contact: contact, Wait: c.Wait}, &a); err != nil {
		return err
	}
	if c.Contact != "-" {
		fmt.Fprintln(r.Err, "warning: a contact on the command line is seen in the list of processes and kept in the shell's history; murmur erase - reads it instead")
	}
	return r.print(a, func(w io.Writer) {
		fmt.Fprintf(w, "Everything about this contact up to now is erased, whether there was anything or not.\nReceipt: %s\n", a.Receipt)
	})
}

// contact is the person to erase: as typed, or one line of stdin; on a terminal murmur asks for it.
func (c *eraseCmd) contact(r *run) (string, error) {
	if c.Contact != "-" {
		return c.Contact, nil
	}
	if terminal(r.In) {
		fmt.Fprint(r.Err, "Contact to erase: ")
	}
	line, err := bufio.NewReader(io.LimitReader(r.In, maxContact)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the contact: %w", err)
	}
	if line = strings.TrimSpace(line); line == "" {
		return "", usage{errors.New("no contact was given")}
	}
	return line, nil
}

// maxContact bounds what is read of a contact, in bytes.
const maxContact = 1024

type replayCmd struct {
	Workspace string   `default:"default" help:"Workspace."`
	State     []string `default:"held,quarantined" help:"Which deliveries: held, quarantined."`
}

func (c *replayCmd) Run(r *run) error {
	var a rpc.Replayed
	if err := r.do("replay", rpc.ReplayArgs{Workspace: c.Workspace, States: c.State}, &a); err != nil {
		return err
	}
	return r.print(a, func(w io.Writer) { fmt.Fprintf(w, "%d deliveries are processed again.\n", a.Deliveries) })
}

type versionCmd struct{}

func (c *versionCmd) Run(r *run) error {
	v := server.VersionOf()
	return r.print(v, func(w io.Writer) {
		fmt.Fprintf(w, "murmur %s, data format %d, redactor %d\n", v.Version, v.Data, v.Redactor)
	})
}
