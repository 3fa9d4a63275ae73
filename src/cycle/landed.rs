//! Creations whose answer never came: what the target has that only we can have made.

use std::collections::BTreeSet;

use serde_json::Value;

use super::CycleError;
use super::Run;
use crate::model::Desired;
use crate::scim;
use crate::scim::Attributes;
use crate::store::After;
use crate::store::JobId;
use crate::store::PendingLink;
use crate::store::Store;
use crate::targets::Found;
use crate::targets::Lookup;

/// What makes somebody unique at most services, after what the mapping matches by.
const USUAL: [&str; 3] = ["externalId", "userName", "displayName"];

/// Exactly one resource that carries what we sent, and is nobody else's. It is asked for by what the mapping matches by,
/// then by what else the target lets itself be asked for.
pub(super) async fn find(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    link: &PendingLink,
) -> Result<Option<Found>, CycleError> {
    let Desired::Active(wanted) = &link.desired else { return Ok(None) };
    let matching: Vec<&str> =
        on.job.rules.mapping(link.kind).matching().iter().map(|row| row.target.as_str()).collect();
    let mut asked = BTreeSet::new();
    for (path, of_mapping) in
        matching.iter().map(|path| (*path, true)).chain(USUAL.iter().map(|path| (*path, false)))
    {
        let Some(value) = wanted.text(path).filter(|_| asked.insert(path)) else { continue };
        let lookup = Lookup { kind: link.kind, path: path.to_owned(), value: value.to_owned() };
        let hits = match on.job.target.find(&[lookup]).await {
            Ok(mut hits) => hits.pop().unwrap_or_default(),
            Err(error) if of_mapping => return Err(on.target()(error)),
            // Nobody has to be able to answer what no mapping asks.
            Err(_) => continue,
        };
        let ids = hits.iter().map(|hit| hit.id.clone()).collect();
        let linked = store.linked(job, ids).await.map_err(on.store())?;
        let mut free = hits.into_iter().filter(|hit| !linked.contains_key(&hit.id) && carries(hit, wanted));
        if let (Some(hit), None) = (free.next(), free.next()) {
            return Ok(Some(hit));
        }
    }
    Ok(None)
}

/// A creation that was refused because the target has it already: where an earlier one was not found when the target was
/// asked, it has arrived since.
pub(super) async fn after_all(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    link: &PendingLink,
) -> Result<Option<After>, CycleError> {
    if !store.was_not_found(link.link).await.map_err(on.store())? {
        return Ok(None);
    }
    let found = find(on, store, job, link).await?;
    Ok(found.as_ref().map(ours))
}

/// A resource of which nothing is known but that we made it: what differs is sent as an update.
pub(super) fn ours(found: &Found) -> After {
    let names = scim::shown(&found.body, ["userName", "displayName"]);
    let key = names.text("userName").or_else(|| names.text("displayName")).map(scim::fold);
    After::Found { resource: found.id.clone(), active: found.active, key }
}

/// Where we sent an `externalId`, the resource has to show it; where the service keeps none, what else we sent.
fn carries(found: &Found, wanted: &Attributes) -> bool {
    match (wanted.text("externalId"), found.body.get("externalId").and_then(Value::as_str)) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => shows(found, wanted),
    }
}

/// Whether the resource has all of these values.
pub(super) fn shows(found: &Found, wanted: &Attributes) -> bool {
    wanted.iter().all(|(path, value)| path == "externalId" || has(found, path, value))
}

/// Whether the resource has this value; `null` is none.
pub(super) fn has(found: &Found, path: &str, value: &Value) -> bool {
    let shown = scim::shown(&found.body, [path]);
    shown.get(path).map_or(value.is_null(), |is| scim::same_value(path, is, value))
}
