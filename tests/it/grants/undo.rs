//! What a reactivation and an undo give back: nothing by default, exactly what was taken where it is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rosterd::scim::ResourceId;
use rosterd::store::Author;
use rosterd::store::Delivery;
use rosterd::store::NotUndone;
use rosterd::store::Policy;
use rosterd::store::Rhythm;
use rosterd::store::Store;
use rosterd::store::Undone;
use serde_json::json;

use super::Desk;
use super::active_is;
use super::at;
use super::grant;

/// Later than anything that the service's clock says.
fn later() -> Timestamp {
    at(10_000_000)
}

async fn undo(desk: &Desk) -> Result<Undone, NotUndone> {
    let (user, author) = (ResourceId(desk.ann.clone()), Author::local("root", "came back", later()));
    desk.served.store.undo_loss("main", &user, author).await.expect("the store writes")
}

/// Delivers the follow-up that is due next, as the daemon does.
async fn deliver(store: &Store, delivery: Delivery) {
    let rhythm = Rhythm {
        delay: Duration::ZERO,
        retry: Duration::from_secs(30),
        retry_max: Duration::from_secs(3600),
    };
    let n = store.due_follow_up("main", rhythm, later()).await.expect("the store reads").expect("one is due");
    store.begin_delivery(n, later()).await.expect("the store writes").expect("it waits");
    store.end_delivery(n, delivery, later()).await.expect("the store writes");
}

#[tokio::test]
async fn a_reactivated_user_has_to_be_given_grants_again() {
    let desk = Desk::new().await;
    desk.grant("db-admin", true).await;
    desk.set_active(false).await;
    desk.set_active(true).await;
    assert!(desk.accounts().await.is_empty());
    assert_eq!(desk.follow_ups().await, ["db-admin waiting"], "the password is to be rotated all the same");
    desk.grant("db-admin", true).await;
    assert_eq!(desk.accounts().await, ["db-admin"]);
}

#[tokio::test]
async fn an_undo_gives_back_exactly_what_was_taken_and_cancels_what_has_not_gone_out() {
    let desk = Desk::new().await;
    let first = desk.grant("db-admin", true).await;
    desk.grant("mail", false).await;
    let before = desk.served.call("GET", &format!("/Grants/{first}"), None).await.body;
    desk.set_active(false).await;
    assert_eq!(undo(&desk).await.err(), Some(NotUndone::Inactive));
    desk.set_active(true).await;

    let undone = undo(&desk).await.expect("an undo");
    assert_eq!(undone.given_back, ["db-admin", "mail"]);
    assert!(undone.there_already.is_empty() && undone.gone_out.is_empty());
    assert_eq!(undone.cancelled.len(), 1);
    assert_eq!(desk.accounts().await, ["db-admin", "mail"]);
    assert_eq!(desk.follow_ups().await, ["db-admin cancelled"]);
    let mut after = desk.served.call("GET", &format!("/Grants/{first}"), None).await.body;
    assert_eq!(after["meta"]["version"], "W/\"2\"", "the same grant, and a version of its own");
    for name in ["version", "lastModified"] {
        after["meta"][name] = before["meta"][name].clone();
    }
    assert_eq!(after, before);
    assert_eq!(undo(&desk).await.err(), Some(NotUndone::Already));
}

#[tokio::test]
async fn an_undo_tells_what_went_out_and_what_was_given_anew() {
    let desk = Desk::new().await;
    for account in ["db-admin", "mail", "vault"] {
        desk.grant(account, true).await;
    }
    desk.set_active(false).await;
    let failed = Delivery::Failed { why: "no answer".to_owned(), due: later() + Duration::from_secs(60) };
    deliver(&desk.served.store, Delivery::Taken).await;
    deliver(&desk.served.store, failed).await;
    desk.set_active(true).await;
    desk.grant("VAULT", false).await;

    let undone = undo(&desk).await.expect("an undo");
    assert_eq!(undone.given_back, ["db-admin", "mail"]);
    assert_eq!(undone.there_already, ["vault"]);
    let told = |list: &[rosterd::store::FollowUp]| -> Vec<String> {
        list.iter()
            .map(|one| one.body["data"]["grant"]["account"].as_str().unwrap_or("").to_owned())
            .collect()
    };
    assert_eq!(told(&undone.cancelled), ["vault"]);
    assert_eq!(told(&undone.gone_out), ["db-admin", "mail"], "a lost answer may have been a delivery");
    assert_eq!(
        desk.follow_ups().await,
        ["db-admin sent", "mail cancelled", "vault cancelled"],
        "what went out cannot be called back, and goes out no more"
    );
}

#[tokio::test]
async fn the_setting_restore_grants_gives_back_what_that_deactivation_took_and_no_more() {
    let mut desk = Desk::new().await;
    desk.grant("old", true).await;
    desk.set_active(false).await;
    desk.set_active(true).await;
    desk.grant("new", true).await;
    let rules = BTreeMap::from([("main".to_owned(), Policy { restore_grants: true, ..Policy::default() })]);
    desk.served.store = desk.served.store.clone().with_policies(rules);
    let author = |second| Author::local("root", "", at(second));
    for active in [false, true] {
        let set = [("active".to_owned(), json!(active))];
        let patch =
            rosterd::scim::Patch::of_values(rosterd::scim::ResourceType::User, &set).expect("a patch");
        let act = rosterd::store::WriteAct::Patch { id: ResourceId(desk.ann.clone()), patch };
        let done = desk.served.store.write_resources("main", author(5_000), vec![act.into()]).await;
        assert!(done.expect("the store writes").iter().all(Result::is_ok));
    }
    assert_eq!(desk.accounts().await, ["new"]);
    assert_eq!(desk.follow_ups().await, ["old waiting", "new cancelled"]);
}

#[tokio::test]
async fn what_cannot_be_undone_says_why() {
    let desk = Desk::new().await;
    assert_eq!(undo(&desk).await.err(), Some(NotUndone::NothingTaken));
    desk.grant("mail", false).await;
    let got = desk.served.call("DELETE", &format!("/Users/{}", desk.ann), None).await;
    assert_eq!(got.status, 204);
    assert_eq!(undo(&desk).await.err(), Some(NotUndone::Deleted));
    let again = desk.served.call("PATCH", &format!("/Users/{}", desk.ann), Some(active_is(true))).await;
    assert_eq!(again.status, 404);
    let got = desk.served.call("POST", "/Grants", Some(grant(&desk.ann, "mail", false))).await;
    assert_eq!(got.refusal(), "400 invalidValue");
}
