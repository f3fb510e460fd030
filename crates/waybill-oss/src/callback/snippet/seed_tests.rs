//! The published samples are read as they are, and each of their traps is named.

use super::{Imported, Language, Trap, import};
use crate::callback::spec::{BodyType, CallbackSpec};

const FORM: &str = "bucket=${bucket}&object=${object}";
const JSON: &str = "{\"mimeType\":${mimeType},\"size\":${size}}";
const LONG: &str = "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&mimeType=${mimeType}&my_var1=${x:var1}&my_var2=${x:var2}";
const CPP: &str = "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&mimeType=${mimeType}&my_var1=${x:var1}";
const DEMO: &str = "http://oss-demo.aliyuncs.com:23450";

fn spec(url: &str, body: &str, variables: &[(&str, &str)]) -> CallbackSpec {
    CallbackSpec {
        urls: [url].iter().filter(|url| !url.is_empty()).map(|url| (*url).to_owned()).collect(),
        body: body.to_owned(),
        body_type: if body.starts_with('{') { BodyType::Json } else { BodyType::Form },
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..CallbackSpec::default()
    }
}

fn reads(text: &str, language: Language, spec: CallbackSpec, notes: &[(Trap, &str)]) {
    let Imported { language: found, spec: read, notes: said } = import(text).expect("a callback");
    let said: Vec<_> = said.iter().map(|note| (note.trap, note.about.as_str())).collect();
    assert_eq!((found, read, &said[..]), (language, spec, notes));
}

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("fixtures/", $name, ".txt"))
    };
}

const UNUSED: [(Trap, &str); 2] = [(Trap::UnusedVariable, "x:var1"), (Trap::UnusedVariable, "x:var2")];
const VALUES: [(&str, &str); 2] = [("x:var1", "value1"), ("x:var2", "value2")];

#[test]
fn java_has_escaped_quotes_unused_variables_and_a_short_array() {
    let notes = [&[(Trap::EscapedQuotes, "callbackBody"), (Trap::ReadLimit, "1024")], &UNUSED[..]].concat();
    for text in [sample!("a-java"), sample!("c-java")] {
        reads(text, Language::Java, spec("yourCallbackServerUrl", JSON, &VALUES), &notes);
    }
}

#[test]
fn php_holds_json_between_single_quotes() {
    let body = "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&mimeType=${mimeType}&\
                imageInfo.height=${imageInfo.height}&imageInfo.width=${imageInfo.width}&\
                imageInfo.format=${imageInfo.format}&my_var1=${x:var1}&my_var2=${x:var2}";
    let spec = CallbackSpec {
        host: Some("yourCallbackServerHost".to_owned()),
        ..spec("yourCallbackServerUrl", body, &VALUES)
    };
    for text in [sample!("a-php"), sample!("c-php")] {
        reads(text, Language::Php, spec.clone(), &[]);
    }
}

#[test]
fn node_leaves_the_prefix_to_the_sdk() {
    let one = spec(DEMO, "bucket=${bucket}&object=${object}&var1=${x:var1}", &VALUES);
    reads(sample!("a-node"), Language::NodeJs, one, &[(Trap::UnusedVariable, "x:var2")]);
    let both = spec(DEMO, "bucket=${bucket}&object=${object}&var1=${x:var1}&var2=${x:var2}", &VALUES);
    let both = CallbackSpec { sni: true, ..both };
    reads(sample!("c-node"), Language::NodeJs, both, &[(Trap::BrokenSyntax, "varpath")]);
}

#[test]
fn python_defines_variables_that_nobody_is_told() {
    let unused = [(Trap::UnusedVariable, "x:my_var1"), (Trap::UnusedVariable, "x:my_var2")];
    let values = [("x:my_var1", "my_val1"), ("x:my_var2", "my_val2")];
    for text in [sample!("a-python"), sample!("c-python")] {
        reads(text, Language::Python, spec(DEMO, FORM, &values), &unused);
    }
    let notes = [&[(Trap::EmptyUrl, "")], &unused[..]].concat();
    reads(sample!("d-python"), Language::Python, spec("", FORM, &values), &notes);
}

