//! OData query options, checked strictly: a client that sends what the service does not know should notice.

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::super::exchange::open;
use super::super::exchange::seal;
use super::View;
use super::errors;
use super::errors::bad_request;
use super::errors::error;
use super::filter;
use super::filter::Expression;
use super::filter_rules::Rules;
use super::filter_rules::needs_parameters;
use super::knobs::OversizedTop;

/// The largest `$top` (graph.md section 5.2).
pub(super) const TOP_MAX: usize = 999;
/// What a page holds where `$top` is not sent.
const TOP_DEFAULT: usize = 100;
/// The longest address of an advanced query (section 4).
const URL_MAX: usize = 2048;
/// Properties of users that live outside the directory: 501 in collections and rounds (section 5.2).
const ELSEWHERE: &[&str] = &[
    "aboutMe",
    "birthday",
    "hireDate",
    "interests",
    "mailboxSettings",
    "mySite",
    "pastProjects",
    "preferredName",
    "responsibilities",
    "schools",
    "skills",
];

pub(super) struct Options<'a> {
    pub(super) view: &'a View<'a>,
    allowed: &'a [&'a str],
}

/// `$orderby`: a property, and whether the order is turned round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) property: String,
    pub(super) descending: bool,
}

/// What a page token remembers.
#[derive(Serialize, Deserialize)]
struct Place<T> {
    at: T,
    /// Unix seconds.
    given: i64,
    /// The page before was left empty on purpose.
    rested: bool,
}

