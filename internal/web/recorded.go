package web

// Recorded counts the recordings that a workspace has stored, and says what becomes of them.
type Recorded struct {
	Stored  int64  `json:"stored" doc:"recordings that have a key; each key is destroyed after raw-hours"`
	Heard   int64  `json:"heard" doc:"of them, those that are transcribed"`
	Waiting int64  `json:"waiting" doc:"of them, those still to be transcribed"`
	Denied  int64  `json:"denied" doc:"of them, those whose transcription policy or consent forbids"`
	Said    string `json:"said" doc:"what they wait for, in words"`
}
