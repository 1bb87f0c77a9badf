-- +goose Up
-- The reasons for contact that a business named itself, and the masked sentences that they were learned from.
CREATE TABLE categories(
  workspace TEXT NOT NULL,
  id        INTEGER NOT NULL,  -- random: the topic in stored tables is made of it and the version, and must not come again
  version   INTEGER NOT NULL,  -- moves with the sentences
  learned   BLOB NOT NULL,     -- JSON, sealed: name, like, unlike
  PRIMARY KEY(workspace, id)
) WITHOUT ROWID;
