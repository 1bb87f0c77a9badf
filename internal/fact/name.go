package fact

// Closed sets of names: what status, doctor, metrics and the ledger print.

var (
	kindNames  = [...]string{"unknown", "call", "message", "talk", "step", "answer", "consent"}
	stateNames = [...]string{"pending", "held", "published", "duplicate", "ignored", "refused", "quarantined", "erased"}
	whyNames   = [...]string{
		"", "not-json", "too-deep", "duplicate-key", "unknown-type", "bad-field", "bad-time", "no-score", "silent-type",
		"vendor-test", "policy-denies", "opted-out", "no-consent-yet", "not-verified", "unsealed", "erasure", "too-large", "encoding", "language",
		"signature", "encrypted", "unheard", "unconfined", "failed", "keys", "contact-unreadable", "no-call", "suspended",
	}
)

// States lists every state in the order status prints them.
func States() []State {
	return []State{Pending, Held, Published, Duplicate, Ignored, Refused, Quarantined, Erased}
}

func (k Kind) String() string  { return name(kindNames[:], int64(k)) }
func (s State) String() string { return name(stateNames[:], int64(s)) }
func (w Why) String() string   { return name(whyNames[:], int64(w)) }

func name(names []string, i int64) string {
	if i < 0 || i >= int64(len(names)) {
		return "unknown"
	}
	return names[i]
}
