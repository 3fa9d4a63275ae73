//! The inverse of what one cycle wrote, object by object, and what of it cannot be undone.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::Accepted;
use crate::model::Applied;
use crate::model::Origin;
use crate::plan::Class;
use crate::plan::Edit;
use crate::plan::Mapping;
use crate::plan::REDACTED;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::same;

/// Old and new of one attribute; `None`: no value.
type Change = (Option<Value>, Option<Value>);

/// What one cycle did to one person or team, folded: of several writes the oldest old value counts.
#[derive(Clone, Default, PartialEq)]
pub struct Writes {
    /// Created, or adopted.
    made: bool,
    deleted: bool,
    /// A write of which the journal has no values any more.
    erased: bool,
    active: Option<(bool, bool)>,
    values: BTreeMap<String, Change>,
    references: BTreeMap<String, Change>,
}

impl Writes {
    /// One write that was done. `created`: the link's resource is one that we made, so that it had no values before.
    pub fn add(&mut self, class: Class, edits: &[Edit], created: bool) {
        match class {
            Class::Create => self.made = true,
            Class::Delete | Class::DeleteTeams => self.deleted = true,
            // Where another job still wants the account, nothing was sent.
            Class::Deactivate => self.turn(true, false),
            Class::Update | Class::Rename | Class::References => self.erased |= edits.is_empty(),
            Class::Reactivate | Class::AddMembers | Class::RemoveMembers => {}
        }
        if class == Class::Create && created {
            return;
        }
        let into = if class == Class::References { &mut self.references } else { &mut self.values };
        for edit in edits {
            let active = |value: &Option<Value>| value.as_ref().and_then(Value::as_bool);
            match (edit.path.as_str(), active(&edit.old), active(&edit.new)) {
                ("active", Some(old), Some(new)) => {
                    let was = self.active.map_or(old, |(was, _)| was);
                    self.active = Some((was, new));
                }
                _ => {
                    let known = into.entry(edit.path.clone());
                    known.or_insert_with(|| (edit.old.clone(), None)).1 = edit.new.clone();
                }
            }
        }
    }

    fn turn(&mut self, from: bool, to: bool) {
        let was = self.active.map_or(from, |(was, _)| was);
        self.active = Some((was, to));
    }
}

/// What is known of the object now.
pub struct Current<'a> {
    pub kind: Kind,
    pub applied: &'a Applied,
    /// It was matched or created once more after that cycle.
    pub another: bool,
    pub mapping: &'a Mapping,
    /// Whom its references name now, by path: the resource.
    pub refers: &'a BTreeMap<String, Option<String>>,
}

/// What puts an object back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inverse {
    pub active: Option<bool>,
    /// `null` is unassigned.
    pub values: Attributes,
    /// Whom references named: the resource, or nobody.
    pub references: BTreeMap<String, Option<String>>,
}

impl Inverse {
    pub fn is_empty(&self) -> bool {
        *self == Inverse::default()
    }
}

/// What is not undone, or has to be known of it: each once, with how many it is true of and some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks(BTreeMap<String, (u64, Vec<String>)>);

/// So many names are told of each.
const NAMES_MAX: usize = 5;

impl Remarks {
    pub fn add(&mut self, what: impl Into<String>, name: &str) {
        let (count, names) = self.0.entry(what.into()).or_default();
        *count += 1;
        if names.len() < NAMES_MAX && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }

    /// `not undone: it was deleted: 3, among them ann@x.example`.
    pub fn lines(&self) -> Vec<String> {
        let line = |(what, (count, names)): (&String, &(u64, Vec<String>))| {
            let among = if *count > names.len() as u64 { "among them " } else { "" };
            format!("{what}: {count} ({among}{})", names.join(", "))
        };
        self.0.iter().map(line).collect()
    }
}

