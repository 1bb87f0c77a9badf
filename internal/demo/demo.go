// Package demo sends the events of a synthetic business to a running server, as its vendors would.
//
// Zone: outside. It signs webhooks and posts them over HTTP, imports exports, and opts callers out over the API; it
// knows no type of the private zone or the crowd, and nothing is inserted behind the doors. Callers ring the recorder,
// hear its notice, and one in ten presses 9. Everything else goes five ways in: Quo webhooks (calls, texts, transcripts, the menu), Typeform webhooks (surveys), native events (the
// workflow's other steps), files (an older history), and the control API (opt-outs).
package demo

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"murmur/internal/synth"
)

// Sources are the five sources of the mission, in the words of the demo's summary.
var Sources = []string{"calls", "texts", "recordings", "workflow", "surveys"}

// Config says what to send.
type Config struct {
	Base string // of the running server: http://HOST:PORT
	// Recorder is HOST:PORT of its recorder; empty: nobody rings.
	Recorder string
	// Do carries out a verb of the command line on the server's data directory.
	Do   func(ctx context.Context, verb string, args any, in io.Reader, out io.Writer) error
	Days int
	Seed uint64
	Now  func() time.Time
	// Progress is called with the share of the work that is done, 0 to 1. May be nil.
	Progress func(float64)
}

// Zone is where the synthetic business lives.
const Zone = "America/New_York"

// contacts is about how many people a month get in touch with the business.
const contacts = 420

// senders is how many webhooks are under way at once.
const senders = 8

// Run sends everything and returns when the last delivery was accepted.
func Run(ctx context.Context, c Config) (*synth.Business, error) {
	zone, err := time.LoadLocation(Zone)
	if err != nil {
		return nil, fmt.Errorf("load the time zone: %w", err)
	}
	if c.Progress == nil {
		c.Progress = func(float64) {}
	}
	now := c.Now().In(zone)
	start := time.Date(now.Year(), now.Month(), now.Day()-c.Days, 0, 0, 0, 0, zone)
	business, days := synth.Days(synth.Config{Seed: c.Seed, Start: start, Zone: zone, Contacts: contacts}, c.Days)
	s := sender{Config: c, business: business, voices: make(chan struct{}, 2), client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}}
	defer s.client.CloseIdleConnections()
	if err := s.connect(ctx); err != nil {
		return nil, fmt.Errorf("connect the sources: %w", err)
	}
	ringing := make(chan error, 1)
	go func() { ringing <- s.ringAll(ctx, days) }()
	err = errors.Join(s.history(ctx, days), <-ringing)
	if err == nil {
		err = s.names(ctx)
	}
	return business, err
}

// names does what its owner would do first: it gives the lines, menus and surveys the names that
// people use.
func (s *sender) names(ctx context.Context) error {
	for _, n := range s.business.Names() {
		var named struct{ Named int }
		if err := s.do(ctx, "name", object{"kind": n.Kind, "from": n.From, "to": n.To}, &named); err != nil {
			return fmt.Errorf("name a %s: %w", n.Kind, err)
		}
	}
	return nil
}

// history sends the business's life up to now.
func (s *sender) history(ctx context.Context, days []synth.Day) error {
	// A quarter of the history comes as files, the rest as webhooks.
	old := len(days) / 4
	if err := s.files(ctx, days[:old]); err != nil {
		return fmt.Errorf("import the history: %w", err)
	}
	for i, d := range days[old:] {
		if err := s.day(ctx, d); err != nil {
			return fmt.Errorf("send day %d: %w", old+i+1, err)
		}
		s.Progress(float64(old+i+1) / float64(len(days)))
	}
	return nil
}

// sender plays the vendors.
type sender struct {
	Config
	business *synth.Business
	client   *http.Client
	voices   chan struct{} // as many as speak at once

	quo, typeform, native endpoint
	token                 string
}

// endpoint is where a source delivers and what it signs with.
type endpoint struct {
	Path   string `json:"path"`
	Secret string `json:"secret"`
}

func (s *sender) do(ctx context.Context, verb string, args, answer any) error {
	var b bytes.Buffer
	if err := s.Do(ctx, verb, args, nil, &b); err != nil {
		return err
	}
	return json.Unmarshal(b.Bytes(), answer)
}

type object = map[string]any

