//! A receiver of webhooks that checks signatures on its own, and answers as a test says.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::sync::mpsc;

/// Far above what anything here takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A webhook as it came.
#[derive(Debug)]
pub struct Hook {
    pub id: String,
    pub timestamp: i64,
    pub signature: String,
    pub text: String,
    /// The end of the log's chain.
    pub chain: String,
}

impl Hook {
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// Whether one of its signatures is that of this key.
    pub fn is_signed_by(&self, key: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let signed = format!("{}.{}.{}", self.id, self.timestamp, self.text);
        self.signature.split(' ').filter_map(|one| one.strip_prefix("v1,")).any(|one| {
            let one = STANDARD.decode(one).expect("base64");
            hmac::verify(&key, signed.as_bytes(), &one).is_ok()
        })
    }
}

/// What it says.
#[derive(Clone, Copy, Debug)]
pub enum Says {
    /// A status and a body.
    Status(u16, &'static str),
    /// A redirect to its own second address.
    Elsewhere,
    /// Nothing, ever.
    Nothing,
}

#[derive(Clone)]
struct Served {
    hooks: mpsc::UnboundedSender<Hook>,
    /// The last one stays.
    says: Arc<Mutex<VecDeque<Says>>>,
}

pub struct Receiver {
    pub url: String,
    hooks: mpsc::UnboundedReceiver<Hook>,
}

impl Receiver {
    /// Answers in this order; the last answer is for all that follow.
    pub async fn start(says: &[Says]) -> Receiver {
        let (sender, hooks) = mpsc::unbounded_channel();
        let served = Served { hooks: sender, says: Arc::new(Mutex::new(says.iter().copied().collect())) };
        let router =
            Router::new().route("/hook", post(take)).route("/elsewhere", post(take)).with_state(served);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Receiver { url, hooks }
    }

    pub async fn next(&mut self) -> Hook {
        let hook = tokio::time::timeout(PATIENCE, self.hooks.recv()).await;
        hook.expect("a webhook comes in time").expect("the receiver runs")
    }

    /// Whether nothing more has come so far.
    pub fn is_quiet(&mut self) -> bool {
        self.hooks.try_recv().is_err()
    }
}

async fn take(State(served): State<Served>, headers: HeaderMap, text: String) -> Response {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    assert_eq!(header("content-type"), "application/json");
    let timestamp = header("webhook-timestamp").parse().expect("seconds");
    let (id, signature) = (header("webhook-id"), header("webhook-signature"));
    let chain = header("rosterd-chain");
    let _ = served.hooks.send(Hook { id, timestamp, signature, text, chain });
    let says = {
        let mut says = served.says.lock().expect("no panic");
        if says.len() > 1 { says.pop_front() } else { says.front().copied() }
    };
    match says.unwrap_or(Says::Nothing) {
        Says::Status(status, body) => (StatusCode::from_u16(status).expect("a status"), body).into_response(),
        Says::Elsewhere => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response(),
        Says::Nothing => std::future::pending().await,
    }
}
