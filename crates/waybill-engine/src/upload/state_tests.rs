//! Every state × every event, and long random lives.

use proptest::prelude::*;

use super::*;
use crate::error::Code;

fn session() -> Session {
    Session {
        upload_id: Some("U1".into()),
        plan: Plan { size_bytes: 20 << 20, part_size_bytes: 8 << 20 },
        stamp: SourceStamp { size_bytes: 20 << 20, modified_ns: 7, file_id: 9 },
    }
}

fn problem() -> Problem {
    Problem { code: Code::Network, message: "gone".into(), request_id: None, ec: None }
}

fn object() -> ObjectFacts {
    ObjectFacts {
        size_bytes: 20 << 20,
        etag: "E-3".into(),
        crc64: Some(5),
        verified: true,
        request_id: "R".into(),
        version_id: None,
        finishing_ms: 3,
    }
}

fn states() -> Vec<UploadState> {
    use UploadState as S;
    let (attempts, session, problem) = (1, Some(session()), problem());
    vec![
        S::Queued { not_before_ms: Some(4), attempts, session: session.clone(), problem: None },
        S::Starting { attempts, session: session.clone() },
        S::Sending { attempts, session: session.clone().unwrap() },
        S::Completing { attempts, session: session.clone().unwrap(), crc64: 5 },
        S::Paused { attempts, session: session.clone() },
        S::Done { object: object(), callback: CallbackOutcome::Unknown },
        S::Failed { problem, attempts, session },
        S::Cancelled,
    ]
}

fn events() -> Vec<Event> {
    vec![
        Event::SlotGranted,
        Event::StartedAnew { abort: true },
        Event::Planned(session()),
        Event::Finishing { crc64: 5 },
        Event::Stored(object(), CallbackOutcome::NotRequested),
        Event::Trouble { problem: problem(), again_at_ms: Some(9), forget: Forget::Nothing },
        Event::Trouble { problem: problem(), again_at_ms: None, forget: Forget::AndAbort },
        Event::Abandoned,
        Event::Pause,
        Event::Resume,
        Event::Retry,
        Event::Cancel,
    ]
}

#[test]
fn every_state_answers_every_event_as_the_table_says() {
    use Phase::*;
    // Rows in the order of states(), columns in the order of events(); None is a refusal.
    let table: [[Option<Phase>; 12]; 8] = [
        // slot, anew, planned, finishing, stored, trouble, give up, abandoned, pause, resume, retry, cancel
        [Some(Starting), None, None, None, None, None, None, None, Some(Paused), None, None, Some(Cancelled)],
        [
            None,
            Some(Starting),
            Some(Sending),
            None,
            None,
            Some(Queued),
            Some(Failed),
            Some(Queued),
            Some(Paused),
            None,
            None,
            Some(Cancelled),
        ],
        [
            None,
            None,
            None,
            Some(Completing),
            None,
            Some(Queued),
            Some(Failed),
            Some(Queued),
            Some(Paused),
            None,
            None,
            Some(Cancelled),
        ],
        [
            Some(Completing),
            None,
            None,
            None,
            Some(Done),
            Some(Queued),
            Some(Failed),
            Some(Completing),
            None,
            None,
            None,
            None,
        ],
        [None, None, None, None, None, None, None, None, None, Some(Queued), None, Some(Cancelled)],
        [None; 12],
        [None, None, None, None, None, None, None, None, None, None, Some(Queued), Some(Cancelled)],
        [None; 12],
    ];
    for (state, row) in states().into_iter().zip(table) {
        for (event, expected) in events().into_iter().zip(row) {
            let phase = state.phase();
            let moved = step(state.clone(), event.clone());
            match expected {
                Some(next) => {
                    let (state, _) = moved.unwrap_or_else(|_| panic!("{phase:?} refuses {event:?}"));
                    assert_eq!(state.phase(), next, "{phase:?} on {event:?}");
                }
                None => assert_eq!(moved, Err(Refused { phase }), "{phase:?} must refuse {event:?}"),
            }
        }
    }
}

#[test]
fn cancel_while_sending_stops_the_driver_and_remembers_the_upload_id() {
    let (_, effects) = step(states()[2].clone(), Event::Cancel).unwrap();
    assert_eq!(effects, [Effect::StopDriver, Effect::Abort("U1".into())]);
}

#[test]
fn pause_keeps_the_session_so_that_resume_goes_on() {
    let (paused, effects) = step(states()[2].clone(), Event::Pause).unwrap();
    assert_eq!(effects, [Effect::StopDriver]);
    let (queued, _) = step(paused, Event::Resume).unwrap();
    assert_eq!(queued.session(), Some(&session()));
}

#[test]
fn a_changed_source_drops_the_session_and_aborts_it() {
    let trouble = Event::Trouble { problem: problem(), again_at_ms: Some(9), forget: Forget::AndAbort };
    let (state, effects) = step(states()[2].clone(), trouble).unwrap();
    assert_eq!(state.session(), None);
    assert_eq!(effects, [Effect::Abort("U1".into())]);
}

#[test]
fn an_unfinished_completion_is_settled_not_sent_again() {
    let (state, _) = step(states()[3].clone(), Event::Abandoned).unwrap();
    let (_, effects) = step(state, Event::SlotGranted).unwrap();
    assert_eq!(effects, [Effect::Settle]);
}

#[test]
fn retry_by_the_user_starts_counting_anew_and_keeps_good_parts() {
    let (state, _) = step(states()[6].clone(), Event::Retry).unwrap();
    assert_eq!((state.attempts(), state.session()), (0, Some(&session())));
}

proptest! {
    /// Whatever happens in whatever order: final states stay final, an UploadId never vanishes without an abort or a
    /// finished object, and only Completing leads to Done.
    #[test]
    fn random_lives_keep_the_invariants(choices in prop::collection::vec(0usize..12, 1..200)) {
        let events = events();
        let mut state = UploadState::new();
        for choice in choices {
            let event = events[choice].clone();
            let before = state.clone();
            let had = before.session().and_then(|s| s.upload_id.clone());
            match step(state, event.clone()) {
                Err(refused) => {
                    prop_assert_eq!(refused.phase, before.phase());
                    state = before;
                }
                Ok((after, effects)) => {
                    prop_assert!(!matches!(before.phase(), Phase::Done | Phase::Cancelled));
                    if after.phase() == Phase::Done {
                        prop_assert_eq!(before.phase(), Phase::Completing);
                    }
                    if after.phase() == Phase::Completing {
                        prop_assert!(matches!(before.phase(), Phase::Sending | Phase::Completing));
                    }
                    let has = after.session().and_then(|s| s.upload_id.clone());
                    if let (Some(id), None) = (had, has) {
                        let aborted = effects.contains(&Effect::Abort(id));
                        prop_assert!(aborted || after.phase() == Phase::Done, "{:?} lost its UploadId on {:?}", before, event);
                    }
                    if matches!(before.phase(), Phase::Completing) {
                        prop_assert!(!matches!(after.phase(), Phase::Paused | Phase::Cancelled));
                    }
                    state = after;
                }
            }
        }
    }
}
