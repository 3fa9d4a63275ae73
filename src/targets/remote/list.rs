//! Lists, page by page, until they are whole or known not to be (SCIM reference, O9).

use std::collections::BTreeSet;

use futures_util::stream;
use futures_util::stream::BoxStream;
use futures_util::stream::StreamExt;

use super::Found;
use super::RemoteTarget;
use super::TargetError;
use super::answer;
use super::fate;
use super::message;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::profiles::Paging;

/// Pages in a row without anything new, after which a service goes in circles.
const BARREN_MAX: usize = 3;

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub kind: Kind,
    pub filter: Option<&'a str>,
    /// What stands in the filter; masked in messages.
    pub value: &'a str,
}

/// A list as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub found: Vec<Found>,
    /// How many there are in all, where the service says it.
    pub total: Option<u64>,
    /// Read to its end; only then does it say who is not there.
    pub whole: bool,
}

pub(super) enum Listed {
    Read(Listing),
    /// The service does not understand the filter.
    Refused {
        status: u16,
        detail: String,
    },
}

/// How far a list was read.
struct Walk<'a> {
    question: Question<'a>,
    turning: Turning,
    seen: BTreeSet<ResourceId>,
    total: Option<u64>,
}

/// One page more of a list.
enum Walked {
    Page {
        /// What no page before it showed.
        found: Vec<Found>,
        /// Whether the list is whole, where this was the last page.
        end: Option<bool>,
    },
    Refused {
        status: u16,
        detail: String,
    },
}

impl RemoteTarget {
    /// Reads a list. `enough` is asked after each page.
    pub(super) async fn read_list(
        &self,
        question: Question<'_>,
        enough: impl Fn(&Listing) -> bool,
    ) -> Result<Listed, TargetError> {
        let mut listing = Listing::default();
        let mut walk = self.walk(question);
        loop {
            let (found, end) = match self.step(&mut walk).await? {
                Walked::Page { found, end } => (found, end),
                Walked::Refused { status, detail } => return Ok(Listed::Refused { status, detail }),
            };
            listing.found.extend(found);
            listing.total = walk.total;
            if let Some(whole) = end {
                listing.whole = whole;
                return Ok(Listed::Read(listing));
            }
            if enough(&listing) || walk.seen.len() >= self.listing_max {
                return Ok(Listed::Read(listing));
            }
        }
    }

