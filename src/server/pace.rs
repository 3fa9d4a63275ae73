//! How fast and how wide a token may ask: a bucket of requests that fills by the second, and requests under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use super::settings::Limits;
use crate::scim::Error;

/// Tokens that were not seen for so long are forgotten: their bucket is full again.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Only so many are kept before somebody looks for forgotten ones.
const KEPT: usize = 1024;

/// All tokens; cheap to clone.
#[derive(Clone, Default)]
pub struct Pace {
    tokens: Arc<Mutex<HashMap<String, Seen>>>,
}

/// One token.
struct Seen {
    /// Requests that it may make at once.
    left: f64,
    at: Instant,
    under_way: u32,
}

/// A request under way; it ends when this is dropped.
pub struct Seat {
    pace: Pace,
    token: String,
}

/// Why a request has to wait, and how long.
#[derive(Debug, PartialEq, Eq)]
pub struct TooFast {
    pub error: Error,
    /// Whole seconds, for `Retry-After`.
    pub after: u64,
}

impl Pace {
    /// Counts a request of this token, or says when to come again.
    pub fn admit(&self, token: &str, limits: &Limits, now: Instant) -> Result<Seat, TooFast> {
        let mut tokens = self.lock();
        if tokens.len() >= KEPT && !tokens.contains_key(token) {
            tokens.retain(|_, seen| seen.under_way > 0 || now.duration_since(seen.at) < FORGOTTEN);
        }
        let full = f64::from(limits.burst.max(1));
        let seen = tokens.entry(token.to_owned()).or_insert(Seen { left: full, at: now, under_way: 0 });
        let passed = now.saturating_duration_since(seen.at).as_secs_f64();
        seen.left = (seen.left + passed * f64::from(limits.rate)).min(full);
        seen.at = now;
        if seen.under_way >= limits.concurrent {
            let detail =
                format!("more than {} requests at once (setting scim.concurrent)", limits.concurrent);
            return Err(TooFast { error: Error::new(429, detail), after: 1 });
        }
        if seen.left < 1.0 {
            let detail = format!("more than {} requests a second (setting scim.rate)", limits.rate);
            return Err(TooFast {
                error: Error::new(429, detail),
                after: seconds(1.0 - seen.left, limits.rate),
            });
        }
        seen.left -= 1.0;
        seen.under_way += 1;
        Ok(Seat { pace: self.clone(), token: token.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        // Plain numbers, each right by itself: a panic elsewhere leaves nothing half done.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the bucket takes for this much, rounded up.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn seconds(missing: f64, rate: u32) -> u64 {
    (missing / f64::from(rate.max(1))).ceil().max(1.0) as u64
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(seen) = self.pace.lock().get_mut(&self.token) {
            seen.under_way = seen.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(rate: u32, burst: u32, concurrent: u32) -> Limits {
        Limits { rate, burst, concurrent, ..Limits::default() }
    }

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_goes_through_and_then_the_rate_holds() {
        let (pace, limits, start) = (Pace::default(), limits(2, 3, 9), Instant::now());
        let asked: Vec<bool> = [0, 0, 0, 0, 400, 500, 600, 1000]
            .map(|millis| pace.admit("a", &limits, at(start, millis)).is_ok())
            .to_vec();
        assert_eq!(asked, [true, true, true, false, false, true, false, true]);
        assert!(pace.admit("b", &limits, start).is_ok(), "another token has a bucket of its own");
    }

    #[test]
    fn who_is_too_fast_is_told_the_setting_and_when_to_come_again() {
        let (pace, limits, start) = (Pace::default(), limits(1, 1, 9), Instant::now());
        let _ = pace.admit("a", &limits, start);
        let Err(refused) = pace.admit("a", &limits, start) else { panic!("the second is one too many") };
        assert_eq!(refused.error.detail, "more than 1 requests a second (setting scim.rate)");
        assert_eq!((refused.error.status, refused.after), (429, 1));
    }

    #[test]
    fn requests_under_way_are_counted_until_they_end() {
        let (pace, limits, start) = (Pace::default(), limits(100, 100, 2), Instant::now());
        let first = pace.admit("a", &limits, start);
        let second = pace.admit("a", &limits, start);
        assert!(first.is_ok() && second.is_ok());
        let Err(refused) = pace.admit("a", &limits, start) else { panic!("the third is one too many") };
        assert_eq!(refused.error.detail, "more than 2 requests at once (setting scim.concurrent)");
        drop(first);
        assert!(pace.admit("a", &limits, start).is_ok());
    }
}
