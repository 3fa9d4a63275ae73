//! The SCIM service over HTTP: what is answered, to whom, and with which headers.

mod bulk;
mod isolation;
mod limits;
mod load;
mod paging;
mod refusals;
mod rights;
mod roots;
mod tenants;
mod writes;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::HeaderMap;
use rosterd::scim::Dialect;
use rosterd::server::Service;
use rosterd::server::Settings;
use rosterd::server::serve;
use rosterd::store::Store;
use rosterd::store::TokenWish;
use serde_json::Value;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

/// A service on loopback with one token, stopped when it is dropped.
pub struct Served {
    pub root: String,
    pub token: String,
    pub store: Store,
    http: reqwest::Client,
    stop: CancellationToken,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What came back.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: HeaderMap,
    /// Null where there is none.
    pub body: Value,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status and scimType, such as `400 invalidFilter`.
    pub fn refusal(&self) -> String {
        assert_eq!(self.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]), "{self:?}");
        assert_eq!(self.body["status"], json!(self.status.to_string()));
        assert!(self.body["detail"].is_string());
        assert_eq!(self.header("content-type"), "application/scim+json");
        let word = self.body["scimType"].as_str().unwrap_or_default();
        format!("{} {word}", self.status).trim_end().to_owned()
    }
}

async fn got(response: reqwest::Response) -> Got {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.expect("a body");
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Got { status, headers, body }
}

/// The body of a PATCH.
fn patch(operations: Value) -> Option<Value> {
    Some(json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
    }))
}

fn wish(workspace: &str, dialect: Dialect) -> TokenWish {
    let (workspace, who, reason) = (workspace.to_owned(), "test".to_owned(), String::new());
    TokenWish::new(workspace, dialect, who, reason)
}

impl Served {
    pub async fn start(dialect: Dialect) -> Served {
        Served::with(dialect, Settings::default()).await
    }

    pub async fn with(dialect: Dialect, settings: Settings) -> Served {
        Served::over(Store::in_memory().expect("a store"), dialect, settings).await
    }

    pub async fn over(store: Store, dialect: Dialect, settings: Settings) -> Served {
        let minute = AtomicI64::new(0);
        let clock = move || {
            Timestamp::from_second(1_700_000_000 + minute.fetch_add(60, Ordering::Relaxed)).expect("a time")
        };
        let number = AtomicU64::new(0);
        let service = Service {
            store: store.clone(),
            ids: Arc::new(move || format!("r{}", number.fetch_add(1, Ordering::Relaxed))),
            clock: Arc::new(clock),
            ready: Arc::new(|| Err("no cycle has run yet".to_owned())),
            settings: Arc::new(settings),
        };
        let now = Timestamp::from_second(1_700_000_000).expect("a time");
        let token = store.create_token(wish("main", dialect), now).await.expect("a token").text;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let root = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, service, stop.clone()));
        let http = reqwest::Client::builder().no_proxy().no_gzip().build().expect("a client");
        Served { root, token, store, http, stop }
    }

    /// A request below `/scim/v2`, with the token, as a SCIM client sends it.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Got {
        let headers = [("authorization", format!("Bearer {}", self.token))];
        self.raw(method, &format!("/scim/v2{path}"), &headers, body.map(|body| body.to_string())).await
    }

    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Option<String>,
    ) -> Got {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.root));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        got(request.send().await.expect("an answer")).await
    }

    /// The same as `call`, with another token.
    pub async fn call_as(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Got {
        let headers = [("authorization", format!("Bearer {token}"))];
        self.raw(method, &format!("/scim/v2{path}"), &headers, body.map(|body| body.to_string())).await
    }

    /// A token like the first one but for what `change` changes.
    pub async fn token(&self, change: impl FnOnce(&mut TokenWish)) -> String {
        let mut wish = wish("main", Dialect::Tolerant);
        change(&mut wish);
        let now = Timestamp::from_second(1_700_000_000).expect("a time");
        self.store.create_token(wish, now).await.expect("a token").text
    }

    /// A request whose body is no text, with the token.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Got {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.root)).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        got(request.body(body).send().await.expect("an answer")).await
    }

    /// What is answered to these bytes, until the service closes the connection.
    pub async fn spoken(&self, sent: &[u8]) -> String {
        let address = self.root.strip_prefix("http://").expect("an address");
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        let (mut reading, mut writing) = stream.split();
        let mut answer = Vec::new();
        // Who is refused in the middle cannot send the rest.
        let (_, read) = tokio::join!(writing.write_all(sent), reading.read_to_end(&mut answer));
        assert!(read.is_ok() || !answer.is_empty(), "{read:?}");
        String::from_utf8(answer).expect("a text")
    }

    pub async fn made(&self, path: &str, body: Value) -> String {
        let got = self.call("POST", path, Some(body)).await;
        assert_eq!(got.status, 201, "{got:?}");
        got.body["id"].as_str().expect("an id").to_owned()
    }

    async fn ids(&self, path: &str) -> Vec<String> {
        let got = self.call("GET", path, None).await;
        assert_eq!(got.status, 200, "{path}: {got:?}");
        let resources = got.body["Resources"].as_array().expect("a list");
        resources.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    }
}

