//! Okta: proofs of possession at the token endpoint and at the API (okta.md section 2.3).

use reqwest::Response;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::link;
use super::morning;
use super::okta_keys::Key;
use super::okta_keys::READ;
use super::okta_keys::ask_well;
use super::okta_keys::ath;
use super::okta_keys::bearer;
use super::okta_keys::bound;
use super::okta_keys::once;
use super::okta_keys::proof;
use super::okta_keys::proof_claims;
use super::okta_keys::told;
use super::okta_with;

const TOKEN: &str = "/oauth2/v1/token";
const LIST: &str = "/api/v1/groups";

async fn served() -> Served {
    let served = Served::okta(okta_with(&["ann@x.example"], &["One", "Two"])).await;
    served.world.set_clock(morning());
    served.world.turn("dpop=true").unwrap();
    served
}

/// A call of the API with these headers.
async fn call(served: &Served, target: &str, authorization: &str, proofs: &[String]) -> Response {
    let mut request = served.http.get(served.url(target)).header("authorization", authorization);
    for proof in proofs {
        request = request.header("dpop", proof);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn the_dance_goes_from_a_missing_proof_by_a_missing_nonce_to_a_bound_token() {
    let served = served().await;
    let key = Key::fresh();
    let probe = ask_well(&served, &[], &[]).await;
    assert!(!probe.headers().contains_key("dpop-nonce"));
    let missing = told(probe).await;
    assert_eq!((missing.0, missing.1.as_str()), (400, "invalid_dpop_proof"));
    assert_eq!(missing.2, "The DPoP proof JWT header is missing.");

    let mut said = proof_claims(&served, "POST", TOKEN);
    let first = ask_well(&served, &[&proof(&key, &said)], &[]).await;
    let nonce = first.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let (status, error, text) = told(first).await;
    assert_eq!((status, error.as_str()), (400, "use_dpop_nonce"));
    assert_eq!(text, "Authorization server requires nonce in DPoP proof.");

    said["nonce"] = json!(nonce);
    let again = told(ask_well(&served, &[&proof(&key, &said)], &[]).await).await;
    assert_eq!(again.2, "The DPoP proof JWT has already been used.");
    said["jti"] = json!(once());
    let second = ask_well(&served, &[&proof(&key, &said)], &[]).await;
    assert_eq!(second.headers()["dpop-nonce"], nonce.as_str());
    let body: Value = second.json().await.unwrap();
    assert_eq!(body["token_type"], "DPoP");

    let token = body["access_token"].as_str().unwrap();
    let pages = [LIST.to_owned() + "?limit=1", LIST.to_owned() + "?limit=2"];
    for page in pages {
        let mut said = proof_claims(&served, "GET", LIST);
        said["ath"] = json!(ath(token));
        let answer = call(&served, &page, &format!("DPoP {token}"), &[proof(&key, &said)]).await;
        assert_eq!(answer.status(), 200);
        assert!(!answer.headers().contains_key("dpop-nonce"), "recorded answers of the API carry none");
        assert!(link(&answer, "self").is_some());
    }
}

#[tokio::test]
async fn a_nonce_is_replaced_every_day_and_the_old_one_is_good_for_three_more() {
    let served = served().await;
    let key = Key::fresh();
    let mut said = proof_claims(&served, "POST", TOKEN);
    let first = ask_well(&served, &[&proof(&key, &said)], &[]).await;
    let nonce = first.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    for (day, good) in
        [("2026-03-03T08:00:00Z", true), ("2026-03-05T08:00:00Z", true), ("2026-03-06T08:00:00Z", false)]
    {
        served.world.set_clock(day.parse().unwrap());
        said = proof_claims(&served, "POST", TOKEN);
        said["nonce"] = json!(nonce);
        let answer = ask_well(&served, &[&proof(&key, &said)], &[]).await;
        assert_ne!(answer.headers()["dpop-nonce"], nonce.as_str(), "{day}");
        assert_eq!(answer.status() == 200, good, "{day}");
    }
}

/// One part of a good proof replaced, and what the token endpoint says of it.
#[tokio::test]
async fn every_fault_of_a_proof_is_named() {
    let served = served().await;
    let (key, now) = (Key::fresh(), morning().as_second());
    let jti = "The DPoP proof JWT has an invalid 'jti' claim.";
    let htu = "The 'htu' claim in the DPoP proof JWT does not match the URI of the request.";
    for (part, name, value, expected) in [
        ("header", "typ", json!("JWT"), "The DPoP proof JWT header has an invalid 'typ' value."),
        ("header", "alg", json!("HS256"), "The DPoP proof JWT header has an invalid 'alg' value."),
        ("header", "jwk", Key::fresh().jwk(), "The DPoP proof JWT signature is invalid."),
        ("header", "jwk", json!({ "kty": "oct" }), "The DPoP proof JWT header has an invalid 'jwk' value."),
        ("private", "d", json!("x"), "The 'jwk' value of the DPoP proof JWT header contains a private key."),
        (
            "claims",
            "htm",
            json!("GET"),
            "The 'htm' claim in the DPoP proof JWT does not match the HTTP method of the request.",
        ),
        ("claims", "htu", json!("https://acme.okta.com/oauth2/v1/token"), htu),
        ("claims", "htu", json!(format!("{}{TOKEN}?x=1", served.base)), htu),
        ("claims", "iat", Value::Null, "The DPoP proof JWT has no 'iat' claim."),
        ("claims", "iat", json!(now + 1), "The DPoP proof JWT is issued in the future."),
        (
            "claims",
            "iat",
            json!(now - 301),
            "The DPoP proof JWT is issued more than five minutes in the past.",
        ),
        ("claims", "exp", json!(now), "The DPoP proof JWT is expired."),
        ("claims", "jti", Value::Null, jti),
        ("claims", "jti", json!(""), jti),
        ("claims", "iat", json!(now - 300), "Authorization server requires nonce in DPoP proof."),
        ("claims", "nonce", json!("made up"), "Authorization server requires nonce in DPoP proof."),
    ] {
        let mut head = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk() });
        let mut said = proof_claims(&served, "POST", TOKEN);
        match part {
            "header" => head[name] = value,
            "private" => head["jwk"][name] = value,
            _ => said[name] = value,
        }
        let sent = key.sign(&head, &said);
        let (status, error, text) = told(ask_well(&served, &[&sent], &[]).await).await;
        assert_eq!((status, text.as_str()), (400, expected), "{part} {name}");
        assert_eq!(error == "use_dpop_nonce", expected.contains("nonce"), "{part} {name}");
    }
    let good = proof(&key, &proof_claims(&served, "POST", TOKEN));
    let twice = told(ask_well(&served, &[&good, &good], &[]).await).await;
    assert_eq!(twice.2, "The request contains more than one DPoP proof JWT header.");
    let garbled = told(ask_well(&served, &["a.b.c"], &[]).await).await;
    assert_eq!(garbled.2, "The DPoP proof JWT header could not be parsed.");
}

