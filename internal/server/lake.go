package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"murmur/internal/bucket"
	"murmur/internal/crowd"
	"murmur/internal/explain"
	"murmur/internal/meta"
	"murmur/internal/rpc"
	"murmur/internal/setting"
)

// LakeFiles as Config.Lake takes the lake back from its bucket into the directory.
const LakeFiles = "files"

// settingLakeKey is the key of the lake's bucket, sealed, in base64. Where the bucket is stands in the lake's catalog.
const settingLakeKey = "lake-key"

// openLake opens the zone with the lake's files where they are, or moves them to where they are wanted.
func (n *Node) openLake(ctx context.Context, wanted, key string, c crowd.Config) (err error) {
	if key != "" {
		if err := setting.KeepSecret(ctx, n.db, n.ring, settingLakeKey, key); err != nil {
			return fmt.Errorf("remember the key of the bucket: %w", err)
		}
	}
	at, err := crowd.Where(ctx, n.dir.Catalog())
	if err != nil {
		return &partError{filepath.Base(n.dir.Catalog()), err}
	}
	if wanted != "" && wanted != LakeFiles {
		at = wanted
	}
	if c.Bucket, err = n.bucketAt(ctx, at); err != nil {
		return err
	}
	if err := n.openCrowd(ctx, c); err != nil || wanted != LakeFiles || c.Bucket == nil {
		return err
	}
	left, err := n.crowd.ComeBack(ctx)
	if err != nil {
		return err
	}
	if left != nil {
		n.log.Warn("the lake's files are in the data directory again; delete what is left of them in the bucket", "error", left)
	}
	if err := n.crowd.Close(); err != nil {
		return err
	}
	c.Bucket = nil
	return n.openCrowd(ctx, c)
}

func (n *Node) openCrowd(ctx context.Context, c crowd.Config) (err error) {
	n.crowd, err = crowd.Open(ctx, c)
	if bucket.Failed(err) || errors.Is(err, crowd.ErrTaken) || errors.Is(err, crowd.ErrOther) {
		return err // nothing is wrong with the directory
	}
	if err != nil {
		return &partError{filepath.Base(n.dir.Catalog()), err}
	}
	return nil
}

// failedWhole reports whether an error is of a database or of the bucket as a whole, and of no message.
func failedWhole(err error) bool {
	return meta.Failed(err) || bucket.Failed(err) || errors.Is(err, crowd.ErrTaken)
}

func (n *Node) bucketAt(ctx context.Context, address string) (*bucket.Bucket, error) {
	if address == "" {
		return nil, nil
	}
	at, err := bucket.Parse(address)
	if err != nil {
		return nil, err
	}
	key, err := setting.Secret(ctx, n.db, n.ring, settingLakeKey)
	if err != nil {
		return nil, err
	}
	return bucket.Open(at, key)
}

// lakeStatus is nil where the lake's files are in the directory.
func (n *Node) lakeStatus() *rpc.LakeStatus {
	a, ok := n.crowd.Away()
	if !ok {
		return nil
	}
	s := &rpc.LakeStatus{Address: a.Address, Copies: a.Copies, Kept: a.Kept}
	if a.Failed != nil {
		s.Error = explain.Describe(a.Failed)
	}
	return s
}

// askTime is how long doctor waits for the bucket.
const askTime = 10 * time.Second

// lakeCheck asks the bucket now.
func (n *Node) lakeCheck(ctx context.Context, say func(name string, ok bool, hint, format string, args ...any)) {
	bounded, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	err := n.crowd.AskBucket(bounded)
	s := n.lakeStatus()
	if s == nil {
		return
	}
	if err != nil && s.Error == "" {
		s.Error = explain.Describe(err)
	}
	say("lake", s.Error == "" && s.Kept == 0, "docs/runbook/bucket.md; deliveries are taken and processed meanwhile, their facts wait", "%s", s)
}
