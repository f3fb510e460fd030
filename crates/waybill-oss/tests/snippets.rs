//! Exported programs are run where their language is at hand, with a stand-in for the SDK that says what it would send.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use waybill_oss::callback_snippet::{Language, export};
use waybill_oss::{BodyType, CallbackSpec};

/// The SDK's own `encodeCallback` in front of a `put` that sends nothing. [ali-oss 6.23.0 `lib/common/callback.js`]
const ALI_OSS: &str = r"
module.exports = class OSS {
  async put(name, file, options) {
    const headers = { ...options.headers };
    if (!headers['x-oss-callback'] && options.callback) {
      const { url, host, body, contentType, callbackSNI, customValue } = options.callback;
      const callback = { callbackUrl: encodeURI(url), callbackBody: body };
      if (host) callback.callbackHost = host;
      if (contentType) callback.callbackBodyType = contentType;
      if (callbackSNI) callback.callbackSNI = callbackSNI;
      headers['x-oss-callback'] = Buffer.from(JSON.stringify(callback)).toString('base64');
      if (customValue) {
        const variables = {};
        Object.keys(customValue).forEach((key) => { variables[`x:${key}`] = customValue[key].toString(); });
        headers['x-oss-callback-var'] = Buffer.from(JSON.stringify(variables)).toString('base64');
      }
    }
    return { data: JSON.stringify(headers) };
  }
};
";

/// [oss2 2.19.1 `oss2/utils.py` b64encode_as_string]
const OSS2: &str = r"
import base64, json
from . import utils
class ProviderAuthV4:
    def __init__(self, provider): pass
class Answer:
    status = 200
    def __init__(self, headers): self.resp, self.headers = self, headers
    def read(self): return json.dumps(self.headers).encode('utf-8')
class Bucket:
    def __init__(self, auth, endpoint, name, region=None): pass
    def put_object_from_file(self, key, file, headers=None): return Answer(headers)
";
const OSS2_UTILS: &str = r"
import base64
def b64encode_as_string(data): return base64.b64encode(data.encode('utf-8')).decode('ascii')
";
const OSS2_CREDENTIALS: &str = "class EnvironmentVariableCredentialsProvider: pass\n";

fn specs() -> Vec<CallbackSpec> {
    let form = CallbackSpec {
        urls: vec!["http://app.example.com/cb".to_owned()],
        body: "object=${object}&say='\"\\${x:v}\r\n\t`#{a}{0}中文😀".to_owned(),
        variables: [("x:v".to_owned(), "a\"b\\c\n'$d' ${e} {f} 中 \u{202e}\u{2028}\u{7}".to_owned())].into(),
        ..CallbackSpec::default()
    };
    let json = CallbackSpec {
        body: "{\"o\":${object},\"t\":\"\\\"\\n中\"}".to_owned(),
        body_type: BodyType::Json,
        sni: true,
        host: Some("inner.example.com:8080".to_owned()),
        query: vec![("a b".to_owned(), "中&=/+".to_owned())],
        ..form.clone()
    };
    let headers = [("x-token".to_owned(), "a\"b\\$c".to_owned()), ("0".to_owned(), "1".to_owned())].into();
    vec![
        CallbackSpec { additional_headers: headers, ..json.clone() },
        CallbackSpec { urls: vec!["http://a.example.com/%E4".to_owned(), "b.example.com".to_owned()], ..form.clone() },
        CallbackSpec { policy: Some("stored".to_owned()), ..CallbackSpec::default() },
        CallbackSpec { variables: [("x:__proto__".to_owned(), "1".to_owned())].into(), ..form.clone() },
        json,
        form,
    ]
}

fn there_is(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        let _ = writeln!(std::io::stderr(), "not checked: there is no {program} on this computer");
    }
    found
}

fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

/// What the program prints; its failure is the test's.
fn run(folder: &Path, program: &str, args: &[&str], source: &str) -> String {
    let output = Command::new(program).args(args).current_dir(folder).output().expect("runs");
    assert!(output.status.success(), "{}\n{source}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn decoded(value: &Value) -> Value {
    let Some(text) = value.as_str() else { return Value::Null };
    serde_json::from_slice(&STANDARD.decode(text).expect("Base64")).expect("JSON")
}

/// The headers that were printed say what the callback says.
fn same(spec: &CallbackSpec, printed: &str, source: &str) {
    let headers: Value = serde_json::from_str(printed.trim()).unwrap_or_else(|error| panic!("{error}: {printed}"));
    let wanted = spec.encode().expect("good");
    let sent = (decoded(&headers["x-oss-callback"]), decoded(&headers["x-oss-callback-var"]));
    let wanted = (decoded(&json!(wanted.callback)), decoded(&json!(wanted.callback_var)));
    assert_eq!(sent, wanted, "{source}");
}

#[test]
fn node_sends_exactly_the_callback() {
    if !there_is("node") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "node_modules/ali-oss/index.js", ALI_OSS);
    for spec in specs() {
        let source = export(&spec, Language::NodeJs).expect("written");
        put(folder.path(), "upload.js", &source);
        same(&spec, &run(folder.path(), "node", &["upload.js"], &source), &source);
    }
}

#[test]
fn python_sends_exactly_the_callback() {
    if !there_is("python3") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "oss2/__init__.py", OSS2);
    put(folder.path(), "oss2/utils.py", OSS2_UTILS);
    put(folder.path(), "oss2/credentials.py", OSS2_CREDENTIALS);
    for spec in specs() {
        let source = export(&spec, Language::Python).expect("written");
        put(folder.path(), "upload.py", &source);
        run(folder.path(), "python3", &["-m", "py_compile", "upload.py"], &source);
        let printed = run(folder.path(), "python3", &["upload.py"], &source);
        same(&spec, printed.strip_prefix("200").unwrap_or_else(|| panic!("no status: {printed}")), &source);
    }
}

#[test]
fn php_and_ruby_are_at_least_free_of_syntax_errors() {
    for (program, args, language, name) in
        [("php", "-l", Language::Php, "upload.php"), ("ruby", "-c", Language::Ruby, "upload.rb")]
    {
        if !there_is(program) {
            continue;
        }
        let folder = tempfile::tempdir().expect("a folder");
        for spec in specs() {
            let source = export(&spec, language).expect("written");
            put(folder.path(), name, &source);
            run(folder.path(), program, &[args, name], &source);
        }
    }
}
