-- All tallies there can be, from the beginning, so that a move changes two of them and never adds one: a statement that may
-- have to add a row must be able to take itself back, and SQLite would copy each page that it changes for that.
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 31)
INSERT INTO tallies SELECT i & 1, i >> 2, (i >> 1) & 1, 0, 0 FROM n WHERE true ON CONFLICT DO NOTHING;

DROP TRIGGER tally_update;
CREATE TRIGGER tally_update AFTER UPDATE OF cleared, phase, callback_bad, size_bytes ON uploads BEGIN
    UPDATE tallies SET uploads = uploads - 1, bytes = bytes - old.size_bytes
    WHERE cleared = old.cleared AND phase = old.phase AND callback_bad = old.callback_bad;
    UPDATE tallies SET uploads = uploads + 1, bytes = bytes + new.size_bytes
    WHERE cleared = new.cleared AND phase = new.phase AND callback_bad = new.callback_bad;
END;
