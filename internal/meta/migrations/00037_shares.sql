-- +goose Up
-- Links to one page of figures that left, for people without an account: tokens of the role share.
ALTER TABLE tokens ADD COLUMN page TEXT NOT NULL DEFAULT ''; -- calls, topics, satisfaction
