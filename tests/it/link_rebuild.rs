//! `rosterd link rebuild`: the state is lost in the middle of a life, the target is full, and the directory goes on changing.

use std::sync::Arc;

use rosterd::client::Secret;
use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::cycle::Rebuilding;
use rosterd::cycle::Rebuilt;
use rosterd::model::Reading;
use rosterd::scim::Dialect;
use rosterd::scim::Kind;
use rosterd::server::Settings;
use rosterd::store::ByHand;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;
use tokio_util::sync::CancellationToken;

use super::server::Served;
use super::support::host::Host;
use super::support::story::Stage;

const LIFE: [&str; 5] = [
    "person u1 ann@x.example Ann Lee",
    "person u2 bo@x.example Bo Ng",
    "person u3 cy@x.example Cy Ito",
    "group g1 Sales u1 u2 u3",
    "app u1 u2 u3 g:g1",
];

async fn play(stage: &mut Stage, lines: &[&str]) {
    for line in lines {
        assert_eq!(stage.command(line).await, None, "{line} says nothing");
    }
}

async fn cycle_of(stage: &mut Stage) -> String {
    stage.command("cycle").await.expect("an outcome").trim_end().to_owned()
}

/// The same directory and the same target, and a state that knows nothing of them.
fn lost(before: &Stage) -> Stage {
    let mut after = Stage::new();
    after.directory = before.directory.clone();
    after.target = before.target.clone();
    after
}

