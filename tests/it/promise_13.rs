//! P13: mass changes are held by class and cause and say so, harmless ones go on. Each test breaks in from one side.

use rosterd::model::Reading;
use rosterd::plan::Limits;

use super::support::acts::cycle;
use super::support::acts::play;
use super::support::story::Stage;

const DAY: i64 = 86_400;
/// By how much a cycle of a stage moves the clock on.
const CYCLE: i64 = 2_400;

/// So many people, all assigned; those whose numbers are divisible by two are in the team.
async fn stage(people: usize) -> Stage {
    let mut stage = Stage::new();
    stage.limits = Limits::default();
    let members: Vec<String> = (0..people).filter(|n| n % 2 == 0).map(|n| format!("u{n}")).collect();
    play(&mut stage, &["teams all", &format!("group g1 Sales {}", members.join(" "))]).await;
    for n in 0..people {
        play(&mut stage, &[&format!("person u{n} p{n}@x.example Pat Doe{n}")]).await;
    }
    assign(&mut stage, 0..people).await;
    let first = stage.cycle(Reading::Incremental).await;
    assert!(!first.contains("held"), "{first}");
    stage
}

async fn assign(stage: &mut Stage, people: impl Iterator<Item = usize>) {
    let principals: Vec<String> = people.map(|n| format!("u{n}")).collect();
    play(stage, &[&format!("app {}", principals.join(" "))]).await;
}

fn held(output: &str, what: &str) -> usize {
    output.lines().filter(|line| line.contains(what) && line.contains("(held: Limit)")).count()
}

#[tokio::test]
async fn one_more_than_the_count_holds_the_whole_class_and_nothing_else() {
    let mut stage = stage(20).await;
    play(&mut stage, &["limit deactivate 5 100", "person u19 p19@x.example Pat Other"]).await;
    assign(&mut stage, 5..20).await;
    let five = cycle(&mut stage).await;
    assert!(five.contains("5 deactivate\n") && five.contains("1 update\n"), "{five}");
    stage.second += DAY;
    play(&mut stage, &["person u19 p19@x.example Pat Third"]).await;
    assign(&mut stage, 11..20).await;
    let six = cycle(&mut stage).await;
    assert_eq!(held(&six, "deactivate"), 6, "{six}");
    assert!(six.contains("1 update\n") && !six.contains("6 deactivate\n"), "{six}");
}

#[tokio::test]
async fn the_percentage_is_of_the_active_and_the_floor_lifts_it_but_never_the_count() {
    let mut stage = stage(20).await;
    play(&mut stage, &["limit deactivate 50 20", "floor 0"]).await;
    assign(&mut stage, 5..20).await;
    let output = cycle(&mut stage).await;
    assert_eq!(held(&output, "deactivate"), 5, "four of twenty are a fifth: {output}");
    play(&mut stage, &["floor 5"]).await;
    let output = cycle(&mut stage).await;
    assert!(output.contains("5 deactivate\n"), "{output}");
    stage.second += DAY;
    play(&mut stage, &["floor 1000", "limit deactivate 2 1"]).await;
    assign(&mut stage, 8..20).await;
    let output = cycle(&mut stage).await;
    assert_eq!(held(&output, "deactivate"), 3, "{output}");
}

/// What goes in small steps is a mass change too.
#[tokio::test]
async fn steps_within_a_day_count_together_and_the_day_rolls() {
    let mut stage = stage(20).await;
    play(&mut stage, &["limit deactivate 5 100"]).await;
    assign(&mut stage, 3..20).await;
    let began = stage.second;
    assert!(cycle(&mut stage).await.contains("3 deactivate\n"));
    assign(&mut stage, 6..20).await;
    let output = cycle(&mut stage).await;
    assert_eq!(held(&output, "deactivate"), 3, "{output}");
    // A second before the first three are older than a day, they count; then they do not.
    stage.second = began + DAY;
    let output = cycle(&mut stage).await;
    assert_eq!(held(&output, "deactivate"), 3, "{output}");
    stage.second = began + DAY + 1;
    let output = cycle(&mut stage).await;
    assert!(output.contains("3 deactivate\n"), "{output}");
    // The window is rolling, not a calendar's: these three count from when they were done.
    assign(&mut stage, 9..20).await;
    stage.second = began + 2 * DAY - CYCLE;
    let output = cycle(&mut stage).await;
    assert_eq!(held(&output, "deactivate"), 3, "{output}");
}

#[tokio::test]
async fn what_a_person_approved_leaves_room_for_an_ordinary_day() {
    let mut stage = stage(20).await;
    play(&mut stage, &["limit deactivate 5 100"]).await;
    assign(&mut stage, 10..20).await;
    assert_eq!(held(&cycle(&mut stage).await, "deactivate"), 10);
    // Ten people, and the five memberships that follow from them wait with them; they need no approval of their own.
    let approved = play(&mut stage, &["approve all"]).await;
    assert!(approved.starts_with("1"), "{approved}");
    assert!(cycle(&mut stage).await.contains("10 deactivate\n"));
    assign(&mut stage, 14..20).await;
    assert!(cycle(&mut stage).await.contains("4 deactivate\n"), "approved ones are not counted");
}

