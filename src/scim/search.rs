//! What a list is asked for, in a URL or in a SearchRequest (RFC 7644 sections 3.4.2, 3.4.3; RFC 9865).

use serde_json::Value;

use super::Dialect;
use super::Error;
use super::Filter;
use super::FilterBounds;
use super::Projection;
use super::Quotes;
use super::ResourceType;
use super::ScimType;
use super::Sort;
use super::intake::no_twins;

const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The parameters that were given, as text. The same in a URL and in a body.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Search {
    pub attributes: Option<String>,
    pub excluded_attributes: Option<String>,
    pub filter: Option<String>,
    pub sort_by: Option<String>,
    pub sort_order: Option<String>,
    pub start_index: Option<String>,
    pub count: Option<String>,
    /// Empty: the first page of a paging by cursor.
    pub cursor: Option<String>,
}

/// Shows which parameters were given (P11).
impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut all = self.clone();
        let given = Search::NAMES.iter().filter(|name| all.slot(name).is_some_and(|slot| slot.is_some()));
        f.debug_set().entries(given).finish()
    }
}

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// `start` is 1-based.
    Index { start: u64, count: u64 },
    /// Without a cursor the first page. `count` is `None` where none was named.
    Cursor { cursor: Option<String>, count: Option<u64> },
}

/// How long a page is that names no count, and how long it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimits {
    pub default: u64,
    pub max: u64,
}

impl Search {
    const NAMES: [&'static str; 8] = [
        "attributes",
        "excludedAttributes",
        "filter",
        "sortBy",
        "sortOrder",
        "startIndex",
        "count",
        "cursor",
    ];

    /// Of the pairs in a URL, decoded. Names that nobody knows are ignored, as Entra appends flags (section 3.4.2).
    pub fn of_pairs<K: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Search {
        let mut search = Search::default();
        for (name, value) in pairs {
            if let Some(slot) = search.slot(name.as_ref()) {
                *slot = Some(value.into());
            }
        }
        search
    }

    /// Of a SearchRequest. The tolerant dialect takes one without `schemas`.
    pub fn of_body(body: &Value, dialect: Dialect) -> Result<Search, Error> {
        let members = body.as_object().ok_or_else(|| syntax("the body is not a JSON object"))?;
        no_twins(members)?;
        let mut named = false;
        let mut search = Search::default();
        for (name, value) in members {
            let spelled = Search::NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name));
            if name.eq_ignore_ascii_case("schemas") {
                named = value.as_array().is_some_and(|urns| urns.iter().any(is_search_request));
            } else if let Some(slot) = spelled.and_then(|name| search.slot(name)) {
                *slot = text(name, value)?;
            }
        }
        let absent = !members.keys().any(|name| name.eq_ignore_ascii_case("schemas"));
        match named || (absent && dialect == Dialect::Tolerant) {
            true => Ok(search),
            false => Err(syntax("schemas does not name SearchRequest")),
        }
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "attributes" => Some(&mut self.attributes),
            "excludedAttributes" => Some(&mut self.excluded_attributes),
            "filter" => Some(&mut self.filter),
            "sortBy" => Some(&mut self.sort_by),
            "sortOrder" => Some(&mut self.sort_order),
            "startIndex" => Some(&mut self.start_index),
            "count" => Some(&mut self.count),
            "cursor" => Some(&mut self.cursor),
            _ => None,
        }
    }

    pub fn projection(&self) -> Result<Projection, Error> {
        Projection::read(self.attributes.as_deref(), self.excluded_attributes.as_deref())
    }

    /// The filter, where there is one and it makes sense for these resource types. Over more than one, what a
    /// type does not have has no value (section 3.4.2.1).
    pub fn filter(
        &self,
        kinds: &[ResourceType],
        dialect: Dialect,
        quotes: Quotes,
        bounds: FilterBounds,
    ) -> Result<Option<Filter>, Error> {
        let Some(text) = &self.filter else { return Ok(None) };
        let filter = Filter::parse_within(text, quotes, bounds).map_err(|problem| Error::filter(&problem))?;
        match kinds {
            [kind] => filter.check(*kind, dialect)?,
            several => filter.check_all(several, dialect)?,
        }
        Ok(Some(filter))
    }

    pub fn sort(&self, kinds: &[ResourceType], dialect: Dialect) -> Result<Option<Sort>, Error> {
        let by = self.sort_by.as_deref().filter(|by| !by.trim().is_empty());
        by.map(|by| Sort::read(kinds, dialect, by, self.sort_order.as_deref())).transpose()
    }

    /// Which page: below 1 is the first, a negative count is none, and a count above the longest is cut.
    pub fn page(&self, limits: PageLimits) -> Result<Page, Error> {
        let count = number("count", self.count.as_deref())?.map(|count| count.min(limits.max));
        let start = number("startIndex", self.start_index.as_deref())?;
        match (&self.cursor, start) {
            (Some(_), Some(_)) => {
                Err(Error::bad(ScimType::InvalidValue, "startIndex and cursor exclude each other"))
            }
            (Some(cursor), None) => {
                Ok(Page::Cursor { cursor: Some(cursor.clone()).filter(|cursor| !cursor.is_empty()), count })
            }
            (None, start) => Ok(Page::Index {
                start: start.unwrap_or(1).max(1),
                count: count.unwrap_or(limits.default.min(limits.max)),
            }),
        }
    }
}

