//! Lists: objects of both versions, open uploads, buckets.

use waybill_oss::{
    Account, Clock, Credential, Endpoint, Error, HttpOptions, ListOptions, ListVersion, RetryPolicy, SignatureVersion,
    UploadMarker, http_client,
};

use crate::server::{Reply, SECRET, Server, answer, refusal};

const XML: (&str, &str) = ("Content-Type", "application/xml");

fn objects(next: Option<&str>, keys: &[&str]) -> Reply {
    let row = |key: &&str| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2020-05-18T05:45:43.000Z</LastModified><ETag>\"E\"</ETag>\
             <Type>Normal</Type><Size>5</Size><StorageClass>Standard</StorageClass><Owner><ID>0022012</ID>\
             <DisplayName>0022012</DisplayName></Owner></Contents>"
        )
    };
    let rows: String = keys.iter().map(row).collect();
    let body = format!(
        "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>{}{rows}</ListBucketResult>",
        next.is_some(),
        next.unwrap_or_default()
    );
    answer(200, &[XML], &body)
}

#[tokio::test]
async fn objects_are_listed_page_by_page_with_tokens() {
    let token = "<NextContinuationToken>CgJi%2B</NextContinuationToken>";
    let server = Server::start(vec![objects(Some(token), &["a%20b", "a%2Bb"]), objects(None, &["%E6%96%87"])]).await;
    let client = server.client();
    let options = ListOptions {
        prefix: "a/ b".to_owned(),
        delimiter: Some("/".to_owned()),
        start_after: Some("a/ b+".to_owned()),
        ..ListOptions::default()
    };
    let mut pages = client.list_objects(options);
    let first = pages.next().await.expect("first").expect("page");
    assert_eq!(first.objects.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["a b", "a+b"]);
    assert_eq!((first.objects[0].etag.as_str(), first.objects[0].size, first.next.as_deref()), ("E", 5, Some("CgJi+")));
    let second = pages.next().await.expect("second").expect("page");
    assert_eq!((second.objects[0].key.as_str(), second.next), ("文", None));
    assert_eq!(pages.next().await.expect("end"), None);
    let common = "/examplebucket/?list-type=2&max-keys=1000&encoding-type=url&prefix=a%2F%20b&delimiter=%2F";
    let targets: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, [format!("{common}&start-after=a%2F%20b%2B"), format!("{common}&continuation-token=CgJi%2B")]);
}

#[tokio::test]
async fn objects_are_listed_with_markers_in_version_one() {
    let server = Server::start(vec![
        objects(Some("<NextMarker>b%2F</NextMarker>"), &["a"]),
        objects(Some(""), &["c", "d%2B"]),
        objects(None, &["e"]),
    ])
    .await;
    let client = server.client();
    let options = ListOptions { version: ListVersion::V1, page_size: Some(2), ..ListOptions::default() };
    let all = client.list_objects(options).all().await.expect("all");
    assert_eq!(all.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["a", "c", "d+", "e"]);
    let targets: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets[0], "/examplebucket/?max-keys=2&encoding-type=url");
    assert!(targets[1].ends_with("&marker=b%2F"), "{targets:?}");
    assert!(targets[2].ends_with("&marker=d%2B"), "without NextMarker the last key is the marker: {targets:?}");
}

