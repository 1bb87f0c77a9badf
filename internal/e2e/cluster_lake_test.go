package e2e

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/bucket/buckettest"
	"murmur/internal/faulttest"
	"murmur/internal/kafkatest"
	"murmur/internal/rpc"
)

// lakeOn says that a house keeps its lake in a bucket.
func lakeOn(s *buckettest.Store) []string {
	return []string{"--lake", s.Address("murmur/lake"), "--lake-key", buckettest.Key}
}

// TestClusterLake: a business whose lake is in the bucket of a real S3 server has the figures of one box, byte by byte, while the
// server fails in every way and murmur is killed over and over. Nobody's number is ever there, and after an erasure no object has
// a row of the person. A wrong secret is refused.
func TestClusterLake(t *testing.T) {
	s := buckettest.Real(t)
	row := faulttest.Begin(t, "S3: the bucket fails and murmur is killed while a business lives")
	b, truth := town(t, 400)
	plain := open(t, newData(t))
	plain.townPolicy()
	plain.sendAll(plain.hooks(b, truth.days))
	want := plain.figures()
	plain.stopWell()

	data := newData(t)
	if code, out := verb(data, "serve", "--listen", "127.0.0.1:0", "--lake", s.Address("murmur/lake"), "--lake-key", "murmur-test:another secret"); code != 1 || !bytes.Contains(out, []byte("docs/runbook/bucket.md")) {
		t.Errorf("a wrong secret: %d %s", code, out)
	}
	h := spawn(t, data, lakeOn(s)...)
	h.townPolicy()
	hooks := h.hooks(b, truth.days)
	faults := []buckettest.Fault{buckettest.Away, buckettest.Break, buckettest.Halve, buckettest.Cut, s.Hang, buckettest.Deny(http.MethodDelete), buckettest.Deny(http.MethodPut)}
	rounds := faulttest.Rounds(len(faults), len(faults), 49)
	for i := range rounds {
		part := hooks[len(hooks)*i/rounds : len(hooks)*(i+1)/rounds]
		h.sendAll(part[:len(part)/2])
		s.Fail(faults[i%len(faults)])
		h.sendAll(part[len(part)/2:])
		row.Acknowledged += int64(len(part))
		h.kill()
		s.Fail(nil)
		h = spawn(t, data) // the directory remembers its bucket
	}
	row.Rounds = rounds
	got := h.figures()
	row.Same(sameFigures(t, want, got))
	counts := h.counts()
	row.Lost, row.Note = row.Acknowledged-counts.In, fmt.Sprintf("%d bytes of figures", len(got))
	if counts.Pending > 0 || counts.Quarantined > 0 {
		t.Errorf("states: %+v", counts)
	}
	if python := os.Getenv(pyiceberg); python != "" {
		t.Setenv("MURMUR_S3", fmt.Sprintf(`{"s3.endpoint":%q,"s3.access-key-id":"murmur-test","s3.secret-access-key":"a secret of the tests","s3.region":"us-east-1"}`, s.Endpoint))
		if read := readBy(t, python, data, zoneName, "mon-fri 09:00-17:00"); read.FactRows != countIn(t, s.Dir, "facts", "count(*)") || read.FactRows == 0 {
			t.Errorf("pyiceberg reads %d rows of facts from the bucket, it has %d", read.FactRows, countIn(t, s.Dir, "facts", "count(*)"))
		}
	}
	eraseFromBucket(t, h, s, truth)
	h.stopWell()

	private := faulttest.Begin(t, "S3: phone numbers in the bucket")
	phones := phonesOf(truth)
	found := inTheClear(t, s.Dir, phones)
	private.Rounds, private.Lost = 1, int64(found)
	planted := filepath.Join(s.Dir, "planted")
	if err := os.WriteFile(planted, phones[0], 0o600); err != nil {
		t.Fatal(err)
	}
	private.Planted(inTheClear(t, s.Dir, phones) > 0)
	if err := os.Remove(planted); err != nil {
		t.Fatal(err)
	}

	h = spawn(t, data, "--lake", "files")
	h.figures()
	h.stopWell()
	if left := files(t, s.Dir); len(left) > 0 {
		t.Errorf("%d objects are left after the lake came back", len(left))
	}
}

