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
    pub(super) fn target(&self) -> RemoteTarget {
        // The doubles live faster than the services, so that the client has to be told when it is too fast.
        let profile = Profile::named(self.row.profile).expect("a profile");
        RemoteTarget::new(RemoteSettings {
            profile: Profile { rate: Rate::default(), ..profile },
            timeout: Duration::from_secs(20),
            backoff: Duration::from_millis(1),
            ..RemoteSettings::new(self.url.clone(), vec![Secret::new(TOKEN)])
        })
        .expect("a client")
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

/// Lives through all of it; `allowed` is what may be refused on the way, without its number.
async fn converges(row: Row, allowed: &[&str]) {
    let service = Service::start(row).await;
    let mut life = Life::of(Arc::new(service.target()), SIZE).await;
    for (day, happens) in DAYS {
        happens(&mut life);
        if day == HIRED_AGAIN && row.deletion == Deletion::Deactivates {
            life.approve_adoption().await;
        }
        if let Err(left) = life.settle().await {
            let told = service.state().told.iter().rev().take(5).cloned().collect::<Vec<_>>();
            panic!("{}: they {day}, and it is not done:\n{left}\n{told:#?}", row.name);
        }
        for kind in Kind::ALL {
            let differ = differences(&service.holds(kind), &service.should_hold(&life, kind));
            assert_eq!(differ, [] as [&str; 0], "{}: they {day}", row.name);
        }
    }
    assert_eq!(life.stage.plan().await, "nothing\n", "{}", row.name);
    let deletions = |of: &str| service.state().asked.get(of).copied().unwrap_or_default();
    assert_eq!((deletions("DELETE Users"), deletions("DELETE Groups")), (1, 1), "{}", row.name);
    let refused = service.refusals();
    let unexpected: Vec<&String> =
        refused.iter().filter(|line| !allowed.iter().any(|allowed| line.starts_with(allowed))).collect();
    let told = service.state().told.iter().take(5).cloned().collect::<Vec<_>>();
    assert!(unexpected.is_empty(), "{}: {unexpected:#?}\n{told:#?}", row.name);
}

macro_rules! converging {
    ($($test:ident: $row:ident, $allowed:expr;)*) => {
        $(#[tokio::test]
        async fn $test() {
            converges(rows::$row, &$allowed).await;
        })*
    };
}

converging! {
    by_the_letter_of_the_rfc: RFC_7644, [];
    cerby_equals_the_source: CERBY, [];
    configcat_equals_the_source: CONFIGCAT, [];
    slack_equals_the_source: SLACK, ["429 too many writes"];
    github_emu_equals_the_source: GITHUB_EMU, [];
    atlassian_equals_the_source: ATLASSIAN, [];
    snowflake_equals_the_source: SNOWFLAKE, [];
    a_service_made_with_scimmy_equals_the_source: SCIMMY, [];
    a_service_made_with_scimgateway_equals_the_source: SCIMGATEWAY, ["404 not found"];
}
