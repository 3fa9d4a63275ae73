//! The read `assignments:<application id>`: everybody and every group assigned to one application, every page.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use super::door::APPLICATION_READ;
use super::door::Graph;
use super::door::segment;
use super::place::Place;
use super::round::Round;
use super::trouble::Link;
use super::trouble::Trouble;
use super::wire::AppRole;
use super::wire::Assignment;
use super::wire::Listing;
use super::wire::Roles;
use crate::client::Request;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::Next;
use crate::model::Page;
use crate::model::Record;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::sources::SourceError;

pub(super) async fn page(
    graph: &Graph,
    app: &SourceId,
    place: &Place,
    round: &mut Round,
) -> Result<Page, Trouble> {
    let (url, link) = match &place.link {
        Some(link) => (graph.given(link)?, Link::Next),
        None => (graph.own(&address(app, graph.settings.page_size))?, Link::Own),
    };
    let listing: Listing<Assignment> = graph
        .ask(Request::get(url), link, APPLICATION_READ)
        .await
        .map_err(|trouble| unassigned(trouble, app))?;
    if graph.settings.roles && place.link.is_none() {
        round.role_names = Some(role_names(graph, app).await?);
    }
    let records = edges(app, listing.value, round);
    let (next, notes) = match listing.next {
        Some(link) => (Next::Page(place.at(link).cursor()), Vec::new()),
        None => end(app, round),
    };
    Ok(Page { records, next, further: Vec::new(), notes })
}

pub(super) fn address(app: &SourceId, page_size: u16) -> String {
    format!("/servicePrincipals(appId='{}')/appRoleAssignedTo?$top={page_size}", segment(&app.0))
}

/// What the roles are called (graph.md section 5.7). A change of it changes the detail of every edge that has the role.
async fn role_names(graph: &Graph, app: &SourceId) -> Result<BTreeMap<String, Value>, Trouble> {
    let address = format!("/servicePrincipals(appId='{}')?$select=id,appRoles", segment(&app.0));
    let asked = Request::get(graph.own(&address)?);
    let heard: Roles = graph.ask(asked, Link::Own, APPLICATION_READ).await?;
    Ok(heard.app_roles.into_iter().map(named).collect())
}

/// An application that is not there is a mistake in the settings, never an empty list.
fn unassigned(trouble: Trouble, app: &SourceId) -> Trouble {
    match trouble {
        Trouble::Missing { .. } => Trouble::Source(SourceError::Refused {
            what: format!("the tenant has no enterprise application with the application id {app}"),
            cure: "copy its Application ID (not its Object ID) from Enterprise applications".to_owned(),
        }),
        other => other,
    }
}

fn end(app: &SourceId, round: &Round) -> (Next, Vec<String>) {
    let coverage = if round.left_out > 0 { Coverage::Partial } else { Coverage::Full };
    let mut notes = Vec::new();
    if round.left_out > 0 {
        notes.push(format!(
            "{} assignments of application {app} name nobody and were left out",
            round.left_out
        ));
    }
    if round.other_kinds > 0 {
        notes.push(format!(
            "assignments of service principals to application {app} do not count: {}",
            round.other_kinds
        ));
    }
    (Next::End { covered: vec![(Collection::Assignments(app.clone()), coverage)], watermark: None }, notes)
}

/// One edge for each principal of the page, with every role of it that was met so far.
fn edges(app: &SourceId, rows: Vec<Assignment>, round: &mut Round) -> Vec<Record> {
    let mut principals: BTreeMap<String, Kind> = BTreeMap::new();
    for row in rows {
        let kind = row.kind();
        let role = row.role().map(str::to_owned);
        match (row.principal_id, kind, row.principal_type) {
            (Some(principal), Some(kind), _) => {
                if let Some(role) = role {
                    round.roles.entry(principal.clone()).or_default().insert(role);
                }
                if kind == Kind::Group {
                    round.named.insert(principal.clone());
                }
                principals.insert(principal, kind);
            }
            (Some(_), None, Some(_)) => round.other_kinds += 1,
            _ => round.left_out += 1,
        }
    }
    principals.into_iter().map(|(principal, kind)| edge(app, principal, kind, round)).collect()
}

