//! `[jobs.NAME.source.graph]`, checked: which tenant, and how it is signed in to.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::civil::Date;
use url::Url;

use super::checked::SecretPlace;
use crate::client::CertifiedKey;
use crate::client::IdentityHost;
use crate::client::KeyError;
use crate::client::Secret;
use crate::client::SecretError;
use crate::model::GroupPick;
use crate::model::List;
use crate::model::SourceId;
use crate::plan::APP_ROLES;
use crate::plan::Rules;
use crate::plan::Scope;
use crate::scim::Kind;
use crate::sources::graph::AssertionForm;
use crate::sources::graph::Cloud;
use crate::sources::graph::GraphSettings;
use crate::sources::graph::GroupsNeed;
use crate::sources::graph::SignIn;
use crate::sources::graph::TenantSize;

#[derive(Clone, Debug)]
pub struct GraphConfig {
    pub tenant: String,
    /// Empty where the machine's own identity signs in.
    pub client_id: String,
    pub cloud: Cloud,
    pub sign_in: SignInConfig,
    /// The day from which on the secret is worth nothing, where somebody wrote it down.
    pub secret_expires: Option<Date>,
    /// Where tokens come from; `None`: where the cloud has them.
    pub authority: Option<Url>,
    /// Where Graph is; `None`: where the cloud has it.
    pub root: Option<Url>,
    pub ca_file: Option<PathBuf>,
    /// Percent of the tenant's allowance that are ours.
    pub budget_percent: u8,
    /// How large the tenant is; `None`: learnt.
    pub tenant_size: Option<TenantSize>,
}

/// How to sign in, and where what it takes lies.
#[derive(Clone, Debug)]
pub enum SignInConfig {
    Secrets(Vec<SecretPlace>),
    Certificate {
        certificate: SecretPlace,
        /// Where the key has a file of its own.
        key: Option<SecretPlace>,
        form: AssertionForm,
    },
    Federated(SecretPlace),
    Identity(IdentityHost),
}

/// Why what a sign-in takes cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("the secret at `{key}` cannot be had")]
    Secret {
        /// The key below `source.graph`.
        key: &'static str,
        #[source]
        source: SecretError,
    },
    #[error("what lies at `{key}` cannot be used")]
    Key {
        key: &'static str,
        #[source]
        source: KeyError,
    },
}

impl SignInConfig {
    /// Reads secrets, keys and certificates. A federated token is looked at, and read again for every token.
    pub fn read(&self) -> Result<SignIn, SignInError> {
        Ok(match self {
            SignInConfig::Secrets(places) => {
                let secrets: Result<Vec<Secret>, _> =
                    places.iter().map(|place| read("secret", place)).collect();
                SignIn::Secrets(secrets?)
            }
            SignInConfig::Certificate { certificate, key, form } => {
                SignIn::Certificate { pair: Box::new(pair(certificate, key.as_ref())?), form: *form }
            }
            SignInConfig::Federated(place) => {
                read("federated_token", place)?;
                SignIn::Federated { place: place.to_string() }
            }
            SignInConfig::Identity(host) => SignIn::Identity(host.clone()),
        })
    }

    /// The same without what is secret, for checks that do not need it.
    pub(super) fn bare(&self) -> SignIn {
        match self {
            SignInConfig::Identity(host) => SignIn::Identity(host.clone()),
            _ => SignIn::Secrets(Vec::new()),
        }
    }
}

fn pair(certificate: &SecretPlace, key: Option<&SecretPlace>) -> Result<CertifiedKey, SignInError> {
    let name = if key.is_some() { "certificate_key" } else { "certificate" };
    let certificate = read("certificate", certificate)?;
    let key = key.map(|place| read(name, place)).transpose()?;
    CertifiedKey::read(&certificate, key.as_ref()).map_err(|source| SignInError::Key { key: name, source })
}

fn read(key: &'static str, place: &SecretPlace) -> Result<Secret, SignInError> {
    place.read().map_err(|source| SignInError::Secret { key, source })
}

