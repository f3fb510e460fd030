//! `kill -9`: a short crash run (`cargo xtask soak` is the long one), and one kill at each step of a callback that is sent
//! again.

mod resend;

use std::path::Path;

use waybill_tests::crash::{self, Orders};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_twenty_times_while_the_server_misbehaves_every_file_arrives_once_and_nothing_is_left_over() {
    let seed = crash::any_seed();
    let program = Path::new(env!("CARGO_BIN_EXE_soak")).to_owned();
    let orders = Orders { program, kills: 20, seed, long: false };
    let report = crash::run(&orders, |_| {}).await.unwrap_or_else(|trouble| panic!("{trouble}"));
    assert_eq!(report.finished, report.uploads, "seed {seed}");
}
