//! Whether an object can be stored anew from itself, what stays of it, and how it is cut. Pure.

use std::ops::Range;

use waybill_oss::{ObjectHead, StorageClass};

use super::state::Original;
use crate::error::Error;
use crate::upload::state::{ObjectFacts, UploadState};

/// The most that OSS copies into one part [UploadPartCopy]. The least, 100 KB, is far below any half of more than that.
const MOST: u64 = 5 << 30;

/// The stretches of an object that are copied, one part each: none of an empty one, all of it where one part holds it.
pub(crate) fn stretches(size_bytes: u64) -> Vec<Option<Range<u64>>> {
    match size_bytes {
        0 => Vec::new(),
        1..=MOST => vec![None],
        _ => {
            let piece = size_bytes.div_ceil(size_bytes.div_ceil(MOST));
            let starts = (0..size_bytes).step_by(usize::try_from(piece).unwrap_or(usize::MAX));
            starts.map(|start| Some(start..(start + piece).min(size_bytes))).collect()
        }
    }
}

/// The object that an upload stored, if a callback for it can be sent again.
///
/// # Errors
/// `Refused`, in words, for one that is not stored or that asked for no callback.
pub(crate) fn stored(state: &UploadState, asked: bool) -> Result<&ObjectFacts, Error> {
    let UploadState::Done { object, .. } = state else {
        return Err(Error::Refused("this upload is not stored; its callback comes when it is".into()));
    };
    if !asked {
        return Err(Error::Refused("this upload asked for no callback".into()));
    }
    Ok(object)
}

/// What is at the key now, if it is still what the upload stored and can be copied.
///
/// # Errors
/// `Refused`, in words, for one that was changed since, or is archived.
pub(crate) fn original(ours: &ObjectFacts, head: &ObjectHead) -> Result<Original, Error> {
    let refuse = |why: &str| Err(Error::Refused(why.to_owned()));
    let other_content =
        head.size != ours.size_bytes || matches!((head.crc64, ours.crc64), (Some(a), Some(b)) if a != b);
    if other_content || !head.etag.eq_ignore_ascii_case(&ours.etag) {
        return refuse(
            "the object was changed since this upload stored it; a callback would speak of what somebody else stored",
        );
    }
    let class = head.storage_class.as_deref().and_then(StorageClass::named);
    let readable = head.restore.as_ref().is_some_and(|restore| !restore.ongoing);
    if class.is_some_and(StorageClass::is_archived) && !readable {
        return refuse("the object is archived; it must be restored before it can be copied");
    }
    Ok(Original {
        size_bytes: head.size,
        etag: head.etag.clone(),
        crc64: head.crc64,
        last_modified: head.last_modified.clone(),
    })
}

/// Why an object that is no longer there cannot be copied.
pub(crate) fn gone() -> Error {
    Error::Refused("the object is no longer there, so nothing can be copied; upload the file again".into())
}

/// Looks once more, right before OSS is asked to finish: Complete takes no condition, so a moment remains in which somebody
/// else's object can be replaced [API page CompleteMultipartUpload].
///
/// # Errors
/// `Refused`, in words, if what is at the key is not the object that was looked at.
pub(crate) fn still(original: &Original, head: Option<&ObjectHead>) -> Result<(), Error> {
    let same = head.is_some_and(|head| {
        (head.size, head.crc64) == (original.size_bytes, original.crc64)
            && head.etag.eq_ignore_ascii_case(&original.etag)
            // Empty objects all have the same ETag; and whoever only described it anew wants that kept.
            && head.last_modified == original.last_modified
    });
    if same { Ok(()) } else { Err(Error::Refused("the object was changed meanwhile, so nothing was copied".into())) }
}

/// Why nothing is copied while somebody is about to store another object at the key.
pub(crate) fn busy(other: i64) -> Error {
    Error::Refused(format!(
        "upload {other} is to store another object there; end or cancel it first, or its object could be replaced by this one"
    ))
}

/// Why it is not begun again while an earlier one has not ended.
pub(crate) fn not_ended() -> Error {
    Error::Refused("it is not known yet what became of the last time; that is found out first".into())
}

/// What is at the key after a finishing request whose answer nobody heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The same content, stored anew.
    Ours,
    /// The object as it was.
    AsItWas,
    /// Something else, or nothing.
    Other,
}

/// Tells them apart. `etag` is the one that the object was to have: where the old one had it too and the clock's second is
/// the same, nobody can tell, and then it is better called done with an answer unknown than called not done. An empty object
/// keeps its ETag (none is given here), so it is put again in another second.
pub(crate) fn found(original: &Original, etag: Option<&str>, head: Option<&ObjectHead>) -> Found {
    let Some(head) = head.filter(|head| head.size == original.size_bytes && head.crc64 == original.crc64) else {
        return Found::Other;
    };
    let same_etag = head.etag.eq_ignore_ascii_case(&original.etag);
    let unchanged = same_etag && head.last_modified == original.last_modified;
    match etag {
        Some(wanted) if head.etag.eq_ignore_ascii_case(wanted) => Found::Ours,
        _ if unchanged => Found::AsItWas,
        _ => Found::Ours,
    }
}

