//! Why somebody is, or is not, in scope: every step of the decision, in the order in which it is made.

use super::ClauseResult;
use super::Departure;
use super::Facts;
use super::OnLeave;
use super::Rules;
use super::ScopeFact;
use super::admission::Bars;
use super::admission::bars;
use super::admission::own_bar;
use super::admission::selection;
use super::admission::sight;
use crate::model::Applied;
use crate::model::Standing;
use crate::scim::Kind;

/// One step. None of them has a value of an attribute (P11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeStep {
    /// The scope selects it through these; through none where everybody is selected.
    Selected { through: Vec<String> },
    /// The scope selects it by nothing; what it lost, as far as an edge remembers it.
    NotSelected { lost: Vec<String> },
    /// People's policy, or what is said of one team, keeps it out, and no filter is asked.
    Barred { reason: String },
    /// One clause, with the place that its key has in the settings: `filters.0.1`.
    Clause { place: String, result: ClauseResult },
    /// As the last read showed it.
    Standing(Standing),
    /// Nothing keeps it from being wanted active.
    InScope,
    /// What keeps it from that, and what the settings make of what is there; a group has no policy by event.
    Out { by: Departure, policy: Option<OnLeave> },
    /// What keeps it from that, where there is nothing in the target: nothing is made.
    NotMade { by: Departure, kind: Kind },
}

/// The steps of one link, from the selection to what becomes of it.
pub fn explain_scope(rules: &Rules, facts: &Facts<'_>) -> Vec<ScopeStep> {
    let mut steps = vec![selected(&facts.scope)];
    let mut bars_found = Bars::default();
    if matches!(facts.scope, ScopeFact::In(_)) {
        bars_found = bars(rules, facts);
        match own_bar(rules, facts) {
            Some(reason) => steps.push(ScopeStep::Barred { reason }),
            None => steps.extend(clauses(rules, facts)),
        }
    }
    steps.push(ScopeStep::Standing(facts.seen.standing));
    steps.extend(outcome(rules, facts, &bars_found));
    steps
}

fn selected(scope: &ScopeFact) -> ScopeStep {
    match scope {
        ScopeFact::In(through) => {
            ScopeStep::Selected { through: through.iter().map(|grant| grant.name.clone()).collect() }
        }
        ScopeFact::Out(lost) => {
            ScopeStep::NotSelected { lost: lost.iter().map(|loss| loss.name.clone()).collect() }
        }
    }
}

fn clauses(rules: &Rules, facts: &Facts<'_>) -> Vec<ScopeStep> {
    let (selection, sight) = (selection(rules, facts.kind), sight(rules, facts));
    let mut steps = Vec::new();
    for (key, filters) in [("filters", &selection.filters), ("exclude", &selection.exclude)] {
        for (filter, results) in filters.result(&sight).filters.into_iter().enumerate() {
            for (clause, result) in results.into_iter().enumerate() {
                steps.push(ScopeStep::Clause { place: format!("{key}.{filter}.{clause}"), result });
            }
        }
    }
    steps
}

fn outcome(rules: &Rules, facts: &Facts<'_>, bars: &Bars) -> Option<ScopeStep> {
    if facts.seen.standing == Standing::Unread {
        return None;
    }
    let Some(by) = Departure::of(rules, facts, bars) else { return Some(ScopeStep::InScope) };
    if *facts.applied == Applied::Absent {
        return Some(ScopeStep::NotMade { by, kind: facts.kind });
    }
    let policy = (facts.kind == Kind::User).then(|| rules.leavers.policy(by));
    Some(ScopeStep::Out { by, policy })
}

impl ScopeStep {
    /// As a person reads it, without a full stop.
    pub fn sentence(&self) -> String {
        match self {
            ScopeStep::Selected { through } if through.is_empty() => "selected, as everybody is".to_owned(),
            ScopeStep::Selected { through } => format!("selected through {}", through.join(", ")),
            ScopeStep::NotSelected { lost } if lost.is_empty() => "not selected".to_owned(),
            ScopeStep::NotSelected { lost } => format!("not selected; no longer in {}", lost.join(", ")),
            ScopeStep::Barred { reason } => reason.clone(),
            ScopeStep::Clause { place, result } => clause(place, result),
            ScopeStep::Standing(standing) => standing_word(*standing).to_owned(),
            ScopeStep::InScope => "in scope".to_owned(),
            ScopeStep::Out { by, policy: Some(policy) } => format!("{}: {policy}", by.told()),
            ScopeStep::Out { by, policy: None } => by.told().to_owned(),
            ScopeStep::NotMade { by, kind: Kind::User } => format!("{}, so no account is made", by.told()),
            ScopeStep::NotMade { by, kind: Kind::Group } => format!("{}, so no team is made", by.told()),
        }
    }
}

fn clause(place: &str, result: &ClauseResult) -> String {
    let met = if result.met { "met" } else { "not met" };
    let value = if result.has_value { "has a value" } else { "has no value" };
    format!("{place}: {} is {met} ({} {value})", result.clause, result.attribute)
}

fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Unread => "never read",
        Standing::Enabled => "enabled in the source",
        Standing::Disabled => "disabled in the source",
        Standing::SoftDeleted => "in the source's recycle bin",
        Standing::Gone => "deleted in the source",
        Standing::Missing => "missing from a complete read of the source",
    }
}
