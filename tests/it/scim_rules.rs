//! Every rule of `docs/scim-rules.md` names the tests that prove it, and the tests are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The letters of the rules, and how many each has.
const RULES: [(&str, u32); 17] = [
    ("N", 5),
    ("M", 15),
    ("A", 3),
    ("D", 6),
    ("H", 7),
    ("F", 15),
    ("Q", 9),
    ("C", 4),
    ("P", 2),
    ("X", 12),
    ("L", 1),
    ("K", 5),
    ("B", 8),
    ("V", 2),
    ("T", 18),
    ("O", 13),
    ("S", 13),
];
/// The points of the acceptance checklist.
const POINTS: u32 = 15;

/// What no test proves yet. It only gets shorter.
const OPEN: [&str; 0] = [];

/// A row of the table: a rule, and the tests that it names.
struct Row {
    rule: String,
    tests: Vec<String>,
}

fn rows() -> Vec<Row> {
    let table = fs::read_to_string(root().join("docs/scim-rules.md")).expect("the table is there");
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [rule, _, tests] = cells.as_slice() else { return None };
        let named = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        rule.ends_with(|c: char| c.is_ascii_digit()).then(|| Row { rule: (*rule).to_owned(), tests: named })
    };
    table.lines().filter_map(row).collect()
}

#[test]
fn every_rule_has_its_row() {
    let numbered = |(letter, count): &(&str, u32)| {
        let letter = (*letter).to_owned();
        (1..=*count).map(move |number| format!("{letter}{number}")).collect::<Vec<_>>()
    };
    let mut expected: Vec<String> = RULES.iter().flat_map(numbered).collect();
    expected.extend((1..=POINTS).map(|point| point.to_string()));
    let found: Vec<String> = rows().into_iter().map(|row| row.rule).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_test_that_a_rule_names_exists() {
    let tests = tests();
    let unknown: Vec<String> = rows()
        .iter()
        .flat_map(|row| row.tests.iter().map(|test| (row.rule.clone(), test.clone())))
        .filter(|(_, test)| !tests.contains(test))
        .map(|(rule, test)| format!("{rule}: no test is called {test}"))
        .collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn what_is_open_is_known() {
    let open: Vec<String> =
        rows().into_iter().filter(|row| row.tests.is_empty()).map(|row| row.rule).collect();
    assert_eq!(open, OPEN);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all functions below a `#[test]`, also where it is one of a runtime or stands in `proptest!`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["src", "tests"] {
        walk(&root().join(folder), &mut found);
    }
    assert!(found.len() > 500, "only {} tests found: is this the right folder?", found.len());
    found
}

fn walk(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a source file is text");
            found.extend(tests_in(&text));
        }
    }
}

fn tests_in(text: &str) -> impl Iterator<Item = String> {
    let mut marked = false;
    text.lines().filter_map(move |line| {
        let line = line.trim_start();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
            return None;
        }
        let name = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        std::mem::take(&mut marked).then(|| name[..end].to_owned())
    })
}
