//! What a read sees: the directory through the eyes of a role, at a time.

use jiff::SignedDuration;
use jiff::Timestamp;

use super::super::directory::Directory;
use super::super::exchange::Request;
use super::super::faults::Trouble;
use super::APP_LABEL;
use super::Caller;
use super::OktaKnobs;
use super::changes::AppStatus;

pub(super) struct View<'a> {
    pub(super) directory: &'a Directory,
    pub(super) knobs: &'a OktaKnobs,
    pub(super) request: &'a Request,
    pub(super) trouble: Option<&'a Trouble>,
    pub(super) caller: Caller,
    pub(super) now: Timestamp,
}

impl View<'_> {
    pub(super) fn sees_person(&self, index: u32) -> bool {
        let person = self.directory.person(index);
        self.sees(&person.id, &person.login)
    }

    pub(super) fn sees_group(&self, index: u32) -> bool {
        let group = self.directory.group(index);
        self.sees(&group.id, &group.name)
    }

    /// A narrowed role leaves out what is outside, without a word (okta.md section 2.2).
    fn sees(&self, id: &str, name: &str) -> bool {
        let percent = u64::from(self.knobs.hidden_percent);
        let hidden = |hidden: &String| hidden == id || hidden == name;
        (percent == 0 || share_of(id) >= percent) && !self.knobs.hidden.iter().any(hidden)
    }

    /// Whether the application lists the person, and the role sees it.
    pub(super) fn has_row(&self, index: u32) -> bool {
        self.directory.has_row(index, self.now) && self.sees_person(index)
    }

    pub(super) fn membership_updated(&self, group: u32) -> Timestamp {
        self.directory.shown_membership(group, self.knobs.membership_lag_seconds, self.now)
    }

    /// What happened so recently that the search index does not know it.
    pub(super) fn is_too_new(&self, at: Timestamp) -> bool {
        self.now.duration_since(at) < SignedDuration::from_secs(self.knobs.search_lag_seconds)
    }

    pub(super) fn label(&self) -> &str {
        self.directory.org.app.label.as_deref().unwrap_or(APP_LABEL)
    }

    pub(super) fn app_is_listed(&self) -> bool {
        !matches!(self.directory.org.app.status, AppStatus::Deleted | AppStatus::Missing)
    }
}

/// 0 to 99, the same for the same id.
fn share_of(id: &str) -> u64 {
    id.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))) % 100
}
