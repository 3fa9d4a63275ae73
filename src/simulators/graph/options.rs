//! OData query options, checked strictly: a client that sends what the service does not know should notice.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::super::exchange::open;
use super::super::exchange::seal;
use super::errors;
use super::errors::bad_request;

/// The largest `$top` (graph.md section 5.2).
const TOP_MAX: usize = 999;
/// What a page holds where `$top` is not sent.
const TOP_DEFAULT: usize = 100;

pub(super) struct Options<'a> {
    request: &'a Request,
}

impl<'a> Options<'a> {
    /// 400 for an option that is not `allowed`, or that comes twice.
    pub(super) fn of(request: &'a Request, allowed: &[&str]) -> Result<Self, Answer> {
        for (place, (name, _)) in request.query.iter().enumerate() {
            if !allowed.contains(&name.as_str()) {
                return Err(bad_request(&format!("Unrecognized query argument specified: '{name}'.")));
            }
            if request.query[..place].iter().any(|(known, _)| known == name) {
                return Err(bad_request(&format!("Query option '{name}' was specified more than once.")));
            }
        }
        Ok(Options { request })
    }

    /// The selected properties, all of them known to one of the tables.
    pub(super) fn select(&self, kind: &str, tables: &[&[&str]]) -> Result<Option<Vec<String>>, Answer> {
        let Some(text) = self.request.query("$select") else { return Ok(None) };
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        let known = |name: &String| {
            name.starts_with("extension_") || tables.iter().any(|table| table.contains(&name.as_str()))
        };
        match names.iter().find(|name| !known(name)) {
            None => Ok(Some(names)),
            Some(unknown) => Err(errors::error(
                400,
                "BadRequest",
                &format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{unknown}' on \
                     type 'microsoft.graph.{kind}'."
                ),
            )),
        }
    }

    pub(super) fn top(&self) -> Result<usize, Answer> {
        let Some(text) = self.request.query("$top") else { return Ok(TOP_DEFAULT) };
        match text.parse() {
            Ok(top) if (1..=TOP_MAX).contains(&top) => Ok(top),
            _ => Err(bad_request(&format!(
                "Invalid page size specified: '{text}'. Must be between 1 and {TOP_MAX} inclusive."
            ))),
        }
    }

    /// `$expand=manager(…)` is the only expansion there is.
    pub(super) fn expands_manager(&self) -> Result<bool, Answer> {
        match self.request.query("$expand") {
            None => Ok(false),
            Some(text) if text == "manager" || text.starts_with("manager(") => Ok(true),
            Some(_) => {
                Err(errors::error(400, "ExpandNotSupported", "Expand is not allowed for this property."))
            }
        }
    }

    /// `$count=true` needs the header of advanced queries (graph.md section 4).
    pub(super) fn counts(&self) -> Result<bool, Answer> {
        let wanted = self.request.query("$count") == Some("true");
        let eventual = self.request.header("consistencylevel") == Some("eventual");
        if wanted && !eventual {
            return Err(bad_request("$count is not currently supported."));
        }
        Ok(wanted)
    }

    /// Where the page before ended; `None` on the first page.
    pub(super) fn cursor<T: DeserializeOwned>(&self, listing: &str) -> Result<Option<T>, Answer> {
        let Some(token) = self.request.query("$skiptoken") else { return Ok(None) };
        let message = "The specified page token value is not valid.";
        open(listing, token).map(Some).ok_or_else(|| bad_request(message))
    }

    /// The same request with another `$skiptoken`, as Graph writes it (graph/047 of the corpus).
    pub(super) fn next_link<T: Serialize>(&self, listing: &str, cursor: &T) -> String {
        let (path, query) = self.request.target.split_once('?').unwrap_or((&self.request.target, ""));
        let mut options: Vec<String> = query
            .split('&')
            .filter(|option| !option.is_empty())
            .map(|option| option.replacen("%24", "$", 1))
            .filter(|option| !option.starts_with("$skiptoken="))
            .collect();
        options.push(format!("$skiptoken={}", seal(listing, cursor)));
        format!("{}{path}?{}", self.request.base, options.join("&"))
    }
}

/// `users(id,mail)` or `users`.
pub(super) fn with_select(collection: &str, select: Option<&[String]>) -> String {
    match select {
        Some(names) => format!("{collection}({})", names.join(",")),
        None => collection.to_owned(),
    }
}

/// As many as `top`, and whether there are more.
pub(super) fn take_page<T>(rows: impl Iterator<Item = T>, top: usize) -> (Vec<T>, bool) {
    let mut page: Vec<T> = rows.take(top + 1).collect();
    let more = page.len() > top;
    page.truncate(top);
    (page, more)
}
