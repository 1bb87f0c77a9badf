package redact

// Thorough gives a Detector that reads every turn in every round, also where nothing has changed.
func (d *Detector) Thorough() *Detector {
	t := *d
	t.thorough = true
	return &t
}
