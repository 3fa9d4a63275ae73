//! The documented JSON form of a directory file (docs/file-source.md), read leniently row by row, strictly key by key.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::model::SourceAttributes;
use crate::model::SourceId;
use crate::scim::Kind;
use crate::sources::SourceError;

/// The whole file. Rows stay raw text, so that one bad row does not spoil the others (P12).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form<'a> {
    pub directory: String,
    #[serde(default)]
    pub counts: Counts,
    /// Application id to the principals that are directly assigned to it.
    pub apps: Option<BTreeMap<String, Vec<String>>>,
    #[serde(borrow)]
    pub users: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub groups: Option<Vec<&'a RawValue>>,
    /// Gone for good, said outright.
    #[serde(default)]
    pub deleted: Vec<String>,
    /// Deleted, said outright, and able to come back.
    #[serde(default)]
    pub recycle_bin: Vec<String>,
}

/// What the writer of the file says that it holds. A number that is not there is not declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counts {
    pub users: Option<usize>,
    pub groups: Option<usize>,
    pub assignments: Option<usize>,
    pub memberships: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserRow {
    pub id: String,
    #[serde(default = "enabled")]
    pub enabled: bool,
    #[serde(default)]
    pub attributes: SourceAttributes,
}

/// `members` has no default: a list that is not there says nothing, and must not empty a group (P1).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupRow {
    pub id: String,
    #[serde(default)]
    pub attributes: SourceAttributes,
    pub members: Vec<String>,
}

fn enabled() -> bool {
    true
}

/// Only who the directory is, for its identity; everything else is skipped over.
#[derive(Deserialize)]
struct Title {
    directory: String,
}

/// The whole form, or where it breaks.
pub(super) fn parse<'a>(place: &str, text: &'a str) -> Result<Form<'a>, SourceError> {
    let form: Form = serde_json::from_str(text).map_err(|error| malformed(place, &error))?;
    if form.directory.trim().is_empty() {
        return Err(SourceError::Malformed {
            place: place.to_owned(),
            what: "`directory` is empty; give the directory a name that stays".to_owned(),
        });
    }
    Ok(form)
}

/// The name that the file gives to its directory, where it can be read.
pub(super) fn directory(text: &str) -> Option<String> {
    serde_json::from_str::<Title>(text).ok().map(|title| title.directory)
}

/// `user:ID` or `group:ID`.
pub(super) fn principal(reference: &str) -> Option<(Kind, SourceId)> {
    let (kind, id) = reference.split_once(':')?;
    let kind = match kind {
        "user" => Kind::User,
        "group" => Kind::Group,
        _ => return None,
    };
    (!id.trim().is_empty()).then(|| (kind, SourceId(id.to_owned())))
}

fn malformed(place: &str, error: &serde_json::Error) -> SourceError {
    SourceError::Malformed {
        place: place.to_owned(),
        what: format!("line {}, column {}: {}", error.line(), error.column(), fault(error)),
    }
}

/// What is wrong, without values: serde quotes them (P11).
pub(super) fn fault(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Io | Category::Syntax => {
            "this is not JSON; write the file with a JSON library, in UTF-8".to_owned()
        }
        Category::Eof => {
            "the file ends too early; write it under another name and rename it when it is complete"
                .to_owned()
        }
        Category::Data => match named_key(error) {
            Some(text) => format!("{text}; docs/file-source.md shows the form"),
            None => {
                "a value here is not of the kind that the form wants; docs/file-source.md shows it".to_owned()
            }
        },
    }
}

/// Serde's words where they name a key of the form; its other words quote values.
fn named_key(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let named = ["unknown field", "missing field", "duplicate field"];
    let text = text.split(" at line ").next().unwrap_or_default().to_owned();
    named.iter().any(|start| text.starts_with(start)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let error = parse("hr.json", text).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error, expected);
    }

    #[test]
    fn a_broken_file_says_where_and_what_to_do() {
        check(
            "{\n  \"directory\": \"acme\",,\n}",
            "hr.json: line 2, column 23: this is not JSON; write the file with a JSON library, in UTF-8",
        );
        check(
            "{\"directory\": \"acme\", \"users\": [",
            "hr.json: line 1, column 32: the file ends too early; write it under another name and rename it when it is complete",
        );
        check(
            "{\"directory\": \"acme\", \"user\": []}",
            "hr.json: line 1, column 28: unknown field `user`, expected one of `directory`, `counts`, `apps`, `users`, `groups`, `deleted`, `recycle_bin`; docs/file-source.md shows the form",
        );
        check(
            "{\"users\": []}",
            "hr.json: line 1, column 13: missing field `directory`; docs/file-source.md shows the form",
        );
        check(
            "{\"directory\": \" \"}",
            "hr.json: `directory` is empty; give the directory a name that stays",
        );
    }

    #[test]
    fn an_error_quotes_no_value() {
        check(
            "{\"directory\": \"acme\", \"users\": \"ann@acme.example\"}",
            "hr.json: line 1, column 49: a value here is not of the kind that the form wants; docs/file-source.md shows it",
        );
    }

    #[test]
    fn a_principal_names_its_kind() {
        assert_eq!(principal("user:u1"), Some((Kind::User, SourceId("u1".into()))));
        assert_eq!(principal("group:a:b"), Some((Kind::Group, SourceId("a:b".into()))));
        for reference in ["u1", "person:u1", "user:", "User:u1"] {
            assert_eq!(principal(reference), None, "{reference}");
        }
    }
}
