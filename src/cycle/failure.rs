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
        Outcome::Later { status, detail } => {
            let code = status.map_or_else(|| passing(detail), passing_status);
            failure(code, put_off(*status, detail))
        }
    }
}

/// The journal's word for an outcome, and what it tells beside it.
pub(super) fn told(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Done { .. } => ("done", String::new()),
        Outcome::Conflict { detail } => ("conflict", detail.clone()),
        Outcome::Missing => ("missing", "the target no longer has it (404)".to_owned()),
        Outcome::Refused { status, detail } => ("refused", format!("refused with {status}: {detail}")),
        Outcome::Later { status, detail } => ("later", put_off(*status, detail)),
        Outcome::Unknown { detail } => (UNKNOWN, detail.clone()),
    }
}

/// Of what may be asked again, as its text tells it: by the status, else that there was no answer.
pub(super) fn passing(detail: &str) -> ErrorCode {
    match status(detail) {
        Some(status) => passing_status(status),
        None if detail.contains("no answer in time") => ErrorCode::Timeout,
        None => ErrorCode::WebExceptionProtocolError,
    }
}

fn passing_status(status: u16) -> ErrorCode {
    match status {
        429 => ErrorCode::TooManyRequests,
        408 => ErrorCode::Timeout,
        500..=599 => ErrorCode::InternalServerError,
        _ => ErrorCode::WebExceptionProtocolError,
    }
}

fn put_off(status: Option<u16>, detail: &str) -> String {
    match status {
        Some(status) => format!("answered with {status}: {detail}"),
        None => detail.to_owned(),
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
        let later = |detail: &str| Outcome::Later { status: None, detail: detail.to_owned() };
        let answered = |status| Outcome::Later { status: Some(status), detail: "come back".to_owned() };
        for (outcome, code) in [
            (later("POST x/Users: still status 429 after 6 attempts"), "TooManyRequests"),
            (later("status 503, no text"), "InternalServerError"),
            (later("POST x/Users: no whole answer: no answer in time (2 attempts)"), "Timeout"),
            (answered(429), "TooManyRequests"),
            (answered(503), "InternalServerError"),
            (answered(408), "Timeout"),
            (answered(412), "WebExceptionProtocolError"),
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
