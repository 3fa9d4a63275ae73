//! Tokens of the machine itself: the table of Azure's identity service row by row, and the Arc agent's challenge.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use rosterd::client::Client;
use rosterd::client::ClientError;
use rosterd::client::IdentityHost;
use rosterd::client::ManagedIdentity;
use rosterd::client::Request;
use rosterd::client::WhichIdentity;

use crate::support::script::Reply;
use crate::support::script::Script;
use crate::support::script::ok;
use crate::support::script::reply;
use crate::support::script::serve;

const PATH: &str = "/metadata/identity/oauth2/token";

fn given(life: Value) -> Reply {
    let soon = (Timestamp::now().as_second() + 3599).to_string();
    reply(
        200,
        &[],
        json!({"access_token": "t1", "refresh_token": "", "expires_in": life, "expires_on": soon,
            "not_before": "1506480273", "resource": "https://graph.example/", "token_type": "Bearer"}),
    )
}

fn refused(status: u16, error: &str) -> Reply {
    reply(status, &[], json!({"error": error, "error_description": "private"}))
}

fn client(script: &Script, host: IdentityHost) -> Client {
    let host = host.at(script.base.join(PATH).unwrap());
    // Eight attempts: the service's own five are what counts.
    let mut settings =
        script.settings(ManagedIdentity { root: "https://graph.example".to_owned(), host }.into());
    settings.attempts = 8;
    Client::new(settings).unwrap()
}

fn machine(script: &Script) -> Client {
    client(script, IdentityHost::machine(WhichIdentity::System))
}

#[tokio::test]
async fn the_machines_token_is_asked_for_as_documented_and_used() {
    let script = serve(vec![given(json!("3599")), ok(), ok()]).await;
    let client = machine(&script);
    for path in ["/a", "/b"] {
        let request = Request::get(client.url(path).unwrap());
        assert_eq!(client.send(request).await.unwrap().status, 200);
    }
    let asked = format!("{PATH}?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.example%2F");
    assert_eq!(script.paths(), [asked.as_str(), "/a", "/b"]);
    assert_eq!(script.seen()[0].metadata, "true");
    assert_eq!(script.authorizations(), ["", "Bearer t1", "Bearer t1"]);
}

#[tokio::test]
async fn a_named_identity_is_asked_for_by_its_name() {
    for (which, query) in [
        (WhichIdentity::ClientId("c 1".to_owned()), "&client_id=c+1"),
        (WhichIdentity::ObjectId("o1".to_owned()), "&object_id=o1"),
        (WhichIdentity::ResourceId("/subscriptions/s".to_owned()), "&msi_res_id=%2Fsubscriptions%2Fs"),
    ] {
        let script = serve(vec![given(json!("3599"))]).await;
        client(&script, IdentityHost::machine(which)).sign_in().await.unwrap();
        assert!(script.paths()[0].ends_with(query), "{:?}", script.paths());
    }
}

/// graph.md 2.4: each row, and how many requests it costs before there is a token, or none.
#[tokio::test]
async fn each_row_of_the_table_is_followed() {
    for (status, error, requests, passes) in [
        (404, "not_found", 2, true),
        (429, "too_many", 2, true),
        (410, "gone", 2, true),
        (500, "unknown", 2, true),
        (400, "bad_request_102", 1, false),
        (400, "invalid_request", 1, false),
        (403, "forbidden", 1, false),
        (405, "method", 1, false),
    ] {
        let script = serve(vec![refused(status, error), given(json!("3599"))]).await;
        let answer = machine(&script).sign_in().await;
        assert_eq!(answer.is_ok(), passes, "{status} {error}: {answer:?}");
        assert_eq!(script.seen().len(), requests, "{status} {error}");
        if let Err(error) = answer {
            assert!(matches!(error, ClientError::Denied { .. }), "{error}");
            assert!(!error.to_string().contains("private"), "{error}");
        }
    }
}

#[tokio::test]
async fn five_tries_are_all() {
    for status in [404, 429] {
        let script = serve((0..9).map(|_| refused(status, "")).collect()).await;
        let error = machine(&script).sign_in().await.unwrap_err();
        assert_eq!(script.seen().len(), 5);
        let text = error.to_string();
        assert!(matches!(error, ClientError::Unavailable { .. }), "{text}");
        assert!(text.contains("is this host a machine in Azure, with a managed identity?"), "{text}");
    }
}

#[tokio::test]
async fn an_update_of_the_service_is_waited_for_beyond_the_five_tries() {
    let script = serve((0..50).map(|_| refused(410, "")).collect()).await;
    let text = machine(&script).sign_in().await.unwrap_err().to_string();
    assert!(text.ends_with("status 410; it is being updated"), "{text}");
    // 70 waits of a millisecond: 1, 2, 4, 8, 16, 32 and what is left, with jitter.
    assert!((6..=9).contains(&script.seen().len()), "{}", script.seen().len());
}

#[tokio::test]
async fn what_a_person_has_to_change_is_said() {
    for (host, words) in [
        (
            IdentityHost::machine(WhichIdentity::System),
            "turn the system-assigned identity of this machine on",
        ),
        (IdentityHost::machine(WhichIdentity::ClientId("x".to_owned())), "assign the identity that is named"),
    ] {
        let script = serve(vec![refused(400, "invalid_request")]).await;
        let text = client(&script, host).sign_in().await.unwrap_err().to_string();
        assert!(text.contains("no token of the managed identity: status 400 invalid_request; "), "{text}");
        assert!(text.contains(words), "{text}");
    }
}

