//! Why a link is decided as it is: the cause, how we know, and what a witness would be asked.

use super::Cause;
use super::CauseKind;
use super::Class;
use super::Departure;
use super::Dirty;
use super::DriftKind;
use super::Facts;
use super::Loss;
use super::OnLeave;
use super::Proof;
use super::Rules;
use super::ScopeFact;
use super::admission::Bars;
use super::admission::selection;
use super::drift::cause_of_drift;
use crate::model::Applied;
use crate::model::Container;
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
    bars: Bars,
) -> Why {
    let mut why = happened(rules, rules_digest, facts, class, bars);
    // What the source showed long ago is acted upon now because somebody edited the settings (P13). What was pending
    // already for a reason of its own keeps that reason (`store::links`).
    let ours = *facts.applied != Applied::Absent;
    if ours && facts.dirty.is_edit() && !why.cause.kind.is_ours() {
        why.cause = edited(rules_digest, facts.dirty).cause;
    }
    // How we know, and what a witness is asked, stays what it is for a removal.
    if ours && facts.dirty.is_drift() && class.is_some_and(|class| rights(class, facts.drifted)) {
        why.cause = cause_of_drift(facts.drifted);
    }
    why
}

/// Whether a change of this class puts right what was found: what waited before for a reason of its own keeps that.
fn rights(class: Class, drifted: &[String]) -> bool {
    let any = |kind: DriftKind| drifted.iter().any(|subject| subject == kind.told());
    match class {
        Class::Update | Class::Rename => true,
        Class::Reactivate => any(DriftKind::Deactivated),
        Class::Deactivate => any(DriftKind::Reactivated),
        _ => false,
    }
}

fn happened(rules: &Rules, rules_digest: &str, facts: &Facts<'_>, class: Option<Class>, bars: Bars) -> Why {
    match (&facts.scope, facts.seen.standing) {
        (_, Standing::SoftDeleted) => event(CauseKind::SoftDeleted),
        (_, Standing::Gone) => event(CauseKind::Gone),
        (_, Standing::Missing) => Why {
            cause: plain(CauseKind::Missing),
            proof: Proof::Absence,
            questions: vec![WitnessQuestion::Exists { id: facts.source.clone(), kind: facts.kind }],
        },
        (ScopeFact::Out(lost), _) => why_lost(lost, rules_digest, facts.dirty),
        (ScopeFact::In(_), _) if !bars.are_none() => barred(rules_digest, facts, bars),
        (ScopeFact::In(_), Standing::Disabled) => event(CauseKind::Disabled),
        (ScopeFact::In(_), _) if facts.dirty.is_edit() => edited(rules_digest, facts.dirty),
        // Another version may read more of the source, so that everybody seems to have changed there.
        (ScopeFact::In(_), _) if facts.dirty.upgrade && *facts.applied != Applied::Absent => {
            edited(rules_digest, facts.dirty)
        }
        (ScopeFact::In(_), _) if facts.dirty.is_time() => {
            timed("a date of the filters was reached".to_owned())
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

/// An edit of the settings; an upgrade, where the program is another one.
fn edited(rules_digest: &str, dirty: Dirty) -> Why {
    let kind = if dirty.upgrade { CauseKind::Upgrade } else { CauseKind::Settings };
    let mut why = event(kind);
    why.cause.rules = rules_digest.to_owned();
    why
}

fn joined(through: &[super::Grant]) -> Why {
    let mut why = event(CauseKind::Joined);
    why.cause.subjects = through.iter().map(|grant| grant.source.clone()).collect();
    why.cause.names = through.iter().map(|grant| grant.name.clone()).collect();
    why
}

/// The source shows the attribute that a filter looks at, so falling out of it is an event; a membership that a complete
/// read no longer showed is an absence. Where the rules were edited as well, the edit is the cause of what becomes of
/// accounts that are there (P13).
fn barred(rules_digest: &str, facts: &Facts<'_>, bars: Bars) -> Why {
    let ours = *facts.applied != Applied::Absent;
    let mut why = match facts.dirty.rules && ours {
        true => edited(rules_digest, facts.dirty),
        false => event(CauseKind::Filtered),
    };
    why.cause.subjects = bars.reasons.iter().cloned().map(SourceId).collect();
    why.cause.names = bars.reasons.into_iter().collect();
    if !bars.questions.is_empty() {
        why.proof = Proof::Absence;
        why.questions = bars.questions;
    }
    why
}

fn timed(told: String) -> Why {
    let mut why = event(CauseKind::Time);
    why.cause.subjects = vec![SourceId(told.clone())];
    why.cause.names = vec![told];
    why
}

/// The time has come to delete who left so long ago; what proved the leaving is asked for again (P2). An edit of the
/// policy stays the cause where it is.
pub(super) fn deletion_due(rules: &Rules, facts: &Facts<'_>, by: Departure, mut why: Why) -> Why {
    if !facts.dirty.is_edit() {
        why.cause = timed(since(by, rules.leavers.policy(by))).cause;
    }
    if by == Departure::Unassigned
        && why.questions.is_empty()
        && matches!(&facts.scope, ScopeFact::Out(lost) if lost.is_empty())
    {
        // No edge remembers what was lost: every list that could give it back is asked.
        let lists = selection(rules, facts.kind).all_lists();
        why.questions = lists.map(|list| held(list, facts)).collect();
        why.proof = if why.questions.is_empty() { Proof::Event } else { Proof::Absence };
    }
    why
}

fn held(list: &SourceId, facts: &Facts<'_>) -> WitnessQuestion {
    let container = Container::App(list.clone());
    WitnessQuestion::Held { container, principal: facts.source.clone(), kind: facts.kind }
}

/// `unassigned: delete after 30d (leavers.unassigned)`.
fn since(by: Departure, policy: OnLeave) -> String {
    let keys = match by {
        Departure::Missing => "leavers.soft_deleted, leavers.purged".to_owned(),
        _ => format!("leavers.{}", by.word()),
    };
    format!("{}: {policy} ({keys})", by.told())
}

/// What was lost through two groups has the set as its cause. It is an event only where every part of it is.
pub(super) fn why_lost(lost: &[Loss], rules_digest: &str, dirty: Dirty) -> Why {
    if lost.is_empty() {
        return edited(rules_digest, dirty);
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
