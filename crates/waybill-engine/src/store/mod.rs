//! SQLite: one thread owns the connection that writes and commits in groups; reads use a read-only connection.
//!
//! SQL stands only under this folder. Whoever writes passes a closure over the functions of the table files; it writes all
//! of it or nothing, and its continuation runs once the group is committed: save, then act.

mod backup;
mod health;
mod lock;
mod migrations;
mod opening;
mod reader;
mod refusal;

pub(crate) mod aborts;
pub(crate) mod attempts;
pub(crate) mod batch_index;
pub(crate) mod batches;
pub(crate) mod callback_profiles;
pub(crate) mod calls;
pub(crate) mod destinations;
pub(crate) mod initiates;
pub(crate) mod lanes;
pub(crate) mod lists;
pub(crate) mod log;
pub(crate) mod names;
pub(crate) mod parts;
pub(crate) mod ready;
pub(crate) mod resends;
pub(crate) mod settings;
pub(crate) mod uploads;
pub(crate) mod watched;

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use self::health::Health;
use self::lock::DataFolderLock;
use self::refusal::Refusal;
use crate::error::{Code, Error};
use crate::view::Problem;

pub(crate) use self::reader::Reader;

/// Most writes of one transaction.
const GROUP: usize = 500;
/// Pages that a connection keeps in memory, as SQLite writes kibibytes. The system keeps the others: more here would only
/// show as ours.
const CACHE: i64 = -768;
/// Prepared statements that a connection keeps: more than there are.
const STATEMENTS: usize = 128;

type Continuation = Box<dyn FnOnce(Result<(), Refusal>) + Send>;

/// Given the connection, or why there is no transaction to write in.
type Write = Box<dyn FnOnce(Result<Turn<'_>, Refusal>) -> Continuation + Send>;

/// A write on its way to the writing thread.
struct Sent {
    write: Write,
    /// It changes hundreds of rows.
    large: bool,
}

/// A write's turn in a transaction.
struct Turn<'a> {
    connection: &'a Connection,
    /// No other write is in it yet.
    first: bool,
}

/// Writes of one transaction that are over, and what came of it.
struct Answers {
    continuations: Vec<Continuation>,
    committed: Result<(), Refusal>,
}

impl Answers {
    fn tell(self) {
        for then in self.continuations {
            then(self.committed.clone());
        }
    }
}

/// The open database. Cheap to clone; closed by [`Store::close`].
#[derive(Clone, Debug)]
pub(crate) struct Store {
    writes: Arc<Mutex<Option<Sender<Sent>>>>,
    reader: Arc<Mutex<Option<Connection>>>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
    lock: Arc<Mutex<Option<DataFolderLock>>>,
    health: Arc<Health>,
    answers: Arc<OnceLock<UnboundedSender<Answers>>>,
}

impl Store {
    /// Takes the data folder's lock, opens `waybill.db` in it and brings it to this program's shape.
    ///
    /// # Errors
    /// `DataFolderInUse`, `Damaged`, `DiskFull`, `ReadOnly`, or `Store` with what could not be done.
    pub(crate) fn open(data_dir: &Path) -> Result<Store, Error> {
        std::fs::create_dir_all(data_dir).map_err(|error| refusal::folder_error("create", data_dir, &error))?;
        let lock = DataFolderLock::take(data_dir)?;
        let connection = opening::open(data_dir, lock.after_crash())?;
        let reader = Connection::open_with_flags(
            data_dir.join("waybill.db"),
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
        )
        .and_then(|reader| reader.pragma_update(None, "cache_size", CACHE).map(|()| reader))
        .map_err(|error| Refusal::from(&error).into_error("open for reading"))?;
        let health = Arc::<Health>::default();
        let kept = Arc::clone(&health);
        let answers = Arc::<OnceLock<_>>::default();
        let told = Arc::clone(&answers);
        let (writes, inbox) = channel();
        let writer = std::thread::Builder::new()
            .name("waybill-store".into())
            .spawn(move || write_in_groups(connection, &inbox, &kept, &told))
            .map_err(|error| Error::Store {
                code: Code::Store,
                message: format!("could not start the writing thread: {error}"),
            })?;
        Ok(Store {
            writes: Arc::new(Mutex::new(Some(writes))),
            reader: Arc::new(Mutex::new(Some(reader))),
            writer: Arc::new(Mutex::new(Some(writer))),
            lock: Arc::new(Mutex::new(Some(lock))),
            health,
            answers,
        })
    }

