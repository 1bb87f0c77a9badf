package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"murmur/internal/private/internal/detect"
	"murmur/internal/private/internal/detect/rampart"
)

var (
	// ErrRecognizer is returned for an unknown recognizer.
	ErrRecognizer = errors.New("the recognizer is rampart or none")
	// ErrNoModel is returned where a recognizer is asked for whose weights were not fetched, or are other ones.
	ErrNoModel = errors.New("the weights of the recognizer are missing or not those that murmur knows")
)

// loadRecognizer gives the second reader of a name from the models directory; nil for "".
func loadRecognizer(name, models string, dial detect.Dial) (detect.Recognizer, error) {
	switch name {
	case "":
		return nil, nil
	case rampart.Name:
	default:
		return nil, ErrRecognizer
	}
	m, err := rampart.Load(os.DirFS(filepath.Join(models, rampart.Name)), rampart.Bias(dial))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, rampart.ErrModel) {
		return nil, ErrNoModel
	}
	if err != nil {
		return nil, fmt.Errorf("load the recognizer: %w", err)
	}
	return m, nil
}

// seconded gives the zone's detector with a second reader, "" for none. The weights are read once.
func (z *Zone) seconded(recognizer string) (*detect.Detector, error) {
	if recognizer == "" {
		return z.detector, nil
	}
	z.loading.Lock()
	defer z.loading.Unlock()
	if z.second == nil {
		d, err := RedactConfig{Dial: z.dial, Recognizer: recognizer, Models: z.models}.detector()
		if err != nil {
			return nil, err
		}
		z.second = d
	}
	return z.second, nil
}

// CheckRecognizer reports whether the second reader of a policy can be used. ErrRecognizer, ErrNoModel.
func (z *Zone) CheckRecognizer(name string) error {
	_, err := z.seconded(name)
	return err
}
