-- What must be counted again. A sequence is the lake's (docs/format/lake.md): higher after each change.
-- +goose Up
-- The last change of the rows of one kind on one UTC day (days since 1970).
CREATE TABLE changes(
  workspace TEXT NOT NULL,
  day       INTEGER NOT NULL,
  kind      INTEGER NOT NULL,
  sequence  INTEGER NOT NULL,
  PRIMARY KEY(workspace, day, kind)
) STRICT;
CREATE INDEX changes_sequence ON changes(sequence, workspace);

-- The sequence of the lake in which a period was looked at last, and the one that its tables were counted in.
CREATE TABLE counted(
  workspace TEXT NOT NULL,
  period    TEXT NOT NULL,
  looked    INTEGER NOT NULL,
  made      INTEGER NOT NULL, -- 0: never
  basis     BLOB NOT NULL,    -- hash of questions, settings and names that the tables were made with
  PRIMARY KEY(workspace, period)
) STRICT;

-- What a label is called today, sealed as name is; null: as at first. The first name stays: it orders the groups of figures.
ALTER TABLE labels ADD COLUMN called BLOB;
ALTER TABLE labels ADD COLUMN version INTEGER NOT NULL DEFAULT 0; -- of the newest event that used the name
