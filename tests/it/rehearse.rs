//! `plan --with`: what edited rules would change, from what was seen last.

use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::cycle::Planned;
use rosterd::model::Reading;
use rosterd::plan::Change;
use tokio_util::sync::CancellationToken;

use crate::support::story::Stage;

/// The lines of the directory, then a first cycle with today's rules.
async fn begun(lines: &[&str]) -> Stage {
    let mut stage = Stage::new();
    for line in lines {
        stage.command(line).await;
    }
    stage.cycle(Reading::Incremental).await;
    stage
}

/// Rehearses the rules with these settings edited.
async fn rehearsed(stage: &mut Stage, edits: &[&str]) -> Option<Planned> {
    let today = stage.job();
    for edit in edits {
        stage.command(edit).await;
    }
    let edited = stage.job();
    let (stop, now) = (CancellationToken::new(), stage.now());
    let clock = move || now;
    let how =
        How { reading: Reading::Incremental, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
    cycle::rehearse(&today, &edited, &stage.store, how).await.expect("a rehearsal")
}

async fn told(planned: &Planned) -> String {
    let mut told = String::new();
    let mut line = |change: Change| told += &format!("{} {}\n", change.class.word(), change.name);
    planned.changes(&mut line).await.expect("the plan is read");
    told + &planned.header.notes.iter().map(|note| format!("note: {note}\n")).collect::<String>()
}

const REHEARSAL: &str =
    "note: a rehearsal: the target was not asked who is there already, so some creations may be adoptions\n";
const NOTHING_WAITED: &str = "note: nothing waits today, so all of this comes from the edit\n";

#[tokio::test]
async fn an_edit_is_rehearsed_without_a_read_and_leaves_no_trace() {
    let lines =
        ["person u1 ann@x.example Ann Lee", "person u2 bo@home.example Bo Ng userType=Guest", "app u1 u2"];
    let mut stage = begun(&lines).await;
    let (asked, state) = (stage.job().source.requests(), stage.workspace().await);
    // The source could not even be read.
    stage.text.set("gone");
    let planned = rehearsed(&mut stage, &["people guests out"]).await.expect("something was seen");
    assert_eq!(
        told(&planned).await,
        format!(
            "deactivate bo@home.example\n{NOTHING_WAITED}\
             note: 1 person is left out: guests are not in scope (scope.users.guests = false)\n{REHEARSAL}"
        )
    );
    assert_eq!((stage.job().source.requests(), stage.workspace().await), (asked, state));
    stage.command("people guests in").await;
    assert_eq!(stage.cycle(Reading::Incremental).await, "nothing\n");
}

#[tokio::test]
async fn what_today_s_rules_do_as_well_is_counted_and_not_shown() {
    let lines = ["person u1 ann@x.example Ann Lee", "app u1", "action create off"];
    let mut stage = begun(&lines).await;
    // Ann waits: creating is switched off. The edit changes nothing about her.
    let planned = rehearsed(&mut stage, &["people guests out"]).await.expect("something was seen");
    assert_eq!(
        told(&planned).await,
        format!(
            "note: of what waits today, 1 would be done as well (not shown), and would not be done any more: none\n{REHEARSAL}"
        )
    );
    assert!(planned.header.counts.is_empty());
}

#[tokio::test]
async fn what_would_not_be_done_any_more_is_told_by_class() {
    let lines = ["person u1 ann@home.example Ann Lee userType=Guest", "app u1", "action create off"];
    let mut stage = begun(&lines).await;
    let planned = rehearsed(&mut stage, &["people guests out"]).await.expect("something was seen");
    assert!(
        told(&planned).await.starts_with(
            "note: of what waits today, 0 would be done as well (not shown), and would not be done any more: 1 create\n"
        ),
        "{}",
        told(&planned).await
    );
}

#[tokio::test]
async fn groups_that_no_cycle_has_read_are_named() {
    let mut stage = begun(&["person u1 ann@x.example Ann Lee", "app u1"]).await;
    let planned = rehearsed(&mut stage, &["teams name:Sales"]).await.expect("something was seen");
    let told = told(&planned).await;
    assert!(
        told.ends_with(
            "note: never read: the group name:Sales; nobody is in scope through it here; with the edited settings run: \
             rosterd plan story --full\n"
        ),
        "{told}"
    );
}

#[tokio::test]
async fn before_the_first_cycle_there_is_nothing_to_rehearse_with() {
    let mut stage = Stage::new();
    assert!(rehearsed(&mut stage, &["people guests out"]).await.is_none());
}
