//! The provisioning log as others read it: records with Entra's words, a table that no spreadsheet runs, decisions, the chain.

use serde_json::Value;

use crate::support::host::Host;

fn host() -> Host {
    let host = Host::new();
    host.people(&["ann", "=2+3"]);
    assert_eq!(host.run(&["enable", "hr", "--reason", "looked at it, twice"]).code, 0);
    assert_eq!(host.run(&["sync"]).code, 0);
    host
}

fn records(host: &Host) -> Vec<Value> {
    let log = host.run(&["log", "--format", "json"]);
    log.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_record_has_our_words_and_those_of_entra() {
    let host = host();
    let records = records(&host);
    let ann = records.iter().find(|record| record["id"] == "u-ann").unwrap();
    for (key, expected) in
        [("class", "create"), ("action", "create"), ("initiated_by", "job hr"), ("kind", "user")]
    {
        assert_eq!(ann[key], expected, "{ann}");
    }
    assert_eq!((&ann["status"]["status"], &ann["status"]["error"]), (&"success".into(), &Value::Null));
    assert_eq!((&ann["source"]["system"], &ann["source"]["id"]), (&"file acme-hr".into(), &"u-ann".into()));
    assert_eq!(ann["target"]["system"], "workspace main");
    assert!(ann["target"]["id"].is_string() && ann["duration_ms"].is_u64(), "{ann}");
    assert_eq!(ann["cycle"], 1);
    let name = ann["edits"].as_array().unwrap().iter().find(|edit| edit["path"] == "userName").unwrap();
    assert_eq!((&name["old"], &name["new"]), (&Value::Null, &"ann@acme.example".into()));
}

#[test]
fn a_decision_is_in_the_log_and_in_its_chain_with_who_and_why() {
    let host = host();
    let records = records(&host);
    let decision = &records[0];
    for (key, expected) in
        [("class", "decide"), ("name", "mode write"), ("reason", "looked at it, twice"), ("action", "other")]
    {
        assert_eq!(decision[key], expected, "{decision}");
    }
    assert_eq!(decision["by"], decision["initiated_by"]);
    let state = rusqlite::Connection::open(host.path("rosterd.db")).unwrap();
    state.execute("UPDATE journal SET cause = 'nobody looked' WHERE class = 'decide'", []).unwrap();
    drop(state);
    let chain = host.run(&["log", "--verify-chain"]);
    assert_eq!(chain.code, 1);
    assert!(chain.out.contains("chain is broken at link 1: entry 1 was changed"), "{}", chain.out);
}

#[test]
fn the_table_is_quoted_and_no_field_of_it_is_a_formula() {
    let host = host();
    let log = host.run(&["log", "--format", "csv"]);
    let mut lines = log.out.split("\r\n");
    let heading: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(heading[..4], ["at", "entry", "job", "cycle"]);
    assert!(log.out.contains("\"'=2+3@acme.example\""), "{}", log.out);
    assert!(!log.out.contains(",=2"), "{}", log.out);
    assert!(log.out.contains("\"looked at it, twice\""), "{}", log.out);
    assert_eq!(lines.filter(|line| !line.is_empty()).count(), records(&host).len());
}

#[test]
fn the_end_of_the_chain_is_shown_by_the_status() {
    let host = host();
    let chain: Value =
        serde_json::from_str(&host.run(&["log", "--verify-chain", "--format", "json"]).out).unwrap();
    let status: Value = serde_json::from_str(&host.run(&["status", "--format", "json"]).out).unwrap();
    assert_eq!(status["chain"]["link"], chain["last"]);
    assert_eq!(status["chain"]["number"], chain["links"]);
    let told = format!("is {}\n", chain["last"].as_str().unwrap());
    assert!(host.run(&["status"]).out.contains(&told));
}
