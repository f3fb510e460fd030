//! Multipart uploads, from Initiate to Complete, and the bucket's own facts.

use waybill_oss::{Acl, CallbackOutcome, Error, ObjectHeaders, RetryPolicy};

use crate::object::callback;
use crate::server::{Reply, Server, answer, crc64, key, plain, refusal, slice};

const XML: (&str, &str) = ("Content-Type", "application/xml");

fn parts() -> Vec<(u32, String)> {
    vec![(2, "E2".to_owned()), (1, "\"E1\"".to_owned())]
}

#[tokio::test]
async fn initiate_returns_the_upload_id() {
    let body = "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId> 0004B9894A </UploadId>\
        </InitiateMultipartUploadResult>";
    let server = Server::start(vec![answer(200, &[XML], body)]).await;
    let id =
        server.client().initiate_multipart(&key("k"), &ObjectHeaders::of_type(Some("video/mp4"))).await.expect("id");
    assert_eq!(id, "0004B9894A");
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/examplebucket/k?uploads&encoding-type=url"));
    assert_eq!((seen.header("content-length"), seen.header("content-type")), ("0", "video/mp4"));
}

#[tokio::test]
async fn a_part_is_sent_and_its_checksum_compared() {
    let reply = answer(200, &[("ETag", "\"E7\""), ("x-oss-hash-crc64ecma", &crc64(b"part"))], "");
    let server = Server::start(vec![reply]).await;
    let part = server.client().upload_part(&key("k"), "U/+=", 7, &slice(b"part"), None, None).await.expect("part");
    assert_eq!((part.number, part.etag.as_str(), part.size), (7, "E7", 4));
    assert_eq!(part.crc64.to_string(), crc64(b"part"));
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/examplebucket/k?partNumber=7&uploadId=U%2F%2B%3D");
    assert_eq!(seen.body, b"part");
}

#[tokio::test]
async fn part_with_wrong_crc_is_an_integrity_error() {
    let wrong = || answer(200, &[("ETag", "\"E\""), ("x-oss-hash-crc64ecma", "1")], "");
    let server = Server::start(vec![wrong()]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let error = client.upload_part(&key("k"), "U", 1, &slice(b"part"), None, None).await.expect_err("wrong");
    assert!(matches!(error, Error::Integrity { server: 1, .. }), "{error}");
    assert_eq!(error.request_id(), Some("65A1B2"));

    let right = answer(200, &[("ETag", "\"E\""), ("x-oss-hash-crc64ecma", &crc64(b"part"))], "");
    let server = Server::start(vec![wrong(), right]).await;
    server.client().upload_part(&key("k"), "U", 1, &slice(b"part"), None, None).await.expect("sent again");
}

#[tokio::test]
async fn a_part_without_a_checksum_is_not_taken_for_stored() {
    let server = Server::start(vec![answer(200, &[("ETag", "\"E\"")], "")]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let error = client.upload_part(&key("k"), "U", 1, &slice(b"part"), None, None).await.expect_err("unchecked");
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn a_part_number_out_of_range_is_refused_before_sending() {
    let server = Server::start(vec![]).await;
    for number in [0, 10_001] {
        let error =
            server.client().upload_part(&key("k"), "U", number, &slice(b"x"), None, None).await.expect_err("range");
        assert!(matches!(error, Error::Invalid(_)), "{error}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn list_parts_reads_every_page() {
    let page = |truncated: bool, next: u32, numbers: &[u32]| {
        let part = |number: &u32| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>\"E{number}\"</ETag><Size>5</Size></Part>")
        };
        let parts: String = numbers.iter().map(part).collect();
        let body = format!(
            "<ListPartsResult><NextPartNumberMarker>{next}</NextPartNumberMarker>\
             <IsTruncated>{truncated}</IsTruncated>{parts}</ListPartsResult>"
        );
        answer(200, &[XML], &body)
    };
    let server = Server::start(vec![page(true, 2, &[1, 2]), page(true, 5, &[4, 5]), page(false, 9, &[9])]).await;
    let parts = server.client().list_parts(&key("k"), "U").await.expect("parts");
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2, 4, 5, 9]);
    assert_eq!((parts[4].etag.as_str(), parts[4].size, parts[4].crc64), ("E9", 5, None));
    let targets: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert!(!targets[0].contains("part-number-marker"));
    assert!(
        targets[1].ends_with("&part-number-marker=2") && targets[2].ends_with("&part-number-marker=5"),
        "{targets:?}"
    );
}

#[tokio::test]
async fn a_list_that_never_gets_on_is_given_up() {
    let body = "<ListPartsResult><IsTruncated>true</IsTruncated></ListPartsResult>";
    let server = Server::start(vec![answer(200, &[XML], body)]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    assert!(matches!(client.list_parts(&key("k"), "U").await, Err(Error::Unreadable { .. })));
}

#[tokio::test]
async fn complete_with_200_returns_the_servers_own_answer() {
    let headers = [("ETag", "\"B864-2\""), ("x-oss-hash-crc64ecma", "77"), ("Content-Type", "application/json")];
    let server = Server::start(vec![answer(200, &headers, "{\"Status\":\"OK\"}")]).await;
    let done = server
        .client()
        .complete_multipart(&key("k"), "U", &parts(), &plain(), Some(&callback()))
        .await
        .expect("completed");
    assert_eq!((done.etag.as_str(), done.crc64, done.local_crc64), ("B864-2", Some(77), None));
    let CallbackOutcome::Answered { status: 200, body, .. } = done.callback else { panic!("{:?}", done.callback) };
    assert_eq!(body, "{\"Status\":\"OK\"}");
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.header("content-type")), ("POST", "application/xml"));
    assert_eq!(seen.header("content-length"), seen.body.len().to_string());
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"E1\"</ETag></Part>\
         <Part><PartNumber>2</PartNumber><ETag>\"E2\"</ETag></Part></CompleteMultipartUpload>"
    );
}

