//! The rounds of one call: signed, sent, and sent again where that is safe and can help.

use jiff::{SignedDuration, Timestamp};

use super::Client;
use super::request::{Call, Site};
use crate::credential::Credential;
use crate::error::Error;
use crate::retry::{RetryPolicy, Tries};

/// The codes that say that keys are no longer good [Authorize access; STS error codes].
const RAN_OUT: [&str; 3] = ["SecurityTokenExpired", "InvalidSecurityToken", "InvalidAccessKeyId"];

/// What one attempt is signed with.
pub(super) struct Signature {
    pub(super) credential: Credential,
    /// The server's time, as far as it is known.
    pub(super) at: Timestamp,
    /// The correction that is in `at`.
    pub(super) skew: SignedDuration,
}

/// How far a call has got. Two refusals are nobody's fault and cost no attempt, each once: keys that ran out on the way,
/// and a computer whose clock is wrong. Other trouble is repeated as the policy says.
pub(super) struct Rounds<'a> {
    site: &'a Site,
    call: &'a Call<'a>,
    tries: Tries,
    keys_renewed: bool,
    clock_corrected: bool,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(client: &'a Client, call: &'a Call<'a>) -> Self {
        let policy = if call.once { RetryPolicy::none() } else { client.retry };
        let tries = Tries::new(policy, call.operation, call.repeatable);
        Rounds { site: &client.site, call, tries, keys_renewed: false, clock_corrected: false }
    }

    /// The keys in hand, fetched or refreshed where needed, and the time. A source that cannot be reached for the moment
    /// is asked again as the policy says: nothing has been sent yet.
    pub(super) async fn sign(&mut self) -> Result<Signature, Error> {
        let credential = loop {
            if self.call.unsigned {
                break Credential::new("", "", None);
            }
            match self.site.credentials.current().await {
                Ok(credential) => break credential,
                Err(error) => self.tries.wait_after(error).await?,
            }
        };
        let clock = &self.site.clock;
        Ok(Signature { credential, at: clock.server_time(Timestamp::now()), skew: clock.skew() })
    }

    /// Waits until the next round is due, or gives the error back: that was the last one.
    pub(super) async fn after(&mut self, error: Error, signature: &Signature) -> Result<(), Error> {
        if !self.call.may_be_signed_anew(&error) {
            return self.tries.wait_after(error).await;
        }
        match self.mend(&error, signature).await {
            Ok(true) => {
                tracing::info!(operation = self.call.operation, %error, "signing anew");
                Ok(())
            }
            Ok(false) => self.tries.wait_after(error).await,
            Err(no_keys) => self.tries.wait_after(no_keys).await,
        }
    }

    /// Whether the same call, signed anew, can have another end: there are new keys, or the clock has been corrected by
    /// the very answer that refused. New keys that cannot be fetched are the error from then on; where that passes, the
    /// next refusal asks for them again.
    async fn mend(&mut self, error: &Error, with: &Signature) -> Result<bool, Error> {
        match error.service_code() {
            Some(code) if RAN_OUT.contains(&code) && !self.keys_renewed => {
                let renewed = self.site.credentials.renew(&with.credential).await?;
                self.keys_renewed = true;
                Ok(renewed)
            }
            Some("RequestTimeTooSkewed") if !self.clock_corrected => {
                self.clock_corrected = true;
                Ok(self.site.clock.skew() != with.skew)
            }
            _ => Ok(false),
        }
    }
}
