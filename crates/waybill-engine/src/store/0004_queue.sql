-- A queue of a million: an upload that waits or is stored costs as few indexes as can be, and whoever looks for the next
-- one finds it in its lane: one for each destination's small files and one for its large ones.

CREATE TABLE lanes (
    id             INTEGER PRIMARY KEY,
    destination_id TEXT NOT NULL,
    large          INTEGER NOT NULL,
    UNIQUE (destination_id, large)
);
INSERT INTO lanes (destination_id, large) SELECT DISTINCT destination_id, size_bytes > 8388608 FROM uploads;

ALTER TABLE uploads ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;
-- Higher goes first; of equals the older.
ALTER TABLE uploads ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
UPDATE uploads SET lane = (
    SELECT id FROM lanes
    WHERE lanes.destination_id = uploads.destination_id AND lanes.large = (uploads.size_bytes > 8388608)
);

DROP INDEX uploads_batch_path;
DROP INDEX uploads_batch_key;
DROP INDEX uploads_unfinished;
-- The queue's questions repeat these conditions in so many words, or SQLite would not see that the indexes serve them.
CREATE INDEX uploads_ready ON uploads (lane, priority DESC, no) WHERE phase = 0 AND not_before_ms IS NULL;
-- Phases that few uploads are in at a time.
CREATE INDEX uploads_few ON uploads (phase, batch DESC, no) WHERE phase <> 0 AND phase <> 5;
CREATE INDEX uploads_callback_bad ON uploads (batch DESC, no) WHERE callback_bad = 1;
CREATE INDEX uploads_final ON uploads (no) WHERE phase >= 5;

-- A thousand files are counted in one go when they are queued; moves are counted one by one.
DROP TRIGGER tally_insert;
