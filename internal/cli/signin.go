package cli

import (
	"fmt"
	"os"
	"strings"

	"murmur/internal/signin"
)

// signInFlags name an identity provider that lets owners in.
type signInFlags struct {
	OIDCIssuer       string   `name:"oidc-issuer" help:"Let owners in through this OpenID Connect provider too; --public-url is where it sends them back to. None: one-time links alone." placeholder:"URL"`
	OIDCClientID     string   `name:"oidc-client-id" help:"The id under which the provider knows murmur." placeholder:"ID"`
	OIDCClientSecret string   `name:"oidc-client-secret" help:"Its secret, or @FILE; none for a public client." placeholder:"S|@FILE"`
	OIDCOwner        []string `name:"oidc-owner" help:"Who is let in: a verified e-mail address, and the workspace that it owns where that is not default." placeholder:"EMAIL[=WORKSPACE]"`
}

func (f signInFlags) provider(public string) (*signin.Provider, error) {
	if f.OIDCIssuer == "" {
		return nil, nil
	}
	secret := f.OIDCClientSecret
	if file, ok := strings.CutPrefix(secret, "@"); ok {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the client secret: %w", err)
		}
		secret = strings.TrimSpace(string(b))
	}
	owners, err := signin.ReadOwners(f.OIDCOwner)
	if err != nil {
		return nil, err
	}
	return signin.New(signin.Config{Issuer: f.OIDCIssuer, ClientID: f.OIDCClientID, ClientSecret: secret, PublicURL: public, Owners: owners})
}
