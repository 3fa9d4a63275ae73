//! The part of `$filter` that needs no advanced query: `eq`, `startswith` and `in`, joined by `or` (graph.md 5.12).

use super::super::exchange::Answer;
use super::errors::bad_request;
use super::errors::error;

/// At most this many alternatives (graph.md section 4).
const ALTERNATIVES_MAX: usize = 15;
/// For delta queries on ids (graph.md section 6.1).
pub(super) const DELTA_IDS_MAX: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Equals(String),
    StartsWith(String),
}

/// A property and what it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    property: String,
    test: Test,
}

impl Clause {
    /// Compares texts without regard to case; `true` and `false` are texts here.
    fn admits(&self, value: Option<&str>) -> bool {
        let Some(value) = value.map(str::to_lowercase) else { return false };
        match &self.test {
            Test::Equals(wanted) => value == wanted.to_lowercase(),
            Test::StartsWith(wanted) => value.starts_with(&wanted.to_lowercase()),
        }
    }
}

/// Whether any clause admits the object, whose properties `value_of` tells.
pub(super) fn admits(clauses: &[Clause], value_of: impl Fn(&str) -> Option<String>) -> bool {
    clauses.iter().any(|clause| clause.admits(value_of(&clause.property).as_deref()))
}

/// Only properties from `filterable` may be named.
pub(super) fn parse(text: &str, filterable: &[&str]) -> Result<Vec<Clause>, Answer> {
    let clauses = clauses(text)?;
    if clauses.len() > ALTERNATIVES_MAX {
        return Err(bad_request(&format!(
            "Too many child clauses specified in search filter expression containing 'OR' operators: {}. \
             Max allowed: {ALTERNATIVES_MAX}",
            clauses.len()
        )));
    }
    match clauses.iter().find(|clause| !filterable.contains(&clause.property.as_str())) {
        None => Ok(clauses),
        Some(clause) => Err(error(
            400,
            "Request_UnsupportedQuery",
            &format!(
                "Unsupported or invalid query filter clause specified for property '{}'.",
                clause.property
            ),
        )),
    }
}

/// The ids of a delta filter: `id eq 'a' or id eq 'b'`.
pub(super) fn delta_ids(text: &str) -> Result<Vec<String>, Answer> {
    let clauses = clauses(text)?;
    let ids: Option<Vec<String>> = clauses
        .into_iter()
        .map(|clause| match clause.test {
            Test::Equals(id) if clause.property == "id" => Some(id.to_lowercase()),
            _ => None,
        })
        .collect();
    match ids {
        Some(ids) if ids.len() <= DELTA_IDS_MAX => Ok(ids),
        _ => Err(bad_request("Invalid filter clause: a delta query takes at most 50 ids.")),
    }
}

fn clauses(text: &str) -> Result<Vec<Clause>, Answer> {
    let mut rest = Text(text);
    let mut clauses = Vec::new();
    loop {
        let parsed = rest.clause().ok_or_else(|| bad_request("Invalid filter clause"))?;
        clauses.extend(parsed);
        if rest.is_empty() {
            return Ok(clauses);
        }
        rest.word("or").ok_or_else(|| bad_request("Invalid filter clause"))?;
    }
}

/// What is left to read.
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    fn clause(&mut self) -> Option<Vec<Clause>> {
        if self.word("startswith(").is_some() {
            let property = self.name()?;
            self.word(",")?;
            let prefix = self.literal()?;
            self.word(")")?;
            return Some(vec![Clause { property, test: Test::StartsWith(prefix) }]);
        }
        let property = self.name()?;
        if self.word("eq ").is_some() {
            return Some(vec![Clause { property, test: Test::Equals(self.literal()?) }]);
        }
        self.word("in ")?;
        self.word("(")?;
        let mut clauses = Vec::new();
        loop {
            clauses.push(Clause { property: property.clone(), test: Test::Equals(self.literal()?) });
            if self.word(")").is_some() {
                return Some(clauses);
            }
            self.word(",")?;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let text = self.0.trim_start();
        let head = text.get(..word.len())?;
        if !head.eq_ignore_ascii_case(word) {
            return None;
        }
        self.0 = &text[word.len()..];
        Some(())
    }

    fn name(&mut self) -> Option<String> {
        let text = self.0.trim_start();
        let length = text.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(text.len());
        self.0 = &text[length..];
        (length > 0).then(|| text[..length].to_owned())
    }

    /// A text in single quotes (doubled within), or a bare `true`, `false`.
    fn literal(&mut self) -> Option<String> {
        let text = self.0.trim_start();
        let Some(quoted) = text.strip_prefix('\'') else { return self.name() };
        let mut value = String::new();
        let mut rest = quoted;
        loop {
            let end = rest.find('\'')?;
            value.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(after) => {
                    value.push('\'');
                    rest = after;
                }
                None => {
                    self.0 = rest;
                    return Some(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(filter: &str, name: &str) -> bool {
        let clauses = parse(filter, &["displayName"]).unwrap();
        admits(&clauses, |_| Some(name.to_owned()))
    }

    #[test]
    fn the_plain_filters_work() {
        assert!(admitted("displayName eq 'O''Brien'", "o'brien"));
        assert!(admitted("startswith(displayName,'app-')", "app-admins"));
        assert!(admitted("displayName in ('A','B') or displayName eq 'C'", "C"));
        assert!(!admitted("displayName eq 'A'", "AB"));
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        assert!(parse("displayName ne 'A'", &["displayName"]).is_err());
        assert!(parse("principalType eq 'User'", &["displayName"]).is_err());
        assert!(parse(&["displayName eq 'A'"; 16].join(" or "), &["displayName"]).is_err());
        assert!(parse("displayName eq 'A", &["displayName"]).is_err());
    }
}
