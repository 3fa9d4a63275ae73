//! Find, get, members and check: what is asked, and what of the answers is believed.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use serde_json::Value;
use serde_json::json;

use rosterd::model::Grade;
use rosterd::scim::Kind;
use rosterd::scim::profiles::Members;
use rosterd::scim::profiles::Profile;
use rosterd::targets::Lookup;
use rosterd::targets::ServiceProvider;
use rosterd::targets::TargetError;

use super::service::Asked;
use super::service::Reply;
use super::service::Service;
use super::service::found;
use super::service::id;
use super::service::json_reply;
use super::service::list;
use super::service::lookup;
use super::service::profile;

// Finding (O3, O9, O10).

#[tokio::test]
async fn a_lookup_is_a_filter_with_paging_and_a_token() {
    let service = Service::start(|_| list(json!([{"id": "1", "userName": "ANN\"s"}]))).await;
    assert_eq!(found(&service.target(), "userName", "ann\"s").await.unwrap(), ["1"]);
    let asked = service.asked().remove(0);
    assert_eq!(asked.line, "GET /scim/v2/Users?filter=userName eq \"ann\\\"s\"&startIndex=1&count=2");
    assert!(asked.raw.contains("filter=userName%20eq%20%22"), "{}", asked.raw);
    assert_eq!(asked.token, "Bearer token-1");
}

