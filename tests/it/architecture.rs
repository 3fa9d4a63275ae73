//! The house rules that a compiler cannot see: which room imports which, what a pure room may not name, which
//! room is the door of a big crate, and the shape of files. Changing the tables is a design decision.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// A room and the rooms of ours that it may import, in the order of the house: the language, the decision,
/// the edges, the drivers.
const ROOMS: [(&str, &[&str]); 14] = [
    ("scim", &[]),
    ("expr", &[]),
    ("model", &["scim"]),
    ("plan", &["scim", "expr", "model"]),
    ("report", &["scim", "model", "plan"]),
    ("client", &[]),
    ("store", &["scim", "model", "plan"]),
    // Records carry `Kind`, which `scim` owns.
    ("sources", &["scim", "model", "client"]),
    ("targets", &["scim", "model", "plan", "client", "store"]),
    ("cycle", &["scim", "model", "plan", "store", "sources", "targets"]),
    ("server", &["scim", "model", "plan", "report", "client", "store", "targets", "cycle"]),
    ("daemon", &["scim", "model", "plan", "report", "client", "store", "cycle", "server"]),
    // The settings types of all above.
    (
        "config",
        &[
            "scim", "expr", "model", "plan", "report", "client", "store", "sources", "targets", "cycle",
            "server", "daemon",
        ],
    ),
    ("simulators", &["scim", "model"]),
];

/// `cli` stands last and may import everything. `main.rs` and `lib.rs` are no rooms.
const EVERYTHING: &str = "cli";

const PURE: [&str; 5] = ["scim", "expr", "model", "plan", "report"];

/// What the same input must not depend on, each with the reason.
const IMPURE: [(&str, &str); 14] = [
    ("tokio", "the runtime"),
    ("reqwest", "the network"),
    ("std::net", "the network"),
    ("std::fs", "the disk"),
    ("std::env", "the environment"),
    ("std::process", "the process"),
    ("std::thread", "threads"),
    ("SystemTime", "the clock"),
    ("Instant", "the clock"),
    ("Timestamp::now", "the clock"),
    ("Zoned::now", "the clock"),
    ("tracing", "logging"),
    ("HashMap", "the order of hashing"),
    ("HashSet", "the order of hashing"),
];

/// A big crate and its doors.
const DOORS: [(&str, &[&str]); 7] = [
    ("reqwest", &["client"]),
    ("oauth2", &["client"]),
    ("jsonwebtoken", &["client"]),
    ("rusqlite", &["store"]),
    ("axum", &["server", "simulators"]),
    ("tokio_cron_scheduler", &["daemon"]),
    ("figment", &["config"]),
];

const LINES_MAX: usize = 500;

#[test]
fn every_file_keeps_the_house_rules() {
    let sources = sources();
    assert!(sources.len() > 30, "only {} files found: is this the right folder?", sources.len());
    let broken: Vec<String> = sources.iter().flat_map(|(path, text)| breaches(path, text)).collect();
    assert!(broken.is_empty(), "{} house rules are broken:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn every_room_of_the_table_exists_and_every_room_is_in_the_table() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs is there");
    let mut listed: Vec<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut known: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).chain([EVERYTHING]).collect();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(listed, known);
}

/// Everything that is wrong with one file, one line each.
fn breaches(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let mut found = shape(text);
    if let Some(room) = room(path) {
        found.extend(imports(room, &code));
        found.extend(doors(room, &code));
        found.extend(impurities(room, &code));
    }
    found.extend(panics(&code));
    found.into_iter().map(|what| format!("{path}: {what}")).collect()
}

fn shape(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.split(' ').count() > 3) {
        found.push("1: the first line is not a `//!` sentence that says what the file is for".to_owned());
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        found.push(format!("{LINES_MAX}: {lines} lines; look for the second idea"));
    }
    found
}

fn imports(room: &str, code: &[Line]) -> Vec<String> {
    if room == EVERYTHING {
        return Vec::new();
    }
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("`{room}` is not a room of the table")];
    };
    let known = |name: &str| name == EVERYTHING || ROOMS.iter().any(|(room, _)| *room == name);
    let mut found = Vec::new();
    for line in code {
        for named in rooms_named(&line.text) {
            if named == "{" {
                found.push(format!("{}: `use crate::{{…}}` hides its rooms; one item a line", line.number));
            } else if known(&named) && named != room && !allowed.contains(&named.as_str()) {
                found.push(format!("{}: `{room}` may not import `{named}`", line.number));
            }
        }
    }
    found
}

