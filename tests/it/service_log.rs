//! What the service's log says of requests (SCIM reference, section 14: S7).

use serde_json::json;

use crate::support::host::Host;
use crate::support::served::Daemon;

#[tokio::test]
async fn the_log_has_one_line_a_request_and_nobodys_values() {
    let host = Host::new();
    let made = host.run(&["token", "create", "--workspace", "main", "--reason", "test"]);
    let token = made.out.trim();
    let daemon = Daemon::start(&host);
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let at = |path: &str| format!("{}/scim/v2{path}", daemon.root);
    let filter = "userName%20eq%20%22olga.zivkovic%22%20and%20emails%5Btype%20eq%20%22work%22%5D";
    let found = http.get(at(&format!("/Users?filter={filter}"))).bearer_auth(token).send().await.unwrap();
    let id = found.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(found.status(), 200);
    let body = json!({"userName": "olga.zivkovic", "password": "Tr0ub4dor", "shoeSize": "43"}).to_string();
    let created = http.post(at("/Users")).bearer_auth(token).body(body.clone()).send().await.unwrap();
    assert_eq!(created.status(), 201);
    assert_eq!(http.post(at("/Users")).bearer_auth(token).body(body).send().await.unwrap().status(), 409);
    assert_eq!(http.get(at("/Users/zivkovic")).send().await.unwrap().status(), 401);
    let log = daemon.logged();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("SCIM request")).collect();
    assert_eq!(lines.len(), 4, "{log}");
    let line = lines.iter().find(|line| line.contains(&id)).expect("the id of the answer");
    let public = token.split('_').nth(1).unwrap();
    for expected in [
        "tenant=\"push\"",
        &format!("token=\"{public}\""),
        "method=GET",
        "what=\"users\"",
        "status=200",
        "ms=",
    ] {
        assert!(line.contains(expected), "{expected} in {line}");
    }
    assert!(line.contains("userName eq ? and emails[type eq ?]"), "{line}");
    for value in ["zivkovic", "Tr0ub4dor", token] {
        assert!(!log.contains(value), "{value} in {log}");
    }
}
