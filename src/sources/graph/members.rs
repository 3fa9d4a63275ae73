//! The read `members:<group id>`: the direct members of one group, listed: of a group that came back from the
//! recycle bin, and in a tenant without delta feeds.

use serde::Deserialize;

use super::door::Graph;
use super::door::MEMBER_READ;
use super::door::segment;
use super::groups;
use super::groups::HIDDEN;
use super::place::Place;
use super::round::Round;
use super::trouble::Link;
use super::trouble::Trouble;
use super::wire::ChangedMember;
use super::wire::Listing;
use crate::client::Request;
use crate::model::Collection;
use crate::model::Coverage;
use crate::model::Next;
use crate::model::Page;
use crate::model::SourceId;

#[derive(Deserialize)]
struct Shown {
    visibility: Option<String>,
}

pub(super) async fn page(
    graph: &Graph,
    group: &SourceId,
    place: &Place,
    round: &mut Round,
) -> Result<Page, Trouble> {
    let (url, link) = match &place.link {
        Some(link) => (graph.given(link)?, Link::Next),
        None => (graph.own(&address(group, graph.settings.page_size))?, Link::Own),
    };
    let listing: Listing<ChangedMember> = match graph.ask(Request::get(url), link, MEMBER_READ).await {
        Ok(listing) => listing,
        // Gone since it was named; what tells of groups will tell of this one.
        Err(Trouble::Missing { .. }) => return Ok(end(group, Coverage::Partial, Vec::new())),
        Err(trouble) => return Err(trouble),
    };
    round.peopled |= !listing.value.is_empty();
    let records = listing.value.into_iter().filter_map(|member| groups::edge(group, member, round)).collect();
    if let Some(next) = listing.next {
        let next = Next::Page(place.at(next).cursor());
        return Ok(Page { records, next, further: Vec::new(), notes: Vec::new() });
    }
    let page = if round.left_out > 0 {
        let note =
            format!("{} members of group {group} came without id or type and were left out", round.left_out);
        end(group, Coverage::Partial, vec![note])
    } else if round.peopled {
        end(group, Coverage::Full, Vec::new())
    } else {
        empty(graph, group).await?
    };
    Ok(Page { records, ..page })
}

fn address(group: &SourceId, page_size: u16) -> String {
    format!("/groups/{}/members?$select=id&$top={page_size}", segment(&group.0))
}

/// A group that shows nobody may hide its members (graph.md section 10).
async fn empty(graph: &Graph, group: &SourceId) -> Result<Page, Trouble> {
    let url = graph.own(&format!("/groups/{}?$select=id,visibility", segment(&group.0)))?;
    match graph.ask::<Shown>(Request::get(url), Link::Own, MEMBER_READ).await {
        Ok(shown) if shown.visibility.as_deref() == Some(HIDDEN) => {
            Ok(end(group, Coverage::Partial, vec![groups::hidden_note(1)]))
        }
        Ok(_) => Ok(end(group, Coverage::Full, Vec::new())),
        Err(Trouble::Missing { .. }) => Ok(end(group, Coverage::Partial, Vec::new())),
        Err(trouble) => Err(trouble),
    }
}

fn end(group: &SourceId, coverage: Coverage, notes: Vec<String>) -> Page {
    let covered = vec![(Collection::Members(group.clone()), coverage)];
    Page { records: Vec::new(), next: Next::End { covered, watermark: None }, further: Vec::new(), notes }
}

/// Nothing is known of the group's members.
pub(super) fn unread(group: &SourceId) -> Vec<(Collection, Coverage)> {
    vec![(Collection::Members(group.clone()), Coverage::Partial)]
}
