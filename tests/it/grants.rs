//! Access grants: who may have one, what goes with a user's activity through every door, and what comes back.

mod undo;

use jiff::Timestamp;
use rosterd::scim::Dialect;
use rosterd::scim::Patch;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::store::Author;
use rosterd::store::Rights;
use rosterd::store::Store;
use rosterd::store::TokenWish;
use rosterd::store::WriteAct;
use serde_json::Value;
use serde_json::json;

use crate::server::Served;

const GRANT: &str = "urn:rosterd:params:scim:schemas:2.0:Grant";

/// A service whose token may do everything, and Ann in it.
struct Desk {
    served: Served,
    ann: String,
}

impl Desk {
    async fn new() -> Desk {
        let mut served = Served::start(Dialect::Strict).await;
        let rights = "read users:write groups:write grants:read grants:write".parse::<Rights>();
        let wish = TokenWish {
            rights: rights.expect("rights"),
            ..TokenWish::new("main", Dialect::Strict, "test", "grants")
        };
        served.token = served.store.create_token(wish, at(0)).await.expect("a token").text;
        let ann = served.made("/Users", user("ann")).await;
        Desk { served, ann }
    }

    async fn grant(&self, account: &str, privileged: bool) -> String {
        self.served.made("/Grants", grant(&self.ann, account, privileged)).await
    }

    /// The accounts of all grants, in the order in which they were given.
    async fn accounts(&self) -> Vec<String> {
        let got = self.served.call("GET", "/Grants", None).await;
        let all = got.body["Resources"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| one["account"].as_str().expect("an account").to_owned()).collect()
    }

    async fn set_active(&self, active: bool) {
        let got = self.served.call("PATCH", &format!("/Users/{}", self.ann), Some(active_is(active))).await;
        assert_eq!(got.status, 200, "{got:?}");
    }

    /// Of the follow-ups: the account and the state.
    async fn follow_ups(&self) -> Vec<String> {
        follow_ups(&self.served.store).await
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a time")
}

fn user(name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name})
}

fn grant(user: &str, account: &str, privileged: bool) -> Value {
    json!({"schemas": [GRANT], "user": {"value": user}, "account": account, "privileged": privileged})
}

fn active_is(active: bool) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": active}],
    })
}

async fn follow_ups(store: &Store) -> Vec<String> {
    let all = store.follow_ups("main", None, 0, 100).await.expect("the store reads");
    let account = |body: &Value| body["data"]["grant"]["account"].as_str().unwrap_or_default().to_owned();
    all.iter().map(|one| format!("{} {}", account(&one.body), one.state.word())).collect()
}

#[tokio::test]
async fn a_grant_is_made_read_filtered_patched_and_deleted_like_any_resource() {
    let desk = Desk::new().await;
    let made = desk.served.call("POST", "/Grants", Some(grant(&desk.ann, "db-admin", true))).await;
    assert_eq!((made.status, made.header("etag")), (201, "W/\"1\""), "{made:?}");
    let id = made.body["id"].as_str().expect("an id");
    assert_eq!(made.body["meta"]["resourceType"], "Grant");
    assert_eq!(made.body["user"]["value"], json!(desk.ann));
    desk.grant("mail", false).await;

    for (filter, expected) in [
        (format!("user.value eq \"{}\"", desk.ann), 2),
        ("account eq \"DB-ADMIN\"".to_owned(), 1),
        ("privileged eq true".to_owned(), 1),
        ("privileged eq true and account sw \"m\"".to_owned(), 0),
    ] {
        let filter = filter.replace(' ', "%20").replace('"', "%22");
        let got = desk.served.call("GET", &format!("/Grants?filter={filter}"), None).await;
        assert_eq!(got.body["totalResults"], json!(expected), "{filter}");
    }

    let named = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "displayName", "value": "the database"}],
    });
    let patched = desk.served.call("PATCH", &format!("/Grants/{id}"), Some(named)).await;
    assert_eq!((patched.status, &patched.body["displayName"]), (200, &json!("the database")), "{patched:?}");
    assert_eq!(desk.served.call("DELETE", &format!("/Grants/{id}"), None).await.status, 204);
    assert_eq!(desk.accounts().await, ["mail"]);
    assert!(desk.follow_ups().await.is_empty(), "a grant that is taken by hand asks for nothing");
}

#[tokio::test]
async fn a_grant_needs_an_active_user_of_the_workspace_and_an_account_that_they_do_not_have_yet() {
    let desk = Desk::new().await;
    desk.grant("db-admin", true).await;
    let bob = desk.served.made("/Users", user("bob")).await;
    let off = desk.served.call("PATCH", &format!("/Users/{bob}"), Some(active_is(false))).await;
    assert_eq!(off.status, 200);
    for (body, refusal, detail) in [
        (grant("nobody", "x", false), "400 invalidValue", "user.value: no user has the id nobody"),
        (
            grant(&bob, "x", false),
            "400 invalidValue",
            "user.value: the user is inactive, and who is inactive has no grants",
        ),
        (
            grant(&desk.ann, "DB-Admin", false),
            "409 uniqueness",
            "the user has a grant for this account already",
        ),
        (json!({"schemas": [GRANT], "account": "x"}), "400 invalidValue", "user is required"),
    ] {
        let got = desk.served.call("POST", "/Grants", Some(body)).await;
        assert_eq!((got.refusal().as_str(), got.body["detail"].as_str()), (refusal, Some(detail)));
    }
    let other = desk.served.store.create_token(
        TokenWish {
            rights: "grants:write grants:read".parse().expect("rights"),
            ..TokenWish::new("other", Dialect::Strict, "test", "")
        },
        at(0),
    );
    let headers = [("authorization", format!("Bearer {}", other.await.expect("a token").text))];
    let body = grant(&desk.ann, "x", false).to_string();
    let got = desk.served.raw("POST", "/scim/v2/Grants", &headers, Some(body)).await;
    assert_eq!(got.refusal(), "400 invalidValue", "a user of another workspace is nobody here");
    assert_eq!(desk.accounts().await, ["db-admin"]);
}

