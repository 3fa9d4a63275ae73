//! Who is in scope: reachability over seen edges, and what was lost by those who are not any more.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Proof;
use super::Selection;
use crate::model::Container;
use crate::model::GroupPick;
use crate::model::LinkId;
use crate::model::List;
use crate::model::SourceId;
use crate::model::Standing;
use crate::model::Vocabulary;
use crate::model::WitnessQuestion;
use crate::scim::Kind;

/// How an edge stands: there, or gone, and how we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeState {
    Present,
    Gone(Proof),
}

/// One group or application as scope needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub link: LinkId,
    pub container: Container,
    /// The display name; of a list, what a person calls it.
    pub name: String,
    pub description: String,
    pub standing: Standing,
}

/// The edges between containers: application to group, group to group.
#[derive(Clone, Debug, Default)]
pub struct ContainerGraph {
    pub nodes: BTreeMap<LinkId, Node>,
    /// By container.
    pub below: BTreeMap<LinkId, Vec<(LinkId, EdgeState)>>,
    /// What the source says of an edge between a container and a group, where it says something.
    pub details: BTreeMap<(LinkId, LinkId), String>,
}

/// Why the direct members of a container are, or were, in scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub source: SourceId,
    pub name: String,
    pub container: Container,
    /// For a container that lost its grant: how we know, and what to ask.
    pub lost: Option<(Proof, WitnessQuestion)>,
}

/// The containers whose direct members a selection takes, and those that it took as far as the edges that are
/// gone remember.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    pub all: bool,
    pub now: BTreeMap<LinkId, Grant>,
    pub before: BTreeMap<LinkId, Grant>,
    /// What the selection names itself; a root that is gone carries the question that a witness would be asked.
    roots: Roots,
}

/// Whether one principal is in scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeFact {
    /// Through these containers; empty where everybody is in scope.
    In(Vec<Grant>),
    /// Lost through these; empty where no edge explains it (the settings do, or it never was in scope).
    Out(Vec<Loss>),
}

/// One way by which somebody was in scope and is not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    pub subject: SourceId,
    pub name: String,
    /// The subject itself lost its grant; otherwise the principal left it.
    pub whole: bool,
    pub proof: Proof,
    pub question: WitnessQuestion,
}

impl Reach {
    /// Walks down from the roots of the selection. Cycles of groups end, because a container is visited once.
    ///
    /// Whether an assigned group gives its members the application is the source's to say: Graph lists the group
    /// and means its direct members; Okta lists every person, and a member without a row has no access (Okta
    /// reference, sections 3.3 and 3.6).
    pub fn new(selection: &Selection, vocabulary: Vocabulary, graph: &ContainerGraph) -> Reach {
        let mut reach = Reach { all: selection.all, ..Reach::default() };
        let members = vocabulary != Vocabulary::Okta;
        let roots = roots(selection, graph);
        for (link, (state, question)) in &roots {
            if !members && Reach::is_only_assigned(*link, selection, graph) {
                continue;
            }
            if *state == EdgeState::Present {
                reach.walk_now(*link, selection.nested, graph);
            } else if let (EdgeState::Gone(proof), Some(question)) = (state, question) {
                reach.walk_before(*link, selection.nested, graph, *proof, question);
            }
        }
        if selection.nested {
            // A group that left its parent was in scope through it.
            for (parent, (state, _)) in &roots {
                let walked = members || !Reach::is_only_assigned(*parent, selection, graph);
                if walked && *state == EdgeState::Present && graph.is_group(*parent) {
                    reach.walk_lost_children(*parent, graph);
                }
            }
        }
        let now: BTreeSet<LinkId> = reach.now.keys().copied().collect();
        reach.before.retain(|link, _| !now.contains(link));
        reach.roots = roots;
        reach
    }

    /// A group that is a root because it is assigned, and is not chosen by itself.
    fn is_only_assigned(link: LinkId, selection: &Selection, graph: &ContainerGraph) -> bool {
        let node = graph.nodes.get(&link);
        node.is_some_and(|node| {
            matches!(node.container, Container::Group(_)) && !picked(&selection.groups, node)
        })
    }

