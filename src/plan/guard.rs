//! Limits: which classes are over, and what is held because of it (P13).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Actions;
use super::CauseId;
use super::Class;
use super::Hold;
use super::HoldKind;
use super::Limits;
use super::Mode;

/// What the guard counts: changes that nobody has approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pending now, by class.
    pub pending: BTreeMap<Class, u64>,
    /// Done in the last 24 hours, by class.
    pub window: BTreeMap<Class, u64>,
    /// The job's active links.
    pub active: u64,
}

/// What is over its limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    pub classes: BTreeMap<Class, Hold>,
    /// Causes with a change in one of these classes: all their removals are held.
    pub causes: BTreeSet<CauseId>,
    /// Why the clock is not believed: what time alone removes is held (P17).
    pub clock: Option<Hold>,
}

/// How many changes of a class may go: the count or the percentage, the first reached. In a small directory a
/// percentage means nothing, so the floor lifts it (never the count); a hundred percent is no percentage, also
/// where nobody is active yet.
pub fn allowed(limits: &Limits, class: Class, active: u64) -> Option<u64> {
    let limit = limits.classes.get(&class)?;
    if limit.percent >= 100 {
        return Some(limit.count);
    }
    let share = (active.saturating_mul(u64::from(limit.percent)) / 100).max(limits.floor);
    Some(limit.count.min(share))
}

/// A class over its limit is held whole, never sliced.
pub fn over(limits: &Limits, counts: &Counts, job: &str) -> BTreeMap<Class, Hold> {
    let mut over = BTreeMap::new();
    for class in Class::ALL {
        let Some(allowed) = allowed(limits, class, counts.active) else { continue };
        let pending = counts.pending.get(&class).copied().unwrap_or(0);
        let window = counts.window.get(&class).copied().unwrap_or(0);
        if pending > 0 && pending + window > allowed {
            over.insert(class, over_limit(job, class, pending, window, allowed));
        }
    }
    over
}

fn over_limit(job: &str, class: Class, pending: u64, window: u64, allowed: u64) -> Hold {
    let class = class.word();
    let before = if window > 0 { format!(" after {window} in the last 24 hours") } else { String::new() };
    let text = format!("{pending} {class}{before}, allowed are {allowed} (jobs.{job}.limits.{class})");
    Hold { kind: HoldKind::Limit, text }
}

/// What is known of one change besides its link's own holds.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    pub class: Class,
    pub cause: &'a CauseId,
    pub team: bool,
    pub approved: bool,
    pub protected: bool,
    /// Time alone causes it.
    pub by_time: bool,
}

/// The verdict of settings, mode and limits; `None` is go. The first that speaks is the one that is shown:
/// what a person cannot approve away comes first.
pub fn judge(
    job: &str,
    mode: Mode,
    actions: &Actions,
    guard: &Guard,
    change: &Candidate<'_>,
) -> Option<Hold> {
    if change.protected {
        let text = "on the target's protect list; rosterd never writes it".to_owned();
        return Some(Hold { kind: HoldKind::Protected, text });
    }
    if let Some(action) = switched_off(actions, change) {
        let text = format!("the action is off (jobs.{job}.actions.{action} = false)");
        return Some(Hold { kind: HoldKind::Action, text });
    }
    match mode {
        Mode::Observe => {
            let text = "the job only observes".to_owned();
            return Some(Hold { kind: HoldKind::Observe, text });
        }
        Mode::Approve if !change.approved => {
            let text = "the job writes only what a person has approved".to_owned();
            return Some(Hold { kind: HoldKind::Approval, text });
        }
        Mode::Approve | Mode::Write => {}
    }
    if change.approved {
        return None;
    }
    if let Some(hold) = guard.clock.as_ref().filter(|_| change.by_time && change.class.removes()) {
        return Some(hold.clone());
    }
    if let Some(hold) = guard.classes.get(&change.class) {
        return Some(hold.clone());
    }
    if change.class.removes() && guard.causes.contains(change.cause) {
        let text = "its cause is over a limit, so all its removals wait".to_owned();
        return Some(Hold { kind: HoldKind::Limit, text });
    }
    None
}

