//! Faults as Graph shows them: instead of the answer, or to it afterwards.

use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::Content;
use super::super::exchange::Delivery;
use super::super::exchange::Request;
use super::super::faults::Trouble;
use super::errors;

/// Troubles that keep the request from being answered at all.
pub(super) fn instead(trouble: &Trouble, request: &Request) -> Option<Answer> {
    match trouble {
        Trouble::Status { status, retry_after } => {
            let answer = errors::of_status(*status);
            Some(match retry_after {
                Some(wait) => answer.with("Retry-After", wait.as_str()),
                None => answer,
            })
        }
        Trouble::Deny => Some(errors::of_status(403)),
        Trouble::Drop => {
            let mut answer = errors::of_status(504);
            answer.delivery = Delivery::Dropped;
            Some(answer)
        }
        Trouble::Html { status } => Some(Answer::html(*status)),
        Trouble::ExpireDelta { status } => {
            let token = request.query("$deltatoken").filter(|token| !matches!(*token, "" | "latest"));
            token.map(|_| errors::expired_delta(request, *status))
        }
        _ => None,
    }
}

/// Troubles that change an answer.
pub(super) fn afterwards(trouble: &Trouble, request: &Request, mut answer: Answer) -> Answer {
    match trouble {
        Trouble::Truncate => answer.delivery = Delivery::Truncated,
        Trouble::Delay { milliseconds } => answer.delay_milliseconds = *milliseconds,
        Trouble::SlowBody { milliseconds } => answer.delivery = Delivery::Slow(*milliseconds),
        Trouble::CutJson => answer.delivery = Delivery::Cut,
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
        _ => {}
    }
    answer
}
