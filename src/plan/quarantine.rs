//! Quarantine: a job that mostly fails is slowed down step by step, and said loudly. A pure decision over what one cycle
//! did (Entra provisioning reference, section 10).

use serde::Deserialize;
use serde::Serialize;

use super::ErrorCode;

/// Where the reference disables a job. Ours stays at its slowest and says so louder: a job that is silently off would
/// be found months later.
pub const TOO_LONG_SECONDS: i64 = 28 * 86_400;

/// When a job is put into quarantine, and how slow it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct QuarantineLimits {
    /// More than so many of a hundred changes that were tried failed…
    pub percent: u8,
    /// …and so many at least.
    pub failures: u64,
    /// So many cycles in a row could not go on.
    pub failed_cycles: u32,
    /// The longest pause between two cycles.
    pub slowest_seconds: i64,
}

impl Default for QuarantineLimits {
    fn default() -> QuarantineLimits {
        QuarantineLimits { percent: 40, failures: 10, failed_cycles: 5, slowest_seconds: 86_400 }
    }
}

/// The reason codes of the reference that ours can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuarantineReason {
    /// Source or target as a whole cannot be used.
    EncounteredQuarantineException,
    /// Too many of the changes that were tried failed.
    EncounteredEscrowProportionThreshold,
}

/// One quarantine, with the fields of the reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quarantine {
    /// When it was imposed last, in seconds.
    pub current_began: i64,
    /// When this series began.
    pub series_began: i64,
    /// Cycles of this series that ended in it: each doubles the pause.
    pub series_count: u32,
    pub reason: QuarantineReason,
    pub error: QuarantineError,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuarantineError {
    pub code: ErrorCode,
    pub message: String,
    /// Whether somebody here has to do something; else it may pass by itself.
    pub tenant_actionable: bool,
}

/// Why a cycle could not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub code: ErrorCode,
    pub message: String,
    /// Credentials are refused, or the target does not speak SCIM: no other request would do better.
    pub at_once: bool,
    pub actionable: bool,
}

/// What one cycle did, as far as a quarantine is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CycleFacts {
    pub now: i64,
    pub done: u64,
    pub failed: u64,
    /// Cycles in a row that could not go on, this one included.
    pub failed_cycles: u32,
    pub trouble: Option<Trouble>,
    /// Everybody who is active was made in this cycle.
    pub first_load: bool,
    /// Changes that failed before and were not due.
    pub in_escrow: u64,
}

/// What follows from a cycle.
///
/// | the cycle | then |
/// |---|---|
/// | could not go on: credentials, no SCIM | quarantine, at once |
/// | could not go on otherwise, several times in a row | quarantine |
/// | could not go on otherwise | as it was |
/// | went, and too many of its changes failed | quarantine |
/// | went and tried nothing, while what had failed is not due | as it was: it proves nothing |
/// | went, otherwise | none |
pub fn after(was: Option<&Quarantine>, cycle: &CycleFacts, limits: &QuarantineLimits) -> Option<Quarantine> {
    match &cycle.trouble {
        Some(trouble) => {
            let imposed = was.is_some() || trouble.at_once || cycle.failed_cycles >= limits.failed_cycles;
            let error = QuarantineError {
                code: trouble.code,
                message: trouble.message.clone(),
                tenant_actionable: trouble.actionable,
            };
            imposed.then(|| next(was, cycle.now, QuarantineReason::EncounteredQuarantineException, error))
        }
        None if trips(cycle, limits) => {
            let error = proportion(cycle, limits);
            Some(next(was, cycle.now, QuarantineReason::EncounteredEscrowProportionThreshold, error))
        }
        None => {
            let was = was.filter(|was| !was.ends_by_probe() && proves_nothing(cycle, limits))?;
            Some(next(Some(was), cycle.now, was.reason, was.error.clone()))
        }
    }
}

fn proves_nothing(cycle: &CycleFacts, limits: &QuarantineLimits) -> bool {
    cycle.done + cycle.failed == 0 && cycle.in_escrow >= limits.failures.max(1)
}

fn trips(cycle: &CycleFacts, limits: &QuarantineLimits) -> bool {
    let tried = cycle.done + cycle.failed;
    cycle.failed >= limits.failures.max(1)
        && cycle.failed.saturating_mul(100) > tried.saturating_mul(u64::from(limits.percent))
}

fn proportion(cycle: &CycleFacts, limits: &QuarantineLimits) -> QuarantineError {
    let CycleFacts { done, failed, first_load, .. } = cycle;
    let first = if *first_load { ", in the first load" } else { "" };
    QuarantineError {
        code: ErrorCode::InternalError,
        message: format!(
            "{failed} of {} changes failed{first}, allowed are {} % from {} on (limits.quarantine)",
            done + failed,
            limits.percent,
            limits.failures
        ),
        tenant_actionable: true,
    }
}

fn next(was: Option<&Quarantine>, now: i64, reason: QuarantineReason, error: QuarantineError) -> Quarantine {
    Quarantine {
        current_began: now,
        series_began: was.map_or(now, |was| was.series_began),
        series_count: was.map_or(0, |was| was.series_count).saturating_add(1),
        reason,
        error,
    }
}

impl Quarantine {
    /// Whether a probe that goes well ends it: what was wrong was source or target as a whole.
    pub fn ends_by_probe(&self) -> bool {
        self.reason == QuarantineReason::EncounteredQuarantineException
    }

    /// The pause until the next whole cycle: the job's own, doubled with each cycle of the series.
    pub fn pause_seconds(&self, usual: i64, limits: &QuarantineLimits) -> i64 {
        let doubled =
            usual.max(1).saturating_mul(1_i64.checked_shl(self.series_count.min(32)).unwrap_or(i64::MAX));
        doubled.min(limits.slowest_seconds).max(usual)
    }

