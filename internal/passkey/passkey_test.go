package passkey

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"murmur/internal/workspace"
)

const home = "http://localhost:8080"

// gate is one that a clock and a store of the test stand behind.
func gate(t *testing.T) (*Gate, *memory) {
	t.Helper()
	m := &memory{now: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC), of: map[workspace.ID]map[string][]byte{}}
	g, err := New(home, m, func() time.Time { return m.now })
	if err != nil || g == nil {
		t.Fatal(g, err)
	}
	return g, m
}

// TestForeignQuestionsKeepNobodyOut: anybody may ask, as often as they like, while an owner unlocks the device.
func TestForeignQuestionsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	g, _ := gate(t)
	flood := func() {
		for range 5000 {
			if _, _, err := g.Ask(); err != nil {
				t.Fatal(err)
			}
		}
	}
	d := newDevice(t)
	options, ticket, err := g.Add(t.Context(), workspace.Default)
	if err != nil {
		t.Fatal(err)
	}
	flood()
	if err := g.Added(t.Context(), workspace.Default, ticket, d.created(t, options)); err != nil {
		t.Errorf("a device is not added: %v", err)
	}
	options, ticket, err = g.Ask()
	if err != nil {
		t.Fatal(err)
	}
	flood()
	if ws, err := g.Answer(t.Context(), ticket, d.signed(t, options)); err != nil || ws != workspace.Default {
		t.Errorf("an owner does not come in: %v", err)
	}
}

// TestATicketIsGoodOnce: for what it was written, here, within patience, unchanged and once, even for many at a time.
func TestATicketIsGoodOnce(t *testing.T) {
	t.Parallel()
	g, m := gate(t)
	other, _ := gate(t)
	d := newDevice(t)
	d.add(t, g, workspace.Default)

	adding, addTicket, _ := g.Add(t.Context(), workspace.Default)
	asking, ticket, err := g.Ask()
	if err != nil {
		t.Fatal(err)
	}
	foreign, foreignTicket, _ := other.Ask()
	said, signed, _ := strings.Cut(ticket, ".")
	turned := []byte(said)
	turned[len(turned)/2] ^= 1
	for what, try := range map[string][2]string{
		"of another process": {string(foreign), foreignTicket}, "of an addition": {string(adding), addTicket}, "changed": {string(asking), string(turned) + "." + signed},
		"unsigned": {string(asking), said}, "none": {string(asking), ""},
	} {
		if _, err := g.Answer(t.Context(), try[1], d.signed(t, []byte(try[0]))); !errors.Is(err, ErrRefused) {
			t.Errorf("a ticket %s: %v", what, err)
		}
	}
	if err := g.Added(t.Context(), workspace.Default, ticket, newDevice(t).created(t, asking)); !errors.Is(err, ErrRefused) {
		t.Errorf("a device is added by the ticket of a sign-in: %v", err)
	}
	if err := g.Added(t.Context(), workspace.MustParse("other"), addTicket, newDevice(t).created(t, adding)); !errors.Is(err, ErrRefused) {
		t.Errorf("a device is added to another workspace: %v", err)
	}

	answer := d.signed(t, asking).Bytes()
	var in, out int
	var count sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := g.Answer(t.Context(), ticket, bytes.NewReader(answer))
			count.Lock()
			defer count.Unlock()
			if err == nil {
				in++
			} else if errors.Is(err, ErrRefused) {
				out++
			}
		})
	}
	all.Wait()
	if in != 1 || out != 7 {
		t.Errorf("eight at once: %d come in, %d are refused", in, out)
	}

	late, lateTicket, _ := g.Ask()
	m.now = m.now.Add(patience + time.Second)
	if _, err := g.Answer(t.Context(), lateTicket, d.signed(t, late)); !errors.Is(err, ErrRefused) {
		t.Errorf("too late: %v", err)
	}
}

// TestAnOwnerFillsTheirOwnListAlone: what is remembered of answers is bounded, and only those who filled it wait.
func TestAnOwnerFillsTheirOwnListAlone(t *testing.T) {
	t.Parallel()
	g, m := gate(t)
	busy, calm := newDevice(t), newDevice(t)
	other := workspace.MustParse("other")
	busy.add(t, g, workspace.Default)
	calm.add(t, g, other)
	in := func(d *device) error {
		options, ticket, err := g.Ask()
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.Answer(t.Context(), ticket, d.signed(t, options))
		return err
	}
	for range maxSpent - 1 { // the device that was added is one
		if err := in(busy); err != nil {
			t.Fatal(err)
		}
	}
	if err := in(busy); !errors.Is(err, ErrRefused) {
		t.Errorf("one more: %v", err)
	}
	if err := in(calm); err != nil {
		t.Errorf("another workspace: %v", err)
	}
	m.now = m.now.Add(patience + time.Second)
	if err := in(busy); err != nil {
		t.Errorf("later: %v", err)
	}
}

