//! From the merged tree to the raw settings, with every key that does not fit, not only the first.

use figment::Figment;
use figment::error::Actual;
use figment::error::Kind;
use figment::providers::Serialized;
use figment::value::Dict;
use figment::value::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::layers::Merged;
use super::layers::Tree;
use super::problem::Key;
use super::problem::Problem;
use super::problem::Severity;
use super::raw::RawSettings;
use crate::expr::nearest;

/// More than this are one mistake, such as a wrong file.
const PROBLEMS_MAX: usize = 100;

/// serde stops at the first key that does not fit. So that key is noted and taken out, and the rest is read
/// again, until everything left fits.
pub(super) fn raw(merged: &Merged) -> (RawSettings, Vec<Problem>) {
    let mut tree = merged.tree.clone();
    let mut problems = Vec::new();
    loop {
        let attempt = Figment::from(Tree { name: "settings", dict: tree.clone() });
        let errors = match attempt.extract_lossy::<RawSettings>() {
            Ok(raw) => return (raw, problems),
            Err(errors) => errors,
        };
        for error in errors {
            let key = blamed(&error);
            let removed = remove(&mut tree, &key.0);
            problems.push(problem(merged, key, &error.kind));
            if !removed || problems.len() >= PROBLEMS_MAX {
                return (RawSettings::default(), problems);
            }
        }
    }
}

/// A value with the keys of a table of the settings laid over it, or each of those keys that does not fit.
pub(super) fn laid_over<T: Serialize + DeserializeOwned>(
    merged: &Merged,
    table: &Key,
    value: &T,
    by: &Dict,
) -> Result<T, Vec<Problem>> {
    let mut above = by.clone();
    let mut problems = Vec::new();
    loop {
        let attempt = Figment::from(Serialized::defaults(value))
            .merge(Tree { name: "settings", dict: above.clone() })
            .extract_lossy::<T>();
        let errors = match attempt {
            Ok(laid) if problems.is_empty() => return Ok(laid),
            Ok(_) => return Err(problems),
            Err(errors) => errors,
        };
        for error in errors {
            let below = blamed(&error);
            let removed = remove(&mut above, &below.0);
            let key = Key(table.0.iter().chain(&below.0).cloned().collect());
            problems.push(problem(merged, key, &error.kind));
            if !removed || problems.len() >= PROBLEMS_MAX {
                return Err(problems);
            }
        }
    }
}

/// For an unknown key the path may end at its table.
fn blamed(error: &figment::Error) -> Key {
    let mut path = error.path.clone();
    if let Kind::UnknownField(name, _) = &error.kind
        && path.last() != Some(name)
    {
        path.push(name.clone());
    }
    Key(path)
}

fn problem(merged: &Merged, key: Key, kind: &Kind) -> Problem {
    let (message, cure) = worded(kind);
    Problem { severity: Severity::Error, message, place: merged.place(&key), key, cure }
}

/// What was found is named by its type: a value may be a secret in the wrong place (P11).
fn worded(kind: &Kind) -> (String, String) {
    match kind {
        Kind::UnknownField(name, known) => ("unknown key".to_owned(), suggestion(name, known)),
        Kind::UnknownVariant(name, known) => {
            (format!("`{name}` is not one of the possible values"), suggestion(name, known))
        }
        Kind::InvalidType(found, wanted) | Kind::InvalidValue(found, wanted) => {
            let (wanted, cure) = wanted_words(wanted);
            (format!("{} where {wanted} is needed", type_word(found)), cure.to_owned())
        }
        Kind::Message(text) => (text.clone(), String::new()),
        other => (other.to_string(), String::new()),
    }
}

fn suggestion(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "remove it".to_owned(),
        None => format!("possible here: {}", known.join(", ")),
    }
}

fn type_word(found: &Actual) -> &'static str {
    match found {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) | Actual::Bytes(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "something else",
    }
}

/// serde's names of Rust types, in words of the file, and how such a value is written.
fn wanted_words(wanted: &str) -> (&str, &'static str) {
    match wanted {
        "a boolean" => ("true or false", "write true or false, without quotes"),
        "u64" | "u32" | "u8" | "usize" => {
            ("a whole number, not negative,", "write it without sign, point and quotes")
        }
        "a string" => ("a text", "put it into quotes"),
        "a map" => ("a table", "write its keys under a [header], or in { }"),
        "true, false or a table" => (wanted, "write true, or say more in { }"),
        "a sequence" => ("a list", "put its items into [ ]"),
        other if other.starts_with("enum ") => ("a word", "put one of the possible words into quotes"),
        other if other.starts_with("struct ") => ("a table", "write its keys under a [header], or in { }"),
        other => (other, ""),
    }
}

fn remove(tree: &mut Dict, key: &[String]) -> bool {
    match key {
        [] => false,
        [last] => tree.remove(last).is_some(),
        [first, rest @ ..] => {
            let Some(below) = tree.get_mut(first) else { return false };
            // One wrong item that is no table spoils its list.
            remove_below(below, rest) || matches!(below, Value::Array(..)) && tree.remove(first).is_some()
        }
    }
}

/// Takes a key out of a table that stands in the tree or in its lists.
fn remove_below(value: &mut Value, key: &[String]) -> bool {
    match (value, key) {
        (Value::Dict(_, below), key) => remove(below, key),
        (Value::Array(_, items), [place, rest @ ..]) => {
            let item = place.parse::<usize>().ok().and_then(|place| items.get_mut(place));
            item.is_some_and(|item| remove_below(item, rest))
        }
        _ => false,
    }
}
