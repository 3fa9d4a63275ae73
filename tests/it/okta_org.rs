//! A replayed Okta org on loopback: it gives the answers it was told, in order, and remembers what it was asked.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Response;
use rosterd::client::Secret;
use rosterd::model::Collection;
use rosterd::model::Container;
use rosterd::model::Coverage;
use rosterd::model::Next;
use rosterd::model::Read;
use rosterd::model::Record;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use serde_json::Value;
use serde_json::json;

/// The host of the recordings, and of answers written in tests.
const RECORDED_HOST: &str = "https://test.okta.com";

/// One answer.
#[derive(Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    pub fn ok(body: Value) -> Reply {
        Reply { status: 200, headers: Vec::new(), body: body.to_string() }
    }

    pub fn error(status: u16, code: &str) -> Reply {
        let body = json!({"errorCode": code, "errorSummary": "told in confidence", "errorCauses": []});
        Reply { status, ..Reply::ok(body) }
    }

    pub fn raw(status: u16, body: &str) -> Reply {
        Reply { status, headers: Vec::new(), body: body.to_owned() }
    }

    /// A header line; `https://test.okta.com` in it becomes the address of the replayed org.
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn next(self, path: &str) -> Reply {
        self.header("link", &format!("<{RECORDED_HOST}{path}>; rel=\"next\""))
    }
}

/// A running org. It answers until the test ends.
pub struct Org {
    pub host: String,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    replies: BTreeMap<String, VecDeque<Reply>>,
    asked: Vec<String>,
    headers: Vec<HeaderMap>,
}

impl Org {
    pub async fn start() -> Org {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let host = format!("http://{}", listener.local_addr().expect("an address"));
        let (told, own) = (script.clone(), host.clone());
        let answer = move |request: Request| {
            let response = told.lock().expect("no panic").answer(&request, &own);
            async move { response }
        };
        let service = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, service).await });
        Org { host, script }
    }

    /// What `GET target` answers from now on. The order of parameters does not matter.
    pub fn tell(&self, target: &str, reply: Reply) {
        self.tell_in_turn(target, [reply]);
    }

    /// What `GET target` answers, one after the other; the last one stays.
    pub fn tell_in_turn<const N: usize>(&self, target: &str, replies: [Reply; N]) {
        let mut script = self.script.lock().expect("no panic");
        script.replies.insert(in_order(target), VecDeque::from(replies));
    }

    /// Every target that was asked, parameters in alphabetical order.
    pub fn asked(&self) -> Vec<String> {
        self.script.lock().expect("no panic").asked.clone()
    }

    /// One header of every request, in the order of `asked`; empty where there was none.
    pub fn heard(&self, name: &str) -> Vec<String> {
        let script = self.script.lock().expect("no panic");
        let value = |headers: &HeaderMap| {
            headers.get(name).map_or("", |value| value.to_str().expect("text")).to_owned()
        };
        script.headers.iter().map(value).collect()
    }

    pub fn settings(&self, app: &str) -> OktaSettings {
        let mut settings = OktaSettings::new(&self.host, Secret::new("t0ken"), app).expect("good settings");
        settings.backoff = Duration::from_millis(1);
        settings.system_log = false;
        settings
    }

    pub fn source(&self, app: &str) -> OktaSource {
        OktaSource::new(self.settings(app)).expect("a source")
    }
}

impl Script {
    fn answer(&mut self, request: &Request, own: &str) -> Response<Body> {
        let target = in_order(&request.uri().to_string());
        self.asked.push(target.clone());
        self.headers.push(request.headers().clone());
        let authorised = request.headers().get("authorization").is_some_and(|value| value == "SSWS t0ken");
        let reply = match self.replies.get_mut(&target) {
            _ if !authorised => Reply::error(401, "E0000011"),
            Some(replies) if replies.len() > 1 => replies.pop_front().expect("more than one"),
            Some(replies) => replies.front().expect("at least one").clone(),
            None => Reply::error(404, "E0000007"),
        };
        let mut response = Response::new(Body::from(reply.body));
        *response.status_mut() = reply.status.try_into().expect("a status");
        for (name, value) in &reply.headers {
            let value = value.replace(RECORDED_HOST, own);
            response.headers_mut().append(
                HeaderName::try_from(name.as_str()).expect("a name"),
                HeaderValue::try_from(value).expect("a value"),
            );
        }
        response
    }
}

fn in_order(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    format!("{path}?{}", pairs.join("&"))
}

/// Everything that a read brought.
#[derive(Debug, Default)]
pub struct Pulled {
    pub records: Vec<Record>,
    pub covered: Vec<(Collection, Coverage)>,
    pub notes: Vec<String>,
    pub watermarks: BTreeMap<String, String>,
    pub further: Vec<String>,
}

impl Pulled {
    /// One line a record: `00u1 enabled id="00u1" …`, `app 0oa1 > user 00u1`.
    pub fn lines(&self) -> String {
        let lines: Vec<String> = self.records.iter().map(line).collect();
        lines.join("\n")
    }

    /// The same without attributes.
    pub fn short(&self) -> String {
        let lines: Vec<String> = self
            .records
            .iter()
            .map(|record| match record {
                Record::Object(object) => format!("{object:?}"),
                other => line(other),
            })
            .collect();
        lines.join("\n")
    }
}

fn line(record: &Record) -> String {
    match record {
        Record::Object(object) => {
            let attributes: Vec<String> = object.attributes.iter().map(|(k, v)| format!("{k}={v}")).collect();
            format!("{object:?} {}", attributes.join(" "))
        }
        Record::Edge { container: Container::App(id), principal, kind, detail } if detail.is_empty() => {
            format!("app {id} > {} {principal}", kind.word())
        }
        Record::Edge { container: Container::App(id), principal, detail, .. } => {
            format!("app {id} > {principal} {detail}")
        }
        Record::Edge { container: Container::Group(id), principal, kind, .. } => {
            format!("group {id} > {} {principal}", kind.word())
        }
        Record::EdgeUnclear { container, principal, kind } => {
            format!("app {} ?> {} {principal}", container.id(), kind.word())
        }
        Record::NotFound { kind, id } => format!("not found: {} {id}", kind.word()),
        Record::Removed { kind, id, standing } => format!("removed: {} {id} {standing:?}", kind.word()),
        other => format!("unexpected {other:?}"),
    }
}

/// Runs reads and what they show to be needed, like the cycle does, and stops at the first error. A cursor that
/// comes twice in one read ends it.
pub async fn pull(source: &dyn Source, reads: Vec<Read>) -> Result<Pulled, SourceError> {
    let mut pulled = Pulled::default();
    let mut due = VecDeque::from(reads);
    while let Some(mut read) = due.pop_front() {
        let mut cursors = vec![read.cursor.clone()];
        loop {
            let page = source.page(&read).await?;
            pulled.records.extend(page.records);
            pulled.notes.extend(page.notes);
            pulled.further.extend(page.further.iter().map(|read| read.name.clone()));
            due.extend(page.further);
            match page.next {
                Next::Page(cursor) if cursors.contains(&cursor) => {
                    return Err(SourceError::Unavailable { what: "the cursor repeats".to_owned() });
                }
                Next::Page(cursor) => {
                    cursors.push(cursor.clone());
                    read.cursor = cursor;
                }
                Next::End { covered, watermark } => {
                    pulled.covered.extend(covered);
                    pulled.watermarks.extend(watermark.map(|text| (read.name.clone(), text)));
                    break;
                }
            }
        }
    }
    Ok(pulled)
}
