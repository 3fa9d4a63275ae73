//! P1: absence is not removal. Whatever a list leaves out, nobody loses what the directory still grants; what is truly
//! gone, with a witness that confirms it, does go, down to the last member of a team.
//!
//! More stands in `end_to_end/broken_reads.rs` (each failure with its text), `end_to_end/schedules.rs` (random faults on
//! random days), `end_to_end/graph_knobs.rs` and `okta_knobs.rs` (every knob), and in `graph_rounds.rs` and `okta_reads.rs`
//! (what each page proves).

use std::collections::BTreeSet;

use jiff::SignedDuration;
use rosterd::model::Reading;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;

use crate::end_to_end::schedules::granted;
use crate::end_to_end::schedules::meant;
use crate::end_to_end::site::Pages;
use crate::end_to_end::site::Site;
use crate::end_to_end::site::acme;
use crate::end_to_end::site::hire;
use crate::end_to_end::site::login;
use crate::end_to_end::weeks::Dice;
use crate::support::acts::cycle;
use crate::support::acts::play;
use crate::support::story::Stage;

/// Every list has several pages: two rows a page in Graph; 7 people, 3 members and 20 groups in Okta.
fn company(flavour: Flavour) -> World {
    let world = acme(flavour);
    let happens = |change| world.change(change).expect("a change");
    happens(Change::CreateGroup { name: "Staff".to_owned(), id: None, assigned: true });
    for given in ["Pia", "Quin", "Rob", "Sue", "Tim"] {
        hire(&world, given, &["Staff"], true);
    }
    match flavour {
        Flavour::Graph => world.turn("page_size=2").expect("a knob"),
        Flavour::Okta => {
            for n in 0..21 {
                happens(Change::CreateGroup { name: format!("Club {n}"), id: None, assigned: true });
                happens(Change::Join { group: format!("Club {n}"), member: login("Pia") });
            }
        }
    }
    world
}

fn lists(flavour: Flavour) -> &'static [Route] {
    match flavour {
        Flavour::Graph => &[Route::Assignments, Route::UsersDelta, Route::UsersList, Route::GroupsDelta],
        Flavour::Okta => &[Route::AppUsers, Route::AppGroups, Route::Members],
    }
}

/// What a list can do to whoever reads it: fail, be refused, break off, end early with 200, turn in a circle, say what nobody
/// understands.
fn troubles(flavour: Flavour) -> Vec<Trouble> {
    let mut troubles = vec![
        Trouble::Status { status: 503, retry_after: None },
        Trouble::Status { status: 403, retry_after: None },
        Trouble::Deny,
        Trouble::Drop,
        Trouble::Truncate,
        Trouble::CutJson,
        Trouble::Html { status: 200 },
        Trouble::Empty,
        Trouble::ForeignHost,
        Trouble::RepeatCursor,
        Trouble::UnknownEnum,
        Trouble::UnknownFields,
    ];
    match flavour {
        Flavour::Graph => {
            troubles.extend([400, 410].map(|status| Trouble::ExpireDelta { status }));
            troubles.extend([Trouble::ExpirePage, Trouble::LosePage]);
        }
        Flavour::Okta => troubles.extend([
            Trouble::LoseScope,
            Trouble::LoseExpand,
            Trouble::OneLinkHeader,
            Trouble::NoLinkHeader,
            Trouble::ExpireCursor,
            Trouble::ShortPage,
            Trouble::EmptyPage,
            Trouble::SkipRow,
            Trouble::RepeatRow,
        ]),
    }
    troubles
}

/// One cycle, whether it goes well or not: nobody loses what the directory grants.
async fn watched(site: &mut Site, reading: Reading, what: &str) {
    let before = granted(site).await;
    let outcome = site.try_cycle(reading).await;
    let (after, meant) = (granted(site).await, meant(site));
    let wrong: Vec<_> = before.difference(&after).filter(|grant| meant.contains(*grant)).collect();
    assert!(
        wrong.is_empty(),
        "{what}: taken away from whom it belongs to: {wrong:?} {:?}",
        outcome.map(|r| r.done)
    );
}

