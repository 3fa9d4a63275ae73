//! A strict service on loopback: requests in, the row's own answers out, every refusal remembered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;

use axum::Router;
use axum::body::Body;
use axum::extract::Request as Inbound;
use axum::http::request::Parts;
use axum::response::Response;
use rosterd::scim::Kind;
use serde_json::Value;
use serde_json::json;
use url::Url;

use super::directory::Directory;
use super::pages;
use super::pages::Parameters;
use super::rates::Rates;
use super::refusal::Done;
use super::refusal::Refusal;
use super::row::Discovery;
use super::row::Row;

pub const TOKEN: &str = "a-token-of-the-service";

/// One running service.
pub struct Service {
    pub row: Row,
    pub url: Url,
    state: Arc<Mutex<State>>,
}

/// What a service holds, and what was asked of it.
pub struct State {
    row: Row,
    pub directory: Directory,
    rates: Rates,
    /// How often something was refused: `400 startIndex`.
    pub refused: BTreeMap<String, usize>,
    /// How often it was asked, by method and resource: `POST Users`.
    pub asked: BTreeMap<String, usize>,
    /// The requests that were refused, for whoever looks why.
    pub told: Vec<String>,
}

/// One request, taken apart.
struct Asked<'a> {
    parts: &'a Parts,
    /// Below the base, decoded: `["Users", "an id"]`.
    path: Vec<String>,
    parameters: Parameters,
    body: &'a [u8],
}

struct Reply {
    status: u16,
    body: Option<Value>,
    location: Option<String>,
}

