//! What a status means for one write, and for the target as a whole. Pure.

use serde_json::Value;

use super::Operation;
use super::Outcome;
use super::TargetError;
use super::answer;
use crate::client::Answer;
use crate::client::ClientError;
use crate::client::Repeat;

/// A write that was not done, with the service's own word for the reason.
pub(super) struct Failed {
    pub outcome: Outcome,
    /// The `scimType` of the error (RFC 7644 table 9).
    pub kind: Option<String>,
    /// What the service answered; 0 where it did not.
    pub status: u16,
}

impl Failed {
    /// Status and words of the service, as they may be kept and shown: nothing that was sent is in them.
    pub fn evidence(&self) -> String {
        match &self.outcome {
            Outcome::Refused { detail, .. } => format!("status {}: {detail}", self.status),
            _ => format!("status {}", self.status),
        }
    }
}

impl From<Outcome> for Failed {
    fn from(outcome: Outcome) -> Failed {
        Failed { outcome, kind: None, status: 0 }
    }
}

/// What an answer to a write means. `values` are those that were sent; they are masked in texts.
///
/// | status | outcome |
/// |---|---|
/// | 2xx | done |
/// | 404, 410 | missing |
/// | 409, 400 with `uniqueness` | conflict |
/// | 408, 412, 429, 5xx but 501 | later; of a create, where it may have been done: unknown |
/// | anything else | refused |
pub(super) fn judge(answer: Answer, repeat: Repeat, values: &[&str]) -> Result<Answer, Failed> {
    let status = answer.status;
    if (200..300).contains(&status) {
        return Ok(answer);
    }
    let problem = answer::problem(&answer.body, values);
    let detail = if problem.detail.is_empty() { format!("status {status}, no text") } else { problem.detail };
    let outcome = match status {
        404 | 410 => Outcome::Missing,
        409 => Outcome::Conflict { detail },
        400 if problem.kind.as_deref() == Some("uniqueness") => Outcome::Conflict { detail },
        501 => Outcome::Refused { status, detail },
        408 | 500.. if repeat == Repeat::Once => Outcome::Unknown { detail },
        408 | 412 | 429 | 500.. => Outcome::Later { status: Some(status), detail },
        _ => Outcome::Refused { status, detail },
    };
    Err(Failed { outcome, kind: problem.kind, status })
}

/// What it means for a write that there was no answer.
pub(super) fn unanswered(error: ClientError) -> Result<Outcome, TargetError> {
    match error {
        ClientError::Denied { what, cure } => Err(TargetError::Refused { what, cure }),
        // An answer that is too large came after the work was done, like one that never came.
        ClientError::Unknown { what } | ClientError::TooLarge { what } => {
            Ok(Outcome::Unknown { detail: what })
        }
        ClientError::Unavailable { what }
        | ClientError::ForeignHost { what }
        | ClientError::Invalid { what } => Ok(Outcome::Later { status: None, detail: what }),
    }
}

/// What it means for a read that there was no answer.
pub(super) fn unread(error: ClientError) -> TargetError {
    match error {
        ClientError::Denied { what, cure } => TargetError::Refused { what, cure },
        other => TargetError::Unavailable { what: other.to_string() },
    }
}

/// The error of the target as a whole behind an answer that is not what was asked for. `place` is method, host and path.
pub(super) fn refused(place: &str, answer: &Answer, values: &[&str]) -> TargetError {
    let status = answer.status;
    let detail = answer::problem(&answer.body, values).detail;
    let text = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    let what = format!("{place} was answered with status {status}{text}");
    let cure = match status {
        401 => "make a new SCIM token at the service and put it where the settings say that it lies",
        403 => "give the token the right to read and write users and groups",
        404 => "check the url of the target: it must be the address that /Users is put behind",
        300..=399 => "write the address that it redirects to into the url of the target",
        _ => return TargetError::Unavailable { what },
    };
    TargetError::Refused { what, cure: cure.to_owned() }
}

/// A refused token stops everything at once (SCIM reference, O11): other requests would be refused as well.
pub(super) fn stop_when_denied(place: &str, answer: &Answer) -> Result<(), TargetError> {
    match answer.status {
        401 => Err(refused(place, answer, &[])),
        _ => Ok(()),
    }
}

/// Every text among the values of an operation.
pub(super) fn texts(operation: &Operation) -> Vec<&str> {
    let mut texts = Vec::new();
    match operation {
        Operation::Create { attributes, .. } => {
            attributes.iter().for_each(|(_, value)| collect(value, &mut texts));
        }
        Operation::Patch { set, add, .. } => {
            set.iter().chain(add).for_each(|(_, value)| collect(value, &mut texts));
        }
        Operation::Delete { .. } | Operation::Members { .. } => {}
    }
    texts
}

fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, body: &'static str, repeat: Repeat) -> Option<Outcome> {
        let answer = Answer { status, headers: Default::default(), body: body.as_bytes().into() };
        judge(answer, repeat, &["ann@x.example"]).err().map(|failed| failed.outcome)
    }

    #[test]
    fn every_status_has_its_outcome() {
        use Outcome::*;
        use Repeat::{Once, Safe};
        let no_text = |status| format!("status {status}, no text");
        for status in [200, 201, 202, 204] {
            assert_eq!(outcome(status, "", Safe), None);
        }
        for status in [404, 410] {
            assert_eq!(outcome(status, "", Safe), Some(Missing));
        }
        for status in [307, 400, 403, 405, 413, 415, 422, 501] {
            assert_eq!(outcome(status, "", Once), Some(Refused { status, detail: no_text(status) }));
        }
        for status in [408, 412, 429, 500, 502, 503, 504] {
            assert_eq!(
                outcome(status, "", Safe),
                Some(Later { status: Some(status), detail: no_text(status) })
            );
        }
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(outcome(status, "", Once), Some(Unknown { detail: no_text(status) }));
        }
        assert_eq!(outcome(409, "", Once), Some(Conflict { detail: no_text(409) }));
    }

    #[test]
    fn a_conflict_is_one_also_with_the_wrong_status() {
        let body = r#"{"scimType":"uniqueness","detail":"ann@x.example is taken"}"#;
        assert_eq!(
            outcome(400, body, Repeat::Safe),
            Some(Outcome::Conflict { detail: "••• is taken".to_owned() })
        );
    }

    #[test]
    fn a_refused_read_names_its_cure() {
        let answer = |status| Answer { status, headers: Default::default(), body: "no".into() };
        let text = |status| refused("GET x.example/Users", &answer(status), &[]).to_string();
        assert_eq!(
            text(403),
            "GET x.example/Users was answered with status 403: no; give the token the right to read and write users and groups"
        );
        assert!(matches!(refused("", &answer(404), &[]), TargetError::Refused { .. }));
        assert!(matches!(refused("", &answer(418), &[]), TargetError::Unavailable { .. }));
    }
}