// eraseFromBucket erases the busiest caller: the rows of one pseudonym are in the bucket before, and in no object after.
func eraseFromBucket(t *testing.T, h *house, s *buckettest.Store, truth fold) {
	t.Helper()
	row := faulttest.Begin(t, "S3: rows of somebody erased, in every object of the bucket")
	calls, busiest := map[string]int{}, ""
	for _, d := range truth.days {
		for _, c := range d.Calls {
			if calls[c.Person.Phone]++; calls[c.Person.Phone] > calls[busiest] {
				busiest = c.Person.Phone
			}
		}
	}
	before := contactsIn(t, s.Dir)
	h.do("erase", rpc.EraseArgs{Contact: busiest}, nil)
	h.erased()
	h.figures()
	after := contactsIn(t, s.Dir)
	var gone []string
	for who := range before {
		if _, there := after[who]; !there {
			gone = append(gone, who)
		}
	}
	row.Rounds = 1
	row.Planted(len(gone) == 1 && before[gone[0]] >= int64(calls[busiest]))
	row.Note = fmt.Sprintf("%d pseudonyms left the bucket", len(gone))
}

// countIn asks every Parquet object of a table, orphans too.
func countIn(t *testing.T, dir, table, what string) (n int64) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	glob := filepath.Join(dir, "murmur", "lake", table, "data", "**", "*.parquet")
	if err := db.QueryRow(`SELECT ` + what + ` FROM read_parquet('` + glob + `', union_by_name = true, hive_partitioning = false)`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// contactsIn gives how many rows of facts each pseudonym has, in every object.
func contactsIn(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT hex(contact), count(*) FROM read_parquet('` + filepath.Join(dir, "murmur", "lake", "facts", "data", "**", "*.parquet") +
		`', union_by_name = true, hive_partitioning = false) WHERE contact IS NOT NULL GROUP BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]int64{}
	for rows.Next() {
		var who string
		var n int64
		if err := rows.Scan(&who, &n); err != nil {
			t.Fatal(err)
		}
		all[who] = n
	}
	if err := rows.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%d contacts, %v", len(all), err)
	}
	return all
}

// TestClusterKafkaAndLake: facts that travel over Kafka into a lake in a bucket give the figures of one box.
func TestClusterKafkaAndLake(t *testing.T) {
	kafkatest.Need(t)
	s := buckettest.Real(t)
	c := kafkatest.Start(t, 1)
	row := faulttest.Begin(t, "Kafka and S3 together")
	b, truth := town(t, 100)
	plain := open(t, newData(t))
	plain.townPolicy()
	plain.sendAll(plain.hooks(b, truth.days))
	want := plain.figures()
	h := spawn(t, newData(t), append(lakeOn(s), "--queue", queueOf(c))...)
	h.townPolicy()
	hooks := h.hooks(b, truth.days)
	h.sendAll(hooks)
	row.Rounds, row.Acknowledged = 1, int64(len(hooks))
	row.Same(sameFigures(t, want, h.figures()))
	row.Lost = row.Acknowledged - h.counts().In
	if !strings.Contains(strings.Join(files(t, s.Dir), "\n"), ".parquet") {
		t.Error("no data file is in the bucket")
	}
	h.stopWell()
}

// TestClusterLakeCommands runs the commands of docs/scale.md, "The lake in a bucket", one after another, on a real S3 server.
func TestClusterLakeCommands(t *testing.T) {
	s := buckettest.Real(t)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(buckettest.Key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ours := strings.NewReplacer("'s3://figures/murmur?region=eu-central-1'", s.Address("murmur"), "@key", "@"+key)
	ran := runScalePage(t, "The lake in a bucket", ours, s.Endpoint)
	if left := files(t, s.Dir); ran < 4 || len(left) > 0 {
		t.Errorf("%d commands ran, %d objects are left", ran, len(left))
	}
}

// blocks are the fenced commands of a section of a page.
func blocks(t *testing.T, page, title string) (all []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(b), title)
	section, _, _ = strings.Cut(section, "\n## ")
	for {
		_, after, ok := strings.Cut(section, "\n```\n")
		if !ok {
			return all
		}
		block, rest, _ := strings.Cut(after, "\n```\n")
		all, section = append(all, block+"\n"), "\n"+rest
	}
}

// runScalePage runs the commands of a section of docs/scale.md one after another, with what ours puts in the place of the page's
// servers; every answer but that of serve must contain a text. It gives how many there were.
func runScalePage(t *testing.T, title string, ours *strings.Replacer, has string) (ran int) {
	t.Helper()
	data := newData(t)
	var h *house
	for line := range strings.Lines(strings.Join(blocks(t, "scale.md", "\n## "+title+"\n"), "")) {
		args := strings.Fields(ours.Replace(line))
		if len(args) < 2 || args[0] != "murmur" {
			t.Fatalf("a line that is no command: %q", line)
		}
		if ran++; args[1] == "serve" {
			if h != nil {
				h.stopWell()
			}
			h = spawn(t, data, args[2:]...)
			continue
		}
		if code, out := verb(data, append(args[1:], "--json")...); code != 0 || !bytes.Contains(out, []byte(has)) {
			t.Errorf("%q: %d %s", line, code, out)
		}
	}
	h.stopWell()
	return ran
}
