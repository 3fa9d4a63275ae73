//! Okta: the System Log by polling and in bounds (okta.md section 4).

use jiff::Timestamp;
use reqwest::Response;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::OktaChange;
use rosterd::simulators::Route;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::fill;
use super::join;
use super::link;
use super::morning;
use super::own;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(morning().as_second() + seconds).unwrap()
}

async fn served() -> Served {
    let world = World::empty(Flavour::Okta, at(-60));
    world.set_clock(at(-60));
    fill(&world, &["ann@x.example"], &["Team"]);
    // Months pass in some of these tests.
    world.turn("token_idle_days=1000").unwrap();
    world.set_clock(at(0));
    Served::okta(world).await
}

fn now(served: &Served) -> String {
    format!("/api/v1/logs?since={}", served.world.now())
}

/// The next link, which is always there, and the events before it.
async fn poll(served: &Served, target: &str) -> (Vec<Value>, String) {
    let answer: Response = served.send(target).await.unwrap();
    assert_eq!(answer.status(), 200, "{target}");
    let next = link(&answer, "next").unwrap();
    (answer.json().await.unwrap(), next)
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["eventType"].as_str().unwrap()).collect()
}

fn make(served: &Served, change: Change) {
    served.world.change(change).unwrap();
}

/// One change and the events that it writes (the table of okta.md section 4).
#[tokio::test]
async fn every_change_writes_its_events() {
    let served = served().await;
    let (_, mut next) = poll(&served, &now(&served)).await;
    let ann = || own("ann@x.example");
    let add = ["application.user_membership.add"];
    let remove = ["application.user_membership.remove"];
    let provisioning = OktaChange::SetApp {
        status: None,
        features: Some(vec![own("PUSH_NEW_USERS")]),
        implicit_assignment: None,
        label: None,
    };
    let set = |property: &str, value: &str| Change::Set {
        who: ann(),
        property: own(property),
        value: json!(value),
    };
    let status = |status| Change::SetStatus { who: ann(), status };
    for (change, expected) in [
        (Change::Assign { principal: ann(), role: None }, &add[..]),
        (Change::Unassign { principal: ann() }, &remove[..]),
        (Change::Join { group: own("Team"), member: ann() }, &["group.user_membership.add"]),
        (
            Change::Assign { principal: own("Team"), role: None },
            &["group.application_assignment.add", add[0]],
        ),
        (Change::Leave { group: own("Team"), member: ann() }, &["group.user_membership.remove", remove[0]]),
        (Change::Join { group: own("Team"), member: ann() }, &["group.user_membership.add", add[0]]),
        (set("surname", "Koch"), &["user.account.update_profile"]),
        (set("mail", "a@x.example"), &["user.account.update_profile", "user.account.update_primary_email"]),
        (Change::Disable { who: ann() }, &["user.lifecycle.suspend"]),
        (Change::Enable { who: ann() }, &["user.lifecycle.unsuspend"]),
        (status(rosterd::simulators::Status::LockedOut), &["user.account.lock"]),
        (status(rosterd::simulators::Status::Active), &["user.account.unlock"]),
        (Change::RenameGroup { group: own("Team"), name: own("Crew") }, &["group.profile.update"]),
        (Change::SoftDelete { who: ann() }, &["user.lifecycle.deactivate", remove[0]]),
        (Change::Restore { who: ann() }, &["user.lifecycle.reactivate", "user.lifecycle.activate", add[0]]),
        (Change::Unassign { principal: own("Crew") }, &["group.application_assignment.remove", remove[0]]),
        (Change::DeleteGroup { group: own("Crew") }, &["group.lifecycle.delete"]),
        (
            Change::CreateGroup { name: own("New"), id: None, assigned: true },
            &["group.lifecycle.create", "group.application_assignment.add"],
        ),
        (
            Change::Purge { who: ann() },
            &["user.lifecycle.delete.initiated", "user.lifecycle.delete.completed"],
        ),
        (
            Change::Hire(Hire::assigned("bob@x.example", "Bob", "Ray")),
            &["user.lifecycle.create", "user.lifecycle.activate", add[0]],
        ),
        (Change::SetApp { enabled: false }, &["application.lifecycle.deactivate"]),
        (Change::SetApp { enabled: true }, &["application.lifecycle.activate"]),
        (
            Change::Okta { what: OktaChange::PushGroup { group: own("New"), target: None, status: None } },
            &["application.provision.group_push.mapping.created"],
        ),
        (Change::Okta { what: provisioning }, &["application.lifecycle.update"]),
        (
            Change::Hire(Hire::assigned("cy@x.example", "Cy", "Dee")),
            &["user.lifecycle.create", "user.lifecycle.activate", add[0], "application.provision.user.push"],
        ),
    ] {
        make(&served, change.clone());
        let (events, after) = poll(&served, &next).await;
        assert_eq!(kinds(&events), expected, "{change:?}");
        next = after;
    }
}

