-- The workflow of a business, as its owner wrote it down: one row a version. docs/workflow.md
-- +goose Up
CREATE TABLE flows(
  workspace TEXT NOT NULL,
  name      TEXT NOT NULL,
  version   INTEGER NOT NULL, -- 1, 2, 3
  since     INTEGER NOT NULL, -- from when calls go this way
  set_at    INTEGER NOT NULL,
  body      BLOB NOT NULL,    -- YAML, sealed
  PRIMARY KEY(workspace, name, version)
) STRICT;
