-- What contacts said, once their rows are linked no more. docs/format/datadir.md
-- +goose Up
CREATE TABLE lasting(
  workspace TEXT NOT NULL,
  kind      TEXT NOT NULL, -- as in optouts, of a contact
  ref       BLOB NOT NULL, -- the slow sum of a pseudonym
  at        INTEGER NOT NULL,
  via       INTEGER NOT NULL,
  PRIMARY KEY(workspace, kind, ref)
) STRICT, WITHOUT ROWID;
