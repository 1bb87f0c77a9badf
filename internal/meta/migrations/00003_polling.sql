-- Sources whose vendor is asked over its API.
-- +goose Up
ALTER TABLE sources ADD COLUMN api_key BLOB; -- sealed; null: not polled
ALTER TABLE sources ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;

-- How far a source has been asked. It goes with the connection: a new one begins anew.
CREATE TABLE source_state(
  token_hash BLOB PRIMARY KEY,
  checkpoint TEXT NOT NULL DEFAULT '', -- JSON, package poll
  account    TEXT NOT NULL DEFAULT '', -- the vendor's id of the account
  done       REAL NOT NULL DEFAULT 0,  -- part of the history that was listed
  items      INTEGER NOT NULL DEFAULT 0,
  missing    TEXT NOT NULL DEFAULT '', -- names of lists that the plan does not give, with commas
  polled_at  INTEGER NOT NULL DEFAULT 0, -- the last poll that found everything
  fresh_at   INTEGER NOT NULL DEFAULT 0, -- the last new object
  trouble    TEXT NOT NULL DEFAULT '', -- a closed set
  trouble_at INTEGER NOT NULL DEFAULT 0
) STRICT;
