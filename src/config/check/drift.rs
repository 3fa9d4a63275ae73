//! What is done about what somebody else did in the target.

use super::Checker;
use crate::config::problem::Key;
use crate::config::raw_drift::RawDrift;
use crate::plan::DriftRules;
use crate::scim::Path;

impl Checker<'_> {
    pub(super) fn drift(&mut self, table: &Key, raw: &RawDrift) -> Option<DriftRules> {
        let usual = DriftRules::default();
        let mut whole = true;
        for path in raw.attributes.keys() {
            if let Err(problem) = Path::parse(path) {
                let key = table.join("attributes").join(path);
                let cure = "write the target attribute as the mapping does";
                self.error::<()>(&key, format!("`{path}` is no attribute: {problem}"), cure);
                whole = false;
            }
        }
        whole.then(|| DriftRules {
            users: raw.users.unwrap_or(usual.users),
            teams: raw.teams.unwrap_or(usual.teams),
            members: raw.members.unwrap_or(usual.members),
            strangers: raw.strangers.unwrap_or(usual.strangers),
            foreign: raw.foreign.unwrap_or(usual.foreign),
            attributes: raw.attributes.clone(),
            lookups: raw.lookups.unwrap_or(usual.lookups),
            discovered: raw.discovered.unwrap_or(usual.discovered),
        })
    }
}
