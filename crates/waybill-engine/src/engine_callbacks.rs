//! Callback profiles, and trying one out with a probe object.

use std::sync::Arc;

use waybill_oss::BucketName;

use super::Engine;
use crate::callback_profile::CalledFor;
use crate::clock::now_ms;
use crate::error::Error;
use crate::store::callback_profiles;
use crate::upload::state::ObjectFacts;
use crate::view::{CallbackProfileDraft, CallbackProfileForm, CallbackProfileView, CallbackTrial};
use crate::{answered, callback_profile, callback_trial};

impl Engine {
    /// All callback profiles with a name.
    ///
    /// # Errors
    /// `Store`.
    pub async fn callback_profiles(&self) -> Result<Vec<CallbackProfileView>, Error> {
        self.store.read(callback_profiles::all).await
    }

    /// Adds or changes one. Uploads that are queued already keep what they ask for.
    ///
    /// # Errors
    /// `Invalid` without a name, with another's, or for a callback that OSS would refuse; `Store`.
    pub async fn save_callback_profile(&self, draft: CallbackProfileDraft) -> Result<CallbackProfileView, Error> {
        let CallbackProfileDraft { id, name, form } = draft;
        let name = name.trim().to_owned();
        if name.is_empty() {
            return Err(Error::Invalid("the name is missing".into()));
        }
        callback_profile::check(&form)?;
        let known = id.clone();
        let id = id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let saved = self
            .store
            .write(move |c| {
                if known.is_some() && callback_profiles::load(c, &id)?.is_none() {
                    return Ok(Err(Error::Invalid("there is no such callback profile any more".into())));
                }
                if callback_profiles::is_taken(c, &name, &id)? {
                    return Ok(Err(Error::Invalid(format!("there is a callback profile \"{name}\" already"))));
                }
                callback_profiles::save(c, &id, &name, &form)?;
                Ok(callback_profiles::load(c, &id)?.ok_or_else(|| Error::Invalid("it is gone".into())))
            })
            .await??;
        self.changes.destinations();
        Ok(saved)
    }

    /// Removes one.
    ///
    /// # Errors
    /// `Refused` while destinations ask for it, saying which; `Store`.
    pub async fn delete_callback_profile(&self, id: &str) -> Result<(), Error> {
        let id = id.to_owned();
        let deleted = self.store.write(move |c| {
            let Some(profile) = callback_profiles::load(c, &id)? else { return Ok(Ok(())) };
            if !profile.used_by.is_empty() {
                let users = profile.used_by.join("\", \"");
                return Ok(Err(Error::Refused(format!("\"{}\" is still asked for by \"{users}\"", profile.name))));
            }
            callback_profiles::delete(c, &id).map(Ok)
        });
        deleted.await??;
        self.changes.destinations();
        Ok(())
    }

    /// Uploads an object of one byte with this callback to a destination (None: the current one), and deletes it. The
    /// numbers of its upload and its batch are 0.
    ///
    /// # Errors
    /// `Invalid` for a callback that OSS would refuse, or without a destination. What goes wrong on the way is in the answer.
    pub async fn test_callback(
        &self,
        form: CallbackProfileForm,
        destination_id: Option<String>,
    ) -> Result<CallbackTrial, Error> {
        let destination = self.destinations.find(destination_id).await?;
        let key = callback_trial::key(&destination.key_template)?;
        let at_ms = now_ms();
        let callback = callback_profile::checked_spec(
            Some(&form),
            CalledFor { key: key.as_str(), no: 0, batch: 0, queued_ms: at_ms, size_bytes: 1 },
        )?;
        let bucket = BucketName::parse(&destination.bucket)?;
        let tried = async {
            let client = Box::pin(self.destinations.client(&destination.id, &bucket)).await?;
            let lane = self.throttle.lane(&destination.id, client.endpoint());
            let client = client.with_pace(Arc::new(lane.clone()));
            let _permit = lane.permit().await;
            Ok::<_, Error>(callback_trial::put_and_delete(&client, &key, callback.as_ref()).await)
        };
        let (stored, left_behind) = match tried.await {
            Ok((stored, left_behind)) => (stored.map_err(Error::Oss), left_behind),
            Err(error) => (Err(error), None),
        };
        let stored = match stored {
            Ok(stored) => stored,
            Err(error) => {
                let nothing = answered::nothing(at_ms, now_ms() - at_ms, true, &error);
                return Ok(CallbackTrial { left_behind, ..nothing });
            }
        };
        let mut callback = stored.callback;
        let object = ObjectFacts {
            size_bytes: 1,
            etag: stored.etag,
            crc64: stored.crc64,
            verified: true,
            request_id: stored.request_id,
            version_id: stored.version_id,
            finishing_ms: i64::try_from(stored.elapsed.as_millis()).unwrap_or(i64::MAX),
            already_there: None,
        };
        Ok(CallbackTrial { left_behind, ..answered::trial(&object, &mut callback, now_ms()) })
    }
}
