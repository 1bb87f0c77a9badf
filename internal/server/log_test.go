package server

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// TestTheLogHoldsNoContent logs a person every way there is.
func TestTheLogHoldsNoContent(t *testing.T) {
	t.Parallel()
	const person = "ann.example@example.com +12125550123"
	var out bytes.Buffer
	log := NewLog(&out)
	log.Info("a delivery", "body", person, "kind", "quo", "count", 3)
	log.With("contact", person).Warn("a delivery", slog.Group("party", "phone", person))
	log.WithGroup("g").Error("a delivery", "error", errors.New(person), "any", struct{ P string }{person})
	got := out.String()
	for piece := range strings.FieldsSeq(person) {
		if strings.Contains(got, piece) {
			t.Errorf("the log has it:\n%s", got)
		}
	}
	if !strings.Contains(got, `"kind":"quo"`) || !strings.Contains(got, `"count":3`) || !strings.Contains(got, "of 36 bytes") {
		t.Errorf("the log lost what it may say:\n%s", got)
	}
}
