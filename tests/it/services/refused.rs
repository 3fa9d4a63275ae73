//! Each row refuses what the table says that the service refuses, asked over plain HTTP and not through our client.
//! What is refused there passes where the RFC alone is kept, so that the strictness is the row's.

use std::collections::BTreeSet;

use reqwest::Method;
use rosterd::scim::Kind;
use serde_json::Value;
use serde_json::json;

use super::rates::Rates;
use super::row::Row;
use super::rows;
use super::serve::Service;
use super::serve::TOKEN;

/// A service with a user and a group, and somebody who asks it.
struct Asking {
    service: Service,
    http: reqwest::Client,
    user: String,
    group: String,
}

/// Status, headers and body.
struct Said {
    status: u16,
    retry_after: Option<String>,
    text: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

fn ann() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ann@acme.example", "externalId": "a-1", "displayName": "Ann Lee", "active": true,
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "emails": [{"type": "work", "value": "ann@acme.example", "primary": true}],
    })
}

/// Ann with other values.
fn like_ann(with: Value) -> Value {
    let mut user = ann();
    user["userName"] = json!("bo@acme.example");
    user["emails"][0]["value"] = json!("bo@acme.example");
    for (name, value) in with.as_object().expect("an object") {
        user[name] = value.clone();
    }
    user
}

fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

impl Asking {
    async fn of(row: Row) -> Asking {
        let service = Service::start(row).await;
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).user_agent("a test");
        let mut asking = Asking {
            service,
            http: http.build().expect("a client"),
            user: String::new(),
            group: String::new(),
        };
        let id = |said: Said| said.json()["id"].as_str().expect("an id").to_owned();
        asking.user = id(asking.ask(Method::POST, "/Users", Some(ann())).await);
        let members = json!([{"value": asking.user}]);
        let group = json!({"displayName": "The team", "members": members});
        asking.group = id(asking.ask(Method::POST, "/Groups", Some(group)).await);
        asking
    }

    /// `{user}` and `{group}` stand for their ids.
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Said {
        let segment = |id: &str| id.replace('@', "%40").replace(' ', "%20");
        let path = path.replace("{user}", &segment(&self.user)).replace("{group}", &segment(&self.group));
        let request = self.http.request(method, format!("{}{path}", self.service.url)).bearer_auth(TOKEN);
        let request = match body {
            Some(body) => request.header("content-type", "application/scim+json").body(body.to_string()),
            None => request,
        };
        Said::of(request.send().await.expect("an answer")).await
    }

    async fn get(&self, path: &str) -> Said {
        self.ask(Method::GET, path, None).await
    }
}

impl Said {
    async fn of(answer: reqwest::Response) -> Said {
        let retry_after =
            answer.headers().get("retry-after").map(|value| value.to_str().expect("a text").to_owned());
        Said { status: answer.status().as_u16(), retry_after, text: answer.text().await.expect("a body") }
    }
}

/// What is asked, and under which words it is refused.
type Probe = (Method, &'static str, Option<Value>, &'static str);

fn get(path: &'static str, why: &'static str) -> Probe {
    (Method::GET, path, None, why)
}

fn post(user: Value, why: &'static str) -> Probe {
    (Method::POST, "/Users", Some(like_ann(user)), why)
}

fn change(path: &'static str, operation: Value, why: &'static str) -> Probe {
    (Method::PATCH, path, Some(patch(json!([operation]))), why)
}

