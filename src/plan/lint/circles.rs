//! Groups that contain each other in a circle.

use std::collections::BTreeMap;

use crate::model::LinkId;
use crate::plan::ContainerGraph;
use crate::plan::EdgeState;

/// Each circle once, by the names of its groups, in the order of their links (Tarjan's strongly connected components,
/// without recursion: nesting may be as deep as a directory lets it).
pub fn circles(graph: &ContainerGraph) -> Vec<Vec<String>> {
    let mut walk = Walk::default();
    for node in graph.nodes.keys() {
        walk.from(graph, *node);
    }
    let mut circles: Vec<Vec<LinkId>> = walk.found;
    circles.iter_mut().for_each(|circle| circle.sort());
    circles.sort();
    let name =
        |link: &LinkId| graph.nodes.get(link).map_or_else(|| link.0.to_string(), |node| node.name.clone());
    circles.iter().map(|circle| circle.iter().map(name).collect()).collect()
}

#[derive(Default)]
struct Walk {
    next: usize,
    /// The number of each node that was reached, and the lowest that it reaches.
    numbers: BTreeMap<LinkId, (usize, usize)>,
    open: Vec<LinkId>,
    found: Vec<Vec<LinkId>>,
}

impl Walk {
    fn from(&mut self, graph: &ContainerGraph, root: LinkId) {
        if self.numbers.contains_key(&root) {
            return;
        }
        // A node, and which of its children comes next.
        let mut path = vec![(root, 0)];
        self.enter(root);
        while let Some((node, at)) = path.last_mut() {
            let (node, child) = (*node, below(graph, *node).nth(*at));
            *at += 1;
            match child {
                Some(child) if !self.numbers.contains_key(&child) => {
                    self.enter(child);
                    path.push((child, 0));
                }
                Some(child) => {
                    let number = self.numbers.get(&child).map(|(number, _)| *number);
                    if let Some(number) = number.filter(|_| self.open.contains(&child)) {
                        self.lower(node, number);
                    }
                }
                None => {
                    path.pop();
                    self.leave(graph, node);
                    if let (Some((parent, _)), Some((_, low))) =
                        (path.last(), self.numbers.get(&node).copied())
                    {
                        self.lower(*parent, low);
                    }
                }
            }
        }
    }

    fn enter(&mut self, node: LinkId) {
        self.numbers.insert(node, (self.next, self.next));
        self.next += 1;
        self.open.push(node);
    }

    fn lower(&mut self, node: LinkId, to: usize) {
        if let Some((_, low)) = self.numbers.get_mut(&node) {
            *low = (*low).min(to);
        }
    }

    fn leave(&mut self, graph: &ContainerGraph, node: LinkId) {
        if self.numbers.get(&node).is_none_or(|(number, low)| number != low) {
            return;
        }
        let at = self.open.iter().rposition(|open| *open == node).unwrap_or(self.open.len());
        let component = self.open.split_off(at);
        let itself = below(graph, node).any(|child| child == node);
        if component.len() > 1 || itself {
            self.found.push(component);
        }
    }
}

/// The groups that are in a group now.
fn below(graph: &ContainerGraph, node: LinkId) -> impl Iterator<Item = LinkId> {
    let edges = graph.below.get(&node).map_or(&[][..], Vec::as_slice);
    edges.iter().filter(|(_, state)| *state == EdgeState::Present).map(|(child, _)| *child)
}
