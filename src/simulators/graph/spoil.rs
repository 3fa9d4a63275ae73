//! Faults as Graph and its token endpoint show them: instead of the answer, or to it afterwards.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::Content;
use super::super::exchange::Delivery;
use super::super::exchange::Request;
use super::super::faults::Trouble;
use super::aadsts;
use super::bearer;
use super::call::Call;
use super::errors;
use super::identity;
use super::units;

/// Troubles that keep the request from being answered at all.
pub(super) fn instead(trouble: &Trouble, request: &Request, now: Timestamp) -> Option<Answer> {
    let token = |name: &str| request.query(name).filter(|token| !matches!(*token, "" | "latest"));
    match trouble {
        Trouble::Status { status, retry_after } => {
            let answer = match status {
                429 => units::throttled(now),
                status => errors::of_status(*status),
            };
            Some(waiting(answer, retry_after.as_deref()))
        }
        Trouble::Code { status, code } => Some(errors::error(*status, code, "The request failed.")),
        Trouble::Deny => Some(errors::of_status(403)),
        Trouble::ClaimsChallenge => Some(bearer::claims_challenge()),
        Trouble::ExpireDelta { status } => {
            token("$deltatoken").map(|_| errors::expired_delta(request, *status, "syncStateNotFound"))
        }
        Trouble::ExpirePage => token("$skiptoken").map(|_| errors::expired_page()),
        // docs issue 1000.
        Trouble::LosePage => token("$skiptoken").map(|_| errors::error(404, "UnknownError", "")),
        trouble => without_service(trouble),
    }
}

/// The same for the token endpoint and the agents, whose bodies differ.
pub(super) fn instead_of_token(
    trouble: &Trouble,
    request: &Request,
    call: &Call,
    now: Timestamp,
) -> Option<Answer> {
    match trouble {
        Trouble::Aadsts { code } => Some(aadsts::refused(request, now, *code)),
        Trouble::Status { status, retry_after } => {
            let mut answer = match call {
                Call::Token(_) => aadsts::refused(request, now, 90_033),
                _ => identity::refused(*status, "unavailable", "The agent cannot answer now."),
            };
            answer.status = *status;
            Some(waiting(answer, retry_after.as_deref()))
        }
        trouble => without_service(trouble),
    }
}

/// What happens on the way and looks the same everywhere.
fn without_service(trouble: &Trouble) -> Option<Answer> {
    match trouble {
        Trouble::Drop => {
            let mut answer = errors::of_status(504);
            answer.delivery = Delivery::Dropped;
            Some(answer)
        }
        Trouble::Html { status } => Some(Answer::html(*status)),
        _ => None,
    }
}

fn waiting(answer: Answer, retry_after: Option<&str>) -> Answer {
    match retry_after {
        Some(wait) => answer.with("Retry-After", wait),
        None => answer,
    }
}

/// Troubles that change an answer.
pub(super) fn afterwards(trouble: &Trouble, request: &Request, mut answer: Answer) -> Answer {
    match trouble {
        Trouble::Truncate => answer.delivery = Delivery::Truncated,
        Trouble::SlowBody { milliseconds } => answer.delivery = Delivery::Slow(*milliseconds),
        Trouble::CutJson => answer.delivery = Delivery::Cut,
        Trouble::Delay { milliseconds } => answer.delay_milliseconds = *milliseconds,
        _ => {}
    }
    let Content::Json(body) = &mut answer.content else { return answer };
    let link = body.get("@odata.nextLink").and_then(Value::as_str).map(str::to_owned);
    match (trouble, link) {
        (Trouble::Empty, _) if body.get("value").is_some_and(Value::is_array) => {
            body["value"] = json!([]);
            // A delta round has to end somehow, so its link stays.
            if body.get("@odata.deltaLink").is_none() && !request.path.iter().any(|part| part == "delta") {
                body.as_object_mut().expect("a body with `value` is an object").remove("@odata.nextLink");
            }
        }
        (Trouble::ForeignHost, Some(link)) => {
            body["@odata.nextLink"] = json!(link.replacen(&request.base, "http://graph.foreign.example", 1));
        }
        (Trouble::RepeatCursor, Some(_)) => {
            body["@odata.nextLink"] = json!(format!("{}{}", request.base, request.target));
        }
        (Trouble::UnknownFields, _) => {
            for row in rows(body) {
                row["unheardOf"] = json!({ "x": 1 });
            }
        }
        (Trouble::UnknownEnum, _) => {
            for row in rows(body) {
                for name in ["userType", "visibility", "principalType"] {
                    if row.get(name).is_some_and(|value| !value.is_null()) {
                        row[name] = json!("unknownFutureValue");
                    }
                }
            }
        }
        _ => {}
    }
    answer
}

/// The objects of a listing, or the object itself.
fn rows(body: &mut Value) -> Vec<&mut Value> {
    match body.get("value").is_some_and(Value::is_array) {
        true => body["value"].as_array_mut().map(|rows| rows.iter_mut().collect()).unwrap_or_default(),
        false => vec![body],
    }
}
