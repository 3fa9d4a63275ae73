//! The read `users`: the delta link of now and then the whole list; later the delta feed, whose people are read
//! whole (graph.md 6.6 R2 and R6).

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::batch::Part;
use super::batch::PartAnswer;
use super::batch::passing;
use super::door::DIRECTORY_READ;
use super::door::Graph;
use super::door::USER_READ;
use super::door::segment;
use super::place::Place;
use super::place::Round;
use super::place::Watermark;
use super::trouble::Link;
use super::trouble::Trouble;
use super::wire;
use super::wire::ChangedMember;
use super::wire::ChangedUser;
use super::wire::Listing;
use super::wire::Row;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::Next;
use crate::model::Page;
use crate::model::Record;
use crate::model::SourceId;
use crate::model::Standing;
use crate::scim::Kind;
use crate::sources::SourceError;

pub(super) async fn page(graph: &Graph, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
    match (&place.from, &place.until) {
        (Some(from), _) => changes(graph, place, from, round).await,
        (None, None) => latest(graph, place).await,
        (None, Some(until)) => list(graph, place, until, round).await,
    }
}

/// From now on: taken before the list, so that nothing falls between the two.
async fn latest(graph: &Graph, place: &Place) -> Result<Page, Trouble> {
    let (url, link) = match &place.link {
        Some(link) => (graph.given(link)?, Link::Next),
        None => {
            let address = format!("/users/delta?$deltatoken=latest&$select={}", graph.user_select);
            (graph.own(&address)?, Link::Own)
        }
    };
    let listing: Listing<IgnoredAny> = graph.get(url, link, USER_READ).await?;
    let place = match (listing.delta, listing.next) {
        (Some(delta), _) => Place { until: Some(delta), link: None, ..place.clone() },
        (None, Some(next)) => place.at(next),
        (None, None) => return Err(endless("users/delta")),
    };
    Ok(Page { records: Vec::new(), next: Next::Page(place.cursor()), further: Vec::new(), notes: Vec::new() })
}

async fn list(graph: &Graph, place: &Place, until: &str, round: &mut Round) -> Result<Page, Trouble> {
    let (url, link) = match &place.link {
        Some(link) => (graph.given(link)?, Link::Next),
        None => {
            let address = format!("/users?$top={}&$select={}", graph.settings.page_size, graph.user_select);
            (graph.own(&address)?, Link::Own)
        }
    };
    let listing: Listing<Row> = graph.get(url, link, USER_READ).await?;
    let records = listing.value.into_iter().filter_map(|row| whole(row, round)).collect();
    let (next, notes) = match listing.next {
        Some(link) => (Next::Page(place.at(link).cursor()), Vec::new()),
        None => end(graph, until, Coverage::Full, round),
    };
    Ok(Page { records, next, further: Vec::new(), notes })
}

async fn changes(graph: &Graph, place: &Place, from: &str, round: &mut Round) -> Result<Page, Trouble> {
    let (text, link) = match &place.link {
        Some(link) => (link.as_str(), Link::Next),
        None => (from, Link::Stored),
    };
    let listing: Listing<ChangedUser> = graph.get(graph.given(text)?, link, USER_READ).await?;
    let records = changed(graph, listing.value, round).await?;
    let (next, notes) = match (listing.next, listing.delta) {
        (Some(next), _) => (Next::Page(place.at(next).cursor()), Vec::new()),
        (None, Some(delta)) => end(graph, &delta, Coverage::Changes, round),
        (None, None) => return Err(endless("users/delta")),
    };
    Ok(Page { records, next, further: Vec::new(), notes })
}

/// Of several items of one user on a page the last one counts (graph.md 6.4 rule 1).
async fn changed(graph: &Graph, items: Vec<ChangedUser>, round: &mut Round) -> Result<Vec<Record>, Trouble> {
    let mut latest: BTreeMap<String, Option<Standing>> = BTreeMap::new();
    for item in items {
        match item.id {
            Some(id) => {
                latest.insert(id, item.removed.map(|removed| removed.standing()));
            }
            None => round.left_out += 1,
        }
    }
    let mut records = Vec::new();
    let mut dirty = Vec::new();
    for (id, standing) in latest {
        match standing {
            Some(standing) => records.push(Record::Removed { kind: Kind::User, id: SourceId(id), standing }),
            None => dirty.push(id),
        }
    }
    records.extend(hydrated(graph, &dirty, round).await?);
    Ok(records)
}

