//! The daemon itself: every job keeps its schedule until a signal stops it.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::watch;
use tokio_cron_scheduler::JobSchedulerError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::FollowUps;
use super::Health;
use super::Make;
use super::Schedule;
use super::Stamp;
use super::follow_ups::Courier;
use super::heartbeat::Heartbeat;
use super::keeper::Keeper;
use super::reminder::remind;
use super::retention::keep_short;
use super::systemd;
use super::worker::Worker;
use crate::client::Clock;
use crate::plan::Keep;
use crate::plan::QuarantineLimits;
use crate::store::Store;
use crate::store::StoreError;

/// A cycle stops between two changes; one that waits for an answer is left after this time. That is safe: its
/// open journal entries are settled by asking at the next start (P5), and stopping takes two seconds at most.
const GRACE: Duration = Duration::from_millis(1500);

/// A job and its rhythm.
pub struct Scheduled {
    pub name: String,
    pub schedule: Schedule,
    pub quarantine: QuarantineLimits,
    pub make: Make,
    pub stamp: Stamp,
}

/// What the daemon works with.
pub struct Daemon {
    pub jobs: Vec<Scheduled>,
    pub follow_ups: Vec<FollowUps>,
    pub store: Store,
    /// How long the provisioning log is kept.
    pub keep: Keep,
    pub health: Health,
    pub stop: CancellationToken,
    /// What schedules, pauses and follow-ups go by.
    pub clock: Clock,
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

/// Runs until SIGTERM, SIGINT, or its stop. `service` is the HTTP service, which ends by itself when stopped; that
/// it ends before is an error. Errors of a cycle are logged, kept in its record, and end nothing.
pub async fn run(
    daemon: Daemon,
    service: impl Future<Output = io::Result<()>> + Send + 'static,
) -> Result<(), DaemonError> {
    let Daemon { jobs, follow_ups, store, keep, health, stop, clock } = daemon;
    stop_on_signals(&stop)?;
    let heartbeat = Heartbeat::start().await?;
    let tasks = TaskTracker::new();
    let time = {
        let clock = clock.clone();
        move || clock.now()
    };
    for scheduled in jobs {
        let (keeper, worker) = begin(scheduled, &store, &health, &stop, &clock).await?;
        let cycle = move |now| worker.clone().cycle(now);
        tasks.spawn(keeper.keep(heartbeat.beats(), stop.clone(), time.clone(), cycle));
    }
    for workspace in follow_ups {
        let courier = Courier::new(workspace, store.clone(), health.clone());
        tasks.spawn(courier.attend(heartbeat.beats(), stop.clone(), time.clone()));
    }
    tasks.spawn(remind(store.clone(), heartbeat.beats(), stop.clone(), time.clone()));
    tasks.spawn(keep_short(store.clone(), keep, heartbeat.beats(), stop.clone(), time.clone()));
    tasks.spawn(feel(heartbeat.beats(), health.clone(), stop.clone()));
    tasks.spawn(systemd::attend(heartbeat.beats(), stop.clone()));
    let ended = serve(service, &stop).await;
    stop.cancel();
    health.stopping();
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

/// Each beat is a sign of life.
async fn feel(mut beats: watch::Receiver<u64>, health: Health, stop: CancellationToken) {
    while let Some(Ok(())) = stop.run_until_cancelled(beats.changed()).await {
        health.beat();
    }
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

async fn begin(
    scheduled: Scheduled,
    store: &Store,
    health: &Health,
    stop: &CancellationToken,
    clock: &Clock,
) -> Result<(Keeper, Arc<Worker>), DaemonError> {
    let (name, schedule) = (scheduled.name.clone(), scheduled.schedule.clone());
    let last = store.last_start(&name).await?.and_then(|second| Timestamp::from_second(second).ok());
    tracing::info!(job = %name, %schedule, "keeping the schedule");
    let keeper = Keeper { job: name, schedule, last };
    let worker = Worker::new(scheduled, store.clone(), health.clone(), stop.clone(), clock.clone());
    worker.prepare();
    Ok((keeper, Arc::new(worker)))
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
