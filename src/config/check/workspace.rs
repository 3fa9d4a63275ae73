//! What holds in each workspace.

use std::collections::BTreeMap;

use super::Checker;
use crate::config::checked::TargetConfig;
use crate::config::checked::TargetKind;
use crate::config::checked::WorkspaceConfig;
use crate::config::problem::Key;
use crate::config::raw::RawWorkspaceRules;
use crate::expr::nearest;
use crate::store::Policy;

impl Checker<'_> {
    /// A workspace that only tokens reach needs no target; one without a table has the usual rules.
    pub(super) fn workspaces(
        &mut self,
        raw: &BTreeMap<String, RawWorkspaceRules>,
        targets: &BTreeMap<String, TargetConfig>,
    ) -> BTreeMap<String, WorkspaceConfig> {
        let of_targets = || targets.values().filter_map(|target| workspace_of(&target.kind));
        let mut all: BTreeMap<String, WorkspaceConfig> =
            of_targets().map(|name| (name.to_owned(), WorkspaceConfig::default())).collect();
        for (name, rules) in raw {
            let table = Key::of(["workspaces", name]);
            if !of_targets().any(|known| known == name)
                && let Some(meant) = nearest(name, of_targets())
            {
                let cure = format!("did you mean `{meant}`? If it is meant, nothing has to be done");
                self.warn(&table, "no target writes to this workspace", &cure);
            }
            all.insert(name.clone(), WorkspaceConfig { policy: policy(rules) });
        }
        all
    }
}

fn workspace_of(kind: &TargetKind) -> Option<&str> {
    match kind {
        TargetKind::Workspace { name } => Some(name),
        TargetKind::Scim(_) => None,
    }
}

fn policy(raw: &RawWorkspaceRules) -> Policy {
    Policy {
        other_owners: raw.other_owners.unwrap_or_default(),
        restore_grants: raw.restore_grants.unwrap_or_default(),
        unique: raw.unique.iter().flatten().copied().collect(),
    }
}
