//! Single answers of the corpus: applications, testimony, refusals, refused cursors, rate limits.

use std::borrow::Cow;

use rosterd::model::Container;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use serde_json::Value;
use serde_json::json;

use super::super::okta_org::Org;
use super::super::okta_org::Reply;
use super::exchange::Exchange;
use super::exchange::USERS;
use super::exchange::all;
use super::exchange::corpus;
use super::exchange::empty_org;
use super::exchange::exchange;
use super::exchange::id;
use super::exchange::pulled;

fn host(org: &Org) -> &str {
    org.host.trim_start_matches("http://")
}

/// Applications as the first read of a cycle meets them; of a list the first one.
pub const APPS: &[(&str, &str)] = &[
    ("001-app-create-200.json", ""),
    ("023-app-get-200.json", ""),
    (
        "022-apps-list-filter-inactive-200.json",
        "the application 0oa1 is INACTIVE; activate it in the admin console, or end the job; nobody is removed meanwhile",
    ),
];

#[tokio::test]
async fn only_an_active_application_is_read() {
    let Some(folder) = corpus() else { return };
    for (file, expected) in APPS {
        let body = exchange(&folder, file).body().clone();
        let app = body.get(0).cloned().unwrap_or(body);
        let org = empty_org().await;
        org.tell("/api/v1/apps/0oa1", Reply::ok(app));
        let error = pulled(&org).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error, *expected, "{file}");
    }
}

/// Single assignments and missing objects, as the witness meets them.
pub const TESTIMONY: &[(&str, &str, WitnessAnswer)] = &[
    ("002-app-user-assign-200.json", "assigned user", WitnessAnswer::Present),
    ("003-app-user-assign-200.json", "assigned user", WitnessAnswer::Present),
    ("004-app-user-get-200.json", "assigned user", WitnessAnswer::Present),
    ("006-app-user-get-200.json", "assigned user", WitnessAnswer::Present),
    ("009-app-user-update-200.json", "assigned user", WitnessAnswer::Present),
    ("080-app-user-assign-provisioning-200.json", "assigned user", WitnessAnswer::Present),
    ("088-app-user-expand-200.json", "assigned user", WitnessAnswer::Present),
    ("086-not-found-404.json", "assigned user", WitnessAnswer::Absent(Cow::Borrowed("404"))),
    ("011-app-group-assign-200.json", "assigned group", WitnessAnswer::Present),
    ("012-app-group-assign-200.json", "assigned group", WitnessAnswer::Present),
    ("014-app-group-get-200.json", "assigned group", WitnessAnswer::Present),
    ("091-app-group-expand-200.json", "assigned group", WitnessAnswer::Present),
    ("047-user-get-suspended-200.json", "existing user", WitnessAnswer::Disabled),
    ("056-user-get-missing-404.json", "existing user", WitnessAnswer::Absent(Cow::Borrowed("404"))),
    ("040-group-get-200.json", "existing group", WitnessAnswer::Present),
    ("041-group-get-missing-404.json", "existing group", WitnessAnswer::Absent(Cow::Borrowed("404"))),
];

#[tokio::test]
async fn the_witness_reads_single_answers() {
    let Some(folder) = corpus() else { return };
    for (file, about, expected) in TESTIMONY {
        let held =
            |kind| WitnessQuestion::Held { container: Container::App(id("0oa1")), principal: id("x"), kind };
        let (question, target) = match *about {
            "assigned user" => (held(Kind::User), "/api/v1/apps/0oa1/users/x"),
            "assigned group" => (held(Kind::Group), "/api/v1/apps/0oa1/groups/x"),
            "existing user" => (WitnessQuestion::Exists { id: id("x"), kind: Kind::User }, "/api/v1/users/x"),
            _ => (WitnessQuestion::Exists { id: id("x"), kind: Kind::Group }, "/api/v1/groups/x"),
        };
        let org = empty_org().await;
        org.tell(target, exchange(&folder, file).reply());
        let answers = org.source("0oa1").witness(std::slice::from_ref(&question)).await.expect("an answer");
        assert_eq!(answers.as_slice(), std::slice::from_ref(expected), "{file}");
    }
}

