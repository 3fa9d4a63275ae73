//! What a cycle learns of a service is in the state with its evidence and its day, counts for the cycles after it and for
//! other processes, is told by a check, and is forgotten.

use std::sync::Arc;
use std::time::Duration;

use rosterd::client::Secret;
use rosterd::cycle;
use rosterd::model::Learned;
use rosterd::model::Lesson;
use rosterd::scim::Dialect;
use rosterd::scim::profiles::Profile;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;

use super::account::differences;
use super::site::Site;
use super::site::acme;
use super::site::login;
use crate::server::Served;
use crate::support::without_patch::WithoutPatch;

fn target(service: &WithoutPatch, token: &str, learned_for: Duration) -> RemoteTarget {
    let url = format!("{}/scim/v2", service.root).parse().expect("a URL");
    let mut profile = Profile::standard();
    profile.members.replace_all = true;
    let settings = RemoteSettings::new(url, vec![Secret::new(token.to_owned())]);
    RemoteTarget::new(RemoteSettings { profile, learned_for, ..settings }).expect("a client")
}

const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

#[tokio::test]
async fn a_service_without_patch_is_learned_once_told_by_the_check_and_forgotten() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    let served = Served::start(Dialect::Strict).await;
    let door = WithoutPatch::start(&served.root).await;
    let process = || Arc::new(target(&door, &served.token, MONTH));
    site.target = process();
    let record = site.cycle().await;
    assert_eq!((record.failures(), record.held), (0, 0), "{:#?}", site.left().await);
    assert_eq!(differences(&site.world, &served.store).await, [] as [&str; 0], "teams have their members");

    let identity = site.target.identity();
    let learned = site.store.learned(identity.clone()).await.expect("the state");
    let expected = Lesson {
        capability: "patch.groups".to_owned(),
        value: "no".to_owned(),
        evidence: "PATCH /Groups: status 405: PATCH is not offered; PUT went".to_owned(),
    };
    let [Learned { lesson, at_second }] = learned.as_slice() else { panic!("one lesson: {learned:?}") };
    assert_eq!(*lesson, expected);
    let at = *at_second;
    assert!(at > 0 && at <= site.now.as_second());

    door.asked("");
    site.target = process();
    site.change(Change::Unassign { principal: login("Di") });
    site.cycle().await;
    assert_eq!(door.asked("PATCH"), 1, "people are learned by themselves: one deactivation was refused");
    site.change(Change::Assign { principal: login("Di"), role: None });
    site.target = process();
    site.cycle().await;
    assert_eq!(door.asked("PATCH"), 0, "another process knows it");
    assert_eq!(differences(&site.world, &served.store).await, [] as [&str; 0]);
    assert_eq!(site.cycle().await.written(), 0);

    let told = cycle::check_target(&site.store, &*site.target, site.now).await.expect("the state");
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
    let learned: Vec<&str> = told
        .iter()
        .filter(|finding| finding.subject == "learned")
        .map(|finding| finding.text.as_str())
        .collect();
    let then = jiff::Timestamp::from_second(at).expect("a time");
    assert!(
        learned
            .iter()
            .any(|text| text.starts_with(&format!("patch.groups = no since {}, until ", day(then)))
                && text.ends_with(": PATCH /Groups: status 405: PATCH is not offered; PUT went")),
        "{learned:#?}"
    );

    site.target = Arc::new(target(&door, &served.token, Duration::from_secs(60)));
    site.change(Change::Unassign { principal: login("Di") });
    door.asked("");
    site.cycle().await;
    assert!(door.asked("PATCH") > 0, "what is forgotten is tried again");
}

#[tokio::test]
async fn a_dry_run_learns_nothing_into_the_state() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    let served = Served::start(Dialect::Strict).await;
    let door = WithoutPatch::start(&served.root).await;
    site.target = Arc::new(target(&door, &served.token, MONTH));
    site.plan().await;
    assert_eq!(site.store.learned(site.target.identity()).await.expect("the state"), []);
}
