//! One person alone: the user, whole; then the groups, the assignments and the filtered lists, in one batch
//! (graph.md 5.2, 5.10, 5.14).
//!
//! | asked | by |
//! |---|---|
//! | who it is | `GET /users/{id or userPrincipalName}`; where nobody is called so, `$filter` by mail and display name |
//! | not there | the recycle bin: 200 is an event, anything else proves nothing without a witness |
//! | groups | `GET /users/{id}/memberOf` |
//! | applications | `GET /users/{id}/appRoleAssignments`, its own rows alone |
//! | lists | the list's own `$filter` and the id |

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use super::assignments;
use super::batch::Part;
use super::batch::PartAnswer;
use super::door::DIRECTORY_READ;
use super::door::Graph;
use super::door::USER_READ;
use super::door::segment;
use super::filter;
use super::people;
use super::trouble;
use super::trouble::Link;
use super::trouble::Trouble;
use super::wire;
use super::wire::Assignment;
use super::wire::ChangedMember;
use super::wire::Listing;
use super::wire::Row;
use super::witness;
use crate::model::Alone;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::List;
use crate::model::Record;
use crate::model::Sought;
use crate::model::SourceId;
use crate::model::SourceObject;
use crate::model::Standing;
use crate::model::WitnessAnswer;
use crate::model::WitnessQuestion;
use crate::scim::Kind;
use crate::sources::SourceError;

/// People of one name that are told apart; more are only "several".
const NAMESAKES: usize = 6;

/// Pages of one person's groups or assignments: at most 2 048 and 1 500 exist (graph.md section 3).
const PAGES_MAX: usize = 20;

/// The place that messages name.
const PLACE: &str = "GET graph/users/{id}";

pub(super) async fn person(graph: &Graph, sought: &Sought) -> Result<Alone, SourceError> {
    let told = match meant(graph, sought).await {
        // Without the property that needs a licence, as in a cycle.
        Err(Trouble::Premium { .. } | Trouble::Denied { .. }) if graph.select.is_premium() => {
            graph.select.leave_out_premium();
            meant(graph, sought).await
        }
        told => told,
    };
    match told.map_err(plain)? {
        Meant::There(object) => beside(graph, object).await,
        Meant::NotThere(id) => gone(graph, id).await,
        Meant::Unclear(ids) => Ok(Alone::unclear(ids)),
    }
}

enum Meant {
    There(SourceObject),
    NotThere(SourceId),
    /// Nobody, or several.
    Unclear(BTreeSet<SourceId>),
}

/// Who is there comes before who was.
async fn meant(graph: &Graph, sought: &Sought) -> Result<Meant, Trouble> {
    let mut keys: BTreeSet<String> = sought.known.iter().map(|id| id.0.clone()).collect();
    keys.extend(is_key(&sought.who).then(|| sought.who.clone()));
    let mut there = users(graph, &keys, &sought.known).await?;
    if there.is_empty() && sought.known.is_empty() {
        let namesakes = namesakes(graph, &sought.who).await?;
        if namesakes.len() != 1 {
            return Ok(Meant::Unclear(namesakes));
        }
        let keys = namesakes.iter().map(|id| id.0.clone()).collect();
        there = users(graph, &keys, &namesakes).await?;
    }
    if let Some(exact) = there.get(&SourceId(sought.who.clone())) {
        return Ok(Meant::There(exact.clone()));
    }
    if there.len() > 1 {
        return Ok(Meant::Unclear(there.into_keys().collect()));
    }
    Ok(match (there.into_values().next(), sought.known.first()) {
        (Some(only), _) => Meant::There(only),
        (None, Some(id)) if sought.known.len() == 1 => Meant::NotThere(id.clone()),
        (None, _) => Meant::Unclear(sought.known.clone()),
    })
}

/// Ids and userPrincipalNames have no spaces; a name that begins with `$` cannot stand in a path (graph.md section 4).
fn is_key(who: &str) -> bool {
    !who.is_empty() && !who.starts_with('$') && !who.contains(char::is_whitespace)
}

