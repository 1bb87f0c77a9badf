package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// example is a verb of docs/cli.md: what to type, with its standard input.
type example struct {
	stdin string
	line  string
	first bool // show one line of the answer
}

// verbs are the sections of docs/cli.md in the order of `murmur --help`. Every example runs, in this order.
var verbs = []struct {
	verb, says string
	examples   []example
}{
	{"demo", "The answer of `--exit --json` is that of `status` and `\"insights\":[slug..]`, `\"seconds\"`. Without `--exit` it goes on as `serve` does.", nil},
	{"serve", "The first line on stdout, once ready, is `listening on http://HOST:PORT`; then comes a link that opens the pages once. SIGTERM ends it within 10 seconds; everything accepted is kept.", nil},
	{"connect add", "`murmur connect KIND` is the same. The path and the secret are shown once; give both to the vendor. With `--api-key` the history comes in and the vendor is asked every minute: [connecting Quo](quo.md).", []example{{line: "connect quo --json"}, {line: "connect native --name shop"}}},
	{"connect list", "", []example{{line: "connect list --json"}}},
	{"connect rotate", "Two secrets are valid until the next rotation. With `--api-key` the key of the vendor's API is changed instead.", []example{{line: "connect rotate quo --json"}}},
	{"connect pause", "", []example{{line: "connect pause quo --json"}}},
	{"connect resume", "", []example{{line: "connect resume quo --json"}}},
	{"connect remove", "", []example{{line: "connect remove shop --json"}}},
	{"import", "Every row is one delivery. The same file twice changes nothing: its rows are duplicates. `why` and the line of the first 20 rows that could not be read stand in `bad`.", []example{
		{line: "import calls.csv --dry-run"}, {line: "import calls.csv --json"}, {line: "import calls.csv"},
		{stdin: event + "{\"type\":\n", line: "import - --json"}}},
	{"export", "The answer is a vCon on stdout: [files](files.md#giving-a-call-away). Exit code 1: the words of the call are not released; 2: none are kept.", nil},
	{"policy show", "", []example{{line: "policy show --json"}}},
	{"policy set", "", []example{{line: `policy set recordings=notice timezone=Europe/Berlin --reason "a notice plays on every call" --json`}}},
	{"flow show", "", []example{{line: "flow show"}}},
	{"flow set", "The file is described in [the workflow](workflow.md). Setting what is set already changes nothing.", []example{{stdin: "flow: front-desk\nsince: 2026-11-01\nnodes:\n  welcome: {kind: menu, keys: {1: desk}}\n  desk: {kind: voicemail}\n", line: "flow set - --json"}}},
	{"redact", "Needs no data directory and keeps nothing. Offsets are Unicode code points, the end exclusive. With `--json` a whole text is answered as one record.", []example{
		{stdin: "Customer: my card is four one one one, double one double one, one one one one, one one one one\n", line: "redact"},
		{stdin: "Agent: call me on 212 555 0123\n", line: "redact --explain"},
		{stdin: `{"id":7,"turns":[{"side":"customer","text":"I am at ann@example.com"}]}` + "\n", line: "redact --jsonl"}}},
	{"figures", "One JSON object a line, one figure each; `docs/format/figures.md` explains the fields.", []example{{line: "figures --insight voicemail-outcome --refresh --json", first: true}}},
	{"name", "A platform's number for a line (`PNmain`) becomes what people call it, in every period and whatever the platform says later. The `line`, `flow`, `step`, `choice` or `survey` is named as `murmur figures` shows it.", nil},
	{"digest", "Without another word it prints the letter of the last week that is over; [digest](digest.md) has the rest.", nil},
	{"digest preview", "What would be mailed now.", nil},
	{"digest add", "The address is sealed in the data directory.", nil},
	{"digest list", "Subscribers by id.", nil},
	{"digest remove", "Each letter holds a link that does the same.", nil},
	{"alert", "[Alerts](alerts.md) says when a figure is told, and how a receiver verifies a message.", nil},
	{"alert add", "Who runs it on the machine may name a private host; over HTTP the operator allows it first.", nil},
	{"alert list", "", nil},
	{"alert test", "It is taken, or the error says why it was not.", nil},
	{"alert remove", "", nil},
	{"category", "[Reasons of your own](categories.md) says what becomes of the sentences, and how murmur knows how often it is right.", nil},
	{"category set", "The sentences are masked before anything is kept.", nil},
	{"category list", "", nil},
	{"category rename", "", nil},
	{"category remove", "", nil},
	{"share", "[What leaves](provable.md#a-link-to-one-page) has the rest. The link is shown once.", nil},
	{"mcp", "Speaks the Model Context Protocol on stdin and stdout until stdin ends; [assistants](assistants.md) says how an assistant starts it.", nil},
	{"status", "`in` is the sum of all states.", []example{{line: "status --json"}}},
	{"erase", "The answer is the same for a contact that nobody knows, and for one that was erased before.", []example{{line: "erase +12125550100 --json"}}},
	{"replay", "", []example{{line: "replay --state quarantined --json"}}},
	{"verify", "Exit code 3 and a line for each breach, with the file's name, when something is not as it was left.", []example{{line: "verify --json"}}},
	{"backup", "The file holds the root key.", []example{{line: "backup -o murmur.backup --json"}}},
	{"restore", "", []example{{line: "restore murmur.backup --data elsewhere --json"}}},
	{"doctor", "A line that begins with `!!` is a fault (exit code 1), one with `--` is advice.", []example{{line: "doctor d-1"}}},
	{"workspace list", "[Workspaces](workspaces.md) says what each of these does.", nil},
	{"workspace create", "", []example{{line: "workspace create customer-4417 --json"}}},
	{"workspace limit", "", []example{{line: "workspace limit customer-4417 --a-second 50 --open 20000"}, {line: "workspace list"}}},
	{"workspace suspend", "", []example{{line: "workspace suspend customer-4417 --json"}}},
	{"workspace resume", "", []example{{line: "workspace resume customer-4417"}}},
	{"workspace export", "", nil},
	{"workspace delete", "Nobody can undo it. The receipt is an entry of the ledger.", []example{{line: "workspace suspend customer-4417"}, {line: "workspace delete customer-4417"}}},
	{"token", "Prints the token alone, with `--json` too. It ends after 90 days, or `--days`.", []example{{line: "token --role viewer"}}},
	{"token make", "", nil},
	{"token list", "Tokens and browsers are named by the beginning of their hash: it opens nothing.", nil},
	{"token revoke", "", nil},
	{"version", "", []example{{line: "version --json"}}},
}

