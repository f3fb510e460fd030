//! `waybill callback verify`: whether a request that a server got was signed by OSS.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use waybill_engine::callback_desk::{self, SignedRequest};
use waybill_engine::view::Variable;

use super::{bytes_of, sandbox, sandbox_keys, text_of, words};
use crate::terminal;
use crate::visible::{harmless, section, visible};

/// Below the options in `--help`.
const EXIT_CODES: &str = "\
The request begins with its request line, as a proxy's log has it; headers, an empty line and the body follow:
  POST /callback?from=oss HTTP/1.1
  Host: app.example.com
  authorization: …
  x-oss-pub-key-url: …

  bucket=…
Line breaks at the end of the body are taken away where the signature wants that.
Exit code: 0 if OSS or a sandbox signed it, else 1.";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct VerifyArgs {
    /// The request; - for standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// The public key in PEM, instead of fetching it. Else it comes from gosspublic.alicdn.com or a sandbox on this
    /// computer, and from nowhere else; the one that Alibaba publishes today is built in.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A sandbox whose key is taken too, besides those of the data folder: `http://127.0.0.1:PORT`.
    #[arg(long, value_name = "URL", value_parser = sandbox)]
    sandbox: Vec<String>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(data_dir: &Path, args: VerifyArgs) -> Result<ExitCode, String> {
    let request = read(&bytes_of(&args.file, "a request")?)?;
    let key = args.key.as_ref().map(|path| text_of(path, "a public key")).transpose()?;
    let also = sandbox_keys(data_dir, &args.sandbox);
    let verdict = callback_desk::verify(&request, &also, key.as_deref()).await.map_err(|error| error.to_string())?;
    if args.json {
        terminal::result_line(&serde_json::to_string(&verdict).map_err(|error| error.to_string())?);
    } else {
        let mut page = harmless(&words::verdict(&verdict));
        page.push('\n');
        let title = if words::is_good(&verdict) { "What was signed" } else { "What should have been signed" };
        section(&mut page, title, &visible(&verdict.signed));
        terminal::result_line(page.trim_end());
    }
    if let Some(length) = length_of(&request).filter(|length| *length > request.body.len()) {
        let there = request.body.len();
        terminal::complain(&format!("the body was cut off: Content-Length says {length} bytes, and {there} are there"));
    }
    Ok(ExitCode::from(u8::from(!words::is_good(&verdict))))
}

fn length_of(request: &SignedRequest) -> Option<usize> {
    let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    header.and_then(|header| header.value.trim().parse().ok())
}

/// A request as it goes over the wire, with either kind of line break in its head.
fn read(bytes: &[u8]) -> Result<SignedRequest, String> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(bytes.len());
    let (mut rest, mut lines) = (&bytes[start..], Vec::new());
    while let Some((line, behind)) = next_line(rest) {
        rest = behind;
        if line.is_empty() {
            break;
        }
        lines.push(String::from_utf8_lossy(line).into_owned());
    }
    let mut lines = lines.into_iter();
    let first = lines.next().unwrap_or_default();
    let mut words = first.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_method || !(target.starts_with('/') || target.starts_with("http")) {
        return Err("the first line is no request line, such as: POST /callback HTTP/1.1".into());
    }
    let mut headers: Vec<Variable> = Vec::new();
    for line in lines {
        match (line.split_once(':'), headers.last_mut()) {
            (_, Some(last)) if line.starts_with([' ', '\t']) => {
                last.value.push(' ');
                last.value.push_str(line.trim());
            }
            (Some((name, value)), _) if !name.trim().is_empty() => {
                headers.push(Variable { name: name.trim().to_owned(), value: value.trim().to_owned() });
            }
            _ => {
                return Err(format!("\"{}\" is no header; an empty line parts them from the body", harmless(&line)));
            }
        }
    }
    Ok(SignedRequest { target: target.to_owned(), headers, body: rest.to_vec() })
}

/// None at the end.
fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let line = &bytes[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), bytes.get(end + 1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_either_line_break_and_its_body_stays_as_it_is() {
        for head in
            ["\r\nPOST /a%2Fb?x HTTP/1.1\r\nHost: h:80\r\nA: b\r\n c\r\n\r\n", "POST /a%2Fb?x\nHost:h:80\nA:b\n\tc\n\n"]
        {
            let request = read(&[head.as_bytes(), b"\xff\n\nx=1\r\n"].concat()).expect("a request");
            assert_eq!((request.target.as_str(), request.body.as_slice()), ("/a%2Fb?x", &b"\xff\n\nx=1\r\n"[..]));
            let pairs: Vec<_> = request.headers.iter().map(|row| (row.name.as_str(), row.value.as_str())).collect();
            assert_eq!(pairs, [("Host", "h:80"), ("A", "b c")]);
        }
        assert!(read(b"GET / HTTP/1.1").expect("a request").body.is_empty());
    }

    #[test]
    fn what_is_no_request_is_said() {
        for bad in ["", "\n\n", "{\"a\": 1}", "POST", "post /", "HTTP/1.1 200 OK", "POST cb"] {
            assert!(read(bad.as_bytes()).expect_err(bad).contains("request line"), "{bad}");
        }
        assert!(read(b"POST / HTTP/1.1\nbucket=a").expect_err("no header").contains("is no header"));
    }
}
