package crowd

import (
	"sync"

	"murmur/internal/fact"
	"murmur/internal/private/anon"
	"murmur/internal/workspace"
)

// replies finds the replies that members type again and again: a reply gets a name, its masked text, once that many
// contacts got it. Until then nothing of it is kept but a number for each, in memory: a restart counts anew, and the rows
// have their label all the same. A table shows the name only of a period in which enough contacts got it (package release).
type replies struct {
	mu   sync.Mutex
	seen map[workspace.ID]map[fact.Label]map[anon.Contact]bool
}

const (
	repeatedBy  = 10    // contacts, as the minimum group of what comes from words
	repliesKept = 4096  // of a workspace; more, and the count begins anew
	longestName = 1_000 // bytes: what is longer is no reply that one types
)

// note counts a text and gives the name of a reply that enough contacts got now.
func (r *replies) note(ws workspace.ID, f fact.Fact) (fact.Named, bool) {
	m, ok := f.(*fact.Message)
	if !ok || m.Reply == 0 || !m.Contact.Valid() || len(m.Body.String()) > longestName {
		return fact.Named{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[workspace.ID]map[fact.Label]map[anon.Contact]bool{}
	}
	if r.seen[ws] == nil || len(r.seen[ws]) >= repliesKept {
		r.seen[ws] = map[fact.Label]map[anon.Contact]bool{}
	}
	who := r.seen[ws][m.Reply]
	if who == nil {
		who = map[anon.Contact]bool{}
		r.seen[ws][m.Reply] = who
	}
	if len(who) >= repeatedBy {
		return fact.Named{}, false // it has its name
	}
	who[m.Contact] = true
	return fact.Named{Label: m.Reply, Dim: fact.DimReply, Name: m.Body}, len(who) == repeatedBy
}
