//! `/users/delta` (graph.md sections 6.1, 6.2 and 6.4).

use std::collections::BTreeSet;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::json;

use super::super::directory::Life;
use super::super::events::Event;
use super::super::exchange::Answer;
use super::Reply;
use super::View;
use super::delta;
use super::delta::Round;
use super::delta::Start;
use super::delta::Wish;
use super::users;
use super::users::Unset;

/// What happened to one person in the round.
struct Change {
    person: u32,
    /// `None`: all of it (created, restored).
    touched: Option<BTreeSet<Box<str>>>,
}

pub(super) fn page(view: &View) -> Reply {
    let tables = [users::DEFAULT, users::FURTHER, &["manager"]];
    let mut round = match delta::start(view, "user", "users", &tables)? {
        Start::Page(round) => round,
        Start::Latest(wish) => {
            let seen = view.directory.log.len();
            return Ok(Answer::json(200, delta::body_with_delta(view, "users", &wish, seen, Vec::new())));
        }
    };
    let (size, _) = delta::page_size(view.request);
    let (items, next) = match round.since {
        None => first(view, &round, size),
        Some(since) => later(view, &round, since, size),
    };
    let body = match next {
        Some(at) => {
            round.at = at;
            delta::body_with_next(view, "users", &round, items)
        }
        None => delta::body_with_delta(view, "users", &round.wish, round.upto, items),
    };
    Ok(Answer::json(200, body))
}

/// Live people from a place on, and where the next page begins.
fn first(view: &View, round: &Round, size: usize) -> (Vec<Value>, Option<u32>) {
    let all = view.directory.people.len() as u32;
    let mut wanted = (round.at..all).filter(|&index| {
        let person = view.directory.person(index);
        person.live() && round.wish.wants_id(&person.id)
    });
    let items = wanted.by_ref().take(size).map(|person| whole(view, &round.wish, person, true)).collect();
    (items, wanted.next())
}

fn later(view: &View, round: &Round, since: usize, size: usize) -> (Vec<Value>, Option<u32>) {
    let minimal = delta::is_minimal(view.request);
    let changes = changes(view, &round.wish, &view.directory.log[since..round.upto]);
    let from = round.at as usize;
    let items = changes.iter().skip(from).take(size).map(|change| item(view, &round.wish, change, minimal));
    let next = (from + size < changes.len()).then_some(round.at + size as u32);
    (items.collect(), next)
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
        if !wish.wants_id(&view.directory.person(person).id) {
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

fn item(view: &View, wish: &Wish, change: &Change, minimal: bool) -> Value {
    let person = view.directory.person(change.person);
    let removed = |reason: &str| json!({ "id": *person.id, "@removed": { "reason": reason } });
    match person.life {
        Life::Deleted(_) => return removed("changed"),
        Life::Purged => return removed("deleted"),
        Life::Live => {}
    }
    let manager_changed = change.touched.as_ref().is_none_or(|touched| touched.contains("manager"));
    let mut item = whole(view, wish, change.person, manager_changed);
    if let (true, Some(touched), Value::Object(properties)) = (minimal, &change.touched, &mut item) {
        properties
            .retain(|name, _| name == "id" || name == "manager@delta" || touched.contains(name.as_str()));
    }
    item
}

/// The object as it is now. A manager that did not change is not repeated (graph.md section 6.2).
fn whole(view: &View, wish: &Wish, index: u32, with_manager: bool) -> Value {
    let person = view.directory.person(index);
    let select: Option<Vec<String>> = wish
        .select
        .as_ref()
        .map(|names| names.iter().filter(|&name| name != "manager" && name != "id").cloned().collect());
    let mut item = users::properties(person, select.as_deref(), Unset::LeftOut);
    item.insert("id".to_owned(), json!(*person.id));
    let wants_manager = wish.select.as_ref().is_some_and(|names| names.iter().any(|name| name == "manager"));
    if let (true, true, Some(manager)) = (with_manager, wants_manager, person.manager) {
        let id = &*view.directory.person(manager).id;
        let link = json!([{ "@odata.type": "#microsoft.graph.user", "id": id }]);
        item.insert("manager@delta".to_owned(), link);
    }
    Value::Object(item)
}
