//! Faults, the control interface, seeds and the scripted day.

use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::Route;
use rosterd::simulators::Size;
use rosterd::simulators::Snapshot;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;
use rosterd::simulators::demo_day;
use serde_json::json;
use std::collections::BTreeSet;

use super::SMALL;
use super::Served;
use super::graph_with;
use super::link;
use super::morning;
use super::own;

#[tokio::test]
async fn faults_hit_the_request_they_are_meant_for() {
    let served = Served::graph(World::new(Flavour::Graph, SMALL, 1, morning())).await;
    let list = "/v1.0/users?$top=10";
    let fault = |trouble| served.world.fault(Fault::next(Route::UsersList, trouble));
    fault(Trouble::Drop);
    assert!(served.send(list).await.is_err());
    fault(Trouble::Truncate);
    assert!(served.send(list).await.unwrap().bytes().await.is_err());
    fault(Trouble::Empty);
    let empty = served.ok(list).await;
    assert_eq!((&empty["value"], empty.get("@odata.nextLink")), (&json!([]), None));
    fault(Trouble::ForeignHost);
    assert!(
        served.ok(list).await["@odata.nextLink"]
            .as_str()
            .unwrap()
            .starts_with("http://graph.foreign.example/")
    );
    fault(Trouble::RepeatCursor);
    assert_eq!(served.ok(list).await["@odata.nextLink"], format!("{}{list}", served.base));
    fault(Trouble::Html { status: 502 });
    let page = served.send(list).await.unwrap();
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (502, &"text/html".parse().unwrap())
    );
    fault(Trouble::Deny);
    assert_eq!(served.get(list).await.1["error"]["code"], "Authorization_RequestDenied");
    fault(Trouble::Status { status: 429, retry_after: Some(own("0.5")) });
    let throttled = served.send(list).await.unwrap();
    assert_eq!(
        (throttled.status().as_u16(), &throttled.headers()["retry-after"]),
        (429, &"0.5".parse().unwrap())
    );
    served.ok(list).await;

    let okta = Served::okta(World::new(Flavour::Okta, SMALL, 1, morning())).await;
    let list = format!("/api/v1/apps/{OKTA_APP_ID}/users?limit=10&expand=user");
    okta.world.fault(Fault::next(Route::AppUsers, Trouble::LoseExpand));
    assert!(!link(&okta.send(&list).await.unwrap(), "next").unwrap().contains("expand"));
    okta.world.fault(Fault::next(Route::AppUsers, Trouble::OneLinkHeader));
    let answer = okta.send(&list).await.unwrap();
    assert_eq!(answer.headers().get_all("link").iter().count(), 1);
    assert!(link(&answer, "next").is_some());
}

#[tokio::test]
async fn the_control_interface_changes_the_directory_and_tells_what_to_expect() {
    let served = Served::graph(graph_with(&["ann@x.example"], &[])).await;
    let changes = json!([
        { "change": "hire", "login": "bob@x.example", "given_name": "Bob", "assigned": true },
        { "change": "assign", "principal": "ann@x.example" },
        { "change": "rename", "who": "ann@x.example", "surname": "Koch" },
    ]);
    let (status, body) = served.post("/_control/changes", &changes).await;
    assert_eq!((status, body), (200, json!({ "done": 3 })));
    let snapshot: Snapshot = serde_json::from_value(served.ok("/_control/snapshot").await).unwrap();
    assert_eq!(snapshot, served.world.snapshot());
    let surnames: BTreeSet<_> = snapshot.people.values().map(|person| person.surname.clone()).collect();
    assert_eq!(surnames, BTreeSet::from([None, Some(own("Koch"))]));

    let (status, body) =
        served.post("/_control/changes", &json!([{ "change": "disable", "who": "nobody" }])).await;
    assert_eq!((status, &body["index"]), (409, &json!(0)));
    let faults = json!([{ "route": "users_list", "trouble": { "status": { "status": 503 } } }]);
    assert_eq!(served.post("/_control/faults", &faults).await.0, 200);
    assert_eq!(served.get("/v1.0/users").await.0, 503);
    let counters = served.ok("/_control/counters").await;
    assert_eq!(counters["requests"], json!({ "users_list": 1 }));
}

