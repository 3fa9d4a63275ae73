//! Signing in to Graph: each way from the settings to the first answer, each AADSTS row to its consequence, and the
//! credential's end told ahead.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

use rosterd::client::IdentityHost;
use rosterd::client::Secret;
use rosterd::client::WhichIdentity;
use rosterd::model::Finding;
use rosterd::model::Grade;
use rosterd::model::Reading;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::graph::AssertionForm;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;
use rosterd::sources::graph::SignIn;

use crate::support::host::binary;
use crate::support::host::ran;
use crate::support::keys;
use crate::support::script::Reply;
use crate::support::script::Script;
use crate::support::script::reply;
use crate::support::script::serve;
use crate::support::script::token;

fn settings(script: &Script, sign_in: SignIn) -> GraphSettings {
    let mut settings = GraphSettings::new("contoso.example", "client-1", Secret::new("hush"));
    settings.authority = script.base.clone();
    settings.root = script.base.clone();
    settings.backoff = Duration::from_millis(1);
    settings.patience = Duration::from_millis(10);
    settings.attempts = 2;
    settings.sign_in = sign_in;
    settings
}

fn source(script: &Script, sign_in: SignIn) -> GraphSource {
    GraphSource::new(settings(script, sign_in)).unwrap()
}

fn secret() -> SignIn {
    SignIn::Secrets(vec![Secret::new("hush")])
}

fn certificate(form: AssertionForm) -> SignIn {
    SignIn::Certificate { pair: Box::new(keys::pair("rsa.certificate.pem")), form }
}

/// What `check` says of the sign-in.
async fn signed_in(source: &GraphSource) -> Finding {
    let findings = source.check().await;
    findings.into_iter().find(|finding| finding.subject == "sign-in").unwrap()
}

#[tokio::test]
async fn every_way_to_sign_in_ends_with_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, "a.b.c").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let machine = |script: &Script| {
        IdentityHost::machine(WhichIdentity::System).at(script.base.join("/imds/token").unwrap())
    };
    let given = || reply(200, &[], json!({"access_token": "t1", "expires_in": "3599"}));
    for way in ["secret", "PS256", "RS256", "federated", "identity"] {
        let script = serve(vec![if way == "identity" { given() } else { token("t1", 3599) }]).await;
        let sign_in = match way {
            "secret" => secret(),
            "PS256" => certificate(AssertionForm::Ps256),
            "RS256" => certificate(AssertionForm::Rs256),
            "federated" => SignIn::Federated { place: format!("file:{}", path.display()) },
            _ => SignIn::Identity(machine(&script)),
        };
        let finding = signed_in(&source(&script, sign_in)).await;
        assert_eq!(finding.grade, Grade::Ok, "{way}: {finding:?}");
        let seen = script.seen();
        assert_eq!(seen[1].authorization, "Bearer t1", "{way}");
        let asked = &seen[0].path;
        let root = script.base.as_str().trim_end_matches('/');
        if way == "identity" {
            assert!(asked.starts_with("/imds/token?api-version=2018-02-01&resource=http"), "{asked}");
            continue;
        }
        assert_eq!(asked, "/contoso.example/oauth2/v2.0/token");
        assert_eq!(script.fields("scope"), [format!("{root}/.default")]);
        assert_eq!(script.fields("client_id"), ["client-1"]);
        let assertion = script.fields("client_assertion").remove(0);
        match way {
            "secret" => assert_eq!(script.fields("client_secret"), ["hush"]),
            "federated" => assert_eq!(assertion, "a.b.c"),
            name => {
                let (header, claims) = keys::unpacked(&assertion);
                assert_eq!(header["alg"], name);
                assert_eq!(header.get("x5t#S256").is_some(), name == "PS256");
                assert_eq!(header["x5t"] == json!("hvwdLJzh80Bi_pAIo3vHaZB18zA"), name == "RS256");
                assert_eq!(claims["aud"], format!("{root}/contoso.example/oauth2/v2.0/token"));
                assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client-1"), &json!("client-1")));
            }
        }
    }
}

#[test]
fn a_key_that_entra_does_not_take_is_refused_before_anything_is_sent() {
    let pair = rosterd::client::CertifiedKey::read(
        &keys::text("ec.p256.certificate.pem"),
        Some(&keys::text("ec.p256.pkcs8.pem")),
    );
    let mut settings = GraphSettings::new("contoso.example", "client-1", Secret::new(""));
    settings.sign_in = SignIn::Certificate { pair: Box::new(pair.unwrap()), form: AssertionForm::Ps256 };
    let error = GraphSource::new(settings).err().unwrap();
    assert_eq!(error.to_string(), "the private key is EC P-256, which cannot sign PS256; use an RSA key");
}

