package redact_test

import (
	"fmt"

	"murmur/internal/redact"
)

// The other side's question says what the digits are, and stays open over turns.
func Example() {
	d, err := redact.New(redact.Config{Dial: redact.Strict})
	if err != nil {
		panic(err)
	}
	r, err := d.Redact(redact.Doc{Turns: []redact.Turn{
		{Side: redact.Member, Label: "Agent: ", Text: "card number please"},
		{Side: redact.Contact, Label: "Customer: ", Text: "four one one one"},
		{Side: redact.Member, Label: "Agent: ", Text: "uh huh"},
		{Side: redact.Contact, Label: "Customer: ", Text: "double one double one, no wait, double one one two"},
	}})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Masked())
	for _, s := range r.Spans() {
		fmt.Println(s.Turn, s.Type, s.Why)
	}
	// Output:
	// Agent: card number please
	// Customer: [CREDIT_CARD]
	// Agent: uh huh
	// Customer: [CREDIT_CARD]
	// 1 CREDIT_CARD question
	// 3 CREDIT_CARD question
}

// What stands for a value can be coarser than the value instead of gone.
func ExampleParseTransforms() {
	x, err := redact.ParseTransforms("DATE_OF_BIRTH:decade,POSTCODE:zip3")
	if err != nil {
		panic(err)
	}
	d, err := redact.New(redact.Config{Dial: redact.Strict, Transforms: x})
	if err != nil {
		panic(err)
	}
	r, err := d.Redact(redact.Doc{Turns: []redact.Turn{{Text: "born on 5/27/1972, my zip code is 78701"}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Masked())
	// Output: born on [DATE_OF_BIRTH_1970S], my zip code is [POSTCODE_787XX]
}

// A business teaches its own numbers by an example.
func ExampleParseIdentifiers() {
	ids, err := redact.ParseIdentifiers("ORDER:ORD-2024-118822")
	if err != nil {
		panic(err)
	}
	d, err := redact.New(redact.Config{Dial: redact.Strict, Identifiers: ids})
	if err != nil {
		panic(err)
	}
	r, err := d.Redact(redact.Doc{Turns: []redact.Turn{{Text: "where is ORD-2026-000017?"}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Masked())
	// Output: where is [ID_ORDER]?
}
