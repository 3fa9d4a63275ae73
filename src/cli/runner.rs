//! Runs one cycle, or the dry half of it, for a command: with the clock, a progress line, and Ctrl-C as the stop.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::progress::Watch;
use crate::cycle;
use crate::cycle::CycleError;
use crate::cycle::How;
use crate::cycle::Job;
use crate::cycle::Planned;
use crate::model::Reading;
use crate::plan::CycleRecord;
use crate::store::Store;

pub fn reading(full: bool) -> Reading {
    if full { Reading::Full } else { Reading::Incremental }
}

pub async fn plan(job: &Job, store: &Store, reading: Reading) -> Result<Planned, CycleError> {
    let line = Watch::new(&job.name);
    let watch = |progress| line.show(&progress);
    let stop = stop_on_signal();
    cycle::plan(
        job,
        store,
        How { reading, now: Timestamp::now(), clock: &Timestamp::now, watch: &watch, stop: &stop },
    )
    .await
}

pub async fn sync(job: &Job, store: &Store, reading: Reading) -> Result<CycleRecord, CycleError> {
    let line = Watch::new(&job.name);
    let watch = |progress| line.show(&progress);
    let stop = stop_on_signal();
    cycle::run(
        job,
        store,
        How { reading, now: Timestamp::now(), clock: &Timestamp::now, watch: &watch, stop: &stop },
    )
    .await
}

/// The first Ctrl-C stops between two changes. It is told; a second one ends the process, as ever.
fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            tracing::warn!("stopping between two changes; once more ends at once");
            told.cancel();
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    stop
}
