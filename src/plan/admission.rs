//! What keeps somebody out whom the selection reaches: people's policy, filters, what the settings say of one team.

use std::collections::BTreeSet;

use super::ClauseResult;
use super::Facts;
use super::Given;
use super::Rules;
use super::Selection;
use super::Sight;
use crate::model::WitnessQuestion;
use crate::scim::Kind;

/// Why somebody is kept out: what is told, and what it rests on. Without a reason nothing keeps them out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bars {
    /// Each once and sorted, so that equal ones fold whatever the order of the settings.
    pub reasons: BTreeSet<String>,
    /// Time alone may be why.
    pub by_time: bool,
    /// What a witness is asked, where a membership is missing from a complete read (P2).
    pub questions: Vec<WitnessQuestion>,
}

impl Bars {
    pub fn are_none(&self) -> bool {
        self.reasons.is_empty()
    }

    fn of(reason: String) -> Bars {
        Bars { reasons: BTreeSet::from([reason]), ..Bars::default() }
    }

    fn add(&mut self, reason: String, clauses: &[ClauseResult]) {
        self.reasons.insert(reason);
        for clause in clauses {
            self.by_time |= clause.by_time;
            self.questions.extend(clause.questions.iter().cloned());
        }
    }
}

/// What is told of people who are selected, and whom no account is made for because they are disabled.
pub const NEVER_CREATED: &str = "disabled in the source, so no account is made";

/// `3 people are left out: department EQUALS Sales is not met`.
pub fn left_out(kind: Kind, reason: &str, count: u64) -> String {
    match (kind, count) {
        (Kind::User, 1) => format!("1 person is left out: {reason}"),
        (Kind::User, _) => format!("{count} people are left out: {reason}"),
        (Kind::Group, 1) => format!("1 group becomes no team: {reason}"),
        (Kind::Group, _) => format!("{count} groups become no teams: {reason}"),
    }
}

pub(super) fn bars(rules: &Rules, facts: &Facts<'_>) -> Bars {
    own_bar(rules, facts).map_or_else(|| filtered(rules, facts), Bars::of)
}

/// What people's policy, or the settings of one team, say of it.
pub(super) fn own_bar(rules: &Rules, facts: &Facts<'_>) -> Option<String> {
    match facts.kind {
        Kind::User => rules.people.bar(facts.seen, rules.vocabulary).map(str::to_owned),
        Kind::Group => no_team(rules, facts),
    }
}

fn no_team(rules: &Rules, facts: &Facts<'_>) -> Option<String> {
    let rule = rules.teams.rule(facts.source, facts.seen)?;
    (!rule.enabled).then(|| format!("no team is wanted of it (teams.\"{}\".enabled = false)", rule.key))
}

fn filtered(rules: &Rules, facts: &Facts<'_>) -> Bars {
    let selection = selection(rules, facts.kind);
    let sight = sight(rules, facts);
    let mut bars = Bars::default();
    if !selection.filters.admit(&sight) {
        for clause in selection.filters.result(&sight).unmet() {
            bars.add(format!("{} is not met", clause.clause), std::slice::from_ref(clause));
        }
    }
    if selection.exclude.take(&sight) {
        for clauses in selection.exclude.result(&sight).met() {
            let told: Vec<&str> = clauses.iter().map(|clause| clause.clause.as_str()).collect();
            bars.add(format!("excluded by {}", told.join(" and ")), clauses);
        }
    }
    bars
}

/// When the filters have to be looked at again because of the time alone.
pub(super) fn next_look(rules: &Rules, facts: &Facts<'_>) -> Option<i64> {
    let selection = selection(rules, facts.kind);
    let sight = sight(rules, facts);
    let looks = [&selection.filters, &selection.exclude].map(|filters| filters.next_look(&sight));
    looks.into_iter().flatten().min()
}

pub(super) fn selection(rules: &Rules, kind: Kind) -> &Selection {
    match kind {
        Kind::User => &rules.scope.users,
        Kind::Group => &rules.scope.teams,
    }
}

pub(super) fn sight<'a>(rules: &Rules, facts: &Facts<'a>) -> Sight<'a> {
    let given = Given {
        id: facts.source,
        kind: facts.kind,
        seen: facts.seen,
        soft_deleted: false,
        groups: facts.groups,
    };
    Sight {
        given,
        vocabulary: rules.vocabulary,
        memberships: facts.memberships,
        lost_groups: facts.lost_groups,
        now_second: facts.now_second(),
    }
}
