//! One suite of promises for everything that changes can be written to. It runs over the embedded workspace and
//! over the remote client; whatever keeps it can be a target.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use rosterd::client::Secret;
use rosterd::scim::Attributes;
use rosterd::scim::Dialect;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::scim::profiles::MediaType;
use rosterd::scim::profiles::Paging;
use rosterd::scim::profiles::PatchValueStyle;
use rosterd::scim::profiles::Profile;
use rosterd::scim::profiles::Support;
use rosterd::store::Store;
use rosterd::targets::Listed;
use rosterd::targets::Lookup;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;
use rosterd::targets::workspace::WorkspaceTarget;
use serde_json::Value;
use serde_json::json;

use crate::server::Served;
use crate::support::without_patch::WithoutPatch;

#[tokio::test]
async fn the_embedded_workspace_conforms() {
    suite(&workspace(Store::in_memory().expect("a store"))).await;
}

#[tokio::test]
async fn the_remote_client_conforms_over_our_own_service() {
    for dialect in [Dialect::Strict, Dialect::Tolerant] {
        let served = Served::start(dialect).await;
        let url = format!("{}/scim/v2", served.root).parse().expect("a URL");
        let settings = RemoteSettings::new(url, vec![Secret::new(served.token.clone())]);
        suite(&RemoteTarget::new(settings).expect("a client")).await;
    }
}

/// The suite through the remote client, with a profile of its own.
async fn over(root: &str, token: &str, change: impl FnOnce(&mut Profile)) -> RemoteTarget {
    let url = format!("{root}/scim/v2").parse().expect("a URL");
    let mut settings = RemoteSettings::new(url, vec![Secret::new(token.to_owned())]);
    change(&mut settings.profile);
    let target = RemoteTarget::new(settings).expect("a client");
    suite(&target).await;
    target
}

#[tokio::test]
async fn the_remote_client_conforms_in_every_way_that_a_profile_can_ask_for() {
    for dialect in [Dialect::Strict, Dialect::Tolerant] {
        let ways: [fn(&mut Profile); 7] = [
            |profile| profile.bulk.supported = Support::Yes,
            |profile| profile.paging = Paging::Cursor,
            |profile| profile.value_path_patch = false,
            |profile| profile.patch_value_style = PatchValueStyle::Pathless,
            |profile| profile.excluded_attributes = false,
            |profile| profile.page_size = 1,
            |profile| profile.media_type = MediaType::Json,
        ];
        for way in ways {
            let served = Served::start(dialect).await;
            over(&served.root, &served.token, way).await;
        }
    }
}

#[tokio::test]
async fn the_remote_client_conforms_where_there_is_no_patch() {
    let served = Served::start(Dialect::Strict).await;
    let door = WithoutPatch::start(&served.root).await;
    let target = over(&door.root, &served.token, |profile| profile.members.replace_all = true).await;
    let learned: Vec<String> = target.lessons().into_iter().map(|lesson| lesson.capability).collect();
    assert_eq!(learned, ["patch.groups", "patch.users"]);
    assert_eq!(door.asked("PATCH"), 2, "each kind is tried once");
}

/// A workspace whose ids count up and whose clock stands still.
pub fn workspace(store: Store) -> WorkspaceTarget {
    let number = AtomicU64::new(0);
    let ids = Arc::new(move || format!("r{}", number.fetch_add(1, Ordering::Relaxed)));
    let clock = Arc::new(|| "2026-11-24T08:00:00Z".parse().expect("a time"));
    WorkspaceTarget::new(store, "main", ids, clock).owned_by("job")
}

/// Everything that a cycle relies on, from an empty target.
pub async fn suite(target: &dyn ServiceProvider) {
    people_live_through(target).await;
    teams_live_through(target).await;
    one_bad_change_does_not_block_the_rest(target).await;
    many_at_once(target).await;
}

