//! Signing in to Okta: service applications with every kind of key, tokens that are bound to a key (DPoP), wrong
//! clocks, refusals. The simulated org verifies each assertion and each proof; so does a library that is not ours.

mod recorder;

use jiff::SignedDuration;
use jiff::Timestamp;
use rosterd::client::Secret;
use rosterd::model::Reading;
use rosterd::model::Watermarks;
use rosterd::simulators::OKTA_CLIENT_ID;
use rosterd::simulators::Route;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use rosterd::sources::okta::ServiceApp;
use serde_json::Value;
use serde_json::json;

use recorder::Asked;
use recorder::Played;
use recorder::Recorder;
use recorder::played;
use recorder::recorded;

use super::okta_org::Org;
use super::okta_org::Pulled;
use super::okta_org::Reply;
use super::okta_org::pull;
use super::okta_simulated::Simulation;
use super::okta_simulated::service;
use crate::foreign_jwt::verdicts;
use crate::support::corpus;
use crate::support::keys;

async fn read(source: &OktaSource) -> Result<Pulled, SourceError> {
    pull(source, source.reads(&Watermarks::new(), Reading::Full, Timestamp::now())).await
}

async fn org() -> Simulation {
    Simulation::start(20, 4, Timestamp::now()).await
}

/// The public half of a JWK, as it is registered with the application.
fn registered(name: &str, kid: &str) -> Value {
    let mut key: Value = serde_json::from_str(keys::text(name).reveal()).expect("a JWK");
    let members = key.as_object_mut().expect("an object");
    members.retain(|member, _| ["kty", "crv", "x", "y", "n", "e"].contains(&member.as_str()));
    key["kid"] = json!(kid);
    key
}

#[tokio::test]
async fn rsa_and_ec_keys_sign_in_as_pem_and_as_jwk() {
    let org = org().await;
    org.knobs(|knobs| {
        knobs.service_keys = vec![
            registered("rsa.jwk.json", "rsa-1"),
            registered("ec.p256.jwk.json", "ec-1"),
            registered("ec.p521.jwk.json", "ec-5"),
        ];
    });
    for (file, kid) in [
        ("rsa.pkcs8.pem", "rsa-1"),
        ("rsa.pkcs1.pem", "rsa-1"),
        ("rsa.jwk.json", "rsa-1"),
        ("ec.p256.pkcs8.pem", "ec-1"),
        ("ec.p256.sec1.pem", "ec-1"),
        ("ec.p256.jwk.json", "ec-1"),
        ("ec.p521.pkcs8.pem", "ec-5"),
    ] {
        let mut app = ServiceApp::new(OKTA_CLIENT_ID, keys::text(file));
        app.key_id = Some(kid.to_owned());
        let pulled = read(&org.source(app)).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(!pulled.records.is_empty(), "{file}");
    }
}

/// Two thirds of the way are refusals: without a proof, without a nonce. Each attempt has a new assertion and a new
/// proof, or the org would say that it was used before.
#[tokio::test]
async fn an_org_that_wants_bound_tokens_gets_them_and_a_proof_with_every_request() {
    let org = org().await;
    org.knobs(|knobs| knobs.dpop = true);
    let source = org.source(service());
    let bound = read(&source).await.expect("whole");
    assert_eq!(org.world.counters().of(Route::Token), 3, "a probe, a proof, a proof with the nonce");
    org.knobs(|knobs| knobs.dpop = false);
    let free = read(&org.source(service())).await.expect("whole");
    assert_eq!(org.world.counters().of(Route::Token), 4, "who is not asked for a proof sends none");
    assert_eq!(bound.lines(), free.lines());
}

#[tokio::test]
async fn a_nonce_that_the_api_asks_for_is_sent_from_then_on() {
    for status in [400, 401] {
        let org = org().await;
        org.knobs(|knobs| (knobs.dpop, knobs.dpop_nonce_of_api) = (true, Some(status)));
        let source = org.source(service());
        let first = read(&source).await.expect("whole");
        let sent = source.requests();
        let again = read(&source).await.expect("whole");
        assert_eq!(first.lines(), again.lines());
        assert_eq!(source.requests() - sent, sent - 1, "one request was sent twice, for its nonce");
        assert_eq!(org.world.counters().of(Route::Token), 3, "the token is still good");
    }
}

