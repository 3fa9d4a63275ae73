//! A server that plays recorded answers of Okta in order, and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::Response;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use rosterd::sources::okta::ServiceApp;
use serde_json::Value;
use serde_json::json;

use crate::support::keys;

/// Answers by the target that they are for.
type Objects = Vec<(String, VecDeque<Played>)>;

/// Plays answers in the order in which they were told, and keeps what it was asked.
#[derive(Clone)]
pub(super) struct Recorder {
    pub(super) host: String,
    pub(super) tokens: Arc<Mutex<VecDeque<Played>>>,
    /// Of the API: the target without its host, and its answers; the last one stays.
    pub(super) objects: Arc<Mutex<Objects>>,
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Clone)]
pub(super) struct Played {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
}

pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

pub(super) fn played(status: u16, headers: &[(&str, &str)], body: Value) -> Played {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Played { status, headers, body }
}

/// An answer of the corpus. How it travelled is not part of it.
pub(super) fn recorded(folder: &std::path::Path, file: &str) -> Played {
    let text = std::fs::read_to_string(folder.join("okta").join(file)).expect("the corpus has it");
    let exchange: Value = serde_json::from_str(&text).expect("JSON");
    let response = &exchange["response"];
    let travels = ["transfer-encoding", "content-encoding", "content-length", "connection", "date"];
    let headers = response["headers"].as_object().expect("headers").iter();
    let headers = headers
        .filter(|(name, _)| !travels.contains(&name.to_lowercase().as_str()))
        .map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned()));
    let status = response["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    Played { status: status.expect("a status"), headers: headers.collect(), body: response["body"].clone() }
}

impl Recorder {
    pub(super) async fn start(tokens: Vec<Played>) -> Recorder {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let host = format!("http://{}", listener.local_addr().expect("an address"));
        let recorder = Recorder {
            host,
            tokens: Arc::new(Mutex::new(tokens.into())),
            objects: Arc::default(),
            asked: Arc::default(),
        };
        let own = recorder.clone();
        let service = Router::new().fallback(move |request: Request| own.clone().answer(request));
        tokio::spawn(async move { axum::serve(listener, service).await });
        recorder.tell(
            "/api/v1/apps/0oa1",
            vec![played(200, &[], json!({"id": "0oa1", "label": "Acme", "status": "ACTIVE"}))],
        );
        recorder
    }

    pub(super) fn tell(&self, target: &str, answers: Vec<Played>) {
        self.objects.lock().expect("no panic").insert(0, (target.to_owned(), answers.into()));
    }

    async fn answer(self, request: Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
        let target = parts.uri.to_string();
        let told = if target == "/oauth2/v1/token" {
            self.tokens.lock().expect("no panic").pop_front()
        } else {
            let mut objects = self.objects.lock().expect("no panic");
            let found = objects.iter_mut().find(|(known, _)| *known == target);
            found.map(|(_, answers)| match answers.len() {
                0 | 1 => answers.front().expect("an answer").clone(),
                _ => answers.pop_front().expect("an answer"),
            })
        };
        self.asked.lock().expect("no panic").push(Asked {
            method: parts.method.to_string(),
            target,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("text"),
        });
        let told = told.unwrap_or_else(|| played(200, &[], json!([])));
        let mut response = Response::new(Body::from(told.body.to_string()));
        *response.status_mut() = told.status.try_into().expect("a status");
        for (name, value) in told.headers {
            let name: axum::http::HeaderName = name.parse().expect("a name");
            response.headers_mut().append(name, value.parse().expect("a value"));
        }
        response
    }

    pub(super) fn source(&self) -> OktaSource {
        let mut app = ServiceApp::new("0oaClient", keys::text("ec.p256.pkcs8.pem"));
        app.key_id = Some("key-1".to_owned());
        OktaSource::new(OktaSettings::new(&self.host, app, "0oa1").expect("settings")).expect("a source")
    }

    /// One header of each request to a path, in order.
    pub(super) fn headers(&self, path: &str, name: &str) -> Vec<String> {
        let asked = self.asked.lock().expect("no panic");
        let of = asked.iter().filter(|asked| asked.target.split('?').next() == Some(path));
        of.map(|asked| asked.headers.get(name).map_or("", |value| value.to_str().expect("text")).to_owned())
            .collect()
    }

    pub(super) fn assertions(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("no panic");
        let bodies = asked.iter().filter(|asked| asked.target == "/oauth2/v1/token").map(|asked| &asked.body);
        let field = |body: &String| {
            let mut fields = url::form_urlencoded::parse(body.as_bytes()).into_owned();
            fields.find(|(name, _)| name == "client_assertion").expect("an assertion").1
        };
        bodies.map(field).collect()
    }
}
