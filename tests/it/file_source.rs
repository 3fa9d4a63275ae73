//! The file source from outside: what a directory file shows, proves, and refuses.

use jiff::Timestamp;
use rosterd::model::Collection;
use rosterd::model::Container;
use rosterd::model::Coverage;
use rosterd::model::Next;
use rosterd::model::Read;
use rosterd::model::Reading;
use rosterd::model::Record;
use rosterd::model::SourceId;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::file::FileSource;
use rosterd::sources::file::TextCell;
use serde_json::json;

const DOCUMENTED: &str = include_str!("../../docs/file-source.md");

/// Everything one cycle reads.
#[derive(Default)]
struct Pull {
    records: Vec<Record>,
    covered: Vec<(Collection, Coverage)>,
    notes: Vec<String>,
    pages: usize,
}

async fn pull(source: &FileSource) -> Result<Pull, SourceError> {
    let mut pulled = Pull::default();
    for mut read in source.reads(&Watermarks::new(), Reading::Incremental, Timestamp::UNIX_EPOCH) {
        loop {
            let page = source.page(&read).await?;
            pulled.pages += 1;
            pulled.records.extend(page.records);
            pulled.notes.extend(page.notes);
            match page.next {
                Next::Page(cursor) => read = Read { name: read.name, cursor },
                Next::End { covered, .. } => {
                    pulled.covered.extend(covered);
                    break;
                }
            }
        }
    }
    Ok(pulled)
}

fn source(text: &str) -> FileSource {
    FileSource::from_text("hr.json", TextCell::new(text))
}

fn lines(records: &[Record]) -> String {
    let lines: Vec<String> = records.iter().map(line).collect();
    lines.join("\n")
}

fn line(record: &Record) -> String {
    match record {
        Record::Object(object) => {
            let attributes: Vec<String> = object.attributes.iter().map(|(k, v)| format!("{k}={v}")).collect();
            format!("{object:?} {}", attributes.join(" "))
        }
        Record::Removed { kind, id, standing } => format!("removed {} {id} ({standing:?})", kind.word()),
        Record::Edge { container, principal, kind, .. } => {
            format!("{} > {} {principal}", place(container), kind.word())
        }
        Record::EdgeRemoved { container, principal, kind } => {
            format!("{} x {} {principal}", place(container), kind.word())
        }
        other => format!("unexpected {other:?}"),
    }
}

fn place(container: &Container) -> String {
    match container {
        Container::App(id) => format!("app {id}"),
        Container::Group(id) => format!("group {id}"),
    }
}

fn id(text: &str) -> SourceId {
    SourceId(text.to_owned())
}

/// The complete example of the documentation.
fn documented() -> String {
    let from = DOCUMENTED.find("```json").expect("the page has an example") + "```json".len();
    let to = from + DOCUMENTED[from..].find("```").expect("the example ends");
    DOCUMENTED[from..to].to_owned()
}

#[tokio::test]
async fn the_documented_example_is_read_as_it_says() {
    let source = source(&documented());
    let pulled = pull(&source).await.expect("the example is of the form");
    let expected = r#"
user u1 (Enabled) givenName="Ann" mail="ann@acme.example" surname="Lee" userName="ann@acme.example"
user u2 (Enabled) givenName="Bo" mail="bo@acme.example" surname="Ng" userName="bo@acme.example"
user u3 (Disabled) givenName="Cy" mail="cy@acme.example" userName="cy@acme.example"
group g1 (Enabled) displayName="Sales"
group g2 (Enabled) displayName="Everybody"
removed user u9 (Gone)
removed user u8 (SoftDeleted)
app cerby > user u1
app cerby > group g1
group g1 > user u1
group g1 > user u2
group g2 > group g1"#;
    assert_eq!(lines(&pulled.records), expected.trim_start());
    assert_eq!(
        pulled.covered,
        [
            (Collection::Users, Coverage::Full),
            (Collection::Groups, Coverage::Full),
            (Collection::AllMembers, Coverage::Full),
            (Collection::Assignments(id("cerby")), Coverage::Full),
        ]
    );
    assert_eq!(pulled.notes, Vec::<String>::new());
    assert_eq!(source.identity().as_deref(), Some("file acme-hr"));
}

