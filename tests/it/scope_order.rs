//! The same directory gives the same accounts and teams, in whatever order it became what it is.

use rosterd::model::Reading;
use rosterd::plan::Change;
use tokio_util::sync::CancellationToken;

use super::support::story::Stage;

/// What the directory holds at the end, a line each; every line is whole, so their order is free.
const DIRECTORY: [&str; 14] = [
    "person u1 ann@x.example Ann Lee department=Sales",
    "person u2 bo@x.example Bo Ng department=Sales manager=u1",
    "person u3 cy@home.example Cy Ito department=Sales userType=Guest",
    "person u4 di@x.example Di Roy department=Sales disabled",
    "person u5 room@x.example Room One department=Sales isResourceAccount=true",
    "person u6 ed@x.example Ed Orr country=DE manager=u2",
    "group g1 Sales u1 u2 u3",
    "group g2 sales u1 u6",
    "group g3 SALES u4 u6",
    "group g4 Shop u2 u6",
    "group g5 app-lunch u1 u5",
    "group g6 app-dinner u1",
    "group g7 Own u6",
    "app u5 g:g1 g:g2 g:g3 g:g4 g:g5 g:g6 g:g7",
];

const RULES: [&str; 7] = [
    "filter users department EQUALS Sales or country EQUALS DE",
    "filter teams displayName NOT_EQUALS app-dinner",
    "people guests out",
    "people resource_accounts out",
    "team-names suffix",
    "row manager manager refers",
    "team id:g7 name=Named",
];

/// A small generator: the order depends on the seed and on nothing else (Knuth's constants).
fn shuffled(seed: u64) -> Vec<&'static str> {
    let mut state = seed;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut lines = DIRECTORY.to_vec();
    for last in (1..lines.len()).rev() {
        lines.swap(last, next(last + 1));
    }
    lines
}

async fn stage() -> Stage {
    let mut stage = Stage::new();
    for rule in RULES {
        stage.command(rule).await;
    }
    stage
}

/// What is desired, seen through the plan of a state that has only read (nothing is applied, so only what was seen
/// speaks), byte for byte as it is saved, and through the workspace that it becomes. The directory is read in pieces, cut at
/// a place that the seed chooses.
async fn desired(seed: u64) -> String {
    let mut stage = stage().await;
    stage.command("mode observe").await;
    let lines = shuffled(seed);
    let cut = seed as usize % lines.len();
    for line in &lines[..cut] {
        stage.command(line).await;
    }
    stage.cycle(Reading::Incremental).await;
    for line in &lines[cut..] {
        stage.command(line).await;
    }
    stage.cycle(Reading::Incremental).await;
    let planned = stage.planned(&CancellationToken::new()).await.expect("a plan");
    let mut told = serde_json::to_string_pretty(&planned.header).expect("plain values");
    let mut take = |change: Change| told += &format!("\n{}", serde_json::json!(change));
    planned.changes(&mut take).await.expect("the plan is read");
    stage.command("mode write").await;
    stage.cycle(Reading::Incremental).await;
    let manager = stage.command("shows manager").await.expect("an answer");
    format!("{told}\n{}{manager}", stage.workspace().await)
}

#[tokio::test]
async fn the_same_seen_gives_the_same_desired_whatever_the_order_it_arrived_in() {
    let expected = desired(0).await;
    assert!(
        expected.contains("\"source\":\"g1\"") && expected.contains("[Named] ed@x.example"),
        "{expected}"
    );
    for seed in 1..24 {
        let told = desired(seed).await;
        assert!(told == expected, "seed {seed}: {}{:?}", difference(&told, &expected), shuffled(seed));
    }
}

/// The lines that one of the two has alone.
fn difference(told: &str, expected: &str) -> String {
    let alone = |of: &str, other: &str| -> String {
        of.lines().filter(|line| !other.lines().any(|same| same == *line)).collect::<Vec<_>>().join("\n")
    };
    format!("{}\nand not\n{}\n", alone(told, expected), alone(expected, told))
}
