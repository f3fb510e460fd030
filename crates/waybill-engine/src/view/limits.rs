//! Limits: how fast and how often Waybill may send, everywhere and to single destinations, by the hour.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How much may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Limit {
    /// Bytes of files in a second; none: as many as the line takes.
    pub bytes_per_second: Option<i64>,
    /// Requests begun in a second, repeats included; none: as many as needed.
    pub requests_per_second: Option<i64>,
}

/// A line of the timetable: another limit at certain hours, local time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct TimedLimit {
    /// The days on which it begins: 1 is Monday, 7 Sunday.
    pub days: Vec<u8>,
    /// Minute of the day at which it begins, 0 to 1440.
    pub from_minute: i16,
    /// Minute at which it ends; at or before the beginning: on the next day.
    pub until_minute: i16,
    /// What counts meanwhile.
    pub limit: Limit,
}

/// What counts usually, and when something else does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct LimitRules {
    /// Outside the timetable.
    pub usual: Limit,
    /// The first line that covers the moment counts.
    pub timetable: Vec<TimedLimit>,
}

/// The rules for one destination; they count beside those for all together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DestinationLimits {
    /// The destination.
    pub destination_id: String,
    /// Its rules.
    pub rules: LimitRules,
}

/// All limits. Changes count within a second, also for what is on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Limits {
    /// For all uploads together.
    pub everywhere: LimitRules,
    /// For single destinations.
    pub destinations: Vec<DestinationLimits>,
    /// Requests in flight at most, 1 to 512; none: Waybill finds out how many the line and the server take.
    pub requests_at_once: Option<i64>,
}
