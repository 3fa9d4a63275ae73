//! `rosterd link takeover`: what Entra or Okta pushed becomes a job's that pulls. Nobody is made, nobody is removed, and the
//! old token opens nothing any more.

use rosterd::model::LinkId;
use rosterd::model::Origin;
use rosterd::scim::Attributes;
use rosterd::scim::Dialect;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::server::Settings;
use rosterd::store::ByHand;
use rosterd::store::Passed;
use rosterd::store::Store;
use rosterd::store::Takeover;
use serde_json::Value;
use serde_json::json;

use super::corpus_scim;
use super::server::Served;
use super::support::host::Host;
use super::support::host::Ran;

/// A host whose workspace a tenant pushes into, and a job that observes.
struct Push {
    host: Host,
    served: Served,
    token: String,
}

impl Push {
    async fn new() -> Push {
        let host = Host::new();
        let store = Store::open(&host.path("rosterd.db")).expect("a state");
        let served = Served::over(store, Dialect::Tolerant, Settings::default()).await;
        let token = served.token(|wish| wish.tenant = "entra".to_owned()).await;
        Push { host, served, token }
    }

    async fn post(&self, path: &str, body: Value) -> String {
        let got = self.served.call_as(&self.token, "POST", path, Some(body)).await;
        assert_eq!(got.status, 201, "{got:?}");
        got.body["id"].as_str().expect("an id").to_owned()
    }

    /// As Entra writes a user, with what stands as `externalId` there.
    async fn user(&self, name: &str, external_id: &str) -> String {
        self.post("/Users", entra_user(name, external_id)).await
    }

    /// As Entra writes a group: first the group, then its members by PATCH.
    async fn team(&self, name: &str, external_id: &str, members: &[&str]) -> String {
        let team = self.post("/Groups", json!({"displayName": name, "externalId": external_id})).await;
        let values: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let add = json!([{"op": "Add", "path": "members", "value": values}]);
        self.patch(&format!("/Groups/{team}"), add).await;
        team
    }

    async fn patch(&self, path: &str, operations: Value) -> u16 {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
        });
        self.served.call_as(&self.token, "PATCH", path, Some(body)).await.status
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.host.run(arguments)
    }

    #[track_caller]
    fn observed(&self) {
        let synced = self.run(&["sync"]);
        assert!([0, 4].contains(&synced.code), "{}{}", synced.out, synced.err);
    }

    /// What the following plan would make and take.
    #[track_caller]
    fn planned(&self) -> String {
        let plan = self.run(&["plan", "--format", "json"]);
        assert!([0, 3, 4].contains(&plan.code), "{}", plan.err);
        let told: Value = serde_json::from_str(&plan.out).expect("JSON");
        told["counts"].to_string()
    }
}

