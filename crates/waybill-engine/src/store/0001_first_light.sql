-- Columns are left in place rather than dropped, so that an older program still opens the file.

CREATE TABLE callback_profiles (
    id          TEXT PRIMARY KEY,
    form_json   TEXT NOT NULL
);

CREATE TABLE destinations (
    id                  TEXT PRIMARY KEY,
    name                TEXT NOT NULL,
    endpoint            TEXT NOT NULL,
    region              TEXT NOT NULL,
    bucket              TEXT NOT NULL,
    key_template        TEXT NOT NULL,
    access_key_id       TEXT NOT NULL,
    has_secret          INTEGER NOT NULL,
    has_token           INTEGER NOT NULL,
    callback_profile_id TEXT REFERENCES callback_profiles (id),
    built_in            INTEGER NOT NULL,
    created_ms          INTEGER NOT NULL
);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- One drop, one run of the command, or one look at a watched folder. Saved before its roots are read, so that a scan cut
-- short is taken up again; `fingerprint` lets the same command find the batch it began.
CREATE TABLE batches (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    destination_id TEXT NOT NULL,
    fingerprint    TEXT,
    request_json   TEXT NOT NULL,
    scanned        INTEGER NOT NULL,
    created_ms     INTEGER NOT NULL
);
CREATE INDEX batches_fingerprint ON batches (fingerprint) WHERE fingerprint IS NOT NULL;

CREATE TABLE uploads (
    no             INTEGER PRIMARY KEY AUTOINCREMENT,
    batch          INTEGER NOT NULL REFERENCES batches (id),
    destination_id TEXT NOT NULL,
    path           TEXT NOT NULL,
    bucket         TEXT NOT NULL,
    key            TEXT NOT NULL,
    content_type   TEXT,
    callback_json  TEXT,
    size_bytes     INTEGER NOT NULL,
    modified_ns    INTEGER NOT NULL,
    file_id        INTEGER NOT NULL,
    phase          INTEGER NOT NULL,
    state_json     TEXT NOT NULL,
    not_before_ms  INTEGER,
    callback_bad   INTEGER NOT NULL DEFAULT 0,
    stored_bytes   INTEGER NOT NULL DEFAULT 0,
    parts_done     INTEGER NOT NULL DEFAULT 0,
    cleared        INTEGER NOT NULL DEFAULT 0,
    created_ms     INTEGER NOT NULL,
    started_ms     INTEGER,
    finished_ms    INTEGER
);
CREATE INDEX uploads_batch_path ON uploads (batch, path);
CREATE INDEX uploads_batch_key ON uploads (batch, key);
CREATE INDEX uploads_in_order ON uploads (batch DESC, no);
-- For the queue; its questions say "phase < 5" in so many words, or SQLite would not see that this index serves them.
CREATE INDEX uploads_unfinished ON uploads (phase, no) WHERE phase < 5;
CREATE INDEX uploads_due ON uploads (not_before_ms) WHERE phase < 5 AND not_before_ms IS NOT NULL;

-- The callback server's answer can be 3 MB, so it does not lie in the rows that lists read.
CREATE TABLE answers (
    no   INTEGER PRIMARY KEY REFERENCES uploads (no),
    body TEXT NOT NULL
);

-- A cache: the server's ListParts decides which parts exist.
CREATE TABLE parts (
    no         INTEGER NOT NULL REFERENCES uploads (no),
    number     INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    etag       TEXT NOT NULL,
    crc64      TEXT NOT NULL,
    PRIMARY KEY (no, number)
) WITHOUT ROWID;

CREATE TABLE log (
    id     INTEGER PRIMARY KEY,
    no     INTEGER NOT NULL REFERENCES uploads (no),
    at_ms  INTEGER NOT NULL,
    what   TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX log_no ON log (no, id);

-- UploadIds to abort at OSS, kept until AbortMultipartUpload has succeeded.
CREATE TABLE aborts (
    upload_id      TEXT PRIMARY KEY,
    destination_id TEXT NOT NULL,
    bucket         TEXT NOT NULL,
    key            TEXT NOT NULL
);

CREATE TABLE watched_folders (
    id             TEXT PRIMARY KEY,
    path           TEXT NOT NULL,
    destination_id TEXT NOT NULL,
    prefix         TEXT NOT NULL,
    paused         INTEGER NOT NULL,
    created_ms     INTEGER NOT NULL
);

-- What was handed to the queue, so that each settled file goes up once; without an upload: what was there before.
CREATE TABLE watched_files (
    folder_id   TEXT NOT NULL REFERENCES watched_folders (id) ON DELETE CASCADE,
    path        TEXT NOT NULL,
    size_bytes  INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    file_id     INTEGER NOT NULL,
    upload_no   INTEGER,
    PRIMARY KEY (folder_id, path)
) WITHOUT ROWID;

-- Counts are kept as states change, never recounted.
CREATE TABLE tallies (
    cleared      INTEGER NOT NULL,
    phase        INTEGER NOT NULL,
    callback_bad INTEGER NOT NULL,
    uploads      INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    PRIMARY KEY (cleared, phase, callback_bad)
) WITHOUT ROWID;

CREATE TRIGGER tally_insert AFTER INSERT ON uploads BEGIN
    INSERT INTO tallies VALUES (new.cleared, new.phase, new.callback_bad, 1, new.size_bytes)
    ON CONFLICT DO UPDATE SET uploads = uploads + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER tally_update AFTER UPDATE OF cleared, phase, callback_bad, size_bytes ON uploads BEGIN
    UPDATE tallies SET uploads = uploads - 1, bytes = bytes - old.size_bytes
    WHERE cleared = old.cleared AND phase = old.phase AND callback_bad = old.callback_bad;
    INSERT INTO tallies VALUES (new.cleared, new.phase, new.callback_bad, 1, new.size_bytes)
    ON CONFLICT DO UPDATE SET uploads = uploads + 1, bytes = bytes + excluded.bytes;
END;