async fn people_live_through(target: &dyn ServiceProvider) {
    let ann = made(target, person("Ann@X.example", "A-1", "ann@x.example")).await;
    let conflict = one(target, person("ann@x.EXAMPLE", "A-2", "other@x.example")).await;
    assert!(matches!(conflict, Outcome::Conflict { .. }), "a userName is unique in any case: {conflict:?}");

    assert_eq!(found(target, Kind::User, "userName", "ANN@x.example").await.as_ref(), Some(&ann));
    assert_eq!(found(target, Kind::User, "externalId", "A-1").await.as_ref(), Some(&ann));
    assert_eq!(found(target, Kind::User, "externalId", "a-1").await, None, "externalId is case-exact");
    let work = "emails[type eq \"work\"].value";
    assert_eq!(found(target, Kind::User, work, "Ann@x.example").await.as_ref(), Some(&ann));
    assert_eq!(found(target, Kind::User, work, "nobody@x.example").await, None);

    let changes = [
        ("name.givenName", json!("Anna")),
        (work, json!("anna@x.example")),
        ("title", json!("Boss")),
        ("displayName", Value::Null),
    ];
    let shown = patched(target, Kind::User, &ann, &changes).await;
    assert_eq!(shown["name"], json!({"givenName": "Anna", "familyName": "Lee"}));
    assert_eq!(shown["emails"], json!([{"type": "work", "value": "anna@x.example", "primary": true}]));
    assert_eq!((&shown["title"], shown.get("displayName")), (&json!("Boss"), None));
    assert_eq!(found(target, Kind::User, work, "ann@x.example").await, None, "the old address is nobody's");

    let added =
        one(target, addition(&ann, "emails", json!([{"type": "home", "value": "ann@home.example"}]))).await;
    let Outcome::Done { shown: Some(shown), .. } = added else { panic!("added: {added:?}") };
    let addresses: Vec<&Value> =
        shown["emails"].as_array().into_iter().flatten().map(|mail| &mail["value"]).collect();
    assert_eq!(addresses, [&json!("anna@x.example"), &json!("ann@home.example")], "what was there stays");
    let home = "emails[type eq \"home\"].value";
    patched(target, Kind::User, &ann, &[(home, Value::Null)]).await;

    let shown = patched(target, Kind::User, &ann, &[("title", Value::Null)]).await;
    assert_eq!(shown.get("title"), None);
    patched(target, Kind::User, &ann, &[("active", json!(false))]).await;
    assert_eq!(active(target, &ann).await, Some(false), "who is deactivated stays readable");
    patched(target, Kind::User, &ann, &[("active", json!(true)), ("userName", json!("anna@x.example"))])
        .await;
    assert_eq!(active(target, &ann).await, Some(true));
    assert_eq!(found(target, Kind::User, "userName", "anna@x.example").await.as_ref(), Some(&ann));

    deleted(target, Kind::User, &ann).await;
    assert_eq!(active(target, &ann).await, None);
    let missing = one(target, patch(Kind::User, &ann, &[("title", json!("x"))])).await;
    assert_eq!(missing, Outcome::Missing);
    deleted(target, Kind::User, &ann).await;
    let again = made(target, person("anna@x.example", "A-1", "anna@x.example")).await;
    assert_ne!(again, ann, "an id is never used again");
    deleted(target, Kind::User, &again).await;
}

async fn teams_live_through(target: &dyn ServiceProvider) {
    let mut people = Vec::new();
    for name in ["bob", "cyd", "dee"] {
        people.push(
            made(target, person(&format!("{name}@x.example"), name, &format!("{name}@x.example"))).await,
        );
    }
    let [bob, cyd, dee] = people.as_slice() else { panic!("three people") };
    let attributes = [("displayName", json!("Sales")), ("externalId", json!("G-1"))];
    let team = made(target, Operation::Create { kind: Kind::Group, attributes: flat(&attributes) }).await;
    assert_eq!(members(target, &team).await, [] as [ResourceId; 0]);
    patched(target, Kind::Group, &team, &[("displayName", json!("Sales EMEA"))]).await;
    assert_eq!(found(target, Kind::Group, "displayName", "sales emea").await.as_ref(), Some(&team));
    assert_eq!(found(target, Kind::Group, "externalId", "G-1").await.as_ref(), Some(&team));

    join(target, &team, &[bob, cyd], &[]).await;
    assert_eq!(members(target, &team).await, sorted(&[bob, cyd]));
    assert_eq!(listed(target, Kind::User).await, sorted(&[bob, cyd, dee]));
    assert_eq!(listed(target, Kind::Group).await, sorted(&[&team]));
    join(target, &team, &[bob, dee], &[cyd]).await;
    assert_eq!(members(target, &team).await, sorted(&[bob, dee]), "who was not named stays");
    join(target, &team, &[], &[cyd]).await;
    assert_eq!(members(target, &team).await, sorted(&[bob, dee]), "to remove nobody is no mistake");

    deleted(target, Kind::User, bob).await;
    assert_eq!(members(target, &team).await, sorted(&[dee]), "who is gone is a member no more");
    deleted(target, Kind::Group, &team).await;
    let gone = Operation::Members { team: team.clone(), add: vec![dee.clone()], remove: vec![] };
    assert_eq!(one(target, gone).await, Outcome::Missing);
    for person in [cyd, dee] {
        deleted(target, Kind::User, person).await;
    }
}

