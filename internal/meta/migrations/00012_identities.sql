-- By which rules, and in which region, the addresses of a workspace got their one spelling: the newest is in use, and
-- what was refused or erased under a former one still holds. docs/format/datadir.md
-- +goose Up
CREATE TABLE identities(
  workspace TEXT NOT NULL,
  version   INTEGER NOT NULL,
  region    TEXT NOT NULL, -- ISO 3166
  since     INTEGER NOT NULL,
  PRIMARY KEY(workspace, version, region)
) STRICT;
INSERT INTO identities(workspace, version, region, since) SELECT id, 1, 'US', created_at FROM workspaces;

-- Who took part in a call beside the contact that its rows belong to, for link-days: a refusal of theirs finds it.
CREATE TABLE parties(
  workspace TEXT NOT NULL,
  contact   BLOB NOT NULL,
  call      BLOB NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY(workspace, contact, call)
) STRICT, WITHOUT ROWID;
CREATE INDEX parties_at ON parties(workspace, at);
