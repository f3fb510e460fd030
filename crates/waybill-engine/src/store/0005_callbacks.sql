-- Every call of the user's server: one with the upload, where it asked for a callback, and one for each time it was sent
-- again. An answer can be 3 MB, so it does not lie in the rows that lists read. The numbers of `kind` and `outcome` stand
-- in calls.rs.
CREATE TABLE callback_calls (
    id           INTEGER PRIMARY KEY,
    no           INTEGER NOT NULL REFERENCES uploads (no),
    at_ms        INTEGER NOT NULL,
    kind         INTEGER NOT NULL,
    took_ms      INTEGER NOT NULL,
    outcome      INTEGER NOT NULL,
    status       INTEGER NOT NULL,
    ec           TEXT,
    request_id   TEXT NOT NULL,
    headers_json TEXT NOT NULL,
    body         TEXT,
    problem_json TEXT,
    profile_id   TEXT
);
INSERT INTO callback_calls
    (no, at_ms, kind, took_ms, outcome, status, ec, request_id, headers_json, body)
SELECT no, coalesce(finished_ms, created_ms), 0, coalesce(json_extract(state_json, '$.Done.object.finishing_ms'), 0),
       failed * 2, 200 + failed * 3, json_extract(state_json, '$.Done.callback.ec'),
       coalesce(json_extract(state_json, '$.Done.object.request_id'), ''), '[]', body
FROM (
    SELECT uploads.*, answers.body, coalesce(json_extract(state_json, '$.Done.callback.outcome'), '') <> 'answered' AS failed
    FROM answers JOIN uploads USING (no) WHERE phase = 5
);
DROP TABLE answers;
CREATE INDEX callback_calls_no ON callback_calls (no, id);
CREATE INDEX callback_calls_profile ON callback_calls (profile_id, id) WHERE profile_id IS NOT NULL;

-- Callbacks on their way once more, from before the first request until the end; what was only asked for is not here.
CREATE TABLE resends (
    no         INTEGER PRIMARY KEY REFERENCES uploads (no),
    state_json TEXT NOT NULL
);

-- Profiles with a name are everybody's; one without belongs to the destination with its id.
ALTER TABLE callback_profiles ADD COLUMN name TEXT;
-- The named profile that an upload's callback came from.
ALTER TABLE uploads ADD COLUMN callback_profile TEXT;
-- A named profile that a folder's files ask for instead of their destination's.
ALTER TABLE watched_folders ADD COLUMN callback_profile_id TEXT REFERENCES callback_profiles (id);
