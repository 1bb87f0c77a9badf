package recorder

import (
	"context"
	"fmt"

	"murmur/internal/fact"
	"murmur/internal/private/internal/consent"
	"murmur/internal/private/internal/recorder/sdp"
)

// The events that a call reports to its consent machine, and what it does after the answer.

// greet plays the notice, or relies on the policy, which states that the telephone system plays it.
func (c *call) greet() {
	state := c.take.State()
	if c.isCopy {
		c.attest()
		return
	}
	if state != consent.Noticing && state != consent.Asking {
		return
	}
	n, err := c.recorder.c.Notice(c.ws, state == consent.Asking)
	if err != nil {
		c.log("the notice cannot be played; nothing is recorded", err)
		c.step(consent.Event{Kind: consent.Failed})
		return
	}
	c.mu.Lock()
	l := c.legs()[0]
	c.mu.Unlock()
	ctx, cancel := context.WithCancel(c.ctx)
	stop := context.AfterFunc(c.dialog.Context(), cancel) // a hang-up
	c.hears.Go(func() {
		defer cancel()
		defer stop()
		codec, header := l.sends()
		play(ctx, n, codec, header, func(b []byte) error { return c.sound(l, b) }, c.recorder.c.Now, func(k consent.EventKind) {
			c.step(consent.Event{Kind: k, Notice: n.Notice})
			c.settle(false)
		})
	})
}

// sound sends a frame of the notice while it is still due.
func (c *call) sound(l *leg, b []byte) error {
	if s := c.take.State(); s != consent.Noticing && s != consent.Asking {
		return fmt.Errorf("notice in state %s: %w", s, context.Canceled)
	}
	return l.send(b)
}

// attest begins a copy, if the policy says that the telephony plays a notice on every call and the telephony does not say
// otherwise. If not, the control API may still say so; nothing is kept before.
func (c *call) attest() {
	c.mu.Lock()
	pause := c.pause
	c.mu.Unlock()
	if !pause {
		c.stepped(c.take.Attest(c.ctx))
	}
}

// heed takes what an offer says about recording: a=recordpref is the wish of a person, a=record what the telephony does
// (RFC 7866 9). It reports whether somebody says "on".
func (c *call) heed(offer sdp.Description) (on bool) {
	off, pause := false, false
	for i := range offer.Media {
		m := &offer.Media[i]
		off = off || m.Preference == sdp.WantsOff
		pause = pause || m.Preference == sdp.WantsPause || m.Recording == sdp.Paused || m.Recording == sdp.Off && c.isCopy
		on = on || m.Preference == sdp.WantsOn || m.Recording == sdp.On
	}
	if off {
		c.step(consent.Event{Kind: consent.SaidNo, Via: fact.ViaRecordPref})
	}
	c.mu.Lock()
	c.pause = pause || c.pause && !on
	c.mu.Unlock()
	return on && !pause
}

// settle begins a pause, or ends it when a person said so, where the call's state allows it.
func (c *call) settle(on bool) {
	c.mu.Lock()
	pause := c.pause
	c.mu.Unlock()
	switch state := c.take.State(); {
	case pause && state == consent.Holding:
		c.step(consent.Event{Kind: consent.Suspended})
	case on && state == consent.Paused:
		c.step(consent.Event{Kind: consent.Resumed})
	case c.isCopy:
		c.attest()
	}
}

// step tells the call's machine what happened. When it returns, that is durable.
func (c *call) step(e consent.Event) consent.State {
	e.At = c.recorder.c.Now()
	return c.stepped(c.take.Step(c.ctx, e))
}

func (c *call) stepped(s consent.State, err error) consent.State {
	if err != nil {
		c.log("a step of a call failed; its recording is destroyed", err)
	}
	if s.Over() {
		c.over.Store(true)
	}
	c.wake()
	return s
}

// key takes a key from either side: whoever presses the one that refuses, the recording ends.
func (c *call) key(k byte, by fact.Side) {
	if k < 'A' {
		c.step(consent.Event{Kind: consent.Pressed, Key: k, By: by})
	}
}

// who gives the party behind a leg, 0 where a copy does not tell.
func (c *call) who(side uint8) fact.Side {
	switch {
	case c.isCopy && c.label == "":
		return 0
	case side == 0:
		return fact.SideContact
	}
	return fact.SideMember
}
