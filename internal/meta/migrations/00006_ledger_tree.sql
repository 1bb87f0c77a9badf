-- The ledger becomes a Merkle tree, docs/format/ledger.md. Its hashes need the ledger's key: package ledger moves the
-- entries out of ledger_chain when it opens.
-- +goose Up
DROP INDEX ledger_workspace;
ALTER TABLE ledger RENAME TO ledger_chain;
ALTER TABLE ledger_head RENAME TO ledger_chain_head;
DROP TABLE checkpoints;

CREATE TABLE ledger(
  seq       INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  workspace TEXT NOT NULL,
  kind      TEXT NOT NULL,
  body      BLOB NOT NULL,
  mac       BLOB NOT NULL
) STRICT;
CREATE INDEX ledger_workspace ON ledger(workspace, seq);

CREATE TABLE ledger_tree(
  id   INTEGER PRIMARY KEY,
  hash BLOB NOT NULL
) STRICT;

CREATE TABLE ledger_head(
  one  INTEGER PRIMARY KEY CHECK(one = 1),
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  mac  BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoints(
  size INTEGER PRIMARY KEY,
  note TEXT NOT NULL
) STRICT;
