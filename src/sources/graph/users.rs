//! The read `users`: the delta link of now, the recycle bin and the whole list; later the delta feed, whose people
//! are read whole (graph.md 6.6 R2 and R6).
//!
//! What the feed names is collected to the end of the round and read then: whoever is named twice is read once, and
//! no page token grows old meanwhile.

use std::ops::Bound;
use std::sync::atomic::Ordering;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::door::Graph;
use super::door::USER_READ;
use super::people;
use super::place::Place;
use super::place::Step;
use super::place::Watermark;
use super::round::Heard;
use super::round::Round;
use super::trouble::Link;
use super::trouble::Trouble;
use super::wire::ChangedUser;
use super::wire::Listing;
use super::wire::Row;
use crate::client::Request;
use crate::model::Collection;
use crate::model::Coverage;
use crate::model::Next;
use crate::model::Page;
use crate::model::Record;
use crate::model::SourceId;
use crate::model::Standing;
use crate::scim::Kind;
use crate::sources::SourceError;

/// Where more people changed, a list costs less than their batches: 1000 batches of 20 are a tenant of a million.
const CHANGED_MAX: usize = 20_000;

/// People of the step `Rest` in one turn: ten batches.
const REST_CHUNK: usize = 200;

#[derive(Deserialize)]
struct Binned {
    id: Option<String>,
}

pub(super) async fn page(graph: &Graph, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
    match (place.step, &place.from) {
        (Step::Feed, Some(_)) if graph.lists_only.load(Ordering::Relaxed) => {
            Ok(on(place.whole(), Vec::new()))
        }
        (Step::Feed, Some(from)) => changes(graph, place, from, round).await,
        (Step::Feed, None) => latest(graph, place).await,
        (Step::Bin, _) => bin(graph, place, round).await,
        (Step::List, _) => list(graph, place, round).await,
        (Step::Rest, _) => rest(graph, place, round).await,
    }
}

/// From now on: taken before the list, so that nothing falls between the two. A tenant without feeds is only listed.
async fn latest(graph: &Graph, place: &Place) -> Result<Page, Trouble> {
    if graph.lists_only.load(Ordering::Relaxed) {
        return Ok(on(place.to(Step::Bin), Vec::new()));
    }
    let (url, link) = match &place.link {
        Some(link) => (graph.given(link)?, Link::Next),
        None => {
            let address = format!("/users/delta?$deltatoken=latest&{}", graph.select.feed());
            (graph.own(&address)?, Link::Own)
        }
    };
    let listing: Listing<IgnoredAny> = graph.ask(Request::get(url), link, USER_READ).await?;
    match (listing.delta, listing.next) {
        (Some(delta), _) => Ok(on(Place { until: Some(delta), ..place.to(Step::Bin) }, Vec::new())),
        (None, Some(next)) => Ok(on(place.at(next), Vec::new())),
        (None, None) => Err(endless("users/delta")),
    }
}

/// Who is in the recycle bin is removed by an event that a list cannot show, and may come back. Read before the list,
/// so that whoever is in both counts as there. It is not worth the cycle: without it they are merely missing.
async fn bin(graph: &Graph, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
    let (url, link) = match &place.link {
        Some(link) => (graph.given(link)?, Link::Next),
        None => {
            let size = graph.settings.page_size;
            let address = format!("/directory/deletedItems/microsoft.graph.user?$select=id&$top={size}");
            (graph.own(&address)?, Link::Own)
        }
    };
    let list = place.to(Step::List);
    let listing: Listing<Binned> = match graph.ask(Request::get(url), link, USER_READ).await {
        Ok(listing) => listing,
        Err(Trouble::Denied { what, .. } | Trouble::Missing { what } | Trouble::Unsupported { what, .. }) => {
            let note = format!(
                "the recycle bin could not be listed ({what}): who comes back from it may be back in their groups \
                 only after the next full read"
            );
            return Ok(Page { notes: vec![note], ..on(list, Vec::new()) });
        }
        Err(trouble) => return Err(trouble),
    };
    let standing = Standing::SoftDeleted;
    let mut records = Vec::new();
    for id in listing.value.into_iter().filter_map(|row| row.id) {
        round.went(&id, standing);
        records.push(Record::Removed { kind: Kind::User, id: SourceId(id), standing });
    }
    Ok(on(listing.next.map_or(list, |next| place.at(next)), records))
}

/// A row without `accountEnabled` shows less than was asked for (graph.md 6.7); who it is, is asked again.
async fn list(graph: &Graph, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
    let (url, link) = match &place.link {
        Some(link) => (graph.given(link)?, Link::Next),
        None => {
            let address = format!("/users?$top={}&{}", graph.select.page_size(), graph.select.whole());
            (graph.own(&address)?, Link::Own)
        }
    };
    let listing: Listing<Row> = graph.ask(Request::get(url), link, USER_READ).await?;
    round.listed += listing.value.len() as u64;
    graph.users_listed(round.listed);
    let mut records = Vec::new();
    for row in listing.value {
        let id = row.get("id").and_then(|id| id.as_str()).map(str::to_owned);
        let cut = !row.contains_key("accountEnabled");
        match (people::whole(row, round), id) {
            (Some(_), Some(id)) if cut => drop(round.heard.insert(id, Heard::Changed)),
            (record, _) => records.extend(record),
        }
    }
    match listing.next {
        Some(link) => Ok(on(place.at(link), records)),
        None => Ok(Page { records, ..ended(graph, place, round) }),
    }
}

