-- +goose Up
-- When a job that ends what has had its time was last done in full: any verb does what is overdue.
CREATE TABLE upkeep (
  job TEXT NOT NULL PRIMARY KEY,
  at  INTEGER NOT NULL -- microseconds since 1970 UTC
) STRICT;
