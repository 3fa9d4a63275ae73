//! How a client comes to its token: secrets in order, assertions of its own, assertions from a file, one request for
//! all, and what each kind of refusal leads to.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::json;

use rosterd::client::Algorithm;
use rosterd::client::Assertion;
use rosterd::client::Client;
use rosterd::client::ClientAuth;
use rosterd::client::ClientError;
use rosterd::client::KeyName;
use rosterd::client::Request;
use rosterd::client::Secret;
use rosterd::client::TokenAdvice;

use crate::support::keys;
use crate::support::script::Reply;
use crate::support::script::Script;
use crate::support::script::ok;
use crate::support::script::reply;
use crate::support::script::serve;
use crate::support::script::token;

fn get(client: &Client, path: &str) -> Request {
    Request::get(client.url(path).unwrap())
}

fn certified(script: &Script, certificate: &str) -> ClientAuth {
    let pair = keys::pair(certificate);
    let named = KeyName::Thumbprint(pair.certificate);
    let audience = script.token_url();
    let assertion = Assertion::new(pair.key, Algorithm::Ps256, named, "app-1", audience.as_str()).unwrap();
    ClientAuth::Assertion(Box::new(assertion))
}

/// The classes that a service can give its numbers.
fn client(script: &Script, auth: ClientAuth) -> Client {
    let mut settings = script.settings(script.grant(auth).into());
    settings.patience = Duration::from_millis(20);
    settings.token_cure = |_, codes, _| match codes {
        [1] => Some(TokenAdvice::Later),
        [2] => Some(TokenAdvice::Spreading("compare the subjects")),
        [3] => Some(TokenAdvice::Clock("set the clock right")),
        [4] => Some(TokenAdvice::Rest("report this")),
        _ => None,
    };
    Client::new(settings).unwrap()
}

fn refusal(status: u16, error: &str, code: u64) -> Reply {
    reply(status, &[], json!({"error": error, "error_codes": [code]}))
}

fn secrets(all: &[&str]) -> ClientAuth {
    ClientAuth::Secrets(all.iter().map(|secret| Secret::new(*secret)).collect())
}

#[tokio::test]
async fn an_assertion_says_what_the_reference_asks_for_and_is_another_at_each_attempt() {
    let script = serve(vec![reply(503, &[], json!({})), token("t1", 3599), ok()]).await;
    let client = client(&script, certified(&script, "rsa.certificate.pem"));
    let before = Timestamp::now().as_second();
    assert_eq!(client.send(get(&client, "/users")).await.unwrap().status, 200);
    assert_eq!(script.fields("grant_type"), ["client_credentials", "client_credentials"]);
    assert_eq!(script.fields("client_id"), ["app-1", "app-1"]);
    assert_eq!(script.fields("scope")[0], "https://graph.example/.default");
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!(script.fields("client_assertion_type"), [kind, kind]);
    assert_eq!(script.fields("client_secret"), ["", ""]);
    let assertions = script.fields("client_assertion");
    let (header, claims) = keys::unpacked(&assertions[0]);
    let thumbprint = "kDl6Jp9fpAW8KsdeYlhT27YDI174zFkd1RGvsbXHb54";
    assert_eq!(header, json!({"typ": "JWT", "alg": "PS256", "x5t#S256": thumbprint}));
    let made = claims["iat"].as_i64().unwrap();
    assert!((before - 2..=Timestamp::now().as_second()).contains(&made));
    let jti = claims["jti"].as_str().unwrap();
    let expected = json!({"aud": script.token_url().as_str(), "iss": "app-1", "sub": "app-1", "jti": jti,
        "nbf": made, "iat": made, "exp": made + 300});
    assert_eq!(claims, expected);
    assert_ne!(keys::unpacked(&assertions[1]).1["jti"], claims["jti"]);
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_not_sent() {
    let script = serve(vec![]).await;
    for (certificate, text) in [
        (
            "rsa.expired.pem",
            "the certificate has expired on 2021-01-01; make a new pair, upload its certificate",
        ),
        ("rsa.future.pem", "the certificate is good from 2110-01-01 on, and it is "),
    ] {
        let client = client(&script, certified(&script, certificate));
        let error = client.sign_in().await.unwrap_err();
        assert!(matches!(error, ClientError::Denied { .. }));
        assert!(error.to_string().contains(text), "{error}");
    }
    assert_eq!(script.seen().len(), 0);
}

fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_federated_token_is_read_anew_for_every_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    // Tokens without a life are asked for anew at each request.
    let script = serve(vec![token("t1", 0), ok(), token("t2", 0), ok()]).await;
    let client = client(&script, ClientAuth::Federated { place: format!("file:{}", path.display()) });
    put(&path, "first.asser.tion\n");
    client.send(get(&client, "/a")).await.unwrap();
    put(&path, "second.asser.tion\n");
    client.send(get(&client, "/b")).await.unwrap();
    assert_eq!(script.fields("client_assertion"), ["first.asser.tion", "second.asser.tion"]);
    assert_eq!(script.authorizations(), ["", "Bearer t1", "", "Bearer t2"]);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = client.send(get(&client, "/c")).await.unwrap_err();
    let place = path.display();
    assert_eq!(
        error.to_string(),
        format!(
            "the federated token: file:{place} may be read by everybody on this host; run: chmod 600 {place}"
        )
    );
    fs::remove_file(&path).unwrap();
    let text = client.send(get(&client, "/d")).await.unwrap_err().to_string();
    assert!(text.contains("cannot be read (No such file"), "{text}");
    assert!(text.ends_with("; check that whoever issues it still runs"), "{text}");
}

