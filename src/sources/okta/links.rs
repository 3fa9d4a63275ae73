//! `Link` headers (RFC 8288), and what a next link may have lost on its way.

use http::HeaderMap;
use url::Url;

/// The target of `rel="next"`: from one header line or several, in any order. None is the end of the list.
pub(super) fn next(headers: &HeaderMap) -> Option<&str> {
    headers.get_all("link").iter().filter_map(|line| line.to_str().ok()).find_map(next_in)
}

fn next_in(line: &str) -> Option<&str> {
    let mut rest = line;
    while let Some(from) = rest.find('<') {
        let (target, after) = rest[from + 1..].split_once('>')?;
        let (parameters, others) = split_outside_quotes(after);
        if is_next(parameters) {
            return Some(target);
        }
        rest = others;
    }
    None
}

/// The parameters of one link, and the links after it: a comma ends them unless it is quoted.
fn split_outside_quotes(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => return text.split_at(at),
            _ => {}
        }
    }
    (text, "")
}

fn is_next(parameters: &str) -> bool {
    parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        let relations = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("rel")
            && relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

/// A next link with the parameters that it lost: links of app users drop `expand` (OKTA-1230324), those of push
/// mappings `sourceGroupId`. Everything that it does carry stays as it is. A link of the System Log is followed as it
/// stands: `since` and `after` exclude each other (okta.md section 4).
pub(super) fn restored(mut next: Url, asked: &Url) -> Url {
    if next.path().ends_with("/logs") {
        return next;
    }
    let lost: Vec<(String, String)> = asked
        .query_pairs()
        .filter(|(name, _)| name != "after" && !next.query_pairs().any(|(known, _)| known == *name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    if !lost.is_empty() {
        next.query_pairs_mut().extend_pairs(lost);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[track_caller]
    fn check(lines: &[&'static str], expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("link", HeaderValue::from_static(line));
        }
        assert_eq!(next(&headers), expected);
    }

    #[test]
    fn the_next_link_is_found_in_one_line_or_two() {
        check(
            &["<https://a/x?limit=1>; rel=\"self\"", "<https://a/x?after=b>; rel=\"next\""],
            Some("https://a/x?after=b"),
        );
        check(
            &["<https://a/x?after=b>; rel=\"next\"", "<https://a/x?limit=1>; rel=\"self\""],
            Some("https://a/x?after=b"),
        );
        check(
            &["<https://a/x?limit=1>; rel=\"self\", <https://a/x?after=b,c>; title=\"a, b\"; rel=next"],
            Some("https://a/x?after=b,c"),
        );
    }

    #[test]
    fn no_next_link_is_the_end() {
        check(&[], None);
        check(&["<https://a/x?limit=1>; rel=\"self\""], None);
        check(&["<https://a/next>; rel=\"nextish\"", "garbage", "<https://a/open"], None);
    }

    #[test]
    fn what_the_link_lost_is_added_and_nothing_else_changes() {
        let url = |text| Url::parse(text).unwrap();
        let restored = |next, asked| restored(url(next), &url(asked)).to_string();
        assert_eq!(
            restored("https://a/x?after=b%3D+c&limit=1", "https://a/x?limit=500&expand=user&after=a"),
            "https://a/x?after=b%3D+c&limit=1&expand=user"
        );
        assert_eq!(
            restored("https://a/x?after=b&limit=1", "https://a/x?limit=1"),
            "https://a/x?after=b&limit=1"
        );
        assert_eq!(
            restored("https://a/x?after=b", "https://a/x?limit=200&sourceGroupId=00g1&filter=id+eq+%22a%22"),
            "https://a/x?after=b&limit=200&sourceGroupId=00g1&filter=id+eq+%22a%22"
        );
        assert_eq!(
            restored("https://a/api/v1/logs?after=17_1", "https://a/api/v1/logs?since=2026&limit=1000"),
            "https://a/api/v1/logs?after=17_1"
        );
    }
}
