//! Which groups have their members read in this cycle (okta.md section 5.2).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::app_users::AppUsers;
use crate::model::Reading;
use crate::model::Watermarks;

/// The watermark of `members:<group>`: what the group showed, and when its members were last read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub updated: Option<String>,
    pub read_at: Timestamp,
    /// For a group whose members are people of the scope: the digest of the application's users of that cycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_users: Option<String>,
}

impl Mark {
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a mark is made of texts")
    }
}

/// What a cycle knows before it reads.
#[derive(Debug)]
pub(super) struct Plan {
    pub now: Timestamp,
    reading: Reading,
    marks: BTreeMap<String, Mark>,
    overlap: Duration,
    reread: Duration,
    /// Groups that are assigned and picked are read once.
    planned: BTreeSet<String>,
    /// Groups whose members are people of the scope.
    chosen: BTreeSet<String>,
    /// Complete before the first group is looked at.
    pub app_users: AppUsers,
}

impl Plan {
    pub fn new(
        watermarks: &Watermarks,
        reading: Reading,
        now: Timestamp,
        overlap: Duration,
        reread: Duration,
    ) -> Plan {
        let mark = |(name, text): (&String, &String)| {
            let group = name.strip_prefix(MEMBERS)?;
            Some((group.to_owned(), serde_json::from_str(text).ok()?))
        };
        let marks = watermarks.iter().filter_map(mark).collect();
        let (planned, chosen, app_users) = (BTreeSet::new(), BTreeSet::new(), AppUsers::default());
        Plan { now, reading, marks, overlap, reread, planned, chosen, app_users }
    }

    /// The members of this group are people of the scope, as the settings say.
    pub fn choose(&mut self, group: &str) {
        self.chosen.insert(group.to_owned());
    }

    pub fn is_chosen(&self, group: &str) -> bool {
        self.chosen.contains(group)
    }

    /// What is remembered of a group whose members were read whole. A chosen group is read again in the next cycle
    /// where not all of the application's users are known.
    pub fn mark(&self, group: &str, updated: Option<String>) -> Option<Mark> {
        let chosen = self.is_chosen(group);
        let app_users = chosen.then(|| self.app_users.digest());
        let whole = !chosen || self.app_users.are_whole();
        whole.then_some(Mark { updated, read_at: self.now, app_users })
    }

    /// Whether the members of this group are to be read now; each group once a cycle.
    pub fn take(&mut self, group: &str, updated: Option<&str>) -> bool {
        self.due(group, updated) && self.planned.insert(group.to_owned())
    }

    /// | the group | read |
    /// |---|---|
    /// | everything is read anew, or the group never was | yes |
    /// | shows no time, or another one than last time | yes |
    /// | shows a time that the last read may have missed: it lags by seconds, clocks by minutes | yes |
    /// | is chosen, and the application's users are others now: who left them is shown by the group alone | yes |
    /// | was last read a day ago | yes |
    /// | otherwise | no |
    fn due(&self, group: &str, updated: Option<&str>) -> bool {
        let (Reading::Incremental, Some(mark)) = (self.reading, self.marks.get(group)) else { return true };
        let Some(text) = updated else { return true };
        if mark.updated.as_deref() != Some(text) || self.is_outlived(group, mark) {
            return true;
        }
        let Ok(updated) = text.parse::<Timestamp>() else { return true };
        let before_last_read = mark.read_at.checked_sub(self.overlap).unwrap_or(Timestamp::MIN);
        let too_old = self.now.checked_sub(self.reread).unwrap_or(Timestamp::MIN);
        updated >= before_last_read || mark.read_at <= too_old
    }

    fn is_outlived(&self, group: &str, mark: &Mark) -> bool {
        self.is_chosen(group) && mark.app_users.as_ref() != Some(&self.app_users.digest())
    }
}

/// The names of the reads of members begin so.
pub(super) const MEMBERS: &str = "members:";

#[cfg(test)]
mod tests {
    use super::*;

    const LAST_READ: &str = "2026-03-02T10:00:00Z";

    #[track_caller]
    fn check(seen: Option<&str>, shows: Option<&str>, now: &str, expected: bool) {
        let plan = plan(&marked(seen, None), Reading::Incremental, now);
        assert_eq!(plan.due("00g1", shows), expected);
    }

