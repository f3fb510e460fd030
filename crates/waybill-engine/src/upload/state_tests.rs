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
        already_there: None,
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
        S::Completing { attempts, session: session.clone().unwrap(), crc64: 5, not_before_ms: None, problem: None },
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
        Event::AlreadyThere(object()),
        Event::Trouble { problem: problem(), attempts: 1, again_at_ms: Some(9), forget: Forget::Nothing },
        Event::Trouble { problem: problem(), attempts: 1, again_at_ms: None, forget: Forget::AndAbort },
        Event::Unsettled { problem: problem(), again_at_ms: 9 },
        Event::Abandoned,
        Event::NotCarriedOut,
        Event::Pause,
        Event::Resume,
        Event::Retry,
        Event::Cancel,
    ]
}

#[test]
fn every_state_answers_every_event_as_the_table_says() {
    // Rows in the order of states(), columns in the order of events(); `--` is a refusal.
    let table = [
        // slot anew plan fin stored there again fail unsettled abandoned notcarriedout pause resume retry cancel
        "St -- -- -- -- -- -- -- -- -- -- Pa -- Qu Ca", // Queued
        "-- St Se -- -- Do Qu Fa -- Qu -- Pa -- -- Ca", // Starting
        "-- -- -- Co -- -- Qu Fa -- Qu -- Pa -- -- Ca", // Sending
        "Co -- -- -- Do -- Qu Fa Co Co Qu -- -- -- --", // Completing
        "-- -- -- -- -- -- -- -- -- -- -- -- Qu -- Ca", // Paused
        "-- -- -- -- -- -- -- -- -- -- -- -- -- -- --", // Done
        "-- -- -- -- -- -- -- -- -- -- -- -- -- Qu Ca", // Failed
        "-- -- -- -- -- -- -- -- -- -- -- -- -- -- --", // Cancelled
    ];
    for (state, row) in states().into_iter().zip(table) {
        let cells: Vec<&str> = row.split(' ').collect();
        assert_eq!(cells.len(), events().len());
        for (event, expected) in events().into_iter().zip(cells) {
            let phase = state.phase();
            match step(state.clone(), event.clone()) {
                Ok((next, _)) => {
                    let next = format!("{:?}", next.phase());
                    assert!(next.starts_with(expected), "{phase:?} on {event:?} became {next}, not {expected}");
                }
                Err(refused) => {
                    assert_eq!((refused, expected), (Refused { phase }, "--"), "{phase:?} on {event:?}");
                }
            }
        }
    }
}

#[test]
fn retry_asks_at_once_about_a_finishing_request_that_waits_and_leaves_one_that_is_being_settled_alone() {
    let session = session();
    let completing = |not_before_ms| UploadState::Completing {
        attempts: 3,
        session: session.clone(),
        crc64: 5,
        not_before_ms,
        problem: not_before_ms.map(|_| problem()),
    };
    let (next, effects) = step(completing(Some(9)), Event::Retry).unwrap();
    let UploadState::Completing { attempts: 0, not_before_ms: None, problem: None, crc64: 5, .. } = next else {
        panic!("{next:?}")
    };
    assert_eq!(effects, []);
    assert!(step(completing(None), Event::Retry).is_err());
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
    let trouble = Event::Trouble { problem: problem(), attempts: 1, again_at_ms: Some(9), forget: Forget::AndAbort };
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
fn a_try_that_the_end_of_the_program_or_a_pause_cut_short_does_not_count() {
    for (state, event) in [(1, Event::Abandoned), (2, Event::Abandoned), (3, Event::NotCarriedOut)]
        .into_iter()
        .chain([(1, Event::Pause), (2, Event::Pause)])
    {
        let before = states()[state].clone();
        assert_eq!(before.attempts(), 1);
        let (after, _) = step(before, event.clone()).unwrap();
        assert_eq!((after.attempts(), after.session()), (0, Some(&session())), "{event:?}");
    }
}

#[test]
fn retry_by_the_user_starts_counting_anew_and_keeps_good_parts() {
    let (state, _) = step(states()[6].clone(), Event::Retry).unwrap();
    assert_eq!((state.attempts(), state.session()), (0, Some(&session())));
}

proptest! {
    /// Whatever happens in whatever order: final states stay final, an UploadId never vanishes without an abort or a
    /// finished object, and only Completing leads to Done, unless nothing had to be sent.
    #[test]
    fn random_lives_keep_the_invariants(choices in prop::collection::vec(0usize..15, 1..200)) {
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
                        let left = matches!(event, Event::AlreadyThere(_)).then_some(Phase::Starting);
                        prop_assert_eq!(before.phase(), left.unwrap_or(Phase::Completing));
                    }
                    if after.phase() == Phase::Completing {
                        prop_assert!(matches!(before.phase(), Phase::Sending | Phase::Completing));
                    }
                    let has = after.session().and_then(|s| s.upload_id.clone());
                    if let (Some(id), None) = (had, has) {
                        let aborted = effects.contains(&Effect::Abort(id));
                        prop_assert!(aborted || before.phase() == Phase::Completing, "{:?} lost its UploadId on {:?}", before, event);
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

#[test]
fn a_finishing_request_that_nobody_can_ask_about_stays_completing_and_counts() {
    let unsettled = Event::Unsettled { problem: problem(), again_at_ms: 9 };
    let (state, effects) = step(states()[3].clone(), unsettled).unwrap();
    assert!(effects.is_empty());
    let UploadState::Completing { attempts, session: kept, crc64, not_before_ms, problem: why } = state else {
        panic!("{state:?}")
    };
    assert_eq!((attempts, kept, crc64, not_before_ms, why), (2, session(), 5, Some(9), Some(problem())));
}
