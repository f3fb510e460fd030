//! Buckets: what they say about themselves, the account's list of them, and one that lives in another region.

use waybill_oss::{
    BucketName, Client, GetOptions, ObjectHeaders, PlainHttp, RetryPolicy, ServiceError, normalize_region,
};
use waybill_sandbox::Operation;

use crate::lab::{Lab, VERSIONS, key, put, refused, right, slice};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_says_where_it_is_and_the_account_lists_it() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let client = lab.client(version);
        let info = client.get_bucket_info().await.expect("its facts");
        assert_eq!((info.name.as_str(), info.location.as_str()), ("bucket", "oss-cn-test"));
        assert_eq!((info.acl.as_str(), info.storage_class.as_str()), ("private", "Standard"));
        assert_eq!((info.redundancy.as_deref(), info.versioning.as_deref()), (Some("LRS"), None));
        assert_eq!((info.transfer_acceleration, info.block_public_access), (false, Some(false)));
        assert_eq!(info.encryption.as_deref(), Some("None"));
        let location = client.get_bucket_location().await.expect("its place");
        assert_eq!((normalize_region(&location).expect("a region"), location), ("cn-test".into(), info.location));

        let account = lab.account(version);
        for prefix in ["", "bu"] {
            let buckets = account.list_buckets(prefix).await.expect("the buckets");
            let [bucket] = &buckets[..] else { panic!("{buckets:?}") };
            assert_eq!((bucket.name.as_str(), bucket.location.as_str()), ("bucket", "oss-cn-test"));
            assert_eq!((bucket.region.as_deref(), &bucket.creation_date), (Some("cn-test"), &info.creation_date));
        }
        assert_eq!(account.list_buckets("x").await.expect("the buckets"), []);
        let same = account.bucket(BucketName::parse("bucket").expect("a bucket"));
        put(&same, "a", b"1").await.expect("stored");
        let unknown = account.bucket(BucketName::parse("unknown").expect("a bucket"));
        assert_eq!(refused(unknown.get_bucket_info().await).code, "NoSuchBucket");
        assert_eq!(refused(unknown.head_object(&key("a")).await).code, "NoSuchBucket");
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_of_another_region_is_answered_with_the_endpoint_to_offer() {
    let right_place = "oss-cn-beijing.aliyuncs.com";
    let lab =
        Lab::with(|tuning| drop(tuning.other_region_buckets.insert("elsewhere".into(), right_place.into()))).await;
    for version in VERSIONS {
        let bucket = BucketName::parse("elsewhere").expect("a bucket");
        let client = lab.account(version).bucket(bucket).with_retry(RetryPolicy::none());
        let name = key("a");
        let plain = ObjectHeaders::default();
        let told = |answer: ServiceError| {
            assert_eq!((answer.status, answer.code.as_str()), (403, "AccessDenied"), "{}", answer.operation);
            assert_eq!(answer.endpoint.as_deref(), Some(right_place), "{}", answer.operation);
            assert!(answer.message.contains("must be addressed"), "{}", answer.message);
            lab.endpoint().offered(right_place).expect("an offer")
        };
        let offers = [
            told(refused(client.put_object(&name, &slice(b"1"), &plain, None, None).await)),
            told(refused(client.initiate_multipart(&name, &plain).await)),
            told(refused(client.head_object(&name).await)),
            told(refused(client.get_object(&name, &GetOptions::default()).await)),
            told(refused(client.get_bucket_info().await)),
        ];
        for offer in offers {
            assert_eq!(
                (offer.region().as_deref(), offer.to_string().as_str()),
                (Some("cn-beijing"), "http://oss-cn-beijing.aliyuncs.com")
            );
        }
    }
    let wrong = waybill_oss::Endpoint::parse_with("oss-cn-hangzhou.aliyuncs.com", PlainHttp::LoopbackOnly);
    assert_eq!(wrong.expect("an endpoint").offered(right_place).expect("an offer").to_string(), right_place);
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_for_another_region_is_refused() {
    let lab = Lab::new().await;
    let bucket = BucketName::parse("bucket").expect("a bucket");
    let client = Client::new(lab.http.clone(), lab.endpoint(), "cn-other".to_owned(), bucket, right());
    let answer = refused(put(&client, "a", b"1").await);
    assert!(answer.message.to_lowercase().contains("region") && lab.object("a").is_none(), "{answer:?}");
    assert_eq!(lab.answers_since(0), [(Operation::PutObject, answer.status)]);
    lab.sandbox.stop().await;
}