/// An approval is the cause and the set that was looked at.
#[tokio::test]
async fn whoever_comes_late_is_held_anew_and_whoever_came_back_is_not_removed() {
    let mut stage = stage(20).await;
    play(&mut stage, &["limit deactivate 5 100"]).await;
    assign(&mut stage, 10..20).await;
    assert_eq!(held(&cycle(&mut stage).await, "deactivate"), 10);
    play(&mut stage, &["approve all"]).await;
    // Six more between the approval and the cycle, under the same cause; and the first is assigned again.
    assign(&mut stage, [0].into_iter().chain(16..20)).await;
    let output = cycle(&mut stage).await;
    assert!(output.contains("9 deactivate\n"), "{output}");
    assert_eq!(held(&output, "deactivate"), 6, "{output}");
    assert!(play(&mut stage, &["workspace"]).await.contains("p0@x.example Pat Doe0\n"));
    // The approval of the first was not used up, and is no standing permission either: its cause came back, the same
    // person is removed under it only with the others of the class.
    assign(&mut stage, 16..20).await;
    let output = cycle(&mut stage).await;
    assert!(!output.contains("7 deactivate\n"), "{output}");
}

#[tokio::test]
async fn a_cause_that_trips_one_class_holds_its_removals_in_every_other() {
    let mut stage = stage(20).await;
    // Three people are in scope through the group alone.
    let others = "u1 u3 u5 u7 u9 u11 u13 u15 u17 u19 u0 u2 u4 u6 u8 u10 u12";
    play(&mut stage, &["teams app", &format!("app g:g1 {others}")]).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    play(&mut stage, &["limit remove_members 5 100", "limit deactivate 500 100"]).await;
    // The group loses its assignment: its team is emptied and the three leave. The seven other memberships are too many.
    play(&mut stage, &[&format!("app {others}")]).await;
    let output = cycle(&mut stage).await;
    assert_eq!(held(&output, "deactivate"), 3, "{output}");
    assert_eq!(held(&output, "remove u"), 10, "{output}");
}

#[tokio::test]
async fn one_team_that_loses_too_many_is_held_and_the_others_go_on() {
    let mut stage = stage(40).await;
    play(&mut stage, &["group g2 Ops u1 u3 u5"]).await;
    play(&mut stage, &["team-limit 50 50", "floor 2", "limit remove_members 500 100"]).await;
    cycle(&mut stage).await;
    // Eleven of twenty leave Sales, two of three Ops.
    play(&mut stage, &["group g1 Sales u0 u2 u4 u6 u8 u10 u12 u14 u16", "group g2 Ops u1"]).await;
    let output = cycle(&mut stage).await;
    assert_eq!(held(&output, "g1 remove"), 11, "{output}");
    assert!(output.contains("2 remove_members\n"), "{output}");
    assert_eq!(
        play(&mut stage, &["reads g1"]).await.lines().next(),
        Some("11 remove_members of team Sales, allowed are 10 (jobs.story.limits.remove_members_team)")
    );
    assert_eq!(play(&mut stage, &["approve g1"]).await, "11 approved\n");
    assert!(cycle(&mut stage).await.contains("11 remove_members\n"));
}

#[tokio::test]
async fn two_jobs_that_stay_within_their_own_limits_share_one_total_of_their_target() {
    let mut stage = stage(20).await;
    let first = std::mem::take(&mut stage.directory);
    // Another job of the same target, with people of its own.
    stage.name = "other".to_owned();
    for n in 0..20 {
        play(&mut stage, &[&format!("person v{n} v{n}@x.example Val Roe{n}")]).await;
    }
    let all = |from: usize| (from..20).map(|n| format!("v{n}")).collect::<Vec<_>>().join(" ");
    play(&mut stage, &[&format!("app {}", all(0))]).await;
    cycle(&mut stage).await;
    stage.limits.target.name = "shared".to_owned();
    stage.limits.target.removals = Some(rosterd::plan::Limit { count: 6, percent: 100 });
    play(&mut stage, &["limit deactivate 5 100", &format!("app {}", all(4))]).await;
    assert!(cycle(&mut stage).await.contains("4 deactivate\n"));
    stage.name = "story".to_owned();
    stage.directory = first;
    assign(&mut stage, 3..20).await;
    let output = cycle(&mut stage).await;
    assert_eq!(held(&output, "deactivate"), 3, "{output}");
    assert_eq!(
        play(&mut stage, &["reads u0"]).await,
        "3 accounts and teams taken away by all jobs of the target after 4 in the last 24 hours, allowed are 6 \
         (targets.shared.limits.removals)\n"
    );
    stage.second += DAY;
    assert!(cycle(&mut stage).await.contains("3 deactivate\n"));
}

