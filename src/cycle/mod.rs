//! One cycle of a job: read, decide, write. A dry run is stopping early, on a private copy of the state.

mod anchors;
mod apply;
mod choose;
mod comeback;
mod decide;
mod discover;
mod drift;
mod environment;
mod explain;
mod explain_at;
mod failure;
mod identity;
mod judge;
mod landed;
mod learn;
mod lint;
mod matching;
mod members;
mod passing;
mod person;
mod proposals;
mod provision;
mod quarantine;
mod read;
mod rebuild;
mod references;
mod rehearse;
mod retire;
mod settle;
mod step;
mod steps;
mod stream;
mod takeover;
mod undo;
mod unique;
mod witness;
mod write;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub use apply::Applying;
pub use apply::Moved;
pub use apply::Saved;
pub use explain::explain;
pub use explain_at::explain_at;
pub use learn::check_target;
pub use lint::lint;
pub use passing::Named;
pub use passing::Unsure;
pub use provision::Provisioned;
pub use provision::Wish;
pub use provision::provision;
pub use quarantine::note_probe;
pub use quarantine::note_unmade;
pub use quarantine::probe;
pub use rebuild::Former;
pub use rebuild::Proposed;
pub use rebuild::Rebuilding;
pub use rebuild::Rebuilt;
pub use rebuild::rebuild;
pub use rehearse::rehearse;
use step::Run;
pub use stream::Planned;
pub use stream::Standing;
pub use stream::standing;
pub use takeover::Passing;
pub use takeover::TakenOver;
pub use takeover::Tenant;
pub use takeover::take_over;
pub use undo::Undo;
pub use undo::UndoneCycle;
pub use undo::plan_undo;
pub use undo::undo;

use crate::model::Reading;
use crate::plan::CycleRecord;
use crate::plan::DriftRules;
use crate::plan::Limits;
use crate::plan::Mode;
use crate::plan::Rules;
use crate::sources::Source;
use crate::sources::SourceError;
use crate::store::JobState;
use crate::store::LeftOver;
use crate::store::Store;
use crate::store::StoreError;
use crate::targets::ServiceProvider;
use crate::targets::TargetError;

/// A job, ready to run.
#[derive(Clone)]
pub struct Job {
    pub name: String,
    pub source: Arc<dyn Source>,
    pub target: Arc<dyn ServiceProvider>,
    pub rules: Rules,
    pub limits: Limits,
    /// The version of the program: what another one decides otherwise is the upgrade's doing (P13).
    pub program: String,
    /// Everybody may leave at once.
    pub allow_empty: bool,
    /// How often what is held is announced again.
    pub remind: Duration,
    /// How long after a full reading everything is read anew, behind the changes, to see what those had missed,
    /// and how long after the target was compared with what it accepted it is compared again. `None`: only when somebody
    /// asks for it.
    pub verify: Option<Duration>,
    /// What is done about what somebody else did in the target.
    pub drift: DriftRules,
    /// The most that the settings let it do; what it does is what `enable` allowed, if that is less.
    pub ceiling: Mode,
}

impl Job {
    /// What the job may do now.
    pub fn mode(&self, state: &JobState) -> Mode {
        self.ceiling.min(state.mode)
    }

    /// What of it is needed to show what is pending.
    pub fn standing(&self) -> Standing<'_> {
        Standing { job: &self.name, rules: &self.rules, ceiling: self.ceiling }
    }
}

/// How a cycle is run. Time is an argument: nothing below asks a clock.
#[derive(Clone, Copy)]
pub struct How<'a> {
    pub reading: Reading,
    /// Everything is read anew after the changes, whether it is due or not.
    pub verify: bool,
    /// The time that the cycle decides with.
    pub now: Timestamp,
    /// What the cycle waits by, and what tells how long it took.
    pub clock: &'a dyn Time,
    pub watch: &'a (dyn Fn(Progress) + Send + Sync),
    pub stop: &'a CancellationToken,
}

/// The clock that somebody gave the cycle, with its sleep, so that whoever plays time plays the waits as well.
pub trait Time: Send + Sync {
    fn now(&self) -> Timestamp;

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()>;
}

/// What only tells the time lets waits last as long as they are.
impl<F: Fn() -> Timestamp + Send + Sync> Time for F {
    fn now(&self) -> Timestamp {
        self()
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        tokio::time::sleep(wait).boxed()
    }
}

/// What a progress bar shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A run that was broken off may have sent something that is still on its way: so long nothing is asked.
    Outwaiting { seconds: u64 },
    /// So many records of a read have arrived.
    Reading { read: String, records: u64 },
    /// So many links have been decided.
    Deciding { links: u64 },
    /// So many changes have been looked at by limits and matching.
    Judging { changes: u64 },
    /// So many changes of so many have been written.
    Writing { done: u64, of: u64 },
}

/// Why a cycle could not go on. What was done before stands; the next cycle continues.
#[derive(Debug, thiserror::Error)]
pub enum CycleError {
    #[error("job {job}: the source could not be read")]
    Source {
        job: String,
        #[source]
        source: SourceError,
    },
    #[error("job {job}: the target cannot be used")]
    Target {
        job: String,
        #[source]
        source: TargetError,
    },
    /// Somebody else runs this job, or another one into the same target.
    #[error("job {job}: not begun")]
    Busy {
        job: String,
        #[source]
        source: StoreError,
    },
    #[error("job {job}: the state cannot be used")]
    Store {
        job: String,
        #[source]
        source: StoreError,
    },
    /// The source is not the one of the first cycle (P15).
    #[error(
        "job {job}: its {side} was `{was}` and is `{is}` now; nothing was read or written. If the change is meant: {cure}; \
         if not, put the settings back"
    )]
    Identity { job: String, side: &'static str, was: String, is: String, cure: String },
    /// What a command asks for cannot be done as it is.
    #[error("job {job}: {what}")]
    Provision { job: String, what: String },
    /// Nothing can be undone, or not in this job.
    #[error("job {job}: {what}")]
    Undo { job: String, what: String },
    #[error("job {job}: stopped between two changes; the next cycle goes on from here")]
    Stopped { job: String },
    /// A person lets it rest.
    #[error("job {job}: paused by {by}; begin again with `rosterd resume {job}`")]
    Paused { job: String, by: String },
}

