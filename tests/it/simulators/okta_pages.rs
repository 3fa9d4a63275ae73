//! Okta: links, cursors and limits, and what can be wrong with them (okta.md section 1.1).

use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::Route;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

use super::SMALL;
use super::Served;
use super::ids;
use super::link;
use super::morning;
use super::okta_with;
use super::own;

async fn town() -> Served {
    Served::okta(World::new(Flavour::Okta, SMALL, 1, morning())).await
}

fn app_users(query: &str) -> String {
    format!("/api/v1/apps/{OKTA_APP_ID}/users?{query}")
}

/// The ids of all rows in the order in which they came.
async fn walk(served: &Served, target: &str) -> (Vec<String>, usize) {
    let (mut rows, mut pages, mut next) = (Vec::new(), 0, Some(target.to_owned()));
    while let Some(target) = next {
        let answer = served.send(&target).await.unwrap();
        next = link(&answer, "next");
        let page: Vec<Value> = answer.json().await.unwrap();
        rows.extend(page.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        pages += 1;
        assert!(pages < 100, "{target} has no end");
    }
    (rows, pages)
}

#[tokio::test]
async fn short_and_empty_pages_lose_nothing_and_skipped_and_repeated_rows_do() {
    let served = town().await;
    let target = app_users("limit=10");
    let (whole, pages) = walk(&served, &target).await;
    for trouble in [Trouble::ShortPage, Trouble::EmptyPage] {
        served.world.fault(Fault::nth(Route::AppUsers, 1, trouble.clone()));
        served.world.fault(Fault::nth(Route::AppUsers, 2, trouble.clone()));
        let (rows, more) = walk(&served, &target).await;
        assert_eq!(rows, whole, "{trouble:?}");
        assert!(more > pages, "{trouble:?}");
    }
    served.world.fault(Fault::nth(Route::AppUsers, 2, Trouble::SkipRow));
    let (rows, _) = walk(&served, &target).await;
    assert_eq!(rows.len(), whole.len() - 1);
    assert!(!rows.contains(&whole[20]));
    served.world.fault(Fault::nth(Route::AppUsers, 2, Trouble::RepeatRow));
    let (rows, _) = walk(&served, &target).await;
    assert_eq!(rows.len(), whole.len() + 1);
    assert_eq!(rows.iter().filter(|row| **row == whole[19]).count(), 2);
}

#[tokio::test]
async fn links_lose_their_way_as_they_were_seen_to() {
    let served = town().await;
    let target = app_users("limit=10&expand=user");
    let mut next = Vec::new();
    for trouble in [Trouble::SiblingHost, Trouble::ForeignHost, Trouble::LoseExpand, Trouble::RepeatCursor] {
        served.world.fault(Fault::next(Route::AppUsers, trouble));
        next.push(link(&served.send(&target).await.unwrap(), "next").unwrap());
    }
    let sibling = served.base.replace("127.0.0.1", "localhost");
    assert!(next[0].starts_with(&sibling), "{}", next[0]);
    assert!(next[1].starts_with("http://okta.foreign.example/api/v1/apps/"), "{}", next[1]);
    assert!(!next[2].contains("expand") && next[2].contains("limit=10"), "{}", next[2]);
    assert_eq!(next[3], served.url(&target));

    served.world.fault(Fault::next(Route::AppUsers, Trouble::NoLinkHeader));
    assert!(!served.send(&target).await.unwrap().headers().contains_key("link"));
    served.world.fault(Fault::next(Route::AppUsers, Trouble::OneLinkHeader));
    let joined = served.send(&target).await.unwrap();
    assert_eq!(joined.headers().get_all("link").iter().count(), 1);
    assert!(joined.headers()["link"].to_str().unwrap().contains("rel=\"self\", <"));
}

#[tokio::test]
async fn a_cursor_is_refused_when_it_is_old_and_a_search_says_it_otherwise() {
    let served = town().await;
    served.world.set_clock(morning());
    served.world.turn("cursor_minutes=5").unwrap();
    let next = link(&served.send("/api/v1/groups?limit=2").await.unwrap(), "next").unwrap();
    let search = "/api/v1/groups?search=type eq \"OKTA_GROUP\"&limit=2";
    let next_of_search = link(&served.send(search).await.unwrap(), "next").unwrap();
    served.world.set_clock("2026-03-02T08:04:59Z".parse().unwrap());
    served.ok(&next).await;
    served.world.set_clock("2026-03-02T08:05:00Z".parse().unwrap());
    for (target, code, summary) in [
        (&next, "E0000029", "Invalid paging request."),
        (&next_of_search, "E0000031", "Invalid search criteria."),
    ] {
        let (status, body) = served.get(target).await;
        assert_eq!((status, &body["errorCode"]), (400, &json!(code)));
        assert_eq!(body["errorSummary"], summary);
        assert_eq!(body["errorCauses"], json!([{ "errorSummary": "Invalid cursor." }]));
    }
    served.world.turn("cursor_minutes=null").unwrap();
    served.world.fault(Fault::next(Route::GroupsList, Trouble::ExpireCursor));
    assert_eq!(served.get(&next).await.0, 400);
    served.ok(&next).await;
}

/// Default and greatest `limit` of each list, as its self link shows them (okta.md section 3).
#[tokio::test]
async fn limits_are_those_of_the_reference() {
    let served = town().await;
    let groups = served.pages("/api/v1/groups").await;
    let (group, person) =
        (groups[0]["id"].as_str().unwrap(), served.pages("/api/v1/users").await[0]["id"].clone());
    let person = person.as_str().unwrap();
    for (path, default, most) in [
        (own("/api/v1/apps"), 20, 200),
        (format!("/api/v1/apps/{OKTA_APP_ID}/users"), 50, 500),
        (format!("/api/v1/apps/{OKTA_APP_ID}/groups"), 20, 200),
        (format!("/api/v1/apps/{OKTA_APP_ID}/group-push/mappings"), 100, 1000),
        (own("/api/v1/groups"), 10_000, 10_000),
        (format!("/api/v1/groups/{group}/users"), 1000, 1000),
        (format!("/api/v1/groups/{group}/apps"), 20, 200),
        (own("/api/v1/groups/rules"), 50, 200),
        (own("/api/v1/users"), 200, 200),
        (format!("/api/v1/users/{person}/groups"), 200, 200),
        (own("/api/v1/mappings"), 20, 200),
    ] {
        let used = async |target: String| {
            let own = link(&served.send(&target).await.unwrap(), "self").unwrap();
            own.rsplit_once("limit=").unwrap().1.parse::<usize>().unwrap()
        };
        assert_eq!(used(path.clone()).await, default, "{path}");
        assert_eq!(used(format!("{path}?limit=100000")).await, most, "{path}");
        served.world.turn("refuse_high_limit=true").unwrap();
        let (status, body) = served.get(&format!("{path}?limit={}", most + 1)).await;
        assert_eq!((status, &body["errorCode"]), (400, &json!("E0000001")), "{path}");
        served.world.turn("refuse_high_limit=false").unwrap();
        for wrong in ["0", "-1", "many"] {
            assert_eq!(served.get(&format!("{path}?limit={wrong}")).await.0, 400, "{path} {wrong}");
        }
    }
}

/// What each list does not know, refused (okta.md section 3).
#[tokio::test]
async fn parameters_that_a_call_does_not_have_are_refused() {
    let served = town().await;
    for (target, code) in [
        (app_users("filter=status eq \"ACTIVE\""), "E0000031"),
        (app_users("search=x"), "E0000031"),
        (app_users("expand=group"), "E0000001"),
        (app_users("sortBy=id"), "E0000001"),
        (format!("/api/v1/apps/{OKTA_APP_ID}/groups?expand=user"), "E0000001"),
        (format!("/api/v1/apps/{OKTA_APP_ID}?expand=user"), "E0000001"),
        (own("/api/v1/apps?expand=user/id,group/id"), "E0000001"),
        (own("/api/v1/apps?filter=label eq \"x\""), "E0000031"),
        (own("/api/v1/groups?expand=owner"), "E0000001"),
        (own("/api/v1/groups?sortBy=profile.name"), "E0000001"),
        (own("/api/v1/groups?filter=profile.name eq \"x\""), "E0000031"),
        (own("/api/v1/groups?filter=lastUpdated gt \"yesterday\""), "E0000030"),
        (own("/api/v1/groups?filter=type eq"), "E0000053"),
        (own("/api/v1/groups?search=profile.other co \"x\""), "E0000031"),
        (own("/api/v1/users?filter=created gt \"2026-01-01T00:00:00Z\""), "E0000031"),
        (own("/api/v1/users?filter=not (status eq \"ACTIVE\")"), "E0000031"),
        (own("/api/v1/users?search=status ne \"ACTIVE\""), "E0000031"),
        (own("/api/v1/users?search=a eq \"b\"&filter=a eq \"b\""), "E0000033"),
        (own("/api/v1/users?page=2"), "E0000001"),
        (own("/api/v1/org?x=1"), "E0000001"),
    ] {
        let (status, body) = served.get(&target).await;
        assert_eq!((status, body["errorCode"].as_str().unwrap()), (400, code), "{target}");
    }
}

#[tokio::test]
async fn a_row_that_is_assigned_between_two_pages_of_groups_shows_another_twice() {
    let served = Served::okta(okta_with(&[], &[])).await;
    let create = |name: String| {
        let change = rosterd::simulators::Change::CreateGroup { name, id: None, assigned: true };
        served.world.change(change).unwrap();
    };
    (0..30).for_each(|number| create(format!("g{number}")));
    let target = format!("/api/v1/apps/{OKTA_APP_ID}/groups?limit=20");
    let first = served.send(&target).await.unwrap();
    let next = link(&first, "next").unwrap();
    let mut rows: Vec<Value> = first.json().await.unwrap();
    create(own("late"));
    rows.extend(served.pages(&next).await);
    assert_eq!((rows.len(), ids(&rows).len()), (31, 30), "the newest comes first and moves the others on");
}

/// 100,000 people in one group, in pages of 1000 of which only the first two are read.
#[tokio::test]
async fn a_group_of_everybody_is_read_page_by_page() {
    let size = rosterd::simulators::Size { users: 100_000, groups: 1, memberships_per_user: 1 };
    let served = Served::okta(World::new(Flavour::Okta, size, 1, morning())).await;
    let group = served.pages("/api/v1/groups").await[0]["id"].as_str().unwrap().to_owned();
    let stats = served.ok(&format!("/api/v1/groups/{group}?expand=stats")).await;
    assert_eq!(stats["_embedded"]["stats"]["usersCount"], 100_000);
    assert_eq!(stats["_embedded"]["stats"]["hasAdminPrivlege"], false);
    let first = served.send(&format!("/api/v1/groups/{group}/users")).await.unwrap();
    let next = link(&first, "next").unwrap();
    assert!(next.ends_with("&limit=1000"), "{next}");
    let mut seen: BTreeSet<String> = ids(&first.json::<Vec<Value>>().await.unwrap());
    let second = served.send(&next).await.unwrap();
    assert!(link(&second, "next").is_some());
    seen.extend(ids(&second.json::<Vec<Value>>().await.unwrap()));
    assert_eq!(seen.len(), 2000);
}
