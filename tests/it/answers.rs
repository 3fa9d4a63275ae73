//! What an answer of the target makes of what is known of it: a team that is gone, values that it shows otherwise.

use std::sync::Arc;
use std::time::Duration;

use rosterd::client::Clock;
use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::model::Applied;
use rosterd::model::Reading;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::targets::Lookup;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use serde_json::Value;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::acts::cycle;
use crate::support::acts::play;
use crate::support::refusing::Refusing;
use crate::support::story::Stage;
use crate::support::story::workspace;

async fn team(stage: &Stage, name: &str) -> ResourceId {
    let lookup = Lookup { kind: Kind::Group, path: "displayName".to_owned(), value: name.to_owned() };
    let found = stage.target.find(&[lookup]).await.expect("it answers");
    found[0][0].id.clone()
}

/// Somebody deletes it in the target.
async fn loses(stage: &Stage, name: &str) {
    let id = team(stage, name).await;
    let done = stage.target.apply(&[Operation::Delete { kind: Kind::Group, id }]).await.expect("it answers");
    assert!(matches!(done[0], Outcome::Done { .. }));
}

async fn in_step() -> Stage {
    let mut stage = Stage::new();
    play(
        &mut stage,
        &[
            "person u0 p0@x.example Pat Doe",
            "person u1 p1@x.example Kim Roe",
            "person u2 p2@x.example Sam Poe",
            "group g1 Sales u0 u1",
            "app u0 u1 u2 g:g1",
        ],
    )
    .await;
    cycle(&mut stage).await;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    stage
}

#[tokio::test]
async fn a_team_that_is_wanted_and_gone_is_found_by_a_removal_and_made_anew_with_its_members() {
    let mut stage = in_step().await;
    loses(&stage, "Sales").await;
    play(&mut stage, &["group g1 Sales u0"]).await;
    assert!(cycle(&mut stage).await.starts_with("1 remove_members failed\n"));
    let output = cycle(&mut stage).await;
    assert_eq!(output, "1 create\n1 add_members\n", "the lost anchor is made anew");
    assert!(stage.workspace().await.contains("[Sales] p0@x.example\n"));
    assert_eq!(cycle(&mut stage).await, "nothing\n");
}

#[tokio::test]
async fn a_team_that_is_wanted_and_gone_is_found_by_an_addition_and_made_anew_with_its_members() {
    let mut stage = in_step().await;
    loses(&stage, "Sales").await;
    play(&mut stage, &["group g1 Sales u0 u1 u2"]).await;
    assert!(cycle(&mut stage).await.starts_with("1 add_members failed\n"));
    assert_eq!(cycle(&mut stage).await, "1 create\n3 add_members\n");
    assert!(stage.workspace().await.contains("[Sales] p0@x.example p1@x.example p2@x.example\n"));
    assert_eq!(cycle(&mut stage).await, "nothing\n");
}

#[tokio::test]
async fn a_team_that_is_to_be_empty_and_is_gone_is_done_with() {
    let mut stage = in_step().await;
    loses(&stage, "Sales").await;
    play(&mut stage, &["app u0 u1 u2"]).await;
    assert_eq!(cycle(&mut stage).await, "2 remove_members\n");
    assert_eq!(cycle(&mut stage).await, "nothing\n");
}

/// What the service shows of somebody, as the state remembers it.
async fn shown(stage: &Stage, who: &str, path: &str) -> Option<Value> {
    let job = stage.store.job(&stage.name).await.expect("a job").id;
    let link = stage.store.links_called(job, who).await.expect("the state is read")[0].link;
    match stage.store.accepted(link).await.expect("the state is read") {
        Some((_, Applied::Active(is) | Applied::Inactive(is))) => is.shown.get(path).cloned(),
        _ => None,
    }
}

