//! The whole life of 200 people and 20 teams, from a file through the engine into SCIM servers that are not ours. After
//! each day everything that the server shows is compared with the file, over plain HTTP, and at the end the plan
//! is empty.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rosterd::client::Secret;
use rosterd::scim::Kind;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;
use serde_json::Value;

use crate::services::life::Account;
use crate::services::life::DAYS;
use crate::services::life::HIRED_AGAIN;
use crate::services::life::Life;
use crate::services::life::Size;
use crate::services::life::differences;
use crate::services::life::value;
use crate::support::foreign::DJANGO_SCIM;
use crate::support::foreign::Foreign;
use crate::support::foreign::Package;
use crate::support::foreign::SCIM2_SERVER;
use crate::support::foreign::SCIMMY;
use crate::support::foreign::TOKEN;

/// More than a hundred join and leave one team at once.
const SIZE: Size = Size { people: 70, teams: 20, joiners: 130 };

/// How a server departs from the RFC, as far as the comparison has to know.
struct Manners {
    package: Package,
    /// What it keeps of a user, and where it shows it.
    users: &'static [&'static str],
    /// Who is deleted stays, and is inactive.
    deletion_deactivates: bool,
}

const WORK_MAIL: &str = "emails[type eq \"work\"].value";
const ALL: &[&str] = &["externalId", "displayName", "name.givenName", "name.familyName", WORK_MAIL];

#[tokio::test]
async fn two_hundred_people_live_on_scim2_server() {
    lives_on(Manners { package: SCIM2_SERVER, users: ALL, deletion_deactivates: false }).await;
}

#[tokio::test]
async fn two_hundred_people_live_on_a_server_made_with_scimmy() {
    lives_on(Manners { package: SCIMMY, users: ALL, deletion_deactivates: false }).await;
}

/// It keeps no display name and no types of e-mails, cannot be asked for them, and deactivates whom it should delete.
#[tokio::test]
async fn two_hundred_people_live_on_a_server_made_with_django() {
    let users = &["externalId", "name.givenName", "name.familyName"];
    lives_on(Manners { package: DJANGO_SCIM, users, deletion_deactivates: true }).await;
}

async fn lives_on(manners: Manners) {
    let Some(foreign) = manners.package.start() else { return };
    let settings = RemoteSettings {
        timeout: Duration::from_secs(60),
        ..RemoteSettings::new(foreign.url.clone(), vec![Secret::new(TOKEN)])
    };
    let target = RemoteTarget::new(settings).expect("a client");
    let mut life = Life::of(Arc::new(target), SIZE).await;
    for (day, happens) in DAYS {
        happens(&mut life);
        if day == HIRED_AGAIN && manners.deletion_deactivates {
            life.approve_adoption().await;
        }
        life.settle().await.unwrap_or_else(|left| panic!("they {day}, and it is not done:\n{left}"));
        let shown = shown(&foreign, manners.users).await;
        for kind in Kind::ALL {
            let differ = differences(&shown[&kind], &meant(&life, kind, &manners));
            assert_eq!(differ, [] as [&str; 0], "they {day}");
        }
    }
    assert_eq!(life.users().len(), 200);
    assert_eq!(life.stage.plan().await, "nothing\n");
}

/// Users and teams as the server shows them.
async fn shown(foreign: &Foreign, paths: &'static [&'static str]) -> BTreeMap<Kind, Vec<Account>> {
    let users = foreign.all("/Users").await;
    let names: BTreeMap<&str, &str> =
        users.iter().map(|user| (text(user, "id"), text(user, "userName"))).collect();
    let teams = foreign.all("/Groups").await;
    let user = |body: &Value| account(body, "userName", paths, BTreeSet::new());
    let team = |body: &Value| {
        let members = body["members"].as_array().map(Vec::as_slice).unwrap_or_default();
        let once: BTreeSet<String> =
            members.iter().map(|member| names[text(member, "value")].to_owned()).collect();
        assert_eq!(once.len(), members.len(), "somebody is twice in a team");
        account(body, "displayName", &["externalId"], once)
    };
    let sorted = |mut accounts: Vec<Account>| {
        accounts.sort();
        accounts
    };
    BTreeMap::from([
        (Kind::User, sorted(users.iter().map(user).collect())),
        (Kind::Group, sorted(teams.iter().map(team).collect())),
    ])
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().expect("a text")
}

fn account(body: &Value, name: &str, paths: &[&'static str], members: BTreeSet<String>) -> Account {
    let values = paths.iter().filter_map(|path| Some((*path, value(body, path)?))).collect();
    Account {
        name: text(body, name).to_owned(),
        active: body["active"] != Value::Bool(false),
        values,
        members,
    }
}

fn meant(life: &Life, kind: Kind, manners: &Manners) -> Vec<Account> {
    if kind == Kind::Group {
        return life.teams();
    }
    let mut users = life.users();
    if manners.deletion_deactivates {
        users.extend(life.deleted());
    }
    users.iter_mut().for_each(|user| user.values.retain(|path, _| manners.users.contains(path)));
    users.sort();
    users
}