async fn one_bad_change_does_not_block_the_rest(target: &dyn ServiceProvider) {
    let nobody = ResourceId("00000000-nobody".to_owned());
    let first = person("eve@x.example", "E-1", "eve@x.example");
    let eve = made(target, first.clone()).await;
    let outcomes = target
        .apply(&[
            patch(Kind::User, &eve, &[("title", json!("Chief"))]),
            first,
            patch(Kind::User, &nobody, &[("title", json!("Ghost"))]),
            person("fay@x.example", "F-1", "fay@x.example"),
        ])
        .await
        .expect("the target answers");
    let [Outcome::Done { id, .. }, Outcome::Conflict { .. }, Outcome::Missing, Outcome::Done { id: fay, .. }] =
        outcomes.as_slice()
    else {
        panic!("one outcome each, in order: {outcomes:?}")
    };
    assert_eq!(*id, eve);
    assert_eq!(found(target, Kind::User, "userName", "fay@x.example").await.as_ref(), Some(fay));
    let both = [(Kind::User, nobody), (Kind::User, eve.clone())];
    let got = target.get(&both).await.expect("the target answers");
    assert_eq!(got[0], None);
    assert_eq!(got[1].as_ref().map(|eve| eve.body["title"].clone()), Some(json!("Chief")));
    for person in [&eve, fay] {
        deleted(target, Kind::User, person).await;
    }
}

fn person(user_name: &str, external_id: &str, email: &str) -> Operation {
    let attributes = [
        ("userName", json!(user_name)),
        ("externalId", json!(external_id)),
        ("displayName", json!("Ann Lee")),
        ("active", json!(true)),
        ("name.givenName", json!("Ann")),
        ("name.familyName", json!("Lee")),
        ("emails[type eq \"work\"].value", json!(email)),
    ];
    Operation::Create { kind: Kind::User, attributes: flat(&attributes) }
}

fn flat(pairs: &[(&str, Value)]) -> Attributes {
    pairs.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect()
}

fn addition(id: &ResourceId, path: &str, value: Value) -> Operation {
    let add = vec![(path.to_owned(), value)];
    Operation::Patch { kind: Kind::User, id: id.clone(), set: Vec::new(), add }
}

fn patch(kind: Kind, id: &ResourceId, changes: &[(&str, Value)]) -> Operation {
    let set = changes.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
    Operation::Patch { kind, id: id.clone(), set, add: Vec::new() }
}

async fn one(target: &dyn ServiceProvider, operation: Operation) -> Outcome {
    let outcomes = target.apply(&[operation]).await.expect("the target answers");
    let [outcome] = outcomes.as_slice() else { panic!("one outcome: {outcomes:?}") };
    outcome.clone()
}

async fn made(target: &dyn ServiceProvider, create: Operation) -> ResourceId {
    match one(target, create).await {
        Outcome::Done { id, .. } => id,
        other => panic!("not created: {other:?}"),
    }
}

/// What the target shows afterwards, in its answer or when it is asked.
async fn patched(
    target: &dyn ServiceProvider,
    kind: Kind,
    id: &ResourceId,
    changes: &[(&str, Value)],
) -> Value {
    match one(target, patch(kind, id, changes)).await {
        Outcome::Done { shown: Some(shown), .. } => shown,
        Outcome::Done { shown: None, .. } => {
            let got = target.get(&[(kind, id.clone())]).await.expect("the target answers");
            got[0].clone().expect("it is there").body
        }
        other => panic!("not patched: {other:?}"),
    }
}

