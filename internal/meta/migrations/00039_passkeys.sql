-- What lets an owner's device in: its public key. Whoever ends the pass in tokens ends it here.
-- +goose Up
CREATE TABLE passkeys(
  hash       BLOB PRIMARY KEY REFERENCES tokens(hash) ON DELETE CASCADE,
  credential BLOB NOT NULL -- JSON of go-webauthn's Credential
) STRICT;
