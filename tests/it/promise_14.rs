//! P14: every limit has a setting, a default, and an error that names the setting. The table below has every key of the
//! tables of settings in which limits stand, asked of the settings themselves: a new key without a row fails.

use std::collections::BTreeSet;
use std::path::Path;

use rosterd::config::Flags;
use rosterd::config::Layers;
use rosterd::config::Merged;
use rosterd::plan::Class;
use rosterd::plan::Limit;
use rosterd::plan::Limits;

use crate::support::acts::cycle;
use crate::support::acts::play;
use crate::support::story::Stage;

/// How a limit is reached, and how it says so.
enum Reached {
    /// A day of a story goes over it: what happens, whom to look at, and what holds it.
    Held { set: fn(&mut Stage), day: &'static [&'static [&'static str]], reads: &'static str },
    /// This file goes over it, and states this.
    In(&'static str, &'static str),
    /// Nothing is refused: this is what happens instead.
    Shapes(&'static str),
    /// It stands among the limits, and is none.
    No,
}

use Reached::Held;
use Reached::In;
use Reached::No;
use Reached::Shapes;

/// A key of a table of the settings.
struct Row(&'static str, &'static str, Reached);

fn nothing(_: &mut Stage) {}

const fn held(day: &'static [&'static [&'static str]], reads: &'static str) -> Reached {
    Held { set: nothing, day, reads }
}

fn jobs() -> Vec<Row> {
    let row = |key, reached| Row("jobs.acme.limits", key, reached);
    vec![
        row(
            "create",
            held(&[&["limit create 0 100", "person u9 eve@x.example Eve Roe", "app u1 u2 u3 u9 g:g1"]], "u9"),
        ),
        row("update", held(&[&["limit update 0 100", "person u1 ann@x.example Ann Koch"]], "u1")),
        row("rename", held(&[&["limit rename 0 100", "person u1 koch@x.example Ann Lee"]], "u1")),
        row(
            "reactivate",
            held(
                &[
                    &["person u1 ann@x.example Ann Lee disabled"],
                    &["limit reactivate 0 100", "person u1 ann@x.example Ann Lee"],
                ],
                "u1",
            ),
        ),
        row("add_members", held(&[&["limit add_members 0 100", "group g1 Sales u1 u2 u3"]], "g1")),
        row("remove_members", held(&[&["limit remove_members 0 100", "group g1 Sales u1"]], "g1")),
        row("remove_members_team", held(&[&["team-limit 0 100", "group g1 Sales u1"]], "g1")),
        row(
            "references",
            held(
                &[
                    &["row manager manager refers"],
                    &["limit references 0 100", "person u1 ann@x.example Ann Lee manager=u2"],
                ],
                "u1",
            ),
        ),
        row("deactivate", held(&[&["limit deactivate 0 100", "app u1 u2 g:g1"]], "u3")),
        row(
            "delete",
            held(
                &[&["action delete on", "leavers all delete"], &["limit delete 0 100", "app u1 u2 g:g1"]],
                "u3",
            ),
        ),
        row(
            "delete_teams",
            held(
                &[
                    &["action delete on", "leavers teams delete"],
                    &["limit delete_teams 0 100", "app u1 u2 u3"],
                ],
                "g1",
            ),
        ),
        row(
            "upgrade",
            held(&[&["program 1"], &["upgrade-limit 0 100", "program 2", "row title mail"]], "u1"),
        ),
        row("witness_budget", held(&[&["budget 0", "app u1 u2 g:g1"]], "u3")),
        row(
            "lost_anchors",
            held(
                &[&["anchors 0", "target-loses ann@x.example", "person u1 ann@x.example Ann Koch"], &[]],
                "u1",
            ),
        ),
        row(
            "clock_jump",
            held(
                &[
                    &["clock-jump 2d", "action delete on", "leavers unassigned delete after 10d"],
                    &["app u1 u2 g:g1"],
                    &["later 2592000"],
                ],
                "u3",
            ),
        ),
        row("floor", Shapes("it lifts the percentages of the others; `promise_13.rs` holds by how much")),
        row("escrow", In("tests/it/promise_12.rs", "GIVEN_UP")),
        row("quarantine", In("src/plan/quarantine.rs", "(limits.quarantine)")),
        Row("jobs.acme.limits.escrow", "steps", In("src/plan/escrow.rs", "tried again at")),
        Row("jobs.acme.limits.escrow", "every", In("src/plan/escrow.rs", "tried again at")),
        Row(
            "jobs.acme.limits.escrow",
            "until",
            In("src/plan/escrow.rs", "given up, until it changes or somebody says retry"),
        ),
        Row(
            "jobs.acme.limits.quarantine",
            "percent",
            In("src/plan/quarantine.rs", "allowed are 40 % from 10 on (limits.quarantine)"),
        ),
        Row(
            "jobs.acme.limits.quarantine",
            "failures",
            In("src/plan/quarantine.rs", "allowed are 40 % from 10 on (limits.quarantine)"),
        ),
        Row("jobs.acme.limits.quarantine", "failed_cycles", In("tests/it/quarantine.rs", "failed_cycles")),
        Row(
            "jobs.acme.limits.quarantine",
            "slowest",
            Shapes("the longest pause; `tests/it/quarantine.rs` plays weeks of it"),
        ),
    ]
}

fn targets() -> Vec<Row> {
    const ZERO: Option<Limit> = Some(Limit { count: 0, percent: 100 });
    let row = |key, set, day, reads| Row("targets.local.limits", key, Held { set, day, reads });
    vec![
        row("removals", |stage| stage.limits.target.removals = ZERO, &[&["app u1 u2 g:g1"]], "u3"),
        row(
            "changes",
            |stage| stage.limits.target.changes = ZERO,
            &[&["person u1 ann@x.example Ann Koch"]],
            "u1",
        ),
    ]
}

fn service() -> Vec<Row> {
    let row = |key, reached| Row("scim", key, reached);
    let limits = "tests/it/server/limits.rs";
    vec![
        row("body_bytes", In(limits, "scim.body_bytes")),
        row("group_body_bytes", In(limits, "scim.group_body_bytes")),
        row("bulk_bytes", In("tests/it/server/bulk.rs", "scim.bulk_bytes")),
        row("bulk_operations", In("tests/it/server/bulk.rs", "scim.bulk_operations")),
        row("patch_operations", In(limits, "scim.patch_operations")),
        row("list_values", In(limits, "scim.list_values")),
        row("json_depth", In(limits, "scim.json_depth")),
        row("url_bytes", In(limits, "scim.url_bytes")),
        row("filter_bytes", In(limits, "scim.filter_bytes")),
        row("filter_depth", In(limits, "scim.filter_depth")),
        row("filter_comparisons", In(limits, "scim.filter_comparisons")),
        row("head_lines", In("tests/it/server/refusals.rs", "scim.head_lines")),
        row("page_default", Shapes("a page is so long; `server/limits.rs`")),
        row("page_max", Shapes("a longer page is cut, and discovery says so; `server/limits.rs`")),
        row(
            "cursor_wait",
            In("src/server/cursor.rs", "the cursor is older than 3600 s (setting scim.cursor_wait)"),
        ),
        row("rate", In(limits, "scim.rate")),
        row("burst", Shapes("so many go at once before `rate` counts; `server/limits.rs`")),
        row("concurrent", In("src/server/pace.rs", "more than 2 requests at once (setting scim.concurrent)")),
        row("connections", Shapes("more wait; `server/load.rs`")),
        row("head_wait", Shapes("the connection is closed, as nobody has asked for anything yet")),
        row("body_wait", In(limits, "scim.body_wait")),
        row("prefix", No),
        row("url", No),
        row("discovery_without_token", No),
        row("extensions", No),
        row("tenants", No),
    ]
}

fn edges() -> Vec<Row> {
    let okta = |key, reached| Row("jobs.org.source.okta", key, reached);
    let scim = |key, reached| Row("targets.remote.scim", key, reached);
    let none =
        |table, keys: &[&'static str]| keys.iter().map(move |key| Row(table, key, No)).collect::<Vec<_>>();
    let mut rows = vec![
        okta(
            "repeats_max",
            In(
                "tests/it/okta_politeness.rs",
                "the 2 repeats of one cycle are used up; the next cycle tries again (setting source.okta.repeats_max)",
            ),
        ),
        okta("rate_share", Shapes("requests wait for the next minute; `okta_politeness.rs`")),
        okta("overlap", Shapes("members are read again so much longer; `okta_reads.rs`")),
        okta("member_reread", Shapes("members are read again after this; `okta_reads.rs`")),
        scim(
            "timeout",
            Shapes(
                "the outcome of a request is unknown, and the target is asked; `remote_target/writing.rs`",
            ),
        ),
        scim("learned_for", Shapes("what was learned is asked anew; `remote_target/learning.rs`")),
        scim("lookup_listing_from", Shapes("one listing in place of lookups; `remote_target/listing.rs`")),
        scim(
            "whole_listing_max",
            Shapes("a longer list is not whole, and says so; `remote_target/listing.rs`"),
        ),
        scim("listing_max", Shapes("lookups in place of a listing; `remote_target/listing.rs`")),
        scim("seats", In("tests/it", "seats")),
    ];
    rows.extend(none(
        "jobs.org.source.okta",
        &[
            "url",
            "token",
            "suspended",
            "staged",
            "implicit",
            "system_log",
            "client_id",
            "private_key",
            "key_id",
            "scopes",
            "also_hosts",
            "ca_file",
        ],
    ));
    rows.extend(none(
        "targets.remote.scim",
        &["url", "token", "profile", "protect", "ca_file", "capabilities"],
    ));
    rows
}

fn rows() -> Vec<Row> {
    [jobs(), targets(), service(), edges()].into_iter().flatten().collect()
}

const SETTINGS: &str = r#"
[jobs.acme]
target = "local"
source.file.path = "/hr.json"
scope.users.all = true
mapping.preset = "cerby"
[targets.local.workspace]
name = "main"
"#;

/// The keys that a table of the settings knows, as it tells whoever misspells one.
fn known(table: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rosterd.toml");
    std::fs::write(&file, format!("{SETTINGS}[{table}]\nqqqqqqqqqqqqqqqq = 1\n")).expect("a file");
    let layers = Layers { file: Some(file), variables: Vec::new(), flags: Flags::default() };
    let problems = match Merged::read(&layers).and_then(|merged| merged.check().map(|_| ())) {
        Ok(()) => panic!("{table}: a key that nobody knows is no error"),
        Err(problems) => problems.to_string(),
    };
    let known = problems.split("possible here: ").nth(1).unwrap_or_else(|| panic!("{table}: {problems}"));
    let keys = known.lines().next().unwrap_or_default().split(", ");
    keys.map(|key| key.trim().to_owned()).collect()
}

#[test]
fn every_key_of_the_tables_in_which_limits_stand_has_a_row() {
    let rows = rows();
    let tables: BTreeSet<&str> = rows.iter().map(|row| row.0).collect();
    for table in tables {
        let rows: BTreeSet<String> =
            rows.iter().filter(|row| row.0 == table).map(|row| row.1.to_owned()).collect();
        assert_eq!(rows, known(table), "[{table}]");
    }
}

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if path.is_dir() {
        let files = std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path());
        return files.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    }
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_is_reached_elsewhere_is_reached_there() {
    for Row(table, key, reached) in rows() {
        match reached {
            In(file, states) => {
                assert!(text(file).contains(states), "{table}.{key}: {file} does not state `{states}`");
            }
            Shapes(instead) => assert!(!instead.is_empty(), "{table}.{key}: nothing is said of it"),
            Held { .. } | No => {}
        }
    }
}

/// The row of a key in docs/settings.md: its cells.
fn documented(section: &str, key: &str) -> Option<Vec<String>> {
    let page = text("docs/settings.md");
    let section = page.split("\n## ").find(|part| part.starts_with(section))?.to_owned();
    let named = format!("`{key}`");
    let line = section.lines().find(|line| {
        line.starts_with('|')
            && line.split('|').nth(1).is_some_and(|first| first.split(", ").any(|one| one.trim() == named))
    })?;
    Some(line.split('|').map(|cell| cell.trim().to_owned()).collect())
}

#[test]
fn every_limit_is_documented_and_so_is_its_default() {
    for Row(table, key, reached) in rows() {
        let (section, key) = match table {
            "jobs.acme.limits" => ("`[jobs.NAME.limits]`", key),
            "jobs.acme.limits.escrow" => ("`[jobs.NAME.limits]`", "escrow"),
            "jobs.acme.limits.quarantine" => ("`[jobs.NAME.limits]`", "quarantine"),
            "targets.local.limits" => ("`[targets.NAME.limits]`", key),
            "scim" => ("`[scim]`", key),
            "jobs.org.source.okta" => ("`[jobs.NAME.source.…]`", key),
            _ => ("`[targets.NAME.…]`", key),
        };
        if matches!(reached, No) {
            continue;
        }
        assert!(documented(section, key).is_some(), "{table}.{key} is not in {section} of docs/settings.md");
    }
    let limits = Limits::default();
    let limit = |limit: Option<&Limit>| match limit {
        None => "none".to_owned(),
        Some(Limit { count, percent: 100 }) => format!("`{{ count = {count} }}`"),
        Some(Limit { count, percent }) => format!("`{{ count = {count}, percent = {percent} }}`"),
    };
    let classes = Class::ALL.into_iter().map(|class| (class.word(), limit(limits.classes.get(&class))));
    let others = [
        ("remove_members_team", limit(limits.remove_members_team.as_ref())),
        ("upgrade", limit(limits.upgrade.as_ref())),
        ("floor", format!("`{}`", limits.floor)),
        ("witness_budget", format!("`{}`", limits.witness_budget)),
        ("lost_anchors", format!("`{}`", limits.lost_anchors)),
        ("clock_jump", format!("`\"{}d\"`", limits.clock_jump_seconds / 86_400)),
    ];
    for (key, default) in classes.chain(others) {
        assert_eq!(documented("`[jobs.NAME.limits]`", key).expect("a row")[2], default, "{key}");
    }
    for (key, limits) in [("removals", &limits.target.removals), ("changes", &limits.target.changes)] {
        assert_eq!(
            documented("`[targets.NAME.limits]`", key).expect("a row")[2],
            limit(limits.as_ref()),
            "{key}"
        );
    }
}

/// Each is reached for real: a change that is one too many is held, and the text names the setting by its whole key.
#[tokio::test]
async fn what_is_over_a_limit_of_a_job_or_a_target_is_held_and_names_the_setting() {
    for Row(table, key, reached) in rows() {
        let Held { set, day, reads } = reached else { continue };
        let mut stage = Stage::new();
        stage.limits = Limits::default();
        stage.limits.target.name = "local".to_owned();
        play(
            &mut stage,
            &[
                "person u1 ann@x.example Ann Lee",
                "person u2 bo@x.example Bo Ng",
                "person u3 cy@x.example Cy Ito",
            ],
        )
        .await;
        play(&mut stage, &["group g1 Sales u1 u2", "app u1 u2 u3 g:g1"]).await;
        assert_eq!(cycle(&mut stage).await, "4 create\n2 add_members\n");
        play(&mut stage, &["later 100000"]).await;
        set(&mut stage);
        let mut told = String::new();
        for lines in day {
            play(&mut stage, lines).await;
            told = cycle(&mut stage).await;
        }
        let setting = format!("({}.{key})", table.replace("acme", "story"));
        let held = play(&mut stage, &[&format!("reads {reads}")]).await;
        assert!(held.contains(&setting), "{table}.{key}: {held}{told}");
        assert!(!held.contains("{"), "{held}");
    }
}
