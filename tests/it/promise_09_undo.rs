//! P9 for `undo`: it is a plan of its own under the same limits, it writes nothing else, and it lasts. What it puts back, case
//! by case, are the stories `an_undo_…` of tests/scenarios.

use rosterd::plan::Cause;
use rosterd::plan::Limits;

use super::support::acts::cycle;
use super::support::acts::play;
use super::support::story::Stage;

const WEEK: i64 = 7 * 86_400;

/// Twelve people, whose surnames become another one in cycle 2.
async fn twelve_are_renamed() -> Stage {
    let mut stage = Stage::new();
    stage.limits = Limits::default();
    people(&mut stage, "Doe").await;
    play(&mut stage, &["app u0 u1 u2 u3 u4 u5 u6 u7 u8 u9 u10 u11"]).await;
    assert_eq!(cycle(&mut stage).await, "12 create\n");
    people(&mut stage, "Roe").await;
    assert_eq!(cycle(&mut stage).await, "12 update\n");
    stage
}

async fn people(stage: &mut Stage, surname: &str) {
    for n in 0..12 {
        play(stage, &[&format!("person u{n} p{n}@x.example Pat {surname}")]).await;
    }
}

async fn surnames(stage: &Stage, surname: &str) -> usize {
    let ending = format!(" {surname}");
    stage.workspace().await.lines().filter(|line| line.ends_with(&ending)).count()
}

#[tokio::test]
async fn a_mass_undo_is_over_the_limit_like_any_mass_change_and_held_whole() {
    let mut stage = twelve_are_renamed().await;
    play(&mut stage, &["limit update 20 100"]).await;
    let output = stage.undo(&["2"]).await;
    assert_eq!(output.matches(" (held: Limit)").count(), 12, "with the twelve before, 24 of 20: {output}");
    assert_eq!(surnames(&stage, "Roe").await, 12, "nothing of it is written");
    let again = cycle(&mut stage).await;
    assert_eq!(again.matches(" (held: Limit)").count(), 12, "it waits: {again}");
    let cause = Cause::of_undo(2).id().0;
    assert_eq!(play(&mut stage, &[&format!("approve {cause}")]).await, "12 approved\n");
    assert_eq!(cycle(&mut stage).await, "12 update\n");
    assert_eq!(surnames(&stage, "Doe").await, 12);
    assert_eq!(cycle(&mut stage).await, "nothing\n");
}

#[tokio::test]
async fn an_undo_of_many_creations_is_limited_like_deactivations() {
    let mut stage = Stage::new();
    stage.limits = Limits::default();
    play(&mut stage, &["limit deactivate 5 100"]).await;
    people(&mut stage, "Doe").await;
    play(&mut stage, &["app u0 u1 u2 u3 u4 u5 u6 u7 u8 u9 u10 u11"]).await;
    assert_eq!(cycle(&mut stage).await, "12 create\n");
    // Some of it is within the limit; all of it is not.
    assert_eq!(stage.undo(&["1", "u1,p2@x.example,zoe"]).await, "2 deactivate\nunknown: zoe\n");
    let output = stage.undo(&["1"]).await;
    assert_eq!(output.matches(" deactivate (held: Limit)").count(), 10, "{output}");
    assert!(
        output.contains("not undone: it is not active any more: 2 (p1@x.example, p2@x.example)"),
        "{output}"
    );
    assert_eq!(stage.workspace().await.matches("inactive").count(), 2);
}

