//! The limits, from each side.

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
    let change = Candidate {
        class,
        cause: &cause,
        team: false,
        approved,
        protected: false,
        by_time: false,
        rejected: false,
        loses: None,
    };
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
    let counts =
        Counts { pending: BTreeMap::from([(Class::Deactivate, 142)]), active: 1_000, ..Counts::default() };
    let over = over(&limits(50, 10), &counts, "acme");
    assert_eq!(over[&Class::Deactivate].text, "142 deactivate, allowed are 50 (jobs.acme.limits.deactivate)");
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
            rejected: false,
            loses: None,
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
        let change = Candidate {
            class,
            cause: &cause,
            team: false,
            approved,
            protected: false,
            by_time,
            rejected: false,
            loses: None,
        };
        judge("acme", Mode::Write, &Actions { delete: true, ..Actions::default() }, &guard, &change)
            .map(|hold| hold.kind)
    };
    assert_eq!(verdict(Class::Delete, true, false), Some(HoldKind::Clock));
    assert_eq!(verdict(Class::Deactivate, true, false), Some(HoldKind::Clock));
    assert_eq!(verdict(Class::Delete, false, false), None);
    assert_eq!(verdict(Class::Reactivate, true, false), None);
    assert_eq!(verdict(Class::Delete, true, true), None, "approved");
}

fn losses(pending: u64, window: u64, members: u64) -> Vec<TeamLosses> {
    vec![TeamLosses { team: LinkId(7), name: "Sales".to_owned(), pending, window, members }]
}

/// By default fifty members, however large the team is; the percentage is of what the team had when the window began.
#[test]
fn one_team_loses_so_many_members_and_no_more() {
    let usual = Limits::default();
    assert!(teams_over(&usual, &losses(50, 0, 50), "acme").is_empty());
    assert!(!teams_over(&usual, &losses(51, 0, 5_000), "acme").is_empty());
    assert!(!teams_over(&usual, &losses(1, 50, 5_000), "acme").is_empty(), "in steps");
    let half = Limits { remove_members_team: Some(Limit { count: 50, percent: 50 }), ..usual.clone() };
    assert!(teams_over(&half, &losses(10, 0, 20), "acme").is_empty());
    assert!(!teams_over(&half, &losses(11, 0, 20), "acme").is_empty());
    assert!(teams_over(&half, &losses(5, 5, 15), "acme").is_empty(), "ten of twenty");
    assert!(teams_over(&half, &losses(5, 0, 5), "acme").is_empty(), "the floor");
    let none = Limits { remove_members_team: None, ..usual.clone() };
    assert!(teams_over(&none, &losses(5_000, 0, 5_000), "acme").is_empty());
    let text = &teams_over(&usual, &losses(51, 0, 90), "acme")[&LinkId(7)].text;
    assert_eq!(
        text,
        "51 remove_members of team Sales, allowed are 50 (jobs.acme.limits.remove_members_team)"
    );
}

#[test]
fn an_upgrade_does_so_much_and_no_more() {
    let upgraded = |pending, window| vec![Upgraded { cause: CauseId("c1".to_owned()), pending, window }];
    let over = |pending, window, active| {
        !upgrades_over(&Limits::default(), &upgraded(pending, window), active, "acme").is_empty()
    };
    assert!(!over(100, 0, 5_000));
    assert!(over(101, 0, 5_000));
    assert!(over(11, 0, 100));
    assert!(over(1, 10, 100), "in steps");
    assert!(!over(0, 500, 5_000), "nothing is left of it");
}

/// What one job may do by itself is counted with what the other jobs of its target did.
#[test]
fn all_jobs_of_a_target_share_one_total() {
    let mut limits = Limits::default();
    limits.target.name = "cerby".to_owned();
    let counts = |deactivate, delete, window| Counts {
        pending: BTreeMap::from([
            (Class::Deactivate, deactivate),
            (Class::Delete, delete),
            (Class::Create, 900),
        ]),
        window: BTreeMap::from([(Class::Deactivate, window), (Class::RemoveMembers, 900)]),
        active: 5_000,
    };
    let over = |counts: &Counts| target_over(&limits, counts, &BTreeMap::new());
    assert!(over(&counts(60, 40, 0)).is_empty());
    let held = over(&counts(60, 40, 1));
    assert_eq!(held.keys().copied().collect::<Vec<_>>(), [Class::Deactivate, Class::Delete]);
    assert_eq!(
        held[&Class::Delete].text,
        "100 accounts and teams taken away by all jobs of the target after 1 in the last 24 hours, allowed are 100 \
         (targets.cerby.limits.removals)"
    );
    // A class that is held anyway takes nothing of the total.
    let by_class = BTreeMap::from([(Class::Deactivate, held[&Class::Delete].clone())]);
    assert!(target_over(&limits, &counts(900, 40, 0), &by_class).is_empty());
}

#[test]
fn a_total_of_all_changes_holds_every_class_that_would_go() {
    let mut limits = Limits::default();
    limits.target.changes = Some(Limit { count: 10, percent: 100 });
    let counts = Counts {
        pending: BTreeMap::from([(Class::Create, 6), (Class::Update, 5), (Class::Rename, 0)]),
        ..Counts::default()
    };
    let held = target_over(&limits, &counts, &BTreeMap::new());
    assert_eq!(held.keys().copied().collect::<Vec<_>>(), [Class::Create, Class::Update]);
}

/// A person's decision ends into held, never into go; an approval still lifts it.
#[test]
fn what_was_rejected_comes_back_held_whatever_the_limits_say() {
    let cause = CauseId("c1".to_owned());
    let verdict = |approved| {
        let (class, protected, by_time, loses) = (Class::Update, false, false, None);
        let change = Candidate {
            class,
            cause: &cause,
            team: false,
            approved,
            protected,
            by_time,
            rejected: true,
            loses,
        };
        judge("acme", Mode::Write, &Actions::default(), &Guard::default(), &change).map(|hold| hold.kind)
    };
    assert_eq!(verdict(false), Some(HoldKind::Rejected));
    assert_eq!(verdict(true), None);
}