/// Each row with what it refuses and the RFC does not.
fn refused() -> Vec<(Row, Vec<Probe>)> {
    vec![
        (rows::CERBY, cerby()),
        (rows::AWS, aws()),
        (
            rows::GITHUB_ORG,
            vec![change(
                "/Users/{user}",
                json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "x@acme.example"}),
                "400 element in a PATCH path",
            )],
        ),
        (
            rows::ATLASSIAN,
            vec![
                get("/Users?filter=userName eq \"a\" and externalId eq \"b\"", "400 filter: and"),
                get("/Users?filter=userName sw \"a\"", "400 filter: sw"),
                get("/Users?filter=emails.value eq \"a\"", "400 filter: emails.value"),
                get("/Users?sortBy=userName", "400 sortBy"),
                post(
                    json!({"emails": [{"type": "work", "value": "bo@else.example"}]}),
                    "400 mail domain that was not verified",
                ),
            ],
        ),
        (rows::SNOWFLAKE, vec![get("/Users?filter=userName sw \"a\"", "400 filter: sw")]),
        (rows::HCP_TERRAFORM, vec![get("/Users?filter=userName eq \"a\"", "400 filter: userName")]),
        (rows::SCIMGATEWAY, vec![get("/Users?filter=userName sw \"a\"", "400 filter: sw")]),
    ]
}

fn cerby() -> Vec<Probe> {
    vec![
        get("/Users?filter=externalId eq \"a-1\"", "400 filter: externalId"),
        get("/Groups?filter=externalId eq \"a-1\"", "400 filter: externalId"),
        post(json!({"emails": []}), "400 without emails[type eq \"work\"].value"),
        post(json!({"name": {"givenName": "Bo"}}), "400 without name.familyName"),
        post(
            json!({"emails": [{"type": "work", "value": "other@acme.example"}]}),
            "400 userName that is not the e-mail",
        ),
    ]
}

fn aws() -> Vec<Probe> {
    let many: Value = (0..101).map(|_| json!({"value": "nobody"})).collect();
    let mails =
        json!([{"type": "work", "value": "a@acme.example"}, {"type": "home", "value": "b@acme.example"}]);
    let group = json!({"displayName": "The team"});
    vec![
        get("/Users?startIndex=1", "400 startIndex"),
        get("/Groups?attributes=displayName", "400 attributes"),
        get("/Groups/{group}?excludedAttributes=members", "400 excludedAttributes"),
        get("/Users?count=0", "400 count outside of 1 to 100"),
        get("/Users?count=101", "400 count outside of 1 to 100"),
        get("/Users?filter=userName co \"a\"", "400 filter: co"),
        get("/Users?filter=emails.value eq \"a\"", "400 filter: emails.value"),
        post(json!({"emails": mails}), "400 two emails"),
        post(json!({"password": "secret"}), "400 attribute password"),
        post(json!({"displayName": ""}), "400 without displayName"),
        (Method::PUT, "/Groups/{group}", Some(group), "405 PUT /Groups"),
        change(
            "/Groups/{group}",
            json!({"op": "replace", "path": "members", "value": []}),
            "400 replacing or clearing all members",
        ),
        change(
            "/Groups/{group}",
            json!({"op": "remove", "path": "members"}),
            "400 replacing or clearing all members",
        ),
        change(
            "/Groups/{group}",
            json!({"op": "add", "path": "members", "value": many}),
            "400 more than 100 members",
        ),
    ]
}

#[tokio::test]
async fn each_row_refuses_what_its_service_refuses_and_the_rfc_does_not() {
    for (row, probes) in refused() {
        for (method, path, body, why) in probes {
            let strict = Asking::of(row).await;
            let said = strict.ask(method.clone(), path, body.clone()).await;
            assert_eq!(strict.service.refusals(), [format!("{why}: 1")], "{}: {method} {path}", row.name);
            assert!(why.starts_with(&said.status.to_string()));
            let rfc = Asking::of(rows::RFC_7644).await;
            let said = rfc.ask(method.clone(), path, body).await;
            // The members of the large request are nobody, which the RFC's service says too.
            let passes = said.status < 300 || why == "400 more than 100 members";
            assert!(passes, "{}: {method} {path}: {}", row.name, said.text);
        }
    }
}

