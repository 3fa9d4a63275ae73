//! Many tenants that push at once while a job writes to the workspace of one of them: nothing fails and nothing is lost.
//! `benches/push_load.py` does the same by the minute and measures it.

use std::sync::Arc;

use futures_util::future::join_all;
use rosterd::scim::Attributes;
use rosterd::scim::Dialect;
use rosterd::scim::Kind;
use rosterd::store::Store;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;
use rosterd::targets::workspace::WorkspaceTarget;
use serde_json::json;

use super::Served;
use super::patch;

const TENANTS: usize = 20;
const PEOPLE: usize = 5;
const PULLED: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_tenants_push_while_a_job_pulls_and_nothing_is_lost() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let store = Store::open(&folder.path().join("state.db")).expect("a store");
    let served = Served::over(store, Dialect::Tolerant, rosterd::server::Settings::default()).await;
    let mut tokens = Vec::new();
    for tenant in 0..TENANTS {
        let token = served.token(|wish| {
            wish.workspace = format!("w{tenant}");
            wish.tenant = "entra".to_owned();
        });
        tokens.push(token.await);
    }
    let pushing = join_all(tokens.iter().map(|token| push(&served, token)));
    let (_, ()) = tokio::join!(pushing, pull(served.store.clone()));
    for (tenant, token) in tokens.iter().enumerate() {
        let users = served.call_as(token, "GET", "/Users?count=0", None).await.body;
        let pulled = if tenant == 0 { PULLED } else { 0 };
        assert_eq!(users["totalResults"], PEOPLE + pulled, "w{tenant}");
        let titled =
            served.call_as(token, "GET", "/Users?filter=title%20eq%20%22Lead%22&count=0", None).await.body;
        assert_eq!(titled["totalResults"], PEOPLE + pulled, "w{tenant}");
        let team = served.call_as(token, "GET", "/Groups", None).await.body["Resources"][0].clone();
        assert_eq!(team["members"].as_array().map(Vec::len), Some(PEOPLE), "w{tenant}");
    }
}

/// As Entra does it: look, create, change, join.
async fn push(served: &Served, token: &str) {
    let ok = async |method: &str, path: &str, body, status: u16| {
        let got = served.call_as(token, method, path, body).await;
        assert_eq!(got.status, status, "{method} {path}: {got:?}");
        got.body
    };
    let team = ok("POST", "/Groups", Some(json!({"displayName": "Sales"})), 201).await;
    let team = format!("/Groups/{}", team["id"].as_str().expect("an id"));
    for person in 0..PEOPLE {
        let found = ok("GET", &format!("/Users?filter=userName%20eq%20%22p{person}%22"), None, 200).await;
        assert_eq!(found["totalResults"], 0);
        let made = ok("POST", "/Users", Some(json!({"userName": format!("p{person}")})), 201).await;
        let id = made["id"].as_str().expect("an id");
        let title = patch(json!([{"op": "Replace", "path": "title", "value": "Lead"}]));
        ok("PATCH", &format!("/Users/{id}"), title, 200).await;
        let join = patch(json!([{"op": "Add", "path": "members", "value": [{ "value": id }]}]));
        ok("PATCH", &team, join, 204).await;
    }
}

/// A job writes people into the first workspace, a few at a time.
async fn pull(store: Store) {
    let number = std::sync::atomic::AtomicU64::new(0);
    let ids = Arc::new(move || format!("j{}", number.fetch_add(1, std::sync::atomic::Ordering::Relaxed)));
    let clock = Arc::new(|| "2026-11-24T08:00:00Z".parse().expect("a time"));
    let target = WorkspaceTarget::new(store, "w0", ids, clock).owned_by("acme");
    let person = |n: usize| {
        let attributes: Attributes =
            [("userName".to_owned(), json!(format!("pulled{n}"))), ("title".to_owned(), json!("Lead"))]
                .into_iter()
                .collect();
        Operation::Create { kind: Kind::User, attributes }
    };
    for batch in (0..PULLED).collect::<Vec<_>>().chunks(6) {
        let operations: Vec<Operation> = batch.iter().map(|n| person(*n)).collect();
        let outcomes = target.apply(&operations).await.expect("the workspace answers");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done { .. })), "{outcomes:?}");
    }
}
