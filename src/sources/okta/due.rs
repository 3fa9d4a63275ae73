//! Which groups have their members read in this cycle (okta.md sections 5.2 and 12).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::events::Heard;
use super::listed;
use super::listed::Listed;
use super::mark;
use super::mark::ASSIGNMENTS;
use super::mark::MEMBERS;
use super::mark::Mark;
use super::mark::PUSH;
use super::mark::Roll;
use super::second::SecondReadings;
use crate::model::Reading;
use crate::model::SourceEvent;
use crate::model::Watermarks;
use crate::model::WitnessQuestion;

/// What a cycle knew before it read, and what it has met since.
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
    /// Groups that a list showed in this cycle.
    pub shown: BTreeSet<String>,
    /// Groups whose push is deactivated: their teams stay as they are, whatever the groups do.
    pub parked: BTreeSet<String>,
    /// Groups whose members come from another directory: their changes are not all in the log.
    pub imported: BTreeSet<String>,
    /// Complete before the first group is looked at.
    pub app_users: Listed,
    /// The members of the group that is being read.
    pub members: Listed,
    /// Pages of the listing that is being read.
    pub walked: BTreeSet<String>,
    /// Who was on the lists when they were last read whole, and who is now.
    pub roll: Roll,
    pub roll_now: Roll,
    pub pushed: Roll,
    pub heard: Heard,
    /// The log was read in this cycle.
    pub log_speaks: bool,
    pub log_questions: usize,
    /// The event that explains the answer to the question at hand, and to those before it.
    pub told: Option<SourceEvent>,
    pub events: BTreeMap<WitnessQuestion, SourceEvent>,
    pub second: SecondReadings,
}

