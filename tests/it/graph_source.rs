//! The Graph connector against a small server that answers from a list of routes.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use url::Url;

use rosterd::client::Secret;
use rosterd::model::Collection;
use rosterd::model::Container;
use rosterd::model::Coverage;
use rosterd::model::Grade;
use rosterd::model::Next;
use rosterd::model::Read;
use rosterd::model::Reading;
use rosterd::model::Record;
use rosterd::model::SourceId;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;

/// Answers by method, path and query, the last answer of a route again and again. `{root}` in a body is the
/// server's own address; `$batch` looks its parts up in the same routes.
#[derive(Clone)]
pub(crate) struct Canned {
    routes: Arc<Mutex<BTreeMap<String, VecDeque<Reply>>>>,
    asked: Arc<Mutex<Vec<String>>>,
    pub(crate) root: String,
}

#[derive(Clone)]
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

const TOKEN: &str = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"t"}"#;

impl Canned {
    pub(crate) async fn start() -> Canned {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let canned = Canned { routes: Arc::default(), asked: Arc::default(), root };
        let serving = canned.clone();
        let router = Router::new().fallback(move |request: Request| serve(serving.clone(), request));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        canned
    }

    /// `GET /users?$top=1`, below `/v1.0`.
    pub(crate) fn on(self, route: &str, status: u16, body: Value) -> Canned {
        self.on_with(route, status, &[], body)
    }

    pub(crate) fn on_with(self, route: &str, status: u16, headers: &[(&str, &str)], body: Value) -> Canned {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = body.to_string().replace("{root}", &format!("{}/v1.0", self.root));
        let reply = Reply { status, headers, body };
        self.routes.lock().unwrap().entry(decoded(route)).or_default().push_back(reply);
        self
    }

    pub(crate) fn settings(&self) -> GraphSettings {
        let mut settings = GraphSettings::new("Contoso.example", "client-1", Secret::new("hush"));
        settings.authority = Url::parse(&self.root).unwrap();
        settings.root = Url::parse(&self.root).unwrap();
        settings.backoff = Duration::from_millis(1);
        settings.attempts = 3;
        settings
    }

    pub(crate) fn source(&self, app: Option<&str>) -> GraphSource {
        let settings = GraphSettings { app: app.map(id), ..self.settings() };
        GraphSource::new(settings).unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn answer(&self, route: &str) -> Reply {
        let mut routes = self.routes.lock().unwrap();
        match routes.get_mut(&decoded(route)) {
            Some(replies) if replies.len() > 1 => replies.pop_front().unwrap(),
            Some(replies) => replies[0].clone(),
            None => {
                let body =
                    json!({"error": {"code": "Request_ResourceNotFound", "message": route}}).to_string();
                Reply { status: 404, headers: Vec::new(), body }
            }
        }
    }

    fn batch(&self, body: &[u8]) -> Reply {
        let body: Value = serde_json::from_slice(body).unwrap();
        let parts = body["requests"].as_array().unwrap();
        assert!(parts.len() <= 20, "a batch of {} parts", parts.len());
        let respond = |part: &Value| {
            let route = format!("{} {}", part["method"].as_str().unwrap(), part["url"].as_str().unwrap());
            self.asked.lock().unwrap().push(format!("  {}", short(&route)));
            let reply = self.answer(&route);
            let headers: BTreeMap<String, String> = reply.headers.into_iter().collect();
            let body: Value = serde_json::from_str(&reply.body).unwrap();
            json!({"id": part["id"], "status": reply.status, "headers": headers, "body": body})
        };
        // In another order than asked, as Graph does.
        let responses: Vec<Value> = parts.iter().rev().map(respond).collect();
        Reply { status: 200, headers: Vec::new(), body: json!({ "responses": responses }).to_string() }
    }
}

async fn serve(canned: Canned, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.to_string();
    if path.ends_with("/oauth2/v2.0/token") {
        return respond(Reply { status: 200, headers: Vec::new(), body: TOKEN.to_owned() });
    }
    assert_eq!(parts.headers["authorization"], "Bearer t");
    let prefers = parts.headers.contains_key("prefer");
    assert_eq!(prefers, path.contains("/delta"), "Prefer belongs on delta alone: {path}");
    let route = format!("{} {}", parts.method, path.trim_start_matches("/v1.0"));
    canned.asked.lock().unwrap().push(short(&decoded(&route)));
    if path == "/v1.0/$batch" {
        return respond(canned.batch(&body));
    }
    respond(canned.answer(&route))
}

fn respond(reply: Reply) -> Response {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).unwrap()
}

