//! P16: nothing is deleted unless a setting says so. Whatever leaves, in whatever way, from whatever source: no request to
//! delete reaches the target, people are deactivated and teams are emptied.
//!
//! What each policy makes of each event: `leavers_events.rs` with `tests/cases/leavers/`; that a deletion asks its witness
//! and keeps its limit: `tests/scenarios/a_due_deletion_*.txt`.

use std::sync::Arc;

use jiff::SignedDuration;
use rosterd::client::Secret;
use rosterd::model::Reading;
use rosterd::plan::Departure;
use rosterd::plan::OnLeave;
use rosterd::plan::OnTeamLeave;
use rosterd::scim::Dialect;
use rosterd::scim::Kind;
use rosterd::server::Settings;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Status;
use rosterd::simulators::Trouble;
use rosterd::targets::Operation;
use rosterd::targets::ServiceProvider;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;
use rosterd::targets::workspace::WorkspaceTarget;

use crate::end_to_end::site::Site;
use crate::end_to_end::site::acme;
use crate::end_to_end::site::hire;
use crate::end_to_end::site::login;
use crate::server::Served;
use crate::support::acts::cycle;
use crate::support::acts::play;
use crate::support::refusing::Refusing;
use crate::support::story::Stage;
use crate::support::story::workspace;
use crate::support::without_patch::WithoutPatch;

/// A target where a deletion is the end of the test.
fn never_deletes(target: WorkspaceTarget) -> Arc<dyn ServiceProvider> {
    let target = Refusing::new(target);
    target.refuse(|operation| {
        assert!(!matches!(operation, Operation::Delete { .. }), "a deletion: {operation:?}");
        None
    });
    Arc::new(target)
}

