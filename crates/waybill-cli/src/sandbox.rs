//! `waybill sandbox`: a local OSS and callback receiver, for trying things out and for tests.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use waybill_sandbox::{Sandbox, SandboxConfig};

use crate::terminal;

#[derive(Args)]
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
    let sandbox = Sandbox::start(config).await.map_err(|error| in_full(&error))?;
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

/// An error and what it came from, in one line.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
