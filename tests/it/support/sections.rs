//! The sections of the references that text cases name: each has to be there, where the references are at hand.

use std::fs;
use std::path::PathBuf;

/// How cases name a reference, and its file. They lie beside the corpus.
const REFERENCES: [(&str, &str); 5] = [
    ("Entra", "entra-provisioning.md"),
    ("Okta", "okta.md"),
    ("Graph", "graph.md"),
    ("SCIM", "scim.md"),
    ("Design", "../design.md"),
];

/// Checks a heading that names a section: `Entra 7.2 Append`, `Design 3`, `RFC 7643 2.5` (which no file of ours has).
#[track_caller]
pub fn check(place: &str, heading: &str) {
    let mut words = heading.split_whitespace();
    let (reference, mut section) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if reference == "RFC" {
        section = words.next().unwrap_or_default();
    }
    let section = section.trim_end_matches(':');
    assert!(
        section.starts_with(|first: char| first.is_ascii_digit()),
        "{place}: `{heading}` names no section"
    );
    let file = REFERENCES.iter().find(|(name, _)| *name == reference).map(|(_, file)| file);
    assert!(file.is_some() || reference == "RFC", "{place}: no such reference: {heading}");
    let text =
        file.zip(folder()).map(|(file, folder)| fs::read_to_string(folder.join(file)).expect("a reference"));
    let heads = |line: &str| {
        let rest = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#').trim_start());
        let rest = rest.and_then(|rest| rest.strip_prefix(section));
        rest.is_some_and(|rest| rest.starts_with(' ') || rest.starts_with(". ") || rest.starts_with(": "))
    };
    assert!(
        text.is_none_or(|text| text.lines().any(heads)),
        "{place}: the reference has no section {section}: {heading}"
    );
}

/// Checks that a comment says where its cases come from: a section (`Okta reference, section 10`), which has to be there, or
/// a promise of the design (`P7`).
#[track_caller]
pub fn check_source(place: &str, comment: &str) {
    let words: Vec<&str> =
        comment.split(|c: char| c.is_whitespace() || c == '#').filter(|word| !word.is_empty()).collect();
    let text = words.join(" ");
    let mut found = 0;
    for (name, said) in [
        ("Entra", "Entra provisioning reference, section "),
        ("Okta", "Okta reference, section "),
        ("Graph", "Graph reference, section "),
        ("Design", "design, section "),
        ("Design", "Design, section "),
    ] {
        for (at, _) in text.match_indices(said) {
            let rest = &text[at + said.len()..];
            let section: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            check(place, &format!("{name} {}", section.trim_end_matches('.')));
            found += 1;
        }
    }
    let promise = |word: &str| {
        let number = word.trim_matches(|c: char| !c.is_alphanumeric()).strip_prefix('P');
        number.is_some_and(|number| number.parse::<u8>().is_ok_and(|number| (1..=17).contains(&number)))
    };
    let policy = text.contains("SCIM reference, O4");
    assert!(found > 0 || policy || words.iter().any(|word| promise(word)), "{place}: no source: {text}");
}

fn folder() -> Option<PathBuf> {
    let corpus = PathBuf::from(std::env::var_os("ROSTERD_CORPUS")?);
    let folder = corpus.parent()?.join("reference");
    folder.is_dir().then_some(folder)
}
