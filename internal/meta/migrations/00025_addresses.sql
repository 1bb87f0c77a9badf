-- A person by several addresses. docs/format/datadir.md
-- +goose Up
-- Pseudonyms that a source named together, each pair once, contact < also: as long as rows of the last such day are linked.
CREATE TABLE addresses(
  workspace TEXT NOT NULL,
  contact   BLOB NOT NULL,
  also      BLOB NOT NULL,
  day       INTEGER NOT NULL, -- since 1970, UTC: when it happened
  seen      INTEGER NOT NULL, -- microseconds since 1970 UTC: when it was told, to a day
  PRIMARY KEY(workspace, contact, also)
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_also ON addresses(workspace, also);
CREATE INDEX addresses_day ON addresses(workspace, day);

-- A tombstone holds for the address that was erased, or (linked) for another one of the same person.
CREATE TABLE tombstones(
  workspace TEXT NOT NULL,
  contact   BLOB NOT NULL,
  linked    INTEGER NOT NULL DEFAULT 0,
  at        INTEGER NOT NULL,
  receipt   TEXT NOT NULL,
  PRIMARY KEY(workspace, contact, linked)
) STRICT;
INSERT INTO tombstones(workspace, contact, at, receipt) SELECT workspace, contact, at, receipt FROM erasures;
DROP TABLE erasures;
ALTER TABLE tombstones RENAME TO erasures;