#[test]
fn the_same_seed_gives_the_same_directory_and_another_seed_another() {
    for flavour in [Flavour::Graph, Flavour::Okta] {
        let snapshot = |seed| World::new(flavour, SMALL, seed, morning()).snapshot();
        assert_eq!(snapshot(5), snapshot(5));
        assert_ne!(snapshot(5), snapshot(6));
    }
}

#[test]
fn a_seed_assigns_most_people_and_its_awkward_names_are_there() {
    let size = Size { users: 1000, groups: 12, memberships_per_user: 3 };
    for flavour in [Flavour::Graph, Flavour::Okta] {
        let snapshot = World::new(flavour, size, 2, morning()).snapshot();
        assert!((800..950).contains(&snapshot.people.len()), "{}", snapshot.people.len());
        assert_eq!(snapshot.teams().count(), 4);
        assert!(snapshot.teams().all(|(_, team)| !team.members.is_empty()));
    }
    let everybody =
        World::seeded(Flavour::Graph, size, rosterd::simulators::Assigned::Everyone, 2, morning());
    assert_eq!(everybody.snapshot().people.len(), 1000);
    let logins: BTreeSet<String> =
        everybody.snapshot().people.into_values().map(|person| person.login).collect();
    assert!(logins.contains("siobhan.o'brien@acme.example"));
    assert!(logins.contains("ines.moreau_partner.example#EXT#@acme.example"));
}

#[test]
fn the_scripted_day_can_be_carried_out_in_both_flavours() {
    let size = Size { users: 120, groups: 12, memberships_per_user: 2 };
    for flavour in [Flavour::Graph, Flavour::Okta] {
        let world = World::new(flavour, size, 42, morning());
        let day = demo_day(&world);
        assert_eq!(day, demo_day(&world));
        assert!(day.len() >= 12, "{day:?}");
        for (said, change) in day {
            world.change(change).unwrap_or_else(|error| panic!("{said}: {error}"));
        }
    }
}

/// What the command line takes stands in the documentation, by its name.
#[tokio::test]
async fn every_knob_of_both_services_is_documented() {
    let documented = include_str!("../../../docs/simulators.md");
    let graph = Served::graph(graph_with(&[], &[])).await;
    let okta = Served::okta(World::empty(Flavour::Okta, morning())).await;
    for served in [graph, okta] {
        let knobs = served.ok("/_control/knobs").await;
        let told = |name: &&String| {
            [format!("`{name}`"), format!("`{name}."), format!("`{name}=")]
                .iter()
                .any(|text| documented.contains(text))
        };
        let missing: Vec<&String> = knobs.as_object().unwrap().keys().filter(|name| !told(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

#[tokio::test]
async fn the_clock_runs_as_fast_as_somebody_says_and_dates_follow_it() {
    let served = Served::graph(World::new(Flavour::Graph, SMALL, 1, morning())).await;
    let date = async || {
        let answer = served.send("/_control/clock").await.expect("an answer");
        let date = answer.headers()["date"].to_str().expect("a text").to_owned();
        jiff::fmt::rfc2822::parse(&date).expect("a date").timestamp()
    };
    served.world.set_speed(86_400);
    let begun = served.world.now();
    let (one, other) = (date().await, date().await);
    // A request takes more than the fifth of a millisecond that a quarter of a minute takes there.
    assert!(begun < other && one < other, "{begun} {one} {other}");
    served.world.set_speed(1);
    assert!(served.world.now() >= other, "it does not go back");
    let told = morning();
    served.world.go_by(move || told);
    assert_eq!((served.world.now(), date().await), (told, told));
}
