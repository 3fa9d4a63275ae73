//! The reads `groups` and `groups:<number>`: groups and their direct members in one delta feed, of all groups or of
//! at most fifty (graph.md 6.3).

use std::sync::atomic::Ordering;

use serde_json::Value;

use super::door::Graph;
use super::door::MEMBER_READ;
use super::filter;
use super::group_rest;
use super::place::Place;
use super::place::Step;
use super::place::Watermark;
use super::round::Round;
use super::streams::IDS_MAX;
use super::trouble::Link;
use super::trouble::Trouble;
use super::users::endless;
use super::wire;
use super::wire::ChangedGroup;
use super::wire::ChangedMember;
use super::wire::Listing;
use super::wire::Row;
use crate::client::Request;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::Next;
use crate::model::Page;
use crate::model::Record;
use crate::model::SourceId;
use crate::scim::Kind;

/// What is read of every group.
pub(super) const SELECT: &str =
    "id,displayName,description,mail,mailNickname,securityEnabled,groupTypes,visibility";

/// Groups whose members are shown only with Member.Read.Hidden (graph.md section 10).
pub(super) const HIDDEN: &str = "HiddenMembership";

pub(super) async fn page(graph: &Graph, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
    let listed = Place { from: None, until: None, ..place.clone() };
    round.group_select = graph.settings.group_select();
    match place.step {
        Step::Rest => group_rest::page(graph, place, round).await,
        _ if !graph.lists_only.load(Ordering::Relaxed) => feed(graph, place, round).await,
        _ if place.is_stream() => {
            round.asked.extend(place.ids.iter().cloned());
            Ok(on(listed.to(Step::Rest), Vec::new()))
        }
        _ => list(graph, &listed, round).await,
    }
}

async fn feed(graph: &Graph, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
    let (url, link) = match (&place.link, &place.from) {
        (Some(link), _) => (graph.given(link)?, Link::Next),
        (None, Some(from)) => (graph.given(from)?, Link::Stored),
        (None, None) => (graph.own(&address(&place.ids, &graph.settings.group_select()))?, Link::Own),
    };
    let listing: Listing<ChangedGroup> = graph.ask(Request::get(url), link, MEMBER_READ).await?;
    let mut records = Vec::new();
    for item in listing.value {
        take(item, place, &mut records, round);
    }
    match (listing.next, listing.delta) {
        (Some(next), _) => Ok(on(place.at(next), records)),
        (None, Some(delta)) => {
            let place = Place { until: Some(delta), ..place.clone() };
            round.asked.extend(unshown(&place, round));
            Ok(Page { records, ..ended(&place, round) })
        }
        (None, None) => Err(endless("groups/delta")),
    }
}

/// A stream names its groups; they are at most fifty, and checked to be ids.
fn address(ids: &[String], select: &str) -> String {
    debug_assert!(ids.len() <= IDS_MAX);
    let clauses: Vec<String> = ids.iter().map(|id| format!("id eq '{id}'")).collect();
    let filter = match clauses.is_empty() {
        true => String::new(),
        false => format!("$filter={}&", filter::escaped(&clauses.join(" or "))),
    };
    format!("/groups/delta?{filter}$select={select},members")
}

/// Groups of a stream that its first round did not show: deleted, or never there.
fn unshown(place: &Place, round: &Round) -> Vec<String> {
    let first = place.from.is_none();
    let unshown = place.ids.iter().filter(|id| first && !round.shown.contains(&id.to_lowercase()));
    unshown.cloned().collect()
}

/// In a tenant without feeds: groups from the list, and a read of the members of each.
async fn list(graph: &Graph, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
    let (url, link) = match &place.link {
        Some(link) => (graph.given(link)?, Link::Next),
        None => {
            let settings = &graph.settings;
            let address = format!("/groups?$top={}&$select={}", settings.page_size, settings.group_select());
            (graph.own(&address)?, Link::Own)
        }
    };
    let listing: Listing<Row> = graph.ask(Request::get(url), link, MEMBER_READ).await?;
    let mut records = Vec::new();
    for object in listing.value.into_iter().map(|row| wire::object(Kind::Group, row)) {
        match object {
            Some(object) => {
                round.unlisted.insert(object.id.0.clone());
                records.push(Record::Object(object));
            }
            None => round.left_out += 1,
        }
    }
    match listing.next {
        Some(next) => Ok(on(place.at(next), records)),
        None => Ok(Page { records, ..group_rest::end(place, round) }),
    }
}

