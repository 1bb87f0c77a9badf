-- What is listened to, and recordings that a platform made and a job fetches. docs/format/recordings.md
-- +goose Up
ALTER TABLE recordings ADD COLUMN source  TEXT NOT NULL DEFAULT '';   -- name of the source that carried the call
ALTER TABLE recordings ADD COLUMN country TEXT NOT NULL DEFAULT '';   -- of the person, ISO 3166; empty: not known
ALTER TABLE recordings ADD COLUMN began   INTEGER NOT NULL DEFAULT 0; -- the call
ALTER TABLE recordings ADD COLUMN heard   INTEGER NOT NULL DEFAULT 0; -- when its words went to the journal; 0: not yet
ALTER TABLE recordings ADD COLUMN media   BLOB;                       -- keyed id at the platform; null: recorded here
CREATE UNIQUE INDEX recordings_media ON recordings(workspace, media) WHERE media IS NOT NULL;

-- One row a call whose recordings a platform has, until raw-hours after the call: it keeps them from being fetched twice.
CREATE TABLE announced(
  workspace TEXT NOT NULL,
  call      BLOB NOT NULL,
  source    TEXT NOT NULL,
  name      TEXT NOT NULL, -- the platform's own id of the call
  contact   BLOB NOT NULL,
  country   TEXT NOT NULL,
  at        INTEGER NOT NULL, -- when the call began
  done      INTEGER NOT NULL DEFAULT 0, -- nothing is left to fetch
  PRIMARY KEY(workspace, call)
) STRICT;
