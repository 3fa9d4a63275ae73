//! How long to wait before a repeat: what the service asks for, else a doubling wait with jitter.

use std::time::Duration;

use http::HeaderMap;
use http::header;
use jiff::Timestamp;

use super::Answer;

/// Waits shorter than this only make a throttled service busier.
const SHORTEST_ASKED: Duration = Duration::from_secs(1);
/// The longest wait of our own; beyond it the next cycle is the better repeat.
const LONGEST_OWN: Duration = Duration::from_secs(120);

/// The doubling wait.
#[derive(Clone, Copy)]
pub(super) struct Backoff {
    pub(super) first: Duration,
    /// The longest wait that a service may ask for.
    pub(super) longest: Duration,
}

impl Backoff {
    /// `first` · 2ⁿ after the n-th attempt, one doubling more for 429 (2, 4, 8 s …), plus up to 20 % jitter.
    pub(super) fn after(&self, status: u16, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1) + u32::from(status == 429);
        let wait = self.first.saturating_mul(2_u32.saturating_pow(doublings));
        with_jitter(wait.min(LONGEST_OWN), random()).min(self.longest)
    }
}

/// What the answer asks for, where it does: `Retry-After` in (decimal) seconds or as a date, or on 429
/// `x-rate-limit-reset` in epoch seconds by the server's own clock. `now` is used where the server shows no clock.
pub(super) fn asked(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let clock = answer.date().unwrap_or(now);
    let asked = match (answer.header("retry-after"), answer.header("x-rate-limit-reset")) {
        (Some(text), _) => retry_after(text, clock),
        (None, Some(text)) if answer.status == 429 => reset(text, clock),
        _ => None,
    };
    asked.map(|wait| wait.max(SHORTEST_ASKED))
}

fn retry_after(text: &str, clock: Timestamp) -> Option<Duration> {
    match text.trim().parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => until(http_date(text)?, clock),
    }
}

/// One second more than the difference: both clocks are cut to whole seconds.
fn reset(text: &str, clock: Timestamp) -> Option<Duration> {
    let at = Timestamp::from_second(text.trim().parse().ok()?).ok()?;
    until(at, clock).map(|wait| wait + Duration::from_secs(1))
}

/// Zero for a moment that has passed.
fn until(moment: Timestamp, clock: Timestamp) -> Option<Duration> {
    Some(Duration::try_from(moment.duration_since(clock)).unwrap_or(Duration::ZERO))
}

/// The server's own time (`Date`).
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(header::DATE)?.to_str().ok()?)
}

/// RFC 9110 section 5.6.7, the fixed form.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text.trim()).ok().map(|zoned| zoned.timestamp())
}

fn with_jitter(wait: Duration, random: u8) -> Duration {
    wait + wait.mul_f64(0.2 * f64::from(random) / 255.0)
}

/// Without randomness (which the system's source practically always gives) the waits are merely less spread.
fn random() -> u8 {
    let mut byte = [0];
    match aws_lc_rs::rand::fill(&mut byte) {
        Ok(()) => byte[0],
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::HeaderName;
    use http::HeaderValue;

    fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> Answer {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Answer { status, headers, body: Bytes::new() }
    }

    fn seconds(answer: &Answer) -> Option<f64> {
        asked(answer, Timestamp::UNIX_EPOCH).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn decimal_seconds_are_waited() {
        assert_eq!(seconds(&answer(429, &[("retry-after", "2.128")])), Some(2.128));
    }

    #[test]
    fn less_than_a_second_is_a_second() {
        assert_eq!(seconds(&answer(503, &[("retry-after", "0")])), Some(1.0));
    }

    #[test]
    fn a_date_is_compared_with_the_servers_clock() {
        let date = ("date", "Wed, 21 Oct 2015 07:28:00 GMT");
        let later = ("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT");
        assert_eq!(seconds(&answer(503, &[date, later])), Some(30.0));
    }

    #[test]
    fn a_reset_is_compared_with_the_servers_clock_and_rounded_up() {
        let headers = [("date", "Thu, 01 Jan 1970 00:01:40 GMT"), ("x-rate-limit-reset", "110")];
        assert_eq!(seconds(&answer(429, &headers)), Some(11.0));
        assert_eq!(seconds(&answer(503, &headers)), None);
    }

    #[test]
    fn nonsense_asks_for_nothing() {
        for text in ["soon", "-1", "NaN", "1e300"] {
            let mut odd = answer(429, &[]);
            odd.headers.insert("retry-after", HeaderValue::from_static(text));
            assert_eq!(seconds(&odd), None, "{text}");
        }
    }

    #[test]
    fn our_own_waits_double_up_to_two_minutes() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(300) };
        let whole = |status, attempt| {
            let wait = backoff.after(status, attempt).as_secs_f64();
            [1.0, 2.0, 4.0, 8.0, 120.0].into_iter().find(|base| (*base..=base * 1.2).contains(&wait))
        };
        assert_eq!(whole(503, 1), Some(1.0));
        assert_eq!(whole(503, 3), Some(4.0));
        assert_eq!(whole(429, 1), Some(2.0));
        assert_eq!(whole(429, 3), Some(8.0));
        assert_eq!(whole(429, 30), Some(120.0));
    }
}