impl Service {
    pub async fn start(row: Row) -> Service {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let root = format!("http://{}{}", listener.local_addr().expect("an address"), row.base);
        let state = Arc::new(Mutex::new(State::new(row)));
        let shared = Arc::clone(&state);
        let router = Router::new().fallback(move |inbound: Inbound| {
            let state = Arc::clone(&shared);
            async move { respond(inbound, &state).await }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it is served") });
        Service { row, url: Url::parse(&root).expect("a URL"), state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panicked")
    }

    /// What was refused and how often, a line each; forgotten afterwards.
    pub fn refusals(&self) -> Vec<String> {
        let refused = std::mem::take(&mut self.state().refused);
        refused.into_iter().map(|(what, times)| format!("{what}: {times}")).collect()
    }
}

async fn respond(inbound: Inbound, state: &Mutex<State>) -> Response {
    let (parts, body) = inbound.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let mut state = state.lock().expect("nobody panicked");
    let answer = state.answer(&parts, &bytes);
    match answer {
        Ok(reply) => reply.response(),
        Err(refusal) => {
            *state.refused.entry(refusal.line()).or_default() += 1;
            let sent = String::from_utf8_lossy(&bytes);
            state.told.push(format!("{} <- {} {} {sent}", refusal.line(), parts.method, parts.uri));
            let (form, body) = refusal.body(state.row.errors);
            let mut response = Response::builder().status(refusal.status).header("content-type", form);
            for (name, value) in &refusal.headers {
                response = response.header(*name, value);
            }
            response.body(Body::from(body)).expect("a response")
        }
    }
}

impl Reply {
    fn of(status: u16, body: Value) -> Reply {
        Reply { status, body: Some(body), location: None }
    }

    fn response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        if let Some(location) = self.location {
            response = response.header("location", location);
        }
        let body = match self.body.filter(|_| self.status != 204) {
            None => Body::empty(),
            Some(body) => {
                response = response.header("content-type", "application/scim+json;charset=utf-8");
                Body::from(body.to_string())
            }
        };
        response.body(body).expect("a response")
    }
}

impl State {
    fn new(row: Row) -> State {
        let (refused, asked, told) = Default::default();
        State { row, directory: Directory::new(row), rates: Rates::new(row.rates), refused, asked, told }
    }

    fn answer(&mut self, parts: &Parts, body: &[u8]) -> Done<Reply> {
        self.admit(parts, body)?;
        let path = parts.uri.path().strip_prefix(self.row.base).ok_or_else(Refusal::not_found)?;
        let path: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let endpoint = path.first().map_or("", String::as_str).to_owned();
        let parameters = Parameters::read(parts.uri.query().unwrap_or_default());
        let asked = Asked { parts, path, parameters, body };
        *self.asked.entry(format!("{} {endpoint}", parts.method)).or_default() += 1;
        match endpoint.as_str() {
            "Users" => self.resources(Kind::User, &asked),
            "Groups" => self.resources(Kind::Group, &asked),
            _ => self.described(&asked),
        }
    }

    /// Who asks, and how.
    fn admit(&self, parts: &Parts, body: &[u8]) -> Done<()> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        if self.row.user_agent && header("user-agent").is_empty() {
            return Err(Refusal::new(
                403,
                "no User-Agent",
                "make sure that your request has a User-Agent header",
            ));
        }
        if header("authorization") != format!("Bearer {TOKEN}") {
            return Err(Refusal::new(401, "no token", "who are you"));
        }
        let form = header("content-type").split(';').next().unwrap_or_default();
        match body.is_empty() || ["application/scim+json", "application/json"].contains(&form) {
            true => Ok(()),
            false => Err(Refusal::new(415, "content type", "take application/scim+json")),
        }
    }

    fn resources(&mut self, kind: Kind, asked: &Asked) -> Done<Reply> {
        let method = asked.parts.method.as_str();
        if !self.directory.kept(kind).methods.contains(&method) {
            let why = format!("{method} {}", kind.endpoint());
            return Err(Refusal::new(self.row.no_such_method, &why, "not offered"));
        }
        self.rates.take(kind, method)?;
        match (method, asked.path.get(1)) {
            ("GET", None) => pages::list(&self.directory, &self.row, kind, &asked.parameters)
                .map(|body| Reply::of(200, body)),
            ("GET", Some(id)) => self.one(kind, id, &asked.parameters),
            ("POST", None) => {
                let id = self.directory.create(kind, &json(asked.body)?)?;
                Ok(self.changed(kind, &id, 201))
            }
            ("PUT", Some(id)) => {
                let id = self.directory.replace(kind, id, &json(asked.body)?)?;
                Ok(self.changed(kind, &id, 200))
            }
            ("PATCH", Some(id)) => {
                let id = self.directory.patch(kind, id, &json(asked.body)?)?;
                let status = match kind {
                    Kind::User => self.row.patched.user,
                    Kind::Group => self.row.patched.group,
                };
                Ok(self.changed(kind, &id, status))
            }
            ("DELETE", Some(id)) => {
                self.directory.delete(kind, id)?;
                Ok(Reply { status: 204, body: None, location: None })
            }
            _ => Err(Refusal::new(self.row.no_such_method, method, "not here")),
        }
    }

    fn one(&self, kind: Kind, id: &str, parameters: &Parameters) -> Done<Reply> {
        parameters.check(&self.row)?;
        self.directory.find(kind, id)?;
        let body = parameters.projected(self.directory.shown(kind, id, self.row.base));
        Ok(Reply::of(200, body))
    }

    /// Locations are relative, as with services that do not know their own address.
    fn changed(&self, kind: Kind, id: &str, status: u16) -> Reply {
        let body = self.directory.shown(kind, id, self.row.base);
        let location = body["meta"]["location"].as_str().map(|place| place.replace(' ', "%20"));
        Reply { status, body: Some(body), location: location.filter(|_| status == 201) }
    }

    fn described(&self, asked: &Asked) -> Done<Reply> {
        let words: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let schema = json!({"id": words.get(1), "attributes": []});
        match (words.as_slice(), self.row.discovery) {
            (_, Discovery::Nothing) => Err(Refusal::not_found()),
            (["ServiceProviderConfig"], _) => Ok(Reply::of(200, self.config())),
            (["Schemas", _], Discovery::Described) => Ok(Reply::of(200, schema)),
            (["Schemas", _], _) => Ok(Reply::of(200, json!({"totalResults": 1, "Resources": [schema]}))),
            _ => Err(Refusal::not_found()),
        }
    }

    fn config(&self) -> Value {
        let no = json!({"supported": false});
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": {"supported": true},
            "filter": {"supported": true, "maxResults": 200},
            "bulk": no, "changePassword": no, "sort": no, "etag": no,
            "authenticationSchemes": [],
        })
    }
}

fn json(body: &[u8]) -> Done<Value> {
    serde_json::from_slice(body).map_err(|_| Refusal::new(400, "no JSON", "no JSON").of_kind("invalidSyntax"))
}

/// One segment of a path.
fn decoded(segment: &str) -> String {
    let text = format!("_={}", segment.replace('+', "%2B"));
    url::form_urlencoded::parse(text.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}
