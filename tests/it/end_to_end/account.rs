//! What a workspace holds against what a directory says it should: every difference, as a sentence.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::scim::fold;
use rosterd::simulators::ExpectedPerson;
use rosterd::simulators::World;
use rosterd::store::ListQuery;
use rosterd::store::Store;
use serde_json::Value;

use super::site::Site;
use super::site::WORKSPACE;

impl Site {
    /// Nothing where the workspace's active people and its teams equal the directory's.
    pub async fn differences(&self) -> Vec<String> {
        differences(&self.world, &self.store).await
    }

    #[track_caller]
    pub fn equals(&self) -> impl Future<Output = ()> + use<'_> {
        let place = std::panic::Location::caller();
        async move {
            let differences = self.differences().await;
            assert!(differences.is_empty(), "{place}: the workspace differs: {differences:#?}");
        }
    }

    /// The userNames of everybody in the workspace, with ` inactive` behind those who are.
    pub async fn accounts(&self) -> Vec<String> {
        let mut accounts: Vec<String> = resources(&self.store, Kind::User)
            .await
            .iter()
            .map(|user| format!("{}{}", text(user, "/userName"), if active(user) { "" } else { " inactive" }))
            .collect();
        accounts.sort();
        accounts
    }

    /// The members of one team, by given name.
    pub async fn team(&self, name: &str) -> Vec<String> {
        let users = resources(&self.store, Kind::User).await;
        let teams = resources(&self.store, Kind::Group).await;
        let team = teams.iter().find(|team| text(team, "/displayName") == name);
        let members = members(&self.store, team.unwrap_or_else(|| panic!("no team {name}"))).await;
        let given = |id: &String| {
            let user = users.iter().find(|user| text(user, "/id") == id);
            user.map(|user| text(user, "/name/givenName").to_owned()).unwrap_or_default()
        };
        let mut given: Vec<String> = members.iter().map(given).collect();
        given.sort();
        given
    }

    /// Users and teams.
    pub async fn resources(&self) -> Vec<Value> {
        let mut found = resources(&self.store, Kind::User).await;
        found.extend(resources(&self.store, Kind::Group).await);
        found
    }

    /// Everything that the workspace shows, to be compared as a whole.
    pub async fn listing(&self) -> Vec<String> {
        let mut listing = Vec::new();
        for resource in self.resources().await {
            listing.push(format!("{resource} {:?}", members(&self.store, &resource).await));
        }
        listing
    }

    /// Who has an account that works (with an empty team), and who is in which team, by the ids of the directory.
    pub async fn grants(&self) -> Vec<(String, String)> {
        let users = resources(&self.store, Kind::User).await;
        let outside = |user: &Value| text(user, "/externalId").to_owned();
        let mut grants: Vec<(String, String)> =
            users.iter().filter(|user| active(user)).map(|user| (String::new(), outside(user))).collect();
        let ids: BTreeMap<&str, String> =
            users.iter().map(|user| (text(user, "/id"), outside(user))).collect();
        for team in resources(&self.store, Kind::Group).await {
            for member in members(&self.store, &team).await {
                let member = ids.get(member.as_str()).cloned().unwrap_or_default();
                grants.push((text(&team, "/externalId").to_owned(), member));
            }
        }
        grants
    }

    /// The journal has an outcome for everything that was begun.
    pub async fn open_entries(&self) -> usize {
        let job = self.store.job(super::site::JOB).await.expect("a job");
        self.store.open_entries(job.id).await.expect("the journal").len()
    }
}

