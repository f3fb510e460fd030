//! Forms: the policy lets in what it says and nothing else, made by ourselves or handed over by an application server.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use waybill_oss::{
    CallbackOutcome, CallbackSpec, Condition, Credential, Error, HandedPolicy, ObjectHeaders, PostForm, PostPolicy,
    ServiceError, SignatureVersion, content_type_for, sign_policy,
};
use waybill_tests::content;

use crate::lab::{HOUR, Lab, VERSIONS, crc64, get, key, map, refused, right, slice};
use crate::objects::everything;

/// What everybody may upload: up to 100 bytes below `in/`.
fn policy() -> PostPolicy {
    PostPolicy {
        expiration: Timestamp::now() + HOUR,
        conditions: vec![
            Condition::Bucket("bucket".into()),
            Condition::StartsWith("key".into(), "in/".into()),
            Condition::ContentLengthRange(1, 100),
        ],
    }
}

fn signed(policy: &PostPolicy, version: SignatureVersion, keys: &Credential) -> PostForm {
    let fields = policy.form_fields(version, keys, "cn-test", Timestamp::now()).expect("a policy");
    PostForm { policy: fields, file_name: "local \"name\".txt".into(), ..PostForm::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_the_policy_allows_is_stored_with_lasting_and_with_temporary_keys() {
    let lab = Lab::new().await;
    let bytes = content(100);
    for (version, keys) in VERSIONS.into_iter().flat_map(|version| [(version, right()), (version, lab.temporary())]) {
        // The client's own keys are of no use here, and not used.
        let client = lab.client_of(version, Credential::new("nobody", "nothing", None));
        for (name, success_status) in [("in/a", None), ("in/a+b %\"'?\u{1}中/../$x;", Some(200)), ("in/c", Some(201))]
        {
            let headers = ObjectHeaders {
                tags: map(&[]),
                content_type: content_type_for("a.html").map(str::to_owned),
                ..everything()
            };
            let form = PostForm { success_status, headers, ..signed(&policy(), version, &keys) };
            let stored = client.post_object(&key(name), &slice(&bytes), &form, None).await.expect(name);
            assert_eq!((stored.crc64, &stored.callback), (Some(crc64(&bytes)), &CallbackOutcome::NotRequested));
            let reader = lab.client(version);
            assert!(get(&reader, name).await == bytes, "{name}");
            let head = reader.head_object(&key(name)).await.expect("an answer").expect("the object");
            assert_eq!((head.content_type.as_deref(), &head.etag), (Some("text/html"), &stored.etag));
            assert_eq!(head.metadata, map(&[("author", "Ann  B"), ("place", "杭州"), ("empty", "")]));
            assert_eq!(head.cache_control.as_deref(), Some("max-age=3600"));
            assert_eq!((head.storage_class.as_deref(), head.encryption.as_deref()), (Some("IA"), Some("KMS")));
        }
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_policy_does_not_allow_is_refused_and_nothing_is_stored() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let client = lab.client(version);
        let send = async |name: &str, bytes: &[u8], form: PostForm| -> ServiceError {
            refused(client.post_object(&key(name), &slice(bytes), &form, None).await)
        };
        let fine = || signed(&policy(), version, &right());
        let answer = send("out/a", b"1", fine()).await;
        assert_eq!((answer.code.as_str(), answer.ec.as_deref()), ("AccessDenied", Some("0006-00000227")));
        assert_eq!(send("in/a", &content(101), fine()).await.code, "EntityTooLarge");
        assert_eq!(send("in/a", b"", fine()).await.code, "EntityTooSmall");

        let forged = signed(&policy(), version, &Credential::new("test-id", "wrong", None));
        let said = forged.policy.iter().find(|(name, _)| name == "policy").expect("a policy").1.clone();
        let answer = send("in/a", b"1", forged).await;
        assert_eq!((answer.code.as_str(), answer.string_to_sign), ("SignatureDoesNotMatch", Some(said)));

        let yesterday = Timestamp::now() - Duration::from_secs(86_400);
        let old = PostPolicy { expiration: yesterday + HOUR, ..policy() };
        let fields = old.form_fields(version, &right(), "cn-test", yesterday).expect("it was good then");
        assert_eq!(send("in/a", b"1", PostForm { policy: fields, ..PostForm::default() }).await.code, "AccessDenied");

        lab.sandbox.expire_tokens();
        let expired = lab.temporary();
        lab.sandbox.expire_tokens();
        assert_eq!(send("in/a", b"1", signed(&policy(), version, &expired)).await.code, "SecurityTokenExpired");
        assert_eq!(client.list_objects(Default::default()).all().await.expect("a list"), []);
        assert_eq!(lab.sandbox.callbacks().len(), 0);
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_overwrites_nothing_when_it_says_so() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let client = lab.client(version);
        let headers = ObjectHeaders { forbid_overwrite: true, ..ObjectHeaders::default() };
        let form = PostForm { headers, ..signed(&policy(), version, &right()) };
        client.post_object(&key("in/a"), &slice(b"first"), &form, None).await.expect("stored");
        let answer = refused(client.post_object(&key("in/a"), &slice(b"second"), &form, None).await);
        assert_eq!((answer.code.as_str(), lab.object("in/a")), ("FileAlreadyExists", Some(b"first".to_vec())));
        client.delete_object(&key("in/a"), None).await.expect("deleted");
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_carries_a_callback_and_its_variables_as_they_are() {
    let lab = Lab::new().await;
    let said = "ann & bob=100% \"quoted\"\r\n中";
    for version in VERSIONS {
        let client = lab.client(version);
        let callback = CallbackSpec {
            body: r#"{"object":${object},"who":${x:who},"op":${operation},"md5":${contentMd5}}"#.into(),
            body_type: waybill_oss::BodyType::Json,
            variables: map(&[("who", said)]),
            ..lab.callback("")
        };
        let form = PostForm { callback: Some(callback), ..signed(&policy(), version, &right()) };
        let stored = client.post_object(&key("in/a"), &slice(b"1"), &form, None).await.expect("stored");
        let CallbackOutcome::Answered { body, .. } = stored.callback else { panic!("{:?}", stored.callback) };
        let answered: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let got: serde_json::Value = serde_json::from_str(&lab.last_callback().body).expect("JSON");
        let wanted =
            serde_json::json!({"object": "in/a", "who": said, "op": "PostObject", "md5": "xMpCOKC5I4INzFCab3WEmw=="});
        assert_eq!((&got, &answered["received"]), (&wanted, &wanted));

        let failing = PostForm { callback: Some(lab.callback("?answer=500")), ..signed(&policy(), version, &right()) };
        let stored = client.post_object(&key("in/b"), &slice(b"2"), &failing, None).await.expect("stored");
        let failed = matches!(&stored.callback, CallbackOutcome::Failed { ec: Some(ec), .. } if ec == "0007-00000203");
        assert!(failed && lab.object("in/b") == Some(b"2".to_vec()), "{stored:?}");
    }
    lab.sandbox.stop().await;
}

/// What Alibaba's samples of an application server answer, with a callback that the client does not choose.
fn handed(lab: &Lab, version: SignatureVersion, keys: &Credential) -> String {
    let expiration = (Timestamp::now() + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let scoped = sign_policy("", version, keys, "cn-test", Timestamp::now()).expect("fields");
    let field = |name: &str| scoped.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
    let mut conditions = vec![serde_json::json!(["starts-with", "$key", "user-dir/"])];
    for name in ["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token"] {
        conditions.extend(field(name).map(|value| serde_json::json!({ name: value })));
    }
    let policy = serde_json::json!({"expiration": expiration, "conditions": conditions}).to_string();
    let at = field("x-oss-date").map(|date| jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).expect("a date"));
    let at = at.map_or_else(Timestamp::now, |at| at.to_zoned(jiff::tz::TimeZone::UTC).expect("a time").timestamp());
    let signed = sign_policy(&BASE64_STANDARD.encode(policy), version, keys, "cn-test", at).expect("fields");
    let field = |name: &str| signed.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
    let callback = serde_json::json!({
        "callbackUrl": lab.receiver("?from=server"),
        "callbackBody": "object=${object}&who=${x:who}",
        "callbackBodyType": "application/x-www-form-urlencoded",
    });
    let common = serde_json::json!({
        "host": lab.sandbox.info().endpoint,
        "dir": "user-dir/",
        "policy": field("policy"),
        "callback": BASE64_STANDARD.encode(callback.to_string()),
    });
    let own = match version {
        SignatureVersion::V1 => serde_json::json!({
            "accessid": keys.access_key_id(),
            "signature": field("Signature"),
            "expire": (Timestamp::now() + HOUR).as_second(),
            "security_token": keys.security_token(),
        }),
        SignatureVersion::V4 => serde_json::json!({
            "version": "OSS4-HMAC-SHA256",
            "x_oss_credential": field("x-oss-credential"),
            "x_oss_date": field("x-oss-date"),
            "signature": field("x-oss-signature"),
            "security_token": keys.security_token(),
        }),
    };
    let all: serde_json::Map<_, _> =
        [common, own].into_iter().flat_map(|one| one.as_object().expect("an object").clone()).collect();
    serde_json::Value::Object(all).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_from_an_application_server_is_used_as_it_is_with_its_callback() {
    let lab = Lab::new().await;
    for (version, keys) in VERSIONS.into_iter().flat_map(|version| [(version, right()), (version, lab.temporary())]) {
        let client = lab.client_of(version, Credential::new("nobody", "nothing", None));
        let policy: HandedPolicy = serde_json::from_str(&handed(&lab, version, &keys)).expect("its JSON");
        assert_eq!((policy.dir.as_str(), policy.expire.is_some()), ("user-dir/", version == SignatureVersion::V1));
        let mut fields = policy.fields().expect("it is whole");
        fields.push(("x:who".to_owned(), "ann".to_owned()));
        let form = PostForm { policy: fields, ..PostForm::default() };
        let stored = client.post_object(&key("user-dir/a"), &slice(b"1"), &form, None).await.expect("stored");
        assert!(matches!(stored.callback, CallbackOutcome::Answered { .. }), "{stored:?}");
        let call = lab.last_callback();
        assert_eq!(
            (call.path_and_query.as_str(), call.body.as_str()),
            ("/callback?from=server", "object=user-dir%2Fa&who=ann")
        );
        let elsewhere = client.post_object(&key("other-dir/a"), &slice(b"1"), &form, None).await;
        assert_eq!((refused(elsewhere).code.as_str(), lab.object("other-dir/a")), ("AccessDenied", None));
        let twice = PostForm { callback: Some(lab.callback("")), ..form };
        let error =
            client.post_object(&key("user-dir/b"), &slice(b"1"), &twice, None).await.expect_err("two callbacks");
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    }
    assert_eq!(lab.sandbox.callbacks().len(), 4);
    lab.sandbox.stop().await;
}
