//! The bucket itself and what lies above it.

use reqwest::Method;

use crate::bed::{Ask, Bed};

fn above(bed: &Bed) -> Ask<'_> {
    let mut ask = bed.ask_bucket(Method::GET);
    ask.bucket = String::new();
    ask
}

#[tokio::test]
async fn the_one_bucket_is_listed_and_described() {
    let bed = Bed::start().await;
    let list = above(&bed).send().await;
    assert_eq!((list.status, list.element("Name").as_str()), (200, "test-bucket"), "{}", list.text());
    assert_eq!(
        (list.element("Location").as_str(), list.element("Region").as_str()),
        ("oss-cn-hangzhou", "cn-hangzhou")
    );
    assert!(list.text().contains("<ListAllMyBucketsResult><Owner><ID>") && !list.text().contains("<MaxKeys>"));
    let none = above(&bed).query("prefix", "other").query("max-keys", "10").send().await;
    assert_eq!((none.elements("Name").len(), none.element("IsTruncated").as_str()), (0, "false"), "{}", none.text());
    let info = bed.ask_bucket(Method::GET).query("bucketInfo", "").send().await;
    assert_eq!((info.element("Name").as_str(), info.element("Grant").as_str()), ("test-bucket", "private"));
    let location = bed.ask_bucket(Method::GET).query("location", "").send().await;
    assert!(
        location.text().ends_with("<LocationConstraint>oss-cn-hangzhou</LocationConstraint>"),
        "{}",
        location.text()
    );
    assert_eq!(bed.ask_bucket(Method::GET).query("acl", "").send().await.element("Grant"), "private");
    let regions = above(&bed).query("regions", "").send().await;
    assert_eq!(regions.element("Region"), "oss-cn-hangzhou");
}

#[tokio::test]
async fn making_the_own_bucket_again_is_fine_and_any_other_name_is_taken() {
    let bed = Bed::start().await;
    bed.put("k", "x").await;
    assert_eq!(bed.ask_bucket(Method::PUT).send().await.status, 200);
    assert!(bed.get("k").await.is_some());
    let mut other = bed.ask_bucket(Method::PUT);
    other.bucket = "other-bucket".into();
    let other = other.send().await;
    other.refused(409, "BucketAlreadyExists");
    assert_eq!(other.element("EC"), "0015-00000104");
    let odd = bed.ask_bucket(Method::PUT).header("x-oss-acl", "everyone");
    odd.send().await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn the_bucket_is_counted() {
    let bed = Bed::start().await;
    bed.put("a", "12345").await;
    bed.put("b", "678").await;
    let upload = bed.initiate("c").await;
    bed.part("c", &upload, 1, vec![1]).await;
    let stat = bed.ask_bucket(Method::GET).query("stat", "").send().await;
    for (name, value) in
        [("Storage", "8"), ("ObjectCount", "2"), ("MultipartUploadCount", "1"), ("MultipartPartCount", "1")]
    {
        assert_eq!(stat.element(name), value);
    }
}