#[tokio::test]
async fn the_next_secret_is_tried_and_kept() {
    let script =
        serve(vec![refusal(401, "invalid_client", 7000222), token("t1", 0), ok(), token("t2", 3599), ok()])
            .await;
    let client = client(&script, secrets(&["old", "new"]));
    client.send(get(&client, "/a")).await.unwrap();
    client.send(get(&client, "/b")).await.unwrap();
    assert_eq!(script.fields("client_secret"), ["old", "new", "new"]);
}

#[tokio::test]
async fn each_secret_of_a_list_is_tried_once() {
    let refused = || refusal(401, "invalid_client", 7000215);
    let script = serve(vec![refused(), refused()]).await;
    let client = client(&script, secrets(&["a", "b"]));
    assert!(matches!(client.sign_in().await, Err(ClientError::Denied { .. })));
    assert_eq!(script.fields("client_secret"), ["a", "b"]);
}

#[tokio::test]
async fn a_refusal_that_no_secret_can_mend_ends_at_once() {
    let script = serve(vec![refusal(400, "unauthorized_client", 700_016)]).await;
    let client = client(&script, secrets(&["a", "b"]));
    let error = client.sign_in().await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("unauthorized_client AADSTS700016; allow this client the client-credentials grant")
    );
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn twenty_who_wait_cost_one_request_for_a_token() {
    let answers = std::iter::once(token("t1", 3599)).chain((0..20).map(|_| ok()));
    let script = serve(answers.collect()).await;
    let client = client(&script, secrets(&["s"]));
    let all = join_all((0..20).map(|at| client.send(get(&client, &format!("/{at}"))))).await;
    assert!(all.into_iter().all(|answer| answer.unwrap().status == 200));
    assert_eq!(script.forms().len(), 1);
    assert_eq!(script.seen().len(), 21);
}