/// `%27` and `'` are one path; only what the tests use is undone.
fn decoded(route: &str) -> String {
    route.replace("%27", "'").replace("%20", " ").replace("%3C", "<").replace("%3E", ">")
}

/// The long `$select` of users is said as `…`.
fn short(route: &str) -> String {
    match route.split_once("$select=id,accountEnabled,userPrincipalName") {
        Some((before, _)) => format!("{before}$select=…"),
        None => route.to_owned(),
    }
}

pub(crate) fn id(text: &str) -> SourceId {
    SourceId(text.to_owned())
}

/// The `$select` that users are read with.
pub(crate) fn user_select() -> String {
    let watermark = "id,accountEnabled,userPrincipalName,mail,mailNickname,displayName,givenName,surname,jobTitle,\
                     department,companyName,employeeId,employeeType,employeeOrgData,officeLocation,businessPhones,\
                     mobilePhone,faxNumber,streetAddress,city,state,postalCode,country,usageLocation,\
                     preferredLanguage,userType,proxyAddresses,otherMails,onPremisesSamAccountName,\
                     onPremisesSecurityIdentifier,onPremisesImmutableId,onPremisesSyncEnabled,\
                     onPremisesExtensionAttributes,externalUserState";
    watermark.to_owned()
}

/// What a whole read gave.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) lines: Vec<String>,
    pub(crate) records: Vec<Record>,
    pub(crate) covered: Vec<(Collection, Coverage)>,
    pub(crate) watermark: Option<String>,
    pub(crate) notes: Vec<String>,
}

/// Pages to the end, as a cycle does.
pub(crate) async fn whole(source: &GraphSource, mut read: Read) -> Result<Whole, SourceError> {
    let mut whole = Whole { lines: vec![], records: vec![], covered: vec![], watermark: None, notes: vec![] };
    let mut cursors = Vec::new();
    loop {
        assert!(!cursors.contains(&read.cursor), "a circle");
        cursors.push(read.cursor.clone());
        let page = source.page(&read).await?;
        assert!(page.further.is_empty());
        whole.lines.extend(page.records.iter().map(line));
        whole.records.extend(page.records);
        whole.notes.extend(page.notes);
        match page.next {
            Next::Page(cursor) => read.cursor = cursor,
            Next::End { covered, watermark } => {
                whole.covered = covered;
                whole.watermark = watermark;
                return Ok(whole);
            }
        }
    }
}

pub(crate) fn line(record: &Record) -> String {
    let held = |container: &Container, principal: &SourceId, kind: &Kind| match container {
        Container::App(app) => format!("app {app} has {} {principal}", kind.word()),
        Container::Group(group) => format!("group {group} has {} {principal}", kind.word()),
    };
    match record {
        Record::Object(object) => format!("{object:?}"),
        Record::Removed { kind, id, standing } => format!("{} {id} ({standing:?})", kind.word()),
        Record::Edge { container, principal, kind, detail } if detail.is_empty() => {
            held(container, principal, kind)
        }
        Record::Edge { container, principal, kind, detail } => {
            format!("{} as {detail}", held(container, principal, kind))
        }
        Record::EdgeRemoved { container, principal, kind } => {
            format!("no more: {}", held(container, principal, kind))
        }
    }
}

pub(crate) fn read_named(source: &GraphSource, name: &str, watermarks: &Watermarks) -> Read {
    let reads = source.reads(watermarks, Reading::Incremental, Timestamp::UNIX_EPOCH);
    reads.into_iter().find(|read| read.name == name).unwrap()
}

pub(crate) async fn fresh(source: &GraphSource, name: &str) -> Result<Whole, SourceError> {
    whole(source, read_named(source, name, &Watermarks::new())).await
}

