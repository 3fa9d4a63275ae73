//! What the settings say of a workspace, whichever door a write comes through.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use super::Store;

/// The rules of one workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub other_owners: OtherOwners,
    /// Whether a user who is active again has the grants again that the deactivation took.
    pub restore_grants: bool,
    /// What is unique besides userName, compared as userName is.
    pub unique: BTreeSet<Unique>,
}

/// What becomes of a write to a resource that another job or tenant owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OtherOwners {
    #[default]
    Refuse,
    Allow,
}

/// An attribute of which no two resources of a type may have the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Unique {
    #[serde(rename = "users.externalId")]
    ExternalId,
    #[serde(rename = "users.emails")]
    Emails,
    #[serde(rename = "groups.displayName")]
    TeamName,
}

impl Store {
    /// The same state, whose workspaces keep these rules; those that are not named keep the usual ones.
    pub fn with_policies(mut self, policies: BTreeMap<String, Policy>) -> Store {
        self.policies = Arc::new(policies);
        self
    }

    /// The rules of a workspace.
    pub fn policy(&self, workspace: &str) -> Policy {
        self.policies.get(workspace).cloned().unwrap_or_default()
    }
}
