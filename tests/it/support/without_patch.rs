//! Our own service behind a door that knows no PATCH; what was asked at it is kept.

use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;

pub struct WithoutPatch {
    pub root: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl WithoutPatch {
    /// In front of a service at `behind`, such as `http://127.0.0.1:80`.
    pub async fn start(behind: &str) -> WithoutPatch {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let root = format!("http://{}", listener.local_addr().expect("an address"));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (behind, seen) = (behind.to_owned(), Arc::clone(&asked));
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let router = Router::new().fallback(move |request: Request| {
            let (behind, seen, http) = (behind.clone(), Arc::clone(&seen), http.clone());
            async move {
                let line = format!("{} {}", request.method(), request.uri().path());
                seen.lock().expect("nobody panics while it holds this").push(line);
                pass(request, &behind, &http).await
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        WithoutPatch { root, asked }
    }

    /// How often it was asked by this method since this was asked last, by all methods.
    pub fn asked(&self, method: &str) -> usize {
        let asked = std::mem::take(&mut *self.asked.lock().expect("nobody panics while it holds this"));
        asked.iter().filter(|line| line.starts_with(method)).count()
    }
}

async fn pass(request: Request, behind: &str, http: &reqwest::Client) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method == "PATCH" {
        let refused = Response::builder().status(405).header("content-type", "application/scim+json");
        return refused
            .body(Body::from(r#"{"status":"405","detail":"PATCH is not offered"}"#))
            .expect("a response");
    }
    let body = axum::body::to_bytes(body, 1 << 22).await.expect("a body");
    let mut passed = http.request(parts.method, format!("{behind}{}", parts.uri)).body(body);
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host") {
        passed = passed.header(name, value);
    }
    let answer = passed.send().await.expect("the service behind answers");
    let mut response = Response::builder().status(answer.status());
    for name in ["content-type", "etag", "location"] {
        if let Some(value) = answer.headers().get(name) {
            response = response.header(name, value);
        }
    }
    response.body(Body::from(answer.bytes().await.expect("a body"))).expect("a response")
}