/// Everybody of a batch, as a cycle sends them; also in one request, where the target takes it.
async fn many_at_once(target: &dyn ServiceProvider) {
    let people: Vec<Operation> = (0..25)
        .map(|n| person(&format!("many{n}@x.example"), &format!("M-{n}"), &format!("many{n}@x.example")))
        .collect();
    let made = ids(target.apply(&people).await.expect("the target answers"));
    let titles: Vec<Operation> =
        made.iter().map(|id| patch(Kind::User, id, &[("title", json!("Crew"))])).collect();
    assert_eq!(ids(target.apply(&titles).await.expect("the target answers")), made);
    let all: Vec<(Kind, ResourceId)> = made.iter().map(|id| (Kind::User, id.clone())).collect();
    let got = target.get(&all).await.expect("the target answers");
    for (n, found) in got.iter().enumerate() {
        let body = &found.as_ref().expect("it is there").body;
        assert_eq!((&body["externalId"], &body["title"]), (&json!(format!("M-{n}")), &json!("Crew")));
    }
    assert_eq!(listed(target, Kind::User).await, sorted(&made.iter().collect::<Vec<_>>()));
    let mut deletions: Vec<Operation> =
        made.iter().map(|id| Operation::Delete { kind: Kind::User, id: id.clone() }).collect();
    deletions.push(deletions[0].clone());
    ids(target.apply(&deletions).await.expect("the target answers"));
    assert_eq!(target.get(&all).await.expect("the target answers"), vec![None; 25]);
    assert_eq!(listed(target, Kind::User).await, [] as [ResourceId; 0], "an empty list is whole, too");
}

fn ids(outcomes: Vec<Outcome>) -> Vec<ResourceId> {
    let id = |outcome| match outcome {
        Outcome::Done { id, .. } => id,
        other => panic!("not done: {other:?}"),
    };
    outcomes.into_iter().map(id).collect()
}

async fn deleted(target: &dyn ServiceProvider, kind: Kind, id: &ResourceId) {
    let outcome = one(target, Operation::Delete { kind, id: id.clone() }).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
}

async fn join(target: &dyn ServiceProvider, team: &ResourceId, add: &[&ResourceId], remove: &[&ResourceId]) {
    let own = |ids: &[&ResourceId]| ids.iter().map(|id| (*id).clone()).collect();
    let outcome =
        one(target, Operation::Members { team: team.clone(), add: own(add), remove: own(remove) }).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
}

/// The one that is found, or nobody.
async fn found(target: &dyn ServiceProvider, kind: Kind, path: &str, value: &str) -> Option<ResourceId> {
    let lookup = Lookup { kind, path: path.to_owned(), value: value.to_owned() };
    let found = target.find(&[lookup]).await.expect("the target answers");
    assert!(found.len() == 1 && found[0].len() < 2, "one at most: {found:?}");
    found[0].first().map(|found| found.id.clone())
}

async fn active(target: &dyn ServiceProvider, id: &ResourceId) -> Option<bool> {
    let got = target.get(&[(Kind::User, id.clone())]).await.expect("the target answers");
    got[0].as_ref().map(|found| found.active)
}

/// The whole list of a kind: each resource once, its end once, and groups without their members.
async fn listed(target: &dyn ServiceProvider, kind: Kind) -> Vec<ResourceId> {
    let mut found = Vec::new();
    let pieces: Vec<_> = target.list(kind).collect().await;
    let mut pieces = pieces.into_iter().map(|piece| piece.expect("the target answers"));
    assert_eq!(pieces.next_back(), Some(Listed::End { partial: None }));
    for piece in pieces {
        let Listed::Page(page) = piece else { panic!("the end comes last: {piece:?}") };
        found.extend(page);
    }
    for one in &found {
        assert_eq!((one.kind, one.active), (kind, true));
        let members = one.body.get("members").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
        assert!(!members, "{}", one.id);
    }
    sorted(&found.iter().map(|one| &one.id).collect::<Vec<_>>())
}

async fn members(target: &dyn ServiceProvider, team: &ResourceId) -> Vec<ResourceId> {
    let members = target.members(team).await.expect("the target answers").expect("members are shown");
    sorted(&members.iter().collect::<Vec<_>>())
}

fn sorted(ids: &[&ResourceId]) -> Vec<ResourceId> {
    let mut ids: Vec<ResourceId> = ids.iter().map(|id| (*id).clone()).collect();
    ids.sort();
    ids
}
