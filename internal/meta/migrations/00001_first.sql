-- Times are microseconds since 1970 UTC. Contacts and calls are 16-byte pseudonyms and ids.
-- +goose Up
CREATE TABLE workspaces(
  id         TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sources(
  workspace  TEXT NOT NULL,
  name       TEXT NOT NULL,
  kind       TEXT NOT NULL,
  token_hash BLOB NOT NULL UNIQUE,
  secrets    BLOB NOT NULL, -- sealed
  config     TEXT NOT NULL, -- JSON
  created_at INTEGER NOT NULL,
  removed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX sources_name ON sources(workspace, name) WHERE removed_at IS NULL;

CREATE TABLE tokens(
  hash       BLOB PRIMARY KEY,
  workspace  TEXT NOT NULL,
  role       TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE policy(
  workspace TEXT NOT NULL,
  key       TEXT NOT NULL,
  value     TEXT NOT NULL,
  set_at    INTEGER NOT NULL,
  PRIMARY KEY(workspace, key)
) STRICT;

CREATE TABLE labels(
  workspace TEXT NOT NULL,
  label     INTEGER NOT NULL,
  dim       INTEGER NOT NULL,
  parent    INTEGER NOT NULL,
  name      BLOB NOT NULL, -- masked and sealed
  PRIMARY KEY(workspace, label)
) STRICT;

CREATE TABLE optouts(
  workspace TEXT NOT NULL,
  kind      TEXT NOT NULL, -- call, contact, contact-calls; with -in: the opposite
  ref       BLOB NOT NULL,
  at        INTEGER NOT NULL,
  via       INTEGER NOT NULL,
  PRIMARY KEY(workspace, kind, ref)
) STRICT;

CREATE TABLE erasures(
  workspace TEXT NOT NULL,
  contact   BLOB NOT NULL,
  at        INTEGER NOT NULL,
  receipt   TEXT NOT NULL,
  PRIMARY KEY(workspace, contact)
) STRICT;

-- docs/format/releases.md
CREATE TABLE releases(
  workspace TEXT NOT NULL,
  period    TEXT NOT NULL,
  closed    INTEGER NOT NULL,
  as_of     INTEGER NOT NULL,
  body      BLOB NOT NULL,
  PRIMARY KEY(workspace, period)
) STRICT;

-- When the last fact of a UTC day (days since 1970) came.
CREATE TABLE arrivals(
  workspace TEXT NOT NULL,
  day       INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY(workspace, day)
) STRICT;

CREATE TABLE settings(
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- The ledger, docs/format/ledger.md.
CREATE TABLE ledger(
  seq       INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  workspace TEXT NOT NULL,
  kind      TEXT NOT NULL,
  body      BLOB NOT NULL,
  prev      BLOB NOT NULL,
  hash      BLOB NOT NULL,
  mac       BLOB NOT NULL
) STRICT;
CREATE INDEX ledger_workspace ON ledger(workspace, seq);

CREATE TABLE ledger_head(
  one  INTEGER PRIMARY KEY CHECK(one = 1),
  seq  INTEGER NOT NULL,
  hash BLOB NOT NULL,
  mac  BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoints(
  seq  INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL,
  hash BLOB NOT NULL,
  sig  BLOB NOT NULL
) STRICT;
