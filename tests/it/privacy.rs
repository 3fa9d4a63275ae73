//! P11: at the finest level of logging, stderr shows no secret and nobody's attributes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use rosterd::simulators::API_TOKEN;
use rosterd::simulators::CLIENT_SECRET;
use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::support::host::Host;
use crate::support::host::binary;
use crate::support::host::ran;
use crate::support::simulated::Simulated;

const SERVICE_TOKEN: &str = "service-token-that-is-secret";

/// Shorter values are too common as parts of other words to mean anything.
const LETTERS_MIN: usize = 4;

/// Every text of these resources that a person put there.
fn values(resource: &Value, found: &mut BTreeSet<String>) {
    match resource {
        Value::String(text) if text.chars().count() >= LETTERS_MIN => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| values(item, found)),
        Value::Object(entries) => entries
            .iter()
            .filter(|(name, _)| {
                !["id", "externalId", "meta", "schemas", "type", "groups"].contains(&name.as_str())
            })
            .for_each(|(_, value)| values(value, found)),
        _ => {}
    }
}

/// Values that stand in the text as words of their own.
fn shown<'a>(text: &str, values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    values
        .filter(|value| {
            text.match_indices(value).any(|(at, _)| {
                !is_word(text[..at].chars().next_back()) && !is_word(text[at + value.len()..].chars().next())
            })
        })
        .collect()
}

fn assert_silent(log: &str, people: &BTreeSet<String>) {
    assert!(people.len() > 10, "{people:?}");
    assert!(log.contains("TRACE"), "the log is at its finest: {log}");
    let told = shown(log, people.iter().map(String::as_str));
    assert!(told.is_empty(), "attributes in the log: {told:?}");
    let told = shown(log, [CLIENT_SECRET, API_TOKEN, SERVICE_TOKEN].into_iter());
    assert!(told.is_empty(), "secrets in the log: {told:?}");
}

#[test]
fn a_demo_at_trace_logs_nobody_and_no_secret() {
    let folder = TempDir::new().unwrap();
    let kept = folder.path().join("kept");
    let mut command = binary();
    command.args(["demo", "--log", "trace", "--keep"]).arg(&kept);
    let demo = ran(command);
    assert_eq!(demo.code, 0, "{}", demo.err);
    let mut people = BTreeSet::new();
    for workspace in ["acme", "globex"] {
        let mut command = binary();
        command.arg("-c").arg(kept.join("rosterd.toml"));
        command.args(["workspace", "users", "--format", "json", "--workspace", workspace]);
        for line in ran(command).out.lines() {
            values(&serde_json::from_str(line).unwrap(), &mut people);
        }
    }
    assert_silent(&demo.err, &people);
}

/// A service that finds nobody, takes nobody, and repeats in its errors what it was told. While `reads` is a status,
/// it is the answer to every question.
async fn gossip(reads: Arc<AtomicU16>) -> String {
    let answer = move |request: Request| async move {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
        let query = parts.uri.query().unwrap_or_default();
        let asked: String = url::form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value).collect();
        let told = format!("{} {asked} with {}", parts.uri, String::from_utf8_lossy(&body));
        let read = StatusCode::from_u16(reads.load(Ordering::SeqCst)).ok();
        let status = match (parts.method, body.len() % 3) {
            (Method::GET, _) => match read {
                Some(status) => status,
                None => return empty(),
            },
            (_, 0) => StatusCode::CONFLICT,
            (_, 1) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, json!({"detail": told, "status": status.as_u16().to_string()}).to_string()).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/scim/v2", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    url
}

fn empty() -> Response {
    json!({"totalResults": 0, "Resources": []}).to_string().into_response()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn troubled_cycles_at_trace_log_nobody_and_no_secret() {
    let org = Simulated::start(Flavour::Okta).await;
    let reads = Arc::new(AtomicU16::new(0));
    let host = Host::new();
    host.settings(&format!(
        "[jobs.org]\ntarget = \"gossip\"\nsource.okta = {{ url = \"http://{}\", token = \"env:TEST_OKTA\" }}\n\
         scope.users.assigned_to = \"{OKTA_APP_ID}\"\nscope.teams.assigned_to = \"{OKTA_APP_ID}\"\nmapping.preset = \"cerby\"\n\
         [targets.gossip.scim]\nurl = \"{}\"\ntoken = \"env:TEST_SERVICE\"\n",
        org.address,
        gossip(reads.clone()).await
    ));
    host.run(&["enable", "org"]);
    let sync = || {
        let mut command = host.command(&["--log", "trace", "sync", "org"]);
        command.env("TEST_OKTA", API_TOKEN).env("TEST_SERVICE", SERVICE_TOKEN);
        ran(command)
    };
    let mut log = String::new();
    let fault = |trouble: Value, times: Option<u64>| {
        let fault = json!({"route": "app_users", "times": times, "trouble": trouble});
        org.world.fault(serde_json::from_value(fault).unwrap());
    };
    // Pages that are refused, or no JSON; then pages that break off and are asked for again, and a target that
    // repeats what it is told.
    for trouble in [json!({"html": {"status": 200}}), json!("deny")] {
        fault(trouble, None);
        let failed = sync();
        assert_eq!(failed.code, 1, "{}{}", failed.out, failed.err);
        log += &failed.err;
        org.world.clear_faults();
    }
    for status in [401, 403, 404, 418] {
        reads.store(status, Ordering::SeqCst);
        let failed = sync();
        assert_eq!(failed.code, 1, "{}{}", failed.out, failed.err);
        assert!(failed.err.contains(&format!("was answered with status {status}")), "{}", failed.err);
        log += &failed.err;
    }
    reads.store(0, Ordering::SeqCst);
    fault(json!("truncate"), Some(1));
    fault(json!("drop"), Some(1));
    // All that was tried failed, which is a quarantine: the job failed, not only some objects.
    let refused = sync();
    assert_eq!(refused.code, 1, "{}{}", refused.out, refused.err);
    log += &refused.err;

    let mut people = BTreeSet::new();
    for person in org.world.snapshot().people.into_values() {
        values(&serde_json::to_value(person).unwrap(), &mut people);
    }
    assert_silent(&log, &people);
}