fn switched_off(actions: &Actions, change: &Candidate<'_>) -> Option<&'static str> {
    let (on, name) = match change.class {
        Class::AddMembers | Class::RemoveMembers => (actions.teams, "teams"),
        _ if change.team && !actions.teams => (false, "teams"),
        Class::Create => (actions.create, "create"),
        Class::Rename | Class::Update | Class::Reactivate | Class::References => (actions.update, "update"),
        Class::Deactivate => (actions.deactivate, "deactivate"),
        Class::Delete | Class::DeleteTeams => (actions.delete, "delete"),
    };
    (!on).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Limit;

    fn limits(count: u64, percent: u8) -> Limits {
        let classes = BTreeMap::from([(Class::Deactivate, Limit { count, percent })]);
        Limits { classes, ..Limits::default() }
    }

    fn trips(count: u64, percent: u8, active: u64, pending: u64, window: u64) -> bool {
        let counts = Counts {
            pending: BTreeMap::from([(Class::Deactivate, pending)]),
            window: BTreeMap::from([(Class::Deactivate, window)]),
            active,
        };
        !over(&limits(count, percent), &counts, "acme").is_empty()
    }

    #[test]
    fn the_count_or_the_percentage_whichever_is_reached_first() {
        assert!(!trips(50, 10, 1_000, 50, 0));
        assert!(trips(50, 10, 1_000, 51, 0));
        assert!(!trips(50, 10, 100, 10, 0));
        assert!(trips(50, 10, 100, 11, 0));
    }

    #[test]
    fn a_small_directory_has_a_floor() {
        assert!(!trips(50, 10, 12, 5, 0));
        assert!(trips(50, 10, 12, 6, 0));
    }

    #[test]
    fn a_hundred_percent_is_no_percentage() {
        assert!(!trips(1_000, 100, 0, 1_000, 0));
        assert!(trips(1_000, 100, 0, 1_001, 0));
    }

    #[test]
    fn a_count_of_zero_holds_everything_the_floor_notwithstanding() {
        assert!(trips(0, 0, 10, 1, 0));
    }

    #[test]
    fn what_was_done_in_the_last_day_counts() {
        assert!(trips(50, 10, 1_000, 10, 45));
        assert!(!trips(50, 10, 1_000, 5, 45));
        assert!(!trips(50, 10, 1_000, 0, 99));
    }

    fn verdict(mode: Mode, class: Class, approved: bool, guard: &Guard) -> Option<HoldKind> {
        let cause = CauseId("c1".to_owned());
        let change =
            Candidate { class, cause: &cause, team: false, approved, protected: false, by_time: false };
        judge("acme", mode, &Actions::default(), guard, &change).map(|hold| hold.kind)
    }

    #[test]
    fn a_cause_that_trips_one_class_holds_all_its_removals_and_nothing_else() {
        let mut guard = Guard::default();
        guard.causes.insert(CauseId("c1".to_owned()));
        assert_eq!(verdict(Mode::Write, Class::RemoveMembers, false, &guard), Some(HoldKind::Limit));
        assert_eq!(verdict(Mode::Write, Class::Update, false, &guard), None);
        assert_eq!(verdict(Mode::Write, Class::RemoveMembers, true, &guard), None);
    }

    #[test]
    fn a_mode_holds_what_it_does_not_allow() {
        let guard = Guard::default();
        assert_eq!(verdict(Mode::Observe, Class::Create, true, &guard), Some(HoldKind::Observe));
        assert_eq!(verdict(Mode::Approve, Class::Create, false, &guard), Some(HoldKind::Approval));
        assert_eq!(verdict(Mode::Approve, Class::Create, true, &guard), None);
        assert_eq!(verdict(Mode::Write, Class::Create, false, &guard), None);
    }

    #[test]
    fn nothing_is_deleted_unless_a_setting_says_so() {
        assert_eq!(verdict(Mode::Write, Class::Delete, true, &Guard::default()), Some(HoldKind::Action));
    }

    #[test]
    fn the_hold_names_the_setting() {
        let counts = Counts {
            pending: BTreeMap::from([(Class::Deactivate, 142)]),
            active: 1_000,
            ..Counts::default()
        };
        let over = over(&limits(50, 10), &counts, "acme");
        assert_eq!(
            over[&Class::Deactivate].text,
            "142 deactivate, allowed are 50 (jobs.acme.limits.deactivate)"
        );
    }

    /// The table of verdicts, from the top: the first row that speaks is the one that is shown.
    #[test]
    fn the_first_reason_that_speaks_is_the_verdict() {
        let cause = CauseId("c1".to_owned());
        let mut guard = Guard::default();
        let hold = Hold { kind: HoldKind::Limit, text: String::new() };
        guard.classes.insert(Class::Deactivate, hold);
        guard.causes.insert(cause.clone());
        let off = Actions { deactivate: false, ..Actions::default() };
        let rows = [
            (true, off, Mode::Observe, false, Some(HoldKind::Protected)),
            (true, Actions::default(), Mode::Write, true, Some(HoldKind::Protected)),
            (false, off, Mode::Observe, false, Some(HoldKind::Action)),
            (false, off, Mode::Write, true, Some(HoldKind::Action)),
            (false, Actions::default(), Mode::Observe, true, Some(HoldKind::Observe)),
            (false, Actions::default(), Mode::Approve, false, Some(HoldKind::Approval)),
            (false, Actions::default(), Mode::Approve, true, None),
            (false, Actions::default(), Mode::Write, false, Some(HoldKind::Limit)),
            (false, Actions::default(), Mode::Write, true, None),
        ];
        for (protected, actions, mode, approved, expected) in rows {
            let change = Candidate {
                class: Class::Deactivate,
                cause: &cause,
                team: false,
                approved,
                protected,
                by_time: false,
            };
            let verdict = judge("acme", mode, &actions, &guard, &change).map(|hold| hold.kind);
            assert_eq!(verdict, expected, "{protected} {mode:?} {approved}");
        }
    }

    /// P17: what time alone would remove waits for a clock that is believed; the rest goes on.
    #[test]
    fn a_doubted_clock_holds_what_time_alone_removes() {
        let clock = Some(Hold { kind: HoldKind::Clock, text: "the clock jumped".to_owned() });
        let guard = Guard { clock, ..Guard::default() };
        let cause = CauseId("c1".to_owned());
        let verdict = |class, by_time, approved| {
            let change = Candidate { class, cause: &cause, team: false, approved, protected: false, by_time };
            judge("acme", Mode::Write, &Actions { delete: true, ..Actions::default() }, &guard, &change)
                .map(|hold| hold.kind)
        };
        assert_eq!(verdict(Class::Delete, true, false), Some(HoldKind::Clock));
        assert_eq!(verdict(Class::Deactivate, true, false), Some(HoldKind::Clock));
        assert_eq!(verdict(Class::Delete, false, false), None);
        assert_eq!(verdict(Class::Reactivate, true, false), None);
        assert_eq!(verdict(Class::Delete, true, true), None, "approved");
    }
}
