//! The built-in destination: a local OSS and callback receiver, so that the first drop needs no account.

use std::fmt::Write as _;
use std::path::Path;

use waybill_engine::view::{BodyKind, CallbackProfileForm, Connection, Variable};
use waybill_engine::{BuiltIn, Engine};
use waybill_oss::Credential;
use waybill_sandbox::{Sandbox, SandboxConfig, SandboxError, Tuning};

/// Stays the same from start to start, so that an upload cut off by a crash finds its destination again.
const ID: &str = "sandbox";

/// With this variable set to `1` the sandbox refuses callback URLs that are private, as its own receiver's is, or that no
/// name server knows: what the real service would say.
const REAL_ADDRESS_RULES: &str = "WAYBILL_SANDBOX_REAL_ADDRESS_RULES";

/// What the sandbox's own receiver is told about each object.
const CALLBACK_BODY: &str = r#"{"bucket":${bucket},"object":${object},"etag":${etag},"size":${size},"mimeType":${mimeType},"crc64":${crc64},"uploadNo":${x:upload_no}}"#;

/// Starts the sandbox on loopback with fresh keys that live in memory only, and makes it a destination.
/// The error is a sentence for the log.
pub(crate) async fn start(engine: &Engine, folder: &Path) -> Result<Sandbox, String> {
    let (key_id, key_secret) = (format!("SANDBOX{}", random_hex::<8>()), random_hex::<20>());
    let on = |port| {
        let config = SandboxConfig {
            port,
            data_dir: folder.to_path_buf(),
            access_key_id: key_id.clone(),
            access_key_secret: key_secret.clone(),
            region: "local".into(),
            bucket: "sandbox".into(),
        };
        let real_address_rules = std::env::var_os(REAL_ADDRESS_RULES).is_some_and(|value| value == "1");
        Sandbox::start_with(config, Tuning { real_address_rules, ..Tuning::default() })
    };
    // An upload keeps the callback address it was queued with, so the one of the last start is wanted again.
    let sandbox = match on(last_port(engine).await).await {
        Err(SandboxError::Listen { .. }) => on(0).await,
        started => started,
    };
    let sandbox = sandbox.map_err(|error| error.in_full())?;
    let info = sandbox.info();
    let built_in = BuiltIn {
        id: ID.into(),
        name: "Sandbox".into(),
        endpoint: info.endpoint.clone(),
        region: info.region.clone(),
        bucket: info.bucket.clone(),
        key_template: "{path}".into(),
        callback: Some(callback_profile(&info.callback_url)),
        connection: Connection::default(),
        access_key_id: key_id.clone(),
        access: Credential::new(key_id, key_secret, None).into(),
    };
    match engine.ensure_built_in(built_in).await {
        Ok(()) => Ok(sandbox),
        Err(error) => {
            sandbox.stop().await;
            Err(error.to_string())
        }
    }
}

/// Where the sandbox listened last; 0 for any free port.
async fn last_port(engine: &Engine) -> u16 {
    let destinations = engine.destinations().await.unwrap_or_default();
    destinations.iter().find(|destination| destination.id == ID).map_or(0, |last| port_of(&last.endpoint))
}

fn port_of(endpoint: &str) -> u16 {
    endpoint.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(0)
}

fn callback_profile(url: &str) -> CallbackProfileForm {
    CallbackProfileForm {
        urls: vec![url.into()],
        host: String::new(),
        body: CALLBACK_BODY.into(),
        body_type: BodyKind::Json,
        sni: false,
        variables: vec![Variable { name: "x:upload_no".into(), value: "{uploadNo}".into() }],
        ..CallbackProfileForm::default()
    }
}

fn random_hex<const BYTES: usize>() -> String {
    let bytes: [u8; BYTES] = std::array::from_fn(|_| rand::random());
    bytes.iter().fold(String::with_capacity(2 * BYTES), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_port_leads_to_any_free_one() {
        assert_eq!(port_of("http://127.0.0.1:34715"), 34715);
        assert_eq!(port_of("http://127.0.0.1"), 0);
        assert_eq!(port_of("http://127.0.0.1:"), 0);
    }

    #[test]
    fn every_start_has_keys_of_its_own() {
        let (first, second) = (random_hex::<20>(), random_hex::<20>());
        assert_eq!(first.len(), 40);
        assert_ne!(first, second, "keys must not repeat from start to start");
    }
}
