package datadir

// Answer is yes, no or unknown.
type Answer int

const (
	Unknown Answer = iota
	Yes
	No
)

func (a Answer) String() string { return [...]string{"unknown", "yes", "no"}[a] }

// Space is what is known about the disk below the directory.
type Space struct {
	Free, Total int64  // bytes; Free is what this user may take
	FS          string // "ext4", "xfs" ..; "unknown"
	// Moves: overwriting a file writes elsewhere and leaves the old bytes, so that only encryption of the
	// disk protects a destroyed key.
	Moves     bool
	Encrypted Answer // the block device, by dm-crypt; a cloud disk may be encrypted without this machine knowing
}

// Space looks at the disk. errors.ErrUnsupported where murmur cannot do that.
func (d *Dir) Space() (Space, error) { return space(d.path) }
