//! A word that comes twice, since an upload ended while a command that is run again read what had ended.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::*;
use crate::store::batches::{self, NewBatch};
use crate::store::uploads::{self, NewUploads};
use crate::upload::state::{ObjectFacts, UploadState};
use crate::{EngineConfig, MemorySecrets};

fn stored() -> UploadState {
    let object = ObjectFacts {
        size_bytes: 10,
        etag: "E".into(),
        crc64: Some(1),
        verified: true,
        request_id: "R".into(),
        version_id: None,
        finishing_ms: 1,
        already_there: None,
    };
    UploadState::Done { object, callback: waybill_oss::CallbackOutcome::NotRequested }
}

#[tokio::test]
async fn an_upload_whose_word_comes_twice_is_told_and_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = EngineConfig::new(dir.path().join("data"));
    config.secrets = Arc::new(MemorySecrets::default());
    let engine = Engine::start(config).await.unwrap();
    let ended = |c: &rusqlite::Connection| {
        let new = NewBatch { destination_id: "d".into(), fingerprint: None, request_json: "{}".into(), created_ms: 0 };
        let batch = batches::insert(c, &new)?;
        let two = [("a".into(), "a".into()), ("b".into(), "b".into())];
        let no = uploads::insert(c, &NewUploads::plain(batch, two.into_iter()))?;
        uploads::save(c, no, &stored(), Some(1), 2)?;
        Ok((batch, no))
    };
    let (batch, no) = engine.store.write(ended).await.unwrap();
    let (told, mut words) = mpsc::channel(8);
    let mut following = Following {
        engine: &engine,
        batch,
        began_ms: 3,
        told,
        files: 2,
        bytes: 20,
        files_done: 0,
        bytes_done: 0,
        told_of: Numbers::default(),
    };
    following.take_up().await.unwrap();
    following.tell_of(vec![LastWord::of(no), LastWord::of(no + 1)]).await.unwrap();
    assert_eq!((following.files_done, following.bytes_done), (1, 10), "the other waits still");
    assert!(matches!(words.try_recv(), Ok(Told::Upload(details)) if details.row.no == no));
    assert!(words.try_recv().is_err());
    engine.stop().await;
}
