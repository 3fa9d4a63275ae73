//! What a strict service refuses, and in which shape it says so.

use serde_json::Value;
use serde_json::json;

use super::row::Errors;

pub type Done<T> = Result<T, Refusal>;

/// One refusal: `why` is what the service counts, `detail` what it says.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub status: u16,
    pub why: String,
    pub detail: String,
    pub kind: Option<&'static str>,
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub fn new(status: u16, why: &str, detail: &str) -> Refusal {
        Refusal { status, why: why.to_owned(), detail: detail.to_owned(), kind: None, headers: Vec::new() }
    }

    /// With a `scimType`.
    pub fn of_kind(self, kind: &'static str) -> Refusal {
        Refusal { kind: Some(kind), ..self }
    }

    pub fn not_found() -> Refusal {
        Refusal::new(404, "not found", "there is no such resource")
    }

    pub fn invalid_value(why: &str) -> Refusal {
        Refusal::new(400, why, why).of_kind("invalidValue")
    }

    /// As the service's own lists name it: `400 startIndex`.
    pub fn line(&self) -> String {
        format!("{} {}", self.status, self.why)
    }

    /// Content type and body.
    pub fn body(&self, errors: Errors) -> (&'static str, String) {
        match errors {
            Errors::Html => {
                ("text/html", format!("<html><body><h1>{}</h1>{}</body></html>", self.status, self.detail))
            }
            Errors::List => ("application/json", json!({"errors": [{"message": self.detail}]}).to_string()),
            Errors::Scim => ("application/scim+json", self.scim().to_string()),
        }
    }

    fn scim(&self) -> Value {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.to_string(),
            "detail": self.detail,
        });
        if let Some(kind) = self.kind {
            body["scimType"] = json!(kind);
        }
        body
    }
}
