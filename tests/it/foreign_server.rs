//! The remote target on a SCIM server that is not ours: `scim2-server` from PyPI, started and stopped here.
//! Everything that was written is read back over plain HTTP, not through our own client.
//!
//! Where it is installed says `support/foreign.rs`; without it these tests say that they were skipped.

use serde_json::Value;
use serde_json::json;

use rosterd::client::Secret;
use rosterd::model::Grade;
use rosterd::scim::Attributes;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::targets::Lookup;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;

use crate::support::foreign::Foreign;
use crate::support::foreign::SCIM2_SERVER;
use crate::support::foreign::TOKEN;

const PEOPLE: usize = 50;
const TEAMS: usize = 5;

impl Foreign {
    fn target(&self) -> RemoteTarget {
        RemoteTarget::new(RemoteSettings::new(self.url.clone(), vec![Secret::new(TOKEN)])).unwrap()
    }

    async fn user(&self, id: &ResourceId) -> Value {
        let (status, body) = self.get(&format!("/Users/{id}")).await;
        assert_eq!(status, 200);
        body
    }

    /// The sorted ids of a team's members.
    async fn team(&self, id: &ResourceId) -> Vec<String> {
        let (status, body) = self.get(&format!("/Groups/{id}")).await;
        assert_eq!(status, 200);
        let members = body["members"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<String> =
            members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }

    async fn total(&self, endpoint: &str) -> u64 {
        self.get(&format!("{endpoint}?count=0")).await.1["totalResults"].as_u64().unwrap()
    }
}

fn attributes(pairs: &[(&str, Value)]) -> Attributes {
    pairs.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect()
}

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

fn person(n: usize) -> Operation {
    let names = ["Ann O'Neil", "Zoë Ångström", "田中 花子", "Иван Петров", "Cafe\u{301} \"Q\" Back\\slash"];
    let (given, family) = names[n % names.len()].split_once(' ').unwrap();
    let attributes = attributes(&[
        ("userName", json!(format!("person{n}@x.example"))),
        ("externalId", json!(format!("source-{n}"))),
        ("name.givenName", json!(given)),
        ("name.familyName", json!(format!("{family} {n}"))),
        ("emails[type eq \"work\"].value", json!(format!("person{n}@x.example"))),
        ("active", json!(true)),
        (DEPARTMENT, json!("Sales")),
    ]);
    Operation::Create { kind: Kind::User, attributes }
}

fn team(n: usize) -> Operation {
    let attributes = attributes(&[
        ("displayName", json!(format!("Team {n}"))),
        ("externalId", json!(format!("group-{n}"))),
    ]);
    Operation::Create { kind: Kind::Group, attributes }
}

fn patch(kind: Kind, id: &ResourceId, set: &[(&str, Value)]) -> Operation {
    let set = set.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
    Operation::Patch { kind, id: id.clone(), set, add: Vec::new() }
}

fn members(team: &ResourceId, add: &[ResourceId], remove: &[ResourceId]) -> Operation {
    Operation::Members { team: team.clone(), add: add.to_vec(), remove: remove.to_vec() }
}

/// Applies, expects every outcome to be done, and returns the ids.
async fn apply(target: &RemoteTarget, operations: &[Operation]) -> Vec<ResourceId> {
    let outcomes = target.apply(operations).await.unwrap();
    assert_eq!(outcomes.len(), operations.len());
    outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Done { id, .. } => id,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn sorted(ids: &[ResourceId]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|id| id.0.clone()).collect();
    ids.sort();
    ids
}

/// Person `n` is in team `n % TEAMS`, and everybody is in the first.
fn of_team(people: &[ResourceId], team: usize) -> Vec<ResourceId> {
    let belongs = |n: usize| team == 0 || n % TEAMS == team;
    people.iter().enumerate().filter(|(n, _)| belongs(*n)).map(|(_, id)| id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_people_and_five_teams_live_on_a_server_that_is_not_ours() {
    let Some(foreign) = SCIM2_SERVER.start() else { return };
    let target = foreign.target();
    let (people, teams) = arrive(&foreign, &target).await;
    work(&foreign, &target, &people, &teams).await;
    leave(&foreign, &target, &people, &teams).await;
}

/// Everybody is created and finds their team.
async fn arrive(foreign: &Foreign, target: &RemoteTarget) -> (Vec<ResourceId>, Vec<ResourceId>) {
    let people = apply(target, &(0..PEOPLE).map(person).collect::<Vec<_>>()).await;
    let teams = apply(target, &(0..TEAMS).map(team).collect::<Vec<_>>()).await;
    assert_eq!((foreign.total("/Users").await, foreign.total("/Groups").await), (50, 5));
    for (n, id) in people.iter().enumerate() {
        let body = foreign.user(id).await;
        let expected = [format!("person{n}@x.example"), format!("source-{n}")];
        assert_eq!([body["userName"].as_str().unwrap(), body["externalId"].as_str().unwrap()], expected);
        assert_eq!(body["active"], json!(true));
        assert_eq!(body["emails"][0]["value"].as_str().unwrap(), expected[0]);
        assert_eq!(body["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["department"], "Sales");
    }
    assert_eq!(foreign.user(&people[2]).await["name"]["givenName"], "田中");
    assert_eq!(foreign.user(&people[4]).await["name"]["familyName"], "\"Q\" Back\\slash 4");

    let joins: Vec<Operation> = (0..TEAMS).map(|n| members(&teams[n], &of_team(&people, n), &[])).collect();
    apply(target, &joins).await;
    for (n, id) in teams.iter().enumerate() {
        assert_eq!(foreign.team(id).await, sorted(&of_team(&people, n)), "team {n}");
    }
    (people, teams)
}

/// People and teams change: new names, new values, away and back.
async fn work(foreign: &Foreign, target: &RemoteTarget, people: &[ResourceId], teams: &[ResourceId]) {
    let renamed = [("userName", json!("ann.koch@x.example")), ("name.familyName", json!("Koch"))];
    apply(
        target,
        &[
            patch(Kind::User, &people[0], &renamed),
            patch(Kind::User, &people[1], &[("title", json!("Lead")), (DEPARTMENT, json!("R&D"))]),
            patch(Kind::User, &people[2], &[("emails[type eq \"work\"].value", json!("hanako@x.example"))]),
            patch(Kind::User, &people[3], &[(DEPARTMENT, Value::Null)]),
            patch(Kind::Group, &teams[1], &[("displayName", json!("Team One"))]),
            patch(Kind::User, &people[4], &[("active", json!(false))]),
            patch(Kind::User, &people[5], &[("active", json!(false))]),
        ],
    )
    .await;
    let ann = foreign.user(&people[0]).await;
    assert_eq!(
        (&ann["userName"], &ann["name"]["familyName"]),
        (&json!("ann.koch@x.example"), &json!("Koch"))
    );
    assert_eq!(ann["name"]["givenName"], "Ann", "what was not asked for stays");
    let lead = foreign.user(&people[1]).await;
    assert_eq!(lead["title"], "Lead");
    assert_eq!(lead["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["department"], "R&D");
    let hanako = foreign.user(&people[2]).await;
    assert_eq!(hanako["emails"].as_array().unwrap().len(), 1);
    assert_eq!(hanako["emails"][0]["value"], "hanako@x.example");
    let gone = foreign.user(&people[3]).await;
    assert_eq!(gone["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["department"], Value::Null);
    assert_eq!(foreign.get(&format!("/Groups/{}", teams[1])).await.1["displayName"], "Team One");
    assert_eq!(foreign.team(&teams[1]).await, sorted(&of_team(people, 1)), "a rename keeps the members");
    assert_eq!(foreign.user(&people[4]).await["active"], json!(false));

    apply(target, &[patch(Kind::User, &people[4], &[("active", json!(true))])]).await;
    assert_eq!(foreign.user(&people[4]).await["active"], json!(true));
    assert_eq!(foreign.user(&people[5]).await["active"], json!(false));
}

/// Members leave, a team and a person are deleted; deleting twice is no failure.
async fn leave(foreign: &Foreign, target: &RemoteTarget, people: &[ResourceId], teams: &[ResourceId]) {
    apply(
        target,
        &[
            members(&teams[0], &[], &people[..45]),
            members(&teams[2], &[people[0].clone()], &[people[2].clone()]),
        ],
    )
    .await;
    assert_eq!(foreign.team(&teams[0]).await, sorted(&people[45..]));
    let mut second = of_team(people, 2);
    second.retain(|id| *id != people[2]);
    second.push(people[0].clone());
    assert_eq!(foreign.team(&teams[2]).await, sorted(&second));
    // The same once more: whoever is no member any more is no obstacle.
    apply(target, &[members(&teams[0], &[], &people[44..46])]).await;
    assert_eq!(foreign.team(&teams[0]).await, sorted(&people[46..]));

    let deletions = [
        Operation::Delete { kind: Kind::Group, id: teams[4].clone() },
        Operation::Delete { kind: Kind::User, id: people[49].clone() },
    ];
    apply(target, &deletions).await;
    apply(target, &deletions).await;
    assert_eq!(foreign.get(&format!("/Groups/{}", teams[4])).await.0, 404);
    assert_eq!(foreign.get(&format!("/Users/{}", people[49])).await.0, 404);
    assert_eq!((foreign.total("/Users").await, foreign.total("/Groups").await), (49, 4));
    let missing = target.apply(&[patch(Kind::User, &people[49], &[("active", json!(true))])]).await.unwrap();
    assert_eq!(missing, [Outcome::Missing]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_found_on_a_server_that_is_not_ours_and_never_made_twice() {
    let Some(foreign) = SCIM2_SERVER.start() else { return };
    let target = foreign.target();
    let grades: Vec<Grade> = target.check().await.into_iter().map(|finding| finding.grade).collect();
    assert_eq!(grades, [Grade::Ok; 4]);

    let ids = apply(&target, &[person(0), person(1), team(0)]).await;
    let again = target.apply(&[person(0)]).await.unwrap();
    assert!(matches!(again[..], [Outcome::Conflict { .. }]), "{again:?}");
    assert_eq!(foreign.total("/Users").await, 2);

    let ask = |kind, path: &str, value: &str| Lookup { kind, path: path.to_owned(), value: value.to_owned() };
    let lookups = [
        ask(Kind::User, "userName", "PERSON0@X.example"),
        ask(Kind::User, "externalId", "source-1"),
        ask(Kind::User, "externalId", "SOURCE-1"),
        ask(Kind::User, "emails[type eq \"work\"].value", "person1@x.example"),
        ask(Kind::User, "emails[type eq \"home\"].value", "person1@x.example"),
        ask(Kind::Group, "displayName", "Team 0"),
        ask(Kind::User, "userName", "nobody \"at\" \\ all"),
    ];
    let found = target.find(&lookups).await.unwrap();
    let found: Vec<Vec<ResourceId>> =
        found.into_iter().map(|matches| matches.into_iter().map(|found| found.id).collect()).collect();
    let hit = |at: usize| vec![ids[at].clone()];
    assert_eq!(found, [hit(0), hit(1), vec![], hit(1), vec![], hit(2), vec![]]);

    apply(&target, &[members(&ids[2], &ids[..2], &[])]).await;
    assert_eq!(target.members(&ids[2]).await.unwrap().map(|ids| sorted(&ids)), Some(sorted(&ids[..2])));
    let known = [(Kind::User, ids[0].clone()), (Kind::User, ResourceId("nobody/../x".to_owned()))];
    let read = target.get(&known).await.unwrap();
    assert_eq!(read[0].as_ref().map(|found| &found.id), Some(&ids[0]));
    assert_eq!(read[1], None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_work_e_mail_reaches_a_server_that_keeps_the_rfc() {
    let Some(foreign) = SCIM2_SERVER.start() else { return };
    let target = foreign.target();
    let bare = attributes(&[("userName", json!("bob"))]);
    let ids = apply(&target, &[Operation::Create { kind: Kind::User, attributes: bare }]).await;
    let set = [("emails[type eq \"work\"].value", json!("bob@x.example")), ("title", json!("Boss"))];
    apply(&target, &[patch(Kind::User, &ids[0], &set)]).await;
    let body = foreign.user(&ids[0]).await;
    assert_eq!(
        (&body["emails"][0]["type"], &body["emails"][0]["value"]),
        (&json!("work"), &json!("bob@x.example"))
    );
    assert_eq!(body["title"], "Boss");
}

#[tokio::test]
async fn a_wrong_token_is_refused_by_a_server_that_is_not_ours() {
    let Some(foreign) = SCIM2_SERVER.start() else { return };
    let wrong =
        RemoteTarget::new(RemoteSettings::new(foreign.url.clone(), vec![Secret::new("wrong")])).unwrap();
    let error = wrong.apply(&[person(0)]).await.unwrap_err().to_string();
    assert!(error.contains("401") && !error.contains("wrong"), "{error}");
    assert_eq!(foreign.total("/Users").await, 0);
}
