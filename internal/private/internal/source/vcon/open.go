package vcon

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
	"murmur/internal/private/internal/source/strictjson"
)

// Key opens encrypted vCons; nil opens none.
type Key struct{ private any }

// ErrKey is returned for a file that holds no private key.
var ErrKey = errors.New("vcon: the key is no private key in PEM (PKCS #8, PKCS #1 or SEC 1), or a JWK")

// ParseKey reads the private key of the recipient: PEM or a JWK (RFC 7517).
func ParseKey(b []byte) (*Key, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(b) != nil || !k.Valid() || k.IsPublic() {
			return nil, ErrKey
		}
		return &Key{k.Key}, nil
	}
	if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return &Key{k}, nil
	}
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return &Key{k}, nil
	}
	if k, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return &Key{k}, nil
	}
	return nil, ErrKey
}

// Open gives the bare vCon of a bare, signed or encrypted one. An encrypted one may hold a signed one
// (draft-ietf-vcon-vcon-core 5.3: it must). The error is a *Refusal.
func Open(body []byte, key *Key) ([]byte, error) {
	doc, err := parse(body)
	if err != nil {
		return nil, err
	}
	if doc.Has("ciphertext") {
		if body, err = decrypt(body, key); err != nil {
			return nil, err
		}
		if doc, err = parse(body); err != nil {
			return nil, err
		}
	}
	if doc.Has("payload") || doc.Has("signatures") {
		return verify(doc)
	}
	return body, nil
}

func parse(body []byte) (strictjson.Value, error) {
	doc, err := strictjson.Parse(body)
	var v *source.Verdict
	switch {
	case errors.As(err, &v):
		return doc, refuse(v.Why, "", map[fact.Why]string{
			fact.WhyNotJSON: "it is not JSON", fact.WhyTooDeep: "it nests too deep", fact.WhyDuplicateKey: "an object has a field twice",
			fact.WhyTooLarge: "it has too many values", fact.WhyEncoding: "it is not UTF-8",
		}[v.Why])
	case !doc.IsObject():
		return doc, refuse(fact.WhyNotJSON, "", "it is no JSON object")
	}
	return doc, nil
}

var (
	keyAlgorithms = []jose.KeyAlgorithm{jose.RSA_OAEP, jose.RSA_OAEP_256, jose.ECDH_ES, jose.ECDH_ES_A128KW, jose.ECDH_ES_A192KW, jose.ECDH_ES_A256KW}
	encryptions   = []jose.ContentEncryption{jose.A128CBC_HS256, jose.A192CBC_HS384, jose.A256CBC_HS512, jose.A128GCM, jose.A192GCM, jose.A256GCM}
	signatures    = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}
)

// decrypt opens a JWE in its JSON form (RFC 7516 7.2).
func decrypt(body []byte, key *Key) ([]byte, error) {
	if key == nil {
		return nil, refuse(fact.WhyEncrypted, "", "it is encrypted, and no key was given")
	}
	object, err := jose.ParseEncryptedJSON(string(body), keyAlgorithms, encryptions)
	if err != nil {
		return nil, refuse(fact.WhyEncrypted, "", "it is encrypted in a way that is not known, or damaged")
	}
	_, _, plain, err := object.DecryptMulti(key.private)
	if err != nil {
		return nil, refuse(fact.WhyEncrypted, "", "it is encrypted for another key, or was changed")
	}
	return plain, nil
}

// verify checks a JWS in its JSON form (RFC 7515 7.2) and gives the payload. Every signature must hold, with the
// certificate that it carries.
func verify(doc strictjson.Value) ([]byte, error) {
	text, _ := doc.Get("payload").AsText()
	payload, ok := exact(text)
	inner, err := parse(payload)
	if !ok || err != nil {
		return nil, refuse(fact.WhySignature, "payload", "it is no JSON object in base64url")
	}
	id, _ := inner.Get("uuid").AsText()
	all := doc.Get("signatures").Items()
	if doc.Has("signature") { // the flattened form: one signature, beside the payload
		all = append(all, doc)
	}
	if len(all) == 0 || len(all) > 16 {
		return nil, refuse(fact.WhySignature, "signatures", "there must be one to 16")
	}
	for _, s := range all {
		if err := verifyOne(s, text, id); err != nil {
			return nil, err
		}
	}
	return payload, nil
}

