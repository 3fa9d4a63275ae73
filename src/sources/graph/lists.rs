//! The read `assignments:filter:…`: the users or the groups that an administrator's `$filter` selects, in full.

use serde::Deserialize;

use super::batch::Part;
use super::batch::PartAnswer;
use super::door::Graph;
use super::door::MEMBER_READ;
use super::door::USER_READ;
use super::filter;
use super::place::Place;
use super::round::Round;
use super::trouble;
use super::trouble::Link;
use super::trouble::Trouble;
use super::wire::Listing;
use crate::client::Request;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::List;
use crate::model::Next;
use crate::model::Page;
use crate::model::Record;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::sources::SourceError;

/// Longer addresses go into a batch (graph.md section 4).
const ADDRESS_MAX: usize = 2000;

/// For advanced queries; no link carries it, so every page sends it again.
const LEVEL: (&str, &str) = ("ConsistencyLevel", "eventual");

/// A list by a filter.
#[derive(Clone, Copy)]
struct Filtered<'a> {
    list: &'a List,
    filter: &'a str,
    kind: Kind,
}

/// One row: who it is.
#[derive(Deserialize)]
struct Row {
    id: Option<String>,
}

pub(super) async fn page(
    graph: &Graph,
    list: &List,
    place: &Place,
    round: &mut Round,
) -> Result<Page, Trouble> {
    let filtered = match list {
        List::UserFilter(filter) => Filtered { list, filter, kind: Kind::User },
        List::GroupFilter(filter) => Filtered { list, filter, kind: Kind::Group },
        List::App(_) | List::PushMappings(_) => {
            let what = "Graph has no such list".to_owned();
            return Err(Trouble::Source(SourceError::Malformed { place: list.id().0, what }));
        }
    };
    let heard = match &place.link {
        Some(link) => vec![filtered.next(graph, link).await.map_err(|trouble| filtered.told(trouble))?],
        None => filtered.first(graph).await.map_err(|trouble| filtered.told(trouble))?,
    };
    let mut records = Vec::new();
    for listing in heard {
        round.links.extend(listing.next);
        records.extend(listing.value.into_iter().filter_map(|row| filtered.edge(row, round)));
    }
    let next = match round.links.pop() {
        Some(link) => Next::Page(place.at(link).cursor()),
        None => filtered.end(round),
    };
    let notes = if matches!(next, Next::End { .. }) { filtered.notes(round) } else { Vec::new() };
    Ok(Page { records, next, further: Vec::new(), notes })
}

impl Filtered<'_> {
    /// One request, or one batch where the filter is too long for that. What the plain form cannot answer is asked
    /// in the advanced one.
    async fn first(self, graph: &Graph) -> Result<Vec<Listing<Row>>, Trouble> {
        let advanced = filter::is_advanced(self.filter);
        match self.asked(graph, advanced).await {
            Err(Trouble::Unsupported { .. }) if !advanced => self.asked(graph, true).await,
            heard => heard,
        }
    }

    async fn asked(self, graph: &Graph, advanced: bool) -> Result<Vec<Listing<Row>>, Trouble> {
        let pieces = filter::pieces(self.filter);
        let addresses: Vec<String> =
            pieces.iter().map(|piece| self.address(piece, advanced, graph.settings.page_size)).collect();
        if let [address] = &addresses[..]
            && address.len() <= ADDRESS_MAX
        {
            let request = self.request(Request::get(graph.own(address)?), advanced);
            return Ok(vec![graph.ask(request, Link::Own, self.permission()).await?]);
        }
        let part = |address| {
            let part = Part::get(address);
            if advanced { part.header(LEVEL.0, LEVEL.1) } else { part }
        };
        let parts: Vec<Part> = addresses.into_iter().map(part).collect();
        graph.batch(&parts).await?.into_iter().map(|answer| self.listing(answer)).collect()
    }

    fn address(self, piece: &str, advanced: bool, page_size: u16) -> String {
        let (collection, fields) = match self.kind {
            Kind::User => ("users", "id"),
            Kind::Group => ("groups", "id,displayName"),
        };
        let count = if advanced { "&$count=true" } else { "" };
        let piece = filter::escaped(piece);
        format!("/{collection}?$filter={piece}&$select={fields}&$top={page_size}{count}")
    }

    async fn next(self, graph: &Graph, link: &str) -> Result<Listing<Row>, Trouble> {
        // The link says itself which form it belongs to.
        let url = graph.given(link)?;
        let advanced = url.query().is_some_and(|query| query.contains("count=true"));
        let request = self.request(Request::get(url), advanced || filter::is_advanced(self.filter));
        graph.ask(request, Link::Next, self.permission()).await
    }

    fn request(self, request: Request, advanced: bool) -> Request {
        if advanced { request.header(LEVEL.0, LEVEL.1) } else { request }
    }

    /// A part that stayed without an answer spoils the list: without it the list is not whole.
    fn listing(self, answer: PartAnswer) -> Result<Listing<Row>, Trouble> {
        let place = format!("GET {}", self.list.name());
        if answer.status != 200 {
            return Err(trouble::judge_part(&answer, &place, self.permission()));
        }
        serde_json::from_value(answer.body).map_err(|_| {
            let what = "a part of the list cannot be read".to_owned();
            Trouble::Source(SourceError::Malformed { place, what })
        })
    }

    fn permission(self) -> &'static str {
        match self.kind {
            Kind::User => USER_READ,
            Kind::Group => MEMBER_READ,
        }
    }

    /// What Graph says of a filter is for who wrote it.
    fn told(self, trouble: Trouble) -> Trouble {
        let (setting, example) = match self.kind {
            Kind::User => ("scope.users.filter".to_owned(), "department eq 'Sales'"),
            Kind::Group => {
                (format!("groups = [\"filter:{}\"]", self.filter), "startswith(displayName,'app-')")
            }
        };
        match trouble {
            Trouble::Unsupported { said, .. } => Trouble::Source(SourceError::Refused {
                what: format!("the filter at {setting} was refused: {said}"),
                cure: format!("write it as Graph's $filter takes it, such as {example}"),
            }),
            other => other,
        }
    }

    fn edge(self, row: Row, round: &mut Round) -> Option<Record> {
        let Some(id) = row.id else {
            round.left_out += 1;
            return None;
        };
        if self.kind == Kind::Group {
            round.named.insert(id.clone());
        }
        let container = Container::App(self.list.id());
        Some(Record::Edge { container, principal: SourceId(id), kind: self.kind, detail: String::new() })
    }

    fn end(self, round: &Round) -> Next {
        let coverage = if round.left_out > 0 { Coverage::Partial } else { Coverage::Full };
        Next::End { covered: vec![(Collection::Assignments(self.list.id()), coverage)], watermark: None }
    }

    fn notes(self, round: &Round) -> Vec<String> {
        if round.left_out == 0 {
            return Vec::new();
        }
        vec![format!("{} rows of the {} have no id and were left out", round.left_out, self.list.name())]
    }
}

/// Nothing is known of the list.
pub(super) fn unread(list: &SourceId) -> Vec<(Collection, Coverage)> {
    vec![(Collection::Assignments(list.clone()), Coverage::Partial)]
}