/// As Entra writes it (graph.md 2.6).
fn refusal(status: u16, error: &str, code: u64) -> Reply {
    let text = format!("AADSTS{code}: private. Trace ID: x\r\nTimestamp: y");
    reply(status, &[], json!({"error": error, "error_description": text, "error_codes": [code]}))
}

/// The rows of graph.md 2.6 with what `check` then says, and how often was asked.
#[tokio::test]
async fn every_fatal_row_is_refused_at_once_with_its_cure() {
    for (code, error, status, cure) in [
        (7000215, "invalid_client", 401, "the secret is wrong; paste the secret's value, not its id"),
        (
            7000222,
            "invalid_client",
            401,
            "the secret has expired; make a new one under Certificates & secrets",
        ),
        (7000218, "invalid_request", 400, "neither a secret nor an assertion arrived; report this"),
        (
            700016,
            "unauthorized_client",
            400,
            "no such application in this tenant; check client_id and tenant",
        ),
        (7000112, "unauthorized_client", 400, "the application is disabled; enable it"),
        (90002, "invalid_request", 400, "no such tenant in this cloud; check tenant"),
        (90038, "invalid_request", 400, "the tenant lies in another national cloud; set cloud"),
        (700027, "invalid_client", 401, "the certificate was not accepted; upload it"),
        (700030, "invalid_client", 400, "the certificate's subject is not authorised"),
        (70011, "invalid_scope", 400, "Graph's root and /.default are asked for"),
        (500011, "invalid_resource", 400, "Microsoft Graph has another address in this tenant's cloud"),
        (65001, "invalid_grant", 400, "nobody has consented yet; grant admin consent"),
        (53003, "access_denied", 400, "Conditional Access or the security defaults block this sign-in"),
        (50034, "invalid_grant", 400, "the sign-in was taken for a person's"),
        (50196, "invalid_request", 400, "too many tokens were asked for; nothing is asked for an hour"),
    ] {
        let script = serve(vec![refusal(status, error, code), token("t1", 3599)]).await;
        let finding = signed_in(&source(&script, secret())).await;
        assert_eq!(finding.grade, Grade::Error, "{code}");
        assert!(finding.cure.starts_with(cure), "{code}: {}", finding.cure);
        assert!(
            finding.text.ends_with(&format!("the sign-in was refused: {error} AADSTS{code}")),
            "{finding:?}"
        );
        assert_eq!(script.seen().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn every_passing_row_is_waited_out() {
    for (code, error) in [
        (90006, "invalid_request"),
        (90012, "invalid_request"),
        (90024, "invalid_request"),
        (90033, "invalid_request"),
        (90055, "invalid_request"),
        (90090, "invalid_request"),
        (70021, "invalid_request"),
        (0, "temporarily_unavailable"),
    ] {
        let script = serve(vec![refusal(400, error, code), token("t1", 3599)]).await;
        assert_eq!(signed_in(&source(&script, secret())).await.grade, Grade::Ok, "{code}");
    }
}

/// What a cycle is told of each class.
#[tokio::test]
async fn the_class_decides_what_a_cycle_is_told() {
    let read = |source: &GraphSource| {
        source.reads(&BTreeMap::new(), Reading::Full, jiff::Timestamp::now()).remove(0)
    };
    let fatal = serve(vec![refusal(401, "invalid_client", 7000222)]).await;
    let transient = serve((0..2).map(|_| refusal(400, "invalid_request", 90033)).collect()).await;
    let spreading = serve((0..30).map(|_| refusal(401, "invalid_client", 70021)).collect()).await;
    let clock = serve((0..2).map(|_| refusal(401, "invalid_client", 700_024)).collect()).await;
    for (script, sign_in, class, requests) in [
        (fatal, secret(), "refused", 1..=1),
        (transient, secret(), "unavailable", 2..=2),
        (spreading, secret(), "refused", 3..=8),
        (clock, certificate(AssertionForm::Ps256), "refused", 2..=2),
    ] {
        let source = source(&script, sign_in);
        let read = read(&source);
        let told = match source.page(&read).await.unwrap_err() {
            SourceError::Refused { .. } => "refused",
            SourceError::Unavailable { .. } => "unavailable",
            _ => "another",
        };
        assert_eq!(told, class);
        assert!(requests.contains(&script.seen().len()), "{class}: {}", script.seen().len());
    }
}

fn empty(script: &Script) -> Value {
    json!({"value": [], "@odata.deltaLink": script.base.join("/v1.0/users/delta?$deltatoken=x").unwrap()})
}

#[tokio::test]
async fn the_first_page_of_a_cycle_tells_of_the_end_ahead() {
    let script = serve(vec![token("t1", 3599)]).await;
    let page = |now: &'static str| {
        let script = script.clone();
        async move {
            let mut settings = settings(&script, secret());
            settings.secret_expires = Some("2027-01-31".parse().unwrap());
            let source = GraphSource::new(settings).unwrap();
            script.answers.lock().unwrap().clear();
            for answer in
                [token("t1", 3599), reply(200, &[], empty(&script)), reply(200, &[], empty(&script))]
            {
                script.answers.lock().unwrap().push_back(answer);
            }
            let read = source.reads(&BTreeMap::new(), Reading::Full, now.parse().unwrap()).remove(0);
            let first = source.page(&read).await.unwrap();
            let second = source.page(&read).await.unwrap();
            assert!(second.notes.is_empty(), "told once: {:?}", second.notes);
            first.notes
        }
    };
    assert!(page("2026-12-01T00:00:00Z").await.is_empty());
    let notes = page("2027-01-20T00:00:00Z").await;
    assert_eq!(notes.len(), 1);
    let text = "the secret (by secret_expires) expires on 2027-01-31, within 14 days; make a new one";
    assert!(notes[0].starts_with(text), "{notes:?}");
    let notes = page("2027-02-01T00:00:00Z").await;
    assert!(notes[0].starts_with("the secret (by secret_expires) has expired on 2027-01-31; "), "{notes:?}");
}

#[test]
fn a_certificate_says_itself_when_it_ends() {
    let mut settings = GraphSettings::new("contoso.example", "client-1", Secret::new(""));
    settings.sign_in = certificate(AssertionForm::Ps256);
    let source = GraphSource::new(settings).unwrap();
    let expiry = source.expiry("2119-12-30T00:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(expiry.days_left(), 2);
    let finding = expiry.finding();
    assert_eq!(finding.grade, Grade::Warning);
    assert_eq!(finding.text, "the certificate expires on 2120-01-01, within 3 days");
    assert_eq!(source.expiry("2026-01-01T00:00:00Z".parse().unwrap()).unwrap().note(), None);
}

/// A proxy that opens every tunnel and then says something that is no TLS.
async fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = [0_u8; 1024];
            let length = stream.read(&mut bytes).await.unwrap();
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            seen.lock().unwrap().push(text.lines().next().unwrap_or_default().to_owned());
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(b"this is no TLS, and long enough to be seen as such").await;
        }
    });
    (address, asked)
}