fn is_search_request(urn: &Value) -> bool {
    urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(SEARCH_REQUEST))
}

/// A member of the message as the text that it would be in a URL.
fn text(name: &str, value: &Value) -> Result<Option<String>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Array(names) if names.iter().all(Value::is_string) => {
            Ok(Some(names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")))
        }
        _ => {
            let name: String = name.chars().take(80).collect();
            Err(Error::bad(ScimType::InvalidValue, format!("{name} has the wrong type")))
        }
    }
}

/// Below zero is zero; what is no number is refused.
fn number(name: &str, text: Option<&str>) -> Result<Option<u64>, Error> {
    let Some(text) = text.map(str::trim) else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(number) => Ok(Some(u64::try_from(number).unwrap_or(0))),
        Err(_) => Err(Error::bad(ScimType::InvalidValue, format!("{name} is not a whole number"))),
    }
}

fn syntax(detail: &str) -> Error {
    Error::bad(ScimType::InvalidSyntax, detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIMITS: PageLimits = PageLimits { default: 100, max: 500 };

    fn pages(pairs: &[(&str, &str)], expected: Result<Page, &str>) {
        let page = Search::of_pairs(pairs.iter().copied()).page(LIMITS).map_err(|error| error.detail);
        assert_eq!(page, expected.map_err(str::to_owned), "{pairs:?}");
    }

    #[test]
    fn pages_are_bounded_and_below_zero_is_zero() {
        let index = |start, count| Ok(Page::Index { start, count });
        pages(&[], index(1, 100));
        pages(&[("startIndex", "0"), ("count", "-5")], index(1, 0));
        pages(&[("startIndex", "-3"), ("count", "0")], index(1, 0));
        pages(&[("startIndex", "7"), ("count", "100000")], index(7, 500));
        pages(&[("aadOptscim062020", ""), ("count", "2")], index(1, 2));
        pages(&[("startIndex", "x")], Err("startIndex is not a whole number"));
        pages(&[("count", "1.5")], Err("count is not a whole number"));
    }

    #[test]
    fn an_empty_cursor_is_the_first_page_and_none_goes_with_a_start() {
        let cursor =
            |cursor: Option<&str>, count| Ok(Page::Cursor { cursor: cursor.map(str::to_owned), count });
        pages(&[("cursor", ""), ("count", "10")], cursor(None, Some(10)));
        pages(&[("cursor", "abc")], cursor(Some("abc"), None));
        pages(&[("cursor", ""), ("startIndex", "1")], Err("startIndex and cursor exclude each other"));
    }

    #[test]
    fn a_search_request_says_the_same_as_a_url() {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "title pr",
            "attributes": ["userName", "emails.value"], "sortBy": "userName", "sortOrder": "descending",
            "startIndex": 3, "count": 4, "excludedAttributes": null,
        });
        let url = Search::of_pairs([
            ("filter", "title pr"),
            ("attributes", "userName,emails.value"),
            ("sortBy", "userName"),
            ("sortOrder", "descending"),
            ("startIndex", "3"),
            ("count", "4"),
        ]);
        assert_eq!(Search::of_body(&body, Dialect::Strict), Ok(url));
    }

    #[test]
    fn a_body_that_is_no_search_request_is_refused() {
        let word = |body: Value, dialect| Search::of_body(&body, dialect).map_err(|error| error.kind);
        let syntax = Err(Some(ScimType::InvalidSyntax));
        assert_eq!(word(json!([]), Dialect::Tolerant), syntax);
        assert_eq!(word(json!({"schemas": ["urn:x"]}), Dialect::Tolerant), syntax);
        assert_eq!(word(json!({}), Dialect::Strict), syntax);
        assert_eq!(word(json!({"count": 1, "COUNT": 2}), Dialect::Tolerant), syntax);
        assert_eq!(word(json!({}), Dialect::Tolerant), Ok(Search::default()));
        assert_eq!(word(json!({"filter": {}}), Dialect::Tolerant), Err(Some(ScimType::InvalidValue)));
    }

    #[test]
    fn over_several_types_what_one_of_them_lacks_has_no_value_there() {
        let search = Search::of_pairs([("filter", "members pr or userName eq \"ann\"")]);
        let bounds = FilterBounds::default();
        let read = |kinds: &[ResourceType]| search.filter(kinds, Dialect::Strict, Quotes::Needed, bounds);
        assert!(read(&[ResourceType::User]).is_err());
        assert!(read(&[ResourceType::User, ResourceType::Group]).is_ok());
        let wrong = Search::of_pairs([("filter", "userName eq 5")]);
        assert!(
            wrong
                .filter(&ResourceType::ALL, Dialect::Tolerant, Quotes::Needed, FilterBounds::default())
                .is_err()
        );
    }
}
