//! One job's cycles: the job is made, its cycle is run, and whatever goes wrong is kept and told, and ends nothing.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Health;
use super::Schedule;
use super::Scheduled;
use super::chain_head;
use super::health::Trouble;
use super::pause::watch_pause;
use super::turn::Turn;
use super::turn::turn;
use crate::client::Clock;
use crate::cycle;
use crate::cycle::CycleError;
use crate::cycle::How;
use crate::cycle::Job;
use crate::model::Reading;
use crate::plan::CycleRecord;
use crate::plan::Quarantine;
use crate::plan::QuarantineLimits;
use crate::report;
use crate::store::ChainHead;
use crate::store::HeldCause;
use crate::store::JobState;
use crate::store::Store;
use crate::store::StoreError;

/// Makes a job of its settings: secrets and files are read, nothing is sent.
pub type Make = Arc<dyn Fn() -> Result<Job, MakeError> + Send + Sync>;
pub type MakeError = Box<dyn std::error::Error + Send + Sync>;
/// A number that is another one when a file was replaced that the job was made of.
pub type Stamp = Arc<dyn Fn() -> u64 + Send + Sync>;

/// One job: what it does when it is due.
pub struct Worker {
    name: String,
    schedule: Schedule,
    quarantine: QuarantineLimits,
    make: Make,
    stamp: Stamp,
    store: Store,
    health: Health,
    stop: CancellationToken,
    clock: Clock,
    /// Kept from cycle to cycle with its sign-in, and with the stamp of the files that it was made of. It is made anew when
    /// one of them was replaced, and after a failure.
    made: Mutex<Option<(u64, Job)>>,
}

impl Worker {
    pub fn new(
        job: Scheduled,
        store: Store,
        health: Health,
        stop: CancellationToken,
        clock: Clock,
    ) -> Worker {
        let Scheduled { name, schedule, quarantine, make, stamp } = job;
        let made = Mutex::default();
        Worker { name, schedule, quarantine, make, stamp, store, health, stop, clock, made }
    }

    /// Tells at the start what cannot run, not only when it is due.
    pub fn prepare(&self) {
        match self.job() {
            Ok(_) => self.health.note(&self.name, None),
            Err(error) => self.cannot_run(&error),
        }
    }

    /// What a due job does: a cycle, a probe, or nothing. `false`: it is paused, and had no turn.
    pub async fn cycle(self: Arc<Self>, now: Timestamp) -> bool {
        // Where the state cannot be read, the cycle meets the same, and tells it.
        let state = self.store.find_job(&self.name).await.unwrap_or_default();
        if state.as_ref().is_some_and(|state| is_paused(state, now)) {
            self.health.note(&self.name, None);
            return false;
        }
        let job = match self.job() {
            Ok(job) => job,
            Err(error) => {
                self.cannot_run(&error);
                self.unmade(state.as_ref(), now, cycle::chain(error.as_ref())).await;
                return true;
            }
        };
        match turn(state.as_ref(), &self.schedule, &self.quarantine, &self.name, now) {
            Turn::Paused => return false,
            Turn::Probe if !self.probe(&job, now).await => {}
            Turn::Probe | Turn::Whole => self.whole(job, state, now).await,
        }
        true
    }

    /// In quarantine: whether a whole cycle follows, because what was wrong is right again.
    async fn probe(&self, job: &Job, now: Timestamp) -> bool {
        let how = How {
            reading: Reading::Incremental,
            verify: false,
            now,
            clock: &self.clock,
            watch: &|_| {},
            stop: &self.stop,
        };
        let probed = cycle::probe(job, &self.store, how).await;
        let before = match self.store.find_job(&self.name).await {
            Ok(state) => state.and_then(|state| state.quarantine),
            Err(_) => None,
        };
        match probed {
            Ok(()) => {
                tracing::debug!(job = %self.name, "source and target answer the probe");
                before.is_some_and(|quarantine| quarantine.ends_by_probe())
            }
            Err(CycleError::Stopped { .. }) => false,
            Err(error) => {
                *self.lock() = None;
                match cycle::note_probe(job, &self.store, &error).await {
                    Ok(after) => {
                        let chain = chain_head(&self.store).await;
                        tell_quarantine(&self.name, before.as_ref(), after.as_ref(), now, chain.as_ref());
                    }
                    Err(error) => {
                        tracing::error!(job = %self.name, error = %cycle::chain(&error), "the probe could not be kept");
                    }
                }
                false
            }
        }
    }

