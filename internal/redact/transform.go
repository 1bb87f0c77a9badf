package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// Transforms says by type what stands for a value. The zero value tags everything.
type Transforms [types]Transform

// ErrTransform says that a transform is unknown, or is not for that type.
var ErrTransform = errors.New("a transform is TYPE:HOW, such as DATE:week, DATE_OF_BIRTH:decade, AGE:band, POSTCODE:zip3, LOCATION:state, PHONE:last4 or PERSON:pseudonym")

// ParseTransforms reads "DATE:week,AGE:band"; "" is the zero value. ErrTransform.
func ParseTransforms(s string) (x Transforms, err error) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, how, _ := strings.Cut(part, ":")
		t := typeNamed(name)
		h := Tag
		for h < transforms && transformNames[h] != how {
			h++
		}
		if t == None || h == transforms || !transformable[h].has(t) {
			return Transforms{}, ErrTransform
		}
		x[t] = h
	}
	return x, nil
}

func typeNamed(name string) Type {
	for t := Person; t < types; t++ {
		if typeNames[t] == name {
			return t
		}
	}
	return None
}

// needsKey reports whether some type becomes a pseudonym.
func (x *Transforms) needsKey() bool {
	for _, h := range x {
		if h == Pseudonym {
			return true
		}
	}
	return false
}

// mask gives what stands for a value of type t.
func (d *Detector) mask(p *piece, value string) string {
	suffix := p.name
	if suffix == "" {
		switch d.transforms[p.t] {
		case Tag:
			return masks[p.t]
		case Last4:
			suffix = last4(p.t, value)
		case Week:
			suffix = week(value)
		case Decade:
			suffix = decade(value)
		case Band:
			suffix = band(value)
		case ZIP3:
			suffix = zip3(value)
		case State:
			suffix = state2(value)
		case Pseudonym:
			suffix = d.pseudonym(p.t, value)
		}
	}
	if suffix == "" {
		return masks[p.t]
	}
	return "[" + typeNames[p.t] + "_" + suffix + "]"
}

// pseudonym is keyed, so that nobody without the key can go through all telephone numbers and compare.
func (d *Detector) pseudonym(t Type, value string) string {
	v := say(value)
	canonical := strings.Join(strings.Fields(v.lower), " ")
	switch t {
	case Phone, CreditCard, SSN, BankAcct, IBAN, ID, Vehicle:
		canonical = v.symbols()
	}
	m := hmac.New(sha256.New, d.key)
	m.Write([]byte("mask\x00" + typeNames[t] + "\x00" + canonical))
	return "P" + strings.ToUpper(hex.EncodeToString(m.Sum(nil)[:5]))
}
