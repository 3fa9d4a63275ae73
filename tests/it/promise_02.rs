//! P2: every removal that comes from absence has a witness, asked after the limits, at write time, within a budget.
//!
//! `end_to_end/witness.rs` plays every row of the table over HTTP against both services (what is asked, what confirms, what
//! a silent canary, a refusal and an outage do); here are the rules that hold for every source, and the rows of a file.
//! What each question looks like on the wire: `graph_witness.rs`, `okta_witness.rs`, `file_source.rs`.

use rosterd::model::Reading;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Route;
use rosterd::store::LogFilter;

use crate::end_to_end::site::Site;
use crate::end_to_end::site::acme;
use crate::end_to_end::site::hire;
use crate::end_to_end::site::login;
use crate::support::acts::cycle;
use crate::support::acts::play;
use crate::support::story::Stage;

/// Six people, all assigned; the first four in Sales, two of them in Support.
async fn six() -> Stage {
    let mut stage = Stage::new();
    for n in 1..=6 {
        play(&mut stage, &[&format!("person u{n} p{n}@x.example Pat Doe{n}")]).await;
    }
    play(
        &mut stage,
        &["group g1 Sales u1 u2 u3 u4", "group g2 Support u3 u4", "app u1 u2 u3 u4 u5 u6 g:g1 g:g2"],
    )
    .await;
    assert_eq!(cycle(&mut stage).await, "8 create\n6 add_members\n");
    assert_eq!(stage.source.asked(), [], "whoever is there is not asked for");
    stage
}

/// Absent from what, and which classes of a file declare it.
const ROWS: [(&str, &[&str], &str); 4] = [
    ("assignments", &["app u1 u2 u3 u4 u5 g:g1 g:g2"], "1 deactivate\n"),
    ("memberships", &["group g1 Sales u1 u2 u3"], "1 remove_members\n"),
    // Nobody lists them any more; the assignment alone would still name them.
    ("users", &["drop u6"], "1 deactivate\n"),
    ("groups", &["drop g2"], "2 remove_members\n"),
];

#[tokio::test]
async fn each_absence_from_a_file_is_confirmed_by_the_counts_and_without_them_by_a_second_file() {
    for (absent_from, lines, done) in ROWS {
        let mut stage = six().await;
        play(&mut stage, lines).await;
        assert_eq!(cycle(&mut stage).await, done, "{absent_from}");
        assert!(!stage.source.asked().is_empty(), "{absent_from}");

        let mut stage = six().await;
        play(&mut stage, lines).await;
        play(&mut stage, &["undeclared"]).await;
        let before = stage.workspace().await;
        let held = cycle(&mut stage).await;
        assert!(held.lines().all(|line| line.ends_with("(held: Unwitnessed)")), "{absent_from}: {held}");
        assert_eq!(stage.workspace().await, before, "{absent_from}");
        assert_eq!(cycle(&mut stage).await, done, "{absent_from}: the second complete read");
    }
}

/// Counts that do not match are no second complete read, however many files have them.
#[tokio::test]
async fn a_read_that_proves_nothing_is_not_the_second_one() {
    let mut stage = six().await;
    play(&mut stage, &["app u1 u2 u3 u4 u5 g:g1 g:g2", "bend the witness is forbidden"]).await;
    assert_eq!(cycle(&mut stage).await, "u6 deactivate (held: Unwitnessed)\n");
    let short = stage.directory.text().replace("\"assignments\":7", "\"assignments\":99");
    for _ in 0..4 {
        assert_eq!(stage.cycle_of(&short).await, "u6 deactivate (held: Unwitnessed)\n");
    }
    assert_eq!(cycle(&mut stage).await, "1 deactivate\n");
}

#[tokio::test]
async fn the_two_reads_are_two_in_a_row() {
    let mut stage = six().await;
    let (without, with) = ("app u1 u2 u3 u4 u5 g:g1 g:g2", "app u1 u2 u3 u4 u5 u6 g:g1 g:g2");
    play(&mut stage, &["bend the witness is forbidden"]).await;
    for _ in 0..3 {
        play(&mut stage, &[without]).await;
        assert_eq!(cycle(&mut stage).await, "u6 deactivate (held: Unwitnessed)\n");
        play(&mut stage, &[with]).await;
        assert_eq!(cycle(&mut stage).await, "nothing\n", "a list that forgets somebody now and then");
    }
    play(&mut stage, &[without]).await;
    assert_eq!(cycle(&mut stage).await, "u6 deactivate (held: Unwitnessed)\n");
    assert_eq!(cycle(&mut stage).await, "1 deactivate\n");
}