/// Those of them who are there, whole.
async fn users(
    graph: &Graph,
    keys: &BTreeSet<String>,
    known: &BTreeSet<SourceId>,
) -> Result<BTreeMap<SourceId, SourceObject>, Trouble> {
    let query = graph.select.whole();
    let parts: Vec<Part> =
        keys.iter().map(|key| Part::get(format!("/users/{}?{query}", segment(key)))).collect();
    let mut there = BTreeMap::new();
    for (key, answer) in keys.iter().zip(graph.batch(&parts).await?) {
        match (answer.status, answer.body) {
            (200, Value::Object(row)) => {
                let object = seen(row)?;
                there.insert(object.id.clone(), object);
            }
            (404, _) => {}
            // What cannot be a key is nobody's name; of an id it would be a question that Graph does not take.
            (400, _) if !known.contains(&SourceId(key.clone())) => {}
            (status, body) => {
                return Err(trouble::judge_part(&PartAnswer { status, body }, PLACE, USER_READ));
            }
        }
    }
    Ok(there)
}

/// A user without a userPrincipalName is one that we may not see (graph.md 2.9).
fn seen(row: Row) -> Result<SourceObject, Trouble> {
    let named = row.get("userPrincipalName").is_some_and(Value::is_string);
    let object = if named { wire::object(Kind::User, row) } else { None };
    object.ok_or_else(|| {
        Trouble::Source(SourceError::Refused {
            what: "Graph shows this user without id or name".to_owned(),
            cure: format!("check the application permission {USER_READ}"),
        })
    })
}

async fn namesakes(graph: &Graph, who: &str) -> Result<BTreeSet<SourceId>, Trouble> {
    let text = who.replace('\'', "''");
    let filter = filter::escaped(&format!("mail eq '{text}' or displayName eq '{text}'"));
    let address = format!("/users?$filter={filter}&$select=id&$top={NAMESAKES}");
    let listing: Listing<Row> = graph.get(graph.own(&address)?, Link::Own, USER_READ).await?;
    let id = |row: Row| Some(SourceId(row.get("id")?.as_str()?.to_owned()));
    Ok(listing.value.into_iter().filter_map(id).collect())
}

/// In the recycle bin is an event; not even there may only be a copy of the directory that lags, so that a witness is
/// asked.
async fn gone(graph: &Graph, id: SourceId) -> Result<Alone, SourceError> {
    let mut alone = Alone::unclear([id.clone()].into());
    match graph.batch(&[people::bin_part(&id.0)]).await?.first().map(|answer| answer.status) {
        Some(200) => {
            let standing = Standing::SoftDeleted;
            alone.records.push(Record::Removed { kind: Kind::User, id, standing });
        }
        Some(404) => alone.records.push(Record::NotFound { kind: Kind::User, id }),
        status => alone.notes.push(format!(
            "not in the directory, and the recycle bin did not answer (status {}): nothing follows from that",
            status.unwrap_or_default()
        )),
    }
    Ok(alone)
}

/// What the user is directly in.
async fn beside(graph: &Graph, object: SourceObject) -> Result<Alone, SourceError> {
    let id = object.id.clone();
    let mut alone = Alone { records: vec![Record::Object(object)], ..Alone::unclear([id.clone()].into()) };
    let apps: Vec<SourceId> = graph.settings.apps().into_iter().cloned().collect();
    let mut parts = vec![Part::get(format!("/users/{}/memberOf?$select=id&$top=999", segment(&id.0)))];
    if !apps.is_empty() {
        parts.push(Part::get(format!("/users/{}/appRoleAssignments?$top=999", segment(&id.0))));
        let service = |app: &SourceId| {
            let fields = if graph.settings.roles { "id,appRoles" } else { "id" };
            Part::get(format!("/servicePrincipals(appId='{}')?$select={fields}", segment(&app.0)))
        };
        parts.extend(apps.iter().map(service));
    }
    let mut heard = graph.batch(&parts).await?.into_iter();
    let groups = heard.next();
    alone.groups(graph, &id, groups).await;
    if let Some(rows) = heard.next() {
        let rows = all::<Assignment>(graph, Some(rows)).await;
        for (app, service) in apps.iter().zip(heard) {
            alone.assigned(graph, app, &id, &rows, &service);
        }
    }
    alone.listed(graph, &id).await?;
    Ok(alone)
}

impl Alone {
    async fn groups(&mut self, graph: &Graph, id: &SourceId, first: Option<PartAnswer>) {
        let covered = Collection::GroupsOf(id.clone());
        match all::<ChangedMember>(graph, first).await {
            Ok(holders) => {
                let groups = holders.into_iter().filter(|holder| holder.kind() == Some(Kind::Group));
                let edge = |group: String| edge(Container::Group(SourceId(group)), id, String::new());
                self.records.extend(groups.filter_map(|group| group.id).map(edge));
                self.covered.push((covered, Coverage::Full));
            }
            Err(why) => {
                self.notes.push(format!("the groups stay as the last cycle saw them: {why}"));
                self.covered.push((covered, Coverage::Partial));
            }
        }
    }

