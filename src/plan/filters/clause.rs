//! One clause: an attribute, a test, and what the test says of none, one or several values.

use std::fmt;

use jiff::civil::DateTime;
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use super::pattern::Pattern;
use crate::expr;
use crate::expr::Value;
use crate::scim::fold;

/// `department EQUALS Sales`, checked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clause {
    pub(super) attribute: String,
    pub(super) test: Test,
    pub(super) of: Of,
    /// Upper and lower case are the same.
    pub(super) ignore_case: bool,
    /// The answer is turned around, also that of an attribute without a value.
    pub(super) not: bool,
}

/// Of several values: whether the test has to hold for all of them or for one (`multivaluedComparisonType` of the
/// Graph API, whose default is all).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    #[default]
    All,
    Any,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Test {
    Equals(String),
    NotEquals(String),
    IsTrue,
    IsFalse,
    IsNull,
    IsNotNull,
    Matches(Pattern),
    NotMatches(Pattern),
    Greater(i64),
    GreaterOrEqual(i64),
    Less(i64),
    LessOrEqual(i64),
    Includes(String),
    StartsWith(String),
    EndsWith(String),
    HasBits(i64),
    LacksBits(i64),
    Before(Date),
    After(Date),
}

/// A date of the settings, with the text that it was written as.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Date {
    text: String,
    #[serde(skip)]
    at: DateTime,
}

impl Date {
    pub(super) fn read(text: &str) -> Option<Date> {
        expr::date(text).map(|at| Date { text: text.to_owned(), at })
    }
}

/// Letters that are the same by Unicode are equal however they were typed (Graph reference, section 10).
pub(super) fn comparable(text: &str, ignore_case: bool) -> String {
    match (ignore_case, text.is_ascii()) {
        (true, _) => fold(text),
        (false, true) => text.to_owned(),
        (false, false) => text.nfc().collect(),
    }
}

impl Clause {
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// Whether the value passes.
    ///
    /// | value | `IS NULL` | any other test |
    /// |---|---|---|
    /// | none, or empty | met | not met, the negative ones included |
    /// | one | not met | what the test says |
    /// | several | not met | what it says of all of them, or of any |
    pub fn met(&self, value: &Value) -> bool {
        let filled: Vec<&String> = value.values().iter().filter(|text| !text.is_empty()).collect();
        let holds = |text: &&String| self.test.holds(&comparable(text, self.ignore_case), text);
        let met = match (&self.test, self.of) {
            (Test::IsNull, _) => filled.is_empty(),
            _ if filled.is_empty() => false,
            (_, Of::All) => filled.iter().all(holds),
            (_, Of::Any) => filled.iter().any(holds),
        };
        met != self.not
    }
}

impl Test {
    /// `text` is made comparable; `raw` is as the source shows it.
    fn holds(&self, text: &str, raw: &str) -> bool {
        match self {
            Test::Equals(wanted) => text == wanted,
            Test::NotEquals(wanted) => text != wanted,
            Test::IsTrue => raw.eq_ignore_ascii_case("true"),
            Test::IsFalse => raw.eq_ignore_ascii_case("false"),
            Test::IsNull => false,
            Test::IsNotNull => true,
            // Case is the pattern's own affair: folding the text would change what `[A-Z]` and `\p{Lu}` mean.
            Test::Matches(pattern) => pattern.matches(raw),
            Test::NotMatches(pattern) => !pattern.matches(raw),
            Test::Greater(than) => number(raw).is_some_and(|is| is > *than),
            Test::GreaterOrEqual(than) => number(raw).is_some_and(|is| is >= *than),
            Test::Less(than) => number(raw).is_some_and(|is| is < *than),
            Test::LessOrEqual(than) => number(raw).is_some_and(|is| is <= *than),
            Test::Includes(part) => text.contains(part),
            Test::StartsWith(start) => text.starts_with(start),
            Test::EndsWith(end) => text.ends_with(end),
            Test::HasBits(bits) => number(raw).is_some_and(|is| is & bits == *bits),
            Test::LacksBits(bits) => number(raw).is_some_and(|is| is & bits != *bits),
            Test::Before(date) => expr::date(raw).is_some_and(|is| is < date.at),
            Test::After(date) => expr::date(raw).is_some_and(|is| is > date.at),
        }
    }

    /// Operator and value, as the reference spells them.
    fn words(&self) -> (&'static str, String) {
        match self {
            Test::Equals(text) => ("EQUALS", text.clone()),
            Test::NotEquals(text) => ("NOT EQUALS", text.clone()),
            Test::IsTrue => ("IS TRUE", String::new()),
            Test::IsFalse => ("IS FALSE", String::new()),
            Test::IsNull => ("IS NULL", String::new()),
            Test::IsNotNull => ("IS NOT NULL", String::new()),
            Test::Matches(pattern) => ("REGEX MATCH", pattern.text().to_owned()),
            Test::NotMatches(pattern) => ("NOT REGEX MATCH", pattern.text().to_owned()),
            Test::Greater(than) => ("Greater_Than", than.to_string()),
            Test::GreaterOrEqual(than) => ("Greater_Than_OR_EQUALS", than.to_string()),
            Test::Less(than) => ("Less_Than", than.to_string()),
            Test::LessOrEqual(than) => ("Less_Than_OR_EQUALS", than.to_string()),
            Test::Includes(text) => ("Includes", text.clone()),
            Test::StartsWith(text) => ("STARTS_WITH", text.clone()),
            Test::EndsWith(text) => ("ENDS_WITH", text.clone()),
            Test::HasBits(bits) => ("&", bits.to_string()),
            Test::LacksBits(bits) => ("!&", bits.to_string()),
            Test::Before(date) => ("BEFORE", date.text.clone()),
            Test::After(date) => ("AFTER", date.text.clone()),
        }
    }
}

/// A whole number in digits, or in hexadecimal after `&H` as the expression language writes it.
pub(super) fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.strip_prefix("&H").or_else(|| text.strip_prefix("&h")) {
        Some(digits) => i64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with(['+', '-'])),
        None => text.parse().ok(),
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, value) = self.test.words();
        let not = if self.not { "not " } else { "" };
        let any = if self.of == Of::Any { "any " } else { "" };
        write!(f, "{not}{any}{} {word}", self.attribute)?;
        if !value.is_empty() {
            write!(f, " {value}")?;
        }
        if self.ignore_case {
            f.write_str(" (case ignored)")?;
        }
        Ok(())
    }
}
