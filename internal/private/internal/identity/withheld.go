package identity

import (
	"strings"
)

// withheldWords is what carriers, vendors and exports write when the caller is not shown, in lower case, words joined by
// one space.
var withheldWords = words(`
anonymous, anonymous caller, restricted, restricted number, private, private number, private caller, unavailable, not available,
unknown, unknown caller, unknown number, withheld, number withheld, caller withheld, blocked, blocked number, no caller id, no number,
hidden, hidden number, caller id blocked, out of area, payphone, none, null, nil, n/a, na, undefined, id unavailable,
anonym, unbekannt, unterdrückt, rufnummer unterdrückt, unbekannte nummer, private nummer,
anonyme, inconnu, masqué, numéro masqué, numéro privé, appel masqué, numéro inconnu, privé,
anónimo, privado, número privado, desconocido, número desconocido, oculto, número oculto, restringido, no disponible,
anônimo, anonimo, número restrito, desconhecido, número desconhecido, confidencial,
sconosciuto, privato, numero privato, onbekend, anoniem, privénummer, okänt nummer, ukjent, nieznany, prywatny,
аноним, неизвестно, номер скрыт, 匿名, 非通知, 未知, 匿名来电, अज्ञात, مجهول`)

func words(list string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.SplitSeq(list, ",") {
		m[plainWords(w)] = true
	}
	return m
}

// plainWords is words in lower case without what joins or wraps them.
func plainWords(s string) string {
	s = strings.NewReplacer("-", " ", "_", " ", ".", " ", "*", " ", "[", " ", "]", " ", "(", " ", ")", " ").Replace(fold(s))
	return strings.Join(strings.Fields(s), " ")
}

// withheldWord reports words, or signs alone, in the place of a caller.
func withheldWord(s string) bool {
	w := plainWords(s)
	return w == "" || withheldWords[w] || strings.Trim(w, "x?#+0 ") == ""
}

// withheldKeys reports such a word spelt on the keys of a telephone, as some platforms do: ANONYMOUS is 266696687.
func withheldKeys(s string) bool {
	switch strip(s) {
	case "266696687", "7378742833", "2562533", "8656696", "86282452253", "464": // ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE
		return plain.MatchString(s) && (strings.Contains(s, "+") || strip(s) == "266696687")
	}
	return false
}
