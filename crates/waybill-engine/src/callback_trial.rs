//! A callback tried on an object of one byte, which is taken away again together with its version.

use bytes::Bytes;
use waybill_oss::{CallbackSpec, Client, Crc64, ObjectHeaders, ObjectKey, Stored};

use crate::error::Error;
use crate::view::LeftBehind;

/// A key that no object of the user's has: below what all keys of the destination begin with, where its rights count.
///
/// # Errors
/// `Invalid` where that is too long for a name behind it.
pub(crate) fn key(key_template: &str) -> Result<ObjectKey, Error> {
    let name = format!("waybill-callback-test-{}.txt", uuid::Uuid::new_v4().simple());
    Ok(ObjectKey::parse(&format!("{}{name}", fixed_folder(key_template)))?)
}

/// The folders that a template begins with, whatever the file.
fn fixed_folder(key_template: &str) -> &str {
    let fixed = key_template.split('{').next().unwrap_or_default();
    fixed.rfind('/').map_or("", |end| &fixed[..=end])
}

/// What was answered, and the object, if it could not be deleted.
pub(crate) async fn put_and_delete(
    client: &Client,
    key: &ObjectKey,
    callback: Option<&CallbackSpec>,
) -> (Result<Stored, waybill_oss::Error>, Option<LeftBehind>) {
    let mut crc64 = Crc64::new();
    crc64.update(b"1");
    let headers = ObjectHeaders::of_type(Some("text/plain"));
    let body = (Bytes::from_static(b"1"), crc64.finish());
    let stored = client.put_read(key, body, &headers, callback, None).await;
    // In a bucket that keeps versions, a delete that names none only hides the object.
    let known = match &stored {
        Ok(stored) => Ok(Some(stored.version_id.clone())),
        Err(error) if may_be_there(error) => client.head_object(key).await.map(|head| head.map(|head| head.version_id)),
        Err(_) => Ok(None),
    };
    let left = match known {
        Ok(None) => None,
        Ok(Some(version)) => client.delete_object(key, version.as_deref()).await.err().map(|error| (version, error)),
        // The right to look is another than that to delete. What is only hidden is still there as a version without a name.
        Err(refused) => match client.delete_object(key, None).await {
            Ok(hidden) => hidden.then_some((None, refused)),
            Err(error) => Some((None, error)),
        },
    };
    let named =
        |(version_id, error)| LeftBehind { key: key.to_string(), version_id, problem: Error::Oss(error).problem() };
    (stored, left.map(named))
}

fn may_be_there(error: &waybill_oss::Error) -> bool {
    error.answer_lost() || matches!(error, waybill_oss::Error::Integrity { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_lies_where_the_destinations_keys_do_and_is_never_the_same() {
        for (template, folder) in [
            ("raw/{yyyy}/{path}", "raw/"),
            ("a/b/c-{name}", "a/b/"),
            ("{path}", ""),
            ("raw-{name}", ""),
            ("${x}/{name}", ""),
            ("raw/fixed", "raw/"),
        ] {
            let key = key(template).expect("a key");
            assert!(key.as_str().starts_with(&format!("{folder}waybill-callback-test-")), "{template}: {key}");
        }
        assert_ne!(key("{path}").expect("a key"), key("{path}").expect("another"));
    }
}
