//! Graph: the token endpoint and the agents of managed identities (graph.md section 2).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use aws_lc_rs::signature::RSA_PSS_SHA256;
use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::Response;
use rosterd::simulators::AssertionClock;
use rosterd::simulators::CLIENT_ID;
use rosterd::simulators::CLIENT_SECRET;
use rosterd::simulators::Fault;
use rosterd::simulators::Federated;
use rosterd::simulators::GraphKnobs;
use rosterd::simulators::Route;
use rosterd::simulators::TENANT;
use rosterd::simulators::Trouble;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::graph_with;
use super::morning;
use super::own;
use crate::support::keys;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SCOPE: &str = "https://graph.microsoft.com/.default";

async fn served() -> Served {
    Served::of(graph_with(&["ann@x.example"], &[])).await
}

/// Turns knobs of Graph.
fn turn(served: &Served, change: impl FnOnce(&mut GraphKnobs)) {
    let mut knobs = served.world.knobs();
    change(&mut knobs.graph);
    served.world.set_knobs(knobs);
}

/// Posts exactly these fields to the token endpoint of a tenant.
async fn post(served: &Served, tenant: &str, fields: &[(&str, &str)]) -> Response {
    let url = format!("{}/{tenant}/oauth2/v2.0/token", served.base);
    served.http.post(url).form(fields).send().await.unwrap()
}

/// Status, `error` and the AADSTS number of a refusal; zero where there is a token.
async fn outcome(answer: Response) -> (u16, String, u64) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (status, text("error"), body["error_codes"][0].as_u64().unwrap_or(0))
}

fn pem(name: &str) -> String {
    std::fs::read_to_string(keys::path(name)).unwrap()
}

/// Thumbprints are of the DER, which is all of the PEM between its lines.
fn thumbprint(certificate: &str, algorithm: &'static aws_lc_rs::digest::Algorithm) -> String {
    let body: String = pem(certificate)
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN CERT"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    let der = STANDARD.decode(body).unwrap();
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(algorithm, &der))
}

fn signed(header: &Value, claims: &Value) -> String {
    let pkcs8: String = pem("rsa.pkcs8.pem").lines().filter(|line| !line.starts_with("-----")).collect();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(pkcs8).unwrap()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    let algorithm = if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
    key.sign(algorithm, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header() -> Value {
    let thumbprint = thumbprint("rsa.certificate.pem", &aws_lc_rs::digest::SHA256);
    json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint })
}

fn claims(served: &Served, now: Timestamp) -> Value {
    let (nbf, exp) = (now.as_second(), now.as_second() + 300);
    let aud = format!("{}/{TENANT}/oauth2/v2.0/token", served.base);
    json!({ "aud": aud, "iss": CLIENT_ID, "sub": CLIENT_ID, "jti": "1", "nbf": nbf, "iat": nbf, "exp": exp })
}