pub async fn differences(world: &World, store: &Store) -> Vec<String> {
    let snapshot = world.snapshot();
    let users = resources(store, Kind::User).await;
    let teams = resources(store, Kind::Group).await;
    let mut told = Vec::new();
    for (id, person) in &snapshot.people {
        match &with_external_id(&users, id)[..] {
            [] => told.push(format!("{} has no account", person.login)),
            [user] => told.extend(person_differs(person, user)),
            more => told.push(format!("{} has {} accounts", person.login, more.len())),
        }
    }
    for user in &users {
        let expected = snapshot.people.contains_key(text(user, "/externalId"));
        if active(user) && !expected {
            told.push(format!("{} is active", text(user, "/userName")));
        }
    }
    let names: BTreeMap<&str, &str> =
        users.iter().map(|user| (text(user, "/id"), text(user, "/externalId"))).collect();
    let wanted: BTreeMap<_, _> = snapshot.teams().collect();
    for (id, group) in &wanted {
        let found = with_external_id(&teams, id);
        let [team] = &found[..] else {
            told.push(format!("[{}] is there {} times", group.name, found.len()));
            continue;
        };
        if !is_called(team, &group.name, &teams) {
            told.push(format!("[{}] is called {}", group.name, text(team, "/displayName")));
        }
        let held: BTreeSet<String> = members(store, team)
            .await
            .iter()
            .map(|id| names.get(id.as_str()).copied().unwrap_or("nobody").to_owned())
            .collect();
        let lacking = group.members.difference(&held).map(|id| format!("[{}] lacks {id}", group.name));
        told.extend(lacking);
        let strange = held.difference(&group.members).map(|id| format!("[{}] has {id}", group.name));
        told.extend(strange);
    }
    for team in teams.iter().filter(|team| !wanted.contains_key(&text(team, "/externalId").to_owned())) {
        if !members(store, team).await.is_empty() {
            told.push(format!("[{}] is not emptied", text(team, "/displayName")));
        }
    }
    told
}

/// By its group's name, or by that and an ending where another team has the name.
fn is_called(team: &Value, name: &str, teams: &[Value]) -> bool {
    let shown = text(team, "/displayName");
    let ending = || shown.strip_prefix(name)?.strip_prefix(" (")?.strip_suffix(')');
    let taken = || teams.iter().any(|other| other != team && fold(text(other, "/displayName")) == fold(name));
    shown == name || (ending().is_some_and(|ending| ending.len() == 6) && taken())
}

fn person_differs(person: &ExpectedPerson, user: &Value) -> Vec<String> {
    let mut told = Vec::new();
    if !active(user) {
        told.push(format!("{} is inactive", person.login));
    }
    let emails = user["emails"].as_array().map(Vec::as_slice).unwrap_or_default();
    let work = emails.iter().find(|email| email["type"] == "work").and_then(|email| email["value"].as_str());
    let user_name = as_provisioned(&person.login);
    for (name, expected, is) in [
        ("userName", Some(&user_name), user["userName"].as_str()),
        ("work e-mail", person.mail.as_ref(), work),
        ("given name", person.given_name.as_ref(), user.pointer("/name/givenName").and_then(Value::as_str)),
        ("surname", person.surname.as_ref(), user.pointer("/name/familyName").and_then(Value::as_str)),
    ] {
        if expected.map(String::as_str) != is {
            told.push(format!("{}: the {name} is {is:?}, not {expected:?}", person.login));
        }
    }
    told
}

/// A guest is known by the address at home: Graph's `ann_home.example#EXT#@tenant` is `ann@home.example`
/// (Graph reference, section 10).
fn as_provisioned(login: &str) -> String {
    match login.split_once("#EXT#").and_then(|(local, _)| local.rsplit_once('_')) {
        Some((name, domain)) => format!("{name}@{domain}"),
        None => login.to_owned(),
    }
}

fn with_external_id<'a>(resources: &'a [Value], id: &str) -> Vec<&'a Value> {
    resources.iter().filter(|resource| text(resource, "/externalId") == id).collect()
}

fn text<'a>(resource: &'a Value, pointer: &str) -> &'a str {
    resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn active(user: &Value) -> bool {
    user["active"] != Value::Bool(false)
}

async fn members(store: &Store, team: &Value) -> Vec<String> {
    let id = ResourceId(text(team, "/id").to_owned());
    let members = store.team_members(WORKSPACE, &id).await.expect("members").unwrap_or_default();
    members.into_iter().map(|member| member.id.0).collect()
}

/// Users and teams, also those that are not in use.
pub async fn all(store: &Store) -> Vec<Value> {
    let mut found = resources(store, Kind::User).await;
    found.extend(resources(store, Kind::Group).await);
    found
}

async fn resources(store: &Store, kind: Kind) -> Vec<Value> {
    let mut found = Vec::new();
    loop {
        let start = found.len() as u64 + 1;
        let query = ListQuery { start, count: 1_000, ..ListQuery::all(kind.into()) };
        let listing = store.list_resources(WORKSPACE, query).await.expect("a listing");
        found.extend(listing.resources.into_iter().map(|resource| resource.shown("")));
        if found.len() as u64 >= listing.total {
            return found;
        }
    }
}
