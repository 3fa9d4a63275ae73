//! Okta: rate buckets, concurrency, roles, and every error body (okta.md sections 2.2, 7 and 8).

use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::Route;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;

use super::SMALL;
use super::Served;
use super::ids;
use super::link;
use super::morning;
use super::okta_keys::READ;
use super::okta_keys::bearer;
use super::okta_with;
use super::own;

async fn town() -> Served {
    let served = Served::okta(World::new(Flavour::Okta, SMALL, 1, morning())).await;
    served.world.set_clock(morning());
    served
}

/// The table of okta.md section 7: integrator, one app, enterprise, workforce; a token has half of it.
#[tokio::test]
async fn each_bucket_has_the_rate_of_the_table() {
    let served = town().await;
    let group = served.pages("/api/v1/groups").await[0]["id"].as_str().unwrap().to_owned();
    let person = served.pages("/api/v1/users").await[0]["id"].as_str().unwrap().to_owned();
    let app = format!("/api/v1/apps/{OKTA_APP_ID}");
    for (target, rates) in [
        (own("/api/v1/apps"), [20, 100, 100, 100]),
        (format!("{app}/users?limit=1"), [20, 100, 100, 100]),
        (format!("{app}/groups"), [20, 100, 100, 100]),
        (format!("{app}/group-push/mappings"), [20, 100, 100, 100]),
        (app.clone(), [100, 600, 600, 500]),
        (own("/api/v1/groups?limit=1"), [100, 600, 600, 500]),
        (format!("/api/v1/groups/{group}/users?limit=1"), [100, 600, 600, 500]),
        (format!("/api/v1/groups/{group}"), [100, 600, 600, 1000]),
        (own("/api/v1/users?limit=1"), [100, 600, 600, 600]),
        (format!("/api/v1/users/{person}"), [100, 1000, 1000, 2000]),
        (own("/api/v1/logs"), [20, 50, 50, 120]),
        (own("/api/v1/org"), [100, 600, 600, 1200]),
    ] {
        for (kind, rate) in ["integrator", "one_app", "enterprise", "workforce"].iter().zip(rates) {
            served.world.turn(&format!("org_kind={kind}")).unwrap();
            let answer = served.send(&target).await.unwrap();
            assert_eq!(answer.headers()["x-rate-limit-limit"], (rate / 2).to_string(), "{target} {kind}");
        }
    }
    served.world.turn("token_share_percent=100").unwrap();
    assert_eq!(served.send("/api/v1/org").await.unwrap().headers()["x-rate-limit-limit"], "1200");
    served.world.turn("org_kind=integrator").unwrap();
    let token = served.http.post(served.url("/oauth2/v1/token")).send().await.unwrap();
    assert_eq!(token.headers()["x-rate-limit-limit"], "150");
}

#[tokio::test]
async fn a_window_lasts_a_minute_from_its_first_request_and_its_buckets_are_apart() {
    let served = town().await;
    served.world.turn("org_kind=integrator").unwrap();
    let users = format!("/api/v1/apps/{OKTA_APP_ID}/users?limit=1");
    for left in (0..10).rev() {
        let answer = served.send(&users).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["x-rate-limit-remaining"]),
            (200, &left.to_string().parse().unwrap())
        );
    }
    served.world.set_clock("2026-03-02T08:00:59Z".parse().unwrap());
    let refused = served.send(&users).await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(!refused.headers().contains_key("retry-after"));
    assert_eq!(refused.headers()["x-rate-limit-reset"], (morning().as_second() + 60).to_string());
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["errorCode"], "E0000047");
    assert_eq!(body["errorSummary"], "API call exceeded rate limit due to too many requests.");
    assert_eq!((&body["errorLink"], &body["errorCauses"]), (&json!("E0000047"), &json!([])));
    served.ok(&format!("/api/v1/apps/{OKTA_APP_ID}")).await;
    served.world.set_clock("2026-03-02T08:01:00Z".parse().unwrap());
    served.ok(&users).await;
}

