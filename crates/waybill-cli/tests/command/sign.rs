//! `waybill sign`: all vectors of the SDKs through the command, the page to read, and what it says about bad input.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::bed::{LIMIT, SECRET, bare, fields};

/// Runs the command with this on standard input.
async fn sign(input: &str, arguments: &[&str]) -> Output {
    let mut command = bare();
    command.arg("sign").args(arguments).kill_on_drop(true).env("WAYBILL_LOG", "trace");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).await.expect("it reads");
    drop(stdin);
    timeout(LIMIT, child.wait_with_output()).await.expect("it ends in time").expect("it can be waited for")
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (text(&output.stdout), text(&output.stderr))
}

async fn explained(request: &Value) -> Value {
    let output = sign(&request.to_string(), &["--json"]).await;
    let (out, err) = said(&output);
    assert!(output.status.success() && out.lines().count() == 1, "{out}{err}");
    serde_json::from_str(&out).expect("a line of JSON")
}

fn request() -> Value {
    json!({
        "version": "v4", "method": "PUT", "bucket": "examplebucket", "key": "a b.txt", "region": "cn-hangzhou",
        "headers": {"Content-Type": "text/plain"}, "time": "2025-03-14T09:26:53Z",
        "access_key_id": "ak", "access_key_secret": SECRET,
    })
}

fn vectors(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../waybill-oss/tests/fixtures").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Value = serde_json::from_str(&text).expect("json");
    file["vectors"].as_array().expect("vectors").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vector_of_the_sdks_comes_out_of_the_command() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for vector in vectors("sign-header.json").into_iter().chain(vectors("sign-url.json")) {
        for version in ["v1", "v4"] {
            let sdk = vector["expected"][version].as_str().expect("an SDK");
            let result = &vector["results"][sdk];
            let mut request = vector["input"].clone();
            request["version"] = version.into();
            if sdk == "ali-oss/v1" {
                // It dates its requests by x-oss-date, which is a header like any other to the command.
                request["headers"] = result["headers"].clone();
            }
            let ours = explained(&request).await;
            let names = ["authorization", "canonicalRequest", "signature", "stringToSign", "url"];
            assert_eq!(fields(&ours), names);
            for (ours, theirs) in [
                (&ours["stringToSign"], &result["string_to_sign"]),
                (&ours["signature"], &result["signature"]),
                (&ours["canonicalRequest"], &result["canonical_request"]),
            ] {
                compared += 1;
                if ours != theirs {
                    wrong.push(format!("{} {version}: {ours} instead of {theirs}", vector["id"]));
                }
            }
            assert_eq!(ours["authorization"].is_null(), request["expires"].is_number());
            let host = vector["expected"]["host"].as_str().expect("a host");
            let url = ours["url"].as_str().expect("a URL");
            assert!(url.contains(&format!("//{host}/")), "{url} does not go to {host}");
        }
    }
    assert_eq!(compared, 74 * 2 * 3);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_every_step_with_line_feeds_and_never_the_secret() {
    let output = sign(&request().to_string(), &[]).await;
    let (out, err) = said(&output);
    assert!(output.status.success(), "{err}");
    for part in [
        "Signature      ",
        "Authorization  OSS4-HMAC-SHA256 Credential=ak/20250314/cn-hangzhou/oss/aliyun_v4_request,Signature=",
        "URL            https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a%20b.txt\n",
        "\nCanonical request\n  PUT␊\n  /examplebucket/a%20b.txt␊\n  ␊\n  content-type:text/plain␊\n",
        "\nString to sign\n  OSS4-HMAC-SHA256␊\n  20250314T092653Z␊\n",
        "\nString to sign in bytes\n  4F 53 53 34 2D 48",
        "\nHeaders to send\n  Content-Type          text/plain\n  x-oss-date            20250314T092653Z\n",
    ] {
        assert!(out.contains(part), "{part:?} is missing in\n{out}");
    }
    assert!(!out.contains(SECRET) && !err.contains(SECRET));

    let mut presigned = request();
    presigned["version"] = "v1".into();
    presigned["expires"] = 60.into();
    let output = sign(&presigned.to_string(), &[]).await;
    let (out, _) = said(&output);
    assert!(out.contains("Authorization  none, the signature is in the URL\n"), "{out}");
    assert!(out.contains("?OSSAccessKeyId=ak&Expires=1741944473&Signature="), "{out}");
    assert!(!out.contains("Canonical request") && !out.contains(SECRET), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_ends_with_1_and_the_name_of_the_field() {
    let mut misspelt = request();
    misspelt["acess_key_id"] = "ak".into();
    let mut no_key = request();
    no_key["access_key_id"] = Value::Null;
    let mut too_long = request();
    too_long["expires"] = 604_801.into();
    for (input, part) in [
        (String::new(), "not JSON"),
        (format!("{{\"access_key_secret\": \"{SECRET}\""), "not JSON"),
        (misspelt.to_string(), "“acess_key_id”"),
        (no_key.to_string(), "“access_key_id” is missing"),
        (too_long.to_string(), "“expires”: A presigned URL of signature version 4 is good for 1 to 604800 seconds"),
    ] {
        for arguments in [&["--json"][..], &[]] {
            let output = sign(&input, arguments).await;
            let (out, err) = said(&output);
            assert_eq!((output.status.code(), out.as_str()), (Some(1), ""), "{err}");
            assert!(err.contains(part) && !err.contains(SECRET), "{err}");
        }
    }
}
