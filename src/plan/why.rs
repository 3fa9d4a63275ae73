//! Why a link is decided as it is: the cause, how we know, and what a witness would be asked.

use super::Cause;
use super::CauseKind;
use super::Class;
use super::Facts;
use super::Loss;
use super::Proof;
use super::Rules;
use super::ScopeFact;
use super::admission::Bar;
use super::admission::selection;
use crate::model::Applied;
use crate::model::SourceId;
use crate::model::Standing;
use crate::model::WitnessQuestion;

/// A cause with its evidence: how we know, and what a witness would be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    pub cause: Cause,
    pub proof: Proof,
    pub questions: Vec<WitnessQuestion>,
}

/// `bars` keep out whom the selection reaches.
pub(super) fn why(
    rules: &Rules,
    rules_digest: &str,
    facts: &Facts<'_>,
    class: Option<Class>,
    bars: Vec<Bar>,
) -> Why {
    match (&facts.scope, facts.seen.standing) {
        (_, Standing::SoftDeleted) => event(CauseKind::SoftDeleted),
        (_, Standing::Gone) => event(CauseKind::Gone),
        (_, Standing::Missing) => Why {
            cause: plain(CauseKind::Missing),
            proof: Proof::Absence,
            questions: vec![WitnessQuestion::Exists { id: facts.source.clone(), kind: facts.kind }],
        },
        (ScopeFact::Out(lost), _) => why_lost(lost, rules_digest),
        (ScopeFact::In(_), _) if !bars.is_empty() => barred(rules_digest, facts, bars),
        (ScopeFact::In(_), Standing::Disabled) => event(CauseKind::Disabled),
        (ScopeFact::In(_), _) if facts.dirty.rules && !facts.dirty.object && !facts.dirty.edge => {
            settings(rules_digest)
        }
        (ScopeFact::In(through), _) => match class {
            Some(Class::Create) => joined(through),
            Some(Class::Reactivate) if facts.dirty.edge => joined(through),
            // Enabled, or let in by a filter again: the source changed either way.
            Some(Class::Reactivate) if selection(rules, facts.kind).filters.is_empty() => {
                event(CauseKind::Enabled)
            }
            _ => event(CauseKind::Changed),
        },
    }
}

fn plain(kind: CauseKind) -> Cause {
    Cause { kind, subjects: Vec::new(), names: Vec::new(), rules: String::new() }
}

fn event(kind: CauseKind) -> Why {
    Why { cause: plain(kind), proof: Proof::Event, questions: Vec::new() }
}

fn settings(rules_digest: &str) -> Why {
    let mut why = event(CauseKind::Settings);
    why.cause.rules = rules_digest.to_owned();
    why
}

fn joined(through: &[super::Grant]) -> Why {
    let mut why = event(CauseKind::Joined);
    why.cause.subjects = through.iter().map(|grant| grant.source.clone()).collect();
    why.cause.names = through.iter().map(|grant| grant.name.clone()).collect();
    why
}

/// The source shows the attribute that a filter looks at, so falling out of it is an event. Where the rules were
/// edited as well, the edit is the cause of what becomes of accounts that are there (P13).
fn barred(rules_digest: &str, facts: &Facts<'_>, bars: Vec<Bar>) -> Why {
    let ours = *facts.applied != Applied::Absent;
    let mut why = if facts.dirty.rules && ours { settings(rules_digest) } else { event(CauseKind::Filtered) };
    why.cause.subjects = bars.iter().map(|bar| SourceId(bar.0.clone())).collect();
    why.cause.names = bars.into_iter().map(|bar| bar.0).collect();
    why
}

/// What was lost through two groups has the set as its cause. It is an event only where every part of it is.
pub(super) fn why_lost(lost: &[Loss], rules_digest: &str) -> Why {
    if lost.is_empty() {
        return settings(rules_digest);
    }
    let kind = if lost.iter().any(|loss| loss.whole) { CauseKind::GroupLost } else { CauseKind::Left };
    let mut why = Why { cause: plain(kind), proof: Proof::Event, questions: Vec::new() };
    for loss in lost {
        why.cause.subjects.push(loss.subject.clone());
        why.cause.names.push(loss.name.clone());
        if loss.proof == Proof::Absence {
            why.proof = Proof::Absence;
            why.questions.push(loss.question.clone());
        }
    }
    why
}
