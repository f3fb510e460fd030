//! The callback lab and the signature checker, as the window asks for them.

use super::Engine;
use crate::error::Error;
use crate::store::destinations::{self, DestinationRow};
use crate::view::{LabAnswer, LabView, SignatureCheckForm, SignatureVerdict};

impl Engine {
    /// The lab as it is.
    pub fn lab(&self) -> LabView {
        self.lab.view()
    }

    /// Has the lab's receiver listen on a port of this computer (0: any that is free).
    ///
    /// # Errors
    /// `Invalid` for a port that is none or is in use, `Store`.
    pub async fn start_lab(&self, port: i64) -> Result<LabView, Error> {
        self.lab.start(port, self.own_keys()).await?;
        Ok(self.lab.view())
    }

    /// Has it listen no longer.
    pub fn stop_lab(&self) {
        self.lab.stop();
    }

    /// Says how it answers.
    ///
    /// # Errors
    /// `Invalid` for what cannot be answered.
    pub fn set_lab_answer(&self, answer: LabAnswer) -> Result<LabView, Error> {
        self.lab.set_answer(answer)?;
        Ok(self.lab.view())
    }

    /// Forgets what came in.
    pub fn clear_lab(&self) {
        self.lab.clear();
    }

    /// Says whose signature a pasted request bears.
    ///
    /// # Errors
    /// `Store`.
    pub async fn check_signature(&self, form: SignatureCheckForm) -> Result<SignatureVerdict, Error> {
        let also = self.own_keys().await?;
        Ok(self.lab.signatures.check(&form, &also).await)
    }

    /// Where keys of this program's own servers lie: those that it makes itself, on this computer.
    async fn own_keys(&self) -> Result<Vec<String>, Error> {
        Ok(own_keys(&self.store.read(destinations::all).await?))
    }
}

/// Where keys of the sandboxes among these lie.
pub(crate) fn own_keys(rows: &[DestinationRow]) -> Vec<String> {
    let own = rows.iter().filter(|row| row.built_in);
    let places = own.map(|row| format!("{}/", row.endpoint.trim_end_matches('/')));
    places.filter(|place| place.starts_with("http://127.0.0.1:")).collect()
}