/// Refusals, as a list of app users meets them: each stops the cycle, and nobody is removed.
pub const REFUSALS: &[(&str, &str)] = &[
    ("020-app-create-limit-400.json", "(status 400, E0000001, request 98a47f550a20fc54a2b4472c178a4041)"),
    ("021-apps-list-bad-expand-400.json", "(status 400, E0000001, request 1edf87f4f559af6a67cbf88b04b47f26)"),
    ("024-app-delete-active-403.json", "(status 403, E0000056, request X0f36XVUkCaUNcCqV-@ppwAAA4g)"),
    (
        "059-user-blocks-feature-off-401.json",
        "(status 401, E0000015, request b2a607330659f8e0aacee2254f290481); the org does not have this feature",
    ),
    (
        "060-user-reactivate-forbidden-403.json",
        "(status 403, E0000038, request cf7173596da2412ec62986425c9128b9)",
    ),
    (
        "061-user-unlock-forbidden-403.json",
        "(status 403, E0000032, request 3ab36365bd73dbdcaaa2f93109fecc8d)",
    ),
    ("085-invalid-token-401.json", "(status 401, E0000011); make a new API token"),
    ("089-app-user-forbidden-403.json", "(status 403, E0000075)"),
    (
        "095-access-denied-403.json",
        "(status 403, E0000006); give the account of the token, or the service application itself, the role Read-only Administrator",
    ),
];

#[tokio::test]
async fn a_refusal_names_place_code_and_cure() {
    let Some(folder) = corpus() else { return };
    for (file, expected) in REFUSALS {
        let org = empty_org().await;
        org.tell(USERS, exchange(&folder, file).reply());
        let error = pulled(&org).await.err().map(|error| error.to_string()).unwrap_or_default();
        let place = format!("GET {}/api/v1/apps/0oa1/users: Okta refuses {expected}", host(&org));
        assert!(error.starts_with(&place), "{file}: {error}");
    }
}

/// A cursor that Okta did not issue.
pub const BAD_CURSOR: &str = "019-apps-list-bad-cursor-400.json";

#[tokio::test]
async fn a_refused_cursor_begins_the_list_again_once() {
    let Some(folder) = corpus() else { return };
    let org = empty_org().await;
    let second = "/api/v1/apps/0oa1/users?after=00u1testcursorvalue&expand=user&limit=500";
    let row = json!([{"id": "00u1", "status": "ACTIVE", "_embedded": {"user": {"status": "ACTIVE"}}}]);
    org.tell(USERS, Reply::ok(json!([])).next(second));
    org.tell_in_turn(second, [exchange(&folder, BAD_CURSOR).reply(), Reply::ok(row)]);
    let whole = pulled(&org).await.expect("whole at the second try");
    assert_eq!(whole.short(), "user 00u1 (Enabled)\napp 0oa1 > user 00u1");
    org.tell(second, exchange(&folder, BAD_CURSOR).reply());
    assert!(matches!(pulled(&org).await, Err(SourceError::Unavailable { .. })));
}

/// Answers to who asks too much.
pub const RATE_LIMITED: [&str; 3] =
    ["063-rate-limited-429.json", "064-rate-limited-again-429.json", "094-users-rate-limited-429.json"];

#[tokio::test]
async fn a_rate_limit_is_waited_out_by_the_servers_clock() {
    let Some(folder) = corpus() else { return };
    let org = empty_org().await;
    let limited = RATE_LIMITED.map(|file| at_reset(exchange(&folder, file)).reply());
    let [first, again, plain] = limited;
    let row = json!([{"id": "00u1", "status": "ACTIVE", "_embedded": {"user": {"status": "ACTIVE"}}}]);
    org.tell_in_turn(USERS, [first, again, plain, Reply::ok(row)]);
    let source = org.source("0oa1");
    let pulled = all(&source).await.expect("whole after three waits");
    assert_eq!(pulled.short(), "user 00u1 (Enabled)\napp 0oa1 > user 00u1");
    assert_eq!(source.requests(), 6, "the application, four times the users, the groups");
}

/// The same answer at the end of its minute, so that the wait is the shortest there is: one second.
fn at_reset(mut exchange: Exchange) -> Exchange {
    let headers = exchange.response["headers"].as_object_mut().expect("headers");
    if let Some(date) = headers.get("Date").and_then(Value::as_str) {
        let date = jiff::fmt::rfc2822::parse(date).expect("a date").timestamp();
        headers.insert("x-rate-limit-reset".to_owned(), json!(date.as_second().to_string()));
    }
    exchange
}
