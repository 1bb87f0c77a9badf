-- One row a recording that somebody may listen to: written when its call ended without a refusal, deleted with the
-- file. docs/format/recordings.md
-- +goose Up
CREATE TABLE recordings(
  workspace TEXT NOT NULL,
  id        BLOB NOT NULL, -- 16 random bytes; the file's name in hexadecimal
  call      BLOB NOT NULL,
  contact   BLOB NOT NULL,
  at        INTEGER NOT NULL, -- when it was released
  epoch     INTEGER NOT NULL, -- whose key seals key
  key       BLOB NOT NULL,    -- sealed
  PRIMARY KEY(workspace, id)
) STRICT;
CREATE INDEX recordings_call ON recordings(workspace, call);
