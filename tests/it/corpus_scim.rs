//! Recorded and published requests of Entra, Okta and others, played against our service. Every file of the corpus
//! is named in `cases`, with what is there before and what its row of the corpus's README says it shows.

mod cases;

use std::collections::BTreeMap;
use std::path::PathBuf;

use rosterd::scim::Dialect;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::WriteAct;
use serde_json::Value;
use serde_json::json;

use super::server::Got;
use super::server::Served;
use cases::CASES;
use cases::Case;

/// Somebody with a bit of everything, for requests that change a user.
const SOMEBODY: &str = r#"{
    "userName": "somebody", "displayName": "Some Body", "title": "Boss", "active": true,
    "name": {"givenName": "Some", "familyName": "Body"},
    "emails": [{"type": "work", "value": "some@x.example", "primary": true}],
    "phoneNumbers": [{"type": "work", "value": "1"}],
    "addresses": [{"type": "work", "streetAddress": "Road 1", "country": "US"}],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales", "costCenter": "7"}
}"#;
const A_TEAM: &str = r#"{"displayName": "Some Team"}"#;

#[tokio::test]
async fn every_recorded_request_is_answered_as_its_sender_expects() {
    let Some(files) = files() else {
        println!("skipped: no corpus");
        return;
    };
    let named: Vec<&str> = CASES.iter().map(|case| case.file).collect();
    let there: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(named, there, "every file of the corpus is named once, in order");
    for case in CASES {
        play(case, &files[case.file]).await;
    }
}

pub fn files() -> Option<BTreeMap<String, Value>> {
    let folder = PathBuf::from(std::env::var_os("ROSTERD_CORPUS")?).join("scim-requests");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.expect("an entry");
        let text = std::fs::read_to_string(entry.path()).expect("a text");
        let name = entry.file_name().into_string().expect("a name");
        (name, serde_json::from_str(&text).expect("an exchange is JSON"))
    };
    Some(entries.map(file).collect())
}

async fn play(case: &Case, exchange: &Value) {
    let request = &exchange["request"];
    let method = request["method"].as_str().expect("a method");
    let url = request["url"].as_str().expect("a URL");
    let path = url.split_once("/scim").expect("a SCIM URL").1.trim_start_matches("/v2");
    let served = Served::start(Dialect::Tolerant).await;
    seed(&served, case, path).await;
    let mut headers = vec![("authorization", format!("Bearer {}", served.token))];
    headers.extend(request["headers"]["Content-Type"].as_str().map(|kind| ("content-type", kind.to_owned())));
    // A body that is not JSON was kept as text.
    let body = match &request["body"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        body => Some(body.to_string()),
    };
    let target = format!("/scim/v2{}", path.replace('{', "%7B").replace('}', "%7D"));
    let got = served.raw(method, &target, &headers, body).await;
    assert_eq!(got.status, case.status, "{}: {got:?}", case.file);
    let got = if got.status == 204 { served.raw("GET", &target, &headers[..1], None).await } else { got };
    for (pointer, expected) in case.shows {
        let expected: Value = serde_json::from_str(expected).expect(case.file);
        let shown = got.body.pointer(pointer).cloned().unwrap_or(Value::Null);
        assert_eq!(shown, expected, "{} {pointer}: {got:?}", case.file);
    }
    answers_what_it_was_sent(case, &request["body"], &got);
}

/// A new resource shows the names and the keys that it was sent with, unchanged.
fn answers_what_it_was_sent(case: &Case, sent: &Value, got: &Got) {
    if case.status != 201 {
        return;
    }
    for name in ["userName", "displayName", "externalId", "title", "preferredLanguage"] {
        assert_eq!(got.body.get(name), sent.get(name), "{} {name}", case.file);
    }
}

/// What was there before: people by their ids, and the resource that the URL speaks of.
async fn seed(served: &Served, case: &Case, path: &str) {
    let named = |id: &&str| user(id, &json!({ "userName": *id }));
    let mut acts: Vec<WriteAct> = case.people.iter().map(named).collect();
    let mut segments =
        path.split('?').next().expect("a path").split('/').filter(|segment| !segment.is_empty());
    let kind = if segments.next() == Some("Users") { Kind::User } else { Kind::Group };
    let id = segments.next();
    let default = if kind == Kind::User { SOMEBODY } else { A_TEAM };
    let before = match (case.before, id) {
        ("", Some(_)) => Some(default),
        ("" | "nobody", _) => None,
        (before, _) => Some(before),
    };
    if let Some(before) = before {
        let body = serde_json::from_str(before).expect(case.file);
        acts.push(create(kind, id.unwrap_or("seeded"), &body));
    }
    let now = "2026-11-24T08:00:00Z".parse().expect("a time");
    let author = Author::push("push", "t1", false, now);
    let writes = acts.into_iter().map(Into::into).collect();
    for written in served.store.write_resources("main", author, writes).await.expect("the store writes") {
        written.expect("what was there before is sound");
    }
}

fn user(id: &str, body: &Value) -> WriteAct {
    create(Kind::User, id, body)
}

fn create(kind: Kind, id: &str, body: &Value) -> WriteAct {
    let incoming = incoming(kind.into(), Dialect::Tolerant, body).expect("a sound body");
    WriteAct::Create { kind: kind.into(), id: ResourceId(id.to_owned()), incoming, dialect: Dialect::Strict }
}
