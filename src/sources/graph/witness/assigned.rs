//! Is the principal still assigned to the application? Its own `appRoleAssignments`: direct rows, and for people
//! those of the groups that they are direct members of (graph.md 5.14).
//!
//! | among the rows of the application | then |
//! |---|---|
//! | one of the principal itself | still assigned |
//! | none | not assigned |
//! | only of groups | not assigned, once `checkMemberGroups` shows that the person has left each of them |
//! | one that does not say whose it is, or of what | cannot say |
//!
//! A row through a group is no direct assignment: who moves from one to the other is in scope through the group, and
//! nothing is asked. It only stands against the removal of somebody who is in that group and whom our reading does
//! not show there (a feed that lags, a group that hides its members).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;

use super::Principal;
use super::Said;
use super::exists;
use super::member;
use super::member::Membership;
use super::said;
use crate::model::SourceId;
use crate::model::WitnessAnswer;
use crate::scim::Kind;
use crate::sources::SourceError;
use crate::sources::graph::batch::Part;
use crate::sources::graph::batch::PartAnswer;
use crate::sources::graph::door::APPLICATION_READ;
use crate::sources::graph::door::DIRECTORY_READ;
use crate::sources::graph::door::Graph;
use crate::sources::graph::door::segment;
use crate::sources::graph::trouble::Link;
use crate::sources::graph::trouble::Trouble;
use crate::sources::graph::wire::Assignment;
use crate::sources::graph::wire::Listing;

/// Pages of one principal's assignments: at most 1 500 exist (graph.md section 3).
const PAGES_MAX: usize = 20;

/// Evidence.
const NO_ROW: &str = "no row of the application among the principal's own assignments";
const LEFT_GROUPS: &str = "no row of its own, and it has left the groups that had one";

pub(super) struct Assigned {
    pub(super) app: SourceId,
    pub(super) principal: Principal,
}

/// What one principal's rows say of one application.
#[derive(Debug, PartialEq)]
enum Rows {
    Own,
    /// Only through these groups; none where the list is empty.
    Through(BTreeSet<SourceId>),
    /// There is no such principal.
    Nobody,
    Nothing(String),
}

/// In the order of the questions.
pub(super) async fn answers(graph: &Graph, asked: &[Assigned]) -> Result<Vec<WitnessAnswer>, SourceError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let apps: BTreeSet<&SourceId> = asked.iter().map(|question| &question.app).collect();
    let mut parts: Vec<Part> = apps.iter().map(|app| service_principal(app)).collect();
    parts.extend(asked.iter().map(|question| own_rows(&question.principal)));
    let mut heard = graph.batch(&parts).await?.into_iter();
    let resources: BTreeMap<&SourceId, Result<String, String>> =
        apps.into_iter().zip(heard.by_ref()).map(|(app, answer)| (app, resource(app, answer))).collect();
    let mut rows = Vec::with_capacity(asked.len());
    for (question, answer) in asked.iter().zip(heard) {
        rows.push(match resources.get(&question.app) {
            Some(Ok(resource)) => rows_of(graph, question, resource, answer).await,
            Some(Err(why)) => Rows::Nothing(why.clone()),
            None => Rows::Nothing(format!("application {} was not looked up", question.app)),
        });
    }
    conclude(graph, asked, rows).await
}

/// Looked up each time, in the same batch: an application that was removed and added again has another object.
fn service_principal(app: &SourceId) -> Part {
    Part::get(format!("/servicePrincipals(appId='{}')?$select=id", segment(&app.0)))
}

fn own_rows(principal: &Principal) -> Part {
    Part::get(format!("{}/appRoleAssignments?$top=999", principal.path()))
}

fn resource(app: &SourceId, answer: PartAnswer) -> Result<String, String> {
    #[derive(Deserialize)]
    struct ServicePrincipal {
        id: String,
    }
    match said(answer, APPLICATION_READ) {
        Said::Whole(body) => serde_json::from_value::<ServicePrincipal>(body)
            .map(|found| found.id)
            .map_err(|_| format!("the service principal of application {app} cannot be read")),
        Said::NotThere => {
            Err(format!("the tenant has no enterprise application with the application id {app}"))
        }
        Said::Nothing(why) => Err(why),
    }
}

async fn rows_of(graph: &Graph, question: &Assigned, resource: &str, answer: PartAnswer) -> Rows {
    let body = match said(answer, DIRECTORY_READ) {
        Said::Whole(body) => body,
        Said::NotThere => return Rows::Nobody,
        Said::Nothing(why) => return Rows::Nothing(why),
    };
    let Ok(mut listing) = serde_json::from_value::<Listing<Assignment>>(body) else {
        return Rows::Nothing("the list of assignments cannot be read".to_owned());
    };
    let mut through = BTreeSet::new();
    for _ in 0..PAGES_MAX {
        match take(&listing.value, resource, &question.principal) {
            Rows::Through(more) => through.extend(more),
            settled => return settled,
        }
        let Some(next) = listing.next else { return Rows::Through(through) };
        listing = match further(graph, &next).await {
            Ok(listing) => listing,
            Err(why) => return Rows::Nothing(why),
        };
    }
    Rows::Nothing("the list of assignments does not end".to_owned())
}

