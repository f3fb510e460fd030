//! The database's shape, step by step. A step is never edited once released; a newer database is refused, not guessed at.

use rusqlite::Connection;
use rusqlite_migration::{Error as MigrationError, M, MigrationDefinitionError, Migrations};

use crate::error::{Code, Error};

const STEPS: &[M<'_>] = &[
    M::up(include_str!("0001_first_light.sql")),
    M::up(include_str!("0002_connection.sql")),
    M::up(include_str!("0003_attempts.sql")),
    M::up(include_str!("0004_queue.sql")),
];

/// Brings the database to this program's shape, all or nothing.
///
/// # Errors
/// `Store` when the database was written by a newer Waybill or cannot be changed.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    Migrations::from_slice(STEPS).to_latest(connection).map_err(|error| Error::Store {
        code: Code::Store,
        message: match error {
            MigrationError::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
                "waybill.db was written by a newer Waybill. Nothing was changed; please start that version.".to_owned()
            }
            other => format!("could not prepare waybill.db: {other}"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_run_on_an_empty_database() {
        Migrations::from_slice(STEPS).validate().unwrap();
    }

    #[test]
    fn a_newer_database_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection).unwrap_err();
        assert!(error.to_string().contains("newer Waybill"), "{error}");
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 0);
    }
}
