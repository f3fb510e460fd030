//! Alibaba Cloud OSS over HTTP: requests and answers, upload callbacks among them; no queue, no database, no window.
//!
//! Begin with [`Endpoint`], [`BucketName`] and [`Credential`], put them into a [`Client`], and read what comes back:
//! [`Stored`] says that the object is there, its [`CallbackOutcome`] says what came of the callback, and an [`Error`]
//! says by its [`Advice`] whether trying again can help. Keys that are fetched and renewed come from a
//! [`CredentialSource`], by way of [`Credentials`].
//!
//! ```no_run
//! use std::{fs::File, sync::Arc};
//!
//! use waybill_oss::{
//!     BucketName, CallbackSpec, Client, Credential, Endpoint, FileSlice, HttpOptions, ObjectHeaders, ObjectKey, http_client,
//! };
//!
//! # async fn upload() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(
//!     http_client(&HttpOptions::default())?,
//!     Endpoint::parse("oss-cn-hangzhou.aliyuncs.com")?,
//!     "cn-hangzhou".to_owned(),
//!     BucketName::parse("examplebucket")?,
//!     Credential::new("LTAI5t…", "the AccessKey secret", None),
//! );
//! let file = File::open("clip.mp4")?;
//! let body = FileSlice { offset: 0, len: file.metadata()?.len(), file: Arc::new(file) };
//! let callback = CallbackSpec {
//!     urls: vec!["https://app.example.com/uploaded".to_owned()],
//!     body: "key=${object}&size=${size}".to_owned(),
//!     sni: true,
//!     ..CallbackSpec::default()
//! };
//! let (key, headers) = (ObjectKey::parse("clips/clip.mp4")?, ObjectHeaders::of_type(Some("video/mp4")));
//! let stored = client.put_object(&key, &body, &headers, Some(&callback), None).await?;
//! println!("{} is stored, and the callback said {:?}", stored.etag, stored.callback);
//! # Ok(())
//! # }
//! ```

mod body;
mod buffers;
mod callback;
mod client;
mod clock;
mod crc64;
mod credential;
mod credentials;
mod endpoint;
mod error;
mod escape;
mod etag;
mod form;
mod gate;
mod headers;
mod http;
mod meter;
mod names;
mod pace;
mod post_policy;
mod region;
mod retry;
mod sign;
mod xml;

pub use body::{FileSlice, Progress};
pub use callback::catalogue as callback_catalogue;
pub use callback::lint as callback_lint;
pub use callback::outcome::CallbackOutcome;
pub use callback::outside::{Probed, fetch_key, probe};
pub use callback::preview as callback_preview;
pub use callback::regions::{CallbackSupport, callback_support};
pub use callback::signature as callback_signature;
pub use callback::snippet as callback_snippet;
pub use callback::spec::{BodyType, CallbackCarrier, CallbackSpec, EncodedCallback};
pub use client::bucket::{BucketInfo, ListedBucket};
pub use client::copy::{CopiedObject, CopiedPart, CopySource, MetadataDirective};
pub use client::download::{Download, GetOptions};
pub use client::head::{ObjectHead, Restore};
pub use client::list::{ListOptions, ListVersion, ListedObject, ObjectPage, ObjectPages};
pub use client::multipart::{ListedPart, PartReceipt};
pub use client::object::Stored;
pub use client::post::{HandedPolicy, PostForm};
pub use client::presigned::{PresignedRequest, ResponseHeaders};
pub use client::uploads::{OpenUpload, UploadMarker, UploadPage};
pub use client::{Account, Client};
pub use clock::Clock;
pub use crc64::{Crc64, combine, of_slice};
pub use credential::Credential;
pub use credentials::{BucketHint, ConfigHints, CredentialSource, Credentials, Surroundings};
pub use endpoint::{Addressing, Endpoint, Network, Pasted, PlainHttp, recognise};
pub use error::{Advice, Error, ServiceError, TransportKind};
pub use etag::multipart_etag;
pub use gate::Gate;
pub use headers::{Acl, Encryption, ObjectHeaders, StorageClass, content_type_for};
pub use http::{HttpClient, HttpOptions, ProxyChoice, ProxyUrl, http_client};
pub use names::{BucketName, ObjectKey};
pub use pace::{End, Exchange, Leave, Pace};
pub use post_policy::{Condition, PostPolicy, sign_policy};
pub use region::{Region, normalize_region};
pub use reqwest::Method;
pub use retry::RetryPolicy;
pub use sign::SignatureVersion;
pub use sign::explain::{Explained, explain};
pub use sign::sign_request::SignRequest;
