//go:build !linux

package datadir

import "errors"

func space(string) (Space, error) { return Space{}, errors.ErrUnsupported }
