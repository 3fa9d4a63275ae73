//! The whole life against every row: with the profile that is meant for it, the service equals the source after
//! every day, the next cycle plans nothing, and nothing was refused that a good client need not ask for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rosterd::client::Secret;
use rosterd::scim::Kind;
use rosterd::scim::profiles::Profile;
use rosterd::scim::profiles::Rate;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;
use serde_json::Value;

use super::filter;
use super::life::Account;
use super::life::DAYS;
use super::life::HIRED_AGAIN;
use super::life::Life;
use super::life::Size;
use super::life::differences;
use super::life::value;
use super::row::Deletion;
use super::row::Inactive;
use super::row::Kept;
use super::row::Row;
use super::rows;
use super::serve::Service;
use super::serve::TOKEN;

const SIZE: Size = Size { people: 60, teams: 6, joiners: 200 };

impl Service {
    /// The doubles live faster than the services, so that the client has to be told when it is too fast.
    pub(super) fn target(&self, profile: Profile) -> RemoteTarget {
        RemoteTarget::new(RemoteSettings {
            profile: Profile { rate: Rate::default(), ..profile },
            timeout: Duration::from_secs(20),
            backoff: Duration::from_millis(1),
            ..RemoteSettings::new(self.url.clone(), vec![Secret::new(TOKEN)])
        })
        .expect("a client")
    }

    pub(super) fn equals(&self, life: &Life, day: &str) {
        for kind in Kind::ALL {
            let differ = differences(&self.holds(kind), &self.should_hold(life, kind));
            assert_eq!(differ, [] as [&str; 0], "{}: they {day}", self.row.name);
        }
    }

    /// What it holds of a kind.
    fn holds(&self, kind: Kind) -> Vec<Account> {
        let state = self.state();
        let name = |body: &Value| {
            let name = body.get("userName").or_else(|| body.get("displayName"));
            name.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let names = |ids: &[String]| -> Vec<String> {
            ids.iter()
                .map(|id| state.directory.find(Kind::User, id).map_or_else(|_| id.clone(), name))
                .collect()
        };
        let mut accounts = Vec::new();
        for (id, body) in state.directory.all(kind) {
            let members = names(state.directory.members_of(id));
            let once: BTreeSet<String> = members.iter().cloned().collect();
            assert_eq!(once.len(), members.len(), "somebody is twice in {id}");
            let values = PATHS.iter().filter_map(|path| {
                let value = value(body, path)?;
                (!(kind == Kind::Group && *path == "displayName")).then_some((*path, value))
            });
            let active = body["active"] != Value::Bool(false);
            accounts.push(Account { name: name(body), active, values: values.collect(), members: once });
        }
        accounts.sort();
        accounts
    }

    /// What it should hold, as far as it can.
    fn should_hold(&self, life: &Life, kind: Kind) -> Vec<Account> {
        let mut accounts = match kind {
            Kind::User => life.users(),
            Kind::Group => life.teams(),
        };
        if kind == Kind::User && self.row.deletion == Deletion::Deactivates {
            accounts.extend(life.deleted());
        }
        accounts.retain(|account| account.active || self.row.inactive == Inactive::Stays);
        let kept = if kind == Kind::User { self.row.users } else { self.row.groups };
        accounts.iter_mut().for_each(|account| account.values.retain(|path, _| keeps(&kept, path)));
        accounts.sort();
        accounts
    }
}

const PATHS: [&str; 5] =
    ["externalId", "displayName", "name.givenName", "name.familyName", "emails[type eq \"work\"].value"];

fn keeps(kept: &Kept, path: &str) -> bool {
    kept.only.is_none_or(|only| only.contains(&filter::parts(path).0))
}

/// What may be refused on the way, and how often at most.
pub(super) type Allowed<'a> = &'a [(&'a str, usize)];

/// Lives through all of it with a profile.
pub(super) async fn converges(row: Row, profile: Profile, allowed: Allowed<'_>) {
    let service = Service::start(row).await;
    let mut life = Life::of(Arc::new(service.target(profile)), SIZE).await;
    for (day, happens) in DAYS {
        happens(&mut life);
        if day == HIRED_AGAIN && row.deletion == Deletion::Deactivates {
            life.approve_adoption().await;
        }
        if let Err(left) = life.settle().await {
            let told = service.state().told.iter().rev().take(5).cloned().collect::<Vec<_>>();
            panic!("{}: they {day}, and it is not done:\n{left}\n{told:#?}", row.name);
        }
        service.equals(&life, day);
    }
    assert_eq!(life.stage.plan().await, "nothing\n", "{}", row.name);
    let state = service.state();
    let deletions = |of: &str| state.asked.get(of).copied().unwrap_or_default();
    assert_eq!((deletions("DELETE Users"), deletions("DELETE Groups")), (1, 1), "{}", row.name);
    let most = |what: &str| allowed.iter().find(|(known, _)| *known == what).map_or(0, |(_, most)| *most);
    let too_often = state.refused.iter().any(|(what, times)| *times > most(what));
    assert!(!too_often, "{}: {:#?}\n{:#?}", row.name, state.refused, state.told);
}

/// With the profile that is meant for it.
async fn equals_the_source(row: Row, allowed: Allowed<'_>) {
    converges(row, Profile::named(row.profile).expect("a profile"), allowed).await;
}

#[tokio::test]
async fn by_the_letter_of_the_rfc_it_equals_the_source() {
    equals_the_source(rows::RFC_7644, &[]).await;
}

#[tokio::test]
async fn cerby_equals_the_source() {
    equals_the_source(rows::CERBY, &[]).await;
}

#[tokio::test]
async fn configcat_equals_the_source() {
    equals_the_source(rows::CONFIGCAT, &[]).await;
}

#[tokio::test]
async fn aws_identity_center_equals_the_source() {
    equals_the_source(rows::AWS, &[]).await;
}

#[tokio::test]
async fn slack_equals_the_source() {
    equals_the_source(rows::SLACK, &[("429 too many writes", 4)]).await;
}

#[tokio::test]
async fn a_github_organization_equals_the_source() {
    equals_the_source(rows::GITHUB_ORG, &[]).await;
}

#[tokio::test]
async fn github_emu_equals_the_source() {
    equals_the_source(rows::GITHUB_EMU, &[]).await;
}

#[tokio::test]
async fn atlassian_equals_the_source() {
    equals_the_source(rows::ATLASSIAN, &[]).await;
}

#[tokio::test]
async fn snowflake_equals_the_source() {
    equals_the_source(rows::SNOWFLAKE, &[]).await;
}

/// Users are found by externalId, which it learns.
#[tokio::test]
async fn hcp_terraform_equals_the_source() {
    equals_the_source(rows::HCP_TERRAFORM, &[("400 filter: userName", 4)]).await;
}

#[tokio::test]
async fn a_service_made_with_scimmy_equals_the_source() {
    equals_the_source(rows::SCIMMY, &[]).await;
}

/// The old ids of a person and a team that were renamed.
#[tokio::test]
async fn a_service_made_with_scimgateway_equals_the_source() {
    equals_the_source(rows::SCIMGATEWAY, &[("404 not found", 2)]).await;
}
