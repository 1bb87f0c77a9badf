-- +goose Up
-- Who gets the week by mail. id is the hash of what ends it; the address is sealed under the workspace's lasting key.
CREATE TABLE subscribers (
  id         BLOB PRIMARY KEY,
  workspace  TEXT NOT NULL,
  role       TEXT NOT NULL,    -- owner, viewer: whose figures
  address    BLOB NOT NULL,
  ender      BLOB NOT NULL,    -- what ends it, sealed: it stands in each letter
  created_at INTEGER NOT NULL, -- microseconds since 1970 UTC
  sent       TEXT NOT NULL DEFAULT '', -- the Monday of the last week that was sent
  failed     TEXT NOT NULL DEFAULT ''  -- why the last try failed; '' after one that did not
) WITHOUT ROWID;