    /// All resources of a kind, page by page. Only the ids are kept meanwhile.
    pub(super) fn walk_all(&self, kind: Kind) -> BoxStream<'_, Result<super::Listed, TargetError>> {
        if !self.known.profile.listing_trusted {
            let partial =
                Some("its profile says that it cannot be trusted (listing_trusted = false)".to_owned());
            return stream::iter([Ok(super::Listed::End { partial })]).boxed();
        }
        let begin = Turn::Page(self.walk(Question { kind, filter: None, value: "" }));
        stream::try_unfold(begin, |turn| async {
            match turn {
                Turn::Over => Ok(None),
                Turn::End(partial) => Ok(Some((super::Listed::End { partial }, Turn::Over))),
                Turn::Page(walk) => self.next_page(walk).await.map(Some),
            }
        })
        .boxed()
    }

    async fn next_page<'a>(&self, mut walk: Walk<'a>) -> Result<(super::Listed, Turn<'a>), TargetError> {
        match self.step(&mut walk).await? {
            Walked::Page { mut found, end } => {
                // Some services show members whatever they are asked.
                found.iter_mut().filter_map(|one| one.body.as_object_mut()).for_each(|body| {
                    body.remove("members");
                });
                let next = match end {
                    Some(whole) => Turn::End(self.partial(&walk, whole)),
                    None if walk.seen.len() >= self.whole_listing_max => Turn::End(Some(format!(
                        "it has more than the {} resources that are read of one list (whole_listing_max)",
                        self.whole_listing_max
                    ))),
                    None => Turn::Page(walk),
                };
                Ok((super::Listed::Page(found), next))
            }
            // Only a filter is refused that way.
            Walked::Refused { status, detail } => {
                let what = format!(
                    "{}{} cannot be listed (status {status}: {detail})",
                    self.identity,
                    walk.question.kind.endpoint()
                );
                Err(TargetError::Unavailable { what })
            }
        }
    }

    /// Why a list that has ended does not say who is not there: as with a listing in place of lookups (`index`).
    fn partial(&self, walk: &Walk<'_>, whole: bool) -> Option<String> {
        let profile = &self.known.profile;
        let seen = walk.seen.len();
        match walk.total {
            _ if !profile.total_results_reliable => Some(
                "its profile says that totals cannot be relied on (total_results_reliable = false)"
                    .to_owned(),
            ),
            Some(total) if !whole => Some(format!("it showed {seen} of {total}")),
            None if !whole => Some(format!("its pages turn in a circle after {seen}")),
            None if profile.paging != Paging::Cursor => Some(format!("it showed {seen} and no total")),
            _ => None,
        }
    }

    fn walk<'a>(&self, question: Question<'a>) -> Walk<'a> {
        let profile = &self.known.profile;
        let turning = Turning::new(profile.paging, profile.total_results_reliable);
        Walk { question, turning, seen: BTreeSet::new(), total: None }
    }

    async fn step(&self, walk: &mut Walk<'_>) -> Result<Walked, TargetError> {
        let question = walk.question;
        let (place, answer) = self.read(&self.query(question, &walk.turning)).await?;
        let page = match answer.status {
            200 => answer::list(&answer.body).ok_or_else(|| no_list(&place))?,
            status @ (400 | 501) if question.filter.is_some() => {
                let detail = answer::problem(&answer.body, &[question.value]).detail;
                return Ok(Walked::Refused { status, detail });
            }
            _ => return Err(fate::refused(&place, &answer, &[question.value])),
        };
        walk.total = page.total.or(walk.total);
        let turn = Turned { received: page.resources.len(), next: page.next_cursor.clone() };
        let mut found = Vec::with_capacity(page.resources.len());
        for body in page.resources {
            let one = self.listed(question.kind, body)?;
            if walk.seen.insert(one.id.clone()) {
                found.push(one);
            }
        }
        let counts = Counts { seen: walk.seen.len(), new: found.len(), total: walk.total };
        let end = walk.turning.turn(turn, counts);
        Ok(Walked::Page { found, end })
    }

    fn query(&self, question: Question<'_>, turning: &Turning) -> String {
        let profile = &self.known.profile;
        let mut parts = Vec::new();
        if let Some(filter) = question.filter {
            parts.push(format!("filter={}", message::encoded(filter)));
        }
        parts.extend(turning.parameters(profile.page()));
        if question.kind == Kind::Group && profile.excluded_attributes {
            parts.push(LEAVE_OUT.to_owned());
        }
        let separator = if parts.is_empty() { "" } else { "?" };
        format!("{}{separator}{}", question.kind.endpoint(), parts.join("&"))
    }

    fn listed(&self, kind: Kind, body: serde_json::Value) -> Result<Found, TargetError> {
        answer::resource(kind, body).ok_or_else(|| {
            let what = format!("{}{} lists a resource without an id", self.identity, kind.endpoint());
            TargetError::Unavailable { what }
        })
    }
}

/// What a stream of pages does next.
enum Turn<'a> {
    Page(Walk<'a>),
    End(Option<String>),
    Over,
}

/// Groups are read without their members, which can be thousands; clients that services know do the same
/// (SCIM reference, section 12), and unknown parameters are ignored (N4).
pub(super) const LEAVE_OUT: &str = "excludedAttributes=members";

/// Where the reading of a list stands.
struct Turning {
    paging: Paging,
    reliable: bool,
    start: usize,
    cursor: Option<String>,
    cursors: BTreeSet<String>,
    barren: usize,
}

/// What one page brought.
struct Turned {
    received: usize,
    next: Option<String>,
}

struct Counts {
    seen: usize,
    new: usize,
    total: Option<u64>,
}

impl Turning {
    fn new(paging: Paging, reliable: bool) -> Turning {
        Turning { paging, reliable, start: 1, cursor: None, cursors: BTreeSet::new(), barren: 0 }
    }

    fn parameters(&self, count: usize) -> Vec<String> {
        match (self.paging, &self.cursor) {
            (Paging::Index, _) => vec![format!("startIndex={}", self.start), format!("count={count}")],
            (Paging::Cursor, None) => vec!["cursor".to_owned(), format!("count={count}")],
            (Paging::Cursor, Some(cursor)) => {
                vec![format!("cursor={}", message::encoded(cursor)), format!("count={count}")]
            }
            (Paging::None, _) => Vec::new(),
        }
    }