/// One row of the table of answers each, with what is said of it.
#[tokio::test]
async fn what_is_not_confirmed_is_held_and_says_why() {
    for (bend, kind, says) in [
        (
            "the witness disagrees",
            "Disagrees",
            "the source's list does not show it, its witness does; nothing is removed until they agree\n",
        ),
        (
            "the witness lies",
            "Unwitnessed",
            "unwitnessed (a canary known to be there was not found either); it goes when a second complete read does not show it either\n",
        ),
        (
            "the witness is forbidden",
            "Unwitnessed",
            "unwitnessed (the permission Directory.Read.All is missing); it goes when a second complete read does not show it either\n",
        ),
    ] {
        let mut stage = six().await;
        play(
            &mut stage,
            &["app u1 u2 u3 u4 u5 g:g1 g:g2", "group g1 Sales u1 u2 u3", &format!("bend {bend}")],
        )
        .await;
        let before = stage.workspace().await;
        assert_eq!(
            cycle(&mut stage).await,
            format!("g1 remove u4 (held: {kind})\nu6 deactivate (held: {kind})\n"),
            "{bend}"
        );
        assert_eq!(play(&mut stage, &["reads u6"]).await, says, "{bend}");
        assert_eq!(play(&mut stage, &["reads g1"]).await, says, "{bend}");
        assert_eq!(stage.workspace().await, before, "{bend}");
        // A person decides in the place of the witness.
        play(&mut stage, &["approve all"]).await;
        stage.source.asked();
        assert_eq!(cycle(&mut stage).await, "1 remove_members\n1 deactivate\n", "{bend}");
        assert_eq!(stage.source.asked(), [], "{bend}");
    }
}

/// However often a list leaves somebody out, a witness that shows them is believed.
#[tokio::test]
async fn a_witness_that_disagrees_is_not_outvoted() {
    let mut stage = six().await;
    play(&mut stage, &["app u1 u2 u3 u4 u5 g:g1 g:g2", "bend the witness disagrees"]).await;
    for _ in 0..5 {
        assert_eq!(cycle(&mut stage).await, "u6 deactivate (held: Disagrees)\n");
        assert_eq!(stage.cycle(Reading::Full).await, "u6 deactivate (held: Disagrees)\n");
    }
    play(&mut stage, &["bend nothing"]).await;
    assert_eq!(cycle(&mut stage).await, "1 deactivate\n");
}

/// What is held by a limit, by the mode or by a person asks nothing; and a dry run asks nothing.
#[tokio::test]
async fn the_witness_is_asked_after_the_limits_and_at_write_time() {
    let mut stage = six().await;
    play(&mut stage, &["limit deactivate 1 100", "app u1 u2 u3 u4 g:g1 g:g2"]).await;
    assert_eq!(play(&mut stage, &["plan"]).await.matches("(held: Limit)").count(), 2);
    let output = cycle(&mut stage).await;
    assert_eq!(output.matches(" deactivate (held: Limit)").count(), 2, "{output}");
    assert_eq!(stage.source.asked(), [], "a held class asks nothing");
    play(&mut stage, &["limit deactivate 9 100", "mode approve"]).await;
    assert_eq!(cycle(&mut stage).await.matches("(held: Approval)").count(), 2);
    assert_eq!(stage.source.asked(), [], "what waits for a person asks nothing");
    play(&mut stage, &["mode write"]).await;
    let plan = stage.plan().await;
    assert_eq!(plan, "u5 deactivate\nu6 deactivate\n");
    assert_eq!(stage.source.asked(), [], "a dry run asks nothing");
    // Cycles later, when it is to be written, it is asked; and by then the answer may be another one.
    play(&mut stage, &["bend the witness disagrees"]).await;
    assert_eq!(cycle(&mut stage).await.matches("(held: Disagrees)").count(), 2);
    assert_eq!(stage.source.asked().len(), 3, "two people and the canary");
    play(&mut stage, &["bend nothing"]).await;
    assert_eq!(cycle(&mut stage).await, "2 deactivate\n");
}

/// The same over HTTP: the requests that only a witness sends are not sent.
#[tokio::test]
async fn a_class_over_its_limit_sends_no_question_to_the_source() {
    for (flavour, route) in [(Flavour::Graph, Route::UserAssignments), (Flavour::Okta, Route::AppUser)] {
        let mut site = Site::start(acme(flavour)).await;
        hire(&site.world, "Pia", &[], true);
        site.cycle().await;
        let asked = |site: &Site| {
            let counters = site.world.counters();
            counters.of(route) + counters.batched.get(&route).copied().unwrap_or(0)
        };
        for given in ["Di", "Ed"] {
            site.change(Change::Unassign { principal: login(given) });
        }
        let (limits, wide) = (rosterd::plan::Limits::default(), site.limits.clone());
        let one = rosterd::plan::Limit { count: 1, percent: 100 };
        site.limits =
            rosterd::plan::Limits { classes: [(rosterd::plan::Class::Deactivate, one)].into(), ..limits };
        site.world.reset_counters();
        assert_eq!(site.cycle().await.written(), 0);
        assert_eq!(asked(&site), 0, "{flavour:?}: {:#?}", site.left().await);
        site.plan().await;
        assert_eq!(asked(&site), 0, "{flavour:?}: a dry run");
        site.limits = wide;
        assert_eq!(site.cycle().await.written(), 2);
        assert_eq!(asked(&site), 3, "{flavour:?}: both, and the canary");
    }
}

