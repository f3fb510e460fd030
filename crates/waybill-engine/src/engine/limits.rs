//! What a user can do about limits: read them, change them, and have them count at once.

use super::Engine;
use crate::error::Error;
use crate::store::{Store, destinations, settings};
use crate::throttle::{Throttle, timetable};
use crate::view::{Limit, Limits};

impl Engine {
    /// All limits as they are set; those of this process alone ([`crate::EngineConfig::limit`]) are not among them.
    ///
    /// # Errors
    /// `Store`.
    pub async fn limits(&self) -> Result<Limits, Error> {
        self.store.read(settings::limits).await
    }

    /// Sets all limits. They count within a second, also for what is on its way.
    ///
    /// # Errors
    /// `Invalid` for limits that cannot be kept, `Store`.
    pub async fn save_limits(&self, mut limits: Limits) -> Result<Limits, Error> {
        timetable::check(&limits)?;
        let saved = self
            .store
            .write(move |c| {
                let known = destinations::all(c)?;
                // A destination may have been deleted while its limits were edited.
                limits.destinations.retain(|of| known.iter().any(|row| row.id == of.destination_id));
                settings::set_limits(c, &limits)?;
                Ok(limits)
            })
            .await?;
        self.throttle.set(saved.clone());
        Ok(saved)
    }
}

/// The throttle with what is set in the database.
pub(super) async fn throttle(store: &Store, parallel: usize, given: Limit) -> Result<Throttle, Error> {
    timetable::check_limit(given)?;
    Ok(Throttle::new(parallel, given, store.read(settings::limits).await?))
}
