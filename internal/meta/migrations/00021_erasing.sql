-- +goose Up
-- Orders of erasure: one row a pseudonym of each erasure that was promised. The pseudonym goes when the rows are gone; the
-- row stays for as long as the tombstone, so that a count which began before notices (docs/format/datadir.md).
CREATE TABLE erasing(
  n         INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace TEXT NOT NULL,
  receipt   TEXT NOT NULL,
  contact   BLOB,             -- null: carried out
  at        INTEGER NOT NULL, -- microseconds since 1970 UTC
  readable  INTEGER NOT NULL DEFAULT 1 -- 0: only files that nobody can read may still hold rows
) STRICT;
CREATE INDEX erasing_workspace ON erasing(workspace, contact);
