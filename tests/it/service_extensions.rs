//! A schema file of an operator's own (setting `scim.extensions`), from the settings to what the service answers.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::support::host::Host;
use crate::support::served::Daemon;

const URN: &str = "urn:example:params:scim:schemas:badge:2.0:User";

fn host(schema: &str) -> Host {
    let host = Host::new();
    let file = host.path("badge.json");
    fs::write(&file, schema).unwrap();
    host.settings(&format!("\n[scim]\nextensions = {{ user = [\"{}\"] }}\n", file.display()));
    host
}

#[tokio::test]
async fn an_extension_of_ones_own_is_kept_found_shown_and_described() {
    let schema = json!({"id": URN, "name": "Badge", "attributes": [
        {"name": "number", "type": "string", "caseExact": true},
        {"name": "floor", "type": "integer"}]});
    let host = host(&schema.to_string());
    let made =
        host.run(&["token", "create", "--workspace", "main", "--dialect", "strict", "--reason", "test"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let daemon = Daemon::start(&host);
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let send = async |method: &str, path: &str, body: Option<Value>| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request =
            http.request(method, format!("{}/scim/v2{path}", daemon.root)).bearer_auth(made.out.trim());
        let request = body.iter().fold(request, |request, body| request.body(body.to_string()));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    let ann = json!({"schemas": [core, URN], "userName": "ann", URN: {"number": "B-7", "floor": 3}});
    let (status, made) = send("POST", "/Users", Some(ann)).await;
    assert_eq!((status, &made[URN]), (201, &json!({"number": "B-7", "floor": 3})), "{made}");
    let (_, found) = send("GET", &format!("/Users?filter={URN}:floor%20gt%202"), None).await;
    assert_eq!(found["totalResults"], 1, "{found}");
    let wrong = json!({"schemas": [core, URN], "userName": "bob", URN: {"floor": "third"}});
    assert_eq!(send("POST", "/Users", Some(wrong)).await.1["scimType"], "invalidValue");
    let (_, schema) = send("GET", &format!("/Schemas/{URN}"), None).await;
    assert_eq!((&schema["name"], &schema["attributes"][1]["type"]), (&json!("Badge"), &json!("integer")));
    let (_, user) = send("GET", "/ResourceTypes/User", None).await;
    assert!(user["schemaExtensions"].as_array().unwrap().iter().any(|extension| extension["schema"] == URN));
}

#[test]
fn a_schema_that_cannot_be_used_is_told_with_its_place() {
    let wrong = json!({"id": URN, "name": "Badge", "attributes": [{"name": "number", "type": "text"}]});
    let host = host(&wrong.to_string());
    let check = host.run(&["config", "check"]);
    assert_eq!(check.code, 1, "{}", check.out);
    let told = format!("{}{}", check.out, check.err);
    assert!(
        told.contains("badge.json: attributes[0].type: ") && told.contains("for `scim.extensions.user`"),
        "{told}"
    );
    fs::remove_file(host.path("badge.json")).unwrap();
    let told = host.run(&["config", "check"]);
    assert!(
        format!("{}{}", told.out, told.err).contains("badge.json cannot be read"),
        "{}{}",
        told.out,
        told.err
    );
}
