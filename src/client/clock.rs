//! What time it is at the service: the local clock, corrected by the `Date` of its answers.

use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use jiff::Timestamp;

/// No answer has shown a time yet.
const UNKNOWN: i64 = i64::MIN;

/// How far the service's clock is ahead of ours. Assertions and proofs are judged by that clock (RFC 7523 section 3,
/// RFC 9449 section 11.1), so a wrong local clock would otherwise be a refused sign-in.
pub(super) struct Clock {
    /// Seconds; negative where we are ahead.
    ahead: AtomicI64,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { ahead: AtomicI64::new(UNKNOWN) }
    }
}

impl Clock {
    /// Takes over what an answer shows. `date` is cut to whole seconds and older than the moment in which the answer
    /// is here, so what follows from it is never in the service's future.
    pub(super) fn note(&self, date: Timestamp, now: Timestamp) {
        self.ahead.store(date.as_second().saturating_sub(now.as_second()), Ordering::Relaxed);
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

    #[test]
    fn before_the_first_answer_it_is_our_own_time() {
        let clock = Clock::default();
        assert_eq!(clock.at(time("2026-03-01T10:00:00Z")), time("2026-03-01T10:00:00Z"));
        assert_eq!(clock.ahead(), None);
    }

    #[test]
    fn the_services_date_corrects_a_clock_that_is_ahead_or_behind() {
        let clock = Clock::default();
        clock.note(time("2026-03-01T09:50:00Z"), time("2026-03-01T10:00:00Z"));
        assert_eq!(clock.at(time("2026-03-01T10:00:07Z")), time("2026-03-01T09:50:07Z"));
        assert_eq!(clock.ahead(), Some(-600));
        clock.note(time("2026-03-01T10:10:00Z"), time("2026-03-01T10:00:00Z"));
        assert_eq!(clock.at(time("2026-03-01T10:00:00Z")), time("2026-03-01T10:10:00Z"));
    }

    /// The service's second has begun at most a second before its answer was here.
    #[test]
    fn a_fraction_of_a_second_never_leads_into_the_future() {
        let clock = Clock::default();
        clock.note(time("2026-03-01T10:00:00Z"), time("2026-03-01T10:00:00.900Z"));
        assert!(clock.at(time("2026-03-01T10:00:00.900Z")) <= time("2026-03-01T10:00:00.900Z"));
    }
}
