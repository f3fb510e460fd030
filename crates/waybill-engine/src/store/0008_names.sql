-- Names of a thousand uploads in one piece, for whoever searches; see names.rs, which writes the same.
CREATE TABLE names (
    batch    INTEGER NOT NULL,
    thousand INTEGER NOT NULL,
    text     BLOB NOT NULL
);
INSERT INTO names (batch, thousand, text)
SELECT batch, no >> 10, CAST(group_concat(
    x'FE'
    || substr(x'808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9F', ((no >> 5) & 31) + 1, 1)
    || substr(x'808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9F', (no & 31) + 1, 1)
    || lower(path) || CASE WHEN instr(path, key) > 0 THEN '' ELSE x'FF' || lower(key) END, '') AS BLOB)
FROM uploads GROUP BY batch, no >> 10;
CREATE INDEX names_in_transfers ON names (batch DESC, thousand);
CREATE INDEX names_in_history ON names (thousand);

-- What was cleared is not read on the way to what is shown.
DROP INDEX uploads_in_order;
CREATE INDEX uploads_in_transfers ON uploads (batch DESC, no) WHERE cleared = 0;
