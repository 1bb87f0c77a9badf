// Package detect finds personal data in text and masks it.
package detect

// Redaction is the result of masking one text. It is made by this package only.
type Redaction struct {
	masked   string
	verified bool
}

// Masked is the text with every span replaced.
func (r *Redaction) Masked() string { return r.masked }

// Verified reports whether the masked text passed the second scan.
func (r *Redaction) Verified() bool { return r.verified }
