package web

// Recorded counts the recordings that a workspace has stored, and says what becomes of them.
type Recorded struct {
	Stored  int64  `json:"stored" doc:"recordings whose key lives; each dies after raw-hours"`
	Heard   int64  `json:"heard" doc:"of them, whose words went on, masked"`
	Waiting int64  `json:"waiting" doc:"of them, still to be heard"`
	Denied  int64  `json:"denied" doc:"of them, not to be heard as policy and consent stand"`
	Said    string `json:"said" doc:"what they wait for, in words"`
}