/// The rooms that a line names as `crate::room` or `rosterd::room`.
fn rooms_named(line: &str) -> Vec<String> {
    ["crate::", "rosterd::"]
        .iter()
        .flat_map(|root| line.match_indices(root).map(|(at, _)| &line[at + root.len()..]))
        .map(|rest| if rest.starts_with('{') { "{".to_owned() } else { word(rest).to_owned() })
        .collect()
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

fn doors(room: &str, code: &[Line]) -> Vec<String> {
    let mut found = Vec::new();
    for line in code {
        for (name, rooms) in DOORS {
            if names(&line.text, name) && !rooms.contains(&room) {
                found.push(format!("{}: `{name}` is named outside its door {rooms:?}", line.number));
            }
        }
    }
    found
}

fn impurities(room: &str, code: &[Line]) -> Vec<String> {
    if !PURE.contains(&room) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for line in code {
        for (name, reason) in IMPURE {
            if names(&line.text, name) {
                found.push(format!("{}: `{room}` is pure and names {reason}: `{name}`", line.number));
            }
        }
    }
    found
}

/// Whether `name` stands in the line as a whole path, not as a part of a longer word.
fn names(line: &str, name: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name)
        .any(|(at, _)| !line[..at].ends_with(inner) && !line[at + name.len()..].starts_with(inner))
}

fn panics(code: &[Line]) -> Vec<String> {
    let banned = [".unwrap()", "todo!(", "unimplemented!(", "dbg!(", "#[allow("];
    let mut found = Vec::new();
    for line in code.iter().filter(|line| !line.test) {
        for what in banned {
            if line.text.contains(what) {
                found.push(format!("{}: `{what}` outside tests", line.number));
            }
        }
    }
    found
}

/// One line of code, comments and texts taken out.
struct Line {
    number: usize,
    text: String,
    /// Below a `#[cfg(test)]`.
    test: bool,
}

/// The code of a file. What stands in comments and in string literals is no code; tests are the rest of a
/// file from its first `#[cfg(test)]` that opens a module.
fn code(text: &str) -> Vec<Line> {
    let bare = without_texts(text);
    let mut test = false;
    let mut lines = Vec::new();
    let mut before = "";
    for (index, line) in bare.lines().enumerate() {
        test |= before.trim() == "#[cfg(test)]" && line.trim_start().starts_with("mod ");
        lines.push(Line { number: index + 1, text: line.to_owned(), test });
        before = line;
    }
    lines
}

/// Blanks comments, string literals and character literals; line ends stay.
fn without_texts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => string_length(rest),
            'r' | 'b' if !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') => raw_length(rest),
            '\'' => char_length(rest),
            _ => 0,
        };
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.extend(rest[..length].chars().filter(|c| *c == '\n'));
            out.push(' ');
            rest = &rest[length..];
        }
    }
    out
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a raw or byte string that begins here, 0 where none does.
fn raw_length(text: &str) -> usize {
    let after_b = text.strip_prefix('b').unwrap_or(text);
    let Some(after_r) = after_b.strip_prefix('r') else {
        return if after_b.starts_with('"') { 1 + string_length(after_b) } else { 0 };
    };
    let hashes = after_r.len() - after_r.trim_start_matches('#').len();
    if !after_r[hashes..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let opened = text.len() - after_r.len() + hashes + 1;
    text[opened..].find(&close).map_or(text.len(), |at| opened + at + close.len())
}

/// The length of a character literal, 0 for a lifetime.
fn char_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            text[2..].char_indices().skip(1).find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 3)
        }
        Some((at, c)) if text[at + c.len_utf8()..].starts_with('\'') => at + c.len_utf8() + 1,
        _ => 0,
    }
}

/// `scim` of `src/scim/mod.rs`; nothing for `src/lib.rs` and `src/main.rs`.
fn room(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let (room, _) = inside.split_once('/')?;
    Some(room)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file with its path from the root, sorted.
pub fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&root().join("src"), &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a source file is text");
            let name = path.strip_prefix(root()).expect("it lies below the root");
            found.push((name.to_string_lossy().into_owned(), text));
        }
    }
}

// The check itself is checked: a planted breach is found, and what only looks like one is not.

/// A file of room `path` whose second line is `line`.
fn planted(path: &str, line: &str) -> Vec<String> {
    breaches(path, &format!("//! A planted file.\n{line}\n"))
}

