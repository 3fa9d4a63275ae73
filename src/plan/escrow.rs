//! Escrow: what a failed change is called, what helps, and when it is tried again (P12).

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The due time of what is not tried again by itself: only a changed object, changed rules or a person make it due.
pub const GIVEN_UP: i64 = i64::MAX;

/// When what failed is tried again. All spans are in seconds and count from the first failure, so that the times do not
/// depend on how often a cycle looked (Entra provisioning reference, section 10).
///
/// | since the first failure | then |
/// |---|---|
/// | less than a step | at that step |
/// | at least the last step | every so often |
/// | no time is left before the end | given up |
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EscrowSchedule {
    /// Rising.
    pub steps: Vec<i64>,
    pub every: i64,
    pub until: i64,
}

impl Default for EscrowSchedule {
    fn default() -> EscrowSchedule {
        EscrowSchedule { steps: vec![6 * HOUR, 12 * HOUR, 24 * HOUR], every: DAY, until: 28 * DAY }
    }
}

impl EscrowSchedule {
    /// The next time for what failed at `now`, and for the first time at `first`; `None`: given up.
    pub fn next(&self, first: i64, now: i64) -> Option<i64> {
        let since = now.saturating_sub(first).max(0);
        let step = self.steps.iter().copied().find(|step| *step > since);
        let span = step.unwrap_or_else(|| {
            let last = self.steps.last().copied().unwrap_or_default();
            let rounds = since.saturating_sub(last) / self.every.max(1) + 1;
            last.saturating_add(rounds.saturating_mul(self.every.max(1)))
        });
        (span <= self.until).then(|| first.saturating_add(span))
    }
}

/// `tried again at 2026-03-01T16:00:00Z`, or that it is given up.
pub fn told_due(due: i64) -> String {
    match Timestamp::from_second(due) {
        Ok(at) => format!("tried again at {at}"),
        Err(_) => "given up, until it changes or somebody says retry".to_owned(),
    }
}

/// Why a change failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: ErrorCode,
    /// In words, without values of people.
    pub reason: String,
}

/// The codes of the Entra provisioning log that apply to a write (reference, section 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ErrorCode {
    EntryConflict,
    TooManyRequests,
    InternalServerError,
    InsufficientRights,
    MethodNotAllowed,
    NotPermitted,
    Unauthorized,
    UnprocessableEntity,
    WebExceptionProtocolError,
    InvalidAnchor,
    NotImplemented,
    MissingValues,
    InternalError,
    Timeout,
    LicenseLimitExceeded,
    #[serde(rename = "SystemForCrossDomainIdentityManagementServiceIncompatible")]
    ServiceIncompatible,
}

impl ErrorCode {
    pub const ALL: [ErrorCode; 16] = [
        ErrorCode::EntryConflict,
        ErrorCode::TooManyRequests,
        ErrorCode::InternalServerError,
        ErrorCode::InsufficientRights,
        ErrorCode::MethodNotAllowed,
        ErrorCode::NotPermitted,
        ErrorCode::Unauthorized,
        ErrorCode::UnprocessableEntity,
        ErrorCode::WebExceptionProtocolError,
        ErrorCode::InvalidAnchor,
        ErrorCode::NotImplemented,
        ErrorCode::MissingValues,
        ErrorCode::InternalError,
        ErrorCode::Timeout,
        ErrorCode::LicenseLimitExceeded,
        ErrorCode::ServiceIncompatible,
    ];