#[tokio::test]
async fn health_and_readiness_are_two_things() {
    let served = Served::start(Dialect::Strict).await;
    assert_eq!(served.raw("GET", "/healthz", &[], None).await.status, 200);
    assert_eq!(served.raw("GET", "/readyz", &[], None).await.status, 503);
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_said() {
    let served = Served::start(Dialect::Strict).await;
    let bearer = format!("Bearer {}", served.token);
    let mut bodies = Vec::new();
    for header in
        ["", "Bearer", "Bearer   ", "Basic YTpi", "Bearer rst_000000000000_00", "rst", &bearer[..40]]
    {
        for path in ["/Users", "/Users/r0", "/nothing", "/ServiceProviderConfig"] {
            let headers = [("authorization", header.to_owned())];
            let got = served.raw("GET", &format!("/scim/v2{path}"), &headers, None).await;
            assert_eq!(got.refusal(), "401", "{header} {path}");
            assert_eq!(got.header("www-authenticate"), "Bearer realm=\"rosterd\"");
            bodies.push(got.body);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "one body for every reason");
    assert_eq!(served.raw("GET", "/scim/v2/Users", &[], None).await.refusal(), "401");
    let bare = [("authorization", served.token.clone())];
    assert_eq!(served.raw("GET", "/scim/v2/Users", &bare, None).await.status, 200, "Okta sends it bare");
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_an_error_message() {
    let served = Served::start(Dialect::Strict).await;
    for (method, path, expected) in [
        ("GET", "/Nothing", "404"),
        ("GET", "/Users/r0", "404"),
        ("GET", "/Users/r0/emails", "404"),
        ("GET", "/Users/%FF", "404"),
        ("DELETE", "/Users/r0", "404"),
        ("DELETE", "/Users", "405"),
        ("POST", "/Users/r0", "405"),
        ("POST", "/Schemas", "405"),
        ("PUT", "/ServiceProviderConfig", "405"),
        ("GET", "/Schemas/urn:nothing", "404"),
        ("GET", "/Schemas?filter=id%20pr", "403"),
        ("POST", "/Bulk", "400 invalidSyntax"),
        ("GET", "/Bulk", "405"),
        ("PATCH", "/", "405"),
        ("GET", "/Me", "501"),
        ("GET", "/Users?filter=", "400 invalidFilter"),
        ("GET", "/Users?filter=shoeSize%20pr", "400 invalidFilter"),
        ("GET", "/Users?count=many", "400 invalidValue"),
        ("GET", "/Users?attributes=id&excludedAttributes=name", "400 invalidValue"),
        ("POST", "/Users", "400 invalidSyntax"),
    ] {
        assert_eq!(served.call(method, path, None).await.refusal(), expected, "{method} {path}");
    }
    assert_eq!(served.call("DELETE", "/Users", None).await.header("allow"), "GET, POST");
    let token = ("authorization", format!("Bearer {}", served.token));
    let xml = [token.clone(), ("content-type", "text/xml".to_owned())];
    let post = async |headers: &[(&str, String)], body: String| {
        served.raw("POST", "/scim/v2/Users", headers, Some(body)).await.refusal()
    };
    assert_eq!(post(&xml, "{}".to_owned()).await, "415");
    assert_eq!(post(std::slice::from_ref(&token), "x".repeat(1024 * 1024 + 1)).await, "413");
    assert_eq!(post(&[token], "[1, 2".to_owned()).await, "400 invalidSyntax");
}

#[tokio::test]
async fn discovery_says_what_the_service_does() {
    let served = Served::start(Dialect::Strict).await;
    let config = served.call("GET", "/ServiceProviderConfig", None).await;
    assert_eq!(config.body["patch"], json!({"supported": true}));
    assert_eq!(config.body["filter"], json!({"supported": true, "maxResults": 500}));
    assert_eq!(
        config.body["bulk"],
        json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 4 * 1024 * 1024})
    );
    let document = served.call("GET", "/openapi.json", None).await;
    assert_eq!(
        (document.header("content-type"), &document.body["openapi"]),
        ("application/json", &json!("3.1.0"))
    );
    let types = served.call("GET", "/ResourceTypes", None).await;
    assert_eq!((&types.body["totalResults"], &types.body["itemsPerPage"]), (&json!(2), &json!(2)));
    assert_eq!(served.call("GET", "/ResourceTypes/Group", None).await.body["endpoint"], "/Groups");
    let urn = "URN:ietf:params:scim:schemas:core:2.0:user";
    let user = served.call("GET", &format!("/Schemas/{urn}"), None).await;
    assert_eq!(user.body["name"], "User");
    assert_eq!(
        user.body["meta"]["location"],
        format!("{}/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", served.root)
    );
}

#[tokio::test]
async fn lists_are_paged_in_a_stable_order() {
    let served = Served::start(Dialect::Tolerant).await;
    for name in ["ann", "bob", "cyd", "dee", "eve"] {
        served.made("/Users", json!({ "userName": name })).await;
    }
    assert_eq!(served.ids("/Users?startIndex=2&count=2").await, ["r1", "r2"]);
    assert_eq!(served.ids("/Users?startIndex=6").await, [""; 0]);
    let none = served.call("GET", "/Users?count=0", None).await.body;
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 5, "startIndex": 1, "itemsPerPage": 0, "Resources": [],
    });
    assert_eq!(none, expected);
    let filter = "userName%20eq%20%22BOB%22%20or%20userName%20sw%20%22e%22";
    assert_eq!(served.ids(&format!("/Users?filter={filter}")).await, ["r1", "r4"]);
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "userName eq \"cyd\"", "attributes": ["userName"], "startIndex": 1, "count": 10,
    });
    let got = served.call("POST", "/Users/.search", Some(search)).await;
    let schemas = json!(["urn:ietf:params:scim:schemas:core:2.0:User"]);
    assert_eq!(
        got.body["Resources"],
        json!([{"schemas": schemas, "id": "r2", "userName": "cyd"}]),
        "{got:?}"
    );
}

