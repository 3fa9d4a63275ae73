//! The outbound client against a server on loopback that plays what its script says.

use std::time::Duration;
use std::time::Instant;

use axum::body::Body;
use jiff::Timestamp;
use serde_json::json;
use url::Url;

use rosterd::client::Client;
use rosterd::client::ClientError;
use rosterd::client::ClientSettings;
use rosterd::client::Credential;
use rosterd::client::Repeat;
use rosterd::client::Request;
use rosterd::client::Secret;
use rosterd::client::TokenAdvice;

use crate::support::script::Reply;
use crate::support::script::ok;
use crate::support::script::reply;
use crate::support::script::serve;
use crate::support::script::token;

fn get(client: &Client, path: &str) -> Request {
    Request::get(client.url(path).unwrap())
}

#[tokio::test]
async fn a_throttled_request_waits_the_decimal_seconds_that_it_is_told() {
    let script = serve(vec![reply(429, &[("retry-after", "1.2")], json!({})), ok()]).await;
    let client = script.client(Credential::None);
    let begin = Instant::now();
    let answer = client.send(get(&client, "/users")).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(begin.elapsed() >= Duration::from_millis(1200), "{:?}", begin.elapsed());
    assert_eq!(client.requests(), 2);
}

#[tokio::test]
async fn a_throttled_request_without_retry_after_waits_for_the_reset_by_the_servers_clock() {
    let date = "Thu, 01 Jan 2015 00:00:00 GMT";
    let reset = Timestamp::from_second(1_420_070_400).unwrap().as_second().to_string();
    let throttled = reply(429, &[("date", date), ("x-rate-limit-reset", &reset)], json!({}));
    let script = serve(vec![throttled, ok()]).await;
    let client = script.client(Credential::None);
    let begin = Instant::now();
    assert_eq!(client.send(get(&client, "/users")).await.unwrap().status, 200);
    assert!(begin.elapsed() >= Duration::from_secs(1), "one second beyond the reset");
}

#[tokio::test]
async fn a_pause_holds_the_other_requests_too() {
    let script = serve(vec![reply(429, &[("retry-after", "1")], json!({})), ok(), ok()]).await;
    let client = script.client(Credential::None);
    let begin = Instant::now();
    let second = async {
        while client.requests() == 0 {
            tokio::task::yield_now().await;
        }
        // The first request is on its way; its 429 comes before this one has waited long.
        while script.answers.lock().unwrap().len() == 3 {
            tokio::task::yield_now().await;
        }
        client.send(get(&client, "/second")).await.unwrap()
    };
    let (first, _) = tokio::join!(client.send(get(&client, "/first")), second);
    assert_eq!(first.unwrap().status, 200);
    assert!(begin.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_wait_beyond_the_longest_ends_the_request() {
    let script = serve(vec![reply(429, &[("retry-after", "3600")], json!({}))]).await;
    let client = script.client(Credential::None);
    let error = client.send(get(&client, "/users?$filter=private")).await.unwrap_err();
    let host = script.base.as_str().trim_start_matches("http://").trim_end_matches('/');
    assert_eq!(
        error.to_string(),
        format!("GET {host}/users: status 429, and the service asks to wait 3600 s, longer than 5 s")
    );
}

#[tokio::test]
async fn a_service_that_comes_back_is_no_error() {
    let script = serve(vec![reply(503, &[], json!({})), reply(500, &[], json!({})), ok()]).await;
    let client = script.client(Credential::None);
    assert_eq!(client.send(get(&client, "/users")).await.unwrap().status, 200);
}

#[tokio::test]
async fn attempts_come_to_an_end() {
    let script =
        serve(vec![reply(502, &[], json!({})), reply(502, &[], json!({})), reply(502, &[], json!({}))]).await;
    let client = script.client(Credential::None);
    let error = client.send(get(&client, "/users")).await.unwrap_err();
    assert!(
        matches!(&error, ClientError::Unavailable { what } if what.ends_with("status 502 after 3 attempts"))
    );
    assert_eq!(client.requests(), 3);
}

#[tokio::test]
async fn a_create_is_not_sent_again_after_a_server_error() {
    let script = serve(vec![reply(500, &[], json!({})), ok()]).await;
    let client = script.client(Credential::None);
    let create = Request::json(http::Method::POST, client.url("/Users").unwrap(), json!({"userName": "ann"}));
    assert_eq!(create.repeat, Repeat::Once);
    assert_eq!(client.send(create).await.unwrap().status, 500);
    assert_eq!(client.requests(), 1);
}

#[tokio::test]
async fn a_create_that_was_throttled_is_sent_again() {
    let script =
        serve(vec![reply(429, &[("retry-after", "1")], json!({})), reply(201, &[], json!({}))]).await;
    let client = script.client(Credential::None);
    let create = Request::json(http::Method::POST, client.url("/Users").unwrap(), json!({"userName": "ann"}));
    assert_eq!(client.send(create).await.unwrap().status, 201);
}

/// A server that takes the request and hangs up.
async fn hang_up() -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut some = [0_u8; 16];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut some).await;
        }
    });
    base
}

