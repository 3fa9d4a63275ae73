//! The heartbeat: one beat a second from tokio-cron-scheduler, so that due times are compared with the clock.
//!
//! Only a *cron* job beats on after the process was paused (a repeated job stops for ever after two missed
//! intervals, tokio-cron-scheduler issue 113); everything else about schedules is ours.

use tokio::sync::watch;
use tokio_cron_scheduler::Job;
use tokio_cron_scheduler::JobScheduler;
use tokio_cron_scheduler::JobSchedulerError;

const EVERY_SECOND: &str = "* * * * * *";

/// Beats while it lives; the receivers see the count.
pub(super) struct Heartbeat {
    scheduler: JobScheduler,
    beats: watch::Receiver<u64>,
}

impl Heartbeat {
    pub async fn start() -> Result<Heartbeat, JobSchedulerError> {
        let (sender, beats) = watch::channel(0);
        let scheduler = JobScheduler::new().await?;
        let beat = Job::new(EVERY_SECOND, move |_, _| sender.send_modify(|count| *count += 1))?;
        scheduler.add(beat).await?;
        scheduler.start().await?;
        Ok(Heartbeat { scheduler, beats })
    }

    pub fn beats(&self) -> watch::Receiver<u64> {
        self.beats.clone()
    }

    /// Ends the beats; it waits for nothing.
    pub async fn stop(mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the heartbeat did not stop cleanly");
        }
    }
}
