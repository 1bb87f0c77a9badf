-- What whoever runs the server does with workspaces: limit, suspend, delete. docs/workspaces.md
-- +goose Up
ALTER TABLE workspaces ADD COLUMN suspended_at INTEGER; -- null: it works; 0: it works, and what was set aside is still to be decided
ALTER TABLE workspaces ADD COLUMN limits TEXT NOT NULL DEFAULT '{}'; -- JSON

-- A row a name whose workspace is deleted, until the name is given to another workspace.
CREATE TABLE deletions(
  workspace TEXT PRIMARY KEY,
  at        INTEGER NOT NULL, -- when it was ordered, microseconds since 1970 UTC
  gone_at   INTEGER,          -- when nothing was left; null: not yet
  receipt   TEXT NOT NULL DEFAULT '' -- of the ledger's entry
) STRICT, WITHOUT ROWID;

-- Nothing is written any more for such a name: what was under way when it was deleted leaves no row. A table with a column
-- workspace needs a trigger here (a test looks).
-- +goose StatementBegin
CREATE TRIGGER sources_of_the_living BEFORE INSERT ON sources WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tokens_of_the_living BEFORE INSERT ON tokens WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER policy_of_the_living BEFORE INSERT ON policy WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER labels_of_the_living BEFORE INSERT ON labels WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER optouts_of_the_living BEFORE INSERT ON optouts WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER erasures_of_the_living BEFORE INSERT ON erasures WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER erasing_of_the_living BEFORE INSERT ON erasing WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER releases_of_the_living BEFORE INSERT ON releases WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER arrivals_of_the_living BEFORE INSERT ON arrivals WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER recordings_of_the_living BEFORE INSERT ON recordings WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER announced_of_the_living BEFORE INSERT ON announced WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER flows_of_the_living BEFORE INSERT ON flows WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER changes_of_the_living BEFORE INSERT ON changes WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER counted_of_the_living BEFORE INSERT ON counted WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER identities_of_the_living BEFORE INSERT ON identities WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER parties_of_the_living BEFORE INSERT ON parties WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER published_of_the_living BEFORE INSERT ON published WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER subscribers_of_the_living BEFORE INSERT ON subscribers WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER provable_of_the_living BEFORE INSERT ON provable WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER addresses_of_the_living BEFORE INSERT ON addresses WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER spoken_of_the_living BEFORE INSERT ON spoken WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER unplaced_of_the_living BEFORE INSERT ON unplaced WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER shredding_of_the_living BEFORE INSERT ON shredding WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER lasting_of_the_living BEFORE INSERT ON lasting WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER alerts_of_the_living BEFORE INSERT ON alerts WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER categories_of_the_living BEFORE INSERT ON categories WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER uncalled_of_the_living BEFORE INSERT ON uncalled WHEN EXISTS(SELECT 1 FROM deletions WHERE workspace = NEW.workspace)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER source_state_of_the_living BEFORE INSERT ON source_state WHEN NOT EXISTS(SELECT 1 FROM sources WHERE token_hash = NEW.token_hash)
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER settings_of_the_living BEFORE INSERT ON settings
WHEN NEW.key LIKE 'mark/%' AND EXISTS(SELECT 1 FROM deletions WHERE substr(NEW.key, 1, length(workspace) + 6) = 'mark/' || workspace || '/')
BEGIN SELECT RAISE(IGNORE); END;
-- +goose StatementEnd