    /// From now on until `stop` tells here what came of writes, a group at a time: whoever waits on this runtime is woken
    /// by it, and not one by one from the writing thread.
    pub(crate) async fn tell_answers(self, stop: CancellationToken) {
        let (send, mut answers) = unbounded_channel();
        if self.answers.set(send).is_err() {
            return;
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(group) = answers.recv() => group.tell(),
            }
        }
        // The writing thread tells the rest by itself.
        answers.close();
        while let Ok(group) = answers.try_recv() {
            group.tell();
        }
    }

    /// Hands a write to the writing thread; `then` runs after the commit, or with the reason why there was none, and must not
    /// block.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        then: impl FnOnce(Result<T, Error>) + Send + 'static,
    ) {
        self.send(false, write, then);
    }

    /// As [`Store::submit`], for a write that changes hundreds of rows: it is the first of its transaction.
    pub(crate) fn submit_large<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        then: impl FnOnce(Result<T, Error>) + Send + 'static,
    ) {
        self.send(true, write, then);
    }

    fn send<T: Send + 'static>(
        &self,
        large: bool,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        then: impl FnOnce(Result<T, Error>) + Send + 'static,
    ) {
        let health = Arc::clone(&self.health);
        let write: Write = Box::new(move |turn: Result<Turn<'_>, Refusal>| -> Continuation {
            let result = turn.and_then(|turn| turn.take(write));
            Box::new(move |committed| {
                let result = result.and_then(|value| committed.map(|()| value));
                then(result.map_err(|refusal| {
                    health.refused(&refusal);
                    refusal.into_error("save to")
                }));
            })
        });
        let sender = lock_of(&self.writes);
        // A closed store drops the write and with it `then`: whoever waits on it sees its channel closed.
        if let Some(sender) = sender.as_ref() {
            let _ = sender.send(Sent { write, large });
        }
    }

    /// Writes and waits for the commit.
    ///
    /// # Errors
    /// `Store`.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        self.written(false, write).await
    }

    /// As [`Store::write`], for what [`Store::submit_large`] is for.
    ///
    /// # Errors
    /// `Store`.
    pub(crate) async fn write_large<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        self.written(true, write).await
    }

    async fn written<T: Send + 'static>(
        &self,
        large: bool,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, written) = oneshot::channel();
        self.send(large, write, move |result| {
            let _ = answer.send(result);
        });
        written.await.unwrap_or_else(|_| Err(closed()))
    }

    /// As [`Store::write`], for threads of the blocking pool.
    ///
    /// # Errors
    /// `Store`.
    pub(crate) fn write_blocking<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, written) = channel();
        self.submit(write, move |result| {
            let _ = answer.send(result);
        });
        written.recv().unwrap_or_else(|_| Err(closed()))
    }

    /// Reads on the read-only connection, off the runtime's threads; all that is read is of one moment.
    ///
    /// # Errors
    /// `Store`.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.read_blocking(read)).await.unwrap_or_else(|_| Err(closed()))
    }

    /// As [`Store::read`], for threads of the blocking pool.
    ///
    /// # Errors
    /// `Store`.
    pub(crate) fn read_blocking<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let reader = lock_of(&self.reader);
        let connection = reader.as_ref().ok_or_else(closed)?;
        connection.unchecked_transaction().and_then(|moment| read(&moment)).map_err(|error| {
            let refusal = Refusal::from(&error);
            if refusal.code == Code::Damaged {
                self.health.refused(&refusal);
            }
            refusal.into_error("read")
        })
    }

    /// Why nothing can be saved at the moment.
    pub(crate) fn problem(&self) -> Option<Problem> {
        self.health.watch().borrow().clone()
    }

    /// As [`Store::problem`], and whoever holds it hears of changes.
    pub(crate) fn trouble(&self) -> watch::Receiver<Option<Problem>> {
        self.health.watch()
    }

    /// Writes below our pid where other processes reach us.
    pub(crate) fn announce(&self, address: &str) -> std::io::Result<()> {
        lock_of(&self.lock).as_ref().map_or(Ok(()), |lock| lock.announce(address))
    }

    /// Commits what is waiting, closes both connections and gives the data folder back.
    pub(crate) async fn close(&self) {
        let this = self.clone();
        let closing = tokio::task::spawn_blocking(move || {
            // First: only a connection that writes can put the log away, and only the last one does.
            lock_of(&this.reader).take();
            lock_of(&this.writes).take();
            // A panic of the writing thread has already been reported by its own hook.
            let ended = lock_of(&this.writer).take().is_none_or(|writer| writer.join().is_ok());
            if let Some(lock) = lock_of(&this.lock).take()
                && ended
                && !this.health.is_damaged()
            {
                lock.ended_well();
            }
        });
        let _ = closing.await;
    }
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Save, then act: what was answered as saved must survive a power cut, and the group shares the cost.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