#[tokio::test]
async fn an_upgrade_that_makes_something_else_of_the_same_directory_is_held_as_one_cause() {
    let mut stage = stage(20).await;
    play(&mut stage, &["program 1"]).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n", "an upgrade that changes nothing");
    // The program reads the same rules in another way; the test makes it so by another row. One person is changed in the
    // source as well, and one is new.
    play(&mut stage, &["program 2", "row title mail", "person u19 p19@x.example Pat Other"]).await;
    play(&mut stage, &["person u20 p20@x.example Pat New"]).await;
    assign(&mut stage, 0..21).await;
    let output = cycle(&mut stage).await;
    assert!(output.contains("1 create\n"), "{output}");
    assert_eq!(held(&output, "update"), 20, "{output}");
    assert_eq!(
        play(&mut stage, &["reads u3"]).await,
        "20 changes by an upgrade, allowed are 5 (jobs.story.limits.upgrade)\n"
    );
    assert_eq!(causes(&stage).await, ["upgrade"]);
    assert_eq!(play(&mut stage, &["approve all"]).await, "20 approved\n");
    assert!(cycle(&mut stage).await.contains("20 update\n"));
    // A small difference goes.
    play(&mut stage, &["program 3", "upgrade-limit 21 100", "row nickName mail"]).await;
    assert!(cycle(&mut stage).await.contains("21 update\n"));
}

/// What the source showed long ago and the settings let be is the edit's doing when an edit acts upon it.
#[tokio::test]
async fn every_removal_that_an_edit_causes_has_the_edit_as_its_cause() {
    let mut stage = stage(12).await;
    play(&mut stage, &["floor 1000", "leavers all leave", "leavers teams leave"]).await;
    assign(&mut stage, 3..12).await;
    play(&mut stage, &["drop u3", "person u4 p4@x.example Pat Doe4 disabled", "recycled u5"]).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    play(&mut stage, &["mode approve", "leavers all deactivate"]).await;
    let output = cycle(&mut stage).await;
    assert_eq!(output.matches(" deactivate (held: Approval)").count(), 6, "{output}");
    assert_eq!(causes(&stage).await, ["settings"]);
    assert_eq!(play(&mut stage, &["approve all"]).await, "9 approved\n", "three memberships follow");
    cycle(&mut stage).await;
    // Then their deletion.
    play(&mut stage, &["action delete on", "leavers all delete"]).await;
    let output = cycle(&mut stage).await;
    assert_eq!(output.matches(" delete (held: Approval)").count(), 6, "{output}");
    assert_eq!(causes(&stage).await, ["settings"]);
    play(&mut stage, &["approve all"]).await;
    cycle(&mut stage).await;
    // A narrower scope of teams empties them; of people, deactivates them; nesting, takes members of members.
    play(&mut stage, &["teams name:Other"]).await;
    let output = cycle(&mut stage).await;
    assert!(!output.contains("remove u"), "the policy leaves teams as they are: {output}");
    play(&mut stage, &["leavers teams empty"]).await;
    let output = cycle(&mut stage).await;
    assert!(output.matches("remove u").count() > 2, "{output}");
    assert_eq!(causes(&stage).await, ["settings"]);
}

#[tokio::test]
async fn members_of_members_who_are_no_members_after_an_edit_are_the_edits_doing() {
    let mut stage = stage(6).await;
    play(&mut stage, &["group g2 Ops g:g1 u1", "teams all nested"]).await;
    cycle(&mut stage).await;
    play(&mut stage, &["mode approve", "teams all"]).await;
    let output = cycle(&mut stage).await;
    assert_eq!(output.matches("g2 remove u").count(), 3, "{output}");
    assert_eq!(causes(&stage).await, ["settings"]);
}

/// A removal that was pending for a reason of its own keeps it, and its approval with it, whatever is edited meanwhile.
#[tokio::test]
async fn an_edit_takes_over_nothing_that_was_pending_before_it() {
    let mut stage = stage(12).await;
    play(&mut stage, &["mode approve"]).await;
    assign(&mut stage, 2..12).await;
    cycle(&mut stage).await;
    let before = causes(&stage).await;
    assert_eq!(before, ["left"]);
    assert_eq!(play(&mut stage, &["approve all"]).await, "3 approved\n", "a membership follows");
    play(&mut stage, &["row title mail"]).await;
    let output = cycle(&mut stage).await;
    assert!(output.contains("2 deactivate\n"), "{output}");
    assert_eq!(causes(&stage).await, ["settings"], "the ten updates are the edit's");
}

/// The kinds of the causes of what is pending, each once.
async fn causes(stage: &Stage) -> Vec<String> {
    let job = stage.job();
    let planned = rosterd::cycle::standing(job.standing(), &stage.store, stage.now()).await;
    let planned = planned.expect("the state is read").expect("a job");
    let kinds = planned.header.causes.iter().map(|(cause, _)| {
        let kind = serde_json::to_value(cause.kind).expect("a word");
        kind.as_str().unwrap_or_default().to_owned()
    });
    let kinds: std::collections::BTreeSet<String> = kinds.collect();
    kinds.into_iter().collect()
}
