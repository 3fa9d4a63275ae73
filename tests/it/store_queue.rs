//! Writing at the same time: one transaction for all that waits, and each writer's own outcome.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rosterd::scim::Dialect;
use rosterd::scim::Error;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::ListQuery;
use rosterd::store::Store;
use rosterd::store::WriteAct;
use rosterd::store::Written;
use serde_json::json;
use tokio::task::JoinSet;

fn create(id: String, user_name: &str) -> WriteAct {
    let body = json!({ "userName": user_name });
    let incoming = incoming(ResourceType::User, Dialect::Tolerant, &body).expect("a sound body");
    WriteAct::Create { kind: ResourceType::User, id: ResourceId(id), incoming, dialect: Dialect::Strict }
}

fn okta() -> Author {
    Author::push("okta", "t1", false, Timestamp::from_second(1_700_000_000).expect("a time"))
}

async fn post(store: &Store, id: String, user_name: &str) -> Result<Written, Error> {
    let written = store.write_resources("main", okta(), vec![create(id, user_name).into()]).await;
    written.expect("the store writes").into_iter().next().expect("an outcome")
}

async fn ids(store: &Store) -> BTreeSet<String> {
    let all = ListQuery::all(ResourceType::User);
    let listing = store.list_resources("main", all).await.expect("the store reads");
    listing.resources.into_iter().map(|resource| resource.meta.id.0).collect()
}

/// SCIM reference, section 15, point 9.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eight_posts_of_one_user_name_at_once_one_is_done_and_seven_conflict() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(&directory.path().join("state.db")).expect("a state");
    for round in 0..4 {
        let mut posts = JoinSet::new();
        for at in 0..8 {
            let (store, name) = (store.clone(), if at % 2 == 0 { "ÄRGER" } else { "ärger" });
            posts.spawn(
                async move { post(&store, format!("r{round}-{at}"), &format!("{name}{round}")).await },
            );
        }
        let mut statuses: Vec<u16> = Vec::new();
        while let Some(outcome) = posts.join_next().await {
            statuses.push(outcome.expect("no panic").map_or_else(|error| error.status, |_| 201));
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    }
    assert_eq!(ids(&store).await.len(), 4);
}

/// What a killed process leaves behind is its files as they are: they are copied while the store is in use, and opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("state.db");
    let store = Store::open(&path).expect("a state");
    let mut posts = JoinSet::new();
    for writer in 0..16 {
        let store = store.clone();
        posts.spawn(async move {
            let mut acknowledged = Vec::new();
            for at in 0..12 {
                let id = format!("w{writer}-{at}");
                if post(&store, id.clone(), &id).await.is_ok() {
                    acknowledged.push(id);
                }
            }
            acknowledged
        });
    }
    let mut acknowledged = BTreeSet::new();
    while let Some(ids) = posts.join_next().await {
        acknowledged.extend(ids.expect("no panic"));
    }
    assert_eq!(acknowledged.len(), 16 * 12);
    let after = directory.path().join("after.db");
    for ending in ["", "-wal"] {
        let from = format!("{}{ending}", path.display());
        std::fs::copy(from, format!("{}{ending}", after.display())).expect("a copy");
    }
    let survivor = Store::open(&after).expect("the state after the kill");
    assert_eq!(ids(&survivor).await, acknowledged);
    let chain = survivor.verify_chain().await.expect("a walk");
    assert_eq!((chain.links, chain.broken), (16 * 12, None), "each write has its entry");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_writes_in_large_batches_and_pushes_do_not_hold_each_other_up() {
    let store = Store::in_memory().expect("a store");
    let job = {
        let store = store.clone();
        tokio::spawn(async move {
            for batch in 0..10 {
                let writes =
                    (0..300).map(|at| create(format!("j{batch}-{at}"), &format!("j{batch}-{at}")).into());
                let author = Author::job("acme", Timestamp::UNIX_EPOCH);
                let written = store.write_resources("main", author, writes.collect()).await.expect("written");
                assert!(written.iter().all(Result::is_ok));
            }
        })
    };
    let mut posts = JoinSet::new();
    for at in 0..100 {
        let store = store.clone();
        posts.spawn(async move { post(&store, format!("p{at}"), &format!("p{at}")).await.map(|_| ()) });
    }
    while let Some(outcome) = posts.join_next().await {
        outcome.expect("no panic").expect("done");
    }
    job.await.expect("no panic");
    assert_eq!(ids(&store).await.len(), 3_100);
}

#[tokio::test]
async fn an_id_is_never_used_again() {
    let store = Store::in_memory().expect("a store");
    post(&store, "u1".to_owned(), "ann").await.expect("done");
    let delete = WriteAct::Delete { kind: ResourceType::User, id: ResourceId("u1".to_owned()) };
    store.write_resources("main", okta(), vec![delete.into()]).await.expect("the store writes");
    let again = post(&store, "u1".to_owned(), "ann").await.expect_err("spent");
    assert_eq!(
        (again.status, again.detail.as_str()),
        (409, "a resource had this id before; ids are never used again")
    );
    post(&store, "u2".to_owned(), "ann").await.expect("the name is free");
}

/// SCIM reference, Q5: inserts land at the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_stable_while_others_insert() {
    let store = Store::in_memory().expect("a store");
    for at in 0..50 {
        post(&store, format!("a{at:02}"), &format!("a{at}")).await.expect("done");
    }
    let inserts = {
        let store = store.clone();
        tokio::spawn(async move {
            for at in 0..50 {
                post(&store, format!("b{at:02}"), &format!("b{at}")).await.expect("done");
            }
        })
    };
    let (mut seen, mut start) = (Vec::new(), 1);
    while seen.len() < 50 {
        let query = ListQuery { start, count: 7, ..ListQuery::all(ResourceType::User) };
        let page = store.list_resources("main", query).await.expect("the store reads").resources;
        start += page.len() as u64;
        seen.extend(page.into_iter().map(|resource| resource.meta.id.0));
    }
    inserts.await.expect("no panic");
    let expected: Vec<String> = (0..50).map(|at| format!("a{at:02}")).collect();
    assert_eq!(seen[..50], expected, "each of the old ones once, in their order");
}
