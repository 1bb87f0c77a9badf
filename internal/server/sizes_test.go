package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sizeKinds are the lakes of one size that are measured.
var sizeKinds = []string{"calls random", "calls newest-first", "mixed random", "texts newest-first"}

// TestSizes prints what counting costs for lakes of MURMUR_SIZES rows ("100000 1000000"), beside a plain engine on the
// same rows. MURMUR_SIZE_MIX chooses among sizeKinds, MURMUR_SIZE_DIRS keeps the lakes there.
func TestSizes(t *testing.T) {
	sizes := strings.Fields(os.Getenv("MURMUR_SIZES"))
	if len(sizes) == 0 {
		t.Skip("measures: set MURMUR_SIZES to numbers of rows")
	}
	fmt.Println("| rows | mix, order | full refresh | plain DuckDB | ratio | nothing new, refresh | one more call, refresh | the same again and again |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	for _, size := range sizes {
		for _, kind := range sizeKinds {
			if measured(size, kind) {
				sizeRow(t, size, kind)
			}
		}
	}
}

// measured reports whether a lake is measured: of large ones the mixed one alone.
func measured(size, kind string) bool {
	if only := os.Getenv("MURMUR_SIZE_MIX"); only != "" {
		return slices.Contains(strings.Split(only, ","), kind)
	}
	return !large(size) || kind == "mixed random"
}

func large(size string) bool {
	rows, _ := strconv.Atoi(size)
	return rows >= 10_000_000
}

func sizeRow(t *testing.T, size, kind string) {
	t.Helper()
	dir := sizeLake(t, size, kind)
	full := inChild(t, "refresh", dir)
	plain := inChild(t, "floor", dir)
	again := inChild(t, "refresh", dir)
	one := inChild(t, "one more", dir)
	times := "20"
	if kind == "mixed random" && !large(size) { // minutes otherwise
		times = "100"
	}
	many := inChild(t, "serve", dir, "MURMUR_SIZE_TIMES="+times)
	fmt.Printf("| %s | %s | %v | %v | %.1f | %v | %v | %s times: %v |\n", size, strings.Replace(kind, " ", ", ", 1),
		full, plain, full.cpu.Seconds()/plain.cpu.Seconds(), again, one, times, many)
}

// sizeLake gives a directory with a lake that nothing was counted of yet.
func sizeLake(t *testing.T, size, kind string) string {
	t.Helper()
	name, order, _ := strings.Cut(kind, " ")
	dir := filepath.Join(t.TempDir(), "data")
	kept := filepath.Join(os.Getenv("MURMUR_SIZE_DIRS"), size+"-"+name+"-"+order)
	if os.Getenv("MURMUR_SIZE_DIRS") == "" {
		kept = dir
	}
	if _, err := os.Stat(kept); err != nil {
		t.Logf("filled with %s rows, %s: %v", size, kind, inChild(t, "fill "+name, kept, "MURMUR_SIZE_ROWS="+size, "MURMUR_SIZE_ORDER="+order))
	}
	if kept != dir {
		if out, err := exec.CommandContext(t.Context(), "cp", "-a", kept, dir).CombinedOutput(); err != nil {
			t.Fatalf("copy: %v: %s", err, out)
		}
	}
	return dir
}

// TestCostOfCellKeys prints what a release of MURMUR_SIZE_CELLS rows for both audiences costs, beside one of the same
// questions without noise.
func TestCostOfCellKeys(t *testing.T) {
	size := os.Getenv("MURMUR_SIZE_CELLS")
	if size == "" {
		t.Skip("measures: set MURMUR_SIZE_CELLS to a number of rows")
	}
	without := inChild(t, "without", sizeLake(t, size, "mixed random"))
	with := inChild(t, "with cell keys", sizeLake(t, size, "mixed random"))
	fmt.Printf("| cell keys: a release of %s rows, mixed, without and with | <= 20 %% more | %v, %v: %+.0f %% |\n",
		size, without, with, 100*(with.cpu.Seconds()/without.cpu.Seconds()-1))
}

// TestManyWorkspaces prints what a look at MURMUR_SIZE_WORKSPACES workspaces costs of which one has news, beside the same look
// in a directory that has this workspace alone.
func TestManyWorkspaces(t *testing.T) {
	many := os.Getenv("MURMUR_SIZE_WORKSPACES")
	if many == "" {
		t.Skip("measures: set MURMUR_SIZE_WORKSPACES to a number")
	}
	look := func(many string) cost {
		dir := filepath.Join(t.TempDir(), "data")
		t.Logf("%s workspaces filled: %v", many, inChild(t, "workspaces", dir, "MURMUR_SIZE_ROWS="+many))
		return inChild(t, "news of one workspace", dir)
	}
	alone, among := look("1"), look(many)
	fmt.Printf("| %s workspaces, one with news: a look at all, and at that one where it is alone | <= 0.05 CPU s apart | %v, %v |\n", many, among, alone)
}