fn edge(app: &SourceId, principal: String, kind: Kind, round: &Round) -> Record {
    let told =
        |roles| round.role_names.as_ref().map_or_else(|| joined(roles), |names| described(roles, names));
    let detail = round.roles.get(&principal).map(told).unwrap_or_default();
    Record::Edge { container: Container::App(app.clone()), principal: SourceId(principal), kind, detail }
}

/// The detail of one edge, as a page of everybody would give it. `service` is the application, where its roles are read.
pub(super) fn detail(roles: &BTreeSet<String>, service: Option<&Value>) -> String {
    match service {
        _ if roles.is_empty() => String::new(),
        None => joined(roles),
        Some(service) => {
            let heard = Roles::deserialize(service).map(|heard| heard.app_roles).unwrap_or_default();
            described(roles, &heard.into_iter().map(named).collect())
        }
    }
}

fn named(role: AppRole) -> (String, Value) {
    let told = json!({"id": role.id, "value": role.value, "displayName": role.display_name});
    (role.id, told)
}

fn joined(roles: &BTreeSet<String>) -> String {
    roles.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// The roles as a JSON list, by their ids. Of a role that the application no longer has, the id is all there is.
fn described(roles: &BTreeSet<String>, names: &BTreeMap<String, Value>) -> String {
    let told = |id: &String| names.get(id).cloned().unwrap_or_else(|| json!({"id": id}));
    roles.iter().map(told).collect::<Value>().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &str = "00000000-0000-0000-0000-000000000000";

    fn row(principal: &str, kind: &str, role: &str) -> Assignment {
        serde_json::from_value(json!({"principalId": principal, "principalType": kind, "appRoleId": role}))
            .unwrap()
    }

    fn shown(rows: Vec<Assignment>, round: &mut Round) -> Vec<String> {
        let app = SourceId("app".to_owned());
        let records = edges(&app, rows, round).into_iter();
        records
            .map(|record| match record {
                Record::Edge { principal, kind, detail, .. } => {
                    format!("{} {principal} {detail}", kind.word())
                }
                _ => "?".to_owned(),
            })
            .collect()
    }

    #[test]
    fn roles_of_one_principal_end_in_one_edge() {
        let rows = vec![row("u1", "User", "r2"), row("g1", "Group", NONE), row("u1", "User", "r1")];
        assert_eq!(shown(rows, &mut Round::default()), ["group g1 ", "user u1 r1,r2"]);
    }

    #[test]
    fn roles_come_with_their_names_where_a_mapping_asks_for_them() {
        let r1 = json!({"id": "r1", "value": "admin", "displayName": "Administrator"});
        let names = BTreeMap::from([("r1".to_owned(), r1)]);
        let mut round = Round::default();
        round.role_names = Some(names);
        let rows = vec![row("u1", "User", "r2"), row("u1", "User", "r1"), row("u2", "User", NONE)];
        assert_eq!(
            shown(rows, &mut round),
            [
                r#"user u1 [{"displayName":"Administrator","id":"r1","value":"admin"},{"id":"r2"}]"#,
                "user u2 "
            ]
        );
    }

    #[test]
    fn roles_on_two_pages_are_joined_and_never_lost() {
        let mut round = Round::default();
        assert_eq!(
            shown(vec![row("u1", "User", "r2"), row("u2", "User", NONE)], &mut round),
            ["user u1 r2", "user u2 "]
        );
        assert_eq!(shown(vec![row("u1", "User", NONE)], &mut round), ["user u1 r2"]);
        assert_eq!(shown(vec![row("u1", "User", "r1")], &mut round), ["user u1 r1,r2"]);
        assert_eq!(round.roles.len(), 1, "default access costs no memory");
    }

    #[test]
    fn service_principals_do_not_count_and_nameless_rows_prove_nothing() {
        let mut round = Round::default();
        assert!(shown(vec![row("s1", "ServicePrincipal", NONE)], &mut round).is_empty());
        let (next, _) = end(&SourceId("app".to_owned()), &round);
        assert!(matches!(next, Next::End { covered, .. } if covered[0].1 == Coverage::Full));
        let nameless: Assignment = serde_json::from_value(json!({"principalType": "User"})).unwrap();
        assert!(shown(vec![nameless], &mut round).is_empty());
        let (next, notes) = end(&SourceId("app".to_owned()), &round);
        assert!(matches!(next, Next::End { covered, .. } if covered[0].1 == Coverage::Partial));
        assert_eq!(notes.len(), 2);
    }
}
