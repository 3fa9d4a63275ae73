//! Whether a workspace holds exactly what its directory says: people, their names, teams, their members.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::simulators::ExpectedGroup;
use crate::simulators::ExpectedPerson;
use crate::simulators::Snapshot;
use crate::store::ListQuery;
use crate::store::Resource;
use crate::store::Store;
use crate::store::StoreError;

const CHUNK: u64 = 500;

/// What was compared, and what differs.
pub struct Compared {
    pub people: usize,
    pub teams: usize,
    pub memberships: usize,
    pub differences: Vec<String>,
}

pub async fn compare(store: &Store, workspace: &str, directory: &Snapshot) -> Result<Compared, StoreError> {
    let users = all(store, workspace, Kind::User).await?;
    let teams = all(store, workspace, Kind::Group).await?;
    let ids: BTreeMap<&ResourceId, &str> =
        users.iter().map(|user| (&user.meta.id, text(user, "externalId"))).collect();
    let people: BTreeMap<&str, Person> = users
        .iter()
        .filter(|user| user.active())
        .map(|user| (text(user, "externalId"), person(user)))
        .collect();
    let wanted_people: BTreeMap<&str, Person> =
        directory.people.iter().map(|(id, expected)| (id.as_str(), wanted_person(expected))).collect();
    let teams: BTreeMap<&str, Team> =
        teams.iter().map(|team| (text(team, "externalId"), team_of(team, &ids))).collect();
    let wanted_teams: BTreeMap<&str, Team> =
        directory.teams().map(|(id, expected)| (id.as_str(), wanted_team(expected))).collect();
    let mut differences = differences("person", &people, &wanted_people);
    differences.extend(self::differences("team", &teams, &wanted_teams));
    Ok(Compared {
        people: people.len(),
        teams: teams.len(),
        memberships: teams.values().map(|team| team.members.len()).sum(),
        differences,
    })
}

/// A guest goes by the address of home, so a guest's login is compared by the e-mail alone.
#[derive(PartialEq)]
struct Person {
    login: Option<String>,
    mail: Option<String>,
    given_name: Option<String>,
    surname: Option<String>,
}

#[derive(PartialEq)]
struct Team {
    name: String,
    members: BTreeSet<String>,
}

const GUEST: &str = "#EXT#";

fn wanted_person(expected: &ExpectedPerson) -> Person {
    Person {
        login: (!expected.login.contains(GUEST)).then(|| expected.login.clone()),
        mail: expected.mail.clone(),
        given_name: expected.given_name.clone(),
        surname: expected.surname.clone(),
    }
}

fn person(user: &Resource) -> Person {
    let name = |part: &str| user.body["name"][part].as_str().map(str::to_owned);
    let mails = user.body["emails"].as_array();
    let work = mails.and_then(|mails| mails.iter().find(|mail| mail["type"] == "work"));
    Person {
        login: Some(text(user, "userName").to_owned()),
        mail: work.and_then(|mail| mail["value"].as_str()).map(str::to_owned),
        given_name: name("givenName"),
        surname: name("familyName"),
    }
}

fn wanted_team(expected: &ExpectedGroup) -> Team {
    Team { name: expected.name.clone(), members: expected.members.clone() }
}

fn team_of(team: &Resource, ids: &BTreeMap<&ResourceId, &str>) -> Team {
    let members =
        team.related.iter().map(|member| ids.get(&member.id).copied().unwrap_or_default().to_owned());
    Team { name: text(team, "displayName").to_owned(), members: members.collect() }
}

/// By source id, which may be shown; what differs is named, not repeated.
fn differences<T: Alike>(word: &str, held: &BTreeMap<&str, T>, wanted: &BTreeMap<&str, T>) -> Vec<String> {
    let missing =
        wanted.keys().filter(|id| !held.contains_key(*id)).map(|id| format!("{word} {id} is missing"));
    let strange = held
        .keys()
        .filter(|id| !wanted.contains_key(*id))
        .map(|id| format!("{word} {id} should not be there"));
    let unlike = wanted.iter().filter_map(|(id, wanted)| {
        let what = held.get(id)?.unlike(wanted)?;
        Some(format!("{word} {id} differs: {what}"))
    });
    missing.chain(strange).chain(unlike).collect()
}

trait Alike {
    /// What differs, in ids and names of attributes.
    fn unlike(&self, wanted: &Self) -> Option<String>;
}

impl Alike for Person {
    fn unlike(&self, wanted: &Person) -> Option<String> {
        let parts = [
            (wanted.login.is_some() && self.login != wanted.login, "userName"),
            (self.mail != wanted.mail, "e-mail"),
            (self.given_name != wanted.given_name, "given name"),
            (self.surname != wanted.surname, "family name"),
        ];
        let unlike: Vec<&str> =
            parts.into_iter().filter(|(differs, _)| *differs).map(|(_, word)| word).collect();
        (!unlike.is_empty()).then(|| unlike.join(", "))
    }
}

impl Alike for Team {
    fn unlike(&self, wanted: &Team) -> Option<String> {
        let name = (self.name != wanted.name).then(|| "name".to_owned());
        let missing = wanted.members.difference(&self.members).map(|id| format!("{id} is missing"));
        let strange =
            self.members.difference(&wanted.members).map(|id| format!("{id} should not be a member"));
        let unlike: Vec<String> = name.into_iter().chain(missing).chain(strange).collect();
        (!unlike.is_empty()).then(|| unlike.join(", "))
    }
}

fn text<'a>(resource: &'a Resource, attribute: &str) -> &'a str {
    resource.body[attribute].as_str().unwrap_or_default()
}

async fn all(store: &Store, workspace: &str, kind: Kind) -> Result<Vec<Resource>, StoreError> {
    let mut found = Vec::new();
    loop {
        let start = found.len() as u64 + 1;
        let query = ListQuery { start, count: CHUNK, related: true, ..ListQuery::all(kind.into()) };
        let page = store.list_resources(workspace, query).await?;
        let ended = page.resources.is_empty();
        found.extend(page.resources);
        if ended || found.len() as u64 >= page.total {
            return Ok(found);
        }
    }
}