/// Some are renamed, and Di comes or goes: work for a cycle that may not get to it.
fn something_happens(site: &Site, round: usize) {
    for given in ["Cy", "Ann", "Bo"] {
        let (who, property) = (login(given), "surname".to_owned());
        site.change(Change::Set { who, property, value: format!("Holm{round}").into() });
    }
    site.change(match round % 2 {
        0 => Change::Unassign { principal: login("Di") },
        _ => Change::Assign { principal: login("Di"), role: None },
    });
}

/// Every trouble on every list, on its first page and on its second, in cycles that read everything and in cycles that
/// read what changed.
async fn no_list_takes_anything_from_anybody(flavour: Flavour) {
    let mut site = Site::with_pages(company(flavour), Pages::Small).await;
    site.cycle().await;
    site.equals().await;
    let (mut round, mut struck) = (0, BTreeSet::new());
    for route in lists(flavour) {
        for trouble in troubles(flavour) {
            for reading in [Reading::Full, Reading::Incremental] {
                let nth = 1 + (round / 2 + round % 2) as u64 % 2;
                something_happens(&site, round);
                round += 1;
                site.world.reset_counters();
                // A page that only leads to itself is met once: it would be followed for ever.
                let times = (trouble == Trouble::EmptyPage).then_some(1);
                let fault = Fault { route: Some(*route), nth, times, trouble: trouble.clone() };
                let what = format!("{fault:?}, {reading:?}");
                site.world.fault(fault);
                watched(&mut site, reading, &what).await;
                site.world.clear_faults();
                if site.world.counters().of(*route) >= nth {
                    struck.insert((*route, nth));
                }
                watched(&mut site, Reading::Incremental, &format!("after {what}")).await;
            }
        }
    }
    let all: BTreeSet<_> = lists(flavour).iter().flat_map(|route| [(*route, 1), (*route, 2)]).collect();
    assert_eq!(struck, all, "every page of every list was met");
    for _ in 0..3 {
        site.now += SignedDuration::from_hours(24);
        watched(&mut site, Reading::Incremental, "the days after").await;
    }
    site.equals().await;
    assert_eq!(site.left().await, [] as [&str; 0]);
}

#[tokio::test]
async fn no_list_of_graph_takes_anything_from_anybody_whatever_it_leaves_out() {
    no_list_takes_anything_from_anybody(Flavour::Graph).await;
}

#[tokio::test]
async fn no_list_of_okta_takes_anything_from_anybody_whatever_it_leaves_out() {
    no_list_takes_anything_from_anybody(Flavour::Okta).await;
}

/// Twice in a row is no proof either, while the witness still answers.
#[tokio::test]
async fn a_list_that_is_empty_for_days_removes_nobody_while_the_witness_contradicts_it() {
    for (flavour, route) in [(Flavour::Graph, Route::Assignments), (Flavour::Okta, Route::AppUsers)] {
        let mut site = Site::start(company(flavour)).await;
        site.cycle().await;
        let before = granted(&site).await;
        site.world.fault(Fault::always(route, Trouble::Empty));
        for day in 0..5 {
            watched(&mut site, Reading::Full, &format!("{route:?} is empty, day {day}")).await;
        }
        assert_eq!(granted(&site).await, before);
        assert!(!site.left().await.is_empty(), "what would be removed is held, and seen");
        site.world.clear_faults();
        site.cycle().await;
        assert_eq!(site.left().await, [] as [&str; 0]);
        site.equals().await;
    }
}

