//! What is known of a service: its profile, and what it was seen to do otherwise (SCIM reference, O2). What the operator
//! set is never learned over.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::model::Lesson;
use crate::scim::Kind;
use crate::scim::profiles::Profile;
use crate::scim::profiles::Support;

/// The hash of what the service says of itself, as a lesson.
pub(super) const DISCOVERY: &str = "discovery";
pub(super) const BULK: &str = "bulk.supported";
pub(super) const BULK_OPERATIONS: &str = "bulk.max_operations";
pub(super) const BULK_PAYLOAD: &str = "bulk.max_payload_size";
const PER_PATCH: &str = "members.max_per_patch";

#[derive(Debug)]
pub(super) struct Known {
    pub profile: Profile,
    /// The keys that the operator set.
    settled: BTreeSet<String>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    lessons: BTreeMap<String, Lesson>,
    /// Of them, those that nobody was told of yet.
    news: BTreeSet<String>,
    /// What worked in this process: a refusal afterwards speaks of what was sent.
    proven: BTreeSet<String>,
}

impl Known {
    pub fn new(profile: Profile, settled: BTreeSet<String>) -> Known {
        Known { profile, settled, seen: Mutex::default() }
    }

    /// What was learned before, in place of what was learned until now.
    pub fn recall(&self, lessons: &[Lesson]) {
        let mut seen = self.seen();
        let kept = lessons.iter().filter(|lesson| !self.is_settled(&lesson.capability));
        seen.lessons = kept.map(|lesson| (lesson.capability.clone(), lesson.clone())).collect();
        seen.news.clear();
    }

    /// What was learned since the last call.
    pub fn news(&self) -> Vec<Lesson> {
        let mut seen = self.seen();
        let news = std::mem::take(&mut seen.news);
        news.iter().filter_map(|capability| seen.lessons.get(capability).cloned()).collect()
    }

    pub fn learn(&self, capability: &str, value: impl ToString, evidence: String) {
        if self.is_settled(capability) {
            return;
        }
        let lesson = Lesson { capability: capability.to_owned(), value: value.to_string(), evidence };
        tracing::info!(capability, value = lesson.value, "learned of the target: {}", lesson.evidence);
        let mut seen = self.seen();
        seen.lessons.insert(capability.to_owned(), lesson);
        seen.news.insert(capability.to_owned());
    }

    /// Something worked as it was asked.
    pub fn prove(&self, capability: &str) {
        self.seen().proven.insert(capability.to_owned());
    }

    pub fn is_proven(&self, capability: &str) -> bool {
        self.seen().proven.contains(capability)
    }

    pub fn patches(&self, kind: Kind) -> Support {
        self.support(&patch_key(kind), self.profile.patch.of(kind))
    }

    pub fn puts(&self, kind: Kind) -> Support {
        self.profile.put.of(kind)
    }

    /// How many members one patch may add or remove.
    pub fn members_per_patch(&self) -> usize {
        let most = self.profile.members.max_per_patch;
        self.number(PER_PATCH).map_or(most, |learned| learned.min(most)).max(1)
    }

    pub fn learn_members_per_patch(&self, most: usize, evidence: String) {
        self.learn(PER_PATCH, most, evidence);
    }

    /// Whether resources can be asked for by the attribute.
    pub fn finds(&self, kind: Kind, path: &str) -> bool {
        self.profile.finds(kind, path)
            && self.support(&filter_key(kind, path), Support::Unknown) != Support::No
    }

    /// How many operations and bytes one bulk request may have; `None`: there is no bulk.
    pub fn bulk(&self) -> Option<(usize, usize)> {
        let bulk = self.profile.bulk;
        if self.support(BULK, bulk.supported) != Support::Yes {
            return None;
        }
        let limit = |key, most: usize| self.number(key).unwrap_or(most).max(1);
        Some((limit(BULK_OPERATIONS, bulk.max_operations), limit(BULK_PAYLOAD, bulk.max_payload_size)))
    }