#[cfg(test)]
mod tests {
    use waybill_oss::Restore;

    use super::*;

    fn head(etag: &str, modified: &str) -> ObjectHead {
        ObjectHead {
            size: 5,
            etag: etag.into(),
            crc64: Some(7),
            last_modified: Some(modified.into()),
            content_type: None,
            cache_control: None,
            content_disposition: None,
            content_encoding: None,
            expires: None,
            metadata: Default::default(),
            object_type: None,
            storage_class: Some("Standard".into()),
            encryption: None,
            encryption_key_id: None,
            version_id: None,
            tag_count: None,
            restore: None,
            request_id: "R".into(),
        }
    }

    fn facts() -> ObjectFacts {
        ObjectFacts {
            size_bytes: 5,
            etag: "E".into(),
            crc64: Some(7),
            verified: true,
            request_id: "R".into(),
            version_id: None,
            finishing_ms: 1,
            already_there: None,
        }
    }

    #[test]
    fn an_object_is_cut_only_where_one_part_does_not_hold_it_and_no_byte_is_lost_or_doubled() {
        assert!(stretches(0).is_empty());
        for size in [1, 99 << 10, 100 << 10, MOST] {
            assert_eq!(stretches(size), [None], "{size}");
        }
        for size in [MOST + 1, 2 * MOST, 2 * MOST + 1, 48_800 << 30] {
            let parts = stretches(size);
            assert_eq!(parts.len() as u64, size.div_ceil(MOST), "{size}");
            let mut end = 0;
            for part in parts.into_iter().flatten() {
                assert!(
                    part.start == end && part.end - part.start <= MOST && part.end - part.start >= 100 << 10,
                    "{part:?}"
                );
                end = part.end;
            }
            assert_eq!(end, size);
        }
    }

    #[test]
    fn what_is_not_the_uploads_own_object_any_more_or_cannot_be_read_is_refused_in_words() {
        assert!(original(&facts(), &head("e", "Mon")).is_ok(), "an ETag is the same in lower case");
        let archived =
            |class: &str, restore| ObjectHead { storage_class: Some(class.into()), restore, ..head("E", "Mon") };
        let ready = Restore { ongoing: false, expires: None };
        assert!(original(&facts(), &archived("Archive", Some(ready))).is_ok());
        assert!(original(&facts(), &archived("IA", None)).is_ok());
        let refused = [
            (head("F", "Mon"), "changed since"),
            (ObjectHead { crc64: Some(8), ..head("E", "Mon") }, "changed since"),
            (ObjectHead { size: 6, ..head("E", "Mon") }, "changed since"),
            (archived("Archive", None), "archived"),
            (archived("DeepColdArchive", Some(Restore { ongoing: true, expires: None })), "archived"),
        ];
        for (there, word) in refused {
            let error = original(&facts(), &there).expect_err(word);
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn an_object_that_is_not_what_was_looked_at_is_not_replaced() {
        let before = Original { size_bytes: 5, etag: "E".into(), crc64: Some(7), last_modified: Some("Mon".into()) };
        assert!(still(&before, Some(&head("e", "Mon"))).is_ok());
        let others = [
            None,
            Some(head("F", "Mon")),
            Some(head("E", "Tue")),
            Some(ObjectHead { size: 6, ..head("E", "Mon") }),
            Some(ObjectHead { crc64: Some(8), ..head("E", "Mon") }),
        ];
        for other in others {
            let error = still(&before, other.as_ref()).expect_err("changed");
            assert!(error.to_string().contains("changed meanwhile"), "{error}");
        }
    }

    #[test]
    fn a_lost_finishing_request_is_told_by_what_is_at_the_key() {
        let before = Original { size_bytes: 5, etag: "E".into(), crc64: Some(7), last_modified: Some("Mon".into()) };
        let cases = [
            (None, Some("N-1"), Found::Other),
            (Some(ObjectHead { crc64: Some(8), ..head("N-1", "Tue") }), Some("N-1"), Found::Other),
            (Some(head("N-1", "Mon")), Some("N-1"), Found::Ours),
            (Some(head("E", "Mon")), Some("N-1"), Found::AsItWas),
            (Some(head("E", "Mon")), Some("E"), Found::Ours),
            (Some(head("E", "Mon")), None, Found::AsItWas),
            (Some(head("E", "Tue")), None, Found::Ours),
        ];
        for (there, etag, expected) in cases {
            assert_eq!(found(&before, etag, there.as_ref()), expected, "{there:?} {etag:?}");
        }
    }
}
