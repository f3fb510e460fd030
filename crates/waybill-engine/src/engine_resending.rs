//! Callbacks once more, without the file; and those that somebody has settled elsewhere.

use std::collections::HashSet;

use tokio::sync::mpsc::Sender;

use super::Engine;
use super::following::Told;
use crate::answered;
use crate::clock::now_ms;
use crate::error::Error;
use crate::keys::Access;
use crate::resend::plan;
use crate::rows;
use crate::store::{calls, lists, log, resends};
use crate::view::{CallbackTimes, Problem, ResendPlan, ResendSelection};

/// Numbers of one read.
const PAGE: i64 = 500;

impl Engine {
    /// What sending an upload's callback again would change, or why it cannot be done. Nothing is begun. The object is looked
    /// at once more right before OSS finishes; whoever replaces it in the moment after that loses what they stored.
    ///
    /// # Errors
    /// `Refused` if there is no such upload, `Store`. Why it cannot be done is in the plan.
    pub async fn plan_resend(&self, no: i64) -> Result<ResendPlan, Error> {
        let record = self.resends.load(no).await?.ok_or_else(|| Error::Refused(format!("there is no upload {no}")))?;
        let mut plan = ResendPlan { no, size_bytes: record.size_bytes, parts: 0, new_version: false, problem: None };
        let looked = async {
            let ours = plan::stored(&record.state, record.callback.is_some())?;
            self.resends.nobody_else(&record).await?;
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

    /// Sends callbacks again, a few at a time and in order, by copying each object onto itself; answers with how many
    /// joined those that wait or are under way already. What comes of each is told with its upload.
    ///
    /// # Errors
    /// `Store`, and `Refused` for a single one that is not stored or asked for none.
    pub async fn resend_callbacks(&self, selection: ResendSelection) -> Result<i64, Error> {
        let asked = match selection {
            ResendSelection::These { nos } => {
                let only = nos.len() == 1;
                self.resends.line.ask(self.fit_to_be_called(nos, only).await?)
            }
            ResendSelection::AllBad => self.resend_bad(None).await?,
            ResendSelection::AllBadOf { profile_id } => self.resend_bad(Some(profile_id)).await?,
        };
        self.changes.reload();
        Ok(asked)
    }

    /// Asks for all that need somebody, of one profile or of all, a page at a time, until they are stopped.
    async fn resend_bad(&self, profile_id: Option<String>) -> Result<i64, Error> {
        let (mut asked, mut after, stops) = (0, 0, self.resends.line.stops());
        loop {
            let of = profile_id.clone();
            let page = self.store.read(move |c| calls::bad(c, of.as_deref(), after, PAGE)).await?;
            let Some(last) = page.last() else { return Ok(asked) };
            after = *last;
            let Some(joined) = self.resends.line.ask_if_bad(stops, page) else { return Ok(asked) };
            asked += joined;
        }
    }

    /// Stops sending callbacks again, whoever asked for it: those that wait stay as they are, those under way end. Answers
    /// with how many were dropped.
    pub fn stop_resending(&self) -> i64 {
        let away = self.resends.line.stop();
        self.resends.sent_away(&away);
        away.len() as i64
    }

    /// Those of which OSS can be asked to call again, as far as the database tells; `strict`: the others are an error.
    async fn fit_to_be_called(&self, nos: Vec<i64>, strict: bool) -> Result<Vec<i64>, Error> {
        let mut fit = Vec::with_capacity(nos.len());
        for no in nos {
            let Some(record) = self.resends.load(no).await? else { continue };
            let begun = self.store.read(move |c| resends::load(c, no)).await?.is_some();
            let fits = match plan::stored(&record.state, record.callback.is_some()) {
                // One that is in the line is not begun twice.
                Ok(_) if strict && begun && !self.resends.line.all().contains(&no) => Err(plan::not_ended()),
                other => other.map(drop),
            };
            match fits {
                Ok(()) => fit.push(no),
                Err(error) if strict => return Err(error),
                Err(_) => {}
            }
        }
        Ok(fit)
    }

    /// As [`Engine::resend_callbacks`] for a command: tells of each upload once its callback was sent again, or could not be.
    /// `lent` opens those of their destinations that earlier command lines left behind.
    ///
    /// # Errors
    /// As [`Engine::resend_callbacks`], and `Refused` once the engine stops.
    pub async fn call_again(&self, nos: Vec<i64>, lent: Option<Access>, told: Sender<Told>) -> Result<(), Error> {
        // Before anything is asked for: it may end at once.
        let mut ended = self.resends.ended.listen();
        if let Some(access) = &lent {
            let mut asked = HashSet::new();
            for no in nos.iter().copied() {
                asked.extend(self.resends.load(no).await?.map(|record| record.destination_id));
            }
            self.destinations.lend(access, &asked).await?;
        }
        // What an earlier command began is ended first: where OSS has called, it is not asked to call twice.
        let mut settling = self.resends.take_up(Some(&nos.iter().copied().collect())).await?;
        settling.extend(self.resends.line.all());
        let fit = self.fit_to_be_called(nos, false).await?;
        let mut left: HashSet<i64> = fit.iter().copied().collect();
        let all = left.len() as i64;
        // Those that are being ended may have ended by now, which is heard below.
        self.resends.line.ask(fit.into_iter().filter(|no| !settling.contains(no)));
        self.changes.reload();
        let stop = self.tasks.token().clone();
        let progress = |left: usize| {
            let done = all - left as i64;
            Told::Progress { files_done: done, files: all, bytes_done: done, bytes: all }
        };
        let work = async {
            // Whoever asked may have gone; the calls are made all the same.
            let _ = told.send(progress(left.len())).await;
            while !left.is_empty() {
                tokio::select! {
                    Some((no, why_left)) = ended.recv() => if left.contains(&no) {
                        if settling.remove(&no) && why_left.is_none() && !self.was_called(no).await? {
                            self.resends.line.ask([no]);
                            continue;
                        }
                        left.remove(&no);
                        self.tell_of_call(no, why_left, &told).await?;
                        let _ = told.send(progress(left.len())).await;
                    },
                    () = stop.cancelled() => {
                        return Err(Error::Refused("stopped before every callback was sent again".into()));
                    }
                }
            }
            Ok(())
        };
        tokio::select! {
            ended = work => ended,
            damaged = self.tells_of_trouble(&told) => Err(damaged),
        }
    }

    /// Whether OSS made the last call that was wanted.
    async fn was_called(&self, no: i64) -> Result<bool, Error> {
        let calls = self.store.read(move |c| calls::of(c, no)).await?;
        Ok(calls.last().is_none_or(|call| call.status > 0 || call.problem.is_none()))
    }

    /// `why_left`: it is not known whether OSS has called, for this reason.
    async fn tell_of_call(&self, no: i64, why_left: Option<Problem>, told: &Sender<Told>) -> Result<(), Error> {
        let read = move |c: &rusqlite::Connection| Ok((lists::by_numbers(c, &[no])?, calls::of(c, no)?));
        let (records, mut calls) = self.store.read(read).await?;
        calls.extend(why_left.map(answered::not_known));
        let rows = self.rows(&records).await?;
        if let Some((record, row)) = records.first().zip(rows.into_iter().next()) {
            let details = rows::in_short(record, row, calls);
            let _ = told.send(Told::Upload(Box::new(details))).await;
        }
        Ok(())
    }

    /// Marks callbacks as seen to by the user: they need nobody any more. What is known of them is kept, and the log says so.
    /// One that OSS cannot be asked about ends as unknown.
    ///
    /// # Errors
    /// `Store`.
    pub async fn settle_callbacks(&self, nos: Vec<i64>) -> Result<(), Error> {
        let seen_to = nos.clone();
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
        let away = self.resends.line.dismiss(&seen_to);
        self.resends.sent_away(&away);
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