fn entra_user(name: &str, external_id: &str) -> Value {
    let mail = format!("{name}@acme.example");
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "externalId": external_id, "userName": mail, "active": true, "meta": {"resourceType": "User"},
        "name": {"formatted": format!("{name} Lee"), "familyName": "Lee", "givenName": name}, "roles": [],
        "emails": [{"primary": true, "type": "work", "value": mail}],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pushed_passes_without_a_create_or_a_removal() {
    let push = Push::new().await;
    let (ann, bob) = (push.user("ann", "u-ann").await, push.user("bob", "u-bob").await);
    let ghost = push.user("ghost", "u-ghost").await;
    let team = push.team("Sales", "g1", &[&ann, &bob, &ghost]).await;
    push.observed();
    let held = push.run(&["held"]).out;
    assert!(held.contains("which push entra owns"), "{held}");

    let dry = push.run(&["link", "takeover", "hr", "entra", "--dry-run"]);
    assert_eq!(dry.code, 0, "{}{}", dry.out, dry.err);
    assert!(dry.out.ends_with("  done        nothing: a dry run\n"), "{}", dry.out);
    assert_eq!(
        push.patch(&format!("/Users/{ann}"), json!([{"op": "Replace", "path": "title", "value": "x"}])).await,
        200
    );
    assert_eq!(push.run(&["link", "list", "hr"]).out.matches(" active ").count(), 0);

    let token = push.token.split('_').nth(1).expect("an id").to_owned();
    let taken = push.run(&["link", "takeover", "hr", "entra", "--reason", "the plan ends"]);
    let expected = format!(
        "hr takes over what push entra owns in the workspace main\n\
         \x20 passed      2 users, 1 team, 2 memberships\n\
         \x20 left        1: nobody whom the job wants; push entra keeps them, as they are\n\
         \x20   user ghost@acme.example  {ghost}, active\n\
         \x20 foreign     1: in 1 team the job does not want them, and leaves them\n\
         \x20   Sales: ghost@acme.example\n\
         \x20 revoked     tokens of push entra: {token}\n\
         \x20 plan        no changes, of 2 active\n\
         \x20 mode        observe: nobody writes now, until somebody allows it: rosterd enable hr\n"
    );
    assert_eq!((taken.code, taken.out.as_str(), taken.err.as_str()), (0, expected.as_str(), ""));
    assert_eq!(dry.out.replace("  done        nothing: a dry run\n", ""), expected);

    assert_eq!(push.run(&["plan"]).code, 0);
    push.run(&["enable", "hr"]);
    assert_eq!(push.run(&["sync"]).code, 0);
    let users = push.run(&["workspace", "users"]).out;
    assert!(users.contains("ghost@acme.example"), "{users}");
    let list = push.run(&["link", "list", "hr"]).out;
    for (id, name) in [(&ann, "ann@acme.example"), (&bob, "bob@acme.example"), (&team, "Sales")] {
        assert!(list.contains(&format!("adopted  {id}  {name}")), "{list}");
    }
    // What the directory says from now on is what is written, to the same accounts.
    push.host.people(&["ann"]);
    push.host.named("ann", "Anna");
    assert_eq!(push.run(&["sync"]).code, 0);
    let users = push.run(&["workspace", "users"]).out;
    let line = |name: &str| users.lines().find(|line| line.contains(name)).unwrap_or_default();
    assert!(line("bob@").contains("inactive") && !line("ghost@").contains("inactive"), "{users}");
    assert!(users.contains("Anna Lee") && users.lines().count() == 3, "{users}");
    let shown = push.run(&["link", "show", "hr", "u-ann"]).out;
    assert!(
        shown.contains(&format!("{ann} from push entra by ")) && shown.contains(": the plan ends"),
        "{shown}"
    );
    let log = push.run(&["log"]).out;
    assert!(log.contains("link takeover of push entra in workspace main: 3 links"), "{log}");
    assert_eq!(push.run(&["log", "--verify-chain"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_token_is_refused_and_told_why_and_nobody_else_is() {
    let push = Push::new().await;
    push.user("ann", "u-ann").await;
    let other = push.served.token(|wish| wish.tenant = "okta".to_owned()).await;
    let elsewhere = push.served.token(|wish| {
        wish.tenant = "entra".to_owned();
        wish.workspace = "second".to_owned();
    });
    let (elsewhere, second) =
        (elsewhere.await, push.served.token(|wish| wish.tenant = "entra".to_owned()).await);
    push.observed();
    assert_eq!(push.run(&["link", "takeover", "hr", "entra"]).code, 0);
    for token in [&push.token, &second] {
        let got = push.served.call_as(token, "GET", "/Users", None).await;
        assert_eq!(got.refusal(), "401");
        let detail = got.body["detail"].as_str().expect("a detail");
        assert!(
            detail.starts_with("the tenant entra does not push into the workspace main any more: the job hr pulls what it pushed, since 2")
                && detail.ends_with("; switch this provisioning off in the directory"),
            "{detail}"
        );
        assert_eq!(got.header("www-authenticate"), "Bearer realm=\"rosterd\"");
    }
    // Who does not have the token learns nothing of it.
    let wrong = format!("{}0", &push.token[..push.token.len() - 1]);
    let wrong = if wrong == push.token { format!("{}1", &push.token[..push.token.len() - 1]) } else { wrong };
    let got = push.served.call_as(&wrong, "GET", "/Users", None).await;
    assert_eq!(got.body["detail"], "a valid bearer token is needed; make one with: rosterd token create");
    for token in [&other, &elsewhere] {
        assert_eq!(push.served.call_as(token, "GET", "/Users", None).await.status, 200);
    }
    let list = push.run(&["token", "list"]).out;
    assert_eq!(list.matches("revoked").count(), 2, "{list}");
    // The way back: a new token, which does not write what the job owns.
    let again = push.served.token(|wish| wish.tenant = "entra".to_owned()).await;
    let users = push.served.call_as(&again, "GET", "/Users", None).await;
    let ann = users.body["Resources"][0]["id"].as_str().expect("an id").to_owned();
    let got = push.served.call_as(&again, "DELETE", &format!("/Users/{ann}"), None).await;
    assert_eq!(got.refusal(), "403");
}

/// Entra's own default for `externalId` is the mail nickname, which is nobody's id.
#[tokio::test(flavor = "multi_thread")]
async fn nicknames_as_external_ids_do_not_stand_against_it() {
    let push = Push::new().await;
    let (ann, bob) = (push.user("ann", "ann").await, push.user("bob", "bob").await);
    push.team("Sales", "some-other-id", &[&ann, &bob]).await;
    push.observed();
    let taken = push.run(&["link", "takeover", "hr", "entra"]);
    assert_eq!(taken.code, 0, "{}{}", taken.out, taken.err);
    assert!(taken.out.contains("  passed      2 users, 1 team, 2 memberships\n"), "{}", taken.out);
    // Our ids are written once; nothing else.
    assert!(taken.out.contains("  plan        3 update, of 2 active\n"), "{}", taken.out);
    push.run(&["enable", "hr"]);
    assert_eq!(push.run(&["sync"]).code, 0);
    assert_eq!(push.run(&["plan"]).code, 0);
}

/// P7: the id says that the address is somebody else's.
#[tokio::test(flavor = "multi_thread")]
async fn a_recycled_address_stays_the_tenants_and_nobody_is_made_beside_it() {
    let push = Push::new().await;
    push.user("ann", "u-ann").await;
    let bob = push.user("bob", "u-bob-of-before").await;
    push.observed();
    let taken = push.run(&["link", "takeover", "hr", "entra"]);
    assert_eq!(taken.code, 4, "{}{}", taken.out, taken.err);
    let unsure = format!(
        "    user bob@acme.example (u-bob): `userName` finds the user {bob}, whose externalId names somebody else"
    );
    assert!(taken.out.contains(&unsure), "{}", taken.out);
    assert!(taken.out.contains(&format!("user bob@acme.example  {bob}, active")), "{}", taken.out);
    push.run(&["enable", "hr"]);
    push.run(&["sync"]);
    assert_eq!(push.run(&["workspace", "users"]).out.matches("bob@acme.example").count(), 1);
    // A person says who it is; the tokens are gone already, so that the second time passes this one.
    assert_eq!(push.run(&["link", "set", "hr", "u-bob", &bob]).code, 0);
    let again = push.run(&["link", "takeover", "hr", "entra"]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert!(again.out.contains("  passed      1 user, 0 teams, 0 memberships\n"), "{}", again.out);
    assert!(again.out.contains("  revoked     tokens of push entra: none\n"), "{}", again.out);
}

/// Somebody whom the push has renamed late is found by the id, whatever the mapping matches by.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_another_name_there_is_found_by_the_id() {
    let push = Push::new().await;
    let ann = push.user("ann.before", "u-ann").await;
    push.user("bob", "u-bob").await;
    push.observed();
    let taken = push.run(&["link", "takeover", "hr", "entra"]);
    assert_eq!(taken.code, 0, "{}{}", taken.out, taken.err);
    assert!(taken.out.contains("passed      2 users"), "{}", taken.out);
    assert!(push.run(&["link", "show", "hr", "u-ann"]).out.contains(&ann));
    assert!(taken.out.contains("1 rename"), "{}", taken.out);
}

/// P6: taking over never activates anybody by itself.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_active_there_waits_for_a_person() {
    let push = Push::new().await;
    let ann = push.user("ann", "u-ann").await;
    push.user("bob", "u-bob").await;
    push.patch(&format!("/Users/{ann}"), json!([{"op": "Replace", "path": "active", "value": "False"}]))
        .await;
    push.observed();
    let taken = push.run(&["link", "takeover", "hr", "entra"]);
    assert_eq!(taken.code, 4, "{}{}", taken.out, taken.err);
    let asleep = format!(
        "  not active  1: linked when a person approves it\n    user ann@acme.example (u-ann)  {ann}\n"
    );
    assert!(taken.out.contains(&asleep), "{}", taken.out);
    push.run(&["enable", "hr"]);
    assert_eq!(push.run(&["sync"]).code, 4);
    let inactive = |push: &Push| {
        push.run(&["workspace", "users"])
            .out
            .lines()
            .any(|line| line.contains("ann@") && line.contains("inactive"))
    };
    assert!(inactive(&push), "{}", push.run(&["workspace", "users"]).out);
    assert_eq!(push.run(&["approve", "hr", "u-ann"]).code, 0);
    assert_eq!(push.run(&["sync"]).code, 0);
    assert!(!inactive(&push));
    assert!(push.run(&["link", "show", "hr", "u-ann"]).out.contains(&format!("{ann}, active, adopted")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused_with_its_cure() {
    let push = Push::new().await;
    let takeover = |tenant: &str| {
        let ran = push.run(&["link", "takeover", "hr", tenant]);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        ran.err
    };
    let unread = takeover("entra");
    assert!(unread.contains("has not had a cycle") && unread.contains("rosterd sync hr"), "{unread}");
    push.observed();
    let slip = takeover("enta");
    assert_eq!(slip, "error: the workspace main has no tenant `enta`\n  cure: it has entra, push\n");
    push.user("eve", "u-eve").await;
    let nobody = takeover("entra");
    assert!(nobody.contains("it wants nobody whom push entra made in workspace main, so nothing passes and no token is revoked"), "{nobody}");
    assert_eq!(push.served.call_as(&push.token, "GET", "/Users", None).await.status, 200);
    let cycle = push.served.store.lease(&["target workspace main".to_owned()]).expect("a lease");
    assert!(takeover("entra").contains("in use by another rosterd"));
    drop(cycle);
}

/// A push that arrives between the look and the transaction.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_since_it_was_looked_at_passes_nothing_and_ends_no_token() {
    let push = Push::new().await;
    let (ann, bob) = (push.user("ann", "u-ann").await, push.user("bob", "u-bob").await);
    push.observed();
    let store = &push.served.store;
    let job = store.find_job("hr").await.expect("a state").expect("a job").id;
    let rows = store.links(job, LinkId(0), 10).await.expect("links");
    let passed = |source: &str, resource: &str, version: &str| {
        let row = rows.iter().find(|row| row.source.0 == source).expect("a link");
        Passed {
            link: row.link,
            kind: Kind::User,
            source: row.source.clone(),
            resource: ResourceId(resource.to_owned()),
            version: Some(format!("W/\"{version}\"")),
            active: true,
            shown: Attributes::default(),
            key: None,
            origin: Origin::Adopted,
            refers: Vec::new(),
            members: Vec::new(),
        }
    };
    let takeover = |version: &str| Takeover {
        workspace: "main".to_owned(),
        tenant: "entra".to_owned(),
        job: (job, "hr".to_owned()),
        passed: vec![passed("u-ann", &ann, "1"), passed("u-bob", &bob, version)],
        asleep: Vec::new(),
    };
    let by = ByHand { who: "test".to_owned(), reason: String::new(), now_second: 1_770_000_000 };
    let stale = takeover("1");
    let title = json!([{"op": "Replace", "path": "title", "value": "Boss"}]);
    assert_eq!(push.patch(&format!("/Users/{bob}"), title).await, 200);
    assert_eq!(store.take_over_tenant(stale, by.clone()).await.expect("a state"), None);
    assert_eq!(push.served.call_as(&push.token, "GET", "/Users", None).await.status, 200);
    assert!(store.links(job, LinkId(0), 10).await.expect("links").iter().all(|row| row.resource.is_none()));
    let passage = store.take_over_tenant(takeover("2"), by).await.expect("a state").expect("a passage");
    assert_eq!(passage.tokens.len(), 1);
    assert_eq!(push.served.call_as(&push.token, "GET", "/Users", None).await.status, 401);
}

/// What the reference sends, against what it reads of the same people: the corpus's requests.
#[tokio::test(flavor = "multi_thread")]
async fn what_entra_and_okta_really_write_is_taken_over_whole() {
    let Some(files) = corpus_scim::files() else {
        println!("skipped: no corpus");
        return;
    };
    for (user, group) in [
        ("001-entra-create-user.json", "006-entra-create-group.json"),
        ("011-okta-create-user.json", "015-okta-create-group.json"),
    ] {
        let push = Push::new().await;
        let body = |file: &str| files[file]["request"]["body"].clone();
        let (user, group) = (body(user), body(group));
        let id = push.post("/Users", user.clone()).await;
        let team = push.post("/Groups", group.clone()).await;
        let member = json!([{"op": "Add", "path": "members", "value": [{"value": id}]}]);
        push.patch(&format!("/Groups/{team}"), member).await;
        let person = user["externalId"].as_str().expect("an id");
        // Okta pushes groups without an externalId.
        let group_id = group["externalId"].as_str().unwrap_or("00g1");
        let directory = json!({
            "directory": "acme-hr", "counts": {"users": 1, "groups": 1, "memberships": 1},
            "users": [{"id": person, "attributes": {
                "userName": user["userName"], "mail": user["emails"][0]["value"],
                "givenName": user["name"]["givenName"], "surname": user["name"]["familyName"]}}],
            "groups": [{"id": group_id, "attributes": {"displayName": group["displayName"]},
                "members": [format!("user:{person}")]}],
        });
        std::fs::write(push.host.path("hr.json"), directory.to_string()).expect("written");
        let name = group["displayName"].as_str().expect("a name");
        let settings = std::fs::read_to_string(push.host.path("rosterd.toml")).expect("settings");
        let settings = settings.replace("name:Sales", &format!("name:{name}"));
        std::fs::write(push.host.path("rosterd.toml"), settings).expect("written");
        push.observed();
        let taken = push.run(&["link", "takeover", "hr", "entra"]);
        assert!(
            taken.out.contains("passed      1 user, 1 team, 1 membership\n"),
            "{}{}",
            taken.out,
            taken.err
        );
        let planned = push.planned();
        for class in ["create", "deactivate", "delete", "remove_members", "add_members", "rename"] {
            assert!(!planned.contains(&format!("\"{class}\"")), "{planned}");
        }
    }
}
