//! Every knob of the simulated Okta attacks a promise: whatever is true of an org, and whatever it refuses or hides,
//! nobody is wrongly removed, and in the end the workspace equals the directory.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use rosterd::client::Secret;
use rosterd::model::Reading;
use rosterd::plan::Class;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::OKTA_CLIENT_ID;
use rosterd::simulators::OKTA_CLIENT_KEY;
use rosterd::simulators::OKTA_CLIENT_KID;
use rosterd::simulators::OktaChange;
use rosterd::simulators::OktaKnobs;
use rosterd::simulators::World;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::ServiceApp;
use serde_json::json;

use super::okta_rows::is_a_test;
use super::schedules::granted;
use super::schedules::meant;
use super::site::Pages;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;

/// Who signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// An API token.
    Token,
    /// The service application.
    Service,
    /// One that the org does not know.
    Stranger,
}
use Who::Service;
use Who::Stranger;
use Who::Token;

/// Orgs that differ and tell the truth: the knobs, who signs in, the promise, and how it is attacked.
const MANNERS: [(&str, Who, &str, &str); 22] = [
    ("refuse_high_limit=true", Token, "P1", "a list that is refused for its size proves nothing"),
    ("membership_lag_seconds=30", Token, "P1", "a group shows the time of an earlier change"),
    ("job_seconds=3600", Token, "P2", "members are there before their rows, and rows after their members"),
    ("deactivation_seconds=7200", Token, "P2", "the row of somebody deactivated lingers"),
    ("app_profiles=as_assigned", Token, "P10", "profiles of the application do not show what changed"),
    ("app_profile_moves_user=true", Token, "P10", "a user seems changed who is not"),
    ("group_scope_wins=true", Token, "P1", "nobody seems assigned directly"),
    ("no_group_link=true", Token, "P1", "no group seems to have brought anybody"),
    ("first_priority=1", Token, "P1", "the groups are counted from 1"),
    ("deletion_moves_membership=true", Token, "P10", "groups seem changed by a deletion"),
    ("log_latency_seconds=3600", Token, "P2", "the removal is seen before its event"),
    ("cursor_minutes=1", Token, "P4", "a stored link does not live until the next cycle"),
    ("org_kind=enterprise", Token, "P10", "a cycle fits into the allowances"),
    ("org_kind=one_app", Token, "P10", "the same"),
    ("org_kind=workforce token_share_percent=100", Token, "P10", "the token may use all of the org's"),
    (
        "granted_scopes=okta.apps.read,okta.groups.read,okta.users.read,okta.logs.read",
        Service,
        "P1",
        "no more",
    ),
    ("dpop=true", Service, "P1", "every request needs a proof of its own"),
    ("dpop=true dpop_nonce_hours=1", Service, "P1", "the nonce is another one in every cycle"),
    ("dpop=true dpop_nonce_of_api=400", Service, "P1", "lists are refused for their nonce"),
    ("dpop=true dpop_nonce_of_api=401", Service, "P1", "and as if the token were bad"),
    ("token_idle_days=2", Token, "P1", "the token nearly dies of disuse"),
    ("unknown_client_status=400", Service, "P1", "only strangers are told"),
];

/// Orgs that have little room, on a clock that runs as fast as everybody sleeps.
const TIGHT: [(&str, Who, &str, &str); 3] = [
    ("rate_limit=6", Token, "P1", "half of the requests of a cycle have to wait, or are refused"),
    ("org_kind=integrator", Token, "P10", "the smallest allowances that Okta gives"),
    ("concurrency=1", Token, "P1", "whoever asks two things at once is refused"),
];

/// Orgs that refuse or hide: the knobs, who signs in, the promise, and what is told of the cure.
const REFUSALS: [(&str, Who, &str, &str); 12] = [
    ("role=lost", Token, "P1", "Read-only Administrator"),
    ("token_creator_active=false", Token, "P1", "make a new API token"),
    ("token_idle_days=0", Token, "P1", "make a new API token"),
    ("outside_network=401", Token, "P1", "make a new API token"),
    ("outside_network=403", Token, "P1", "Read-only Administrator"),
    ("service_keys=[]", Service, "P1", "register the public half of `private_key`"),
    ("granted_scopes=okta.users.read", Service, "P1", "grant each scope of `scopes`"),
    ("unconsented_scopes=okta.groups.read", Service, "P1", "grant each scope of `scopes`"),
    ("service_app=false", Service, "P1", "make the application an API Services application"),
    ("unknown_client_status=400", Stranger, "P1", "check `client_id`"),
    ("hidden=ann@acme.example,Staff", Token, "P2", "disappeared without event"),
    ("hidden_percent=40", Token, "P2", "disappeared without event"),
];

