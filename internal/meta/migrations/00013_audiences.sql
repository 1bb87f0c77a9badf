-- Figures have two audiences, the owner and others (docs/format/releases.md). What was released before is the owner's.
-- +goose Up
ALTER TABLE releases RENAME TO releases_one;
CREATE TABLE releases(
  workspace TEXT NOT NULL,
  audience  TEXT NOT NULL,
  period    TEXT NOT NULL,
  closed    INTEGER NOT NULL,
  as_of     INTEGER NOT NULL,
  body      BLOB NOT NULL,
  PRIMARY KEY(workspace, audience, period)
) STRICT;
INSERT INTO releases SELECT workspace, 'owner', period, closed, as_of, body FROM releases_one;
DROP TABLE releases_one;

DROP TABLE counted;
-- The sequence of the lake in which a period was looked at last, and the one that its tables were counted in.
CREATE TABLE counted(
  workspace TEXT NOT NULL,
  audience  TEXT NOT NULL,
  period    TEXT NOT NULL,
  looked    INTEGER NOT NULL,
  made      INTEGER NOT NULL, -- 0: never
  until     INTEGER NOT NULL, -- others: the midnight up to which rows were counted
  basis     BLOB NOT NULL,    -- hash of questions, settings and names that the tables were made with
  PRIMARY KEY(workspace, audience, period)
) STRICT;

-- The midnight of the last daily publication to others, and whether an import or a backfill ended since.
CREATE TABLE published(
  workspace TEXT PRIMARY KEY,
  midnight  INTEGER NOT NULL,
  arrived   INTEGER NOT NULL
) STRICT;