/// graph.md 2.4: never through a proxy, which everything else goes through.
#[tokio::test(flavor = "multi_thread")]
async fn the_machines_service_is_never_asked_through_a_proxy() {
    let script = serve(vec![reply(200, &[], json!({"access_token": "t1", "expires_in": "3599"}))]).await;
    let (proxy, asked) = proxy().await;
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[daemon]\nstate = \"{folder}/state.db\"\n[jobs.acme]\ntarget = \"local\"\nscope.users.all = true\n\
         mapping.preset = \"cerby\"\n[jobs.acme.source.graph]\ntenant = \"contoso.example\"\n\
         managed_identity = {{ endpoint = \"{}imds\" }}\nroot = \"https://graph.example\"\n\
         ca_file = \"{}\"\n[targets.local.workspace]\nname = \"main\"\n",
        script.base,
        keys::path("rsa.certificate.pem").display(),
        folder = folder.path().display(),
    );
    fs::write(folder.path().join("rosterd.toml"), text).unwrap();
    let mut command = binary();
    command.arg("-c").arg(folder.path().join("rosterd.toml")).arg("check");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        command.env(name, &proxy);
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let ran = tokio::task::spawn_blocking(move || ran(command)).await.unwrap();
    assert!(ran.out.contains("tenant contoso.example gave a token"), "{} {}", ran.out, ran.err);
    assert_eq!(script.seen().len(), 1);
    let asked = asked.lock().unwrap().clone();
    assert!(asked.iter().all(|line| line.starts_with("CONNECT graph.example:443")), "{asked:?}");
    assert!(!asked.is_empty(), "what Graph is asked goes through the proxy");
}
