// Command table prints the rows of the fault tests as one table. It exits with 1 when a fault did harm or a negative
// control stayed green.
package main

import (
	"fmt"
	"os"

	"murmur/internal/faulttest"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: table FILE")
		os.Exit(2)
	}
	f, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	ok, err := faulttest.Print(os.Stdout, f)
	_ = f.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}