    /// One cycle, whose result goes into the log: ids and counts, no values (P11).
    async fn whole(&self, job: Job, before: Option<JobState>, now: Timestamp) {
        let stop = self.stop.child_token();
        let (store, name, clock) = (self.store.clone(), self.name.clone(), self.clock.clone());
        let watch = tokio::spawn(watch_pause(store, name, clock, stop.clone()));
        // In a task of its own, so that a panic ends this cycle and nothing else.
        let remind = job.remind;
        let running = tokio::spawn(one(job, self.store.clone(), self.clock.clone(), now, stop)).await;
        watch.abort();
        if let Err(error) = announce(&self.store, &self.name, now, remind).await {
            tracing::error!(job = %self.name, error = %cycle::chain(&error), "what is held could not be announced");
        }
        match running {
            Ok(Ok(record)) => {
                // Only now: while it is tried again, the trouble is not over.
                self.health.note(&self.name, None);
                told(&record, chain_head(&self.store).await.as_ref());
            }
            Ok(Err(error @ (CycleError::Stopped { .. } | CycleError::Paused { .. }))) => {
                tracing::info!(job = %self.name, "{error}");
            }
            // It runs, only not here: a command has it, or another job has its target.
            Ok(Err(CycleError::Busy { job, source })) => {
                tracing::warn!(%job, "{source}");
            }
            Ok(Err(error)) => {
                tracing::error!(job = %self.name, error = %cycle::chain(&error), "the cycle could not go on");
                self.failed();
            }
            Err(_) => {
                let error = "a defect of rosterd ended the cycle; the log says where, please report it";
                tracing::error!(job = %self.name, "{error}");
                self.failed();
                self.keep_failure(now, error.to_owned()).await;
            }
        }
        self.look_at_quarantine(before.and_then(|state| state.quarantine), now).await;
    }

    async fn look_at_quarantine(&self, before: Option<Quarantine>, now: Timestamp) {
        let Ok(Some(state)) = self.store.find_job(&self.name).await else { return };
        let chain = chain_head(&self.store).await;
        tell_quarantine(&self.name, before.as_ref(), state.quarantine.as_ref(), now, chain.as_ref());
        if state.quarantine.is_some() {
            self.health.note(&self.name, Some(Trouble::Quarantine));
        }
    }

    /// Files are looked at before they are read: what is replaced meanwhile is read the next time. Where the new ones cannot
    /// be used, the job goes on with what it has, as long as that is good enough.
    fn job(&self) -> Result<Job, MakeError> {
        let mut made = self.lock();
        let stamp = (self.stamp)();
        let before = made.take_if(|(of, _)| *of != stamp);
        if let Some((_, job)) = made.as_ref() {
            return Ok(job.clone());
        }
        match ((self.make)(), before) {
            (Ok(job), _) => Ok(made.insert((stamp, job)).1.clone()),
            (Err(error), Some(before)) => {
                let error = cycle::chain(error.as_ref());
                tracing::warn!(job = %self.name, error, "a credential was replaced by one that cannot be used; the old one is kept");
                Ok(made.insert(before).1.clone())
            }
            (Err(error), None) => Err(error),
        }
    }

    /// A job that cannot be made is slowed down as one whose credentials are refused; between two cycles that fail only the
    /// making is tried.
    async fn unmade(&self, state: Option<&JobState>, now: Timestamp, error: String) {
        let probe = turn(state, &self.schedule, &self.quarantine, &self.name, now) == Turn::Probe;
        if !probe {
            self.keep_failure(now, error.clone()).await;
        }
        match cycle::note_unmade(&self.store, &self.name, now, error, &self.quarantine, probe).await {
            Ok(after) => {
                let before = state.and_then(|state| state.quarantine.as_ref());
                let chain = chain_head(&self.store).await;
                tell_quarantine(&self.name, before, after.as_ref(), now, chain.as_ref());
            }
            Err(error) => {
                tracing::error!(job = %self.name, error = %cycle::chain(&error), "the quarantine could not be kept");
            }
        }
    }

