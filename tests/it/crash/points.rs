//! Single changes, each ended at each point of its way, at the workspace and at a remote target.

use futures_util::future::join_all;
use serde_json::json;

use super::firm::Firm;

/// The first write of a cycle: after its intent, after its answer, after its outcome.
const WAY: [&[&str]; 3] = [&["after_intent:1"], &["after_answer:1"], &["after_outcome:1"]];

type Step = fn(&mut Firm);

/// In step before, changed, ended at these places in turn, and whole again.
async fn survives(remote: bool, more: &str, before: Step, change: Step, deaths: &[&str]) -> Firm {
    let when = format!("remote: {remote}, {deaths:?}");
    let mut firm = Firm::start(remote, 8, more, "").await;
    before(&mut firm);
    firm.publish();
    firm.goes_on(&format!("{when}, the first load")).await;
    firm.holds(&format!("{when}, the first load")).await;
    change(&mut firm);
    firm.publish();
    for place in deaths {
        firm.dies(&["sync"], place).await;
    }
    firm.goes_on(&when).await;
    firm.holds(&when).await;
    firm
}

async fn survive(more: &str, before: Step, change: Step, deaths: &[&[&str]]) -> Vec<Firm> {
    let both = deaths.iter().flat_map(|deaths| [false, true].map(|remote| (remote, *deaths)));
    join_all(both.map(|(remote, deaths)| survives(remote, more, before, change, deaths))).await
}

/// Somebody who comes back under a new id and a new name takes up the old account, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relink_by_employee_number() {
    let before = |firm: &mut Firm| {
        firm.person("u1").further.insert("employeeId".to_owned(), json!("7"));
    };
    let change = |firm: &mut Firm| {
        firm.leaves("u1");
        firm.directory.deleted.insert("user:u1".to_owned());
        firm.hire("u90", "back");
        firm.person("u90").further.insert("employeeId".to_owned(), json!("7"));
    };
    let firms = survive("rehire = \"relink\"\n", before, change, &WAY).await;
    for firm in firms {
        let ids = firm.ids().await;
        assert_eq!(ids.len(), 8, "nobody new, and nobody left behind: {ids:?}");
        assert!(ids.contains_key("back@acme.example") && !ids.contains_key("p1@acme.example"), "{ids:?}");
    }
}

/// The write that is ended is the reference's own: nothing else changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_in_the_middle_of_its_write() {
    let before = |firm: &mut Firm| {
        firm.person("u1").further.insert("manager".to_owned(), json!("u0"));
        firm.person("u2").further.insert("manager".to_owned(), json!("u0"));
    };
    let change = |firm: &mut Firm| {
        firm.person("u1").further.insert("manager".to_owned(), json!("u3"));
        firm.person("u2").further.insert("manager".to_owned(), json!("u1"));
        firm.person("u4").further.insert("manager".to_owned(), json!("u1"));
    };
    survive("", before, change, &WAY).await;
}

/// Every kind of change at once, ended while what the first end left is settled, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_while_settling_twice_in_a_row() {
    let deaths: [&[&str]; 4] = [
        &["after_answer:1", "settle:1", "settle:1"],
        &["after_intent:1", "asked:1", "asked:1"],
        &["after_answer:2", "settle:1", "asked:1", "settled:1"],
        &["after_answer:1", "settled:1", "after_answer:1", "asked:1"],
    ];
    survive("", |_| {}, a_day, &deaths).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_during_promotion_twice_in_a_row() {
    let deaths: [&[&str]; 3] = [
        &["promoting:1", "promoting:1"],
        &["before_promotion:1", "after_promotion:1"],
        &["after_promotion:1", "decided:1"],
    ];
    survive("", |_| {}, a_day, &deaths).await;
}

fn a_day(firm: &mut Firm) {
    firm.hire("u20", "nia");
    firm.hire("u21", "ned");
    firm.leaves("u0");
    firm.person("u1").address = "married@acme.example".to_owned();
    firm.person("u2").given = "Other".to_owned();
    firm.directory.groups.get_mut("g1").expect("a team").members.insert("user:u20".to_owned());
    firm.directory.groups.get_mut("g1").expect("a team").members.remove("user:u3");
}

const CAREFUL: &str = "deactivate = { count = 1, percent = 100 }\n";

/// What was approved goes on after the end; who came later was not looked at, and is held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approved_class_while_it_is_written() {
    let one = async |remote: bool, place: &str| {
        let when = format!("remote: {remote}, {place}");
        let mut firm = Firm::start(remote, 12, "", CAREFUL).await;
        firm.goes_on(&when).await;
        ["u9", "u10", "u11"].iter().for_each(|id| firm.leaves(id));
        firm.publish();
        assert_eq!(firm.run(&["sync"]).await.code, 4, "{when}: three are over the limit");
        let approved = firm.run(&["approve", "hr", "all", "--reason", "they left"]).await;
        assert_eq!(approved.code, 0, "{when}: {}{}", approved.out, approved.err);
        firm.dies(&["sync"], place).await;
        ["u7", "u8"].iter().for_each(|id| firm.leaves(id));
        firm.publish();
        let synced = firm.run(&["sync"]).await;
        assert_eq!(synced.code, 4, "{when}: {}{}", synced.out, synced.err);
        let held = firm.run(&["held", "hr"]).await;
        let is_held = |name: &str| held.out.contains(&format!("{name}@acme.example"));
        assert!(is_held("p7") && is_held("p8"), "{when}: {}", held.out);
        assert!(!is_held("p9") && !is_held("p10") && !is_held("p11"), "{when}: {}", held.out);
        let approved = firm.run(&["approve", "hr", "all", "--reason", "they left too"]).await;
        assert_eq!(approved.code, 0, "{when}: {}{}", approved.out, approved.err);
        firm.goes_on(&when).await;
        firm.holds(&when).await;
    };
    let both = WAY.iter().flat_map(|way| [false, true].map(|remote| (remote, way[0])));
    join_all(both.map(|(remote, place)| one(remote, place))).await;
}

/// The same file is applied again after the end: what is done is not done twice, and the rest is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_plan_while_it_is_applied() {
    let one = async |remote: bool, places: &[&str]| {
        let when = format!("remote: {remote}, {places:?}");
        let mut firm = Firm::start(remote, 8, "", "").await;
        firm.goes_on(&when).await;
        a_day(&mut firm);
        firm.publish();
        let file = firm.host.path("plan.jsonl").display().to_string();
        let planned = firm.run(&["plan", "hr", "--out", &file]).await;
        assert_eq!(planned.code, 3, "{when}: {}{}", planned.out, planned.err);
        for place in places {
            firm.dies(&["apply", &file, "--reason", "looked at"], place).await;
        }
        let applied = firm.run(&["apply", &file, "--reason", "looked at"]).await;
        // What rests on what the end left behind has moved, and is named; the next cycle does it.
        assert!([0, 4].contains(&applied.code), "{when}: {}{}", applied.out, applied.err);
        firm.goes_on(&when).await;
        firm.holds(&when).await;
    };
    let ways: [&[&str]; 5] = [
        &["after_intent:1"],
        &["after_answer:1"],
        &["after_outcome:2"],
        &["promoting:1", "after_answer:2"],
        &["after_answer:1", "settle:1"],
    ];
    let both = ways.iter().flat_map(|way| [false, true].map(|remote| (remote, *way)));
    join_all(both.map(|(remote, places)| one(remote, places))).await;
}
