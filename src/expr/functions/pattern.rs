//! Patterns as .NET writes them, made ready for an engine that always takes linear time.

use regex::Regex;
use regex::RegexBuilder;

/// A compiled pattern may take so much memory; a pattern of 10,000 plain characters needs a tenth.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// How long a text a pattern may be looked for in. One search is linear; all matches of an unlucky pattern are not, and
/// eight thousand bytes are more than any attribute that people fill in.
pub(super) const TEXT_BYTES_MAX: usize = 8 * 1024;

/// Compiles a pattern. Matching is linear in the text, at the price of look-around and back-references.
pub(in super::super) fn compiled(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(&translated(text)).size_limit(PATTERN_BYTES_MAX).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        error => {
            let told = error.to_string();
            let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("the pattern cannot be used: {reason}")
        }
    })
}

/// The number that the engine gives a group. By name; or by .NET's number, which counts groups without a name first, and
/// then those with one (.NET documentation, "Grouping constructs").
pub(super) fn group(pattern: &Regex, name: &str) -> Option<usize> {
    if let Some(place) = pattern.capture_names().position(|known| known == Some(name)) {
        return Some(place);
    }
    let number: usize = name.parse().ok()?;
    let places = |named: bool| {
        let groups = pattern.capture_names().enumerate();
        groups.filter(move |(_, name)| name.is_some() == named).map(|(place, _)| place)
    };
    places(false).chain(places(true)).nth(number)
}

/// What the two write differently without an error, so that a pattern would silently mean something else:
///
/// | .NET | here |
/// |---|---|
/// | `(?'name'…)` | `(?<name>…)` |
/// | `\<`, `\>`: the signs | `<`, `>` |
/// | `[a-z-[aeiou]]`: all but | `[a-z--[aeiou]]` |
/// | `[`, `&`, `~` and a second `-` within brackets: the signs | with a backslash |
fn translated(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    let mut letters = text.chars().peekable();
    // How many brackets are open, and whether the last letter within them was a bare `-`.
    let (mut open, mut dash) = (0_usize, false);
    while let Some(letter) = letters.next() {
        let was_dash = std::mem::take(&mut dash);
        match letter {
            '\\' => match letters.next() {
                Some(sign @ ('<' | '>')) => pattern.push(sign),
                Some(escaped) => pattern.extend(['\\', escaped]),
                None => pattern.push('\\'),
            },
            '[' if open == 0 || was_dash => {
                pattern.push_str(if open == 0 { "[" } else { "-[" });
                open += 1;
                // The first `]` is a sign among others.
                for first in ['^', ']'] {
                    pattern.extend(letters.next_if_eq(&first));
                }
            }
            ']' if open > 0 => {
                open -= 1;
                pattern.push(']');
            }
            '[' | '&' | '~' if open > 0 => pattern.extend(['\\', letter]),
            '-' if was_dash => pattern.push_str("\\-"),
            '-' if open > 0 => {
                dash = true;
                pattern.push('-');
            }
            '(' if open == 0 => {
                pattern.push('(');
                if letters.next_if_eq(&'?').is_some() {
                    pattern.push('?');
                    if letters.next_if_eq(&'\'').is_some() {
                        pattern.push('<');
                        pattern.extend(std::iter::from_fn(|| letters.next_if(|letter| *letter != '\'')));
                        pattern.extend(letters.next().map(|_| '>'));
                    }
                }
            }
            _ => pattern.push(letter),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States which parts of a text a .NET pattern matches.
    #[track_caller]
    fn matches(pattern: &str, text: &str, expected: &[&str]) {
        let compiled = compiled(pattern).expect(pattern);
        let found: Vec<&str> = compiled.find_iter(text).map(|found| found.as_str()).collect();
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn what_dotnet_writes_differently_means_the_same() {
        matches(r"\<\w+\>", "a <b> c", &["<b>"]);
        matches("[a-z-[aeiou]]+", "banana", &["b", "n", "n"]);
        matches("[^a-z-[x]]", "ax-", &["x", "-"]);
        matches("[][]+", "a[]b", &["[]"]);
        matches("[a&&b]+", "a&b|", &["a&b"]);
        matches("[+--]+", "1+,-2", &["+,-"]);
        matches("[~~a]+", "~a", &["~a"]);
        matches(r"[()\s-]+", "+1 (9)-", &[" (", ")-"]);
        matches("(?'word'[a-z]+)!", "a ab!", &["ab!"]);
        matches(r"[\]\[-]+", "a[-]", &["[-]"]);
    }

    #[test]
    fn groups_without_a_name_are_counted_first() {
        let pattern = compiled("(?<a>x)(y)(?'b'z)(w)").expect("a pattern");
        let numbers = ["0", "1", "2", "3", "4", "a", "b"].map(|name| group(&pattern, name));
        assert_eq!(numbers, [Some(0), Some(2), Some(4), Some(1), Some(3), Some(1), Some(3)]);
        assert_eq!(group(&pattern, "5"), None);
        assert_eq!(group(&pattern, "c"), None);
    }

    #[test]
    fn what_would_take_other_than_linear_time_is_refused() {
        for pattern in ["(?=x)", "(?<!x)y", r"(a)\1", r"(?<n>a)\k<n>"] {
            assert!(compiled(pattern).is_err(), "{pattern}");
        }
        assert_eq!(compiled("(a{1000}){1000}").expect_err("too large"), "the pattern is too large");
    }
}
