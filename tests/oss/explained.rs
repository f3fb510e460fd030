//! A wrong secret: the server says what it signed, and it is what `explain` shows for the right secret.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use waybill_oss::{
    Client, Credential, ListOptions, ObjectHeaders, ServiceError, SignRequest, SignatureVersion, StorageClass, explain,
};

use crate::lab::{HOUR, Lab, VERSIONS, element, key, map, refused, slice};

const ODD: &str = "odd +%25?&=/../中\u{1}.txt";

/// The moment that a StringToSign names.
fn moment(string_to_sign: &str, version: SignatureVersion) -> Timestamp {
    let lines: Vec<&str> = string_to_sign.split('\n').collect();
    match version {
        SignatureVersion::V4 => {
            let time = DateTime::strptime("%Y%m%dT%H%M%SZ", lines[1]).expect("a time");
            time.to_zoned(TimeZone::UTC).expect("a time").timestamp()
        }
        SignatureVersion::V1 => rfc2822::parse(lines[3]).expect("a time").timestamp(),
    }
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    map(of).into_iter().collect()
}

/// Sees that the server's text is the one of the right secret.
fn compare(answer: &ServiceError, mut request: SignRequest) {
    assert_eq!((answer.status, answer.code.as_str()), (403, "SignatureDoesNotMatch"));
    let theirs = answer.string_to_sign.as_deref().expect("what the server signed");
    request.time = Some(moment(theirs, request.version));
    let ours = explain(&request).expect("an explanation").string_to_sign;
    // The client shows no token.
    let ours = request.credential.security_token().map_or(ours.clone(), |token| ours.replace(token, "***"));
    assert_eq!(ours, theirs, "{}", answer.operation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_string_to_sign_is_the_one_that_explain_prints() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let wrong = Credential::new("test-id", "wrong", None);
        let client = lab.client_of(version, wrong);
        let headers = ObjectHeaders {
            content_type: Some("text/plain".into()),
            metadata: map(&[("Place", "杭州"), ("spaced", "a  b")]),
            storage_class: Some(StorageClass::InfrequentAccess),
            ..ObjectHeaders::default()
        };
        let sent = [
            ("content-type", "text/plain"),
            ("x-oss-meta-place", "杭州"),
            ("x-oss-meta-spaced", "a  b"),
            ("x-oss-storage-class", "IA"),
        ];
        let answer = refused(client.put_object(&key(ODD), &slice(b"1"), &headers, None, None).await);
        compare(&answer, SignRequest { headers: pairs(&sent), ..lab.request(version, "PUT", Some(ODD)) });

        let answer = refused(client.head_object(&key(ODD)).await);
        compare(&answer, lab.request(version, "HEAD", Some(ODD)));

        let query = pairs(&[("partNumber", "3"), ("uploadId", "A+B/C=")]);
        let part = client.upload_part(&key(ODD), "A+B/C=", 3, &slice(b"1"), None, None).await;
        compare(&refused(part), SignRequest { query, ..lab.request(version, "PUT", Some(ODD)) });

        let options = ListOptions { prefix: "a b+/".into(), start_after: Some("~é".into()), ..ListOptions::default() };
        let query = [
            ("list-type", "2"),
            ("max-keys", "1000"),
            ("encoding-type", "url"),
            ("prefix", "a b+/"),
            ("start-after", "~é"),
        ];
        let answer = refused(client.list_objects_page(&options, None).await);
        compare(&answer, SignRequest { query: pairs(&query), ..lab.request(version, "GET", None) });
        assert_eq!(lab.object("a"), None);
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_are_signed_in_addition_and_a_token_are_in_it() {
    let lab = Lab::new().await;
    let keys = lab.temporary();
    let token = keys.security_token().map(str::to_owned);
    for version in VERSIONS {
        let wrong = Credential::new(keys.access_key_id(), "wrong", token.clone());
        let also = vec!["Cache-Control".to_owned(), "content-length".to_owned()];
        let also = if version == SignatureVersion::V4 { also } else { Vec::new() };
        let signing = |client: Client| client.with_additional_headers(also.clone()).expect("headers");
        let headers = ObjectHeaders { cache_control: Some("no-cache".into()), ..ObjectHeaders::default() };
        let put = async |client: Client| client.put_object(&key("a"), &slice(b"1"), &headers, None, None).await;
        let answer = refused(put(signing(lab.client_of(version, wrong))).await);
        let expected = SignRequest {
            credential: keys.clone(),
            headers: pairs(&[("cache-control", "no-cache"), ("content-length", "1")]),
            additional_headers: also.clone(),
            ..lab.request(version, "PUT", Some("a"))
        };
        compare(&answer, expected);
        put(signing(lab.client_of(version, keys.clone()))).await.expect("the right secret");
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_presigned_url_is_explained_in_the_same_way() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let wrong = Credential::new("test-id", "wrong", None);
        let response = waybill_oss::ResponseHeaders {
            content_type: Some("a/b".into()),
            ..waybill_oss::ResponseHeaders::default()
        };
        let url = lab.client_of(version, wrong).presign_get(&key("a +"), &response, HOUR).await.expect("a URL").url;
        let xml = lab.anybody.get(&url).send().await.expect("an answer").text().await.expect("XML");
        let theirs = element(&xml, "StringToSign").replace("&amp;", "&");
        // Version 1 signs the end where the other has the beginning.
        let lines: Vec<&str> = theirs.split('\n').collect();
        let time = match version {
            SignatureVersion::V4 => moment(&theirs, version),
            SignatureVersion::V1 => Timestamp::from_second(lines[3].parse().expect("seconds")).expect("a time") - HOUR,
        };
        let ours = explain(&SignRequest {
            query: pairs(&[("response-content-type", "a/b")]),
            time: Some(time),
            expires: Some(HOUR),
            ..lab.request(version, "GET", Some("a +"))
        })
        .expect("an explanation");
        assert_eq!(ours.string_to_sign, theirs);
        assert_eq!(lab.anybody.get(&ours.url).send().await.expect("an answer").status(), 404, "its URL is let in");
    }
    lab.sandbox.stop().await;
}