#[tokio::test]
async fn a_list_of_objects_that_never_gets_on_is_given_up() {
    let token = "<NextContinuationToken>T</NextContinuationToken>";
    for replies in [vec![objects(Some(""), &["a"])], vec![objects(Some(token), &["a"]), objects(Some(token), &["a"])]] {
        let server = Server::start(replies).await;
        let client = server.client().with_retry(RetryPolicy::none());
        let error = client.list_objects(ListOptions::default()).all().await.expect_err("endless");
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_page_size_out_of_range_is_refused_before_sending() {
    let server = Server::start(vec![]).await;
    let client = server.client();
    for size in [0, 1001] {
        let options = ListOptions { page_size: Some(size), ..ListOptions::default() };
        assert!(matches!(client.list_objects_page(&options, None).await, Err(Error::Invalid(_))));
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_whole_page_of_the_longest_keys_is_read() {
    let key = "%E6%96%87".repeat(341);
    let keys: Vec<&str> = (0..1000).map(|_| key.as_str()).collect();
    let server = Server::start(vec![objects(None, &keys)]).await;
    let all = server.client().list_objects(ListOptions::default()).all().await.expect("page");
    assert_eq!((all.len(), all[0].key.len()), (1000, 1023));
}

#[tokio::test]
async fn open_uploads_are_listed_with_both_markers() {
    let page = |more: &str, key: &str, id: &str| {
        let body = format!(
            "<ListMultipartUploadsResult><EncodingType>url</EncodingType>{more}<Upload><Key>{key}</Key>\
             <UploadId>{id}</UploadId><Initiated>2012-02-23T04:18:23.000Z</Initiated></Upload>\
             </ListMultipartUploadsResult>"
        );
        answer(200, &[XML], &body)
    };
    let more = "<IsTruncated>true</IsTruncated><NextKeyMarker>a%2Bb</NextKeyMarker>\
        <NextUploadIdMarker>U1</NextUploadIdMarker>";
    let last = "<IsTruncated>false</IsTruncated>";
    let server = Server::start(vec![page(more, "a%2Bb", "U1"), page(last, "c", "U2"), page(more, "a%2Bb", "U1")]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let all = client.list_uploads("a b/").await.expect("uploads");
    assert_eq!((all[0].key.as_str(), all[0].upload_id.as_str(), all[1].key.as_str()), ("a+b", "U1", "c"));
    assert_eq!(all[0].initiated, "2012-02-23T04:18:23.000Z");
    let seen = server.seen();
    assert_eq!(seen[0].target, "/examplebucket/?uploads&max-uploads=1000&encoding-type=url&prefix=a%20b%2F");
    assert!(seen[1].target.ends_with("&key-marker=a%2Bb&upload-id-marker=U1"), "{}", seen[1].target);

    let marker = UploadMarker { key: "a+b".to_owned(), upload_id: "U1".to_owned() };
    let error = client.list_uploads_page("", Some(&marker)).await.expect_err("the same page again");
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn buckets_are_listed_at_the_endpoint_itself() {
    let page = |more: &str, name: &str| {
        let body = format!(
            "<ListAllMyBucketsResult><Owner><ID>1</ID></Owner>{more}<Buckets><Bucket><Name>{name}</Name>\
             <Location>oss-cn-hangzhou</Location><Region>cn-hangzhou</Region><StorageClass>Standard</StorageClass>\
             <ExtranetEndpoint>oss-cn-hangzhou.aliyuncs.com</ExtranetEndpoint></Bucket></Buckets>\
             </ListAllMyBucketsResult>"
        );
        answer(200, &[XML], &body)
    };
    let more = "<IsTruncated>true</IsTruncated><NextMarker>one</NextMarker>";
    let server =
        Server::start(vec![page(more, "one"), page("", "two"), refusal(403, "AccessDenied", "0003-00000001")]).await;
    let endpoint = Endpoint::parse(&server.address).expect("endpoint");
    let credential = Credential::new("ak", SECRET, None);
    let account = Account::new(
        http_client(&HttpOptions::default()).expect("http"),
        endpoint,
        "cn-hangzhou".to_owned(),
        credential,
    );
    let patience = std::time::Duration::from_secs(9);
    let account = account.with_clock(Clock::default()).with_stall_timeout(patience).with_retry(RetryPolicy::none());
    let account = account.with_additional_headers(vec!["host".to_owned()]).expect("a name");
    let all = account.list_buckets("o").await.expect("buckets");
    assert!(server.seen()[0].header("authorization").contains(",AdditionalHeaders=host,"));
    assert_eq!(
        (all[0].name.as_str(), all[1].name.as_str(), all[1].region.as_deref()),
        ("one", "two", Some("cn-hangzhou"))
    );
    let targets: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/?max-keys=1000&prefix=o", "/?max-keys=1000&prefix=o&marker=one"]);
    let account = account.with_signature(SignatureVersion::V1);
    let error = account.list_buckets("").await.expect_err("denied");
    assert_eq!(error.service_code(), Some("AccessDenied"));
}

#[tokio::test]
async fn a_bucket_says_where_it_is() {
    let body = "<?xml version=\"1.0\"?>\n<LocationConstraint xmlns=\"x\">oss-cn-hangzhou</LocationConstraint >";
    let server = Server::start(vec![answer(200, &[XML], body)]).await;
    assert_eq!(server.client().get_bucket_location().await.expect("place"), "oss-cn-hangzhou");
    assert_eq!(server.seen()[0].target, "/examplebucket/?location");
}