#[test]
fn an_import_upwards_or_sideways_is_found() {
    for (path, line, expected) in [
        ("src/scim/x.rs", "use crate::model::Page;", "src/scim/x.rs: 2: `scim` may not import `model`"),
        ("src/expr/x.rs", "use crate::scim::Kind;", "src/expr/x.rs: 2: `expr` may not import `scim`"),
        (
            "src/plan/x.rs",
            "fn f() { crate::store::open() }",
            "src/plan/x.rs: 2: `plan` may not import `store`",
        ),
        (
            "src/sources/okta/x.rs",
            "use crate::store::Store;",
            "src/sources/okta/x.rs: 2: `sources` may not import `store`",
        ),
        ("src/cycle/x.rs", "use crate::config::Job;", "src/cycle/x.rs: 2: `cycle` may not import `config`"),
        (
            "src/daemon/x.rs",
            "pub use crate::targets::Found;",
            "src/daemon/x.rs: 2: `daemon` may not import `targets`",
        ),
        ("src/server/x.rs", "use crate::cli::run;", "src/server/x.rs: 2: `server` may not import `cli`"),
        (
            "src/simulators/x.rs",
            "use rosterd::plan::Plan;",
            "src/simulators/x.rs: 2: `simulators` may not import `plan`",
        ),
        ("src/garage/x.rs", "", "src/garage/x.rs: `garage` is not a room of the table"),
        (
            "src/plan/x.rs",
            "use crate::{scim, model};",
            "src/plan/x.rs: 2: `use crate::{…}` hides its rooms; one item a line",
        ),
    ] {
        assert_eq!(planted(path, line), [expected], "{line}");
    }
}

#[test]
fn what_a_row_allows_is_no_breach() {
    for (path, line) in [
        ("src/scim/x.rs", "use crate::scim::Kind;"),
        ("src/targets/x.rs", "use crate::client::Client;"),
        ("src/config/x.rs", "use crate::daemon::Schedule;"),
        ("src/cli/commands/x.rs", "use crate::simulators::graph;"),
        ("src/scim/x.rs", "// use crate::model::Page;"),
        ("src/scim/x.rs", "const TEXT: &str = \"crate::model\";"),
        ("src/scim/x.rs", "const RAW: &str = r#\"crate::model \"quoted\" tokio\"#;"),
        ("src/lib.rs", "pub mod cli;"),
    ] {
        assert_eq!(planted(path, line), [""; 0], "{line}");
    }
}

#[test]
fn an_impure_name_in_a_pure_room_is_found() {
    for (line, expected) in [
        ("use tokio::sync::Mutex;", "the runtime: `tokio`"),
        ("use std::net::TcpStream;", "the network: `std::net`"),
        ("let text = std::fs::read(path);", "the disk: `std::fs`"),
        ("let home = std::env::var_os(NAME);", "the environment: `std::env`"),
        ("use std::time::Instant;", "the clock: `Instant`"),
        ("let now = jiff::Timestamp::now();", "the clock: `Timestamp::now`"),
        ("tracing::info!(count);", "logging: `tracing`"),
        ("use std::collections::HashMap;", "the order of hashing: `HashMap`"),
        ("let c = '\"'; use std::collections::HashSet;", "the order of hashing: `HashSet`"),
    ] {
        assert_eq!(
            planted("src/plan/x.rs", line),
            [format!("src/plan/x.rs: 2: `plan` is pure and names {expected}")],
            "{line}"
        );
    }
    assert_eq!(
        planted("src/plan/x.rs", "fn f(at: jiff::Timestamp, tokio_like: u8, x: &'static str) {}"),
        [""; 0]
    );
    assert_eq!(planted("src/cycle/x.rs", "use tokio::sync::Mutex;"), [""; 0]);
}

#[test]
fn a_big_crate_outside_its_door_is_found() {
    for (name, doors) in DOORS {
        let line = format!("use {name}::Thing;");
        let found = planted("src/cycle/x.rs", &line);
        assert_eq!(found, [format!("src/cycle/x.rs: 2: `{name}` is named outside its door {doors:?}")]);
        for door in doors {
            assert_eq!(planted(&format!("src/{door}/x.rs"), &line), [""; 0], "{name} in {door}");
        }
    }
}

#[test]
fn a_panic_outside_tests_is_found() {
    assert_eq!(
        planted("src/cli/x.rs", "let x = y.unwrap();"),
        ["src/cli/x.rs: 2: `.unwrap()` outside tests"]
    );
    assert_eq!(planted("src/main.rs", "todo!()"), ["src/main.rs: 2: `todo!(` outside tests"]);
    let tests = "#[cfg(test)]\nmod tests {\n    fn f() { g().unwrap() }\n}";
    assert_eq!(planted("src/cli/x.rs", tests), [""; 0]);
    assert_eq!(planted("src/cli/x.rs", "let x = y.unwrap_or_default();"), [""; 0]);
}

#[test]
fn a_file_without_its_sentence_or_too_long_is_found() {
    assert_eq!(breaches("src/lib.rs", "pub mod scim;\n").len(), 1);
    assert_eq!(breaches("src/lib.rs", "//! lib\n").len(), 1);
    let long = format!("//! A long file.\n{}", "\n".repeat(LINES_MAX));
    assert_eq!(breaches("src/lib.rs", &long), ["src/lib.rs: 500: 501 lines; look for the second idea"]);
    assert_eq!(breaches("src/lib.rs", &long[1..]).len(), 2);
    assert_eq!(breaches("src/lib.rs", &format!("//! A long file.\n{}", "\n".repeat(LINES_MAX - 1))), [""; 0]);
}
