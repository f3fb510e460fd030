//! What the studio shows, and what a cure makes of a form.

use super::*;

fn row(name: &str, value: &str) -> Variable {
    Variable { name: name.to_owned(), value: value.to_owned() }
}

fn form() -> CallbackProfileForm {
    CallbackProfileForm {
        urls: vec!["http://app.example.com/cb".to_owned()],
        body: "名=${object}&e=${etag}&no=${x:no}".to_owned(),
        variables: vec![row("no", "{uploadNo}")],
        query: vec![row("k", "v")],
        best_effort: true,
        ..CallbackProfileForm::default()
    }
}

fn studied(form: &CallbackProfileForm) -> CallbackStudy {
    let file = StudiedFile {
        name: "clip.mp4",
        upload: CalledFor { key: "shoot/clip.mp4", no: 42, batch: 7, queued_ms: 0, size_bytes: 7 },
        object: ObjectFacts { object: Fact::Known("🎬.mp4".to_owned()), ..ObjectFacts::default() },
    };
    study(form, &file, &LintFacts::default())
}

fn cured(form: &CallbackProfileForm, rule: CallbackRule) -> CallbackProfileForm {
    let study = studied(form);
    let finding = study.findings.iter().find(|finding| finding.rule == rule);
    finding.unwrap_or_else(|| panic!("{:?}", study.findings)).cured.clone().expect("cure")
}

#[test]
fn the_preview_has_templates_filled_in_and_samples_in_utf16() {
    let study = studied(&form());
    let preview = study.preview.expect("preview");
    assert!(preview.body.ends_with("&no=42") && study.findings.is_empty() && study.refusal.is_none());
    assert_eq!(preview.request_line, "POST /cb?k=v HTTP/1.1");
    assert_eq!(preview.headers[0], row("Host", "app.example.com"));
    assert_eq!(preview.decoded[0], row("名", "🎬.mp4"));
    let [sample] = &preview.samples[..] else { panic!("{:?}", preview.samples) };
    let units: Vec<u16> = preview.body.encode_utf16().collect();
    let (start, end) = (usize::try_from(sample.start).unwrap(), usize::try_from(sample.end).unwrap());
    assert_eq!((sample.name.as_str(), end - start), ("etag", 32));
    assert_eq!(String::from_utf16(&units[start - 3..start]).unwrap(), "&e=");
    assert_eq!(preview.callback.limit, 5120);
    assert_eq!(preview.callback.bytes, preview.callback.base64.len() as i64);
    assert_eq!(preview.callback_var.expect("variables").json, "{\"x:no\":\"42\"}");
}

#[test]
fn what_a_plan_tells_is_no_sample() {
    let mut form = form();
    form.variables.clear();
    form.body = "${bucket}${object}${size}${mimeType}${operation}${vpcId}${contentMd5}${imageInfo.width}".to_owned();
    let mut planned =
        Planned { bucket: "b", key: "a.mp4", size_bytes: 7, mime_type: "video/mp4", in_parts: true, internal: false };
    let shown = |planned: &Planned<'_>| {
        let upload = CalledFor { key: "a.mp4", no: 1, batch: 1, queued_ms: 0, size_bytes: 7 };
        let file = StudiedFile { name: "a.mp4", upload, object: planned.facts() };
        study(&form, &file, &LintFacts::default()).preview.expect("preview")
    };
    let preview = shown(&planned);
    assert_eq!(preview.body, "ba.mp47video%2Fmp4CompleteMultipartUpload");
    assert!(preview.samples.is_empty());
    (planned.mime_type, planned.in_parts, planned.internal) = ("image/png", false, true);
    let preview = shown(&planned);
    let names: Vec<&str> = preview.samples.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(names, ["vpcId", "contentMd5", "imageInfo.width"]);
    assert!(preview.body.contains("PutObject"));
}

#[test]
fn what_is_refused_says_why_and_is_linted_all_the_same() {
    let broken = CallbackProfileForm { variables: vec![row("no", "{nothing}")], ..form() };
    let study = studied(&broken);
    assert!(study.preview.is_none() && study.findings.is_empty());
    assert!(study.refusal.expect("why").contains("{nothing}"));
    let empty = CallbackProfileForm { body: String::new(), ..form() };
    let study = studied(&empty);
    assert!(study.refusal.is_some());
    assert_eq!((study.findings[0].rule, study.findings[0].level), (CallbackRule::EmptyBody, FindingLevel::Error));
}

#[test]
fn places_are_counted_as_the_editor_counts_them() {
    let body = "🎬=${what}&no=${x:no}";
    let study = studied(&CallbackProfileForm { body: body.to_owned(), ..form() });
    let finding = &study.findings[0];
    assert_eq!((finding.rule, finding.start, finding.end), (CallbackRule::UnknownVariable, Some(3), Some(10)));
}

#[test]
fn a_cure_keeps_templates_rows_and_all_that_it_does_not_touch() {
    let rows = vec![row("z", "{name}"), row("Order", "{stem}"), row("a", "1")];
    let body = "${x:z}${x:Order}${x:a}".to_owned();
    let bad = CallbackProfileForm { variables: rows, body, ..form() };
    let finding = &studied(&bad).findings[0];
    assert_eq!((finding.field, finding.row), (CallbackField::Variables, Some(1)));
    let good = cured(&bad, CallbackRule::UpperCaseName);
    assert_eq!(good.variables, [row("z", "{name}"), row("order", "{stem}"), row("a", "1")]);
    assert_eq!(good.body, "${x:z}${x:order}${x:a}");
    assert_eq!(CallbackProfileForm { variables: bad.variables.clone(), body: bad.body.clone(), ..good }, bad);
}

#[test]
fn headers_are_cured_in_their_row_and_half_typed_ones_stay() {
    let headers = vec![row("z", "1"), row("", ""), row("a_b", "2"), row("date", "3")];
    let bad = CallbackProfileForm { headers, ..form() };
    let rows = |form: &CallbackProfileForm| {
        form.headers.iter().map(|row| format!("{}:{}", row.name, row.value)).collect::<Vec<_>>()
    };
    let finding = &studied(&bad).findings[0];
    assert_eq!((finding.about.as_str(), finding.row), ("a_b", Some(2)));
    assert_eq!(rows(finding.cured.as_ref().expect("cure")), ["z:1", ":", "a-b:2", "date:3"]);
    let own = &studied(&bad).findings[1];
    assert_eq!((own.about.as_str(), own.row), ("date", Some(3)));
    assert_eq!(rows(own.cured.as_ref().expect("cure")), ["z:1", ":", "a_b:2"]);
}

#[test]
fn addresses_body_type_host_and_sni_come_back_from_a_cure() {
    let https = CallbackProfileForm { urls: vec!["https://a.example/#x".to_owned()], ..form() };
    assert!(cured(&https, CallbackRule::HttpsWithoutSni).sni);
    assert_eq!(cured(&https, CallbackRule::Fragment).urls, ["https://a.example/"]);
    let host = CallbackProfileForm { host: "http://b.example/".to_owned(), ..form() };
    assert_eq!(cured(&host, CallbackRule::BadHost).host, "b.example");
    let json = CallbackProfileForm { body: "{\"a\":${x:no}}".to_owned(), ..form() };
    assert_eq!(cured(&json, CallbackRule::NotJson).body_type, BodyKind::Json);
}
