//! What `rosterd check` looks at: the sign-in, each permission, the application and its assignments.

use serde::Deserialize;
use serde_json::Value;

use super::assignments;
use super::door::APPLICATION_READ;
use super::door::DIRECTORY_READ;
use super::door::Graph;
use super::door::MEMBER_READ;
use super::door::USER_READ;
use super::door::segment;
use super::trouble;
use super::trouble::Link;
use super::trouble::Trouble;
use super::wire::Assignment;
use super::wire::Listing;
use crate::model::Finding;
use crate::model::Grade;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::sources::SourceError;

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Application {
    display_name: Option<String>,
    account_enabled: Option<bool>,
    app_role_assignment_required: Option<bool>,
}

/// Reads only. After a refused sign-in nothing else can be asked.
pub(super) async fn findings(graph: &Graph) -> Vec<Finding> {
    let tenant = &graph.settings.tenant;
    if let Err(error) = graph.client.sign_in().await {
        return vec![problem("sign-in", &trouble::unanswered(error, "sign-in"))];
    }
    let mut findings = vec![ok("sign-in", format!("tenant {tenant} gave a token"))];
    let users = first(graph, "/users?$top=1&$select=id", USER_READ).await;
    findings.push(readable("users", USER_READ, users.as_ref().map(drop)));
    let groups = first(graph, "/groups?$top=1&$select=id", MEMBER_READ).await;
    findings.push(readable("groups", MEMBER_READ, groups.as_ref().map(drop)));
    for app in graph.settings.apps() {
        application(graph, app, &mut findings).await;
    }
    if let Ok(Some(user)) = users {
        findings.push(witness(graph, &user).await);
    }
    findings
}

async fn first(graph: &Graph, address: &str, permission: &'static str) -> Result<Option<String>, Trouble> {
    let listing: Listing<Id> = graph.get(graph.own(address)?, Link::Own, permission).await?;
    Ok(listing.value.into_iter().next().map(|row| row.id))
}

async fn application(graph: &Graph, app: &SourceId, findings: &mut Vec<Finding>) {
    let fields = "displayName,accountEnabled,appRoleAssignmentRequired";
    let address = format!("/servicePrincipals(appId='{}')?$select=id,{fields}", segment(&app.0));
    let url = match graph.own(&address) {
        Ok(url) => url,
        Err(error) => return findings.push(problem("application", &error)),
    };
    match graph.get::<Application>(url, Link::Own, APPLICATION_READ).await {
        Ok(seen) => findings.push(application_seen(app, &seen)),
        Err(Trouble::Missing { .. }) => {
            findings.push(Finding {
                grade: Grade::Error,
                subject: "application".to_owned(),
                text: format!("the tenant has no enterprise application with the application id {app}"),
                cure: "copy its Application ID (not its Object ID) from Enterprise applications".to_owned(),
            });
            return;
        }
        Err(trouble) => findings.push(refused("application", APPLICATION_READ, &trouble)),
    }
    findings.push(assigned(graph, app).await);
}

fn application_seen(app: &SourceId, seen: &Application) -> Finding {
    let name = seen.display_name.as_deref().unwrap_or("no name");
    if seen.account_enabled == Some(false) {
        return Finding {
            grade: Grade::Warning,
            subject: "application".to_owned(),
            text: format!("{app} ({name}) is disabled for sign-in"),
            cure: "enable it under Enterprise applications, Properties, if people should use it".to_owned(),
        };
    }
    let required = match seen.app_role_assignment_required {
        Some(true) => "only assigned people may sign in",
        _ => "people who are not assigned may sign in too",
    };
    ok("application", format!("{app} ({name}), {required}"))
}

async fn assigned(graph: &Graph, app: &SourceId) -> Finding {
    let url = match graph.own(&assignments::address(app, graph.settings.page_size)) {
        Ok(url) => url,
        Err(error) => return problem("app assignments", &error),
    };
    let listing: Listing<Assignment> = match graph.get(url, Link::Own, APPLICATION_READ).await {
        Ok(listing) => listing,
        Err(trouble) => return refused("app assignments", APPLICATION_READ, &trouble),
    };
    let count = |kind| listing.value.iter().filter(|row| row.kind() == Some(kind)).count();
    let (users, groups) = (count(Kind::User), count(Kind::Group));
    if users + groups == 0 {
        return Finding {
            grade: Grade::Warning,
            subject: "app assignments".to_owned(),
            text: format!("nobody is assigned to {app}"),
            cure: "assign people under Enterprise applications, Users and groups".to_owned(),
        };
    }
    let more = if listing.next.is_some() { " on the first page" } else { "" };
    ok("app assignments", format!("{users} for users, {groups} for groups{more}"))
}

/// Which witness a removal will have (P2).
async fn witness(graph: &Graph, user: &str) -> Finding {
    let address = format!("/users/{}/appRoleAssignments?$top=1", segment(user));
    let heard = match graph.own(&address) {
        Ok(url) => graph.get::<Value>(url, Link::Own, DIRECTORY_READ).await,
        Err(error) => return problem("witness", &error),
    };
    match heard {
        Ok(_) => ok("witness", "a person's own assignments confirm that an assignment is gone"),
        Err(Trouble::Source(SourceError::Refused { .. })) => Finding {
            grade: Grade::Warning,
            subject: "witness".to_owned(),
            text: "a person's own assignments and groups may not be read; a second complete read confirms a removal"
                .to_owned(),
            cure: format!("to have it confirmed at once, add the application permission {DIRECTORY_READ}"),
        },
        Err(trouble) => refused("witness", DIRECTORY_READ, &trouble),
    }
}

fn readable(subject: &str, permission: &'static str, heard: Result<(), &Trouble>) -> Finding {
    match heard {
        Ok(()) => ok(subject, format!("may be read ({permission} or more)")),
        Err(trouble) => refused(subject, permission, trouble),
    }
}

fn refused(subject: &str, permission: &'static str, trouble: &Trouble) -> Finding {
    match trouble {
        Trouble::Source(error) => problem(subject, error),
        _ => Finding {
            grade: Grade::Error,
            subject: subject.to_owned(),
            text: "cannot be read".to_owned(),
            cure: format!("check root and the application permission {permission}"),
        },
    }
}

fn problem(subject: &str, error: &SourceError) -> Finding {
    let (text, cure) = match error {
        SourceError::Refused { what, cure } => (what.clone(), cure.clone()),
        SourceError::Unavailable { .. } => (error.to_string(), "try again later".to_owned()),
        _ => (error.to_string(), "check authority and root".to_owned()),
    };
    Finding { grade: Grade::Error, subject: subject.to_owned(), text, cure }
}

fn ok(subject: &str, text: impl Into<String>) -> Finding {
    Finding { grade: Grade::Ok, subject: subject.to_owned(), text: text.into(), cure: String::new() }
}
