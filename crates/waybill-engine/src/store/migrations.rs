//! The database's shape, step by step. A step is never edited once released; a newer database is refused, not guessed at.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{Error as MigrationError, M, MigrationDefinitionError, Migrations};

use super::backup;
use super::refusal::Refusal;
use crate::error::{Code, Error};

const STEPS: &[M<'_>] = &[
    M::up(include_str!("0001_first_light.sql")),
    M::up(include_str!("0002_connection.sql")),
    M::up(include_str!("0003_attempts.sql")),
    M::up(include_str!("0004_queue.sql")),
    M::up(include_str!("0005_callbacks.sql")),
    M::up(include_str!("0006_search.sql")),
    M::up(include_str!("0007_resending.sql")),
    M::up(include_str!("0008_names.sql")),
    M::up(include_str!("0009_tallies.sql")),
];

/// Brings the database to this program's shape, all or nothing; a copy of what it was is kept beside it.
///
/// # Errors
/// `Store` when the database was written by a newer Waybill or cannot be changed.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    migrate_by(STEPS, connection, path)
}

fn migrate_by(steps: &[M<'_>], connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let version = version_of(connection).map_err(|error| Refusal::from(&error).into_error("read"))?;
    if version > 0 && version < steps.len() as i64 {
        backup::make(connection, path, version)?;
    }
    Migrations::from_slice(steps).to_latest(connection).map_err(|error| match error {
        MigrationError::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => Error::Store {
            code: Code::Store,
            message: "waybill.db was written by a newer Waybill. Nothing was changed; please start that version."
                .to_owned(),
        },
        MigrationError::RusqliteError { err, .. } => Refusal::from(&err).into_error("prepare"),
        other => Error::Store { code: Code::Store, message: format!("could not prepare waybill.db: {other}") },
    })
}

/// The database has exactly this program's shape.
pub(super) fn is_current(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(version_of(connection)? == STEPS.len() as i64)
}

fn version_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
#[path = "from_version_4_tests.rs"]
mod from_version_4_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_run_on_an_empty_database() {
        Migrations::from_slice(STEPS).validate().unwrap();
    }

    #[test]
    fn a_newer_database_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("waybill.db");
        let mut connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection, &path).unwrap_err();
        assert!(error.to_string().contains("newer Waybill"), "{error}");
        assert_eq!(count(&connection, "sqlite_schema"), 0);
        assert_eq!(names_in(dir.path()), ["waybill.db"]);
    }

    #[test]
    fn before_a_step_runs_the_database_is_copied_as_it_was_and_three_copies_stay() {
        let (dir, path, mut connection) = made();
        let steps = [STEPS, &later(5)[..]].concat();
        for upto in STEPS.len() + 1..=steps.len() {
            connection.execute_batch("INSERT INTO settings VALUES (hex(randomblob(8)), 'x')").unwrap();
            migrate_by(&steps[..upto], &mut connection, &path).unwrap();
            // By age, not by name, are the oldest told; some file systems tell time in coarse steps.
            let copy = dir.path().join(format!("waybill.db.before-v{}", upto - 1));
            let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 * upto as u64);
            std::fs::File::options().write(true).open(copy).unwrap().set_modified(at).unwrap();
        }
        let newest = steps.len() - 1;
        let kept: Vec<String> = (newest - 2..=newest).map(|n| format!("waybill.db.before-v{n}")).collect();
        let mut there = [&["waybill.db".to_owned()], &kept[..]].concat();
        there.sort_unstable();
        assert_eq!(names_in(dir.path()), there);
        let copy = Connection::open(dir.path().join(&kept[2])).unwrap();
        assert_eq!(version_of(&copy).unwrap(), newest as i64);
        assert_eq!(count(&copy, "settings"), 5, "what was there before the last step");
        let tables: i64 = copy
            .query_row("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'later%'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 4);
    }

    #[test]
    fn a_step_that_fails_leaves_the_database_as_it_was() {
        let (_dir, path, mut connection) = made();
        connection.execute_batch("INSERT INTO settings VALUES ('a', '1')").unwrap();
        let broken = M::up("CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);");
        let steps = [STEPS, &later(1)[..], &[broken]].concat();
        migrate_by(&steps, &mut connection, &path).unwrap_err();
        drop(connection);
        let connection = Connection::open(&path).unwrap();
        assert_eq!(version_of(&connection).unwrap(), STEPS.len() as i64);
        assert_eq!(count(&connection, "settings"), 1);
        assert_eq!(count(&connection, "sqlite_schema WHERE name IN ('half', 'later0')"), 0);
    }

    #[test]
    fn without_a_backup_no_step_runs() {
        let (dir, path, mut connection) = made();
        // A folder of this name cannot be replaced by a file.
        std::fs::create_dir_all(dir.path().join(format!("waybill.db.before-v{}/in the way", STEPS.len()))).unwrap();
        let error = migrate_by(&[STEPS, &later(1)[..]].concat(), &mut connection, &path).unwrap_err();
        assert!(error.to_string().contains("Nothing was changed"), "{error}");
        assert_eq!(version_of(&connection).unwrap(), STEPS.len() as i64);
        assert!(!names_in(dir.path()).iter().any(|name| name.ends_with(".part")));
    }

    #[test]
    fn answers_of_an_earlier_version_become_calls() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("waybill.db");
        let mut connection = Connection::open(&path).unwrap();
        migrate_by(&STEPS[..4], &mut connection, &path).unwrap();
        let done = |callback: &str| {
            format!(
                r#"{{"Done":{{"object":{{"size_bytes":1,"etag":"E","crc64":null,"verified":true,"request_id":"R1",
                "version_id":null,"finishing_ms":42}},"callback":{callback}}}}}"#
            )
        };
        let outcomes = [
            r#"{"outcome":"answered","status":200,"content_type":null,"body":""}"#,
            r#"{"outcome":"failed","ec":"0007-00000203","message":"m","body":""}"#,
            r#"{"outcome":"unknown"}"#,
        ];
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        for (no, outcome) in (1..).zip(outcomes) {
            connection
                .execute(
                    "INSERT INTO uploads (no, batch, destination_id, path, bucket, key, size_bytes, modified_ns, file_id, \
                     phase, state_json, created_ms, finished_ms) VALUES (?1, 1, 'd', 'p', 'b', 'k', 1, 0, 0, 5, ?2, 7, 9)",
                    (no, done(outcome)),
                )
                .unwrap();
        }
        connection.execute_batch("INSERT INTO answers VALUES (1, '{}'), (2, '<Error/>')").unwrap();
        migrate(&mut connection, &path).unwrap();
        let of = |no: i64| crate::store::calls::of(&connection, no).unwrap();
        let told = |no: i64| of(no).into_iter().map(|call| (call.status, call.ec, call.body)).collect::<Vec<_>>();
        assert_eq!(told(1), [(200, None, "{}".to_owned())]);
        assert_eq!(told(2), [(203, Some("0007-00000203".to_owned()), "<Error/>".to_owned())]);
        assert_eq!(told(3), []);
        assert_eq!((of(1)[0].at_ms, of(1)[0].took_ms, of(1)[0].request_id.as_str()), (9, 42, "R1"));
        let times = crate::store::calls::times(&connection, None).unwrap();
        assert_eq!(times.calls.iter().map(|call| call.ok).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn what_an_earlier_version_has_counted_is_counted_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("waybill.db");
        let mut connection = Connection::open(&path).unwrap();
        migrate_by(&STEPS[..8], &mut connection, &path).unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = OFF; INSERT INTO tallies VALUES (0, 0, 0, 2, 30);
                 INSERT INTO uploads (batch, destination_id, path, bucket, key, size_bytes, modified_ns, file_id, phase, \
                 state_json, created_ms) VALUES (1, 'd', 'p', 'b', 'k', 20, 0, 0, 0, '', 7)",
            )
            .unwrap();
        migrate(&mut connection, &path).unwrap();
        connection.execute_batch("UPDATE uploads SET phase = 5, callback_bad = 1").unwrap();
        let counts = crate::store::lists::counts(&connection).unwrap();
        assert_eq!((counts.all, counts.waiting, counts.stored, counts.callback_failed), (2, 1, 1, 1));
        assert_eq!(counts.bytes_left, 10);
    }

    fn made() -> (tempfile::TempDir, std::path::PathBuf, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("waybill.db");
        let mut connection = Connection::open(&path).unwrap();
        migrate(&mut connection, &path).unwrap();
        assert_eq!(names_in(dir.path()), ["waybill.db"], "an empty database needs no backup");
        (dir, path, connection)
    }

    fn later(steps: usize) -> Vec<M<'static>> {
        const LATER: [&str; 5] = [
            "CREATE TABLE later0 (x)",
            "CREATE TABLE later1 (x)",
            "CREATE TABLE later2 (x)",
            "CREATE TABLE later3 (x)",
            "CREATE TABLE later4 (x)",
        ];
        LATER[..steps].iter().map(|sql| M::up(sql)).collect()
    }

    fn count(connection: &Connection, of: &str) -> i64 {
        connection.query_row(&format!("SELECT count(*) FROM {of}"), [], |row| row.get(0)).unwrap()
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}
