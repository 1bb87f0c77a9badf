// Package net marks e-mail addresses, web addresses, user names and IP addresses, written and said.
//
// Zone: RED.
package net

import (
	"strings"

	"murmur/internal/redact/gazetteer"
	"murmur/internal/redact/internal/check"
	"murmur/internal/redact/internal/scan"
	"murmur/internal/redact/internal/token"
	"murmur/internal/redact/kind"
	"murmur/internal/redact/number"
)

// FindAnchors marks what its own signs give away: e-mail and web addresses, handles, IP addresses.
func FindAnchors(s *scan.Scan) {
	for i := range s.Tokens {
		t := s.Tokens[i]
		if t.Kind == token.Sign {
			switch s.Norm[t.Start] {
			case '@':
				findEmail(s, i)
				if !s.Taken[i] {
					findSpokenEmail(s, i)
				}
			case ':':
				findIPv6(s, i)
			case '.':
				findDomain(s, i)
			}
			continue
		}
		if t.Kind == token.Word {
			switch low := s.Low(i); low {
			case "http", "https", "ftp":
				if s.Low(i+1) == ":" && s.Low(i+2) == "/" {
					markURL(s, i)
				} else if s.Low(i+1) == "colon" {
					markSpokenURL(s, i)
				}
			case "at":
				findSpokenEmail(s, i)
			case "underscore", "hyphen", "dash":
				findSpokenUser(s, i)
			case "dot":
				findSpokenDomain(s, i)
			}
		}
	}
}

// local reports whether token i may be part of the local part of an e-mail address.
func local(s *scan.Scan, i int) bool {
	t := s.At(i)
	return t.Kind >= token.Word && t.Kind <= token.Mixed || t.Kind == token.Sign && t.End > t.Start && strings.IndexByte("._%+-'", s.Norm[t.Start]) >= 0
}

func findEmail(s *scan.Scan, i int) {
	from, to := i, i+1
	for from > 0 && s.Glued(from) && local(s, from-1) {
		from--
	}
	gap := false
	if from == i && local(s, i-1) && s.Tokens[i-1].Kind != token.Sign && !s.Glued(i+1) { // name @ example.com
		from, gap = i-1, true
	}
	dots := 0
	for to < len(s.Tokens) && (s.Glued(to) || gap && to == i+1) && local(s, to) {
		if s.Low(to) == "." {
			if s.At(to+1).Kind < token.Word || !s.Glued(to+1) {
				break
			}
			dots++
		}
		to++
	}
	switch {
	case to == i+1 || gap && dots == 0:
	case from < i:
		s.Mark(from, to, kind.Email, 99, kind.ByShape)
		s.Take(from, to)
	default:
		s.Mark(i, to, kind.Username, 70, kind.ByShape)
		s.Take(i, to)
	}
}

// findDomain marks "www.x.y/z" and "x.com" around the dot at i.
func findDomain(s *scan.Scan, i int) {
	if i == 0 || !s.Glued(i) || !s.Glued(i+1) || s.Taken[i] {
		return
	}
	tld := s.At(i + 1)
	www := s.Low(i-1) == "www"
	sure := tld.Lex&token.Domain != 0 && tld.Shape == token.Small
	switch s.Low(i + 1) {
	case "it", "in", "me", "us", "de", "es", "au", "app", "co", "ca":
		sure = sure && s.Low(i+2) == "/" && s.Glued(i+2)
	}
	if !www && !sure || s.Glued(i+2) && s.At(i+2).Kind >= token.Word && !www {
		findIP(s, i)
		return
	}
	from := i - 1
	for from > 0 && s.Glued(from) && (s.At(from-1).Kind >= token.Word || strings.Contains(".-_", s.Low(from-1))) {
		from--
	}
	if s.At(from).Kind >= token.Word || www {
		markURL(s, from)
	}
}

// markURL marks everything glued to token from, without the sentence's own full stop.
func markURL(s *scan.Scan, from int) {
	to := from + 1
	for to < len(s.Tokens) && s.Glued(to) && s.Tokens[to].Kind != token.Line {
		to++
	}
	for to > from+1 && s.Tokens[to-1].Kind == token.Sign && strings.Contains(".,;:!?)\"'", s.Low(to-1)) {
		to--
	}
	s.Mark(from, to, kind.URL, 95, kind.ByShape)
	s.Take(from, to)
}