// TestADeviceThatIsKnown: a credential that is here already is refused, whosever it is, and stays as it was.
func TestADeviceThatIsKnown(t *testing.T) {
	t.Parallel()
	g, _ := gate(t)
	d := newDevice(t)
	d.add(t, g, workspace.Default)
	thief := newDevice(t)
	thief.id = d.id
	for _, ws := range []workspace.ID{workspace.Default, workspace.MustParse("other")} {
		options, ticket, err := g.Add(t.Context(), ws)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Added(t.Context(), ws, ticket, thief.created(t, options)); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", ws, err)
		}
	}
	options, ticket, _ := g.Ask()
	if ws, err := g.Answer(t.Context(), ticket, d.signed(t, options)); err != nil || ws != workspace.Default {
		t.Error(ws, err)
	}
}

// memory is a Store.
type memory struct {
	now time.Time
	mu  sync.Mutex
	of  map[workspace.ID]map[string][]byte
}

func (m *memory) AddPasskey(_ context.Context, ws workspace.ID, id, credential []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, all := range m.of {
		if all[string(id)] != nil {
			return workspace.ErrExists
		}
	}
	if m.of[ws] == nil {
		m.of[ws] = map[string][]byte{}
	}
	m.of[ws][string(id)] = credential
	return nil
}

func (m *memory) Passkeys(_ context.Context, ws workspace.ID) (all [][]byte, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.of[ws] {
		all = append(all, c)
	}
	return all, nil
}

func (m *memory) UsedPasskey(_ context.Context, id, credential []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, all := range m.of {
		if all[string(id)] != nil {
			all[string(id)] = credential
			return nil
		}
	}
	return workspace.ErrNotFound
}

// device is an authenticator with one key (Web Authentication Level 3, 6).
type device struct {
	key        *ecdsa.PrivateKey
	id, handle []byte
	count      uint32
}

func newDevice(t *testing.T) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &device{key: key, id: []byte(rand.Text())}
}

func (d *device) add(t *testing.T, g *Gate, ws workspace.ID) {
	t.Helper()
	options, ticket, err := g.Add(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Added(t.Context(), ws, ticket, d.created(t, options)); err != nil {
		t.Fatal(err)
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// client is what a browser says of the question in options.
func client(t *testing.T, kind string, options []byte) (said []byte, user string) {
	t.Helper()
	var asked struct {
		Challenge string
		User      struct{ ID string }
	}
	if err := json.Unmarshal(options, &asked); err != nil {
		t.Fatal(err)
	}
	said, err := json.Marshal(map[string]any{"type": kind, "challenge": asked.Challenge, "origin": home, "crossOrigin": false})
	if err != nil {
		t.Fatal(err)
	}
	return said, asked.User.ID
}

// state is the authenticator data: its holder was there and verified, and perhaps a new key follows (6.1).
func (d *device) state(flags byte) []byte {
	d.count++
	rp := sha256.Sum256([]byte("localhost"))
	return binary.BigEndian.AppendUint32(append(rp[:], flags), d.count)
}

func (d *device) created(t *testing.T, options []byte) *bytes.Buffer {
	t.Helper()
	said, user := client(t, "webauthn.create", options)
	d.handle, _ = base64.RawURLEncoding.DecodeString(user)
	point, err := d.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	key, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]}) // RFC 9053 7.1.1
	if err != nil {
		t.Fatal(err)
	}
	data := binary.BigEndian.AppendUint16(append(d.state(0x45), make([]byte, 16)...), uint16(len(d.id)))
	object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": append(append(data, d.id...), key...)})
	if err != nil {
		t.Fatal(err)
	}
	return d.says(t, map[string]string{"clientDataJSON": b64(said), "attestationObject": b64(object)})
}

func (d *device) signed(t *testing.T, options []byte) *bytes.Buffer {
	t.Helper()
	said, _ := client(t, "webauthn.get", options)
	data, of := d.state(0x05), sha256.Sum256(said)
	sum := sha256.Sum256(append(bytes.Clone(data), of[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return d.says(t, map[string]string{"clientDataJSON": b64(said), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(d.handle)})
}

func (d *device) says(t *testing.T, response map[string]string) *bytes.Buffer {
	t.Helper()
	b, err := json.Marshal(map[string]any{"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "response": response})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewBuffer(b)
}
