//! The life of a callback that is sent again, as data: which states there are, and the one pure function between them.
//!
//! It is a machine of its own beside the upload's. The upload is stored and stays so whatever becomes of this, and all that
//! the queue, its lists and its tallies say of uploads need not know of it. What comes of it replaces the upload's outcome by
//! one move of the upload's own machine, from Done to Done.

use serde::{Deserialize, Serialize};

/// The object as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Original {
    pub(crate) size_bytes: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// Objects stored before OSS had it have none.
    pub(crate) crc64: Option<u64>,
    /// As it came.
    pub(crate) last_modified: Option<String>,
}

// Legal moves; anything else is refused as a value.
//
//   Starting    → Copying (OSS gave an UploadId) · Completing (an empty object is put again) · over (trouble)
//   Copying     → Completing (every part is copied) · over (trouble)
//   Completing  → over (OSS has called, or certainly has not)
//   at start    Starting → over; Copying → over, its UploadId is aborted; Completing stays and is found out about
/// How far it has got. Whatever is not saved has not begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ResendState {
    /// Initiate is about to be sent.
    Starting {
        /// What is copied.
        original: Original,
    },
    /// Parts are being copied; saved before the first of them.
    Copying {
        /// What is copied.
        original: Original,
        /// OSS's UploadId.
        upload_id: String,
    },
    /// Complete (or the PutObject of an empty object) is sent; saved before it.
    Completing {
        /// What was copied.
        original: Original,
        /// OSS's UploadId; none for an empty object.
        upload_id: Option<String>,
        /// The ETag that the object will have, if it can be told.
        etag: Option<String>,
    },
    /// Nothing is left to be done or remembered.
    Over,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResendEvent {
    /// OSS gave this UploadId.
    Initiated(String),
    /// Every part is copied, or there is none to be copied.
    Finishing {
        /// The ETag that the object will have, if it can be told.
        etag: Option<String>,
    },
    /// OSS has the object, and has called or not been able to.
    Called,
    /// It was given up, and the object is what it was.
    GivenUp,
    /// The program ended meanwhile.
    Abandoned,
}

/// What must be done once the new state is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResendEffect {
    /// Remember the UploadId until AbortMultipartUpload has succeeded.
    Abort(String),
    /// Find out what became of the finishing request.
    Settle,
}

/// The move is not legal in this state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

impl ResendState {
    /// OSS's UploadId, once there is one.
    pub(crate) fn upload_id(&self) -> Option<&str> {
        match self {
            ResendState::Copying { upload_id, .. } => Some(upload_id),
            ResendState::Completing { upload_id, .. } => upload_id.as_deref(),
            ResendState::Starting { .. } | ResendState::Over => None,
        }
    }
}

/// Answers an event with the next state and what to do once it is saved, or refuses.
pub(crate) fn step(state: ResendState, event: ResendEvent) -> Result<(ResendState, Vec<ResendEffect>), Refused> {
    use ResendEvent as E;
    use ResendState as S;
    let moved = match (state, event) {
        (S::Starting { original }, E::Initiated(upload_id)) if original.size_bytes > 0 => {
            (S::Copying { original, upload_id }, vec![])
        }
        (S::Starting { original }, E::Finishing { etag }) if original.size_bytes == 0 => {
            (S::Completing { original, upload_id: None, etag }, vec![])
        }
        (S::Copying { original, upload_id }, E::Finishing { etag }) => {
            (S::Completing { original, upload_id: Some(upload_id), etag }, vec![])
        }
        (S::Completing { .. }, E::Called) => (S::Over, vec![]),
        (state @ S::Completing { .. }, E::Abandoned) => (state, vec![ResendEffect::Settle]),
        (state @ (S::Starting { .. } | S::Copying { .. }), E::GivenUp | E::Abandoned)
        | (state @ S::Completing { .. }, E::GivenUp) => {
            let abort = state.upload_id().map(|upload_id| ResendEffect::Abort(upload_id.to_owned()));
            (S::Over, abort.into_iter().collect())
        }
        _ => return Err(Refused),
    };
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original(size_bytes: u64) -> Original {
        Original { size_bytes, etag: "E".into(), crc64: Some(7), last_modified: None }
    }

    fn copying() -> ResendState {
        ResendState::Copying { original: original(5), upload_id: "U".into() }
    }

    fn completing(size_bytes: u64) -> ResendState {
        let upload_id = (size_bytes > 0).then(|| "U".to_owned());
        ResendState::Completing { original: original(size_bytes), upload_id, etag: None }
    }

    fn starting(size_bytes: u64) -> ResendState {
        ResendState::Starting { original: original(size_bytes) }
    }

    #[test]
    fn each_state_takes_the_events_that_fit_it_and_no_others() {
        use ResendEvent as E;
        let abort = || vec![ResendEffect::Abort("U".into())];
        let finishing = || E::Finishing { etag: None };
        let legal = [
            (starting(5), E::Initiated("U".into()), copying(), vec![]),
            (starting(0), finishing(), completing(0), vec![]),
            (copying(), finishing(), completing(5), vec![]),
            (completing(5), E::Called, ResendState::Over, vec![]),
            (completing(0), E::Called, ResendState::Over, vec![]),
            (starting(5), E::GivenUp, ResendState::Over, vec![]),
            (copying(), E::GivenUp, ResendState::Over, abort()),
            (completing(5), E::GivenUp, ResendState::Over, abort()),
            (completing(0), E::GivenUp, ResendState::Over, vec![]),
            (starting(5), E::Abandoned, ResendState::Over, vec![]),
            (starting(0), E::GivenUp, ResendState::Over, vec![]),
            (starting(0), E::Abandoned, ResendState::Over, vec![]),
            (copying(), E::Abandoned, ResendState::Over, abort()),
            (completing(5), E::Abandoned, completing(5), vec![ResendEffect::Settle]),
            (completing(0), E::Abandoned, completing(0), vec![ResendEffect::Settle]),
        ];
        let states = [starting(5), starting(0), copying(), completing(5), completing(0), ResendState::Over];
        let events = [E::Initiated("U".into()), finishing(), E::Called, E::GivenUp, E::Abandoned];
        for state in states {
            for event in &events {
                let expected = legal.iter().find(|(from, by, ..)| *from == state && by == event);
                let expected = expected.map(|(_, _, to, effects)| (to.clone(), effects.clone())).ok_or(Refused);
                assert_eq!(step(state.clone(), event.clone()), expected, "{state:?} by {event:?}");
            }
        }
    }
}