    /// The groups assigned to an application are roots of their own, so nothing is walked down from it.
    fn walk_now(&mut self, root: LinkId, nested: bool, graph: &ContainerGraph) {
        let mut open = vec![root];
        while let Some(link) = open.pop() {
            let Some(node) = graph.nodes.get(&link) else { continue };
            if self.now.contains_key(&link) {
                continue;
            }
            self.now.insert(link, grant(node, None));
            if nested && matches!(node.container, Container::Group(_)) {
                open.extend(
                    graph.children(link).filter(|(_, state)| *state == EdgeState::Present).map(|(id, _)| id),
                );
            }
        }
    }

    fn walk_before(
        &mut self,
        root: LinkId,
        nested: bool,
        graph: &ContainerGraph,
        proof: Proof,
        question: &WitnessQuestion,
    ) {
        let mut open = vec![root];
        while let Some(link) = open.pop() {
            let Some(node) = graph.nodes.get(&link) else { continue };
            if self.before.contains_key(&link) {
                continue;
            }
            self.before.insert(link, grant(node, Some((proof, question.clone()))));
            if nested {
                open.extend(graph.children(link).map(|(id, _)| id));
            }
        }
    }

    fn walk_lost_children(&mut self, root: LinkId, graph: &ContainerGraph) {
        let mut open = vec![root];
        let mut visited = BTreeSet::new();
        while let Some(link) = open.pop() {
            let Some(node) = graph.nodes.get(&link) else { continue };
            if !visited.insert(link) {
                continue;
            }
            for (child, state) in graph.children(link) {
                match (state, graph.nodes.get(&child)) {
                    (EdgeState::Present, _) => open.push(child),
                    (EdgeState::Gone(proof), Some(below)) => {
                        let question = held(&node.container, below);
                        self.walk_before(child, true, graph, proof, &question);
                    }
                    (EdgeState::Gone(_), None) => {}
                }
            }
        }
    }

    /// Whether a principal with these edges (container, state) is in scope, and what it lost if not.
    pub fn fact(&self, principal: &SourceId, kind: Kind, edges: &[(LinkId, EdgeState)]) -> ScopeFact {
        let mut through = Vec::new();
        let mut lost = Vec::new();
        for (container, state) in edges {
            match (self.now.get(container), self.before.get(container), state) {
                (Some(grant), _, EdgeState::Present) => through.push(grant.clone()),
                (Some(grant), _, EdgeState::Gone(proof)) => lost.push(left(grant, principal, kind, *proof)),
                (None, Some(grant), _) => lost.extend(whole(grant)),
                (None, None, _) => {}
            }
        }
        if self.all || !through.is_empty() {
            through.sort_by(|a, b| a.source.cmp(&b.source));
            return ScopeFact::In(through);
        }
        lost.sort_by(|a, b| a.subject.cmp(&b.subject));
        ScopeFact::Out(lost)
    }

    /// Whether a group itself is chosen: teams are the groups that the selection names, not their members.
    pub fn fact_of_group(&self, node: &Node) -> ScopeFact {
        if self.all {
            return ScopeFact::In(Vec::new());
        }
        match self.roots.get(&node.link) {
            Some((EdgeState::Present, _)) => ScopeFact::In(vec![grant(node, None)]),
            Some((EdgeState::Gone(proof), Some(question))) => {
                ScopeFact::Out(whole(&grant(node, Some((*proof, question.clone())))).into_iter().collect())
            }
            Some((EdgeState::Gone(_), None)) | None => ScopeFact::Out(Vec::new()),
        }
    }
}

impl ContainerGraph {
    fn children(&self, link: LinkId) -> impl Iterator<Item = (LinkId, EdgeState)> {
        self.below.get(&link).into_iter().flatten().copied()
    }

    fn is_group(&self, link: LinkId) -> bool {
        self.nodes.get(&link).is_some_and(|node| matches!(node.container, Container::Group(_)))
    }