#[tokio::test]
async fn a_create_without_an_answer_is_unknown_and_a_read_is_unavailable() {
    let mut settings = ClientSettings::new(hang_up().await, Credential::None);
    settings.backoff = Duration::from_millis(1);
    settings.attempts = 2;
    let client = Client::new(settings).unwrap();
    let create = Request::json(http::Method::POST, client.url("/Users").unwrap(), json!({}));
    assert!(matches!(client.send(create).await, Err(ClientError::Unknown { .. })));
    assert_eq!(client.requests(), 1);
    assert!(matches!(client.send(get(&client, "/Users")).await, Err(ClientError::Unavailable { .. })));
    assert_eq!(client.requests(), 3);
}

#[tokio::test]
async fn nobody_at_home_is_unavailable_for_a_create_too() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let mut settings = ClientSettings::new(base, Credential::None);
    settings.backoff = Duration::from_millis(1);
    settings.attempts = 2;
    let client = Client::new(settings).unwrap();
    let create = Request::json(http::Method::POST, client.url("/Users").unwrap(), json!({}));
    let error = client.send(create).await.unwrap_err();
    assert!(matches!(&error, ClientError::Unavailable { what } if what.contains("no connection")), "{error}");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let script = serve(vec![token("t1", 3599), reply(401, &[], json!({})), token("t2", 3599), ok()]).await;
    let client = script.client(script.secret());
    assert_eq!(client.send(get(&client, "/users")).await.unwrap().status, 200);
    assert_eq!(script.authorizations(), ["", "Bearer t1", "", "Bearer t2"]);
}

#[tokio::test]
async fn a_second_refusal_is_handed_out() {
    let refused = || reply(401, &[], json!({}));
    let script = serve(vec![token("t1", 3599), refused(), token("t2", 3599), refused()]).await;
    let client = script.client(script.secret());
    assert_eq!(client.send(get(&client, "/users")).await.unwrap().status, 401);
    assert_eq!(client.requests(), 2);
}

#[tokio::test]
async fn two_requests_share_one_token() {
    let script = serve(vec![token("t1", 3599), ok(), ok()]).await;
    let client = script.client(script.secret());
    let (one, two) = tokio::join!(client.send(get(&client, "/a")), client.send(get(&client, "/b")));
    assert_eq!((one.unwrap().status, two.unwrap().status), (200, 200));
    let asked = script.paths().iter().filter(|path| path.ends_with("/token")).count();
    assert_eq!(asked, 1);
    let form = script.seen.lock().unwrap()[0].body.clone();
    for part in ["grant_type=client_credentials", "client_id=app-1", "client_secret=hush-hush"] {
        assert!(form.contains(part), "{part}");
    }
    assert!(form.contains("scope=https%3A%2F%2Fgraph.example%2F.default"));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let script = serve(vec![token("t1", 0), ok(), token("t2", 3599), ok()]).await;
    let client = script.client(script.secret());
    client.send(get(&client, "/a")).await.unwrap();
    client.send(get(&client, "/b")).await.unwrap();
    assert_eq!(script.authorizations(), ["", "Bearer t1", "", "Bearer t2"]);
}

