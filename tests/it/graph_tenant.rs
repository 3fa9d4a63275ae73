//! A tenant of Microsoft Graph as a list of routes and answers, and the connector's reads driven to their end.

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
use rosterd::model::Next;
use rosterd::model::Read;
use rosterd::model::Reading;
use rosterd::model::Record;
use rosterd::model::SourceId;
use rosterd::model::Watermarks;
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
    token: Arc<Mutex<Reply>>,
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
        let token = Reply { status: 200, headers: Vec::new(), body: TOKEN.to_owned() };
        let token = Arc::new(Mutex::new(token));
        let canned = Canned { routes: Arc::default(), asked: Arc::default(), token, root };
        let canned = canned.on(BIN, 200, json!({"value": []}));
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

    /// What is answered from now on, whatever was set before.
    pub(crate) fn instead(self, route: &str, status: u16, body: Value) -> Canned {
        self.routes.lock().unwrap().remove(&decoded(route));
        self.on(route, status, body)
    }

    /// Only where the route has no answer yet.
    pub(crate) fn or(self, route: &str, body: Value) -> Canned {
        let is_known = self.routes.lock().unwrap().contains_key(&decoded(route));
        if is_known { self } else { self.on(route, 200, body) }
    }

    /// What the token endpoint answers.
    pub(crate) fn token(self, status: u16, body: Value) -> Canned {
        *self.token.lock().unwrap() = Reply { status, headers: Vec::new(), body: body.to_string() };
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
            let eventual = part["headers"]["ConsistencyLevel"] == "eventual";
            self.asked.lock().unwrap().push(level(format!("  {}", short(&decoded(&route))), eventual));
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
        return respond(canned.token.lock().unwrap().clone());
    }
    assert!(parts.headers["authorization"].to_str().unwrap().starts_with("Bearer "));
    let prefers = parts.headers.contains_key("prefer");
    assert_eq!(prefers, path.contains("/delta"), "Prefer belongs on delta alone: {path}");
    let route = format!("{} {}", parts.method, path.trim_start_matches("/v1.0"));
    let eventual = parts.headers.get("consistencylevel").is_some_and(|level| level == "eventual");
    canned.asked.lock().unwrap().push(level(short(&decoded(&route)), eventual));
    let fixed = canned.routes.lock().unwrap().contains_key(&route);
    if path == "/v1.0/$batch" && !fixed {
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

/// Advanced queries are told by their header.
fn level(route: String, eventual: bool) -> String {
    if eventual { format!("{route} (eventual)") } else { route }
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
                     onPremisesExtensionAttributes,externalUserState,createdDateTime,creationType,isResourceAccount";
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
    pub(crate) further: Vec<Read>,
}

/// Pages to the end, as a cycle does.
pub(crate) async fn whole(source: &GraphSource, mut read: Read) -> Result<Whole, SourceError> {
    let mut whole = Whole {
        lines: vec![],
        records: vec![],
        covered: vec![],
        watermark: None,
        notes: vec![],
        further: vec![],
    };
    let mut cursors = Vec::new();
    loop {
        assert!(!cursors.contains(&read.cursor), "a circle");
        cursors.push(read.cursor.clone());
        let page = source.page(&read).await?;
        whole.further.extend(page.further);
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
        other => format!("unexpected {other:?}"),
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
    from_watermark(source, name, json!({"link": link})).await
}

/// The read from a watermark, which gets the attributes that are read now.
pub(crate) async fn from_watermark(
    source: &GraphSource,
    name: &str,
    mut watermark: Value,
) -> Result<Whole, SourceError> {
    watermark["select"] = match name {
        "users" => json!(feed_select()),
        _ => json!("id,displayName,description,mail,mailNickname,securityEnabled,groupTypes,visibility"),
    };
    let watermarks = [(name.to_owned(), watermark.to_string())].into();
    whole(source, read_named(source, name, &watermarks)).await
}

pub(crate) const BIN: &str = "GET /directory/deletedItems/microsoft.graph.user?$select=id&$top=999";

pub(crate) const DEFAULT: &str = "00000000-0000-0000-0000-000000000000";
pub(crate) const ASSIGNED: &str = "GET /servicePrincipals(appId='app-1')/appRoleAssignedTo?$top=999";
pub(crate) const GROUPS: &str = "GET /groups/delta?$select=id,displayName,description,mail,mailNickname,securityEnabled,groupTypes,visibility,members";

pub(crate) fn user(id: &str, enabled: bool) -> Value {
    json!({"id": id, "accountEnabled": enabled, "userPrincipalName": format!("{id}@x.example"), "mail": null})
}

pub(crate) fn row(principal: &str, kind: &str, role: &str) -> Value {
    json!({"principalId": principal, "principalType": kind, "appRoleId": role, "resourceId": "sp-1"})
}

/// What the feed watches: the manager too.
pub(crate) fn feed_select() -> String {
    format!("{},manager", user_select())
}

pub(crate) fn users_first() -> String {
    format!("GET /users/delta?$deltatoken=latest&$select={}", feed_select())
}

pub(crate) fn users_list() -> String {
    format!("GET /users?$top=999&$select={}&$expand=manager($select=id)", user_select())
}

pub(crate) fn one_user(id: &str) -> String {
    format!("GET /users/{id}?$select={}&$expand=manager($select=id)", user_select())
}

/// The delta link of now, and nobody in the recycle bin.
pub(crate) fn with_latest(graph: Canned) -> Canned {
    let latest = json!({"value": [], "@odata.deltaLink": "{root}/users/delta?$deltatoken=now"});
    graph.on(&users_first(), 200, latest)
}

pub(crate) fn failure(code: &str) -> Value {
    json!({"error": {"code": code, "message": "x"}})
}
