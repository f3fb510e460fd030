//! When a destination's uploads wait, when one of them tries, and when all go on.

use super::*;

fn problem(code: Code) -> Problem {
    Problem { code, message: format!("{code:?}"), request_id: None, ec: None }
}

/// Plays outcomes (upload, sign, code) one second apart; each probe waits ten seconds times its number.
fn play(outcomes: &[(i64, Sign, Code)]) -> Health {
    let mut health = Health::default();
    for (second, (no, sign, code)) in outcomes.iter().enumerate() {
        let wait = |failures| Duration::from_secs(10 * u64::from(failures));
        health = after(health, *no, *sign, Some(&problem(*code)), second as i64 * 1000, wait);
    }
    health
}

fn service(status: u16, code: &str) -> Error {
    Error::Oss(waybill_oss::Error::Service(Box::new(waybill_oss::ServiceError {
        operation: "PutObject",
        status,
        code: code.into(),
        message: String::new(),
        ec: None,
        request_id: None,
        host_id: None,
        retry_after: None,
        string_to_sign: None,
        endpoint: None,
    })))
}

fn broken(kind: TransportKind) -> Error {
    Error::Oss(waybill_oss::Error::Transport { operation: "PutObject", kind, message: String::new() })
}

#[test]
fn what_every_other_upload_would_meet_is_told_from_what_may_be_this_files_alone() {
    for error in [
        service(403, "SignatureDoesNotMatch"),
        service(404, "NoSuchBucket"),
        broken(TransportKind::Connect),
        broken(TransportKind::Certificate),
    ] {
        assert_eq!(sign_of(&error), Sign::Proof, "{error}");
    }
    for error in [service(403, "AccessDenied"), service(503, "ServiceUnavailable"), broken(TransportKind::Interrupted)]
    {
        assert_eq!(sign_of(&error), Sign::Hint, "{error}");
    }
    for error in [service(409, "FileAlreadyExists"), service(400, "InvalidArgument")] {
        assert_eq!(sign_of(&error), Sign::Works, "{error}");
    }
    let gone = Error::Source { code: Code::SourceGone, message: String::new() };
    assert_eq!(sign_of(&gone), Sign::Nothing);
}

#[test]
fn refused_keys_stop_the_destination_at_once() {
    let trouble = play(&[(1, Sign::Proof, Code::Credentials)]).trouble.unwrap();
    assert_eq!((trouble.problem.code, trouble.probe_at_ms), (Code::Credentials, 10_000));
}

#[test]
fn one_upload_whose_line_breaks_again_and_again_stops_nobody_else_but_three_do() {
    let hint = |no| (no, Sign::Hint, Code::Network);
    assert_eq!(play(&[hint(1), hint(1), hint(1), hint(1)]).trouble, None);
    assert_eq!(play(&[hint(1), hint(2)]).trouble, None);
    assert!(play(&[hint(1), hint(2), hint(3)]).trouble.is_some());
}

#[test]
fn hints_of_another_kind_or_with_a_success_in_between_do_not_add_up() {
    let hint = |no| (no, Sign::Hint, Code::Network);
    assert_eq!(play(&[hint(1), hint(2), (3, Sign::Works, Code::Service), hint(4)]).trouble, None);
    assert_eq!(play(&[hint(1), hint(2), (3, Sign::Hint, Code::AccessDenied)]).trouble, None);
}

#[test]
fn only_the_upload_that_tries_puts_the_next_try_off() {
    let proof = |no| (no, Sign::Proof, Code::Network);
    let trouble = |outcomes: &[_]| play(outcomes).trouble.unwrap();
    assert_eq!(trouble(&[proof(1), proof(2), proof(3)]).probe_at_ms, 10_000);
    assert_eq!(trouble(&[proof(1), proof(1)]).probe_at_ms, 21_000);
}

#[test]
fn a_try_that_says_nothing_of_the_destination_lets_the_next_one_try_at_once() {
    let outcomes = [(1, Sign::Proof, Code::Network), (1, Sign::Nothing, Code::SourceGone)];
    assert_eq!(play(&outcomes).trouble.unwrap().probe_at_ms, 1000);
}

#[test]
fn an_answer_ends_the_trouble_even_if_it_refuses_the_right_to_this_key() {
    let offline = (1, Sign::Proof, Code::Network);
    assert_eq!(play(&[offline, (1, Sign::Works, Code::Service)]), Health::default());
    assert_eq!(play(&[offline, (1, Sign::Hint, Code::AccessDenied)]).trouble, None);
}

#[test]
fn what_passes_is_asked_about_soon_and_what_must_be_mended_seldom() {
    let wait = |code, failures| probe_wait(code, Advice::Now, failures, 1.0).as_secs();
    assert_eq!((wait(Code::Network, 1), wait(Code::Network, 50)), (1, 60));
    assert_eq!((wait(Code::Credentials, 1), wait(Code::Credentials, 50)), (15, 600));
    let asked = Advice::Later(Duration::from_secs(90));
    assert_eq!(probe_wait(Code::ServerBusy, asked, 1, 1.0).as_secs(), 90);
}

#[test]
fn the_board_lets_one_upload_try_and_the_next_in_line_after_it() {
    let board = Troubles::default();
    let error = service(403, "InvalidAccessKeyId");
    assert_eq!(board.failed("d", 4, &error, 0), Heard { in_trouble: true, changed: true });
    assert_eq!(board.failed("d", 5, &error, 0), Heard { in_trouble: true, changed: false });
    assert_eq!(board.due(0, |_| false), []);
    let at = board.next_due(0).unwrap();
    assert_eq!(board.due(at, |_| false), [("d".to_owned(), 4)]);
    board.tries("d", 7);
    assert_eq!(board.due(at, |no| no == 7), []);
    assert_eq!(board.due(at, |_| false), [("d".to_owned(), 7)]);
    board.failed("d", 7, &error, at);
    board.try_now("d", Some(5));
    assert_eq!(board.due(at, |_| false), [("d".to_owned(), 4)]);
    assert_eq!(board.works("d"), Heard { in_trouble: false, changed: true });
    assert_eq!((board.destinations(), board.of("d")), (vec![], None));
}
