-- +goose Up
-- Calls in which somebody may have spoken, for link-days, where the policy lets transcripts in: words that do not say of which
-- call they are find it by the contact, the business's number and the time.
CREATE TABLE spoken(
  workspace TEXT NOT NULL,
  contact   BLOB NOT NULL,
  number    INTEGER NOT NULL, -- label of the business's number
  call      BLOB NOT NULL,
  began     INTEGER NOT NULL, -- microseconds since 1970 UTC
  ended     INTEGER NOT NULL,
  PRIMARY KEY(workspace, contact, number, call)
) STRICT, WITHOUT ROWID;
CREATE INDEX spoken_began ON spoken(workspace, began);
-- Whose words wait for such a call.
CREATE TABLE unplaced(
  workspace TEXT NOT NULL,
  contact   BLOB NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY(workspace, contact)
) STRICT, WITHOUT ROWID;
