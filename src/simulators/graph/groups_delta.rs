//! `/groups/delta` with `members@delta`; big groups are sliced over pages (graph.md sections 6.1, 6.3 and 6.4).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::Value;
use serde_json::json;

use super::super::directory::Life;
use super::super::directory::Principal;
use super::super::events::Event;
use super::Reply;
use super::View;
use super::delta;
use super::delta::Feed;
use super::delta::Place;
use super::delta::Room;
use super::delta::Round;
use super::delta::Start;
use super::delta::Wish;
use super::groups;
use super::listing::shuffle;
use super::members::odata_type;
use super::users::Unset;

const FEED: Feed =
    Feed { name: "groups", kind: "group", tables: &[groups::DEFAULT, groups::FURTHER, &["members"]] };

/// A link, and whether it was added (or is there, in a first round).
type Link = (Principal, bool);

/// What happened to one group in the round.
#[derive(Default)]
struct Change {
    group: u32,
    /// `None`: all of it (created, restored).
    touched: Option<BTreeSet<Box<str>>>,
    /// The last thing that happened to each link.
    links: BTreeMap<Principal, bool>,
}

pub(super) fn page(view: &View) -> Reply {
    let round = match delta::start(view, &FEED, view.directory.groups.len() as u32)? {
        Start::Page(round) => round,
        Start::Done(answer) => return Ok(answer),
    };
    let room = Room::of(view);
    let (items, next) = match round.since {
        None => first(view, &round, room),
        Some(since) => later(view, &round, since, room),
    };
    // A reported bug: where members are asked for, the round begins again and never ends (contrib issue 7311).
    let endless = view.knobs.endless_groups_delta && round.wish.wants("members");
    let next = if endless { next.or(Some((0, None))) } else { next };
    Ok(delta::body(view, &FEED, round, items, next))
}

/// The place before comes again, where a knob wants that and the page does not begin within a group.
fn begin(view: &View, round: &Round, room: &mut Room) -> u32 {
    if view.knobs.duplicate_items && round.at > 0 && round.after.is_none() {
        room.objects += 1;
        return round.at - 1;
    }
    round.at
}

fn first(view: &View, round: &Round, mut room: Room) -> (Vec<Value>, Place) {
    let with_members = round.wish.wants("members");
    let mut items = Vec::new();
    for place in begin(view, round, &mut room)..round.all {
        let index = round.index(view, place);
        let Some(group) = view.directory.groups.get(index as usize) else { continue };
        let is_shown = group.live() || view.knobs.removed_in_first_round;
        if !is_shown || !round.wish.wants_id(&group.id) {
            continue;
        }
        if room.objects == 0 || (room.links == 0 && with_members) {
            return (items, Some((place, None)));
        }
        if let Some(removal) = removal(view, index) {
            room.objects -= 1;
            items.push(removal);
            continue;
        }
        let after = round.after.filter(|_| place == round.at);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let (links, more) = slice(members(view, index, from).filter(|_| with_members), &mut room);
        let last = links.last().map(|link| link.0);
        items.push(whole(view, &round.wish, index, links));
        // What comes again is not cut once more, or the round would never pass it.
        if place < round.at {
            room.links = room.links.max(1);
        } else if more {
            return (items, Some((place, last)));
        }
    }
    (items, None)
}

/// The links of a first round: live members. A soft-deleted one keeps the membership, hidden (section 6.4, 8).
fn members<'a>(view: &View<'a>, index: u32, from: Bound<Principal>) -> Box<dyn Iterator<Item = Link> + 'a> {
    let directory = view.directory;
    if !view.may_read_members(index) {
        return Box::new(std::iter::empty());
    }
    let there = |members: &'a BTreeSet<Principal>| members.range((from, Bound::Unbounded)).copied();
    let live = there(&directory.group(index).members)
        .filter(|&member| directory.is_live(member))
        .map(|member| (member, true));
    if !view.knobs.removed_members_in_first_round {
        return Box::new(live);
    }
    // Those who left before are shown too (docs issue 6651).
    let left = directory.log.iter().filter_map(|event| match event {
        Event::MemberRemoved(group, member) if *group == index => Some((*member, false)),
        _ => None,
    });
    let links: BTreeMap<Principal, bool> = left.chain(live).collect();
    Box::new(links.into_iter().filter(move |(member, _)| match from {
        Bound::Excluded(last) => *member > last,
        _ => true,
    }))
}

fn later(view: &View, round: &Round, since: usize, mut room: Room) -> (Vec<Value>, Place) {
    let minimal = delta::is_minimal(view);
    let upto = round.upto.min(view.directory.log.len());
    let changes = changes(view, &round.wish, view.directory.log.get(since..upto).unwrap_or_default());
    let all = changes.len() as u32;
    let mut items = Vec::new();
    for place in begin(view, round, &mut room)..all {
        let change = &changes[if view.knobs.shuffled_order { shuffle(place, all) } else { place } as usize];
        if room.objects == 0 || (room.links == 0 && !change.links.is_empty()) {
            return (items, Some((place, None)));
        }
        let after = round.after.filter(|_| place == round.at);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = change.links.range((from, Bound::Unbounded)).map(|(&member, &added)| (member, added));
        let (links, more) = slice(rest, &mut room);
        let last = links.last().map(|link| link.0);
        items.push(item(view, &round.wish, change, links, minimal));
        if place < round.at {
            room.links = room.links.max(1);
        } else if more {
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
    room.objects = room.objects.saturating_sub(1);
    (taken, more)
}

/// What changed, in order of the first entry of each group.
fn changes(view: &View, wish: &Wish, log: &[Event]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut places: BTreeMap<u32, usize> = BTreeMap::new();
    for event in log {
        let group = match event {
            Event::GroupCreated(group)
            | Event::GroupDeleted(group)
            | Event::GroupRestored(group)
            | Event::GroupPurged(group) => *group,
            Event::GroupChanged(group, names) if names.iter().any(|name| wish.wants(name)) => *group,
            Event::MemberRemoved(_, member) if is_silent(view, *member) => continue,
            Event::MemberAdded(group, _) | Event::MemberRemoved(group, _) if wish.wants("members") => *group,
            Event::MemberRestored(group, _) if wish.wants("members") && !view.knobs.silent_restore => *group,
            _ => continue,
        };
        if !wish.wants_id(&view.directory.group(group).id) {
            continue;
        }
        let place = *places.entry(group).or_insert_with(|| {
            changes.push(Change { group, touched: Some(BTreeSet::new()), links: BTreeMap::new() });
            changes.len() - 1
        });
        let change = &mut changes[place];
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
    for change in &mut changes {
        if !view.directory.group(change.group).live() || !view.may_read_members(change.group) {
            change.links.clear();
        }
    }
    changes
}

/// A purged member may give no entry (docs issue 14708).
fn is_silent(view: &View, member: Principal) -> bool {
    let is_purged =
        matches!(member, Principal::User(person) if view.directory.person(person).life == Life::Purged);
    is_purged && view.knobs.silent_member_purges
}

/// How a group that is not there any more is shown.
fn removal(view: &View, index: u32) -> Option<Value> {
    let group = view.directory.group(index);
    let reason = match group.life {
        Life::Deleted(_) => "changed",
        Life::Purged => "deleted",
        Life::Live => return None,
    };
    Some(json!({ "id": *group.id, "@removed": { "reason": reason } }))
}

fn item(view: &View, wish: &Wish, change: &Change, links: Vec<Link>, minimal: bool) -> Value {
    if let Some(removal) = removal(view, change.group) {
        return removal;
    }
    let mut item = whole(view, wish, change.group, links);
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
