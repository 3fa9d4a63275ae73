//! Follow-ups: when they are due, how they are signed and sent, and that none is lost.

mod delivery;
mod receiver;

use std::time::Duration;

use jiff::Timestamp;
use rosterd::scim::Dialect;
use rosterd::scim::Patch;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::Delivery;
use rosterd::store::FollowUp;
use rosterd::store::FollowUpAct;
use rosterd::store::FollowUpCounts;
use rosterd::store::FollowUpState;
use rosterd::store::Rhythm;
use rosterd::store::Store;
use rosterd::store::WriteAct;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

const HOUR: i64 = 3600;
const RHYTHM: Rhythm = Rhythm {
    delay: Duration::from_secs(24 * 3600),
    retry: Duration::from_secs(30),
    retry_max: Duration::from_secs(6 * 3600),
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a time")
}

fn local(second: i64) -> Author {
    Author::local("root", "by hand", at(second))
}

async fn write(store: &Store, second: i64, act: WriteAct) {
    let done =
        store.write_resources("main", local(second), vec![act.into()]).await.expect("the store writes");
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}

async fn create(store: &Store, kind: ResourceType, id: &str, body: Value) {
    let incoming = incoming(kind, Dialect::Tolerant, &body).expect("a sound body");
    let id = ResourceId(id.to_owned());
    write(store, 0, WriteAct::Create { kind, id, incoming, dialect: Dialect::Strict }).await;
}

/// Ann loses privileged access to these accounts, at second 0.
async fn lose(store: &Store, accounts: &[&str]) {
    create(store, ResourceType::User, "u1", json!({"userName": "ann"})).await;
    for account in accounts {
        let body = json!({"user": {"value": "u1"}, "account": account, "privileged": true});
        create(store, ResourceType::Grant, &format!("g-{account}"), body).await;
    }
    let set = [("active".to_owned(), json!(false))];
    let patch = Patch::of_values(ResourceType::User, &set).expect("a patch");
    write(store, 0, WriteAct::Patch { id: ResourceId("u1".to_owned()), patch }).await;
}

async fn all(store: &Store) -> Vec<FollowUp> {
    store.follow_ups("main", None, 0, 100).await.expect("the store reads")
}

async fn due(store: &Store, second: i64) -> Option<i64> {
    store.due_follow_up("main", RHYTHM, at(second)).await.expect("the store reads")
}

async fn begin(store: &Store, n: i64, again: i64) -> Option<FollowUp> {
    store.begin_delivery(n, at(again)).await.expect("the store writes")
}

async fn end(store: &Store, n: i64, delivery: Delivery, second: i64) {
    store.end_delivery(n, delivery, at(second)).await.expect("the store writes");
}

