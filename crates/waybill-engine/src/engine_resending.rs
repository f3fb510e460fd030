//! Callbacks once more, without the file; and those that somebody has settled elsewhere.

use super::Engine;
use crate::clock::now_ms;
use crate::error::Error;
use crate::resend::plan;
use crate::store::{calls, log};
use crate::view::{CallbackTimes, ResendPlan, ResendSelection};

/// Numbers of one read.
const PAGE: i64 = 500;

impl Engine {
    /// What sending an upload's callback again would change, or why it cannot be done. Nothing is begun.
    ///
    /// # Errors
    /// `Refused` if there is no such upload, `Store`. Why it cannot be done is in the plan.
    pub async fn plan_resend(&self, no: i64) -> Result<ResendPlan, Error> {
        let record = self.resends.load(no).await?.ok_or_else(|| Error::Refused(format!("there is no upload {no}")))?;
        let mut plan = ResendPlan { no, size_bytes: record.size_bytes, parts: 0, new_version: false, problem: None };
        let looked = async {
            let ours = plan::stored(&record.state, record.callback.is_some())?;
            let way = self.resends.way(&record).await?;
            let (head, original, _) = way.look(ours).await?;
            // Whoever may not ask the bucket can still see whether its objects have versions.
            let info = way.client.get_bucket_info().await.ok();
            let keeps = match info {
                Some(info) => info.versioning.as_deref() == Some("Enabled"),
                None => head.version_id.is_some_and(|version| version != "null"),
            };
            Ok::<_, Error>((original, keeps))
        };
        match looked.await {
            Ok((original, keeps)) => {
                plan.size_bytes = i64::try_from(original.size_bytes).unwrap_or(i64::MAX);
                plan.parts = plan::stretches(original.size_bytes).len() as i64;
                plan.new_version = keeps;
            }
            Err(error) => plan.problem = Some(error.problem()),
        }
        Ok(plan)
    }

    /// Sends callbacks again, a few at a time and in order, by copying each object onto itself; answers with how many are
    /// asked for. What comes of each is told with its upload. Those that are on their way already stay so.
    ///
    /// # Errors
    /// `Store`, and `Refused` for a single one that is not stored or asked for none.
    pub async fn resend_callbacks(&self, selection: ResendSelection) -> Result<i64, Error> {
        let mut asked = 0;
        match selection {
            ResendSelection::These { nos } => {
                let only = nos.len() == 1;
                let mut fit = Vec::with_capacity(nos.len());
                for no in nos {
                    let Some(record) = self.resends.load(no).await? else { continue };
                    match plan::stored(&record.state, record.callback.is_some()) {
                        Ok(_) => fit.push(no),
                        Err(error) if only => return Err(error),
                        Err(_) => {}
                    }
                }
                asked += fit.len() as i64;
                self.resends.line.ask(fit);
            }
            ResendSelection::AllBad => {
                let mut after = 0;
                loop {
                    let page = self.store.read(move |c| calls::bad(c, after, PAGE)).await?;
                    let Some(last) = page.last() else { break };
                    after = *last;
                    asked += page.len() as i64;
                    self.resends.line.ask(page);
                }
            }
        }
        self.changes.reload();
        Ok(asked)
    }

    /// Marks callbacks as seen to by the user: they need nobody any more. What is known of them is kept, and the log says so.
    ///
    /// # Errors
    /// `Store`.
    pub async fn settle_callbacks(&self, nos: Vec<i64>) -> Result<(), Error> {
        self.store
            .write(move |c| {
                for no in nos {
                    if calls::settle(c, no)? {
                        log::add(c, no, now_ms(), "callbackSettled", "")?;
                    }
                }
                Ok(())
            })
            .await?;
        self.changes.reload();
        Ok(())
    }

    /// How the last callbacks of a profile went (None: of all), and what failed.
    ///
    /// # Errors
    /// `Store`.
    pub async fn callback_times(&self, profile_id: Option<String>) -> Result<CallbackTimes, Error> {
        self.store.read(move |c| calls::times(c, profile_id.as_deref())).await
    }
}
