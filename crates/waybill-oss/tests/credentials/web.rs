//! Keys over HTTP: credentials URI, application server, ECS role.

use waybill_oss::{Advice, Credential, CredentialSource, Credentials, Error};

use super::server::{Reply, Seen, Server, Time, keys, surroundings};

const SECRET: &str = "s3cr3t-bearer-0815";

async fn fetch(source: CredentialSource) -> Result<Credential, Error> {
    Credentials::from_source_in(source, surroundings(&Time::default()))?.current().await
}

fn app_server(server: &Server) -> CredentialSource {
    let headers = vec![("Authorization".to_owned(), format!("Bearer {SECRET}"))];
    CredentialSource::AppServer { url: format!("{}/sts?u=7", server.address), headers }
}

async fn ecs(server: &Server, role: Option<&str>) -> Result<Credential, Error> {
    let source = CredentialSource::EcsRole { role: role.map(str::to_owned) };
    let surroundings = surroundings(&Time::default()).with_metadata_at(&server.address);
    Credentials::from_source_in(source, surroundings)?.current().await
}

/// Nothing of this may be in what people and logs see.
fn tells_no_secret(error: &Error) -> String {
    let text = format!("{error} {error:?}");
    assert!(!text.contains("s3cr3t") && !text.contains("t0k3n"), "{text}");
    error.to_string()
}

#[tokio::test]
async fn the_application_server_is_told_who_asks() {
    let server =
        Server::start(|_, _| Reply::Now(200, keys(1, 60).replace("\"Code\":\"Success\"", "\"StatusCode\":200"))).await;
    let credential = fetch(app_server(&server)).await.expect("keys");
    assert_eq!((credential.access_key_id(), credential.access_key_secret()), ("id1", "s3cr3t1"));
    let seen = server.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/sts?u=7"));
    assert_eq!(seen.headers["authorization"], format!("Bearer {SECRET}"));
}

