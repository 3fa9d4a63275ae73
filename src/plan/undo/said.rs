//! What `undo` cannot bring back, said of a plan before it is carried out.

use std::collections::BTreeMap;

use crate::plan::Class;
use crate::plan::Tally;
use crate::scim::Kind;
use crate::scim::profiles::ActiveSemantics;
use crate::scim::profiles::Demands;

/// One sentence for each class of the plan that cannot be undone in this target.
pub fn irrevocable(counts: &BTreeMap<Class, BTreeMap<Kind, Tally>>, demands: &Demands) -> Vec<String> {
    let of = |class: Class| -> u64 {
        counts.get(&class).map_or(0, |kinds| kinds.values().map(Tally::total).sum())
    };
    let identity = demands.active_semantics == ActiveSemantics::DeleteIdentity;
    let told = [
        (Class::Delete, true, "a new account would have another id"),
        (Class::DeleteTeams, true, "a new team would have another id"),
        (Class::Deactivate, identity, "this target deletes the identity of whoever is not active"),
    ];
    let told = told.into_iter().filter(|(class, applies, _)| *applies && of(*class) > 0);
    let line = |(class, _, why): (Class, bool, &str)| {
        format!("cannot be undone: {} {}: {why}", of(class), class.word())
    };
    told.map(line).collect()
}