#[tokio::test]
async fn user_and_account_of_a_grant_stay_as_they_are() {
    let desk = Desk::new().await;
    let id = desk.grant("db-admin", false).await;
    let bob = desk.served.made("/Users", user("bob")).await;
    for body in [grant(&bob, "db-admin", false), grant(&desk.ann, "mail", false)] {
        let got = desk.served.call("PUT", &format!("/Grants/{id}"), Some(body)).await;
        assert_eq!(got.refusal(), "400 mutability", "{got:?}");
    }
    let got =
        desk.served.call("PUT", &format!("/Grants/{id}"), Some(grant(&desk.ann, "DB-ADMIN", true))).await;
    assert_eq!((got.status, &got.body["account"]), (200, &json!("db-admin")), "the same in another spelling");
    assert_eq!(got.body["privileged"], true);
}

/// What each door does to end Ann's activity.
async fn close(desk: &Desk, door: &str) {
    let path = format!("/Users/{}", desk.ann);
    let got = match door {
        "PATCH" => desk.served.call("PATCH", &path, Some(active_is(false))).await,
        "PUT" => {
            let mut body = user("ann");
            body["active"] = json!(false);
            desk.served.call("PUT", &path, Some(body)).await
        }
        "DELETE" => desk.served.call("DELETE", &path, None).await,
        "bulk" => {
            let bulk = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                "Operations": [{"method": "PATCH", "path": path, "data": active_is(false)}],
            });
            desk.served.call("POST", "/Bulk", Some(bulk)).await
        }
        _ => return pull(desk).await,
    };
    assert!([200, 204].contains(&got.status), "{got:?}");
}

/// As a job deactivates: a patch of values, with the job as the author.
async fn pull(desk: &Desk) {
    let set = [("active".to_owned(), json!(false))];
    let patch = Patch::of_values(ResourceType::User, &set).expect("a patch");
    let write = WriteAct::Patch { id: ResourceId(desk.ann.clone()), patch }.into();
    let author = Author { writes_others: true, ..Author::job("acme", at(900_000)) };
    let done =
        desk.served.store.write_resources("main", author, vec![write]).await.expect("the store writes");
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}

#[tokio::test]
async fn whoever_is_deactivated_or_deleted_loses_all_grants_at_once_through_every_door() {
    for door in ["PATCH", "PUT", "bulk", "DELETE", "pull"] {
        let desk = Desk::new().await;
        desk.grant("db-admin", true).await;
        desk.grant("mail", false).await;
        desk.grant("vault", true).await;
        let bob = desk.served.made("/Users", user("bob")).await;
        desk.served.made("/Grants", grant(&bob, "wiki", true)).await;
        close(&desk, door).await;
        assert_eq!(desk.accounts().await, ["wiki"], "{door}");
        assert_eq!(
            desk.follow_ups().await,
            ["db-admin waiting", "vault waiting"],
            "{door}: one for each privileged grant"
        );
        let losses = desk.served.store.losses("main", &ResourceId(desk.ann.clone())).await.expect("losses");
        let taken: Vec<_> = losses[0].grants.iter().filter_map(|one| one.account.as_deref()).collect();
        assert_eq!(taken, ["db-admin", "mail", "vault"], "{door}: it is known exactly which");
    }
}

#[tokio::test]
async fn a_write_that_fails_takes_nothing() {
    let desk = Desk::new().await;
    desk.grant("db-admin", true).await;
    desk.served.made("/Users", user("bob")).await;
    let mut body = user("bob");
    body["active"] = json!(false);
    let got = desk.served.call("PUT", &format!("/Users/{}", desk.ann), Some(body)).await;
    assert_eq!(got.refusal(), "409 uniqueness");
    assert_eq!(desk.accounts().await, ["db-admin"]);
    assert!(desk.follow_ups().await.is_empty());
}

#[tokio::test]
async fn a_follow_up_says_whose_access_to_which_account_ended() {
    let desk = Desk::new().await;
    let id = desk.grant("db-admin", true).await;
    desk.set_active(false).await;
    let all = desk.served.store.follow_ups("main", None, 0, 100).await.expect("the store reads");
    let mut body = all[0].body.clone();
    let timestamp = body["timestamp"].take();
    assert!(timestamp.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()), "{timestamp}");
    let expected = json!({
        "type": "follow_up.rotate_password",
        "timestamp": null,
        "data": {
            "workspace": "main",
            "followUp": all[0].id,
            "cause": "deactivated",
            "user": {"id": desk.ann, "userName": "ann"},
            "grant": {"id": id, "account": "db-admin", "displayName": null},
        },
    });
    assert_eq!(body, expected);
    assert!(!format!("{:?}", all[0]).contains("ann"), "no values in Debug");
}

#[tokio::test]
async fn grants_are_hidden_from_a_token_without_the_right() {
    let served = Served::start(Dialect::Strict).await;
    let got = served.call("GET", "/ResourceTypes", None).await;
    assert!(!got.body.to_string().contains("Grant"), "{got:?}");
}