impl GraphConfig {
    /// What is read of Graph follows from the scope and the mapping.
    pub fn settings(&self, rules: &Rules, sign_in: SignIn) -> GraphSettings {
        let nothing = Secret::new(String::new());
        let mut settings = GraphSettings::new(&self.tenant, &self.client_id, nothing).in_cloud(self.cloud);
        settings.sign_in = sign_in;
        settings.secret_expires = self.secret_expires;
        if let Some(authority) = &self.authority {
            settings.authority = authority.clone();
        }
        if let Some(root) = &self.root {
            settings.root = root.clone();
        }
        settings.ca_file = self.ca_file.clone();
        settings.app = rules.scope.users.assigned_to.clone();
        settings.team_app = rules.scope.teams.assigned_to.clone();
        settings.budget_percent = self.budget_percent;
        settings.tenant_size = self.tenant_size;
        settings.picks = picks(&rules.scope).cloned().collect();
        let lists = rules.scope.users.lists.iter().chain(&rules.scope.teams.lists);
        settings.lists = lists.map(List::of).collect();
        settings.groups = groups_needed(&rules.scope);
        // Who is in a group that a filter looks at is in it through others too.
        let looked_at = rules.scope.groups_looked_at().next().is_some();
        settings.nested = rules.scope.users.nested || rules.scope.teams.nested || looked_at;
        let mut attributes = rules.source_attributes(Kind::User);
        settings.roles = attributes.remove(APP_ROLES);
        settings.attributes = attributes.into_iter().collect();
        settings.group_attributes = rules.source_attributes(Kind::Group).into_iter().collect();
        settings
    }
}

/// Groups that are chosen by their ids can be read by them; a name, or a rule, has to be looked for in all groups, and
/// all of them are needed where each becomes a team.
fn groups_needed(scope: &Scope) -> GroupsNeed {
    if scope.teams.all {
        return GroupsNeed::All;
    }
    let id = |pick: &GroupPick| match pick {
        GroupPick::Id(id) => Some(SourceId(id.0.to_lowercase())),
        GroupPick::Name(_) | GroupPick::Prefix(_) | GroupPick::Rule { .. } => None,
    };
    picks(scope).map(id).collect::<Option<BTreeSet<SourceId>>>().map_or(GroupsNeed::All, GroupsNeed::Ids)
}

fn picks(scope: &Scope) -> impl Iterator<Item = &GroupPick> {
    scope.users.groups.iter().chain(&scope.teams.groups).chain(scope.groups_looked_at())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Vocabulary;
    use crate::plan::RawClause;
    use crate::plan::RawFilters;
    use crate::plan::Selection;

    #[test]
    fn ids_alone_are_read_by_ids_and_a_name_by_looking_through_all() {
        let needed = |picks: Vec<GroupPick>| {
            let users = Selection { groups: picks, ..Selection::default() };
            groups_needed(&Scope { users, teams: Selection::default() })
        };
        let id = GroupPick::Id(SourceId("AB-1".to_owned()));
        assert_eq!(needed(vec![id.clone()]), GroupsNeed::Ids([SourceId("ab-1".to_owned())].into()));
        assert_eq!(needed(Vec::new()), GroupsNeed::Ids(BTreeSet::new()));
        let every =
            Scope { users: Selection::default(), teams: Selection { all: true, ..Selection::default() } };
        assert_eq!(groups_needed(&every), GroupsNeed::All, "every group becomes a team");
        assert_eq!(needed(vec![id, GroupPick::Name("Sales".to_owned())]), GroupsNeed::All);
    }

    /// Who is in a group that a filter looks at (`IsMemberOf`) has to be read.
    #[test]
    fn a_group_that_a_filter_looks_at_is_read() {
        let clause = |value: &str| RawClause {
            op: Some("IsMemberOf".to_owned()),
            value: Some(value.into()),
            ..RawClause::default()
        };
        let needed = |value: &str| {
            let raw = RawFilters(vec![vec![clause(value)]]);
            let exclude = raw.check(Kind::User, Vocabulary::Graph).expect("sound");
            let users = Selection { exclude, ..Selection::default() };
            groups_needed(&Scope { users, teams: Selection::default() })
        };
        assert_eq!(needed("id:AB-1"), GroupsNeed::Ids([SourceId("ab-1".to_owned())].into()));
        assert_eq!(needed("name:Sales"), GroupsNeed::All);
    }
}