/// A service that writes names its own way, and answers changes without showing what became of them (204).
#[tokio::test]
async fn what_the_service_shows_otherwise_is_remembered_over_an_answer_that_shows_nothing() {
    let mut stage = Stage::new();
    let target = Arc::new(Refusing::new(workspace(&stage.store)));
    target.refuse(|operation| match operation {
        Operation::Create { kind: Kind::User, .. } => {
            let shown = json!({"id": "r9", "userName": "p0@x.example", "active": true,
                "name": {"givenName": "PAT", "familyName": "DOE"}});
            Some(Outcome::Done { id: ResourceId("r9".to_owned()), shown: Some(shown) })
        }
        Operation::Patch { id, .. } => Some(Outcome::Done { id: id.clone(), shown: None }),
        _ => None,
    });
    stage.target = target;
    play(&mut stage, &["person u0 p0@x.example Pat Doe", "app u0"]).await;
    assert_eq!(cycle(&mut stage).await, "1 create\n");
    assert_eq!(shown(&stage, "u0", "name.givenName").await, Some(json!("PAT")));
    play(&mut stage, &["person u0 p0@x.example Pat Doe disabled"]).await;
    assert_eq!(cycle(&mut stage).await, "1 deactivate\n");
    assert_eq!(
        shown(&stage, "u0", "name.givenName").await,
        Some(json!("PAT")),
        "it was not part of the write"
    );
    play(&mut stage, &["person u0 p0@x.example Pim Doe"]).await;
    assert_eq!(cycle(&mut stage).await, "1 reactivate\n");
    assert_eq!(shown(&stage, "u0", "name.givenName").await, Some(json!("Pim")), "as it was sent");
    assert_eq!(shown(&stage, "u0", "name.familyName").await, Some(json!("DOE")));
}

/// A request that nobody answered may be carried out for two hours: the next cycle waits for so long, by its own clock.
#[tokio::test]
async fn what_may_still_be_under_way_is_waited_for_by_the_clock_of_the_cycle() {
    let mut stage = Stage::new();
    let two_hours = Duration::from_secs(7_200);
    let mut target = Refusing::new(workspace(&stage.store));
    target.patience = two_hours;
    let target = Arc::new(target);
    target.refuse(|_| Some(Outcome::Unknown { detail: "no answer".to_owned() }));
    stage.target = target.clone();
    play(&mut stage, &["person u0 p0@x.example Pat Doe", "app u0"]).await;
    cycle(&mut stage).await;
    target.refuse(|_| None);
    let (clock, stop) = (Clock::played(stage.now()), CancellationToken::new());
    let (began, reading) = (clock.now(), Reading::Incremental);
    let how = How { reading, verify: false, now: began, clock: &clock, watch: &|_| {}, stop: &stop };
    let record = cycle::run(&stage.job(), &stage.store, how).await.expect("a cycle");
    assert_eq!((record.written(), record.failures()), (1, 0));
    // The first cycle ended with the time of its begin; 40 minutes have passed since.
    let waited = clock.now().duration_since(began).as_secs();
    assert!((4_800..=7_200).contains(&waited), "{waited}");
}

/// An exemption says that the change is not made: then it does not fail either.
#[tokio::test]
async fn what_was_rejected_is_not_told_as_failed() {
    let mut stage = Stage::new();
    let target = Arc::new(Refusing::new(workspace(&stage.store)));
    target.refuse(|_| Some(Outcome::Refused { status: 400, detail: "no".to_owned() }));
    stage.target = target.clone();
    play(&mut stage, &["person u0 p0@x.example Pat Doe", "person u1 p1@x.example Kim Roe", "app u0 u1"])
        .await;
    cycle(&mut stage).await;
    let job = stage.store.job(&stage.name).await.expect("a job").id;
    assert_eq!(stage.store.failed_changes(job).await.expect("a list").len(), 2);
    play(&mut stage, &["reject u0 86400"]).await;
    cycle(&mut stage).await;
    let failed = stage.store.failed_changes(job).await.expect("a list");
    assert_eq!(failed.iter().map(|one| one.source.0.as_str()).collect::<Vec<_>>(), ["u1"]);
    assert_eq!(stage.store.failed_counts(job).await.expect("a count").total, 1);
}