async fn rebuilt(stage: &Stage, dry: bool) -> Rebuilt {
    stage.text.set(stage.directory.text());
    let (stop, now) = (CancellationToken::new(), stage.now());
    let clock = move || now;
    let how =
        How { reading: Reading::Incremental, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
    let by = ByHand { who: "test".to_owned(), reason: "lost".to_owned(), now_second: stage.second };
    let wish = Rebuilding { workspace: None, dry, by };
    cycle::rebuild(&stage.job(), &stage.store, how, wish).await.expect("links")
}

fn told(rebuilt: &Rebuilt) -> String {
    let count = |kind| rebuilt.passed.get(&kind).copied().unwrap_or_default();
    let proposed: Vec<&str> = rebuilt.proposed.iter().map(|one| one.who.source.0.as_str()).collect();
    let absent: Vec<&str> = rebuilt.absent.iter().map(|one| one.source.0.as_str()).collect();
    let former: Vec<&str> = rebuilt.former.iter().map(|one| one.name.as_str()).collect();
    format!(
        "{} users {} teams {} memberships; proposed {proposed:?} unsure {} absent {absent:?} former {former:?}",
        count(Kind::User),
        count(Kind::Group),
        rebuilt.passage.memberships,
        rebuilt.unsure.len()
    )
}

const WHOLE: &str = "3 users 1 teams 3 memberships; proposed [] unsure 0 absent [] former []";

#[tokio::test]
async fn a_life_goes_on_after_the_state_was_lost() {
    let mut before = Stage::new();
    play(&mut before, &LIFE).await;
    assert_eq!(cycle_of(&mut before).await, "4 create\n3 add_members");
    let mut after = lost(&before);
    let dry = rebuilt(&after, true).await;
    assert_eq!(told(&dry), WHOLE);
    assert!(after.store.find_job("story").await.expect("a state").is_none(), "a dry run leaves nothing (P3)");
    let made = rebuilt(&after, false).await;
    assert_eq!(told(&made), WHOLE);
    assert!(made.planned.header.counts.is_empty(), "{:?}", made.planned.header.counts);
    assert_eq!(cycle_of(&mut after).await, "nothing");

    play(
        &mut after,
        &[
            "person u1 anna@x.example Anna Lee",
            "deleted u2",
            "person u4 di@x.example Di Fox",
            "group g1 Sales u1 u3 u4",
            "app u1 u3 u4 g:g1",
        ],
    )
    .await;
    assert_eq!(
        cycle_of(&mut after).await,
        "1 rename\n1 create\n1 add_members\n1 remove_members\n1 deactivate"
    );
    let expected = "[Sales] anna@x.example cy@x.example di@x.example\nanna@x.example Anna Lee\nbo@x.example Bo Ng inactive\n\
        cy@x.example Cy Ito\ndi@x.example Di Fox\n";
    assert_eq!(before.workspace().await, expected);
    // Only what is missing is added.
    let again = rebuilt(&after, false).await;
    assert_eq!(told(&again), "0 users 0 teams 0 memberships; proposed [] unsure 0 absent [] former []");
    assert_eq!(cycle_of(&mut after).await, "nothing");
}

#[tokio::test]
async fn a_remote_service_is_listed_and_paired_over_http() {
    let store = rosterd::store::Store::in_memory().expect("a store");
    let served = Served::over(store, Dialect::Strict, Settings::default()).await;
    let url = format!("{}/scim/v2", served.root).parse().expect("an address");
    let settings = RemoteSettings::new(url, vec![Secret::new(served.token.clone())]);
    let mut before = Stage::new();
    before.target = Arc::new(RemoteTarget::new(settings).expect("a client"));
    play(&mut before, &LIFE).await;
    assert_eq!(cycle_of(&mut before).await, "4 create\n3 add_members");
    let mut after = lost(&before);
    let made = rebuilt(&after, false).await;
    assert_eq!(told(&made), WHOLE);
    assert!(made.planned.header.counts.is_empty(), "{:?}", made.planned.header.counts);
    assert_eq!(cycle_of(&mut after).await, "nothing");
    play(
        &mut after,
        &["person u1 anna@x.example Anna Lee", "person u4 di@x.example Di Fox", "app u1 u2 u3 u4 g:g1"],
    )
    .await;
    assert_eq!(cycle_of(&mut after).await, "1 rename\n1 create");
    let users = served.call("GET", "/Users", None).await;
    assert_eq!(users.body["totalResults"], 4);
}

/// What was not shown may be there: who is not in such a list is looked for, and nobody is said to be ours formerly.
#[tokio::test]
async fn a_list_that_may_not_be_whole_proves_no_absence() {
    let store = rosterd::store::Store::in_memory().expect("a store");
    let served = Served::over(store, Dialect::Strict, Settings::default()).await;
    let url: url::Url = format!("{}/scim/v2", served.root).parse().expect("an address");
    let target = |trusted: bool| {
        let mut settings = RemoteSettings::new(url.clone(), vec![Secret::new(served.token.clone())]);
        settings.profile.listing_trusted = trusted;
        Arc::new(RemoteTarget::new(settings).expect("a client"))
    };
    let mut before = Stage::new();
    before.target = target(true);
    play(&mut before, &LIFE).await;
    cycle_of(&mut before).await;
    for (trusted, former) in [(false, "[]"), (true, "[\"cy@x.example\"]")] {
        let mut after = lost(&before);
        after.target = target(trusted);
        play(&mut after, &["drop u3", "group g1 Sales u1 u2", "app u1 u2 g:g1"]).await;
        let made = rebuilt(&after, false).await;
        let expected = "2 users 1 teams 2 memberships; proposed [] unsure 0 absent [] former ";
        assert_eq!(told(&made), format!("{expected}{former}"));
        assert_eq!(made.partial.is_empty(), trusted, "{:?}", made.partial);
        assert_eq!(cycle_of(&mut after).await, "nothing");
    }
}

/// Whoever left while nothing was known is named, and nobody touches the account.
#[tokio::test]
async fn who_is_no_longer_in_the_source_is_named_and_left_alone() {
    let mut before = Stage::new();
    play(&mut before, &LIFE).await;
    cycle_of(&mut before).await;
    let mut after = lost(&before);
    play(&mut after, &["drop u3", "group g1 Sales u1 u2", "app u1 u2 g:g1"]).await;
    let made = rebuilt(&after, false).await;
    assert_eq!(
        told(&made),
        "2 users 1 teams 2 memberships; proposed [] unsure 0 absent [] former [\"cy@x.example\"]"
    );
    assert_eq!(made.foreign, [("Sales".to_owned(), "cy@x.example".to_owned())]);
    assert_eq!(cycle_of(&mut after).await, "nothing");
    let now = before.workspace().await;
    assert!(
        now.contains("\ncy@x.example Cy Ito\n")
            && now.contains("[Sales] ann@x.example bo@x.example cy@x.example\n"),
        "{now}"
    );
}

/// The default policy would take over whoever has the name; after a lost state that is a guess.
#[tokio::test]
async fn who_is_found_by_the_name_alone_is_proposed_and_never_guessed() {
    let mut stage = Stage::new();
    play(&mut stage, &["target ann@x.example", "person u1 ann@x.example Ann Lee", "app u1"]).await;
    let made = rebuilt(&stage, false).await;
    assert_eq!(told(&made), "0 users 0 teams 0 memberships; proposed [\"u1\"] unsure 0 absent [] former []");
    assert_eq!(
        cycle_of(&mut stage).await,
        "u1 link by link rebuild emails[type eq \"work\"].value -->ann@x.example externalId -->u1 \
         name.familyName -->Lee name.givenName -->Ann (held: Adoption)"
    );
    assert!(
        stage
            .command("reads u1")
            .await
            .expect("a hold")
            .contains("may have been ours before the state was lost")
    );
    assert_eq!(stage.resources(Kind::User).await.len(), 1, "nobody is made beside it");
    assert_eq!(stage.command("approve u1").await.as_deref(), Some("1 approved\n"));
    assert_eq!(cycle_of(&mut stage).await, "1 create");
    assert_eq!(stage.workspace().await, "ann@x.example Ann Lee\n");
    assert_eq!(cycle_of(&mut stage).await, "nothing");
}

/// P6, though it bears our id.
#[tokio::test]
async fn who_is_not_active_there_is_proposed() {
    let mut stage = Stage::new();
    play(
        &mut stage,
        &["target ann.before@x.example external=u1 inactive", "person u1 ann@x.example Ann Lee", "app u1"],
    )
    .await;
    let made = rebuilt(&stage, false).await;
    assert_eq!(told(&made), "0 users 0 teams 0 memberships; proposed [\"u1\"] unsure 0 absent [] former []");
    assert!(cycle_of(&mut stage).await.ends_with("(held: Adoption)"));
    let now = stage.workspace().await;
    assert!(
        now.contains("ann.before@x.example") && now.contains("inactive") && now.lines().count() == 1,
        "{now}"
    );
}

/// Links forgotten on purpose, in a workspace that still knows whose everything is.
#[test]
fn the_command_tells_what_came_back_and_writes_what_is_proposed() {
    let host = Host::new();
    host.run(&["enable", "hr"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    assert_eq!(host.run(&["restart", "hr", "--links", "--reason", "rehearsal"]).code, 0);
    host.people(&["ann"]);
    let csv = host.path("formerly.csv");
    let made = host.run(&["link", "rebuild", "hr", "--out", &csv.display().to_string(), "--reason", "lost"]);
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);
    let bob = made.out.lines().find(|line| line.contains("user bob@")).expect("bob").trim().to_owned();
    let expected = format!(
        "hr: links anew, from what its target has\n\
         \x20 linked      1 user, 1 team, 1 membership\n\
         \x20 formerly    1: look like ours, and the source does not show them; they stay as they are\n\
         \x20   {bob}\n\
         \x20 foreign     1: in 1 team the job does not want them, and leaves them\n\
         \x20   Sales: bob@acme.example\n\
         \x20 plan        no changes, of 1 active\n"
    );
    assert_eq!(made.out, expected);
    assert!(bob.starts_with("user bob@acme.example (u-bob)  ") && bob.ends_with(", active"), "{bob}");
    let text = std::fs::read_to_string(&csv).expect("a file");
    assert_eq!(text, format!("source,resource\n# formerly ours: {bob}\n"));
    assert_eq!(host.run(&["sync"]).code, 0);
    assert_eq!(host.run(&["workspace", "users"]).out.matches("inactive").count(), 0);
    assert!(host.run(&["link", "show", "hr", "u-ann"]).out.contains("link rebuild u-ann "));
}
