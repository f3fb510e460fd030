//! What is uploaded, how far away the server is, and by whom.

/// Who uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Client {
    Waybill,
    Bare,
    OpenDal,
    Rclone,
    S5cmd,
    AliOss,
    Oss2,
}

/// All of them.
pub(crate) const CLIENTS: [Client; 7] =
    [Client::Waybill, Client::Bare, Client::OpenDal, Client::Rclone, Client::S5cmd, Client::AliOss, Client::Oss2];

impl Client {
    /// As it is called in tables and behind `--only`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Client::Waybill => "waybill",
            Client::Bare => "bare",
            Client::OpenDal => "opendal",
            Client::Rclone => "rclone",
            Client::S5cmd => "s5cmd",
            Client::AliOss => "ali-oss",
            Client::Oss2 => "oss2",
        }
    }
}

/// How many files, and parts of each, a client is told to send at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settings {
    /// Told nothing: it does as it does for everyone.
    Own,
    Matched {
        files: u32,
        parts: u32,
    },
}

/// What a result is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Gib,
    File,
}

/// A row of measurements.
pub(crate) struct Workload {
    /// As it is called behind `--only`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// A set of `waybill-bench data`, by name.
    pub(crate) set: &'static str,
    pub(crate) latency_ms: u32,
    pub(crate) tls: bool,
    pub(crate) unit: Unit,
    pub(crate) settings: Settings,
    /// Waybill is always told nothing.
    pub(crate) clients: &'static [Client],
}

const EIGHT_OF_FOUR: Settings = Settings::Matched { files: 8, parts: 4 };
const SIXTY_FOUR: Settings = Settings::Matched { files: 64, parts: 1 };

/// Peers that need minutes for a hundred thousand files are left out there.
pub(crate) const WORKLOADS: [Workload; 7] = [
    Workload {
        name: "big",
        title: "One file of 2 GiB",
        set: "big",
        latency_ms: 0,
        tls: false,
        unit: Unit::Gib,
        settings: Settings::Matched { files: 1, parts: 4 },
        clients: &CLIENTS,
    },
    Workload {
        name: "mid",
        title: "64 files of 32 MiB",
        set: "mid",
        latency_ms: 0,
        tls: false,
        unit: Unit::Gib,
        settings: EIGHT_OF_FOUR,
        clients: &CLIENTS,
    },
    Workload {
        name: "small",
        title: "10,000 files of 16 KiB",
        set: "small",
        latency_ms: 0,
        tls: false,
        unit: Unit::File,
        settings: Settings::Matched { files: 8, parts: 1 },
        clients: &CLIENTS,
    },
    Workload {
        name: "tiny",
        title: "100,000 files of 1 KiB",
        set: "tiny",
        latency_ms: 0,
        tls: false,
        unit: Unit::File,
        settings: Settings::Matched { files: 8, parts: 1 },
        clients: &[Client::Waybill, Client::Bare, Client::OpenDal, Client::Rclone],
    },
    Workload {
        name: "small-30ms",
        title: "10,000 files of 16 KiB, 30 ms away, the others at 64 files at once",
        set: "small",
        latency_ms: 30,
        tls: false,
        unit: Unit::File,
        settings: SIXTY_FOUR,
        clients: &CLIENTS,
    },
    Workload {
        name: "few-30ms",
        title: "1,000 files of 16 KiB, 30 ms away, everyone with their own settings",
        set: "few",
        latency_ms: 30,
        tls: false,
        unit: Unit::File,
        settings: Settings::Own,
        clients: &[Client::Waybill, Client::Rclone, Client::S5cmd],
    },
    Workload {
        name: "big-tls",
        title: "One file of 2 GiB over TLS",
        set: "big",
        latency_ms: 0,
        tls: true,
        unit: Unit::Gib,
        settings: Settings::Matched { files: 1, parts: 4 },
        clients: &[Client::Waybill, Client::Bare, Client::OpenDal, Client::Rclone, Client::S5cmd],
    },
];
