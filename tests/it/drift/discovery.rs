//! Account discovery: whose the accounts and teams of the target are, in a dry run.

use rosterd::plan::Discovery;
use rosterd::store::Author;
use rosterd::store::WriteAct;

use super::*;
use crate::services::lying::Lying;

async fn discovered(stage: &Stage, reading: Reading) -> Option<Discovery> {
    stage.text.set(stage.directory.text());
    let (stop, now) = (CancellationToken::new(), stage.now());
    let clock = move || now;
    let how = How { reading, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
    cycle::plan(&stage.job(), &stage.store, how).await.expect("a plan").header.discovery
}

/// A push tenant's account in the workspace.
async fn pushed(stage: &Stage, name: &str) {
    let body = json!({"userName": name});
    let kind = rosterd::scim::ResourceType::User;
    let act = WriteAct::Create {
        kind,
        id: ResourceId(format!("push-{name}")),
        incoming: rosterd::scim::incoming(kind, Dialect::Tolerant, &body).expect("a user"),
        dialect: Dialect::Tolerant,
    };
    let author = Author::push("entra", "t1", false, stage.now());
    let written = stage.store.write_resources("main", author, vec![act.into()]).await.expect("the store");
    assert!(written[0].is_ok(), "{written:?}");
}

/// By userName, by the second matching attribute, by several, by nobody.
#[tokio::test]
async fn accounts_are_linked_owned_by_another_adoptable_ambiguous_or_local() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    let stage = &mut scene.stage;
    play(
        stage,
        &[
            "target EVE@x.example",
            "target hidden@x.example mail=fay@x.example",
            "target gus1@x.example mail=gus@x.example",
            "target gus2@x.example mail=gus@x.example",
            "target root@x.example",
            "target-team Crew",
            "target-team Elsewhere",
            "person u5 eve@x.example Eve Orr",
            "person u6 fay@x.example Fay Orr",
            "person u7 gus@x.example Gus Orr",
            "group g2 crew u5",
            "app u1 u2 u3 u4 u5 u6 u7 g:g1 g:g2",
        ],
    )
    .await;
    pushed(stage, "push@x.example").await;
    let before = stage.workspace().await;
    let found = discovered(stage, Reading::Full).await.expect("a full plan looks");
    let id =
        |name: &str| found.resources.iter().find(|one| one.name == name).expect("it is named").id.clone();
    let expected = [
        "accounts: 4 linked, 1 owned by another, 2 adoptable, 2 ambiguous, 1 local".to_owned(),
        format!("  owned by another: push@x.example ({}), push entra", id("push@x.example")),
        format!("  adoptable: EVE@x.example ({}), by userName: u5", id("EVE@x.example")),
        format!(
            "  adoptable: hidden@x.example ({}), by emails[type eq \"work\"].value: u6",
            id("hidden@x.example")
        ),
        format!(
            "  ambiguous: gus1@x.example ({}), by emails[type eq \"work\"].value: u7",
            id("gus1@x.example")
        ),
        format!(
            "  ambiguous: gus2@x.example ({}), by emails[type eq \"work\"].value: u7",
            id("gus2@x.example")
        ),
        format!("  local: root@x.example ({})", id("root@x.example")),
        "teams: 1 linked, 0 owned by another, 1 adoptable, 0 ambiguous, 1 local".to_owned(),
        format!("  adoptable: Crew ({}), by displayName: g2", id("Crew")),
        format!("  local: Elsewhere ({})", id("Elsewhere")),
    ];
    assert_eq!(found.lines(), expected);
    assert_eq!(stage.workspace().await, before, "it writes nothing");
    assert_eq!(
        discovered(stage, Reading::Incremental).await,
        None,
        "an ordinary plan does not list the target"
    );
}

#[tokio::test]
async fn a_first_plan_looks_and_a_list_that_is_not_whole_is_a_lower_bound() {
    let mut scene = Scene::empty(Over::Workspace).await;
    play(
        &mut scene.stage,
        &["person u1 ann@x.example Ann Lee", "app u1", "target ann@x.example", "target root@x.example"],
    )
    .await;
    let inner = Arc::clone(&scene.stage.target);
    let partial = Some("it showed 1 of 2".to_owned());
    scene.stage.target = Arc::new(Lying { inner, shows: 1, partial });
    let found = discovered(&scene.stage, Reading::Incremental).await.expect("a first plan looks");
    let lines = found.lines();
    assert_eq!(lines[0], "accounts: 0 linked, 0 owned by another, 1 adoptable, 0 ambiguous, 0 local");
    assert_eq!(lines[1], "  there may be more: the target's list may not be whole: it showed 1 of 2");
}

#[tokio::test]
async fn what_another_job_has_is_named_with_the_job() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    let mut other = Stage::new();
    other.store = scene.stage.store.clone();
    other.target = Arc::clone(&scene.stage.target);
    other.name = "other".to_owned();
    play(&mut other, &["person w1 wes@x.example Wes Orr", "app w1"]).await;
    cycle(&mut other).await;
    let found = discovered(&scene.stage, Reading::Full).await.expect("a full plan looks");
    let line = found.lines().into_iter().find(|line| line.contains("wes@")).expect("it is named");
    assert!(line.ends_with(", job other"), "{line}");
    scene.stage.drift.discovered = 0;
    let found = discovered(&scene.stage, Reading::Full).await.expect("a full plan looks");
    assert_eq!(found.resources, [], "the setting bounds what is named, not what is counted");
    assert!(found.lines()[0].contains("1 owned by another"));
}
