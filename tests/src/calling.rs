//! Callbacks of a TestBed: the profiles they are asked for by, and the calls that are known of an upload.

use waybill_engine::view::{CallbackBadge, CallbackProfileDraft, CallbackProfileForm, UploadDetails};
use waybill_oss::{ObjectHead, ObjectHeaders};

use crate::{TestBed, key};

impl TestBed {
    /// Saves a profile under this name and answers with its id.
    pub async fn profile(&self, name: &str, form: CallbackProfileForm) -> String {
        let draft = CallbackProfileDraft { id: None, name: name.into(), form };
        self.engine().save_callback_profile(draft).await.expect("the profile is saved").id
    }

    /// Waits until so many calls are known of an upload and nothing is on its way.
    pub async fn calls(&self, no: i64, calls: usize) -> UploadDetails {
        let there = |details: &UploadDetails| {
            details.callback.calls.len() == calls && details.row.callback != CallbackBadge::CallingAgain
        };
        self.until(no, &format!("{calls} calls"), there).await
    }

    /// What OSS says of an object, and what was given with it.
    pub async fn told(&self, name: &str) -> (ObjectHead, ObjectHeaders) {
        let client = self.client();
        let head = client.head_object(&key(name)).await.expect("answered").expect("there");
        let kept = ObjectHeaders {
            acl: Some(client.get_object_acl(&key(name)).await.expect("an ACL")),
            tags: client.get_object_tags(&key(name)).await.expect("tags"),
            ..head.kept().expect("known")
        };
        (head, kept)
    }
}
