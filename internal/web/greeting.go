package web

import (
	"strings"

	"murmur/internal/workspace"
)

// Greeting is what a business has said at the beginning of a call, in one language.
type Greeting struct {
	Language string `json:"language" doc:"BCP 47"`
	Name     string `json:"name" doc:"of the language, in itself"`
	Text     string `json:"text"`
}

// notices tell; questions ask, and a caller who says nothing has not agreed. They are the texts of docs/consent.md,
// word for word (a test holds them to it); 9 stands for the policy's opt-out choice.
var (
	notices = []Greeting{
		{"en", "English", "This call may be recorded and turned into text, so that we can learn from many calls together. Nobody listens for you in particular. If you do not want that, press 9 at any time; it changes nothing about how we help you."},
		{"de", "Deutsch", "Dieses Gespräch kann aufgezeichnet und in Text umgewandelt werden, damit wir aus vielen Gesprächen zusammen lernen. Niemand hört Ihnen im Einzelnen zu. Wenn Sie das nicht möchten, drücken Sie jederzeit die 9; wir helfen Ihnen genauso."},
		{"es", "Español", "Esta llamada puede grabarse y convertirse en texto para que aprendamos de muchas llamadas en conjunto. Nadie le escucha a usted en particular. Si no lo desea, pulse 9 en cualquier momento; le atenderemos igual."},
		{"fr", "Français", "Cet appel peut être enregistré et transcrit, afin que nous apprenions de l'ensemble des appels. Personne ne vous écoute en particulier. Si vous ne le souhaitez pas, appuyez sur 9 à tout moment ; cela ne change rien à notre aide."},
	}
	questions = []Greeting{
		{"en", "English", "May we record this call and turn it into text, so that we can learn from many calls together? Press 1 for yes. Press 9, or just stay on the line, for no."},
		{"de", "Deutsch", "Dürfen wir dieses Gespräch aufzeichnen und in Text umwandeln, um aus vielen Gesprächen zusammen zu lernen? Drücken Sie 1 für Ja. Für Nein drücken Sie 9 oder bleiben einfach in der Leitung."},
		{"es", "Español", "¿Podemos grabar esta llamada y convertirla en texto para aprender de muchas llamadas en conjunto? Pulse 1 para sí. Para no, pulse 9 o simplemente espere."},
		{"fr", "Français", "Pouvons-nous enregistrer et transcrire cet appel, afin d'apprendre de l'ensemble des appels ? Appuyez sur 1 pour oui. Pour non, appuyez sur 9 ou restez en ligne."},
	}
)

// greetings are the texts that a policy requires, in all languages; none when it uses no content, or when it has no
// key for a refusal, which a greeting must offer.
func greetings(p workspace.Policy) []Greeting {
	var from []Greeting
	switch {
	case p.OptOutChoice == "":
		return nil
	case p.Recordings == workspace.OptIn || p.Transcripts == workspace.OptIn || p.OptInCountries != "" && content(p):
		from = questions
	case content(p):
		from = notices
	}
	out := make([]Greeting, len(from))
	for i, g := range from {
		g.Text = strings.Replace(g.Text, "9", p.OptOutChoice, 1)
		out[i] = g
	}
	return out
}

// content reports whether a policy uses anything that was said in a call.
func content(p workspace.Policy) bool {
	return p.Recordings != workspace.Deny || p.Transcripts != workspace.Deny
}
