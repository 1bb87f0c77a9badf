package redact

import (
	"strings"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/number"
)

// findAnchors marks what its own signs give away: e-mail and web addresses, handles, IP addresses.
func (s *scan) findAnchors() {
	for i := range s.tok {
		t := s.tok[i]
		if t.kind == sign {
			switch s.norm[t.s] {
			case '@':
				s.findEmail(i)
				if !s.taken[i] {
					s.findSpokenEmail(i)
				}
			case ':':
				s.findIPv6(i)
			case '.':
				s.findDomain(i)
			}
			continue
		}
		if t.kind == word {
			switch low := s.low(i); low {
			case "http", "https", "ftp":
				if s.low(i+1) == ":" && s.low(i+2) == "/" {
					s.markURL(i)
				} else if s.low(i+1) == "colon" {
					s.markSpokenURL(i)
				}
			case "at":
				s.findSpokenEmail(i)
			case "underscore", "hyphen", "dash":
				s.findSpokenUser(i)
			case "dot":
				s.findSpokenDomain(i)
			}
		}
	}
}

// local reports whether token i may be part of the local part of an e-mail address.
func (s *scan) local(i int) bool {
	t := s.at(i)
	return t.kind >= word && t.kind <= mixed || t.kind == sign && t.e > t.s && strings.IndexByte("._%+-'", s.norm[t.s]) >= 0
}

func (s *scan) findEmail(i int) {
	from, to := i, i+1
	for from > 0 && s.glued(from) && s.local(from-1) {
		from--
	}
	gap := false
	if from == i && s.local(i-1) && s.tok[i-1].kind != sign && !s.glued(i+1) { // name @ example.com
		from, gap = i-1, true
	}
	dots := 0
	for to < len(s.tok) && (s.glued(to) || gap && to == i+1) && s.local(to) {
		if s.low(to) == "." {
			if s.at(to+1).kind < word || !s.glued(to+1) {
				break
			}
			dots++
		}
		to++
	}
	switch {
	case to == i+1 || gap && dots == 0:
	case from < i:
		s.mark(from, to, Email, 99, ByShape)
		s.take(from, to)
	default:
		s.mark(i, to, Username, 70, ByShape)
		s.take(i, to)
	}
}

// findDomain marks "www.x.y/z" and "x.com" around the dot at i.
func (s *scan) findDomain(i int) {
	if i == 0 || !s.glued(i) || !s.glued(i+1) || s.taken[i] {
		return
	}
	tld := s.at(i + 1)
	www := s.low(i-1) == "www"
	sure := tld.lex&domain != 0 && tld.shape == small
	switch s.low(i + 1) {
	case "it", "in", "me", "us", "de", "es", "au", "app", "co", "ca":
		sure = sure && s.low(i+2) == "/" && s.glued(i+2)
	}
	if !www && !sure || s.glued(i+2) && s.at(i+2).kind >= word && !www {
		s.findIP(i)
		return
	}
	from := i - 1
	for from > 0 && s.glued(from) && (s.at(from-1).kind >= word || strings.Contains(".-_", s.low(from-1))) {
		from--
	}
	if s.at(from).kind >= word || www {
		s.markURL(from)
	}
}

// markURL marks everything glued to token from, without the sentence's own full stop.
func (s *scan) markURL(from int) {
	to := from + 1
	for to < len(s.tok) && s.glued(to) && s.tok[to].kind != line {
		to++
	}
	for to > from+1 && s.tok[to-1].kind == sign && strings.Contains(".,;:!?)\"'", s.low(to-1)) {
		to--
	}
	s.mark(from, to, URL, 95, ByShape)
	s.take(from, to)
}

