//! `$search`: quoted `property:text` pairs joined by `AND` or `OR`; it needs the header alone (graph.md section 4).

use serde_json::Value;

use super::super::exchange::Answer;
use super::errors::bad_request;
use super::options::Options;

/// Alternatives, each of which demands all of its terms.
pub(super) struct Search(Vec<Vec<Term>>);

struct Term {
    property: String,
    text: String,
}

impl Search {
    pub(super) fn of(options: &Options, searchable: &[&str]) -> Result<Option<Search>, Answer> {
        let Some(text) = options.value("$search") else { return Ok(None) };
        if !options.is_eventual() {
            return Err(bad_request(
                "Request with $search query parameter only works through MSGraph with a special request header: \
                 'ConsistencyLevel: eventual'",
            ));
        }
        let alternatives: Option<Vec<Vec<Term>>> = text
            .split(" OR ")
            .map(|part| part.split(" AND ").map(|term| Term::of(term, searchable)).collect())
            .collect();
        alternatives
            .map(|terms| Some(Search(terms)))
            .ok_or_else(|| bad_request("Syntax error in the $search clause."))
    }

    pub(super) fn admits(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> bool {
        self.0.iter().any(|terms| terms.iter().all(|term| term.admits(value_of)))
    }
}

impl Term {
    fn of(text: &str, searchable: &[&str]) -> Option<Term> {
        let (property, text) = text.trim().strip_prefix('"')?.strip_suffix('"')?.split_once(':')?;
        let is_known = searchable.contains(&property) && !text.is_empty();
        is_known.then(|| Term { property: property.to_owned(), text: text.to_lowercase() })
    }

    /// Display names and descriptions are searched by word, other properties by how they begin.
    fn admits(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> bool {
        let Some(Value::String(value)) = value_of(&self.property) else { return false };
        let value = value.to_lowercase();
        let by_word = matches!(self.property.as_str(), "displayName" | "description");
        value.starts_with(&self.text)
            || (by_word && value.split([' ', '-', '.']).any(|word| word.starts_with(&self.text)))
    }
}
