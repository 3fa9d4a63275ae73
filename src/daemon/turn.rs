//! What a job does when it is due: a whole cycle, a probe while it is in quarantine, or nothing while it is paused. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::Schedule;
use crate::plan::QuarantineLimits;
use crate::store::JobState;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Paused,
    /// Source and target are looked at, and nothing else is done.
    Probe,
    Whole,
}

/// | the job | then |
/// |---|---|
/// | is paused | nothing |
/// | is in quarantine, and its pause is not over | a probe |
/// | otherwise | a whole cycle |
pub fn turn(
    state: Option<&JobState>,
    schedule: &Schedule,
    limits: &QuarantineLimits,
    job: &str,
    now: Timestamp,
) -> Turn {
    let Some(state) = state else { return Turn::Whole };
    if state.paused.as_ref().is_some_and(|paused| paused.holds(now.as_second())) {
        return Turn::Paused;
    }
    match next_whole(state, schedule, limits, job) {
        Some(next) if now < next => Turn::Probe,
        _ => Turn::Whole,
    }
}

/// When a job in quarantine has its next whole cycle; `None` where it is in none.
pub fn next_whole(
    state: &JobState,
    schedule: &Schedule,
    limits: &QuarantineLimits,
    job: &str,
) -> Option<Timestamp> {
    let quarantine = state.quarantine.as_ref()?;
    let began = Timestamp::from_second(quarantine.current_began).ok()?;
    let usual = schedule.due(Some(began), began, job).duration_since(began).as_secs();
    let pause = u64::try_from(quarantine.pause_seconds(usual, limits)).unwrap_or_default();
    began.checked_add(Duration::from_secs(pause)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::CycleFacts;
    use crate::plan::Mode;
    use crate::plan::quarantine_after;
    use crate::store::JobId;
    use crate::store::Paused;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn state() -> JobState {
        JobState {
            id: JobId(1),
            mode: Mode::Write,
            source_identity: None,
            target_identity: None,
            rules: None,
            program: None,
            verified_second: None,
            paused: None,
            quarantine: None,
            failed_cycles: 0,
            default_domain: None,
            target_verified_second: None,
        }
    }

    fn turn_at(state: &JobState, now: &str) -> Turn {
        let schedule = Schedule::parse("every 40m", Some(Duration::ZERO)).unwrap();
        turn(Some(state), &schedule, &QuarantineLimits::default(), "acme", at(now))
    }

    #[test]
    fn a_paused_job_rests_until_its_time() {
        let until = Some(at("2026-03-02T12:00:00Z").as_second());
        let paused = Paused { until, who: "ann".to_owned(), reason: String::new(), at: 0 };
        let state = JobState { paused: Some(paused.clone()), ..state() };
        assert_eq!(turn_at(&state, "2026-03-02T11:59:59Z"), Turn::Paused);
        assert_eq!(turn_at(&state, "2026-03-02T12:00:00Z"), Turn::Whole);
        let for_ever = JobState { paused: Some(Paused { until: None, ..paused }), ..state };
        assert_eq!(turn_at(&for_ever, "2036-03-02T12:00:00Z"), Turn::Paused);
    }

    #[test]
    fn a_quarantine_leaves_probes_between_its_cycles() {
        let began = at("2026-03-02T10:00:00Z").as_second();
        let facts = CycleFacts { now: began, failed: 100, ..CycleFacts::default() };
        let quarantine = quarantine_after(None, &facts, &QuarantineLimits::default());
        let state = JobState { quarantine, ..state() };
        assert_eq!(turn_at(&state, "2026-03-02T10:40:00Z"), Turn::Probe);
        assert_eq!(turn_at(&state, "2026-03-02T11:20:00Z"), Turn::Whole);
        assert_eq!(turn_at(&JobState { quarantine: None, ..state }, "2026-03-02T10:40:00Z"), Turn::Whole);
    }
}
