//! Pacing by Okta's own counters: who stops before the allowance is gone never meets a 429 (okta.md section 7).

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

use crate::client::Answer;

/// The longest pause. A window lasts about a minute; a reset that is further away is not believed.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// Other programs share the allowance of the org; the last tenth is theirs.
const KEPT_PERCENT: u64 = 10;

/// When each allowance may be used again.
#[derive(Default)]
pub(super) struct Pacer(Mutex<BTreeMap<&'static str, Instant>>);

impl Pacer {
    /// Waits until the allowance of this path may be used again.
    pub async fn wait(&self, path: &str) {
        let until = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(allowance(path)).copied();
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Remembers what an answer says of its allowance.
    pub fn note(&self, path: &str, answer: &Answer) {
        let Some(pause) = pause(answer) else { return };
        tracing::debug!(
            allowance = allowance(path),
            seconds = pause.as_secs(),
            "the allowance is nearly used up"
        );
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.insert(allowance(path), Instant::now() + pause);
    }
}

/// Which allowance a path draws from: single objects have larger ones than lists.
fn allowance(path: &str) -> &'static str {
    let parts: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
    match parts.as_slice() {
        ["apps", _] => "apps/{id}",
        ["apps", ..] => "apps",
        ["groups", _] => "groups/{id}",
        ["groups", ..] => "groups",
        ["users", _] => "users/{id}",
        ["users", ..] => "users",
        _ => "other",
    }
}

/// Until the reset, by the server's own clock; one second more, as both are whole seconds. A 429 is waited out by
/// the client.
fn pause(answer: &Answer) -> Option<Duration> {
    let number = |name| answer.header(name).and_then(|text| text.trim().parse::<u64>().ok());
    let limit = number("x-rate-limit-limit")?;
    let remaining = number("x-rate-limit-remaining")?;
    let reset = i64::try_from(number("x-rate-limit-reset")?).ok()?;
    if answer.status == 429
        || limit == 0
        || remaining.saturating_mul(100) > limit.saturating_mul(KEPT_PERCENT)
    {
        return None;
    }
    let seconds = u64::try_from(reset - answer.date()?.as_second()).ok()?;
    Some(Duration::from_secs(seconds + 1).min(PAUSE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use http::HeaderValue;

    #[track_caller]
    fn check(limit: &'static str, remaining: &'static str, reset: &'static str, expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert("date", HeaderValue::from_static("Thu, 01 Jan 1970 00:01:40 GMT"));
        headers.insert("x-rate-limit-limit", HeaderValue::from_static(limit));
        headers.insert("x-rate-limit-remaining", HeaderValue::from_static(remaining));
        headers.insert("x-rate-limit-reset", HeaderValue::from_static(reset));
        let answer = Answer { status: 200, headers, body: Default::default() };
        assert_eq!(pause(&answer).map(|pause| pause.as_secs()), expected);
    }

    #[test]
    fn the_last_tenth_of_an_allowance_is_left_to_others() {
        check("100", "11", "130", None);
        check("100", "10", "130", Some(31));
        check("10", "1", "130", Some(31));
        check("10", "2", "130", None);
    }

    #[test]
    fn a_reset_that_passed_or_lies_far_away_is_bounded() {
        check("100", "0", "90", None);
        check("100", "0", "100000", Some(300));
        check("0", "0", "130", None);
        check("x", "0", "130", None);
    }

    #[test]
    fn lists_and_single_objects_have_allowances_of_their_own() {
        assert_eq!(allowance("/api/v1/apps/0oa1"), "apps/{id}");
        assert_eq!(allowance("/api/v1/apps/0oa1/users/00u1"), "apps");
        assert_eq!(allowance("/api/v1/groups/00g1/users"), "groups");
        assert_eq!(allowance("/api/v1/groups"), "groups");
    }
}
