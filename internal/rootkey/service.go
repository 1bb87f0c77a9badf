package rootkey

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"gocloud.dev/gcerrors"
	"gocloud.dev/secrets"

	"murmur/internal/keyring"
)

// ErrService is returned for a key service that gives no key.
var ErrService = errors.New("the key service that unwraps the root key failed")

// service is a root key that a key service unwraps. The wrapped key is a file that nobody can unwrap without the
// service; the service never sees the data that the root key seals.
type service struct {
	url  string // without wrapped
	file string

	once sync.Once
	root *keyring.Root
	err  error
}

// serviceOf reads SCHEME://KEY?wrapped=FILE. Without wrapped the file lies beside the data directory, and has its name.
func serviceOf(place, data string) (*service, error) {
	u, err := url.Parse(place)
	if err != nil {
		return nil, fmt.Errorf("%w: the address of the key service cannot be read", ErrPlace)
	}
	if !slices.Contains(Services(), u.Scheme) {
		return nil, fmt.Errorf("%w: this build knows the key services %s; build it with -tags awskms, gcpkms or azurekeyvault, or name the service's own client as a command",
			ErrPlace, strings.Join(Services(), ", "))
	}
	q := u.Query()
	path := q.Get("wrapped")
	if path == "" {
		path = filepath.Clean(data) + ".root-key"
	}
	q.Del("wrapped")
	u.RawQuery = q.Encode()
	f, err := file(path, data)
	if err != nil {
		return nil, err
	}
	return &service{url: u.String(), file: f.(keyring.RootInFile).Path}, nil
}

// Services are the schemes of the key services that this build can ask.
func Services() (all []string) {
	for _, scheme := range []string{"awskms", "azurekeyvault", "gcpkms", "hashivault"} {
		if secrets.DefaultURLMux().ValidKeeperScheme(scheme) {
			all = append(all, scheme)
		}
	}
	return all
}

// Load implements keyring.RootSource.
func (s *service) Load() (*keyring.Root, error) {
	s.once.Do(func() { s.root, s.err = s.unwrap() })
	return s.root, s.err
}

func (s *service) unwrap() (*keyring.Root, error) {
	wrapped, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load root key: no wrapped key: %w", keyring.ErrRoot)
	}
	if err != nil {
		return nil, fmt.Errorf("load root key: %w", err)
	}
	var plain []byte
	err = s.ask(func(ctx context.Context, k *secrets.Keeper) (err error) {
		plain, err = k.Decrypt(ctx, wrapped)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return keyring.ParseRoot(plain)
}

// Create implements keyring.RootSource: it draws a key and keeps it wrapped, where there is no file.
func (s *service) Create(c keyring.Config) error {
	if _, err := os.Lstat(s.file); err == nil {
		return nil
	}
	return keyring.WrapRoot(s.file, c, func(plain []byte) (wrapped []byte, err error) {
		err = s.ask(func(ctx context.Context, k *secrets.Keeper) (err error) {
			wrapped, err = k.Encrypt(ctx, plain)
			return err
		})
		return wrapped, err
	})
}

// ask opens the service for one question. Its own errors may hold an address or a token: they are not passed on.
func (s *service) ask(f func(context.Context, *secrets.Keeper) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	k, err := secrets.OpenKeeper(ctx, s.url)
	if err != nil {
		return fmt.Errorf("%w: it cannot be opened: its address, or what the environment says of it: %w", ErrService, keyring.ErrRoot)
	}
	defer k.Close()
	if err := f(ctx, k); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrService, gcerrors.Code(err), keyring.ErrRoot)
	}
	return nil
}

// String leaves the key's name out.
func (s *service) String() string {
	scheme, _, _ := strings.Cut(s.url, "://")
	return "wrapped by " + scheme + " in " + s.file
}