/// Why the members of a group are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    No,
    /// Something says that they may be others now.
    Changed,
    /// Nothing does; a day has passed.
    Verify,
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
        Plan {
            now,
            reading,
            marks,
            overlap,
            reread,
            planned: BTreeSet::new(),
            chosen: BTreeSet::new(),
            shown: BTreeSet::new(),
            parked: BTreeSet::new(),
            imported: BTreeSet::new(),
            app_users: Listed::default(),
            members: Listed::default(),
            walked: BTreeSet::new(),
            roll: mark::remembered(watermarks, ASSIGNMENTS).unwrap_or_default(),
            roll_now: Roll::default(),
            pushed: mark::remembered(watermarks, PUSH).unwrap_or_default(),
            heard: Heard::default(),
            log_speaks: false,
            log_questions: 0,
            told: None,
            events: BTreeMap::new(),
            second: SecondReadings::default(),
        }
    }

    /// The members of this group are people of the scope, as the settings say.
    pub fn choose(&mut self, group: &str) {
        self.chosen.insert(group.to_owned());
    }

    pub fn is_chosen(&self, group: &str) -> bool {
        self.chosen.contains(group)
    }

    /// What was remembered of the group before this cycle.
    pub fn known(&self, group: &str) -> Option<&Mark> {
        self.marks.get(group)
    }

    /// What is remembered of a group whose members were read whole. A chosen group is read again in the next cycle
    /// where not all of the application's users are known.
    pub fn mark(&self, group: &str, updated: Option<String>) -> Option<Mark> {
        let chosen = self.is_chosen(group);
        let app_users = chosen.then(|| self.app_users.digest());
        let whole = !chosen || self.app_users.are_whole();
        let earlier = self.known(group).and_then(|mark| mark.sample.clone());
        whole.then(|| Mark {
            updated,
            read_at: self.now,
            app_users,
            members: Some(self.members.digest()),
            sample: self.members.sample().or(earlier),
            not_found: 0,
            settled: false,
        })
    }

    /// Whether the members of this group are to be read now; each group once a cycle.
    pub fn take(&mut self, group: &str, updated: Option<&str>) -> bool {
        self.due(group, updated) != Due::No && self.planned.insert(group.to_owned())
    }

    /// Groups that were read before and that nothing has shown in this cycle, though everything was asked.
    pub fn lost(&self) -> Vec<String> {
        let on_a_list = |group: &String| self.shown.contains(group) || self.parked.contains(group);
        let lost = self.marks.iter().filter(|(group, mark)| !mark.settled && !on_a_list(group));
        lost.map(|(group, _)| group.clone()).collect()
    }

    /// | the group | read |
    /// |---|---|
    /// | everything is read anew, or the group never was | yes |
    /// | was not shown by any list for a while | yes |
    /// | shows no time, or another one than last time | yes |
    /// | shows a time that the last read may have missed: it lags by seconds, clocks by minutes | yes |
    /// | is named by the log as one whose members changed | yes |
    /// | is chosen, and the application's users are others now: who left them is shown by the group alone | yes |
    /// | is chosen, and the log names somebody who is no user of the application: it shows how they stand | yes |
    /// | has its turn of the day | yes, to verify |
    /// | otherwise | no |
    pub fn due(&self, group: &str, updated: Option<&str>) -> Due {
        let (Reading::Incremental, Some(mark)) = (self.reading, self.marks.get(group)) else {
            return Due::Changed;
        };
        let (Some(text), false) = (updated, mark.settled) else { return Due::Changed };
        if mark.updated.as_deref() != Some(text) || self.is_outlived(group, mark) || self.is_hinted(group) {
            return Due::Changed;
        }
        let Ok(updated) = text.parse::<Timestamp>() else { return Due::Changed };
        let before_last_read = mark.read_at.checked_sub(self.overlap).unwrap_or(Timestamp::MIN);
        if updated >= before_last_read {
            return Due::Changed;
        }
        if self.has_its_turn(group, mark.read_at) { Due::Verify } else { Due::No }
    }

    fn is_hinted(&self, group: &str) -> bool {
        let stranger = |person: &String| !self.app_users.has(person);
        self.heard.groups.contains(group) || (self.is_chosen(group) && self.heard.people.iter().any(stranger))
    }

    /// Every group has a time of the day of its own at which it is read whatever it shows, so that a cycle of 40
    /// minutes verifies about a 36th of them and none waits longer than the period and a cycle.
    fn has_its_turn(&self, group: &str, read_at: Timestamp) -> bool {
        let period = i64::try_from(self.reread.as_secs()).unwrap_or(i64::MAX).max(1);
        let offset = listed::bits(group).rem_euclid(period.unsigned_abs()).cast_signed();
        let turn = |at: Timestamp| (at.as_second() - offset).div_euclid(period);
        turn(self.now) > turn(read_at)
    }

    fn is_outlived(&self, group: &str, mark: &Mark) -> bool {
        self.is_chosen(group) && mark.app_users.as_ref() != Some(&self.app_users.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST_READ: &str = "2026-03-02T10:00:00Z";

    /// The members of 00g1 have their turn at 17:49:28 UTC.
    #[track_caller]
    fn check(seen: Option<&str>, shows: Option<&str>, now: &str, expected: Due) {
        let plan = plan(&marked(seen, None), Reading::Incremental, now);
        assert_eq!(plan.due("00g1", shows), expected);
    }

    fn marked(seen: Option<&str>, app_users: Option<String>) -> Watermarks {
        let mark = Mark {
            updated: seen.map(str::to_owned),
            read_at: LAST_READ.parse().unwrap(),
            app_users,
            members: None,
            sample: None,
            not_found: 0,
            settled: false,
        };
        Watermarks::from([("members:00g1".to_owned(), mark::text(&mark))])
    }

    fn plan(watermarks: &Watermarks, reading: Reading, now: &str) -> Plan {
        let (overlap, reread) = (Duration::from_secs(15 * 60), Duration::from_secs(24 * 60 * 60));
        Plan::new(watermarks, reading, now.parse().unwrap(), overlap, reread)
    }

    const LONG_BEFORE: Option<&str> = Some("2026-03-01T00:00:00.000Z");

    #[test]
    fn a_group_that_shows_what_it_showed_is_not_read() {
        check(LONG_BEFORE, LONG_BEFORE, "2026-03-02T10:40:00Z", Due::No);
    }

    #[test]
    fn a_group_that_shows_another_time_or_none_is_read() {
        check(LONG_BEFORE, Some("2026-03-02T10:20:00.000Z"), "2026-03-02T10:40:00Z", Due::Changed);
        check(LONG_BEFORE, Some("2026-02-01T00:00:00.000Z"), "2026-03-02T10:40:00Z", Due::Changed);
        check(LONG_BEFORE, None, "2026-03-02T10:40:00Z", Due::Changed);
        check(None, LONG_BEFORE, "2026-03-02T10:40:00Z", Due::Changed);
    }

    #[test]
    fn a_change_around_the_last_read_is_looked_at_again() {
        let edge = Some("2026-03-02T09:45:00.000Z");
        check(edge, edge, "2026-03-02T10:40:00Z", Due::Changed);
        let before = Some("2026-03-02T09:44:59.000Z");
        check(before, before, "2026-03-02T10:40:00Z", Due::No);
    }

    #[test]
    fn every_group_is_verified_once_a_day_at_a_time_of_its_own() {
        let mut turns = Vec::new();
        for cycle in 1..=72 {
            let now = LAST_READ.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(40 * cycle);
            let plan = plan(&marked(LONG_BEFORE, None), Reading::Incremental, &now.to_string());
            turns.push(plan.due("00g1", LONG_BEFORE) == Due::Verify);
        }
        let first = turns.iter().position(|due| *due).expect("a turn");
        assert!(first < 36, "within a day: {first}");
        assert!(turns[first..].iter().all(|due| *due), "until it is read");
    }

    #[test]
    fn a_cycle_verifies_about_a_36th_of_the_groups() {
        let read_at: Timestamp = LAST_READ.parse().unwrap();
        let names: Vec<String> = (0..3_600).map(|number| format!("00g{number}")).collect();
        let mut total = 0;
        for cycle in 1..=36 {
            let now = read_at + jiff::SignedDuration::from_mins(40 * cycle);
            let plan = plan(&Watermarks::new(), Reading::Incremental, &now.to_string());
            let before = read_at + jiff::SignedDuration::from_mins(40 * (cycle - 1));
            let due = names.iter().filter(|name| plan.has_its_turn(name, before)).count();
            assert!((60..=140).contains(&due), "cycle {cycle}: {due}");
            total += due;
        }
        assert_eq!(total, 3_600, "each once a day");
    }

    #[test]
    fn a_full_reading_and_an_unknown_group_are_read_and_each_once() {
        let watermarks = marked(LONG_BEFORE, None);
        let mut full = plan(&watermarks, Reading::Full, "2026-03-02T10:40:00Z");
        assert!(full.take("00g1", LONG_BEFORE));
        assert!(!full.take("00g1", LONG_BEFORE));
        let plan = plan(&watermarks, Reading::Incremental, "2026-03-02T10:40:00Z");
        assert_eq!(plan.due("00g2", LONG_BEFORE), Due::Changed);
    }

    #[test]
    fn a_group_that_the_log_names_is_read() {
        let mut plan = plan(&marked(LONG_BEFORE, None), Reading::Incremental, "2026-03-02T10:40:00Z");
        plan.heard.groups.insert("00g1".to_owned());
        assert_eq!(plan.due("00g1", LONG_BEFORE), Due::Changed);
    }

    #[test]
    fn a_chosen_group_is_read_when_the_log_names_a_person_without_the_application() {
        let app_users = Listed::default().digest();
        let marks = marked(LONG_BEFORE, Some(app_users));
        let mut plan = plan(&marks, Reading::Incremental, "2026-03-02T10:40:00Z");
        plan.heard.people.insert("00u9".to_owned());
        assert_eq!(plan.due("00g1", LONG_BEFORE), Due::No, "a team shows no profiles");
        plan.choose("00g1");
        assert_eq!(plan.due("00g1", LONG_BEFORE), Due::Changed);
    }

    #[test]
    fn a_group_that_no_list_shows_is_lost_until_that_is_settled() {
        let marks = marked(LONG_BEFORE, None);
        let mut plan = plan(&marks, Reading::Incremental, "2026-03-02T10:40:00Z");
        assert_eq!(plan.lost(), ["00g1"]);
        plan.shown.insert("00g1".to_owned());
        assert_eq!(plan.lost(), Vec::<String>::new());
    }

    #[track_caller]
    fn check_chosen(app_users_then: Option<&[&str]>, app_users_now: &[&str], expected: Due) {
        let digest = |ids: &[&str]| {
            let mut users = Listed::default();
            ids.iter().for_each(|id| users.add(id));
            users.digest()
        };
        let watermarks = marked(LONG_BEFORE, app_users_then.map(digest));
        let mut plan = plan(&watermarks, Reading::Incremental, "2026-03-02T10:40:00Z");
        app_users_now.iter().for_each(|id| plan.app_users.add(id));
        assert_eq!(plan.due("00g1", LONG_BEFORE), Due::No, "it is not chosen yet");
        plan.choose("00g1");
        assert_eq!(plan.due("00g1", LONG_BEFORE), expected);
    }

    #[test]
    fn a_chosen_group_is_read_when_the_users_of_the_application_are_others() {
        check_chosen(Some(&["00u1", "00u2"]), &["00u2", "00u1"], Due::No);
        check_chosen(Some(&["00u1", "00u2"]), &["00u1"], Due::Changed);
        check_chosen(Some(&["00u1"]), &["00u1", "00u2"], Due::Changed);
    }

    #[test]
    fn a_group_that_is_chosen_since_is_read() {
        check_chosen(None, &["00u1"], Due::Changed);
    }

    #[test]
    fn a_watermark_that_cannot_be_read_is_none() {
        let watermarks = Watermarks::from([("members:00g1".to_owned(), "garbage".to_owned())]);
        let plan = plan(&watermarks, Reading::Incremental, "2026-03-02T10:40:00Z");
        assert_eq!(plan.due("00g1", LONG_BEFORE), Due::Changed);
    }
}