    fn marked(seen: Option<&str>, app_users: Option<String>) -> Watermarks {
        let mark = Mark { updated: seen.map(str::to_owned), read_at: LAST_READ.parse().unwrap(), app_users };
        Watermarks::from([("members:00g1".to_owned(), mark.text())])
    }

    fn plan(watermarks: &Watermarks, reading: Reading, now: &str) -> Plan {
        let (overlap, reread) = (Duration::from_secs(15 * 60), Duration::from_secs(24 * 60 * 60));
        Plan::new(watermarks, reading, now.parse().unwrap(), overlap, reread)
    }

    const LONG_BEFORE: Option<&str> = Some("2026-03-01T00:00:00.000Z");

    #[test]
    fn a_group_that_shows_what_it_showed_is_not_read() {
        check(LONG_BEFORE, LONG_BEFORE, "2026-03-02T10:40:00Z", false);
    }

    #[test]
    fn a_group_that_shows_another_time_or_none_is_read() {
        check(LONG_BEFORE, Some("2026-03-02T10:20:00.000Z"), "2026-03-02T10:40:00Z", true);
        check(LONG_BEFORE, Some("2026-02-01T00:00:00.000Z"), "2026-03-02T10:40:00Z", true);
        check(LONG_BEFORE, None, "2026-03-02T10:40:00Z", true);
        check(None, LONG_BEFORE, "2026-03-02T10:40:00Z", true);
    }

    #[test]
    fn a_change_around_the_last_read_is_looked_at_again() {
        let edge = Some("2026-03-02T09:45:00.000Z");
        check(edge, edge, "2026-03-02T10:40:00Z", true);
        let before = Some("2026-03-02T09:44:59.000Z");
        check(before, before, "2026-03-02T10:40:00Z", false);
    }

    #[test]
    fn every_group_is_read_once_a_day() {
        check(LONG_BEFORE, LONG_BEFORE, "2026-03-03T09:59:59Z", false);
        check(LONG_BEFORE, LONG_BEFORE, "2026-03-03T10:00:00Z", true);
    }

    #[test]
    fn a_full_reading_and_an_unknown_group_are_read_and_each_once() {
        let watermarks = marked(LONG_BEFORE, None);
        let mut full = plan(&watermarks, Reading::Full, "2026-03-02T10:40:00Z");
        assert!(full.take("00g1", LONG_BEFORE));
        assert!(!full.take("00g1", LONG_BEFORE));
        assert!(plan(&watermarks, Reading::Incremental, "2026-03-02T10:40:00Z").due("00g2", LONG_BEFORE));
    }

    #[track_caller]
    fn check_chosen(app_users_then: Option<&[&str]>, app_users_now: &[&str], expected: bool) {
        let digest = |ids: &[&str]| {
            let mut users = AppUsers::default();
            ids.iter().for_each(|id| users.add(id));
            users.digest()
        };
        let watermarks = marked(LONG_BEFORE, app_users_then.map(digest));
        let mut plan = plan(&watermarks, Reading::Incremental, "2026-03-02T10:40:00Z");
        app_users_now.iter().for_each(|id| plan.app_users.add(id));
        assert!(!plan.due("00g1", LONG_BEFORE), "it is not chosen yet");
        plan.choose("00g1");
        assert_eq!(plan.due("00g1", LONG_BEFORE), expected);
    }

    #[test]
    fn a_chosen_group_is_read_when_the_users_of_the_application_are_others() {
        check_chosen(Some(&["00u1", "00u2"]), &["00u2", "00u1"], false);
        check_chosen(Some(&["00u1", "00u2"]), &["00u1"], true);
        check_chosen(Some(&["00u1"]), &["00u1", "00u2"], true);
    }

    #[test]
    fn a_group_that_is_chosen_since_is_read() {
        check_chosen(None, &["00u1"], true);
    }

    #[test]
    fn a_watermark_that_cannot_be_read_is_none() {
        let watermarks = Watermarks::from([("members:00g1".to_owned(), "garbage".to_owned())]);
        assert!(plan(&watermarks, Reading::Incremental, "2026-03-02T10:40:00Z").due("00g1", LONG_BEFORE));
    }
}
