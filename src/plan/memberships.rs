//! Who is in the groups that `IsMemberOf` names: reachability over seen edges, as for the scope itself.

use std::collections::BTreeMap;

use super::ContainerGraph;
use super::EdgeState;
use super::Reach;
use super::ScopeFact;
use super::Selection;
use crate::model::GroupPick;
use crate::model::LinkId;
use crate::model::SourceId;
use crate::model::Vocabulary;
use crate::scim::Kind;

/// Whether one object is in a group, through others too; where it left, how we know and what a witness is asked.
#[derive(Clone, Debug)]
pub struct Membership<'a> {
    pub pick: &'a GroupPick,
    pub fact: ScopeFact,
}

/// The groups that the filters of one selection look at, each with the containers that make their members its own.
pub struct Memberships<'a> {
    of: Vec<(&'a GroupPick, Reach)>,
}

impl<'a> Memberships<'a> {
    pub fn new(selection: &'a Selection, vocabulary: Vocabulary, graph: &ContainerGraph) -> Memberships<'a> {
        let mut of: Vec<(&GroupPick, Reach)> = Vec::new();
        for pick in selection.groups_looked_at() {
            if !of.iter().any(|(known, _)| *known == pick) {
                let chosen = Selection { groups: vec![pick.clone()], nested: true, ..Selection::default() };
                of.push((pick, Reach::new(&chosen, vocabulary, graph)));
            }
        }
        Memberships { of }
    }

    /// Of a principal with these edges (container, state).
    pub fn of(&self, principal: &SourceId, kind: Kind, edges: &[(LinkId, EdgeState)]) -> Vec<Membership<'a>> {
        let fact = |reach: &Reach| reach.fact(principal, kind, edges);
        self.of.iter().map(|(pick, reach)| Membership { pick, fact: fact(reach) }).collect()
    }
}

/// What every container gives its direct members, as one number: that they are in scope, and which groups they are
/// in by it. Where the number changes, they are decided again.
pub fn grants(scope: &Reach, memberships: &[&Memberships<'_>]) -> BTreeMap<LinkId, i64> {
    let mut grants: BTreeMap<LinkId, i64> = scope.now.keys().map(|container| (*container, 1)).collect();
    for (pick, reach) in memberships.iter().flat_map(|memberships| &memberships.of) {
        let mark = mark(pick);
        for container in reach.now.keys() {
            let grant = grants.entry(*container).or_default();
            *grant = grant.wrapping_add(mark);
        }
    }
    grants
}

/// Even, so that it never looks like the scope's own.
fn mark(pick: &GroupPick) -> i64 {
    let hash = blake3::hash(pick.to_string().as_bytes());
    let (beginning, _) = hash.as_bytes().split_at(8);
    beginning.iter().fold(0_i64, |mark, byte| mark << 8 | i64::from(*byte)) << 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::Container;
    use crate::model::Standing;
    use crate::plan::Node;
    use crate::plan::RawClause;
    use crate::plan::RawFilters;

    /// Groups g1, g2, g3; g3 is in g2, g2 in g1.
    fn graph() -> ContainerGraph {
        let mut graph = ContainerGraph::default();
        for number in 1..=3 {
            let container = Container::Group(SourceId(format!("g{number}")));
            let node = Node {
                link: LinkId(number),
                container,
                name: format!("Group {number}"),
                description: String::new(),
                standing: Standing::Enabled,
            };
            graph.nodes.insert(LinkId(number), node);
        }
        graph.below.insert(LinkId(1), vec![(LinkId(2), EdgeState::Present)]);
        graph.below.insert(LinkId(2), vec![(LinkId(3), EdgeState::Present)]);
        graph
    }

    fn selection(groups: &[&str]) -> Selection {
        let clause = |group: &&str| RawClause {
            op: Some("IsMemberOf".to_owned()),
            value: Some((*group).into()),
            ..RawClause::default()
        };
        let raw = RawFilters(groups.iter().map(|group| vec![clause(group)]).collect());
        let filters = raw.check(Kind::User, Vocabulary::File).expect("sound");
        Selection { filters, ..Selection::default() }
    }

    #[test]
    fn who_is_in_a_group_below_is_in_the_group_above() {
        let (graph, selection) = (graph(), selection(&["name:group 1", "id:g3", "name:Group 9"]));
        let memberships = Memberships::new(&selection, Vocabulary::File, &graph);
        let told = |edges: &[(i64, EdgeState)]| {
            let edges: Vec<_> = edges.iter().map(|(group, state)| (LinkId(*group), *state)).collect();
            let of = memberships.of(&SourceId("u1".to_owned()), Kind::User, &edges);
            let word = |fact: &ScopeFact| match fact {
                ScopeFact::In(_) => "in".to_owned(),
                ScopeFact::Out(lost) => format!("out {}", lost.len()),
            };
            of.iter().map(|membership| word(&membership.fact)).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(told(&[(3, EdgeState::Present)]), "in, in, out 0");
        assert_eq!(told(&[(2, EdgeState::Present)]), "in, out 0, out 0");
        assert_eq!(told(&[(3, EdgeState::Gone(super::super::Proof::Absence))]), "out 1, out 1, out 0");
        assert_eq!(told(&[]), "out 0, out 0, out 0");
    }

    #[test]
    fn what_a_container_gives_is_another_number_for_other_groups() {
        let graph = graph();
        let (one, other) = (selection(&["name:Group 1"]), selection(&["id:g2"]));
        let scope = Reach::default();
        let of = |selection: &Selection| {
            let memberships = Memberships::new(selection, Vocabulary::File, &graph);
            grants(&scope, &[&memberships])
        };
        assert_eq!(of(&one).keys().copied().collect::<Vec<_>>(), [LinkId(1), LinkId(2), LinkId(3)]);
        assert_eq!(of(&other).keys().copied().collect::<Vec<_>>(), [LinkId(2), LinkId(3)]);
        let numbers: BTreeSet<i64> = [of(&one)[&LinkId(2)], of(&other)[&LinkId(2)], 0, 1].into();
        assert_eq!(numbers.len(), 4, "{numbers:?}");
    }
}
