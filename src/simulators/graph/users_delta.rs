//! `/users/delta` (graph.md sections 6.1, 6.2 and 6.4).

use std::collections::BTreeSet;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::json;

use super::super::directory::Life;
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
use super::listing::shuffle;
use super::person;
use super::users;
use super::users::Unset;

const FEED: Feed =
    Feed { name: "users", kind: "user", tables: &[users::DEFAULT, users::FURTHER, &["manager"]] };

/// What happened to one person in the round.
struct Change {
    person: u32,
    /// `None`: all of it (created, restored).
    touched: Option<BTreeSet<Box<str>>>,
}

pub(super) fn page(view: &View) -> Reply {
    let round = match delta::start(view, &FEED, view.directory.people.len() as u32)? {
        Start::Page(round) => round,
        Start::Done(answer) => return Ok(answer),
    };
    let size = Room::of(view).objects;
    let (items, next) = match round.since {
        None => first(view, &round, size),
        Some(since) => later(view, &round, since, size),
    };
    Ok(delta::body(view, &FEED, round, items, next))
}

/// Where a page begins: one place earlier where a knob wants the last item again.
fn begin(view: &View, round: &Round) -> (u32, usize) {
    if view.knobs.duplicate_items && round.at > 0 { (round.at - 1, 1) } else { (round.at, 0) }
}

/// People from a place on, and where the next page begins.
fn first(view: &View, round: &Round, size: usize) -> (Vec<Value>, Place) {
    let (from, again) = begin(view, round);
    let mut wanted = (from..round.all).filter_map(|place| {
        let index = round.index(view, place);
        let person = view.directory.people.get(index as usize)?;
        let is_shown = person.live() || view.knobs.removed_in_first_round;
        (is_shown && round.wish.wants_id(&person.id)).then_some((place, index))
    });
    let items = wanted
        .by_ref()
        .take(size + again)
        .map(|(_, person)| match removal(view, person) {
            Some(removal) => removal,
            None => whole(view, &round.wish, person, true),
        })
        .collect();
    (items, wanted.next().map(|(place, _)| (place, None)))
}

fn later(view: &View, round: &Round, since: usize, size: usize) -> (Vec<Value>, Place) {
    let minimal = delta::is_minimal(view);
    let upto = round.upto.min(view.directory.log.len());
    let changes = changes(view, &round.wish, view.directory.log.get(since..upto).unwrap_or_default());
    let all = changes.len() as u32;
    let (from, again) = begin(view, round);
    let to = (from as usize + size + again).min(changes.len()) as u32;
    let place = |place| if view.knobs.shuffled_order { shuffle(place, all) } else { place };
    let items = (from..to).map(|at| item(view, &round.wish, &changes[place(at) as usize], minimal));
    (items.collect(), (to < all).then_some((to, None)))
}

/// Who changed, in order of the first entry that concerns the client.
fn changes(view: &View, wish: &Wish, log: &[Event]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut places: HashMap<u32, usize> = HashMap::new();
    for event in log {
        let (person, touched) = match event {
            Event::PersonCreated(person) | Event::PersonDeleted(person) | Event::PersonPurged(person) => {
                (*person, None)
            }
            // A restored user may give no entry where properties were selected (graph.md section 6.4, 6).
            Event::PersonRestored(person) if wish.select.is_none() || !view.knobs.silent_restore => {
                (*person, None)
            }
            Event::PersonChanged(person, names) if names.iter().any(|name| wish.wants(name)) => {
                (*person, Some(names))
            }
            _ => continue,
        };
        let known = view.directory.person(person);
        if !wish.wants_id(&known.id) || (view.knobs.silent_deletions && !known.live()) {
            continue;
        }
        let place = *places.entry(person).or_insert_with(|| {
            changes.push(Change { person, touched: Some(BTreeSet::new()) });
            changes.len() - 1
        });
        match (&mut changes[place].touched, touched) {
            (Some(known), Some(names)) => known.extend(names.iter().cloned()),
            (known, None) => *known = None,
            (None, _) => {}
        }
    }
    changes
}

/// How somebody who is not there any more is shown.
fn removal(view: &View, index: u32) -> Option<Value> {
    let person = view.directory.person(index);
    let reason = match person.life {
        Life::Deleted(_) => "changed",
        Life::Purged => "deleted",
        Life::Live => return None,
    };
    Some(json!({ "id": *person.id, "@removed": { "reason": reason } }))
}

fn item(view: &View, wish: &Wish, change: &Change, minimal: bool) -> Value {
    if let Some(removal) = removal(view, change.person) {
        return removal;
    }
    let manager_changed = change.touched.as_ref().is_none_or(|touched| touched.contains("manager"));
    let mut item = whole(view, wish, change.person, manager_changed);
    if let (true, Some(touched), Value::Object(properties)) = (minimal, &change.touched, &mut item) {
        properties
            .retain(|name, _| name == "id" || name == "manager@delta" || touched.contains(name.as_str()));
    }
    item
}

/// The object as it is now. A manager that did not change is not repeated; one that was taken away is shown as
/// removed (graph.md section 6.2).
fn whole(view: &View, wish: &Wish, index: u32, with_manager: bool) -> Value {
    let person = view.directory.person(index);
    let select: Option<Vec<String>> = wish
        .select
        .as_ref()
        .map(|names| names.iter().filter(|&name| name != "manager" && name != "id").cloned().collect());
    let mut item = person::properties(person, select.as_deref(), Unset::LeftOut);
    item.insert("id".to_owned(), json!(*person.id));
    let wants_manager = wish.select.as_ref().is_some_and(|names| names.iter().any(|name| name == "manager"));
    if !with_manager || !wants_manager {
        return Value::Object(item);
    }
    let link = |manager: u32| json!({ "@odata.type": "#microsoft.graph.user", "id": *view.directory.person(manager).id });
    match (person.manager, person.manager_before) {
        (Some(manager), _) => {
            item.insert("manager@delta".to_owned(), json!([link(manager)]));
        }
        (None, Some(before)) => {
            let mut gone = link(before);
            gone["@removed"] = json!({ "reason": "deleted" });
            item.insert("manager@delta".to_owned(), json!([gone]));
        }
        (None, None) => {}
    }
    Value::Object(item)
}
