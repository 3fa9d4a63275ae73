//! After a crash or a lost answer: entries without an outcome are settled by asking the target, never by
//! repeating blindly (P5).

use serde_json::Value;

use super::CycleError;
use super::Run;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::Origin;
use crate::plan::Class;
use crate::scim;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::store::After;
use crate::store::Ended;
use crate::store::JobId;
use crate::store::OpenEntry;
use crate::store::PendingLink;
use crate::store::Store;
use crate::targets::Found;
use crate::targets::Lookup;

/// Entries settled in one transaction.
const CHUNK: usize = 200;

pub(super) async fn settle(on: &Run<'_>, store: &Store, job: JobId) -> Result<(), CycleError> {
    let open = store.open_entries(job).await.map_err(on.store())?;
    for chunk in open.chunks(CHUNK) {
        on.stopped()?;
        let mut ended = Vec::new();
        for entry in chunk {
            ended.push(settle_one(on, store, job, entry).await?);
        }
        store.end(job, on.how.now.as_second(), ended).await.map_err(on.store())?;
    }
    Ok(())
}

async fn settle_one(on: &Run<'_>, store: &Store, job: JobId, entry: &OpenEntry) -> Result<Ended, CycleError> {
    if entry.class == Class::References {
        return settle_reference(on, store, entry).await;
    }
    if !entry.people.is_empty() {
        return settle_members(on, store, entry).await;
    }
    let pending = store.pending_by_id(vec![entry.link]).await.map_err(on.store())?;
    let Some(link) = pending.into_iter().next() else {
        return Ok(ended(entry, "not_done", "nothing is pending any more", After::Unchanged));
    };
    let found = match link.applied.accepted() {
        Some(accepted) => {
            let ids = [(link.kind, accepted.resource.clone())];
            on.job.target.get(&ids).await.map_err(on.target())?.into_iter().next().flatten()
        }
        None => find_created(on, store, job, &link).await?,
    };
    Ok(judge(entry, &link, found.as_ref()))
}

/// Somebody whose creation may have landed: exactly one resource that carries what we sent, and is nobody else's.
async fn find_created(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    link: &PendingLink,
) -> Result<Option<Found>, CycleError> {
    let Desired::Active(wanted) = &link.desired else { return Ok(None) };
    let mapping = match link.kind {
        Kind::User => &on.job.rules.users,
        Kind::Group => &on.job.rules.groups,
    };
    for row in mapping.matching() {
        let Some(value) = wanted.text(&row.target) else { continue };
        let lookup = Lookup { kind: link.kind, path: row.target.clone(), value: value.to_owned() };
        let hits = on.job.target.find(&[lookup]).await.map_err(on.target())?.pop().unwrap_or_default();
        let ids = hits.iter().map(|hit| hit.id.clone()).collect();
        let linked = store.linked(job, ids).await.map_err(on.store())?;
        let mut free = hits.into_iter().filter(|hit| !linked.contains_key(&hit.id) && carries(hit, wanted));
        if let (Some(hit), None) = (free.next(), free.next()) {
            return Ok(Some(hit));
        }
    }
    Ok(None)
}

/// Where we sent an `externalId`, the resource has to show it; where the service keeps none, what else we sent.
fn carries(found: &Found, wanted: &Attributes) -> bool {
    match (wanted.text("externalId"), found.body.get("externalId").and_then(Value::as_str)) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => shows(found, wanted),
    }
}

fn shows(found: &Found, wanted: &Attributes) -> bool {
    let shown = scim::shown(&found.body, wanted.0.keys());
    wanted.iter().all(|(path, value)| {
        let same = shown.get(path).map_or(value.is_null(), |is| scim::same_value(path, is, value));
        path == "externalId" || same
    })
}

