//! Destinations and the callback profiles they use. No secrets: those are in the keychain.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{from_json, to_json};
use crate::view::{CallbackProfileForm, Connection as Reach, OverwritePolicy};

/// One destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DestinationRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) bucket: String,
    pub(crate) key_template: String,
    pub(crate) access_key_id: String,
    pub(crate) has_secret: bool,
    pub(crate) has_token: bool,
    pub(crate) callback: Option<CallbackProfileForm>,
    /// The named profile that the callback is; none for one of its own.
    pub(crate) profile_id: Option<String>,
    pub(crate) built_in: bool,
    pub(crate) connection: Reach,
    pub(crate) has_proxy_password: bool,
    pub(crate) overwrite: OverwritePolicy,
}

const SELECT: &str = "SELECT d.id, d.name, endpoint, region, bucket, key_template, access_key_id, has_secret, has_token, \
     form_json, built_in, connection_json, has_proxy_password, overwrite, \
     CASE WHEN p.name IS NOT NULL THEN p.id END \
     FROM destinations d LEFT JOIN callback_profiles p ON p.id = d.callback_profile_id";

/// Adds or replaces a destination; a callback profile of its own has its id.
pub(crate) fn save(connection: &Connection, row: &DestinationRow, now_ms: i64) -> rusqlite::Result<()> {
    if let (Some(callback), None) = (&row.callback, &row.profile_id) {
        connection
            .prepare_cached(
                "INSERT INTO callback_profiles (id, form_json) VALUES (?1, ?2) \
                 ON CONFLICT DO UPDATE SET form_json = excluded.form_json",
            )?
            .execute((&row.id, to_json(callback)?))?;
    }
    connection
        .prepare_cached(
            "INSERT INTO destinations (id, name, endpoint, region, bucket, key_template, access_key_id, has_secret, \
             has_token, callback_profile_id, built_in, created_ms, connection_json, has_proxy_password, overwrite) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
             ON CONFLICT DO UPDATE SET name = ?2, endpoint = ?3, region = ?4, bucket = ?5, key_template = ?6, \
             access_key_id = ?7, has_secret = ?8, has_token = ?9, callback_profile_id = ?10, built_in = ?11, \
             connection_json = ?13, has_proxy_password = ?14, overwrite = ?15",
        )?
        .execute(params![
            row.id,
            row.name,
            row.endpoint,
            row.region,
            row.bucket,
            row.key_template,
            row.access_key_id,
            row.has_secret,
            row.has_token,
            row.profile_id.as_ref().or(row.callback.as_ref().map(|_| &row.id)),
            row.built_in,
            now_ms,
            to_json(&row.connection)?,
            row.has_proxy_password,
            to_json(&row.overwrite)?,
        ])?;
    Ok(())
}

/// All, in the order they were made.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<DestinationRow>> {
    connection.prepare_cached(&format!("{SELECT} ORDER BY created_ms, d.id"))?.query_map([], destination)?.collect()
}

/// One by id.
pub(crate) fn load(connection: &Connection, id: &str) -> rusqlite::Result<Option<DestinationRow>> {
    connection.prepare_cached(&format!("{SELECT} WHERE d.id = ?1"))?.query_row([id], destination).optional()
}

/// The first with this name.
pub(crate) fn named(connection: &Connection, name: &str) -> rusqlite::Result<Option<DestinationRow>> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE d.name = ?1 ORDER BY created_ms"))?
        .query_row([name], destination)
        .optional()
}

/// Uploads to it that are not final.
pub(crate) fn unfinished_uploads(connection: &Connection, id: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM uploads WHERE destination_id = ?1 AND phase < 5")?
        .query_row([id], |row| row.get(0))
}

/// Watched folders that send to it.
pub(crate) fn watched_folders(connection: &Connection, id: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM watched_folders WHERE destination_id = ?1")?
        .query_row([id], |row| row.get(0))
}

/// Removes it and its callback profile. Uploads keep bucket and key of their own.
pub(crate) fn delete(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM destinations WHERE id = ?1")?.execute([id])?;
    connection.prepare_cached("DELETE FROM callback_profiles WHERE id = ?1 AND name IS NULL")?.execute([id])?;
    Ok(())
}

fn destination(row: &Row<'_>) -> rusqlite::Result<DestinationRow> {
    let (callback, connection, overwrite): (Option<String>, String, String) = (row.get(9)?, row.get(11)?, row.get(13)?);
    Ok(DestinationRow {
        id: row.get(0)?,
        name: row.get(1)?,
        endpoint: row.get(2)?,
        region: row.get(3)?,
        bucket: row.get(4)?,
        key_template: row.get(5)?,
        access_key_id: row.get(6)?,
        has_secret: row.get(7)?,
        has_token: row.get(8)?,
        callback: callback.map(|json| from_json(9, &json)).transpose()?,
        built_in: row.get(10)?,
        connection: from_json(11, &connection)?,
        has_proxy_password: row.get(12)?,
        overwrite: from_json(13, &overwrite)?,
        profile_id: row.get(14)?,
    })
}
