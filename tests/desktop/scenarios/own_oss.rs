//! An OSS of the test's own with keys that it knows, apart from the one inside the window.

use waybill_desktop_tests::Session;
use waybill_sandbox::{Sandbox, SandboxConfig};

pub(crate) const BUCKET: &str = "media-prod";
pub(crate) const REGION: &str = "cn-hangzhou";

pub(crate) async fn start(session: &Session) -> Sandbox {
    let config = SandboxConfig {
        port: 0,
        data_dir: session.home().join("own-oss"),
        access_key_id: "LTAI-desktop-key-id".into(),
        access_key_secret: "zQ7-desktop-SECRET-4tYv9".into(),
        region: REGION.into(),
        bucket: BUCKET.into(),
    };
    Sandbox::start(config).await.expect("a sandbox starts")
}