// findIP marks four glued rows of digits up to 255, the first dot of them at i.
func findIP(s *scan.Scan, i int) {
	for k := range 7 {
		j := i - 1 + k
		if k > 0 && !s.Glued(j) {
			return
		}
		if k%2 == 1 && s.Low(j) != "." {
			return
		}
		if n := check.Atoi(s.Low(j)); k%2 == 0 && (n < 0 || n > 255 || n > 0 && s.Low(j)[0] == '0') {
			return
		}
	}
	if s.Low(i-2) == "." && s.Glued(i-2) && s.Glued(i-1) && s.At(i-3).Kind == token.Digit {
		return
	}
	if s.Low(i+6) == "." && s.Glued(i+6) && s.Glued(i+7) && s.At(i+7).Kind == token.Digit { // 3.93.92.16.85: a telephone number
		return
	}
	s.Mark(i-1, i+6, kind.IP, 95, kind.ByShape)
	s.Take(i-1, i+6)
}

// findIPv6 marks hexadecimal groups around colons, at least three of them.
func findIPv6(s *scan.Scan, i int) {
	if s.Taken[i] {
		return
	}
	hex := func(j int) bool {
		low := s.Low(j)
		if low == "" || len(low) > 4 {
			return false
		}
		for k := range len(low) {
			if !check.Digit(low[k]) && (low[k] < 'a' || low[k] > 'f') {
				return false
			}
		}
		return true
	}
	from, to, colons := i, i+1, 1
	if s.Glued(i) && hex(i-1) {
		from--
	}
	for to < len(s.Tokens) && s.Glued(to) && (hex(to) || s.Low(to) == ":") {
		if s.Low(to) == ":" {
			colons++
		}
		to++
	}
	if colons >= 3 && to-from > colons {
		s.Mark(from, to, kind.IP, 90, kind.ByShape)
		s.Take(from, to)
	}
}

