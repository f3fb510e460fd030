//! What is exported is imported again, note for note and byte for byte.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::{Imported, Language, Trap, export, import};
use crate::callback::spec::{BodyType, CallbackSpec};

fn there_and_back(spec: &CallbackSpec) {
    for language in Language::ALL {
        let written = export(spec, language).unwrap_or_else(|error| panic!("{error}: {spec:?}"));
        let read = import(&written).unwrap_or_else(|error| panic!("{language:?}: {error}\n{written}"));
        assert_eq!(read, Imported { language, spec: spec.clone(), notes: Vec::new() }, "{written}");
    }
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn spec(url: &str, body: &str) -> CallbackSpec {
    CallbackSpec { urls: vec![url.to_owned()], body: body.to_owned(), ..CallbackSpec::default() }
}

/// One of each kind, and each of the ways around what an SDK cannot say.
pub(super) fn kinds() -> Vec<CallbackSpec> {
    let form = spec("http://app.example.com/cb", "object=${object}&size=${size}");
    let json = CallbackSpec {
        body_type: BodyType::Json,
        variables: pairs(&[("x:v", "a\"b\\c\n'$d' #{e} {0} 中文 😀 \u{202e}\u{7}"), ("x:w_2", "")])
            .into_iter()
            .collect(),
        ..spec(
            "https://app.example.com/oss/cb",
            "{\"mimeType\":${mimeType},\"中\":\"\\n\\\"\",\"v\":[${x:v},${x:w_2}]}",
        )
    };
    vec![
        form.clone(),
        json.clone(),
        CallbackSpec { sni: true, host: Some("inner.example.com:8080".to_owned()), ..form.clone() },
        CallbackSpec { query: pairs(&[("user", "put_object"), ("a b", "中&=/+"), ("empty", "")]), ..form.clone() },
        CallbackSpec { query: pairs(&[("user", "put_object")]), ..form.clone() },
        CallbackSpec { query: pairs(&[("user", "put_object")]), variables: json.variables.clone(), ..json.clone() },
        CallbackSpec {
            urls: ["http://a.example.com/1", "b.example.com", "http://c.example.com/%E4%B8%AD"]
                .map(str::to_owned)
                .to_vec(),
            query: pairs(&[("k", "v")]),
            ..form.clone()
        },
        CallbackSpec {
            additional_headers: pairs(&[("x-token", "a\"b\\$c"), ("0", "1")]).into_iter().collect(),
            sni: true,
            ..json
        },
        CallbackSpec { policy: Some("stored".to_owned()), ..CallbackSpec::default() },
        CallbackSpec {
            policy: Some("stored".to_owned()),
            variables: pairs(&[("x:a", "1")]).into_iter().collect(),
            ..CallbackSpec::default()
        },
        CallbackSpec {
            variables: pairs(&[("x:__proto__", "1")]).into_iter().collect(),
            ..spec("http://a.example.com", "p=${x:__proto__}")
        },
        spec("http://app.example.com/cb?lone", "o=${object}"),
        spec("http://app.example.com/cb?a=b/c", "o='\"\\${object}\r\n\t;//#/*%s%d"),
        spec("http://app.example.com/cb??a=b#end", "???=${object}<<<X`@\"'''"),
    ]
}

#[test]
fn every_kind_comes_back_from_every_language() {
    kinds().iter().for_each(there_and_back);
}

#[test]
fn a_variable_that_is_not_used_is_the_only_thing_noted() {
    let mut spec = spec("http://app.example.com/cb", "object=${object}");
    spec.variables.insert("x:lost".to_owned(), "1".to_owned());
    for language in Language::ALL {
        let read = import(&export(&spec, language).expect("written")).expect("read");
        let said: Vec<_> = read.notes.iter().map(|note| (note.trap, note.about.as_str())).collect();
        assert_eq!((read.spec, &said[..]), (spec.clone(), &[(Trap::UnusedVariable, "x:lost")][..]), "{language:?}");
    }
}

#[test]
fn what_is_not_in_its_plain_form_comes_back_as_the_same_callback() {
    let spec = CallbackSpec {
        urls: vec![" http://app.example.com/中文?a=b c&中=文 ".to_owned()],
        query: pairs(&[("user", "1")]),
        host: Some(" ".to_owned()),
        additional_headers: pairs(&[("X-Token", "1")]).into_iter().collect(),
        variables: pairs(&[("v", "1")]).into_iter().collect(),
        ..spec("", "v=${x:v}")
    };
    for language in Language::ALL {
        let read = import(&export(&spec, language).expect("written")).expect("read");
        assert_eq!(read.spec.encode().expect("good"), spec.encode().expect("good"), "{language:?}");
        assert_eq!(read.spec.query.last(), Some(&("user".to_owned(), "1".to_owned())), "{language:?}");
        assert!(read.notes.is_empty(), "{language:?}: {:?}", read.notes);
    }
}

#[test]
fn what_oss_would_refuse_is_not_exported() {
    for language in Language::ALL {
        assert!(export(&spec("", "object=${object}"), language).is_err());
        assert!(export(&spec("http://app.example.com", "a$b"), language).is_err());
    }
}

/// Texts with all that a language might take for its own.
fn text() -> impl Strategy<Value = String> {
    "([a-z0-9 ]|[\"'\\\\#@%?`/&=<>;,:(){}\\[\\]+*!~^|-]|[\\n\\r\\t\\x07]|[中é😀]|\\\\n|\\\\\"|\\?\\?=|#\\{a\\}|//|/\\*|<<<X){0,16}"
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,8}"
}

