//! What comes after an answer: it is handed out, or asked for again: later, or in smaller pages (okta.md section 8). Pure.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::bucket;
use super::wire::ErrorBody;
use crate::client::Answer;
use crate::client::ClientError;

/// How often one request is sent at most, the first time included (okta.md section 8).
pub(super) const ATTEMPTS: u32 = 5;
/// The longest wait of our own between two attempts.
const LONGEST: Duration = Duration::from_secs(60);

/// What one attempt calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequel {
    /// The caller knows what it means.
    HandOut,
    /// The bucket says when: it has heard of it.
    AfterReset,
    /// The org is full: fewer at once, and after a moment.
    Fewer,
    /// The page may be too heavy: a smaller one where there is one, else later.
    Smaller,
    /// It passes.
    Later,
}

/// | answer | sequel |
/// |---|---|
/// | 429 with a limit of 0 | fewer at once |
/// | 429 | after the reset of its bucket, or later where it names none |
/// | 408, 500, 504, none in time | smaller pages, then later |
/// | 502, 503, 509 | later |
/// | 423 E0000239; 409 E0000112, E0000195, E0000249, E0000253 | later: something is being reconciled |
/// | all others | handed out |
pub(super) fn sequel(outcome: &Result<Answer, ClientError>) -> Sequel {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(ClientError::Unknown { .. }) => return Sequel::Smaller,
        Err(_) => return Sequel::HandOut,
    };
    match answer.status {
        429 if bucket::is_of_concurrency(answer) => Sequel::Fewer,
        429 if bucket::Figures::of(answer).is_some() => Sequel::AfterReset,
        429 | 502 | 503 | 509 => Sequel::Later,
        408 | 500 | 504 => Sequel::Smaller,
        409 | 423 if is_being_reconciled(answer) => Sequel::Later,
        _ => Sequel::HandOut,
    }
}

fn is_being_reconciled(answer: &Answer) -> bool {
    let body: ErrorBody = answer.json().unwrap_or_default();
    let codes = ["E0000112", "E0000195", "E0000239", "E0000249", "E0000253"];
    body.code.is_some_and(|code| codes.contains(&code.as_str()))
}

/// `first` · 2ⁿ after the n-th attempt, and up to a fifth more.
pub(super) fn later(first: Duration, attempt: u32, random: f64) -> Duration {
    let wait = first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST);
    wait + wait.mul_f64(0.2 * random.clamp(0.0, 1.0))
}

/// Repeats that a run has left: a sick org is left alone rather than asked for hours.
pub(super) struct Budget {
    most: u32,
    left: AtomicU32,
}

impl Budget {
    pub fn new(most: u32) -> Budget {
        Budget { most, left: AtomicU32::new(most) }
    }

    pub fn begin(&self) {
        self.left.store(self.most, Ordering::Relaxed);
    }

    /// Takes one repeat; an error says that there is none left, and names the setting.
    pub fn spend(&self, place: &str, why: &str) -> Result<(), ClientError> {
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        spent.map(drop).map_err(|_| ClientError::Unavailable {
            what: format!(
                "{place}: {why}, and the {} repeats of one cycle are used up; the next cycle tries again (setting \
                 source.okta.repeats_max)",
                self.most
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use http::HeaderName;
    use http::HeaderValue;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Answer {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Answer { status, headers, body: body.into() }
    }

    #[test]
    fn each_answer_has_its_sequel() {
        let limited = |limit| {
            let date = ("date", "Thu, 01 Jan 1970 00:01:40 GMT");
            let headers = [
                date,
                ("x-rate-limit-limit", limit),
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "130"),
            ];
            answer(429, &headers, "{}")
        };
        let plain = |status| answer(status, &[], "<html>");
        for (answer, expected) in [
            (limited("0"), Sequel::Fewer),
            (limited("50"), Sequel::AfterReset),
            (plain(429), Sequel::Later),
            (plain(500), Sequel::Smaller),
            (plain(504), Sequel::Smaller),
            (plain(408), Sequel::Smaller),
            (plain(502), Sequel::Later),
            (answer(503, &[], r#"{"errorCode":"E0000010"}"#), Sequel::Later),
            (answer(423, &[], r#"{"errorCode":"E0000239"}"#), Sequel::Later),
            (answer(423, &[], r#"{"errorCode":"E0000155"}"#), Sequel::HandOut),
            (answer(409, &[], r#"{"errorCode":"E0000253"}"#), Sequel::Later),
            (answer(409, &[], r#"{"errorCode":"E0000145"}"#), Sequel::HandOut),
            (plain(200), Sequel::HandOut),
            (plain(401), Sequel::HandOut),
            (plain(403), Sequel::HandOut),
            (plain(404), Sequel::HandOut),
            (plain(501), Sequel::HandOut),
        ] {
            let status = answer.status;
            assert_eq!(sequel(&Ok(answer)), expected, "{status}");
        }
        assert_eq!(sequel(&Err(ClientError::Unknown { what: String::new() })), Sequel::Smaller);
        assert_eq!(sequel(&Err(ClientError::Unavailable { what: String::new() })), Sequel::HandOut);
    }

    #[test]
    fn waits_double_up_to_a_minute() {
        let seconds = |attempt, random| later(Duration::from_secs(1), attempt, random).as_secs_f64();
        assert_eq!([1, 2, 3, 4].map(|attempt| seconds(attempt, 0.0)), [1.0, 2.0, 4.0, 8.0]);
        assert_eq!(seconds(2, 1.0), 2.4);
        assert_eq!(seconds(30, 0.0), 60.0);
    }

    #[test]
    fn a_run_has_so_many_repeats_and_the_next_one_has_them_again() {
        let budget = Budget::new(2);
        assert!(budget.spend("GET x", "status 500").is_ok() && budget.spend("GET x", "status 500").is_ok());
        assert_eq!(
            budget.spend("GET acme.okta.com/api/v1/groups", "status 500").unwrap_err().to_string(),
            "GET acme.okta.com/api/v1/groups: status 500, and the 2 repeats of one cycle are used up; the next cycle tries again (setting source.okta.repeats_max)"
        );
        budget.begin();
        assert!(budget.spend("GET x", "status 500").is_ok());
    }
}
