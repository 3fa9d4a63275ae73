//! What keeps somebody out whom the selection reaches: people's policy, filters, what the settings say of one team.

use super::Facts;
use super::Given;
use super::Rules;
use super::Selection;
use crate::scim::Kind;

/// One reason, as it is folded over people and as it is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bar(pub String);

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

/// The reasons, sorted; none where nothing keeps the object out.
pub(super) fn bars(rules: &Rules, facts: &Facts<'_>) -> Vec<Bar> {
    let own = match facts.kind {
        Kind::User => rules.people.bar(facts.seen, rules.vocabulary).map(str::to_owned),
        Kind::Group => no_team(rules, facts),
    };
    match own {
        Some(text) => vec![Bar(text)],
        None => filtered(rules, facts),
    }
}

fn no_team(rules: &Rules, facts: &Facts<'_>) -> Option<String> {
    let rule = rules.teams.rule(facts.source, facts.seen)?;
    (!rule.enabled).then(|| format!("no team is wanted of it (teams.\"{}\".enabled = false)", rule.key))
}

fn filtered(rules: &Rules, facts: &Facts<'_>) -> Vec<Bar> {
    let filters = &selection(rules, facts.kind).filters;
    let given = Given {
        id: facts.source,
        kind: facts.kind,
        seen: facts.seen,
        soft_deleted: false,
        groups: facts.groups,
    };
    if filters.admit(&given, rules.vocabulary) {
        return Vec::new();
    }
    let result = filters.result(&given, rules.vocabulary);
    result.unmet().into_iter().map(|clause| Bar(format!("{clause} is not met"))).collect()
}

pub(super) fn selection(rules: &Rules, kind: Kind) -> &Selection {
    match kind {
        Kind::User => &rules.scope.users,
        Kind::Group => &rules.scope.teams,
    }
}
