//! After a crash or a lost answer: entries without an outcome are settled by asking the target, never by
//! repeating blindly (P5).
//!
//! What was meant is in the entry, not in what is desired now: a name that was only parked, or an account that made way,
//! is known by the values that were sent.

use std::time::Duration;

use serde_json::Value;

use super::CycleError;
use super::Progress;
use super::Run;
use super::landed;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::Desired;
use crate::model::Origin;
use crate::plan::Class;
use crate::plan::Edit;
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
use crate::store::crash_point;
use crate::targets::Found;

/// Entries settled in one transaction.
const CHUNK: usize = 200;

pub(super) async fn settle(on: &Run<'_>, store: &Store, job: JobId) -> Result<(), CycleError> {
    let open = store.open_entries(job).await.map_err(on.store())?;
    outwait(on, &open).await?;
    for chunk in open.chunks(CHUNK) {
        on.stopped()?;
        let mut ended = Vec::new();
        for entry in chunk {
            crash_point("settle");
            ended.push(settle_one(on, store, job, entry).await?);
        }
        crash_point("asked");
        store.end(job, on.how.now.as_second(), None, ended).await.map_err(on.store())?;
        crash_point("settled");
    }
    Ok(())
}

/// A request outlives the process that sent it: the target is not asked while one could still arrive (SCIM reference, O5).
async fn outwait(on: &Run<'_>, open: &[OpenEntry]) -> Result<(), CycleError> {
    let now = on.how.clock.now().as_millisecond();
    let left = open.iter().map(|entry| entry.left_ms(now)).max().unwrap_or_default();
    let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else { return Ok(()) };
    (on.how.watch)(Progress::Outwaiting { seconds: left.div_ceil(1000) });
    on.until_stopped(on.how.clock.sleep(Duration::from_millis(left))).await
}

async fn settle_one(on: &Run<'_>, store: &Store, job: JobId, entry: &OpenEntry) -> Result<Ended, CycleError> {
    match entry.class {
        Class::References => return settle_reference(on, store, entry).await,
        Class::AddMembers | Class::RemoveMembers => return settle_members(on, store, entry).await,
        _ => {}
    }
    let known = store.accepted(entry.link).await.map_err(on.store())?;
    let pending = store.pending_by_id(vec![entry.link]).await.map_err(on.store())?.into_iter().next();
    match (known, pending) {
        (Some((kind, Applied::Active(is) | Applied::Inactive(is))), pending) => {
            let found = get(on, kind, &is.resource).await?;
            Ok(of_resource(on, entry, kind, &is, pending.as_ref(), found.as_ref()))
        }
        (_, Some(link)) => settle_new(on, store, job, entry, &link).await,
        _ => Ok(ended(entry, "not_done", "nothing is pending any more", After::Unchanged)),
    }
}

async fn get(on: &Run<'_>, kind: Kind, id: &ResourceId) -> Result<Option<Found>, CycleError> {
    let found = on.job.target.get(&[(kind, id.clone())]).await.map_err(on.target())?;
    Ok(found.into_iter().next().flatten())
}

/// Somebody who had no resource: an adoption is read off the resource that was adopted, a creation is looked for.
async fn settle_new(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    entry: &OpenEntry,
    link: &PendingLink,
) -> Result<Ended, CycleError> {
    if link.adopt.is_some() {
        return adopted(on, entry, link).await;
    }
    let found = landed::find(on, store, job, link).await?;
    Ok(found.map_or_else(|| not_done(entry), |found| created(entry, link, &found)))
}

/// A creation that landed is ours, even where the service shows other values.
fn created(entry: &OpenEntry, link: &PendingLink, found: &Found) -> Ended {
    match &link.desired {
        Desired::Active(wanted) if found.active && landed::shows(found, wanted) => {
            applied(entry, found, wanted.assigned(), Origin::Created, true)
        }
        _ => ended(entry, "done", SHOWN, landed::ours(found)),
    }
}

/// An adoption has nothing of its own but what it sends.
async fn adopted(on: &Run<'_>, entry: &OpenEntry, link: &PendingLink) -> Result<Ended, CycleError> {
    let (Some(adopt), Desired::Active(wanted)) = (&link.adopt, &link.desired) else {
        return Ok(not_done(entry));
    };
    let Some(found) = get(on, link.kind, &adopt.resource).await? else { return Ok(not_done(entry)) };
    if !found.active || !took(on, entry, link.kind, Some(link), &found) {
        return Ok(not_done(entry));
    }
    let sent = if adopt.origin == Origin::Joined { adopt.shown.clone() } else { wanted.assigned() };
    Ok(applied(entry, &found, sent, adopt.origin, true))
}

