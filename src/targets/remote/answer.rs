//! What comes back, read tolerantly: resources, list pages and errors of services that keep the RFC loosely.
//! Pure.

use http::HeaderMap;
use serde_json::Value;

use super::super::Found;
use crate::client::Answer;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// An error text is kept up to here: enough to understand it, too little for a page of HTML.
const DETAIL_MAX: usize = 500;

/// The JSON of a body, whatever its content type says; a byte order mark is skipped. `None`: no JSON.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)).ok()
}

/// A resource as found: its id as text also where it is a number, `active` as a boolean also where it is a
/// text. `None` where there is no id that could be asked for again.
pub(super) fn resource(kind: Kind, mut body: Value) -> Option<Found> {
    let id = identifier(body.get("id")?)?;
    let object = body.as_object_mut()?;
    object.insert("id".to_owned(), Value::from(id.as_str()));
    let active = object.get("active").and_then(boolean);
    if let Some(active) = active {
        object.insert("active".to_owned(), Value::from(active));
    }
    Some(Found { id: ResourceId(id), kind, active: active.unwrap_or(true), body, bars: None })
}

/// An id as text. An empty one would name the whole endpoint, dots its parent: they are no ids.
fn identifier(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!matches!(text.as_str(), "" | "." | "..")).then_some(text)
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The ids of the members that a group shows; none where it shows no list.
pub(super) fn members(group: &Value) -> Vec<ResourceId> {
    let listed = group.get("members").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    listed
        .iter()
        .filter_map(|member| identifier(member.get("value").unwrap_or(member)))
        .map(ResourceId)
        .collect()
}

/// One page of a list.
#[derive(Debug, PartialEq)]
pub(super) struct ListPage {
    pub resources: Vec<Value>,
    /// How many there are in all; `None` where the service does not say it.
    pub total: Option<u64>,
    /// What asks for the next page (RFC 9865).
    pub next_cursor: Option<String>,
}

/// A list page: `totalResults` may be a text, `Resources` may be null or missing. `None` where the body is
/// no list at all, which is never the same as an empty one.
pub(super) fn list(body: &[u8]) -> Option<ListPage> {
    let mut body = json(body)?;
    let object = body.as_object_mut()?;
    let total = object.get("totalResults").and_then(count);
    let resources = match object.remove("Resources") {
        Some(Value::Array(resources)) => resources,
        Some(Value::Null) | None if total.is_some() || object.contains_key("nextCursor") => Vec::new(),
        _ => return None,
    };
    let next_cursor = object.get("nextCursor").and_then(Value::as_str).filter(|cursor| !cursor.is_empty());
    let next_cursor = next_cursor.map(str::to_owned);
    Some(ListPage { resources, total, next_cursor })
}

fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// What a service answered to one operation of a bulk request.
#[derive(Debug, PartialEq)]
pub(super) struct BulkReply {
    pub bulk_id: Option<String>,
    method: Option<String>,
    status: u16,
    location: Option<String>,
    response: Value,
}

/// The answers of a bulk message: a status may be a text, a number, or an object with a `code`.
pub(super) fn bulk_replies(body: &[u8]) -> Vec<BulkReply> {
    let body = json(body).unwrap_or_default();
    let text = |reply: &Value, name: &str| reply.get(name).and_then(Value::as_str).map(str::to_owned);
    let operations = body.get("Operations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    operations
        .iter()
        .map(|reply| BulkReply {
            bulk_id: text(reply, "bulkId"),
            method: text(reply, "method"),
            status: reply.get("status").and_then(status).unwrap_or_default(),
            location: text(reply, "location"),
            response: reply.get("response").cloned().unwrap_or_default(),
        })
        .collect()
}

fn status(value: &Value) -> Option<u16> {
    let value = value.get("code").unwrap_or(value);
    count(value)?.try_into().ok()
}

impl BulkReply {
    pub fn is_of(&self, method: &str) -> bool {
        self.method.as_deref().is_none_or(|said| said.eq_ignore_ascii_case(method))
    }

    /// As if it had been sent alone. A reply without a status says nothing: it counts as a server's error.
    pub fn answer(&self) -> Answer {
        let body = if self.response.is_null() { String::new() } else { self.response.to_string() };
        let status = if self.status == 0 { 500 } else { self.status };
        Answer { status, headers: HeaderMap::new(), body: body.into() }
    }

    /// The id of what was made: in the resource, where it is shown, else the end of its address.
    pub fn id(&self) -> Option<ResourceId> {
        let shown = self.response.get("id").and_then(identifier);
        let at_end = || {
            let path = self.location.as_deref()?.split(['?', '#']).next()?;
            let (_, last) = path.trim_end_matches('/').rsplit_once('/')?;
            let decoded = percent_decoded(last)?;
            identifier(&Value::String(decoded))
        };
        shown.or_else(at_end).map(ResourceId)
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                tail
            }
            (other, tail) => {
                bytes.push(*other);
                tail
            }
        };
    }
    String::from_utf8(bytes).ok()
}

