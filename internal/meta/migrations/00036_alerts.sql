-- +goose Up
-- Who is told when a figure leaves a range. id is the hash of what ends it; where it goes is sealed under the workspace's lasting key.
CREATE TABLE alerts (
  id         BLOB PRIMARY KEY,
  workspace  TEXT NOT NULL,
  role       TEXT NOT NULL,    -- owner, viewer: whose figures
  way        TEXT NOT NULL,    -- mail, webhook, slack
  watch      TEXT NOT NULL,    -- JSON: insight, measure, below, above
  target     BLOB NOT NULL,    -- JSON, sealed: address, secret, named hosts, what ends it
  created_at INTEGER NOT NULL, -- microseconds since 1970 UTC
  looked     TEXT NOT NULL DEFAULT '', -- the last day on which the figures were looked at, in the workspace's time zone
  fired      TEXT NOT NULL DEFAULT '', -- the Monday of the last week of which something was told
  sent_at    INTEGER NOT NULL DEFAULT 0, -- when the last message was taken
  failed     TEXT NOT NULL DEFAULT '', -- why the last try failed; '' after one that did not
  ended      INTEGER NOT NULL DEFAULT 0 -- 1: the receiver is gone, nothing more is sent
) WITHOUT ROWID;
