-- Records of the operator's stream that were put aside: places and counts, nothing of what is in them. docs/stream.md
-- +goose Up
CREATE TABLE aside(
  source    BLOB NOT NULL,    -- of the connection, sources.token_hash
  topic     TEXT NOT NULL,
  topic_id  TEXT NOT NULL,    -- the topic's identity on its servers: one that is made anew begins again
  partition INTEGER NOT NULL,
  workspace TEXT NOT NULL,    -- '': none that is known here
  why       TEXT NOT NULL,    -- a word of docs/stream.md
  first     INTEGER NOT NULL, -- offset
  last      INTEGER NOT NULL, -- offset
  records   INTEGER NOT NULL, -- between the two, both with them
  at        INTEGER NOT NULL, -- of the last, microseconds since 1970 UTC
  PRIMARY KEY(source, topic, topic_id, partition, workspace, why)
) STRICT, WITHOUT ROWID;
-- +goose StatementBegin
CREATE TRIGGER aside_of_the_living BEFORE INSERT ON aside WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
