//! A small SCIM service over HTTP that a test makes refuse, hang or show another time; it keeps who was made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

const MOMENT: Duration = Duration::from_millis(50);

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Fine,
    /// Every request: 401.
    TokenRefused,
    /// Every request: 503, and no word of when to come again.
    Away,
    /// Every write: 400.
    WritesRefused,
    /// So many writes are carried out; those after them are carried out, and never answered.
    HangsAfter(usize),
    /// A moment passes before each write.
    Slow,
    /// It is asked for a listing and answers with a page for people.
    NotScim,
}

#[derive(Default)]
struct Kept {
    mood: Option<Mood>,
    date: Option<String>,
    people: BTreeMap<String, Value>,
    requests: usize,
    writes: usize,
}

/// Ends with the test.
pub struct ScimService {
    pub root: String,
    kept: Arc<Mutex<Kept>>,
    _stop: DropGuard,
}

impl ScimService {
    pub async fn start() -> ScimService {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let root = format!("http://{}", listener.local_addr().expect("an address"));
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let (stop, seen) = (CancellationToken::new(), kept.clone());
        let router = Router::new().fallback(move |request: Request| {
            let kept = seen.clone();
            async move { answer(request, &kept).await }
        });
        let ended = stop.clone();
        tokio::spawn(async move {
            let serving = axum::serve(listener, router);
            let _ = ended.run_until_cancelled(serving.into_future()).await;
        });
        ScimService { root, kept, _stop: stop.drop_guard() }
    }

    pub fn mood(&self, mood: Mood) {
        let mut kept = locked(&self.kept);
        (kept.mood, kept.writes) = (Some(mood), 0);
    }

    /// What its answers show as `Date` from now on.
    pub fn shows(&self, date: &str) {
        locked(&self.kept).date = Some(date.to_owned());
    }

    /// Requests since this was asked last.
    pub fn requests(&self) -> usize {
        std::mem::take(&mut locked(&self.kept).requests)
    }

    /// Writes that it has received since it has this mood.
    pub fn writes(&self) -> usize {
        locked(&self.kept).writes
    }

    /// The userNames that it has, those that are there twice as often.
    pub fn people(&self) -> Vec<String> {
        let kept = locked(&self.kept);
        let mut names: Vec<String> =
            kept.people.values().filter_map(|person| Some(person["userName"].as_str()?.to_owned())).collect();
        names.sort();
        names
    }
}

fn locked(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().expect("no test panics while it holds this")
}

async fn answer(request: Request, kept: &Mutex<Kept>) -> Response {
    let (method, uri) = (request.method().to_string(), request.uri().clone());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if locked(kept).mood == Some(Mood::Slow) && method != "GET" {
        tokio::time::sleep(MOMENT).await;
    }
    let (status, text, hangs, date) = {
        let mut kept = locked(kept);
        kept.requests += 1;
        kept.writes += usize::from(method != "GET");
        let mood = kept.mood.unwrap_or(Mood::Fine);
        let hangs = matches!(mood, Mood::HangsAfter(count) if method != "GET" && kept.writes > count);
        let (status, text) = match mood {
            Mood::TokenRefused => (401, String::new()),
            Mood::Away => (503, String::new()),
            Mood::WritesRefused if method != "GET" => (400, json!({"detail": "not today"}).to_string()),
            Mood::NotScim => (200, "<html>Sign in</html>".to_owned()),
            _ => carried_out(&mut kept, &method, uri.path(), uri.query().unwrap_or_default(), body),
        };
        (status, text, hangs, kept.date.clone())
    };
    if hangs {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(status).header("content-type", "application/scim+json");
    if let Some(date) = date {
        response = response.header("date", date);
    }
    response.body(Body::from(text)).expect("a response")
}

fn carried_out(kept: &mut Kept, method: &str, path: &str, query: &str, body: Value) -> (u16, String) {
    let id = path.rsplit('/').next().unwrap_or_default().to_owned();
    match (method, path) {
        ("POST", "/Users") => {
            let id = format!("r{}", kept.people.len() + 1);
            let mut person = body;
            person["id"] = Value::from(id.as_str());
            kept.people.insert(id, person.clone());
            (201, person.to_string())
        }
        ("GET", "/Users") => {
            let query = query.replace("%22", "\"").replace("%40", "@").replace("%20", " ").replace('+', " ");
            let asked = |person: &&Value| {
                ["userName", "externalId"].iter().any(|name| {
                    person[*name]
                        .as_str()
                        .is_some_and(|value| query.contains(&format!("{name} eq \"{value}\"")))
                })
            };
            let found: Vec<&Value> = kept.people.values().filter(asked).collect();
            (200, json!({"totalResults": found.len(), "Resources": found}).to_string())
        }
        ("GET", _) => match kept.people.get(&id) {
            Some(person) => (200, person.to_string()),
            None => (404, String::new()),
        },
        ("PATCH", _) if kept.people.contains_key(&id) => (204, String::new()),
        _ => (404, String::new()),
    }
}
