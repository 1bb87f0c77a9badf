// Package connect knows every connector by the name of its kind.
//
// Zone: RED. The list is a plain switch: nothing registers itself.
package connect

import (
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/delighted"
	"murmur/internal/private/internal/source/formbricks"
	"murmur/internal/private/internal/source/native"
	"murmur/internal/private/internal/source/quo"
	"murmur/internal/private/internal/source/twilio"
	"murmur/internal/private/internal/source/typeform"
	"murmur/internal/private/internal/source/vcon"
	"murmur/internal/private/internal/source/webhook"
	"murmur/internal/private/internal/source/zendesk"
)

// Kinds are the names that For knows, in alphabetical order.
func Kinds() []string {
	return []string{"delighted", "formbricks", "native", "quo", "twilio", "typeform", "vcon", "webhook", "zendesk"}
}

// Vouching are the kinds whose signature is that of whoever runs the telephone network that calls and texts come from: a vendor,
// or the operator of a phone system of its own (native). Elsewhere an address is what somebody typed: a survey's hidden field, a
// ticket.
func Vouching() []string { return []string{"native", "quo", "twilio"} }

// For is the connector of a kind, as in `murmur connect KIND` and POST /in/KIND/TOKEN.
func For(kind string) (source.Source, bool) {
	switch kind {
	case "delighted":
		return delighted.Source{}, true
	case "formbricks":
		return formbricks.Source{}, true
	case "native":
		return native.Source{}, true
	case "quo":
		return quo.Source{}, true
	case "twilio":
		return twilio.Source{}, true
	case "typeform":
		return typeform.Source{}, true
	case "vcon":
		return vcon.Source{}, true
	case "webhook":
		return webhook.Source{}, true
	case "zendesk":
		return zendesk.Source{}, true
	}
	return nil, false
}