async fn decide(store: &Store, id: &str, act: FollowUpAct) -> String {
    let decided = store.decide_follow_up("main", id, act, local(HOUR)).await.expect("the store writes");
    decided.err().map(|why| why.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn a_follow_up_goes_out_after_the_delay_and_not_before() {
    let store = Store::in_memory().expect("a store");
    lose(&store, &["db"]).await;
    assert_eq!(due(&store, 24 * HOUR - 1).await, None);
    assert!(due(&store, 24 * HOUR).await.is_some());
}

#[tokio::test]
async fn whoever_asks_for_it_need_not_wait_for_the_delay() {
    let store = Store::in_memory().expect("a store");
    lose(&store, &["db"]).await;
    let id = all(&store).await[0].id.clone();
    assert_eq!(decide(&store, &id, FollowUpAct::Resend).await, "");
    assert!(due(&store, HOUR).await.is_some());
}

#[tokio::test]
async fn a_clock_that_is_set_back_silences_no_follow_up() {
    let store = Store::in_memory().expect("a store");
    lose(&store, &["db"]).await;
    assert!(due(&store, -365 * 24 * HOUR).await.is_some(), "it is from a time that has not been");
    let n = due(&store, 24 * HOUR).await.expect("it is due");
    begin(&store, n, 25 * HOUR).await.expect("it waits");
    assert_eq!(due(&store, 24 * HOUR + 1).await, None);
    assert!(due(&store, -365 * 24 * HOUR).await.is_some());
}

#[tokio::test]
async fn an_attempt_that_a_crash_ends_is_known_and_made_again_under_the_same_id() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("state.db");
    let store = Store::open(&file).expect("a store");
    lose(&store, &["db"]).await;
    let n = due(&store, 24 * HOUR).await.expect("it is due");
    let begun = begin(&store, n, 24 * HOUR + 30).await.expect("it waits");
    drop(store);

    let store = Store::open(&file).expect("a store");
    assert_eq!(
        due(&store, 24 * HOUR + 29).await,
        None,
        "its next attempt was put off before the first was sent"
    );
    assert_eq!(due(&store, 24 * HOUR + 30).await, Some(n));
    let again = begin(&store, n, 24 * HOUR + 60).await.expect("it waits");
    assert_eq!((begun.attempts, again.attempts, &again.id), (1, 2, &begun.id));
    assert_eq!(again.body, begun.body);
}

#[tokio::test]
async fn what_a_person_decides_stands_against_a_delivery_that_is_under_way() {
    let store = Store::in_memory().expect("a store");
    lose(&store, &["db", "vault"]).await;
    let ids: Vec<String> = all(&store).await.into_iter().map(|one| one.id).collect();
    let n = due(&store, 24 * HOUR).await.expect("it is due");
    begin(&store, n, 25 * HOUR).await.expect("it waits");
    assert_eq!(decide(&store, &ids[0], FollowUpAct::Cancel).await, "");
    let failed = Delivery::Failed { why: "no answer".to_owned(), due: at(25 * HOUR) };
    end(&store, n, failed, 24 * HOUR).await;
    assert_eq!(all(&store).await[0].state, FollowUpState::Cancelled);
    assert!(begin(&store, n, 26 * HOUR).await.is_none(), "nobody sends it any more");
    end(&store, n, Delivery::Taken, 24 * HOUR).await;
    let cancelled = &all(&store).await[0];
    assert_eq!(cancelled.state, FollowUpState::Cancelled);
    assert_eq!(cancelled.delivered, Some(at(24 * HOUR)), "and yet it is known that it arrived");
}

#[tokio::test]
async fn what_went_out_stays_visible_until_it_is_acknowledged_and_can_be_sent_again() {
    let store = Store::in_memory().expect("a store");
    lose(&store, &["db"]).await;
    let id = all(&store).await[0].id.clone();
    let n = due(&store, 24 * HOUR).await.expect("it is due");
    begin(&store, n, 25 * HOUR).await.expect("it waits");
    end(&store, n, Delivery::Taken, 24 * HOUR).await;
    assert_eq!(all(&store).await[0].state, FollowUpState::Sent);
    assert_eq!(due(&store, 1000 * HOUR).await, None, "what was taken is not sent again by itself");

    assert_eq!(decide(&store, &id, FollowUpAct::Resend).await, "");
    assert_eq!(due(&store, HOUR).await, Some(n));
    assert_eq!(decide(&store, &id, FollowUpAct::Acknowledge).await, "");
    let done = &all(&store).await[0];
    assert_eq!((done.state, done.ended), (FollowUpState::Acknowledged, Some(at(HOUR))));
    assert_eq!((done.by.as_deref(), done.reason.as_deref()), (Some("root"), Some("by hand")));
    for act in [FollowUpAct::Acknowledge, FollowUpAct::Cancel, FollowUpAct::Resend] {
        let why = "the follow-up is acknowledged already; nothing is left to do";
        assert_eq!(decide(&store, &id, act).await, why);
    }
    let why = "there is no such follow-up; `rosterd workspace follow-ups` lists them";
    assert_eq!(decide(&store, "rotate_9_x", FollowUpAct::Cancel).await, why);
    assert_eq!(due(&store, 1000 * HOUR).await, None);
}

#[tokio::test]
async fn what_nobody_acknowledges_is_overdue() {
    let store = Store::in_memory().expect("a store");
    lose(&store, &["db", "vault", "wiki"]).await;
    let n = due(&store, 24 * HOUR).await.expect("it is due");
    begin(&store, n, 25 * HOUR).await.expect("it waits");
    end(&store, n, Delivery::Taken, 24 * HOUR).await;
    let last = all(&store).await[2].id.clone();
    assert_eq!(decide(&store, &last, FollowUpAct::Cancel).await, "");
    let counts = async |second| {
        let day = Duration::from_secs(24 * 3600);
        store.follow_up_counts("main", day, at(second)).await.expect("the store reads")
    };
    assert_eq!(counts(24 * HOUR - 1).await, FollowUpCounts { waiting: 1, sent: 1, overdue: 0 });
    assert_eq!(counts(24 * HOUR).await, FollowUpCounts { waiting: 1, sent: 1, overdue: 2 });
}