/// The changed users as they are now, whole, and the groups that they are in.
///
/// Groups tell nothing of a member who comes back from the recycle bin (graph.md 6.4 rule 8), and nothing in the
/// feed says that somebody comes back, so everybody who changed is asked.
async fn hydrated(graph: &Graph, ids: &[String], round: &mut Round) -> Result<Vec<Record>, Trouble> {
    let mut parts = Vec::with_capacity(2 * ids.len());
    for id in ids {
        let path = format!("/users/{}", segment(id));
        parts.push(Part::get(format!("{path}?$select={}", graph.user_select)));
        parts.push(Part::get(format!("{path}/memberOf?$select=id&$top=999")));
    }
    let mut records = Vec::new();
    let mut answers = graph.batch(&parts).await?.into_iter();
    for id in ids {
        if let Some(answer) = answers.next() {
            records.extend(settled(answer, round)?);
        }
        if let Some(answer) = answers.next() {
            records.extend(memberships(id, answer, round));
        }
    }
    Ok(records)
}

/// Only what is there counts: the list may lag, and it may be cut. The groups' own feed, which is read after
/// it, says what is gone.
fn memberships(id: &str, answer: PartAnswer, round: &mut Round) -> Vec<Record> {
    match serde_json::from_value::<Listing<ChangedMember>>(answer.body) {
        Ok(listing) if answer.status == 200 => listing
            .value
            .into_iter()
            .filter(|holder| holder.kind() == Some(Kind::Group))
            .filter_map(|group| group.id)
            .map(|group| Record::Edge {
                container: Container::Group(SourceId(group)),
                principal: SourceId(id.to_owned()),
                kind: Kind::User,
                detail: String::new(),
            })
            .collect(),
        _ => {
            round.unplaced += u64::from(answer.status != 404);
            Vec::new()
        }
    }
}

/// | part | means |
/// |---|---|
/// | 200 | the user, whole |
/// | 404 | gone since; the feed will say so |
/// | 401, 403 | a permission is missing |
/// | 429 to the end | the cycle comes again |
/// | other | missed: the others go on (P12), and the watermark stays |
fn settled(answer: PartAnswer, round: &mut Round) -> Result<Option<Record>, Trouble> {
    match (answer.status, answer.body) {
        (200, Value::Object(row)) => return Ok(whole(row, round)),
        (404, _) => round.vanished += 1,
        (status @ (401 | 403), _) => {
            let what = format!("users that changed may not be read ({status} in a batch)");
            let cure = format!("add the application permission {USER_READ} and grant admin consent");
            return Err(Trouble::Source(SourceError::Refused { what, cure }));
        }
        (429, _) => {
            let what = "Graph throttles the reading of changed users".to_owned();
            return Err(Trouble::Source(SourceError::Unavailable { what }));
        }
        (status, _) => {
            tracing::debug!(status, repeated = passing(status), "a changed user could not be read");
            round.missed += 1;
        }
    }
    Ok(None)
}

/// A user without a userPrincipalName is one that we may not see (graph.md 2.9: limited information): synced
/// as it is shown, it would lose every value.
fn whole(row: Row, round: &mut Round) -> Option<Record> {
    let named = row.get("userPrincipalName").is_some_and(Value::is_string);
    let object = if named { wire::object(Kind::User, row) } else { None };
    round.left_out += u64::from(object.is_none());
    object.map(Record::Object)
}

/// What was left out or missed keeps the old watermark, so that it comes again.
fn end(graph: &Graph, link: &str, coverage: Coverage, round: &Round) -> (Next, Vec<String>) {
    let mut notes = Vec::new();
    if round.left_out > 0 {
        let count = round.left_out;
        notes.push(format!(
            "{count} users came without id or name and were left out; check the application permission {USER_READ}"
        ));
    }
    if round.vanished > 0 {
        notes.push(format!("{} users that changed are gone meanwhile", round.vanished));
    }
    if round.missed > 0 {
        notes
            .push(format!("{} users that changed could not be read; they are asked for again", round.missed));
    }
    if round.unplaced > 0 {
        notes.push(format!(
            "the groups of {} users that changed could not be read: who came back from the recycle bin is back in \
             them after the next full read; the application permission {DIRECTORY_READ} shows them at once",
            round.unplaced
        ));
    }
    let coverage = if round.left_out > 0 { Coverage::Partial } else { coverage };
    let lost = coverage == Coverage::Partial || round.missed > 0;
    let watermark = Watermark { link: link.to_owned(), select: graph.user_select.clone() };
    let watermark = (!lost).then(|| watermark.encode());
    (Next::End { covered: vec![(Collection::Users, coverage)], watermark }, notes)
}

pub(super) fn endless(place: &str) -> Trouble {
    let what = "the page has neither a next link nor a delta link".to_owned();
    Trouble::Source(SourceError::Malformed { place: place.to_owned(), what })
}
