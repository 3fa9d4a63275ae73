//! Okta: API tokens, the token endpoint and what it refuses (okta.md sections 2.1 and 2.2).

use rosterd::simulators::API_TOKEN;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::OKTA_CLIENT_ID;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::morning;
use super::okta_keys::Key;
use super::okta_keys::READ;
use super::okta_keys::ask;
use super::okta_keys::ask_well;
use super::okta_keys::bearer;
use super::okta_keys::claims;
use super::okta_keys::header;
use super::okta_keys::once;
use super::okta_keys::told;
use super::okta_with;
use super::own;

async fn served() -> Served {
    Served::okta(okta_with(&["ann@x.example"], &["Team"])).await
}

#[tokio::test]
async fn an_api_token_dies_with_its_maker_of_disuse_and_behind_a_wrong_scheme() {
    let mut served = served().await;
    served.world.set_clock(morning());
    served.ok("/api/v1/users").await;
    served.world.turn("token_creator_active=false").unwrap();
    let (status, body) = served.get("/api/v1/users").await;
    assert_eq!((status, &body["errorCode"]), (401, &json!("E0000011")));
    assert_eq!(body["errorSummary"], "Invalid token provided");

    served.world.turn("token_creator_active=true").unwrap();
    served.world.set_clock("2026-04-01T07:00:00Z".parse().unwrap());
    served.ok("/api/v1/users").await;
    served.world.set_clock("2026-05-02T08:00:00Z".parse().unwrap());
    assert_eq!(served.get("/api/v1/users").await.0, 401);

    let token = bearer(&served, READ).await;
    for (credentials, expected) in [
        (format!("SSWS {token}"), (401, "E0000011")),
        (format!("Bearer {API_TOKEN}"), (401, "E0000011")),
        (own("Basic eDp5"), (403, "E0000005")),
        (own("nonsense"), (403, "E0000005")),
    ] {
        served.credentials = credentials;
        let (status, body) = served.get("/api/v1/users").await;
        assert_eq!((status, body["errorCode"].as_str().unwrap()), expected);
    }
}

#[tokio::test]
async fn outside_its_network_zone_a_token_is_refused_as_the_knob_says() {
    let served = served().await;
    for (status, code) in [(401, "E0000011"), (403, "E0000006")] {
        served.world.turn(&format!("outside_network={status}")).unwrap();
        let (told, body) = served.get("/api/v1/users").await;
        assert_eq!((told, body["errorCode"].as_str().unwrap()), (status, code));
    }
}

#[tokio::test]
async fn the_api_token_tells_of_itself() {
    let served = served().await;
    let token = served.ok("/api/v1/api-tokens/00T5imulatedToken001").await;
    assert_eq!((&token["clientName"], &token["tokenWindow"]), (&json!("Okta API"), &json!("P30D")));
    assert_eq!(token["network"], json!({ "connection": "ANYWHERE" }));
    assert_eq!(served.get("/api/v1/api-tokens/00TNobody").await.0, 404);
}

#[tokio::test]
async fn a_good_assertion_gives_a_token_for_an_hour_that_opens_what_its_scopes_name() {
    let mut served = served().await;
    served.world.set_clock(morning());
    let answer = ask_well(&served, &[], &[("scope", Some("okta.groups.read okta.users.read"))]).await;
    assert_eq!(answer.headers()["x-rate-limit-limit"], "100000");
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(body["scope"], "okta.groups.read okta.users.read");
    let token = body["access_token"].as_str().unwrap();
    served.credentials = format!("Bearer {token}");
    served.ok("/api/v1/groups").await;
    served.ok("/api/v1/users").await;

    let answer = served.send(&format!("/api/v1/apps/{OKTA_APP_ID}")).await.unwrap();
    assert_eq!(answer.status(), 403);
    let told = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert_eq!(
        told,
        format!(
            "Bearer authorization_uri=\"{base}/oauth2/v1/authorize\", realm=\"{base}\", scope=\"okta.apps.read\", \
             error=\"insufficient_scope\", error_description=\"The access token provided does not contain the required \
             scopes.\", resource=\"/api/v1/apps/{OKTA_APP_ID}\"",
            base = served.base
        )
    );
    assert_eq!(answer.bytes().await.unwrap().len(), 0);

    served.world.set_clock("2026-03-02T09:00:00Z".parse().unwrap());
    let answer = served.send("/api/v1/groups").await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(answer.headers()["www-authenticate"].to_str().unwrap().contains("error=\"invalid_token\""));
}

#[tokio::test]
async fn rsa_keys_and_several_keys_are_told_apart_by_their_id() {
    let served = served().await;
    let (one, other) = (Key::rsa(), Key::registered());
    let mut knobs = served.world.knobs();
    let mut jwk = one.jwk();
    jwk["kid"] = json!("second");
    knobs.okta.service_keys.push(jwk);
    served.world.set_knobs(knobs);
    for (key, head, expected) in [
        (&one, json!({ "alg": "RS256", "kid": "second" }), ""),
        (&other, header(), ""),
        (&other, json!({ "alg": "ES256" }), "The client_assertion JWT kid is invalid."),
        (&other, json!({ "alg": "ES256", "kid": "third" }), "The client_assertion JWT kid is invalid."),
        (&other, json!({ "alg": "ES256", "kid": "second" }), "The client_assertion signature is invalid."),
    ] {
        let answer = ask(&served, &key.sign(&head, &claims(&served)), &[], &[]).await;
        assert_eq!(told(answer).await.2, expected, "{head}");
    }
}

