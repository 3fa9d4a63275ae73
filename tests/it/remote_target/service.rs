//! A SCIM service whose answers a test makes up; it remembers what it was asked.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request as Inbound;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;
use url::Url;

use rosterd::client::Secret;
use rosterd::scim::Attributes;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::scim::profiles::Profile;
use rosterd::targets::Lookup;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;
use rosterd::targets::TargetError;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;

/// One request as the service saw it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Method, path and query, decoded.
    pub(super) line: String,
    /// As it stood on the wire.
    pub(super) raw: String,
    pub(super) token: String,
    pub(super) content_type: String,
    pub(super) accept: String,
    pub(super) user_agent: String,
    pub(super) api_version: String,
    pub(super) if_match: String,
    pub(super) body: Value,
}

/// What the service answers; `None` breaks the connection off.
pub(super) type Reply = Option<(u16, Vec<(&'static str, String)>, String)>;

pub(super) fn json_reply(status: u16, body: Value) -> Reply {
    Some((status, vec![], body.to_string()))
}

pub(super) fn list(resources: Value) -> Reply {
    let total = resources.as_array().unwrap().len();
    json_reply(200, json!({"totalResults": total, "Resources": resources}))
}

pub(super) fn error(status: u16, kind: &str) -> Reply {
    json_reply(status, json!({"status": status.to_string(), "scimType": kind, "detail": "no"}))
}

/// A service whose answers a function makes; remembers what it was asked.
pub(super) struct Service {
    pub(super) url: Url,
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
}

impl Service {
    pub(super) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Service {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/scim/v2", listener.local_addr().unwrap())).unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let answer = Arc::new(answer);
        let seen = Arc::clone(&asked);
        let router = Router::new().fallback(move |inbound: Inbound| {
            let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
            async move { respond(inbound, &*answer, &seen).await }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Service { url, asked }
    }

    pub(super) fn settings(&self) -> RemoteSettings {
        RemoteSettings {
            timeout: Duration::from_secs(5),
            backoff: Duration::from_millis(1),
            attempts: 2,
            profile: small_pages(Profile::standard()),
            listing_max: 15,
            ..RemoteSettings::new(self.url.clone(), vec![Secret::new("token-1")])
        }
    }

    pub(super) fn target(&self) -> RemoteTarget {
        RemoteTarget::new(self.settings()).unwrap()
    }

    pub(super) fn target_with(&self, profile: Profile) -> RemoteTarget {
        RemoteTarget::new(RemoteSettings { profile: small_pages(profile), ..self.settings() }).unwrap()
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

async fn respond(
    inbound: Inbound,
    answer: &(dyn Fn(&Asked) -> Reply + Send + Sync),
    seen: &Mutex<Vec<Asked>>,
) -> Response {
    let (parts, body) = inbound.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let header = |name: &str| parts.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let raw = format!("{} {}", parts.method, parts.uri);
    let asked = Asked {
        line: decoded(&raw),
        raw,
        token: header("authorization"),
        content_type: header("content-type"),
        accept: header("accept"),
        user_agent: header("user-agent"),
        api_version: header("x-github-api-version"),
        if_match: header("if-match"),
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    };
    seen.lock().unwrap().push(asked.clone());
    match answer(&asked) {
        Some((status, headers, text)) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(text)).unwrap()
        }
        // A body that breaks off: the request arrived, its answer did not.
        None => {
            let broken = futures_util::stream::iter([Err::<String, _>(std::io::Error::other("gone"))]);
            Response::new(Body::from_stream(broken))
        }
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        match first {
            b'%' => {
                bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
                rest = &tail[2..];
            }
            other => {
                bytes.push(*other);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Two a page, so that a few resources are several pages.
fn small_pages(profile: Profile) -> Profile {
    Profile { page_size: 2, ..profile }
}

pub(super) fn profile(name: &str) -> Profile {
    Profile::named(name).unwrap()
}

pub(super) fn lookup(kind: Kind, path: &str, value: &str) -> Lookup {
    Lookup { kind, path: path.to_owned(), value: value.to_owned() }
}

pub(super) async fn found(
    target: &RemoteTarget,
    path: &str,
    value: &str,
) -> Result<Vec<String>, TargetError> {
    let answers = target.find(&[lookup(Kind::User, path, value)]).await?;
    Ok(answers.into_iter().next().unwrap().into_iter().map(|found| found.id.0).collect())
}

pub(super) fn id(text: &str) -> ResourceId {
    ResourceId(text.to_owned())
}

pub(super) fn create(user_name: &str) -> Operation {
    let attributes = [
        ("userName", json!(user_name)),
        ("externalId", json!(format!("x-{user_name}"))),
        ("active", json!(true)),
        ("emails[type eq \"work\"].value", json!(format!("{user_name}@x.example"))),
    ];
    let attributes: Attributes =
        attributes.into_iter().map(|(path, value)| (path.to_owned(), value)).collect();
    Operation::Create { kind: Kind::User, attributes }
}

pub(super) fn patch(of: &str, set: &[(&str, Value)]) -> Operation {
    let set = set.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
    Operation::Patch { kind: Kind::User, id: id(of), set, add: Vec::new() }
}

pub(super) fn members(add: &[&str], remove: &[&str]) -> Operation {
    let ids = |texts: &[&str]| texts.iter().map(|text| id(text)).collect();
    Operation::Members { team: id("t"), add: ids(add), remove: ids(remove) }
}

pub(super) async fn outcome(target: &RemoteTarget, operation: Operation) -> Outcome {
    target.apply(&[operation]).await.unwrap().remove(0)
}

pub(super) fn refused(status: u16) -> Outcome {
    Outcome::Refused { status, detail: "no".to_owned() }
}
