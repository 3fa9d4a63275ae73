//! The enterprise application: whether it is there, who may sign in, and who is assigned.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Over;
use super::count;
use super::error_finding;
use super::get;
use super::ok;
use super::over;
use super::refused;
use super::warning;
use crate::model::Finding;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::sources::graph::assignments;
use crate::sources::graph::door::APPLICATION_READ;
use crate::sources::graph::door::Graph;
use crate::sources::graph::door::segment;
use crate::sources::graph::trouble::Link;
use crate::sources::graph::trouble::Trouble;
use crate::sources::graph::wire::Assignment;
use crate::sources::graph::wire::Listing;

/// A tenant without a licence has at most 300 000 objects (graph.md section 3).
const PAGES_MAX: usize = 320;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Application {
    display_name: Option<String>,
    account_enabled: Option<bool>,
    app_role_assignment_required: Option<bool>,
}

/// Distinct principals of all applications of the scope.
#[derive(Default)]
pub(super) struct Assigned {
    pub(super) users: BTreeSet<String>,
    pub(super) groups: BTreeSet<String>,
    /// The scope names an application at all.
    pub(super) asked: bool,
}

pub(super) async fn findings(graph: &Graph, findings: &mut Vec<Finding>) -> Result<Assigned, Over> {
    let mut all = Assigned::default();
    for app in graph.settings.apps() {
        all.asked = true;
        let fields = "displayName,accountEnabled,appRoleAssignmentRequired";
        let address = format!("/servicePrincipals(appId='{}')?$select=id,{fields}", segment(&app.0));
        match get::<Application>(graph, "application", &address, APPLICATION_READ, findings).await? {
            Ok(seen) => findings.push(seen_as(app, &seen)),
            Err(Trouble::Missing { .. }) => {
                findings.push(error_finding(
                    "application",
                    format!("the tenant has no enterprise application with the application id {app}"),
                    "copy its Application ID (not its Object ID) from Enterprise applications",
                ));
                continue;
            }
            // Its assignments need the same permission.
            Err(trouble) => {
                findings.push(refused("application", APPLICATION_READ, &trouble));
                continue;
            }
        }
        let assigned = assigned(graph, app, findings).await?;
        all.users.extend(assigned.users);
        all.groups.extend(assigned.groups);
    }
    Ok(all)
}

fn seen_as(app: &SourceId, seen: &Application) -> Finding {
    let name = seen.display_name.as_deref().unwrap_or("no name");
    if seen.account_enabled == Some(false) {
        return warning(
            "application",
            format!("{app} ({name}) is disabled for sign-in"),
            "enable it under Enterprise applications, Properties, if people should use it",
        );
    }
    let required = match seen.app_role_assignment_required {
        Some(true) => "only assigned people may sign in",
        _ => "people who are not assigned may sign in too",
    };
    ok("application", format!("{app} ({name}), {required}"))
}

/// Every page, since the number is what an administrator compares.
async fn assigned(graph: &Graph, app: &SourceId, findings: &mut Vec<Finding>) -> Result<Assigned, Over> {
    const SUBJECT: &str = "app assignments";
    let mut assigned = Assigned::default();
    let address = assignments::address(app, graph.settings.page_size);
    let mut heard = get::<Listing<Assignment>>(graph, SUBJECT, &address, APPLICATION_READ, findings).await?;
    for _ in 0..PAGES_MAX {
        let listing = match heard {
            Ok(listing) => listing,
            Err(trouble) => {
                findings.push(refused(SUBJECT, APPLICATION_READ, &trouble));
                return Ok(assigned);
            }
        };
        for row in listing.value {
            match (row.kind(), row.principal_id) {
                (Some(Kind::User), Some(id)) => assigned.users.insert(id),
                (Some(Kind::Group), Some(id)) => assigned.groups.insert(id),
                _ => false,
            };
        }
        let Some(next) = listing.next else {
            findings.push(told(app, &assigned));
            return Ok(assigned);
        };
        heard = match graph.given(&next) {
            Ok(url) => over(SUBJECT, graph.get(url, Link::Next, APPLICATION_READ).await, findings)?,
            Err(error) => Err(error.into()),
        };
    }
    findings.push(warning(
        SUBJECT,
        format!("more than {} pages", PAGES_MAX),
        "look at Enterprise applications, Users and groups: that is more than a tenant holds",
    ));
    Ok(assigned)
}

fn told(app: &SourceId, assigned: &Assigned) -> Finding {
    let (users, groups) = (assigned.users.len(), assigned.groups.len());
    if users + groups == 0 {
        return warning(
            "app assignments",
            format!("nobody is assigned to {app}"),
            "assign people under Enterprise applications, Users and groups",
        );
    }
    ok("app assignments", format!("{} and {}", count(users, "user"), count(groups, "group")))
}
