//! How a destination is reached: a wrong clock, the wrong region, keys that end on the way, a proxy with a password.

use std::collections::BTreeMap;

use waybill_engine::Code;
use waybill_engine::view::{Connection, DestinationForm, KeySource, Phase, Proxy};
use waybill_sandbox::Operation::{CompleteMultipartUpload, GetBucketInfo};
use waybill_tests::{MIB, TestBed, content, each_once};

#[tokio::test]
async fn a_clock_eight_hours_off_costs_one_refusal_and_is_shown() {
    // One file goes up in a single request, the other one in parts.
    for (hours, len) in [(8, 10), (-8, 10), (8, 2 * MIB), (-8, 2 * MIB)] {
        let mut bed = TestBed::facing(|tuning| tuning.clock_offset = hours * 3600).await;
        let no = bed.upload(&bed.file("clip.mov", len)).await;
        bed.answered(no, &content(len)).await;
        let refused: Vec<_> = bed.sandbox.log().into_iter().filter(|request| request.status == Some(403)).collect();
        assert_eq!(refused.len(), 1, "{refused:#?}");
        assert_eq!(refused[0].code.as_deref(), Some("RequestTimeTooSkewed"));
        bed.add(&bed.file("again.txt", 1)).await;
        let changes = bed.engine().next_changes().await.expect("the engine runs");
        assert!((changes.clock_skew_seconds - hours * 3600).abs() <= 2, "{changes:?}");
        bed.stop().await;
    }
}

#[tokio::test]
async fn a_bucket_of_another_region_is_offered_the_endpoint_that_oss_names() {
    let elsewhere = BTreeMap::from([("elsewhere".to_owned(), "oss-cn-beijing.aliyuncs.com".to_owned())]);
    let mut bed = TestBed::facing(|tuning| tuning.other_region_buckets = elsewhere).await;
    let form = DestinationForm { bucket: "elsewhere".into(), ..bed.form("test-secret") };
    let report = bed.engine().test_connection(form).await.unwrap();
    assert_eq!(report.problem.as_ref().map(|problem| problem.code), Some(Code::Bucket), "{report:?}");
    assert_eq!(report.offered_endpoint.as_deref(), Some("http://oss-cn-beijing.aliyuncs.com"));
    let fine = bed.engine().test_connection(bed.form("test-secret")).await.unwrap();
    assert_eq!((fine.ok, fine.offered_endpoint), (true, None));
    bed.stop().await;
}

#[tokio::test]
async fn keys_that_end_between_two_parts_are_fetched_anew_and_no_part_is_sent_twice() {
    let mut bed = TestBed::with(|config| config.parallel = 1).await;
    let url = format!("{}/_sandbox/tokens", bed.sandbox.info().endpoint);
    let connection = Connection { keys: KeySource::AppServer { url }, ..Connection::default() };
    let form = DestinationForm { connection, access_key_secret: None, ..bed.form("") };
    let mine = bed.engine().save_destination(form).await.unwrap();
    assert!(!mine.has_secret, "nothing was typed, so nothing is kept");

    bed.hold_part(2);
    let path = bed.file("clip.mov", 4 * MIB);
    let no = bed.upload_to(&path, &mine.id).await;
    bed.met(1).await;
    bed.sandbox.expire_tokens();
    bed.release();
    bed.answered(no, &content(4 * MIB)).await;
    assert_eq!(bed.parts_stored(), each_once(4));
    let refused =
        bed.sandbox.log().into_iter().filter(|request| request.code.as_deref() == Some("SecurityTokenExpired"));
    assert_eq!(refused.count(), 1);
    assert_eq!(bed.requests(CompleteMultipartUpload).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn keys_that_nobody_hands_out_leave_the_upload_waiting_with_the_reason() {
    let mut bed = TestBed::new().await;
    // Nobody listens here: the port is free, and stays so for the moment.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let keys = KeySource::Uri { url: format!("http://127.0.0.1:{port}/keys") };
    let connection = Connection { keys, ..Connection::default() };
    let form = DestinationForm { connection, access_key_secret: None, ..bed.form("") };
    let mine = bed.engine().save_destination(form).await.unwrap();
    let no = bed.upload_to(&bed.file("a.txt", 10), &mine.id).await;
    let waiting = |details: &waybill_engine::view::UploadDetails| {
        details.row.phase == Phase::Queued && details.row.problem.is_some()
    };
    let details = bed.until(no, "waiting for keys", waiting).await;
    assert_eq!(details.row.problem.unwrap().code, Code::Network);
    assert!(bed.sandbox.log().is_empty(), "nothing is sent without keys");
    bed.stop().await;
}

#[tokio::test]
async fn the_proxys_password_is_kept_apart_from_the_settings_and_used() {
    let mut bed = TestBed::new().await;
    let url = "http://mei:pr0xy-passw0rd@127.0.0.1:9".to_owned();
    let connection = Connection { proxy: Proxy::At { url }, ..Connection::default() };
    let mut form = DestinationForm { connection, ..bed.form("test-secret") };
    let mine = bed.engine().save_destination(form.clone()).await.unwrap();
    assert!(mine.has_proxy_password);
    assert_eq!(mine.connection.proxy, Proxy::At { url: "http://mei@127.0.0.1:9".into() });
    let stored = bed.config.secrets.get(&format!("{}/proxy", mine.id), "proxy").unwrap().expect("a password");
    assert_eq!(stored.access_key_secret(), "pr0xy-passw0rd");
    // Saved again without typing it: kept; for another proxy: gone, since it belongs to the first.
    form = DestinationForm { id: Some(mine.id.clone()), connection: mine.connection.clone(), ..form };
    assert!(bed.engine().save_destination(form.clone()).await.unwrap().has_proxy_password);
    form.connection.proxy = Proxy::At { url: "http://mei@127.0.0.1:10".into() };
    assert!(!bed.engine().save_destination(form).await.unwrap().has_proxy_password);
    bed.stop().await;
    for file in walk(bed.dir.path()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(14).any(|bytes| bytes == b"pr0xy-passw0rd"), "the password is in {}", file.display());
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_before_it_is_saved() {
    let mut bed = TestBed::new().await;
    let with = |connection: Connection| DestinationForm { connection, ..bed.form("test-secret") };
    for connection in [
        Connection { proxy: Proxy::At { url: "ftp://proxy".into() }, ..Connection::default() },
        Connection {
            keys: KeySource::AppServer { url: "http://app.example.com/keys".into() },
            ..Connection::default()
        },
    ] {
        let refused = bed.engine().save_destination(with(connection)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Invalid, "{refused}");
    }
    let no_such_file = Connection { ca_file: "/nowhere/ca.pem".into(), ..Connection::default() };
    let report = bed.engine().test_connection(with(no_such_file)).await.unwrap();
    assert!(report.problem.is_some_and(|problem| problem.message.contains("/nowhere/ca.pem")));
    assert_eq!(bed.requests(GetBucketInfo).len(), 0);
    bed.stop().await;
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => files.extend(walk(&entry.path())),
            false => files.push(entry.path()),
        }
    }
    files
}
