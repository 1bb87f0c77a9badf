// Command gen learns the model of package act from the hands that are not left out, writes it, and prints how often it
// is right on every hand:
//
//	go run ./internal/redact/act/gen -out internal/redact/act/model.bin
//
// The same phrasings give the same bytes.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"

	"murmur/internal/redact/act"
	"murmur/internal/redact/act/train"
	"murmur/internal/redact/hand"
)

func main() {
	log.SetFlags(0)
	out := flag.String("out", "", "file to write; nothing is written if empty")
	cross := flag.Bool("cross", false, "measure each tuned hand with a model learned from the other tuned ones (slower)")
	flag.Parse()
	if err := run(*out, *cross); err != nil {
		log.Fatal("gen: ", err)
	}
}

func run(out string, cross bool) error {
	m, err := train.Run(hand.Tuned(), 1)
	if err != nil {
		return err
	}
	if err := table(m, cross); err != nil {
		return err
	}
	if out == "" {
		return nil
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := m.Write(f); err != nil {
		return err
	}
	return f.Close()
}

// table prints the share of right acts: on the tuned hands, each unseen if cross, and on those that are left out.
func table(m *act.Model, cross bool) error {
	var tuned train.Confusion
	for _, h := range hand.Tuned() {
		with := m
		if cross {
			var others []*hand.Hand
			for _, o := range hand.Tuned() {
				if o != h {
					others = append(others, o)
				}
			}
			var err error
			if with, err = train.Run(others, 1); err != nil {
				return err
			}
		}
		c, err := train.Measure(with, []*hand.Hand{h}, 1)
		if err != nil {
			return err
		}
		fmt.Printf("%s %.3f\n", h.Name, c.Right())
		for a := range c {
			for b := range c[a] {
				tuned[a][b] += c[a][b]
			}
		}
	}
	left, err := train.Measure(m, hand.LeftOut(), 1)
	if err != nil {
		return err
	}
	fmt.Printf("\n| act | tuned hands | most often taken for | left-out hands | most often taken for |\n|---|---|---|---|---|\n")
	for a := range act.Acts {
		x, y, z := tuned.Of(a)
		u, v, w := left.Of(a)
		fmt.Printf("| %s | %.3f | %s %.3f | %.3f | %s %.3f |\n", a, x, y, z, u, v, w)
	}
	fmt.Printf("| all | %.3f | | %.3f | |\n", tuned.Right(), left.Right())
	return nil
}
