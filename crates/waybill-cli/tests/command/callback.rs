//! `waybill callback lint`, `preview`, `import` and `export`: a profile from wherever it comes, looked at and converted.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use waybill_engine::view::{CallbackProfileDraft, CallbackProfileForm};
use waybill_engine::{Engine, EngineConfig, Work};

use crate::bed::bare;
use crate::running::{Ended, run, run_fed};

const URL: &str = "https://app.example.com/cb";

/// `waybill callback` in a data folder of its own.
fn callback(dir: &TempDir, arguments: &[&str]) -> Command {
    let mut command = bare();
    command.arg("--data-dir").arg(dir.path().join("data")).arg("callback").args(arguments).current_dir(dir.path());
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temp folder")
}

async fn lint(dir: &TempDir, profile: &Value, more: &[&str]) -> Ended {
    run_fed(callback(dir, &[&["lint", "--profile", "-"], more].concat()), profile.to_string().as_bytes()).await
}

fn profile(url: &str, body: &str) -> Value {
    json!({ "urls": [url], "body": body })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_linter_ends_with_0_when_clean_1_with_an_error_and_2_with_warnings_only() {
    let dir = folder();
    let clean = lint(&dir, &profile(URL, "o=${object}"), &[]).await;
    assert_eq!((clean.code(), clean.lines.len(), clean.stderr.as_str()), (Some(0), 0, ""), "{clean:#?}");

    let mut insecure = profile(URL, "o=${object}");
    insecure["sni"] = false.into();
    let warned = lint(&dir, &insecure, &[]).await;
    assert_eq!((warned.code(), warned.lines.len()), (Some(2), 1), "{warned:#?}");
    assert!(
        warned.lines[0].starts_with("warning · SNI · ") && warned.lines[0].ends_with(" · cure: SNI on"),
        "{warned:#?}"
    );

    let wrong = lint(&dir, &profile("http://192.168.1.1/cb", "é${etag}&b=$c\n"), &[]).await;
    assert_eq!((wrong.code(), wrong.lines.len()), (Some(1), 2), "{wrong:#?}");
    assert!(wrong.lines[0].starts_with("error · URL 1, character 8 · OSS calls from the internet"), "{wrong:#?}");
    assert!(wrong.lines[1].starts_with("error · body, character 12 · "), "{wrong:#?}");
    assert!(wrong.lines[1].ends_with(r#" · cure: body becomes "é${etag}&b=%24c\n""#), "{wrong:#?}");

    let findings = lint(&dir, &profile("", "a=${Etag}"), &["--json"]).await.receipts(1);
    let found: Vec<_> = findings.iter().map(|finding| finding["rule"].as_str().expect("a rule")).collect();
    assert_eq!(found, ["emptyUrl", "unknownVariable"]);
    assert!(findings.iter().all(|finding| finding["words"].is_string()), "{findings:#?}");
    assert_eq!(findings[1]["cured"]["body"], "a=${etag}");
}

#[tokio::test(flavor = "multi_thread")]
async fn region_and_sandbox_are_taken_into_account_and_a_template_that_cannot_be_filled_in_is_an_error() {
    let dir = folder();
    let good = profile(URL, "o=${object}");
    let there = lint(&dir, &good, &["--region", "ap-northeast-2"]).await;
    assert_eq!(there.code(), Some(2), "{there:#?}");
    assert!(there.lines[0].contains("ap-northeast-2"), "{there:#?}");
    let here = profile("http://127.0.0.1:28100/callback", "o=${object}");
    assert_eq!(lint(&dir, &here, &[]).await.code(), Some(1));
    assert_eq!(lint(&dir, &here, &["--local"]).await.code(), Some(0));
    let named = profile("http://localhost:28100/callback", "o=${object}");
    let resolved = lint(&dir, &named, &["--resolve"]).await;
    assert_eq!(resolved.code(), Some(1), "{resolved:#?}");

    let mut template = profile(URL, "o=${x:a}");
    template["variables"] = json!([{ "name": "x:a", "value": "{nonsense}" }]);
    let refused = lint(&dir, &template, &[]).await;
    assert_eq!((refused.code(), refused.lines.len()), (Some(1), 1), "{refused:#?}");
    assert!(
        refused.lines[0].starts_with("error · profile · ") && refused.lines[0].contains("nonsense"),
        "{refused:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_comes_from_a_file_the_header_the_data_folder_or_the_options_of_an_upload() {
    let dir = folder();
    std::fs::write(dir.path().join("profile.json"), profile(URL, "from=file").to_string()).unwrap();
    std::fs::write(
        dir.path().join("header.json"),
        json!({"callbackUrl": URL, "callbackBody": "from=${x:h}", "callbackSNI": true, "x:h": "header"}).to_string(),
    )
    .unwrap();
    let config = EngineConfig { work: Work::OnlyAsked, ..EngineConfig::new(dir.path().join("data")) };
    let engine = Engine::start(config).await.expect("it starts");
    let form = CallbackProfileForm { urls: vec![URL.into()], body: "from=folder".into(), ..Default::default() };
    let draft = CallbackProfileDraft { id: None, name: "Orders 订单".into(), form };
    engine.save_callback_profile(draft).await.expect("it is saved");
    let raw = async |source: &[&str]| {
        let arguments = [&["preview", "profile.json", "--raw"], source].concat();
        let ended = run(callback(&dir, &arguments)).await;
        assert_eq!((ended.code(), ended.lines.len()), (Some(0), 1), "{ended:#?}");
        ended.lines[0].clone()
    };
    assert_eq!(raw(&["--profile", "profile.json"]).await, "from=file");
    assert_eq!(raw(&["--profile", "header.json"]).await, "from=header");
    // While a window holds the data folder.
    assert_eq!(raw(&["--named", "orders 订单"]).await, "from=folder");
    engine.stop().await;
    let options = ["--callback-url", URL, "--callback-body", "from=${x:o}", "--var", "o={stem}"];
    assert_eq!(raw(&options).await, "from=profile");
    assert_eq!(raw(&[&options[..], &["--key", "a/b.c"]].concat()).await, "from=b");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_profile_is_refused_in_words_by_all_who_want_one() {
    let dir = folder();
    std::fs::write(dir.path().join("bad.json"), "{\"urls\": [").unwrap();
    std::fs::write(dir.path().join("odd.json"), "{\"urls\": [], \"boby\": \"\"}").unwrap();
    for command in [&["lint"][..], &["preview", "bad.json"], &["export", "--language", "java"]] {
        for (source, part) in [
            (&["--profile", "bad.json"][..], "bad.json: this is not JSON (EOF"),
            (&["--profile", "odd.json"], "odd.json: a callback profile has no \"boby\""),
            (&["--profile", "nowhere.json"], "could not read \"nowhere.json\""),
            (&["--named", "Nobody"], "there is no callback profile \"Nobody\""),
            (&[], "say which callback"),
            (&["--profile", "bad.json", "--named", "x"], "cannot be used with"),
            (&["--named", "x", "--callback-url", URL], "cannot be used with"),
        ] {
            let ended = run(callback(&dir, &[command, source].concat())).await;
            assert!(ended.refusal().contains(part), "{ended:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_is_the_request_with_its_samples_marked_and_the_headers_with_their_lengths() {
    let dir = folder();
    std::fs::write(dir.path().join("é.jpg"), b"12345").unwrap();
    let body = "k=${object}&n=${size}&e=${etag}&no=${x:no}";
    let described = [
        "--callback-url",
        URL,
        "--callback-body",
        body,
        "--var",
        "no={batch.no}{uploadNo}",
        "--upload-no",
        "2",
        "--batch-no",
        "4",
    ];
    let preview =
        |more: &'static [&'static str]| run(callback(&dir, &[&["preview", "é.jpg"], &described[..], more].concat()));
    let ended = preview(&[]).await;
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    let page = ended.lines.join("\n");
    for part in [
        "POST /cb HTTP/1.1\nHost: app.example.com\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 57\n\n",
        "\n\nk=%C3%A9.jpg&n=5&e=‹etag›&no=42\n",
        "\nDecoded\n  k = é.jpg\n  n = 5\n  e = ‹etag›, for instance 5B3C1A2E053D763E1B002CC607C5A0FE\n  no = 42\n",
        "\nx-oss-callback, 2",
        " of 5120 bytes\n  eyJ",
        "\nx-oss-callback-var, 20 of 5120 bytes\n  eyJ4Om5vIjoiNDIifQ==\n  {\"x:no\":\"42\"}",
    ] {
        assert!(page.contains(part), "{part:?} is missing in\n{page}");
    }
    let raw = preview(&["--raw"]).await;
    assert_eq!(raw.lines, ["k=%C3%A9.jpg&n=5&e=5B3C1A2E053D763E1B002CC607C5A0FE&no=42"], "57 bytes");
    let told = preview(&["--json"]).await.receipt(0);
    assert_eq!((&told["body"], &told["callback"]["limit"]), (&raw.lines[0].as_str().into(), &5120.into()));

    let nothing = run(callback(&dir, &["preview", "é.jpg", "--callback-url", ""])).await;
    assert!(nothing.refusal().contains("address"), "{nothing:#?}");
    let gone = run(callback(&dir, &["preview", "gone.jpg", "--callback-url", URL])).await;
    assert!(gone.refusal().contains("gone.jpg"), "{gone:#?}");
    let folder = run(callback(&dir, &["preview", ".", "--callback-url", URL])).await;
    assert!(folder.refusal().contains("is a folder"), "{folder:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_the_same_after_it_was_written_and_read_in_each_language() {
    let dir = folder();
    let given = json!({
        "urls": [URL], "host": "app.example.com", "body": r#"{"object":${object},"no":${x:no}}"#, "bodyType": "json",
        "sni": true, "variables": [{ "name": "x:no", "value": "7" }], "query": [], "headers": [], "bestEffort": false,
        "expectations": [], "columns": [],
    });
    let file = dir.path().join("profile.json");
    std::fs::write(&file, given.to_string()).unwrap();
    for (language, mark) in [
        ("java", "import com.aliyun.oss.OSS;"),
        ("php", "<?php"),
        ("nodejs", "require('ali-oss')"),
        ("python", "import oss2"),
        ("csharp", "using System;"),
        ("android", "com.alibaba.sdk.android.oss"),
        ("ios", "AliyunOSSiOS.h"),
        ("cpp", "alibabacloud/oss/OssClient.h"),
        ("c", "oss_api.h"),
        ("ruby", "require 'aliyun/oss'"),
        ("rest", "x-oss-callback: "),
    ] {
        let written = run(callback(&dir, &["export", "--language", language, "--profile", "profile.json"])).await;
        assert_eq!((written.code(), written.stderr.as_str()), (Some(0), ""), "{language}: {written:#?}");
        let program = written.lines.join("\n");
        assert!(program.contains(mark), "{language}: {program}");
        let read = run_fed(callback(&dir, &["import"]), program.as_bytes()).await;
        assert_eq!((read.code(), read.stderr.as_str()), (Some(0), ""), "{language}: {read:#?}");
        let form: Value = serde_json::from_str(&read.lines.join("\n")).expect("JSON");
        assert_eq!(form, given, "{language}");
    }
    let unknown = run(callback(&dir, &["export", "--language", "cobol", "--profile", "profile.json"])).await;
    assert!(unknown.refusal().contains("cobol") && unknown.stderr.contains("nodejs"), "{unknown:#?}");
    let refused = run(callback(&dir, &["export", "--language", "c", "--callback-url", "http://["])).await;
    assert_eq!((refused.code(), refused.lines.len()), (Some(1), 0), "{refused:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_mended_in_a_program_is_said_beside_the_profile() {
    let dir = folder();
    let program = r#"callback.setCallbackUrl("http://app.example.com/cb"); callback.setCallbackBody("v=${x:My_Var}");
                     callback.addCallbackVar("x:My_Var", "V"); callback.addCallbackVar("plain", "1");"#;
    std::fs::write(dir.path().join("Upload.java"), program).unwrap();
    let read = run(callback(&dir, &["import", "Upload.java"])).await;
    assert_eq!(read.code(), Some(0), "{read:#?}");
    let form: Value = serde_json::from_str(&read.lines.join("\n")).expect("JSON on standard output, and nothing else");
    assert_eq!(form["body"], "v=${x:my_var}");
    for part in ["\"x:my_var\" was made lower case", "\"x:\" was put in front of the variable \"x:plain\""] {
        assert!(read.stderr.contains(part), "{part}: {read:#?}");
    }
    for (input, part) in [("", "No callback was found"), ("print('hello')", "No callback was found")] {
        let ended = run_fed(callback(&dir, &["import", "-"]), input.as_bytes()).await;
        assert!(ended.refusal().contains(part), "{ended:#?}");
    }
    let binary = run_fed(callback(&dir, &["import"]), b"\xff\xfe").await;
    assert!(binary.refusal().contains("no text in UTF-8"), "{binary:#?}");
}