/// The other half: a promise that nothing is ever removed would be easy to keep.
#[tokio::test]
async fn a_team_that_everybody_left_becomes_empty_by_an_event_and_by_an_absence_that_is_confirmed() {
    for (flavour, feed_expires) in [(Flavour::Graph, false), (Flavour::Graph, true), (Flavour::Okta, false)] {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        assert_eq!(site.team("Sales").await, ["Ann", "Bo"]);
        for given in ["Ann", "Bo"] {
            site.change(Change::Leave { group: "Sales".to_owned(), member: login(given) });
        }
        if feed_expires {
            site.world.fault(Fault::next(Route::GroupsDelta, Trouble::ExpireDelta { status: 410 }));
        }
        site.cycle().await;
        assert_eq!(site.team("Sales").await, [] as [&str; 0], "{flavour:?} {feed_expires}");
        site.equals().await;
    }
    let mut stage = written().await;
    play(&mut stage, &["group g1 Sales"]).await;
    assert_eq!(cycle(&mut stage).await, "3 remove_members\n");
    assert!(stage.workspace().await.starts_with("[Sales] \n"), "{}", stage.workspace().await);
}

/// Six people in a file, three of them in Sales, two of them in Support.
async fn written() -> Stage {
    let mut stage = Stage::new();
    for n in 1..=6 {
        play(&mut stage, &[&format!("person u{n} p{n}@x.example Pat Doe{n}")]).await;
    }
    play(&mut stage, &["group g1 Sales u1 u2 u3", "group g2 Support u3 u4"]).await;
    play(&mut stage, &["app u1 u2 u3 u4 u5 u6 g:g1 g:g2"]).await;
    assert_eq!(cycle(&mut stage).await, "8 create\n5 add_members\n");
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    stage
}

/// Who has an account that works, and who is in which team, by the ids of the file.
async fn held(stage: &Stage) -> BTreeSet<(String, String)> {
    let text = |resource: &Value, name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    let users = stage.resources(Kind::User).await;
    let active = users.iter().filter(|user| user["active"] != Value::Bool(false));
    let mut held: BTreeSet<(String, String)> =
        active.map(|user| (String::new(), text(user, "externalId"))).collect();
    for team in stage.resources(Kind::Group).await {
        let id = ResourceId(text(&team, "id"));
        for member in stage.target.members(&id).await.expect("members").unwrap_or_default() {
            let user = users.iter().find(|user| text(user, "id") == member.0);
            held.insert((
                text(&team, "externalId"),
                user.map(|user| text(user, "externalId")).unwrap_or_default(),
            ));
        }
    }
    held
}

/// A file is one page. Each way in which it can lie has its sentence, and removes nobody, however often it is read.
#[tokio::test]
async fn no_damage_of_a_file_takes_anything_from_anybody() {
    let stage = written().await;
    let whole = stage.directory.text();
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut text: Value = serde_json::from_str(&whole).expect("JSON");
        edit(&mut text);
        text.to_string()
    };
    let halved = edited(&|text| {
        text["users"].as_array_mut().expect("a list").truncate(3);
    });
    for (what, text, says) in [
        ("the file ends early", whole[..whole.len() / 2].to_owned(), "ends too early"),
        ("nothing in it", String::new(), "ends too early"),
        ("garbage", "<html>Sign in</html>".to_owned(), "not JSON"),
        ("half of the people", halved, "counts.users says 6, but 3 were read"),
        ("no people", edited(&|text| text["users"] = json!([])), "counts.users says 6, but 0 were read"),
        (
            "no word of people",
            edited(&|text| drop(text.as_object_mut().expect("an object").remove("users"))),
            "",
        ),
        (
            "no word of applications",
            edited(&|text| drop(text.as_object_mut().expect("an object").remove("apps"))),
            "",
        ),
        ("another application", edited(&|text| text["apps"] = json!({"other": []})), ""),
        (
            "nobody assigned",
            edited(&|text| text["apps"]["app"] = json!([])),
            "counts.assignments says 8, but 0 were read",
        ),
        (
            "a group without a list",
            edited(&|text| {
                text["groups"][0].as_object_mut().expect("an object").remove("members");
            }),
            "missing field `members`",
        ),
        (
            "an empty group",
            edited(&|text| text["groups"][0]["members"] = json!([])),
            "counts.memberships says 5, but 2 were read",
        ),
        (
            "a status that nobody knows",
            edited(&|text| text["users"][1]["enabled"] = json!("on leave")),
            "users[1] is left out",
        ),
        (
            "a person without an id",
            edited(&|text| text["users"][1]["id"] = json!("")),
            "users[1] is left out",
        ),
        (
            "a row twice, another not",
            edited(&|text| text["users"][1] = text["users"][0].clone()),
            "the id comes twice",
        ),
        (
            "an assignment twice, another not",
            edited(&|text| text["apps"]["app"][3] = text["apps"]["app"][2].clone()),
            "apps.app names user u1 twice",
        ),
        (
            "a member twice, another not",
            edited(&|text| text["groups"][0]["members"][1] = text["groups"][0]["members"][0].clone()),
            "group g1 names user u1 twice",
        ),
        (
            "members that are none",
            edited(&|text| text["groups"][0]["members"] = json!(["u1", "u2", "u3"])),
            "members[0] is left out",
        ),
    ] {
        let mut stage = written().await;
        let before = held(&stage).await;
        for _ in 0..3 {
            let output = stage.cycle_of(&text).await;
            assert_eq!(held(&stage).await, before, "{what}: {output}");
            let told = format!("{output}{}", notes_of(&stage).await);
            assert!(told.contains(says), "{what}: {told}");
        }
        assert_eq!(cycle(&mut stage).await, "nothing\n", "{what}: the file is whole again");
        assert_eq!(held(&stage).await, before, "{what}");
    }
}

