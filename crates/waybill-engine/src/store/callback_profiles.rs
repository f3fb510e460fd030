//! Callback profiles with a name, which everybody may ask for; a destination's own stands under its id and has none.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{from_json, to_json};
use crate::view::{CallbackProfileForm, CallbackProfileView};

/// All with a name, by name, each with who asks for it.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<CallbackProfileView>> {
    let mut profiles = connection
        .prepare_cached(
            "SELECT id, name, form_json FROM callback_profiles WHERE name IS NOT NULL ORDER BY name COLLATE NOCASE, id",
        )?
        .query_map([], profile)?
        .collect::<Result<Vec<_>, _>>()?;
    for profile in &mut profiles {
        profile.used_by = users(connection, &profile.id)?;
    }
    Ok(profiles)
}

/// One with a name.
pub(crate) fn load(connection: &Connection, id: &str) -> rusqlite::Result<Option<CallbackProfileView>> {
    let found = connection
        .prepare_cached("SELECT id, name, form_json FROM callback_profiles WHERE id = ?1 AND name IS NOT NULL")?
        .query_row([id], profile)
        .optional()?;
    let Some(mut profile) = found else { return Ok(None) };
    profile.used_by = users(connection, id)?;
    Ok(Some(profile))
}

/// Whether another one has this name.
pub(crate) fn is_taken(connection: &Connection, name: &str, id: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT count(*) FROM callback_profiles WHERE name = ?1 COLLATE NOCASE AND id <> ?2")?
        .query_row([name, id], |row| row.get(0))
}

/// Adds or replaces one.
pub(crate) fn save(connection: &Connection, id: &str, name: &str, form: &CallbackProfileForm) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO callback_profiles (id, name, form_json) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO UPDATE SET name = excluded.name, form_json = excluded.form_json",
        )?
        .execute((id, name, to_json(form)?))?;
    Ok(())
}

/// Removes one that nobody uses.
pub(crate) fn delete(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM callback_profiles WHERE id = ?1 AND name IS NOT NULL")?.execute([id])?;
    Ok(())
}

/// Names of the destinations and paths of the watched folders that ask for it.
fn users(connection: &Connection, id: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached(
            "SELECT name FROM destinations WHERE callback_profile_id = ?1 \
             UNION ALL SELECT path FROM watched_folders WHERE callback_profile_id = ?1",
        )?
        .query_map([id], |row| row.get(0))?
        .collect()
}

fn profile(row: &Row<'_>) -> rusqlite::Result<CallbackProfileView> {
    let form: String = row.get(2)?;
    Ok(CallbackProfileView { id: row.get(0)?, name: row.get(1)?, form: from_json(2, &form)?, used_by: Vec::new() })
}
