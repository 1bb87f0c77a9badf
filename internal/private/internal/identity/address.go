package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"murmur/internal/private/internal/personal"
)

// Version is the version of the rules by which an address gets its one spelling. A change that gives any address
// another spelling is a new version, and the old rules stay as a former scheme (former.go). One that reads what was unreadable is
// none: nobody could refuse or be erased by it, and its rows are nobody's.
const Version = 2

// Kind says what kind of address it is.
type Kind int

// The kinds. A person has one of the last four.
const (
	Absent     Kind = iota // there is none
	Withheld               // the caller is not shown
	Unreadable             // there is an address, and it cannot be read
	Phone                  // +E.164
	Email                  // lower case, the domain in ASCII; a SIP address with a name is the same
	Short                  // a short code or an extension: short:DIGITS
	Own                    // an id of the platform's own: id:TEXT
)

// Address is an address in its one spelling.
type Address struct {
	kind  Kind
	value personal.Value
}

// Kind is the kind of the address.
func (a Address) Kind() Kind { return a.kind }

// Person reports whether it is the address of somebody in particular.
func (a Address) Person() bool { return a.kind >= Phone }

// Value is the one spelling; empty when the address belongs to no person.
func (a Address) Value() personal.Value { return a.value }

const (
	shortPrefix = "short:"
	ownPrefix   = "id:"
	maxAddress  = 512 // bytes; RFC 3261 has no limit, people have one
)

// Parse reads an address in any spelling. A phone number without a country is read in region, an ISO 3166 code, and only
// if it cannot be one there, as one whose + was left out. What is otherwise unreadable is searched for the one number that stands
// among words, a name for example. Parse is a projection: what it gives parses to itself.
//
// In an e-mail address the case of the local part is dropped, although RFC 5321 2.4 lets a host tell it apart: none that
// people use does. What follows a + stays, because only the host knows whether it is the same mailbox (RFC 5233).
func Parse(v personal.Value, region string) Address {
	s := v.Reveal()
	switch {
	case plainNANP(s):
		return Address{Phone, v}
	case len(s) > maxAddress:
		return Address{kind: Unreadable}
	}
	kind, one := parse(s, region)
	return Address{kind, personal.New(one)}
}

// OwnID reads what a platform itself calls a person, which may be a phone number or an e-mail address: what is neither,
// a bare number for example, is an id.
func OwnID(v personal.Value, region string) Address {
	a := Parse(v, region)
	if a.kind != Unreadable || len(v.Reveal()) > maxAddress {
		return a
	}
	if kind, one := already(ownPrefix, clean(v.Reveal())); kind == Own {
		return Address{kind, personal.New(one)}
	}
	return a
}

// SaysOwn reports whether a text says itself that it is a platform's own id: id:TEXT.
func SaysOwn(v personal.Value) bool {
	return len(v.Reveal()) <= maxAddress && strings.HasPrefix(clean(v.Reveal()), ownPrefix)
}

func parse(s, region string) (Kind, string) {
	s = clean(s)
	for _, prefix := range []string{shortPrefix, ownPrefix} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			return already(prefix, rest)
		}
	}
	s, uri := unwrap(s)
	switch {
	case s == "":
		return Absent, ""
	case withheldWord(s), withheldKeys(s):
		return Withheld, ""
	case strings.Contains(s, "@"):
		return mailbox(s, uri, region)
	}
	if kind, one := telephone(s, region); kind != Unreadable {
		return kind, one
	}
	if isOwn(s) {
		return Own, ownPrefix + s
	}
	return within(s, region)
}

// already reads what Parse has made before.
func already(prefix, rest string) (Kind, string) {
	rest = strings.TrimSpace(rest)
	switch {
	case rest == "" || strings.HasPrefix(rest, ownPrefix) || strings.HasPrefix(rest, shortPrefix):
		return Unreadable, ""
	case prefix == ownPrefix:
		return Own, ownPrefix + rest
	case len(rest) <= maxShort && onlyDigits(rest):
		return Short, shortPrefix + rest
	}
	return Unreadable, ""
}

// clean removes invisible characters and replaces the many spaces, dashes and digits of Unicode by plain ones.
func clean(s string) string {
	s = norm.NFKC.String(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf && r > ' ' && r != 0x7f:
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector), r == '\u20E3': // bidi, zero width, keycaps
			return -1
		case unicode.Is(unicode.Pd, r), r == '\u2212', r == '\u02D7':
			return '-'
		case r == '\u00B7', r == '\u2022', r == '\u2027', r == '\u22C5', r == '\u30FB':
			return '.'
		case r == '\u2044', r == '\u2215':
			return '/'
		case r == '\u2795':
			return '+'
		case unicode.Is(unicode.Nd, r):
			return digit(r)
		}
		return r
	}, s)
	return strings.Join(strings.Fields(norm.NFKC.String(s)), " ")
}

// digit is the ASCII digit of another script's: the ranges of Nd are whole sets of ten (Unicode 4.6).
func digit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}