#[tokio::test]
async fn a_life_is_a_text_a_number_or_the_time_of_its_end() {
    for life in [json!("3599"), json!(3599), json!("")] {
        let script = serve(vec![given(life.clone()), ok(), ok()]).await;
        let client = machine(&script);
        for path in ["/a", "/b"] {
            client.send(Request::get(client.url(path).unwrap())).await.unwrap();
        }
        assert_eq!(script.seen().len(), 3, "{life}: asked once");
    }
    let script = serve(vec![given(json!("0")), ok(), given(json!("0")), ok()]).await;
    let client = machine(&script);
    for path in ["/a", "/b"] {
        client.send(Request::get(client.url(path).unwrap())).await.unwrap();
    }
    assert_eq!(script.seen().len(), 4, "a token without a life is asked for anew");
}

#[tokio::test]
async fn nobody_there_is_told_with_a_question() {
    let script = serve(vec![]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}{PATH}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let host = IdentityHost::arc().at(nowhere);
    let identity = ManagedIdentity { root: "https://graph.example".to_owned(), host };
    let text = script.client(identity.into()).sign_in().await.unwrap_err().to_string();
    assert!(text.contains("does the Azure Arc agent (himdsd) run on this host?"), "{text}");
}

#[tokio::test]
async fn a_machines_service_is_not_asked_over_the_network() {
    let script = serve(vec![]).await;
    let host = IdentityHost::arc().at("http://idm.example/token".parse().unwrap());
    let identity = ManagedIdentity { root: "https://graph.example".to_owned(), host };
    let error = Client::new(script.settings(identity.into())).err().unwrap();
    assert!(error.to_string().starts_with("idm.example is to be reached over http"), "{error}");
}

struct Agent {
    folder: TempDir,
    script: Script,
    client: Client,
}

/// An agent whose challenge names the file of that name; the folder holds `good.key`.
async fn agent(named: &Path, more: Vec<Reply>) -> Agent {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.key"), "the-key\n").unwrap();
    let realm = format!("Basic realm={}", folder.path().join(named).display());
    let challenge = reply(401, &[("www-authenticate", &realm)], json!({}));
    let script = serve(std::iter::once(challenge).chain(more).collect()).await;
    let IdentityHost::Arc { endpoint, .. } = IdentityHost::arc() else { panic!("arc") };
    let host = IdentityHost::Arc { endpoint, token_directory: folder.path().to_owned() };
    let client = client(&script, host);
    Agent { folder, script, client }
}

#[tokio::test]
async fn the_agents_challenge_is_answered_with_the_key_of_its_folder() {
    let agent = agent(Path::new("good.key"), vec![given(json!("3599")), ok()]).await;
    agent.client.send(Request::get(agent.client.url("/a").unwrap())).await.unwrap();
    let asked = format!("{PATH}?api-version=2020-06-01&resource=https%3A%2F%2Fgraph.example");
    assert_eq!(agent.script.paths(), [asked.as_str(), asked.as_str(), "/a"]);
    assert_eq!(agent.script.authorizations(), ["", "Basic the-key", "Bearer t1"]);
    assert!(agent.script.seen()[..2].iter().all(|seen| seen.metadata == "true"));
}

#[tokio::test]
async fn no_other_file_is_ever_sent() {
    let elsewhere = tempfile::tempdir().unwrap();
    let foreign = elsewhere.path().join("shadow.key");
    fs::write(&foreign, "root:secret").unwrap();
    for (named, why) in [
        (foreign.as_path(), "is said to lie outside"),
        (Path::new("../shadow.key"), "is said to lie outside"),
        (Path::new("good.txt"), "has another name than *.key"),
        (Path::new("none.key"), "cannot be read"),
    ] {
        let agent = agent(named, vec![given(json!("3599"))]).await;
        let text = agent.client.sign_in().await.unwrap_err().to_string();
        assert!(text.contains("the key file of the Azure Arc agent"), "{text}");
        assert!(text.contains(why), "{named:?}: {text}");
        assert_eq!(agent.script.seen().len(), 1, "{named:?}: nothing more was sent");
    }
}

#[tokio::test]
async fn a_key_that_is_too_large_is_not_sent() {
    let agent = agent(Path::new("large.key"), vec![given(json!("3599"))]).await;
    fs::write(agent.folder.path().join("large.key"), "x".repeat(4097)).unwrap();
    let text = agent.client.sign_in().await.unwrap_err().to_string();
    assert!(text.contains("is larger than 4096 bytes, so it was not sent"), "{text}");
}

#[tokio::test]
async fn a_key_that_the_agent_does_not_take_is_told() {
    let agent = agent(Path::new("good.key"), vec![reply(401, &[], json!({}))]).await;
    let text = agent.client.sign_in().await.unwrap_err().to_string();
    assert!(text.contains("let azcmagent show say that this host is connected"), "{text}");
    assert!(!text.contains("the-key"), "{text}");
}

#[tokio::test]
async fn a_challenge_that_names_no_file_is_told() {
    let script = serve(vec![reply(401, &[("www-authenticate", "Negotiate")], json!({}))]).await;
    let text = client(&script, IdentityHost::arc()).sign_in().await.unwrap_err().to_string();
    assert!(text.contains("is not named by its challenge"), "{text}");
}