fn write_in_groups(
    connection: Connection,
    inbox: &Receiver<Sent>,
    health: &Health,
    answers: &OnceLock<UnboundedSender<Answers>>,
) {
    let begin = || connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| Refusal::from(&error));
    let mut next = None;
    while let Some(first) = next.take().or_else(|| health.next(inbox, &connection)) {
        let mut group = vec![first.write];
        while group.len() < GROUP
            && let Ok(sent) = inbox.try_recv()
        {
            if sent.large {
                next = Some(sent);
                break;
            }
            group.push(sent.write);
        }
        let mut begun = begin();
        let in_transaction = |begun: &Result<(), Refusal>| match begun {
            Err(error) => Err(error.clone()),
            // A full disk makes SQLite roll back by itself; outside a transaction every write would commit alone.
            Ok(()) if connection.is_autocommit() => Err(Refusal::of_an_earlier_write()),
            Ok(()) => Ok(&connection),
        };
        let mut continuations = Vec::with_capacity(group.len());
        for (n, write) in group.into_iter().enumerate() {
            if n == 1 && begun.is_ok() && connection.is_autocommit() {
                // The first has failed, and took nothing with it but itself.
                begun = begin();
            }
            continuations.push(write(in_transaction(&begun).map(|connection| Turn { connection, first: n == 0 })));
        }
        let committed = in_transaction(&begun).and_then(|connection| {
            connection.execute_batch("COMMIT").map_err(|error| {
                // Leaves the connection clean for the next group; the reason is the commit's.
                let _ = connection.execute_batch("ROLLBACK");
                Refusal::from(&error)
            })
        });
        let group = Answers { continuations, committed };
        match answers.get() {
            None => group.tell(),
            Some(told) => {
                if let Err(nobody) = told.send(group) {
                    nobody.0.tell();
                }
            }
        }
    }
}

impl Turn<'_> {
    /// Writes all of it or nothing.
    fn take<T>(self, write: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Refusal> {
        if !self.first {
            return in_savepoint(self.connection, write).map_err(|error| Refusal::from(&error));
        }
        // A savepoint would have every page copied that a write of hundreds of rows changes.
        match write(self.connection) {
            // Rolled back by SQLite, whatever the write made of that.
            Ok(_) if self.connection.is_autocommit() => Err(Refusal::of_an_earlier_write()),
            Ok(value) => Ok(value),
            Err(error) => {
                // The reason is the write's.
                let _ = self.connection.execute_batch("ROLLBACK");
                Err(Refusal::from(&error))
            }
        }
    }
}

/// One failing write must not take its neighbours' with it.
fn in_savepoint<T>(
    connection: &Connection,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]).map(drop);
    run("SAVEPOINT one_write")?;
    match write(connection) {
        Ok(value) => run("RELEASE one_write").map(|()| value),
        Err(error) => {
            // A full disk has made SQLite roll back the savepoint too; the reason is the write's.
            let _ = run("ROLLBACK TO one_write").and_then(|()| run("RELEASE one_write"));
            Err(error)
        }
    }
}

fn lock_of<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // The guarded values are whole at every moment, so a panic elsewhere does not spoil them.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What is said when the store is closed while somebody waits for it.
pub(crate) fn closed() -> Error {
    Error::Store { code: Code::Store, message: "waybill.db is closed".into() }
}

/// Text as JSON, for columns that hold small structured values.
fn to_json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// A structured value from a JSON column.
fn from_json<T: serde::de::DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_saved_while_somebody_reads_is_not_half_seen() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let writer = store.clone();
        let seen = store.read(move |c| {
            let before = settings::get(c, "a")?;
            writer.write_blocking(|c| settings::set(c, "a", "1")).unwrap();
            Ok((before, settings::get(c, "a")?))
        });
        assert_eq!(seen.await.unwrap(), (None, None));
        assert_eq!(store.read(|c| settings::get(c, "a")).await.unwrap().as_deref(), Some("1"));
        store.close().await;
    }

    #[tokio::test]
    async fn a_failing_write_that_begins_a_transaction_leaves_those_behind_it_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let ((begun, begins), (busy, over)) = (channel(), channel::<()>());
        store.submit(move |_| Ok((begun.send(()).is_ok(), over.recv().is_ok())), drop);
        begins.recv().unwrap();
        // Together, since they come while another is being written.
        let bad = store.write(|connection| {
            settings::set(connection, "bad", "1")?;
            connection.execute_batch("INSERT INTO nothing VALUES (1)")
        });
        let good = store.write(|connection| settings::set(connection, "good", "1"));
        let last = async {
            drop(busy);
            store.write(|connection| settings::set(connection, "last", "1")).await
        };
        let (bad, good, last) = tokio::join!(bad, good, last);
        bad.unwrap_err();
        good.and(last).unwrap();
        let read = store.read(|c| Ok((settings::get(c, "bad")?, settings::get(c, "good")?, settings::get(c, "last")?)));
        assert_eq!(read.await.unwrap(), (None, Some("1".to_owned()), Some("1".to_owned())));
        store.close().await;
    }

    #[tokio::test]
    async fn a_failing_write_leaves_its_neighbours_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let good = store.write(|connection| settings::set(connection, "a", "1"));
        let bad = store.write(|connection| {
            settings::set(connection, "b", "1")?;
            connection.execute_batch("INSERT INTO nothing VALUES (1)")
        });
        let (good, bad) = tokio::join!(good, bad);
        good.unwrap();
        assert_eq!(bad.unwrap_err().code(), Code::Store);
        let (a, b) = store.read(|c| Ok((settings::get(c, "a")?, settings::get(c, "b")?))).await.unwrap();
        assert_eq!((a.as_deref(), b), (Some("1"), None));
        store.close().await;
        assert_eq!(store.write(|_| Ok(())).await.unwrap_err().to_string(), "waybill.db is closed");
        Store::open(dir.path()).unwrap().close().await;
    }
}