#[tokio::test]
async fn errors_come_in_the_shape_of_the_service() {
    let text = |row: Row| async move { Asking::of(row).await.get("/Users/nobody").await.text };
    assert_eq!(text(rows::CERBY).await, r#"{"errors":[{"message":"there is no such resource"}]}"#);
    assert!(text(rows::CONFIGCAT).await.starts_with("<html>"));
    let scim: Value = serde_json::from_str(&text(rows::AWS).await).expect("JSON");
    assert_eq!(scim["status"], "404");
}

#[tokio::test]
async fn github_wants_to_know_who_asks() {
    for row in [rows::GITHUB_ORG, rows::GITHUB_EMU] {
        let asking = Asking::of(row).await;
        let nameless = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let answer = nameless.get(format!("{}/Users", asking.service.url)).bearer_auth(TOKEN).send().await;
        assert_eq!(Said::of(answer.expect("an answer")).await.status, 403);
        assert_eq!(asking.get("/Users").await.status, 200);
    }
}

#[tokio::test]
async fn who_is_not_active_at_a_github_organization_is_gone() {
    let asking = Asking::of(rows::GITHUB_ORG).await;
    let body = patch(json!([{"op": "replace", "path": "active", "value": false}]));
    assert_eq!(asking.ask(Method::PATCH, "/Users/{user}", Some(body)).await.status, 200);
    assert_eq!(asking.get("/Users/{user}").await.status, 404);
    let again = asking.ask(Method::POST, "/Users", Some(ann())).await;
    assert_eq!(again.status, 201);
    assert_ne!(again.json()["id"], json!(asking.user));
}

#[tokio::test]
async fn deleting_deactivates_at_slack_and_hides_at_atlassian() {
    let slack = Asking::of(rows::SLACK).await;
    assert_eq!(slack.ask(Method::DELETE, "/Users/{user}", None).await.status, 204);
    assert_eq!(slack.get("/Users/{user}").await.json()["active"], json!(false));
    assert_eq!(slack.ask(Method::POST, "/Users", Some(ann())).await.status, 409);
    let atlassian = Asking::of(rows::ATLASSIAN).await;
    assert_eq!(atlassian.ask(Method::DELETE, "/Users/{user}", None).await.status, 204);
    assert_eq!(atlassian.get("/Users/{user}").await.status, 404);
    assert_eq!(atlassian.ask(Method::DELETE, "/Users/{user}", None).await.status, 404);
    assert_eq!(atlassian.ask(Method::POST, "/Users", Some(ann())).await.status, 201);
}

#[tokio::test]
async fn slack_takes_twenty_writes_at_once_and_then_says_when_to_come_again() {
    let slack = Asking::of(rows::SLACK).await;
    for _ in 1..20 {
        slack.ask(Method::PUT, "/Users/{user}", Some(ann())).await;
    }
    let said = slack.ask(Method::PUT, "/Users/{user}", Some(ann())).await;
    assert_eq!((said.status, said.retry_after.as_deref()), (429, Some("1")));
    assert_eq!(slack.ask(Method::PUT, "/Users/{user}", Some(ann())).await.status, 200);
}

#[test]
fn github_emu_takes_a_thousand_users_an_hour() {
    let mut rates = Rates::new(rows::GITHUB_EMU.rates);
    assert!((0..1_000).all(|_| rates.take(Kind::User, "POST").is_ok()));
    assert_eq!(rates.take(Kind::User, "POST").expect_err("it is enough").status, 429);
    assert!(rates.take(Kind::User, "PATCH").is_ok());
}

#[tokio::test]
async fn configcat_keeps_four_attributes_of_a_user() {
    let configcat = Asking::of(rows::CONFIGCAT).await;
    let shown = configcat.get("/Users/{user}").await.json();
    let names: BTreeSet<&str> = shown.as_object().expect("a user").keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["active", "displayName", "externalId", "id", "meta", "userName"]));
}

#[tokio::test]
async fn the_members_of_a_group_are_never_shown_at_aws_and_can_be_asked_for() {
    let aws = Asking::of(rows::AWS).await;
    assert_eq!(aws.get("/Groups/{group}").await.json()["members"], json!([]));
    let total = |said: Said| said.json()["totalResults"].as_u64();
    let held = format!("/Groups?filter=members.value eq \"{}\"", aws.user);
    assert_eq!(total(aws.get(&held).await), Some(1));
    let both = format!("/Groups?filter=id eq \"{}\" and members eq \"{}\"", aws.group, aws.user);
    assert_eq!(total(aws.get(&both).await), Some(1));
    assert_eq!(total(aws.get("/Groups?filter=members.value eq \"nobody\"").await), Some(0));
    let renamed = patch(json!([{"op": "replace", "path": "displayName", "value": "Others"}]));
    let said = aws.ask(Method::PATCH, "/Groups/{group}", Some(renamed)).await;
    assert_eq!((said.status, said.text.as_str()), (204, ""));
}

