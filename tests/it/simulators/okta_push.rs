//! Okta: group push mappings (okta.md section 3.9).

use rosterd::simulators::Change;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::OktaChange;
use rosterd::simulators::PushStatus;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::ids;
use super::join;
use super::link;
use super::morning;
use super::okta_keys::READ;
use super::okta_keys::bearer;
use super::okta_with;
use super::own;

fn mappings(rest: &str) -> String {
    format!("/api/v1/apps/{OKTA_APP_ID}/group-push/mappings{rest}")
}

fn okta(world: &World, what: OktaChange) {
    world.change(Change::Okta { what }).unwrap();
}

fn push(group: &str, target: Option<&str>) -> OktaChange {
    OktaChange::PushGroup { group: own(group), target: target.map(own), status: None }
}

async fn served() -> Served {
    let world = okta_with(&["ann@x.example"], &["Sales", "Legal"]);
    world.set_clock(morning());
    join(&world, "Sales", "ann@x.example");
    okta(&world, push("Sales", None));
    Served::okta(world).await
}

#[tokio::test]
async fn a_push_creates_a_mirror_or_links_to_an_imported_group() {
    let served = served().await;
    let sales = served.pages("/api/v1/groups?filter=type eq \"OKTA_GROUP\"").await;
    let sales = sales.iter().find(|group| group["profile"]["name"] == "Sales").unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let rows = served.pages(&mappings("")).await;
    let one = &rows[0];
    assert!(one["id"].as_str().unwrap().starts_with("gPm"));
    assert_eq!((&one["status"], &one["sourceGroupId"]), (&json!("ACTIVE"), &json!(sales)));
    for date in ["created", "lastUpdated", "lastPush"] {
        assert_eq!(one[date], "2026-03-02T08:00:00Z", "no milliseconds in {date}");
    }
    let target = one["targetGroupId"].as_str().unwrap();
    let mirror = served.ok(&format!("/api/v1/groups/{target}")).await;
    assert_eq!((&mirror["type"], &mirror["profile"]["name"]), (&json!("APP_GROUP"), &json!("Sales")));
    assert_eq!(mirror["source"]["id"], OKTA_APP_ID);
    let members = served.pages(&format!("/api/v1/groups/{target}/users")).await;
    assert_eq!(ids(&members), [served.world.id_of("ann@x.example").unwrap()].into());
    served.ok(&mappings(&format!("/{}", one["id"].as_str().unwrap()))).await;
    assert_eq!(served.get(&mappings("/gPmNobody")).await.0, 404);

    okta(&served.world, OktaChange::ImportGroup { name: own("Lawyers"), id: None, source: None });
    let lawyers = served.world.id_of("Lawyers").unwrap();
    okta(&served.world, push("Legal", Some("Lawyers")));
    assert_eq!(served.pages(&mappings("")).await[1]["targetGroupId"], json!(lawyers));
    let twice = served.world.change(Change::Okta { what: push("Legal", None) });
    assert!(twice.is_err(), "a group is pushed once");
}

#[tokio::test]
async fn mappings_are_found_by_status_source_and_time_and_their_links_forget_the_source() {
    let served = served().await;
    served.world.set_clock("2026-03-02T09:00:00Z".parse().unwrap());
    okta(&served.world, push("Legal", None));
    okta(
        &served.world,
        OktaChange::SetPush { group: own("Legal"), status: PushStatus::Error, error: Some(own("no access")) },
    );
    let legal = served.pages(&mappings("?status=ERROR")).await;
    assert_eq!((legal.len(), &legal[0]["errorSummary"]), (1, &json!("no access")));
    assert_eq!(served.pages(&mappings("?lastUpdated=2026-03-02T09:00:00Z")).await.len(), 1);
    assert_eq!(served.pages(&mappings("?lastUpdated=2026-03-02T08:00:00Z")).await.len(), 2);
    let target = mappings(&format!("?limit=1&sourceGroupId={}", legal[0]["sourceGroupId"].as_str().unwrap()));
    let answer = served.send(&target).await.unwrap();
    assert!(!link(&answer, "self").unwrap().contains("sourceGroupId"));
    assert_eq!(answer.json::<Vec<Value>>().await.unwrap().len(), 1);
    assert_eq!(served.get(&mappings("?status=LATE")).await.0, 400);
    assert_eq!(served.get(&mappings("?lastUpdated=never")).await.1["errorCode"], "E0000030");
}

#[tokio::test]
async fn without_the_feature_the_answer_is_what_the_knob_says() {
    let served = served().await;
    for (knob, expected) in [("unauthorized", (401, "E0000015")), ("not_found", (404, "E0000007"))] {
        served.world.turn(&format!("push={knob}")).unwrap();
        let (status, body) = served.get(&mappings("")).await;
        assert_eq!((status, body["errorCode"].as_str().unwrap()), expected);
    }
}

#[tokio::test]
async fn clients_may_create_stop_and_delete_mappings_as_recorded_or_as_documented() {
    let mut served = served().await;
    let legal = served.world.id_of("Legal").unwrap();
    let send = async |served: &Served, method: reqwest::Method, target: String, body: Option<Value>| {
        let mut request =
            served.http.request(method, served.url(&target)).header("authorization", &served.credentials);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap())
    };
    use reqwest::Method;
    let body = json!({ "sourceGroupId": legal, "status": "ACTIVE", "targetGroupName": "Law" });
    for (documented, created, deleted) in [(false, 200, 200), (true, 201, 204)] {
        served.world.turn(&format!("push_as_documented={documented}")).unwrap();
        let (status, bytes) = send(&served, Method::POST, mappings(""), Some(body.clone())).await;
        assert_eq!(status, created);
        let made: Value = serde_json::from_slice(&bytes).unwrap();
        let one = format!("/{}", made["id"].as_str().unwrap());
        let delete = mappings(&format!("{one}?deleteTargetGroup=true"));
        let (status, bytes) = send(&served, Method::DELETE, delete.clone(), None).await;
        let refusal: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((status, &refusal["errorCode"]), (400, &json!("E0000027")), "it still pushes");
        let stop = Some(json!({ "status": "INACTIVE" }));
        assert_eq!(send(&served, Method::PATCH, mappings(&one), stop).await.0, 200);
        assert_eq!(
            send(&served, Method::DELETE, mappings(&one), None).await.0,
            400,
            "deleteTargetGroup is missing"
        );
        let (status, bytes) = send(&served, Method::DELETE, delete, None).await;
        assert_eq!((status, bytes.len()), (deleted, 0));
        assert_eq!(
            served.get(&format!("/api/v1/groups/{}", made["targetGroupId"].as_str().unwrap())).await.0,
            404
        );
    }
    for (wrong, code) in [
        (json!({ "status": "ACTIVE", "targetGroupName": "Law" }), 400),
        (json!({ "sourceGroupId": legal }), 400),
        (json!({ "sourceGroupId": legal, "targetGroupName": "x", "targetGroupId": legal }), 400),
        (json!({ "sourceGroupId": legal, "targetGroupId": legal }), 400),
        (json!({ "sourceGroupId": "00gNobody", "targetGroupName": "x" }), 404),
    ] {
        assert_eq!(send(&served, Method::POST, mappings(""), Some(wrong.clone())).await.0, code, "{wrong}");
    }
    served.credentials = format!("Bearer {}", bearer(&served, READ).await);
    assert_eq!(send(&served, Method::POST, mappings(""), Some(body)).await.0, 403, "reading is not managing");
    assert_eq!(served.pages(&mappings("")).await.len(), 1);
}
