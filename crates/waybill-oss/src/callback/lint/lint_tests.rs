//! Each rule is triggered by one callback and not by one that nearly does; and what its cure makes of the former.

use super::super::spec::BodyType;
use super::*;

const URL: &str = "http://app.example.com/cb";

/// Nothing is wrong with it.
fn fine() -> CallbackSpec {
    CallbackSpec { urls: vec![URL.to_owned()], body: "object=${object}".to_owned(), ..CallbackSpec::default() }
}

fn urls(urls: &[&str]) -> CallbackSpec {
    CallbackSpec { urls: urls.iter().map(|url| (*url).to_owned()).collect(), ..fine() }
}

fn body(body: &str) -> CallbackSpec {
    CallbackSpec { body: body.to_owned(), ..fine() }
}

fn json(text: &str) -> CallbackSpec {
    CallbackSpec { body_type: BodyType::Json, ..body(text) }
}

fn headers(pairs: &[(&str, &str)]) -> CallbackSpec {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    CallbackSpec { additional_headers: pairs.iter().map(pair).collect(), ..fine() }
}

fn host(host: &str) -> CallbackSpec {
    CallbackSpec { host: Some(host.to_owned()), ..fine() }
}

/// With these variables, of the value `1`.
fn vars(names: &[&str], spec: CallbackSpec) -> CallbackSpec {
    CallbackSpec { variables: names.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect(), ..spec }
}

fn lint(spec: &CallbackSpec) -> Vec<Finding> {
    spec.lint(&LintFacts::default())
}

fn of(rule: Rule, findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().filter(|finding| finding.rule == rule).collect()
}

/// The callback gives exactly one finding of the rule, about this, and its cure makes this of it.
#[track_caller]
fn found(rule: Rule, spec: &CallbackSpec, about: &str, cured: Option<CallbackSpec>) -> Finding {
    let all = lint(spec);
    let [finding] = &of(rule, all.clone())[..] else { panic!("{all:?}") };
    assert_eq!((finding.about.as_str(), &finding.cured), (about, &cured));
    if let Some(cured) = cured {
        assert!(of(rule, lint(&cured)).is_empty(), "{cured:?}");
    }
    finding.clone()
}

#[track_caller]
fn near(rule: Rule, specs: &[CallbackSpec]) {
    for spec in specs {
        assert!(of(rule, lint(spec)).is_empty(), "{spec:?}");
    }
}

/// What a finding underlines.
fn underlined<'a>(finding: &Finding, text: &'a str) -> &'a str {
    &text[finding.range.clone().expect("range")]
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(lint(&fine()), []);
    let spec = vars(&["v"], json("{\"o\":${object},\"s\":${size},\"v\":${x:v},${etag}:[1]}"));
    assert_eq!(lint(&CallbackSpec { sni: true, urls: vec!["https://a.example".to_owned()], ..spec }), []);
}

#[test]
fn no_address_means_no_callback() {
    assert_eq!(found(Rule::EmptyUrl, &urls(&[" "]), "", None).row, Some(0));
    assert_eq!(found(Rule::EmptyUrl, &urls(&[]), "", None).row, None);
    near(Rule::EmptyUrl, &[urls(&["", URL])]);
}

#[test]
fn the_sixth_address_is_one_too_many() {
    let six = [URL, "", URL, URL, URL, URL, "http://six.example"];
    let finding = found(Rule::TooManyUrls, &urls(&six), "6", Some(urls(&six[..6])));
    assert_eq!((finding.row, finding.level), (Some(6), Level::Error));
    near(Rule::TooManyUrls, &[urls(&six[..6])]);
}

#[test]
fn what_is_no_address_is_underlined_where_it_is_none() {
    found(Rule::BadUrl, &urls(&["ftp://a.example"]), "ftp://a.example", None);
    found(Rule::BadUrl, &urls(&["https:///cb"]), "https:///cb", None);
    found(Rule::BadUrl, &urls(&["http://a;http://b;"]), "http://a;http://b;", Some(urls(&["http://a", "http://b"])));
    found(Rule::BadUrl, &urls(&["http://a/b;v=1"]), "http://a/b;v=1", Some(urls(&["http://a/b%3Bv=1"])));
    let url = " http://bücher.example/x";
    let cured = urls(&["http://xn--bcher-kva.example/x"]);
    assert_eq!(underlined(&found(Rule::BadUrl, &urls(&[url]), url.trim(), Some(cured)), url), "bücher.example");
    assert_eq!(underlined(&found(Rule::BadUrl, &urls(&["123.456"]), "123.456", None), "123.456"), "123.456");
    near(Rule::BadUrl, &[urls(&["app.example.com/cb?to=ftp://a"]), urls(&["1.2.3.4.example"]), urls(&["8.8.8.8"])]);
}

