-- Releases that leave a workspace, and the privacy budget that they spend (docs/provable.md).
-- +goose Up
-- What a workspace's month may tell, and has told, in units of 1e-9 rho.
CREATE TABLE budgets(
  workspace TEXT NOT NULL,
  month     TEXT NOT NULL,    -- 2026-11
  cap       INTEGER NOT NULL,
  spent     INTEGER NOT NULL,
  PRIMARY KEY(workspace, month),
  CHECK(spent >= 0 AND spent <= cap)
) STRICT;

-- One release of a plan and a month. Without a body its budget was reserved and nothing came of it.
CREATE TABLE provable(
  workspace TEXT NOT NULL,
  month     TEXT NOT NULL,
  plan      BLOB NOT NULL,    -- hash of the compiled specification
  cost      INTEGER NOT NULL,
  zone      TEXT NOT NULL,    -- of the month
  body      BLOB,             -- sealed
  PRIMARY KEY(workspace, month, plan)
) STRICT;
