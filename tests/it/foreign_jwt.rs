//! Tokens that we sign, verified by a library that is not ours: PyJWT, through `tests/foreign/verify_jwt.py`.
//!
//! `ROSTERD_PYTHON_JWT` names a Python that has it (`pip install 'PyJWT[crypto]'`); else `target/pyjwt/bin/python`,
//! where `.ci/run` puts it. Without it these tests say that they were skipped, or fail where
//! `ROSTERD_PYTHON_JWT_REQUIRED` is set.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;
use serde_json::json;

use rosterd::client::Algorithm;
use rosterd::client::Assertion;
use rosterd::client::Client;
use rosterd::client::ClientAuth;
use rosterd::client::KeyName;
use rosterd::client::SigningKey;

use crate::support::keys;
use crate::support::script::Script;
use crate::support::script::serve;
use crate::support::script::token;

/// A Python with PyJWT, or `None` after saying that there is none.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("ROSTERD_PYTHON_JWT")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/pyjwt/bin/python"));
    if python.exists() {
        return Some(python);
    }
    assert!(
        std::env::var_os("ROSTERD_PYTHON_JWT_REQUIRED").is_none(),
        "{} is not there, and ROSTERD_PYTHON_JWT_REQUIRED is set",
        python.display()
    );
    eprintln!("skipped: no PyJWT (pip install 'PyJWT[crypto]', then name its python in ROSTERD_PYTHON_JWT)");
    None
}

/// What the other library says of each question; `None` where there is no other library.
pub(crate) fn verdicts(questions: &[Value]) -> Option<Vec<Value>> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/verify_jwt.py");
    let mut process =
        Command::new(python()?).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    for question in questions {
        writeln!(stdin, "{question}").unwrap();
    }
    drop(stdin);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "the verifier ended with {}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), questions.len());
    Some(verdicts)
}

/// The assertion that a client sends to its token endpoint.
async fn sent(script: &Script, key: SigningKey, algorithm: Algorithm, named: KeyName) -> String {
    let audience = script.token_url();
    let assertion = Assertion::new(key, algorithm, named, "app-1", audience.as_str()).unwrap();
    let grant = script.grant(ClientAuth::Assertion(Box::new(assertion)));
    Client::new(script.settings(grant.into())).unwrap().sign_in().await.unwrap();
    script.fields("client_assertion").pop().unwrap()
}

#[tokio::test]
async fn every_form_of_assertion_is_accepted_by_another_library() {
    let certificate = keys::pair("rsa.certificate.pem").certificate;
    let kid = || KeyName::Kid("key-1".to_owned());
    let pem = |name: &str| keys::text(name).reveal().to_owned();
    let rsa = "rsa.pkcs8.pem";
    for (key, algorithm, named, verifier, header) in [
        (
            rsa,
            Algorithm::Ps256,
            KeyName::Thumbprint(certificate.clone()),
            pem("rsa.certificate.pem"),
            "x5t#S256",
        ),
        (rsa, Algorithm::Rs256, KeyName::OldThumbprint(certificate), pem("rsa.certificate.pem"), "x5t"),
        (rsa, Algorithm::Rs256, kid(), pem("rsa.certificate.pem"), "kid"),
        (rsa, Algorithm::Rs384, kid(), pem("rsa.public.pem"), "kid"),
        (rsa, Algorithm::Rs512, kid(), pem("rsa.public.pem"), "kid"),
        ("rsa.pkcs1.pem", Algorithm::Rs256, kid(), pem("rsa.public.pem"), "kid"),
        ("rsa.jwk.json", Algorithm::Rs256, kid(), pem("rsa.public.pem"), "kid"),
        ("ec.p256.pkcs8.pem", Algorithm::Es256, kid(), pem("ec.p256.public.pem"), "kid"),
        ("ec.p256.sec1.pem", Algorithm::Es256, kid(), pem("ec.p256.public.pem"), "kid"),
        ("ec.p256.jwk.json", Algorithm::Es256, kid(), pem("ec.p256.public.pem"), "kid"),
        ("ec.p384.pkcs8.pem", Algorithm::Es384, kid(), pem("ec.p384.public.pem"), "kid"),
        ("ec.p521.pkcs8.pem", Algorithm::Es512, kid(), pem("ec.p521.public.pem"), "kid"),
        ("ec.p521.jwk.json", Algorithm::Es512, kid(), pem("ec.p521.public.pem"), "kid"),
    ] {
        let script = serve(vec![token("t1", 3599)]).await;
        let assertion = sent(&script, keys::key(key), algorithm, named).await;
        let audience = script.token_url();
        let required = ["iss", "sub", "aud", "jti", "nbf", "iat", "exp"];
        let question = json!({"token": assertion, "key": verifier, "algorithm": algorithm.name(),
            "audience": audience.as_str(), "require": required});
        let Some(verdicts) = verdicts(&[question]) else { return };
        let verdict = &verdicts[0];
        assert_eq!(verdict.get("refused"), None, "{key} {}", algorithm.name());
        assert_eq!(verdict["claims"]["iss"], "app-1");
        match header {
            "kid" => assert_eq!(verdict["header"]["kid"], "key-1"),
            name => assert_eq!(verdict["header"][name], verdict["thumbprints"][name]),
        }
    }
}

#[tokio::test]
async fn a_wrong_signature_key_algorithm_or_audience_is_refused_by_it() {
    let script = serve(vec![token("t1", 3599)]).await;
    let named = KeyName::Kid("key-1".to_owned());
    let assertion = sent(&script, keys::key("rsa.pkcs8.pem"), Algorithm::Ps256, named).await;
    let (unsigned, signature) = assertion.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{unsigned}.{other}{}", &signature[1..]);
    let (right, wrong) = (keys::text("rsa.public.pem"), keys::text("other.certificate.pem"));
    let (url, elsewhere) = (script.token_url().to_string(), "https://elsewhere.example");
    let question = |token: &str, key: &str, algorithm: &str, audience: &str| json!({"token": token, "key": key, "algorithm": algorithm, "audience": audience});
    let Some(verdicts) = verdicts(&[
        question(&assertion, right.reveal(), "PS256", &url),
        question(&forged, right.reveal(), "PS256", &url),
        question(&assertion, wrong.reveal(), "PS256", &url),
        question(&assertion, right.reveal(), "RS256", &url),
        question(&assertion, right.reveal(), "PS256", elsewhere),
    ]) else {
        return;
    };
    let refused: Vec<bool> = verdicts.iter().map(|verdict| verdict.get("refused").is_some()).collect();
    assert_eq!(refused, [false, true, true, true, true]);
}
