//! `waybill sign`: a signature explained step by step, for people whose own disagrees with OSS.

use std::fmt::Write;
use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use clap::Args;
use waybill_engine::{Explained, SignRequest, explain};

use crate::terminal;
use crate::visible::{section, visible};

/// The request is read from standard input, not from arguments: it holds the AccessKey secret.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct SignArgs {
    /// Print one line of JSON instead of a page to read.
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
One JSON object is read from standard input, such as
  {\"version\": \"v4\", \"method\": \"PUT\", \"bucket\": \"my-bucket\", \"key\": \"a/b.txt\", \"region\": \"cn-hangzhou\",
   \"query\": {}, \"headers\": {\"Content-Type\": \"text/plain\"}, \"time\": \"2025-03-14T09:26:53Z\",
   \"access_key_id\": \"…\", \"access_key_secret\": \"…\"}
Needed: method, access_key_id, access_key_secret, and region or endpoint.
Also: version (v4 or v1), security_token, additional_headers (a list, v4 only), addressing (virtual, cname or path),
expires (seconds; makes it a presigned URL). Without time, a date among the headers counts, else now.
Lay the result beside the StringToSign and StringToSignBytes of OSS's answer SignatureDoesNotMatch.";

/// The secret is never printed; a token is, where it is part of the request.
pub(crate) fn run(args: &SignArgs) -> Result<ExitCode, String> {
    if std::io::stdin().is_terminal() {
        terminal::complain("reading one request in JSON from standard input; Ctrl-D ends it");
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| format!("the request on standard input could not be read: {error}"))?;
    let request = SignRequest::from_json(&text).map_err(|error| error.to_string())?;
    let explained = explain(&request).map_err(|error| error.to_string())?;
    let result = if args.json {
        serde_json::to_string(&explained).map_err(|error| error.to_string())?
    } else {
        page(&explained)
    };
    terminal::result_line(&result);
    Ok(ExitCode::SUCCESS)
}

/// Everything with its invisible characters made visible, first what is short.
fn page(explained: &Explained) -> String {
    let mut page = String::new();
    let authorization = explained.authorization.as_deref().unwrap_or("none, the signature is in the URL");
    for (name, value) in [("Signature", explained.signature.as_str()), ("Authorization", authorization)] {
        let _ = writeln!(page, "{name:<15}{}", visible(value)); // a String takes everything
    }
    let _ = writeln!(page, "{:<15}{}", "URL", visible(&explained.url));
    if let Some(canonical) = &explained.canonical_request {
        section(&mut page, "Canonical request", &visible(canonical));
    }
    section(&mut page, "String to sign", &visible(&explained.string_to_sign));
    let bytes: Vec<String> = explained.string_to_sign.bytes().map(|byte| format!("{byte:02X}")).collect();
    section(&mut page, "String to sign in bytes", &bytes.join(" "));
    let width = explained.headers.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let headers = explained.headers.iter().map(|(name, value)| format!("{name:<width$}  {}", visible(value)));
    if width > 0 {
        section(&mut page, "Headers to send", &headers.collect::<Vec<_>>().join("\n"));
    }
    page.trim_end().to_owned()
}