    fn list(&self, id: &SourceId) -> Option<&Node> {
        self.nodes.values().find(|node| matches!(&node.container, Container::App(list) if list == id))
    }
}

type Roots = BTreeMap<LinkId, (EdgeState, Option<WitnessQuestion>)>;

/// The containers that the selection names itself: the application and other lists, the groups on them, chosen
/// groups. A group that one of them still names is there.
fn roots(selection: &Selection, graph: &ContainerGraph) -> Roots {
    let mut roots = Roots::new();
    for list in selection.all_lists().filter_map(|id| graph.list(id)) {
        roots.insert(list.link, (EdgeState::Present, None));
        for (link, state) in graph.children(list.link) {
            let Some(node) = graph.nodes.get(&link) else { continue };
            let known = roots.get(&link).is_some_and(|(known, _)| *known == EdgeState::Present);
            if !known {
                roots.insert(link, (worse(state, node.standing), Some(question_of(list, node, state))));
            }
        }
    }
    for node in graph.nodes.values().filter(|node| picked(&selection.groups, node)) {
        let state = worse(EdgeState::Present, node.standing);
        let known = roots.get(&node.link).is_some_and(|(known, _)| *known == EdgeState::Present);
        if !known {
            roots.insert(node.link, (state, Some(exists(node))));
        }
    }
    roots
}

fn picked(picks: &[GroupPick], node: &Node) -> bool {
    let Container::Group(id) = &node.container else { return false };
    picks.iter().any(|pick| pick.takes(id, &node.name, &node.description))
}

/// A group that is gone grants nothing, whatever its edges say.
fn worse(state: EdgeState, standing: Standing) -> EdgeState {
    match (state, standing) {
        (EdgeState::Present, Standing::SoftDeleted | Standing::Gone) => EdgeState::Gone(Proof::Event),
        (EdgeState::Present, Standing::Missing) => EdgeState::Gone(Proof::Absence),
        (state, _) => state,
    }
}

fn question_of(list: &Node, node: &Node, state: EdgeState) -> WitnessQuestion {
    if state == EdgeState::Present { exists(node) } else { held(&list.container, node) }
}

fn held(container: &Container, node: &Node) -> WitnessQuestion {
    WitnessQuestion::Held {
        container: container.clone(),
        principal: node.container.id().clone(),
        kind: Kind::Group,
    }
}

fn exists(node: &Node) -> WitnessQuestion {
    WitnessQuestion::Exists { id: node.container.id().clone(), kind: Kind::Group }
}

fn grant(node: &Node, lost: Option<(Proof, WitnessQuestion)>) -> Grant {
    let source = node.container.id().clone();
    let name = match &node.container {
        Container::App(list) => List::of(list).name(),
        Container::Group(_) => format!("group {}", node.name),
    };
    Grant { source, name, container: node.container.clone(), lost }
}

fn left(grant: &Grant, principal: &SourceId, kind: Kind, proof: Proof) -> Loss {
    let question =
        WitnessQuestion::Held { container: grant.container.clone(), principal: principal.clone(), kind };
    Loss { subject: grant.source.clone(), name: grant.name.clone(), whole: false, proof, question }
}