#[tokio::test]
async fn an_event_has_the_shape_of_the_reference() {
    let served = served().await;
    let ann = served.world.id_of("ann@x.example").unwrap();
    let start = now(&served);
    make(&served, Change::Assign { principal: ann.clone(), role: None });
    join(&served.world, "Team", "ann@x.example");
    let (events, _) = poll(&served, &start).await;
    let event = &events[0];
    assert_eq!(event["published"], "2026-03-02T08:00:00.000Z");
    assert_eq!(
        (&event["outcome"]["result"], &event["transaction"]["type"]),
        (&json!("SUCCESS"), &json!("WEB"))
    );
    let target = |kind: &str| {
        event["target"].as_array().unwrap().iter().find(|target| target["type"] == kind).unwrap()
    };
    assert!(target("AppUser")["id"].as_str().unwrap().starts_with("0ua"));
    assert_eq!((&target("AppInstance")["id"], &target("User")["id"]), (&json!(OKTA_APP_ID), &json!(ann)));
    assert_eq!(target("User")["alternateId"], "ann@x.example");

    served.world.turn("job_seconds=30").unwrap();
    make(&served, Change::Unassign { principal: ann });
    make(&served, Change::Assign { principal: own("Team"), role: None });
    served.world.set_clock(at(30));
    let (events, _) = poll(&served, &start).await;
    let job = events.iter().find(|event| event["transaction"]["type"] == "JOB").unwrap();
    assert_eq!((&job["client"], &job["published"]), (&Value::Null, &json!("2026-03-02T08:00:30.000Z")));
}

#[tokio::test]
async fn polling_gives_each_event_once_its_links_stay_good_and_asking_again_repeats() {
    let served = served().await;
    let (nothing, start) = poll(&served, &now(&served)).await;
    assert!(nothing.is_empty());
    let (nothing, again) = poll(&served, &start).await;
    assert!(nothing.is_empty() && again == start, "an idle log has one place to go on from");
    for number in 0..7 {
        let name = format!("g{number}");
        make(&served, Change::CreateGroup { name, id: None, assigned: false });
    }
    let limited = format!("{start}&limit=3");
    let (first, next) = poll(&served, &limited).await;
    let (second, next) = poll(&served, &next).await;
    let (third, next) = poll(&served, &next).await;
    assert_eq!((first.len(), second.len(), third.len()), (3, 3, 1));
    assert!(poll(&served, &next).await.0.is_empty());
    assert_eq!(poll(&served, &limited).await.0, first);
    served.world.set_clock("2026-04-20T08:00:00Z".parse().unwrap());
    assert_eq!(poll(&served, &limited).await.0, first, "a link is good for weeks");
}

#[tokio::test]
async fn order_is_that_of_persistence_while_polling_and_of_time_within_bounds() {
    let served = served().await;
    served.world.turn("log_latency_seconds=20").unwrap();
    let (_, next) = poll(&served, &now(&served)).await;
    for second in 1..=6 {
        served.world.set_clock(at(second));
        make(&served, Change::CreateGroup { name: format!("g{second}"), id: None, assigned: false });
    }
    let (soon, next) = poll(&served, &next).await;
    served.world.set_clock(at(60));
    let (late, _) = poll(&served, &next).await;
    assert!(!late.is_empty() && soon.len() + late.len() == 6);
    let published = |event: &Value| event["published"].as_str().unwrap().to_owned();
    assert!(published(&late[0]) < published(soon.last().unwrap()), "time goes backwards");

    let bounds = format!("/api/v1/logs?since={}&until={}&limit=4", at(1), at(6));
    let first = served.send(&bounds).await.unwrap();
    let second = served.send(&link(&first, "next").unwrap()).await.unwrap();
    assert_eq!(link(&second, "next"), None, "a bounded query ends");
    let mut events: Vec<Value> = first.json().await.unwrap();
    events.extend(second.json::<Vec<Value>>().await.unwrap());
    let times: Vec<String> = events.iter().map(published).collect();
    assert!(times.is_sorted() && times.len() == 6, "{times:?}");
    let backwards = served.ok(&format!("/api/v1/logs?since={}&sortOrder=DESCENDING", at(1))).await;
    assert_eq!(backwards[0]["published"], times[5].as_str());
}

#[tokio::test]
async fn events_are_kept_for_ninety_days_and_some_never_come() {
    let served = served().await;
    served.world.turn("silent_events=group.user_membership.add").unwrap();
    join(&served.world, "Team", "ann@x.example");
    make(&served, Change::RenameGroup { group: own("Team"), name: own("Crew") });
    served.world.set_clock("2026-05-30T08:00:00Z".parse().unwrap());
    let since = format!("/api/v1/logs?since={}", at(0));
    assert_eq!(kinds(&poll(&served, &since).await.0), ["group.profile.update"]);
    served.world.set_clock("2026-06-01T08:00:00Z".parse().unwrap());
    assert!(poll(&served, &since).await.0.is_empty());
    served.world.turn("silent_events=*").unwrap();
    make(&served, Change::RenameGroup { group: own("Crew"), name: own("Team") });
    assert!(poll(&served, &since).await.0.is_empty());
}

