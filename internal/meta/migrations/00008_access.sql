-- +goose Up
-- API tokens end; those that are there already end 90 days from now. Links and sessions end by their age.
ALTER TABLE tokens ADD COLUMN expires_at INTEGER; -- microseconds since 1970 UTC
UPDATE tokens SET expires_at = (unixepoch() + 90 * 86400) * 1000000 WHERE role NOT IN ('link', 'session');
