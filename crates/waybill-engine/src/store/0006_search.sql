-- Whoever searches reads names only, in the order they are shown, and not whole rows.
DROP INDEX uploads_in_order;
CREATE INDEX uploads_in_order ON uploads (batch DESC, no, path, key);