#[tokio::test]
async fn one_workspace_knows_nothing_of_another() {
    let served = Served::start(Dialect::Tolerant).await;
    let ann = served.made("/Users", json!({ "userName": "ann" })).await;
    let now = Timestamp::from_second(1_700_000_000).expect("a time");
    let other = served.store.create_token(wish("other", Dialect::Tolerant), now).await.expect("a token");
    let headers = [("authorization", format!("Bearer {}", other.text))];
    for (method, body) in [("GET", None), ("DELETE", None), ("PUT", Some("{\"userName\": \"x\"}"))] {
        let path = format!("/scim/v2/Users/{ann}");
        let got = served.raw(method, &path, &headers, body.map(str::to_owned)).await;
        assert_eq!(got.refusal(), "404", "{method}");
    }
    let body = Some(json!({"displayName": "Sales", "members": [{ "value": ann }]}).to_string());
    let team = served.raw("POST", "/scim/v2/Groups", &headers, body).await;
    assert_eq!((team.status, team.body.get("members")), (201, None), "a foreign member is nobody");
    let same =
        served.raw("POST", "/scim/v2/Users", &headers, Some("{\"userName\": \"ANN\"}".to_owned())).await;
    assert_eq!(same.status, 201, "names are unique in their own workspace only");
}