#[test]
fn a_port_is_a_number() {
    for (url, port) in
        [("http://a.example:http/", ":http"), ("http://a.example:65536", ":65536"), ("a.example:0", ":0")]
    {
        assert_eq!(underlined(&found(Rule::BadPort, &urls(&[url]), &port[1..], None), url), port);
    }
    found(Rule::BadPort, &urls(&["http://a.example:/x"]), "", Some(urls(&["http://a.example/x"])));
    near(Rule::BadPort, &[urls(&["http://u:p@a.example/:x", "http://a.example:65535"])]);
}

#[test]
fn ipv6_is_not_called() {
    let url = "http://[2001:db8::1]:80/cb";
    assert_eq!(underlined(&found(Rule::Ipv6Address, &urls(&[url]), url, None), url), "[2001:db8::1]:80");
    found(Rule::Ipv6Address, &urls(&["2001:db8::1"]), "2001:db8::1", None);
    near(Rule::Ipv6Address, &[urls(&["http://a.example/[::1]", "http://a.example:80/a:b:c"])]);
}

#[test]
fn private_addresses_are_found_unless_the_caller_is_at_home() {
    for (url, host) in [
        ("http://127.0.0.1:9000/cb", "127.0.0.1"),
        ("localhost", "localhost"),
        ("http://10.1.2.3", "10.1.2.3"),
        ("http://172.16.0.1/", "172.16.0.1"),
        ("http://192.168.1.1", "192.168.1.1"),
        ("http://169.254.1.1", "169.254.1.1"),
        ("http://100.64.0.1", "100.64.0.1"),
        ("http://0.0.0.0", "0.0.0.0"),
        ("http://u@127.0.0.1/", "127.0.0.1"),
        ("http://LOCALHOST./cb", "LOCALHOST."),
        ("http://printer.local", "printer.local"),
    ] {
        let spec = urls(&[url]);
        assert_eq!(underlined(&found(Rule::PrivateAddress, &spec, host, None), url), host);
        assert!(spec.encode().is_ok(), "{url} is no error of the text");
        assert_eq!(spec.lint(&LintFacts { local: true, ..LintFacts::default() }), [], "{url}");
    }
    near(
        Rule::PrivateAddress,
        &[
            urls(&["http://8.8.8.8:80/10.0.0.1", "http://172.32.0.1", "http://100.128.0.1", "http://192.169.0.1"]),
            urls(&["http://localhost.example", "http://local.example", "http://10.example"]),
        ],
    );
}

#[test]
fn a_name_is_judged_by_what_it_resolves_to() {
    let facts = |addresses: &[&str]| LintFacts {
        resolved: vec![(
            "App.example.com.".to_owned(),
            addresses.iter().map(|ip| ip.parse().expect("address")).collect(),
        )],
        ..LintFacts::default()
    };
    let about = |addresses: &[&str]| -> Vec<String> {
        of(Rule::ResolvesPrivate, fine().lint(&facts(addresses))).into_iter().map(|finding| finding.about).collect()
    };
    assert_eq!(about(&["8.8.8.8", "10.0.0.1"]), ["app.example.com (10.0.0.1)"]);
    assert_eq!(about(&["2400:3200::1"]), ["app.example.com (2400:3200::1)"]);
    for public in [&["8.8.8.8"][..], &["2400:3200::1", "8.8.8.8"], &[]] {
        assert!(about(public).is_empty(), "{public:?}");
    }
    let local = LintFacts { local: true, ..facts(&["127.0.0.1"]) };
    assert_eq!(fine().lint(&local), []);
    assert_eq!(urls(&["http://b.example"]).lint(&facts(&["10.0.0.1"])), [], "another name");
}

