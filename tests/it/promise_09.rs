//! P9: a second cycle with nothing changed plans nothing new, and neither does the one after a person's decision. What was
//! rejected comes back as held, never as go.

use rosterd::model::Reading;
use rosterd::plan::Limits;

use super::support::acts::cycle;
use super::support::acts::play;
use super::support::story::Stage;

const DAY: i64 = 86_400;
const WEEK: &str = "604800";

/// Twelve people in one team; ten of them leave, which is over the limit of five.
async fn ten_are_held() -> Stage {
    let mut stage = Stage::new();
    stage.limits = Limits::default();
    play(&mut stage, &["teams all", "limit deactivate 5 100"]).await;
    for n in 0..12 {
        play(&mut stage, &[&format!("person u{n} p{n}@x.example Pat Doe{n}")]).await;
    }
    play(&mut stage, &["group g1 Sales u0 u1 u2 u11", "app u0 u1 u2 u3 u4 u5 u6 u7 u8 u9 u10 u11"]).await;
    let first = cycle(&mut stage).await;
    assert!(!first.contains("held"), "{first}");
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    play(&mut stage, &["app u10 u11"]).await;
    let output = cycle(&mut stage).await;
    assert_eq!(output.matches(" deactivate (held: Limit)").count(), 10, "{output}");
    stage
}

#[tokio::test]
async fn the_cycles_after_a_rejection_plan_nothing_however_they_read() {
    let mut stage = ten_are_held().await;
    let before = stage.workspace().await;
    assert_eq!(
        play(&mut stage, &[&format!("reject all {WEEK}")]).await,
        "13 rejected\n",
        "with three memberships"
    );
    assert_eq!(stage.plan().await, "nothing\n", "a dry run");
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    assert_eq!(stage.cycle(Reading::Full).await, "nothing\n");
    stage.second += 6 * DAY;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    assert_eq!(stage.workspace().await, before);
}

#[tokio::test]
async fn what_was_rejected_comes_back_held_though_no_limit_holds_it_any_more() {
    let mut stage = ten_are_held().await;
    play(&mut stage, &[&format!("reject all {WEEK}"), "limit deactivate 500 100"]).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    stage.second += 7 * DAY;
    let output = cycle(&mut stage).await;
    assert_eq!(output.matches(" deactivate (held: Rejected)").count(), 10, "{output}");
    assert!(!output.contains("deactivate\n"), "{output}");
    assert_eq!(output.matches(" remove ").count(), 3, "{output}");
    // It stays held, and one more decision lets it go.
    let again = cycle(&mut stage).await;
    assert_eq!(again, output);
    play(&mut stage, &["approve all"]).await;
    let output = cycle(&mut stage).await;
    assert!(output.contains("10 deactivate\n") && output.contains("3 remove_members\n"), "{output}");
    assert_eq!(cycle(&mut stage).await, "nothing\n");
}

#[tokio::test]
async fn a_second_rejection_lasts_from_then_on() {
    let mut stage = ten_are_held().await;
    play(&mut stage, &[&format!("reject all {WEEK}")]).await;
    stage.second += 8 * DAY;
    assert!(cycle(&mut stage).await.contains("(held: Rejected)"));
    play(&mut stage, &[&format!("reject all {WEEK}")]).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    stage.second += 8 * DAY;
    assert!(cycle(&mut stage).await.contains("(held: Rejected)"));
}

#[tokio::test]
async fn the_opposite_decision_ends_an_exemption_and_the_last_decision_counts() {
    let mut stage = ten_are_held().await;
    play(&mut stage, &[&format!("reject all {WEEK}")]).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    assert_eq!(play(&mut stage, &["approve u3"]).await, "1 approved\n");
    assert_eq!(cycle(&mut stage).await, "1 deactivate\n");
    // Approved, and rejected before the cycle.
    assert_eq!(
        play(&mut stage, &["approve u4", &format!("reject u4 {WEEK}")]).await,
        "1 approved\n1 rejected\n"
    );
    play(&mut stage, &["limit deactivate 500 100"]).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
}

#[tokio::test]
async fn a_rejection_takes_back_an_approval_that_no_cycle_has_followed() {
    let mut stage = ten_are_held().await;
    let decided = play(&mut stage, &["approve all", &format!("reject u3,u4 {WEEK}")]).await;
    assert_eq!(decided, "13 approved\n2 rejected\n");
    let output = cycle(&mut stage).await;
    assert!(output.contains("8 deactivate\n"), "{output}");
    let left = stage.workspace().await;
    for address in ["p3@x.example", "p4@x.example"] {
        let line = left.lines().find(|line| line.contains(address)).expect("an account");
        assert!(!line.contains("inactive"), "{line}");
    }
}

