//! The database between two runs: what a crash or a damaged record would have left there.

use rusqlite::Connection;

use crate::TestBed;

impl TestBed {
    /// Forgets that these parts of an upload were stored, as if the program had died before it could save them.
    pub fn forget_parts(&self, no: i64, numbers: &[u32]) {
        let database = self.database();
        for number in numbers {
            let gone = database.execute("DELETE FROM parts WHERE no = ?1 AND number = ?2", (no, number));
            assert_eq!(gone.expect("the part's row is deleted"), 1, "there was no row of part {number}");
        }
    }

    /// Makes a batch look as if its reading had been cut short.
    pub fn cut_reading_short(&self, batch: i64) {
        let changed = self.database().execute("UPDATE batches SET scanned = 0 WHERE id = ?1", [batch]);
        assert_eq!(changed.expect("the batch is changed"), 1);
    }

    /// How many batches there are, and how many of them have been read to the end.
    pub fn batches(&self) -> (i64, i64) {
        let count = "SELECT count(*), coalesce(sum(scanned), 0) FROM batches";
        self.database().query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("the batches are counted")
    }

    /// UploadIds that are still to be aborted.
    pub fn waiting_aborts(&self) -> Vec<String> {
        let database = self.database();
        let mut rows = database.prepare("SELECT upload_id FROM aborts").expect("the aborts");
        let ids = rows.query_map([], |row| row.get(0)).expect("the aborts are read");
        ids.map(|id| id.expect("an UploadId")).collect()
    }

    fn database(&self) -> Connection {
        assert!(self.engine.is_none(), "stop the engine first");
        Connection::open(self.config.data_dir.join("waybill.db")).expect("the database opens")
    }
}
