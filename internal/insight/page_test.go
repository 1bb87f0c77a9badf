package insight

import (
	"path/filepath"
	"testing"
)

//go:generate go test -run TestThePageFollowsTheCatalogue -update .

func TestThePageFollowsTheCatalogue(t *testing.T) {
	t.Parallel()
	golden(t, filepath.Join("..", "..", "docs", "insights.md"), []byte(Page()))
}
