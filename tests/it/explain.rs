//! `explain`: one person, step by step, from the state alone.

use rosterd::cycle;
use rosterd::model::Reading;
use rosterd::report;

use crate::support::story::Stage;

async fn begun(lines: &[&str]) -> Stage {
    let mut stage = Stage::new();
    for line in lines {
        stage.command(line).await;
    }
    stage.cycle(Reading::Incremental).await;
    stage
}

/// Everything but the history, which has times.
async fn explained(stage: &Stage, who: &str) -> String {
    let job = stage.job();
    let told =
        cycle::explain(job.standing(), &stage.store, who, stage.now()).await.expect("the state is read");
    let told = told.expect("there was a cycle");
    let one = told.first().unwrap_or_else(|| panic!("nobody is called {who}"));
    let text = report::explanation(one);
    text.split("\nhistory, newest first\n").next().unwrap_or_default().to_owned()
}

const LINES: [&str; 4] = [
    "person u1 ann@x.example Ann Lee",
    "person u2 bo@home.example Bo Ng userType=Guest",
    "group g1 Sales u1",
    "app u1 u2 g:g1",
];

#[tokio::test]
async fn somebody_who_is_there_is_explained_from_the_assignment_to_what_the_target_shows() {
    let mut stage = begun(&LINES).await;
    let expected = "\
story: user ann@x.example (u1)

link
  wanted active, active in the target
  resource r1, created by this job

scope
  selected through the application, group Sales
  enabled in the source
  in scope

matching
  paired already, with the resource r1

attributes
  active                              true  <- Not([IsSoftDeleted]); as it is
";
    let told = explained(&stage, "u1").await;
    assert!(told.starts_with(expected), "{told}");
    assert!(told.contains("ann@x.example  <- attribute `userName`; as it is\n"), "{told}");
    assert!(told.contains("\nteams\n  Sales                               is a member\n"), "{told}");
    assert!(told.ends_with("\nplanned\n  nothing\n"), "{told}");
    // By name, by mail and by resource it is the same person.
    for who in ["ANN@x.example", "r1"] {
        assert_eq!(explained(&stage, who).await, told, "{who}");
    }
    // What changed in the source is explained as what would be written.
    stage.command("person u1 ann@x.example Ann Koch").await;
    stage.command("action update off").await;
    stage.cycle(Reading::Incremental).await;
    let told = explained(&stage, "u1").await;
    assert!(told.contains("Koch  <- attribute `surname`; sent Lee; would be written\n"), "{told}");
    assert!(told.contains("\nplanned\n  update, because: "), "{told}");
}

#[tokio::test]
async fn somebody_who_is_left_out_is_told_by_what() {
    let mut stage = begun(&LINES).await;
    stage.command("people guests out").await;
    stage.cycle(Reading::Incremental).await;
    let told = explained(&stage, "bo@home.example").await;
    assert!(
        told.contains(
            "\nscope\n  selected through the application\n  guests are not in scope (scope.users.guests = false)\n  enabled in the source\n  \
             out of scope: deactivate\n"
        ),
        "{told}"
    );
    assert!(told.contains("wanted inactive, inactive in the target\n"), "{told}");
}

/// Who never had an account is not said to lose one, nor to be looked for.
#[tokio::test]
async fn somebody_who_never_was_there_is_told_to_get_nothing() {
    let mut stage = Stage::new();
    stage.command("people guests out").await;
    for line in LINES {
        stage.command(line).await;
    }
    stage.cycle(Reading::Incremental).await;
    let told = explained(&stage, "u2").await;
    assert!(
        told.starts_with("story: user bo@home.example (u2)\n\nlink\n  not wanted, and not there\n"),
        "{told}"
    );
    assert!(told.contains("\n  out of scope, so no account is made\n"), "{told}");
    assert!(told.contains("the target would be asked for `userName` equal to \"bo@home.example\""), "{told}");
    assert!(told.ends_with("\nplanned\n  nothing\n"), "{told}");
}

#[tokio::test]
async fn nobody_is_nobody_and_before_the_first_cycle_there_is_nothing_to_tell() {
    let stage = begun(&LINES).await;
    let job = stage.job();
    let told =
        cycle::explain(job.standing(), &stage.store, "zoe", stage.now()).await.expect("the state is read");
    assert_eq!(told.map(|told| told.len()), Some(0));
    let fresh = Stage::new();
    let told =
        cycle::explain(job.standing(), &fresh.store, "u1", fresh.now()).await.expect("the state is read");
    assert!(told.is_none());
}

#[tokio::test]
async fn the_history_is_newest_first_and_has_the_memberships() {
    let mut stage = begun(&LINES).await;
    stage.command("person u1 ann@x.example Ann Koch").await;
    stage.cycle(Reading::Incremental).await;
    let job = stage.job();
    let told =
        cycle::explain(job.standing(), &stage.store, "u1", stage.now()).await.expect("the state is read");
    let classes: Vec<String> =
        told.expect("a cycle").remove(0).history.into_iter().map(|entry| entry.class).collect();
    assert_eq!(classes, ["update", "add_members (Sales)", "create"]);
}
