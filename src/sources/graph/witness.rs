//! The second question before a removal (P2, graph.md 5.14): asked in batches, answered with care.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use super::batch::Part;
use super::batch::PartAnswer;
use super::door::DIRECTORY_READ;
use super::door::Graph;
use super::door::segment;
use super::trouble::Link;
use super::trouble::Trouble;
use super::wire::Assignment;
use super::wire::Listing;
use crate::model::Container;
use crate::model::SourceId;
use crate::model::WitnessAnswer;
use crate::model::WitnessQuestion;
use crate::scim::Kind;
use crate::sources::SourceError;

/// Pages of one principal's assignments: at most 1 500 exist (graph.md section 3).
const GRANT_PAGES_MAX: usize = 20;

/// Evidence.
const UNKNOWN: &str = "404";
const NO_ROW: &str = "no row of the application among the principal's own assignments";

/// What is known before the questions are asked.
struct Ground {
    /// The service principal of an application, or why it is not known.
    principals: BTreeMap<SourceId, Result<String, String>>,
    /// Groups of the questions: whether their members are shown, and whether they exist.
    groups: BTreeMap<SourceId, GroupState>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum GroupState {
    Open,
    Hidden,
    Absent,
    Unknown(u16),
}

/// In the order of the questions.
pub(super) async fn answers(
    graph: &Graph,
    questions: &[WitnessQuestion],
) -> Result<Vec<WitnessAnswer>, SourceError> {
    let ground = ground(graph, questions).await?;
    let parts: Vec<Part> = questions.iter().map(part).collect();
    let heard = graph.batch(&parts).await?;
    let mut answers = Vec::with_capacity(questions.len());
    for (question, answer) in questions.iter().zip(heard) {
        answers.push(answer_one(graph, &ground, question, answer).await?);
    }
    deleted(graph, questions, &mut answers).await?;
    Ok(answers)
}

fn part(question: &WitnessQuestion) -> Part {
    match question {
        WitnessQuestion::Held { container: Container::App(_), principal, kind } => {
            Part::get(format!("{}/appRoleAssignments?$top=999", path(*kind, principal)))
        }
        WitnessQuestion::Held { container: Container::Group(group), principal, kind } => {
            Part::ask(format!("{}/checkMemberGroups", path(*kind, principal)), json!({"groupIds": [group.0]}))
        }
        WitnessQuestion::Exists { id, kind: Kind::User } => {
            Part::get(format!("{}?$select=id,accountEnabled", path(Kind::User, id)))
        }
        WitnessQuestion::Exists { id, kind: Kind::Group } => {
            Part::get(format!("{}?$select=id", path(Kind::Group, id)))
        }
    }
}

fn path(kind: Kind, id: &SourceId) -> String {
    let collection = match kind {
        Kind::User => "users",
        Kind::Group => "groups",
    };
    format!("/{collection}/{}", segment(&id.0))
}

async fn answer_one(
    graph: &Graph,
    ground: &Ground,
    question: &WitnessQuestion,
    answer: PartAnswer,
) -> Result<WitnessAnswer, SourceError> {
    Ok(match question {
        WitnessQuestion::Exists { .. } => exists(&answer),
        WitnessQuestion::Held { container: Container::Group(group), .. } => member(ground, group, &answer),
        WitnessQuestion::Held { container: Container::App(app), .. } => match ground.principals.get(app) {
            Some(Ok(principal)) => assigned(graph, principal, answer).await?,
            Some(Err(why)) => WitnessAnswer::CannotSay(why.clone()),
            None => WitnessAnswer::CannotSay(format!("application {app} is not known")),
        },
    })
}

fn exists(answer: &PartAnswer) -> WitnessAnswer {
    match answer.status {
        200 => WitnessAnswer::Present,
        404 => WitnessAnswer::Absent(UNKNOWN.into()),
        status => cannot_say(status, None),
    }
}

/// Transitive: a hit may come from a nested group, so it says "not confirmed". A group that is not in the
/// answer may be one that may not be asked about.
fn member(ground: &Ground, group: &SourceId, answer: &PartAnswer) -> WitnessAnswer {
    if answer.status == 404 {
        return WitnessAnswer::Absent(UNKNOWN.into());
    }
    let hits = answer.body.get("value").and_then(Value::as_array);
    let (200, Some(hits)) = (answer.status, hits) else { return cannot_say(answer.status, None) };
    let hit = hits.iter().filter_map(Value::as_str).any(|id| id.eq_ignore_ascii_case(&group.0));
    match (hit, ground.groups.get(group)) {
        (true, _) => WitnessAnswer::Present,
        (false, Some(GroupState::Open | GroupState::Absent)) => {
            WitnessAnswer::Absent("checkMemberGroups does not name the group".into())
        }
        (false, Some(GroupState::Unknown(status))) => cannot_say(*status, None),
        (false, Some(GroupState::Hidden) | None) => WitnessAnswer::CannotSay(
            "the group hides its members; add the application permission Member.Read.Hidden".to_owned(),
        ),
    }
}

/// No row for the application, directly or through a group, confirms the removal.
async fn assigned(graph: &Graph, principal: &str, answer: PartAnswer) -> Result<WitnessAnswer, SourceError> {
    if answer.status == 404 {
        return Ok(WitnessAnswer::Absent(UNKNOWN.into()));
    }
    if answer.status != 200 {
        return Ok(cannot_say(answer.status, Some(DIRECTORY_READ)));
    }
    let Ok(mut listing) = serde_json::from_value::<Listing<Assignment>>(answer.body) else {
        return Ok(WitnessAnswer::CannotSay("the list of assignments cannot be read".to_owned()));
    };
    for _ in 0..GRANT_PAGES_MAX {
        let of_app =
            |row: &Assignment| row.resource_id.as_deref().is_none_or(|id| id.eq_ignore_ascii_case(principal));
        if listing.value.iter().any(of_app) {
            return Ok(WitnessAnswer::Present);
        }
        let Some(next) = listing.next else { return Ok(WitnessAnswer::Absent(NO_ROW.into())) };
        listing = match graph.get(graph.given(&next)?, Link::Next, DIRECTORY_READ).await {
            Ok(listing) => listing,
            Err(Trouble::Source(error)) => return Ok(WitnessAnswer::CannotSay(error.to_string())),
            Err(_) => return Ok(WitnessAnswer::CannotSay("the list of assignments broke off".to_owned())),
        };
    }
    Ok(WitnessAnswer::CannotSay("the list of assignments does not end".to_owned()))
}

/// A person that is not there is looked for in the recycle bin; found or not, the removal is confirmed, but an
/// answer that is neither says nothing (graph.md 6.6 R5).
async fn deleted(
    graph: &Graph,
    questions: &[WitnessQuestion],
    answers: &mut [WitnessAnswer],
) -> Result<(), SourceError> {
    let mut missing = Vec::new();
    for (at, question) in questions.iter().enumerate() {
        if let WitnessQuestion::Exists { id, kind: Kind::User } = question
            && matches!(answers[at], WitnessAnswer::Absent(_))
        {
            missing.push((at, Part::get(format!("/directory/deletedItems/{}?$select=id", segment(&id.0)))));
        }
    }
    let (places, parts): (Vec<usize>, Vec<Part>) = missing.into_iter().unzip();
    for (at, answer) in places.into_iter().zip(graph.batch(&parts).await?) {
        answers[at] = match answer.status {
            200 => WitnessAnswer::Absent("404, and in the recycle bin".into()),
            404 => WitnessAnswer::Absent("404, and not in the recycle bin".into()),
            status => cannot_say(status, None),
        };
    }
    Ok(())
}

async fn ground(graph: &Graph, questions: &[WitnessQuestion]) -> Result<Ground, SourceError> {
    let mut apps = BTreeSet::new();
    let mut groups = BTreeSet::new();
    for question in questions {
        match question {
            WitnessQuestion::Held { container: Container::App(app), .. } => apps.insert(app.clone()),
            WitnessQuestion::Held { container: Container::Group(group), .. } => groups.insert(group.clone()),
            WitnessQuestion::Exists { .. } => false,
        };
    }
    let mut principals = BTreeMap::new();
    for app in apps {
        principals.insert(app.clone(), principal(graph, &app).await?);
    }
    Ok(Ground { principals, groups: group_states(graph, groups).await? })
}

/// Outages end the questions; a refusal or an unknown application only means that nothing can be said.
async fn principal(graph: &Graph, app: &SourceId) -> Result<Result<String, String>, SourceError> {
    match graph.principal(app).await {
        Ok(id) => Ok(Ok(id)),
        Err(Trouble::Source(error @ SourceError::Unavailable { .. })) => Err(error),
        Err(Trouble::Source(error)) => Ok(Err(error.to_string())),
        Err(_) => Ok(Err(format!("the tenant has no enterprise application with the application id {app}"))),
    }
}

async fn group_states(
    graph: &Graph,
    groups: BTreeSet<SourceId>,
) -> Result<BTreeMap<SourceId, GroupState>, SourceError> {
    let parts: Vec<Part> = groups
        .iter()
        .map(|group| Part::get(format!("{}?$select=id,visibility", path(Kind::Group, group))))
        .collect();
    let answers = graph.batch(&parts).await?;
    Ok(groups.into_iter().zip(answers.iter().map(group_state)).collect())
}

fn group_state(answer: &PartAnswer) -> GroupState {
    let hidden = answer.body.get("visibility").and_then(Value::as_str) == Some("HiddenMembership");
    match answer.status {
        200 if hidden => GroupState::Hidden,
        200 => GroupState::Open,
        404 => GroupState::Absent,
        status => GroupState::Unknown(status),
    }
}

fn cannot_say(status: u16, permission: Option<&str>) -> WitnessAnswer {
    WitnessAnswer::CannotSay(match (status, permission) {
        (401 | 403, Some(permission)) => {
            format!("Graph refuses the question ({status}); it needs the application permission {permission}")
        }
        _ => format!("Graph answered {status}"),
    })
}
