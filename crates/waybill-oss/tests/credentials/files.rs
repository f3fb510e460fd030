//! The configuration files of Alibaba's own tools, in every spelling they write.

use std::path::{Path, PathBuf};

use waybill_oss::{BucketHint, Credential, CredentialSource, Credentials, Error, Surroundings};

use super::server::{Reply, Server, Time, keys, surroundings};

/// A home folder with one file in it.
struct Home(tempfile::TempDir);

impl Home {
    fn with(path: &str, text: &str) -> Home {
        let home = Home(tempfile::tempdir().expect("folder"));
        home.write(path, text.as_bytes());
        home
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        std::fs::write(path, bytes).expect("file");
    }

    fn surroundings(&self) -> Surroundings {
        self.surroundings_with("", "")
    }

    fn surroundings_with(&self, variable: &'static str, value: &'static str) -> Surroundings {
        let home = self.0.path().to_str().expect("path").to_owned();
        surroundings(&Time::default()).with_variables(move |name| match name {
            "HOME" => Some(home.clone()),
            name if name == variable => Some(value.to_owned()),
            _ => None,
        })
    }

    async fn keys(&self, source: CredentialSource) -> Result<Credential, Error> {
        Credentials::from_source_in(source, self.surroundings())?.current().await
    }

    async fn refusal(&self, source: CredentialSource) -> String {
        let error = self.keys(source).await.expect_err("no keys");
        let text = format!("{error} {error:?}");
        assert!(matches!(error, Error::Invalid(_)) && !text.contains("s3cr3t") && !text.contains("t0k3n"), "{text}");
        error.to_string()
    }
}

fn ossutil(profile: Option<&str>) -> CredentialSource {
    CredentialSource::OssutilConfig { path: None, profile: profile.map(str::to_owned) }
}

fn aliyun(profile: Option<&str>) -> CredentialSource {
    CredentialSource::AliyunConfig { path: None, profile: profile.map(str::to_owned) }
}

fn alibaba(profile: Option<&str>) -> CredentialSource {
    CredentialSource::AlibabaCredentials { path: None, profile: profile.map(str::to_owned) }
}

fn parts(credential: &Credential) -> (&str, &str, Option<&str>) {
    (credential.access_key_id(), credential.access_key_secret(), credential.security_token())
}