/// Knobs that need a scenario of their own.
const ELSEWHERE: [(&str, &str, &str); 3] = [
    ("silent_events", "P2", "okta_knobs::what_the_log_does_not_tell_is_held_and_goes_once_it_does"),
    ("push", "P1", "okta_pushes::an_org_without_the_feature_keeps_every_team_and_says_so"),
    ("search_lag_seconds", "P2", "okta_rows::a_search_that_lags_shows_what_is_gone_and_not_yet_what_is_new"),
];

/// Knobs that change no answer to this source.
const UNSEEN: [(&str, &str); 1] =
    [("push_as_documented", "mappings are created and deleted by others; this source reads them")];

/// `NAME=VALUE`, several with spaces between.
fn turn(world: &World, knobs: &str) {
    let before = world.knobs();
    knobs.split(' ').for_each(|knob| world.turn(knob).unwrap_or_else(|error| panic!("{knob}: {error}")));
    assert_ne!(world.knobs(), before, "{knobs} changes nothing");
}

/// The connector anew, as whoever signs in.
fn sign_in(site: &mut Site, who: Who) {
    site.okta(|settings| {
        let id = match who {
            Token => return,
            Service => OKTA_CLIENT_ID,
            Stranger => "0oaStranger000000001",
        };
        let mut app = ServiceApp::new(id, Secret::new(OKTA_CLIENT_KEY));
        app.key_id = Some(OKTA_CLIENT_KID.to_owned());
        let signed = OktaSettings::new(settings.host().as_str(), app, OKTA_APP_ID).expect("good settings");
        let mut signed = signed.with_page_sizes(settings.page_sizes()).expect("good sizes");
        signed.backoff = settings.backoff;
        *settings = signed;
    });
}

/// The people of `acme`; Ray is in Sales, and Pia and Quin are staff to whom nothing happens.
fn company() -> World {
    let world = acme(Flavour::Okta);
    let staff = Change::CreateGroup { name: "Staff".to_owned(), id: None, assigned: true };
    world.change(staff).expect("a group");
    for (given, group) in [("Pia", "Staff"), ("Quin", "Staff"), ("Ray", "Sales")] {
        hire(&world, given, &[group], false);
    }
    world
}

fn first_day(site: &Site) {
    hire(&site.world, "Zoe", &["Support"], false);
    hire(&site.world, "Yan", &[], true);
    let (who, property, value) = (login("Ed"), "surname".to_owned(), "Holm".into());
    site.change(Change::Set { who, property, value });
    site.change(Change::Move { who: login("Bo"), from: "Sales".to_owned(), to: "Support".to_owned() });
    site.change(Change::Unassign { principal: login("Di") });
    site.change(Change::Disable { who: login("Cy") });
    site.change(Change::SoftDelete { who: login("Ann") });
    site.change(Change::RenameGroup { group: "Sales".to_owned(), name: "Sellers".to_owned() });
    let profile = json!({ "firstName": "Quin", "lastName": "Lee", "email": login("Quin") });
    let (who, profile) = (login("Quin"), Some(profile));
    let what = OktaChange::SetAppUser {
        who,
        status: None,
        sync_state: None,
        external_id: None,
        credentials: None,
        profile,
    };
    site.change(Change::Okta { what });
}

fn second_day(site: &Site) {
    site.change(Change::Restore { who: login("Ann") });
    site.change(Change::Enable { who: login("Cy") });
    site.change(Change::Assign { principal: login("Di"), role: None });
    site.change(Change::Join { group: "Sellers".to_owned(), member: login("Di") });
    site.change(Change::Leave { group: "Support".to_owned(), member: login("Zoe") });
    site.change(Change::Purge { who: login("Ray") });
}

/// One cycle that takes nothing away from whom it belongs to; with what was told, or why it ended.
async fn watched(site: &mut Site, reading: Reading, about: &str) -> String {
    let before = granted(site).await;
    let outcome = site.try_cycle(reading).await;
    let (after, meant) = (granted(site).await, meant(site));
    let wrong: Vec<_> = before.difference(&after).filter(|grant| meant.contains(*grant)).collect();
    assert!(wrong.is_empty(), "{about}: taken away from whom it belongs to: {wrong:?}; {outcome:?}");
    match outcome {
        Ok(record) => [record.notes, site.left().await].concat().join("\n"),
        Err(error) => format!("ended: {error}"),
    }
}

async fn goes_well(site: &mut Site, about: &str) {
    let told = watched(site, Reading::Incremental, about).await;
    assert!(!told.starts_with("ended: "), "{about}: {told}");
}

/// The workspace equals the directory, and a further cycle has nothing to do.
async fn has_caught_up(site: &mut Site, about: &str) {
    let (differences, left) = (site.differences().await, site.left().await);
    assert!(differences.is_empty() && left.is_empty(), "{about}: {differences:#?} {left:#?}");
    assert_eq!(site.cycle().await.written(), 0, "{about}");
}

