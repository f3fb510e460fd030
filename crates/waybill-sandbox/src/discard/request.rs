//! One request to a discarding server: its body is summed, its answer is what OSS would say.

use std::{future::poll_fn, pin::Pin, sync::atomic::Ordering};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts},
};
use crc_fast::{CrcAlgorithm, Digest};
use hyper::body::{Body as _, Incoming};
use jiff::Timestamp;

use super::{
    CHECKED, SAMPLE, Server,
    received::{Sum, Upload, folded},
};
use crate::{
    admit::not_spoken,
    answer::{OssError, empty, put, xml},
    auth::{Asked, Verifier},
    escape::encode,
    host::bucket_of,
    multipart::{PART_NUMBERS, malformed, multipart_etag},
    object::{CRC, no_length},
    operation::Operation,
    route::Target,
    time,
    xml::{Element, read_complete},
};

const RECEIVED: &str = "/_sandbox/received";
/// Ten thousand parts fit in well under this.
const LIST_LIMIT: usize = 4 * 1024 * 1024;
const PAGE: usize = 1000;

/// A body that came to its end.
struct Came {
    sum: Sum,
    /// The bytes, where they are asked for.
    list: Vec<u8>,
}

impl Server {
    /// Reads the body, waits the latency, answers.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        if head.uri.path() == RECEIVED {
            return self.tell(&head.method);
        }
        let number = self.next_number();
        self.received().begin();
        let came = read(body, head.method == Method::POST).await;
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        let id = format!("{number:024X}");
        let mut response = match came {
            Some(came) => self.work(&head, came, &id).unwrap_or_else(|error| {
                *self.received().refused.entry(error.code.to_string()).or_default() += 1;
                error.response(&id, &self.host, head.method == Method::HEAD)
            }),
            None => {
                self.received().cut += 1;
                empty(StatusCode::BAD_REQUEST)
            }
        };
        put(&mut response, "x-oss-request-id", &id);
        response.headers_mut().insert(header::SERVER, HeaderValue::from_static("AliyunOSS"));
        self.received().end();
        response
    }

    /// `GET` tells what came, `DELETE` forgets it.
    fn tell(&self, method: &Method) -> Response<Body> {
        match *method {
            Method::GET => match serde_json::to_vec(&*self.received()) {
                Ok(json) => Response::new(Body::from(json)),
                Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
            },
            Method::DELETE => {
                self.received().forget();
                empty(StatusCode::NO_CONTENT)
            }
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    fn work(&self, head: &Parts, came: Came, id: &str) -> Result<Response<Body>, OssError> {
        let raw = head.uri.path_and_query().map_or("/", |raw| raw.as_str());
        let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let hosted = bucket_of(host, head.uri.path(), &[], &self.config.bucket);
        let mut target = Target::parse(raw, hosted)?;
        let is_s3 = is_s3(&head.headers);
        if is_s3 {
            // What the AWS SDKs add to be found in logs.
            target.query.retain(|(name, _)| name != "x-id");
        }
        let operation = Operation::of(&head.method, &target, &head.headers);
        self.count(operation, &head.headers, came.sum);
        if !is_s3 {
            self.check_signature(head, &target)?;
        }
        if target.bucket.as_deref() != Some(self.config.bucket.as_str()) {
            return Err(OssError::new(404, "NoSuchBucket", "The specified bucket does not exist.").ec("0015-00000101"));
        }
        if head.headers.contains_key("x-oss-callback") {
            return Err(not_spoken());
        }
        let has_length = head.headers.contains_key(header::CONTENT_LENGTH);
        match operation {
            Operation::PutObject | Operation::UploadPart if !has_length => Err(no_length()),
            Operation::PutObject => Ok(self.put_object(target, came.sum, is_s3)),
            Operation::InitiateMultipartUpload => Ok(self.initiate(target, id)),
            Operation::UploadPart => self.upload_part(&target, came.sum),
            Operation::ListParts => self.list_parts(&target),
            Operation::CompleteMultipartUpload => self.complete(target, &came.list),
            Operation::AbortMultipartUpload => self.abort(&target),
            Operation::HeadObject => self.head_object(&target),
            Operation::ListObjects | Operation::ListObjectsV2 => Ok(self.nothing_listed(&target)),
            Operation::PutBucket => Ok(empty(StatusCode::OK)),
            // HeadBucket, of which OSS knows nothing and S3 clients much.
            _ if head.method == Method::HEAD && target.key.is_none() => Ok(empty(StatusCode::OK)),
            _ => Err(not_spoken()),
        }
    }

    fn count(&self, operation: Operation, headers: &HeaderMap, sum: Sum) {
        let mut received = self.received();
        *received.requests.entry(operation.name()).or_default() += 1;
        received.with_content_md5 += u64::from(headers.contains_key("content-md5"));
        received.bytes += sum.size;
    }

    fn check_signature(&self, head: &Parts, target: &Target) -> Result<(), OssError> {
        let asked = self.asked.load(Ordering::Relaxed);
        if asked > CHECKED && !asked.is_multiple_of(SAMPLE) {
            return Ok(());
        }
        let verifier = Verifier { config: &self.config, tokens: &self.tokens, now: Timestamp::now() };
        self.received().signatures_checked += 1;
        verifier.check(Asked { method: &head.method, target, headers: &head.headers })
    }

    /// An ETag of 32 digits is an MD5 to clients of S3; one with a dash is not.
    fn put_object(&self, target: Target, sum: Sum, is_s3: bool) -> Response<Body> {
        let etag = if is_s3 { format!("{}-1", sum.etag()) } else { sum.etag() };
        let response = stored(&etag, sum);
        self.received().store(target.key.unwrap_or_default(), sum, etag);
        response
    }

    fn initiate(&self, target: Target, id: &str) -> Response<Body> {
        let answer = self.named("InitiateMultipartUploadResult", &target).text("UploadId", id);
        let key = target.key.unwrap_or_default();
        self.received().open_uploads.insert(id.to_owned(), Upload { key, ..Upload::default() });
        xml(answer.document())
    }

    fn upload_part(&self, target: &Target, sum: Sum) -> Result<Response<Body>, OssError> {
        let number = target.part_number().filter(|number| PART_NUMBERS.contains(number));
        let number = number.ok_or_else(|| OssError::argument("Part number must be 1 to 10000.", "partNumber", ""))?;
        self.with_upload(target, |upload| {
            upload.parts.insert(number, sum);
        })?;
        Ok(stored(&sum.etag(), sum))
    }

    fn list_parts(&self, target: &Target) -> Result<Response<Body>, OssError> {
        let marker = target.query("part-number-marker").and_then(|marker| marker.parse().ok()).unwrap_or(0);
        let parts: Vec<(u32, Sum)> = self.with_upload(target, |upload| {
            upload.parts.range(marker + 1..).take(PAGE + 1).map(|(number, sum)| (*number, *sum)).collect()
        })?;
        let page = &parts[..parts.len().min(PAGE)];
        let next = page.last().map_or(marker, |(number, _)| *number);
        let mut list = self
            .named("ListPartsResult", target)
            .text("UploadId", target.upload_id().unwrap_or_default())
            .text("PartNumberMarker", &marker.to_string())
            .text("NextPartNumberMarker", &next.to_string())
            .text("MaxParts", &PAGE.to_string())
            .text("IsTruncated", if parts.len() > PAGE { "true" } else { "false" });
        for (number, sum) in page {
            list = list.child(
                Element::new("Part")
                    .text("PartNumber", &number.to_string())
                    .text("LastModified", &time::xml(Timestamp::now()))
                    .text("ETag", &format!("\"{}\"", sum.etag()))
                    .text("HashCrc64ecma", &sum.crc64.to_string())
                    .text("Size", &sum.size.to_string()),
            );
        }
        Ok(xml(list.document()))
    }

    /// Every part must be there with the ETag that was given out for it.
    fn complete(&self, target: Target, list: &[u8]) -> Result<Response<Body>, OssError> {
        let listed = read_complete(list).filter(|listed| !listed.is_empty()).ok_or_else(malformed)?;
        let (sum, etag) = self.with_upload(&target, |upload| {
            let mut parts = Vec::with_capacity(listed.len());
            for want in &listed {
                let part = upload.parts.get(&want.number).filter(|part| part.etag().eq_ignore_ascii_case(&want.etag));
                parts.push(*part.ok_or_else(|| OssError::new(400, "InvalidPart", "A part is not there."))?);
            }
            let etags: Vec<String> = parts.iter().map(|part| part.etag()).collect();
            Ok((folded(parts), multipart_etag(etags.iter().map(String::as_str))))
        })??;
        let upload_id = target.upload_id().unwrap_or_default().to_owned();
        let answer = self.named("CompleteMultipartUploadResult", &target).text("ETag", &format!("\"{etag}\""));
        let key = target.key.unwrap_or_default();
        let mut response = xml(answer.document());
        tell_sum(&mut response, &etag, sum);
        let mut received = self.received();
        received.open_uploads.remove(&upload_id);
        received.store(key, sum, etag);
        Ok(response)
    }

    fn abort(&self, target: &Target) -> Result<Response<Body>, OssError> {
        self.with_upload(target, |_| ())?;
        self.received().open_uploads.remove(target.upload_id().unwrap_or_default());
        Ok(empty(StatusCode::NO_CONTENT))
    }

    fn head_object(&self, target: &Target) -> Result<Response<Body>, OssError> {
        let key = target.key.as_deref().unwrap_or_default();
        let object = self.received().objects.get(key).cloned().ok_or_else(|| OssError::no_such_key(key))?;
        let sum = Sum { size: object.size, crc64: object.crc64 };
        let mut response = stored(&object.etag, sum);
        put(&mut response, "content-length", &sum.size.to_string());
        put(&mut response, "last-modified", &time::http(Timestamp::now()));
        Ok(response)
    }

    /// For clients that look before they upload: an empty bucket.
    fn nothing_listed(&self, target: &Target) -> Response<Body> {
        let list = Element::new("ListBucketResult")
            .text("Name", &self.config.bucket)
            .text("Prefix", &encode(target.query("prefix").unwrap_or_default().as_bytes(), true))
            .text("MaxKeys", "1000")
            .text("KeyCount", "0")
            .text("IsTruncated", "false");
        xml(list.document())
    }

    fn with_upload<T>(&self, target: &Target, work: impl FnOnce(&mut Upload) -> T) -> Result<T, OssError> {
        let id = target.upload_id().unwrap_or_default();
        let mut received = self.received();
        let upload = received.open_uploads.get_mut(id).filter(|upload| Some(&upload.key) == target.key.as_ref());
        upload.map(work).ok_or_else(|| OssError::no_such_upload(id, "0042-00000104"))
    }

    /// Bucket and key, the key URL-encoded when the request asks for it.
    fn named(&self, element: &'static str, target: &Target) -> Element {
        let key = target.key.as_deref().unwrap_or_default();
        let element = Element::new(element).text("Bucket", &self.config.bucket);
        match target.query("encoding-type") {
            Some("url") => element.text("EncodingType", "url").text("Key", &encode(key.as_bytes(), false)),
            _ => element.text("Key", key),
        }
    }
}

/// Reads a body to its end; `None` when the connection ends first.
async fn read(mut body: Incoming, keep: bool) -> Option<Came> {
    let (mut crc, mut size, mut list) = (Digest::new(CrcAlgorithm::Crc64Xz), 0, Vec::new());
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        crc.update(&data);
        size += data.len() as u64;
        if keep && list.len() + data.len() <= LIST_LIMIT {
            list.extend_from_slice(&data);
        }
    }
    Some(Came { sum: Sum { size, crc64: crc.finalize() }, list })
}

fn is_s3(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|given| given.as_bytes().starts_with(b"AWS"))
}

fn stored(etag: &str, sum: Sum) -> Response<Body> {
    let mut response = empty(StatusCode::OK);
    tell_sum(&mut response, etag, sum);
    response
}

fn tell_sum(response: &mut Response<Body>, etag: &str, sum: Sum) {
    put(response, "etag", &format!("\"{etag}\""));
    put(response, CRC, &sum.crc64.to_string());
}