// findIP marks four glued rows of digits up to 255, the first dot of them at i.
func (s *scan) findIP(i int) {
	for k := range 7 {
		j := i - 1 + k
		if k > 0 && !s.glued(j) {
			return
		}
		if k%2 == 1 && s.low(j) != "." {
			return
		}
		if n := atoi(s.low(j)); k%2 == 0 && (n < 0 || n > 255 || n > 0 && s.low(j)[0] == '0') {
			return
		}
	}
	if s.low(i-2) == "." && s.glued(i-2) && s.glued(i-1) && s.at(i-3).kind == digit {
		return
	}
	if s.low(i+6) == "." && s.glued(i+6) && s.glued(i+7) && s.at(i+7).kind == digit { // 3.93.92.16.85: a telephone number
		return
	}
	s.mark(i-1, i+6, IP, 95, ByShape)
	s.take(i-1, i+6)
}

// findIPv6 marks hexadecimal groups around colons, at least three of them.
func (s *scan) findIPv6(i int) {
	if s.taken[i] {
		return
	}
	hex := func(j int) bool {
		low := s.low(j)
		if low == "" || len(low) > 4 {
			return false
		}
		for k := range len(low) {
			if !num(low[k]) && (low[k] < 'a' || low[k] > 'f') {
				return false
			}
		}
		return true
	}
	from, to, colons := i, i+1, 1
	if s.glued(i) && hex(i-1) {
		from--
	}
	for to < len(s.tok) && s.glued(to) && (hex(to) || s.low(to) == ":") {
		if s.low(to) == ":" {
			colons++
		}
		to++
	}
	if colons >= 3 && to-from > colons {
		s.mark(from, to, IP, 90, ByShape)
		s.take(from, to)
	}
}

// findSpokenEmail marks "delia underscore h i l d r e t h 82 at gmail dot com" around the "at" at i.
func (s *scan) findSpokenEmail(i int) {
	if w := s.low(i + 1); w == "www" || w == "w" || w == "http" || w == "https" {
		return // track it at www.example.com
	}
	end := 0
	for j := i + 2; j < i+20 && j < len(s.tok); j++ {
		if s.low(j) == "dot" || s.low(j) == "." && s.glued(j+1) || s.low(j) == "point" {
			if n := s.domainLen(j + 1); n > 0 {
				end = j + 1 + n
				break
			}
			continue
		}
		if s.low(j) == "/" && s.glued(j) { // at example.com/track: a page
			return
		}
		if s.at(j).kind < word && s.low(j) != "-" || s.at(j).lex&stop != 0 && len(s.low(j)) > 1 || j > i+6 && s.runAt(j) == nil {
			break
		}
	}
	if n := s.domainLen(end + 1); end > 0 && s.low(end) == "dot" && n > 0 {
		end += 1 + n
	}
	if end == 0 && mailHost(s.low(i+1)) {
		end = i + 2
	}
	if end == 0 {
		return
	}
	from := i
	for n := 0; from > 0 && n < 24 && s.spellsAddress(from-1); n++ {
		from--
	}
	for from < i && (s.low(from) == "and" || s.low(from) == "." || s.low(from) == "," || s.low(from) == "dot" || s.low(from) == "so") {
		from++
	}
	if from < i {
		s.mark(from, end, Email, 95, ByShape)
		s.take(from, end)
	} else {
		s.mark(i+1, end, URL, 80, ByShape)
	}
}

// mailHost reports whether a word is a mail service that people name without its domain.
func mailHost(low string) bool {
	switch low {
	case "gmail", "yahoo", "hotmail", "outlook", "icloud", "aol", "protonmail":
		return true
	}
	return false
}

// domainLen gives the number of tokens of a top-level domain at i, said ("com") or spelled ("c o m").
func (s *scan) domainLen(i int) int {
	if s.at(i).lex&domain != 0 {
		return 1
	}
	for n := 3; n >= 2; n-- {
		b := make([]byte, 0, 3)
		for k := i; k < i+n && len(s.low(k)) == 1 && letter(s.low(k)[0]); k++ {
			b = append(b, s.low(k)[0])
		}
		if len(b) == n && (n == 2 || lexicon[string(b)]&domain != 0) { // every country has two letters
			return n
		}
	}
	return 0
}

