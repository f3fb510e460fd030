//! What becomes of an object that is at the key already: decided before anything is sent, purely, from what HeadObject says.
//!
//! Only policies that need it ask. What two uploads decide at the same time is settled by OSS: where an object is to stay,
//! every request that could replace it carries `x-oss-forbid-overwrite`.

use std::fs::File;
use std::sync::Arc;

use waybill_oss::{FileSlice, ObjectHead, ObjectKey, combine, of_slice};

use super::driver::{self, Ended, Report, Trip};
use super::source::SourceStamp;
use super::state::ObjectFacts;
use crate::error::{Code, Error};
use crate::view::{AlreadyThere, OverwritePolicy};

/// Read between two looks at whether the user has said stop.
const STRIDE: u64 = 64 << 20;
/// Names that are tried, `name (2)` to `name (200)`.
const MOST_NAMES: u32 = 200;

/// What HeadObject says of the object at the key, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct There {
    pub(crate) size_bytes: u64,
    pub(crate) crc64: Option<u64>,
    /// Seconds since 1970.
    pub(crate) modified_s: Option<i64>,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Send the file to this key.
    Send,
    /// Send it unless its own CRC-64 is this.
    SendUnless(u64),
    /// The object stays, since it is as new as the file.
    Leave,
    /// Look for another name.
    NextName,
    /// OSS did not say how old the object is.
    AgeUnknown,
}

/// Decides on what is at the key; none if there is nothing.
pub(crate) fn decide(policy: OverwritePolicy, file: SourceStamp, there: Option<There>) -> Decision {
    let Some(there) = there else { return Decision::Send };
    match policy {
        // Forbid: OSS itself refuses.
        OverwritePolicy::Overwrite | OverwritePolicy::Forbid => Decision::Send,
        OverwritePolicy::SkipIdentical => match there.crc64 {
            Some(crc64) if there.size_bytes == file.size_bytes => Decision::SendUnless(crc64),
            _ => Decision::Send,
        },
        OverwritePolicy::Rename => Decision::NextName,
        OverwritePolicy::Newer => match there.modified_s {
            // Last-Modified counts whole seconds.
            Some(modified_s) if file.modified_ns.div_euclid(1_000_000_000) > modified_s => Decision::Send,
            Some(_) => Decision::Leave,
            None => Decision::AgeUnknown,
        },
    }
}

/// The key with a number before its ending: `a/b.tar.gz` becomes `a/b.tar (2).gz`, `a/.env` becomes `a/.env (2)`.
pub(crate) fn numbered(key: &str, number: u32) -> String {
    let name_at = key.rfind('/').map_or(0, |slash| slash + 1);
    match key[name_at..].rfind('.') {
        Some(dot) if dot > 0 => {
            let (stem, ending) = key.split_at(name_at + dot);
            format!("{stem} ({number}){ending}")
        }
        _ => format!("{key} ({number})"),
    }
}

/// What came of asking.
pub(crate) enum Choice {
    /// Send the file, to `trip.key`, which may be another than before.
    Send,
    /// The object there stays.
    Leave(ObjectFacts),
}

/// Asks OSS what is there, if the policy needs to know, and settles the key.
pub(crate) async fn choose(trip: &mut Trip, file: &Arc<File>, stamp: SourceStamp) -> Result<Choice, Ended> {
    if matches!(trip.overwrite, OverwritePolicy::Overwrite | OverwritePolicy::Forbid) {
        return Ok(Choice::Send);
    }
    let wanted = trip.wanted_key.clone().unwrap_or_else(|| trip.key.as_str().to_owned());
    for number in 1..=MOST_NAMES {
        let key = if number == 1 { wanted.clone() } else { numbered(&wanted, number) };
        let key = ObjectKey::parse(&key)?;
        let head = {
            let _permit = trip.throttle.permit().await;
            trip.client.head_object(&key).await?
        };
        match decide(trip.overwrite, stamp, head.as_ref().map(there)) {
            Decision::Send => {
                if key != trip.key {
                    trip.reports.consent(Report::Renamed(key.clone())).await?;
                    trip.rename(key)?;
                }
                return Ok(Choice::Send);
            }
            Decision::SendUnless(crc64) => {
                let same = crc64_of(trip, file, stamp).await? == crc64;
                return Ok(match head.filter(|_| same) {
                    Some(head) => Choice::Leave(facts(head, AlreadyThere::Identical)),
                    None => Choice::Send,
                });
            }
            Decision::Leave => {
                return Ok(head.map_or(Choice::Send, |head| Choice::Leave(facts(head, AlreadyThere::Newer))));
            }
            Decision::NextName => {}
            Decision::AgeUnknown => {
                return Err(Ended::from(waybill_oss::Error::Unreadable {
                    operation: "HeadObject",
                    message: "it does not say when the object was stored".into(),
                    request_id: head.map(|head| head.request_id),
                }));
            }
        }
    }
    Err(Ended::from(Error::Source {
        code: Code::AlreadyThere,
        message: format!("\"{wanted}\" and {MOST_NAMES} numbered names beside it are in use; nothing was overwritten"),
    }))
}