#[tokio::test]
async fn a_declared_count_that_differs_proves_nothing_about_its_class() {
    let source = source(
        r#"{"directory": "acme", "counts": {"users": 3, "groups": 1, "memberships": 1}, "users": [{"id": "u1"}],
            "groups": [{"id": "g1", "members": ["user:u1"]}]}"#,
    );
    let pulled = pull(&source).await.expect("the file is of the form");
    assert_eq!(
        pulled.covered,
        [
            (Collection::Users, Coverage::Partial),
            (Collection::Groups, Coverage::Full),
            (Collection::AllMembers, Coverage::Full),
        ]
    );
    assert_eq!(
        pulled.notes,
        ["counts.users says 3, but 1 were read: nothing is removed for being absent until they agree"]
    );
}

#[tokio::test]
async fn a_list_that_is_not_there_says_nothing() {
    let pulled = pull(&source(r#"{"directory": "acme", "users": []}"#)).await.expect("of the form");
    assert_eq!(pulled.covered, [(Collection::Users, Coverage::Full)]);
}

#[tokio::test]
async fn one_bad_row_is_left_out_and_the_others_go_on() {
    let text = r#"{"directory": "acme",
"users": [
 {"id": "u1"},
 {"id": "", "attributes": {}},
 {"id": "u2", "enabeld": false},
 {"id": "u3", "enabled": "yes"}],
"groups": [
 {"id": "g1", "members": ["user:u1", "u2"]},
 {"id": "g2"}],
"apps": {"app": ["everyone", "user:u1"]}}"#;
    let pulled = pull(&source(text)).await.expect("the file as a whole is of the form");
    assert_eq!(
        lines(&pulled.records),
        "user u1 (Enabled) \ngroup g1 (Enabled) \napp app > user u1\ngroup g1 > user u1"
    );
    assert!(
        pulled.covered.iter().all(|(_, coverage)| *coverage == Coverage::Partial),
        "{:?}",
        pulled.covered
    );
    assert_eq!(
        pulled.notes.join("\n"),
        "\
line 4: users[1] is left out: its `id` is empty; an id is what stays when everything else changes
line 5: users[2] is left out: unknown field `enabeld`, expected one of `id`, `enabled`, `attributes`; docs/file-source.md shows the form
line 6: users[3] is left out: a value here is not of the kind that the form wants; docs/file-source.md shows it
line 8: group g1, members[1] is left out: a principal is written `user:ID` or `group:ID`
line 9: groups[1] is left out: missing field `members`; docs/file-source.md shows the form
apps.app[0] is left out: a principal is written `user:ID` or `group:ID`"
    );
}

#[tokio::test]
async fn two_rows_with_one_id_are_both_left_out_and_nobody_is_removed() {
    let text = r#"{"directory": "acme", "counts": {"users": 3},
"users": [{"id": "u1", "enabled": true}, {"id": "u2"},
 {"id": "u1", "enabled": false}]}"#;
    let source = source(text);
    let pulled = pull(&source).await.expect("of the form");
    assert_eq!(lines(&pulled.records), "user u2 (Enabled) ");
    assert_eq!(pulled.covered, [(Collection::Users, Coverage::Partial)]);
    assert_eq!(
        pulled.notes,
        [
            "counts.users says 3, but 1 were read: nothing is removed for being absent until they agree",
            "line 3: user u1 is left out: the id comes twice, and which row is right cannot be known; both are left out",
        ]
    );
    let asked = [WitnessQuestion::Exists { id: id("u1"), kind: Kind::User }];
    assert_eq!(source.witness(&asked).await.expect("answers"), [WitnessAnswer::Present]);
}

#[tokio::test]
async fn a_member_whom_the_file_does_not_hold_stays_a_member_and_is_noted() {
    let text =
        r#"{"directory": "acme", "users": [], "groups": [{"id": "g1", "members": ["user:u7", "group:g1"]}]}"#;
    let pulled = pull(&source(text)).await.expect("of the form");
    assert_eq!(lines(&pulled.records), "group g1 (Enabled) \ngroup g1 > user u7\ngroup g1 > group g1");
    assert_eq!(pulled.notes, ["user u7 is named as a member or assigned, but is not in the file"]);
    assert_eq!(pulled.covered.last(), Some(&(Collection::AllMembers, Coverage::Full)));
}

#[tokio::test]
async fn who_is_listed_and_deleted_is_taken_as_there() {
    let text = r#"{"directory": "acme", "users": [{"id": "u1"}], "deleted": ["user:u1", "user:u2"]}"#;
    let pulled = pull(&source(text)).await.expect("of the form");
    assert_eq!(lines(&pulled.records), "user u1 (Enabled) \nremoved user u2 (Gone)");
    assert_eq!(pulled.notes, ["user u1 is both in the directory and in `deleted`; it is taken as there"]);
}

