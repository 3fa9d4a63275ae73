//! `/groups/delta` with `members@delta`; big groups are sliced over pages (graph.md sections 6.1, 6.3 and 6.4).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::Value;
use serde_json::json;

use super::super::directory::Life;
use super::super::directory::Principal;
use super::super::events::Event;
use super::super::exchange::Answer;
use super::Reply;
use super::View;
use super::delta;
use super::delta::Round;
use super::delta::Start;
use super::delta::Wish;
use super::groups;
use super::members::odata_type;
use super::users::Unset;

/// A link, and whether it was added (or is there, in a first round).
type Link = (Principal, bool);

/// What happened to one group in the round.
#[derive(Default)]
struct Change {
    /// `None`: all of it (created, restored).
    touched: Option<BTreeSet<Box<str>>>,
    /// The last thing that happened to each link.
    links: BTreeMap<Principal, bool>,
}

/// What a page still has room for.
struct Room {
    objects: usize,
    links: usize,
}

pub(super) fn page(view: &View) -> Reply {
    let tables = [groups::DEFAULT, groups::FURTHER, &["members"]];
    let mut round = match delta::start(view, "group", "groups", &tables)? {
        Start::Page(round) => round,
        Start::Latest(wish) => {
            let seen = view.directory.log.len();
            return Ok(Answer::json(200, delta::body_with_delta(view, "groups", &wish, seen, Vec::new())));
        }
    };
    let (objects, links) = delta::page_size(view.request);
    let room = Room { objects, links };
    let (items, next) = match round.since {
        None => first(view, &round, room),
        Some(since) => later(view, &round, since, room),
    };
    let body = match next {
        Some((at, after)) => {
            (round.at, round.after) = (at, after);
            delta::body_with_next(view, "groups", &round, items)
        }
        None => delta::body_with_delta(view, "groups", &round.wish, round.upto, items),
    };
    Ok(Answer::json(200, body))
}

/// The place that the next page begins at.
type Place = Option<(u32, Option<Principal>)>;

fn first(view: &View, round: &Round, mut room: Room) -> (Vec<Value>, Place) {
    let all = view.directory.groups.len() as u32;
    let with_members = round.wish.wants("members");
    let mut items = Vec::new();
    for index in round.at..all {
        let group = view.directory.group(index);
        if !group.live() || !round.wish.wants_id(&group.id) {
            continue;
        }
        if room.objects == 0 || (room.links == 0 && with_members) {
            return (items, Some((index, None)));
        }
        let after = round.after.filter(|_| index == round.at);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let members = group.members.range((from, Bound::Unbounded)).filter(|_| with_members);
        // A soft-deleted member keeps the membership, hidden (graph.md section 6.4, 8).
        let live = members.filter(|&&member| view.directory.is_live(member)).map(|&member| (member, true));
        let (links, more) = slice(live, &mut room);
        let last = links.last().map(|link| link.0);
        items.push(whole(view, &round.wish, index, links));
        if more {
            return (items, Some((index, last)));
        }
    }
    (items, None)
}

fn later(view: &View, round: &Round, since: usize, mut room: Room) -> (Vec<Value>, Place) {
    let minimal = delta::is_minimal(view.request);
    let changes = changes(view, &round.wish, &view.directory.log[since..round.upto]);
    let mut items = Vec::new();
    for (place, (group, change)) in changes.iter().enumerate().skip(round.at as usize) {
        let place = place as u32;
        if room.objects == 0 || (room.links == 0 && !change.links.is_empty()) {
            return (items, Some((place, None)));
        }
        let after = round.after.filter(|_| place == round.at);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = change.links.range((from, Bound::Unbounded)).map(|(&member, &added)| (member, added));
        let (links, more) = slice(rest, &mut room);
        let last = links.last().map(|link| link.0);
        items.push(item(view, &round.wish, *group, change, links, minimal));
        if more {
            return (items, Some((place, last)));
        }
    }
    (items, None)
}