/// One good claim or header replaced, and what the org says of it.
#[tokio::test]
async fn every_fault_of_an_assertion_is_named() {
    let served = served().await;
    served.world.set_clock(morning());
    let now = morning().as_second();
    let twice = once();
    let audience = "The audience claim for client_assertion must be the endpoint invoked for the request.";
    let future = "The client_assertion token is issued in the future.";
    for (part, name, value, expected) in [
        ("claims", "jti", json!(twice), ""),
        ("claims", "jti", json!(twice), "The client_assertion token has already been used."),
        ("claims", "aud", json!(served.base), audience),
        ("claims", "aud", json!("https://acme.okta.com/oauth2/v1/token"), audience),
        ("claims", "aud", Value::Null, audience),
        ("claims", "exp", Value::Null, "The client_assertion token must contain an expiration."),
        ("claims", "exp", json!(now), "The client_assertion token is expired."),
        ("claims", "exp", json!(now + 3600), ""),
        (
            "claims",
            "exp",
            json!(now + 3601),
            "The client_assertion token has an expiration too far into the future.",
        ),
        ("claims", "iat", json!(now + 1), future),
        ("claims", "nbf", json!(now + 1), future),
        (
            "claims",
            "iss",
            json!("0oaSomebodyElse00000"),
            "The issuer and subject of the client_assertion must be the client_id.",
        ),
        ("header", "alg", json!("none"), "The client_assertion signature is invalid."),
        ("header", "alg", json!("HS256"), "The client_assertion signature is invalid."),
        ("header", "alg", json!("ES384"), "The client_assertion signature is invalid."),
    ] {
        let (mut head, mut body) = (header(), claims(&served));
        if part == "claims" {
            body[name] = value
        } else {
            head[name] = value
        }
        let (status, error, text) =
            told(ask(&served, &Key::registered().sign(&head, &body), &[], &[]).await).await;
        let status_expected = if expected.is_empty() { (200, "") } else { (401, "invalid_client") };
        assert_eq!(((status, error.as_str()), text.as_str()), (status_expected, expected), "{part} {name}");
    }
    let strange = Key::fresh().sign(&header(), &claims(&served));
    assert_eq!(
        told(ask(&served, &strange, &[], &[]).await).await.2,
        "The client_assertion signature is invalid."
    );
    let parsed = told(ask(&served, "a.b", &[], &[]).await).await;
    assert_eq!(parsed.2, "The parsing of the client_assertion failed.");
}

#[tokio::test]
async fn an_unknown_client_is_refused_as_the_knob_says() {
    let served = served().await;
    let mut body = claims(&served);
    body["iss"] = json!("0oaSomebodyElse00000");
    body["sub"] = body["iss"].clone();
    let assertion = Key::registered().sign(&header(), &body);
    assert_eq!(told(ask(&served, &assertion, &[], &[]).await).await.0, 401);
    served.world.turn("unknown_client_status=400").unwrap();
    let (status, error, text) = told(ask(&served, &assertion, &[], &[]).await).await;
    assert_eq!((status, error.as_str()), (400, "invalid_client"));
    assert_eq!(text, "Invalid value for 'client_id' parameter.");
}

/// A field of the form replaced or left out, and what the org says of it.
#[tokio::test]
async fn every_fault_of_a_token_request_is_named() {
    let served = served().await;
    served.world.turn("unconsented_scopes=okta.logs.read").unwrap();
    let method = "Client Credentials requests to the Org Authorization Server must use the private_key_jwt \
                  token_endpoint_auth_method.";
    let scope = "One or more scopes are not configured for the authorization server resource.";
    for (field, value, expected) in [
        (
            "grant_type",
            Some("password"),
            (
                400,
                "unsupported_grant_type",
                "The authorization grant type is not supported by the authorization server.",
            ),
        ),
        ("grant_type", None, (400, "invalid_request", "The request has no 'grant_type' parameter.")),
        ("client_secret", Some("x"), (401, "invalid_client", method)),
        ("client_assertion", None, (401, "invalid_client", method)),
        (
            "client_assertion_type",
            Some("x"),
            (400, "invalid_request", "The client_assertion_type is invalid."),
        ),
        ("client_id", Some("0oaOther"), (401, "invalid_client", "Invalid value for 'client_id' parameter.")),
        ("scope", Some("okta.users.manage"), (400, "invalid_scope", scope)),
        ("scope", Some("openid"), (400, "invalid_scope", scope)),
        (
            "scope",
            Some("okta.logs.read"),
            (400, "consent_required", "The scope requires consent, and none was given."),
        ),
        ("client_id", Some(OKTA_CLIENT_ID), (200, "", "")),
    ] {
        let (status, error, text) = told(ask_well(&served, &[], &[(field, value)]).await).await;
        assert_eq!((status, error.as_str(), text.as_str()), expected, "{field}={value:?}");
    }
    assert_eq!(told(ask_well(&served, &[], &[("scope", None)]).await).await.1, "invalid_scope");

    let json = served.http.post(served.url("/oauth2/v1/token")).json(&json!({})).send().await.unwrap();
    assert_eq!(told(json).await.1, "invalid_request");
    assert_eq!(served.http.get(served.url("/oauth2/v1/token")).send().await.unwrap().status(), 403);
    served.world.turn("service_app=false").unwrap();
    assert_eq!(told(ask_well(&served, &[], &[]).await).await.1, "unauthorized_client");
}
