//! `limit`, `after` and the `Link` header (okta.md section 1.1), and what can be wrong with pages.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::super::exchange::open;
use super::super::exchange::seal;
use super::super::faults::Trouble;
use super::View;
use super::errors;

/// What `limit` may be on a listing (okta.md section 3).
pub(super) struct Limits {
    pub(super) least: usize,
    pub(super) default: usize,
    pub(super) most: usize,
}

/// A listing of one request.
pub(super) struct Listing<'a> {
    view: &'a View<'a>,
    limit: usize,
    name: &'static str,
    /// The parameter that links do not repeat (okta.md section 1.1).
    forgets: &'static str,
}

/// Where a page ended, when that was said, and how many pages without rows lie between.
type Cursor<T> = (T, i64, u32);

impl<'a> Listing<'a> {
    pub(super) fn of(
        view: &'a View<'a>,
        name: &'static str,
        limits: &Limits,
        allowed: &[&str],
    ) -> Result<Self, Answer> {
        check_parameters(view.request, &[&["limit", "after"], allowed].concat())?;
        let limit = match view.request.query("limit") {
            None => limits.default,
            Some(text) => match text.parse::<usize>() {
                Ok(limit) if limit > limits.most && view.knobs.refuse_high_limit => {
                    return Err(errors::invalid("limit"));
                }
                Ok(limit) if limit > 0 => limit.clamp(limits.least, limits.most),
                _ => return Err(errors::invalid("limit")),
            },
        };
        Ok(Listing { view, limit, name, forgets: "" })
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn forgetting(self, parameter: &'static str) -> Self {
        Listing { forgets: parameter, ..self }
    }

    fn request(&self) -> &Request {
        self.view.request
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.view.trouble
    }

    /// Where the page before ended; a cursor that was not issued for this listing is refused (okta/019).
    pub(super) fn cursor<T: DeserializeOwned>(&self) -> Result<Option<T>, Answer> {
        let Some((last, issued, _)) = self.opened::<T>()? else { return Ok(None) };
        let age = self.view.now.as_second() - issued;
        let expired = self.view.knobs.cursor_minutes.is_some_and(|minutes| age >= minutes * 60);
        if expired || self.trouble() == Some(&Trouble::ExpireCursor) {
            return Err(self.refused());
        }
        Ok(last)
    }

    /// An empty first page has a cursor without a row.
    fn opened<T: DeserializeOwned>(&self) -> Result<Option<Cursor<Option<T>>>, Answer> {
        let Some(text) = self.request().query("after") else { return Ok(None) };
        open(self.name, text).map(Some).ok_or_else(|| self.refused())
    }

    fn refused(&self) -> Answer {
        errors::bad_cursor(self.request().query("search").is_some())
    }

    /// A page of `rows`, each with the cursor that follows it.
    pub(super) fn page<T: Serialize + DeserializeOwned, R>(
        &self,
        rows: impl Iterator<Item = (T, R)>,
        show: impl Fn(R) -> Value,
    ) -> Answer {
        let size = match self.trouble() {
            Some(Trouble::EmptyPage) => 0,
            Some(Trouble::ShortPage) => (self.limit / 2).max(1),
            _ => self.limit,
        };
        let mut page: Vec<(T, R)> = rows.take(size + 1).collect();
        let more = page.len() > size;
        let beyond = if more { page.pop() } else { None };
        let next = if more { self.next(&page, beyond.map(|(cursor, _)| cursor)) } else { None };
        let body = page.into_iter().map(|(_, row)| show(row)).collect();
        let answer = Answer::json(200, body).with("link", self.link("self", None));
        match next {
            Some(cursor) => answer.with("link", self.link("next", Some(&cursor))),
            None => answer,
        }
    }

    /// `beyond` is the first row of the page to come.
    fn next<T: Serialize + DeserializeOwned, R>(&self, page: &[(T, R)], beyond: Option<T>) -> Option<String> {
        let now = self.view.now.as_second();
        let ended = |place: usize| page.len().checked_sub(place).and_then(|place| page.get(place));
        match self.trouble() {
            Some(Trouble::SkipRow) => beyond.map(|cursor| seal(self.name, &(Some(cursor), now, 0_u32))),
            Some(Trouble::RepeatRow) if page.len() > 1 => {
                ended(2).map(|(cursor, _)| seal(self.name, &(Some(cursor), now, 0_u32)))
            }
            _ if page.is_empty() => {
                let before = self.opened::<T>().ok().flatten();
                let (last, pages) = before.map_or((None, 0), |(last, _, pages)| (last, pages));
                Some(seal(self.name, &(last, now, pages + 1)))
            }
            _ => ended(1).map(|(cursor, _)| seal(self.name, &(Some(cursor), now, 0_u32))),
        }
    }

    /// The request's own parameters with `limit` as it was used; for `next`, the cursor first.
    fn link(&self, relation: &str, cursor: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(cursor) = cursor {
            query.append_pair("after", cursor);
        }
        for (name, value) in &self.request().query {
            match (name.as_str(), relation) {
                ("limit", _) | ("after", "next") => {}
                (forgotten, _) if forgotten == self.forgets => {}
                _ => {
                    query.append_pair(name, value);
                }
            }
        }
        query.append_pair("limit", &self.limit.to_string());
        link(self.request(), relation, &query.finish())
    }
}

/// One line of a `Link` header, to the path of the request.
pub(super) fn link(request: &Request, relation: &str, query: &str) -> String {
    let path = request.target.split('?').next().unwrap_or_default();
    format!("<{}{path}?{query}>; rel=\"{relation}\"", request.base)
}

/// 400 for a parameter that the call does not have. Okta says so for `filter` on app users (okta.md section 3).
pub(super) fn check_parameters(request: &Request, allowed: &[&str]) -> Result<(), Answer> {
    match request.query.iter().find(|(name, _)| !allowed.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) if matches!(name.as_str(), "filter" | "search") => {
            Err(errors::error(400, "E0000031", "Invalid search criteria."))
        }
        Some((name, _)) => Err(errors::invalid(name)),
    }
}

/// Whether the request expands `what`; anything else is refused (okta/021 of the corpus).
pub(super) fn expands(request: &Request, what: &str) -> Result<bool, Answer> {
    match request.query("expand") {
        None => Ok(false),
        Some(text) if text == what => Ok(true),
        Some(_) => Err(errors::bad_expand()),
    }
}
