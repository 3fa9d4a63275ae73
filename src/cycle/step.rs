//! What all steps of one run share, and the run itself: up to the plan, and on to the writes.

use jiff::Timestamp;

use super::CycleError;
use super::How;
use super::Job;
use super::anchors;
use super::apply;
use super::apply::Applying;
use super::apply::Saved;
use super::decide;
use super::drift;
use super::environment;
use super::identity;
use super::judge;
use super::read;
use super::settle;
use super::stream;
use super::stream::Planned;
use super::write;
use crate::plan;
use crate::plan::CycleRecord;
use crate::plan::Hold;
use crate::plan::Mode;
use crate::plan::Theirs;
use crate::sources::SourceError;
use crate::store::CycleId;
use crate::store::JobId;
use crate::store::JobState;
use crate::store::Paused;
use crate::store::Store;
use crate::store::StoreError;
use crate::targets::TargetError;

/// One run of a job: what all its steps share.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) job: &'a Job,
    pub(super) how: How<'a>,
}

/// A cycle up to the first write.
pub(super) struct Prepared {
    pub(super) planned: Planned,
    pub(super) read: read::Outcome,
    /// What the target shows otherwise, where that was looked at.
    pub(super) verified: Option<drift::Verified>,
}

impl<'a> Run<'a> {
    pub(super) fn store(&self) -> impl Fn(StoreError) -> CycleError + use<> {
        let job = self.job.name.clone();
        move |source| match source {
            StoreError::Busy { .. } => CycleError::Busy { job: job.clone(), source },
            _ => CycleError::Store { job: job.clone(), source },
        }
    }

    pub(super) fn target(&self) -> impl Fn(TargetError) -> CycleError + use<> {
        let job = self.job.name.clone();
        move |source| CycleError::Target { job: job.clone(), source }
    }

    pub(super) fn source(&self) -> impl Fn(SourceError) -> CycleError + use<> {
        let job = self.job.name.clone();
        move |source| CycleError::Source { job: job.clone(), source }
    }

    pub(super) fn stopped(&self) -> Result<(), CycleError> {
        if self.how.stop.is_cancelled() {
            return Err(CycleError::Stopped { job: self.job.name.clone() });
        }
        Ok(())
    }

    /// Fails where a person lets the job rest.
    pub(super) fn not_paused(&self, state: &JobState) -> Result<(), CycleError> {
        match state.paused.as_ref().filter(|paused| paused.holds(self.how.now.as_second())) {
            None => Ok(()),
            Some(paused) => Err(CycleError::Paused { job: self.job.name.clone(), by: paused_by(paused) }),
        }
    }

    /// What stopped a cycle may have been a pause.
    pub(super) async fn told_of_pause(
        &self,
        store: &Store,
        result: Result<(), CycleError>,
    ) -> Result<(), CycleError> {
        match result {
            Err(stopped @ CycleError::Stopped { .. }) => {
                let state = store.job(&self.job.name).await.map_err(self.store())?;
                self.not_paused(&state).and(Err(stopped))
            }
            other => other,
        }
    }

    /// Pins what was read, at the first cycle that could read it.
    pub(super) async fn pin(&self, store: &Store, state: &JobState) -> Result<(), CycleError> {
        if state.source_identity.is_some() {
            return Ok(());
        }
        let Some(source) = self.job.source.identity() else { return Ok(()) };
        store.pin(state.id, &source, &self.job.target.identity()).await.map_err(self.store())
    }

    /// Waits for what may be broken off at any time: a question to the source may take minutes when it is throttled
    /// or away.
    pub(super) async fn until_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, CycleError> {
        let stopped = || CycleError::Stopped { job: self.job.name.clone() };
        self.how.stop.run_until_cancelled(work).await.ok_or_else(stopped)
    }

