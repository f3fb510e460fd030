//! Stored parts as we know them: a cache beside the server's ListParts, with the CRC-64 that the whole is folded from.

use rusqlite::{Connection, Row};

use crate::upload::plan::StoredPart;

/// Adds or replaces one part and moves the upload's own sums.
pub(crate) fn save(connection: &Connection, no: i64, part: &StoredPart) -> rusqlite::Result<()> {
    insert(connection, no, part)?;
    sum_up(connection, no, 1, part.size_bytes as i64)
}

/// Makes `parts` the only ones, as ListParts and the file agreed.
pub(crate) fn replace(connection: &Connection, no: i64, parts: &[StoredPart]) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM parts WHERE no = ?1")?.execute([no])?;
    connection.prepare_cached("UPDATE uploads SET stored_bytes = 0, parts_done = 0 WHERE no = ?1")?.execute([no])?;
    for part in parts {
        insert(connection, no, part)?;
    }
    let bytes: u64 = parts.iter().map(|part| part.size_bytes).sum();
    sum_up(connection, no, parts.len() as i64, bytes as i64)
}

/// All parts in order.
pub(crate) fn of(connection: &Connection, no: i64) -> rusqlite::Result<Vec<StoredPart>> {
    connection
        .prepare_cached("SELECT number, size_bytes, etag, crc64 FROM parts WHERE no = ?1 ORDER BY number")?
        .query_map([no], part)?
        .collect()
}

fn insert(connection: &Connection, no: i64, part: &StoredPart) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT OR REPLACE INTO parts VALUES (?1, ?2, ?3, ?4, ?5)")?.execute((
        no,
        part.number,
        part.size_bytes as i64,
        &part.etag,
        part.crc64.to_string(),
    ))?;
    Ok(())
}

fn sum_up(connection: &Connection, no: i64, parts: i64, bytes: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE uploads SET parts_done = parts_done + ?2, stored_bytes = stored_bytes + ?3 WHERE no = ?1",
        )?
        .execute((no, parts, bytes))?;
    Ok(())
}

fn part(row: &Row<'_>) -> rusqlite::Result<StoredPart> {
    let crc64: String = row.get(3)?;
    Ok(StoredPart {
        number: row.get(0)?,
        size_bytes: row.get::<_, i64>(1)? as u64,
        etag: row.get(2)?,
        crc64: crc64.parse().map_err(|error: std::num::ParseIntError| {
            rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, Box::new(error))
        })?,
    })
}