#[tokio::test]
async fn a_sign_in_that_is_down_for_a_moment_is_waited_out() {
    let script = serve(vec![reply(503, &[], json!("down")), token("t1", 3599), ok()]).await;
    let client = script.client(script.secret());
    assert_eq!(client.send(get(&client, "/a")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_refused_sign_in_names_the_number_and_the_cure() {
    let refusal = json!({
        "error": "invalid_client",
        "error_description": "AADSTS7000215: Invalid client secret provided. hush-hush",
        "error_codes": [7000215]
    });
    let script = serve(vec![reply(401, &[], refusal)]).await;
    let mut settings = ClientSettings::new(script.base.clone(), script.secret());
    settings.token_cure =
        |_, codes, _| codes.contains(&7000215).then_some(TokenAdvice::Cure("paste the secret's value"));
    let client = Client::new(settings).unwrap();
    let error = client.send(get(&client, "/users")).await.unwrap_err();
    assert!(matches!(&error, ClientError::Denied { cure, .. } if cure == "paste the secret's value"));
    let text = error.to_string();
    assert!(text.contains("invalid_client AADSTS7000215"), "{text}");
    assert!(!text.contains("hush-hush") && !format!("{error:?}").contains("hush-hush"));
}

#[tokio::test]
async fn a_sign_in_that_speaks_another_language_is_refused() {
    let script = serve(vec![reply(200, &[], json!("<html>"))]).await;
    let client = script.client(script.secret());
    assert!(matches!(client.send(get(&client, "/users")).await, Err(ClientError::Denied { .. })));
}

#[tokio::test]
async fn the_next_token_of_a_list_is_tried_and_kept() {
    let script = serve(vec![reply(401, &[], json!({})), ok(), ok()]).await;
    let client = script.client(Credential::Bearer(vec![Secret::new("old"), Secret::new("new")]));
    client.send(get(&client, "/a")).await.unwrap();
    client.send(get(&client, "/b")).await.unwrap();
    assert_eq!(script.authorizations(), ["Bearer old", "Bearer new", "Bearer new"]);
}

#[tokio::test]
async fn a_refused_list_is_handed_out_and_tried_from_its_place_again() {
    let refused = || reply(401, &[], json!({}));
    let script = serve(vec![refused(), refused(), ok()]).await;
    let client = script.client(Credential::Bearer(vec![Secret::new("a"), Secret::new("b")]));
    assert_eq!(client.send(get(&client, "/a")).await.unwrap().status, 401);
    assert_eq!(client.send(get(&client, "/b")).await.unwrap().status, 200);
    assert_eq!(script.authorizations(), ["Bearer a", "Bearer b", "Bearer a"]);
}

#[tokio::test]
async fn a_scheme_of_its_own_is_sent_as_it_is() {
    let script = serve(vec![ok()]).await;
    let ssws = Credential::Header { scheme: "SSWS".to_owned(), secret: Secret::new("00abc") };
    let client = script.client(ssws);
    client.send(get(&client, "/api/v1/apps")).await.unwrap();
    assert_eq!(script.authorizations(), ["SSWS 00abc"]);
}

#[tokio::test]
async fn a_foreign_host_gets_nothing() {
    let (ours, theirs) = (serve(vec![]).await, serve(vec![ok()]).await);
    let client = ours.client(Credential::Bearer(vec![Secret::new("t")]));
    assert!(matches!(client.follow(theirs.base.as_str()), Err(ClientError::ForeignHost { .. })));
    let sent = client.send(Request::get(theirs.base.clone())).await;
    assert!(matches!(sent, Err(ClientError::ForeignHost { .. })));
    assert_eq!(theirs.seen.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let theirs = serve(vec![ok()]).await;
    let ours = serve(vec![reply(302, &[("location", theirs.base.as_str())], json!({}))]).await;
    let client = ours.client(Credential::Bearer(vec![Secret::new("t")]));
    assert_eq!(client.send(get(&client, "/users")).await.unwrap().status, 302);
    assert_eq!(theirs.seen.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let chunk = bytes::Bytes::from(vec![b' '; 1 << 20]);
    let endless = futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
    let endless = Reply { status: 200, headers: vec![], body: Body::from_stream(endless) };
    let script = serve(vec![endless]).await;
    let client = script.client(Credential::None);
    let error = client.send(get(&client, "/users")).await.unwrap_err();
    assert!(
        matches!(&error, ClientError::TooLarge { what } if what.ends_with("larger than 64 MiB")),
        "{error}"
    );
}

#[tokio::test]
async fn a_secret_is_in_no_debug_text() {
    let script = serve(vec![]).await;
    let secrets = [
        script.secret(),
        Credential::Bearer(vec![Secret::new("hush-hush")]),
        Credential::Header { scheme: "SSWS".to_owned(), secret: Secret::new("hush-hush") },
    ];
    for credential in secrets {
        let settings = ClientSettings::new(script.base.clone(), credential);
        assert!(!format!("{settings:?}").contains("hush"));
        let client = Client::new(settings).unwrap();
        assert!(!format!("{client:?}").contains("hush"));
    }
}

#[tokio::test]
async fn a_secret_that_no_header_can_carry_is_named_without_showing_it() {
    let script = serve(vec![]).await;
    let client = script.client(Credential::Bearer(vec![Secret::new("two\nlines")]));
    let error = client.send(get(&client, "/")).await.unwrap_err();
    assert!(matches!(error, ClientError::Invalid { .. }));
    assert!(!error.to_string().contains("lines"));
}
