package web

// Recorded counts the recordings that a workspace has stored, and says what becomes of them.
type Recorded struct {
	Stored  int    `json:"stored" doc:"recordings whose key lives; each dies after raw-hours"`
	Heard   int    `json:"heard" doc:"of them, whose words went on, masked"`
	Waiting int    `json:"waiting" doc:"of them, still to be heard"`
	Denied  int    `json:"denied" doc:"of them, not to be heard as policy and consent stand"`
	Said    string `json:"said" doc:"what they wait for, in words"`
}