// schemes of addresses, and the words that stand before one in the same way.
var schemes = []string{
	"sips", "sip", "tel", "mailto", "whatsapp", "rcs", "smsto", "sms", "callto", "fax", "phone", "mobile", "cell", "tel.", "e-mail", "email",
}

// unwrap takes an address out of a display name, angle brackets, a URI and its parameters (RFC 3261 20.10, RFC 3966, RFC
// 6068). uri is true when there was one: a number before an @ is then a telephone number.
func unwrap(s string) (_ string, uri bool) {
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		if inside, _, ok := strings.Cut(s[i+1:], ">"); ok && strings.TrimSpace(inside) != "" {
			s = inside
		}
	}
	s = strings.Trim(s, ` "'`)
	for {
		scheme, rest, ok := strings.Cut(s, ":")
		name := strings.ToLower(strings.TrimSpace(scheme))
		if !ok || !isScheme(name) {
			break
		}
		uri = uri || name == "sip" || name == "sips" || name == "tel"
		s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), "//"))
		if plain, ok := unescape(s); ok {
			s = clean(plain)
		}
	}
	if at := strings.IndexByte(s, '@'); at >= 0 { // parameters of the user: RFC 3261 25.1, RFC 4694
		user, _, _ := strings.Cut(s[:at], ";")
		s = user + s[at:]
	}
	s, parameters, _ := strings.Cut(s, ";")
	if context, ok := phoneContext(parameters); ok && !strings.HasPrefix(s, "+") {
		s = context + s
	}
	if uri || strings.Contains(s, "@") {
		s, _, _ = strings.Cut(s, "?")
	}
	return strings.Trim(s, ` "'`), uri
}

func isScheme(s string) bool {
	for _, known := range schemes {
		if s == known {
			return true
		}
	}
	return false
}

// unescape reads %XX (RFC 3986 2.1). false: there is none, or it is not one.
func unescape(s string) (string, bool) {
	if !strings.Contains(s, "%") {
		return s, false
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return s, false
		}
		hi, lo := strings.IndexByte(hexDigits, s[i+1]|0x20), strings.IndexByte(hexDigits, s[i+2]|0x20)
		if hi < 0 || lo < 0 {
			return s, false
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return b.String(), true
}

const hexDigits = "0123456789abcdef"

// phoneContext is the beginning of a number that tells only its end (RFC 3966 5.1.5). Another context, a domain, says
// nothing that helps.
func phoneContext(parameters string) (string, bool) {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "phone-context") && strings.HasPrefix(value, "+") {
			return value, true
		}
	}
	return "", false
}

// mailbox reads what has an @: an e-mail address, or the SIP address of a number or a name.
func mailbox(s string, uri bool, region string) (Kind, string) {
	at := strings.LastIndexByte(s, '@')
	user, host := strings.TrimSpace(s[:at]), strings.TrimSpace(s[at+1:])
	user, _, _ = strings.Cut(user, ":") // a password
	if uri || strings.HasSuffix(strings.ToLower(host), ".invalid") {
		if withheldWord(user) {
			return Withheld, ""
		}
	}
	if uri || strings.HasPrefix(user, "+") || !dotted(host) {
		if kind, one := telephone(user, region); kind != Unreadable {
			return kind, one
		}
	}
	host, ok := domain(host)
	user = fold(user)
	if !ok || !localPart(user) {
		return Unreadable, ""
	}
	return Email, user + "@" + host
}

// dotted reports a host by name, not by number and without a port: an e-mail address may begin with digits.
func dotted(host string) bool {
	return strings.Contains(host, ".") && strings.IndexFunc(host, unicode.IsLetter) >= 0 && !strings.ContainsAny(host, ":[]")
}

// domain gives a host its ASCII form (RFC 5891), without port and closing dot.
func domain(host string) (string, bool) {
	host, _, _ = strings.Cut(host, ":")
	host = strings.TrimSuffix(host, ".")
	ascii, err := idnaProfile.ToASCII(host)
	if err != nil {
		ascii = strings.ToLower(host)
	}
	if ascii == "" || len(ascii) > 253 || strings.HasPrefix(ascii, ".") || strings.Contains(ascii, "..") || strings.HasSuffix(ascii, ".") {
		return "", false
	}
	for _, r := range ascii {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_' {
			return "", false
		}
	}
	return ascii, true
}

var idnaProfile = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// localPart reports a dot-atom (RFC 5322 3.2.3, RFC 6531).
func localPart(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for _, r := range s {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r) {
			return false
		}
	}
	return true
}

// fold drops case, to the end: the small form of some letters is written in two ways.
func fold(s string) string {
	for range 4 {
		next := norm.NFKC.String(strings.ToLower(s))
		if next == s {
			break
		}
		s = next
	}
	return s
}

// isOwn reports what can be a platform's own id: one word with a letter in it, and no number that somebody misspelt.
func isOwn(s string) bool {
	letters, digits := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters++
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("-_.:/=~|*#", r):
			return false
		}
	}
	return letters > 0 && (letters > 1 || digits < 7)
}

func onlyDigits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}