/// What the API says of a bound token that is presented wrongly.
#[tokio::test]
async fn a_bound_token_opens_nothing_without_its_proof() {
    let served = served().await;
    let key = Key::fresh();
    let token = bound(&served, &key).await;
    let good = |key: &Key| {
        let mut said = proof_claims(&served, "GET", LIST);
        said["ath"] = json!(ath(&token));
        proof(key, &said)
    };
    let mut other_hash = proof_claims(&served, "GET", LIST);
    other_hash["ath"] = json!(ath("another"));
    let used = good(&key);
    for (scheme, proofs, expected) in [
        (
            "Bearer",
            vec![],
            (400, "invalid_request", "The access token is DPoP bound; use the DPoP authentication scheme."),
        ),
        ("DPoP", vec![], (400, "invalid_request", "The resource request requires a DPoP proof.")),
        (
            "DPoP",
            vec![good(&key), good(&key)],
            (400, "invalid_dpop_proof", "The request contains more than one DPoP proof JWT header."),
        ),
        (
            "DPoP",
            vec![proof(&key, &other_hash)],
            (
                400,
                "invalid_dpop_proof",
                "'ath' claim in the DPoP proof does not match the presented access_token.",
            ),
        ),
        (
            "DPoP",
            vec![proof(&key, &proof_claims(&served, "GET", LIST))],
            (
                400,
                "invalid_dpop_proof",
                "'ath' claim in the DPoP proof does not match the presented access_token.",
            ),
        ),
        (
            "DPoP",
            vec![good(&Key::fresh())],
            (400, "invalid_dpop_proof", "The access token is not bound to the key of the DPoP proof JWT."),
        ),
        ("DPoP", vec![used.clone()], (200, "", "")),
        ("DPoP", vec![used], (400, "invalid_dpop_proof", "The DPoP proof JWT has already been used.")),
    ] {
        let answer = call(&served, LIST, &format!("{scheme} {token}"), &proofs).await;
        if expected.0 == 200 {
            assert_eq!(answer.status(), 200);
            continue;
        }
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.contains(&format!("error_description=\"{}\"", expected.2)), "{challenge}");
        let (status, error, text) = told(answer).await;
        assert_eq!((status, error.as_str(), text.as_str()), expected);
    }
}

#[tokio::test]
async fn a_token_that_is_not_bound_is_no_dpop_token_and_the_api_may_ask_for_a_nonce() {
    let served = served().await;
    served.world.turn("dpop=false").unwrap();
    let (key, unbound) = (Key::fresh(), bearer(&served, READ).await);
    let answer =
        call(&served, LIST, &format!("DPoP {unbound}"), &[proof(&key, &proof_claims(&served, "GET", LIST))])
            .await;
    let (status, error, text) = told(answer).await;
    assert_eq!(
        (status, error.as_str(), text.as_str()),
        (401, "invalid_token", "The access token is not DPoP bound.")
    );

    let token = bound(&served, &key).await;
    served.world.turn("dpop_nonce_of_api=401").unwrap();
    let mut said = proof_claims(&served, "GET", LIST);
    said["ath"] = json!(ath(&token));
    let first = call(&served, LIST, &format!("DPoP {token}"), &[proof(&key, &said)]).await;
    assert_eq!(first.status(), 401);
    said["nonce"] = json!(first.headers()["dpop-nonce"].to_str().unwrap());
    assert_eq!(told(first).await.1, "use_dpop_nonce");
    said["jti"] = json!(once());
    let second = call(&served, LIST, &format!("DPoP {token}"), &[proof(&key, &said)]).await;
    assert_eq!(second.status(), 200);
}