/// As many links as there is room for, and whether some are left; takes the room.
fn slice(links: impl Iterator<Item = Link>, room: &mut Room) -> (Vec<Link>, bool) {
    let mut taken: Vec<Link> = links.take(room.links + 1).collect();
    let more = taken.len() > room.links;
    taken.truncate(room.links);
    room.links -= taken.len();
    room.objects -= 1;
    (taken, more)
}

/// What changed, in order of the first entry of each group.
fn changes(view: &View, wish: &Wish, log: &[Event]) -> Vec<(u32, Change)> {
    let mut changes: Vec<(u32, Change)> = Vec::new();
    let mut places: BTreeMap<u32, usize> = BTreeMap::new();
    for event in log {
        let group = match event {
            Event::GroupCreated(group)
            | Event::GroupDeleted(group)
            | Event::GroupRestored(group)
            | Event::GroupPurged(group) => *group,
            Event::GroupChanged(group, names) if names.iter().any(|name| wish.wants(name)) => *group,
            Event::MemberAdded(group, _) | Event::MemberRemoved(group, _) if wish.wants("members") => *group,
            Event::MemberRestored(group, _) if wish.wants("members") && !view.knobs.silent_restore => *group,
            _ => continue,
        };
        if !wish.wants_id(&view.directory.group(group).id) {
            continue;
        }
        let place = *places.entry(group).or_insert_with(|| {
            changes.push((group, Change { touched: Some(BTreeSet::new()), ..Change::default() }));
            changes.len() - 1
        });
        let change = &mut changes[place].1;
        match event {
            Event::MemberAdded(_, member) | Event::MemberRestored(_, member) => {
                change.links.insert(*member, true);
            }
            Event::MemberRemoved(_, member) => {
                change.links.insert(*member, false);
            }
            Event::GroupChanged(_, names) => {
                if let Some(touched) = &mut change.touched {
                    touched.extend(names.iter().cloned());
                }
            }
            // A group that comes back from the recycle bin comes with its members.
            Event::GroupRestored(_) => {
                change.touched = None;
                let members = view.directory.group(group).members.iter();
                change.links.extend(members.filter(|_| wish.wants("members")).map(|&member| (member, true)));
            }
            _ => change.touched = None,
        }
    }
    for (group, change) in &mut changes {
        if !view.directory.group(*group).live() {
            change.links.clear();
        }
    }
    changes
}

fn item(view: &View, wish: &Wish, index: u32, change: &Change, links: Vec<Link>, minimal: bool) -> Value {
    let group = view.directory.group(index);
    let removed = |reason: &str| json!({ "id": *group.id, "@removed": { "reason": reason } });
    match group.life {
        Life::Deleted(_) => return removed("changed"),
        Life::Purged => return removed("deleted"),
        Life::Live => {}
    }
    let mut item = whole(view, wish, index, links);
    if let (true, Some(touched), Value::Object(properties)) = (minimal, &change.touched, &mut item) {
        properties
            .retain(|name, _| name == "id" || name == "members@delta" || touched.contains(name.as_str()));
    }
    item
}

/// The object as it is now with a slice of its links; a group without links lacks them (graph.md section 6.3).
fn whole(view: &View, wish: &Wish, index: u32, links: Vec<Link>) -> Value {
    let group = view.directory.group(index);
    let mut item = groups::properties(group, wish.select.as_deref(), Unset::LeftOut);
    item.insert("id".to_owned(), json!(*group.id));
    if !links.is_empty() {
        let links = links.into_iter().map(|(member, added)| {
            let mut link = json!({
                "@odata.type": odata_type(view.directory, member),
                "id": view.directory.id_of(member),
            });
            if !added {
                link["@removed"] = json!({ "reason": "deleted" });
            }
            link
        });
        item.insert("members@delta".to_owned(), links.collect());
    }
    Value::Object(item)
}
