//! Delivery by webhook: what a receiver sees, what its answers mean, and the daemon that brings them.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Child;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rosterd::client::Secret;
use rosterd::daemon::Receiver as Sender;
use rosterd::daemon::ReceiverSettings;
use rosterd::daemon::Taken;
use rosterd::daemon::WebhookSecret;
use rosterd::store::Store;
use serde_json::Value;

use super::all;
use super::at;
use super::begin;
use super::due;
use super::lose;
use super::receiver::Receiver;
use super::receiver::Says;
use crate::support::host::Host;

const KEYS: [[u8; 32]; 2] = [[1; 32], [2; 32]];

fn text(key: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

fn sender(receiver: &Receiver, keys: &[[u8; 32]]) -> Sender {
    let settings = ReceiverSettings {
        url: receiver.url.parse().expect("a URL"),
        timeout: Duration::from_secs(30),
        ca_file: None,
    };
    let secret = |key: &[u8; 32]| WebhookSecret::new(&Secret::new(text(key))).expect("a secret");
    Sender::new(&settings, keys.iter().map(secret).collect()).expect("a sender")
}

async fn sent(says: Says, keys: &[[u8; 32]]) -> (Taken, Receiver, Store) {
    let store = Store::in_memory().expect("a store");
    lose(&store, &["db"]).await;
    let n = due(&store, 100_000).await.expect("it is due");
    let follow_up = begin(&store, n, 200_000).await.expect("it waits");
    let receiver = Receiver::start(&[says]).await;
    let head = store.chain_head().await.expect("a look");
    let taken = sender(&receiver, keys).send(&follow_up, head.as_ref(), at(100_000)).await;
    (taken, receiver, store)
}

#[tokio::test]
async fn a_webhook_is_signed_by_every_secret_over_id_time_and_body() {
    let (taken, mut receiver, store) = sent(Says::Status(204, ""), &KEYS).await;
    assert_eq!(taken, Taken::Yes);
    let hook = receiver.next().await;
    let follow_up = &all(&store).await[0];
    assert_eq!((&hook.id, hook.timestamp), (&follow_up.id, at(100_000).as_second()));
    assert_eq!(hook.body(), follow_up.body);
    assert!(hook.is_signed_by(&KEYS[0]) && hook.is_signed_by(&KEYS[1]), "{hook:?}");
    assert!(!hook.is_signed_by(&[3; 32]));
    assert_eq!(hook.body()["type"], "follow_up.rotate_password");
    let head = store.chain_head().await.expect("a look").expect("a write was recorded");
    assert_eq!(hook.chain, format!("{}:{}", head.number, head.link));
}

#[tokio::test]
async fn only_2xx_is_taken_and_only_its_own_words_are_an_acknowledgement() {
    let no = |why: &str, is_away| Taken::No { why: why.to_owned(), asked: None, is_away };
    for (says, expected) in [
        (Says::Status(200, r#"{"acknowledged": true}"#), Taken::Acknowledged),
        (Says::Status(200, r#"{"acknowledged": false}"#), Taken::Yes),
        (Says::Status(200, "ok"), Taken::Yes),
        (Says::Status(202, ""), Taken::Yes),
        (Says::Status(400, r#"{"acknowledged": true}"#), no("the receiver answered 400", false)),
        (Says::Status(500, ""), no("the receiver answered 500", true)),
        (Says::Status(429, ""), no("the receiver answered 429", true)),
        (Says::Elsewhere, no("the receiver answered 307", false)),
    ] {
        let (taken, mut receiver, _) = sent(says, &KEYS[..1]).await;
        assert_eq!(taken, expected, "{says:?}");
        receiver.next().await;
        assert!(receiver.is_quiet(), "{says:?}: one request, and a redirect is not followed");
    }
}

/// A host whose ann has lost privileged access, with a receiver in its settings.
struct Site {
    host: Host,
    daemon: Option<Child>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Site {
    fn new(receiver: &Receiver) -> Site {
        let host = Host::new();
        let secret = host.path("webhook-secret");
        let mut file = fs::File::options();
        let file = file.create_new(true).write(true).mode(0o600).open(&secret).expect("a file");
        std::io::Write::write_all(&mut &file, text(&KEYS[0]).as_bytes()).expect("it is written");
        host.settings(&format!(
            "[workspaces.main.follow_ups]\nurl = \"{}\"\nsecret = \"file:{}\"\nretry = \"1s\"\nretry_max = \"2s\"\n",
            receiver.url,
            secret.display()
        ));
        let checked = host.run(&["config", "check"]);
        assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
        for command in [
            &["enable", "hr"][..],
            &["sync"],
            &["workspace", "grants", "add", "ann@acme.example", "db", "--privileged"],
        ] {
            let ran = host.run(command);
            assert_eq!(ran.code, 0, "{command:?}: {}{}", ran.out, ran.err);
        }
        host.people(&["bob"]);
        assert_eq!(host.run(&["sync"]).code, 0);
        Site { host, daemon: None }
    }

    fn start(&mut self) {
        let mut command = self.host.command(&["run", "--listen", "127.0.0.1:0"]);
        self.daemon = Some(command.stderr(Stdio::null()).spawn().expect("the daemon starts"));
    }

    /// As a power cut.
    fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }

    fn follow_up(&self) -> Value {
        let listed = self.host.run(&["workspace", "follow-ups", "--format", "json"]);
        serde_json::from_str(listed.out.trim()).expect("one follow-up")
    }

    /// Waits until the state knows it, which is after the receiver knows it.
    async fn becomes(&self, state: &str) -> Value {
        for _ in 0..600 {
            let follow_up = self.follow_up();
            if follow_up["state"] == state {
                return follow_up;
            }
            tokio::task::yield_now().await;
        }
        panic!("{state} never came: {}", self.follow_up());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_delivers_until_it_is_taken_and_again_where_somebody_asks() {
    let says = [Says::Status(503, ""), Says::Status(200, ""), Says::Status(200, r#"{"acknowledged": true}"#)];
    let mut receiver = Receiver::start(&says).await;
    let mut site = Site::new(&receiver);
    site.start();
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.id, second.id, "the same webhook, as far as the receiver is concerned");
    assert_eq!(first.text, second.text);
    assert!(second.is_signed_by(&KEYS[0]) && second.timestamp > first.timestamp);
    let sent = site.becomes("sent").await;
    assert_eq!((&sent["id"], &sent["attempts"]), (&Value::from(first.id.as_str()), &Value::from(2)));

    let resent = site.host.run(&["workspace", "follow-ups", "resend", &first.id, "--reason", "lost there"]);
    assert_eq!((resent.code, resent.out), (0, format!("follow-up {} goes out now\n", first.id)));
    assert_eq!(receiver.next().await.id, first.id);
    let done = site.becomes("acknowledged").await;
    assert_eq!((&done["by"], &done["next"]), (&Value::from("receiver"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_is_killed_while_it_waits_for_the_answer_delivers_again() {
    let mut receiver = Receiver::start(&[Says::Nothing, Says::Status(200, "")]).await;
    let mut site = Site::new(&receiver);
    site.start();
    let first = receiver.next().await;
    site.kill();
    let left = site.follow_up();
    assert_eq!((&left["state"], &left["attempts"]), (&Value::from("waiting"), &Value::from(1)));
    site.start();
    assert_eq!(receiver.next().await.id, first.id);
    site.becomes("sent").await;
}
