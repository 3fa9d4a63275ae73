//! Users one by one, in batches: as they are now, in the recycle bin, or gone (graph.md 6.6 R2 and R5).

use serde_json::Value;

use super::batch::Part;
use super::batch::PartAnswer;
use super::door::DIRECTORY_READ;
use super::door::Graph;
use super::door::USER_READ;
use super::door::segment;
use super::place::Place;
use super::round::Round;
use super::trouble;
use super::trouble::Trouble;
use super::wire;
use super::wire::ChangedMember;
use super::wire::Listing;
use super::wire::Row;
use crate::model::Container;
use crate::model::Record;
use crate::model::SourceId;
use crate::model::Standing;
use crate::scim::Kind;
use crate::sources::SourceError;

/// A user whom neither the directory nor the recycle bin shows may only be late in one of the many copies of the
/// directory: so many cycles have to agree before somebody is gone.
pub(super) const TRIES_MAX: u8 = 3;

/// The users as they are now, whole; of those who come back from the recycle bin also the groups that they are in,
/// because no feed tells of these (graph.md 6.4 rule 8).
pub(super) async fn hydrated(
    graph: &Graph,
    ids: &[String],
    place: &Place,
    round: &mut Round,
) -> Result<Vec<Record>, Trouble> {
    let back: Vec<&String> = ids.iter().filter(|id| round.is_back(id)).collect();
    let query = graph.select.whole();
    let mut parts: Vec<Part> =
        ids.iter().map(|id| Part::get(format!("/users/{}?{query}", segment(id)))).collect();
    let holders = |id: &&String| Part::get(format!("/users/{}/memberOf?$select=id&$top=999", segment(id)));
    parts.extend(back.iter().map(holders));
    let mut answers = graph.batch(&parts).await?.into_iter();
    let (mut records, mut missing) = (Vec::new(), Vec::new());
    for (id, answer) in ids.iter().zip(answers.by_ref()) {
        match answer.status {
            404 => missing.push(id),
            _ => records.extend(settled(answer, round)?),
        }
    }
    for (id, answer) in back.into_iter().zip(answers) {
        records.extend(memberships(id, answer, round));
    }
    records.extend(binned(graph, &missing, place, round).await?);
    Ok(records)
}

/// | part | means |
/// |---|---|
/// | 200 | the user, whole |
/// | 401, 403 | a permission, or a licence, is missing |
/// | 429 to the end | the cycle comes again |
/// | other | missed: the others go on (P12), and the watermark stays |
fn settled(answer: PartAnswer, round: &mut Round) -> Result<Option<Record>, Trouble> {
    match (answer.status, answer.body) {
        (200, Value::Object(row)) => Ok(whole(row, round)),
        (status @ (401 | 403), body) => {
            let answer = PartAnswer { status, body };
            Err(trouble::judge_part(&answer, "GET users that changed, in a batch,", USER_READ))
        }
        (429, _) => {
            let what = "Graph throttles the reading of changed users".to_owned();
            Err(Trouble::Source(SourceError::Unavailable { what }))
        }
        (status, _) => {
            tracing::debug!(status, "a changed user could not be read");
            round.missed += 1;
            Ok(None)
        }
    }
}

/// A user without a userPrincipalName is one that we may not see (graph.md 2.9: limited information): synced
/// as it is shown, it would lose every value.
pub(super) fn whole(row: Row, round: &mut Round) -> Option<Record> {
    let named = row.get("userPrincipalName").is_some_and(Value::is_string);
    let object = if named { wire::object(Kind::User, row) } else { None };
    round.left_out += u64::from(object.is_none());
    object.map(Record::Object)
}

/// Only what is there counts: the list may lag, and it may be cut. The groups' own feed, which is read after
/// it, says what is gone.
fn memberships(id: &str, answer: PartAnswer, round: &mut Round) -> Vec<Record> {
    match serde_json::from_value::<Listing<ChangedMember>>(answer.body) {
        Ok(listing) if answer.status == 200 => {
            round.came_back(id);
            let groups = listing.value.into_iter().filter(|holder| holder.kind() == Some(Kind::Group));
            let edge = |group: String| Record::Edge {
                container: Container::Group(SourceId(group)),
                principal: SourceId(id.to_owned()),
                kind: Kind::User,
                detail: String::new(),
            };
            groups.filter_map(|group| group.id).map(edge).collect()
        }
        _ => {
            round.unplaced += u64::from(answer.status != 404);
            Vec::new()
        }
    }
}

/// The recycle bin decides about those who are not there:
///
/// | `deletedItems` | means |
/// |---|---|
/// | 200 | soft-deleted |
/// | 404 | purged, or late: gone when three cycles agree, until then the watermark stays |
/// | other | nothing |
async fn binned(
    graph: &Graph,
    missing: &[&String],
    place: &Place,
    round: &mut Round,
) -> Result<Vec<Record>, Trouble> {
    let parts: Vec<Part> = missing.iter().map(|id| bin_part(id)).collect();
    let mut records = Vec::new();
    for (id, answer) in missing.iter().zip(graph.batch(&parts).await?) {
        let standing = match answer.status {
            200 => Some(Standing::SoftDeleted),
            404 if place.tries + 1 >= TRIES_MAX => Some(Standing::Gone),
            _ => None,
        };
        let Some(standing) = standing else {
            round.vanished += 1;
            continue;
        };
        round.went(id, standing);
        records.push(Record::Removed { kind: Kind::User, id: SourceId((*id).clone()), standing });
    }
    Ok(records)
}

/// Whether one object is in the recycle bin.
pub(super) fn bin_part(id: &str) -> Part {
    Part::get(format!("/directory/deletedItems/{}?$select=id", segment(id)))
}

pub(super) fn unplaced_note(count: u64) -> String {
    format!(
        "the groups of {count} users who came back from the recycle bin could not be read: they are in them again \
         after the next full read; the application permission {DIRECTORY_READ} shows them at once"
    )
}
