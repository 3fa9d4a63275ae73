//! Patterns of scope filters: written for .NET in Entra ID, matched here in linear time, and refused where the two
//! dialects would differ.

use std::fmt;

use regex::Regex;
use regex::RegexBuilder;
use serde::Serialize;
use serde::Serializer;
use unicode_normalization::UnicodeNormalization;

/// A pattern of the settings is written by hand; the expression language has the same bound.
const CHARS_MAX: usize = 10_000;
/// A compiled pattern may take so much memory; a pattern of 10,000 plain characters needs a tenth.
const BYTES_MAX: usize = 1 << 20;

/// A checked pattern. It is its text, as far as equality and the digest of the rules go.
#[derive(Clone)]
pub(super) struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// The error says what cannot be, and what to write instead.
    pub(super) fn read(text: &str, ignore_case: bool) -> Result<Pattern, String> {
        if text.chars().count() > CHARS_MAX {
            return Err(format!("the pattern is longer than {CHARS_MAX} characters; make two clauses of it"));
        }
        if let Some(told) = only_in_dotnet(text) {
            return Err(told.to_owned());
        }
        let composed: String = text.nfc().collect();
        let built = RegexBuilder::new(&composed).case_insensitive(ignore_case).size_limit(BYTES_MAX).build();
        match built {
            Ok(regex) => Ok(Pattern { text: text.to_owned(), regex }),
            Err(regex::Error::CompiledTooBig(_)) => {
                Err("the pattern is too large; repeat less, or make two clauses of it".to_owned())
            }
            Err(error) => {
                let told = error.to_string();
                let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
                Err(format!("the pattern cannot be used: {reason}"))
            }
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// A match anywhere: nothing is anchored unless the pattern says so (whether Entra's service anchors is not
    /// known; Entra provisioning reference, section 3.1).
    pub(super) fn matches(&self, text: &str) -> bool {
        if text.is_ascii() {
            return self.regex.is_match(text);
        }
        self.regex.is_match(&text.nfc().collect::<String>())
    }
}

const LOOK_AROUND: &str = "look-ahead and look-behind are .NET only; say it with a second clause, REGEX MATCH or NOT REGEX \
     MATCH";
const BACK_REFERENCE: &str =
    "back-references are .NET only, as they take endless time; write the text out, or leave the group free";
const ATOMIC: &str = "atomic groups are .NET only; write (?:…), which never takes endless time here";
const CONDITION: &str = "conditions in a pattern are .NET only; make two filters of it";
const QUOTED_NAME: &str = "a group is named (?<name>…) here";
const BALANCE: &str = "balancing groups are .NET only; a pattern here does not count";
const COMMENT: &str = "comments in a pattern are .NET only; write the comment into the settings file";
const CLASS: &str = "a `[`, `&&`, `--` or `~~` inside […] means something else in .NET; put a backslash before its characters";
const ANCHOR: &str = "`\\Z` and `\\G` are .NET only; write `$` or `\\z` for the end";

/// What .NET understands in another way, or alone; the first that is found. What neither understands is left to the
/// compiler of patterns.
fn only_in_dotnet(pattern: &str) -> Option<&'static str> {
    let letters: Vec<char> = pattern.chars().collect();
    let (mut at, mut class) = (0, None::<usize>);
    while at < letters.len() {
        let rest = &letters[at..];
        match (rest[0], class) {
            ('\\', _) => {
                if let Some(told) = rest.get(1).and_then(|letter| escape(*letter, class.is_some())) {
                    return Some(told);
                }
                at += 1;
            }
            ('[', None) => class = Some(opened(rest, at)),
            (']', Some(from)) if at > from => class = None,
            ('[', Some(_)) => return Some(CLASS),
            ('&' | '-' | '~', Some(_)) if rest.get(1) == Some(&rest[0]) => return Some(CLASS),
            ('(', None) => {
                if let Some(told) = group(rest) {
                    return Some(told);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where a class may end at the earliest: a `]` right at its begin is a letter of it.
fn opened(rest: &[char], at: usize) -> usize {
    let negated = usize::from(rest.get(1) == Some(&'^'));
    let bracket = usize::from(rest.get(1 + negated) == Some(&']'));
    at + negated + bracket
}

fn escape(letter: char, in_class: bool) -> Option<&'static str> {
    match letter {
        '1'..='9' if !in_class => Some(BACK_REFERENCE),
        'k' if !in_class => Some(BACK_REFERENCE),
        'Z' | 'G' if !in_class => Some(ANCHOR),
        _ => None,
    }
}

fn group(rest: &[char]) -> Option<&'static str> {
    match *rest {
        ['(', '?', '=' | '!', ..] | ['(', '?', '<', '=' | '!', ..] => Some(LOOK_AROUND),
        ['(', '?', '>', ..] => Some(ATOMIC),
        ['(', '?', '(', ..] => Some(CONDITION),
        ['(', '?', '\'', ..] => Some(QUOTED_NAME),
        ['(', '?', '#', ..] => Some(COMMENT),
        ['(', '?', '<', ..]
            if rest.iter().take_while(|letter| **letter != '>').any(|letter| *letter == '-') =>
        {
            Some(BALANCE)
        }
        _ => None,
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.regex.as_str() == other.regex.as_str() && self.text == other.text
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.text)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_else_in_dotnet_is_refused_with_its_cure() {
        for (pattern, told) in [
            (r"^(?!admin)", LOOK_AROUND),
            (r"a(?=b)", LOOK_AROUND),
            (r"(?<=a)b", LOOK_AROUND),
            (r"(?<!a)b", LOOK_AROUND),
            (r"(a)\1", BACK_REFERENCE),
            (r"(?<n>a)\k<n>", BACK_REFERENCE),
            (r"(?>a+)b", ATOMIC),
            (r"(?(1)a|b)", CONDITION),
            (r"(?'n'a)", QUOTED_NAME),
            (r"(?<a-b>c)", BALANCE),
            (r"a(?#why)b", COMMENT),
            (r"[a-z-[aeiou]]", CLASS),
            (r"[a&&b]", CLASS),
            (r"[[:alpha:]]", CLASS),
            (r"end\Z", ANCHOR),
        ] {
            assert_eq!(Pattern::read(pattern, false).map(|_| ()), Err(told.to_owned()), "{pattern}");
        }
    }

    #[test]
    fn what_both_understand_is_taken() {
        for pattern in [
            r"(1[0-9][0-9][0-9][0-9][0-9][0-9])",
            r".*\@domain\.com",
            r"^[^]a-z]$",
            r"[]a]",
            r"\[a\(?=b",
            r"[(?=]",
            r"[\[\&\&-]",
            r"(?<name>\d+)",
            r"(?i)x",
            r"[0-9-]",
            r"\p{Lu}",
        ] {
            assert!(Pattern::read(pattern, false).is_ok(), "{pattern}: {:?}", Pattern::read(pattern, false));
        }
    }

    #[test]
    fn a_pattern_has_a_bound() {
        let told = |pattern: &str| Pattern::read(pattern, false).expect_err("too much");
        assert_eq!(
            told("((a{100}){100}){100}"),
            "the pattern is too large; repeat less, or make two clauses of it"
        );
        assert_eq!(
            told(&"a".repeat(10_001)),
            "the pattern is longer than 10000 characters; make two clauses of it"
        );
        assert_eq!(told("a("), "the pattern cannot be used: unclosed group");
    }
}
