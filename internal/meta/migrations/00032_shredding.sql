-- +goose Up
-- Workspaces in which somebody refused, until the key is destroyed under which what they said was sealed.
CREATE TABLE shredding(
  workspace TEXT PRIMARY KEY,
  first     INTEGER NOT NULL, -- when the first of them refused, microseconds since 1970 UTC
  last      INTEGER NOT NULL  -- and the last
) STRICT, WITHOUT ROWID;
