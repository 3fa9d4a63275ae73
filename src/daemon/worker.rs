//! One job's cycles: the job is made, its cycle is run, and whatever goes wrong is kept and told, and ends nothing.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Health;
use super::health::Trouble;
use crate::cycle;
use crate::cycle::CycleError;
use crate::cycle::How;
use crate::cycle::Job;
use crate::model::Reading;
use crate::plan::CycleRecord;
use crate::report;
use crate::store::HeldCause;
use crate::store::Store;
use crate::store::StoreError;

/// Makes a job of its settings: secrets and files are read, nothing is sent.
pub type Make = Arc<dyn Fn() -> Result<Job, MakeError> + Send + Sync>;
pub type MakeError = Box<dyn std::error::Error + Send + Sync>;

pub(super) struct Worker {
    pub name: String,
    pub make: Make,
    pub store: Store,
    pub health: Health,
    pub stop: CancellationToken,
    /// Kept from cycle to cycle with its sign-in. After a failure it is made anew: a secret may have been replaced.
    pub made: Mutex<Option<Job>>,
}

impl Worker {
    /// Tells at the start what cannot run, not only when it is due.
    pub fn prepare(&self) {
        match self.job() {
            Ok(_) => self.health.note(&self.name, None),
            Err(error) => self.cannot_run(&error),
        }
    }

    /// One cycle, whose result goes into the log: ids and counts, no values (P11).
    pub async fn cycle(self: Arc<Self>, now: Timestamp) {
        let job = match self.job() {
            Ok(job) => job,
            Err(error) => {
                self.cannot_run(&error);
                return self.keep_failure(now, cycle::chain(error.as_ref())).await;
            }
        };
        // In a task of its own, so that a panic ends this cycle and nothing else.
        let remind = job.remind;
        let running = tokio::spawn(one(job, self.store.clone(), now, self.stop.clone()));
        let ended = running.await;
        if let Err(error) = announce(&self.store, &self.name, now, remind).await {
            tracing::error!(job = %self.name, error = %cycle::chain(&error), "what is held could not be announced");
        }
        match ended {
            Ok(Ok(record)) => {
                // Only now: while it is tried again, the trouble is not over.
                self.health.note(&self.name, None);
                told(&record);
            }
            Ok(Err(CycleError::Stopped { job })) => tracing::info!(%job, "stopped between two changes"),
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
    }

    fn job(&self) -> Result<Job, MakeError> {
        let mut made = self.lock();
        if let Some(job) = made.as_ref() {
            return Ok(job.clone());
        }
        let job = (self.make)()?;
        Ok(made.insert(job).clone())
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

    fn lock(&self) -> MutexGuard<'_, Option<Job>> {
        // Set in one step: a panic elsewhere leaves nothing half done.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn one(
    job: Job,
    store: Store,
    now: Timestamp,
    stop: CancellationToken,
) -> Result<CycleRecord, CycleError> {
    let watch = |progress| tracing::debug!(job = %job.name, ?progress, "at work");
    let how = How {
        reading: Reading::Incremental,
        verify: false,
        now,
        clock: &Timestamp::now,
        watch: &watch,
        stop: &stop,
    };
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
    for line in &lines {
        tracing::warn!(%job, "{line}");
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

fn told(record: &CycleRecord) {
    let outcome = report::outcome(record);
    let (job, cycle) = (&record.job, record.cycle);
    let requests = record.source_requests + record.target_requests;
    if record.failures() > 0 {
        tracing::warn!(%job, cycle, requests, "{outcome}");
    } else {
        tracing::info!(%job, cycle, requests, "{outcome}");
    }
}