    /// Turns to the next page; `Some` where there is none, and whether the list is whole then.
    fn turn(&mut self, page: Turned, counts: Counts) -> Option<bool> {
        let enough = counts.total.is_none_or(|total| counts.seen as u64 >= total) || !self.reliable;
        match self.paging {
            Paging::None => Some(enough),
            Paging::Index => {
                // Advance by what came, not by what was asked for; a page that shows nothing new is the last.
                self.start += page.received;
                let past = counts.total.is_some_and(|total| self.start as u64 > total) && self.reliable;
                (page.received == 0 || counts.new == 0 || past).then_some(enough)
            }
            Paging::Cursor => {
                let Some(next) = page.next else { return Some(enough) };
                self.barren = if counts.new == 0 { self.barren + 1 } else { 0 };
                if self.barren >= BARREN_MAX || !self.cursors.insert(next.clone()) {
                    return Some(false);
                }
                self.cursor = Some(next);
                None
            }
        }
    }
}

fn no_list(place: &str) -> TargetError {
    TargetError::NotScim { what: format!("{place} was answered with something that is no list") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(
        turning: &mut Turning,
        received: usize,
        new: usize,
        seen: usize,
        total: Option<u64>,
    ) -> Option<bool> {
        turning.turn(Turned { received, next: None }, Counts { seen, new, total })
    }

    #[test]
    fn a_list_by_index_ends_by_its_total_an_empty_page_or_a_page_again() {
        let index = || Turning::new(Paging::Index, true);
        let mut reading = index();
        assert_eq!(turn(&mut reading, 20, 20, 20, Some(25)), None);
        assert_eq!(reading.parameters(100), ["startIndex=21", "count=100"]);
        assert_eq!(turn(&mut reading, 5, 5, 25, Some(25)), Some(true));
        assert_eq!(turn(&mut index(), 0, 0, 0, Some(3)), Some(false), "empty, and there should be three");
        assert_eq!(turn(&mut index(), 0, 0, 0, None), Some(true));
        assert_eq!(turn(&mut index(), 2, 0, 2, Some(9)), Some(false), "the same page again");
    }

    #[test]
    fn a_total_that_is_not_reliable_ends_nothing() {
        let mut reading = Turning::new(Paging::Index, false);
        assert_eq!(turn(&mut reading, 1, 1, 1, Some(1)), None);
        assert_eq!(turn(&mut reading, 0, 0, 1, Some(1)), Some(true));
    }

    #[test]
    fn a_list_by_cursor_ends_without_a_next_one_and_is_not_whole_in_a_circle() {
        let mut reading = Turning::new(Paging::Cursor, true);
        assert_eq!(reading.parameters(5), ["cursor", "count=5"]);
        let page = |next: &str| Turned { received: 5, next: Some(next.to_owned()) };
        let counts = |seen| Counts { seen, new: 5, total: None };
        assert_eq!(reading.turn(page("a b"), counts(5)), None);
        assert_eq!(reading.parameters(5), ["cursor=a%20b", "count=5"]);
        assert_eq!(reading.turn(page("c"), counts(10)), None);
        assert_eq!(reading.turn(page("a b"), counts(15)), Some(false), "a cursor that comes again");
        let mut reading = Turning::new(Paging::Cursor, true);
        assert_eq!(turn(&mut reading, 5, 5, 5, None), Some(true));
        let mut reading = Turning::new(Paging::Cursor, true);
        for (n, ends) in [None, None, Some(false)].into_iter().enumerate() {
            let counts = Counts { seen: 5, new: 0, total: None };
            assert_eq!(reading.turn(page(&n.to_string()), counts), ends, "nothing new on page {n}");
        }
    }

    #[test]
    fn a_service_without_pages_gives_all_or_not_enough() {
        let none = || Turning::new(Paging::None, true);
        assert!(none().parameters(10).is_empty());
        assert_eq!(turn(&mut none(), 30, 30, 30, Some(30)), Some(true));
        assert_eq!(turn(&mut none(), 20, 20, 20, Some(30)), Some(false));
    }
}
