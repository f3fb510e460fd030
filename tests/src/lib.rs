//! A whole Waybill in one line: temp folder, sandbox, engine. Every wait is for an event and has a limit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use waybill_engine::view::{Added, BodyKind, CallbackProfileForm, Phase, UploadDetails, Variable};
use waybill_engine::{BuiltIn, Credential, Engine, EngineConfig, MemorySecrets};
use waybill_sandbox::{Sandbox, SandboxConfig, Tuning};

/// Longest wait for anything in a test.
pub const LIMIT: Duration = Duration::from_secs(60);
/// The id of the destination that leads to the sandbox.
pub const DESTINATION: &str = "sandbox";

/// One engine before one sandbox, with nothing shared between tests.
pub struct TestBed {
    /// Everything lies below it.
    pub dir: TempDir,
    /// The server.
    pub sandbox: Sandbox,
    config: EngineConfig,
    callback: Option<CallbackProfileForm>,
    engine: Option<Engine>,
}

impl TestBed {
    /// 1 MiB parts, four requests at once, a callback to the sandbox's own receiver.
    pub async fn new() -> TestBed {
        TestBed::with(|_| {}).await
    }

    /// As [`TestBed::new`] with other settings.
    pub async fn with(change: impl FnOnce(&mut EngineConfig)) -> TestBed {
        let dir = tempfile::tempdir().expect("a temp folder");
        let sandbox_config = SandboxConfig {
            port: 0,
            data_dir: dir.path().join("sandbox"),
            access_key_id: "test-id".into(),
            access_key_secret: "test-secret".into(),
            region: "cn-test".into(),
            bucket: "bucket".into(),
        };
        let tuning = Tuning { callback_limit: Duration::from_millis(500) };
        let sandbox = Sandbox::start_with(sandbox_config, tuning).await.expect("the sandbox starts");
        let mut config = EngineConfig::new(dir.path().join("data"));
        config.secrets = Arc::new(MemorySecrets::default());
        config.parallel = 4;
        config.part_size_bytes = 1 << 20;
        config.quiet = Duration::from_millis(400);
        change(&mut config);
        let callback = Some(callback_to(&sandbox.info().callback_url));
        let mut bed = TestBed { dir, sandbox, config, callback, engine: None };
        bed.start().await;
        bed
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("the engine runs")
    }

    /// Starts the engine on the same data folder.
    pub async fn start(&mut self) {
        let engine = Engine::start(self.config.clone()).await.expect("the engine starts");
        let info = self.sandbox.info();
        let built_in = BuiltIn {
            id: DESTINATION.into(),
            name: "Sandbox".into(),
            endpoint: info.endpoint.clone(),
            region: info.region.clone(),
            bucket: info.bucket.clone(),
            key_template: "{path}".into(),
            callback: self.callback.clone(),
            credential: Credential::new(&info.access_key_id, &info.access_key_secret, None),
        };
        engine.ensure_built_in(built_in).await.expect("the sandbox becomes a destination");
        self.engine = Some(engine);
    }

    /// Ends the engine as closing the window does; it must leave nothing running.
    pub async fn stop(&mut self) {
        let engine = self.engine.take().expect("the engine runs");
        tokio::time::timeout(LIMIT, engine.stop()).await.expect("the engine stops in time");
    }

    /// Asks for another callback, or none, for what is uploaded from now on.
    pub async fn callback(&mut self, callback: Option<CallbackProfileForm>) {
        self.callback = callback;
        self.stop().await;
        self.start().await;
    }

    /// A file with content that differs at every offset, below `files/`.
    pub fn file(&self, name: &str, len: usize) -> PathBuf {
        let path = self.dir.path().join("files").join(name);
        std::fs::create_dir_all(path.parent().expect("files/ is above")).expect("a folder");
        std::fs::write(&path, content(len)).expect("a file");
        path
    }

    /// Queues one path.
    pub async fn add(&self, path: &Path) -> Added {
        self.engine().add_paths(vec![path.to_owned()], None).await.expect("paths are queued")
    }

    /// Queues one file and answers with its number.
    pub async fn upload(&self, path: &Path) -> i64 {
        let added = self.add(path).await;
        assert_eq!(added.queued, 1, "{added:?}");
        self.engine().batch_page(added.batch, 0, 1).await.expect("the batch")[0].no
    }

    /// Waits until `wanted` is true of an upload.
    pub async fn until(&self, no: i64, what: &str, wanted: impl Fn(&UploadDetails) -> bool) -> UploadDetails {
        let waiting = async {
            loop {
                let details = self.engine().upload_details(no).await.expect("the upload is there");
                if wanted(&details) {
                    return details;
                }
                self.engine().next_changes().await.expect("the engine runs");
            }
        };
        match tokio::time::timeout(LIMIT, waiting).await {
            Ok(details) => details,
            Err(_) => {
                let now = self.engine().upload_details(no).await;
                panic!("upload {no} never became {what}: {now:#?}")
            }
        }
    }

    /// Waits until an upload is stored, failed or cancelled.
    pub async fn finished(&self, no: i64) -> UploadDetails {
        let is_final =
            |details: &UploadDetails| matches!(details.row.phase, Phase::Done | Phase::Failed | Phase::Cancelled);
        self.until(no, "final", is_final).await
    }

    /// Uploads one file to the end and expects it to be stored.
    pub async fn stored(&self, path: &Path) -> UploadDetails {
        let no = self.upload(path).await;
        let details = self.finished(no).await;
        assert_eq!(details.row.phase, Phase::Done, "{details:#?}");
        details
    }

    /// The bytes of an object, as they lie in the sandbox's folder.
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.dir.path().join("sandbox/objects/bucket").join(key)).ok()
    }
}

impl Drop for TestBed {
    fn drop(&mut self) {
        assert!(self.engine.is_none() || std::thread::panicking(), "a test must stop its engine");
    }
}

/// A JSON callback that names the object and carries the upload's number.
pub fn callback_to(url: &str) -> CallbackProfileForm {
    CallbackProfileForm {
        urls: vec![url.to_owned()],
        host: String::new(),
        body: r#"{"object":${object},"size":${size},"crc64":${crc64},"uploadNo":${x:upload_no}}"#.into(),
        body_type: BodyKind::Json,
        sni: false,
        variables: vec![Variable { name: "x:upload_no".into(), value: "{uploadNo}".into() }],
    }
}

/// Bytes that differ at every offset up to 2^32, so that a part in the wrong place shows.
pub fn content(len: usize) -> Vec<u8> {
    (0u32..).flat_map(u32::to_le_bytes).take(len).collect()
}