/// The read from a delta link.
pub(crate) async fn from_link(source: &GraphSource, name: &str, link: &str) -> Result<Whole, SourceError> {
    let select = match name {
        "users" => user_select(),
        _ => "id,displayName,description,mail,mailNickname,securityEnabled,groupTypes,visibility".to_owned(),
    };
    let watermark = json!({"link": link, "select": select}).to_string();
    whole(source, read_named(source, name, &[(name.to_owned(), watermark)].into())).await
}

const DEFAULT: &str = "00000000-0000-0000-0000-000000000000";
const ASSIGNED: &str = "GET /servicePrincipals(appId='app-1')/appRoleAssignedTo?$top=999";
const GROUPS: &str = "GET /groups/delta?$select=id,displayName,description,mail,mailNickname,securityEnabled,groupTypes,visibility,members";

fn user(id: &str, enabled: bool) -> Value {
    json!({"id": id, "accountEnabled": enabled, "userPrincipalName": format!("{id}@x.example"), "mail": null})
}

fn row(principal: &str, kind: &str, role: &str) -> Value {
    json!({"principalId": principal, "principalType": kind, "appRoleId": role, "resourceId": "sp-1"})
}

fn users_first() -> String {
    format!("GET /users/delta?$deltatoken=latest&$select={}", user_select())
}

fn users_list() -> String {
    format!("GET /users?$top=999&$select={}", user_select())
}

fn one_user(id: &str) -> String {
    format!("GET /users/{id}?$select={}", user_select())
}

fn failure(code: &str) -> Value {
    json!({"error": {"code": code, "message": "x"}})
}

#[tokio::test]
async fn a_first_load_reads_assignments_groups_and_users_to_the_end() {
    let graph = Canned::start()
        .await
        .on(
            ASSIGNED,
            200,
            json!({"@odata.nextLink": "{root}/assigned?p=2",
            "value": [row("u1", "User", "r2"), row("u2", "User", DEFAULT)]}),
        )
        .on(
            "GET /assigned?p=2",
            200,
            json!({"value": [row("u1", "User", "r1"), row("g1", "Group", DEFAULT),
            row("s1", "ServicePrincipal", DEFAULT)]}),
        )
        .on(
            GROUPS,
            200,
            json!({"@odata.nextLink": "{root}/groups/delta?$skiptoken=2", "value": [
            {"id": "g1", "displayName": "Sales", "members@delta": [
                {"@odata.type": "#microsoft.graph.user", "id": "u1"},
                {"@odata.type": "#microsoft.graph.device", "id": "d1"}]},
            {"id": "g2", "displayName": "Empty"}]}),
        )
        .on(
            "GET /groups/delta?$skiptoken=2",
            200,
            json!({"@odata.deltaLink": "{root}/groups/delta?$deltatoken=1",
            "value": [{"id": "g1", "displayName": "Sales", "members@delta": [
                {"@odata.type": "#microsoft.graph.group", "id": "g2"}]}]}),
        )
        .on(&users_first(), 200, json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=1", "value": []}))
        .on(
            &users_list(),
            200,
            json!({"@odata.nextLink": "{root}/users?$skiptoken=2", "value": [user("u1", true)]}),
        )
        .on("GET /users?$skiptoken=2", 200, json!({"value": [user("u2", false)]}));
    let source = graph.source(Some("app-1"));
    let reads = source.reads(&Watermarks::new(), Reading::Full, Timestamp::UNIX_EPOCH);
    let names: Vec<&str> = reads.iter().map(|read| read.name.as_str()).collect();
    assert_eq!(names, ["assignments:app-1", "groups", "users"]);

    let assigned = fresh(&source, "assignments:app-1").await.unwrap();
    assert_eq!(
        assigned.lines,
        [
            "app app-1 has user u1 as r2",
            "app app-1 has user u2",
            "app app-1 has group g1",
            "app app-1 has user u1 as r1,r2"
        ]
    );
    assert_eq!(assigned.covered, [(Collection::Assignments(id("app-1")), Coverage::Full)]);
    assert_eq!(assigned.watermark, None);
    assert_eq!(
        assigned.notes,
        ["1 assignments of application app-1 are of service principals and do not count"]
    );

    let groups = fresh(&source, "groups").await.unwrap();
    assert_eq!(
        groups.lines,
        [
            "group g1 (Enabled)",
            "group g1 has user u1",
            "group g2 (Enabled)",
            "group g1 (Enabled)",
            "group g1 has group g2"
        ]
    );
    assert_eq!(
        groups.covered,
        [(Collection::Groups, Coverage::Full), (Collection::AllMembers, Coverage::Full)]
    );
    assert_eq!(groups.notes, ["1 members are neither people nor groups and do not count"]);

    let users = fresh(&source, "users").await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)", "user u2 (Disabled)"]);
    assert_eq!(users.covered, [(Collection::Users, Coverage::Full)]);
    let Record::Object(first) = &users.records[0] else { panic!("an object") };
    assert!(!first.attributes.contains_key("mail"), "null is no value");
    assert_eq!(
        graph.asked(),
        [
            ASSIGNED,
            "GET /assigned?p=2",
            GROUPS,
            "GET /groups/delta?$skiptoken=2",
            "GET /users/delta?$deltatoken=latest&$select=…",
            "GET /users?$top=999&$select=…",
            "GET /users?$skiptoken=2",
        ]
    );
}

