//! Clients that many uploads want at the same moment.

use std::sync::atomic::{AtomicUsize, Ordering};

use waybill_oss::Credential;

use super::*;
use crate::secrets::MemorySecrets;

/// A keychain that counts how often it is asked.
#[derive(Debug, Default)]
struct Asked {
    kept: MemorySecrets,
    times: AtomicUsize,
}

impl SecretStore for Asked {
    fn put(&self, id: &str, credential: &Credential) -> Result<(), Error> {
        self.kept.put(id, credential)
    }

    fn get(&self, id: &str, access_key_id: &str) -> Result<Option<Credential>, Error> {
        self.times.fetch_add(1, Ordering::Relaxed);
        self.kept.get(id, access_key_id)
    }

    fn delete(&self, id: &str) -> Result<(), Error> {
        self.kept.delete(id)
    }

    fn problem(&self) -> Option<String> {
        None
    }
}

#[tokio::test]
async fn uploads_that_begin_at_once_ask_the_keychain_once() {
    let dir = tempfile::tempdir().unwrap();
    let (store, keychain) = (Store::open(dir.path()).unwrap(), Arc::new(Asked::default()));
    let changes = Arc::<ChangeBus>::default();
    let destinations =
        Destinations::new(store.clone(), keychain.clone(), Clock::default(), Duration::from_secs(1), changes);
    let form = DestinationForm {
        id: None,
        name: "Here".into(),
        endpoint: "http://127.0.0.1:9".into(),
        region: "local".into(),
        bucket: "bucket".into(),
        key_template: "{path}".into(),
        access_key_id: "id".into(),
        access_key_secret: Some("secret".into()),
        security_token: None,
        callback: None,
        callback_profile_id: None,
        connection: Connection::default(),
        proxy_password: None,
        overwrite: OverwritePolicy::default(),
    };
    let id = destinations.save(form).await.unwrap().id;
    keychain.times.store(0, Ordering::Relaxed);
    let bucket = BucketName::parse("bucket").unwrap();
    let client = || destinations.client(&id, &bucket);
    let (a, b, c, d) = tokio::join!(client(), client(), client(), client());
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
    assert_eq!(keychain.times.load(Ordering::Relaxed), 1);
    store.close().await;
}