func verifyOne(s strictjson.Value, payload, id string) error {
	for _, name := range s.Names() {
		if !slices.Contains([]string{"protected", "header", "signature", "payload"}, name) {
			return refuse(fact.WhySignature, "signatures", "one has a field that no signature has")
		}
	}
	protected, _ := s.Get("protected").AsText()
	signed, _ := s.Get("signature").AsText()
	head, ok := exact(protected)
	_, okSigned := exact(signed)
	header, err := parse(head)
	if !ok || !okSigned || err != nil {
		return refuse(fact.WhySignature, "signatures", "one is not in base64url")
	}
	open := s.Get("header")
	for _, name := range open.Names() { // of what nothing signs, only what is said elsewhere too
		value, _ := open.Get(name).AsText()
		switch {
		case name == "x5c" && !header.Has("x5c"):
		case name == "uuid" && value == id && !header.Has("uuid"):
		case name == "x5c" && slices.Equal(open.Texts(name), header.Texts(name)):
		case value != "" && value == header.Text(name):
		default:
			return refuse(fact.WhySignature, "signatures.header", "it says what the signature does not cover")
		}
	}
	chain := header.Texts("x5c")
	if len(chain) == 0 {
		chain = open.Texts("x5c")
	}
	leaf, err := certified(chain)
	if err != nil {
		return err
	}
	object, err := jose.ParseSignedCompact(protected+"."+payload+"."+signed, signatures)
	if err != nil {
		return refuse(fact.WhySignature, "signatures.protected", "the algorithm or a critical header is not known")
	}
	if _, err := object.Verify(leaf.PublicKey); err != nil {
		return refuse(fact.WhySignature, "signatures", "the signature does not match")
	}
	return nil
}

// certified reads a chain of certificates (RFC 7515 4.1.6), the signer's first, and checks that each was signed by the
// next and the last by itself or by one that is not sent along.
func certified(chain []string) (leaf *x509.Certificate, err error) {
	var all []*x509.Certificate
	for _, text := range chain {
		der, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || base64.StdEncoding.EncodeToString(der) != text {
			return nil, refuse(fact.WhySignature, "x5c", "a certificate is not in base64")
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, refuse(fact.WhySignature, "x5c", "a certificate cannot be read")
		}
		all = append(all, c)
	}
	if len(all) == 0 || len(all) > 16 {
		return nil, refuse(fact.WhySignature, "x5c", "there must be one to 16 certificates; an address of one is not asked")
	}
	for i, c := range all {
		by := all[min(i+1, len(all)-1)]
		if by == c && string(c.RawIssuer) != string(c.RawSubject) {
			break // its issuer was not sent along
		}
		if by.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) != nil {
			return nil, refuse(fact.WhySignature, "x5c", "a certificate was not signed by the next")
		}
	}
	return all[0], nil
}

// exact decodes base64url without padding and refuses a second spelling of the same bytes.
func exact(s string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return b, err == nil && s != "" && base64.RawURLEncoding.EncodeToString(b) == s
}

// Lean is a bare vCon without what is not used: bodies that are no words, analyses that are no transcript,
// attachments that are no lawful basis. What cannot be read is given back as it is.
func Lean(plain []byte) []byte {
	c, err := read(plain)
	if err != nil {
		return plain
	}
	var doc map[string]json.RawMessage
	if json.Unmarshal(plain, &doc) != nil {
		return plain
	}
	keep := func(list string, change func(i int, item map[string]json.RawMessage) bool) {
		var items []map[string]json.RawMessage
		if json.Unmarshal(doc[list], &items) != nil {
			return
		}
		for i, item := range items {
			if item != nil && !change(i, item) {
				items[i] = map[string]json.RawMessage{}
			}
		}
		doc[list], _ = json.Marshal(items)
	}
	keep("dialog", func(i int, item map[string]json.RawMessage) bool {
		if c.dialogs[i].kind != "text" {
			delete(item, "body")
		}
		return true
	})
	keep("analysis", func(i int, _ map[string]json.RawMessage) bool { return c.analyses[i].used() })
	keep("attachments", func(i int, _ map[string]json.RawMessage) bool {
		return len(c.bases[i].granted)+len(c.bases[i].denied) > 0
	})
	lean, err := json.Marshal(doc)
	if err != nil {
		return plain
	}
	return lean
}