#[tokio::test]
async fn what_was_undone_comes_back_held_though_no_limit_holds_it_and_the_source_changed_it_again() {
    let mut stage = twelve_are_renamed().await;
    assert_eq!(stage.undo(&["2"]).await, "12 update\n");
    assert_eq!(stage.plan().await, "nothing\n");
    for _ in 0..2 {
        assert_eq!(cycle(&mut stage).await, "nothing\n");
    }
    people(&mut stage, "Poe").await;
    assert_eq!(
        cycle(&mut stage).await,
        "nothing\n",
        "a decision lasts, whatever the source says of the same value"
    );
    stage.second += WEEK;
    let output = cycle(&mut stage).await;
    assert_eq!(output.matches("Doe->Poe (held: Rejected)").count(), 12, "{output}");
    assert_eq!(cycle(&mut stage).await, output, "and stays held");
    // Where the source goes back by itself, nothing is left of it.
    people(&mut stage, "Doe").await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    people(&mut stage, "Roe").await;
    assert_eq!(cycle(&mut stage).await, "12 update\n", "the decision is spent");
}

#[tokio::test]
async fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let mut stage = twelve_are_renamed().await;
    let plan = stage.undo_plan(&["2"]).await;
    assert_eq!(plan.matches("update name.familyName Roe->Doe\n").count(), 12, "{plan}");
    assert_eq!(surnames(&stage, "Roe").await, 12);
    assert_eq!(cycle(&mut stage).await, "nothing\n", "the state knows nothing of it");
}

#[tokio::test]
async fn an_undo_writes_nothing_else_that_may_go() {
    let mut stage = twelve_are_renamed().await;
    play(&mut stage, &["mode approve", "person u12 new@x.example Nia New", "app u1 u2 u3 u12"]).await;
    let waits = cycle(&mut stage).await;
    assert!(waits.contains("u12 create (held: Approval)"), "{waits}");
    play(&mut stage, &["approve all", "mode write"]).await;
    assert_eq!(stage.undo(&["2", "u1"]).await, "1 update\n");
    let there = stage.workspace().await;
    assert!(!there.contains("new@") && !there.contains("inactive"), "{there}");
    let next = cycle(&mut stage).await;
    assert!(
        next.contains("1 create\n") && next.contains("deactivate"),
        "what was approved goes then: {next}"
    );
}

#[tokio::test]
async fn a_job_that_only_observes_undoes_nothing_and_one_that_asks_takes_the_command_as_the_decision() {
    let mut stage = twelve_are_renamed().await;
    play(&mut stage, &["mode observe"]).await;
    let refused = stage.undo(&["2"]).await;
    assert!(refused.contains("it only observes") && refused.contains("rosterd enable story"), "{refused}");
    assert_eq!(stage.undo_plan(&["2"]).await.matches("(held: Observe)").count(), 12);
    play(&mut stage, &["mode approve"]).await;
    assert_eq!(stage.undo(&["2"]).await, "12 update\n");
    assert_eq!(cycle(&mut stage).await, "nothing\n");
}

#[tokio::test]
async fn the_protect_list_and_switched_off_actions_hold_an_undo_too() {
    let mut stage = twelve_are_renamed().await;
    play(&mut stage, &["protect p1@x.example"]).await;
    let output = stage.undo(&["2", "u1,u2"]).await;
    assert!(output.starts_with("1 update\nu1 update") && output.contains("(held: Protected)"), "{output}");
    play(&mut stage, &["action update off"]).await;
    assert!(stage.undo(&["2", "u3"]).await.contains("(held: Action)"));
}

#[tokio::test]
async fn an_undo_is_recorded_with_who_and_why_and_its_chain_verifies() {
    let mut stage = twelve_are_renamed().await;
    stage.undo(&["2", "u1"]).await;
    let log =
        stage.store.log(rosterd::store::LogFilter { limit: 1_000, ..Default::default() }).await.unwrap();
    let decided = log.iter().find(|row| row.class == "decide" && row.name.starts_with("undo"));
    let decided = decided.expect("the decision is in the log");
    assert_eq!(decided.name, "undo cycle 2: 1 objects");
    assert_eq!((decided.by.as_deref(), decided.reason.as_deref()), (Some("test"), Some("story")));
    let written = log.last().expect("an entry");
    assert_eq!(written.cause.as_ref().map(Cause::sentence).as_deref(), Some("somebody undid cycle 2"));
}
