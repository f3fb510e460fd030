//! Lists of uploads: what is asked for, what comes back, and what changed since.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::upload::{Problem, UploadRow};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Scope {
    /// Everything not cleared away, newest batch first, in order within a batch.
    Transfers,
    /// Everything final, newest first.
    History,
}

/// Chips above the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Filter {
    /// No filter.
    All,
    /// Starting, sending, completing.
    Uploading,
    /// Queued.
    Waiting,
    /// Paused.
    Paused,
    /// Stored (whatever the callback).
    Stored,
    /// Failed.
    Failed,
    /// Stored, callback failed or unknown.
    CallbackFailed,
}

/// Asks for one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UploadQuery {
    /// Which list.
    pub scope: Scope,
    /// Which chip.
    pub filter: Filter,
    /// Part of a name, path or key; empty for none.
    pub search: String,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows, 1 to 500.
    pub limit: i64,
}

/// Many uploads of Transfers at once, by what they have in common; everything that is given must fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UploadSelection {
    /// Which chip.
    pub filter: Filter,
    /// Part of a name, path or key; empty for none.
    pub search: String,
    /// Only this batch.
    pub batch: Option<i64>,
    /// Only these; empty for no such limit.
    pub numbers: Vec<i64>,
}

impl UploadSelection {
    /// Everything in Transfers.
    pub fn all() -> UploadSelection {
        UploadSelection { filter: Filter::All, search: String::new(), batch: None, numbers: Vec::new() }
    }
}

/// What a user wants of uploads; those that it does not fit are left as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Wish {
    /// Stop; what is stored stays stored.
    Pause,
    /// Go on.
    Resume,
    /// Try again.
    Retry,
    /// Give up.
    Cancel,
    /// Before all others that wait.
    First,
    /// Behind all others that wait.
    Last,
    /// In the order of age again.
    InOrder,
}

/// The last row of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Cursor {
    /// Its batch.
    pub batch: i64,
    /// Its number.
    pub no: i64,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UploadPage {
    /// Rows in order.
    pub rows: Vec<UploadRow>,
    /// Ask again with this; none at the end.
    pub next: Option<Cursor>,
}

/// Numbers on the chips and in the sidebar; kept as states change, never recounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Counts {
    /// In Transfers.
    pub all: i64,
    /// Starting, sending, completing.
    pub uploading: i64,
    /// Queued.
    pub waiting: i64,
    /// Paused.
    pub paused: i64,
    /// Stored and still in Transfers.
    pub stored: i64,
    /// Failed and still in Transfers.
    pub failed: i64,
    /// Stored with a failed or unknown callback, still in Transfers.
    pub callback_failed: i64,
    /// Callbacks that are being sent again or wait for their turn.
    pub calling_again: i64,
    /// How many have ended of those that were asked for together with these.
    pub called_again: i64,
    /// Bytes of everything not final.
    pub bytes_left: i64,
}

/// What changed since the last batch; the window hears at most five a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Changes {
    /// Fresh rows of uploads that changed (at most 200).
    pub rows: Vec<UploadRow>,
    /// Rows were added, removed or too many changed: ask for the page again.
    pub reload: bool,
    /// Destinations or callback profiles changed.
    pub destinations: bool,
    /// Watched folders changed.
    pub folders: bool,
    /// The callback lab got a request, or changed.
    pub lab: bool,
    /// Numbers.
    pub counts: Counts,
    /// All uploads together, smoothed.
    pub bytes_per_second: i64,
    /// A drop is still being read from disk.
    pub scanning: bool,
    /// Seconds to add to this computer's clock to get the server's; zero when it is right. Waybill signs with the
    /// corrected time.
    pub clock_skew_seconds: i64,
    /// Why nothing can be saved at the moment, so that uploads wait; they go on by themselves.
    pub store_problem: Option<Problem>,
}

/// A path that could not be queued, and why. Every dropped path ends as an upload or here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RefusedPath {
    /// The path.
    pub path: String,
    /// Why.
    pub problem: Problem,
}

/// What came of a drop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Added {
    /// The batch.
    pub batch: i64,
    /// Files queued.
    pub queued: i64,
    /// Paths refused (at most 100 are listed).
    pub refused: Vec<RefusedPath>,
    /// How many were refused in all.
    pub refused_count: i64,
}