#[tokio::test]
async fn the_file_is_read_anew_at_every_cycle() {
    let cell = TextCell::new(r#"{"directory": "acme", "users": [{"id": "u1"}]}"#);
    let source = FileSource::from_text("hr.json", cell.clone());
    pull(&source).await.expect("of the form");
    cell.set(r#"{"directory": "other", "users": [{"id": "u2"}]}"#);
    assert_eq!(source.identity().as_deref(), Some("file other"));
    assert_eq!(lines(&pull(&source).await.expect("of the form").records), "user u2 (Enabled) ");
    assert_eq!(source.requests(), 2);
}

#[tokio::test]
async fn a_large_file_comes_in_pages_of_one_snapshot() {
    let users: Vec<_> = (0..2500).map(|n| json!({"id": format!("u{n}")})).collect();
    let cell = TextCell::new(json!({"directory": "acme", "users": users}).to_string());
    let source = FileSource::from_text("hr.json", cell.clone());
    let mut read = source.reads(&Watermarks::new(), Reading::Full, Timestamp::UNIX_EPOCH).remove(0);
    let first = source.page(&read).await.expect("the first page");
    cell.set(r#"{"directory": "acme", "users": []}"#);
    let Next::Page(cursor) = first.next else { panic!("2500 records do not fit in one page") };
    read.cursor = cursor;
    let second = source.page(&read).await.expect("the second page");
    assert_eq!((first.records.len(), second.records.len()), (1000, 1000));
    assert_eq!(line(&second.records[0]), "user u1000 (Enabled) ");
}

#[tokio::test]
async fn declared_counts_that_match_are_the_witness() {
    let source = source(&documented());
    pull(&source).await.expect("of the form");
    let held = |container: Container, principal: &str| WitnessQuestion::Held {
        container,
        principal: id(principal),
        kind: Kind::User,
    };
    let asked = [
        held(Container::App(id("cerby")), "u1"),
        held(Container::App(id("cerby")), "u2"),
        held(Container::App(id("other")), "u1"),
        held(Container::Group(id("g1")), "u2"),
        held(Container::Group(id("g1")), "u3"),
        WitnessQuestion::Exists { id: id("u1"), kind: Kind::User },
        WitnessQuestion::Exists { id: id("u7"), kind: Kind::User },
    ];
    use WitnessAnswer::{CannotSay, Present};
    let absent = || WitnessAnswer::Absent("the file, whole by its own counts, does not show it".into());
    assert_eq!(
        source.witness(&asked).await.expect("answers"),
        [
            Present,
            absent(),
            CannotSay("the file does not list the application other".into()),
            Present,
            absent(),
            Present,
            absent(),
        ]
    );
}

#[tokio::test]
async fn without_declared_counts_nobody_is_confirmed_absent() {
    let source = source(r#"{"directory": "acme", "counts": {"groups": 9}, "users": [], "groups": []}"#);
    let asked = [
        WitnessQuestion::Exists { id: id("u1"), kind: Kind::User },
        WitnessQuestion::Exists { id: id("g1"), kind: Kind::Group },
    ];
    assert_eq!(
        source.witness(&asked).await.expect("answers"),
        [
            WitnessAnswer::CannotSay("the file declares no counts of users".into()),
            WitnessAnswer::CannotSay("the declared count of groups differs from what was read".into()),
        ]
    );
}

#[tokio::test]
async fn a_file_on_disk_that_is_broken_or_missing_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hr.json");
    let shown = path.display().to_string();
    let source = FileSource::new(&path);
    let text = |error: Option<SourceError>| error.map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(
        text(pull(&source).await.err()),
        format!("{shown} cannot be read (entity not found); check the path and who may read it")
    );
    std::fs::write(&path, b"{\"directory\": \"acme\xff\"}").expect("written");
    assert_eq!(
        text(pull(&source).await.err()),
        format!("{shown}: byte 20 is not UTF-8; save the file as UTF-8")
    );
    std::fs::write(&path, "\u{feff}{\"directory\": \"acme\",\n\"users\": [}").expect("written");
    assert_eq!(
        text(pull(&source).await.err()),
        format!("{shown}: line 2, column 11: this is not JSON; write the file with a JSON library, in UTF-8")
    );
    std::fs::write(&path, documented()).expect("written");
    assert_eq!(pull(&source).await.expect("mended").records.len(), 12);
    assert_eq!(
        source.check().await[0].text,
        format!("{shown}: directory acme-hr, 3 users, 2 groups, 2 assignments, 3 memberships")
    );
}