#[tokio::test]
async fn complete_with_203_is_a_failed_callback_and_a_stored_object() {
    let body = "<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message><RequestId>65A1B2</RequestId>\
        <EC>0007-00000203</EC></Error>";
    let server = Server::start(vec![answer(203, &[("ETag", "\"B864-2\""), XML], body)]).await;
    let done = server
        .client()
        .complete_multipart(&key("k"), "U", &parts(), &plain(), Some(&callback()))
        .await
        .expect("stored all the same");
    assert_eq!(done.etag, "B864-2");
    let expected = CallbackOutcome::Failed {
        ec: Some("0007-00000203".to_owned()),
        message: "Error status : 502.".to_owned(),
        body: body.to_owned(),
    };
    assert_eq!(done.callback, expected);
}

#[tokio::test]
async fn complete_without_a_callback_reads_osss_own_xml() {
    let body =
        "<CompleteMultipartUploadResult><Location>l</Location><ETag>\"B864-2\"</ETag></CompleteMultipartUploadResult>";
    let server = Server::start(vec![answer(200, &[XML, ("x-oss-hash-crc64ecma", "5")], body)]).await;
    let done = server.client().complete_multipart(&key("k"), "U", &parts(), &plain(), None).await.expect("completed");
    assert_eq!((done.etag.as_str(), done.crc64, done.callback), ("B864-2", Some(5), CallbackOutcome::NotRequested));
}

#[tokio::test]
async fn an_error_inside_a_200_is_not_a_completed_upload() {
    let body = "<Error><Code>InternalError</Code><Message>m</Message></Error>";
    let server = Server::start(vec![answer(200, &[XML], body)]).await;
    let error = server.client().complete_multipart(&key("k"), "U", &parts(), &plain(), None).await.expect_err("error");
    assert_eq!((error.service_code(), error.answer_lost()), (Some("InternalError"), true));
}