const event = `{"schema":"murmur.v1","type":"message","source_id":"m-1","delivery_id":"d-1","occurred_at":"2026-11-02T10:00:00Z","direction":"in","number":"Sales","party":{"phone":"+12125550199"},"body":"Is my order ready?"}` + "\n"

const pageHead = `<!-- Made by: go test ./cmd/murmur -run TestPageOfTheCommandLine -update -->
# The command line

Every verb takes ` + "`--data DIR`" + ` (or MURMUR_DATA; by default the user's data directory) and works whether or not a server
runs: where one does, it carries the verb out. Results go to stdout, for people, or as JSON with ` + "`--json`" + `. An error is two
lines on stderr, ` + "`error:`" + ` and ` + "`hint:`" + `; the [exit codes](errors.md) tell scripts what happened.

Every flag has an environment variable, which its help names, and a key in a configuration file: the variable's name
without MURMUR_, in lower case, with hyphens (MURMUR_API_KEY: ` + "`\"api-key\"`" + `). The file is a JSON object; the ones read are
/etc/murmur/config.json, murmur/config.json in the user's configuration directory, and the one of ` + "`--config`" + `. The
command line wins over the environment, the environment over a file. A key that no flag has is an error.

` + "```json\n{\"data\": \"/srv/murmur\", \"listen\": \"127.0.0.1:8377\", \"token-role\": \"viewer\"}\n```\n"

// volatile are the parts of an answer that differ each time.
var volatile = []struct {
	is   *regexp.Regexp
	show string
}{
	{regexp.MustCompile(`whsec_[A-Za-z0-9+/=_-]+`), "whsec_SECRET"},
	{regexp.MustCompile(`"(key|checkpoint)":"murmur-[^"]*"`), `"$1":"murmur-.."`},
	{regexp.MustCompile(`[A-Za-z0-9_-]{43}`), "TOKEN"},
	{regexp.MustCompile(`\d+-[0-9a-f]{32}`), "1-RECEIPT"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`), "2026-11-09T10:00:00Z"},
	{regexp.MustCompile(`\d{4}-W\d\d`), "2026-W46"},
	{regexp.MustCompile(`(works|suspended)(  +)\d{4}-\d\d-\d\d  `), "$1${2}2026-11-09  "},
	{regexp.MustCompile(`"(files|ledger_entries|tables)":\d+`), `"$1":25`},
	{regexp.MustCompile(`"bytes":\d+`), `"bytes":450000`},
	{regexp.MustCompile(`"version":"[^"]*"`), `"version":"development"`},
	{regexp.MustCompile(`\d+ bytes sealed`), "250 bytes sealed"},
}

// TestPageOfTheCommandLine makes docs/cli.md from the help of every verb and from examples that it runs.
func TestPageOfTheCommandLine(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("MURMUR_DATA", filepath.Join(dir, "data"))
	if err := os.WriteFile("calls.csv", []byte(someCalls()+"c12,yesterday,inbound,+12125550112,+12125550000,missed,0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	page.WriteString(pageHead)
	for _, v := range verbs {
		fmt.Fprintf(&page, "\n## murmur %s\n%s\n```text\n%s```\n", v.verb, v.says, must(t, "", append(strings.Fields(v.verb), "--help")...))
		for _, e := range v.examples {
			out := must(t, e.stdin, words(e.line)...)
			if e.first {
				out, _, _ = strings.Cut(out, "\n")
				out += "\n"
			}
			in := ""
			if e.stdin != "" {
				in = " <<'END'\n" + e.stdin + "END"
			}
			fmt.Fprintf(&page, "```console\n$ murmur %s%s\n%s```\n", e.line, in, strings.TrimRight(out, "\n")+"\n")
		}
	}
	made := strings.ReplaceAll(page.String(), dir, "/srv")
	for _, v := range volatile {
		made = v.is.ReplaceAllString(made, v.show)
	}
	file := filepath.Join(root, "docs", "cli.md")
	if *update {
		if err := os.WriteFile(file, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(stored) != made {
		a, b := strings.Split(string(stored), "\n"), strings.Split(made, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("docs/cli.md is not what the program does (-update writes it anew), line %d:\npage:    %s\nprogram: %s", i+1, a[i], b[i])
			}
		}
		t.Fatal("docs/cli.md is not what the program does (-update writes it anew): its length")
	}
	// Every verb that help names has its section.
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)?)  +[A-Z]`).FindAllStringSubmatch(must(t, ""), -1) {
		if !strings.Contains(made, "\n## murmur "+m[1]+"\n") {
			t.Errorf("docs/cli.md has no section about %s", m[1])
		}
	}
}

// words cuts a line as a shell does, as far as the examples need it.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}
