package browser

import (
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Device is an authenticator of the browser's own, which signs without asking anybody.
type Device struct {
	tab *Tab
	id  webauthn.AuthenticatorID
}

// Device gives the tab one that keeps passkeys, and whose holder verifies themselves.
func (tab *Tab) Device(t *testing.T) Device {
	t.Helper()
	call(t, tab, webauthn.Enable, webauthn.EnableParams{})
	made, err := chromedp.Call(tab.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return Device{tab, made.AuthenticatorID}
}

// Misbehave has the device sign wrongly, or say that nobody verified themselves.
func (d Device) Misbehave(t *testing.T, signature, verified bool) {
	t.Helper()
	call(t, d.tab, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: d.id, IsBogusSignature: &signature, IsBadUV: &verified})
}
