//! Which second question a removal will have (P2): each is asked once, about somebody who is there.

use serde_json::Value;
use serde_json::json;

use super::CONSENT;
use super::Over;
use super::get;
use super::is_refused;
use super::ok;
use super::over;
use super::permissions::Known;
use super::refused;
use super::warning;
use crate::client::Repeat;
use crate::client::Request;
use crate::model::Finding;
use crate::sources::graph::door::DIRECTORY_READ;
use crate::sources::graph::door::GROUP_READ;
use crate::sources::graph::door::Graph;
use crate::sources::graph::door::USER_READ;
use crate::sources::graph::door::segment;
use crate::sources::graph::trouble;
use crate::sources::graph::trouble::Call;
use crate::sources::graph::trouble::Link;
use crate::sources::graph::trouble::Trouble;

/// What is asked, and what of it cannot be had without the permission.
#[derive(Clone, Copy)]
struct Question {
    asked: &'static str,
    refused: &'static str,
}

const ASSIGNMENTS: Question =
    Question { asked: "a person's own assignments", refused: "a person's own assignments may not be read" };
const MEMBERSHIPS: Question = Question {
    asked: "checkMemberGroups, then the person's direct groups",
    refused: "checkMemberGroups may not be asked",
};
const PEOPLE: Question =
    Question { asked: "the person, then the recycle bin", refused: "the recycle bin may not be looked into" };
const GROUPS: Question = Question {
    asked: "the group, then the recycle bin",
    refused: "the recycle bin of groups may not be looked into",
};

pub(super) async fn findings(graph: &Graph, known: &Known, findings: &mut Vec<Finding>) -> Result<(), Over> {
    if let (Some(user), false) = (&known.user, graph.settings.apps().is_empty()) {
        let subject = "witness unassigned";
        let address = format!("/users/{}/appRoleAssignments?$top=1", segment(user));
        let heard = get::<Value>(graph, subject, &address, DIRECTORY_READ, findings).await?;
        findings.push(told(subject, ASSIGNMENTS, DIRECTORY_READ, heard));
    }
    if let (Some(user), Some(group)) = (&known.user, &known.group) {
        let subject = "witness left group";
        let heard = over(subject, check_member_groups(graph, user, group).await, findings)?;
        findings.push(told(subject, MEMBERSHIPS, DIRECTORY_READ, heard));
    }
    if known.users_readable {
        let subject = "witness gone";
        let heard = bin(graph, subject, "user", USER_READ, findings).await?;
        findings.push(told(subject, PEOPLE, USER_READ, heard));
    }
    if known.groups_readable {
        let subject = "witness group gone";
        let heard = bin(graph, subject, "group", GROUP_READ, findings).await?;
        findings.push(told(subject, GROUPS, GROUP_READ, heard));
    }
    Ok(())
}

async fn bin(
    graph: &Graph,
    subject: &str,
    kind: &str,
    permission: &'static str,
    findings: &mut Vec<Finding>,
) -> Result<Result<Value, Trouble>, Over> {
    let address = format!("/directory/deletedItems/microsoft.graph.{kind}?$top=1&$select=id");
    get(graph, subject, &address, permission, findings).await
}

async fn check_member_groups(graph: &Graph, user: &str, group: &str) -> Result<Value, Trouble> {
    let url = graph.own(&format!("/users/{}/checkMemberGroups", segment(user)))?;
    let request = Request::json(http::Method::POST, url, json!({"groupIds": [group]})).repeat(Repeat::Safe);
    let place = request.place();
    let answer = graph.send(request).await?;
    match answer.status {
        200 => Ok(Value::Null),
        _ => {
            Err(trouble::judge(&answer, Call { place: &place, permission: DIRECTORY_READ, link: Link::Own })
                .plain())
        }
    }
}

/// Without the permission, absence in two complete reads is the witness: that is slower, not wrong.
fn told(
    subject: &str,
    question: Question,
    permission: &'static str,
    heard: Result<Value, Trouble>,
) -> Finding {
    match heard {
        Ok(_) => ok(subject, format!("confirmed by {}", question.asked)),
        Err(trouble) if is_refused(&trouble) => warning(
            subject,
            format!("confirmed by a second complete read: {}", question.refused),
            format!("to have it confirmed at once, add the application permission {permission} {CONSENT}"),
        ),
        Err(trouble) => refused(subject, permission, &trouble),
    }
}
