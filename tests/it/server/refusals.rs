//! Whatever is refused, and wherever: an Error message with a request id (RFC 7644 section 3.12).

use rosterd::scim::Dialect;
use rosterd::server::Settings;
use serde_json::Value;
use serde_json::json;

use super::Served;

#[tokio::test]
async fn addresses_outside_of_the_service_are_error_messages_too() {
    let served = Served::start(Dialect::Strict).await;
    for (method, path, expected) in [
        ("GET", "/", "404"),
        ("GET", "/favicon.ico", "404"),
        ("POST", "/scim", "404"),
        ("GET", "/scim/v2x/Users", "400 invalidVers"),
        ("GET", "/scim/v1/Users", "400 invalidVers"),
        ("POST", "/healthz", "405"),
        ("DELETE", "/readyz", "405"),
    ] {
        let got = served.raw(method, path, &[], None).await;
        assert_eq!(got.refusal(), expected, "{method} {path}");
        assert!(!got.header("x-request-id").is_empty());
    }
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let served = Served::start(Dialect::Strict).await;
    let mut ids = Vec::new();
    for path in ["/Users", "/Users/nobody", "/Schemas"] {
        ids.push(served.call("GET", path, None).await.header("x-request-id").to_owned());
    }
    ids.push(served.raw("GET", "/scim/v2/Users", &[], None).await.header("x-request-id").to_owned());
    ids.push(served.raw("GET", "/healthz", &[], None).await.header("x-request-id").to_owned());
    assert!(ids.iter().all(|id| id.contains('-')), "{ids:?}");
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

/// Where hyper itself answers, with a status and nothing else, the answer gets its body on the way out.
#[tokio::test]
async fn what_is_refused_before_it_is_a_request_is_an_error_message() {
    let served = Served::start(Dialect::Strict).await;
    let many: String = (0..150).map(|n| format!("x-{n}: 1\r\n")).collect();
    for (sent, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        (format!("GET /scim/v2/Users HTTP/1.1\r\nhost: x\r\n{many}\r\n"), 431),
        (format!("GET /scim/v2/Users HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(200_000)), 431),
        (format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(66_000)), 414),
        (
            format!(
                "GET /scim/v2/Users?x={} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
                "x".repeat(20_000)
            ),
            414,
        ),
    ] {
        let got = served.spoken(sent.as_bytes()).await;
        let (head, body) = got.split_once("\r\n\r\n").expect("an answer");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(head.contains("content-type: application/scim+json"), "{head}");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(body["status"], status.to_string());
        if status == 431 {
            let detail = body["detail"].as_str().expect("a detail");
            assert!(detail.contains("or has more than 100 lines (setting scim.head_lines)"), "{detail}");
        }
    }
}

#[tokio::test]
async fn a_strict_client_that_takes_no_json_is_told_so() {
    for (dialect, expected) in [(Dialect::Strict, 406), (Dialect::Tolerant, 200)] {
        let served = Served::start(dialect).await;
        let get = async |accept: &str| {
            let headers =
                [("authorization", format!("Bearer {}", served.token)), ("accept", accept.to_owned())];
            served.raw("GET", "/scim/v2/Users", &headers, None).await
        };
        assert_eq!(get("text/html").await.status, expected);
        for accept in ["application/scim+json", "application/json", "*/*"] {
            let got = get(accept).await;
            assert_eq!((got.status, got.header("content-type")), (200, "application/scim+json"), "{accept}");
        }
    }
}

#[tokio::test]
async fn the_service_lies_where_the_settings_put_it() {
    let settings = Settings {
        prefix: "/acme/directory/v2".to_owned(),
        public_url: Some("https://sync.acme.example".to_owned()),
        ..Settings::default()
    };
    let served = Served::with(Dialect::Tolerant, settings).await;
    let token = [("authorization", format!("Bearer {}", served.token))];
    let body = Some(json!({"userName": "ann"}).to_string());
    let made = served.raw("POST", "/acme/directory/v2/Users", &token, body).await;
    assert_eq!(made.header("location"), "https://sync.acme.example/acme/directory/v2/Users/r0");
    assert_eq!(made.body["meta"]["location"], "https://sync.acme.example/acme/directory/v2/Users/r0");
    assert_eq!(served.raw("GET", "/scim/v2/Users", &token, None).await.refusal(), "404");
}

#[tokio::test]
async fn discovery_is_shown_without_a_token_only_where_that_is_wanted() {
    let closed = Served::start(Dialect::Strict).await;
    let open = Settings { discovery_without_token: true, ..Settings::default() };
    let open = Served::with(Dialect::Strict, open).await;
    for path in [
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/Schemas",
        "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
    ] {
        let path = format!("/scim/v2{path}");
        assert_eq!(closed.raw("GET", &path, &[], None).await.refusal(), "401");
        assert_eq!(open.raw("GET", &path, &[], None).await.status, 200, "{path}");
        assert_eq!(open.raw("POST", &path, &[], None).await.refusal(), "405");
        let wrong = [("authorization", "Bearer wrong".to_owned())];
        assert_eq!(open.raw("GET", &path, &wrong, None).await.refusal(), "401", "a wrong token stays wrong");
    }
    assert_eq!(open.raw("GET", "/scim/v2/ResourceTypes/Grant", &[], None).await.refusal(), "404");
    assert_eq!(open.raw("GET", "/scim/v2/Users", &[], None).await.refusal(), "401");
}
