//! The product without a window: queue, resume, reconcile, history, watched folders, destinations.
//!
//! [`Engine`] is the whole of it from outside; [`view`] is what it shows. It knows `waybill-oss` and nothing of Tauri.

mod answered;
pub mod callback_desk;
mod callback_profile;
mod callback_snippets;
mod callback_study;
mod callback_trial;
mod changes;
mod clock;
mod config;
mod connect;
mod destination;
mod engine;
mod error;
mod expectation;
mod finished;
mod handover;
mod intake;
mod key_template;
mod keys;
mod lab;
mod launch;
mod line_up;
mod numbers;
mod progress;
mod queue;
mod queue_gathered;
mod queue_line;
mod queue_look;
mod queue_reports;
mod queue_resend;
mod queue_resend_ending;
mod queue_save;
mod queue_slots;
mod queue_trouble;
mod queue_wishes;
mod records;
mod resend;
mod resolving;
mod rows;
mod secrets;
mod store;
mod task;
mod throttle;
mod trouble;
mod upload;
pub mod view;
mod watch;
mod watching;

pub use config::{EngineConfig, default_data_dir};
pub use destination::BuiltIn;
pub use engine::Engine;
pub use engine::following::{Asked, Place, Told};
pub use error::{Code, Error};
pub use handover::{Handed, hand_over, hand_over_calls};
pub use intake::{Callback, Enqueue, KeyRule};
pub use keys::Access;
pub use lab::alone::Receiver;
pub use queue_line::Work;
pub use records::Records;
pub use secrets::{KEYCHAIN_SERVICE, Keychain, MemorySecrets, SecretStore};

/// The AccessKey pair, and where it comes from, as the engine takes them.
pub use waybill_oss::{Credential, CredentialSource, Credentials};
/// A signature, explained step by step.
pub use waybill_oss::{Explained, SignRequest, explain};