#[test]
fn what_is_not_encoded_is_encoded_once() {
    let url = " http://a.example/中文 x/%E4?q=é";
    let cured = urls(&["http://a.example/%E4%B8%AD%E6%96%87%20x/%E4?q=%C3%A9"]);
    let finding = found(Rule::NotEncoded, &urls(&[url]), url.trim(), Some(cured));
    assert_eq!((underlined(&finding, url), finding.level), ("中文 ", Level::Warning));
    near(Rule::NotEncoded, &[urls(&["http://a.example/%e4?q='()[]", "http://a.example/#中"])]);
}

#[test]
fn a_fragment_is_cut_off() {
    let url = "http://a.example/x#top";
    let finding = found(Rule::Fragment, &urls(&[url]), url, Some(urls(&["http://a.example/x"])));
    assert_eq!(underlined(&finding, url), "#top");
    near(Rule::Fragment, &[urls(&["http://a.example/x%23top"])]);
}

#[test]
fn https_to_a_name_wants_sni() {
    let spec = urls(&[URL, "HTTPS://b.example/"]);
    found(Rule::HttpsWithoutSni, &spec, "HTTPS://b.example/", Some(CallbackSpec { sni: true, ..spec.clone() }));
    near(Rule::HttpsWithoutSni, &[urls(&["https://8.8.8.8/"]), urls(&["https.example/?u=https://b"])]);
    let london = LintFacts { region: Some("oss-eu-west-1".to_owned()), ..LintFacts::default() };
    assert_eq!(spec.lint(&london), [], "London always names the host");
}

#[test]
fn a_host_is_no_address_and_no_header() {
    found(Rule::BadHost, &host("https://a.example:81/x"), "https://a.example:81/x", Some(host("a.example:81")));
    for bad in ["a b", "a\r\nX: y", "é", "a,b"] {
        found(Rule::BadHost, &host(bad), bad, None);
    }
    near(Rule::BadHost, &[host(" "), host(" a_b.example:80 ")]);
}

