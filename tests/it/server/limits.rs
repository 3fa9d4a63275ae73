//! What the service takes on (SCIM reference, section 14: S6): each limit is an Error message that names its setting.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use rosterd::scim::Dialect;
use rosterd::server::Limits;
use rosterd::server::Settings;
use serde_json::json;

use super::Got;
use super::Served;
use super::patch;

async fn served(limits: Limits) -> Served {
    Served::with(Dialect::Tolerant, Settings { limits, ..Settings::default() }).await
}

fn check(got: &Got, refusal: &str, setting: &str) {
    assert_eq!(got.refusal(), refusal, "{setting}");
    let detail = got.body["detail"].as_str().expect("a text");
    assert!(detail.contains(&format!("(setting {setting})")), "{detail}");
}

#[tokio::test]
async fn a_request_that_is_too_much_is_refused_with_the_setting_that_says_so() {
    let limits = Limits {
        body_bytes: 4000,
        group_body_bytes: 6000,
        json_depth: 8,
        list_values: 100,
        patch_operations: 3,
        url_bytes: 3000,
        filter_bytes: 300,
        ..Limits::default()
    };
    let served = served(limits).await;
    let ann = format!("/Users/{}", served.made("/Users", json!({"userName": "ann"})).await);
    let team = format!("/Groups/{}", served.made("/Groups", json!({"displayName": "Sales"})).await);
    let long = |bytes: usize| Some(json!({"userName": "x", "displayName": "x".repeat(bytes)}));
    check(&served.call("POST", "/Users", long(4000)).await, "413", "scim.body_bytes");
    check(&served.call("PUT", &ann, long(4000)).await, "413", "scim.body_bytes");
    assert_eq!(
        served.call("PUT", &team, long(5000)).await.status,
        200,
        "a PUT of a group names every member"
    );
    check(&served.call("PUT", &team, long(6000)).await, "413", "scim.group_body_bytes");
    let deep = serde_json::from_str(&format!("{}1{}", "[".repeat(9), "]".repeat(9))).ok();
    check(&served.call("POST", "/Users", deep).await, "400 invalidSyntax", "scim.json_depth");
    let members = json!({"displayName": "x", "members": vec![json!({"value": "1"}); 101]});
    check(&served.call("POST", "/Groups", Some(members)).await, "413", "scim.list_values");
    let operation = json!({"op": "replace", "path": "title", "value": "x"});
    let operations = patch(json!(vec![operation; 4]));
    check(&served.call("PATCH", &ann, operations).await, "413", "scim.patch_operations");
    let url = format!("/Users?ignored={}", "x".repeat(3000));
    check(&served.call("GET", &url, None).await, "414", "scim.url_bytes");
    let filter = format!("/Users?filter=title%20eq%20%22{}%22", "x".repeat(300));
    check(&served.call("GET", &filter, None).await, "400 invalidFilter", "scim.filter_bytes");
}

#[tokio::test]
async fn a_filter_that_asks_too_much_is_refused_with_the_setting_that_says_so() {
    let limits = Limits { filter_depth: 2, filter_comparisons: 3, ..Limits::default() };
    let served = served(limits).await;
    let asked = async |filter: &str| {
        served.call("GET", &format!("/Users?filter={}", filter.replace(' ', "%20")), None).await
    };
    assert_eq!(asked("((title pr and userName pr))").await.status, 200);
    check(&asked("(((title pr)))").await, "400 invalidFilter", "scim.filter_depth");
    assert_eq!(asked("title pr or userName pr or active pr").await.status, 200);
    let four = "title pr or userName pr or active pr or nickName pr";
    check(&asked(four).await, "400 invalidFilter", "scim.filter_comparisons");
}

#[tokio::test]
async fn a_body_that_is_still_coming_when_it_is_too_long_is_answered_all_the_same() {
    let served = served(Limits::default()).await;
    let body = json!({"userName": "x".repeat(8 * 1024 * 1024)});
    check(&served.call("POST", "/Users", Some(body)).await, "413", "scim.body_bytes");
}

#[tokio::test]
async fn pages_are_as_long_as_the_settings_say() {
    let served = served(Limits { page_max: 3, page_default: 2, ..Limits::default() }).await;
    for name in ["ann", "bob", "cyd", "dee"] {
        served.made("/Users", json!({ "userName": name })).await;
    }
    assert_eq!(served.ids("/Users").await.len(), 2);
    assert_eq!(served.ids("/Users?count=100").await.len(), 3, "more is cut, not refused");
    let config = served.call("GET", "/ServiceProviderConfig", None).await.body;
    assert_eq!(config["filter"]["maxResults"], 3);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let served = served(Limits { rate: 1, burst: 2, ..Limits::default() }).await;
    let other = served.token(|wish| wish.tenant = "other".to_owned()).await;
    let asked = join_all((0..20).map(|_| served.call("GET", "/Users", None))).await;
    let refused = asked.iter().find(|got| got.status == 429).expect("twenty at once are too many");
    check(refused, "429", "scim.rate");
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{refused:?}");
    assert!(asked.iter().filter(|got| got.status == 200).count() >= 2, "a burst goes through");
    assert_eq!(served.call_as(&other, "GET", "/Users", None).await.status, 200, "each token has its own");
}

/// `{"userName":"ann"}` and 64 KiB of blanks, as gzip writes them.
const ANN: &str = "H4sIAAAAAAACA6tWKi1OLfJLzE1VslJKzMtTqgUAdlLW+hIAAAA=";
const BLANKS: &str = "H4sIAAAAAAACA+3BgQAAAACAIJX9KRepCgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGqUGSy0AAABAA==";

#[tokio::test]
async fn bodies_may_be_gzip_and_are_counted_when_they_are_unpacked() {
    let served = served(Limits { body_bytes: 4000, ..Limits::default() }).await;
    let post = async |coding: &str, body: Vec<u8>| {
        let headers = [("content-encoding", coding), ("content-type", "application/scim+json")];
        served.send("POST", "/scim/v2/Users", &headers, body).await
    };
    let gzip = |text: &str| STANDARD.decode(text).expect("base64");
    let made = post("gzip", gzip(ANN)).await;
    assert_eq!((made.status, &made.body["userName"]), (201, &json!("ann")), "{made:?}");
    assert!(gzip(BLANKS).len() < 4000);
    check(&post("gzip", gzip(BLANKS)).await, "413", "scim.body_bytes");
    assert_eq!(post("gzip", b"no gzip".to_vec()).await.refusal(), "400 invalidSyntax");
    assert_eq!(post("br", gzip(ANN)).await.refusal(), "415");
}

#[tokio::test]
async fn long_answers_are_gzip_for_whoever_takes_it() {
    let served = served(Limits::default()).await;
    let token = ("authorization", format!("Bearer {}", served.token));
    let headers = [token.clone(), ("accept-encoding", "gzip".to_owned())];
    let got = served.raw("GET", "/scim/v2/Schemas", &headers, None).await;
    assert_eq!((got.status, got.header("content-encoding")), (200, "gzip"));
    let plain = [token, ("accept-encoding", "identity".to_owned())];
    assert_eq!(served.raw("GET", "/scim/v2/Schemas", &plain, None).await.header("content-encoding"), "");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let served = served(Limits { body_wait: Duration::from_millis(50), ..Limits::default() }).await;
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 9\r\nconnection: close\r\n\r\n{{",
        served.token
    );
    let got = served.spoken(head.as_bytes()).await;
    assert!(got.starts_with("HTTP/1.1 408 "), "{got}");
    assert!(got.contains("(setting scim.body_wait)"), "{got}");
}