/// What the target shows against what was meant.
fn judge(entry: &OpenEntry, link: &PendingLink, found: Option<&Found>) -> Ended {
    let not_done = || ended(entry, "not_done", "the target shows no trace of it", After::Unchanged);
    match (entry.class, found) {
        (Class::Delete | Class::DeleteTeams, None) => {
            ended(entry, "done", "the target has it no more", After::Gone)
        }
        (Class::Deactivate, None) => ended(entry, "done", "the target has it no more", After::Gone),
        (_, None) => not_done(),
        (Class::Delete | Class::DeleteTeams, Some(_)) => not_done(),
        (Class::Deactivate, Some(found)) if !found.active => {
            let sent = link.applied.accepted().map(|is| is.sent.clone()).unwrap_or_default();
            done(entry, link, found, sent, false)
        }
        (Class::Deactivate, Some(_)) => not_done(),
        (_, Some(found)) => match &link.desired {
            Desired::Active(wanted) if found.active && shows(found, wanted) => {
                done(entry, link, found, wanted.assigned(), true)
            }
            // A creation that landed is ours, even where the service shows other values: what differs is
            // sent as an update.
            Desired::Active(_) if link.applied == Applied::Absent => {
                done(entry, link, found, Attributes::default(), found.active)
            }
            _ => not_done(),
        },
    }
}

fn done(entry: &OpenEntry, link: &PendingLink, found: &Found, sent: Attributes, active: bool) -> Ended {
    let origin = link.applied.accepted().map_or(Origin::Created, |is| is.origin);
    let shown = scim::shown(&found.body, sent.0.keys());
    let key = sent.text("userName").or_else(|| sent.text("displayName")).map(scim::fold);
    let accepted = Accepted { resource: found.id.clone(), sent, shown, origin };
    ended(entry, "done", "the target shows it", After::Applied { active, accepted, key })
}

/// Whether the person's attribute names who was meant, or nobody where nobody was.
async fn settle_reference(on: &Run<'_>, store: &Store, entry: &OpenEntry) -> Result<Ended, CycleError> {
    let not_done = || ended(entry, "not_done", "the target shows no trace of it", After::Unchanged);
    let person = store.resource_of(entry.link).await.map_err(on.store())?;
    let (Some(person), Some(edit)) = (person, entry.edits.first()) else { return Ok(not_done()) };
    let found = on.job.target.get(&[(Kind::User, person)]).await.map_err(on.target())?;
    let Some(found) = found.into_iter().next().flatten() else { return Ok(not_done()) };
    let shown = scim::shown(&found.body, [&edit.path]);
    if shown.text(&edit.path) != edit.new.as_ref().and_then(Value::as_str) {
        return Ok(not_done());
    }
    let resource = shown.text(&edit.path).map(|id| ResourceId(id.to_owned()));
    let after = After::Refers { path: edit.path.clone(), resource };
    Ok(ended(entry, "done", "the target shows it", after))
}

/// Both kinds of membership change can be read off the team.
async fn settle_members(on: &Run<'_>, store: &Store, entry: &OpenEntry) -> Result<Ended, CycleError> {
    let adds = entry.class == Class::AddMembers;
    let team = store.resource_of(entry.link).await.map_err(on.store())?;
    let members = match &team {
        Some(team) => on.job.target.members(team).await.map_err(on.target())?,
        None => None,
    };
    let Some(members) = members else {
        // A service that shows no members cannot be asked; adding and removing twice is harmless there.
        return Ok(ended(
            entry,
            "not_done",
            "the target does not show members; sent again",
            After::Unchanged,
        ));
    };
    let mut people = Vec::new();
    for person in &entry.people {
        let resource: Option<ResourceId> = store.resource_of(*person).await.map_err(on.store())?;
        if resource.is_some_and(|id| members.contains(&id) == adds) {
            people.push(*person);
        }
    }
    let all = people.len() == entry.people.len();
    let mut ended = ended(
        entry,
        if all { "done" } else { "not_done" },
        "settled by the team's members",
        After::Members { people: people.clone(), adds },
    );
    ended.people = people;
    Ok(ended)
}

fn ended(entry: &OpenEntry, outcome: &'static str, detail: &str, after: After) -> Ended {
    Ended {
        entry: entry.entry,
        link: entry.link,
        class: entry.class,
        outcome,
        detail: detail.to_owned(),
        people: Vec::new(),
        after,
    }
}