/// How somebody or something leaves.
type Leaving = (&'static str, fn(&Site));

const BOTH: [Leaving; 9] = [
    ("unassigned", |site| site.change(Change::Unassign { principal: login("Di") })),
    ("disabled", |site| site.change(Change::Disable { who: login("Di") })),
    ("deleted", |site| site.change(Change::SoftDelete { who: login("Di") })),
    ("purged", |site| site.change(Change::Purge { who: login("Di") })),
    ("the group is unassigned", |site| site.change(Change::Unassign { principal: "Sales".to_owned() })),
    ("the group is deleted", |site| site.change(Change::DeleteGroup { group: "Sales".to_owned() })),
    ("everybody leaves the group", |site| {
        for given in ["Ann", "Bo"] {
            site.change(Change::Leave { group: "Sales".to_owned(), member: login(given) });
        }
    }),
    ("deleted, and the feeds start over", |site| {
        site.change(Change::SoftDelete { who: login("Di") });
        site.world.fault(Fault::next(Route::UsersDelta, Trouble::ExpireDelta { status: 410 }));
        site.world.fault(Fault::next(Route::GroupsDelta, Trouble::ExpireDelta { status: 410 }));
    }),
    ("everybody at once", |site| {
        for given in ["Ann", "Bo", "Cy", "Di"] {
            site.change(Change::Purge { who: login(given) });
        }
        site.change(Change::DeleteGroup { group: "Support".to_owned() });
    }),
];

const OF_GRAPH: [Leaving; 1] =
    [("the group is purged", |site| site.change(Change::PurgeGroup { group: "Sales".to_owned() }))];

const OF_OKTA: [Leaving; 2] = [
    ("suspended", |site| site.change(Change::SetStatus { who: login("Di"), status: Status::Suspended })),
    ("staged", |site| site.change(Change::SetStatus { who: login("Di"), status: Status::Staged })),
];

#[tokio::test]
async fn no_way_of_leaving_a_directory_deletes_anything() {
    for flavour in [Flavour::Graph, Flavour::Okta] {
        let more: &[Leaving] = match flavour {
            Flavour::Graph => &OF_GRAPH,
            Flavour::Okta => &OF_OKTA,
        };
        for (what, leaves) in BOTH.iter().chain(more) {
            let mut site = Site::start(acme(flavour)).await;
            hire(&site.world, "Pia", &[], true);
            site.target = never_deletes(site.workspace());
            site.cycle().await;
            let before = site.resources().await.len();
            leaves(&site);
            // At once, when everything is read anew, and weeks later, when even the recycle bin has forgotten.
            for reading in [Reading::Incremental, Reading::Full, Reading::Incremental] {
                site.try_cycle(reading).await.unwrap_or_else(|error| panic!("{flavour:?}, {what}: {error}"));
                site.world.clear_faults();
                site.now += SignedDuration::from_hours(24 * 20);
            }
            assert_eq!(
                site.resources().await.len(),
                before,
                "{flavour:?}, {what}: everybody and every team is there"
            );
            let left = site.left().await;
            assert!(!left.iter().any(|line| line.contains(" delete")), "{flavour:?}, {what}: {left:#?}");
            let plan = site.plan().await;
            assert!(!plan.iter().any(|line| line.contains(" delete")), "{flavour:?}, {what}: {plan:#?}");
        }
    }
}

/// Five people, two of them in Sales and two in Support, all in step.
async fn five() -> Stage {
    let mut stage = Stage::new();
    for n in 1..=5 {
        play(&mut stage, &[&format!("person u{n} p{n}@x.example Pat Doe{n} department=Shop")]).await;
    }
    play(&mut stage, &["group g1 Sales u1 u2", "group g2 Support u1 u4", "app u1 u2 u3 u4 u5 g:g1 g:g2"])
        .await;
    assert_eq!(cycle(&mut stage).await, "7 create\n4 add_members\n");
    stage
}

/// How somebody leaves a file, or a team; what the settings keep out leaves too.
const OF_A_FILE: [(&str, &[&str]); 9] = [
    ("unassigned", &["app u1 u2 u3 u4 g:g1 g:g2"]),
    ("no longer in the file", &["drop u2", "group g1 Sales u1", "app u1 u3 u4 u5 g:g1 g:g2"]),
    ("deleted", &["deleted u2", "group g1 Sales u1", "app u1 u3 u4 u5 g:g1 g:g2"]),
    ("in the recycle bin", &["recycled u2", "group g1 Sales u1", "app u1 u3 u4 u5 g:g1 g:g2"]),
    ("disabled", &["person u2 p2@x.example Pat Doe2 disabled department=Shop"]),
    (
        "out of a filter",
        &["filter users department EQUALS Shop", "person u2 p2@x.example Pat Doe2 department=Bar"],
    ),
    ("the group is unassigned", &["app u1 u2 u3 u4 u5 g:g2"]),
    ("the group is deleted", &["deleted g1", "app u1 u2 u3 u4 u5 g:g2"]),
    ("the group is switched off", &["team id:g1 off"]),
];

#[tokio::test]
async fn no_way_of_leaving_a_file_deletes_anything_not_even_where_one_of_the_two_settings_stands() {
    const ONE_ALONE: [&[&str]; 3] =
        [&[], &["action delete on"], &["leavers all delete", "leavers teams delete"]];
    for settings in ONE_ALONE {
        for (what, leaves) in OF_A_FILE {
            let mut stage = five().await;
            stage.target = never_deletes(workspace(&stage.store));
            play(&mut stage, settings).await;
            play(&mut stage, &["limit delete 1000 100", "limit delete_teams 1000 100"]).await;
            play(&mut stage, leaves).await;
            let mut told = cycle(&mut stage).await;
            for _ in 0..3 {
                // Whoever approves everything approves no deletion that is switched off.
                play(&mut stage, &["approve all", "later 5000000"]).await;
                told += &stage.cycle(Reading::Full).await;
            }
            let held = told.lines().filter(|line| line.contains(" delete") && !line.contains("deactivate"));
            for line in held {
                assert!(line.ends_with("(held: Action)"), "{settings:?}, {what}: {told}");
            }
            let users = stage.resources(Kind::User).await.len();
            assert_eq!(
                (users, stage.resources(Kind::Group).await.len()),
                (5, 2),
                "{settings:?}, {what}: {told}"
            );
        }
    }
}

/// The control: with both settings something is deleted, so the tests above look at the right thing.
#[tokio::test]
async fn with_both_settings_people_and_teams_are_deleted() {
    let both = ["action delete on", "leavers all delete", "leavers teams delete", "limit delete_teams 9 100"];
    for (what, leaves) in OF_A_FILE {
        let mut stage = five().await;
        play(&mut stage, &both).await;
        play(&mut stage, leaves).await;
        let mut told = cycle(&mut stage).await;
        if !told.contains(" delete") {
            play(&mut stage, &["approve all"]).await;
            told += &cycle(&mut stage).await;
        }
        let there = stage.resources(Kind::User).await.len() + stage.resources(Kind::Group).await.len();
        assert_eq!(there, 6, "{what}: {told}");
    }
}

#[tokio::test]
async fn a_team_that_leaves_scope_is_emptied_and_comes_back_as_the_same_one() {
    let mut stage = five().await;
    let id = async |stage: &Stage| {
        let teams = stage.resources(Kind::Group).await;
        teams.iter().find(|team| team["externalId"] == "g1").map(|team| team["id"].clone())
    };
    let before = id(&stage).await;
    play(&mut stage, &["app u1 u2 u3 u4 u5 g:g2"]).await;
    assert_eq!(cycle(&mut stage).await, "2 remove_members\n");
    assert!(stage.workspace().await.contains("[Sales] \n"));
    play(&mut stage, &["app u1 u2 u3 u4 u5 g:g1 g:g2"]).await;
    assert_eq!(cycle(&mut stage).await, "2 add_members\n");
    assert!(before.is_some());
    assert_eq!(id(&stage).await, before);
}

/// On the wire of a remote service: no DELETE, whatever the client makes of what the service can do.
#[tokio::test]
async fn no_delete_request_leaves_for_a_remote_service() {
    for settings in [false, true] {
        let mut site = Site::start(acme(Flavour::Graph)).await;
        hire(&site.world, "Pia", &[], true);
        let served = Served::over(site.store.clone(), Dialect::Strict, Settings::default()).await;
        let door = WithoutPatch::start(&served.root).await;
        let url = format!("{}/scim/v2", door.root).parse().expect("a URL");
        let remote = RemoteSettings::new(url, vec![Secret::new(served.token.clone())]);
        site.target = Arc::new(RemoteTarget::new(remote).expect("a client"));
        if settings {
            site.rules.actions.delete = true;
            site.rules.leavers.teams = OnTeamLeave::Delete;
            Departure::SETTINGS.into_iter().for_each(|by| site.rules.leavers.set(by, OnLeave::Delete));
        }
        site.cycle().await;
        for (_, leaves) in [BOTH[0], BOTH[4]] {
            leaves(&site);
        }
        site.cycle().await;
        site.full_cycle().await;
        assert_eq!(door.asked("DELETE") > 0, settings, "{:#?}", site.left().await);
    }
}
