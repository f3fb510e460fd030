//! What people paste beside the published samples: parts of programs, other spellings, and traps the samples do not have.

use super::{Imported, Language, Trap, import};
use crate::callback::spec::BodyType;

fn read(text: &str) -> Imported {
    import(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Language, address, body and notes.
fn says(text: &str, language: Language, url: &str, body: &str, notes: &[(Trap, &str)]) -> Imported {
    let read = read(text);
    let said: Vec<_> = read.notes.iter().map(|note| (note.trap, note.about.as_str())).collect();
    let found = (read.language, read.spec.urls.join(";"), read.spec.body.as_str(), &said[..]);
    assert_eq!(found, (language, url.to_owned(), body, notes), "{text}");
    read
}

const URL: &str = "http://a.example.com/cb";

#[test]
fn names_in_capitals_are_lowered_in_the_body_too() {
    let text = r#"callback.setCallbackUrl("http://a.example.com/cb"); callback.setCallbackBody("v=${x:My_Var}");
                  callback.addCallbackVar("x:My_Var", "V"); callback.addCallbackVar("Plain", "1");"#;
    let notes = [
        (Trap::LowerCased, "x:my_var"),
        (Trap::PrefixAdded, "x:plain"),
        (Trap::LowerCased, "x:plain"),
        (Trap::UnusedVariable, "x:plain"),
    ];
    let read = says(text, Language::Java, URL, "v=${x:my_var}", &notes);
    assert_eq!(read.spec.variables["x:my_var"], "V");
}

#[test]
fn sni_as_a_text_or_number_is_said() {
    for (text, about) in [
        (
            r#"put("callbackUrl", "http://a.example.com/cb"); put("callbackBody", "b"); put("callbackSNI", "true");"#,
            "true",
        ),
        (
            r#"m.put("callbackUrl", "http://a.example.com/cb"); m.put("callbackBody", "b"); m.put("callbackSNI", "true"); request.setCallbackParam(m);"#,
            "true",
        ),
        (r#"{"callbackUrl":"http://a.example.com/cb","callbackBody":"b","callbackSNI":1}"#, "1"),
    ] {
        let read = read(text);
        assert!(read.spec.sni, "{text}");
        assert_eq!(read.notes.len(), 1, "{text}");
        assert_eq!((read.notes[0].trap, read.notes[0].about.as_str()), (Trap::SwitchAsText, about));
    }
    let off = read(r#"{"callbackUrl":"http://a.example.com/cb","callbackBody":"b","callbackSNI":false}"#);
    assert!(!off.spec.sni && off.notes.is_empty());
}

#[test]
fn what_only_the_program_knows_is_named_and_left_out() {
    let notes = [(Trap::NotLiteral, "Config.URL")];
    says("import oss2\nd = {'callbackUrl': Config.URL, 'callbackBody': 'b'}", Language::Python, "", "b", &notes);
    let notes = [(Trap::NotLiteral, "getenv(…) + /cb")];
    says(
        "<?php $u = getenv('HOST') . '/cb'; $c = ['callbackUrl' => $u, 'callbackBody' => 'b'];",
        Language::Php,
        "",
        "b",
        &notes,
    );
    let notes = [(Trap::NotLiteral, "${bucket}")];
    let text = "<?php $c = json_encode(array(\"callbackUrl\" => 'http://a.example.com/cb', \"callbackBody\" => \"b=${bucket}\"));";
    says(text, Language::Php, URL, "b=${bucket}", &notes);
}

#[test]
fn ruby_with_a_query_in_its_address_has_it_moved() {
    let text = "Aliyun::OSS::Callback.new(url: 'http://a.example.com/cb?a=1', query: {'b' => 2}, body: 'b')";
    let read = says(text, Language::Ruby, URL, "b", &[(Trap::QueryMoved, "http://a.example.com/cb?a=1")]);
    assert_eq!(read.spec.query, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
}

#[test]
fn php_reads_arrays_heredocs_and_double_quotes() {
    for text in [
        "$c = array('callbackUrl' => 'http://a.example.com/cb', 'callbackBody' => 'b=${bucket}');",
        "$c = [\n 'callbackUrl' => 'http://a.' . 'example.com/cb',\n 'callbackBody' => 'b=${bucket}',\n];",
        "<?php\n$c['callbackUrl'] = 'http://a.example.com/cb';\n$c['callbackBody'] = \"b=\\${bucket}\";",
        "<?php\n$c = <<<'JSON'\n{\"callbackUrl\":\"http://a.example.com/cb\",\"callbackBody\":\"b=${bucket}\"}\nJSON;\n",
        "<?php\n$o = [OssClient::OSS_CALLBACK => \"{\\\"callbackUrl\\\":\\\"http://a.example.com/cb\\\",\\\"callbackBody\\\":\\\"b=\\${bucket}\\\"}\"];",
    ] {
        says(text, Language::Php, URL, "b=${bucket}", &[]);
    }
}

#[test]
fn other_shapes_of_the_same_programs_are_read() {
    for (text, language) in [
        (
            "const o = { callback: cb };\nconst cb = { url: u, body: 'b', contentType: 'application/json' };\nconst u = 'http://a.example.com/cb'",
            Language::NodeJs,
        ),
        (
            "client.put('k', f, { headers: { 'x-oss-callback': Buffer.from(JSON.stringify({ callbackUrl: 'http://a.example.com/cb', callbackBody: 'b', callbackBodyType: 'application/json' })).toString('base64') } })",
            Language::NodeJs,
        ),
        (
            "var b = new CallbackHeaderBuilder(\"http://a.example.com/cb\", null, @\"b\", CallbackBodyType.Json);",
            Language::CSharp,
        ),
        (
            "var b = new CallbackHeaderBuilder(url, \"b\") { CallbackBodyType = CallbackBodyType.Json };\nconst string url = \"http://a.example.com/cb\";",
            Language::CSharp,
        ),
        (
            "ObjectCallbackBuilder b(\"http://a.example.com/cb\", \"b\"); b.setCallbackBodyType(ObjectCallbackBuilder::JSON);",
            Language::Cpp,
        ),
        (
            "request.callbackParam = @{@\"callbackUrl\": @\"http://a.\" @\"example.com/cb\", @\"callbackBody\": @\"b\", @\"callbackBodyType\": @\"application/json\"",
            Language::Ios,
        ),
        (
            "headers = {'x-oss-callback': base64.b64encode(json.dumps(cb).encode()).decode()}\ncb = dict()\ncb['callbackUrl'] = ('http://a.'\n  'example.com/cb')\ncb['callbackBody'] = 'b'\ncb['callbackBodyType'] = \"application/json\"",
            Language::Python,
        ),
        (
            "char *cb = \"{\\\"callbackUrl\\\":\\\"http://a.example.com/cb\\\",\" \"\\\"callbackBody\\\":\\\"b\\\",\\\"callbackBodyType\\\":\\\"application/json\\\"}\";",
            Language::C,
        ),
    ] {
        let read = says(text, language, URL, "b", &[]);
        assert_eq!(read.spec.body_type, BodyType::Json, "{text}");
    }
}

#[test]
fn json_is_read_with_the_slips_people_make() {
    let plain = r#"{"callbackUrl":"http://a.example.com/cb","callbackBody":"b=${bucket}"}"#;
    says(plain, Language::Rest, URL, "b=${bucket}", &[]);
    says(
        &format!("\u{feff}\n{plain}\n{{\"x:a\":\"1\"}}"),
        Language::Rest,
        URL,
        "b=${bucket}",
        &[(Trap::UnusedVariable, "x:a")],
    );
    says(&format!("callback is {plain}, as you see"), Language::Rest, URL, "b=${bucket}", &[]);
    says(&plain.replace('"', "\\\""), Language::Rest, URL, "b=${bucket}", &[(Trap::EscapedQuotes, "")]);
    says(
        &plain.replace('}', ",}").replace("t,}", "t}"),
        Language::Rest,
        URL,
        "b=${bucket}",
        &[(Trap::BrokenSyntax, "")],
    );
    let escaped = r#"{"callbackUrl":"http://a.example.com/cb","callbackBody":"{\\\"o\\\":${object}}","callbackBodyType":"application/json"}"#;
    says(escaped, Language::Rest, URL, r#"{"o":${object}}"#, &[(Trap::EscapedQuotes, "callbackBody")]);
    let right = r#"{"callbackUrl":"http://a.example.com/cb","callbackBody":"{\"o\":\"\\\"\"}","callbackBodyType":"application/json"}"#;
    says(right, Language::Rest, URL, r#"{"o":"\""}"#, &[]);
}

#[test]
fn a_form_brings_its_variables_as_fields() {
    let text = "curl -F callback=eyJjYWxsYmFja1VybCI6Imh0dHA6Ly9hLmV4YW1wbGUuY29tL2NiIiwiY2FsbGJhY2tCb2R5IjoiYj0ke3g6YX0ifQ \
                -F 'x:a=1=2' -F file=@f https://b.oss-cn-hangzhou.aliyuncs.com";
    let read = says(text, Language::Rest, URL, "b=${x:a}", &[]);
    assert_eq!(read.spec.variables["x:a"], "1=2");
}

#[test]
fn queries_go_to_the_table_only_where_they_come_out_the_same() {
    for (url, left, query) in [
        ("http://a.example.com/cb?a=1&b=%E4%B8%AD", URL, 2),
        ("http://a.example.com/cb?a=b/c", "http://a.example.com/cb?a=b/c", 0),
        ("http://a.example.com/cb?", "http://a.example.com/cb?", 0),
        ("http://a.example.com/cb?a=1;http://b.example.com?a=1", "http://a.example.com/cb;http://b.example.com", 1),
        (
            "http://a.example.com/cb?a=1;http://b.example.com?a=2",
            "http://a.example.com/cb?a=1;http://b.example.com?a=2",
            0,
        ),
    ] {
        let read = read(&format!("{{\"callbackUrl\":\"{url}\",\"callbackBody\":\"b\"}}"));
        assert_eq!(
            (read.spec.urls.join(";").as_str(), read.spec.query.len(), read.notes.len()),
            (left, query, 0),
            "{url}"
        );
    }
}

#[test]
fn a_body_that_looks_like_variables_or_a_callback_is_a_body() {
    let inner = r#"{\"x:a\":\"1\",\"callbackUrl\":\"http://wrong.example.com\"}"#;
    let text = format!(
        "import oss2\nd = {{'callbackUrl': 'http://a.example.com/cb', 'callbackBody': '{}'}}",
        inner.replace('\\', "")
    );
    let read = says(&text, Language::Python, URL, &inner.replace('\\', ""), &[]);
    assert!(read.spec.variables.is_empty());
    let text = r#"import oss2
d = {'callbackUrl': 'http://a.example.com/cb', 'callbackBody': '{"x:a":"1"}'}"#;
    assert!(says(text, Language::Python, URL, "{\"x:a\":\"1\"}", &[]).spec.variables.is_empty());
}

#[test]
fn a_text_without_a_callback_is_refused_in_words() {
    for text in [
        "",
        "hello",
        "import oss2\nprint('callback')",
        "{\"a\":1}",
        "<?php echo 1;",
        "eyJhIjoxfQ==",
        "x-oss-callback: ?",
    ] {
        let error = import(text).expect_err(text).to_string();
        assert!(error.contains("No callback was found"), "{text}: {error}");
    }
    let error = import(&"a".repeat(65 * 1024)).expect_err("too long").to_string();
    assert!(error.contains("longest"), "{error}");
}

#[test]
fn variables_in_front_of_the_callback_are_not_taken_for_kotlins() {
    for (text, language) in [
        (
            "const callbackVars = { uid: '42' };\nconst options = { callback: { url: 'http://a.example.com/cb', body: 'u=${x:uid}', customValue: callbackVars } };",
            Language::NodeJs,
        ),
        (
            "$callbackVars = array('x:uid' => '42');\n$options = array(OssClient::OSS_CALLBACK => json_encode(array('callbackUrl' => 'http://a.example.com/cb', 'callbackBody' => 'u=${x:uid}')), OssClient::OSS_CALLBACK_VAR => json_encode($callbackVars));",
            Language::Php,
        ),
        (
            "Map<String, String> callbackVars = new HashMap<String, String>();\ncallbackVars.put(\"x:uid\", \"42\");\nCallback callback = new Callback();\ncallback.setCallbackUrl(\"http://a.example.com/cb\");\ncallback.setCallbackBody(\"u=${x:uid}\");\ncallback.setCallbackVar(callbackVars);",
            Language::Java,
        ),
    ] {
        let read = says(text, language, URL, "u=${x:uid}", &[]);
        assert_eq!(read.spec.variables["x:uid"], "42", "{text}");
    }
}

#[test]
fn kotlin_writes_maps_as_calls_and_sets_them_as_properties() {
    let whole = r#"
import com.alibaba.sdk.android.oss.model.PutObjectRequest

val server = "http://a.example.com/cb"
val callback: Map<String, String> = hashMapOf(
    "callbackUrl" to server, // where
    "callbackHost" to "a.example.com",
    "callbackBodyType" to "application/json",
    "callbackBody" to """{"size":${'$'}{size},"a":${'$'}{x:a}}""".trimIndent(),
)
val put = PutObjectRequest(bucket, key, path)
put.callbackParam = callback
put.callbackVars = mapOf("x:a" to "1")
"#;
    let read = says(whole, Language::Android, URL, "{\"size\":${size},\"a\":${x:a}}", &[]);
    assert_eq!((read.spec.body_type, read.spec.host.as_deref()), (BodyType::Json, Some("a.example.com")));
    assert_eq!(read.spec.variables["x:a"], "1");
    for part in [
        r#"request.callbackParam = hashMapOf("callbackUrl" to "http://a.example.com/cb", "callbackBody" to "o=\${object}&a=\${x:a}")
           request.callbackVars = hashMapOf("x:a" to "1")"#,
        r#"request.callbackParam = linkedMapOf("callbackUrl" to "http://a.example.com/cb", "callbackBody" to "o=\${object}&a=\${x:a}")
           request.callbackVars = mapOf("x:a" to "1")"#,
        r#"request.setCallbackParam(mapOf<String, String>(Pair("callbackUrl", "http://a.example.com/cb"), "callbackBody" to "o=\${object}&a=\${x:a}"))
           request.setCallbackVars(mutableMapOf("x:a" to "1"))"#,
        r#"val callback = hashMapOf<String, String>()
           callback["callbackUrl"] = "http://a.example.com/cb"
           callback["callbackBody"] = "o=\${object}&a=\${x:a}"
           request.apply { callbackParam = callback; callbackVars = mapOf("x:a" to "1") }"#,
    ] {
        let read = says(part, Language::Android, URL, "o=${object}&a=${x:a}", &[]);
        assert_eq!(read.spec.variables["x:a"], "1", "{part}");
    }
}