/// What an error body says: its `scimType` and a text without the values that were sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub kind: Option<String>,
    pub detail: String,
}

/// Reads the error body of a service: a SCIM error, `{"errors":[…]}`, other JSON, HTML or plain text. The
/// `values` that we sent, and everything that looks like an address, are masked (P11).
pub(super) fn problem(body: &[u8], values: &[&str]) -> Problem {
    let parsed = json(body);
    let kind = parsed.as_ref().and_then(|body| body.get("scimType")).and_then(Value::as_str);
    let text = match &parsed {
        Some(body) => message(body).unwrap_or_default(),
        None => plain(&String::from_utf8_lossy(body)),
    };
    Problem { kind: kind.map(str::to_owned), detail: shortened(&masked(&text, values)) }
}

/// The words for people in an error body, wherever they stand.
fn message(body: &Value) -> Option<String> {
    const NAMES: [&str; 6] = ["detail", "message", "description", "error_description", "title", "error"];
    match body {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(message).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Value::Object(object) => NAMES
            .iter()
            .chain(&["errors", "Errors"])
            .find_map(|name| object.get(*name).filter(|value| !value.is_null()))
            .and_then(message),
        _ => None,
    }
}

/// Text without markup, its white space folded.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut markup = false;
    for c in text.chars().take(8 * DETAIL_MAX) {
        match c {
            '<' => markup = true,
            '>' if markup => {
                markup = false;
                out.push(' ');
            }
            _ if markup => {}
            _ => out.push(c),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Replaces the values that we sent, and words with an `@`, by dots. Values of one or two letters would
/// mask half of every text and say nothing about a person.
fn masked(text: &str, values: &[&str]) -> String {
    let mut values: Vec<&str> = values.iter().copied().filter(|value| value.chars().count() > 2).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let mut text = text.to_owned();
    for value in values {
        text = text.replace(value, "•••");
    }
    text.split(' ').map(|word| if word.contains('@') { "•••" } else { word }).collect::<Vec<_>>().join(" ")
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= DETAIL_MAX {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(DETAIL_MAX - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_is_read_with_a_numeric_id_and_a_text_for_active() {
        let found = resource(Kind::User, json!({"id": 42, "active": "False"})).unwrap();
        assert_eq!(found.id, ResourceId("42".to_owned()));
        assert!(!found.active);
        assert_eq!(found.body, json!({"id": "42", "active": false}));
    }

    #[test]
    fn a_resource_is_active_unless_it_says_otherwise() {
        assert!(resource(Kind::User, json!({"id": "a"})).unwrap().active);
        assert!(resource(Kind::User, json!({"id": "a", "active": null})).unwrap().active);
        assert!(!resource(Kind::User, json!({"id": "a", "active": false})).unwrap().active);
    }

    #[test]
    fn what_cannot_be_asked_for_again_is_no_resource() {
        for id in [json!(""), json!("."), json!(".."), json!(null), json!({})] {
            assert_eq!(resource(Kind::User, json!({ "id": id })), None);
        }
        assert_eq!(resource(Kind::User, json!([])), None);
    }

    #[test]
    fn a_list_is_read_with_a_text_for_its_total_and_null_for_its_resources() {
        let page = |text: &str| list(text.as_bytes());
        assert_eq!(
            page(r#"{"totalResults":"2","Resources":[{"id":"a"},{"id":"b"}]}"#),
            Some(ListPage {
                resources: vec![json!({"id": "a"}), json!({"id": "b"})],
                total: Some(2),
                next_cursor: None
            })
        );
        let empty = Some(ListPage { resources: vec![], total: Some(0), next_cursor: None });
        assert_eq!(page(r#"{"totalResults":0,"Resources":null}"#), empty);
        assert_eq!(page("\u{feff}{\"totalResults\":0}"), empty);
        assert_eq!(
            page(r#"{"Resources":[]}"#),
            Some(ListPage { resources: vec![], total: None, next_cursor: None })
        );
        let listed = page(r#"{"nextCursor":"x"}"#);
        assert_eq!(
            listed,
            Some(ListPage { resources: vec![], total: None, next_cursor: Some("x".to_owned()) })
        );
    }

    #[test]
    fn the_replies_of_a_bulk_request_are_read_in_every_shape() {
        let body = json!({"Operations": [
            {"bulkId": "0", "method": "POST", "status": "201", "location": "https://x.example/v2/Users/a%20b"},
            {"bulkId": "1", "method": "POST", "status": {"code": 409}, "response": {"detail": "taken"}},
            {"method": "PATCH", "status": 200, "response": {"id": 7}},
            {"bulkId": "3"},
        ]});
        let replies = bulk_replies(body.to_string().as_bytes());
        let statuses: Vec<u16> = replies.iter().map(|reply| reply.answer().status).collect();
        assert_eq!(statuses, [201, 409, 200, 500]);
        assert_eq!(replies[0].id(), Some(ResourceId("a b".to_owned())));
        assert_eq!(replies[2].id(), Some(ResourceId("7".to_owned())));
        assert_eq!((replies[1].id(), replies[3].id()), (None, None));
        assert!(replies[0].is_of("post") && !replies[0].is_of("PUT") && replies[3].is_of("PUT"));
        assert_eq!(bulk_replies(b"<html>"), []);
    }

    #[test]
    fn what_is_no_list_is_not_an_empty_one() {
        for text in
            ["", "<html></html>", "{}", "[]", r#"{"error":"x"}"#, r#"{"totalResults":1,"Resources":{}}"#]
        {
            assert_eq!(list(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn members_are_read_as_objects_texts_and_numbers() {
        let group = json!({"members": [{"value": "a"}, {"value": 7}, "c", {"display": "nobody"}]});
        let ids: Vec<String> = members(&group).into_iter().map(|id| id.0).collect();
        assert_eq!(ids, ["a", "7", "c"]);
        assert_eq!(members(&json!({"members": null})), []);
    }

    #[test]
    fn an_error_is_read_in_every_shape() {
        for (body, kind, detail) in [
            (
                r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":400,"scimType":"invalidPath","detail":"no such path"}"#,
                Some("invalidPath"),
                "no such path",
            ),
            (r#"{"errors":[{"message":"first"},{"description":"second"}]}"#, None, "first; second"),
            (r#"{"errors":["first","second"]}"#, None, "first; second"),
            (r#"{"Errors":[{"description":"old style","code":"409"}]}"#, None, "old style"),
            (r#"{"error":{"code":7,"message":"deep"}}"#, None, "deep"),
            ("<html><body><h1>502</h1>\n<p>Bad gateway</p></body></html>", None, "502 Bad gateway"),
            ("plain  text", None, "plain text"),
            ("", None, ""),
        ] {
            let problem = problem(body.as_bytes(), &[]);
            assert_eq!((problem.kind.as_deref(), problem.detail.as_str()), (kind, detail), "{body}");
        }
    }

    #[test]
    fn an_error_text_holds_nothing_that_was_sent() {
        let body = r#"{"detail":"userName ann.lee (Ann Lee) is taken by <bob@x.example> at acme"}"#;
        let problem = problem(body.as_bytes(), &["ann.lee", "Ann Lee", "at"]);
        assert_eq!(problem.detail, "userName ••• (•••) is taken by ••• at acme");
    }

    #[test]
    fn an_error_text_is_short() {
        let problem = problem("é".repeat(9_000).as_bytes(), &[]);
        assert_eq!(problem.detail.chars().count(), DETAIL_MAX);
        assert!(problem.detail.ends_with('…'));
    }
}
