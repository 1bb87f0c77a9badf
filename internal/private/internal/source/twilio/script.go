package twilio

import (
	"encoding/xml"
	"strings"

	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/strictjson"
)

// Request is what Twilio says of a live call that it asks about.
type Request struct {
	Call, From string
	Parent     bool   // the call is a leg of another
	Key        string // the first key that was pressed; empty: none, and what was said was said to its end
	Over       bool   // the call has ended
}

// ReadRequest reads a verified delivery as a request about a live call; false when it is none.
func ReadRequest(d source.Delivery) (Request, bool) {
	doc, err := strictjson.Parse(d.Body)
	if err != nil {
		return Request{}, false
	}
	f := doc.Object("form")
	r := Request{Call: f.Text("CallSid"), From: f.Label("From"), Parent: f.Text("ParentCallSid") != "", Over: !goesOn[f.Text("CallStatus")]}
	if digits := f.Label("Digits"); digits != "" {
		r.Key = digits[:1]
	}
	return r, doc.Fault() == nil && r.Call != "" && f.Has("From") && !f.Has("RecordingSid") // see bordered
}

// Script writes the TwiML of a call (https://www.twilio.com/docs/voice/twiml): the notice in a Gather that hears keys, then
// what the number does. Addresses in it are relative to the one that Twilio asked.
type Script struct {
	Language string // de, en, es, fr; another or none: en
	Then     string // a number, sip:.. or client:.. that is dialled, or https://.. whose TwiML goes on
}

// said is what a caller hears in one language.
type said struct{ voice, notice, question, thanks string }

var languages = map[string]said{
	"de": {"de-DE",
		"Dieses Gespräch kann aufgezeichnet und in Text umgewandelt werden, damit wir aus vielen Gesprächen zusammen lernen. Wenn Sie das nicht möchten, drücken Sie die 9; wir helfen Ihnen genauso.",
		"Dürfen wir dieses Gespräch aufzeichnen und in Text umwandeln, um aus vielen Gesprächen zusammen zu lernen? Drücken Sie 1 für Ja. Für Nein drücken Sie 9 oder warten einfach.",
		"Danke. Dieses Gespräch wird aufgezeichnet."},
	"en": {"en-US",
		"This call may be recorded and turned into text, so that we can learn from many calls together. If you do not want that, press 9; it changes nothing about how we help you.",
		"May we record this call and turn it into text, so that we can learn from many calls together? Press 1 for yes. Press 9, or just wait, for no.",
		"Thank you. This call is recorded."},
	"es": {"es-ES",
		"Esta llamada puede grabarse y convertirse en texto para que aprendamos de muchas llamadas en conjunto. Si no lo desea, pulse 9; le atenderemos igual.",
		"¿Podemos grabar esta llamada y convertirla en texto para aprender de muchas llamadas en conjunto? Pulse 1 para sí. Para no, pulse 9 o simplemente espere.",
		"Gracias. Esta llamada se graba."},
	"fr": {"fr-FR",
		"Cet appel peut être enregistré et transcrit, afin que nous apprenions de l'ensemble des appels. Si vous ne le souhaitez pas, appuyez sur 9 ; cela ne change rien à notre aide.",
		"Pouvons-nous enregistrer et transcrire cet appel, afin d'apprendre de l'ensemble des appels ? Appuyez sur 1 pour oui. Pour non, appuyez sur 9 ou attendez.",
		"Merci. Cet appel est enregistré."},
}

// Speaks is the language that callers hear.
func (s Script) Speaks() string {
	if _, ok := languages[s.Language]; ok {
		return s.Language
	}
	return "en"
}

// Notice says that the call may be recorded, Question asks for it, Thanks says that it is. What is heard next goes to
// heard: with a key that was pressed, or without one when all was said and nobody pressed any.
func (s Script) Notice(heard string) []byte { return s.gather(languages[s.Speaks()].notice, heard) }

// Question asks whether the call may be recorded.
func (s Script) Question(heard string) []byte { return s.gather(languages[s.Speaks()].question, heard) }

// Thanks says that the call is recorded.
func (s Script) Thanks(heard string) []byte { return s.gather(languages[s.Speaks()].thanks, heard) }

func (s Script) gather(words, heard string) []byte {
	return []byte(xml.Header + `<Response><Gather input="dtmf" numDigits="1" finishOnKey="" timeout="2" actionOnEmptyResult="true" method="POST" action="` +
		escape(heard) + `"><Say language="` + languages[s.Speaks()].voice + `">` + escape(words) + `</Say></Gather></Response>`)
}

// Connect lets the call go where the number leads; its end goes to done.
func (s Script) Connect(done string) []byte {
	if strings.HasPrefix(s.Then, "https://") {
		return []byte(xml.Header + `<Response><Redirect method="POST">` + escape(s.Then) + `</Redirect></Response>`)
	}
	noun, whom := "Number", s.Then
	if rest, ok := strings.CutPrefix(s.Then, "client:"); ok {
		noun, whom = "Client", rest
	} else if strings.HasPrefix(s.Then, "sip:") || strings.HasPrefix(s.Then, "sips:") {
		noun = "Sip"
	}
	return []byte(xml.Header + `<Response><Dial method="POST" action="` + escape(done) + `"><` + noun + `>` + escape(whom) + `</` + noun + `></Dial></Response>`)
}

// End ends the call.
func (Script) End() []byte { return []byte(xml.Header + `<Response><Hangup/></Response>`) }

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