/// What would put the object back, and what of it is left as it is, with why.
pub fn inverse(of: &Writes, now: &Current<'_>) -> (Inverse, Vec<String>) {
    let mut left = Vec::new();
    let what = if now.kind == Kind::User { "account" } else { "team" };
    let Some(is) = now.applied.accepted().filter(|_| !of.deleted && !now.another) else {
        left.push(match (of.deleted, now.another) {
            (true, _) => format!("a deleted {what} cannot be made again: a new one would have another id"),
            (_, true) => format!("it has another {what} since then"),
            _ => format!("it has no {what} any more"),
        });
        return (Inverse::default(), left);
    };
    let active = matches!(now.applied, Applied::Active(_));
    let mut inverse = Inverse::default();
    if of.erased {
        left.push("its values were erased from the journal".to_owned());
    }
    match of.active {
        // What was made is made inactive, whatever else the cycle did to it; nothing is deleted (P16).
        _ if of.made && is.origin != Origin::Adopted => inverse.active = active.then_some(false),
        Some((was, became)) if was != became && became == active => inverse.active = Some(was),
        Some((was, became)) if was != became => {
            left.push("it was activated or deactivated again since then".to_owned());
        }
        _ => {}
    }
    if of.made && is.origin != Origin::Adopted {
        if !active {
            left.push("it is not active any more".to_owned());
        }
        return (inverse, left);
    }
    let writable = active || inverse.active == Some(true);
    if !of.values.is_empty() && !writable {
        left.push("it is not active, so no values are written to it".to_owned());
    } else {
        values(of, now, is, &mut inverse, &mut left);
        references(of, now, &mut inverse, &mut left);
    }
    (inverse, left)
}

fn values(of: &Writes, now: &Current<'_>, is: &Accepted, inverse: &mut Inverse, left: &mut Vec<String>) {
    for (path, (old, new)) in &of.values {
        let hidden = |value: &Option<Value>| value.as_ref().is_some_and(|value| value == REDACTED);
        if now.mapping.redacts(path) || hidden(old) || hidden(new) {
            left.push(format!("the journal keeps no value of {path}, which is redacted"));
        } else if now.mapping.only_adds(path) {
            left.push(format!("{path} is only added to, and never taken from"));
        } else if !equal(path, is.sent.get(path), new.as_ref()) {
            left.push(format!("{path} was written again since then"));
        } else if !equal(path, old.as_ref(), new.as_ref()) {
            inverse.values.0.insert(path.clone(), old.clone().unwrap_or(Value::Null));
        }
    }
}

fn references(of: &Writes, now: &Current<'_>, inverse: &mut Inverse, left: &mut Vec<String>) {
    for (path, (old, new)) in &of.references {
        let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
        let (old, new) = (text(old), text(new));
        if now.refers.get(path).cloned().flatten() != new {
            left.push(format!("{path} was written again since then"));
        } else if old != new {
            inverse.references.insert(path.clone(), old);
        }
    }
}

fn equal(path: &str, a: Option<&Value>, b: Option<&Value>) -> bool {
    let some = |value: Option<&'_ Value>| value.filter(|value| !value.is_null()).cloned();
    match (some(a), some(b)) {
        (Some(a), Some(b)) => same(path, &a, &b),
        (a, b) => a == b,
    }
}

/// What one cycle did to one membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberWrites {
    /// The first write added.
    first: bool,
    last: bool,
}

impl MemberWrites {
    pub fn new(adds: bool) -> MemberWrites {
        MemberWrites { first: adds, last: adds }
    }

    pub fn add(&mut self, adds: bool) {
        self.last = adds;
    }
}

/// What is known of a membership now.
#[derive(Clone, Copy, Debug)]
pub struct Membership {
    pub applied: bool,
    /// Team and person are in the target.
    pub there: bool,
    /// The person is active, or will be.
    pub active: bool,
}

/// Whether the person is to be a member again, or not; `Ok(None)`: it is as it was.
pub fn member_inverse(of: MemberWrites, now: Membership) -> Result<Option<bool>, &'static str> {
    match of {
        _ if !now.there => Err("the team or the person of a membership is not in the target any more"),
        MemberWrites { last, .. } if last != now.applied => {
            Err("the membership was changed again since then")
        }
        MemberWrites { first: true, last: true } => Ok(Some(false)),
        MemberWrites { first: false, last: false } if now.active => Ok(Some(true)),
        MemberWrites { first: false, last: false } => {
            Err("whoever is not active is in no team, and its memberships were taken with that")
        }
        _ => Ok(None),
    }
}
