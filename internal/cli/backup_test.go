package cli

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"murmur/internal/datadir"
	"murmur/internal/rpc"
)

// TestABackupThatIsCutOffLeavesNoFile: whatever a server answers, FILE is there only when it is a whole backup.
func TestABackupThatIsCutOffLeavesNoFile(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter){
		"cut off": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(bytes.Repeat([]byte("x"), 5000))
		},
		"an error after the first byte": func(w http.ResponseWriter) { // as the first release did
			_, _ = w.Write(bytes.Repeat([]byte("x"), 5000))
			_, _ = w.Write([]byte(`{"message":"the lake failed"}`))
		},
		"refused": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"message":"the lake failed","exit":1,"status":409}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, err := os.MkdirTemp("", "cut") // short enough for a socket
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			l, err := net.Listen("unix", datadir.Socket(dir))
			if err != nil {
				t.Fatal(err)
			}
			s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:gosec // a test
				w.Header().Set(rpc.LeftOut, "0")
				answer(w)
			})}
			go func() { _ = s.Serve(l) }()
			t.Cleanup(func() { _ = s.Close() })
			files := t.TempDir()
			var errs bytes.Buffer
			code := Run(t.Context(), []string{"backup", "--data", dir, "-o", filepath.Join(files, "b")}, IO{Out: &bytes.Buffer{}, Err: &errs})
			if code == 0 || !strings.HasPrefix(errs.String(), "error: ") {
				t.Errorf("exit code %d: %s", code, errs.String())
			}
			if left, err := os.ReadDir(files); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
