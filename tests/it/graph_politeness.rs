//! How much of the tenant's allowance the Graph connector takes, on a clock that the tests move: nobody waits.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tokio::time::Instant;

use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;
use rosterd::sources::graph::TenantSize;

use crate::graph_tenant::Canned;
use crate::graph_tenant::failure;
use crate::graph_tenant::id;

const LOAD: &str = "x-ms-throttle-limit-percentage";
const UNIT: &str = "x-ms-resource-unit";

fn here(name: &str) -> Value {
    json!({"id": name})
}

fn exists(name: &str) -> WitnessQuestion {
    WitnessQuestion::Exists { id: id(name), kind: Kind::Group }
}

fn route(name: &str) -> String {
    format!("GET /groups/{name}?$select=id")
}

fn source(graph: &Canned, change: impl FnOnce(&mut GraphSettings)) -> GraphSource {
    let mut settings = graph.settings();
    settings.attempts = 8;
    settings.backoff = Duration::from_secs(1);
    change(&mut settings);
    GraphSource::new(settings).unwrap()
}

/// Seconds, cut, that one question takes.
async fn asked(source: &GraphSource, name: &str) -> u64 {
    let begin = Instant::now();
    assert_eq!(source.witness(&[exists(name)]).await.unwrap(), [WitnessAnswer::Present], "{name}");
    begin.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn requests_go_at_once_until_the_share_is_spent_and_then_at_its_pace() {
    // 1 % of what a small tenant allows: 35 units in ten seconds. A batch of one costs one.
    let graph = Canned::start().await.on(&route("g1"), 200, here("g1"));
    let source = source(&graph, |settings| settings.budget_percent = 1);
    let begin = Instant::now();
    for _ in 0..35 {
        assert_eq!(asked(&source, "g1").await, 0);
    }
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    for _ in 0..35 {
        asked(&source, "g1").await;
    }
    let seconds = begin.elapsed().as_secs_f64();
    assert!((9.9..10.9).contains(&seconds), "{seconds}");
    assert_eq!(source.units(), 70);
}

#[tokio::test(start_paused = true)]
async fn every_part_of_a_batch_is_charged() {
    let mut graph = Canned::start().await;
    for number in 0..40 {
        graph = graph.on(&route(&format!("g{number}")), 200, here(&format!("g{number}")));
    }
    let source = source(&graph, |settings| settings.budget_percent = 1);
    let questions: Vec<_> = (0..40).map(|number| exists(&format!("g{number}"))).collect();
    let begin = Instant::now();
    source.witness(&questions).await.unwrap();
    assert_eq!((source.requests(), source.units()), (2, 40));
    // 35 were there; the second batch waited for the other five.
    let seconds = begin.elapsed().as_secs_f64();
    assert!((1.3..2.3).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn what_graph_charges_counts_more_than_the_table() {
    let graph = Canned::start().await.on_with(&route("g1"), 200, &[(UNIT, "20")], here("g1"));
    let source = source(&graph, |settings| settings.budget_percent = 1);
    asked(&source, "g1").await;
    asked(&source, "g1").await;
    assert_eq!(source.units(), 40);
    // Five units too many, and one for the next: 6 / 3.5 s.
    assert_eq!(asked(&source, "g1").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_larger_tenant_allows_more() {
    let graph = Canned::start().await.on(&route("g1"), 200, here("g1"));
    let source = source(&graph, |settings| {
        settings.budget_percent = 1;
        settings.tenant_size = Some(TenantSize::Large);
    });
    for _ in 0..80 {
        assert_eq!(asked(&source, "g1").await, 0);
    }
    let begin = Instant::now();
    for _ in 0..8 {
        asked(&source, "g1").await;
    }
    let seconds = begin.elapsed().as_secs_f64();
    assert!((0.8..1.8).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn from_eighty_percent_on_it_slows_down() {
    let graph = Canned::start().await.on_with(&route("g1"), 200, &[(LOAD, "0.85")], here("g1")).on(
        &route("g2"),
        200,
        here("g2"),
    );
    let source = source(&graph, |settings| settings.budget_percent = 1);
    assert_eq!(asked(&source, "g1").await, 0);
    // Nothing is saved up any more, and it comes back at half the pace: 1.75 units a second.
    let begin = Instant::now();
    for _ in 0..7 {
        asked(&source, "g1").await;
    }
    let seconds = begin.elapsed().as_secs_f64();
    assert!((3.9..5.0).contains(&seconds), "{seconds}");
    // Less than eighty: the header is gone, and so is the brake.
    asked(&source, "g2").await;
    let begin = Instant::now();
    for _ in 0..7 {
        asked(&source, "g2").await;
    }
    let seconds = begin.elapsed().as_secs_f64();
    assert!((1.9..3.0).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn at_a_hundred_percent_nothing_new_is_begun_until_it_falls() {
    let graph = Canned::start()
        .await
        .on_with(&route("g1"), 200, &[(LOAD, "1.2")], here("g1"))
        .on_with(&route("g1"), 200, &[(LOAD, "1.0")], here("g1"))
        .on(&route("g1"), 200, here("g1"));
    let source = source(&graph, |_| {});
    assert_eq!(asked(&source, "g1").await, 0);
    assert!((9..=11).contains(&asked(&source, "g1").await), "a probe after one window");
    assert!((9..=11).contains(&asked(&source, "g1").await), "and after another");
    assert_eq!(asked(&source, "g1").await, 0, "less than eighty percent");
}

#[tokio::test(start_paused = true)]
async fn a_429_of_a_part_stops_the_whole_client() {
    let throttled = failure("TooManyRequests");
    let graph = Canned::start()
        .await
        .on_with(&route("g1"), 429, &[("Retry-After", "7.5")], throttled)
        .on(&route("g1"), 200, here("g1"))
        .on(&route("g2"), 200, here("g2"));
    let source = source(&graph, |_| {});
    let begin = Instant::now();
    let first = asked(&source, "g1");
    let second = async {
        // Sent after the first has been refused.
        tokio::time::sleep(Duration::from_secs(1)).await;
        asked(&source, "g2").await;
        begin.elapsed().as_secs_f64()
    };
    let (first, second) = tokio::join!(first, second);
    assert!((7..=8).contains(&first), "{first}");
    assert!((7.4..8.5).contains(&second), "{second}");
}

#[tokio::test(start_paused = true)]
async fn a_429_is_met_with_eight_attempts_and_an_outage_with_five() {
    for (status, attempts) in [(429, 8), (503, 5), (500, 5)] {
        let graph = Canned::start().await.on("POST /$batch", status, failure("x"));
        let host = graph.root.trim_start_matches("http://").to_owned();
        let source = source(&graph, |_| {});
        let answers = source.witness(&[exists("g1")]).await.unwrap();
        let why = format!("POST {host}/v1.0/$batch: still status {status} after {attempts} attempts");
        assert_eq!(answers, [WitnessAnswer::CannotSay(why)]);
        assert_eq!(source.requests(), attempts);
    }
}

#[tokio::test(start_paused = true)]
async fn being_throttled_does_not_use_up_the_attempts_of_an_outage() {
    let mut graph = Canned::start().await;
    for status in [429, 429, 429, 429, 503, 503, 429, 503] {
        graph = graph.on("POST /$batch", status, failure("x"));
    }
    let body = json!({"responses": [{"id": "0", "status": 200, "body": {"id": "g1"}}]});
    let graph = graph.on("POST /$batch", 200, body);
    let source = source(&graph, |_| {});
    asked(&source, "g1").await;
    assert_eq!(source.requests(), 9);
}

/// `Retry-After` in decimals, as a date by the server's own clock, less than a second, and not at all.
#[tokio::test(start_paused = true)]
async fn a_wait_is_taken_as_it_is_asked_for() {
    let date = ("Date", "Wed, 21 Oct 2015 07:28:00 GMT");
    for (headers, seconds) in [
        (vec![("Retry-After", "2.128")], 2.128..3.2),
        (vec![date, ("Retry-After", "Wed, 21 Oct 2015 07:28:30 GMT")], 30.0..31.0),
        (vec![("Retry-After", "0")], 1.0..2.0),
        (vec![], 2.0..3.5),
    ] {
        let ok = json!({"responses": [{"id": "0", "status": 200, "body": {"id": "g1"}}]});
        let graph = Canned::start()
            .await
            .on_with("POST /$batch", 429, &headers, failure("TooManyRequests"))
            .on("POST /$batch", 200, ok);
        let source = source(&graph, |_| {});
        let begin = Instant::now();
        asked(&source, "g1").await;
        let waited = begin.elapsed().as_secs_f64();
        assert!(seconds.contains(&waited), "{headers:?}: {waited}");
    }
}