#[tokio::test]
async fn too_many_at_once_are_told_by_a_limit_of_nothing() {
    let served = town().await;
    served.world.turn("concurrency=1").unwrap();
    served.ok("/api/v1/groups").await;
    served.world.fault(Fault::next(Route::GroupsList, Trouble::Delay { milliseconds: 600 }));
    let both = tokio::join!(served.send("/api/v1/groups"), served.send("/api/v1/groups"));
    let answers = [both.0.unwrap(), both.1.unwrap()];
    let refused = answers.iter().find(|answer| answer.status() == 429).unwrap();
    assert_eq!(refused.headers()["x-rate-limit-limit"], "0");
    assert_eq!(refused.headers()["x-rate-limit-remaining"], "0");
    assert!(answers.iter().any(|answer| answer.status() == 200));

    served.world.turn("concurrency=0").unwrap();
    served.world.fault(Fault::next(Route::UsersList, Trouble::Concurrency));
    let answer = served.send("/api/v1/users").await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-rate-limit-limit"]),
        (429, &"0".parse().unwrap())
    );
}

#[tokio::test]
async fn a_lost_role_empties_lists_and_forbids_single_objects() {
    let served = town().await;
    let group = served.pages("/api/v1/groups").await[0]["id"].as_str().unwrap().to_owned();
    served.world.turn("role=lost").unwrap();
    let app = format!("/api/v1/apps/{OKTA_APP_ID}");
    for list in
        [format!("{app}/users"), format!("{app}/groups"), own("/api/v1/groups"), own("/api/v1/users?limit=1")]
    {
        let answer = served.send(&list).await.unwrap();
        assert_eq!((answer.status().as_u16(), link(&answer, "next")), (200, None), "{list}");
        assert_eq!(answer.json::<Value>().await.unwrap(), json!([]), "{list}");
    }
    for single in [app, format!("/api/v1/groups/{group}")] {
        let (status, body) = served.get(&single).await;
        assert_eq!((status, &body["errorCode"]), (403, &json!("E0000006")), "{single}");
    }
}

#[tokio::test]
async fn a_narrowed_role_sees_a_part_and_says_that_the_rest_is_not_there() {
    let world = okta_with(&["ann@x.example", "bob@x.example"], &["Sales", "Legal"]);
    for who in ["ann@x.example", "bob@x.example", "Sales", "Legal"] {
        world.change(Change::Assign { principal: own(who), role: None }).unwrap();
    }
    world.change(Change::Join { group: own("Sales"), member: own("bob@x.example") }).unwrap();
    let served = Served::okta(world).await;
    let id = |name: &str| served.world.id_of(name).unwrap();
    let (ann, bob, sales, legal) = (id("ann@x.example"), id("bob@x.example"), id("Sales"), id("Legal"));
    served.world.turn("hidden=bob@x.example,Legal").unwrap();
    let app = format!("/api/v1/apps/{OKTA_APP_ID}");
    let users = served.pages(&format!("{app}/users")).await;
    assert_eq!(ids(&users), [ann].into());
    assert_eq!(ids(&served.pages(&format!("{app}/groups")).await), [sales.clone()].into());
    assert_eq!(served.pages(&format!("/api/v1/groups/{sales}/users")).await, Vec::<Value>::new());
    for lie in [
        format!("{app}/users/{bob}"),
        format!("{app}/groups/{legal}"),
        format!("/api/v1/users/{bob}"),
        format!("/api/v1/groups/{legal}/users"),
    ] {
        assert_eq!(served.get(&lie).await.0, 404, "{lie}");
    }
    let town = town().await;
    let before = town.pages("/api/v1/users").await.len();
    town.world.turn("hidden_percent=40").unwrap();
    let after = town.pages("/api/v1/users").await.len();
    assert!(after < before && after > 0, "{after} of {before}");
}

#[tokio::test]
async fn a_listing_can_be_forbidden_in_its_middle_by_role_or_by_scope() {
    let mut served = town().await;
    served.credentials = format!("Bearer {}", bearer(&served, READ).await);
    let target = format!("/api/v1/apps/{OKTA_APP_ID}/users?limit=10");
    for (trouble, length) in [(Trouble::Deny, None), (Trouble::LoseScope, Some(0))] {
        served.world.fault(Fault::nth(Route::AppUsers, 2, trouble));
        let next = link(&served.send(&target).await.unwrap(), "next").unwrap();
        let answer = served.send(&next).await.unwrap();
        assert_eq!(answer.status(), 403);
        assert_eq!(answer.headers().contains_key("www-authenticate"), length.is_some());
        let body = answer.bytes().await.unwrap();
        assert_eq!(body.is_empty(), length.is_some());
    }
}