    fn cannot_run(&self, error: &MakeError) {
        tracing::error!(
            job = %self.name,
            error = %cycle::chain(error.as_ref()),
            "the job cannot run; it is tried again when it is due"
        );
        self.health.note(&self.name, Some(Trouble::CannotRun));
    }

    fn failed(&self) {
        self.health.note(&self.name, Some(Trouble::LastCycleFailed));
        *self.lock() = None;
    }

    async fn keep_failure(&self, now: Timestamp, text: String) {
        if let Err(error) = cycle::record_failure(&self.store, &self.name, now, text).await {
            tracing::error!(job = %self.name, error = %cycle::chain(&error), "the failure could not be recorded");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<(u64, Job)>> {
        // Set in one step: a panic elsewhere leaves nothing half done.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_paused(state: &JobState, now: Timestamp) -> bool {
    state.paused.as_ref().is_some_and(|paused| paused.holds(now.as_second()))
}

/// Says once that a job is slowed down, again when the reason is another, and every time when it has lasted for too long.
pub fn tell_quarantine(
    job: &str,
    before: Option<&Quarantine>,
    after: Option<&Quarantine>,
    now: Timestamp,
    chain: Option<&ChainHead>,
) {
    let chain = chain.map(tracing::field::display);
    let Some(quarantine) = after else {
        if before.is_some() {
            tracing::info!(%job, chain, "out of quarantine: the schedule is kept again");
        }
        return;
    };
    let (reason, code) = (quarantine.reason.word(), quarantine.error.code.word());
    let message = &quarantine.error.message;
    if quarantine.too_long(now.as_second()) {
        let days = now.as_second().saturating_sub(quarantine.series_began) / 86_400;
        tracing::error!(%job, reason, code, days, chain, "in quarantine for weeks; nobody's account is kept up to date: {message}");
    } else if !quarantine.same_as(before) {
        tracing::error!(%job, reason, code, chain, "in quarantine, its cycles are slowed down: {message}; see `rosterd status {job}`");
    }
}

async fn one(
    job: Job,
    store: Store,
    clock: Clock,
    now: Timestamp,
    stop: CancellationToken,
) -> Result<CycleRecord, CycleError> {
    let watch = |progress| tracing::debug!(job = %job.name, ?progress, "at work");
    let how =
        How { reading: Reading::Incremental, verify: false, now, clock: &clock, watch: &watch, stop: &stop };
    cycle::run(&job, &store, how).await
}

/// What is held is told when it begins, and again every `remind`, a line a cause; the state remembers when, so that a
/// restart repeats nothing.
pub async fn announce(
    store: &Store,
    job: &str,
    now: Timestamp,
    remind: Duration,
) -> Result<Vec<String>, StoreError> {
    let Some(state) = store.find_job(job).await? else { return Ok(Vec::new()) };
    let (now, every) = (now.as_second(), i64::try_from(remind.as_secs()).unwrap_or(i64::MAX));
    let held = store.announce_held(state.id, now.saturating_sub(every), now).await?;
    let lines: Vec<String> = held.iter().map(|held| line(job, held, now)).collect();
    let chain = if lines.is_empty() { None } else { chain_head(store).await };
    let chain = chain.as_ref().map(tracing::field::display);
    for line in &lines {
        tracing::warn!(%job, chain, "{line}");
    }
    Ok(lines)
}

fn line(job: &str, held: &HeldCause, now: i64) -> String {
    let changes = if held.changes == 1 { "1 change".to_owned() } else { format!("{} changes", held.changes) };
    let word = report::hold_word(held.kind);
    let age = report::age(now - held.since_second);
    let cause = report::printable(&held.sentence);
    format!("held ({word}) for {age}: {changes}: {cause} ({}); decide: rosterd held {job}", held.cause.0)
}

fn told(record: &CycleRecord, chain: Option<&ChainHead>) {
    let outcome = report::outcome(record);
    let (job, cycle) = (&record.job, record.cycle);
    let requests = record.source_requests + record.target_requests;
    let chain = chain.map(tracing::field::display);
    if record.failures() > 0 {
        tracing::warn!(%job, cycle, requests, chain, "{outcome}");
    } else {
        tracing::info!(%job, cycle, requests, chain, "{outcome}");
    }
}
