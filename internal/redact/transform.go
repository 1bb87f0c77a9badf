package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"murmur/internal/redact/internal/coarse"
	"murmur/internal/redact/kind"
)

// Transforms says by type what stands for a value. The zero value tags everything.
type Transforms [kind.Types]Transform

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
		for h < kind.Transforms && kind.TransformNames[h] != how {
			h++
		}
		if t == None || h == kind.Transforms || !kind.Transformable[h].Has(t) {
			return Transforms{}, ErrTransform
		}
		x[t] = h
	}
	return x, nil
}

func typeNamed(name string) Type {
	for t := Person; t < kind.Types; t++ {
		if kind.Names[t] == name {
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
			return kind.Masks[p.t]
		case Last4:
			suffix = coarse.Last4(p.t, value)
		case Week:
			suffix = coarse.Week(value)
		case Decade:
			suffix = coarse.Decade(value)
		case Band:
			suffix = coarse.Band(value)
		case ZIP3:
			suffix = coarse.ZIP3(value)
		case State:
			suffix = coarse.State(value)
		case Pseudonym:
			suffix = d.pseudonym(p.t, value)
		}
	}
	if suffix == "" {
		return kind.Masks[p.t]
	}
	return "[" + kind.Names[p.t] + "_" + suffix + "]"
}

// pseudonym is keyed, so that nobody without the key can go through all telephone numbers and compare.
func (d *Detector) pseudonym(t Type, value string) string {
	v := coarse.Say(value)
	canonical := strings.Join(strings.Fields(v.Lower), " ")
	switch t {
	case Phone, CreditCard, SSN, BankAcct, IBAN, ID, Vehicle:
		canonical = v.Symbols()
	}
	m := hmac.New(sha256.New, d.key)
	m.Write([]byte("mask\x00" + kind.Names[t] + "\x00" + canonical))
	return "P" + strings.ToUpper(hex.EncodeToString(m.Sum(nil)[:5]))
}