// markSpokenURL marks "https colon slash slash w w w dot example dot com slash" from token i: words joined by spoken
// signs, and single letters.
func (s *scan) markSpokenURL(i int) {
	sign := func(k int) bool {
		switch s.low(k) {
		case "slash", "dot", "dash", "hyphen", "underscore":
			return true
		}
		return false
	}
	to := i + 2
	for to < len(s.tok) && to < i+32 && s.at(to).kind >= word {
		if spelled := len(s.low(to)) == 1 && len(s.low(to-1)) == 1; !sign(to) && !sign(to-1) && !spelled {
			break
		}
		if _, cue := s.cueAt(to); s.low(to-1) == "slash" && (cue || s.at(to).lex&(stop|prep|ack|greet) != 0) && s.low(to-2) != "slash" && s.low(to-2) != "colon" {
			break
		}
		to++
	}
	s.mark(i, to, URL, 85, ByShape)
	s.take(i, to)
}

// spellsAddress reports whether token i may be said inside the local part of an e-mail address.
func (s *scan) spellsAddress(i int) bool {
	t := s.at(i)
	low := s.low(i)
	switch low {
	case "underscore", "dot", "dash", "hyphen", "period", "plus", "-", ".", "_", "'", "double", "triple", "and", "uh", "um", "as", "in", "hundred":
		return low != "." && low != "'" || s.glued(i) && s.glued(i+1)
	case "a", "i":
		return len(s.low(i+1)) == 1 || len(s.low(i-1)) == 1 || cueWordsOf(s.low(i-1))
	case "for":
		return len(s.low(i-1)) == 1
	case "is", "it", "'s", "to", "email", "address", "my", "me", "the", "at", "its", "it's", "mail":
		return false
	}
	switch t.kind {
	case digit, mixed:
		return true
	case word:
		if _, ok := number.Spoken(low); ok || number.Spelling(low) {
			return true
		}
		if t.lex&(stop|ack) != 0 && t.gaz&gazetteer.CommonFirst == 0 {
			return false
		}
		return true
	}
	return false
}

// findSpokenUser marks "puppy dash benjamin" around the sign at i: a user name where one is asked or named.
func (s *scan) findSpokenUser(i int) {
	if s.taken[i] {
		return
	}
	plain := func(k int) bool {
		t := s.at(k)
		return t.kind >= word && t.kind <= mixed && t.lex&(stop|ack) == 0
	}
	if !plain(i-1) || !plain(i+1) {
		return
	}
	c, ok := s.cueBefore(i-1, 8)
	if !(ok && (c.t == Username || c.t == Email || c.t == BankAcct && s.low(c.at) == "account") || s.ask.wants(Username) || s.ask.wants(Email) || s.low(i) == "underscore") {
		return
	}
	from, to := i-1, i+2
	for cueWordsOf(s.low(from-1)) || s.low(from-1) == "hyphen" {
		from -= 2
	}
	for (cueWordsOf(s.low(to)) || s.low(to) == "hyphen") && plain(to+1) {
		to += 2
	}
	if from >= 0 && s.low(to) != "at" {
		s.mark(from, to, Username, 75, ByShape)
	}
}

func cueWordsOf(w string) bool { return w == "underscore" || w == "dot" || w == "dash" }

// findSpokenDomain marks "www dot example dot com" and "example dot com" that no e-mail address holds.
func (s *scan) findSpokenDomain(i int) {
	if s.taken[i] || s.at(i+1).lex&domain == 0 || s.at(i-1).kind < word {
		return
	}
	for k := i - 1; k >= 0 && k >= i-6; k-- {
		if s.low(k) == "at" {
			return
		}
	}
	from := i - 1
	for from > 1 && s.low(from-1) == "dot" {
		from -= 2
	}
	if s.low(from-1) == "w" {
		for from > 0 && s.low(from-1) == "w" {
			from--
		}
	}
	s.mark(from, i+2, URL, 80, ByShape)
	s.take(from, i+2)
}