    /// Whether it has lasted for as long as the reference lets a job be in one.
    pub fn too_long(&self, now: i64) -> bool {
        now.saturating_sub(self.series_began) >= TOO_LONG_SECONDS
    }

    /// Whether people have been told of this one: only another reason is news.
    pub fn same_as(&self, other: Option<&Quarantine>) -> bool {
        other.is_some_and(|other| (other.reason, other.error.code) == (self.reason, self.error.code))
    }
}

impl QuarantineReason {
    pub fn word(self) -> &'static str {
        match self {
            QuarantineReason::EncounteredQuarantineException => "EncounteredQuarantineException",
            QuarantineReason::EncounteredEscrowProportionThreshold => "EncounteredEscrowProportionThreshold",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: QuarantineLimits =
        QuarantineLimits { percent: 40, failures: 10, failed_cycles: 5, slowest_seconds: 86_400 };

    fn counts(done: u64, failed: u64) -> Option<Quarantine> {
        after(None, &CycleFacts { done, failed, ..CycleFacts::default() }, &LIMITS)
    }

    fn trouble(at_once: bool) -> Option<Trouble> {
        let (code, message) = (ErrorCode::Unauthorized, "the token was refused".to_owned());
        Some(Trouble { code, message, at_once, actionable: true })
    }

    /// The reference's examples: 20 000 of 120 000 does not trip, 30 000 of 35 000 does; ours also looks at ten.
    #[test]
    fn a_proportion_trips_from_ten_failures_on() {
        assert_eq!(counts(100_000, 20_000), None);
        assert!(counts(5_000, 30_000).is_some());
        assert_eq!(counts(0, 9), None, "nine failures prove nothing");
        assert!(counts(0, 10).is_some());
        assert!(counts(14, 10).is_some(), "41.7 %");
        assert_eq!(counts(15, 10), None, "40 % is not more than 40 %");
    }

    #[test]
    fn a_hundred_percent_never_trips_and_the_first_load_says_that_it_is_one() {
        let limits = QuarantineLimits { percent: 100, ..LIMITS };
        let facts = CycleFacts { failed: 1_000, first_load: true, ..CycleFacts::default() };
        assert_eq!(after(None, &facts, &limits), None);
        let quarantine = after(None, &facts, &LIMITS).unwrap();
        assert_eq!(
            quarantine.error.message,
            "1000 of 1000 changes failed, in the first load, allowed are 40 % from 10 on (limits.quarantine)"
        );
    }

    #[test]
    fn credentials_count_at_once_and_an_outage_when_it_lasts() {
        let facts = |at_once, failed_cycles| CycleFacts {
            trouble: trouble(at_once),
            failed_cycles,
            ..CycleFacts::default()
        };
        assert!(after(None, &facts(true, 1), &LIMITS).is_some());
        assert_eq!(after(None, &facts(false, 4), &LIMITS), None);
        let quarantine = after(None, &facts(false, 5), &LIMITS).unwrap();
        assert_eq!(quarantine.reason.word(), "EncounteredQuarantineException");
        assert!(quarantine.ends_by_probe());
        assert!(after(Some(&quarantine), &facts(false, 1), &LIMITS).is_some(), "it goes on");
        assert!(after(Some(&quarantine), &CycleFacts::default(), &LIMITS).is_none(), "a good cycle ends it");
    }

    #[test]
    fn each_cycle_of_a_series_doubles_the_pause_up_to_a_day() {
        let mut quarantine = None;
        let mut pauses = Vec::new();
        for cycle in 0..8 {
            let facts = CycleFacts { now: cycle * 100, failed: 10, ..CycleFacts::default() };
            quarantine = after(quarantine.as_ref(), &facts, &LIMITS);
            pauses.push(quarantine.as_ref().unwrap().pause_seconds(2_400, &LIMITS) / 60);
        }
        assert_eq!(pauses, [80, 160, 320, 640, 1_280, 1_440, 1_440, 1_440]);
        let quarantine = quarantine.unwrap();
        assert_eq!((quarantine.series_began, quarantine.current_began, quarantine.series_count), (0, 700, 8));
        assert!(!quarantine.too_long(TOO_LONG_SECONDS - 1) && quarantine.too_long(TOO_LONG_SECONDS));
        assert_eq!(quarantine.pause_seconds(7 * 86_400, &LIMITS), 7 * 86_400, "never faster than usual");
        assert_eq!(Quarantine { series_count: u32::MAX, ..quarantine }.pause_seconds(2_400, &LIMITS), 86_400);
    }

    #[test]
    fn a_cycle_in_which_nothing_was_due_does_not_end_it() {
        let was = counts(0, 100);
        let idle = |in_escrow| CycleFacts { in_escrow, ..CycleFacts::default() };
        assert!(after(was.as_ref(), &idle(100), &LIMITS).is_some());
        assert_eq!(after(was.as_ref(), &idle(9), &LIMITS), None, "too few are left to be a reason");
        assert_eq!(after(was.as_ref(), &CycleFacts { done: 1, ..idle(100) }, &LIMITS), None);
        assert_eq!(after(None, &idle(100), &LIMITS), None, "it begins none");
    }

    #[test]
    fn only_another_reason_is_news() {
        let first = after(None, &CycleFacts { failed: 10, ..CycleFacts::default() }, &LIMITS).unwrap();
        let again = CycleFacts { now: 9, failed: 11, ..CycleFacts::default() };
        assert!(after(Some(&first), &again, &LIMITS).unwrap().same_as(Some(&first)));
        let other = CycleFacts { trouble: trouble(true), ..CycleFacts::default() };
        assert!(!after(Some(&first), &other, &LIMITS).unwrap().same_as(Some(&first)));
    }
}