    fn assigned(
        &mut self,
        graph: &Graph,
        app: &SourceId,
        id: &SourceId,
        rows: &Result<Vec<Assignment>, String>,
        service: &PartAnswer,
    ) {
        let covered = Collection::ListOf { list: app.clone(), principal: id.clone() };
        let resource = service.body.get("id").and_then(Value::as_str).filter(|_| service.status == 200);
        let (Ok(rows), Some(resource)) = (rows, resource) else {
            let why = match rows {
                Err(why) => why.clone(),
                Ok(_) => format!("its service principal could not be read (status {})", service.status),
            };
            self.notes
                .push(format!("the assignment to application {app} stays as the last cycle saw it: {why}"));
            return self.covered.push((covered, Coverage::Partial));
        };
        let is = |text: &Option<String>, wanted: &str| {
            text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case(wanted))
        };
        let own: Vec<&Assignment> = rows
            .iter()
            .filter(|row| is(&row.resource_id, resource) && is(&row.principal_id, &id.0))
            .collect();
        if !own.is_empty() {
            let roles = own.iter().filter_map(|row| row.role()).map(str::to_owned).collect();
            let detail = assignments::detail(&roles, graph.settings.roles.then_some(&service.body));
            self.records.push(edge(Container::App(app.clone()), id, detail));
        }
        self.covered.push((covered, Coverage::Full));
    }

    async fn listed(&mut self, graph: &Graph, id: &SourceId) -> Result<(), SourceError> {
        let lists: Vec<&List> =
            graph.settings.lists.iter().filter(|list| matches!(list, List::UserFilter(_))).collect();
        let question = |list: &&List| WitnessQuestion::Held {
            container: Container::App(list.id()),
            principal: id.clone(),
            kind: Kind::User,
        };
        let questions: Vec<WitnessQuestion> = lists.iter().map(question).collect();
        for (list, answer) in lists.into_iter().zip(witness::answers(graph, &questions).await?) {
            let covered = Collection::ListOf { list: list.id(), principal: id.clone() };
            let coverage = match answer {
                WitnessAnswer::Present => {
                    self.records.push(edge(Container::App(list.id()), id, String::new()));
                    Coverage::Full
                }
                WitnessAnswer::Absent(_) => Coverage::Full,
                other => {
                    let why = if let WitnessAnswer::CannotSay(why) = other { why } else { String::new() };
                    self.notes.push(format!("{} stays as the last cycle saw it: {why}", list.name()));
                    Coverage::Partial
                }
            };
            self.covered.push((covered, coverage));
        }
        Ok(())
    }
}

fn edge(container: Container, id: &SourceId, detail: String) -> Record {
    Record::Edge { container, principal: id.clone(), kind: Kind::User, detail }
}

/// Every row of a list whose first page came in a batch, or why they cannot be had.
async fn all<T: serde::de::DeserializeOwned>(
    graph: &Graph,
    first: Option<PartAnswer>,
) -> Result<Vec<T>, String> {
    let first = first.ok_or("it was not answered")?;
    if first.status != 200 {
        let cure = if matches!(first.status, 401 | 403) {
            format!("; it needs the application permission {DIRECTORY_READ}")
        } else {
            String::new()
        };
        return Err(format!("Graph answered {}{cure}", first.status));
    }
    let unreadable = |_| "the list cannot be read".to_owned();
    let mut listing: Listing<T> = serde_json::from_value(first.body).map_err(unreadable)?;
    let mut rows = Vec::new();
    for _ in 0..PAGES_MAX {
        rows.append(&mut listing.value);
        let Some(next) = listing.next else { return Ok(rows) };
        let url = graph.given(&next).map_err(|error| error.to_string())?;
        listing =
            graph.get(url, Link::Next, DIRECTORY_READ).await.map_err(|trouble| plain(trouble).to_string())?;
    }
    Err("the list does not end".to_owned())
}

fn plain(trouble: Trouble) -> SourceError {
    match trouble.plain() {
        Trouble::Source(error) => error,
        Trouble::Denied { what, cure } => SourceError::Refused { what, cure },
        _ => SourceError::Unavailable { what: format!("{PLACE}: Graph does not answer this question") },
    }
}
