//! `waybill callback receive`: a receiver on this computer that prints each request, and answers as told.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use waybill_engine::Receiver;
use waybill_engine::view::{LabAnswer, LabRequest};

use super::{sandbox, sandbox_keys, words};
use crate::terminal;
use crate::visible::harmless;

/// Below the options in `--help`.
const REACHED: &str = "\
Only this computer is heard, so the sandbox reaches it and OSS does not. Let a server of yours pass on what OSS sends, for
instance by ssh -R; the signature stays good as long as path, query and body stay as they are.";

#[derive(Debug, Args)]
#[command(after_help = REACHED)]
pub(crate) struct ReceiveArgs {
    /// Port on 127.0.0.1; 0 for a free one.
    #[arg(long, default_value_t = 28100)]
    port: u16,
    /// Status of every answer; OSS takes 200 only.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(i64).range(200..=599))]
    status: i64,
    /// Body of every answer; OSS wants JSON.
    #[arg(long, value_name = "TEXT", default_value = r#"{"Status":"OK"}"#)]
    body: String,
    /// Content-Type of every answer.
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    content_type: String,
    /// Wait before each answer, for instance 2s; OSS waits for 5 seconds.
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = crate::time::parse)]
    delay: Duration,
    /// A sandbox whose key is taken too, besides those of the data folder: `http://127.0.0.1:PORT`.
    #[arg(long, value_name = "URL", value_parser = sandbox)]
    sandbox: Vec<String>,
    /// One line of JSON for each request.
    #[arg(long)]
    json: bool,
}

/// Prints where it listens, then each request, until Ctrl-C.
pub(crate) async fn run(data_dir: &Path, args: ReceiveArgs) -> Result<ExitCode, String> {
    let answer = LabAnswer {
        status: args.status,
        content_type: args.content_type,
        body: args.body,
        delay_ms: i64::try_from(args.delay.as_millis()).unwrap_or(i64::MAX),
    };
    let also = sandbox_keys(data_dir, &args.sandbox);
    let mut receiver = Receiver::start(args.port, answer, also).await.map_err(|error| error.to_string())?;
    let ready = match args.json {
        true => serde_json::json!({ "url": receiver.url() }).to_string(),
        false => format!("receiving at {} (Ctrl-C ends it)", receiver.url()),
    };
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let result = tokio::select! {
        biased;
        // Asked once before the ready line is printed: from then on Ctrl-C ends the receiver, not the process.
        result = &mut interrupted => result,
        () = async {
            let mut read = terminal::result_line(&ready);
            while read {
                let request = receiver.next().await;
                read = terminal::result_line(&if args.json { in_json(&request) } else { in_words(&request) });
            }
        } => Ok(()),
    };
    receiver.stop().await;
    result.map(|()| ExitCode::SUCCESS).map_err(|error| format!("could not wait for Ctrl-C: {error}"))
}

/// A request holds only text and numbers, so it always has a JSON form.
fn in_json(request: &LabRequest) -> String {
    serde_json::to_string(request).unwrap_or_default()
}

fn in_words(request: &LabRequest) -> String {
    let mut page = format!("\n{} {}\n", request.method, request.target);
    for header in &request.headers {
        let _ = writeln!(page, "{}: {}", header.name, header.value); // a String takes everything
    }
    let _ = writeln!(page, "\n{}", request.body);
    if let Some(whole) = request.whole_bytes {
        let _ = writeln!(page, "… (the beginning of {whole} bytes; the signature was checked over all of them)");
    }
    let _ = write!(page, "{}\n→ answered with {}", words::verdict(&request.signature), request.answered);
    harmless(&page)
}
