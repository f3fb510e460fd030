-- Tries that did not work, and why; the last fifty of each upload are kept.
CREATE TABLE attempts (
    id           INTEGER PRIMARY KEY,
    no           INTEGER NOT NULL REFERENCES uploads (no),
    at_ms        INTEGER NOT NULL,
    phase        INTEGER NOT NULL,
    code         TEXT NOT NULL,
    problem_json TEXT NOT NULL
);
CREATE INDEX attempts_no ON attempts (no, id);

-- InitiateMultipartUpload requests whose UploadId nobody may have heard of: saved before they are sent, forgotten with the
-- answer. `server_ms` is the server's time.
CREATE TABLE initiates (
    no             INTEGER NOT NULL,
    server_ms      INTEGER NOT NULL,
    destination_id TEXT NOT NULL,
    bucket         TEXT NOT NULL,
    key            TEXT NOT NULL,
    PRIMARY KEY (no, server_ms)
) WITHOUT ROWID;

-- What happens to an object that is there already; of an upload NULL means that it is overwritten.
ALTER TABLE destinations ADD COLUMN overwrite TEXT NOT NULL DEFAULT '"overwrite"';
ALTER TABLE uploads ADD COLUMN overwrite TEXT;
-- The key that was asked for, where another was taken because that one is in use.
ALTER TABLE uploads ADD COLUMN wanted_key TEXT;