async fn live_two_days(knobs: &str, who: Who) {
    let world = company();
    turn(&world, knobs);
    let mut site = Site::with_pages(world, Pages::Small).await;
    site.verify = Some(Duration::from_secs(24 * 60 * 60));
    sign_in(&mut site, who);
    goes_well(&mut site, knobs).await;
    has_caught_up(&mut site, knobs).await;
    first_day(&site);
    goes_well(&mut site, knobs).await;
    goes_well(&mut site, knobs).await;
    second_day(&site);
    goes_well(&mut site, knobs).await;
    site.now += SignedDuration::from_hours(24);
    goes_well(&mut site, knobs).await;
    goes_well(&mut site, knobs).await;
    has_caught_up(&mut site, knobs).await;
}

#[tokio::test]
async fn whatever_the_org_is_like_the_workspace_follows_it() {
    for (knobs, who, ..) in MANNERS {
        live_two_days(knobs, who).await;
    }
}

/// The service's clock goes on while everybody waits for it.
#[tokio::test(start_paused = true)]
async fn in_an_org_with_little_room_everything_is_waited_for() {
    for (knobs, who, ..) in TIGHT {
        let world = company();
        turn(&world, knobs);
        let mut site = Site::with_pages(world.clone(), Pages::Small).await;
        sign_in(&mut site, who);
        let ticks = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                world.set_clock(world.now() + SignedDuration::from_secs(1));
            }
        });
        goes_well(&mut site, knobs).await;
        first_day(&site);
        goes_well(&mut site, knobs).await;
        second_day(&site);
        goes_well(&mut site, knobs).await;
        goes_well(&mut site, knobs).await;
        has_caught_up(&mut site, knobs).await;
        ticks.abort();
    }
}

#[tokio::test]
async fn an_org_that_refuses_or_hides_removes_nobody_and_is_caught_up_with() {
    for (knobs, who, _, cure) in REFUSALS {
        let mut site = Site::with_pages(company(), Pages::Small).await;
        sign_in(&mut site, if who == Stranger { Service } else { who });
        goes_well(&mut site, knobs).await;
        site.equals().await;
        let straight = site.world.knobs();
        turn(&site.world, knobs);
        // A new process: it has to sign in.
        sign_in(&mut site, who);
        first_day(&site);
        for reading in [Reading::Incremental, Reading::Full] {
            let told = watched(&mut site, reading, knobs).await;
            assert!(told.contains(cure), "{knobs}: {told}");
        }
        site.world.set_knobs(straight);
        if who == Stranger {
            sign_in(&mut site, Service);
        }
        goes_well(&mut site, knobs).await;
        goes_well(&mut site, knobs).await;
        has_caught_up(&mut site, knobs).await;
    }
}

#[tokio::test]
async fn what_the_log_does_not_tell_is_held_and_goes_once_it_does() {
    for silent in ["silent_events=*", "silent_events=application.user_membership.remove"] {
        let mut site = Site::with_pages(company(), Pages::Small).await;
        goes_well(&mut site, silent).await;
        let straight = site.world.knobs();
        turn(&site.world, silent);
        site.change(Change::Unassign { principal: login("Di") });
        for _ in 0..2 {
            let told = watched(&mut site, Reading::Incremental, silent).await;
            assert!(told.contains("disappeared without event"), "{silent}: {told}");
            assert!(site.accounts().await.contains(&login("Di")), "{silent}: held");
        }
        site.world.set_knobs(straight);
        site.change(Change::Assign { principal: login("Di"), role: None });
        goes_well(&mut site, silent).await;
        site.equals().await;
        site.change(Change::Unassign { principal: login("Di") });
        let record = site.cycle().await;
        assert_eq!(record.done.get(&Class::Deactivate), Some(&1), "{silent}: {:#?}", site.left().await);
        has_caught_up(&mut site, silent).await;
    }
}

/// So that no knob is turned by nobody.
#[test]
fn every_knob_is_in_a_table() {
    let knobs = serde_json::to_value(OktaKnobs::default()).expect("knobs are JSON");
    let knobs: BTreeSet<&str> = knobs.as_object().expect("an object").keys().map(String::as_str).collect();
    let tables = MANNERS.iter().chain(&TIGHT).chain(&REFUSALS);
    let mut named: BTreeSet<&str> = tables
        .flat_map(|(knobs, ..)| knobs.split(' '))
        .filter_map(|knob| knob.split_once('=').map(|(name, _)| name))
        .collect();
    named.extend(ELSEWHERE.iter().map(|(knob, ..)| *knob));
    named.extend(UNSEEN.iter().map(|(knob, _)| *knob));
    assert_eq!(named, knobs);
    for (knobs, _, promise, why) in MANNERS.iter().chain(&TIGHT).chain(&REFUSALS) {
        assert!(["P1", "P2", "P4", "P10"].contains(promise) && !why.is_empty(), "{knobs}");
    }
    for (knob, promise, test) in ELSEWHERE {
        assert!(["P1", "P2", "P4", "P10"].contains(&promise) && is_a_test(test), "{knob}: {test}");
    }
    assert!(UNSEEN.iter().all(|(_, why)| !why.is_empty()));
}