/// What the target shows of a resource that we had, against what was sent.
fn of_resource(
    on: &Run<'_>,
    entry: &OpenEntry,
    kind: Kind,
    is: &Accepted,
    pending: Option<&PendingLink>,
    found: Option<&Found>,
) -> Ended {
    let deletes = matches!(entry.class, Class::Delete | Class::DeleteTeams);
    let Some(found) = found else {
        // A leaver without an account is done with; anybody else is found to be lost by the next write.
        let is_done = deletes || entry.class == Class::Deactivate;
        let gone = || ended(entry, "done", "the target has it no more", After::Gone);
        return if is_done { gone() } else { not_done(entry) };
    };
    if deletes || !took(on, entry, kind, pending, found) {
        return not_done(entry);
    }
    if entry.class == Class::Deactivate {
        return applied(entry, found, is.sent.clone(), is.origin, false);
    }
    match pending.map(|link| &link.desired) {
        Some(Desired::Active(wanted)) if found.active && landed::shows(found, wanted) => {
            applied(entry, found, wanted.assigned(), is.origin, true)
        }
        _ => parked(on, entry, kind, is, found),
    }
}

/// It has what was sent and waits for the rest: a name on the way of a swap, or one that made way for somebody else's.
fn parked(on: &Run<'_>, entry: &OpenEntry, kind: Kind, is: &Accepted, found: &Found) -> Ended {
    let mut sent = is.sent.clone();
    let mapping = on.job.rules.mapping(kind);
    for edit in entry.edits.iter().filter(|edit| edit.path != "active" && !mapping.redacts(&edit.path)) {
        sent.set(edit.path.clone(), edit.new.clone().unwrap_or(Value::Null));
    }
    let Some(key) = key(&sent) else { return not_done(entry) };
    let shown = scim::shown(&found.body, sent.0.keys());
    let accepted = Accepted { sent, shown, ..is.clone() };
    ended(entry, "done", SHOWN, After::Parked { active: found.active, accepted, key })
}

/// Whether the resource shows everything that the entry sent. Values that the journal may not keep are compared with what
/// is desired.
fn took(on: &Run<'_>, entry: &OpenEntry, kind: Kind, pending: Option<&PendingLink>, found: &Found) -> bool {
    let mapping = on.job.rules.mapping(kind);
    let wanted = match pending.map(|link| &link.desired) {
        Some(Desired::Active(wanted)) => Some(wanted),
        _ => None,
    };
    entry.edits.iter().all(|Edit { path, new, .. }| {
        if path == "active" {
            return new.as_ref().and_then(Value::as_bool) == Some(found.active);
        }
        let new =
            if mapping.redacts(path) { wanted.and_then(|wanted| wanted.get(path)) } else { new.as_ref() };
        path == "externalId" || landed::has(found, path, new.unwrap_or(&Value::Null))
    })
}

const SHOWN: &str = "the target shows it";

fn applied(entry: &OpenEntry, found: &Found, sent: Attributes, origin: Origin, active: bool) -> Ended {
    let shown = scim::shown(&found.body, sent.0.keys());
    let key = key(&sent);
    let accepted = Accepted { resource: found.id.clone(), sent, shown, origin };
    ended(entry, "done", SHOWN, After::Applied { active, accepted, key })
}

fn key(sent: &Attributes) -> Option<String> {
    sent.text("userName").or_else(|| sent.text("displayName")).map(scim::fold)
}

/// Whether the person's attribute names who was meant, or nobody where nobody was.
async fn settle_reference(on: &Run<'_>, store: &Store, entry: &OpenEntry) -> Result<Ended, CycleError> {
    let person = store.resource_of(entry.link).await.map_err(on.store())?;
    let (Some(person), Some(edit)) = (person, entry.edits.first()) else { return Ok(not_done(entry)) };
    let Some(found) = get(on, Kind::User, &person).await? else { return Ok(not_done(entry)) };
    let shown = scim::shown(&found.body, [&edit.path]);
    if shown.text(&edit.path) != edit.new.as_ref().and_then(Value::as_str) {
        return Ok(not_done(entry));
    }
    let resource = shown.text(&edit.path).map(|id| ResourceId(id.to_owned()));
    let after = After::Refers { path: edit.path.clone(), resource };
    Ok(ended(entry, "done", SHOWN, after))
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
        let detail = "the target does not show members; sent again";
        return Ok(ended(entry, "not_done", detail, After::Unchanged));
    };
    let mut people = Vec::new();
    for person in &entry.people {
        let resource: Option<ResourceId> = store.resource_of(*person).await.map_err(on.store())?;
        if resource.is_some_and(|id| members.contains(&id) == adds) {
            people.push(*person);
        }
    }
    // Strangers that were driven out are known by their ids alone.
    let strangers = entry.edits.iter().filter_map(|edit| edit.old.as_ref()?.as_str());
    let is_gone = |id: &str| !members.iter().any(|member| member.0 == id);
    let all = people.len() == entry.people.len() && strangers.into_iter().all(is_gone);
    let outcome = if all { "done" } else { "not_done" };
    let after = After::Members { people: people.clone(), adds };
    Ok(Ended { people, ..ended(entry, outcome, "settled by the team's members", after) })
}

fn not_done(entry: &OpenEntry) -> Ended {
    ended(entry, "not_done", "the target shows no trace of it", After::Unchanged)
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
