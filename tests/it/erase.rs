//! `workspace erase`, as people use it: what it refuses, what it leaves, and the receipt.

use std::fs;

use serde_json::Value;

use crate::support::host::Host;

const ANN: &str = "ann@acme.example";

fn done(host: &Host, command: &[&str]) -> String {
    let ran = host.run(command);
    assert_eq!(ran.code, 0, "{command:?}: {}{}", ran.out, ran.err);
    ran.out
}

/// A host whose ann has left, with grants and a follow-up that is done.
fn left() -> Host {
    let host = Host::new();
    done(&host, &["enable", "hr"]);
    done(&host, &["sync"]);
    done(&host, &["workspace", "grants", "add", ANN, "ann-vault", "--privileged"]);
    host.people(&["bob"]);
    done(&host, &["sync"]);
    host
}

fn acknowledge(host: &Host) {
    let listed = done(host, &["workspace", "follow-ups", "--format", "json"]);
    let follow_up: Value = serde_json::from_str(listed.trim()).expect("one follow-up");
    done(host, &["workspace", "follow-ups", "ack", follow_up["id"].as_str().expect("an id")]);
}

/// Which of these words some file beside the state holds.
fn held(host: &Host, but: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in fs::read_dir(host.folder.path()).expect("a folder").flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if but.contains(&name.as_str()) || !name.starts_with("rosterd.db") {
            continue;
        }
        let bytes = fs::read(file.path()).unwrap_or_default();
        let holds = |word: &&&str| {
            bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
        };
        found.extend(words.iter().filter(holds).map(|word| format!("{name}: {word}")));
    }
    found
}

#[test]
fn who_is_in_use_or_still_wanted_is_not_erased() {
    let host = Host::new();
    done(&host, &["enable", "hr"]);
    done(&host, &["sync"]);
    let wanted = host.run(&["workspace", "erase", ANN]);
    assert_eq!(wanted.code, 1);
    assert!(
        wanted.err.contains("still has u-ann in scope") && wanted.err.contains("  cure: take the person out"),
        "{}",
        wanted.err
    );
    let nobody = host.run(&["workspace", "erase", "zoe"]);
    assert!(nobody.code == 1 && nobody.err.contains("zoe: nobody is known as that"), "{}", nobody.err);
    let left = left();
    let open = left.run(&["workspace", "erase", ANN]);
    assert!(
        open.code == 1 && open.err.contains("follow-ups are open that need these values"),
        "{}",
        open.err
    );
}

#[test]
fn a_person_is_erased_and_the_receipt_says_what_is_left_where() {
    let host = left();
    acknowledge(&host);
    fs::copy(host.path("rosterd.db"), host.path("rosterd.db.before")).expect("a copy");
    fs::write(host.path("notes.db"), "no database").expect("a file");
    let receipt = done(&host, &["workspace", "erase", ANN, "--reason", "asked for it"]);
    assert!(receipt.starts_with("erased from workspace main: "), "{receipt}");
    assert!(receipt.contains("  known to a source as u-ann\n"), "{receipt}");
    assert!(receipt.contains("the log keeps who, when and why, without values: "), "{receipt}");
    let copies = "copies of the state that were made before now still hold the values, as may these:\n  DIR/rosterd.db.before\n";
    assert!(host.shown(&receipt).ends_with(copies), "{receipt}");

    let words = ["ann@acme", "ann-vault"];
    assert_eq!(held(&host, &["rosterd.db.before"], &words), [""; 0], "not a byte of it is left in the state");
    assert!(!held(&host, &[], &words).is_empty(), "and the copy is rightly named");
    assert!(!done(&host, &["workspace", "users"]).contains("ann"));
    let log = done(&host, &["log", "--who", "u-ann"]);
    assert!(log.contains("asked for it") || done(&host, &["log"]).contains("asked for it"), "{log}");
    let chain = done(&host, &["log", "--verify-chain"]);
    assert!(chain.contains("is whole"), "{chain}");
    let quiet = host.run(&["plan"]);
    assert_eq!(quiet.code, 0, "nobody is brought back: {}", quiet.out);
}

#[test]
fn the_receipt_can_be_read_by_scripts() {
    let host = left();
    acknowledge(&host);
    let receipt = done(&host, &["workspace", "erase", ANN, "--format", "json"]);
    let receipt: Value = serde_json::from_str(receipt.trim()).expect("JSON");
    assert_eq!(receipt["sources"], serde_json::json!(["u-ann"]));
    assert_eq!(receipt["copies"], serde_json::json!([]));
    assert!(receipt["entry"].is_number() && !receipt["removed"].as_array().expect("a list").is_empty());
}