async fn changes(graph: &Graph, place: &Place, from: &str, round: &mut Round) -> Result<Page, Trouble> {
    let (text, link) = match &place.link {
        Some(link) => (link.as_str(), Link::Next),
        None => (from, Link::Stored),
    };
    let listing: Listing<ChangedUser> = graph.ask(Request::get(graph.given(text)?), link, USER_READ).await?;
    for item in listing.value {
        match (item.id, item.removed) {
            (Some(id), Some(removed)) => drop(round.heard.insert(id, Heard::Removed(removed.standing()))),
            (Some(id), None) => drop(round.heard.insert(id, Heard::Changed)),
            (None, _) => round.left_out += 1,
        }
    }
    if round.heard.len() > CHANGED_MAX {
        *round = round.anew();
        let note = format!("more than {CHANGED_MAX} users changed; all are listed instead");
        return Ok(Page { notes: vec![note], ..on(place.whole(), Vec::new()) });
    }
    match (listing.next, listing.delta) {
        (Some(next), _) => Ok(on(place.at(next), Vec::new())),
        (None, Some(delta)) => Ok(ended(graph, &Place { until: Some(delta), ..place.clone() }, round)),
        (None, None) => Err(endless("users/delta")),
    }
}

/// The feed or the list has ended; the rest comes where there is any.
fn ended(graph: &Graph, place: &Place, round: &Round) -> Page {
    if round.heard.is_empty() { end(graph, place, round) } else { on(place.to(Step::Rest), Vec::new()) }
}

async fn rest(graph: &Graph, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
    let from = place.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let heard = round.heard.range::<String, _>((from, Bound::Unbounded));
    let chunk: Vec<(String, Heard)> =
        heard.take(REST_CHUNK).map(|(id, heard)| (id.clone(), *heard)).collect();
    let mut records = Vec::new();
    let mut changed = Vec::new();
    for (id, heard) in &chunk {
        match heard {
            Heard::Changed => changed.push(id.clone()),
            Heard::Removed(standing) => {
                round.went(id, *standing);
                let id = SourceId(id.clone());
                records.push(Record::Removed { kind: Kind::User, id, standing: *standing });
            }
        }
    }
    records.extend(people::hydrated(graph, &changed, place, round).await?);
    match chunk.last() {
        Some((last, _)) if chunk.len() == REST_CHUNK => {
            Ok(on(Place { after: Some(last.clone()), ..place.clone() }, records))
        }
        _ => Ok(Page { records, ..end(graph, place, round) }),
    }
}

fn on(place: Place, records: Vec<Record>) -> Page {
    Page { records, next: Next::Page(place.cursor()), further: Vec::new(), notes: Vec::new() }
}

/// What was left out or missed keeps the old watermark, so that it comes again.
fn end(graph: &Graph, place: &Place, round: &Round) -> Page {
    let coverage = match (round.left_out, &place.from) {
        (0, Some(_)) => Coverage::Changes,
        (0, None) if round.missed + round.vanished == 0 => Coverage::Full,
        _ => Coverage::Partial,
    };
    let covered = vec![(Collection::Users, coverage)];
    let watermark = watermark(graph, place, round).map(|watermark| watermark.encode());
    let next = Next::End { covered, watermark };
    Page { records: Vec::new(), next, further: Vec::new(), notes: notes(place, round) }
}

fn watermark(graph: &Graph, place: &Place, round: &Round) -> Option<Watermark> {
    if round.left_out + round.missed > 0 {
        return None;
    }
    let (link, tries) = match (&place.from, round.vanished) {
        (Some(from), 1..) => (from.clone(), place.tries + 1),
        _ => (place.until.clone()?, 0),
    };
    let (select, gone) = (graph.select.key(), round.gone());
    Some(Watermark { link, select, gone, tries, ..Watermark::default() })
}

fn notes(place: &Place, round: &Round) -> Vec<String> {
    let mut notes = Vec::new();
    if round.left_out > 0 {
        let count = round.left_out;
        notes.push(format!(
            "{count} users came without id or name and were left out; check the application permission {USER_READ}"
        ));
    }
    if round.vanished > 0 {
        let again = if place.from.is_some() { "; they are asked for again" } else { "" };
        notes.push(format!(
            "{} users that changed are neither in the directory nor in the recycle bin{again}",
            round.vanished
        ));
    }
    if round.missed > 0 {
        notes
            .push(format!("{} users that changed could not be read; they are asked for again", round.missed));
    }
    if round.unplaced > 0 {
        notes.push(people::unplaced_note(round.unplaced));
    }
    notes
}

pub(super) fn endless(place: &str) -> Trouble {
    let what = "the page has neither a next link nor a delta link".to_owned();
    Trouble::Source(SourceError::Malformed { place: place.to_owned(), what })
}
