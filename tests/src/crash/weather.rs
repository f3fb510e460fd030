//! The faults of a run: a few at a time, thrown by the dice, on every call and of every kind that may not fail an upload.

use waybill_sandbox::{Fault, FaultKind, Faults, Operation};

use super::dice::Dice;
use crate::server::COUNTED;

/// Planned at most; a fault waits until its request comes, perhaps in a later round.
const MOST: usize = 8;
/// No answer is delayed for longer, in milliseconds.
pub(super) const LONGEST_DELAY_MS: u64 = 300;

/// Plans up to three more at the server, and perhaps one at the application that is called back.
pub(super) fn change(server: &Faults, application: &Faults, dice: &mut Dice) {
    for _ in 0..dice.of(0..4) {
        if server.planned().len() < MOST {
            let skip = dice.of(0..6) as u32;
            server.add(fault(dice).skip(skip));
        }
    }
    if dice.once_in(8) && application.planned().is_empty() {
        let kinds = [
            FaultKind::CallbackStatus { status: 500, body: "{}".into() },
            FaultKind::CallbackTimeout,
            FaultKind::CallbackNotJson,
        ];
        application.add(Fault::on(Operation::Callback, dice.pick(&kinds).clone()));
    }
}

fn fault(dice: &mut Dice) -> Fault {
    let call = *dice.pick(&COUNTED);
    let busy =
        |status, code: &str, retry_after_seconds| FaultKind::Status { status, code: code.into(), retry_after_seconds };
    let mut kinds = vec![
        FaultKind::CloseAfterBytes { bytes: dice.of(0..600_000) },
        FaultKind::Stall,
        busy(500, "InternalError", None),
        busy(503, "ServiceUnavailable", Some(0)),
        FaultKind::LoseAnswer,
        FaultKind::CutAnswer,
        FaultKind::Delay { ms: dice.of(10..LONGEST_DELAY_MS) },
        FaultKind::WrongEtag,
        FaultKind::RefuseConnections { ms: dice.of(10..200), answered: dice.once_in(2) },
    ];
    // A checksum of the whole that differs sends the file once more, and twice is a failure: the fault matrix has that.
    if matches!(call, Operation::UploadPart | Operation::ListParts) {
        kinds.push(FaultKind::CorruptCrc);
    }
    Fault::on(call, dice.pick(&kinds).clone())
}

/// A fault that keeps the call open, so that a kill can hit while it is under way: carried out afterwards, or not.
pub(super) fn trap(dice: &mut Dice) -> Fault {
    let calls = [
        Operation::CompleteMultipartUpload,
        Operation::CompleteMultipartUpload,
        Operation::PutObject,
        Operation::InitiateMultipartUpload,
    ];
    let kinds = [FaultKind::Delay { ms: 150 }, FaultKind::Stall];
    Fault::on(*dice.pick(&calls), dice.pick(&kinds).clone())
}
