// Command fakequo serves a fake of Quo's dated API on loopback: the calls and texts of a synthetic business, with the
// faults of a real vendor. The first line of its output says where it listens.
//
//	go run ./internal/private/internal/source/sourcetest/fakequo --days 28 --every 10 --faults 429,502
//	murmur connect quo --api-key synthetic-quo-key --api-base http://127.0.0.1:PORT
//
// Zone: RED, tests: its people are invented.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"murmur/internal/private/internal/source/sourcetest"
	"murmur/internal/synth"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintf(os.Stderr, "fakequo: %v\n", err)
		os.Exit(1)
	}
}

func serve() error {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	seed := flag.Uint64("seed", 11, "of the business")
	start := flag.String("start", "", "first day, 2006-01-02; empty: so that the last is yesterday")
	zone := flag.String("zone", "UTC", "time zone of the business")
	contacts := flag.Int("contacts", 400, "size of the business")
	days := flag.Int("days", 28, "length of the history")
	every := flag.Int("every", 0, "one request in so many is answered badly; 0: none")
	rate := flag.Int("rate", 10, "requests a second that are answered; 0: any number")
	faults := flag.String("faults", "", "names of faults, with commas: "+names())
	plan := flag.Bool("no-transcripts", false, "the plan has no transcripts")
	flag.Parse()
	where, err := time.LoadLocation(*zone)
	if err != nil {
		return err
	}
	first := time.Now().In(where).AddDate(0, 0, -*days)
	if *start != "" {
		if first, err = time.ParseInLocation(time.DateOnly, *start, where); err != nil {
			return err
		}
	}
	first = time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, where)
	b, all := synth.Days(synth.Config{Seed: *seed, Start: first, Zone: where, Contacts: *contacts}, *days)
	var list []sourcetest.Fault
	for name := range strings.SplitSeq(*faults, ",") {
		if name != "" {
			list = append(list, sourcetest.Fault(name))
		}
	}
	quo := sourcetest.NewQuo(b.QuoListed(all), list...)
	quo.NoTranscripts = *plan
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s with %d calls and %d texts, key %s\n", l.Addr(), len(quo.Calls), len(quo.Messages), quo.Key)
	return http.Serve(l, &sourcetest.Flaky{Vendor: quo, Faults: sourcetest.OfTheWire(list), Every: *every, Rate: *rate})
}

func names() string {
	var out []string
	for _, f := range sourcetest.Faults() {
		out = append(out, string(f))
	}
	return strings.Join(out, ", ")
}