impl<'a> Options<'a> {
    /// 400 for an option that is not `allowed`, or that comes twice.
    pub(super) fn of(view: &'a View<'a>, allowed: &'a [&'a str]) -> Result<Self, Answer> {
        let request = view.request;
        let options = Options { view, allowed };
        for (place, (name, _)) in request.query.iter().enumerate() {
            if !allowed.contains(&name.as_str()) && !view.knobs.ignore_options {
                return Err(bad_request(&format!("Unrecognized query argument specified: '{name}'.")));
            }
            if request.query[..place].iter().any(|(known, _)| known == name) {
                return Err(bad_request(&format!("Query option '{name}' was specified more than once.")));
            }
        }
        if options.is_eventual() && request.base.len() + request.target.len() > URL_MAX {
            return Err(bad_request("The URL of an advanced query is too long."));
        }
        if options.is_eventual() && view.knobs.b2c {
            return Err(error(400, "Request_UnsupportedQuery", "Advanced queries are not supported in B2C."));
        }
        Ok(options)
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.view.request.query(name).filter(|_| self.allowed.contains(&name))
    }

    /// `ConsistencyLevel: eventual`
    pub(super) fn is_eventual(&self) -> bool {
        is_eventual(self.view.request)
    }

    /// An advanced query has the header and `$count=true`, or counts by its path (section 4).
    pub(super) fn is_advanced(&self) -> bool {
        let counts_by_path = self.view.request.path.last().is_some_and(|last| last == "$count");
        self.is_eventual() && (counts_by_path || self.value("$count") == Some("true"))
    }

    /// The selected properties, all of them known to one of the tables.
    pub(super) fn select(&self, kind: &str, tables: &[&[&str]]) -> Result<Option<Vec<String>>, Answer> {
        let Some(text) = self.value("$select") else { return Ok(None) };
        select(text, kind, tables).map(Some)
    }

    /// How many rows a page has.
    pub(super) fn top(&self, max: usize) -> Result<usize, Answer> {
        let wanted = self.value("$top");
        let top = match wanted.map(|text| text.parse::<usize>()) {
            None => TOP_DEFAULT,
            Some(Ok(top)) if (1..=max).contains(&top) => top,
            Some(Ok(top)) if top > max && self.view.knobs.oversized_top == OversizedTop::Capped => max,
            Some(Ok(top)) if top > max && self.view.knobs.oversized_top == OversizedTop::Ignored => {
                TOP_DEFAULT
            }
            Some(_) => {
                let text = wanted.unwrap_or_default();
                return Err(bad_request(&format!(
                    "Invalid page size specified: '{text}'. Must be between 1 and {max} inclusive."
                )));
            }
        };
        Ok(self.view.knobs.page_size.map_or(top, |size| top.min(size.max(1))))
    }

    pub(super) fn filter(&self, rules: &Rules) -> Result<Option<Expression>, Answer> {
        let Some(text) = self.value("$filter") else { return Ok(None) };
        let expression = filter::parse(text)?;
        rules.check(&expression, self.is_advanced())?;
        Ok(Some(expression))
    }

    /// `plain` can be had in any query that does not filter, `further` in advanced queries only.
    pub(super) fn order(&self, plain: &[&str], further: &[&str]) -> Result<Option<Order>, Answer> {
        let Some(text) = self.value("$orderby") else { return Ok(None) };
        let mut words = text.split_whitespace();
        let property = words.next().unwrap_or_default().to_owned();
        let descending = match (words.next(), words.next()) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => true,
            _ => return Err(bad_request("Invalid $orderby clause.")),
        };
        let is_plain = plain.contains(&property.as_str());
        if !is_plain && !further.contains(&property.as_str()) {
            let message = format!("Unsupported sort property '{property}'.");
            return Err(error(400, "Request_UnsupportedQuery", &message));
        }
        if !self.is_advanced() && (!is_plain || self.value("$filter").is_some()) {
            return Err(needs_parameters("$orderby"));
        }
        Ok(Some(Order { property, descending }))
    }

    /// `$count=true` needs the header of advanced queries (section 4).
    pub(super) fn counts(&self) -> Result<bool, Answer> {
        match self.value("$count") {
            None | Some("false") => Ok(false),
            Some("true") if self.is_eventual() => Ok(true),
            Some("true") => Err(bad_request("$count is not currently supported.")),
            Some(_) => Err(bad_request("Invalid value for $count.")),
        }
    }

    /// Where the page before ended; `None` on the first page.
    pub(super) fn cursor<T: DeserializeOwned>(&self, listing: &str) -> Result<Option<T>, Answer> {
        Ok(self.place(listing)?.map(|place| place.at))
    }

    fn place<T: DeserializeOwned>(&self, listing: &str) -> Result<Option<Place<T>>, Answer> {
        let Some(token) = self.value("$skiptoken") else { return Ok(None) };
        let message = "The specified page token value is not valid.";
        let place: Place<T> = open(listing, token).ok_or_else(|| bad_request(message))?;
        if place.given + self.view.knobs.page_token_seconds <= self.view.now.as_second() {
            return Err(errors::expired_page());
        }
        Ok(Some(place))
    }

    /// Where a knob asks for an empty page here: the link to the page that should have stood here.
    pub(super) fn rest(&self, listing: &str) -> Result<Option<String>, Answer> {
        let place = self.place::<Value>(listing)?.filter(|place| !place.rested);
        Ok(place.filter(|_| self.view.knobs.empty_pages).map(|place| self.link(listing, place.at, true)))
    }

    /// The same request with another `$skiptoken`, as Graph writes it (graph/047 of the corpus).
    pub(super) fn next_link<T: Serialize>(&self, listing: &str, at: T) -> String {
        self.link(listing, at, false)
    }

    fn link<T: Serialize>(&self, listing: &str, at: T, rested: bool) -> String {
        let request = self.view.request;
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let mut options: Vec<String> = query
            .split('&')
            .filter(|option| !option.is_empty())
            .map(|option| option.replacen("%24", "$", 1))
            .filter(|option| !option.starts_with("$skiptoken="))
            .collect();
        let place = Place { at, given: self.view.now.as_second(), rested };
        options.push(format!("$skiptoken={}", seal(listing, &place)));
        format!("{}{path}?{}", request.base, options.join("&"))
    }
}

pub(super) fn is_eventual(request: &Request) -> bool {
    request.header("consistencylevel").is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
}

/// Names by commas, all of them known to one of the tables.
pub(super) fn select(text: &str, kind: &str, tables: &[&[&str]]) -> Result<Vec<String>, Answer> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    if names.iter().any(|name| ELSEWHERE.contains(&name.as_str())) {
        return Err(error(501, "NotImplemented", "This operation target is not yet supported."));
    }
    let known =
        |name: &String| is_extension(name) || tables.iter().any(|table| table.contains(&name.as_str()));
    match names.iter().find(|name| !known(name)) {
        None => Ok(names),
        Some(unknown) => Err(error(
            400,
            "BadRequest",
            &format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{unknown}' on type \
                 'microsoft.graph.{kind}'."
            ),
        )),
    }
}

/// `extension_{appId without hyphens}_{name}` (section 5.13).
fn is_extension(name: &str) -> bool {
    let parts = name.strip_prefix("extension_").and_then(|rest| rest.split_once('_'));
    parts.is_some_and(|(app, name)| {
        app.len() == 32 && app.bytes().all(|byte| byte.is_ascii_hexdigit()) && !name.is_empty()
    })
}

/// `users(id,mail)` or `users`.
pub(super) fn with_select(collection: &str, select: Option<&[String]>) -> String {
    match select {
        Some(names) => format!("{collection}({})", names.join(",")),
        None => collection.to_owned(),
    }
}
