//! What time it is at the service: the local clock, corrected by the `Date` of its answers.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use tokio::time::Instant;

use super::Clock;

/// No answer has shown a time yet.
const UNKNOWN: i64 = i64::MIN;
/// What an answer showed is carried on for so long: a machine that sleeps does not count the time meanwhile.
const CARRIED_ON: Duration = Duration::from_secs(3_600);

/// How far the service's clock is ahead of ours. Assertions and proofs are judged by that clock (RFC 7523 section 3,
/// RFC 9449 section 11.1), so a wrong local clock would otherwise be a refused sign-in.
pub(super) struct ServiceTime {
    /// Seconds; negative where we are ahead.
    ahead: AtomicI64,
    /// What the newest answer showed, and when it came.
    shown: Mutex<Option<(Timestamp, Instant)>>,
}

impl Default for ServiceTime {
    fn default() -> ServiceTime {
        ServiceTime { ahead: AtomicI64::new(UNKNOWN), shown: Mutex::default() }
    }
}

impl ServiceTime {
    /// Takes over what an answer shows. `date` is cut to whole seconds and older than the moment in which the answer
    /// is here, so what follows from it is never in the service's future.
    pub(super) fn note(&self, date: Timestamp, clock: &Clock) {
        self.ahead.store(date.as_second().saturating_sub(clock.now().as_second()), Ordering::Relaxed);
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, clock.instant()));
    }

    /// The service's own time, whatever ours is: what its newest answer showed, carried on. `None` where none is new.
    pub(super) fn own(&self, clock: &Clock) -> Option<Timestamp> {
        let (date, received) = (*self.shown.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = clock.instant().saturating_duration_since(received);
        (since <= CARRIED_ON).then(|| date.saturating_add(since).unwrap_or(date))
    }

    /// The service's time, as far as it is known.
    pub(super) fn at(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(SignedDuration::from_secs(self.ahead().unwrap_or_default())).unwrap_or(now)
    }

    /// Seconds that the service is ahead of us; `None` before its first answer.
    pub(super) fn ahead(&self) -> Option<i64> {
        Some(self.ahead.load(Ordering::Relaxed)).filter(|seconds| *seconds != UNKNOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Clock {
        Clock::played(time(text))
    }

    #[test]
    fn before_the_first_answer_it_is_our_own_time() {
        let service = ServiceTime::default();
        assert_eq!(service.at(time("2026-03-01T10:00:00Z")), time("2026-03-01T10:00:00Z"));
        assert_eq!((service.ahead(), service.own(&Clock::system())), (None, None));
    }

    #[test]
    fn the_services_date_corrects_a_clock_that_is_ahead_or_behind() {
        let service = ServiceTime::default();
        service.note(time("2026-03-01T09:50:00Z"), &at("2026-03-01T10:00:00Z"));
        assert_eq!(service.at(time("2026-03-01T10:00:07Z")), time("2026-03-01T09:50:07Z"));
        assert_eq!(service.ahead(), Some(-600));
        service.note(time("2026-03-01T10:10:00Z"), &at("2026-03-01T10:00:00Z"));
        assert_eq!(service.at(time("2026-03-01T10:00:00Z")), time("2026-03-01T10:10:00Z"));
    }

    /// The service's second has begun at most a second before its answer was here.
    #[test]
    fn a_fraction_of_a_second_never_leads_into_the_future() {
        let service = ServiceTime::default();
        service.note(time("2026-03-01T10:00:00Z"), &at("2026-03-01T10:00:00.900Z"));
        assert!(service.at(time("2026-03-01T10:00:00.900Z")) <= time("2026-03-01T10:00:00.900Z"));
    }

    /// P17: a clock of ours that is set afterwards changes nothing of what the service showed.
    #[tokio::test]
    async fn its_own_time_goes_on_from_the_newest_answer_and_is_forgotten_after_an_hour() {
        let (service, clock) = (ServiceTime::default(), at("2036-01-01T00:00:00Z"));
        service.note(time("2026-03-01T10:00:00Z"), &clock);
        clock.sleep(Duration::from_secs(600)).await;
        assert_eq!(service.own(&clock), Some(time("2026-03-01T10:10:00Z")));
        clock.sleep(Duration::from_secs(3_001)).await;
        assert_eq!(service.own(&clock), None);
    }
}
