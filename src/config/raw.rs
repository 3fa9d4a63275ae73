//! The settings as they stand in the files: every key optional, unknown keys refused, nothing judged yet.

use std::collections::BTreeMap;
use std::fmt;

use figment::value::Dict;
use serde::Deserialize;
use serde::Deserializer;
use serde::de;

use super::raw_drift::RawDrift;
use super::raw_graph::RawGraph;
use super::raw_service::RawService;
use crate::plan::Adoption;
use crate::plan::Mode;
use crate::plan::OnTeamLeave;
use crate::plan::RawFilters;
use crate::plan::RawMapping;
use crate::plan::Rehire;
use crate::plan::TeamNames;
use crate::sources::okta::Treatment;
use crate::store::OtherOwners;
use crate::store::Unique;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSettings {
    pub daemon: RawDaemon,
    pub scim: RawService,
    pub log: RawLog,
    pub jobs: BTreeMap<String, RawJob>,
    pub targets: BTreeMap<String, RawTarget>,
    /// By the workspace's name.
    pub workspaces: BTreeMap<String, RawWorkspaceRules>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDaemon {
    pub state: Option<String>,
    pub listen: Option<String>,
    pub plain_http: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLog {
    pub keep: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawJob {
    pub schedule: Option<String>,
    pub jitter: Option<String>,
    pub verify: Option<String>,
    pub mode: Option<Mode>,
    pub target: Option<String>,
    pub actions: RawActions,
    pub source: RawSource,
    pub scope: RawScope,
    pub mapping: RawMapping,
    pub limits: RawLimits,
    pub leavers: RawLeavers,
    pub exemption: Option<String>,
    pub remind: Option<String>,
    pub drift: RawDrift,
    pub allow_empty: Option<bool>,
    pub adopt: Option<Adoption>,
    pub rehire: Option<Rehire>,
    pub team_names: Option<TeamNames>,
    /// By the group: `id:…`, `name:…`, a rule.
    pub teams: BTreeMap<String, RawTeam>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawActions {
    pub create: Option<bool>,
    pub update: Option<bool>,
    pub deactivate: Option<bool>,
    pub delete: Option<bool>,
    pub teams: Option<bool>,
}

/// One optional table a variant, so that an error names the key and not the table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSource {
    pub graph: Option<RawGraph>,
    pub okta: Option<RawOkta>,
    pub file: Option<RawFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawOkta {
    pub url: Option<String>,
    pub token: Option<String>,
    pub suspended: Option<Treatment>,
    pub staged: Option<Treatment>,
    pub implicit: Option<bool>,
    pub system_log: Option<bool>,
    pub overlap: Option<String>,
    pub member_reread: Option<String>,
    pub client_id: Option<String>,
    pub private_key: Option<String>,
    pub key_id: Option<String>,
    pub scopes: Option<OneOrMany>,
    pub rate_share: Option<String>,
    pub repeats_max: Option<u32>,
    pub also_hosts: Option<OneOrMany>,
    pub ca_file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFile {
    pub path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawScope {
    pub users: RawUserScope,
    pub teams: RawTeamScope,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawUserScope {
    pub assigned_to: Option<String>,
    pub filter: Option<String>,
    pub groups: Option<OneOrMany>,
    pub all: Option<bool>,
    pub nested: Option<bool>,
    pub filters: Option<RawFilters>,
    pub exclude: Option<RawFilters>,
    pub guests: Option<bool>,
    pub disabled: Option<bool>,
    pub resource_accounts: Option<bool>,
}

/// What is said of one team.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTeam {
    pub link: Option<String>,
    pub name: Option<String>,
    pub rename: Option<bool>,
    pub enabled: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTeamScope {
    pub assigned_to: Option<String>,
    pub push_mappings: Option<bool>,
    pub groups: Option<OneOrMany>,
    pub all: Option<bool>,
    pub nested: Option<bool>,
    pub filters: Option<RawFilters>,
    pub exclude: Option<RawFilters>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    pub create: Option<RawLimit>,
    pub update: Option<RawLimit>,
    pub rename: Option<RawLimit>,
    pub reactivate: Option<RawLimit>,
    pub add_members: Option<RawLimit>,
    pub remove_members: Option<RawLimit>,
    pub references: Option<RawLimit>,
    pub deactivate: Option<RawLimit>,
    pub delete: Option<RawLimit>,
    pub delete_teams: Option<RawLimit>,
    pub remove_members_team: Option<RawLimit>,
    pub upgrade: Option<RawLimit>,
    pub floor: Option<u64>,
    pub witness_budget: Option<u64>,
    pub lost_anchors: Option<u64>,
    pub clock_jump: Option<String>,
    pub escrow: RawEscrow,
    pub quarantine: RawQuarantine,
}

/// When what failed is tried again.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawEscrow {
    pub steps: Option<Vec<String>>,
    pub every: Option<String>,
    pub until: Option<String>,
}

/// When a job that mostly fails is slowed down.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawQuarantine {
    pub percent: Option<u64>,
    pub failures: Option<u64>,
    pub failed_cycles: Option<u32>,
    pub slowest: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimit {
    pub count: Option<u64>,
    pub percent: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLeavers {
    pub unassigned: Option<String>,
    pub out_of_scope: Option<String>,
    pub disabled: Option<String>,
    pub suspended: Option<String>,
    pub soft_deleted: Option<String>,
    pub purged: Option<String>,
    pub teams: Option<OnTeamLeave>,
    /// What all of them were before each event had its own.
    pub users: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTarget {
    pub scim: Option<RawScim>,
    pub workspace: Option<RawWorkspace>,
    pub limits: RawTargetLimits,
}

/// Of all jobs of a target together.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTargetLimits {
    pub removals: Option<RawLimit>,
    pub changes: Option<RawLimit>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawScim {
    pub url: Option<String>,
    pub token: Option<OneOrMany>,
    pub profile: Option<String>,
    pub protect: Option<OneOrMany>,
    pub ca_file: Option<String>,
    pub timeout: Option<String>,
    pub seats: Option<u64>,
    /// What the service does otherwise than its profile says, key by key.
    pub capabilities: Dict,
    pub learned_for: Option<String>,
    pub lookup_listing_from: Option<usize>,
    pub listing_max: Option<usize>,
    pub whole_listing_max: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWorkspace {
    pub name: Option<String>,
    pub protect: Option<OneOrMany>,
}

/// What holds in a workspace, whoever writes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWorkspaceRules {
    pub other_owners: Option<OtherOwners>,
    pub restore_grants: Option<bool>,
    pub unique: Option<Vec<Unique>>,
    pub follow_ups: Option<RawFollowUps>,
}

/// Where follow-ups go, and when.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFollowUps {
    pub url: Option<String>,
    pub secret: Option<OneOrMany>,
    pub delay: Option<String>,
    pub retry: Option<String>,
    pub retry_max: Option<String>,
    pub overdue: Option<String>,
    pub timeout: Option<String>,
    pub ca_file: Option<String>,
}

/// A text, or a list of texts. Not an untagged enum, which would lose the place of an error.
#[derive(Clone, Debug, Default)]
pub(super) struct OneOrMany(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> de::Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany(vec![text.to_owned()]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(OneOrMany(all))
    }
}