fn whole(grant: &Grant) -> Option<Loss> {
    let (proof, question) = grant.lost.clone()?;
    Some(Loss { subject: grant.source.clone(), name: grant.name.clone(), whole: true, proof, question })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes `app`, and groups by name; edges `app>sales`, `sales>support`, with `!` for one that an event
    /// removed and `?` for one that a complete read did not show.
    fn graph(groups: &str, edges: &str) -> ContainerGraph {
        let mut graph = ContainerGraph::default();
        let app = Container::App(SourceId("app".to_owned()));
        let node = |link, container, name: &str| Node {
            link: LinkId(link),
            container,
            name: name.to_owned(),
            description: String::new(),
            standing: Standing::Enabled,
        };
        graph.nodes.insert(LinkId(0), node(0, app, ""));
        for (link, name) in (1..).zip(groups.split_whitespace()) {
            let container = Container::Group(SourceId(name.to_owned()));
            graph.nodes.insert(LinkId(link), node(link, container, name));
        }
        for edge in edges.split_whitespace() {
            let (above, below) = edge.split_once('>').expect("an edge");
            let (below, state) = match below.strip_suffix(['!', '?']) {
                Some(name) if below.ends_with('!') => (name, EdgeState::Gone(Proof::Event)),
                Some(name) => (name, EdgeState::Gone(Proof::Absence)),
                None => (below, EdgeState::Present),
            };
            let link = link(&graph, below);
            graph.below.entry(self::link(&graph, above)).or_default().push((link, state));
        }
        graph
    }

    fn link(graph: &ContainerGraph, name: &str) -> LinkId {
        let named = graph.nodes.values().find(|node| node.container.id().0 == name);
        named.expect("a node of this name").link
    }

    fn selection(clauses: &str) -> Selection {
        let mut selection = Selection::default();
        for clause in clauses.split_whitespace() {
            match clause {
                "app" => selection.assigned_to = Some(SourceId("app".to_owned())),
                "nested" => selection.nested = true,
                name => selection.groups.push(GroupPick::Name(name.to_owned())),
            }
        }
        selection
    }

    /// The containers that grant, then those that did.
    #[track_caller]
    fn check(clauses: &str, vocabulary: Vocabulary, groups: &str, edges: &str, now: &str, before: &str) {
        let graph = graph(groups, edges);
        let reach = Reach::new(&selection(clauses), vocabulary, &graph);
        let names = |grants: &BTreeMap<LinkId, Grant>| {
            grants.values().map(|grant| grant.source.0.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!((names(&reach.now).as_str(), names(&reach.before).as_str()), (now, before));
    }

    #[test]
    fn an_assigned_group_gives_its_direct_members_the_application() {
        check("app", Vocabulary::Graph, "sales support", "app>sales sales>support", "app sales", "");
        check(
            "app nested",
            Vocabulary::Graph,
            "sales support",
            "app>sales sales>support",
            "app sales support",
            "",
        );
    }

    #[test]
    fn in_okta_only_a_row_of_the_application_assigns() {
        check("app", Vocabulary::Okta, "sales", "app>sales", "app", "");
        check("app sales", Vocabulary::Okta, "sales", "app>sales", "app sales", "");
        check("app", Vocabulary::Okta, "sales", "app>sales?", "app", "");
    }

    #[test]
    fn what_lost_its_assignment_is_remembered_with_what_was_below_it() {
        check("app", Vocabulary::Graph, "sales support", "app>sales? sales>support", "app", "sales");
        check(
            "app nested",
            Vocabulary::Graph,
            "sales support",
            "app>sales! sales>support",
            "app",
            "sales support",
        );
        check("top nested", Vocabulary::Graph, "top low", "top>low!", "top", "low");
    }

    #[test]
    fn circles_end() {
        check("a nested", Vocabulary::Graph, "a b c", "a>b b>c c>a", "a b c", "");
    }

    #[test]
    fn who_left_one_of_two_containers_stays_and_who_left_both_lost_both() {
        let graph = graph("sales support", "");
        let reach = Reach::new(&selection("sales support"), Vocabulary::Graph, &graph);
        let ann = SourceId("u1".to_owned());
        let edges = |first, second| [(link(&graph, "sales"), first), (link(&graph, "support"), second)];
        let gone = EdgeState::Gone(Proof::Event);
        assert!(matches!(reach.fact(&ann, Kind::User, &edges(gone, EdgeState::Present)), ScopeFact::In(_)));
        let ScopeFact::Out(lost) = reach.fact(&ann, Kind::User, &edges(gone, gone)) else {
            panic!("nothing is left")
        };
        assert_eq!(lost.iter().map(|loss| loss.subject.0.as_str()).collect::<Vec<_>>(), ["sales", "support"]);
    }
}