#[tokio::test]
async fn what_a_server_says_instead_of_keys_is_told_without_what_it_was_sent() {
    for (status, body, words, passing) in [
        (
            200,
            format!(r#"{{"StatusCode":403,"ErrorCode":"NoUser","ErrorMessage":"Not yours: {SECRET}."}}"#),
            "it answered 403 NoUser: Not yours: ***.",
            false,
        ),
        (
            200,
            r#"{"StatusCode":500,"ErrorCode":"Down","ErrorMessage":"Later."}"#.to_owned(),
            "it answered 500 Down: Later.",
            true,
        ),
        (401, format!(r#"{{"message":"Bearer {SECRET} has ended"}}"#), "it answered 401: Bearer *** has ended", false),
        (502, "<html>s3cr3t</html>".to_owned(), "it answered 502", true),
        (302, String::new(), "it answered 302", false),
        (200, "<html>s3cr3t</html>".to_owned(), "what it gave is not a JSON object", false),
        (200, format!("\"{}\"", "s3cr3t".repeat(20_000)), "the answer is longer than 64 KB, so it is no keys", false),
    ] {
        let server = Server::start(move |_, _| Reply::Now(status, body.clone())).await;
        let error = fetch(app_server(&server)).await.expect_err("no keys");
        assert_eq!(tells_no_secret(&error), format!("no keys from the application server: {words}"));
        assert_eq!(matches!(error.advice(), Advice::Later(_)), passing, "{words}");
        assert_eq!(server.count(), 1, "{words}");
    }
}

#[tokio::test]
async fn a_refusal_that_repeats_the_address_is_told_without_what_is_secret_in_it() {
    let filler = "x".repeat(290);
    for (address, said, words) in [
        ("/keys?u=7&key=s3cr3t%2F0815", "no keys for s3cr3t/0815, not s3cr3t%2F0815", "no keys for ***, not ***"),
        ("/keys?s3cr3t-0815", "no keys for s3cr3t-0815", "no keys for ***"),
        ("/s3cr3t-0123456789abcdef/sts", "see /s3cr3t-0123456789abcdef/sts", "see /***/sts"),
        ("/keys?key=s3cr3t-0815", &format!("{filler} s3cr3t-0815"), &format!("{}…", &filler[..300 - 17])),
    ] {
        let body = serde_json::json!({"Message": said}).to_string();
        let server = Server::start(move |_, _| Reply::Now(403, body.clone())).await;
        let error = fetch(CredentialSource::Uri(format!("{}{address}", server.address))).await.expect_err("refused");
        assert!(tells_no_secret(&error).ends_with(&format!("it answered 403: {words}")), "{error}");
    }
    let body = serde_json::json!({"Message": "not user@home with s3t!, dXNlckBob21lOnMzdCE="}).to_string();
    let server = Server::start(move |_, _| Reply::Now(401, body.clone())).await;
    let address = server.address.replace("http://", "http://user%40home:s3t%21@");
    let error = fetch(CredentialSource::Uri(address)).await.expect_err("refused");
    assert!(error.to_string().ends_with("it answered 401: not *** with ***, ***"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let server = Server::start(|_, _| Reply::Never).await;
    let error = fetch(app_server(&server)).await.expect_err("no answer");
    assert!(tells_no_secret(&error).contains("no answer in time"), "{error}");
    assert!(matches!(error.advice(), Advice::Later(_)));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_asked_again_later() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind").local_addr().expect("address");
    let error = fetch(CredentialSource::Uri(format!("http://{free}/s3cr3t?k=s3cr3t"))).await.expect_err("nobody");
    assert!(tells_no_secret(&error).starts_with("no keys from the credentials URI: no connection ("), "{error}");
    assert!(matches!(error.advice(), Advice::Later(_)));
}

#[test]
fn an_address_or_a_header_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let headers = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    for source in [
        CredentialSource::Uri("http://192.168.1.7/s3cr3t".to_owned()),
        CredentialSource::Uri("s3cr3t".to_owned()),
        CredentialSource::AppServer { url: "http://keys.example.com/s3cr3t".to_owned(), headers: Vec::new() },
        CredentialSource::AppServer { url: "https://keys.example.com".to_owned(), headers: headers("a b", "s3cr3t") },
        CredentialSource::AppServer {
            url: "https://keys.example.com".to_owned(),
            headers: headers("a", "s3cr3t\ns3cr3t"),
        },
        CredentialSource::Process { program: " ".to_owned(), args: vec!["s3cr3t".to_owned()] },
        CredentialSource::EcsRole { role: Some("../s3cr3t".to_owned()) },
    ] {
        let error = Credentials::from_source_in(source, surroundings(&Time::default())).expect_err("refused");
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        tells_no_secret(&error);
    }
}

#[test]
fn no_sources_debug_shows_a_secret() {
    for source in [
        CredentialSource::Fixed(Credential::new("LTAI5t", "s3cr3t", Some("t0k3n".to_owned()))),
        CredentialSource::Uri("https://u:s3cr3t@keys.example.com/s3cr3t?s3cr3t".to_owned()),
        CredentialSource::AppServer {
            url: "https://keys.example.com/s3cr3t".to_owned(),
            headers: vec![("Authorization".to_owned(), "Bearer s3cr3t".to_owned())],
        },
        CredentialSource::process("helper --password 's3cr3t t0k3n'").expect("command"),
    ] {
        let text = format!(
            "{source:?} {source:#?} {:?}",
            Credentials::from_source_in(source.clone(), surroundings(&Time::default()))
        );
        assert!(
            !text.contains("s3cr3t")
                && !text.contains("t0k3n")
                && text.contains("***") | text.contains("keys.example.com"),
            "{text}"
        );
    }
}

const ROLES: &str = "/latest/meta-data/ram/security-credentials/";

fn metadata(version_2: bool) -> impl Fn(usize, &Seen) -> Reply {
    move |_, seen| match (seen.method.as_str(), seen.target.as_str()) {
        ("PUT", "/latest/api/token") if version_2 => Reply::Now(200, "m3tat0k3n\n".to_owned()),
        ("PUT", _) => Reply::Now(404, String::new()),
        ("GET", _) if version_2 && seen.headers.get("x-aliyun-ecs-metadata-token").is_none_or(|t| t != "m3tat0k3n") => {
            Reply::Now(403, String::new())
        }
        ("GET", ROLES) => Reply::Now(200, "uploader\n".to_owned()),
        ("GET", path) if path == format!("{ROLES}uploader") => Reply::Now(200, keys(7, 3600)),
        _ => Reply::Now(404, String::new()),
    }
}

#[tokio::test]
async fn the_ecs_role_is_found_and_asked_with_a_metadata_token() {
    let server = Server::start(metadata(true)).await;
    assert_eq!(ecs(&server, None).await.expect("keys").access_key_id(), "id7");
    let seen = server.seen();
    let asked: Vec<_> = seen.iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect();
    assert_eq!(asked, ["PUT /latest/api/token", &format!("GET {ROLES}"), &format!("GET {ROLES}uploader")]);
    assert_eq!(seen[0].headers["x-aliyun-ecs-metadata-token-ttl-seconds"], "60");
    assert_eq!(ecs(&server, Some("uploader")).await.expect("keys").access_key_id(), "id7");
    assert_eq!(server.count(), 5);
}

#[tokio::test]
async fn a_metadata_service_without_tokens_is_asked_without() {
    let server = Server::start(metadata(false)).await;
    assert_eq!(ecs(&server, None).await.expect("keys").access_key_id(), "id7");
    assert!(server.seen().iter().all(|seen| !seen.headers.contains_key("x-aliyun-ecs-metadata-token")));
}

#[tokio::test]
async fn an_instance_without_that_role_is_named() {
    let server = Server::start(metadata(true)).await;
    let error = ecs(&server, Some("other")).await.expect_err("no such role");
    assert!(tells_no_secret(&error).ends_with("the RAM role other is not attached to this instance"), "{error}");
    assert_eq!(error.advice(), Advice::Never);

    let bare = Server::start(|_, _| Reply::Now(404, String::new())).await;
    let error = ecs(&bare, None).await.expect_err("no role");
    assert!(error.to_string().ends_with("no RAM role is attached to this instance"), "{error}");

    let odd = Server::start(|_, _| Reply::Now(200, "../../../s3cr3t".to_owned())).await;
    tells_no_secret(&ecs(&odd, None).await.expect_err("no role's name"));
    assert_eq!(odd.count(), 2);
}
