//! The read `groups`: groups and their direct members in one delta feed (graph.md 6.3).

use std::collections::BTreeSet;

use serde_json::Value;

use super::batch::Part;
use super::door::Graph;
use super::door::MEMBER_READ;
use super::door::segment;
use super::place::Place;
use super::place::Round;
use super::place::Watermark;
use super::trouble::Link;
use super::trouble::Trouble;
use super::users::endless;
use super::wire;
use super::wire::ChangedGroup;
use super::wire::ChangedMember;
use super::wire::Listing;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::Next;
use crate::model::Page;
use crate::model::Record;
use crate::model::SourceId;
use crate::scim::Kind;

/// What is read of a group.
pub(super) const SELECT: &str =
    "id,displayName,description,mail,mailNickname,securityEnabled,groupTypes,visibility";

/// Groups whose members are shown only with Member.Read.Hidden (graph.md section 10).
const HIDDEN: &str = "HiddenMembership";

pub(super) async fn page(graph: &Graph, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
    let (url, link) = match (&place.link, &place.from) {
        (Some(link), _) => (graph.given(link)?, Link::Next),
        (None, Some(from)) => (graph.given(from)?, Link::Stored),
        (None, None) => (graph.own(&format!("/groups/delta?$select={SELECT},members"))?, Link::Own),
    };
    let listing: Listing<ChangedGroup> = graph.get(url, link, MEMBER_READ).await?;
    let mut records = Vec::new();
    let mut nameless = BTreeSet::new();
    for item in listing.value {
        take(item, &mut records, &mut nameless, round);
    }
    records.extend(hydrated(graph, &nameless, round).await?);
    let (next, notes) = match (listing.next, listing.delta) {
        (Some(next), _) => (Next::Page(place.at(next).cursor()), Vec::new()),
        (None, Some(delta)) => end(place, delta, round),
        (None, None) => return Err(endless("groups/delta")),
    };
    Ok(Page { records, next, further: Vec::new(), notes })
}

/// One item: a group that changed, a slice of a large one, or one that was removed. An item without the name
/// that every group has shows only what changed; the group is then read whole.
fn take(item: ChangedGroup, records: &mut Vec<Record>, nameless: &mut BTreeSet<String>, round: &mut Round) {
    let Some(id) = item.id else {
        round.left_out += 1;
        return;
    };
    let group = SourceId(id.clone());
    if let Some(removed) = item.removed {
        nameless.remove(&id);
        records.push(Record::Removed { kind: Kind::Group, id: group, standing: removed.standing() });
        return;
    }
    note_hidden(&id, item.rest.get("visibility"), &item.members, round);
    if item.rest.get("displayName").is_some_and(Value::is_string) {
        let mut row = item.rest;
        row.insert("id".to_owned(), Value::String(id));
        records.extend(wire::object(Kind::Group, row).map(Record::Object));
    } else {
        nameless.insert(id);
    }
    records.extend(item.members.into_iter().filter_map(|member| edge(&group, member, round)));
}

fn edge(group: &SourceId, member: ChangedMember, round: &mut Round) -> Option<Record> {
    let kind = member.kind();
    let (Some(id), Some(_)) = (member.id, member.kind) else {
        round.left_out += 1;
        return None;
    };
    let Some(kind) = kind else {
        round.other_kinds += 1;
        return None;
    };
    let (container, principal) = (Container::Group(group.clone()), SourceId(id));
    Some(match member.removed {
        Some(_) => Record::EdgeRemoved { container, principal, kind },
        None => Record::Edge { container, principal, kind, detail: String::new() },
    })
}

/// A hidden group that shows nobody may have members that we may not see.
fn note_hidden(id: &str, visibility: Option<&Value>, members: &[ChangedMember], round: &mut Round) {
    if !members.is_empty() {
        round.hidden.remove(id);
    } else if visibility.and_then(Value::as_str) == Some(HIDDEN) {
        round.hidden.insert(id.to_owned());
    }
}

async fn hydrated(graph: &Graph, ids: &BTreeSet<String>, round: &mut Round) -> Result<Vec<Record>, Trouble> {
    let parts: Vec<Part> =
        ids.iter().map(|id| Part::get(format!("/groups/{}?$select={SELECT}", segment(id)))).collect();
    let mut records = Vec::new();
    for answer in graph.batch(&parts).await? {
        match (answer.status, answer.body) {
            (200, Value::Object(row)) => records.extend(wire::object(Kind::Group, row).map(Record::Object)),
            (404, _) => round.vanished += 1,
            _ => round.missed += 1,
        }
    }
    Ok(records)
}

fn end(place: &Place, delta: String, round: &Round) -> (Next, Vec<String>) {
    let coverage = match (&place.from, round.left_out) {
        (None, 0) => Coverage::Full,
        (Some(_), 0) => Coverage::Changes,
        (_, _) => Coverage::Partial,
    };
    let mut covered = vec![(Collection::Groups, coverage), (Collection::AllMembers, coverage)];
    if place.from.is_none() {
        let partial = |id: &String| (Collection::Members(SourceId(id.clone())), Coverage::Partial);
        covered.extend(round.hidden.iter().map(partial));
    }
    let watermark = Watermark { link: delta, select: SELECT.to_owned() };
    let watermark = (round.missed == 0 && round.left_out == 0).then(|| watermark.encode());
    (Next::End { covered, watermark }, notes(place, round))
}

fn notes(place: &Place, round: &Round) -> Vec<String> {
    let mut notes = Vec::new();
    if round.other_kinds > 0 {
        notes.push(format!("members that are neither people nor groups do not count: {}", round.other_kinds));
    }
    if round.left_out > 0 {
        notes.push(format!("{} groups or members came without id or type and were left out", round.left_out));
    }
    if round.vanished > 0 {
        notes.push(format!("{} groups that changed are gone meanwhile", round.vanished));
    }
    if round.missed > 0 {
        notes.push(format!(
            "{} groups that changed could not be read; they are asked for again",
            round.missed
        ));
    }
    if place.from.is_none() && !round.hidden.is_empty() {
        notes.push(format!(
            "{} groups hide their members; add the application permission Member.Read.Hidden to see them",
            round.hidden.len()
        ));
    }
    notes
}