#[tokio::test]
async fn an_event_needs_no_witness_and_asks_none() {
    let mut stage = six().await;
    play(&mut stage, &["bend the witness disagrees", "budget 0", "deleted u6", "recycled u5"]).await;
    play(
        &mut stage,
        &["person u4 p4@x.example Pat Doe4 disabled", "group g2 Support u3", "group g1 Sales u1 u2 u3"],
    )
    .await;
    play(&mut stage, &["app u1 u2 u3 u4 g:g1 g:g2"]).await;
    let output = cycle(&mut stage).await;
    assert!(output.contains("3 deactivate\n") && !output.contains("held"), "{output}");
    assert_eq!(stage.source.asked(), []);
}

/// The budget is one for the cycle, whatever is removed; what is over it is asked next time, and nothing is asked twice.
#[tokio::test]
async fn a_budget_is_for_the_whole_cycle_and_what_is_over_it_waits() {
    let mut stage = six().await;
    play(&mut stage, &["app u1 u2 u3 u4 g:g1 g:g2", "group g1 Sales u1 u2", "budget 0"]).await;
    let before = stage.workspace().await;
    for _ in 0..3 {
        let output = cycle(&mut stage).await;
        assert_eq!(output.matches("(held: Unwitnessed)").count(), 4, "{output}");
        assert_eq!(stage.source.asked(), []);
    }
    assert_eq!(stage.workspace().await, before);
    assert_eq!(
        play(&mut stage, &["reads u6"]).await,
        "unwitnessed: the cycle's budget of 0 questions is used up (jobs.story.limits.witness_budget); the next cycle \
         asks again\n"
    );
    // Two people are asked for, and a third question is left for the team.
    play(&mut stage, &["budget 3"]).await;
    let output = cycle(&mut stage).await;
    assert!(output.contains("2 deactivate\n") && output.contains("1 remove_members\n"), "{output}");
    assert_eq!(output.matches("(held: Unwitnessed)").count(), 1, "{output}");
    assert_eq!(cycle(&mut stage).await, "1 remove_members\n");
}

/// A group that lost its assignment is one question, however many lose their accounts with it.
#[tokio::test]
async fn one_question_answers_for_all_removals_that_hang_on_it() {
    let mut stage = six().await;
    play(&mut stage, &["app g:g1 g:g2 u5 u6"]).await;
    // Who was assigned twice, directly and through Sales, still is through Sales.
    assert_eq!(cycle(&mut stage).await, "nothing\n");
    assert_eq!(stage.source.asked(), []);
    play(&mut stage, &["app g:g2 u5 u6", "budget 1"]).await;
    let output = cycle(&mut stage).await;
    assert!(output.contains("2 deactivate\n") && output.contains("4 remove_members\n"), "{output}");
    let asked = stage.source.asked();
    assert!(asked.len() <= 3, "the group once, and canaries: {asked:?}");
}

/// The last ones of a list have nobody who could be the canary: two complete reads, and the setting or a person.
#[tokio::test]
async fn without_a_canary_a_second_complete_read_is_needed() {
    let mut stage = six().await;
    play(&mut stage, &["group g1 Sales", "group g2 Support"]).await;
    let output = cycle(&mut stage).await;
    assert!(output.lines().all(|line| line.ends_with("(held: Unwitnessed)")), "{output}");
    assert_eq!(
        play(&mut stage, &["reads g2"]).await.lines().next().unwrap_or_default().to_owned() + "\n",
        "unwitnessed (nobody was left to prove that the source still answers); it goes when a second complete read does \
         not show it either\n"
    );
    assert_eq!(cycle(&mut stage).await, "6 remove_members\n");
}

#[tokio::test]
async fn every_removal_keeps_what_confirmed_it() {
    let mut stage = six().await;
    play(&mut stage, &["app u1 u2 u3 u4 u5 g:g1 g:g2", "group g1 Sales u1 u2 u3"]).await;
    assert_eq!(cycle(&mut stage).await, "1 remove_members\n1 deactivate\n");
    play(&mut stage, &["bend the witness is forbidden", "app u1 u2 u3 u4 g:g1 g:g2"]).await;
    cycle(&mut stage).await;
    cycle(&mut stage).await;
    play(&mut stage, &["deleted u4"]).await;
    cycle(&mut stage).await;
    let rows = stage.store.log(LogFilter { limit: 100, ..LogFilter::default() }).await.expect("a log");
    let removals = rows.iter().filter(|row| ["deactivate", "remove_members"].contains(&row.class.as_str()));
    let told: Vec<(String, Option<String>)> =
        removals.map(|row| (row.class.clone(), row.evidence.clone())).collect();
    let of = |class: &str, evidence: Option<&str>| (class.to_owned(), evidence.map(str::to_owned));
    let (counts, reads) =
        ("the file, whole by its own counts, does not show it", "2 complete reads in a row do not show it");
    for expected in [
        of("deactivate", Some(counts)),
        of("remove_members", Some(counts)),
        of("deactivate", Some(reads)),
        of("deactivate", None),
    ] {
        assert!(told.contains(&expected), "{expected:?} is missing: {told:#?}");
    }
}
