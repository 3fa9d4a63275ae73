//! The roles that people have of the application: their own, and those of the assigned groups they are in.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::ContainerGraph;
use super::EdgeState;
use super::Selection;
use super::mapping::APP_ROLES;
use crate::model::Container;
use crate::model::LinkId;
use crate::model::Seen;

/// What an assignment gives, by whom it is of. A role is a JSON text, as the source wrote it into the edge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppRoles {
    app: Option<LinkId>,
    groups: BTreeMap<LinkId, BTreeSet<String>>,
}

impl AppRoles {
    /// Of the application whose assigned people are in scope; of another one nobody has roles.
    pub fn new(users: &Selection, graph: &ContainerGraph) -> AppRoles {
        let is_app = |container: &Container| matches!(container, Container::App(id) if Some(id) == users.assigned_to.as_ref());
        let app = graph.nodes.values().find(|node| is_app(&node.container)).map(|node| node.link);
        let mut roles = AppRoles { app, groups: BTreeMap::new() };
        let Some(app) = app else { return roles };
        for group in present(app, graph) {
            let Some(detail) = graph.details.get(&(app, group)) else { continue };
            roles.give(group, &listed(detail), users.nested, graph);
        }
        roles
    }

    /// A group passes its roles on to its groups where members of members count.
    fn give(&mut self, group: LinkId, roles: &[String], nested: bool, graph: &ContainerGraph) {
        let mut open = vec![group];
        let mut visited = BTreeSet::new();
        while let Some(group) = open.pop() {
            if visited.insert(group) {
                self.groups.entry(group).or_default().extend(roles.iter().cloned());
                if nested {
                    open.extend(present(group, graph));
                }
            }
        }
    }

    /// Puts the roles of a person among the attributes that the source shows; `details` is what it says of the
    /// person's own edges. The same role by two ways is one.
    pub fn show(&self, seen: &mut Seen, edges: &[(LinkId, EdgeState)], details: &BTreeMap<LinkId, String>) {
        let mut roles = BTreeSet::new();
        for (container, _) in edges.iter().filter(|(_, state)| *state == EdgeState::Present) {
            if Some(*container) == self.app {
                roles.extend(details.get(container).map(|detail| listed(detail)).unwrap_or_default());
            }
            roles.extend(self.groups.get(container).into_iter().flatten().cloned());
        }
        if !roles.is_empty() {
            seen.attributes.insert(APP_ROLES.to_owned(), roles.into_iter().collect::<Json>());
        }
    }
}

fn present(container: LinkId, graph: &ContainerGraph) -> impl Iterator<Item = LinkId> {
    let below = graph.below.get(&container).into_iter().flatten();
    below.filter(|(_, state)| *state == EdgeState::Present).map(|(link, _)| *link)
}

/// A detail that is no list of roles (ids alone, or another source's words) names none.
fn listed(detail: &str) -> Vec<String> {
    let roles: Vec<Json> = serde_json::from_str(detail).unwrap_or_default();
    roles.iter().map(Json::to_string).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::SourceId;
    use crate::model::Standing;
    use crate::plan::Node;
    use crate::plan::Proof;

    const APP: LinkId = LinkId(1);
    const SALES: LinkId = LinkId(2);
    const SHOP: LinkId = LinkId(3);

    /// The application gives Sales the role `seller`; Shop is in Sales.
    fn graph() -> ContainerGraph {
        let mut graph = ContainerGraph::default();
        let id = |text: &str| SourceId(text.to_owned());
        let containers = [
            (APP, Container::App(id("app"))),
            (SALES, Container::Group(id("s"))),
            (SHOP, Container::Group(id("p"))),
        ];
        for (link, container) in containers {
            let (name, description) = (String::new(), String::new());
            graph
                .nodes
                .insert(link, Node { link, container, name, description, standing: Standing::Enabled });
        }
        graph.below.insert(APP, vec![(SALES, EdgeState::Present)]);
        graph.below.insert(SALES, vec![(SHOP, EdgeState::Present)]);
        graph.details.insert((APP, SALES), r#"[{"value":"seller"}]"#.to_owned());
        graph
    }

    /// States which roles somebody with these edges has.
    #[track_caller]
    fn check(nested: bool, edges: &[(LinkId, EdgeState)], own: &str, expected: Json) {
        let users =
            Selection { assigned_to: Some(SourceId("app".to_owned())), nested, ..Selection::default() };
        let mut seen = Seen { standing: Standing::Enabled, attributes: BTreeMap::new() };
        let details = BTreeMap::from([(APP, own.to_owned())]);
        AppRoles::new(&users, &graph()).show(&mut seen, edges, &details);
        let shown: Vec<String> = match seen.attributes.get(APP_ROLES) {
            Some(shown) => serde_json::from_value(shown.clone()).expect("a list of texts"),
            None => Vec::new(),
        };
        let shown: Vec<Json> = shown.iter().map(|role| serde_json::from_str(role).expect("a role")).collect();
        assert_eq!(Json::from(shown), expected);
    }

    #[test]
    fn people_have_their_own_roles_and_those_of_their_assigned_groups() {
        let there = EdgeState::Present;
        let admin = r#"[{"value":"admin"}]"#;
        check(false, &[(APP, there)], admin, json!([{"value": "admin"}]));
        check(
            false,
            &[(APP, there), (SALES, there)],
            admin,
            json!([{"value": "admin"}, {"value": "seller"}]),
        );
        check(false, &[(SALES, there)], "", json!([{"value": "seller"}]));
        check(false, &[(SHOP, there)], "", json!([]));
        check(true, &[(SHOP, there)], "", json!([{"value": "seller"}]));
        check(false, &[(SALES, EdgeState::Gone(Proof::Event))], "", json!([]));
        check(false, &[(APP, there)], "r1,r2", json!([]));
    }
}
