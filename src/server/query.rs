//! What a request asks for beside its path: paging, filter, projection, versions (RFC 7644 sections 3.4.2, 3.9, 3.14).

use axum::http::HeaderMap;
use axum::http::header;
use serde_json::Value;

use crate::scim::Dialect;
use crate::scim::Error;
use crate::scim::Filter;
use crate::scim::PageLimits;
use crate::scim::Projection;
use crate::scim::ResourceType;
use crate::scim::ScimType;
use crate::store::ListQuery;

/// What a client gets that names no count; and the longest page: about a megabyte of people.
pub const PAGE_LIMITS: PageLimits = PageLimits { default: 100, max: 500 };

/// The parameters that we know, as text.
#[derive(Debug, Default)]
pub struct Parameters {
    pub attributes: Option<String>,
    pub excluded: Option<String>,
    pub filter: Option<String>,
    start: Option<String>,
    count: Option<String>,
}

impl Parameters {
    /// Of a URL; names that we do not know are ignored, as Entra appends flags.
    pub fn of_url(query: Option<&str>) -> Parameters {
        let mut parameters = Parameters::default();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if let Some(slot) = parameters.slot(&name) {
                *slot = Some(value.into_owned());
            }
        }
        parameters
    }

    /// Of a SearchRequest body (RFC 7644 section 3.4.3).
    pub fn of_search(body: &Value) -> Result<Parameters, Error> {
        let members = body
            .as_object()
            .ok_or_else(|| Error::bad(ScimType::InvalidSyntax, "the body is not a JSON object"))?;
        let mut parameters = Parameters::default();
        for (name, value) in members {
            if let Some(slot) = parameters.slot(name) {
                *slot = match value {
                    Value::Null => None,
                    Value::String(text) => Some(text.clone()),
                    Value::Array(names) => {
                        Some(names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
                    }
                    other => Some(other.to_string()),
                };
            }
        }
        Ok(parameters)
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "attributes" => Some(&mut self.attributes),
            "excludedAttributes" => Some(&mut self.excluded),
            "filter" => Some(&mut self.filter),
            "startIndex" => Some(&mut self.start),
            "count" => Some(&mut self.count),
            _ => None,
        }
    }

    pub fn projection(&self) -> Result<Projection, Error> {
        Projection::read(self.attributes.as_deref(), self.excluded.as_deref())
    }

    pub fn list(&self, kind: ResourceType, dialect: Dialect, related: bool) -> Result<ListQuery, Error> {
        let filter = self.filter.as_deref().map(|text| read_filter(text, kind, dialect)).transpose()?;
        let start = number("startIndex", self.start.as_deref())?.unwrap_or(1).max(1);
        let count =
            number("count", self.count.as_deref())?.unwrap_or(PAGE_LIMITS.default).min(PAGE_LIMITS.max);
        Ok(ListQuery { filter, start, count, related, ..ListQuery::all(kind) })
    }
}

fn read_filter(text: &str, kind: ResourceType, dialect: Dialect) -> Result<Filter, Error> {
    let filter = Filter::parse(text).map_err(|problem| Error::filter(&problem))?;
    filter.check(kind, dialect)?;
    Ok(filter)
}

/// Below zero is zero; what is no number is refused.
fn number(name: &str, text: Option<&str>) -> Result<Option<u64>, Error> {
    let Some(text) = text.map(str::trim) else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(number) => Ok(Some(u64::try_from(number).unwrap_or(0))),
        Err(_) => Err(Error::bad(ScimType::InvalidValue, format!("{name} is not a number"))),
    }
}

/// The versions of `If-Match`; empty where any will do. A tag that is not ours matches no version.
pub fn expected_versions(headers: &HeaderMap) -> Vec<u64> {
    let tags = tags(headers, &header::IF_MATCH);
    match tags.iter().any(|tag| tag == "*") {
        true => Vec::new(),
        false => tags.iter().map(|tag| version(tag).unwrap_or(0)).collect(),
    }
}

/// Whether the client has this version already (`If-None-Match`).
pub fn is_known(headers: &HeaderMap, current: u64) -> bool {
    tags(headers, &header::IF_NONE_MATCH).iter().any(|tag| tag == "*" || version(tag) == Some(current))
}

fn tags(headers: &HeaderMap, name: &header::HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|tag| tag.trim().to_owned()).collect()
}

/// Weak and strong tags are compared alike.
fn version(tag: &str) -> Option<u64> {
    tag.trim_start_matches("W/").trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: Result<(u64, u64), &str>) {
        let list = Parameters::of_url(Some(query)).list(ResourceType::User, Dialect::Strict, false);
        let got = list.map(|list| (list.start, list.count)).map_err(|error| error.detail);
        assert_eq!(got, expected.map_err(str::to_owned), "{query}");
    }

    #[test]
    fn pages_are_bounded_and_below_zero_is_zero() {
        check("", Ok((1, 100)));
        check("startIndex=0&count=-5", Ok((1, 0)));
        check("startIndex=7&count=100000", Ok((7, 500)));
        check("startIndex=x", Err("startIndex is not a number"));
        check("count=1.5", Err("count is not a number"));
        check("aadOptscim062020&count=2", Ok((1, 2)));
    }

    #[test]
    fn tags_are_lists_weak_or_strong() {
        let mut headers = HeaderMap::new();
        assert_eq!(expected_versions(&headers), [0u64; 0]);
        headers.insert(header::IF_MATCH, "W/\"3\", \"4\", \"x\"".parse().expect("a header"));
        assert_eq!(expected_versions(&headers), [3, 4, 0]);
        headers.insert(header::IF_MATCH, "*".parse().expect("a header"));
        assert_eq!(expected_versions(&headers), [0u64; 0]);
        headers.insert(header::IF_NONE_MATCH, "W/\"3\"".parse().expect("a header"));
        assert!(is_known(&headers, 3) && !is_known(&headers, 4));
    }
}