#[test]
fn csharp_reads_four_kilobytes_and_names_its_client_wrongly() {
    let values = [("x:var1", "x:value1"), ("x:var2", "x:value2")];
    reads(sample!("a-csharp"), Language::CSharp, spec(DEMO, LONG, &values), &[(Trap::ReadLimit, "4096")]);
    let notes = [(Trap::ReadLimit, "4096"), (Trap::BrokenSyntax, "c.SetRegion(…)")];
    reads(sample!("c-csharp"), Language::CSharp, spec("yourCallbackServerUrl", LONG, &values), &notes);
}

#[test]
fn android_fills_its_map_in_a_class_of_its_own() {
    let spec = CallbackSpec { host: Some("yourCallbackHost".to_owned()), ..spec(DEMO, JSON, &[]) };
    for text in [sample!("a-android"), sample!("c-android")] {
        reads(text, Language::Android, spec.clone(), &[]);
    }
}

#[test]
fn ios_lacks_the_prefix_and_once_a_quote() {
    let read = spec(
        "<your server callback address>",
        "<your callback body>",
        &[("x:<var1>", "<value1>"), ("x:<var2>", "<value2>")],
    );
    let mended = [
        (Trap::PrefixAdded, "x:<var1>"),
        (Trap::PrefixAdded, "x:<var2>"),
        (Trap::UnusedVariable, "x:<var1>"),
        (Trap::UnusedVariable, "x:<var2>"),
    ];
    let broken = (Trap::BrokenSyntax, "request.uploadingFileURL = [NSURL fileURLWithPath:@<filepath>\"];");
    reads(sample!("a-ios"), Language::Ios, read.clone(), &[&[broken], &mended[..]].concat());
    reads(sample!("c-ios"), Language::Ios, read, &mended);
}

#[test]
fn cpp_has_no_trap() {
    for text in [sample!("a-cpp"), sample!("c-cpp"), sample!("e-cpp")] {
        reads(text, Language::Cpp, spec("https://example.aliyundoc.com:23450", CPP, &[("x:var1", "value1")]), &[]);
    }
}

#[test]
fn c_encodes_into_a_buffer_that_is_too_small() {
    let body = "bucket=${bucket}&object=${object}&size=${size}&mimeType=${mimeType}";
    let spec = CallbackSpec { host: Some("yourCallbackHost".to_owned()), ..spec(DEMO, body, &[]) };
    for text in [sample!("a-c"), sample!("c-c")] {
        reads(text, Language::C, spec.clone(), &[(Trap::SmallBuffer, "b64_buf[1024]")]);
    }
}

#[test]
fn ruby_keeps_its_query_apart_and_words_around_it_do_no_harm() {
    let query = vec![("user".to_owned(), "put_object".to_owned())];
    let spec = CallbackSpec { query, ..spec(DEMO, FORM, &[]) };
    for text in [sample!("a-ruby"), sample!("b-ruby"), sample!("b-ruby-2"), sample!("c-ruby"), sample!("b-page")] {
        reads(text, Language::Ruby, spec.clone(), &[]);
    }
}

#[test]
fn of_a_page_with_many_programs_the_first_is_read() {
    let page =
        ["Use OSS SDKs\n\n", sample!("a-java"), sample!("a-php"), sample!("a-csharp"), sample!("a-ios")].concat();
    assert_eq!(import(&page).expect("read"), import(sample!("a-java")).expect("read"));
    let page = [sample!("c-csharp"), sample!("c-android"), sample!("c-ios"), sample!("c-cpp")].concat();
    assert_eq!(import(&page).expect("read"), import(sample!("c-csharp")).expect("read"));
}