#[tokio::test]
async fn every_spelling_of_ossutil_1_is_read() {
    let home = Home::with(".ossutilconfig", "");
    let surroundings = home.surroundings();
    for id in ["accessKeyID", "AccessKeyId", "access_key_id", "access_id", "accessid", "access-key-id", "access-id"] {
        for secret in
            ["accessKeySecret", "access_key_secret", "access_key", "accesskey", "access-key-secret", "access-key"]
        {
            for token in ["stsToken", "ststoken", "STSToken", "sts_token", "sts-token"] {
                let text = format!("[Credentials]\nlanguage=EN\n{id}=id\n{secret} = sk\n{token}=t\n");
                home.write(".ossutilconfig", text.as_bytes());
                let credentials = Credentials::from_source_in(ossutil(None), surroundings.clone()).expect("source");
                let credential = credentials.current().await.unwrap_or_else(|error| panic!("{text}: {error}"));
                assert_eq!(parts(&credential), ("id", "sk", Some("t")), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn byte_order_mark_windows_lines_blanks_and_comments_do_no_harm() {
    let text = "\u{feff}# ossutil\r\n; old\r\n\r\n[ credentials ]\r\n  language = CH\r\n\taccessKeyID\t=  id  # mine\r\n\
                accessKeySecret = \"sk\" ; hers\r\nstsToken =\r\nendpoint=oss-cn-hangzhou.aliyuncs.com\r\n";
    let home = Home::with(".ossutilconfig", text);
    assert_eq!(parts(&home.keys(ossutil(None)).await.expect("keys")), ("id", "sk", None));
}

const OSSUTIL_2: &str = "[default]\naccessKeyID=id0\naccessKeySecret=s3cr3t0\nregion=cn-hangzhou\n\
    [profile Dev]\nmode=StsToken\naccess-key-id=id1\naccess_key_secret=s3cr3t1\nstsToken=t0k3n1\nregion=cn-shanghai\n\
    endpoint=https://files.example.com\naddressing-style=cname\n\
    [profile borrowed]\nsource-profile=dev\nregion=cn-beijing\n[profile ring]\nsource_profile=ring\n\
    [profile plain]\nmode=AK\naccesskeyid=id2\naccesskeysecret=s3cr3t2\nsts-token=t0k3n2\n\
    [profile role]\nmode=RamRoleArn\naccesskeyid=id3\naccesskeysecret=s3cr3t3\nrole-arn=acs:ram::1:role/r\n\
    [profile odd]\nmode=s3cr3t\n[profile half]\naccesskeyid=id4\n[profile token]\nmode=StsToken\naccesskeyid=a\naccesskeysecret=s3cr3t\n\
    [buckets pictures]\nregion=cn-shenzhen\nendpoint=pictures.example.com\naddressing-style=CName\n";

#[tokio::test]
async fn profiles_of_ossutil_2_are_told_apart() {
    let home = Home::with(".ossutilconfig", OSSUTIL_2);
    for (profile, expected) in [
        (None, ("id0", "s3cr3t0", None)),
        (Some("default"), ("id0", "s3cr3t0", None)),
        (Some("dev"), ("id1", "s3cr3t1", Some("t0k3n1"))),
        (Some("borrowed"), ("id1", "s3cr3t1", Some("t0k3n1"))),
        (Some("plain"), ("id2", "s3cr3t2", None)),
    ] {
        assert_eq!(parts(&home.keys(ossutil(profile)).await.expect("keys")), expected, "{profile:?}");
    }
    for (profile, words) in [
        ("role", "gets its keys by “RamRoleArn”, which is not built in"),
        ("odd", "in a way that is not known"),
        ("half", "has no AccessKey secret"),
        ("token", "has no STS token"),
        ("ring", "form a ring"),
        ("absent", "has no profile “absent”"),
    ] {
        let text = home.refusal(ossutil(Some(profile))).await;
        assert!(text.contains(words) && text.contains(profile) && text.contains(".ossutilconfig"), "{text}");
    }
}

#[tokio::test]
async fn ossutil_says_where_to_upload_to() {
    let home = Home::with(".ossutilconfig", OSSUTIL_2);
    let hints = ossutil(None).hints(&home.surroundings()).await.expect("hints");
    assert_eq!((hints.region.as_deref(), hints.endpoint, hints.endpoint_is_cname), (Some("cn-hangzhou"), None, false));
    let hint = |region: Option<&str>, endpoint: &str, is_cname| BucketHint {
        region: region.map(str::to_owned),
        endpoint: Some(endpoint.to_owned()),
        is_cname,
    };
    assert_eq!(hints.buckets["pictures"], hint(Some("cn-shenzhen"), "pictures.example.com", true));
    let hints = ossutil(Some("dev")).hints(&home.surroundings()).await.expect("hints");
    assert_eq!((hints.endpoint.as_deref(), hints.endpoint_is_cname), (Some("https://files.example.com"), true));

    let text = "[Credentials]\nhost=oss-cn-hangzhou.aliyuncs.com\n[Bucket-Endpoint]\nmy-bucket=oss-cn-beijing.aliyuncs.com\n\
                both=oss-cn-beijing.aliyuncs.com\n[Bucket-Cname]\nboth = both.example.com\n";
    let hints = ossutil(None).hints(&Home::with(".ossutilconfig", text).surroundings()).await.expect("hints");
    assert_eq!(hints.endpoint.as_deref(), Some("oss-cn-hangzhou.aliyuncs.com"));
    assert_eq!(hints.buckets["my-bucket"], hint(None, "oss-cn-beijing.aliyuncs.com", false));
    assert_eq!(hints.buckets["both"], hint(None, "both.example.com", true));
}

#[tokio::test]
async fn ossutil_1_on_an_instance_asks_the_address_it_names() {
    let server = Server::start(|_, _| Reply::Now(200, keys(3, 3600))).await;
    let text = format!("[Credentials]\nendpoint=e\n[AkService]\necsAk={}/latest/meta-data/Ram/role\n", server.address);
    let credential = Home::with(".ossutilconfig", &text).keys(ossutil(None)).await.expect("keys");
    assert_eq!(credential.access_key_id(), "id3");
    assert_eq!(server.seen()[0].target, "/latest/meta-data/Ram/role");
    let open = text.replace(&server.address, "http://keys.example.com");
    assert!(Home::with(".ossutilconfig", &open).refusal(ossutil(None)).await.contains("must begin with https://"));
}

const ALIYUN: &str = r#"{"current":"main","meta_path":"","profiles":[
    {"name":"main","mode":"AK","access_key_id":"id0","access_key_secret":"s3cr3t0","sts_token":"t0k3n0","region_id":"cn-hangzhou"},
    {"name":"sts","mode":"StsToken","access_key_id":"id1","access_key_secret":"s3cr3t1","sts_token":"t0k3n1"},
    {"name":"cloud","mode":"CloudSSO","access_key_id":"id2","access_key_secret":"s3cr3t2","sts_token":"t0k3n2"},
    {"name":"empty","mode":"AK","access_key_id":"","access_key_secret":"s3cr3t3"},
    {"name":"odd","mode":"s3cr3t"}]}"#;

#[tokio::test]
async fn the_cli_profile_that_is_meant_is_read() {
    let home = Home::with(".aliyun/config.json", &format!("\u{feff}{}", ALIYUN.replace('\n', "\r\n")));
    assert_eq!(parts(&home.keys(aliyun(None)).await.expect("keys")), ("id0", "s3cr3t0", None));
    assert_eq!(parts(&home.keys(aliyun(Some("sts"))).await.expect("keys")), ("id1", "s3cr3t1", Some("t0k3n1")));
    let by_variable = home.surroundings_with("ALIBABA_CLOUD_PROFILE", "sts");
    let credentials = Credentials::from_source_in(aliyun(None), by_variable).expect("source");
    assert_eq!(credentials.current().await.expect("keys").access_key_id(), "id1");
    let hints = aliyun(None).hints(&home.surroundings()).await.expect("hints");
    assert_eq!(hints.region.as_deref(), Some("cn-hangzhou"));
    for (profile, words) in [
        ("cloud", "gets its keys by “CloudSSO”, which is not built in"),
        ("empty", "has no AccessKey ID"),
        ("odd", "in a way that is not known"),
        ("absent", "has no profile “absent”"),
    ] {
        let text = home.refusal(aliyun(Some(profile))).await;
        assert!(text.contains(words) && text.contains("config.json"), "{text}");
    }
}

#[tokio::test]
async fn a_cli_profile_may_lead_to_a_role_or_a_credentials_uri() {
    let server = Server::start(|_, seen| match seen.method.as_str() {
        "GET" => Reply::Now(200, keys(5, 3600)),
        _ => Reply::Now(404, String::new()),
    })
    .await;
    let text = format!(
        r#"{{"profiles":[{{"name":"ecs","mode":"EcsRamRole","ram_role_name":"up"}},{{"name":"uri","mode":"CredentialsURI","credentials_uri":"{}/k"}}]}}"#,
        server.address
    );
    let home = Home::with(".aliyun/config.json", &text);
    for (profile, target) in [("ecs", "/latest/meta-data/ram/security-credentials/up"), ("uri", "/k")] {
        let surroundings = home.surroundings().with_metadata_at(&server.address);
        let credentials = Credentials::from_source_in(aliyun(Some(profile)), surroundings).expect("source");
        assert_eq!(credentials.current().await.expect("keys").access_key_id(), "id5");
        assert_eq!(server.seen().last().expect("request").target, target);
    }
}

const ALIBABA: &str = "[default] # the usual one\nenable = true\ntype = access_key\naccess_key_id = id0\naccess_key_secret = s3cr3t0\n\
    [tmp]\ntype = sts\naccess_key_id = id1\naccess_key_secret = s3cr3t1\nsecurity_token = t0k3n1\n\
    [role]\ntype = ram_role_arn\naccess_key_id = id2\naccess_key_secret = s3cr3t2\nrole_arn = acs:ram::1:role/r\n\
    [half]\ntype = access_key\naccess_key_secret = s3cr3t\n";

#[tokio::test]
async fn the_credentials_file_is_found_under_both_names_and_where_the_variable_says() {
    for name in [".alibabacloud/credentials", ".alibabacloud/credentials.ini"] {
        let home = Home::with(name, ALIBABA);
        assert_eq!(parts(&home.keys(alibaba(None)).await.expect("keys")), ("id0", "s3cr3t0", None), "{name}");
        assert_eq!(parts(&home.keys(alibaba(Some("tmp"))).await.expect("keys")), ("id1", "s3cr3t1", Some("t0k3n1")));
        for (profile, words) in [
            ("role", "gets its keys by “ram_role_arn”, which is not built in"),
            ("half", "has no AccessKey ID"),
            ("absent", "has no profile “absent”"),
        ] {
            let text = home.refusal(alibaba(Some(profile))).await;
            assert!(text.contains(words), "{text}");
        }
    }
    let home = Home::with("elsewhere", ALIBABA);
    let surroundings = home.surroundings_with("ALIBABA_CLOUD_CREDENTIALS_FILE", "~/elsewhere");
    let credentials = Credentials::from_source_in(alibaba(None), surroundings).expect("source");
    assert_eq!(credentials.current().await.expect("keys").access_key_id(), "id0");
}

#[tokio::test]
async fn a_file_that_is_missing_or_no_text_is_named() {
    let home = Home::with("utf16", "");
    home.write("utf16", b"\xFF\xFE[\0d\0");
    home.write("text", b"s3cr3t");
    home.write("large", &vec![b' '; 1_100_000]);
    let at = |path: &str| Some(PathBuf::from(path));
    for (path, words) in [
        ("~/absent", "does not exist"),
        ("~/utf16", "is not UTF-8 text"),
        ("~/large", "is longer than a megabyte"),
        ("~/text", "neither a section [default] (ossutil 2) nor [Credentials] (ossutil 1)"),
    ] {
        let text = home.refusal(CredentialSource::OssutilConfig { path: at(path), profile: None }).await;
        assert!(text.contains(words) && text.contains(&path[2..]), "{text}");
    }
    let text = home.refusal(CredentialSource::AliyunConfig { path: at("~/text"), profile: None }).await;
    assert!(text.contains("is not a JSON object"), "{text}");
    let homeless = Credentials::from_source_in(ossutil(None), surroundings(&Time::default())).expect("source");
    let error = homeless.current().await.expect_err("no home").to_string();
    assert!(error.contains(Path::new("~").join(".ossutilconfig").to_str().expect("path")), "{error}");
}

#[tokio::test]
async fn a_file_that_was_changed_gives_other_keys_after_a_refusal() {
    let home = Home::with(".aliyun/config.json", ALIYUN);
    let credentials = Credentials::from_source_in(aliyun(Some("sts")), home.surroundings()).expect("source");
    let refused = credentials.current().await.expect("keys");
    assert!(!credentials.renew(&refused).await.expect("the same"));
    home.write(".aliyun/config.json", ALIYUN.replace("t0k3n1", "t0k3n9").as_bytes());
    assert_eq!(credentials.current().await.expect("keys").security_token(), Some("t0k3n1"));
    assert!(credentials.renew(&refused).await.expect("others"));
    assert_eq!(credentials.current().await.expect("keys").security_token(), Some("t0k3n9"));
}
