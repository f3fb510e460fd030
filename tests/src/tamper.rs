//! The database between two runs: what a crash or a damaged record would have left there.

use rusqlite::Connection;

use crate::{TestBed, sandbox_in};

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

    /// Uploads whose callback is being sent again, as far as a crash must not forget it.
    pub fn resends(&self) -> Vec<i64> {
        let database = self.beside_the_engine();
        let mut rows = database.prepare("SELECT no FROM resends").expect("the resends");
        let numbers = rows.query_map([], |row| row.get(0)).expect("the resends are read");
        numbers.map(|no| no.expect("a number")).collect()
    }

    /// From now on every such write fails, as on a disk that is full: `INSERT ON parts`, `DELETE ON resends WHEN …`.
    pub fn refuse_to_save(&self, what: &str) {
        let trigger =
            format!("CREATE TRIGGER refused BEFORE {what} BEGIN SELECT RAISE(ABORT, 'refused by the test'); END");
        self.beside_the_engine().execute(&trigger, []).expect("the trigger is made");
    }

    /// Ends [`TestBed::refuse_to_save`].
    pub fn save_again(&self) {
        self.beside_the_engine().execute("DROP TRIGGER refused", []).expect("the trigger is dropped");
    }

    fn beside_the_engine(&self) -> Connection {
        Connection::open(self.config.data_dir.join("waybill.db")).expect("the database opens")
    }

    /// Makes an upload and its object in the sandbox as large as this, with nothing behind what there is, and starts the
    /// sandbox again.
    pub async fn grow(&mut self, key: &str, no: i64, size: u64, crc64: u64) {
        let called = self.sandbox.info().callback_url.clone();
        // The folder is one sandbox's at a time.
        let other = sandbox_in(self.dir.path().join("another sandbox"), |_| {}).await;
        std::mem::replace(&mut self.sandbox, other).stop().await;
        let folder = self.dir.path().join("sandbox");
        let bytes = std::fs::File::options().write(true).open(folder.join("objects/bucket").join(key));
        bytes.and_then(|file| file.set_len(size)).expect("the object grows");
        let entry = std::fs::read_dir(folder.join("meta/bucket")).expect("descriptions").next().expect("one");
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a description");
        let mut about: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (about["size"], about["crc64"]) = (size.into(), crc64.into());
        std::fs::write(&path, about.to_string()).expect("the description is changed");
        let again = sandbox_in(folder, |_| {}).await;
        std::mem::replace(&mut self.sandbox, again).stop().await;
        let changed = self.database().execute(
            "UPDATE uploads SET size_bytes = ?2, state_json = json_set(state_json, '$.Done.object.size_bytes', ?2, \
             '$.Done.object.crc64', json(?3)), callback_json = replace(callback_json, ?4, ?5) WHERE no = ?1",
            (no, size as i64, crc64.to_string(), called, &self.sandbox.info().callback_url),
        );
        assert_eq!(changed.expect("the upload is changed"), 1);
    }

    fn database(&self) -> Connection {
        assert!(self.engine.is_none(), "stop the engine first");
        self.beside_the_engine()
    }
}
