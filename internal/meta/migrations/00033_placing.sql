-- +goose Up
-- When murmur was told of a call, in microseconds since 1970 UTC: words that wait look for their call again when there is a new one.
ALTER TABLE spoken ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
