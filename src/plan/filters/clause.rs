//! One clause: an attribute, a test, and what the test says of none, one or several values.

use std::cmp::Ordering;
use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use super::pattern::Pattern;
use crate::expr;
use crate::expr::Value;
use crate::model::GroupPick;
use crate::plan::read_span;
use crate::scim::fold;

/// What `IsMemberOf` looks at; no attribute of a source.
pub(super) const MEMBER_OF: &str = "memberOf";

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
    /// No value says it: the edges that were seen do.
    MemberOf(GroupPick),
}

/// A date of the settings, with the text that it was written as.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Date {
    text: String,
    #[serde(skip)]
    when: When,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    At(DateTime),
    /// So many seconds after now, or before it.
    FromNow(i64),
}

impl Date {
    /// A date, or `now`, `now-90d`, `now+14d`.
    pub(super) fn read(text: &str) -> Option<Date> {
        let when = match text.trim().strip_prefix("now") {
            Some(rest) => When::FromNow(from_now(rest.trim())?),
            None => When::At(expr::date(text)?),
        };
        Some(Date { text: text.to_owned(), when })
    }

    /// How a date of the source stands to it.
    fn order(&self, is: DateTime, now_second: i64) -> Option<Ordering> {
        match self.when {
            When::At(at) => Some(is.cmp(&at)),
            When::FromNow(seconds) => Some(second(is)?.cmp(&now_second.saturating_add(seconds))),
        }
    }

    /// When now stands so that the two are equal; `None` where time changes nothing.
    fn met_at(&self, is: DateTime) -> Option<i64> {
        match self.when {
            When::At(_) => None,
            When::FromNow(seconds) => Some(second(is)?.saturating_sub(seconds)),
        }
    }
}

fn from_now(text: &str) -> Option<i64> {
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(span), _) => read_span(span),
        (_, Some(span)) => read_span(span).map(|seconds| -seconds),
        _ => text.is_empty().then_some(0),
    }
}

fn second(at: DateTime) -> Option<i64> {
    at.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp().as_second())
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

    /// The group of an `IsMemberOf`.
    pub fn group(&self) -> Option<&GroupPick> {
        match &self.test {
            Test::MemberOf(pick) => Some(pick),
            _ => None,
        }
    }

    /// Whether an `IsMemberOf` is met by somebody who is in the group, or is not.
    pub(super) fn met_by(&self, member: bool) -> bool {
        member != self.not
    }

    /// Whether its answer may be another one tomorrow though nothing changed.
    pub(super) fn depends_on_time(&self) -> bool {
        matches!(&self.test, Test::Before(date) | Test::After(date) if matches!(date.when, When::FromNow(_)))
    }

    /// The seconds at which time alone changes what the test says of a value.
    pub(super) fn turns<'a>(&'a self, value: &'a Value) -> impl Iterator<Item = i64> + 'a {
        value.values().iter().filter_map(|text| match &self.test {
            Test::Before(date) => date.met_at(expr::date(text)?).map(|at| at.saturating_add(1)),
            Test::After(date) => date.met_at(expr::date(text)?),
            _ => None,
        })
    }

    /// Whether the value passes, now.
    ///
    /// | value | `IS NULL` | any other test |
    /// |---|---|---|
    /// | none, or empty | met | not met, the negative ones included |
    /// | one | not met | what the test says |
    /// | several | not met | what it says of all of them, or of any |
    pub fn met(&self, value: &Value, now_second: i64) -> bool {
        let filled: Vec<&String> = value.values().iter().filter(|text| !text.is_empty()).collect();
        let holds = |text: &&String| self.test.holds(&comparable(text, self.ignore_case), text, now_second);
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
    fn holds(&self, text: &str, raw: &str, now_second: i64) -> bool {
        let order = |date: &Date| date.order(expr::date(raw)?, now_second);
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
            Test::Before(date) => order(date) == Some(Ordering::Less),
            Test::After(date) => order(date) == Some(Ordering::Greater),
            Test::MemberOf(_) => false,
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
            Test::MemberOf(pick) => ("IsMemberOf", pick.to_string()),
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
        match self.group() {
            Some(_) => write!(f, "{not}{word}")?,
            None => write!(f, "{not}{any}{} {word}", self.attribute)?,
        }
        if !value.is_empty() {
            write!(f, " {value}")?;
        }
        if self.ignore_case {
            f.write_str(" (case ignored)")?;
        }
        Ok(())
    }
}
