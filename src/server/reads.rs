//! One resource (RFC 7644 section 3.4.1) and lists (3.4.2): of one resource type, or of all that a token may read, one
//! type after another. All that a request asks, it asks of one view of the state.

use super::answer::Answer;
use super::around::Noted;
use super::cursor::Place;
use super::query::is_known;
use super::rights;
use super::rights::Access;
use super::scim::Asked;
use super::scim::Call;
use super::scim::Failure;
use super::scim::cut;
use super::scim::shows_related;
use crate::scim::Error;
use crate::scim::Filter;
use crate::scim::Page;
use crate::scim::Projection;
use crate::scim::Quotes;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::ScimType;
use crate::scim::Search;
use crate::scim::Sort;
use crate::scim::cursor_response;
use crate::scim::list_response;
use crate::store::ListQuery;
use crate::store::View;

/// What of which list.
struct List {
    kinds: Vec<ResourceType>,
    filter: Option<Filter>,
    sort: Option<Sort>,
    projection: Projection,
}

/// What was found of a page.
#[derive(Default)]
struct Found {
    /// All that match.
    total: u64,
    resources: Vec<serde_json::Value>,
    /// Where the next page begins.
    next: Option<Place>,
}

impl Call {
    pub fn get(
        &self,
        view: &View<'_>,
        kind: ResourceType,
        id: &ResourceId,
        asked: &Asked,
    ) -> Result<Answer, Failure> {
        self.require(kind, Access::Read)?;
        let related = shows_related(kind, &asked.projection);
        let resource =
            view.resource(&self.token.workspace, kind, id, related)?.ok_or_else(Error::not_found)?;
        let answer = match is_known(&asked.headers, resource.meta.version) {
            true => Answer::empty(304),
            false => Answer::new(200, cut(&resource, &asked.projection, &asked.base, &[])),
        };
        Ok(answer.versioned(&resource.meta))
    }

    /// One resource type, or a query at the root (section 3.4.2.1).
    pub fn list(
        &self,
        view: &View<'_>,
        kind: Option<ResourceType>,
        asked: &Asked,
        search: &Search,
        noted: &mut Noted,
    ) -> Result<Answer, Failure> {
        let kinds = match kind {
            Some(kind) => vec![kind],
            None => rights::readable(self.token.rights),
        };
        self.require(kinds.first().copied().unwrap_or(ResourceType::User), Access::Read)?;
        self.list_of(view, kinds, asked, search, noted)
    }

    fn list_of(
        &self,
        view: &View<'_>,
        kinds: Vec<ResourceType>,
        asked: &Asked,
        search: &Search,
        noted: &mut Noted,
    ) -> Result<Answer, Failure> {
        let list = self.read_search(kinds, search)?;
        noted.filter = list.filter.as_ref().map(Filter::shape);
        match search.page(self.limits().pages())? {
            Page::Index { start, count } => {
                let found = self.page(view, &list, asked, start, self.place(&list, count))?;
                Ok(Answer::new(200, list_response(found.total, start, found.resources)))
            }
            Page::Cursor { cursor, count } => {
                let question = self.question(&list, search);
                let place = self.begin(&list, cursor.as_deref(), count, &question)?;
                let found = self.page(view, &list, asked, 1, place)?;
                let next = found.next.map(|next| self.shared.cursors.seal(&next, &question)).transpose()?;
                let body = cursor_response(Some(found.total), None, next.as_deref(), found.resources);
                Ok(Answer::new(200, body))
            }
        }
    }

    fn read_search(&self, kinds: Vec<ResourceType>, search: &Search) -> Result<List, Error> {
        let most = self.limits().filter_bytes;
        if search.filter.as_ref().is_some_and(|text| text.len() > most) {
            let detail = format!("the filter is longer than {most} bytes (setting scim.filter_bytes)");
            return Err(Error::bad(ScimType::InvalidFilter, detail));
        }
        let quotes = if self.tenant.unquoted_filters { Quotes::Optional } else { Quotes::Needed };
        let sort = search.sort(&kinds, self.token.dialect)?;
        Ok(List {
            filter: search.filter(&kinds, self.token.dialect, quotes, self.limits().filter())?,
            projection: search.projection()?,
            sort,
            kinds,
        })
    }

    /// The begin of a list.
    fn place(&self, list: &List, count: u64) -> Place {
        let issued = (self.shared.service.clock)().as_second();
        let kind = list.kinds.first().copied().unwrap_or(ResourceType::User);
        Place { issued, count, kind, after: None }
    }

    /// Where a page begins that is asked for by cursor. Rights were looked at for this page too: a cursor gives none
    /// (RFC 9865 section 5.2).
    fn begin(
        &self,
        list: &List,
        cursor: Option<&str>,
        count: Option<u64>,
        question: &str,
    ) -> Result<Place, Error> {
        let limits = self.limits();
        let Some(cursor) = cursor else {
            return Ok(self.place(list, count.unwrap_or(limits.page_default)));
        };
        let now = (self.shared.service.clock)();
        let place = self.shared.cursors.open(cursor, question, now, limits.cursor_wait)?;
        match count {
            Some(count) if count != place.count => {
                let detail =
                    format!("count was {} when the cursor was given, and has to stay so", place.count);
                Err(Error::bad(ScimType::InvalidCount, detail))
            }
            _ => Ok(Place { issued: now.as_second(), ..place }),
        }
    }

    /// What a cursor is good for: this query, asked by this tenant in this workspace.
    fn question(&self, list: &List, search: &Search) -> String {
        let kinds: Vec<&str> = list.kinds.iter().map(|kind| kind.word()).collect();
        let kinds = kinds.join(",");
        let parts = [
            Some(&self.token.workspace),
            Some(&self.token.tenant),
            Some(&kinds),
            search.filter.as_ref(),
            search.sort_by.as_ref(),
            search.sort_order.as_ref(),
            search.attributes.as_ref(),
            search.excluded_attributes.as_ref(),
        ];
        // With lengths, so that no two queries look alike.
        parts
            .iter()
            .map(|part| part.map_or_else(|| "-;".to_owned(), |part| format!("{}:{part};", part.len())))
            .collect()
    }

    /// One page of the types, one after another. Types before the place are only counted, and so are those behind a
    /// full page.
    fn page(
        &self,
        view: &View<'_>,
        list: &List,
        asked: &Asked,
        start: u64,
        place: Place,
    ) -> Result<Found, Failure> {
        let mut found = Found::default();
        let mut is_ahead = true;
        for kind in &list.kinds {
            is_ahead &= *kind != place.kind;
            let room = if is_ahead { 0 } else { place.count.saturating_sub(found.resources.len() as u64) };
            let query = ListQuery {
                filter: list.filter.clone(),
                sort: list.sort.clone(),
                start: start.saturating_sub(found.total).max(1),
                after: place.after.clone().filter(|_| *kind == place.kind),
                count: room,
                related: shows_related(*kind, &list.projection),
                ..ListQuery::all(*kind)
            };
            if room == 0 && !is_ahead && found.next.is_none() && place.count > 0 {
                found.next = Some(Place { kind: *kind, after: None, ..place.clone() });
            }
            let listing = view.list(&self.token.workspace, &query)?;
            found.total += listing.total;
            let shown =
                listing.resources.iter().map(|resource| cut(resource, &list.projection, &asked.base, &[]));
            found.resources.extend(shown);
            if let Some(after) = listing.next.filter(|_| room > 0) {
                found.next = Some(Place { kind: *kind, after: Some(after), ..place.clone() });
            }
        }
        Ok(found)
    }
}