#[tokio::test]
async fn a_quiet_cycle_costs_one_request_a_read() {
    let graph = Canned::start()
        .await
        .on(ASSIGNED, 200, json!({"value": []}))
        .on(
            "GET /groups/delta?$deltatoken=1",
            200,
            json!({"value": [], "@odata.deltaLink": "{root}/groups/delta?$deltatoken=2"}),
        )
        .on(
            "GET /users/delta?$deltatoken=1",
            200,
            json!({"value": [], "@odata.deltaLink": "{root}/users/delta?$deltatoken=2"}),
        );
    let source = graph.source(Some("app-1"));
    fresh(&source, "assignments:app-1").await.unwrap();
    let groups = from_link(&source, "groups", &format!("{}/v1.0/groups/delta?$deltatoken=1", graph.root))
        .await
        .unwrap();
    assert_eq!(
        groups.covered,
        [(Collection::Groups, Coverage::Changes), (Collection::AllMembers, Coverage::Changes)]
    );
    let users =
        from_link(&source, "users", &format!("{}/v1.0/users/delta?$deltatoken=1", graph.root)).await.unwrap();
    assert_eq!(users.covered, [(Collection::Users, Coverage::Changes)]);
    assert!(users.watermark.unwrap().contains("deltatoken=2"));
    assert_eq!(source.requests(), 3);
}

#[tokio::test]
async fn a_delta_round_reads_changed_people_whole_and_takes_removals_as_said() {
    let graph = Canned::start()
        .await
        .on("GET /users/delta?$deltatoken=1", 200, json!({"@odata.nextLink": "{root}/users/delta?$skiptoken=2",
            "value": [{"id": "u1", "displayName": "partial"}, {"id": "u1"}, {"id": "u2", "@removed": {"reason": "changed"}},
                {"id": "u4"}]}))
        .on("GET /users/delta?$skiptoken=2", 200, json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=2",
            "value": [{"id": "u3", "@removed": {"reason": "deleted"}}, {"id": "u2"}]}))
        .on(&one_user("u1"), 200, user("u1", false))
        .on(&one_user("u2"), 200, user("u2", true));
    let source = graph.source(None);
    let link = format!("{}/v1.0/users/delta?$deltatoken=1", graph.root);
    let users = from_link(&source, "users", &link).await.unwrap();
    assert_eq!(
        users.lines,
        ["user u2 (SoftDeleted)", "user u1 (Disabled)", "user u3 (Gone)", "user u2 (Enabled)"]
    );
    assert_eq!(users.notes, ["1 users that changed are gone meanwhile"]);
    assert!(users.watermark.unwrap().contains("deltatoken=2"));
}

