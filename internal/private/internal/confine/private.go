package confine

import "sync"

// secrets are the places that no confined program may read, by path.
var secrets sync.Map

// Private names a file or folder that no program may be able to read: a program whose folder holds it, or lies in it,
// does not run. It holds for the whole process, however many data directories it opens.
func Private(path string) { secrets.Store(path, true) }

func private() (paths []string) {
	secrets.Range(func(path, _ any) bool {
		paths = append(paths, path.(string))
		return true
	})
	return paths
}
