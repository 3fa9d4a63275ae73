//! The `Accept` header: what is answered is always `application/scim+json` (RFC 7644 section 3.8).

use axum::http::HeaderMap;
use axum::http::header;

/// Whether a client that says what it accepts accepts JSON at all.
pub fn json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok()).peekable();
    lines.peek().is_none() || lines.flat_map(|line| line.split(',')).any(is_json)
}

fn is_json(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let refused = parts
        .filter_map(|part| part.split_once('='))
        .any(|(name, weight)| name.eq_ignore_ascii_case("q") && weight.trim().parse() == Ok(0.0));
    let known = ["application/scim+json", "application/json", "application/*", "*/*", ""];
    !refused && known.iter().any(|known| essence.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_json_and_wildcards_are_json() {
        for (sent, expected) in [
            ("application/scim+json", true),
            ("text/html, application/json;q=0.8", true),
            ("*/*", true),
            ("Application/*;q=0.1", true),
            ("", true),
            ("text/html", false),
            ("application/scim+json;q=0, text/html", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, sent.parse().expect("a header"))]);
            assert_eq!(json(&headers), expected, "{sent}");
        }
        assert!(json(&HeaderMap::new()));
    }
}
