//! The daemon itself: every job keeps its schedule until a signal stops it.

use std::future::Future;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio_cron_scheduler::JobSchedulerError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Schedule;
use super::heartbeat::Heartbeat;
use super::keeper::Keeper;
use super::systemd;
use crate::cycle;
use crate::cycle::CycleError;
use crate::cycle::How;
use crate::cycle::Job;
use crate::model::Reading;
use crate::plan::CycleRecord;
use crate::report;
use crate::store::Store;
use crate::store::StoreError;

/// A cycle stops between two changes; one that waits for an answer is left after this time. That is safe: its
/// open journal entries are settled by asking at the next start (P5), and stopping takes two seconds at most.
const GRACE: Duration = Duration::from_millis(1500);

/// A job and its rhythm.
pub struct Scheduled {
    pub job: Job,
    pub schedule: Schedule,
}

/// Why the daemon could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error("the heartbeat could not start")]
    Heartbeat(#[from] JobSchedulerError),
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    #[error("the HTTP service ended; look at daemon.listen")]
    Service(#[source] io::Error),
    #[error("the state cannot be used")]
    Store(#[from] StoreError),
}

/// Runs until SIGTERM, SIGINT, or `stop`. `service` is the HTTP service, which ends by itself when stopped; that
/// it ends before is an error. Errors of a cycle are logged, kept in its record, and end nothing.
pub async fn run(
    jobs: Vec<Scheduled>,
    store: Store,
    service: impl Future<Output = io::Result<()>> + Send + 'static,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    stop_on_signals(&stop)?;
    let heartbeat = Heartbeat::start().await?;
    let tasks = TaskTracker::new();
    for scheduled in jobs {
        let keeping = keep(scheduled, store.clone(), &heartbeat, stop.clone()).await?;
        tasks.spawn(keeping);
    }
    tasks.spawn(systemd::attend(heartbeat.beats(), stop.clone()));
    let ended = serve(service, &stop).await;
    stop.cancel();
    tasks.close();
    if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
        tracing::warn!(
            "a cycle did not stop in time and is left; its open changes are settled at the next start"
        );
    }
    heartbeat.stop().await;
    tracing::info!("stopped");
    ended
}

async fn serve(
    service: impl Future<Output = io::Result<()>> + Send + 'static,
    stop: &CancellationToken,
) -> Result<(), DaemonError> {
    let mut service = tokio::spawn(service);
    tokio::select! {
        () = stop.cancelled() => {}
        ended = &mut service => {
            let ended = ended.unwrap_or_else(|panic| Err(io::Error::other(panic)));
            return ended
                .and_then(|()| if stop.is_cancelled() { Ok(()) } else { Err(io::Error::other("nobody stopped it")) })
                .map_err(DaemonError::Service);
        }
    }
    // It has the same grace as the cycles.
    let _ = tokio::time::timeout(GRACE, service).await;
    Ok(())
}

async fn keep(
    scheduled: Scheduled,
    store: Store,
    heartbeat: &Heartbeat,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, DaemonError> {
    let Scheduled { job, schedule } = scheduled;
    let last = store.last_start(&job.name).await?.and_then(|second| Timestamp::from_second(second).ok());
    tracing::info!(job = %job.name, %schedule, "keeping the schedule");
    let keeper = Keeper { job: job.name.clone(), schedule, last };
    let stopped = stop.clone();
    let cycle = move |now| one(job.clone(), store.clone(), now, stopped.clone());
    Ok(keeper.keep(heartbeat.beats(), stop, Timestamp::now, cycle))
}

/// One cycle, whose result goes into the log: ids and counts, no values (P11).
async fn one(job: Job, store: Store, now: Timestamp, stop: CancellationToken) {
    let watch = |progress| tracing::debug!(job = %job.name, ?progress, "at work");
    let how = How { reading: Reading::Incremental, now, clock: &Timestamp::now, watch: &watch, stop: &stop };
    match cycle::run(&job, &store, how).await {
        Ok(record) => told(&record),
        Err(CycleError::Stopped { job }) => tracing::info!(%job, "stopped between two changes"),
        Err(error) => tracing::error!(job = %job.name, error = %chain(&error), "the cycle could not go on"),
    }
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

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// SIGTERM and SIGINT cancel the token.
pub fn stop_on_signals(stop: &CancellationToken) -> Result<(), DaemonError> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut received = signal(kind).map_err(DaemonError::Signals)?;
        let stop = stop.clone();
        tokio::spawn(async move {
            if received.recv().await.is_some() {
                tracing::info!("a signal asks to stop");
                stop.cancel();
            }
        });
    }
    Ok(())
}