#[tokio::test]
async fn a_group_round_takes_member_removals_and_reads_nameless_groups_whole() {
    let select = GROUPS.trim_start_matches("GET /groups/delta?").trim_end_matches(",members");
    let graph = Canned::start()
        .await
        .on(
            "GET /groups/delta?$deltatoken=1",
            200,
            json!({"@odata.deltaLink": "{root}/groups/delta?$deltatoken=2",
            "value": [
                {"id": "g1", "members@delta": [
                    {"@odata.type": "#microsoft.graph.user", "id": "u1", "@removed": {"reason": "deleted"}},
                    {"@odata.type": "#microsoft.graph.user", "id": "u2"}]},
                {"id": "g2", "@removed": {"reason": "changed"}}]}),
        )
        .on(
            &format!("GET /groups/g1?{select}"),
            200,
            json!({"id": "g1", "displayName": "Sales", "description": null}),
        );
    let source = graph.source(None);
    let link = format!("{}/v1.0/groups/delta?$deltatoken=1", graph.root);
    let groups = from_link(&source, "groups", &link).await.unwrap();
    assert_eq!(
        groups.lines,
        [
            "no more: group g1 has user u1",
            "group g1 has user u2",
            "group g2 (SoftDeleted)",
            "group g1 (Enabled)"
        ]
    );
}

#[tokio::test]
async fn a_token_that_graph_no_longer_knows_is_an_expired_watermark() {
    for (status, code) in [
        (400, "syncStateNotFound"),
        (410, "SyncStateNotFound"),
        (410, "resyncRequired"),
        (400, "Request_BadRequest"),
    ] {
        for name in ["users", "groups"] {
            let graph =
                Canned::start().await.on(&format!("GET /{name}/delta?$deltatoken=1"), status, failure(code));
            let link = format!("{}/v1.0/{name}/delta?$deltatoken=1", graph.root);
            let error = from_link(&graph.source(None), name, &link).await.unwrap_err();
            assert!(
                matches!(&error, SourceError::WatermarkExpired { read } if read == name),
                "{status} {code}: {error}"
            );
        }
    }
}

#[tokio::test]
async fn a_watermark_of_other_attributes_or_another_service_starts_over() {
    let graph = Canned::start().await;
    let source = graph.source(None);
    let begun = |link: &str, select: &str| {
        let watermark = json!({"link": link, "select": select}).to_string();
        read_named(&source, "users", &[("users".to_owned(), watermark)].into()).cursor.0.contains("\"from\"")
    };
    let ours = format!("{}/v1.0/users/delta?$deltatoken=1", graph.root);
    assert!(begun(&ours, &user_select()));
    assert!(!begun(&ours, "id,mail"));
    assert!(!begun("https://graph.microsoft.com/v1.0/users/delta?$deltatoken=1", &user_select()));
    let full = source.reads(&Watermarks::new(), Reading::Full, Timestamp::UNIX_EPOCH);
    assert!(full.iter().all(|read| !read.cursor.0.contains("\"from\"")));
}

#[tokio::test]
async fn an_expired_page_token_begins_the_read_again_once() {
    let page_1 = || json!({"@odata.nextLink": "{root}/users?$skiptoken=2", "value": [user("u1", true)]});
    let graph = Canned::start()
        .await
        .on(&users_first(), 200, json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=1", "value": []}))
        .on(&users_list(), 200, page_1())
        .on("GET /users?$skiptoken=2", 400, failure("Directory_ExpiredPageToken"))
        .on("GET /users?$skiptoken=2", 200, json!({"value": [user("u2", true)]}));
    let users = fresh(&graph.source(None), "users").await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)", "user u1 (Enabled)", "user u2 (Enabled)"]);
    assert_eq!(users.notes, ["the pages of `users` expired while they were read; it begins again"]);

    let graph = Canned::start()
        .await
        .on(&users_first(), 200, json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=1", "value": []}))
        .on(&users_list(), 200, page_1())
        .on("GET /users?$skiptoken=2", 400, failure("Directory_ExpiredPageToken"));
    let error = fresh(&graph.source(None), "users").await.unwrap_err();
    assert!(matches!(error, SourceError::Unavailable { .. }));
}

#[tokio::test]
async fn a_next_link_to_another_host_is_not_followed() {
    let graph = Canned::start().await.on(
        ASSIGNED,
        200,
        json!({"@odata.nextLink": "http://evil.example/v1.0/x", "value": []}),
    );
    let error = fresh(&graph.source(Some("app-1")), "assignments:app-1").await.unwrap_err();
    assert!(
        matches!(&error, SourceError::Malformed { what, .. } if what.contains("evil.example")),
        "{error}"
    );
}

#[tokio::test]
async fn a_page_that_is_no_page_is_never_taken_for_an_end() {
    for body in [json!({}), json!({"value": null}), json!("<html>"), json!({"value": [{"id": 7}]})] {
        let graph = Canned::start().await.on(GROUPS, 200, body.clone());
        let error = fresh(&graph.source(None), "groups").await.unwrap_err();
        assert!(matches!(error, SourceError::Malformed { .. }), "{body}");
    }
    let graph = Canned::start().await.on(GROUPS, 200, json!({"value": []}));
    let error = fresh(&graph.source(None), "groups").await.unwrap_err();
    assert_eq!(error.to_string(), "groups/delta: the page has neither a next link nor a delta link");
}

#[tokio::test]
async fn an_application_that_is_not_there_is_refused_with_its_cure() {
    let graph = Canned::start().await;
    let error = fresh(&graph.source(Some("app-1")), "assignments:app-1").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the tenant has no enterprise application with the application id app-1; copy its Application ID (not its \
         Object ID) from Enterprise applications"
    );
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let graph = Canned::start().await.on(GROUPS, 403, failure("Authorization_RequestDenied"));
    let error = fresh(&graph.source(None), "groups").await.unwrap_err();
    let SourceError::Refused { what, cure } = error else { panic!("refused") };
    assert!(what.ends_with("/v1.0/groups/delta was answered 403 Authorization_RequestDenied"), "{what}");
    assert!(cure.starts_with("add the application permission GroupMember.Read.All"), "{cure}");
}

