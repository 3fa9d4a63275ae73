//! Faults as Okta shows them: instead of the answer, or to it afterwards.

use jiff::Timestamp;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::Content;
use super::super::exchange::Delivery;
use super::super::exchange::Request;
use super::super::faults::Trouble;
use super::errors;

/// Troubles that keep the request from being answered at all.
pub(super) fn instead(trouble: &Trouble, now: Timestamp) -> Option<Answer> {
    match trouble {
        Trouble::Status { status: 429, retry_after } => {
            let wait: i64 = retry_after.as_deref().and_then(|text| text.parse().ok()).unwrap_or(1);
            let reset = (now.as_second() + wait).to_string();
            let answer = errors::of_status(429).with("x-rate-limit-limit", "50");
            Some(answer.with("x-rate-limit-remaining", "0").with("x-rate-limit-reset", reset))
        }
        Trouble::Status { status, .. } => Some(errors::of_status(*status)),
        Trouble::Deny => Some(errors::of_status(403)),
        Trouble::Drop => {
            let mut answer = errors::of_status(500);
            answer.delivery = Delivery::Dropped;
            Some(answer)
        }
        Trouble::Html { status } => Some(Answer::html(*status)),
        _ => None,
    }
}

/// Troubles that change an answer.
pub(super) fn afterwards(trouble: &Trouble, request: &Request, mut answer: Answer) -> Answer {
    match trouble {
        Trouble::Truncate => answer.delivery = Delivery::Truncated,
        Trouble::Delay { milliseconds } => answer.delay_milliseconds = *milliseconds,
        Trouble::Empty => {
            if let Content::Json(body) = &mut answer.content
                && body.is_array()
            {
                *body = json!([]);
                answer.headers.retain(|header| !is_next(header));
            }
        }
        Trouble::OneLinkHeader => {
            let (links, mut others): (Vec<_>, Vec<_>) =
                answer.headers.into_iter().partition(|(name, _)| *name == "link");
            let joined = links.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(", ");
            others.push(("link", joined));
            answer.headers = others;
        }
        Trouble::ForeignHost | Trouble::RepeatCursor | Trouble::LoseExpand => {
            for header in answer.headers.iter_mut().filter(|header| is_next(header)) {
                header.1 = other_link(trouble, request, &header.1);
            }
        }
        _ => {}
    }
    answer
}

fn is_next(header: &(&'static str, String)) -> bool {
    header.0 == "link" && header.1.ends_with("rel=\"next\"")
}

fn other_link(trouble: &Trouble, request: &Request, link: &str) -> String {
    match trouble {
        Trouble::ForeignHost => link.replacen(&request.base, "http://okta.foreign.example", 1),
        Trouble::RepeatCursor => format!("<{}{}>; rel=\"next\"", request.base, request.target),
        _ => link.replace("&expand=user", "").replace("&expand=group", ""),
    }
}
