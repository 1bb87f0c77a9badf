package server

import (
	"net/url"
	"strings"

	"murmur/internal/rpc"
	"murmur/internal/workspace"
)

// checkPlatform refuses settings that a platform cannot carry out for its calls.
func checkPlatform(a rpc.ConnectArgs) error {
	bad := func(message, hint string) error {
		return &rpc.Problem{Message: message, Hint: hint, Exit: 2, Status: 422}
	}
	switch {
	case (a.Then != "" || a.Language != "") && a.Kind != "twilio":
		return bad("only Twilio's calls are told where to go", "leave out --then and --language")
	case a.Then != "" && a.APIKey == "":
		return bad("a recording is started and stopped over the API, and there is no key", "add --api-key ACCOUNT:TOKEN or @FILE")
	case a.Then != "" && !goesSomewhere(a.Then):
		return bad("calls cannot go there", "--then is a number such as +12125550100, sip:.., client:.. or the https:// address of TwiML")
	case a.Kind == "twilio" && a.APIKey != "" && !strings.HasPrefix(a.APIKey, "AC"):
		return bad("that is no key of Twilio", "write it as ACCOUNT:TOKEN, the account begins with AC")
	case a.Kind == "twilio" && a.APIKey == "" && a.Secret == "":
		return bad("Twilio signs with the account's auth token", "add --secret @FILE with the auth token, or --api-key ACCOUNT:TOKEN to poll as well")
	case a.Kind == "twilio" && a.Secret == "" && strings.Count(a.APIKey, ":") > 1:
		return bad("Twilio signs with the account's auth token, which an API key does not hold", "add --secret @FILE with the auth token")
	case a.Kind == "delighted" && a.Secret == "":
		return bad("Delighted signs with the account's API key", "add --secret @FILE with that key")
	}
	return nil
}

func goesSomewhere(then string) bool {
	if strings.HasPrefix(then, "+") {
		return len(then) > 4 && strings.Trim(then[1:], "0123456789") == ""
	}
	u, err := url.Parse(then)
	return err == nil && (u.Scheme == "https" && u.Host != "" || (u.Scheme == "sip" || u.Scheme == "sips" || u.Scheme == "client") && u.Opaque != "")
}

// paste says what to set up at the vendor, where it is more than one address.
func paste(src workspace.Source, path string) string {
	at := src.Config.PublicURL
	if at == "" {
		at = "https://YOUR.HOST"
	}
	at = strings.TrimRight(at, "/") + path
	switch src.Kind {
	case "twilio":
		said := "In Twilio's console, under Phone Numbers, for each number (docs/twilio.md):\n\n" +
			"  call status changes   " + at + "\n" +
			"  a message comes in    " + at + "   (only if nothing else answers texts)\n"
		if src.Config.Then != "" {
			said += "  a call comes in       " + at + "/voice\n"
		}
		return said + "\nUnder Messaging Services the status callback, and under Event Streams a webhook sink: the first address."
	case "delighted":
		return "In Delighted, open Integrations, Webhooks, and add " + at + " for survey responses."
	case "formbricks":
		return "In Formbricks, open Integrations, Webhooks, and add " + at + " for created, updated and finished responses;\nthen: murmur connect rotate " + src.Name + " --secret S with the signing secret that it shows. docs/surveys.md says how questions are named."
	case "zendesk":
		return "In Zendesk's Admin Center, make a webhook to " + at + " and a trigger \"satisfaction changed\" that sends the body of docs/surveys.md;\nthen: murmur connect rotate " + src.Name + " --secret S with the webhook's signing secret."
	case "webhook":
		return "At the survey tool, send answers to " + at + "; if it makes up its own secret: murmur connect rotate " + src.Name + " --secret S."
	}
	return ""
}