#[tokio::test]
async fn events_are_found_by_type_target_and_word() {
    let served = served().await;
    let ann = served.world.id_of("ann@x.example").unwrap();
    let start = now(&served);
    join(&served.world, "Team", "ann@x.example");
    make(&served, Change::Assign { principal: ann.clone(), role: None });
    let found = async |query: &str| {
        let events = poll(&served, &format!("{start}&{query}")).await.0;
        kinds(&events).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let app = format!(
        "filter=(eventType eq \"application.user_membership.add\" or eventType eq \"x\") and target.id eq \"{OKTA_APP_ID}\""
    );
    assert_eq!(found(&app).await, ["application.user_membership.add"]);
    assert_eq!(found("filter=eventType sw \"group.\"").await, ["group.user_membership.add"]);
    assert_eq!(found("filter=not (eventType sw \"group.\")").await, ["application.user_membership.add"]);
    let both = format!("filter=target.id eq \"{ann}\" and target.type eq \"UserGroup\"");
    assert_eq!(found(&both).await, ["group.user_membership.add"], "they may mean two targets");
    assert_eq!(found("q=team group").await, ["group.user_membership.add"]);
    assert_eq!(found("limit=0").await, [""; 0]);
}

/// What the log refuses, in its smaller envelope.
#[tokio::test]
async fn the_log_says_what_it_does_not_take() {
    let served = served().await;
    let long = format!("q={}", "x".repeat(41));
    let (_, next) = poll(&served, &now(&served)).await;
    let after = next.split("after=").nth(1).unwrap();
    let both = format!("since=2026-03-01T00:00:00Z&after={after}");
    for (query, code, summary) in [
        (
            "since=2025-08-01T00:00:00Z",
            "E0000053",
            "Invalid parameter: The since parameter is over 180 days prior to the current day.",
        ),
        (
            "since=2026-03-01T00:00:00Z&until=2026-02-01T00:00:00Z",
            "E0000053",
            "Invalid parameter: The until parameter is before the since parameter.",
        ),
        (
            both.as_str(),
            "E0000053",
            "Invalid parameter: The since and after parameters are mutually exclusive.",
        ),
        ("after=made-up", "E0000053", "Invalid parameter: The after parameter is not a cursor of this log."),
        ("page=2", "E0000053", "field is not valid: page"),
        ("sortOrder=UP", "E0000053", "field is not valid: sortOrder"),
        ("filter=published gt \"2026-03-01T00:00:00Z\"", "E0000053", "field is not valid: published"),
        ("filter=target[type eq \"User\"]", "E0000053", "Invalid filter 'target[type eq \"User\"]'."),
        ("filter=debugContext.debugData.url co \"x\"", "E0000031", "Invalid search criteria."),
        ("limit=-1", "E0000053", "Invalid parameter: The limit parameter is not between 0 and 1000."),
        (
            "q=1 2 3 4 5 6 7 8 9 10 11",
            "E0000053",
            "Invalid parameter: The q parameter has more than 10 terms, or one of more than 40 characters.",
        ),
        (
            long.as_str(),
            "E0000053",
            "Invalid parameter: The q parameter has more than 10 terms, or one of more than 40 characters.",
        ),
    ] {
        let (status, body) = served.get(&format!("/api/v1/logs?{query}")).await;
        assert_eq!((status, body["errorCode"].as_str().unwrap()), (400, code), "{query}");
        assert_eq!(body["errorSummary"], summary, "{query}");
        assert!(body.get("errorLink").is_none() && body.get("errorCauses").is_none(), "{body}");
        assert_eq!(body["errorId"].as_str().unwrap().len(), 36, "{body}");
    }
    let (status, body) = served.get("/api/v1/logs?since=yesterday").await;
    assert_eq!((status, &body["errorCode"]), (400, &json!("E0000001")));
    assert_eq!(body["errorCauses"].as_array().unwrap().len(), 1);
    served.world.turn("refuse_high_limit=true").unwrap();
    assert_eq!(served.get("/api/v1/logs?limit=1001").await.0, 400);

    let fault = |code: &str| served.world.fault(Fault::next(Route::Logs, Trouble::Error { code: own(code) }));
    fault("E0000053");
    let (status, body) = served.get("/api/v1/logs").await;
    assert_eq!((status, &body["errorCode"], body.get("errorCauses")), (500, &json!("E0000053"), None));
    fault("E0000009");
    assert_eq!(served.get("/api/v1/logs").await.0, 500);
}
