//! What a service answers when it will not do something (RFC 7644 section 3.12).

use serde_json::Value;
use serde_json::json;

use super::filter::SyntaxError;

/// An Error message: a status, a word from the table of RFC 7644 (where one fits), a sentence for people.
/// The sentence names attributes, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    pub status: u16,
    pub kind: Option<ScimType>,
    pub detail: String,
}

/// RFC 7644 table 9, and RFC 9865 section 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimType {
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
    InvalidVers,
    Sensitive,
    InvalidCursor,
    ExpiredCursor,
    InvalidCount,
}

impl ScimType {
    pub fn word(self) -> &'static str {
        match self {
            ScimType::InvalidFilter => "invalidFilter",
            ScimType::TooMany => "tooMany",
            ScimType::Uniqueness => "uniqueness",
            ScimType::Mutability => "mutability",
            ScimType::InvalidSyntax => "invalidSyntax",
            ScimType::InvalidPath => "invalidPath",
            ScimType::NoTarget => "noTarget",
            ScimType::InvalidValue => "invalidValue",
            ScimType::InvalidVers => "invalidVers",
            ScimType::Sensitive => "sensitive",
            ScimType::InvalidCursor => "invalidCursor",
            ScimType::ExpiredCursor => "expiredCursor",
            ScimType::InvalidCount => "invalidCount",
        }
    }
}

impl Error {
    pub fn new(status: u16, detail: impl Into<String>) -> Error {
        Error { status, kind: None, detail: detail.into() }
    }

    /// A 400 with its word.
    pub fn bad(kind: ScimType, detail: impl Into<String>) -> Error {
        Error { status: 400, kind: Some(kind), detail: detail.into() }
    }

    /// No resource has this id.
    pub fn not_found() -> Error {
        Error::new(404, "no such resource")
    }

    /// Names the attribute only, not the resource that has the value: that one may be somebody else's.
    pub fn taken(attribute: &str) -> Error {
        Error {
            status: 409,
            kind: Some(ScimType::Uniqueness),
            detail: format!("another resource has this {attribute}"),
        }
    }

    /// The body of the answer; `status` is a string (RFC 7644 section 3.12).
    pub fn body(&self) -> Value {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.to_string(),
            "detail": self.detail,
        });
        if let Some(kind) = self.kind {
            body["scimType"] = kind.word().into();
        }
        body
    }

    /// A filter that could not be read.
    pub fn filter(problem: &SyntaxError) -> Error {
        Error::bad(ScimType::InvalidFilter, format!("the filter: {problem}"))
    }
}