async fn further(graph: &Graph, next: &str) -> Result<Listing<Assignment>, String> {
    let url = graph.given(next).map_err(|error| error.to_string())?;
    graph.get(url, Link::Next, DIRECTORY_READ).await.map_err(|trouble| match trouble {
        Trouble::Source(error) => error.to_string(),
        _ => "the list of assignments broke off".to_owned(),
    })
}

/// One page of rows. A row that does not say whose it is, or of which application, could be any.
fn take(rows: &[Assignment], resource: &str, principal: &Principal) -> Rows {
    let mut through = BTreeSet::new();
    for row in rows {
        match row.resource_id.as_deref() {
            Some(id) if id.eq_ignore_ascii_case(resource) => {}
            Some(_) => continue,
            None => return Rows::Nothing("an assignment does not say of which application it is".to_owned()),
        }
        match (row.principal_id.as_deref(), row.principal_type.as_deref()) {
            (Some(id), _) if principal.is(id) => return Rows::Own,
            (Some(id), Some("Group")) if principal.kind == Kind::User => {
                through.insert(SourceId(id.to_owned()));
            }
            _ => return Rows::Nothing("an assignment does not say whose it is".to_owned()),
        }
    }
    Rows::Through(through)
}

/// Asks of the groups through which there still is a row, and of those who are not there.
async fn conclude(
    graph: &Graph,
    asked: &[Assigned],
    rows: Vec<Rows>,
) -> Result<Vec<WitnessAnswer>, SourceError> {
    let pairs = || asked.iter().zip(&rows);
    let nobody = pairs().filter(|(_, rows)| **rows == Rows::Nobody);
    let fates =
        exists::fates(graph, nobody.map(|(question, _)| question.principal.clone()).collect()).await?;
    let memberships: Vec<Membership> =
        pairs().flat_map(|(question, rows)| through_groups(&question.principal, rows)).collect();
    let heard = member::answers(graph, &memberships).await?;
    let left: BTreeSet<&Membership> = memberships
        .iter()
        .zip(&heard)
        .filter(|(_, answer)| matches!(answer, WitnessAnswer::Absent(_)))
        .map(|(membership, _)| membership)
        .collect();
    let answers = pairs().map(|(question, rows)| match rows {
        Rows::Own => WitnessAnswer::Present,
        Rows::Nobody => exists::fate_of(&fates, &question.principal),
        Rows::Nothing(why) => WitnessAnswer::CannotSay(why.clone()),
        Rows::Through(groups) if groups.is_empty() => WitnessAnswer::Absent(NO_ROW.into()),
        through if through_groups(&question.principal, through).iter().all(|one| left.contains(one)) => {
            WitnessAnswer::Absent(LEFT_GROUPS.into())
        }
        Rows::Through(_) => WitnessAnswer::Present,
    });
    Ok(answers.collect())
}

fn through_groups(principal: &Principal, rows: &Rows) -> Vec<Membership> {
    let Rows::Through(groups) = rows else { return Vec::new() };
    let of = |group: &SourceId| Membership { group: group.clone(), principal: principal.clone() };
    groups.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use serde_json::json;

    fn taken(kind: Kind, rows: Value) -> Rows {
        let rows: Vec<Assignment> = serde_json::from_value(rows).unwrap();
        take(&rows, "sp-1", &Principal { kind, id: SourceId("p1".to_owned()) })
    }

    fn through(groups: &[&str]) -> Rows {
        Rows::Through(groups.iter().map(|group| SourceId((*group).to_owned())).collect())
    }

    #[test]
    fn a_row_counts_for_its_own_principal_and_application_alone() {
        let row = |principal: &str, kind: &str, resource: &str| json!({"principalId": principal, "principalType": kind, "resourceId": resource});
        assert_eq!(taken(Kind::User, json!([row("P1", "User", "SP-1")])), Rows::Own);
        assert_eq!(taken(Kind::Group, json!([row("p1", "Group", "sp-1")])), Rows::Own);
        assert_eq!(
            taken(Kind::User, json!([row("p1", "User", "sp-2"), row("g1", "Group", "sp-2")])),
            through(&[])
        );
        assert_eq!(
            taken(Kind::User, json!([row("g2", "Group", "sp-1"), row("g1", "Group", "sp-1")])),
            through(&["g1", "g2"])
        );
        assert_eq!(
            taken(Kind::User, json!([row("g1", "Group", "sp-1"), row("p1", "User", "sp-1")])),
            Rows::Own
        );
    }

    #[test]
    fn a_row_that_does_not_say_whose_it_is_lets_nothing_be_said() {
        for rows in [
            json!([{"principalId": "p2", "principalType": "User", "resourceId": "sp-1"}]),
            json!([{"principalId": "g1", "resourceId": "sp-1"}]),
            json!([{"principalType": "User", "resourceId": "sp-1"}]),
        ] {
            let why = "an assignment does not say whose it is".to_owned();
            assert_eq!(taken(Kind::User, rows), Rows::Nothing(why));
        }
        let why = "an assignment does not say of which application it is".to_owned();
        assert_eq!(
            taken(Kind::User, json!([{"principalId": "p1", "principalType": "User"}])),
            Rows::Nothing(why)
        );
    }
}
