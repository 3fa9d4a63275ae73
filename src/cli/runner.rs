//! Runs one cycle, or the dry half of it, for a command: with the clock, a progress line, and Ctrl-C as the stop.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio_util::sync::CancellationToken;

use super::progress::Watch;
use crate::client::Clock;
use crate::cycle;
use crate::cycle::Applying;
use crate::cycle::CycleError;
use crate::cycle::How;
use crate::cycle::Job;
use crate::cycle::Passing;
use crate::cycle::Planned;
use crate::cycle::Progress;
use crate::cycle::Provisioned;
use crate::cycle::Rebuilding;
use crate::cycle::Rebuilt;
use crate::cycle::Saved;
use crate::cycle::TakenOver;
use crate::cycle::Tenant;
use crate::cycle::Undo;
use crate::cycle::UndoneCycle;
use crate::cycle::Wish;
use crate::daemon::watch_pause;
use crate::model::Reading;
use crate::plan::CycleRecord;
use crate::store::Store;

/// How much a command asks to be read; nothing of it is what the schedule would read.
#[derive(Clone, Copy, Default)]
pub struct Asked {
    /// Everything anew, instead of what changed.
    pub full: bool,
    /// Everything anew after what changed.
    pub verify: bool,
}

pub async fn plan(job: &Job, store: &Store, asked: Asked) -> Result<Planned, CycleError> {
    let line = Watch::new(&job.name);
    let watch = |progress: Progress| line.show(&progress);
    cycle::plan(job, store, how(asked, &watch, &stop())).await
}

pub async fn rehearse(today: &Job, edited: &Job, store: &Store) -> Result<Option<Planned>, CycleError> {
    let line = Watch::new(&today.name);
    let watch = |progress: Progress| line.show(&progress);
    cycle::rehearse(today, edited, store, how(Asked::default(), &watch, &stop())).await
}

pub async fn sync(job: &Job, store: &Store, asked: Asked) -> Result<CycleRecord, CycleError> {
    let line = Watch::new(&job.name);
    let watch = |progress: Progress| line.show(&progress);
    let stop = stop().child_token();
    let pause = watch_pause(store.clone(), job.name.clone(), Clock::system(), stop.clone());
    let pause = tokio::spawn(pause);
    let record = cycle::run(job, store, how(asked, &watch, &stop)).await;
    pause.abort();
    record
}

pub async fn apply(job: &Job, store: &Store, saved: &Saved) -> Result<(CycleRecord, Applying), CycleError> {
    let line = Watch::new(&job.name);
    let watch = |progress: Progress| line.show(&progress);
    cycle::apply(job, store, how(Asked::default(), &watch, &stop()), saved).await
}

pub async fn provision(job: &Job, store: &Store, wish: Wish<'_>) -> Result<Provisioned, CycleError> {
    let line = Watch::new(&job.name);
    let watch = |progress: Progress| line.show(&progress);
    cycle::provision(job, store, how(Asked::default(), &watch, &stop()), wish).await
}

pub async fn plan_undo(job: &Job, store: &Store, wish: &Undo) -> Result<UndoneCycle, CycleError> {
    let line = Watch::new(&job.name);
    let watch = |progress: Progress| line.show(&progress);
    cycle::plan_undo(job, store, how(Asked::default(), &watch, &stop()), wish).await
}

pub async fn undo(job: &Job, store: &Store, wish: &Undo) -> Result<UndoneCycle, CycleError> {
    let line = Watch::new(&job.name);
    let watch = |progress: Progress| line.show(&progress);
    cycle::undo(job, store, how(Asked::default(), &watch, &stop()), wish).await
}

pub async fn take_over(
    over: impl Fn(&Store) -> Passing,
    store: &Store,
    tenant: Tenant<'_>,
    job: &str,
) -> Result<TakenOver, CycleError> {
    let line = Watch::new(job);
    let watch = |progress: Progress| line.show(&progress);
    cycle::take_over(over, store, how(Asked::default(), &watch, &stop()), tenant).await
}

pub async fn rebuild(job: &Job, store: &Store, wish: Rebuilding<'_>) -> Result<Rebuilt, CycleError> {
    let line = Watch::new(&job.name);
    let watch = |progress: Progress| line.show(&progress);
    cycle::rebuild(job, store, how(Asked::default(), &watch, &stop()), wish).await
}

fn how<'a>(
    asked: Asked,
    watch: &'a (dyn Fn(Progress) + Send + Sync),
    stop: &'a CancellationToken,
) -> How<'a> {
    let reading = if asked.full { Reading::Full } else { Reading::Incremental };
    How { reading, verify: asked.verify, now: Timestamp::now(), clock: &Timestamp::now, watch, stop }
}

/// A cycle stops between two changes; one that waits for an answer is left after this time, which is safe (P5).
const GRACE: Duration = Duration::from_millis(1500);

/// Whether somebody asked to stop: what is left of the command is not begun.
pub fn is_stopping() -> bool {
    stop().is_cancelled()
}

/// One stop for the whole command, however many cycles it runs.
fn stop() -> CancellationToken {
    static STOP: OnceLock<CancellationToken> = OnceLock::new();
    let listening = || {
        let stop = CancellationToken::new();
        // Without signals Ctrl-C ends the process at once, which is safe as well (P5).
        if let Ok(signals) = Signals::new() {
            tokio::spawn(signals.attend(stop.clone()));
        }
        stop
    };
    STOP.get_or_init(listening).clone()
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Signals { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// The first Ctrl-C (or SIGTERM) stops between two changes. It is told; a second one ends the process.
    async fn attend(mut self, stop: CancellationToken) {
        self.next().await;
        tracing::warn!("stopping between two changes; once more ends at once");
        stop.cancel();
        let Ok(code) = tokio::time::timeout(GRACE, self.next()).await else {
            tracing::warn!(
                "no answer in time: the change that is under way is settled by asking in the next cycle"
            );
            std::process::exit(1);
        };
        std::process::exit(code);
    }

    /// The exit code of a process that this signal ended.
    async fn next(&mut self) -> i32 {
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        };
        128 + kind.as_raw_value()
    }
}