#[tokio::test]
async fn groups_are_looked_up_without_their_members() {
    let service = Service::start(|_| list(json!([{"id": 7, "displayName": "Sales"}]))).await;
    let answers = service.target().find(&[lookup(Kind::Group, "displayName", "sales")]).await.unwrap();
    assert_eq!(answers[0][0].id, id("7"));
    assert_eq!(
        service.lines(),
        [
            "GET /scim/v2/Groups?filter=displayName eq \"sales\"&startIndex=1&count=2&excludedAttributes=members"
        ]
    );
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_no_match() {
    let shown = json!([
        {"id": "1", "userName": "annabel", "externalId": "X1"},
        {"id": "2", "userName": "Ann", "externalId": "x1"},
        {"id": "3"},
    ]);
    let service = Service::start(move |_| list(shown.clone())).await;
    assert_eq!(found(&service.target(), "userName", "ann").await.unwrap(), ["2"]);
    // externalId is case-exact (RFC 7643 section 3.1).
    assert_eq!(found(&service.target(), "externalId", "x1").await.unwrap(), ["2"]);
}

/// A service that ignores filters and `count`, with three people on each page.
fn ignoring(people: usize) -> impl Fn(&Asked) -> Reply {
    move |asked| {
        let start: usize =
            asked.line.split("startIndex=").nth(1).unwrap().split('&').next().unwrap().parse().unwrap();
        let page: Vec<Value> = (start..(start + 3).min(people + 1))
            .map(|n| json!({"id": n, "userName": format!("u{n}")}))
            .collect();
        json_reply(200, json!({"totalResults": people.to_string(), "itemsPerPage": 100, "Resources": page}))
    }
}

#[tokio::test]
async fn a_service_that_ignores_filters_is_read_to_its_end() {
    let service = Service::start(ignoring(7)).await;
    assert_eq!(found(&service.target(), "userName", "u7").await.unwrap(), ["7"]);
    assert_eq!(service.lines().len(), 3);
    assert_eq!(found(&service.target(), "userName", "nobody").await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_is_no_answer() {
    let service = Service::start(ignoring(1_000)).await;
    let error = found(&service.target(), "userName", "nobody").await.unwrap_err().to_string();
    assert!(error.contains("shows 15 of 1000 resources for a filter on `userName`"), "{error}");
    assert!(!error.contains("nobody"), "{error}");
    assert_eq!(service.lines().len(), 5);
}

#[tokio::test]
async fn a_page_that_comes_again_ends_the_reading() {
    let service =
        Service::start(|_| json_reply(200, json!({"Resources": [{"id": "1", "userName": "bob"}]}))).await;
    assert_eq!(found(&service.target(), "userName", "ann").await.unwrap(), [""; 0]);
    assert_eq!(service.lines().len(), 2);
}

#[tokio::test]
async fn fewer_than_the_total_is_no_answer_and_null_is_none() {
    let service = Service::start(|_| json_reply(200, json!({"totalResults": 3, "Resources": null}))).await;
    assert!(found(&service.target(), "userName", "ann").await.is_err());
    let service = Service::start(|_| {
        Some((
            200,
            vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            "\u{feff}{\"totalResults\":\"0\"}".to_owned(),
        ))
    })
    .await;
    assert_eq!(found(&service.target(), "userName", "ann").await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn what_is_no_list_is_an_error_and_never_nobody() {
    for reply in [
        Some((200, vec![], "<html>sign in</html>".to_owned())),
        Some((200, vec![], String::new())),
        json_reply(200, json!({"errors": ["no"]})),
        Some((302, vec![("location", "/login".to_owned())], String::new())),
        json_reply(404, json!({})),
        json_reply(500, json!({})),
        list(json!([{"userName": "ann"}])),
    ] {
        let service = Service::start(move |_| reply.clone()).await;
        assert!(found(&service.target(), "userName", "ann").await.is_err());
    }
}

#[tokio::test]
async fn a_refused_filter_names_the_attribute_and_no_value() {
    for status in [400, 501] {
        let service = Service::start(move |asked| match asked.line.contains("filter=") {
            true => json_reply(status, json!({"detail": "cannot filter ann.lee"})),
            false => json_reply(200, json!({"totalResults": 9, "Resources": []})),
        })
        .await;
        let error = found(&service.target(), "userName", "ann.lee").await.unwrap_err();
        assert!(matches!(error, TargetError::Unavailable { .. }));
        let text = error.to_string();
        assert!(text.contains("refuses a filter on `userName`") && !text.contains("ann.lee"), "{text}");
    }
}

#[tokio::test]
async fn what_a_profile_says_cannot_be_filtered_is_not_asked() {
    let service = Service::start(|_| {
        list(json!([{"id": "1", "emails": [{"type": "work", "value": "Ann@x.example"}]}]))
    })
    .await;
    let target = service.target_with(profile("cerby"));
    assert_eq!(found(&target, "externalId", "x1").await.unwrap(), [""; 0]);
    assert_eq!(service.lines().len(), 0);
    assert_eq!(found(&target, "emails[type eq \"work\"].value", "ann@x.example").await.unwrap(), ["1"]);
    assert_eq!(
        service.lines(),
        [
            "GET /scim/v2/Users?filter=emails[type eq \"work\"].value eq \"ann@x.example\"&startIndex=1&count=2"
        ]
    );
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_questions() {
    let service = Service::start(|asked| {
        let name = asked.line.split('"').nth(1).unwrap().to_owned();
        list(json!([{"id": format!("id-{name}"), "userName": name}]))
    })
    .await;
    let lookups: Vec<Lookup> = (0..30).map(|n| lookup(Kind::User, "userName", &format!("u{n}"))).collect();
    let answers = service.target().find(&lookups).await.unwrap();
    let ids: Vec<String> = answers.iter().map(|found| found[0].id.0.clone()).collect();
    assert_eq!(ids, (0..30).map(|n| format!("id-u{n}")).collect::<Vec<_>>());
}

// Reading by id.

#[tokio::test]
async fn a_resource_is_read_by_its_id_as_one_segment() {
    let service = Service::start(|asked| match asked.raw.as_str() {
        "GET /scim/v2/Users/a%2Fb%20c" => {
            json_reply(200, json!({"id": "a/b c", "active": "False", "userName": "ann"}))
        }
        "GET /scim/v2/Groups/9?excludedAttributes=members" => {
            json_reply(200, json!({"id": 9, "displayName": "T"}))
        }
        "GET /scim/v2/Users/other" => json_reply(200, json!({"id": "1"})),
        _ => json_reply(404, json!({})),
    })
    .await;
    let ids = [(Kind::User, id("a/b c")), (Kind::Group, id("9")), (Kind::User, id("gone"))];
    let answers = service.target().get(&ids).await.unwrap();
    assert!(!answers[0].as_ref().unwrap().active);
    assert_eq!(answers[0].as_ref().unwrap().body["active"], json!(false));
    assert_eq!(answers[1].as_ref().unwrap().id, id("9"));
    assert_eq!(answers[2], None);
    // Another resource under this id is no answer.
    assert!(service.target().get(&[(Kind::User, id("other"))]).await.is_err());
}

#[tokio::test]
async fn members_are_shown_or_said_not_to_be() {
    let service = Service::start(|asked| match asked.raw.as_str() {
        "GET /scim/v2/Groups/t" => {
            json_reply(200, json!({"id": "t", "members": [{"value": "a"}, {"value": 5}]}))
        }
        "GET /scim/v2/Groups/empty" => json_reply(200, json!({"id": "empty"})),
        _ => json_reply(404, json!({})),
    })
    .await;
    let target = service.target();
    assert_eq!(target.members(&id("t")).await.unwrap(), Some(vec![id("a"), id("5")]));
    assert_eq!(target.members(&id("empty")).await.unwrap(), Some(vec![]));
    assert_eq!(target.members(&id("gone")).await.unwrap(), None);
    let hidden = Profile {
        members: Members { returned: false, ..Profile::standard().members },
        ..Profile::standard()
    };
    assert_eq!(service.target_with(hidden).members(&id("t")).await.unwrap(), None);
}
// Discovery (O1).

async fn grades(service: &Service) -> Vec<(String, Grade, String)> {
    let findings = service.target().check().await;
    findings.into_iter().map(|f| (f.subject, f.grade, f.cure)).collect()
}

#[tokio::test]
async fn a_check_reads_and_never_writes() {
    let service = Service::start(|asked| match asked.line.as_str() {
        "GET /scim/v2/ServiceProviderConfig" => {
            json_reply(200, json!({"patch": {"supported": true}, "filter": {"supported": true}}))
        }
        _ => list(json!([])),
    })
    .await;
    let grades = grades(&service).await;
    let subjects: Vec<&str> = grades.iter().map(|(subject, ..)| subject.as_str()).collect();
    assert_eq!(subjects, ["sign-in", "teams", "matching", "features"]);
    assert!(grades.iter().all(|(_, grade, cure)| *grade == Grade::Ok && cure.is_empty()), "{grades:?}");
    assert!(service.lines().iter().all(|line| line.starts_with("GET ")));
}

#[tokio::test]
async fn a_check_does_not_fail_because_discovery_does() {
    for reply in
        [json_reply(404, json!({})), Some((200, vec![], "<html>".to_owned())), json_reply(501, json!({}))]
    {
        let service = Service::start(move |asked| match asked.line.contains("ServiceProviderConfig") {
            true => reply.clone(),
            false => list(json!([])),
        })
        .await;
        assert!(grades(&service).await.iter().all(|(_, grade, _)| *grade == Grade::Ok));
    }
}

#[tokio::test]
async fn a_check_names_what_is_wrong_and_the_cure() {
    let denied = Service::start(|_| json_reply(401, json!({}))).await;
    assert!(
        matches!(&grades(&denied).await[..], [(subject, Grade::Error, cure)] if subject == "sign-in" && cure.contains("token"))
    );
    let elsewhere = Service::start(|_| Some((404, vec![], "<html>".to_owned()))).await;
    assert!(
        matches!(&grades(&elsewhere).await[..], [(_, Grade::Error, cure)] if cure.contains("url of the target"))
    );
    let no_scim = Service::start(|_| Some((200, vec![], "<html>".to_owned()))).await;
    assert!(
        matches!(&grades(&no_scim).await[..], [(_, Grade::Error, cure)] if cure.contains("url of the target"))
    );
    let unfiltered = Service::start(|_| list(json!([{"id": "1"}]))).await;
    assert_eq!(grades(&unfiltered).await[2].1, Grade::Warning);
    let no_patch = Service::start(|asked| match asked.line.contains("ServiceProviderConfig") {
        true => json_reply(200, json!({"patch": {"supported": false}})),
        false => list(json!([])),
    })
    .await;
    assert_eq!(grades(&no_patch).await[3].1, Grade::Warning);
}

#[tokio::test]
async fn requests_are_counted_and_the_identity_is_the_address() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let service = Service::start(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        list(json!([]))
    })
    .await;
    let target = service.target();
    found(&target, "userName", "x").await.unwrap();
    assert_eq!(target.requests(), calls.load(Ordering::Relaxed) as u64);
    assert_eq!(target.identity(), service.url.as_str());
}

/// P1: what refuses to answer has not said that nobody is there.
#[tokio::test]
async fn only_404_and_410_say_that_somebody_is_not_there() {
    for (status, absent) in
        [(404, true), (410, true), (400, false), (403, false), (405, false), (409, false), (422, false)]
    {
        let service = Service::start(move |_| json_reply(status, json!({}))).await;
        let answer = service.target().get(&[(Kind::User, id("u1"))]).await;
        assert_eq!(matches!(answer.as_deref(), Ok([None])), absent, "{status}: {answer:?}");
        assert_eq!(answer.is_err(), !absent, "{status}");
    }
}
