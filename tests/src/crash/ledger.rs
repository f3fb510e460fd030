//! The victim's database as it was left: where each upload stands, and what is still remembered for later.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Result};

/// The names of the phases, by their number in the database.
const PHASES: [&str; 8] = ["Queued", "Starting", "Sending", "Completing", "Paused", "Done", "Failed", "Cancelled"];

/// One upload.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its number.
    pub(super) no: i64,
    /// Object key.
    pub(super) key: String,
    /// Where it stands.
    pub(super) phase: &'static str,
    /// The whole state, for people.
    pub(super) state: String,
}

impl Entry {
    /// Stored, but nobody heard what the callback said: its finishing request was settled.
    pub(super) fn is_settled(&self) -> bool {
        self.phase == "Done" && self.state.contains(r#""callback":{"outcome":"unknown"}"#)
    }
}

/// Opened for reading alone: what a kill left in the log is for the engine to take up.
#[derive(Debug)]
pub(super) struct Ledger(Connection);

impl Ledger {
    /// The ledger of this data folder; nobody may be working in it.
    pub(super) fn open(data_dir: &Path) -> Result<Ledger> {
        Connection::open_with_flags(data_dir.join("waybill.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).map(Ledger)
    }

    /// How many uploads stand where.
    pub(super) fn phases(&self) -> Result<BTreeMap<&'static str, u32>> {
        let mut rows = self.0.prepare("SELECT phase, count(*) FROM uploads GROUP BY phase")?;
        rows.query_map([], |row| Ok((PHASES[usize::from(row.get::<_, u8>(0)?)], row.get(1)?)))?.collect()
    }

    /// How many uploads are not final.
    pub(super) fn left(&self) -> Result<u32> {
        self.0.query_row("SELECT count(*) FROM uploads WHERE phase < 5", [], |row| row.get(0))
    }

    /// Every upload.
    pub(super) fn entries(&self) -> Result<Vec<Entry>> {
        let mut rows = self.0.prepare("SELECT no, key, phase, state_json FROM uploads ORDER BY no")?;
        rows.query_map([], |row| {
            let phase = PHASES[usize::from(row.get::<_, u8>(2)?)];
            Ok(Entry { no: row.get(0)?, key: row.get(1)?, phase, state: row.get(3)? })
        })?
        .collect()
    }

    /// UploadIds still to be aborted, and Initiates whose answer is still unknown.
    pub(super) fn remembered(&self) -> Result<(u32, u32)> {
        let count = |table: &str| self.0.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
        Ok((count("aborts")?, count("initiates")?))
    }
}
