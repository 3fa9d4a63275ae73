//! In which order the operations of a bulk request are carried out.

use std::collections::BTreeMap;

use super::Method;
use super::Operation;

/// As they were sent, but whoever refers to what a POST makes comes after it. Where that turns in a circle, the
/// circle is entered where it was sent first.
pub(super) fn order(operations: &[Operation]) -> Vec<usize> {
    let makers = makers(operations);
    let needs: Vec<Vec<usize>> = operations
        .iter()
        .map(|operation| {
            operation.bulk_ids().iter().filter_map(|id| makers.get(id.as_str()).copied()).collect()
        })
        .collect();
    let mut seen = vec![false; operations.len()];
    let mut order = Vec::with_capacity(operations.len());
    for first in 0..operations.len() {
        visit(first, &needs, &mut seen, &mut order);
    }
    order
}

/// Which operation makes what a bulkId stands for.
fn makers(operations: &[Operation]) -> BTreeMap<&str, usize> {
    let posts = operations.iter().enumerate().filter(|(_, operation)| operation.method == Method::Post);
    posts.filter_map(|(at, operation)| Some((operation.bulk_id.as_deref()?, at))).collect()
}

/// Depth first, with a stack of its own: a chain of references may be as long as the request.
fn visit(first: usize, needs: &[Vec<usize>], seen: &mut [bool], order: &mut Vec<usize>) {
    // Each with how many of its needs were looked at.
    let mut open = vec![(first, 0)];
    if std::mem::replace(&mut seen[first], true) {
        return;
    }
    while let Some((at, looked)) = open.pop() {
        match needs[at].get(looked) {
            Some(need) => {
                open.push((at, looked + 1));
                if !std::mem::replace(&mut seen[*need], true) {
                    open.push((*need, 0));
                }
            }
            None => order.push(at),
        }
    }
}
