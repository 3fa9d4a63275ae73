//! P15: where source or target are not the pinned ones, nothing is matched, created or removed until a person approves.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use rosterd::plan::Limits;
use rosterd::scim::Kind;
use rosterd::store::Decider;
use rosterd::targets::workspace::WorkspaceTarget;

use super::support::acts::cycle;
use super::support::acts::play;
use super::support::story::Stage;

/// Ten people and a team, in step.
async fn in_step() -> Stage {
    let mut stage = Stage::new();
    play(&mut stage, &["teams all", "group g1 Sales u0 u1"]).await;
    filled(stage).await
}

async fn filled(mut stage: Stage) -> Stage {
    stage.limits = Limits::default();
    for n in 0..10 {
        play(&mut stage, &[&format!("person u{n} p{n}@x.example Pat Doe{n}")]).await;
    }
    play(&mut stage, &["app u0 u1 u2 u3 u4 u5 u6 u7 u8 u9"]).await;
    cycle(&mut stage).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    stage
}

/// Another workspace in the place of the first, as after an edit of the settings.
fn elsewhere(stage: &Stage, name: &str) -> Arc<WorkspaceTarget> {
    let number = AtomicU64::new(500);
    let ids = Arc::new(move || format!("s{}", number.fetch_add(1, Ordering::Relaxed)));
    let clock = Arc::new(|| Timestamp::from_second(1_770_000_000).expect("a time"));
    Arc::new(WorkspaceTarget::new(stage.store.clone(), name, ids, clock))
}

/// A day on which somebody joins, leaves, is renamed and loses a team.
async fn a_day(stage: &mut Stage) {
    play(
        stage,
        &["person u10 new@x.example Nia New", "person u2 p2@x.example Pat Other", "group g1 Sales u0"],
    )
    .await;
    play(stage, &["app u0 u1 u2 u3 u4 u5 u6 u7 u8 u10"]).await;
}

async fn approve_identity(stage: &Stage) -> bool {
    let job = stage.store.job(&stage.name).await.expect("a job").id;
    let by = Decider { who: "test".to_owned(), reason: "moved".to_owned(), now_second: stage.second };
    stage.store.take_identity(job, &by).await.expect("a decision").is_some()
}

#[tokio::test]
async fn into_another_target_nothing_is_written_whatever_was_approved() {
    let mut stage = in_step().await;
    let before = stage.workspace().await;
    stage.target = elsewhere(&stage, "other");
    a_day(&mut stage).await;
    for _ in 0..2 {
        let output = cycle(&mut stage).await;
        assert_eq!(output.lines().count(), 4, "{output}");
        assert!(output.lines().all(|line| line.ends_with("(held: Identity)")), "{output}");
        assert_eq!(play(&mut stage, &["approve all"]).await, "0 approved\n", "a cause does not decide it");
    }
    assert_eq!(
        play(&mut stage, &["reads u10"]).await,
        "the target was workspace main and is workspace other; of the 8 accounts and teams that we asked it for, 0 are there; \
         nothing is matched or written until somebody has looked whether it is the right one; if it is: rosterd approve \
         story identity; if not, put the settings back\n"
    );
    assert!(stage.plan().await.contains("(held: Identity)"), "a dry run says it too");
    // The settings are put back: the day goes on as if nothing had been.
    stage.target = Arc::new(super::support::story::workspace(&stage.store));
    assert_eq!(stage.workspace().await, before);
    let query = rosterd::store::ListQuery::all(Kind::User.into());
    assert_eq!(stage.store.list_resources("other", query).await.expect("a listing").total, 0);
    let output = cycle(&mut stage).await;
    assert!(!output.contains("Identity"), "{output}");
    assert!(!approve_identity(&stage).await, "nothing is left to decide");
}

#[tokio::test]
async fn another_target_that_a_person_approved_is_filled_as_if_it_were_new() {
    let mut stage = in_step().await;
    stage.target = elsewhere(&stage, "other");
    a_day(&mut stage).await;
    cycle(&mut stage).await;
    assert!(approve_identity(&stage).await);
    let output = cycle(&mut stage).await;
    assert!(output.contains("create\n"), "{output}");
    assert!(!output.contains("(held: Identity)"), "{output}");
    cycle(&mut stage).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    let query = rosterd::store::ListQuery {
        start: 1,
        count: 1_000,
        ..rosterd::store::ListQuery::all(Kind::User.into())
    };
    let there = stage.store.list_resources("other", query).await.expect("a listing");
    assert_eq!(there.total, 10, "nine who stay and one who is new");
}