/// What the last cycle noted.
async fn notes_of(stage: &Stage) -> String {
    let row = stage.store.cycles(Some(stage.name.clone()), 1).await.expect("cycles").remove(0);
    row.record.unwrap_or_default()
}

/// One thing that goes wrong with a file of sound form: rows are lost, doubled or spoilt. The counts stay.
fn damaged(text: &str, dice: &mut Dice) -> String {
    if dice.below(6) == 0 {
        return text[..dice.below(text.len())].to_owned();
    }
    let mut file: Value = serde_json::from_str(text).expect("JSON");
    for _ in 0..=dice.below(3) {
        let place = dice.one(&["/users", "/groups", "/apps/app", "/groups/0/members", "/groups/1/members"]);
        let Some(rows) =
            file.pointer_mut(place).and_then(Value::as_array_mut).filter(|rows| !rows.is_empty())
        else {
            continue;
        };
        let (one, other) = (dice.below(rows.len()), dice.below(rows.len()));
        match dice.below(6) {
            0 => drop(rows.remove(one)),
            1 => rows.truncate(one),
            2 => rows.clear(),
            3 => rows[one] = rows[other].clone(),
            4 => rows[one] = dice.one(&[json!(null), json!(7), json!({}), json!("u1"), json!(["user:u1"])]),
            _ if rows[one].is_object() => rows[one]["enabled"] = json!("perhaps"),
            _ => {}
        }
    }
    file.to_string()
}

/// With counts and without, whatever was lost from one file alone.
#[tokio::test]
async fn random_damage_of_one_file_takes_nothing_from_anybody_and_is_caught_up_with() {
    let mut stage = written().await;
    let before = held(&stage).await;
    for seed in 1..=300 {
        let mut dice = Dice(seed);
        stage.directory.undeclared = dice.below(2) == 0;
        let text = damaged(&stage.directory.text(), &mut dice);
        let output = stage.cycle_of(&text).await;
        assert_eq!(held(&stage).await, before, "seed {seed}: {output}\n{text}");
        let after = cycle(&mut stage).await;
        assert_eq!(held(&stage).await, before, "seed {seed}: {after}\n{text}");
        assert!(!after.contains("held") && !after.contains("error"), "seed {seed}: {after}\n{text}");
    }
    stage.directory.undeclared = false;
    assert_eq!(cycle(&mut stage).await, "nothing\n");
}