    pub(super) async fn prepare(
        &self,
        store: &Store,
        state: &JobState,
        cycle: CycleId,
    ) -> Result<Prepared, CycleError> {
        self.identified(store, state).await?;
        let environment = environment::environment(self, store, state).await?;
        let digest = self.job.rules.digest_with(&environment);
        let mut read = read::read(self, store, state, cycle, &digest).await?;
        let mut notes = std::mem::take(&mut read.notes);
        self.stopped()?;
        if state.program.as_deref() != Some(&self.job.program) {
            store.take_program(state.id, &self.job.program).await.map_err(self.store())?;
        }
        let (mut frozen, mut verified) = (None, None);
        if !self.has_other_target(state) {
            verified = drift::verify(self, store, state).await?;
            notes.extend(verified.iter_mut().flat_map(|verified| std::mem::take(&mut verified.notes)));
            frozen = anchors::release(self, store, state.id).await?;
        }
        let clock = self.doubts_clock(store, state.id).await?;
        store.end_overrides(state.id, self.how.now.as_second()).await.map_err(self.store())?;
        notes.extend(decide::decide(self, store, state.id, &environment).await?);
        notes.extend(decide::left_out(self, store, state.id).await?);
        store.look_at_exemptions(state.id, self.how.now.as_second()).await.map_err(self.store())?;
        let moved = self.moved(store, state).await?;
        if frozen.is_none() {
            frozen = identity::nobody_is_left(self, store, state).await?;
        }
        judge::judge(self, store, state, judge::Doubts { moved, frozen, clock }).await?;
        let mut planned = stream::planned(self, store, state, notes).await?;
        let demands = self.job.target.demands();
        planned.header.notes.extend(plan::irrevocable(&planned.header.counts, &demands));
        Ok(Prepared { planned, read, verified })
    }

    /// Looks at the clock, and marks whose time has come (P17).
    pub(super) async fn doubts_clock(&self, store: &Store, job: JobId) -> Result<Option<Hold>, CycleError> {
        let jump_max = self.job.limits.clock_jump_seconds;
        let now = self.how.now.as_second();
        let doubt = store.look_at_clock(job, now, self.theirs(), jump_max).await.map_err(self.store())?;
        Ok(doubt.map(|doubt| doubt.hold(&self.job.name, jump_max)))
    }

    /// The time of the service that departs most from ours. A cycle that took hours is no departure, so that what they
    /// show is taken back to when it began.
    pub(super) fn theirs(&self) -> Option<Theirs> {
        let took = self.how.clock.now().duration_since(self.how.now).as_secs().max(0);
        [(self.job.source.time(), "source"), (self.job.target.time(), "target")]
            .into_iter()
            .filter_map(|(time, whose)| {
                Some(Theirs { second: time?.as_second().saturating_sub(took), whose })
            })
            .max_by_key(|theirs| theirs.departure(self.how.now.as_second()))
    }

    pub(super) async fn carry_out(
        &self,
        store: &Store,
        state: &JobState,
        cycle: CycleId,
        record: &mut CycleRecord,
        saved: Option<&Saved>,
        applying: &mut Applying,
    ) -> Result<(), CycleError> {
        self.identified(store, state).await?;
        // Nothing is asked of a target that may be another one.
        if !self.has_other_target(state) {
            settle::settle(self, store, state.id).await?;
        }
        let Prepared { mut planned, read, verified } = self.prepare(store, state, cycle).await?;
        if let Some(saved) = saved {
            planned = self.narrow(store, state, cycle, planned, saved, applying).await?;
        }
        record.objects_changed = read.promoted.objects;
        record.edges_changed = read.promoted.edges;
        record.missing = read.promoted.missing;
        record.verified = read.repaired.is_some();
        record.repaired = read.repaired.unwrap_or(0);
        record.target_verified = verified.is_some();
        record.drift = verified.as_ref().map_or(0, |verified| verified.reported);
        record.drift_repaired = verified.map_or(0, |verified| verified.repaired);
        record.digest.clone_from(&planned.header.digest);
        record.planned.clone_from(&planned.header.counts);
        record.notes.clone_from(&planned.header.notes);
        if applying.refused {
            return Ok(());
        }
        let written = write::write(self, store, state, cycle, &planned, record).await;
        store.forget_gone(state.id).await.map_err(self.store())?;
        written
    }

    /// What of the plan still holds; all else is held for this cycle. What somebody decides by applying it is judged
    /// once more.
    pub(super) async fn narrow(
        &self,
        store: &Store,
        state: &JobState,
        cycle: CycleId,
        mut planned: Planned,
        saved: &Saved,
        applying: &mut Applying,
    ) -> Result<Planned, CycleError> {
        if self.job.mode(state) == Mode::Approve && apply::approve(self, store, state, saved).await? {
            planned = self.prepare(store, state, cycle).await?.planned;
        }
        *applying = apply::narrow(self, store, state, saved).await?;
        stream::planned(self, store, state, planned.header.notes).await
    }
}

/// `ann until 2026-11-24T18:00:00Z (the target is being moved)`.
fn paused_by(paused: &Paused) -> String {
    let until = paused.until.and_then(|second| Timestamp::from_second(second).ok());
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    let reason = if paused.reason.is_empty() { String::new() } else { format!(" ({})", paused.reason) };
    format!("{}{until}{reason}", paused.who)
}
