//! What people and scripts get to read of a plan: the exact text of one plan in every format.

use std::collections::BTreeMap;

use rosterd::model::SourceId;
use rosterd::plan::Act;
use rosterd::plan::Cause;
use rosterd::plan::CauseKind;
use rosterd::plan::Change;
use rosterd::plan::Class;
use rosterd::plan::Departure;
use rosterd::plan::DueDeletion;
use rosterd::plan::Edit;
use rosterd::plan::Header;
use rosterd::plan::Hold;
use rosterd::plan::HoldKind;
use rosterd::plan::Mode;
use rosterd::plan::Proof;
use rosterd::plan::Tally;
use rosterd::plan::Verdict;
use rosterd::report::Format;
use rosterd::report::Json;
use rosterd::report::Markdown;
use rosterd::report::Render;
use rosterd::report::Text;
use rosterd::scim::Attributes;
use rosterd::scim::Kind;
use serde_json::json;

fn id(text: &str) -> SourceId {
    SourceId(text.to_owned())
}

fn lost() -> Cause {
    Cause {
        kind: CauseKind::GroupLost,
        subjects: vec![id("g1")],
        names: vec!["app-sales".to_owned()],
        rules: String::new(),
    }
}

fn changed() -> Cause {
    Cause { kind: CauseKind::Changed, subjects: Vec::new(), names: Vec::new(), rules: String::new() }
}

fn joined() -> Cause {
    Cause { kind: CauseKind::Joined, ..lost() }
}

fn tally(go: u64, held: u64) -> Tally {
    Tally { go, held, ..Tally::default() }
}

fn header() -> Header {
    let users = |tally| BTreeMap::from([(Kind::User, tally)]);
    Header {
        job: "acme".to_owned(),
        source: "graph tenant t1 app a1".to_owned(),
        target: "workspace main".to_owned(),
        mode: Mode::Write,
        active: 120,
        desired: 119,
        counts: BTreeMap::from([
            (Class::Rename, users(tally(1, 0))),
            (Class::Create, users(tally(1, 0))),
            (Class::AddMembers, BTreeMap::from([(Kind::Group, tally(1, 0))])),
            (Class::Deactivate, users(tally(0, 2))),
        ]),
        causes: vec![(lost(), tally(0, 2)), (joined(), tally(2, 0)), (changed(), tally(1, 0))],
        notes: vec!["3 members of app-sales are out of scope and were left out".to_owned()],
        findings: Vec::new(),
        drift: Vec::new(),
        discovery: None,
        deletions: Vec::new(),
        deletions_total: 0,
        exemptions: Vec::new(),
        undone: Vec::new(),
        held_since: BTreeMap::new(),
        at_second: 0,
        digest: "0123456789abcdef".to_owned(),
    }
}

fn change(class: Class, source: &str, name: &str, act: Act, cause: &Cause) -> Change {
    Change {
        class,
        kind: if class == Class::AddMembers { Kind::Group } else { Kind::User },
        source: id(source),
        name: name.to_owned(),
        act,
        cause: cause.id(),
        proof: Proof::Event,
        verdict: Verdict::Go,
    }
}

fn edit(path: &str, old: &str, new: &str) -> Edit {
    Edit { path: path.to_owned(), old: Some(json!(old)), new: Some(json!(new)) }
}

fn changes() -> Vec<Change> {
    let rename = Act::Update {
        edits: vec![
            edit("userName", "ann@x.example", "ann.koch@x.example"),
            edit("name.familyName", "Lee", "Koch"),
        ],
    };
    let create =
        Act::Create { attributes: Attributes::from_iter([("userName".to_owned(), json!("bo|b@x.example"))]) };
    let member = Act::AddMember { person: id("u2"), person_name: "bob@x.example".to_owned() };
    let hold = Hold {
        kind: HoldKind::Limit,
        text: "2 deactivations are more than limits.deactivate allows (count 1)".to_owned(),
    };
    let leaver = |source, name| Change {
        verdict: Verdict::Held(hold.clone()),
        ..change(Class::Deactivate, source, name, Act::Deactivate, &lost())
    };
    vec![
        change(Class::Rename, "u1", "ann.koch@x.example", rename, &changed()),
        change(Class::Create, "u2", "bo|b@x.example", create, &joined()),
        change(Class::AddMembers, "g2", "Café\u{1b}[2J", member, &joined()),
        leaver("u3", "cy@x.example"),
        leaver("u4", "di@x.example"),
    ]
}

fn rendered(mut render: impl Render) -> String {
    let mut out = render.begin(&header());
    for change in changes() {
        out += &render.change(&change);
    }
    out + &render.end()
}

