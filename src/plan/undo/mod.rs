//! Undoing: what a person put back is laid over what the rules say, while that lasts (P9).

mod inverse;
mod said;

use std::collections::BTreeMap;

use serde_json::Value;

use super::Cause;
use super::CauseKind;
use super::Class;
use super::Decision;
use super::Pending;
use super::Proof;
use super::Reference;
use super::Why;
use super::decide::key_path;
use super::diff;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::Origin;
use crate::model::SourceId;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::fold;
use crate::scim::same;

pub use inverse::Current;
pub use inverse::Inverse;
pub use inverse::MemberWrites;
pub use inverse::Membership;
pub use inverse::Remarks;
pub use inverse::Writes;
pub use inverse::inverse;
pub use inverse::member_inverse;
pub use said::irrevocable;

/// What an object is to be, whatever the rules say.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
pub struct Override {
    /// `None`: as the rules say.
    pub active: Option<bool>,
    /// `null` is unassigned.
    pub values: Attributes,
    /// Whom references name, by path: a source id, or nobody.
    pub names: BTreeMap<String, Option<String>>,
    /// The undo.
    pub cause: Cause,
    /// Its time is over: the rules decide again.
    pub ended: bool,
}

impl Cause {
    /// That of undoing this cycle.
    pub fn of_undo(cycle: i64) -> Cause {
        let name = format!("cycle {cycle}");
        let (subjects, names) = (vec![SourceId(name.clone())], vec![name]);
        Cause { kind: CauseKind::Undo, subjects, names, rules: String::new() }
    }

    /// That of what comes back when an undo has ended.
    pub fn when_undo_ended(&self) -> Cause {
        Cause { kind: CauseKind::UndoEnded, ..self.clone() }
    }
}

/// A decision of the rules, with an undo laid over it. What the undo alone makes pending has it as its cause.
pub(super) fn laid_over(
    mut decision: Decision,
    kind: Kind,
    applied: &Applied,
    over: Option<&Override>,
) -> Decision {
    let Some(over) = over else { return decision };
    if over.ended {
        let returns = decision.pending.as_ref().is_some_and(|pending| over.returns(pending.class));
        if returns {
            decision.why.cause = over.cause.when_undo_ended();
        }
        return decision;
    }
    if over.active.is_none() && decision.pending.as_ref().is_some_and(|pending| pending.hold.is_some()) {
        // What cannot be mapped stays as it is, and so does what was put back.
        return decision;
    }
    over.put_references(&mut decision);
    let desired = over.desired(kind, &decision.desired, applied);
    if desired == decision.desired {
        return decision;
    }
    let by_rules = std::mem::replace(&mut decision.desired, desired);
    decision.key = key(kind, &decision.desired);
    let act = diff(kind, &decision.desired, applied);
    let class = act.as_ref().map(|act| diff::class(kind, act));
    decision.pending = class.map(|class| Pending { class, hold: None });
    if is_active(&by_rules) != is_active(&decision.desired) || over.touches(act.as_ref()) {
        let cause = over.cause.clone();
        decision.why = Why { cause, proof: Proof::Event, questions: Vec::new() };
        (decision.by_time, decision.delete_at) = (false, None);
    }
    decision
}

/// What undoing makes of a link by itself: nothing else of what the rules may want goes with it.
pub fn undone(kind: Kind, applied: &Applied, over: &Override) -> (Desired, Option<String>, Option<Class>) {
    let is = match applied {
        Applied::Absent => Desired::Unmanaged,
        Applied::Active(accepted) => Desired::Active(accepted.sent.clone()),
        Applied::Inactive(_) => Desired::Inactive,
    };
    let desired = over.desired(kind, &is, applied);
    let class = diff(kind, &desired, applied).map(|act| diff::class(kind, &act));
    let key = key(kind, &desired);
    (desired, key, class)
}

fn is_active(desired: &Desired) -> bool {
    matches!(desired, Desired::Active(_))
}

fn key(kind: Kind, desired: &Desired) -> Option<String> {
    match desired {
        Desired::Active(attributes) => attributes.text(key_path(kind)).map(fold),
        _ => None,
    }
}

impl Override {
    /// | rules | active again | inactive again | values only |
    /// |---|---|---|---|
    /// | Active | active, with these values | inactive | active, with these values |
    /// | Inactive, Unmanaged | active, as it was sent | inactive | as the rules say |
    /// | Absent | active, as it was sent | absent | as the rules say |
    ///
    /// An account that was adopted gets its values back before it is inactive again: nothing is written to it then.
    fn desired(&self, kind: Kind, rules: &Desired, applied: &Applied) -> Desired {
        match (self.active, rules) {
            (Some(false), Desired::Absent) => Desired::Absent,
            (Some(false), _) => match applied {
                Applied::Active(is) if kind == Kind::User && self.owes(is) => self.with_values(&is.sent),
                _ => Desired::Inactive,
            },
            (Some(true), Desired::Active(wanted)) | (None, Desired::Active(wanted)) => {
                self.with_values(wanted)
            }
            (Some(true), rules) => {
                applied.accepted().map_or_else(|| rules.clone(), |is| self.with_values(&is.sent))
            }
            (None, rules) => rules.clone(),
        }
    }

    fn with_values(&self, wanted: &Attributes) -> Desired {
        let mut wanted = wanted.clone();
        for (path, value) in self.values.iter() {
            wanted.0.insert(path.clone(), value.clone());
        }
        Desired::Active(wanted)
    }

    /// Whether an adopted account has values that are still to be put back.
    fn owes(&self, is: &Accepted) -> bool {
        let differs = |path: &String, value: &Value| match is.sent.get(path) {
            Some(sent) => !same(path, sent, value),
            None => !value.is_null(),
        };
        is.origin == Origin::Adopted && self.values.iter().any(|(path, value)| differs(path, value))
    }

    /// Whether an act changes a value that was put back.
    fn touches(&self, act: Option<&super::Act>) -> bool {
        match act {
            Some(super::Act::Update { edits } | super::Act::Reactivate { edits }) => {
                edits.iter().any(|edit| self.values.get(&edit.path).is_some())
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Whether a change of this class is what the undo had kept from being made.
    fn returns(&self, class: Class) -> bool {
        self.active.is_some() || matches!(class, Class::Update | Class::Rename)
    }

    fn put_references(&self, decision: &mut Decision) {
        if !is_active(&decision.desired) && self.active != Some(true) {
            return;
        }
        for (path, names) in &self.names {
            decision.references.retain(|reference| reference.path != *path);
            let (path, names) = (path.clone(), names.clone());
            decision.references.push(Reference { path, names, clears: true });
        }
    }
}

#[cfg(test)]
mod tests;