#[tokio::test]
async fn lost_complete_answer_is_not_repeated() {
    let text = crate::server::text(200, &[("ETag", "\"E\"")], "{\"Status\":\"OK\"}");
    let callback = callback();
    for spec in [Some(&callback), None] {
        let cut = Reply::Cut(text.clone(), text.len() - 3);
        for reply in [Reply::Lost, Reply::HangUp, cut, refusal(500, "InternalError", "")] {
            let server = Server::start(vec![reply]).await;
            let error =
                server.client().complete_multipart(&key("k"), "U", &parts(), &plain(), spec).await.expect_err("lost");
            assert!(error.answer_lost(), "{error}");
            assert_eq!(server.seen().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_refused_complete_is_known_not_to_have_run() {
    let server = Server::start(vec![refusal(404, "NoSuchUpload", "0042-00000203")]).await;
    let error =
        server.client().complete_multipart(&key("k"), "U", &parts(), &plain(), None).await.expect_err("refused");
    assert_eq!((error.service_code(), error.answer_lost()), (Some("NoSuchUpload"), false));
}

#[tokio::test]
async fn aborting_an_upload_that_is_gone_is_fine() {
    let server = Server::start(vec![answer(204, &[], ""), refusal(404, "NoSuchUpload", "0042-00000002")]).await;
    server.client().abort_multipart(&key("k"), "U").await.expect("aborted");
    server.client().abort_multipart(&key("k"), "U").await.expect("gone already");
    assert_eq!(server.seen()[0].method, "DELETE");
}

#[tokio::test]
async fn what_a_stranger_calls_done_is_not_aborted_or_deleted() {
    let portal = || Reply::Answer("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>".to_owned());
    let server = Server::start(vec![portal(), portal()]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    for error in [
        client.abort_multipart(&key("k"), "U").await.expect_err("not aborted"),
        client.delete_object(&key("k"), None).await.expect_err("not deleted"),
    ] {
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    }
}

#[tokio::test]
async fn bucket_info_says_where_the_bucket_is() {
    let body = "<BucketInfo><Bucket><CreationDate>2013-07-31T10:56:21.000Z</CreationDate>\
        <ExtranetEndpoint>oss-cn-hangzhou.aliyuncs.com</ExtranetEndpoint>\
        <IntranetEndpoint>oss-cn-hangzhou-internal.aliyuncs.com</IntranetEndpoint><Location>oss-cn-hangzhou</Location>\
        <Name>examplebucket</Name><StorageClass>Standard</StorageClass><Owner><ID>1</ID></Owner>\
        <AccessControlList><Grant>private</Grant></AccessControlList></Bucket></BucketInfo>";
    let server = Server::start(vec![answer(200, &[XML], body), refusal(403, "AccessDenied", "0003-00001403")]).await;
    let info = server.client().get_bucket_info().await.expect("info");
    assert_eq!((info.location.as_str(), info.acl.as_str()), ("oss-cn-hangzhou", "private"));
    assert_eq!(info.intranet_endpoint, "oss-cn-hangzhou-internal.aliyuncs.com");
    assert_eq!(server.seen()[0].target, "/examplebucket/?bucketInfo");
    let error = server.client().get_bucket_info().await.expect_err("denied");
    assert_eq!(
        error.to_string(),
        "GetBucketInfo: OSS answered 403 AccessDenied: Words about AccessDenied. (EC 0003-00001403)"
    );
}

#[tokio::test]
async fn forbid_overwrite_is_said_at_the_beginning_and_at_the_end() {
    let begun = "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>";
    let part = answer(200, &[("ETag", "\"E\""), ("x-oss-hash-crc64ecma", &crc64(b"part"))], "");
    let server =
        Server::start(vec![answer(200, &[XML], begun), part, refusal(409, "FileAlreadyExists", "0026-00000012")]).await;
    let headers = ObjectHeaders {
        acl: Some(Acl::Private),
        forbid_overwrite: true,
        traffic_limit: Some(819_200),
        ..ObjectHeaders::of_type(Some("text/plain"))
    };
    let client = server.client();
    client.initiate_multipart(&key("k"), &headers).await.expect("begun");
    client.upload_part(&key("k"), "U", 1, &slice(b"part"), headers.traffic_limit, None).await.expect("part");
    let error = client.complete_multipart(&key("k"), "U", &parts(), &headers, None).await.expect_err("exists");
    assert_eq!((error.service_code(), error.answer_lost()), (Some("FileAlreadyExists"), false));
    let seen = server.seen();
    let said: Vec<[&str; 4]> = seen
        .iter()
        .map(|seen| {
            ["x-oss-forbid-overwrite", "x-oss-object-acl", "x-oss-traffic-limit", "content-type"]
                .map(|name| seen.header(name))
        })
        .collect();
    assert_eq!(
        said,
        [["true", "private", "", "text/plain"], ["", "", "819200", ""], ["true", "private", "", "application/xml"]]
    );
}
