//! The `waybill` command as a process of its own, against a sandbox in this one.

mod bed;
mod callback;
mod callback_profile;
mod callback_resend;
mod callback_signed;
mod failures;
mod finishing;
mod folder;
#[cfg(unix)]
mod full_disk;
mod handover;
mod history;
mod killed;
mod limits;
mod overwrite;
mod receipts;
mod running;
mod sandbox;
mod secrets;
mod sign;
mod taken_up;
mod token;