/// What would be done, without doing it: the state, the source and the target stay as they are (P3).
pub async fn plan(job: &Job, store: &Store, how: How<'_>) -> Result<Planned, CycleError> {
    let on = Run { job, how };
    let copy = store.private_copy().await.map_err(on.store())?;
    learn::recall(store, &*job.target, how.now).await.map_err(on.store())?;
    let state = copy.job(&job.name).await.map_err(on.store())?;
    let cycle = copy.start_cycle(state.id, how.now.as_second()).await.map_err(on.store())?;
    // A first plan, and one that reads everything, says who is there already as well.
    let looks = how.reading == Reading::Full || state.rules.is_none();
    let mut planned = on.prepare(&copy, &state, cycle).await?.planned;
    if looks && !on.has_other_target(&state) {
        planned.header.discovery = Some(discover::discover(&on, &copy, &state).await?);
    }
    planned.header.findings =
        lint::look(&copy, state.id, &job.rules, job.target.demands()).await.map_err(on.store())?;
    Ok(planned)
}

/// One cycle. The record is kept whatever happens; the error is returned as well.
pub async fn run(job: &Job, store: &Store, how: How<'_>) -> Result<CycleRecord, CycleError> {
    cycle(job, store, how, None).await.map(|(record, _)| record)
}

/// One cycle that writes nothing but what a saved plan shows and what still holds of it (P8).
pub async fn apply(
    job: &Job,
    store: &Store,
    how: How<'_>,
    saved: &Saved,
) -> Result<(CycleRecord, Applying), CycleError> {
    cycle(job, store, how, Some(saved)).await
}

async fn cycle(
    job: &Job,
    store: &Store,
    how: How<'_>,
    saved: Option<&Saved>,
) -> Result<(CycleRecord, Applying), CycleError> {
    let on = Run { job, how };
    let leases = [format!("job {}", job.name), format!("target {}", job.target.identity())];
    let _lease = store.lease(&leases).map_err(on.store())?;
    let state = store.job(&job.name).await.map_err(on.store())?;
    on.not_paused(&state)?;
    let cycle = store.start_cycle(state.id, how.now.as_second()).await.map_err(on.store())?;
    let mut record = CycleRecord {
        job: job.name.clone(),
        cycle: cycle.0,
        started_second: how.now.as_second(),
        mode: job.mode(&state),
        full: how.reading == Reading::Full,
        ..CycleRecord::default()
    };
    learn::recall(store, &*job.target, how.now).await.map_err(on.store())?;
    let (source_before, target_before) = (job.source.requests(), job.target.requests());
    let mut applying = Applying::default();
    let result = on.carry_out(store, &state, cycle, &mut record, saved, &mut applying).await;
    let result = result.and(learn::keep(store, &*job.target, how.now).await.map_err(on.store()));
    // What stands is told of a cycle that ended early too: nobody should read "0 held" for a source that is down.
    let left = store.left_over(state.id, how.now.as_second()).await.map_err(on.store());
    let result = result.and(left.map(|left| note_left(&mut record, left)));
    let noted = store.note_held(state.id, how.now.as_second()).await.map_err(on.store());
    let result = result.and(noted);
    record.source_requests = job.source.requests() - source_before;
    record.target_requests = job.target.requests() - target_before;
    let slowed = quarantine::note(&on, store, &state, &record, &result).await.map_err(on.store());
    let result = on.told_of_pause(store, result).await.and(slowed.map(|slowed| record.quarantine = slowed));
    record.ended_second = how.clock.now().as_second();
    record.error = result.as_ref().err().map(|error| chain(error));
    // The first error is the one to tell: on a full disk all that comes after it fails as well.
    let ended = store.end_cycle(cycle, record.ended_second, kept(&record)).await.map_err(on.store());
    result.and(ended).map(|()| (record, applying))
}

/// Keeps the record of a cycle that could not begin, or that broke down before it could keep its own: a job that
/// fails is seen in `status` whatever fails it.
pub async fn record_failure(
    store: &Store,
    job: &str,
    now: Timestamp,
    error: String,
) -> Result<(), StoreError> {
    let state = store.job(job).await?;
    let started_second = now.as_second();
    let newest = store.cycles(Some(job.to_owned()), 1).await?.into_iter().next();
    let broken = newest.filter(|row| row.ended_second.is_none() && row.started_second == started_second);
    let cycle = match broken {
        Some(row) => row.id,
        None => store.start_cycle(state.id, started_second).await?,
    };
    let mut record = CycleRecord {
        job: job.to_owned(),
        cycle: cycle.0,
        started_second,
        ended_second: started_second,
        mode: state.mode,
        error: Some(error),
        ..CycleRecord::default()
    };
    note_left(&mut record, store.left_over(state.id, started_second).await?);
    store.end_cycle(cycle, started_second, kept(&record)).await
}

fn kept(record: &CycleRecord) -> String {
    serde_json::to_string(record).expect("a record is plain values with text keys")
}

fn note_left(record: &mut CycleRecord, left: LeftOver) {
    record.held = left.held;
    record.waiting = left.waiting;
    record.escrow = left.escrow;
    record.active = left.active;
}

/// An error with its causes, on one line: for records and logs.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
