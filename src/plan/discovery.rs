//! Account discovery: whose the accounts and teams of the target are. It writes nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::scim::Kind;
use crate::scim::ResourceId;

/// Named in a report for people; the JSON has as many as the setting allows.
const EXAMPLES: usize = 5;

/// Whose a resource of the target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// This job's.
    Linked,
    /// Another job's, or a push tenant's.
    Other,
    /// Matching finds exactly one person or group of the source that has none.
    Adoptable,
    /// Matching finds several, on one side or the other.
    Ambiguous,
    /// Nobody's.
    Local,
}

impl Whose {
    const ALL: [Whose; 5] = [Whose::Linked, Whose::Other, Whose::Adoptable, Whose::Ambiguous, Whose::Local];

    fn told(self) -> &'static str {
        match self {
            Whose::Linked => "linked",
            Whose::Other => "owned by another",
            Whose::Adoptable => "adoptable",
            Whose::Ambiguous => "ambiguous",
            Whose::Local => "local",
        }
    }
}

/// One resource that is not linked here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Discovered {
    pub kind: Kind,
    pub id: ResourceId,
    pub name: String,
    pub whose: Whose,
    /// The owner, or by what attribute whom of the source it matches.
    pub detail: String,
}

/// What a look at the whole target found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Discovery {
    /// By kind: why its list may not be whole, so that its counts are a lower bound.
    pub partial: BTreeMap<Kind, String>,
    pub counts: BTreeMap<Kind, BTreeMap<Whose, u64>>,
    /// Some of those that are not linked, of each kind and sort.
    pub resources: Vec<Discovered>,
}

impl Discovery {
    pub fn add(&mut self, kind: Kind, whose: Whose, count: u64) {
        *self.counts.entry(kind).or_default().entry(whose).or_default() += count;
    }

    fn count(&self, kind: Kind, whose: Whose) -> u64 {
        self.counts.get(&kind).and_then(|counts| counts.get(&whose)).copied().unwrap_or(0)
    }

    /// For people: counts, and some examples of each sort.
    pub fn lines(&self) -> Vec<String> {
        Kind::ALL.into_iter().flat_map(|kind| self.of(kind)).collect()
    }

    fn of(&self, kind: Kind) -> Vec<String> {
        let word = match kind {
            Kind::User => "accounts",
            Kind::Group => "teams",
        };
        let counts = Whose::ALL.map(|whose| format!("{} {}", self.count(kind, whose), whose.told()));
        let mut lines = vec![format!("{word}: {}", counts.join(", "))];
        if let Some(partial) = self.partial.get(&kind) {
            lines.push(format!("  there may be more: the target's list may not be whole: {partial}"));
        }
        for whose in Whose::ALL {
            let some = self.resources.iter().filter(|one| one.kind == kind && one.whose == whose);
            for one in some.take(EXAMPLES) {
                let detail = if one.detail.is_empty() { String::new() } else { format!(", {}", one.detail) };
                lines.push(format!("  {}: {} ({}){detail}", whose.told(), one.name, one.id));
            }
            let more = self.count(kind, whose).saturating_sub(EXAMPLES as u64);
            if whose != Whose::Linked && more > 0 {
                lines.push(format!("  {}: … and {more} more", whose.told()));
            }
        }
        lines
    }
}
