//! Named values: few, small, not secret.

use rusqlite::{Connection, OptionalExtension};

use super::{from_json, to_json};
use crate::view::Limits;

const LIMITS: &str = "limits";
const HANDED_OUT: &str = "handed_out";

/// The value of `name`.
pub(crate) fn get(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Sets the value of `name`.
pub(crate) fn set(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO settings VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value")?
        .execute([name, value])?;
    Ok(())
}

/// The limits; none at all where nothing was set.
pub(crate) fn limits(connection: &Connection) -> rusqlite::Result<Limits> {
    get(connection, LIMITS)?.map_or_else(|| Ok(Limits::default()), |json| from_json(0, &json))
}

/// Sets the limits.
pub(crate) fn set_limits(connection: &Connection, limits: &Limits) -> rusqlite::Result<()> {
    set(connection, LIMITS, &to_json(limits)?)
}

/// Uploads whose files may have been sent though their rows say that they wait (see [`set_handed_out`]).
pub(crate) fn handed_out(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    get(connection, HANDED_OUT)?.map_or_else(|| Ok(Vec::new()), |json| from_json(0, &json))
}

/// Remembers which uploads may be sent from now on without another word: small files, whose rows are not written before
/// they are stored.
pub(crate) fn set_handed_out(connection: &Connection, numbers: &[i64]) -> rusqlite::Result<()> {
    set(connection, HANDED_OUT, &to_json(&numbers)?)
}
