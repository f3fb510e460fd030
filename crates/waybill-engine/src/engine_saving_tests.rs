//! A disk that is full for a while, or slow: SQLite is told that the database may not grow, or a write takes its time. OSS is a
//! listener that answers late.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use waybill_oss::Credential;

use crate::error::{Code, Error};
use crate::store::settings;
use crate::view::{BodyKind, CallbackBadge, CallbackProfileForm, Changes, Connection, Limits, Phase};
use crate::{BuiltIn, Engine, EngineConfig, MemorySecrets};

/// Of what every file here holds.
const CONTENT: &str = "content";
const CRC64: u64 = 8883282091546349020;
const LIMIT: Duration = Duration::from_secs(30);

/// An engine, and the listener that it takes for OSS.
struct Bed {
    dir: TempDir,
    oss: TcpListener,
    engine: Engine,
}

impl Bed {
    async fn new() -> Bed {
        Bed::asking(Some(CallbackProfileForm {
            urls: vec!["http://127.0.0.1/done".into()],
            host: String::new(),
            body: "{}".into(),
            body_type: BodyKind::Json,
            sni: false,
            variables: Vec::new(),
            ..CallbackProfileForm::default()
        }))
        .await
    }

    async fn asking(callback: Option<CallbackProfileForm>) -> Bed {
        let dir = tempfile::tempdir().unwrap();
        let mut config = EngineConfig::new(dir.path().join("data"));
        config.secrets = std::sync::Arc::new(MemorySecrets::default());
        let engine = Engine::start(config).await.unwrap();
        let oss = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let built_in = BuiltIn {
            id: "here".into(),
            name: "Here".into(),
            endpoint: format!("http://{}", oss.local_addr().unwrap()),
            region: "local".into(),
            bucket: "bucket".into(),
            key_template: "{path}".into(),
            callback,
            connection: Connection::default(),
            access_key_id: "id".into(),
            access: Credential::new("id", "secret", None).into(),
        };
        engine.ensure_built_in(built_in).await.unwrap();
        Bed { dir, oss, engine }
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, CONTENT).unwrap();
        path
    }

    /// The database may not grow any more; pages that are free already are used up.
    async fn full(&self) {
        let fill = self.engine.store.write(|c| {
            let pages: i64 = c.pragma_query_value(None, "page_count", |row| row.get(0))?;
            c.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))?;
            Ok(())
        });
        fill.await.unwrap();
        for n in 0.. {
            let fill = move |c: &rusqlite::Connection| settings::set(c, &format!("{n}"), &"x".repeat(900));
            match self.engine.store.write(fill).await {
                Ok(()) => {}
                Err(error) => return assert_eq!(error.code(), Code::DiskFull, "{error}"),
            }
        }
    }

    async fn room_again(&self) {
        let roomy = |c: &rusqlite::Connection| {
            c.pragma_update_and_check(None, "max_page_count", 1_000_000, |row| row.get::<_, i64>(0))
        };
        self.engine.store.write(roomy).await.unwrap();
    }

    #[track_caller]
    fn until(&self, wanted: impl Fn(&Changes) -> bool) -> impl Future<Output = Changes> {
        let at = std::panic::Location::caller();
        async move { self.until_at(wanted, at).await }
    }

    async fn until_at(&self, wanted: impl Fn(&Changes) -> bool, at: &std::panic::Location<'_>) -> Changes {
        let waiting = async {
            loop {
                let changes = self.engine.next_changes().await.unwrap();
                if wanted(&changes) {
                    return changes;
                }
            }
        };
        match timeout(LIMIT, waiting).await {
            Ok(changes) => changes,
            Err(_) => panic!("not seen in time: {at}; {:#?}", self.engine.upload_details(1).await),
        }
    }

    /// The next request, read to its end and not answered yet.
    async fn request(&self) -> BufStream<TcpStream> {
        let taken = async {
            let mut stream = BufStream::new(self.oss.accept().await.unwrap().0);
            let mut left = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                if let Some(length) = line.to_lowercase().strip_prefix("content-length:") {
                    left = length.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            stream.read_exact(&mut vec![0; left]).await.unwrap();
            stream
        };
        timeout(LIMIT, taken).await.expect("a request comes")
    }
}

async fn answer(stream: BufStream<TcpStream>, body: &str) {
    answer_with(stream, "E", body).await;
}

async fn answer_with(mut stream: BufStream<TcpStream>, etag: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\netag: \"{etag}\"\r\nx-oss-request-id: R\r\nx-oss-hash-crc64ecma: {CRC64}\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_shown_until_there_is_room_and_a_drop_meanwhile_is_refused_in_words() {
    let bed = Bed::new().await;
    bed.full().await;
    let changes = bed.until(|changes| changes.store_problem.is_some()).await;
    assert_eq!(changes.store_problem.map(|problem| problem.code), Some(Code::DiskFull));
    // More than fits into what is left of a page.
    let many = (0..500).map(|n| bed.dir.path().join(format!("{n}.txt"))).collect();
    let error = bed.engine.add_paths(many, None).await.unwrap_err();
    assert_eq!(error.code(), Code::DiskFull);
    bed.room_again().await;
    bed.until(|changes| changes.store_problem.is_none()).await;
    assert_eq!(bed.engine.add_paths(vec![bed.file("a.txt")], None).await.unwrap().queued, 1);
    bed.engine.stop().await;
}