    pub fn lesson(&self, capability: &str) -> Option<Lesson> {
        self.seen().lessons.get(capability).cloned()
    }

    fn support(&self, capability: &str, said: Support) -> Support {
        match self.lesson(capability).as_ref().map(|lesson| lesson.value.as_str()) {
            Some("yes") => Support::Yes,
            Some("no") => Support::No,
            _ => said,
        }
    }

    fn number(&self, capability: &str) -> Option<usize> {
        self.lesson(capability)?.value.parse().ok()
    }

    /// Whether the operator set it, or what it is a part of.
    fn is_settled(&self, capability: &str) -> bool {
        let below = |key: &str| capability.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
        self.settled.iter().any(|key| key == capability || below(key))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn patch_key(kind: Kind) -> String {
    format!("patch.{}", many(kind))
}

pub(super) fn filter_key(kind: Kind, path: &str) -> String {
    match kind {
        Kind::User => format!("filter.user_attrs.{path}"),
        Kind::Group => format!("filter.group_attrs.{path}"),
    }
}

fn many(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "users",
        Kind::Group => "groups",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(settled: &[&str]) -> Known {
        let settled = settled.iter().map(|key| (*key).to_owned()).collect();
        Known::new(Profile::standard(), settled)
    }

    #[test]
    fn what_is_learned_counts_until_it_is_forgotten() {
        let known = known(&[]);
        assert_eq!(known.patches(Kind::User), Support::Unknown);
        known.learn("patch.users", "no", "PATCH /Users: status 405".to_owned());
        known.learn_members_per_patch(25, String::new());
        assert_eq!((known.patches(Kind::User), known.patches(Kind::Group)), (Support::No, Support::Unknown));
        assert_eq!(known.members_per_patch(), 25);
        let news = known.news();
        assert_eq!(news.len(), 2);
        assert_eq!(known.news(), []);
        known.recall(&[]);
        assert_eq!((known.patches(Kind::User), known.members_per_patch()), (Support::Unknown, 100));
        known.recall(&news);
        assert_eq!((known.patches(Kind::User), known.members_per_patch()), (Support::No, 25));
        assert_eq!(known.news(), [], "what was known is no news");
    }

    #[test]
    fn what_the_operator_set_is_never_learned_over() {
        let known = known(&["patch.users", "members.max_per_patch", "filter.user_attrs"]);
        known.learn("filter.user_attrs.externalId", "no", String::new());
        assert!(known.finds(Kind::User, "externalId"));
        known.learn("patch.users", "no", String::new());
        known.learn_members_per_patch(1, String::new());
        known.recall(&[Lesson {
            capability: "patch.users".to_owned(),
            value: "no".to_owned(),
            evidence: String::new(),
        }]);
        assert_eq!((known.patches(Kind::User), known.members_per_patch()), (Support::Unknown, 100));
        assert_eq!(known.news(), []);
    }

    #[test]
    fn what_was_learned_never_grows_a_limit_of_the_profile() {
        let known = known(&[]);
        known.learn_members_per_patch(5_000, String::new());
        assert_eq!(known.members_per_patch(), 100);
    }

    #[test]
    fn bulk_that_nobody_has_seen_is_not_used() {
        let known = known(&[]);
        assert_eq!(known.bulk(), None);
        known.learn(BULK, "yes", String::new());
        known.learn(BULK_OPERATIONS, 20, String::new());
        assert_eq!(known.bulk(), Some((20, 1_000_000)));
        known.learn(BULK, "no", String::new());
        assert_eq!(known.bulk(), None);
    }

    #[test]
    fn a_filter_that_was_refused_is_not_asked() {
        let known = known(&[]);
        known.learn(&filter_key(Kind::User, "externalId"), "no", String::new());
        assert!(!known.finds(Kind::User, "externalId") && known.finds(Kind::Group, "externalId"));
    }
}
