//! What a request says beside its path and body: the parameters of its URL, and versions (RFC 7644 sections 3.4.2, 3.14).

use axum::http::HeaderMap;
use axum::http::header;

use crate::scim::Search;

/// The parameters of a URL that SCIM knows; others are ignored, as Entra appends flags.
pub fn of_url(query: Option<&str>) -> Search {
    Search::of_pairs(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()))
}

/// Which versions a write may meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Empty where any will do.
    pub versions: Vec<u64>,
    /// Whether the client said anything of versions.
    pub named: bool,
}

impl Expected {
    /// Of the `If-Match` header. A tag that is not ours matches no version.
    pub fn of_headers(headers: &HeaderMap) -> Expected {
        Expected::of_tags(&tags(headers, &header::IF_MATCH))
    }

    /// Of the `version` of a bulk operation (RFC 7644 section 3.7).
    pub fn of_version(version: Option<&str>) -> Expected {
        Expected::of_tags(&version.map(split).unwrap_or_default())
    }

    fn of_tags(tags: &[String]) -> Expected {
        let any = tags.iter().any(|tag| tag == "*");
        let versions = tags.iter().filter(|_| !any).map(|tag| version(tag).unwrap_or(0));
        Expected { versions: versions.collect(), named: !tags.is_empty() }
    }
}

/// Whether the client has this version already (`If-None-Match`).
pub fn is_known(headers: &HeaderMap, current: u64) -> bool {
    tags(headers, &header::IF_NONE_MATCH).iter().any(|tag| tag == "*" || version(tag) == Some(current))
}

fn tags(headers: &HeaderMap, name: &header::HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(split).collect()
}

fn split(line: &str) -> Vec<String> {
    line.split(',').map(|tag| tag.trim().to_owned()).collect()
}

/// Weak and strong tags are compared alike.
fn version(tag: &str) -> Option<u64> {
    tag.trim_start_matches("W/").trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_in_a_url_are_ignored() {
        let search = of_url(Some("aadOptscim062020&filter=userName+eq+%22ann%22&count=2&cursor"));
        assert_eq!(search.filter.as_deref(), Some("userName eq \"ann\""));
        assert_eq!(
            (search.count.as_deref(), search.cursor.as_deref(), search.start_index),
            (Some("2"), Some(""), None)
        );
    }

    #[test]
    fn tags_are_lists_weak_or_strong() {
        let mut headers = HeaderMap::new();
        assert_eq!(Expected::of_headers(&headers), Expected::default());
        headers.insert(header::IF_MATCH, "W/\"3\", \"4\", \"x\"".parse().expect("a header"));
        assert_eq!(Expected::of_headers(&headers), Expected { versions: vec![3, 4, 0], named: true });
        headers.insert(header::IF_MATCH, "*".parse().expect("a header"));
        assert_eq!(Expected::of_headers(&headers), Expected { versions: vec![], named: true });
        assert_eq!(Expected::of_version(Some("W/\"7\"")).versions, [7]);
        headers.insert(header::IF_NONE_MATCH, "W/\"3\"".parse().expect("a header"));
        assert!(is_known(&headers, 3) && !is_known(&headers, 4));
    }
}