#[tokio::test]
async fn what_oss_answers_while_the_disk_is_full_is_not_called_done_before_it_is_saved_and_not_lost_either() {
    let bed = Bed::new().await;
    let no = bed.engine.add_paths(vec![bed.file("a.txt")], None).await.unwrap().batch;
    let stored = bed.request().await;
    let later = bed.engine.add_paths(vec![bed.file("b.txt")], None).await.unwrap().batch;
    let held = bed.request().await;
    bed.full().await;
    // Longer than what is left free in any page.
    answer(stored, &format!("{{\"said\":\"{}\"}}", "y".repeat(5000))).await;
    bed.until(|changes| changes.store_problem.is_some() && changes.rows.iter().any(|row| row.no == no)).await;
    assert_eq!(bed.engine.upload_details(no).await.unwrap().row.phase, Phase::Completing);
    bed.room_again().await;
    bed.until(|changes| changes.rows.iter().any(|row| row.no == no && row.phase == Phase::Done)).await;
    let details = bed.engine.upload_details(no).await.unwrap();
    assert!(matches!(details.row.callback, CallbackBadge::Answered { status: 200, .. }), "{details:#?}");
    assert!(details.callback.answer.unwrap().contains("yyy"));
    answer(held, "{}").await;
    bed.until(|changes| changes.rows.iter().any(|row| row.no == later && row.phase == Phase::Done)).await;
    bed.engine.stop().await;
}

#[tokio::test]
async fn a_small_file_stored_while_the_disk_is_full_is_done_when_there_is_room_and_not_sent_again() {
    let bed = Bed::asking(None).await;
    let no = bed.engine.add_paths(vec![bed.file("a.txt")], None).await.unwrap().batch;
    let sent = bed.request().await;
    bed.full().await;
    // Longer than what is left free in any page.
    answer_with(sent, &"e".repeat(5000), "").await;
    bed.until(|changes| changes.store_problem.is_some()).await;
    assert_ne!(bed.engine.upload_details(no).await.unwrap().row.phase, Phase::Done);
    bed.room_again().await;
    // Sent again it would wait here for an answer.
    bed.until(|changes| changes.rows.iter().any(|row| row.no == no && row.phase == Phase::Done)).await;
    bed.engine.stop().await;
}

#[tokio::test]
async fn stopped_while_the_disk_is_full_the_engine_ends_and_the_next_start_finds_the_upload() {
    let bed = Bed::new().await;
    bed.engine.add_paths(vec![bed.file("a.txt")], None).await.unwrap();
    let held = bed.request().await;
    bed.full().await;
    answer(held, &format!("{{\"said\":\"{}\"}}", "y".repeat(5000))).await;
    bed.until(|changes| changes.store_problem.is_some()).await;
    timeout(Duration::from_secs(10), bed.engine.stop()).await.expect("it stops in time");
    let mut config = EngineConfig::new(bed.dir.path().join("data"));
    config.secrets = std::sync::Arc::new(MemorySecrets::default());
    let engine = Engine::start(config).await.unwrap();
    let phase = engine.upload_details(1).await.unwrap().row.phase;
    assert!(matches!(phase, Phase::Completing | Phase::Done), "{phase:?}");
    engine.stop().await;
}

#[tokio::test]
async fn what_is_cancelled_while_the_table_is_being_asked_is_not_started_when_it_answers() {
    let bed = Bed::asking(None).await;
    // One request at once, so three uploads under way.
    bed.engine.save_limits(Limits { requests_at_once: Some(1), ..Limits::default() }).await.unwrap();
    bed.engine.add_paths((1..=5).map(|n| bed.file(&format!("{n}.txt"))).collect(), None).await.unwrap();
    let first = bed.request().await;
    // What waits is forgotten with it, and asked for as soon as there is room.
    bed.engine.pause(4).await.unwrap();
    let (busy, over) = std::sync::mpsc::channel::<()>();
    bed.engine.store.submit(move |_| Ok(over.recv().is_ok()), drop);
    answer(first, "").await;
    // Its permit was the first one's: the queue knows of that, and asks.
    let second = bed.request().await;
    let queue_has_heard = async {
        let (here, seen) = tokio::sync::oneshot::channel();
        // On the queue's thread, behind the queue: it was woken first.
        bed.engine.tasks.spawn("test", async move { here.send(()).unwrap() });
        seen.await.unwrap();
        drop(busy);
    };
    let (cancelled, ()) = tokio::join!(bed.engine.cancel(5), queue_has_heard);
    cancelled.unwrap();
    answer(second, "").await;
    answer(bed.request().await, "").await;
    bed.engine.add_paths(vec![bed.file("6.txt")], None).await.unwrap();
    answer(bed.request().await, "").await;
    bed.until(|changes| changes.rows.iter().any(|row| row.no == 6 && row.phase == Phase::Done)).await;
    assert_eq!(bed.engine.upload_details(5).await.unwrap().row.phase, Phase::Cancelled);
    bed.engine.stop().await;
}

#[tokio::test]
async fn what_is_stored_and_not_saved_yet_cannot_be_cancelled_and_is_done_after_a_stop() {
    let bed = Bed::asking(None).await;
    bed.engine.save_limits(Limits { requests_at_once: Some(1), ..Limits::default() }).await.unwrap();
    bed.engine.add_paths(vec![bed.file("1.txt"), bed.file("2.txt")], None).await.unwrap();
    answer(bed.request().await, "").await;
    // Its permit was the first one's, so the queue knows of that.
    let _second = bed.request().await;
    let refused = bed.engine.cancel(1).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    bed.engine.stop().await;
    let mut config = EngineConfig::new(bed.dir.path().join("data"));
    config.secrets = std::sync::Arc::new(MemorySecrets::default());
    let engine = Engine::start(config).await.unwrap();
    assert_eq!(engine.upload_details(1).await.unwrap().row.phase, Phase::Done);
    assert_ne!(engine.upload_details(2).await.unwrap().row.phase, Phase::Done);
    engine.stop().await;
}