    /// The word of state and reports.
    pub fn word(self) -> &'static str {
        match self {
            ErrorCode::EntryConflict => "EntryConflict",
            ErrorCode::TooManyRequests => "TooManyRequests",
            ErrorCode::InternalServerError => "InternalServerError",
            ErrorCode::InsufficientRights => "InsufficientRights",
            ErrorCode::MethodNotAllowed => "MethodNotAllowed",
            ErrorCode::NotPermitted => "NotPermitted",
            ErrorCode::Unauthorized => "Unauthorized",
            ErrorCode::UnprocessableEntity => "UnprocessableEntity",
            ErrorCode::WebExceptionProtocolError => "WebExceptionProtocolError",
            ErrorCode::InvalidAnchor => "InvalidAnchor",
            ErrorCode::NotImplemented => "NotImplemented",
            ErrorCode::MissingValues => "MissingValues",
            ErrorCode::InternalError => "InternalError",
            ErrorCode::Timeout => "Timeout",
            ErrorCode::LicenseLimitExceeded => "LicenseLimitExceeded",
            ErrorCode::ServiceIncompatible => "SystemForCrossDomainIdentityManagementServiceIncompatible",
        }
    }

    pub fn of(word: &str) -> Option<ErrorCode> {
        ErrorCode::ALL.into_iter().find(|code| code.word().eq_ignore_ascii_case(word))
    }

    /// What passes by itself is due again in the next cycle, and is no escrow.
    pub fn passes(self) -> bool {
        matches!(
            self,
            ErrorCode::TooManyRequests
                | ErrorCode::InternalServerError
                | ErrorCode::Timeout
                | ErrorCode::WebExceptionProtocolError
        )
    }

    /// Of a refusal of one object. A service tells a missing licence by any of several statuses, so its words count.
    pub fn of_refusal(status: u16, detail: &str) -> ErrorCode {
        let detail = detail.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| detail.contains(word));
        match status {
            402 => ErrorCode::LicenseLimitExceeded,
            400 | 403 | 422 if says(&["license", "licence", "seat"]) => ErrorCode::LicenseLimitExceeded,
            400 | 422 if says(&["required", "missing", "must be set"]) => ErrorCode::MissingValues,
            400 | 422 => ErrorCode::UnprocessableEntity,
            401 => ErrorCode::Unauthorized,
            403 => ErrorCode::InsufficientRights,
            404 | 410 => ErrorCode::InvalidAnchor,
            405 => ErrorCode::MethodNotAllowed,
            409 => ErrorCode::EntryConflict,
            501 => ErrorCode::NotImplemented,
            406 | 415 | 300..=399 => ErrorCode::ServiceIncompatible,
            408 => ErrorCode::Timeout,
            429 => ErrorCode::TooManyRequests,
            500..=599 => ErrorCode::InternalServerError,
            _ => ErrorCode::NotPermitted,
        }
    }

    /// What helps, as a command to whoever reads it.
    pub fn cure(self) -> &'static str {
        match self {
            ErrorCode::EntryConflict => {
                "another account has this name or number: rename or delete it in the target, or link it with rosterd link set"
            }
            ErrorCode::TooManyRequests | ErrorCode::InternalServerError | ErrorCode::Timeout => {
                "nothing to do: it is sent again in the next cycle; ask the service's operator if it lasts"
            }
            ErrorCode::WebExceptionProtocolError => {
                "nothing to do: it is sent again in the next cycle; look at the network and at rosterd check if it lasts"
            }
            ErrorCode::InsufficientRights => {
                "give the token the right to write this object, or put the object on the target's protect list"
            }
            ErrorCode::Unauthorized => {
                "make a new SCIM token at the service and put it where the settings say"
            }
            ErrorCode::MethodNotAllowed | ErrorCode::NotImplemented => {
                "the service does not know this request: choose its profile, or switch the action off"
            }
            ErrorCode::NotPermitted => {
                "look at the service's reason; switch the action off if it never allows this"
            }
            ErrorCode::UnprocessableEntity => {
                "mend the value that the reason names, in the source or in the mapping"
            }
            ErrorCode::MissingValues => {
                "fill the value in the source, or map another attribute or a constant"
            }
            ErrorCode::InvalidAnchor => {
                "somebody deleted it in the target: it is matched anew; look there if that does not help"
            }
            ErrorCode::LicenseLimitExceeded => "buy seats at the service, or take people out of scope",
            ErrorCode::ServiceIncompatible => "check the target's url and profile with rosterd check",
            ErrorCode::InternalError => "look at the log, and report it if it stays",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of all attempts of what never succeeds, in hours since the first, each tried when it is due.
    fn played(schedule: &EscrowSchedule, late: i64) -> Vec<i64> {
        let first = 1_000_000;
        let mut hours = Vec::new();
        let mut now = first;
        while let Some(next) = schedule.next(first, now) {
            assert!(next > now, "never at once");
            hours.push((next - first) / HOUR);
            now = next + late;
        }
        hours
    }

    /// Entra provisioning reference, section 10: 6 h, 12 h, 24 h after the first failure, then every 24 h until day 28.
    #[test]
    fn the_usual_schedule_is_that_of_the_reference() {
        let days = (2..=28).map(|day| day * 24);
        let expected: Vec<i64> = [6, 12, 24].into_iter().chain(days).collect();
        assert_eq!(played(&EscrowSchedule::default(), 0), expected);
        assert_eq!(played(&EscrowSchedule::default(), 40 * 60), expected, "a late cycle moves nothing");
    }

    #[test]
    fn what_was_missed_is_not_caught_up() {
        let schedule = EscrowSchedule::default();
        assert_eq!(schedule.next(0, 60 * HOUR), Some(72 * HOUR));
        assert_eq!(schedule.next(0, 28 * DAY - 1), Some(28 * DAY));
        assert_eq!(schedule.next(0, 28 * DAY), None);
    }

    #[test]
    fn a_clock_that_went_back_does_not_bring_it_forward() {
        assert_eq!(EscrowSchedule::default().next(100, 0), Some(100 + 6 * HOUR));
    }

    #[test]
    fn without_steps_it_is_every_so_often() {
        let schedule = EscrowSchedule { steps: Vec::new(), every: HOUR, until: 3 * HOUR };
        assert_eq!(played(&schedule, 0), [1, 2, 3]);
    }

    /// Section 10 names the four that are retried in 40 minutes.
    #[test]
    fn what_passes_by_itself_is_named_and_has_its_own_word() {
        let passing: Vec<&str> =
            ErrorCode::ALL.into_iter().filter(|code| code.passes()).map(ErrorCode::word).collect();
        assert_eq!(
            passing,
            ["TooManyRequests", "InternalServerError", "WebExceptionProtocolError", "Timeout"]
        );
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::of(code.word()), Some(code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.word());
            assert!(!code.cure().is_empty());
        }
    }

    #[test]
    fn a_due_time_is_told_and_so_is_that_there_is_none() {
        assert_eq!(told_due(0), "tried again at 1970-01-01T00:00:00Z");
        assert_eq!(told_due(GIVEN_UP), "given up, until it changes or somebody says retry");
    }

    #[test]
    fn a_refusal_has_a_code_by_its_status_and_words() {
        for (status, detail, code) in [
            (400, "displayName is required", "MissingValues"),
            (400, "no such value", "UnprocessableEntity"),
            (403, "No seats left", "LicenseLimitExceeded"),
            (403, "not yours", "InsufficientRights"),
            (405, "", "MethodNotAllowed"),
            (501, "", "NotImplemented"),
            (404, "one of the members is not there", "InvalidAnchor"),
            (418, "", "NotPermitted"),
        ] {
            assert_eq!(ErrorCode::of_refusal(status, detail).word(), code, "{status} {detail}");
        }
    }
}