#[tokio::test]
async fn an_expired_token_and_a_nonce_of_last_week_are_replaced_once() {
    let org = org().await;
    org.knobs(|knobs| knobs.dpop = true);
    let source = org.source(service());
    read(&source).await.expect("whole");
    org.world.set_clock(Timestamp::now() + SignedDuration::from_hours(24 * 7));
    read(&source).await.expect("whole, after a 401 and two more requests for a token");
    // The old nonce is refused, and before that the assertion, which was made by our clock.
    assert_eq!(org.world.counters().of(Route::Token), 3 + 3);
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_hours_is_corrected_by_the_orgs() {
    for hours in [-3, 3] {
        for dpop in [false, true] {
            let org = Simulation::start(20, 4, Timestamp::now() + SignedDuration::from_hours(hours)).await;
            org.knobs(|knobs| knobs.dpop = dpop);
            let outcome = read(&org.source(service())).await;
            assert!(outcome.is_ok(), "{hours} h, DPoP {dpop}: {:?}", outcome.err());
        }
    }
}

/// Each refusal of the simulated org, through the whole client.
#[tokio::test]
async fn each_refusal_tells_the_administrator_what_to_change() {
    let other = || ServiceApp { client_id: "0oaUnknown".to_owned(), ..service() };
    let other_key = || {
        let mut app = ServiceApp::new(OKTA_CLIENT_ID, keys::text("ec.p256.pkcs8.pem"));
        app.key_id = service().key_id;
        app
    };
    let other_kid = || ServiceApp { key_id: Some("unknown".to_owned()), ..service() };
    let key = "register the public half of `private_key` with the application (General, Public keys), make that key active, and set `key_id` to its kid";
    let grant = "grant each scope of `scopes` to the application (Okta API Scopes, as a super administrator), or take out those that it shall not have; `rosterd check` says which are missing";
    let app = "make the application an API Services application whose client authentication is Public key / Private key, and allow it the grant Client Credentials";
    for (turn, app, error, cure) in [
        (
            "",
            other(),
            "invalid_client",
            "check `client_id` (0oa…) and that the application is of this org and active",
        ),
        (
            "unknown",
            other(),
            "invalid_client",
            "check `client_id` (0oa…) and that the application is of this org and active",
        ),
        ("", other_key(), "invalid_client", key),
        ("", other_kid(), "invalid_client", key),
        ("scopes", service(), "invalid_scope", grant),
        ("consent", service(), "consent_required", grant),
        ("app", service(), "unauthorized_client", app),
    ] {
        let org = org().await;
        org.knobs(|knobs| match turn {
            "unknown" => knobs.unknown_client_status = 400,
            "scopes" => knobs.granted_scopes = vec!["okta.apps.read".to_owned()],
            "consent" => knobs.unconsented_scopes = vec!["okta.logs.read".to_owned()],
            "app" => knobs.service_app = false,
            _ => {}
        });
        let told = read(&org.source(app)).await.expect_err("refused").to_string();
        let host = org.host.trim_start_matches("http://");
        assert_eq!(
            told.replace(host, "HOST"),
            format!("POST HOST/oauth2/v1/token: the sign-in was refused: {error}; {cure}")
        );
        assert_eq!(org.world.counters().total(), 1, "it is asked once");
    }
}

#[tokio::test]
async fn a_key_that_cannot_sign_is_refused_before_anything_is_sent() {
    for (key, expected) in [
        ("ed25519.pem", "`private_key` cannot sign in: "),
        ("rsa1024.pem", "`private_key` cannot sign in: "),
        ("rsa.public.pem", "`private_key` cannot sign in: "),
    ] {
        let app = ServiceApp::new(OKTA_CLIENT_ID, keys::text(key));
        let settings = OktaSettings::new("https://acme.okta.com", app, "0oa1").expect("settings");
        let error = OktaSource::new(settings).err().expect("refused").to_string();
        assert!(error.starts_with(expected) && error.contains("; "), "{key}: {error}");
        assert!(!error.contains("BEGIN"), "{error}");
    }
}

fn refusal(error: &str, text: &str) -> Value {
    json!({"error": error, "error_description": text})
}

fn token(kind: &str, nonce: &str) -> Played {
    let body =
        json!({"token_type": kind, "expires_in": 3600, "access_token": "a-token", "scope": "okta.apps.read"});
    played(200, &[("content-type", "application/json"), ("dpop-nonce", nonce)], body)
}

fn dance() -> Vec<Played> {
    let nonce = [("dpop-nonce", "nonce-1")];
    vec![
        played(400, &[], refusal("invalid_dpop_proof", "The DPoP proof JWT header is missing.")),
        played(400, &nonce, refusal("use_dpop_nonce", "Authorization server requires nonce in DPoP proof.")),
        token("DPoP", "nonce-2"),
    ]
}

const TOKEN: &str = "/oauth2/v1/token";

fn claims(jwt: &str) -> Value {
    keys::unpacked(jwt).1
}

/// What a proof has to say, read by PyJWT, which verifies its signature with the key in its own header.
#[tokio::test]
async fn proofs_and_assertions_are_good_for_another_library() {
    let recorder = Recorder::start(dance()).await;
    recorder.source().check().await;
    let assertions = recorder.assertions();
    let proofs = recorder.headers(TOKEN, "dpop");
    let asked: Vec<(String, String, String)> = {
        let asked = recorder.asked.lock().expect("no panic");
        let api = asked.iter().filter(|asked| asked.target != TOKEN);
        let header = |asked: &Asked, name| asked.headers[name].to_str().expect("text").to_owned();
        api.map(|asked| {
            (
                format!("{} {}", asked.method, asked.target),
                header(asked, "authorization"),
                header(asked, "dpop"),
            )
        })
        .collect()
    };
    assert_eq!(proofs[0], "", "the first request asks whether a proof is wanted");
    assert!(asked.iter().all(|(_, authorization, _)| authorization == "DPoP a-token"));
    assert!(asked.len() > 5, "{}", asked.len());

    let proof =
        |jwt: &str| json!({"token": jwt, "algorithm": "ES256", "require": ["iat", "jti", "htm", "htu"]});
    let pem = keys::text("ec.p256.public.pem");
    let assertion = |jwt: &String| {
        json!({"token": jwt, "key": pem.reveal(), "algorithm": "ES256",
        "audience": format!("{}{TOKEN}", recorder.host), "require": ["iss", "sub", "aud", "exp", "iat", "jti"]})
    };
    let own = proofs[1..].iter().map(|jwt| proof(jwt));
    let questions: Vec<Value> = own
        .chain(asked.iter().map(|(_, _, jwt)| proof(jwt)))
        .chain(assertions.iter().map(assertion))
        .collect();
    if let Some(verdicts) = verdicts(&questions) {
        let refused: Vec<&Value> =
            verdicts.iter().filter(|verdict| verdict.get("refused").is_some()).collect();
        assert!(refused.is_empty(), "{refused:?}");
    }

    // And what the reference asks for (okta.md section 2.3).
    let seen: Vec<(&str, Value)> = proofs[1..].iter().map(|jwt| (jwt.as_str(), claims(jwt))).collect();
    assert_eq!((seen[0].1.get("nonce"), &seen[1].1["nonce"]), (None, &json!("nonce-1")));
    for (_, claims) in &seen {
        assert_eq!(
            (&claims["htm"], &claims["htu"]),
            (&json!("POST"), &json!(format!("{}{TOKEN}", recorder.host)))
        );
        assert_eq!(claims.get("ath"), None);
    }
    let mut ids: Vec<Value> = seen.iter().map(|(_, claims)| claims["jti"].clone()).collect();
    for (request, _, jwt) in &asked {
        let (header, claims) = keys::unpacked(jwt);
        let (method, target) = request.split_once(' ').expect("a method");
        let path = target.split('?').next().expect("a path");
        assert_eq!(
            (&claims["htm"], &claims["htu"]),
            (&json!(method), &json!(format!("{}{path}", recorder.host)))
        );
        // base64url(SHA-256("a-token"))
        assert_eq!(claims["ath"], "H2B246R7od7QgCX_4G5XryF8FPlAfzP7pQ-ZsccBk4c");
        assert_eq!(claims.get("nonce"), None, "the API gave none");
        assert_eq!((&header["typ"], header["jwk"].get("d")), (&json!("dpop+jwt"), None));
        assert_eq!(header["jwk"], keys::unpacked(seen[0].0).0["jwk"], "one key for all");
        ids.push(claims["jti"].clone());
    }
    ids.extend(assertions.iter().map(|jwt| claims(jwt)["jti"].clone()));
    let all = ids.len();
    ids.sort_by_key(Value::to_string);
    ids.dedup();
    assert_eq!(ids.len(), all, "no id was used twice");
}

/// The recordings of okta-sdk-python, in their order: no proof, no nonce, a token, a list; then a token that is
/// refused, a new one with the nonce that is known, and the list again.
#[tokio::test]
async fn the_recorded_dance_leads_to_a_token_and_its_renewal_needs_no_nonce_anew() {
    let Some(folder) = corpus() else { return };
    let file = |name: &str| recorded(&folder, name);
    let recorder = Recorder::start(vec![
        file("068-token-dpop-required-400.json"),
        file("065-token-nonce-400.json"),
        file("066-token-dpop-200.json"),
        file("069-token-refresh-200.json"),
    ])
    .await;
    let expired = played(401, &[], refusal("invalid_token", "The access token has expired."));
    recorder.tell(
        "/api/v1/users?limit=1",
        vec![file("067-users-dpop-200.json"), expired, file("070-users-after-refresh-200.json")],
    );
    let source = recorder.source();
    for _ in 0..2 {
        let findings = source.check().await;
        let users = findings.iter().find(|finding| finding.subject == "users").expect("a finding");
        assert_eq!(users.text, "an empty list, and every org has users: our role is too narrow");
    }
    let proofs = recorder.headers(TOKEN, "dpop");
    let nonces: Vec<Option<Value>> =
        proofs[1..].iter().map(|jwt| claims(jwt).get("nonce").cloned()).collect();
    let known = Some(json!("sanitized_dpop_nonce"));
    assert_eq!(nonces, [None, known.clone(), known]);
    assert_eq!(recorder.headers("/api/v1/users", "authorization"), ["DPoP <redacted>"; 3]);
}

#[tokio::test]
async fn a_token_of_another_kind_than_was_asked_for_is_not_used() {
    let mut bearer = dance();
    bearer[2] = token("Bearer", "n");
    let cure = "check that the address of the sign-in service is right, and that nothing changes requests on the way";
    for (tokens, kind) in [
        (bearer, "Bearer, where DPoP was asked for"),
        (vec![token("DPoP", "n")], "DPoP, and none was asked for"),
        (vec![token("mac", "n")], "neither Bearer nor DPoP"),
    ] {
        let recorder = Recorder::start(tokens).await;
        let error = read(&recorder.source()).await.expect_err("refused").to_string();
        let told = error.replace(recorder.host.trim_start_matches("http://"), "HOST");
        assert_eq!(told, format!("POST HOST{TOKEN}: the sign-in gave a token of the kind {kind}; {cure}"));
        assert_eq!(recorder.headers("/api/v1/apps/0oa1", "authorization"), Vec::<String>::new());
    }
}

/// The org asks for a nonce and gives the same one for ever: it is sent once, and then a person is told.
#[tokio::test]
async fn a_nonce_that_is_never_right_ends_the_sign_in() {
    let nonce = [("dpop-nonce", "nonce-1")];
    let again = || {
        played(400, &nonce, refusal("use_dpop_nonce", "Authorization server requires nonce in DPoP proof."))
    };
    let recorder = Recorder::start(vec![again(), again(), again(), again()]).await;
    let error = read(&recorder.source()).await.expect_err("refused").to_string();
    assert!(
        error.contains("the sign-in was refused: use_dpop_nonce; something between rosterd and the org"),
        "{error}"
    );
    assert!(recorder.headers(TOKEN, "dpop").len() <= 3);
}

/// A 401 that is about a feature says nothing of the token (okta/059 of the corpus).
#[tokio::test]
async fn a_feature_that_is_off_costs_no_new_token() {
    let recorder = Recorder::start(dance()).await;
    let off = json!({"errorCode": "E0000015", "errorSummary": "no"});
    recorder.tell("/api/v1/apps/0oa1/group-push/mappings?limit=1", vec![played(401, &[], off)]);
    let findings = recorder.source().check().await;
    let push = findings.iter().find(|finding| finding.subject == "group push").expect("a finding");
    assert!(push.text.starts_with("not available ("), "{}", push.text);
    assert_eq!(recorder.headers(TOKEN, "dpop").len(), 3);
}

/// The two names of loopback stand for the two names of an org, of which the settings name one.
#[tokio::test]
async fn a_link_to_a_sibling_is_followed_only_where_the_settings_name_it() {
    let org = Org::start().await;
    let sibling = org.host.replacen("127.0.0.1", "localhost", 1);
    org.tell("/api/v1/apps/0oa1", Reply::ok(json!({"id": "0oa1", "status": "ACTIVE"})));
    let next = format!("<{sibling}/api/v1/apps/0oa1/users?limit=500&expand=user&after=x>; rel=\"next\"");
    org.tell("/api/v1/apps/0oa1/users?limit=500&expand=user", Reply::ok(json!([])).header("link", &next));
    org.tell("/api/v1/apps/0oa1/users?limit=500&expand=user&after=x", Reply::ok(json!([])));
    org.tell("/api/v1/apps/0oa1/groups?limit=200&expand=group", Reply::ok(json!([])));
    let error = read(&org.source("0oa1")).await.expect_err("refused").to_string();
    assert!(error.contains("which is not it; nothing was sent there"), "{error}");
    let name = sibling.trim_start_matches("http://").to_owned();
    let settings = org.settings("0oa1").with_also_hosts(vec![name]).expect("a host");
    read(&OktaSource::new(settings).expect("a source")).await.expect("whole");
}

/// P11: neither key nor token shows in what a source says of itself.
#[tokio::test]
async fn neither_key_nor_token_is_shown() {
    let settings = OktaSettings::new("https://acme.okta.com", service(), "0oa1").expect("settings");
    let shown = format!("{settings:?}");
    assert!(!shown.contains("BEGIN") && !shown.contains("MIGH"), "{shown}");
    let settings =
        OktaSettings::new("https://acme.okta.com", Secret::new("00secret"), "0oa1").expect("settings");
    assert!(!format!("{settings:?}").contains("00secret"));
}
