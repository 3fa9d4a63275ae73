//! `limit`, `after` and the `Link` header (okta.md section 1.1).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::super::exchange::open;
use super::super::exchange::seal;
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
    request: &'a Request,
    limit: usize,
    name: &'static str,
}

impl<'a> Listing<'a> {
    pub(super) fn of(
        view: &View<'a>,
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
        Ok(Listing { request: view.request, limit, name })
    }

    /// Where the page before ended; a cursor that was not issued for this listing is refused (okta/019).
    pub(super) fn cursor<T: DeserializeOwned>(&self) -> Result<Option<T>, Answer> {
        let Some(text) = self.request.query("after") else { return Ok(None) };
        open(self.name, text)
            .map(Some)
            .ok_or_else(|| errors::caused(400, "E0000029", "Invalid paging request.", &["Invalid cursor."]))
    }

    /// A page of `rows`, each with the cursor that follows it.
    pub(super) fn page<T: Serialize, R>(
        &self,
        rows: impl Iterator<Item = (T, R)>,
        show: impl Fn(R) -> Value,
    ) -> Answer {
        let mut page: Vec<(T, R)> = rows.take(self.limit + 1).collect();
        let more = page.len() > self.limit;
        page.truncate(self.limit);
        let next = page.last().filter(|_| more).map(|(cursor, _)| seal(self.name, cursor));
        let body = page.into_iter().map(|(_, row)| show(row)).collect();
        let answer = Answer::json(200, body).with("link", self.link("self", None));
        match next {
            Some(cursor) => answer.with("link", self.link("next", Some(&cursor))),
            None => answer,
        }
    }

    /// The request's own parameters with `limit` as it was used; for `next`, the cursor first.
    fn link(&self, relation: &str, cursor: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(cursor) = cursor {
            query.append_pair("after", cursor);
        }
        for (name, value) in &self.request.query {
            match (name.as_str(), relation) {
                ("limit", _) | ("after", "next") => {}
                _ => {
                    query.append_pair(name, value);
                }
            }
        }
        query.append_pair("limit", &self.limit.to_string());
        let path = self.request.target.split('?').next().unwrap_or_default();
        format!("<{}{path}?{}>; rel=\"{relation}\"", self.request.base, query.finish())
    }
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
        Some(_) => Err(errors::invalid("expand")),
    }
}