/// One person of ten: the others are judged as if that one were not there.
#[tokio::test]
async fn a_rejected_change_counts_for_no_limit_and_the_rest_goes_on() {
    let mut stage = ten_are_held().await;
    assert_eq!(play(&mut stage, &[&format!("reject u3,u4,u5,u6,u7 {WEEK}")]).await, "5 rejected\n");
    let output = cycle(&mut stage).await;
    assert_eq!(output, "3 remove_members\n5 deactivate\n");
    let there = stage.workspace().await;
    for stays in ["p3@", "p4@", "p5@", "p6@", "p7@"] {
        let line = there.lines().find(|line| line.starts_with(stays)).expect("an account");
        assert!(!line.contains("inactive"), "{there}");
    }
    assert_eq!(cycle(&mut stage).await, "nothing\n");
}

/// A rejected deactivation keeps the memberships, and is no permission to delete instead.
#[tokio::test]
async fn nothing_that_follows_from_a_rejected_removal_happens_and_nothing_worse() {
    let mut stage = ten_are_held().await;
    assert_eq!(play(&mut stage, &[&format!("reject u1 {WEEK}")]).await, "2 rejected\n");
    play(&mut stage, &["approve all", "action delete on", "leavers all delete", "limit delete 500 100"])
        .await;
    cycle(&mut stage).await;
    let output = cycle(&mut stage).await;
    assert!(!output.contains("u1 "), "{output}");
    let there = stage.workspace().await;
    assert!(there.contains("p1@x.example Pat Doe1\n"), "{there}");
    assert!(there.contains("[Sales] p11@x.example p1@x.example\n"), "{there}");
    stage.second += 7 * DAY;
    let output = cycle(&mut stage).await;
    assert!(output.contains("u1 delete (held: Rejected)"), "{output}");
}

#[tokio::test]
async fn whoever_came_back_meanwhile_leaves_again_like_anybody() {
    let mut stage = ten_are_held().await;
    play(&mut stage, &[&format!("reject all {WEEK}"), "app u0 u1 u2 u3 u4 u5 u6 u7 u8 u9 u10 u11"]).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    stage.second += 8 * DAY;
    assert_eq!(
        cycle(&mut stage).await,
        "nothing\n",
        "the exemptions have ended, and there is nothing to hold"
    );
    play(&mut stage, &["app u1 u2 u3 u4 u5 u6 u7 u8 u9 u10 u11"]).await;
    assert_eq!(cycle(&mut stage).await, "1 remove_members\n1 deactivate\n");
}

#[tokio::test]
async fn a_rejected_newcomer_is_not_created_and_joins_no_team() {
    let mut stage = ten_are_held().await;
    play(&mut stage, &["approve all"]).await;
    cycle(&mut stage).await;
    play(
        &mut stage,
        &["mode approve", "person u12 new@x.example Nia New", "group g1 Sales u11 u12", "app u10 u11 u12"],
    )
    .await;
    let output = cycle(&mut stage).await;
    assert!(output.contains("u12 create (held: Approval)"), "{output}");
    play(&mut stage, &[&format!("reject u12 {WEEK}")]).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    assert!(!stage.workspace().await.contains("new@"));
}

#[tokio::test]
async fn one_membership_is_rejected_by_itself() {
    let mut stage = ten_are_held().await;
    play(&mut stage, &["approve all"]).await;
    cycle(&mut stage).await;
    play(&mut stage, &["mode approve", "group g1 Sales"]).await;
    assert!(cycle(&mut stage).await.contains("g1 remove u11 (held: Approval)"));
    assert_eq!(play(&mut stage, &[&format!("reject g1 {WEEK}")]).await, "1 rejected\n");
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    assert!(stage.workspace().await.contains("[Sales] p11@x.example\n"));
}

/// Names that nothing has are told, and decide nothing.
#[tokio::test]
async fn a_decision_about_nobody_decides_nothing() {
    let mut stage = ten_are_held().await;
    assert_eq!(
        play(&mut stage, &[&format!("reject p99@x.example {WEEK}"), "approve u11"]).await,
        "0 rejected\n0 approved\n"
    );
    let output = cycle(&mut stage).await;
    assert_eq!(output.matches(" deactivate (held: Limit)").count(), 10, "{output}");
}
