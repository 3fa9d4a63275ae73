//! A server on loopback that plays what its script says, and remembers what it was asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::extract::Request as Inbound;
use axum::response::Response;
use rosterd::client::Client;
use rosterd::client::ClientAuth;
use rosterd::client::ClientSettings;
use rosterd::client::Credential;
use rosterd::client::Grant;
use rosterd::client::Secret;
use serde_json::Value;
use serde_json::json;
use url::Url;

/// Answers in the order of its script.
#[derive(Clone)]
pub struct Script {
    pub answers: Arc<Mutex<VecDeque<Reply>>>,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    pub base: Url,
}

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// With the query.
    pub path: String,
    pub authorization: String,
    /// The header `Metadata`.
    pub metadata: String,
    pub body: String,
    /// The other end of the connection: another port is another connection.
    pub port: u16,
}

pub fn reply(status: u16, headers: &[(&'static str, &str)], body: Value) -> Reply {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Reply { status, headers, body: Body::from(body.to_string()) }
}

pub fn ok() -> Reply {
    reply(200, &[], json!({"done": true}))
}

pub fn token(text: &str, seconds: u64) -> Reply {
    reply(
        200,
        &[("content-type", "application/json")],
        json!({"token_type": "Bearer", "expires_in": seconds, "access_token": text}),
    )
}

pub async fn serve(answers: Vec<Reply>) -> Script {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let script = Script { answers: Arc::new(Mutex::new(answers.into())), seen: Arc::default(), base };
    let played = script.clone();
    let router =
        Router::new().fallback(move |ConnectInfo(from): ConnectInfo<SocketAddr>, inbound: Inbound| {
            play(played.clone(), from, inbound)
        });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    script
}

async fn play(script: Script, from: SocketAddr, inbound: Inbound) -> Response {
    let (parts, body) = inbound.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let header = |name| parts.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    script.seen.lock().unwrap().push(Seen {
        path: parts.uri.to_string(),
        authorization: header("authorization"),
        metadata: header("metadata"),
        body: String::from_utf8(bytes.to_vec()).unwrap(),
        port: from.port(),
    });
    let next = script.answers.lock().unwrap().pop_front();
    let next = next.unwrap_or_else(|| reply(599, &[], json!("the script is at its end")));
    let mut response = Response::builder().status(next.status);
    for (name, value) in next.headers {
        response = response.header(name, value);
    }
    response.body(next.body).unwrap()
}

impl Script {
    /// Short waits, three attempts.
    pub fn settings(&self, credential: Credential) -> ClientSettings {
        let mut settings = ClientSettings::new(self.base.clone(), credential);
        settings.backoff = Duration::from_millis(1);
        settings.wait_max = Duration::from_secs(5);
        settings.attempts = 3;
        settings
    }

    pub fn client(&self, credential: Credential) -> Client {
        Client::new(self.settings(credential)).unwrap()
    }

    /// A grant by one secret.
    pub fn secret(&self) -> Credential {
        self.grant(ClientAuth::Secrets(vec![Secret::new("hush-hush")])).into()
    }

    pub fn token_url(&self) -> Url {
        self.base.join("/tenant/oauth2/v2.0/token").unwrap()
    }

    pub fn grant(&self, auth: ClientAuth) -> Grant {
        let scope = "https://graph.example/.default".to_owned();
        Grant { token_url: self.token_url(), client_id: "app-1".to_owned(), scope, auth }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn authorizations(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.authorization).collect()
    }

    pub fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.path).collect()
    }

    /// The forms that were posted, each as its fields.
    pub fn forms(&self) -> Vec<Vec<(String, String)>> {
        let form = |seen: Seen| url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
        self.seen().into_iter().filter(|seen| !seen.body.is_empty()).map(form).collect()
    }

    /// One field of each form that was posted; empty where it is missing.
    pub fn fields(&self, name: &str) -> Vec<String> {
        let of = |form: Vec<(String, String)>| form.into_iter().find(|(known, _)| known == name);
        self.forms().into_iter().map(|form| of(form).map_or_else(String::new, |(_, value)| value)).collect()
    }
}