#[test]
fn the_text_shows_causes_marks_and_the_command_that_decides() {
    let (lost, joined, changed) = (lost().id().0, joined().id().0, changed().id().0);
    let expected = format!(
        "\
acme: graph tenant t1 app a1 -> workspace main, mode write
1 rename, 1 create, 1 add_members, 2 deactivate (2 held), of 120 active
plan 0123456789abcdef

causes
  {lost}  app-sales lost its assignment: 2 changes (2 held)
  {joined}  assigned through app-sales: 2 changes
  {changed}  changed in the source: 1 change
note: 3 members of app-sales are out of scope and were left out

rename  1 user
  ~ ann.koch@x.example                (u1)
        userName                  ann@x.example -> ann.koch@x.example
        name.familyName           Lee -> Koch

create  1 user
  + bo|b@x.example                    userName  bo|b@x.example  (u2)

add_members  1 membership
  > Café\\u{{1b}}[2J                     bob@x.example                     (u2)

deactivate  2 users
  - cy@x.example                      (u3)  held: limit {lost}
  - di@x.example                      (u4)  held: limit {lost}

held
  limit       2 changes: app-sales lost its assignment
        2 deactivations are more than limits.deactivate allows (count 1)
        rosterd approve acme {lost}
"
    );
    assert_eq!(rendered(Text::whole()), expected);
}

#[test]
fn a_cut_text_says_how_many_it_leaves_out_and_still_names_what_is_held() {
    let text = rendered(Text::cut(1));
    assert!(text.contains("(u3)") && !text.contains("(u4)"), "{text}");
    assert!(text.contains("  … and 1 more\n\nheld\n  limit       2 changes"), "{text}");
}

#[test]
fn a_plan_without_changes_says_so() {
    let empty = Header { counts: BTreeMap::new(), causes: Vec::new(), notes: Vec::new(), ..header() };
    let mut text = Text::whole();
    assert_eq!(
        text.begin(&empty) + &text.end(),
        "acme: graph tenant t1 app a1 -> workspace main, mode write\nno changes, of 120 active\nplan 0123456789abcdef\n"
    );
}

/// Deletions that wait are no changes; each is listed with its day (Entra provisioning reference, section 8).
#[test]
fn accounts_that_are_deleted_later_are_listed_with_their_day() {
    let due = |source: &str, name: &str, by| DueDeletion {
        source: id(source),
        name: name.to_owned(),
        by,
        at_second: 1_772_323_200,
    };
    let deletions = vec![
        due("u7", "bo@x.example", Departure::Unassigned),
        due("u8", "cy|\u{1b}[2J@x.example", Departure::SoftDeleted),
    ];
    let quiet = Header {
        counts: BTreeMap::new(),
        causes: Vec::new(),
        notes: Vec::new(),
        deletions,
        deletions_total: 5,
        ..header()
    };
    let rendered = |mut render: Box<dyn Render>| render.begin(&quiet) + &render.end();
    let text = rendered(Box::new(Text::whole()));
    assert!(
        text.ends_with(
            "
to be deleted
  2026-03-01  bo@x.example                      unassigned  (u7)
  2026-03-01  cy|\\u{1b}[2J@x.example            put into the source's recycle bin  (u8)
  … and 3 more
"
        ),
        "{text}"
    );
    let markdown = rendered(Box::<Markdown>::default());
    assert!(markdown.contains("## To be deleted"), "{markdown}");
    assert!(markdown.contains("| 2026-03-01 | bo@x.example | u7 | unassigned |"), "{markdown}");
    assert!(markdown.contains("… and 3 more"), "{markdown}");
    let document: serde_json::Value = serde_json::from_str(&rendered(Box::<Json>::default())).unwrap();
    assert_eq!(
        document["header"]["deletions"]["next"][0],
        json!({"id": "u7", "name": "bo@x.example", "event": "unassigned", "at": "2026-03-01T00:00:00Z"})
    );
    assert_eq!(document["header"]["deletions"]["total"], 5);
}

#[test]
fn the_json_is_one_document_with_a_line_a_change() {
    let text = rendered(Json::default());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["format"], 1);
    assert_eq!(document["header"]["counts"]["deactivate"]["user"]["held"], 2);
    assert_eq!(document["header"]["causes"][0]["sentence"], "app-sales lost its assignment");
    assert_eq!(document["changes"].as_array().unwrap().len(), 5);
    assert_eq!(
        document["changes"][0],
        json!({
            "class": "rename", "kind": "user", "id": "u1", "name": "ann.koch@x.example", "do": "update",
            "edits": [
                {"path": "userName", "old": "ann@x.example", "new": "ann.koch@x.example"},
                {"path": "name.familyName", "old": "Lee", "new": "Koch"},
            ],
            "cause": changed().id().0, "proof": "event", "verdict": "go",
        })
    );
    assert_eq!(document["changes"][2]["person"], "u2");
    assert_eq!(document["changes"][3]["hold"]["kind"], "limit");
    assert_eq!(text.lines().count(), 9, "{text}");
}

#[test]
fn an_empty_plan_is_still_a_json_document() {
    let mut render = Json::default();
    let text = render.begin(&header()) + &render.end();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["changes"], json!([]));
}

#[test]
fn a_name_cannot_break_out_of_a_markdown_table() {
    let text = rendered(Markdown::default());
    assert!(text.contains("| `+` | bo\\|b@x.example | u2 | userName: bo\\|b@x.example |"), "{text}");
    assert!(text.contains("| deactivate | 0 | 2 | 0 | 0 |"), "{text}");
    assert!(text.contains(&format!("`rosterd approve acme {}`", lost().id().0)), "{text}");
}

#[test]
fn formats_go_by_their_words() {
    for format in Format::ALL {
        assert_eq!(format.word().parse(), Ok(format));
    }
    assert_eq!(
        "yaml".parse::<Format>().unwrap_err().to_string(),
        "not a format; one of text, markdown, json"
    );
}
