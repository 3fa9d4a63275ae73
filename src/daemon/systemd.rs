//! What systemd is told: ready, alive, stopping. Without systemd these are no-ops.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Says ready at the first beat, then feeds the watchdog while the heartbeat beats, until stopped.
pub(super) async fn attend(mut beats: watch::Receiver<u64>, stop: CancellationToken) {
    if stop.run_until_cancelled(beats.changed()).await.is_none() {
        return;
    }
    tell(&[NotifyState::Ready, NotifyState::Status("keeping the schedule")]);
    match sd_notify::watchdog_enabled() {
        Some(limit) => feed(&mut beats, &stop, limit / 2).await,
        None => stop.cancelled().await,
    }
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping between two changes")]);
}

/// No beat since the last look means that the schedule stands still: then systemd should act.
async fn feed(beats: &mut watch::Receiver<u64>, stop: &CancellationToken, every: Duration) {
    let mut look = tokio::time::interval(every);
    beats.mark_changed();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => {
                if beats.has_changed().unwrap_or(false) {
                    beats.mark_unchanged();
                    tell(&[NotifyState::Watchdog]);
                }
            }
        }
    }
}

fn tell(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