/// One item: a group that changed, a slice of a large one, or one that was removed. An item without the name
/// that every group has shows only what changed; the group is then read whole.
fn take(item: ChangedGroup, place: &Place, records: &mut Vec<Record>, round: &mut Round) {
    let Some(id) = item.id else {
        round.left_out += 1;
        return;
    };
    let group = SourceId(id.clone());
    round.shown.extend(place.is_stream().then(|| id.to_lowercase()));
    if let Some(removed) = item.removed {
        round.asked.remove(&id);
        round.unlisted.remove(&id);
        round.went(&id, removed.standing());
        records.push(Record::Removed { kind: Kind::Group, id: group, standing: removed.standing() });
        return;
    }
    // What happened to its members while it was in the recycle bin, no feed tells.
    if place.from.is_some() && round.is_back(&id) {
        round.came_back(&id);
        round.unlisted.insert(id.clone());
    }
    note_hidden(&id, item.rest.get("visibility"), &item.members, round);
    if item.rest.get("displayName").is_some_and(Value::is_string) {
        let mut row = item.rest;
        row.insert("id".to_owned(), Value::String(id));
        records.extend(wire::object(Kind::Group, row).map(Record::Object));
    } else {
        round.asked.insert(id);
    }
    records.extend(item.members.into_iter().filter_map(|member| edge(&group, member, round)));
}

pub(super) fn edge(group: &SourceId, member: ChangedMember, round: &mut Round) -> Option<Record> {
    let kind = member.kind();
    let (Some(id), Some(_)) = (member.id, member.kind) else {
        round.left_out += 1;
        return None;
    };
    let Some(kind) = kind else {
        round.other_kinds += 1;
        return None;
    };
    if kind == Kind::Group && member.removed.is_none() {
        round.named.insert(id.clone());
    }
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

pub(super) fn hidden_note(count: usize) -> String {
    format!(
        "{count} groups hide their members; add the application permission Member.Read.Hidden to see them"
    )
}

pub(super) fn on(place: Place, records: Vec<Record>) -> Page {
    Page { records, next: Next::Page(place.cursor()), further: Vec::new(), notes: Vec::new() }
}

/// The feed has ended; groups that it did not show whole come where there are any.
fn ended(place: &Place, round: &Round) -> Page {
    if round.asked.is_empty() { group_rest::end(place, round) } else { on(place.to(Step::Rest), Vec::new()) }
}

/// Nothing is known of what the read would have shown.
pub(super) fn unread(place: &Place) -> Vec<(Collection, Coverage)> {
    let all = [(Collection::Groups, Coverage::Partial), (Collection::AllMembers, Coverage::Partial)];
    let of = |id: &String| (Collection::Members(SourceId(id.clone())), Coverage::Partial);
    if place.is_stream() { place.ids.iter().map(of).collect() } else { all.to_vec() }
}

pub(super) fn watermark(place: &Place, round: &Round) -> Option<Watermark> {
    Some(Watermark {
        link: place.until.clone()?,
        select: round.group_select.clone(),
        gone: round.gone(),
        ids: place.ids.clone(),
        layout: place.layout,
        ..Watermark::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_names_its_groups_and_the_feed_of_all_names_none() {
        let ids = ["g1", "g2"].map(str::to_owned);
        let stream = address(&ids, SELECT);
        assert!(stream.starts_with("/groups/delta?$filter=id%20eq%20'g1'%20or%20id%20eq%20'g2'&$select=id,"));
        assert_eq!(address(&[], "id,classification"), "/groups/delta?$select=id,classification,members");
    }
}
