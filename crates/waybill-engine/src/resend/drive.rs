//! The requests of a callback that is sent again; what they come to is for the queue to save.

use std::time::{Duration, Instant};

use bytes::Bytes;
use waybill_oss::{
    Acl, BucketName, CallbackSpec, Client, CopySource, ObjectHead, ObjectHeaders, ObjectKey, RetryPolicy, Stored,
    multipart_etag,
};

use super::plan::{self, Found};
use super::state::Original;
use crate::error::Error;
use crate::throttle::Lane;
use crate::upload::driver::between_initiates;
use crate::upload::state::ObjectFacts;

/// Between two questions while OSS may still be at work.
const BETWEEN: Duration = Duration::from_secs(2);
/// OSS may take its time to copy 5 GB, and nothing moves meanwhile.
const COPYING: Duration = Duration::from_secs(600);

/// The way to one object, and what OSS is to be asked for.
pub(crate) struct Way {
    pub(crate) client: Client,
    pub(crate) lane: Lane,
    pub(crate) bucket: BucketName,
    pub(crate) key: ObjectKey,
    pub(crate) callback: CallbackSpec,
    pub(crate) finishing: Duration,
}

/// A copied part: its number and ETag.
pub(crate) type Parts = Vec<(u32, String)>;

/// What became of a finishing request whose answer was lost.
pub(crate) enum Fate {
    /// OSS has stored the object anew, and has called; what it was told nobody knows.
    Called(ObjectFacts),
    /// It did not.
    AsItWas,
    /// The object at the key is another now.
    Other,
}

impl Way {
    /// Looks whether it can be done, and reads what must be given again.
    pub(crate) async fn look(&self, ours: &ObjectFacts) -> Result<(ObjectHead, Original, ObjectHeaders), Error> {
        let head = self.head().await?.ok_or_else(plan::gone)?;
        let original = plan::original(ours, &head)?;
        let mut headers = head.kept()?;
        let _permit = self.lane.permit().await;
        // Not to be skipped where it is forbidden: an object that was made private must not become its bucket's.
        headers.acl = Some(self.client.get_object_acl(&self.key).await?).filter(|acl| *acl != Acl::Default);
        if head.tag_count.is_some_and(|count| count > 0) {
            headers.tags = self.client.get_object_tags(&self.key).await?;
        }
        Ok((head, original, headers))
    }

    /// Begins the copy. The flag says whether the answer to an earlier try was lost, so that OSS may hold one more upload.
    pub(crate) async fn initiate(&self, headers: &ObjectHeaders) -> (Result<String, waybill_oss::Error>, bool) {
        let _permit = self.lane.permit().await;
        let once = self.client.clone().with_retry(RetryPolicy::none());
        let (mut lost, mut made) = (false, 0);
        loop {
            made += 1;
            let error = match once.initiate_multipart(&self.key, headers).await {
                Ok(upload_id) => return (Ok(upload_id), lost),
                Err(error) => error,
            };
            lost |= error.answer_lost();
            match between_initiates(&error, made) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return (Err(error), lost),
            }
        }
    }

    /// Copies the object onto itself, part by part, as long as it is what it was.
    pub(crate) async fn copy(&self, upload_id: &str, original: &Original) -> Result<Parts, waybill_oss::Error> {
        let source = CopySource {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            version_id: None,
            if_match: Some(original.etag.clone()),
        };
        let patient = self.client.clone().with_stall_timeout(COPYING);
        let mut parts = Parts::new();
        for (number, stretch) in (1..).zip(plan::stretches(original.size_bytes)) {
            let _permit = self.lane.permit().await;
            let part = patient.upload_part_copy(&self.key, upload_id, number, &source, stretch, None).await?;
            parts.push((number, part.etag));
        }
        Ok(parts)
    }

    /// Looks whether the object is still what was looked at.
    pub(crate) async fn look_again(&self, original: &Original) -> Result<(), Error> {
        plan::still(original, self.head().await?.as_ref())
    }

    /// Sends the request that makes OSS call: Complete, or the PutObject of an empty object.
    pub(crate) async fn finish(
        &self,
        upload_id: Option<&str>,
        parts: &Parts,
        headers: &ObjectHeaders,
    ) -> Result<Stored, waybill_oss::Error> {
        let _permit = self.lane.permit().await;
        let callback = Some(&self.callback);
        match upload_id {
            Some(upload_id) => self.client.complete_multipart(&self.key, upload_id, parts, headers, callback).await,
            None => self.client.put_read(&self.key, (Bytes::new(), 0), headers, callback, None).await,
        }
    }

    /// The CRC-64 of what is at the key now, where the finishing request did not say.
    pub(crate) async fn crc64(&self) -> Option<u64> {
        self.head().await.ok().flatten().and_then(|head| head.crc64)
    }

    /// Finds out what became of the finishing request. `lost` is why its answer is missing, if this process sent it.
    pub(crate) async fn settle(
        &self,
        original: &Original,
        upload_id: Option<&str>,
        etag: Option<&str>,
        lost: Option<&waybill_oss::Error>,
    ) -> Result<Fate, waybill_oss::Error> {
        let began = Instant::now();
        let between = BETWEEN.min(self.finishing);
        let at_work = match lost {
            // Nor does whoever was ended meanwhile know how long ago it was sent.
            Some(waybill_oss::Error::Transport { .. }) | None => self.finishing,
            // An answer, even a bad one, says that OSS has ended.
            Some(_) => Duration::ZERO,
        };
        loop {
            let open = match upload_id {
                Some(upload_id) => self.is_open(upload_id).await?,
                None => false,
            };
            if !open {
                let head = self.head().await?;
                match (plan::found(original, etag, head.as_ref()), head) {
                    (Found::Ours, Some(head)) => return Ok(Fate::Called(facts_of(head))),
                    (Found::Ours | Found::Other, _) => return Ok(Fate::Other),
                    (Found::AsItWas, _) if upload_id.is_some() => return Ok(Fate::AsItWas),
                    (Found::AsItWas, _) => {}
                }
            }
            if began.elapsed() >= at_work {
                return Ok(Fate::AsItWas);
            }
            tokio::time::sleep(between).await;
        }
    }

    async fn is_open(&self, upload_id: &str) -> Result<bool, waybill_oss::Error> {
        let _permit = self.lane.permit().await;
        match self.client.list_parts(&self.key, upload_id).await {
            Ok(_) => Ok(true),
            Err(error) if error.service_code() == Some("NoSuchUpload") => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn head(&self) -> Result<Option<ObjectHead>, waybill_oss::Error> {
        let _permit = self.lane.permit().await;
        self.client.head_object(&self.key).await
    }
}

/// The ETag that the object will have, where the parts' own are known.
pub(crate) fn etag_of(parts: &Parts) -> Option<String> {
    (!parts.is_empty()).then(|| multipart_etag(parts.iter().map(|(_, etag)| etag.as_str())))
}

/// The request may have been carried out: no answer, or the UploadId is gone before we heard of it.
pub(crate) fn is_lost(error: &waybill_oss::Error) -> bool {
    error.answer_lost() || error.service_code() == Some("NoSuchUpload")
}

fn facts_of(head: ObjectHead) -> ObjectFacts {
    ObjectFacts {
        size_bytes: head.size,
        etag: head.etag,
        crc64: head.crc64,
        verified: false,
        request_id: head.request_id,
        version_id: head.version_id,
        finishing_ms: 0,
        already_there: None,
    }
}