#[tokio::test]
async fn twenty_who_wait_share_a_refusal_too() {
    let script = serve(vec![refusal(401, "invalid_client", 7000215)]).await;
    let client = client(&script, secrets(&["s"]));
    let all = join_all((0..20).map(|_| client.sign_in())).await;
    assert!(all.iter().all(|answer| matches!(answer, Err(ClientError::Denied { .. }))));
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn twenty_refused_requests_cost_one_new_token() {
    let refused = (0..20).map(|_| reply(401, &[], json!({})));
    let answers = std::iter::once(token("t1", 3599)).chain(refused);
    let script = serve(answers.chain([token("t2", 3599)]).chain((0..20).map(|_| ok())).collect()).await;
    let mut settings = script.settings(script.grant(secrets(&["s"])).into());
    settings.concurrency = 20;
    let client = Client::new(settings).unwrap();
    client.sign_in().await.unwrap();
    let all = join_all((0..20).map(|_| client.send(get(&client, "/x")))).await;
    // Whoever was quicker than the new token was answered 401 and came again; nobody asked for a third one.
    assert!(all.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(script.forms().len(), 2);
    let used: BTreeSet<String> = script.authorizations().into_iter().collect();
    assert_eq!(used, BTreeSet::from([String::new(), "Bearer t1".to_owned(), "Bearer t2".to_owned()]));
}

#[tokio::test]
async fn a_claims_challenge_drops_the_token_and_the_request_is_sent_once_more() {
    let challenge = "Bearer realm=\"\", authorization_uri=\"https://login.example/authorize\", \
                     error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"";
    let challenged = || reply(401, &[("www-authenticate", challenge)], json!({}));
    let script = serve(vec![token("t1", 3599), challenged(), token("t2", 3599), ok()]).await;
    let client = client(&script, secrets(&["s"]));
    assert_eq!(client.send(get(&client, "/users")).await.unwrap().status, 200);
    assert_eq!(script.authorizations(), ["", "Bearer t1", "", "Bearer t2"]);
    let script = serve(vec![token("t1", 3599), challenged(), token("t2", 3599), challenged()]).await;
    let client = self::client(&script, secrets(&["s"]));
    assert_eq!(client.send(get(&client, "/users")).await.unwrap().status, 401);
}

fn late(hours: i64) -> (Reply, i64) {
    let theirs = Timestamp::now() + SignedDuration::from_hours(hours);
    let date = theirs.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let body = json!({"error": "invalid_client", "error_codes": [3]});
    (reply(401, &[("date", &date)], body), theirs.as_second())
}

#[tokio::test]
async fn an_assertion_out_of_its_time_is_made_anew_by_the_services_clock() {
    let (refused, theirs) = late(1);
    let script = serve(vec![refused, token("t1", 0), ok(), token("t2", 3599), ok()]).await;
    let client = client(&script, certified(&script, "rsa.certificate.pem"));
    client.send(get(&client, "/a")).await.unwrap();
    client.send(get(&client, "/b")).await.unwrap();
    let made: Vec<i64> = script
        .fields("client_assertion")
        .iter()
        .map(|text| keys::unpacked(text).1["iat"].as_i64().unwrap())
        .collect();
    assert!(made[0] < theirs - 3590, "by our own clock first: {made:?} {theirs}");
    assert!((theirs - 3..theirs + 60).contains(&made[1]), "by the service's: {made:?} {theirs}");
    assert!((theirs - 3..theirs + 60).contains(&made[2]), "and so the next ones: {made:?} {theirs}");
}

#[tokio::test]
async fn a_clock_that_is_still_wrong_is_told_with_its_difference() {
    for (hours, text) in [
        (1, "set the clock right; this host's clock is 3600 s behind the service's"),
        (-2, "set the clock right; this host's clock is 7200 s ahead of the service's"),
        (0, "set the clock right; this host's clock and the service's agree"),
    ] {
        let script = serve(vec![late(hours).0, late(hours).0]).await;
        let client = client(&script, certified(&script, "rsa.certificate.pem"));
        let ClientError::Denied { cure, .. } = client.sign_in().await.unwrap_err() else { panic!("denied") };
        // The answer took a moment.
        assert_eq!(cure.replace("3599", "3600").replace("7201", "7200"), text);
        assert_eq!(script.seen().len(), 2, "made anew once");
    }
}

#[tokio::test]
async fn nobody_can_sign_a_federated_token_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    put(&path, "a.b.c");
    let script = serve(vec![late(1).0]).await;
    let client = client(&script, ClientAuth::Federated { place: format!("file:{}", path.display()) });
    let ClientError::Denied { cure, .. } = client.sign_in().await.unwrap_err() else { panic!("denied") };
    assert!(cure.starts_with("set the clock right; this host's clock is 3"), "{cure}");
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn what_is_still_spreading_is_waited_for_beyond_the_attempts_and_then_refused() {
    let spreading = || refusal(401, "invalid_client", 2);
    let script = serve(vec![spreading(), spreading(), spreading(), spreading(), token("t1", 3599)]).await;
    let client = client(&script, secrets(&["s"]));
    client.sign_in().await.unwrap();
    assert_eq!(script.seen().len(), 5, "more than the three attempts");

    let script = serve((0..50).map(|_| spreading()).collect()).await;
    let client = self::client(&script, secrets(&["s"]));
    let error = client.sign_in().await.unwrap_err();
    assert!(matches!(&error, ClientError::Denied { cure, .. } if cure == "compare the subjects"), "{error}");
    // 20 ms of patience: waits of 1, 2, 4, 8 ms and what is left, with jitter.
    assert!((4..=8).contains(&script.seen().len()), "{}", script.seen().len());
}

#[tokio::test]
async fn whoever_asked_too_often_asks_no_more_for_an_hour() {
    let script = serve(vec![refusal(400, "invalid_request", 4), token("t1", 3599)]).await;
    let client = client(&script, secrets(&["s"]));
    for _ in 0..3 {
        let error = client.sign_in().await.unwrap_err();
        assert!(matches!(&error, ClientError::Denied { cure, .. } if cure == "report this"), "{error}");
    }
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn what_passes_is_waited_out_and_comes_to_an_end() {
    let passing = || refusal(400, "invalid_request", 1);
    let script = serve(vec![passing(), refusal(503, "temporarily_unavailable", 0), token("t1", 3599)]).await;
    client(&script, secrets(&["s"])).sign_in().await.unwrap();
    let script = serve(vec![passing(), passing(), passing()]).await;
    let error = client(&script, secrets(&["s"])).sign_in().await.unwrap_err();
    assert!(
        matches!(&error, ClientError::Unavailable { what } if what.contains("no token after 3 attempts"))
    );
}

#[tokio::test]
async fn after_a_503_the_repeat_takes_a_new_connection() {
    let down = || reply(503, &[], json!({}));
    let script = serve(vec![ok(), ok(), down(), down(), ok(), ok()]).await;
    let client = script.client(rosterd::client::Credential::None);
    for path in ["/a", "/b", "/c", "/d"] {
        assert_eq!(client.send(get(&client, path)).await.unwrap().status, 200);
    }
    let ports: Vec<u16> = script.seen().iter().map(|seen| seen.port).collect();
    assert_eq!(ports.len(), 6);
    assert_eq!(ports[0], ports[1], "two requests share a connection");
    assert_eq!(ports[1], ports[2], "so does the one that is answered 503");
    let apart: BTreeSet<u16> = ports[2..5].iter().copied().collect();
    assert_eq!(apart.len(), 3, "each repeat has a connection of its own: {ports:?}");
}
