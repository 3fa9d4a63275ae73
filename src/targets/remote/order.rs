//! Which operations may run beside each other, and which must wait. Pure.

use std::collections::BTreeMap;

use super::Operation;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// Operations that run one after the other, by their place in the list.
pub(super) type Chain = Vec<usize>;

/// Cuts a list of operations into phases; the chains of a phase may run beside each other, a phase waits for
/// the one before it. The order of the list is kept wherever it matters:
///
/// - operations on the same resource are one chain;
/// - changes of unique values are one chain and a phase of their own, because what releases a value comes
///   before what takes it, on whichever resource;
/// - deletions wait for what stands before them (SCIM reference, O12).
pub(super) fn phases(operations: &[Operation]) -> Vec<Vec<Chain>> {
    let mut phases = Vec::new();
    let mut at = 0;
    while at < operations.len() {
        let sort = Sort::of(&operations[at]);
        let length = operations[at..].iter().take_while(|operation| Sort::of(operation) == sort).count();
        let run = at..at + length;
        phases.push(match sort {
            Sort::Rename => vec![run.clone().collect()],
            Sort::Change | Sort::Delete => chains(operations, run.clone()),
        });
        at = run.end;
    }
    phases
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Rename,
    Change,
    Delete,
}

impl Sort {
    fn of(operation: &Operation) -> Sort {
        match operation {
            Operation::Delete { .. } => Sort::Delete,
            Operation::Patch { kind, set, .. } if set.iter().any(|(path, _)| is_unique(*kind, path)) => {
                Sort::Rename
            }
            _ => Sort::Change,
        }
    }
}

/// Values that a service may refuse to give twice: userName by the RFC, e-mails and team names by custom.
fn is_unique(kind: Kind, path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    match kind {
        Kind::User => path == "username" || path.starts_with("emails"),
        Kind::Group => path == "displayname",
    }
}

fn chains(operations: &[Operation], run: std::ops::Range<usize>) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    let mut of: BTreeMap<(Kind, &ResourceId), usize> = BTreeMap::new();
    for at in run {
        match resource(&operations[at]).map(|key| *of.entry(key).or_insert(chains.len())) {
            Some(chain) if chain < chains.len() => chains[chain].push(at),
            _ => chains.push(vec![at]),
        }
    }
    chains
}

/// The resource that an operation changes; a new one is nobody's yet.
fn resource(operation: &Operation) -> Option<(Kind, &ResourceId)> {
    match operation {
        Operation::Create { .. } => None,
        Operation::Patch { kind, id, .. } | Operation::Delete { kind, id } => Some((*kind, id)),
        Operation::Members { team, .. } => Some((Kind::Group, team)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::Attributes;

    fn id(text: &str) -> ResourceId {
        ResourceId(text.to_owned())
    }

    fn create() -> Operation {
        Operation::Create { kind: Kind::User, attributes: Attributes::default() }
    }

    fn patch(kind: Kind, of: &str, path: &str) -> Operation {
        let set = vec![(path.to_owned(), json!("x"))];
        Operation::Patch { kind, id: id(of), set, add: Vec::new() }
    }

    fn delete(of: &str) -> Operation {
        Operation::Delete { kind: Kind::User, id: id(of) }
    }

    fn members(of: &str) -> Operation {
        Operation::Members { team: id(of), add: vec![], remove: vec![] }
    }

    #[test]
    fn what_touches_one_resource_is_one_chain() {
        let operations = [
            patch(Kind::User, "1", "title"),
            create(),
            patch(Kind::User, "2", "title"),
            patch(Kind::User, "1", "active"),
            patch(Kind::Group, "1", "externalId"),
            members("1"),
            create(),
        ];
        assert_eq!(phases(&operations), [vec![vec![0, 3], vec![1], vec![2], vec![4, 5], vec![6]]]);
    }

    #[test]
    fn a_swap_of_names_stays_in_order_and_what_takes_a_name_waits() {
        let operations = [
            patch(Kind::User, "1", "userName"),
            patch(Kind::User, "2", "emails[type eq \"work\"].value"),
            patch(Kind::Group, "3", "displayName"),
            create(),
            patch(Kind::User, "1", "displayName"),
        ];
        assert_eq!(phases(&operations), [vec![vec![0, 1, 2]], vec![vec![3], vec![4]]]);
    }

    #[test]
    fn deletions_wait() {
        let operations = [members("t"), delete("1"), delete("2"), create()];
        assert_eq!(phases(&operations), [vec![vec![0]], vec![vec![1], vec![2]], vec![vec![3]]]);
        assert!(phases(&[]).is_empty());
    }
}
