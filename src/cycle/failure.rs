//! What becomes of a write that was not done: its code and reason, and whether it passes by itself.

use super::write::UNKNOWN;
use crate::plan::ErrorCode;
use crate::plan::Failure;
use crate::targets::Outcome;

/// `None` where it was done, or where nobody knows yet.
pub(super) fn failure(outcome: &Outcome) -> Option<Failure> {
    let failure = |code, reason| Some(Failure { code, reason });
    match outcome {
        Outcome::Done { .. } | Outcome::Unknown { .. } => None,
        Outcome::Conflict { detail } => failure(ErrorCode::EntryConflict, format!("conflict: {detail}")),
        Outcome::Missing => failure(ErrorCode::InvalidAnchor, "the target no longer has it (404)".to_owned()),
        Outcome::Refused { status, detail } => {
            failure(ErrorCode::of_refusal(*status, detail), format!("refused with {status}: {detail}"))
        }
        Outcome::Later { detail } => failure(passing(detail), detail.clone()),
    }
}

/// The journal's word for an outcome, and what it tells beside it.
pub(super) fn told(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Done { .. } => ("done", String::new()),
        Outcome::Conflict { detail } => ("conflict", detail.clone()),
        Outcome::Missing => ("missing", "the target no longer has it (404)".to_owned()),
        Outcome::Refused { status, detail } => ("refused", format!("refused with {status}: {detail}")),
        Outcome::Later { detail } => ("later", detail.clone()),
        Outcome::Unknown { detail } => (UNKNOWN, detail.clone()),
    }
}

/// Of what may be asked again, as its text tells it: by the status, else that there was no answer.
pub(super) fn passing(detail: &str) -> ErrorCode {
    match status(detail) {
        Some(429) => ErrorCode::TooManyRequests,
        Some(408) => ErrorCode::Timeout,
        Some(500..=599) => ErrorCode::InternalServerError,
        _ if detail.contains("no answer in time") => ErrorCode::Timeout,
        _ => ErrorCode::WebExceptionProtocolError,
    }
}

/// The status that a text tells of.
pub(super) fn status(text: &str) -> Option<u16> {
    text.split("status ").nth(1)?.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        let later = |detail: &str| Outcome::Later { detail: detail.to_owned() };
        for (outcome, code) in [
            (later("POST x/Users: still status 429 after 6 attempts"), "TooManyRequests"),
            (later("status 503, no text"), "InternalServerError"),
            (later("POST x/Users: no whole answer: no answer in time (2 attempts)"), "Timeout"),
            (later("no connection: Connection refused"), "WebExceptionProtocolError"),
            (Outcome::Conflict { detail: "taken".to_owned() }, "EntryConflict"),
            (Outcome::Refused { status: 400, detail: "bad".to_owned() }, "UnprocessableEntity"),
            (Outcome::Missing, "InvalidAnchor"),
        ] {
            let failure = failure(&outcome).expect("a failure");
            assert_eq!(failure.code.word(), code, "{outcome:?}");
            assert_eq!(failure.code.passes(), matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
        }
        assert_eq!(failure(&Outcome::Unknown { detail: String::new() }), None);
    }
}
