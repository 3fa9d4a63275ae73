//! `explain --at`: how somebody stood on a day, walked back from now or forward from the creation, and what nobody knows any
//! more.

use jiff::Timestamp;
use rosterd::cycle;
use rosterd::model::Reading;
use rosterd::plan::PastStory;
use rosterd::report;
use rosterd::store::Retention;
use serde_json::Value;

use crate::support::host::Host;
use crate::support::story::Stage;

const BEGINNING: i64 = 1_770_000_000;
const DAY: i64 = 86_400;

/// Day 0: Ann Lee comes, into Sales. Day 1: she is called Ann Koch. Day 2: she changes to Ops. Day 3: she leaves. Day 4:
/// she comes back.
async fn life() -> Stage {
    let mut stage = Stage::new();
    let days: [&[&str]; 5] = [
        &["person u1 ann@x.example Ann Lee", "group g1 Sales u1", "group g2 Ops", "app u1 g:g1 g:g2"],
        &["person u1 ann@x.example Ann Koch"],
        &["group g1 Sales", "group g2 Ops u1"],
        &["app g:g1", "group g2 Ops"],
        &["app u1 g:g1 g:g2", "group g2 Ops u1"],
    ];
    for lines in days {
        for line in lines {
            stage.command(line).await;
        }
        stage.cycle(Reading::Incremental).await;
        stage.second += DAY;
    }
    stage
}

async fn then(stage: &Stage, day: i64) -> PastStory {
    let at = Timestamp::from_second(BEGINNING + day * DAY + DAY / 2).expect("a time");
    let told = cycle::explain_at(&stage.store, "story", "u1", at).await.expect("the state is read");
    told.expect("there was a cycle").remove(0)
}

fn short(of: &PastStory) -> String {
    let name = of.stood.attributes.get("name.familyName").and_then(Value::as_str).unwrap_or("-");
    let state = of.stood.applied.as_deref().unwrap_or("unknown");
    let whole = if of.stood.attributes_whole { "" } else { ", not whole" };
    format!("{state} {name} [{}]{whole}", of.stood.teams.join(", "))
}

#[tokio::test]
async fn each_day_is_told_as_it_was() {
    let stage = life().await;
    let mut told = Vec::new();
    for day in -1..5 {
        told.push(short(&then(&stage, day).await));
    }
    assert_eq!(
        told,
        [
            "absent - []",
            "active Lee [Sales]",
            "active Koch [Sales]",
            "active Koch [Ops]",
            "inactive Koch []",
            "active Koch [Ops]"
        ]
    );
}

#[tokio::test]
async fn the_cause_the_cycle_and_what_came_later_are_told() {
    let stage = life().await;
    let day = then(&stage, 1).await;
    assert_eq!((day.cycle, day.held_in_cycle), (Some(2), Some(0)));
    let update = &day.decided[0];
    assert_eq!((update.class.as_str(), update.outcome.as_deref()), ("update", Some("done")));
    assert_eq!(update.cause.as_deref(), Some("changed in the source"));
    assert!(day.later >= 4, "{}", day.later);
    assert_eq!(day.unknown, Vec::<String>::new());
    let text = report::past(&day);
    for part in [
        "story: user ann@x.example (u1), as of 2026-02-03T",
        "\nthen\n  active in the target\n",
        "\nteams\n  Sales\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

/// What stands now, with the later edits taken back, needs no entry of before.
#[tokio::test]
async fn retention_leaves_what_later_entries_show_and_is_named() {
    let stage = life().await;
    let wish = Retention {
        before_second: BEGINNING + 2 * DAY,
        keep: "7 days".to_owned(),
        by: None,
        reason: None,
        now_second: BEGINNING + 10 * DAY,
    };
    let pruned = stage.store.prune(&wish).await.expect("what is old goes");
    assert!(pruned.entries > 0);
    assert_eq!(short(&then(&stage, 1).await), "active Koch [Sales]");
    let unknown = then(&stage, 1).await.unknown;
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].starts_with("retention removed the entries before 2026-02-04T"), "{unknown:?}");
    assert!(unknown[0].ends_with("; what is told here is what later entries show"), "{unknown:?}");
}

/// Ann has left, and is erased.
#[test]
fn an_erasure_leaves_when_and_why_and_says_so() {
    let host = Host::new();
    host.run(&["enable", "hr", "--reason", "looked"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let before = host.run(&["explain", "hr", "ann@acme.example", "--at", &today]);
    assert_eq!(before.code, 0, "{}", before.err);
    for part in [
        "  active in the target\n",
        "ann@acme.example",
        "\nteams\n  Sales\n",
        "rosterd config show --digest ",
    ] {
        assert!(before.out.contains(part), "{}", before.out);
    }
    let json: Value =
        serde_json::from_str(&host.run(&["explain", "hr", "u-ann", "--at", &today, "--format", "json"]).out)
            .unwrap();
    assert_eq!((&json["stood"]["applied"], &json["stood"]["teams"][0]), (&"active".into(), &"Sales".into()));
    host.people(&["bob"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    assert_eq!(host.run(&["workspace", "erase", "ann@acme.example", "--reason", "asked for"]).code, 0);
    let after = host.run(&["explain", "hr", "u-ann", "--at", &today]);
    assert!(!after.out.contains("ann@acme.example"), "{}", after.out);
    assert!(after.out.contains("an erasure took the values of "), "{}", after.out);
    assert!(after.out.contains("  create  done"), "{}", after.out);
    let slip = host.run(&["explain", "hr", "u-ann", "--at", "yesterday"]);
    assert!(slip.err.contains("`yesterday` is no time"), "{}", slip.err);
    let nobody = host.run(&["explain", "hr", "ann@acme.example", "--at", &today]);
    assert!(nobody.err.contains("is found by the source id"), "{}", nobody.err);
}