#[tokio::test]
async fn a_target_of_the_same_name_that_knows_nobody_of_ours_is_another_one() {
    let mut stage = filled(Stage::new()).await;
    // Restored from before our time: everything that we made is gone, and some of it is there under other ids.
    play(&mut stage, &["target-loses p0@x.example p1@x.example p2@x.example p3@x.example p4@x.example p5@x.example p6@x.example p7@x.example p8@x.example p9@x.example"]).await;
    a_day(&mut stage).await;
    let output = cycle(&mut stage).await;
    assert!(output.contains("u10 create (held: Identity)"), "{output}");
    assert!(output.contains("u9 deactivate (held: Identity)"), "{output}");
    assert!(!output.contains("failed"), "nothing was tried: {output}");
    assert!(approve_identity(&stage).await);
    let output = cycle(&mut stage).await;
    assert!(output.contains("10 create\n"), "{output}");
    cycle(&mut stage).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
}

/// One account that is still there tells that it is the same target; what else is lost are lost anchors.
#[tokio::test]
async fn a_target_that_knows_one_of_ours_is_ours() {
    let mut stage = in_step().await;
    play(&mut stage, &["target-loses p0@x.example p1@x.example p2@x.example"]).await;
    a_day(&mut stage).await;
    let output = cycle(&mut stage).await;
    assert!(!output.contains("Identity") && output.contains("1 create\n"), "{output}");
}

#[tokio::test]
async fn a_target_that_moved_with_everything_says_so_and_waits_all_the_same() {
    let mut stage = in_step().await;
    // The same workspace, which the job knew under another name until now.
    let state = stage.store.job(&stage.name).await.expect("a job");
    stage
        .store
        .pin(state.id, &state.source_identity.expect("pinned"), "workspace old")
        .await
        .expect("pinned");
    a_day(&mut stage).await;
    let output = cycle(&mut stage).await;
    assert!(output.lines().all(|line| line.ends_with("(held: Identity)")), "{output}");
    let reads = play(&mut stage, &["reads u10"]).await;
    assert!(
        reads.contains("was workspace old and is workspace main; of the 8")
            && reads.contains(", 8 are there"),
        "{reads}"
    );
    assert!(approve_identity(&stage).await);
    let output = cycle(&mut stage).await;
    assert_eq!(output, "1 create\n1 update\n1 remove_members\n1 deactivate\n");
}

#[tokio::test]
async fn another_source_is_not_read_until_a_person_approves_and_then_removes_nobody_by_itself() {
    let mut stage = in_step().await;
    let before = stage.workspace().await;
    let other = |people: &str| {
        format!(
            r#"{{"directory": "two", "apps": {{"app": []}}, "users": [{people}], "groups": [], "counts": {{"users": 0, "groups": 0, "assignments": 0, "memberships": 0}}}}"#
        )
    };
    for _ in 0..2 {
        let told = stage.cycle_of(&other("")).await;
        assert!(
            told.starts_with("error: job story: its source was `file story` and is `file two` now"),
            "{told}"
        );
        assert!(told.contains("rosterd approve story identity"), "{told}");
    }
    assert!(approve_identity(&stage).await);
    assert!(!approve_identity(&stage).await, "once");
    let output = stage.cycle_of(&other("")).await;
    assert!(output.contains("deactivate (held: "), "{output}");
    assert_eq!(stage.workspace().await, before, "{output}");
}

/// An empty source is held by itself, also where no limit holds; an approval or the setting lets it through.
#[tokio::test]
async fn a_source_that_selects_nobody_any_more_removes_nobody() {
    let mut stage = in_step().await;
    play(&mut stage, &["limit deactivate 500 100", "limit remove_members 500 100", "app"]).await;
    let before = stage.workspace().await;
    let output = cycle(&mut stage).await;
    assert_eq!(output.matches(" deactivate (held: Empty)").count(), 10, "{output}");
    assert_eq!(stage.workspace().await, before);
    assert_eq!(
        play(&mut stage, &["reads u0"]).await,
        "the source selects nobody any more, and 10 are active; nothing is removed until somebody approves, or \
         jobs.story.allow_empty = true\n"
    );
    play(&mut stage, &["approve all"]).await;
    assert!(cycle(&mut stage).await.contains("10 deactivate\n"));
}