#[test]
fn headers_that_oss_does_not_take_are_mended_where_that_is_plain() {
    found(Rule::BadHeader, &headers(&[("a_b", "1")]), "a_b", Some(headers(&[("a-b", "1")])));
    found(Rule::BadHeader, &headers(&[("X-OSS-Tag", "1")]), "X-OSS-Tag", Some(headers(&[("tag", "1")])));
    found(Rule::BadHeader, &headers(&[("a", "1\r\n2")]), "a", Some(headers(&[("a", "1 2")])));
    found(Rule::BadHeader, &headers(&[("", "1"), ("b", "1")]), "", Some(headers(&[("b", "1")])));
    found(Rule::BadHeader, &headers(&[("A", "1"), ("a", "1")]), "a", Some(headers(&[("A", "1")])));
    found(Rule::BadHeader, &headers(&[("A", "1"), ("a", "2")]), "a", None);
    let own = found(Rule::BadHeader, &headers(&[("Date", "1")]), "Date", Some(fine()));
    let moved = found(Rule::BadHeader, &headers(&[("Host", "a.example")]), "Host", Some(host("a.example")));
    assert_eq!((own.level, moved.level), (Level::Warning, Level::Warning));
    let names: Vec<String> = (10..21).map(|n| format!("h{n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    assert_eq!(found(Rule::BadHeader, &headers(&many), "11", None).row, Some(10));
    near(Rule::BadHeader, &[headers(&many[1..]), headers(&[("X-OSSA", ""), ("key2", "é")])]);
}

#[test]
fn an_empty_body_gets_the_usual_one() {
    let cured = body("bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&mimeType=${mimeType}&v=${x:v}");
    found(Rule::EmptyBody, &vars(&["v"], body(" \n")), "", Some(vars(&["v"], cured)));
    let finding = &of(Rule::EmptyBody, lint(&json("")))[0];
    assert_eq!(lint(finding.cured.as_ref().expect("cure")), []);
    near(Rule::EmptyBody, &[body("a")]);
}

#[test]
fn a_dollar_gets_its_braces_or_is_encoded() {
    let v = |text: &str| vars(&["v"], body(text));
    for (bad, about, good) in [
        ("v=$x:v}", "$x:v", "v=${x:v}"),
        ("v=${x:v", "${x:v", "v=${x:v}"),
        ("v=${x:v}&s=$(size)", "$(size", "v=${x:v}&s=${size}"),
        ("v=${x:v}&s=$size.", "$size.", "v=${x:v}&s=${size}."),
        ("v=${x:v}&p=$5", "$5", "v=${x:v}&p=%245"),
        ("v=${x:v}&p=${}", "${", "v=${x:v}&p=%24{}"),
        ("v=${x:v}&p=${a${size}", "${a", "v=${x:v}&p=%24{a${size}"),
    ] {
        let finding = found(Rule::LoneDollar, &v(bad), about, Some(v(good)));
        assert!(underlined(&finding, bad).starts_with('$'), "{bad}");
        assert!(v(bad).encode().is_err() && v(good).encode().is_ok(), "{bad}");
    }
    found(Rule::LoneDollar, &json("{\"p\":\"5 $\"}"), "$", Some(json("{\"p\":\"5 \\u0024\"}")));
    near(Rule::LoneDollar, &[body("a=${object}%24")]);
}

#[test]
fn unknown_variables_are_named_with_the_one_that_was_meant() {
    for (bad, good) in [
        ("Object", "object"),
        ("mimetype", "mimeType"),
        (" size ", "size"),
        ("height", "imageInfo.height"),
        ("filename", "object"),
    ] {
        let finding =
            found(Rule::UnknownVariable, &body(&format!("a=${{{bad}}}")), bad, Some(body(&format!("a=${{{good}}}"))));
        assert!(finding.to_string().contains(&format!("did you mean “${{{good}}}”")), "{finding}");
    }
    let finding = found(Rule::UnknownVariable, &body("a=${what}"), "what", None);
    assert_eq!(underlined(&finding, "a=${what}"), "${what}");
    assert_eq!(of(Rule::UnknownVariable, lint(&body("${a}${a}"))).len(), 2, "each place is underlined");
    near(Rule::UnknownVariable, &[body("a=${x:what}"), body("a=${imageInfo.format}")]);
}

#[test]
fn our_own_variable_without_its_prefix_gets_it() {
    let v = |text: &str| vars(&["order"], body(text));
    let finding =
        found(Rule::MissingPrefix, &v("a=${order}&b=${x:order}"), "order", Some(v("a=${x:order}&b=${x:order}")));
    assert_eq!(finding.meant.as_deref(), Some("x:order"));
    near(Rule::MissingPrefix, &[vars(&["size"], body("a=${size}&b=${x:size}")), body("a=${order}")]);
}

#[test]
fn a_variable_that_is_not_set_is_found() {
    let v = |text: &str| vars(&["user"], body(text));
    found(Rule::UndefinedVariable, &body("a=${x:lost}"), "x:lost", None);
    found(Rule::UndefinedVariable, &v("a=${x:User}&b=${x:user}"), "x:User", Some(v("a=${x:user}&b=${x:user}")));
    near(Rule::UndefinedVariable, &[v("a=${x:user}"), vars(&["x:user"], body("a=${x:user}"))]);
}

#[test]
fn a_variable_that_nobody_is_told_is_put_into_the_body() {
    let v = |spec: CallbackSpec| vars(&["v"], spec);
    for (unused, used) in [
        (body("a=${object}"), body("a=${object}&v=${x:v}")),
        (json("{\"a\":${object}}\n"), json("{\"a\":${object},\"v\":${x:v}}")),
        (json("{ }"), json("{\"v\":${x:v}}")),
    ] {
        let finding = found(Rule::UnusedVariable, &v(unused), "x:v", Some(v(used)));
        assert_eq!(finding.row, Some(0));
    }
    found(Rule::UnusedVariable, &v(body("v=1")), "x:v", None);
    found(Rule::UnusedVariable, &v(json("[1]")), "x:v", None);
    near(Rule::UnusedVariable, &[v(body("a=${x:v}"))]);
    let stored = CallbackSpec { policy: Some("p".to_owned()), ..CallbackSpec::default() };
    near(Rule::UnusedVariable, &[v(stored)]);
}

#[test]
fn capitals_are_made_small_in_the_body_too() {
    let spec = vars(&["x:UserId"], body("u=${x:UserId}"));
    let finding = found(Rule::UpperCaseName, &spec, "x:UserId", Some(vars(&["x:userid"], body("u=${x:userid}"))));
    assert!(finding.level == Level::Error && spec.encode().is_err());
    assert_eq!(lint(&spec).len(), 1, "the place in the body is not told as well");
    found(Rule::UpperCaseName, &vars(&["User", "user"], body("u=${x:user}")), "User", None);
    near(Rule::UpperCaseName, &[vars(&["user_1"], body("u=${x:user_1}"))]);
}

#[test]
fn unusual_names_are_errors_only_where_oss_refuses_them() {
    let spec = vars(&["a-b"], body("u=${x:a-b}"));
    let finding = found(Rule::UnusualName, &spec, "a-b", Some(vars(&["a_b"], body("u=${x:a_b}"))));
    assert!(finding.level == Level::Warning && spec.encode().is_ok());
    let spec = vars(&["a b"], fine());
    assert_eq!(found(Rule::UnusualName, &spec, "a b", Some(vars(&["a_b"], fine()))).level, Level::Error);
    found(Rule::UnusualName, &vars(&["x:"], fine()), "x:", None);
    near(Rule::UnusualName, &[vars(&["a_1"], fine())]);
}

#[test]
fn a_variable_that_is_set_twice_is_found() {
    let twice = vars(&["v", "x:v"], body("v=${x:v}"));
    found(Rule::DuplicateName, &twice, "x:v", Some(vars(&["v"], body("v=${x:v}"))));
    let mut other = twice.clone();
    other.variables.insert("v".to_owned(), "2".to_owned());
    found(Rule::DuplicateName, &other, "x:v", None);
    near(Rule::DuplicateName, &[vars(&["v", "x:w"], body("${x:v}${x:w}"))]);
}

#[test]
fn quotes_around_a_text_are_taken_away() {
    let bad = "{\"a\":\"${object}\",\"b\":\"${size}\"}";
    let finding = found(Rule::QuotedVariable, &json(bad), "object", Some(json("{\"a\":${object},\"b\":\"${size}\"}")));
    assert_eq!(underlined(&finding, bad), "\"${object}\"");
    let inside = json("{\"a\":\"by \\\"${etag}\\\" of ${bucket}\"}");
    let named: Vec<_> = of(Rule::QuotedVariable, lint(&inside)).into_iter().map(|one| (one.about, one.cured)).collect();
    assert_eq!(named, [("etag".to_owned(), None), ("bucket".to_owned(), None)]);
    near(
        Rule::QuotedVariable,
        &[
            json("{\"a\":${object},\"size\":\"${size}\",\"n\":[${etag},{\"\\\\\":${bucket}}]}"),
            body("object=\"${object}\""),
        ],
    );
}

#[test]
fn quotes_escaped_for_source_code_are_unescaped() {
    let good = json("{\"a\":${object},\"b\":\"\\\\\"}");
    for bad in
        ["{\\\"a\\\":${object},\\\"b\\\":\\\"\\\\\\\\\\\"}", "\"{\\\"a\\\":${object},\\\"b\\\":\\\"\\\\\\\\\\\"}\""]
    {
        for spec in [json(bad), body(bad)] {
            let finding = found(Rule::EscapedQuotes, &spec, "", Some(good.clone()));
            assert_eq!(underlined(&finding, bad), "\\\"");
            near(Rule::NotJson, std::slice::from_ref(&spec));
            near(Rule::QuotedVariable, &[spec]);
        }
    }
    near(Rule::EscapedQuotes, &[json("{\"say\":\"\\\"hi\\\"\",\"a\":${object}}"), body("a=\\\"b\\\"")]);
}

#[test]
fn what_is_no_json_says_why_and_where() {
    for (bad, at) in [
        ("{\"a\":${object}", "}"),
        ("{a:${object}}", "a"),
        ("{\n\"a\":1,}", "}"),
        ("{\"é\":1 ${etag}}", "$"),
        ("[${a\nb}\n,x]", "x"),
    ] {
        let [finding] = &of(Rule::NotJson, lint(&json(bad)))[..] else { panic!("{bad}") };
        assert!(!finding.about.is_empty() && finding.cured.is_none(), "{finding:?}");
        assert_eq!(underlined(finding, bad), at, "{bad}");
    }
    let form = "object=${object}&size=${size}";
    let [finding] = &of(Rule::NotJson, lint(&json(form)))[..] else { panic!() };
    assert_eq!(finding.cured, Some(body(form)));
    found(Rule::NotJson, &body("{\"a\":${object}}"), "it is sent as a form", Some(json("{\"a\":${object}}")));
    near(
        Rule::NotJson,
        &[
            json("${object}"),
            json("{${object}:1,\"a\":\"${etag}\"}"),
            json("{\"a\":${"),
            body("{}"),
            body("a={\"b\":1}"),
        ],
    );
}

#[test]
fn five_kilobytes_are_the_most() {
    let long = |length: usize| body(&"x".repeat(length));
    let base = base64_length(&long(0));
    let room = 5120 / 4 * 3 - base;
    near(Rule::TooLong, &[long(room)]);
    assert_eq!(found(Rule::TooLong, &long(room + 1), "5124", None).field, Field::Whole);
    let mut spec = vars(&["v"], body("${x:v}"));
    spec.variables.insert("v".to_owned(), "x".repeat(5000));
    let finding = &of(Rule::TooLong, lint(&spec))[0];
    assert_eq!(finding.field, Field::Variables);
    assert!(finding.to_string().starts_with("The variables take"), "{finding}");
}

/// Bytes of the settings before Base64.
fn base64_length(spec: &CallbackSpec) -> usize {
    let object = CallbackSpec { body: "x".to_owned(), ..spec.clone() }.object().expect("object");
    serde_json::Value::Object(object).to_string().len() - 1
}

#[test]
fn a_region_that_the_page_does_not_list_is_a_warning() {
    let about = |region: &str, local: bool| {
        let facts = LintFacts { region: Some(region.to_owned()), local, ..LintFacts::default() };
        fine().lint(&facts).into_iter().map(|finding| (finding.rule, finding.about)).collect::<Vec<_>>()
    };
    assert_eq!(about("ap-northeast-2", false), [(Rule::RegionWithoutCallbacks, "ap-northeast-2".to_owned())]);
    for (region, local) in [("cn-hangzhou", false), ("mars-north-1", false), ("ap-northeast-2", true)] {
        assert!(about(region, local).is_empty(), "{region}");
    }
}

#[test]
fn addresses_that_may_take_longer_than_the_upload_waits_are_a_warning() {
    let facts = |seconds: u64| LintFacts { answer_wait: Duration::from_secs(seconds), ..LintFacts::default() };
    let five = urls(&[URL, URL, "", URL, URL, URL]);
    assert_eq!(of(Rule::ReadLimit, five.lint(&facts(25)))[0].about, "25");
    assert!(five.lint(&facts(26)).is_empty());
    assert!(five.lint(&LintFacts::default()).is_empty(), "our own client waits longer");
    assert!(fine().lint(&facts(3)).is_empty(), "one address is not several");
}

#[test]
fn a_stored_callback_stands_alone() {
    let stored = CallbackSpec { policy: Some("p".to_owned()), ..CallbackSpec::default() };
    found(Rule::StoredAndMore, &CallbackSpec { sni: true, ..stored.clone() }, "p", None);
    assert_eq!(lint(&stored), [], "it needs no address and no body");
    assert_eq!(of(Rule::UpperCaseName, lint(&vars(&["V"], stored))).len(), 1, "variables may stand beside it");
}

#[test]
fn errors_come_first_and_every_finding_has_words() {
    let spec = CallbackSpec {
        body: "a=${what}&b=$".to_owned(),
        host: Some("a b".to_owned()),
        ..vars(&["A", "b-c"], urls(&["https://10.0.0.1/é#x", "http://[::1]/", "https://a:b"]))
    };
    let findings = lint(&spec);
    let levels: Vec<_> = findings.iter().map(|finding| finding.level).collect();
    assert!(levels.is_sorted() && levels.contains(&Level::Warning), "{levels:?}");
    for finding in &findings {
        let said = finding.to_string();
        assert!(said.ends_with(['.', '?']) && said.contains(&finding.about), "{said}");
    }
}
