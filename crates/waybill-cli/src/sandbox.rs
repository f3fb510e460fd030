//! `waybill sandbox`: a local OSS and callback receiver, for trying things out and for tests.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use waybill_sandbox::{Sandbox, SandboxConfig, Tuning};

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
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
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
}

impl std::fmt::Debug for SandboxArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxArgs").field("port", &self.port).field("data", &self.data).finish_non_exhaustive()
    }
}

/// Prints one line of JSON when it is ready, then serves until Ctrl-C.
pub(crate) async fn run(args: SandboxArgs) -> Result<ExitCode, String> {
    let config = SandboxConfig {
        port: args.port,
        data_dir: args.data,
        access_key_id: args.access_key_id,
        access_key_secret: args.access_key_secret,
        region: args.region,
        bucket: args.bucket,
    };
    let tuning = Tuning { real_address_rules: args.real_address_rules, ..Tuning::default() };
    let sandbox = Sandbox::start_with(config, tuning).await.map_err(|error| error.in_full())?;
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