#[tokio::test]
async fn snowflake_lists_one_who_does_not_exist() {
    let snowflake = Asking::of(rows::SNOWFLAKE).await;
    let list = snowflake.get("/Users").await.json();
    assert_eq!((&list["totalResults"], &list["Resources"][0]["userName"]), (&json!(1), &json!("fake")));
    let found = snowflake.get("/Users?filter=userName eq \"ann@acme.example\"").await.json();
    assert_eq!(found["Resources"][0]["id"], json!(snowflake.user));
}

#[tokio::test]
async fn pages_are_as_large_as_the_service_makes_them() {
    for (row, asked, first, rest) in [
        (rows::HCP_TERRAFORM, "count=500", 200, 21),
        (rows::SCIMMY, "count=500", 20, 20),
        (rows::SCIMGATEWAY, "count=500", 200, 21),
        (rows::ATLASSIAN, "count=500", 221, 0),
        (rows::AWS, "cursor=&count=100", 100, 0),
        (rows::AWS, "count=100", 50, 0),
    ] {
        let asking = Asking::of(row).await;
        for n in 1..221 {
            let name = format!("p{n}@acme.example");
            let user = like_ann(json!({"userName": name, "emails": []}));
            asking.service.state().directory.create(Kind::User, &user).expect("a user");
        }
        let list = asking.get(&format!("/Users?{asked}")).await.json();
        let shown = list["Resources"].as_array().expect("a list").len();
        assert_eq!((shown, &list["totalResults"]), (first, &json!(221)), "{}", row.name);
        if rest > 0 {
            let list = asking.get(&format!("/Users?{asked}&startIndex={}", first + 1)).await.json();
            assert_eq!(list["Resources"].as_array().expect("a list").len(), rest, "{}", row.name);
        }
        assert_eq!(list["nextCursor"].is_string(), asked.starts_with("cursor"), "{}", row.name);
    }
}

#[tokio::test]
async fn services_made_with_scimmy_compare_by_case_and_count_a_member_twice() {
    let scimmy = Asking::of(rows::SCIMMY).await;
    let found = scimmy.get("/Users?filter=userName eq \"ANN@acme.example\"").await.json();
    assert_eq!(found["totalResults"], json!(0));
    let add = patch(json!([{"op": "add", "path": "members", "value": [{"value": scimmy.user}]}]));
    let group = scimmy.ask(Method::PATCH, "/Groups/{group}", Some(add)).await.json();
    assert_eq!(group["members"].as_array().expect("a list").len(), 2);
    assert_eq!(group["meta"]["location"], json!(format!("/scim/v2/Groups/{}", scimmy.group)));
    assert_eq!(scimmy.ask(Method::PUT, "/Users", Some(ann())).await.status, 404);
}

#[tokio::test]
async fn ids_are_names_in_services_made_with_scimgateway() {
    let gateway = Asking::of(rows::SCIMGATEWAY).await;
    assert_eq!((gateway.user.as_str(), gateway.group.as_str()), ("ann@acme.example", "The team"));
    let renamed = patch(json!([{"op": "replace", "path": "userName", "value": "new@acme.example"}]));
    let said = gateway.ask(Method::PATCH, "/Users/{user}", Some(renamed)).await;
    assert_eq!((said.status, said.text.as_str()), (204, ""));
    assert_eq!(gateway.get("/Users/{user}").await.status, 404);
    let group = gateway.get("/Groups/{group}").await.json();
    assert_eq!(group["members"][0]["value"], json!("new@acme.example"));
    let schema = gateway.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").await.json();
    assert!(schema["Resources"].is_array());
}