async fn assert_with(served: &Served, assertion: &str) -> (u16, String, u64) {
    let fields = [
        ("grant_type", "client_credentials"),
        ("scope", SCOPE),
        ("client_id", CLIENT_ID),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    outcome(post(served, TENANT, &fields).await).await
}

fn refused(status: u16, error: &str, code: u64) -> (u16, String, u64) {
    (status, error.to_owned(), code)
}

fn taken() -> (u16, String, u64) {
    refused(200, "", 0)
}

#[tokio::test]
async fn a_certificate_signs_in_by_its_new_and_by_its_old_thumbprint() {
    let served = served().await;
    turn(&served, |knobs| {
        knobs.certificates = vec![pem("other.certificate.pem"), pem("rsa.certificate.pem")]
    });
    let now = Timestamp::now();
    assert_eq!(assert_with(&served, &signed(&header(), &claims(&served, now))).await, taken());
    let sha1 = thumbprint("rsa.certificate.pem", &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY);
    let old = json!({ "alg": "RS256", "typ": "JWT", "x5t": sha1 });
    assert_eq!(assert_with(&served, &signed(&old, &claims(&served, now))).await, taken());
}

#[tokio::test]
async fn an_assertion_that_is_wrong_anywhere_is_refused() {
    let served = served().await;
    turn(&served, |knobs| knobs.certificates = vec![pem("rsa.certificate.pem")]);
    let now = Timestamp::now();
    let no_signature = refused(401, "invalid_client", 700_027);
    let out_of_time = refused(401, "invalid_client", 700_024);
    let with = |name: &str, value: Value| {
        let mut claims = claims(&served, now);
        claims[name] = value;
        signed(&header(), &claims)
    };
    for (what, assertion, expected) in [
        ("another audience", with("aud", json!("https://elsewhere.example/token")), &no_signature),
        ("another subject", with("sub", json!("somebody")), &no_signature),
        ("no jti", with("jti", Value::Null), &no_signature),
        ("expired", with("exp", json!(now.as_second() - 400)), &out_of_time),
        ("not yet", with("nbf", json!(now.as_second() + 400)), &out_of_time),
        ("an issuer nobody federated", with("iss", json!("x")), &refused(401, "invalid_client", 70_021)),
        ("nonsense", own("a.b"), &refused(400, "invalid_request", 50_027)),
        (
            "the thumbprint of another certificate",
            signed(
                &json!({ "alg": "PS256", "typ": "JWT",
                         "x5t#S256": thumbprint("other.certificate.pem", &aws_lc_rs::digest::SHA256) }),
                &claims(&served, now),
            ),
            &no_signature,
        ),
        (
            "an algorithm that Entra does not take",
            signed(
                &json!({ "alg": "RS512", "typ": "JWT", "x5t#S256": header()["x5t#S256"] }),
                &claims(&served, now),
            ),
            &no_signature,
        ),
    ] {
        assert_eq!(assert_with(&served, &assertion).await, *expected, "{what}");
    }
    let (text, signature) =
        signed(&header(), &claims(&served, now)).rsplit_once('.').map(|(a, b)| (own(a), own(b))).unwrap();
    let other = signed(&header(), &with_jti(&claims(&served, now), "2"));
    let mixed = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    assert_ne!(mixed, format!("{text}.{signature}"));
    assert_eq!(assert_with(&served, &mixed).await, no_signature);

    turn(&served, |knobs| knobs.certificates = vec![pem("rsa.expired.pem")]);
    let expired = json!({ "alg": "PS256", "typ": "JWT",
                          "x5t#S256": thumbprint("rsa.expired.pem", &aws_lc_rs::digest::SHA256) });
    assert_eq!(assert_with(&served, &signed(&expired, &claims(&served, now))).await, no_signature);
}

fn with_jti(claims: &Value, jti: &str) -> Value {
    let mut claims = claims.clone();
    claims["jti"] = json!(jti);
    claims
}

#[tokio::test]
async fn knobs_move_the_clock_of_the_endpoint_and_take_a_jti_once() {
    let served = served().await;
    let now = Timestamp::now();
    turn(&served, |knobs| {
        knobs.certificates = vec![pem("rsa.certificate.pem")];
        knobs.jti_once = true;
    });
    let assertion = signed(&header(), &claims(&served, now));
    assert_eq!(assert_with(&served, &assertion).await, taken());
    assert_eq!(assert_with(&served, &assertion).await.2, 700_027);

    turn(&served, |knobs| knobs.clock_skew_seconds = 3600);
    let later = signed(&header(), &with_jti(&claims(&served, now), "2"));
    assert_eq!(assert_with(&served, &later).await.2, 700_024);
    turn(&served, |knobs| {
        knobs.clock_skew_seconds = 0;
        knobs.assertion_clock = AssertionClock::World;
    });
    served.world.set_clock(morning());
    assert_eq!(assert_with(&served, &later).await.2, 700_024);
    let then = signed(&header(), &with_jti(&claims(&served, morning()), "3"));
    assert_eq!(assert_with(&served, &then).await, taken());
}

#[tokio::test]
async fn a_federated_assertion_needs_issuer_subject_audience_and_rs256() {
    let served = served().await;
    let issuer = "https://oidc.cluster.example";
    let subject = "system:serviceaccount:sync:rosterd";
    turn(&served, |knobs| {
        knobs.federated =
            Federated { issuer: own(issuer), subject: own(subject), keys: vec![pem("rsa.public.pem")] };
    });
    let now = Timestamp::now().as_second();
    let claims = |aud: Value, sub: &str| json!({ "iss": issuer, "sub": sub, "aud": aud, "iat": now, "exp": now + 600 });
    let rs256 = json!({ "alg": "RS256", "typ": "JWT", "kid": "k" });
    let exchange = json!(["api://AzureADTokenExchange"]);
    let right = signed(&rs256, &claims(exchange.clone(), subject));
    assert_eq!(assert_with(&served, &right).await, taken());
    let wrong_subject = signed(&rs256, &claims(exchange.clone(), "system:serviceaccount:x:y"));
    assert_eq!(assert_with(&served, &wrong_subject).await.2, 70_021);
    let wrong_audience = signed(&rs256, &claims(json!("api://x"), subject));
    assert_eq!(assert_with(&served, &wrong_audience).await.2, 700_213);
    let ps256 = signed(&json!({ "alg": "PS256", "typ": "JWT" }), &claims(exchange, subject));
    assert_eq!(assert_with(&served, &ps256).await.2, 700_027);
}

#[tokio::test]
async fn a_request_that_is_wrong_is_told_by_its_number() {
    let served = served().await;
    let grant = ("grant_type", "client_credentials");
    let (id, secret) = (("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET));
    let scope = ("scope", SCOPE);
    let two = format!("{SCOPE} {SCOPE}");
    for (tenant, fields, expected) in [
        (TENANT, vec![grant, id, secret, scope], taken()),
        ("acme.example", vec![grant, id, secret, scope], taken()),
        (TENANT, vec![id, secret, scope], refused(400, "unsupported_grant_type", 70_003)),
        (TENANT, vec![grant, secret, scope], refused(400, "invalid_request", 900_144)),
        (
            TENANT,
            vec![grant, ("client_id", "x"), secret, scope],
            refused(400, "unauthorized_client", 700_016),
        ),
        (TENANT, vec![grant, id, ("client_secret", "x"), scope], refused(401, "invalid_client", 7_000_215)),
        (TENANT, vec![grant, id, scope], refused(401, "invalid_request", 7_000_218)),
        (TENANT, vec![grant, id, secret], refused(400, "invalid_scope", 70_011)),
        (TENANT, vec![grant, id, secret, ("scope", "User.Read.All")], refused(400, "invalid_scope", 70_011)),
        (TENANT, vec![grant, id, secret, ("scope", &two)], refused(400, "invalid_scope", 28_002)),
        (
            TENANT,
            vec![grant, id, secret, ("scope", "https://graph.microsoft.us/.default")],
            refused(400, "invalid_resource", 500_011),
        ),
        ("common", vec![grant, id, secret, scope], refused(400, "invalid_request", 9_001_023)),
        ("other.example", vec![grant, id, secret, scope], refused(400, "invalid_request", 90_002)),
    ] {
        assert_eq!(outcome(post(&served, tenant, &fields).await).await, expected, "{tenant} {fields:?}");
    }
    turn(&served, |knobs| knobs.cloud = own("usgov-l4"));
    let fields = [grant, id, secret, ("scope", "https://graph.microsoft.us/.default")];
    assert_eq!(outcome(post(&served, TENANT, &fields).await).await, taken());
    turn(&served, |knobs| knobs.client_disabled = true);
    assert_eq!(outcome(post(&served, TENANT, &fields).await).await.2, 7_000_112);
    turn(&served, |knobs| {
        knobs.client_disabled = false;
        knobs.secret_expires = Some(morning());
    });
    assert_eq!(outcome(post(&served, TENANT, &fields).await).await.2, 7_000_222);
}

/// The rows of section 2.6, as a fault may ask for them.
#[tokio::test]
async fn every_refusal_of_the_table_can_be_had() {
    let served = served().await;
    for (code, error) in [
        (7_000_215, "invalid_client"),
        (7_000_222, "invalid_client"),
        (7_000_218, "invalid_request"),
        (700_016, "unauthorized_client"),
        (700_011, "unauthorized_client"),
        (7_000_112, "unauthorized_client"),
        (70_001, "unauthorized_client"),
        (90_002, "invalid_request"),
        (90_038, "invalid_request"),
        (900_382, "invalid_client"),
        (900_432, "invalid_client"),
        (700_027, "invalid_client"),
        (50_012, "invalid_client"),
        (900_384, "invalid_client"),
        (700_030, "invalid_client"),
        (700_024, "invalid_client"),
        (500_133, "invalid_client"),
        (70_021, "invalid_client"),
        (70_011, "invalid_scope"),
        (700_022, "invalid_scope"),
        (700_023, "invalid_scope"),
        (28_002, "invalid_scope"),
        (500_011, "invalid_resource"),
        (50_001, "invalid_resource"),
        (65_001, "invalid_grant"),
        (650_056, "invalid_grant"),
        (90_094, "invalid_grant"),
        (53_003, "invalid_grant"),
        (530_035, "invalid_grant"),
        (530_032, "invalid_grant"),
        (50_196, "invalid_grant"),
        (90_006, "temporarily_unavailable"),
        (90_012, "temporarily_unavailable"),
        (90_024, "temporarily_unavailable"),
        (90_033, "temporarily_unavailable"),
        (90_055, "temporarily_unavailable"),
        (90_090, "temporarily_unavailable"),
        (50_034, "invalid_grant"),
    ] {
        served.world.fault(Fault::next(Route::Token, Trouble::Aadsts { code }));
        let answer = served.token(&[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
        assert!(answer.status().as_u16() >= 400);
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["error"], &body["error_codes"]), (&json!(error), &json!([code])));
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        assert!(description.contains("\r\nTrace ID: ") && description.contains("\r\nTimestamp: "));
    }
}

#[tokio::test]
async fn a_token_tells_its_roles_and_without_consent_it_has_none() {
    let served = served().await;
    let claims = async || {
        let answer = served.token(&[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
        let body: Value = answer.json().await.unwrap();
        keys::unpacked(body["access_token"].as_str().unwrap()).1
    };
    let first = claims().await;
    assert_eq!(first["aud"], "https://graph.microsoft.com");
    assert!(first["roles"].as_array().unwrap().contains(&json!("User.Read.All")));
    assert!(first["oid"].is_string());
    turn(&served, |knobs| {
        knobs.permissions.clear();
        knobs.identity_unknown = Some(401);
    });
    let bare = claims().await;
    assert_eq!((bare.get("roles"), bare.get("oid")), (None, None));
}

#[tokio::test]
async fn the_metadata_service_wants_its_header_and_one_identity() {
    let served = served().await;
    let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://graph.microsoft.com/";
    let ask = async |more: &str, header: Option<&str>| {
        let request = served.http.get(served.url(&format!("{path}{more}")));
        let answer = match header {
            Some(value) => request.header("Metadata", value).send().await.unwrap(),
            None => request.send().await.unwrap(),
        };
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    for header in [None, Some("True"), Some("false")] {
        let (status, body) = ask("", header).await;
        assert_eq!((status, &body["error"]), (400, &json!("bad_request_102")), "{header:?}");
    }
    let (status, body) = ask("", Some("true")).await;
    assert_eq!(status, 200);
    for (name, value) in [
        ("refresh_token", ""),
        ("expires_in", "3599"),
        ("resource", "https://graph.microsoft.com/"),
        ("token_type", "Bearer"),
    ] {
        assert_eq!(body[name], value, "{name}");
    }
    assert!(body["expires_on"].as_str().unwrap().parse::<i64>().is_ok());
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let answer =
        served.http.get(served.url("/v1.0/users")).header("authorization", bearer).send().await.unwrap();
    assert_eq!(answer.status(), 200);

    turn(&served, |knobs| knobs.identities = vec![own("one"), own("two")]);
    assert_eq!(ask("", Some("true")).await.0, 400);
    assert_eq!(ask("&client_id=three", Some("true")).await.0, 400);
    assert_eq!(ask("&client_id=two", Some("true")).await.0, 200);
    for status in [404, 410, 429, 500] {
        served.world.fault(Fault::next(Route::Imds, Trouble::Status { status, retry_after: None }));
        assert_eq!(ask("&client_id=two", Some("true")).await.0, status);
    }
    assert_eq!(served.world.counters().of(Route::Imds), 11);
}

#[tokio::test]
async fn the_arc_agent_is_answered_with_what_its_key_file_says() {
    let served = served().await;
    let directory = tempfile::tempdir().unwrap();
    let path = "/metadata/identity/oauth2/token?api-version=2020-06-01&resource=https://graph.microsoft.com";
    let request = || served.http.get(served.url(path)).header("Metadata", "true");
    assert_eq!(request().send().await.unwrap().status(), 404);
    turn(&served, |knobs| knobs.arc_directory = Some(directory.path().to_str().unwrap().to_owned()));
    let challenge = request().send().await.unwrap();
    assert_eq!(challenge.status(), 401);
    let realm = challenge.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let file = realm.strip_prefix("Basic realm=").unwrap();
    assert!(file.ends_with(".key"));
    let key = std::fs::read_to_string(file).unwrap();
    let shown = |key: &str| request().header("Authorization", format!("Basic {key}")).send();
    assert_eq!(shown(&key).await.unwrap().status(), 200);
    // A key is good once.
    assert_eq!(shown(&key).await.unwrap().status(), 401);
    assert_eq!(served.world.counters().of(Route::Arc), 4);
}
