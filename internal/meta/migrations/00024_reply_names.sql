-- +goose Up
-- What a reply is called is read from its texts whenever a block is counted, and no longer kept (9: fact.DimReply).
DELETE FROM labels WHERE dim = 9;
