//! A callback once more, without the file: the object is copied onto itself, and completing the copy makes OSS call.
//!
//! OSS has no request that only repeats a callback. Sources: oss-protocol, "Does the callback run again?";
//! UploadPartCopy, InitiateMultipartUpload, CompleteMultipartUpload and Callback pages.

pub(crate) mod drive;
pub(crate) mod line;
pub(crate) mod plan;
pub(crate) mod state;
