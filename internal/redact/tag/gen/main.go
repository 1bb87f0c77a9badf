// Command gen trains the tagger and writes model.bin, the file that package tag embeds:
//
//	go run ./internal/redact/tag/gen -data ../shared/data -out internal/redact/tag/model.bin
//
// The same data give the same bytes. -without leaves sources out by name or family, for a model that must not
// hold what was learned from them; -sources lists them with their licences.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"murmur/internal/redact/tag/train"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "../shared/data", "folder with pii and nlp")
	out := flag.String("out", "model.bin", "file to write")
	without := flag.String("without", "", "sources to leave out, comma-separated names or families")
	list := flag.Bool("sources", false, "list the sources and end")
	flag.Parse()
	if *list {
		for _, s := range train.Sources {
			fmt.Printf("%-24s %-14s %s\n", s.Name, s.Family, s.Licence)
		}
		return
	}
	c := train.Default(os.DirFS(*data))
	c.Log = os.Stderr
	if *without != "" {
		c.Without = strings.Split(*without, ",")
	}
	if err := run(c, *out); err != nil {
		log.Fatal("gen: ", err)
	}
}

func run(c train.Config, out string) error {
	m, err := train.Run(c)
	if err != nil {
		return err
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
