//! The one clock: the time, and the waiting by it. Whoever waits for minutes or days waits by a clock that he was given,
//! so that a test, or a rehearsal, can play weeks in a second.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Cheap to clone; all clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Kind);

#[derive(Clone, Debug, Default)]
enum Kind {
    /// The system's: it can be set, and jump.
    #[default]
    System,
    /// It stands still but for those who wait: each wait moves it on and is over at once.
    Played { from: Timestamp, begun: Instant, passed: Arc<Mutex<Duration>> },
    /// So many seconds pass in one of the system's, for all who wait.
    Hurried { from: Timestamp, begun: Instant, speed: u32 },
}

impl Clock {
    pub fn system() -> Clock {
        Clock::default()
    }

    /// Shows this time until somebody waits. For one who waits at a time: two who wait side by side would both move it.
    pub fn played(from: Timestamp) -> Clock {
        Clock(Kind::Played { from, begun: Instant::now(), passed: Arc::default() })
    }

    /// Shows this time, and runs so many times as fast as the system's.
    pub fn hurried(from: Timestamp, speed: u32) -> Clock {
        Clock(Kind::Hurried { from, begun: Instant::now(), speed: speed.max(1) })
    }

    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::Hurried { from, begun, speed } => later(*from, begun.elapsed().saturating_mul(*speed)),
            Kind::System => Timestamp::now(),
            Kind::Played { from, passed, .. } => later(*from, *locked(passed)),
        }
    }

    /// A time that nobody can set: it only goes on.
    pub fn instant(&self) -> Instant {
        match &self.0 {
            Kind::System => Instant::now(),
            Kind::Hurried { begun, speed, .. } => *begun + begun.elapsed().saturating_mul(*speed),
            Kind::Played { begun, passed, .. } => *begun + *locked(passed),
        }
    }

    pub async fn sleep(&self, wait: Duration) {
        match &self.0 {
            Kind::System => tokio::time::sleep(wait).await,
            Kind::Hurried { speed, .. } => tokio::time::sleep(wait / *speed).await,
            Kind::Played { passed, .. } => {
                *locked(passed) += wait;
                // Others come to their turn, as in a real wait.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Waits until then; not at all where it has passed.
    pub async fn sleep_until(&self, then: Timestamp) {
        let left = Duration::try_from(then.duration_since(self.now())).unwrap_or_default();
        if !left.is_zero() {
            self.sleep(left).await;
        }
    }
}

fn locked(passed: &Mutex<Duration>) -> MutexGuard<'_, Duration> {
    // Set in one step: a panic elsewhere leaves nothing half done.
    passed.lock().unwrap_or_else(PoisonError::into_inner)
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_played_clock_moves_by_waiting_alone() {
        let clock = Clock::played(time("2026-03-01T10:00:00Z"));
        let other = clock.clone();
        clock.sleep(Duration::from_secs(28 * 86_400)).await;
        assert_eq!(other.now(), time("2026-03-29T10:00:00Z"));
        other.sleep_until(time("2026-03-30T00:00:00Z")).await;
        other.sleep_until(time("2026-03-01T00:00:00Z")).await;
        assert_eq!(clock.now(), time("2026-03-30T00:00:00Z"), "it does not go back");
    }
}
