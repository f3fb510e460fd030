//! Each operation by method, path, query and headers.

use axum::http::HeaderValue;

use super::*;

fn target(bucket: Option<&str>, key: Option<&str>, query: &str) -> Target {
    let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    });
    Target { bucket: bucket.map(str::to_owned), key: key.map(str::to_owned), query: query.collect() }
}

#[test]
fn each_operation_is_told_by_method_and_query() {
    use Operation::*;
    for (method, query, expected) in [
        ("PUT", "", PutObject),
        ("PUT", "callback=e30%3D&callback-var=e30", PutObject),
        ("PUT", "partNumber=1&uploadId=U", UploadPart),
        ("PUT", "tagging", PutObjectTagging),
        ("PUT", "acl", PutObjectAcl),
        ("POST", "uploads", InitiateMultipartUpload),
        ("POST", "uploadId=U&callback=e30", CompleteMultipartUpload),
        ("GET", "uploadId=U&max-parts=2", ListParts),
        ("GET", "tagging", GetObjectTagging),
        ("GET", "acl", GetObjectAcl),
        ("GET", "response-content-type=a&Expires=1&OSSAccessKeyId=a&Signature=s", GetObject),
        ("HEAD", "objectMeta", GetObjectMeta),
        ("HEAD", "", HeadObject),
        ("DELETE", "uploadId=U", AbortMultipartUpload),
        ("DELETE", "tagging", DeleteObjectTagging),
        ("DELETE", "", DeleteObject),
        ("GET", "x-oss-process=image", Unknown),
        ("HEAD", "response-content-type=a", Unknown),
        ("POST", "append&position=0", Unknown),
        ("POST", "", Unknown),
        ("GET", "versionId=1", GetObject),
        ("HEAD", "versionId=null", HeadObject),
        ("DELETE", "versionId=null", DeleteObject),
        ("PUT", "versionId=null", Unknown),
    ] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let told = Operation::of(&method, &target(Some("b"), Some("k"), query), &HeaderMap::new());
        assert_eq!(told, expected, "{method} {query}");
    }
}

#[test]
fn each_operation_on_the_bucket_and_above_it_is_told() {
    use Operation::*;
    for (method, bucket, query, expected) in [
        ("GET", Some("b"), "", ListObjects),
        ("GET", Some("b"), "prefix=p&delimiter=%2F&marker&max-keys=1&encoding-type=url", ListObjects),
        ("GET", Some("b"), "list-type=2&start-after=a", ListObjectsV2),
        ("GET", Some("b"), "uploads&key-marker=k", ListMultipartUploads),
        ("GET", Some("b"), "bucketInfo", GetBucketInfo),
        ("GET", Some("b"), "location", GetBucketLocation),
        ("GET", Some("b"), "versioning", GetBucketVersioning),
        ("GET", Some("b"), "stat", GetBucketStat),
        ("GET", Some("b"), "acl", GetBucketAcl),
        ("PUT", Some("b"), "", PutBucket),
        ("POST", Some("b"), "", PostObject),
        ("POST", Some("b"), "delete", DeleteMultipleObjects),
        ("PUT", Some("b"), "acl", Unknown),
        ("DELETE", Some("b"), "", Unknown),
        ("GET", Some("b"), "lifecycle", Unknown),
        ("GET", None, "", ListBuckets),
        ("GET", None, "regions=oss-cn-hangzhou", DescribeRegions),
        ("POST", None, "", Unknown),
    ] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let told = Operation::of(&method, &target(bucket, None, query), &HeaderMap::new());
        assert_eq!(told, expected, "{method} {query}");
    }
}

#[test]
fn a_copy_source_makes_a_copy_and_goes_with_nothing_else() {
    let headers =
        HeaderMap::from_iter([("x-oss-copy-source".parse().expect("a name"), HeaderValue::from_static("/b/k"))]);
    let told = |method: Method, query: &str| Operation::of(&method, &target(Some("b"), Some("k"), query), &headers);
    assert_eq!(told(Method::PUT, ""), Operation::CopyObject);
    assert_eq!(told(Method::PUT, "partNumber=1&uploadId=U"), Operation::UploadPartCopy);
    assert_eq!(told(Method::POST, "uploads"), Operation::Unknown);
}