prop_compose! {
    fn a_spec()(
        hosts in vec("(http://|https://|)[a-z]{1,8}\\.example\\.com(:[1-9][0-9]{1,3})?(/[a-z0-9%]{0,0}[a-z0-9._~-]{0,8}|/%E4%B8%AD){0,2}", 1..4),
        query in vec((name(), text()), 0..3),
        host in proptest::option::of("[a-z]{1,8}\\.example\\.org(:80)?"),
        (json, sni) in any::<(bool, bool)>(),
        pieces in vec(text(), 1..4),
        headers in btree_map("[a-z][a-z0-9-]{0,6}", "[a-zA-Z0-9 \"'\\\\$#;]{0,8}", 0..3),
        variables in btree_map(name().prop_map(|name| format!("x:{name}")), text().prop_map(|text| text + "${x}$"), 0..3),
    ) -> CallbackSpec {
        let plain = |text: &str| if json { serde_json::Value::from(text).to_string() } else { text.to_owned() };
        let named = ["object".to_owned()].into_iter().chain(variables.keys().cloned());
        let body: Vec<String> = pieces.iter().map(|text| plain(text)).chain(named.map(|name| format!("${{{name}}}"))).collect();
        CallbackSpec {
            urls: hosts,
            query,
            host,
            body: if json { format!("[{}]", body.join(", ")) } else { body.join("&") },
            body_type: if json { BodyType::Json } else { BodyType::Form },
            sni,
            additional_headers: headers.into_iter().filter(|(name, _)| !name.starts_with("x-oss-")).collect::<BTreeMap<_, _>>(),
            policy: None,
            variables,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn generated_callbacks_come_back_from_every_language(spec in a_spec()) {
        prop_assume!(spec.encode().is_ok());
        there_and_back(&spec);
    }

    #[test]
    fn noise_is_never_a_panic(text in "([a-z(){}\\[\\]=:;,.@$\"'`\\\\\\n<>?/#*%+&-]|x-oss-callback: |new |callbackUrl|<\\?php\\n|import oss2\\n|aos_|ali-oss|eyJ9|\\$\\{){0,60}") {
        let _ = import(&text);
    }
}

#[test]
fn brackets_without_end_are_read_in_reasonable_time() {
    let began = std::time::Instant::now();
    let doubling: String =
        (0..60).map(|at| format!("a{at} = a{next} + a{next}; f{at}(a{next}, a{next});\n", next = at + 1)).collect();
    let _ = import(&format!("import oss2\nheaders = {{'x-oss-callback': a0}}\na60 = ''\n{doubling}"));
    for noise in ["f(", "({[", "a=b+", "f(a,", "x.y(", "{\"a\":", "@{@\"a\":"] {
        for language in ["import oss2\n", "#include <alibabacloud/oss\n", "<?php\n", ""] {
            let text = format!("{language}{}", noise.repeat((60 * 1024) / noise.len()));
            let _ = import(&text);
        }
    }
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

#[test]
fn the_published_encodings_are_read_as_what_they_were_made_from() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/callback-encode.json")).expect("JSON");
    let mut seen = 0;
    for vector in vectors["vectors"].as_array().expect("vectors") {
        let input = &vector["input"];
        let text = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
        let values = input["customValue"].as_object().into_iter().flatten();
        let value = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        for sdk in ["python", "ali_oss"] {
            let url = match (vector["id"].as_str(), sdk) {
                // ali-oss encodes what is encoded already.
                (Some("encoded-url"), "ali_oss") => text("url").replace('%', "%25"),
                (Some("unicode-url"), "ali_oss") => text("url").replace("中文.php", "%E4%B8%AD%E6%96%87.php"),
                _ => text("url"),
            };
            let (url, query) = url.split_once('?').unwrap_or((&url, ""));
            let want = CallbackSpec {
                urls: url.split(';').map(str::to_owned).collect(),
                query: query
                    .split('&')
                    .filter_map(|pair| pair.split_once('='))
                    .map(|(a, b)| (a.to_owned(), b.to_owned()))
                    .collect(),
                host: input["host"].as_str().map(str::to_owned),
                body: text("body"),
                body_type: if text("contentType").contains("json") { BodyType::Json } else { BodyType::Form },
                sni: input["callbackSNI"] == true,
                variables: values.clone().map(|(name, of)| (format!("x:{name}"), value(of))).collect(),
                ..CallbackSpec::default()
            };
            let callback = vector[sdk]["x-oss-callback"].as_str().expect("Base64");
            let variables = vector[sdk]["x-oss-callback-var"].as_str();
            let json = String::from_utf8(STANDARD.decode(callback).expect("Base64")).expect("UTF-8");
            let more = |mark: &str| variables.map_or(String::new(), |value| format!("{mark}{value}"));
            for written in [
                format!("x-oss-callback: {callback}{}", more("\r\nX-OSS-Callback-Var: ")),
                format!("{callback}{}", more("\n")),
                format!("{json}{}", more("\n")),
                format!(
                    "curl -T f 'https://b.oss-cn-hangzhou.aliyuncs.com/k' -H 'x-oss-callback: {callback}'{}",
                    variables.map_or(String::new(), |value| format!(" -H \"x-oss-callback-var: {value}\""))
                ),
                format!("https://b.example.com/k?callback={}{}", callback.replace('=', "%3D"), more("&callback-var=")),
            ] {
                let read = import(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
                assert_eq!(
                    read,
                    Imported { language: Language::Rest, spec: want.clone(), notes: Vec::new() },
                    "{written}"
                );
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 10 * 2 * 5);
}
