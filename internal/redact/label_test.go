package redact

import "testing"

func TestLabelsOfTheBusinessStayReadable(t *testing.T) {
	t.Parallel()
	d, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"PNlate": "PNlate", "PN123abc": "PN123abc", "main-menu": "main-menu", "Sales": "Sales", "menu": "menu", "Maria": "[PERSON]", "Service": "Service", "Main line": "Main line", "Billing": "Billing", "+1 (555) 010-0001": "…0001",
		"15550100001": "…0001", "write to ann.example@example.com": "write to [EMAIL]",
	} {
		if got := d.Label(in).Masked(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
