//! The linter and the encoder agree, and every cure does what it promises, whatever the callback.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::spec::BodyType;
use super::*;

fn address() -> impl Strategy<Value = String> {
    const WHOLE: [&str; 18] = [
        "",
        " ",
        "http://a.example/cb",
        "https://b.example:8443/x?y=z",
        "http://a;http://b",
        "a.example/;v=1",
        "ftp://a",
        "http://127.0.0.1:9/",
        "http://[::1]/",
        "http://a:99999",
        "http://a:",
        "https://bücher.example/中#x",
        "123.456",
        "http://10.1.2.3/#a",
        "localhost",
        "http://a/100%",
        "http://xn--a",
        "c.example?u=http://d",
    ];
    prop_oneof![4 => select(&WHOLE[..]).prop_map(str::to_owned), 1 => "[a-z0-9.:/;#%é\\[\\] ]{0,16}"]
}

fn body() -> impl Strategy<Value = String> {
    const PIECES: [&str; 26] = [
        "${object}",
        "${size}",
        "${x:v}",
        "${v}",
        "${Object}",
        "${x:Lost}",
        "$",
        "${",
        "}",
        "{",
        "\"",
        "\\\"",
        ":",
        ",",
        "=",
        "&",
        "a",
        "$x:v}",
        "$(size)",
        "{\"a\":${object}}",
        "\"${etag}\"",
        "é",
        "\n",
        " ",
        "${}",
        "\"a\":",
    ];
    proptest::collection::vec(select(&PIECES[..]), 0..10).prop_map(|pieces| pieces.concat())
}

fn names(pool: &'static [&'static str]) -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = prop_oneof![5 => select(pool).prop_map(str::to_owned), 1 => "\\PC{0,4}"];
    let value = select(&["", "1", "two\r\nlines", "é"][..]).prop_map(str::to_owned);
    proptest::collection::btree_map(name, value, 0..4)
}

prop_compose! {
    fn any_spec()(
        urls in proptest::collection::vec(address(), 0..7),
        host in proptest::option::of(select(&["", " ", "a.example", "http://a.example/", "a b", "é"][..])),
        body in body(),
        json in any::<bool>(),
        sni in any::<bool>(),
        headers in names(&["X-A", "x-a", "x-oss-b", "a_b", "", "date", "host", "X-C\n"]),
        many in 0..20_usize,
        policy in proptest::option::weighted(0.1, Just("p".to_owned())),
        variables in names(&["v", "x:v", "V", "x:V", "a-b", "x:", "", "a b"]),
        long in proptest::option::weighted(0.1, 3000..6000_usize),
    ) -> CallbackSpec {
        let mut additional_headers = headers;
        // More than ten only now and then.
        additional_headers.extend((0..many.saturating_sub(8)).map(|n| (format!("n{n}"), String::new())));
        CallbackSpec {
            urls,
            query: Vec::new(),
            host: host.map(str::to_owned),
            body: body + &"x".repeat(long.unwrap_or(0)),
            body_type: if json { BodyType::Json } else { BodyType::Form },
            sni,
            additional_headers,
            policy,
            variables,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_the_encoder_refuses_has_an_error_and_what_has_none_is_encoded(spec in any_spec()) {
        let findings = spec.lint(&LintFacts { local: true, ..LintFacts::default() });
        let errors: Vec<_> = findings.iter().filter(|finding| finding.level == Level::Error).collect();
        prop_assert_eq!(spec.encode().is_err(), !errors.is_empty(), "{:?} {:?}", spec.encode(), errors);
    }

    #[test]
    fn every_cure_takes_its_finding_away_and_brings_no_error(spec in any_spec(), local in any::<bool>()) {
        let facts = LintFacts { local, ..LintFacts::default() };
        let before = spec.lint(&facts);
        let count = |all: &[Finding], like: &Finding| {
            all.iter().filter(|one| one.rule == like.rule && one.about == like.about).count()
        };
        let errors = |all: &[Finding]| all.iter().filter(|finding| finding.level == Level::Error).count();
        for finding in &before {
            let Some(cured) = &finding.cured else { continue };
            let after = cured.lint(&facts);
            prop_assert!(count(&after, finding) < count(&before, finding), "{:?}", finding);
            prop_assert!(errors(&after) <= errors(&before), "{:?} {:?}", finding, after);
        }
    }

    #[test]
    fn every_range_can_be_underlined(spec in any_spec()) {
        for finding in spec.lint(&LintFacts::default()) {
            let Some(range) = &finding.range else { continue };
            let text = match finding.field {
                Field::Url => &spec.urls[finding.row.expect("row")],
                Field::Host => spec.host.as_ref().expect("host"),
                Field::Body => &spec.body,
                field => panic!("{field:?} has no text"),
            };
            prop_assert!(text.get(range.clone()).is_some(), "{:?} in {:?}", finding, text);
        }
    }
}
