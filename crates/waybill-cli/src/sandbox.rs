//! `waybill sandbox`: a local OSS and callback receiver, for trying things out and for tests.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use waybill_sandbox::{Discard, Discarding, Sandbox, SandboxConfig, SandboxInfo, Tuning};

use crate::terminal;

/// Below the options in `--help`.
const CALLBACKS: &str = "\
Callbacks:
  The sandbox has an application server for callbacks at http://127.0.0.1:PORT/callback. Open the same address in a
  browser to see what it received and whether the signature is good. What it answers can be said in the callback URL:
    ?answer=500                  any HTTP status
    ?answer=slow&ms=6000         a good answer after a while (OSS waits 5 seconds)
    ?answer=text                 not JSON
    ?answer=bom                  JSON behind a byte-order mark
    ?answer=xml                  XML, which OSS takes too
    ?answer=huge&bytes=2000000   longer than OSS takes
    ?answer=chunked              no Content-Length
    ?answer=redirect&to=URL      302
    ?answer=hangup               no answer";

#[derive(Args)]
#[command(after_help = CALLBACKS)]
pub(crate) struct SandboxArgs {
    /// Port on 127.0.0.1; 0 for a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Where objects are kept.
    #[arg(long, value_name = "DIR", required_unless_present = "discard")]
    data: Option<PathBuf>,
    /// The AccessKey id it accepts.
    #[arg(long, default_value = "sandbox")]
    access_key_id: String,
    /// The AccessKey secret it accepts; better in the environment than on the command line.
    #[arg(long, env = "OSS_ACCESS_KEY_SECRET", hide_env_values = true)]
    access_key_secret: String,
    /// The region that signatures must name.
    #[arg(long, default_value = "local")]
    region: String,
    /// Its bucket.
    #[arg(long, default_value = "sandbox")]
    bucket: String,
    /// Refuse callback URLs that are private (as its own is) or that no name server knows, as the real service does.
    #[arg(long)]
    real_address_rules: bool,
    /// Read everything and keep nothing, to measure uploads: no contents, callbacks, faults or log. What came is told at
    /// /_sandbox/received, and forgotten by DELETE.
    #[arg(long, conflicts_with_all = ["data", "real_address_rules"])]
    discard: bool,
    /// Wait before each answer, for instance 30ms.
    #[arg(long, value_name = "TIME", value_parser = crate::time::parse, default_value = "0ms", requires = "discard")]
    latency: Duration,
    /// Speak TLS with this certificate chain (PEM); plain HTTP is still taken on the same port.
    #[arg(long, value_name = "FILE", requires = "discard", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl std::fmt::Debug for SandboxArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxArgs").field("port", &self.port).field("data", &self.data).finish_non_exhaustive()
    }
}

/// One of the two kinds.
enum Running {
    Keeping(Sandbox),
    Discarding(Discard),
}

impl Running {
    async fn start(args: SandboxArgs) -> Result<Self, String> {
        let config = SandboxConfig {
            port: args.port,
            data_dir: args.data.unwrap_or_default(),
            access_key_id: args.access_key_id,
            access_key_secret: args.access_key_secret,
            region: args.region,
            bucket: args.bucket,
        };
        let started = if args.discard {
            let discarding = Discarding { latency: args.latency, tls: args.tls_cert.zip(args.tls_key) };
            Discard::start(config, discarding).map(Running::Discarding)
        } else {
            let tuning = Tuning { real_address_rules: args.real_address_rules, ..Tuning::default() };
            Sandbox::start_with(config, tuning).await.map(Running::Keeping)
        };
        started.map_err(|error| error.in_full())
    }

    fn info(&self) -> &SandboxInfo {
        match self {
            Running::Keeping(sandbox) => sandbox.info(),
            Running::Discarding(discard) => discard.info(),
        }
    }

    async fn stop(self) {
        match self {
            Running::Keeping(sandbox) => sandbox.stop().await,
            Running::Discarding(discard) => discard.stop(),
        }
    }
}

/// Prints one line of JSON when it is ready, then serves until Ctrl-C.
pub(crate) async fn run(args: SandboxArgs) -> Result<ExitCode, String> {
    let sandbox = Running::start(args).await?;
    let ready = serde_json::to_string(sandbox.info()).map_err(|error| error.to_string())?;
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let result = tokio::select! {
        biased;
        // Asked once before the ready line is printed: from then on Ctrl-C ends the sandbox, not the process.
        result = &mut interrupted => result,
        () = std::future::ready(()) => {
            terminal::result_line(&ready);
            interrupted.await
        }
    };
    sandbox.stop().await;
    result.map(|()| ExitCode::SUCCESS).map_err(|error| format!("could not wait for Ctrl-C: {error}"))
}