func (s *sender) connect(ctx context.Context) error {
	for kind, e := range map[string]*endpoint{"quo": &s.quo, "typeform": &s.typeform, "native": &s.native} {
		if err := s.do(ctx, "connect", object{"kind": kind, "name": kind}, e); err != nil {
			return err
		}
	}
	var policy any
	err := s.do(ctx, "policy", object{
		"set": []object{
			{"key": "timezone", "value": Zone},
			{"key": "open-hours", "value": "mon-fri 09:00-17:00"},
			{"key": "transcripts", "value": "notice"},
			{"key": "recordings", "value": "notice"},
		},
		"reason": "the demo plays a recording notice on every call, and a no is respected",
		"author": "murmur demo",
	}, &policy)
	if err != nil {
		return err
	}
	return s.do(ctx, "token", object{"role": "owner"}, &s.token)
}

// files imports the oldest days: calls, texts and surveys as a phone system and a survey tool export them, workflow
// steps as native lines.
func (s *sender) files(ctx context.Context, days []synth.Day) error {
	var calls, texts, surveys, steps bytes.Buffer
	err := errors.Join(s.business.CSVCalls(&calls, days), s.business.CSVTexts(&texts, days), s.business.CSVSurveys(&surveys, days))
	for _, d := range days {
		err = errors.Join(err, s.business.NativeSteps(&steps, d))
	}
	if err != nil {
		return err
	}
	for _, f := range []struct {
		kind string
		body io.Reader
	}{{"calls", &calls}, {"messages", &texts}, {"surveys", &surveys}, {"native", &steps}} {
		if err := s.Do(ctx, "import", object{"kind": f.kind}, f.body, io.Discard); err != nil {
			return fmt.Errorf("%s: %w", f.kind, err)
		}
	}
	return nil
}

// day sends one day. Some callers whose call was recorded opt out: half of them before the transcript comes, which
// murmur then refuses, half of them after, so that murmur takes the transcript back.
func (s *sender) day(ctx context.Context, d synth.Day) error {
	if err := s.optOut(ctx, d, 0); err != nil {
		return err
	}
	if err := s.deliver(ctx, d); err != nil {
		return err
	}
	return s.optOut(ctx, d, 10)
}

// optOut opts every twentieth caller out over the control API.
func (s *sender) optOut(ctx context.Context, d synth.Day, from int) error {
	for i, call := range d.Calls {
		if !call.Recorded || i%20 != from {
			continue
		}
		err := s.post(ctx, "/v1/calls/"+call.ID+"/opt-out", []byte(`{"via":"agent"}`), http.Header{"Authorization": {"Bearer " + s.token}})
		if err != nil {
			return err
		}
	}
	return nil
}

// deliver posts what the vendors have to say about a day.
func (s *sender) deliver(ctx context.Context, d synth.Day) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(senders)
	d, automatic := d.Automatic()
	for _, w := range s.business.Quo(d) {
		g.Go(func() error { return s.post(ctx, s.quo.Path, w.Body, s.signQuo(w)) })
	}
	for _, w := range s.business.Typeform(d) {
		g.Go(func() error { return s.post(ctx, s.typeform.Path, w.Body, s.signTypeform(w)) })
	}
	var steps bytes.Buffer
	if err := errors.Join(s.business.NativeSteps(&steps, d), s.business.NativeTexts(&steps, automatic)); err != nil {
		return errors.Join(err, g.Wait())
	}
	if steps.Len() > 0 {
		g.Go(func() error {
			return s.post(ctx, s.native.Path, steps.Bytes(), http.Header{"Authorization": {"Bearer " + s.native.Secret}})
		})
	}
	return g.Wait()
}

// signQuo signs as Quo does (Standard Webhooks: HMAC-SHA256 of id.timestamp.body).
func (s *sender) signQuo(w synth.Delivery) http.Header {
	ts := strconv.FormatInt(s.Now().Unix(), 10)
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.quo.Secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", w.ID, ts, w.Body)
	return http.Header{
		"Webhook-Id": {w.ID}, "Webhook-Timestamp": {ts},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
}

// signTypeform signs as Typeform does (HMAC-SHA256 of the body).
func (s *sender) signTypeform(w synth.Delivery) http.Header {
	mac := hmac.New(sha256.New, []byte(s.typeform.Secret))
	mac.Write(w.Body)
	return http.Header{"Typeform-Signature": {"sha256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))}}
}

// post sends one body and requires a 2xx, by which the server says that the delivery is durable.
func (s *sender) post(ctx context.Context, path string, body []byte, h http.Header) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Base+path, bytes.NewReader(body))
	if err != nil {
		return errors.New("make the request")
	}
	req.Header = h
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("post a delivery: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("post a delivery: the server answered %s", res.Status)
	}
	return nil
}