// findSpokenEmail marks "delia underscore h i l d r e t h 82 at gmail dot com" around the "at" at i.
func findSpokenEmail(s *scan.Scan, i int) {
	if w := s.Low(i + 1); w == "www" || w == "w" || w == "http" || w == "https" {
		return // track it at www.example.com
	}
	end := 0
	for j := i + 2; j < i+20 && j < len(s.Tokens); j++ {
		if s.Low(j) == "dot" || s.Low(j) == "." && s.Glued(j+1) || s.Low(j) == "point" {
			if n := domainLen(s, j+1); n > 0 {
				end = j + 1 + n
				break
			}
			continue
		}
		if s.Low(j) == "/" && s.Glued(j) { // at example.com/track: a page
			return
		}
		if s.At(j).Kind < token.Word && s.Low(j) != "-" || s.At(j).Lex&token.Stop != 0 && len(s.Low(j)) > 1 || j > i+6 && s.RunAt(j) == nil {
			break
		}
	}
	if n := domainLen(s, end+1); end > 0 && s.Low(end) == "dot" && n > 0 {
		end += 1 + n
	}
	if end == 0 && mailHost(s.Low(i+1)) {
		end = i + 2
	}
	if end == 0 {
		return
	}
	from := i
	for n := 0; from > 0 && n < 24 && spellsAddress(s, from-1); n++ {
		from--
	}
	for from < i && (s.Low(from) == "and" || s.Low(from) == "." || s.Low(from) == "," || s.Low(from) == "dot" || s.Low(from) == "so") {
		from++
	}
	if from < i {
		s.Mark(from, end, kind.Email, 95, kind.ByShape)
		s.Take(from, end)
	} else {
		s.Mark(i+1, end, kind.URL, 80, kind.ByShape)
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
func domainLen(s *scan.Scan, i int) int {
	if s.At(i).Lex&token.Domain != 0 {
		return 1
	}
	for n := 3; n >= 2; n-- {
		b := make([]byte, 0, 3)
		for k := i; k < i+n && len(s.Low(k)) == 1 && check.Letter(s.Low(k)[0]); k++ {
			b = append(b, s.Low(k)[0])
		}
		if len(b) == n && (n == 2 || token.Lexicon[string(b)]&token.Domain != 0) { // every country has two letters
			return n
		}
	}
	return 0
}

// markSpokenURL marks "https colon slash slash w w w dot example dot com slash" from token i: words joined by spoken
// signs, and single letters.
func markSpokenURL(s *scan.Scan, i int) {
	sign := func(k int) bool {
		switch s.Low(k) {
		case "slash", "dot", "dash", "hyphen", "underscore":
			return true
		}
		return false
	}
	to := i + 2
	for to < len(s.Tokens) && to < i+32 && s.At(to).Kind >= token.Word {
		if spelled := len(s.Low(to)) == 1 && len(s.Low(to-1)) == 1; !sign(to) && !sign(to-1) && !spelled {
			break
		}
		if _, cue := s.CueAt(to); s.Low(to-1) == "slash" && (cue || s.At(to).Lex&(token.Stop|token.Prep|token.Ack|token.Greet) != 0) && s.Low(to-2) != "slash" && s.Low(to-2) != "colon" {
			break
		}
		to++
	}
	s.Mark(i, to, kind.URL, 85, kind.ByShape)
	s.Take(i, to)
}

// spellsAddress reports whether token i may be said inside the local part of an e-mail address.
func spellsAddress(s *scan.Scan, i int) bool {
	t := s.At(i)
	low := s.Low(i)
	switch low {
	case "underscore", "dot", "dash", "hyphen", "period", "plus", "-", ".", "_", "'", "double", "triple", "and", "uh", "um", "as", "in", "hundred":
		return low != "." && low != "'" || s.Glued(i) && s.Glued(i+1)
	case "a", "i":
		return len(s.Low(i+1)) == 1 || len(s.Low(i-1)) == 1 || cueWordsOf(s.Low(i-1))
	case "for":
		return len(s.Low(i-1)) == 1
	case "is", "it", "'s", "to", "email", "address", "my", "me", "the", "at", "its", "it's", "mail":
		return false
	}
	switch t.Kind {
	case token.Digit, token.Mixed:
		return true
	case token.Word:
		if _, ok := number.Spoken(low); ok || number.Spelling(low) {
			return true
		}
		if t.Lex&(token.Stop|token.Ack) != 0 && t.Gaz&gazetteer.CommonFirst == 0 {
			return false
		}
		return true
	}
	return false
}

// findSpokenUser marks "puppy dash benjamin" around the sign at i: a user name where one is asked or named.
func findSpokenUser(s *scan.Scan, i int) {
	if s.Taken[i] {
		return
	}
	plain := func(k int) bool {
		t := s.At(k)
		return t.Kind >= token.Word && t.Kind <= token.Mixed && t.Lex&(token.Stop|token.Ack) == 0
	}
	if !plain(i-1) || !plain(i+1) {
		return
	}
	c, ok := s.CueBefore(i-1, 8)
	if !(ok && (c.Type == kind.Username || c.Type == kind.Email || c.Type == kind.BankAcct && s.Low(c.At) == "account") || s.Ask.Wants(kind.Username) || s.Ask.Wants(kind.Email) || s.Low(i) == "underscore") {
		return
	}
	from, to := i-1, i+2
	for cueWordsOf(s.Low(from-1)) || s.Low(from-1) == "hyphen" {
		from -= 2
	}
	for (cueWordsOf(s.Low(to)) || s.Low(to) == "hyphen") && plain(to+1) {
		to += 2
	}
	if from >= 0 && s.Low(to) != "at" {
		s.Mark(from, to, kind.Username, 75, kind.ByShape)
	}
}

func cueWordsOf(w string) bool { return w == "underscore" || w == "dot" || w == "dash" }

// findSpokenDomain marks "www dot example dot com" and "example dot com" that no e-mail address holds.
func findSpokenDomain(s *scan.Scan, i int) {
	if s.Taken[i] || s.At(i+1).Lex&token.Domain == 0 || s.At(i-1).Kind < token.Word {
		return
	}
	for k := i - 1; k >= 0 && k >= i-6; k-- {
		if s.Low(k) == "at" {
			return
		}
	}
	from := i - 1
	for from > 1 && s.Low(from-1) == "dot" {
		from -= 2
	}
	if s.Low(from-1) == "w" {
		for from > 0 && s.Low(from-1) == "w" {
			from--
		}
	}
	s.Mark(from, i+2, kind.URL, 80, kind.ByShape)
	s.Take(from, i+2)
}
