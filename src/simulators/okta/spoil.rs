//! Faults as Okta shows them: instead of the answer, or to it afterwards. What concerns rows and cursors is in `paging`.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::Content;
use super::super::exchange::Delivery;
use super::super::exchange::Request;
use super::super::faults::Trouble;
use super::call::Call;
use super::errors;
use super::gate;

/// Troubles that keep the request from being answered at all.
pub(super) fn instead(trouble: &Trouble, request: &Request, call: &Call, now: Timestamp) -> Option<Answer> {
    match trouble {
        Trouble::Status { status: 429, retry_after } => {
            let wait: i64 = retry_after.as_deref().and_then(|text| text.parse().ok()).unwrap_or(1);
            let reset = (now.as_second() + wait).to_string();
            let answer = errors::of_status(429).with("x-rate-limit-limit", "50");
            Some(answer.with("x-rate-limit-remaining", "0").with("x-rate-limit-reset", reset))
        }
        Trouble::Status { status, .. } => Some(errors::of_status(*status)),
        // The log has an envelope of its own, and a code that says nothing: the status decides (okta.md section 4).
        Trouble::Error { code } if *call == Call::Logs && code == "E0000053" => {
            let summary = "Sorry, there's been an error. Please try again later.";
            Some(errors::of_log(500, "E0000053", summary))
        }
        Trouble::Error { code } => Some(errors::by_code(code, "simulated")),
        Trouble::Deny => Some(errors::forbidden()),
        Trouble::LoseScope => Some(gate::lacks_scope(request, call)),
        Trouble::Concurrency => Some(errors::concurrency(now.as_second())),
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
        Trouble::CutJson => answer.delivery = Delivery::Cut,
        Trouble::SlowBody { milliseconds } => answer.delivery = Delivery::Slow(*milliseconds),
        Trouble::Delay { milliseconds } => answer.delay_milliseconds = *milliseconds,
        Trouble::Empty => return emptied(answer),
        Trouble::UnknownEnum => each_object(&mut answer, &strange_values),
        Trouble::UnknownFields => each_object(&mut answer, &strange_fields),
        Trouble::NoLinkHeader => answer.headers.retain(|(name, _)| *name != "link"),
        Trouble::OneLinkHeader => join_links(&mut answer),
        Trouble::ForeignHost | Trouble::SiblingHost | Trouble::RepeatCursor | Trouble::LoseExpand => {
            for header in answer.headers.iter_mut().filter(|header| is_next(header)) {
                header.1 = other_link(trouble, request, &header.1);
            }
        }
        _ => {}
    }
    answer
}

/// 200 with no rows and no next page; also what a lost role makes of a list.
pub(super) fn emptied(mut answer: Answer) -> Answer {
    if let Content::Json(body) = &mut answer.content
        && body.is_array()
    {
        *body = json!([]);
        answer.headers.retain(|header| !is_next(header));
    }
    answer
}

fn join_links(answer: &mut Answer) {
    let (links, mut others): (Vec<_>, Vec<_>) =
        std::mem::take(&mut answer.headers).into_iter().partition(|(name, _)| *name == "link");
    if !links.is_empty() {
        let joined = links.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(", ");
        others.push(("link", joined));
    }
    answer.headers = others;
}

fn is_next(header: &(&'static str, String)) -> bool {
    header.0 == "link" && header.1.ends_with("rel=\"next\"")
}

fn other_link(trouble: &Trouble, request: &Request, link: &str) -> String {
    match trouble {
        Trouble::ForeignHost => link.replacen(&request.base, "http://okta.foreign.example", 1),
        Trouble::SiblingHost => link.replacen(&request.base, &sibling(&request.base), 1),
        Trouble::RepeatCursor => format!("<{}{}>; rel=\"next\"", request.base, request.target),
        _ => link.replace("&expand=user", "").replace("&expand=group", ""),
    }
}

/// Calls to the admin host get links to the other one (okta.md section 1). On loopback its two names stand for them.
fn sibling(base: &str) -> String {
    match base {
        admin if admin.contains("-admin.") => admin.replacen("-admin.", ".", 1),
        named if named.contains("//localhost") => named.replacen("//localhost", "//127.0.0.1", 1),
        other => other.replacen("//127.0.0.1", "//localhost", 1),
    }
}

/// Every row and what is embedded in it.
fn each_object(answer: &mut Answer, change: &dyn Fn(&mut Value)) {
    let Content::Json(body) = &mut answer.content else { return };
    let rows: Vec<&mut Value> = match body {
        Value::Array(rows) => rows.iter_mut().collect(),
        one => vec![one],
    };
    for row in rows {
        if let Some(Value::Object(embedded)) = row.get_mut("_embedded") {
            embedded.values_mut().for_each(change);
        }
        change(row);
    }
}

fn strange_values(row: &mut Value) {
    for name in ["status", "type", "syncState", "scope"] {
        if let Some(value) = row.get_mut(name).filter(|value| value.is_string()) {
            *value = json!("HIBERNATING");
        }
    }
}

fn strange_fields(row: &mut Value) {
    if let Value::Object(fields) = row {
        fields.insert("hologram".to_owned(), json!({ "depth": [1, null, { "x": true }] }));
        fields.insert("realmId".to_owned(), json!("guoSimulated00000001"));
    }
}
