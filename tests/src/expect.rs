//! What a TestBed expects at the end: the right bytes, one callback, nothing left over.

use waybill_engine::view::{CallbackBadge, Phase, UploadDetails};

use crate::TestBed;

impl TestBed {
    /// Waits for the end of an upload, and expects the whole of `content` at its key, verified, called back once and
    /// answered, and nothing left over at the server.
    pub async fn answered(&self, no: i64, content: &[u8]) -> UploadDetails {
        let details = self.finished(no).await;
        let row = &details.row;
        assert_eq!((row.phase, row.verified), (Phase::Done, true), "{details:#?}");
        assert!(matches!(row.callback, CallbackBadge::Answered { status: 200, .. }), "{:?}", row.callback);
        self.expect_object(&row.key, content);
        assert_eq!(self.callbacks_for(&row.key), 1, "callbacks for {}", row.key);
        self.until_no_open_uploads().await;
        details
    }

    /// Expects these bytes at a key.
    pub fn expect_object(&self, key: &str, content: &[u8]) {
        let stored = self.object(key).unwrap_or_else(|| panic!("there is no object {key}"));
        // Not assert_eq: nobody wants to read megabytes.
        assert!(stored == content, "{key} holds {} bytes that are not the file's {}", stored.len(), content.len());
    }

    /// The bytes of an object, as they lie in the sandbox's folder.
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.dir.path().join("sandbox/objects/bucket").join(key)).ok()
    }
}