/// The table of okta.md section 8: every code comes with its status and in the envelope.
#[tokio::test]
async fn every_error_of_the_table_can_be_had() {
    let served = town().await;
    let table = "\
        E0000001 400 E0000002 400 E0000003 400 E0000004 401 E0000005 403 E0000006 403 E0000007 404 E0000008 404 \
        E0000009 500 E0000010 503 E0000011 401 E0000015 401 E0000016 403 E0000019 400 E0000020 400 E0000021 400 \
        E0000022 405 E0000023 403 E0000027 400 E0000029 400 E0000030 400 E0000031 400 E0000033 400 E0000038 403 \
        E0000046 403 E0000047 429 E0000048 404 E0000053 400 E0000060 501 E0000061 403 E0000062 409 E0000065 500 \
        E0000094 400 E0000100 503 E0000112 409 E0000117 403 E0000122 406 E0000145 409 E0000149 406 E0000155 423 \
        E0000156 410 E0000195 409 E0000231 412 E0000239 423 E0000249 409 E0000253 409 E0000256 414";
    let words: Vec<&str> = table.split_whitespace().collect();
    for pair in words.chunks(2) {
        served.world.fault(format!("groups_list={}", pair[0]).parse().unwrap());
        let (status, body) = served.get("/api/v1/groups").await;
        assert_eq!((status.to_string().as_str(), &body["errorCode"]), (pair[1], &json!(pair[0])));
        assert_eq!(body["errorLink"], pair[0]);
        assert!(!body["errorSummary"].as_str().unwrap().contains('{'), "{body}");
        assert!(body["errorId"].is_string() && body["errorCauses"].is_array(), "{body}");
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let served = town().await;
    let send = async |method: reqwest::Method, target: &str, accept: &str| {
        let request =
            served.http.request(method, served.url(target)).header("authorization", &served.credentials);
        let answer = request.header("accept", accept).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap()["errorCode"].as_str().unwrap().to_owned())
    };
    use reqwest::Method;
    let long = format!("/api/v1/groups?q={}", "x".repeat(9000));
    for (method, target, accept, expected) in [
        (Method::GET, "/api/v1/tea", "*/*", (404, "E0000008")),
        (Method::GET, "/api/v2/groups", "*/*", (404, "E0000008")),
        (Method::POST, "/api/v1/groups", "*/*", (405, "E0000022")),
        (Method::DELETE, "/api/v1/users/00u1", "*/*", (405, "E0000022")),
        (Method::GET, "/api/v1/groups", "text/xml", (406, "E0000122")),
        (Method::GET, long.as_str(), "*/*", (414, "E0000256")),
    ] {
        let (status, code) = send(method, target, accept).await;
        assert_eq!((status, code.as_str()), expected, "{target}");
    }
    served.ok("/api/v1/groups").await;
}

#[tokio::test]
async fn bodies_come_slowly_cut_broken_strange_or_from_a_gateway() {
    let served = town().await;
    let list = "/api/v1/users?limit=5";
    let whole = served.ok(list).await;
    let fault = |trouble| served.world.fault(Fault::next(Route::UsersList, trouble));
    fault(Trouble::SlowBody { milliseconds: 30 });
    assert_eq!(served.ok(list).await, whole);
    fault(Trouble::CutJson);
    let cut = served.send(list).await.unwrap();
    assert_eq!(cut.status(), 200);
    assert!(serde_json::from_slice::<Value>(&cut.bytes().await.unwrap()).is_err());
    fault(Trouble::Truncate);
    assert!(served.send(list).await.unwrap().bytes().await.is_err());
    fault(Trouble::Drop);
    assert!(served.send(list).await.is_err());
    for status in [502, 503, 504] {
        fault(Trouble::Html { status });
        let page = served.send(list).await.unwrap();
        assert_eq!(
            (page.status().as_u16(), &page.headers()["content-type"]),
            (status, &"text/html".parse().unwrap())
        );
    }
    fault(Trouble::UnknownEnum);
    assert!(served.ok(list).await.as_array().unwrap().iter().all(|row| row["status"] == "HIBERNATING"));
    fault(Trouble::UnknownFields);
    let strange = served.ok(list).await;
    assert!(strange[0]["hologram"].is_object());
    assert_eq!(strange[0]["profile"], whole[0]["profile"]);
}