#[tokio::test]
async fn people_without_names_are_left_out_and_prove_nothing() {
    let graph = Canned::start()
        .await
        .on(&users_first(), 200, json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=1", "value": []}))
        .on(
            &users_list(),
            200,
            json!({"value": [user("u1", true), {"id": "u2", "userPrincipalName": null}]}),
        );
    let users = fresh(&graph.source(None), "users").await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)"]);
    assert_eq!(users.covered, [(Collection::Users, Coverage::Partial)]);
    assert_eq!(users.watermark, None);
    assert_eq!(
        users.notes,
        ["1 users came without id or name and were left out; check the application permission User.Read.All"]
    );
}

#[tokio::test]
async fn a_hidden_group_without_members_proves_nothing_about_them() {
    let graph = Canned::start().await.on(
        GROUPS,
        200,
        json!({"@odata.deltaLink": "{root}/groups/delta?$deltatoken=1",
        "value": [{"id": "g1", "displayName": "Secret", "visibility": "HiddenMembership"}]}),
    );
    let groups = fresh(&graph.source(None), "groups").await.unwrap();
    assert!(groups.covered.contains(&(Collection::Members(id("g1")), Coverage::Partial)));
    assert_eq!(
        groups.notes,
        ["1 groups hide their members; add the application permission Member.Read.Hidden to see them"]
    );
}

#[tokio::test]
async fn throttled_parts_of_a_batch_are_asked_again_and_one_bad_part_does_not_block() {
    let throttled = json!({"error": {"code": "TooManyRequests"}});
    let graph = Canned::start()
        .await
        .on(
            "GET /users/delta?$deltatoken=1",
            200,
            json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=2",
            "value": [{"id": "u1"}, {"id": "u2"}]}),
        )
        .on_with(&one_user("u1"), 429, &[("Retry-After", "1")], throttled)
        .on(&one_user("u1"), 200, user("u1", true))
        .on(&one_user("u2"), 500, failure("UnknownError"));
    let source = graph.source(None);
    let link = format!("{}/v1.0/users/delta?$deltatoken=1", graph.root);
    let users = from_link(&source, "users", &link).await.unwrap();
    assert_eq!(users.lines, ["user u1 (Enabled)"]);
    assert_eq!(users.watermark, None, "who was missed has to come again");
    assert_eq!(users.notes, ["1 users that changed could not be read; they are asked for again"]);
    let again = graph.asked().iter().filter(|asked| asked.trim() == "GET /users/u1?$select=…").count();
    assert_eq!(again, 2, "only what was not settled is repeated");
}

