//! A whole Waybill in one line: temp folder, sandbox, engine. Every wait is for an event and has a limit.

mod calling;
pub mod crash;
mod expect;
mod folders;
mod server;
mod tamper;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use waybill_engine::view::{
    Added, BodyKind, CallbackProfileForm, Connection, DestinationForm, DestinationView, OverwritePolicy, Phase,
    UploadDetails, UploadRow, Variable,
};
use waybill_engine::{Access, BuiltIn, Credential, Engine, EngineConfig, MemorySecrets};
use waybill_sandbox::{Sandbox, SandboxConfig, Tuning};

pub use server::{each_once, key};

/// Longest wait for anything in a test.
pub const LIMIT: Duration = Duration::from_secs(60);
/// Longest wait for an engine to stop: far below the time after which a request that hangs is given up.
pub const STOP_LIMIT: Duration = Duration::from_secs(10);
/// The id of the destination that leads to the sandbox.
pub const DESTINATION: &str = "sandbox";
/// The part size of a [`TestBed`]; a file of up to this size goes up in one PutObject.
pub const MIB: usize = 1 << 20;

/// One engine before one sandbox, with nothing shared between tests.
pub struct TestBed {
    /// Everything lies below it.
    pub dir: TempDir,
    /// The server.
    pub sandbox: Sandbox,
    /// With what the engine starts next time.
    pub config: EngineConfig,
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
        TestBed::made(change, |_| {}).await
    }

    /// As [`TestBed::new`] before a sandbox with other limits than OSS has.
    pub async fn facing(tune: impl FnOnce(&mut Tuning)) -> TestBed {
        TestBed::made(|_| {}, tune).await
    }

    async fn made(change: impl FnOnce(&mut EngineConfig), tune: impl FnOnce(&mut Tuning)) -> TestBed {
        let mut bed = TestBed::idle(change, tune).await;
        bed.start().await;
        bed
    }

    /// As both, with no engine started yet.
    pub async fn idle(change: impl FnOnce(&mut EngineConfig), tune: impl FnOnce(&mut Tuning)) -> TestBed {
        let dir = tempfile::tempdir().expect("a temp folder");
        let sandbox = sandbox_in(dir.path().join("sandbox"), tune).await;
        let mut config = EngineConfig::new(dir.path().join("data"));
        config.secrets = Arc::new(MemorySecrets::default());
        config.parallel = 4;
        config.part_size_bytes = MIB as u64;
        config.quiet = Duration::from_millis(400);
        config.finishing = Duration::from_secs(2);
        change(&mut config);
        let callback = Some(callback_to(&sandbox.info().callback_url));
        TestBed { dir, sandbox, config, callback, engine: None }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("the engine runs")
    }

    /// Starts the engine on the same data folder.
    pub async fn start(&mut self) {
        self.start_bare().await;
        self.connect().await;
    }

    /// Starts the engine as it is before the window has brought the sandbox up.
    pub async fn start_bare(&mut self) {
        self.engine = Some(Engine::start(self.config.clone()).await.expect("the engine starts"));
    }

    /// Makes the sandbox a destination.
    pub async fn connect(&self) {
        let info = self.sandbox.info();
        self.connect_with(Credential::new(&info.access_key_id, &info.access_key_secret, None).into()).await;
    }

    /// Makes the sandbox a destination that these keys open.
    pub async fn connect_with(&self, access: Access) {
        let info = self.sandbox.info();
        let built_in = BuiltIn {
            id: DESTINATION.into(),
            name: "Sandbox".into(),
            endpoint: info.endpoint.clone(),
            region: info.region.clone(),
            bucket: info.bucket.clone(),
            key_template: "{path}".into(),
            callback: self.callback.clone(),
            connection: Connection::default(),
            access_key_id: info.access_key_id.clone(),
            access,
        };
        self.engine().ensure_built_in(built_in).await.expect("the sandbox becomes a destination");
    }

    /// Ends the engine as closing the window does; it must leave nothing running and not take its time.
    pub async fn stop(&mut self) {
        let engine = self.engine.take().expect("the engine runs");
        tokio::time::timeout(STOP_LIMIT, engine.stop()).await.expect("the engine stops in time");
    }

    /// Asks for another callback, or none, for what is uploaded from now on.
    pub async fn callback(&mut self, callback: Option<CallbackProfileForm>) {
        self.callback = callback;
        self.connect().await;
    }

    /// A destination that leads to the sandbox too, made by a user who typed this secret.
    pub async fn destination(&self, secret: &str) -> DestinationView {
        self.engine().save_destination(self.form(secret)).await.expect("the destination is saved")
    }

    /// The form that such a user fills in.
    pub fn form(&self, secret: &str) -> DestinationForm {
        let info = self.sandbox.info();
        DestinationForm {
            id: None,
            name: "My bucket".into(),
            endpoint: info.endpoint.clone(),
            region: info.region.clone(),
            bucket: info.bucket.clone(),
            key_template: "{path}".into(),
            access_key_id: info.access_key_id.clone(),
            access_key_secret: Some(secret.into()),
            security_token: None,
            callback: self.callback.clone(),
            callback_profile_id: None,
            connection: Connection::default(),
            proxy_password: None,
            overwrite: OverwritePolicy::default(),
        }
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
        self.upload_to(path, DESTINATION).await
    }

    /// Queues one file for a destination and answers with its number.
    pub async fn upload_to(&self, path: &Path, destination: &str) -> i64 {
        let paths = vec![path.to_owned()];
        let added = self.engine().add_paths(paths, Some(destination.into())).await.expect("paths are queued");
        assert_eq!(added.queued, 1, "{added:?}");
        self.batch(added.batch).await[0].no
    }

    /// The uploads of a batch (the first 500).
    pub async fn batch(&self, batch: i64) -> Vec<UploadRow> {
        self.engine().batch_page(batch, 0, 500).await.expect("the batch")
    }

    /// Everything of one upload.
    pub async fn details(&self, no: i64) -> UploadDetails {
        self.engine().upload_details(no).await.expect("the upload is there")
    }

    /// Looks again whenever the engine says that something has changed, until there is something to see.
    pub async fn look_for<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                self.engine().next_changes().await.expect("the engine runs");
            }
        };
        match tokio::time::timeout(LIMIT, waiting).await {
            Ok(found) => found,
            Err(_) => {
                panic!("never saw {what}; uploads: {:#?}; requests: {:#?}", self.rows().await, self.sandbox.log())
            }
        }
    }

    /// Waits until `wanted` is true of an upload.
    pub async fn until(&self, no: i64, what: &str, wanted: impl Fn(&UploadDetails) -> bool) -> UploadDetails {
        let look = async || Some(self.details(no).await).filter(&wanted);
        self.look_for(&format!("upload {no} {what}"), look).await
    }

    /// Waits until an upload is in this phase.
    pub async fn until_phase(&self, no: i64, phase: Phase) -> UploadDetails {
        self.until(no, &format!("{phase:?}"), |details| details.row.phase == phase).await
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
}

impl Drop for TestBed {
    fn drop(&mut self) {
        assert!(self.engine.is_none() || std::thread::panicking(), "a test must stop its engine");
    }
}

/// A sandbox on a free port with its data in this folder.
pub async fn sandbox_in(data_dir: PathBuf, tune: impl FnOnce(&mut Tuning)) -> Sandbox {
    let config = SandboxConfig {
        port: 0,
        data_dir,
        access_key_id: "test-id".into(),
        access_key_secret: "test-secret".into(),
        region: "cn-test".into(),
        bucket: "bucket".into(),
    };
    let mut tuning = Tuning::default();
    tune(&mut tuning);
    Sandbox::start_with(config, tuning).await.expect("the sandbox starts")
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
        ..CallbackProfileForm::default()
    }
}

/// Bytes that differ at every offset up to 2^32, so that a part in the wrong place shows.
pub fn content(len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + 4);
    for number in 0..u32::try_from(len.div_ceil(4)).expect("less than 16 GiB") {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}
