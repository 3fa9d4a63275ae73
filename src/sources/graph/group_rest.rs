//! Groups that the feed did not show whole, asked for one by one; and how a read of groups ends.

use serde_json::Value;

use super::batch::Part;
use super::batch::PartAnswer;
use super::door::Graph;
use super::door::segment;
use super::groups;
use super::people::bin_part;
use super::place::Place;
use super::round::Round;
use super::trouble::Trouble;
use super::wire;
use crate::model::Collection;
use crate::model::Coverage;
use crate::model::Next;
use crate::model::Page;
use crate::model::Record;
use crate::model::SourceId;
use crate::model::Standing;
use crate::scim::Kind;

/// Groups in one turn: ten batches.
const CHUNK: usize = 200;

/// Groups of a note that are named; of more only the number is told.
const NAMED_MAX: usize = 5;

pub(super) async fn page(graph: &Graph, place: &Place, round: &mut Round) -> Result<Page, Trouble> {
    let chunk: Vec<String> = round.asked.iter().take(CHUNK).cloned().collect();
    let more = round.asked.len() > chunk.len();
    round.asked.retain(|id| !chunk.contains(id));
    let last = chunk.last().cloned();
    let select = graph.settings.group_select();
    let parts: Vec<Part> =
        chunk.iter().map(|id| Part::get(format!("/groups/{}?$select={select}", segment(id)))).collect();
    let (mut records, mut missing) = (Vec::new(), Vec::new());
    for (id, answer) in chunk.into_iter().zip(graph.batch(&parts).await?) {
        match answer.status {
            404 => missing.push(id),
            _ => records.extend(settled(&id, answer, place, round)),
        }
    }
    records.extend(binned(graph, missing, place, round).await?);
    match last {
        Some(last) if more => Ok(groups::on(Place { after: Some(last), ..place.clone() }, records)),
        _ => Ok(Page { records, ..end(place, round) }),
    }
}

/// A group of a stream that the feed did not show and that is there all the same: its members are listed. One that
/// cannot be read is missed, and the others go on (P12).
fn settled(id: &str, answer: PartAnswer, place: &Place, round: &mut Round) -> Option<Record> {
    let object = match (answer.status, answer.body) {
        (200, Value::Object(row)) => wire::object(Kind::Group, row),
        _ => None,
    };
    if object.is_none() {
        round.missed += 1;
        round.unknown.insert(id.to_owned());
    } else if is_unshown(id, place, round) {
        round.unlisted.insert(id.to_owned());
        round.shown.insert(id.to_lowercase());
    }
    object.map(Record::Object)
}

fn is_unshown(id: &str, place: &Place, round: &Round) -> bool {
    place.is_stream() && place.from.is_none() && !round.shown.contains(&id.to_lowercase())
}

/// A group that is not there is in the recycle bin, or gone; where neither can be said, its members are missing and
/// a witness is asked. One that changed in a later round and is gone meanwhile, the feed tells of itself.
async fn binned(
    graph: &Graph,
    missing: Vec<String>,
    place: &Place,
    round: &mut Round,
) -> Result<Vec<Record>, Trouble> {
    let parts: Vec<Part> = missing.iter().map(|id| bin_part(id)).collect();
    let mut records = Vec::new();
    for (id, answer) in missing.into_iter().zip(graph.batch(&parts).await?) {
        round.vanished += 1;
        let standing = match answer.status {
            200 => Standing::SoftDeleted,
            404 if is_unshown(&id, place, round) => Standing::Gone,
            _ => continue,
        };
        round.went(&id, standing);
        records.push(Record::Removed { kind: Kind::Group, id: SourceId(id), standing });
    }
    Ok(records)
}

pub(super) fn end(place: &Place, round: &Round) -> Page {
    let covered = if place.is_stream() { of_stream(place, round) } else { of_all(place, round) };
    let watermark =
        if round.missed == 0 && round.left_out == 0 { groups::watermark(place, round) } else { None };
    let next = Next::End { covered, watermark: watermark.map(|watermark| watermark.encode()) };
    Page { records: Vec::new(), next, further: Vec::new(), notes: notes(place, round) }
}

fn of_all(place: &Place, round: &Round) -> Vec<(Collection, Coverage)> {
    let listed = place.until.is_none();
    let coverage = match (&place.from, round.left_out) {
        (None, 0) => Coverage::Full,
        (Some(_), 0) => Coverage::Changes,
        (_, _) => Coverage::Partial,
    };
    // A list shows no members: each group has a read of its own.
    let members = if listed { Coverage::Changes } else { coverage };
    let mut covered = vec![(Collection::Groups, coverage), (Collection::AllMembers, members)];
    if place.from.is_none() {
        let partial = |id: &String| (Collection::Members(SourceId(id.clone())), Coverage::Partial);
        covered.extend(round.hidden.iter().map(partial));
    }
    covered
}

/// A stream says nothing of other groups. Of its own ones the first round shows every member.
fn of_stream(place: &Place, round: &Round) -> Vec<(Collection, Coverage)> {
    if place.from.is_some() || place.until.is_none() {
        return vec![(Collection::Groups, Coverage::Changes), (Collection::AllMembers, Coverage::Changes)];
    }
    let own_read = |id: &&String| !round.unlisted.contains(*id);
    let whole = |id: &String| match round.left_out == 0
        && !round.hidden.contains(id)
        && !round.unknown.contains(id)
    {
        true => Coverage::Full,
        false => Coverage::Partial,
    };
    let members = |id: &String| (Collection::Members(SourceId(id.clone())), whole(id));
    place.ids.iter().filter(own_read).map(members).collect()
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
        notes.push(vanished_note(place, round));
    }
    if round.missed > 0 {
        notes.push(format!(
            "{} groups that changed could not be read; they are asked for again",
            round.missed
        ));
    }
    if place.from.is_none() && !round.hidden.is_empty() {
        notes.push(groups::hidden_note(round.hidden.len()));
    }
    notes
}

fn vanished_note(place: &Place, round: &Round) -> String {
    let unshown: Vec<&str> =
        place.ids.iter().filter(|id| is_unshown(id, place, round)).map(String::as_str).collect();
    match unshown.len() {
        0 => format!("{} groups that changed are gone meanwhile", round.vanished),
        1..=NAMED_MAX => {
            format!("groups that the scope names are not in the directory: {}", unshown.join(", "))
        }
        count => format!("{count} groups that the scope names are not in the directory"),
    }
}