/// CRC-64 of the whole file, read once, in strides so that stopping need not wait for the end of it.
async fn crc64_of(trip: &Trip, file: &Arc<File>, stamp: SourceStamp) -> Result<u64, Ended> {
    let (mut whole, mut offset) = (0, 0);
    while offset < stamp.size_bytes {
        let len = STRIDE.min(stamp.size_bytes - offset);
        let slice = FileSlice { file: Arc::clone(file), offset, len };
        let read = driver::blocking(move || of_slice(&slice).map_err(|error| waybill_oss::Error::Source(error).into()));
        let crc64 = match read.await {
            Ok(crc64) => crc64,
            Err(Error::Oss(error)) => {
                return Err(Ended::from(driver::source_first(trip.path.clone(), stamp, error).await));
            }
            Err(error) => return Err(Ended::from(error)),
        };
        (whole, offset) = (combine(whole, crc64, len), offset + len);
    }
    driver::check(trip.path.clone(), stamp).await?;
    Ok(whole)
}

fn there(head: &ObjectHead) -> There {
    // `Fri, 24 Feb 2012 06:07:48 GMT` [HeadObject].
    let modified = head.last_modified.as_deref().and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    There { size_bytes: head.size, crc64: head.crc64, modified_s: modified.map(|at| at.timestamp().as_second()) }
}

fn facts(head: ObjectHead, already_there: AlreadyThere) -> ObjectFacts {
    ObjectFacts {
        size_bytes: head.size,
        etag: head.etag,
        crc64: head.crc64,
        verified: already_there == AlreadyThere::Identical,
        request_id: head.request_id,
        version_id: head.version_id,
        finishing_ms: 0,
        already_there: Some(already_there),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OverwritePolicy::{Forbid, Newer, Overwrite, Rename, SkipIdentical};

    const FILE: SourceStamp = SourceStamp { size_bytes: 10, modified_ns: 1_700_000_000_900_000_000, file_id: 1 };
    const SAME_AGE: There = There { size_bytes: 10, crc64: Some(7), modified_s: Some(1_700_000_000) };

    #[test]
    fn nothing_at_the_key_is_sent_under_every_policy() {
        for policy in [Overwrite, SkipIdentical, Forbid, Rename, Newer] {
            assert_eq!(decide(policy, FILE, None), Decision::Send);
        }
    }

    #[test]
    fn what_is_there_is_replaced_compared_left_or_stepped_aside_for() {
        for (policy, decision) in [
            (Overwrite, Decision::Send),
            (Forbid, Decision::Send),
            (SkipIdentical, Decision::SendUnless(7)),
            (Rename, Decision::NextName),
            (Newer, Decision::Leave),
        ] {
            assert_eq!(decide(policy, FILE, Some(SAME_AGE)), decision, "{policy:?}");
        }
    }

    #[test]
    fn another_size_or_no_checksum_to_compare_with_is_not_identical() {
        let longer = There { size_bytes: 11, ..SAME_AGE };
        let unknown = There { crc64: None, ..SAME_AGE };
        for there in [longer, unknown] {
            assert_eq!(decide(SkipIdentical, FILE, Some(there)), Decision::Send);
        }
    }

    #[test]
    fn only_a_file_changed_in_a_later_second_is_newer() {
        let at = |modified_s| decide(Newer, FILE, Some(There { modified_s, ..SAME_AGE }));
        assert_eq!(at(Some(1_699_999_999)), Decision::Send);
        assert_eq!(at(Some(1_700_000_001)), Decision::Leave);
        assert_eq!(at(None), Decision::AgeUnknown);
        let before_1970 = SourceStamp { modified_ns: -1, ..FILE };
        assert_eq!(decide(Newer, before_1970, Some(There { modified_s: Some(0), ..SAME_AGE })), Decision::Leave);
    }

    #[test]
    fn a_number_stands_before_the_last_ending_of_the_name() {
        for (key, expected) in [
            ("a.jpg", "a (2).jpg"),
            ("raw.d/clip", "raw.d/clip (2)"),
            ("raw/clip.tar.gz", "raw/clip.tar (2).gz"),
            ("raw/.env", "raw/.env (2)"),
            ("图/片.jpg", "图/片 (2).jpg"),
        ] {
            assert_eq!(numbered(key, 2), expected);
        }
    }
}
