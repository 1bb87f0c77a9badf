-- Words name a call more often than a person: whose call it was is found by the call, and words may wait for it. A row of spoken
-- with a contact of zeros is the call of somebody who was erased: its words go too.
-- +goose Up
ALTER TABLE spoken ADD COLUMN country TEXT NOT NULL DEFAULT ''; -- of the contact, where a policy asks
CREATE INDEX spoken_call ON spoken(workspace, call);
CREATE INDEX parties_call ON parties(workspace, call);
CREATE TABLE uncalled(
  workspace TEXT NOT NULL,
  call      BLOB NOT NULL, -- that words name which wait
  at        INTEGER NOT NULL, -- since when
  PRIMARY KEY(workspace, call)
) STRICT, WITHOUT ROWID;