#[tokio::test]
async fn forty_five_changed_people_are_three_batches() {
    let changed: Vec<Value> = (0..45).map(|n| json!({"id": format!("u{n}")})).collect();
    let mut graph = Canned::start().await.on(
        "GET /users/delta?$deltatoken=1",
        200,
        json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=2", "value": changed}),
    );
    for n in 0..45 {
        graph = graph.on(&one_user(&format!("u{n}")), 200, user(&format!("u{n}"), true));
    }
    let source = graph.source(None);
    let link = format!("{}/v1.0/users/delta?$deltatoken=1", graph.root);
    assert_eq!(from_link(&source, "users", &link).await.unwrap().records.len(), 45);
    assert_eq!(source.requests(), 4);
}

fn held(container: Container, principal: &str, kind: Kind) -> WitnessQuestion {
    WitnessQuestion::Held { container, principal: id(principal), kind }
}

#[tokio::test]
async fn a_witness_confirms_what_is_gone_and_only_that() {
    let app = || Container::App(id("app-1"));
    let group = |name: &str| Container::Group(id(name));
    let exists = |name: &str, kind| WitnessQuestion::Exists { id: id(name), kind };
    let other = json!({"principalId": "u", "principalType": "User", "resourceId": "sp-2"});
    let graph = Canned::start()
        .await
        .on("GET /servicePrincipals(appId='app-1')?$select=id", 200, json!({"id": "SP-1"}))
        .on(
            "GET /users/still/appRoleAssignments?$top=999",
            200,
            json!({"value": [row("still", "User", DEFAULT)]}),
        )
        .on("GET /users/gone/appRoleAssignments?$top=999", 200, json!({"value": [other]}))
        .on(
            "GET /users/paged/appRoleAssignments?$top=999",
            200,
            json!({"value": [], "@odata.nextLink": "{root}/p2"}),
        )
        .on("GET /p2", 200, json!({"value": [row("paged", "User", DEFAULT)]}))
        .on("GET /users/denied/appRoleAssignments?$top=999", 403, failure("Authorization_RequestDenied"))
        .on("GET /groups/g1/appRoleAssignments?$top=999", 200, json!({"value": []}))
        .on("GET /groups/g1?$select=id,visibility", 200, json!({"id": "g1", "visibility": null}))
        .on(
            "GET /groups/hidden?$select=id,visibility",
            200,
            json!({"id": "hidden", "visibility": "HiddenMembership"}),
        )
        .on("POST /users/in/checkMemberGroups", 200, json!({"value": ["g1"]}))
        .on("POST /users/out/checkMemberGroups", 200, json!({"value": []}))
        .on("GET /users/here?$select=id,accountEnabled", 200, json!({"id": "here"}))
        .on("GET /directory/deletedItems/binned?$select=id", 200, json!({"id": "binned"}))
        .on("GET /directory/deletedItems/unclear?$select=id", 403, failure("Authorization_RequestDenied"))
        .on("GET /groups/g1?$select=id", 200, json!({"id": "g1"}));
    let denied = "Graph refuses the question (403); it needs the application permission Directory.Read.All";
    let hidden = "the group hides its members; add the application permission Member.Read.Hidden";
    let table = [
        (held(app(), "still", Kind::User), WitnessAnswer::Present),
        (held(app(), "gone", Kind::User), WitnessAnswer::Absent),
        (held(app(), "paged", Kind::User), WitnessAnswer::Present),
        (held(app(), "nobody", Kind::User), WitnessAnswer::Absent),
        (held(app(), "denied", Kind::User), WitnessAnswer::CannotSay(denied.to_owned())),
        (held(app(), "g1", Kind::Group), WitnessAnswer::Absent),
        (held(group("g1"), "in", Kind::User), WitnessAnswer::Present),
        (held(group("g1"), "out", Kind::User), WitnessAnswer::Absent),
        (held(group("g1"), "nobody", Kind::User), WitnessAnswer::Absent),
        (held(group("hidden"), "out", Kind::User), WitnessAnswer::CannotSay(hidden.to_owned())),
        (held(group("deleted"), "out", Kind::User), WitnessAnswer::Absent),
        (exists("here", Kind::User), WitnessAnswer::Present),
        (exists("binned", Kind::User), WitnessAnswer::Absent),
        (exists("purged", Kind::User), WitnessAnswer::Absent),
        (exists("unclear", Kind::User), WitnessAnswer::CannotSay("Graph answered 403".to_owned())),
        (exists("g1", Kind::Group), WitnessAnswer::Present),
        (exists("g9", Kind::Group), WitnessAnswer::Absent),
    ];
    let (questions, expected): (Vec<_>, Vec<_>) = table.into_iter().unzip();
    let source = graph.source(Some("app-1"));
    let answers = source.witness(&questions).await.unwrap();
    for ((question, answer), expected) in questions.iter().zip(answers).zip(expected) {
        assert_eq!(answer, expected, "{question:?}");
    }
    assert!(source.witness(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_witness_without_the_right_to_look_up_the_application_cannot_say() {
    let graph = Canned::start()
        .await
        .on("GET /servicePrincipals(appId='app-1')?$select=id", 403, failure("Authorization_RequestDenied"))
        .on("GET /users/u1/appRoleAssignments?$top=999", 200, json!({"value": []}));
    let question = held(Container::App(id("app-1")), "u1", Kind::User);
    let answers = graph.source(Some("app-1")).witness(&[question]).await.unwrap();
    assert!(matches!(&answers[0], WitnessAnswer::CannotSay(why) if why.contains("Application.Read.All")));
}

#[tokio::test]
async fn a_check_names_each_permission_and_the_application() {
    let graph = Canned::start()
        .await
        .on("GET /users?$top=1&$select=id", 200, json!({"value": [{"id": "u1"}]}))
        .on("GET /groups?$top=1&$select=id", 403, failure("Authorization_RequestDenied"))
        .on(
            "GET /servicePrincipals(appId='app-1')?$select=id,displayName,accountEnabled,appRoleAssignmentRequired",
            200,
            json!({"id": "sp-1", "displayName": "Cerby", "accountEnabled": true, "appRoleAssignmentRequired": true}),
        )
        .on(ASSIGNED, 200, json!({"value": [row("u1", "User", DEFAULT), row("g1", "Group", DEFAULT)]}))
        .on("GET /users/u1/appRoleAssignments?$top=1", 403, failure("Authorization_RequestDenied"));
    let findings = graph.source(Some("app-1")).check().await;
    let lines: Vec<String> =
        findings.iter().map(|f| format!("{:?} {}: {}", f.grade, f.subject, f.text)).collect();
    let host = graph.root.trim_start_matches("http://");
    assert_eq!(
        lines,
        [
            "Ok sign-in: tenant Contoso.example gave a token".to_owned(),
            "Ok users: may be read (User.Read.All or more)".to_owned(),
            format!("Error groups: GET {host}/v1.0/groups was answered 403 Authorization_RequestDenied"),
            "Ok application: app-1 (Cerby), only assigned people may sign in".to_owned(),
            "Ok app assignments: 1 for users, 1 for groups".to_owned(),
            "Warning witness: a person's own assignments may not be read; a second complete read confirms a removal"
                .to_owned(),
        ]
    );
    assert!(
        findings.iter().filter(|finding| finding.grade != Grade::Ok).all(|finding| !finding.cure.is_empty())
    );
}

#[tokio::test]
async fn a_refused_sign_in_is_the_only_finding() {
    let refusing = Router::new().fallback(|| async {
        let body = json!({"error": "invalid_client", "error_codes": [7000222]}).to_string();
        Response::builder().status(401).body(Body::from(body)).unwrap()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, refusing).await.unwrap() });
    let settings = GraphSettings { authority, ..Canned::start().await.settings() };
    let findings = GraphSource::new(settings).unwrap().check().await;
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].grade, findings[0].subject.as_str()), (Grade::Error, "sign-in"));
    assert_eq!(findings[0].cure, "the secret has expired; make a new one under Certificates & secrets");
}

#[tokio::test]
async fn a_source_is_known_by_tenant_and_application() {
    let graph = Canned::start().await;
    assert_eq!(graph.source(Some("APP-1")).identity(), "graph tenant contoso.example app app-1");
    assert_eq!(graph.source(None).identity(), "graph tenant contoso.example");
}
