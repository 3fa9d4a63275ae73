//! Mappings by their cases: text files, each case under the section that it comes from. Rows are written as in settings,
//! and what they make of a person is told as a plan would.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rosterd::expr::Environment;
use rosterd::model::Accepted;
use rosterd::model::Applied;
use rosterd::model::Desired;
use rosterd::model::Origin;
use rosterd::model::Seen;
use rosterd::model::SourceId;
use rosterd::model::Standing;
use rosterd::model::Vocabulary;
use rosterd::plan;
use rosterd::plan::Act;
use rosterd::plan::Decision;
use rosterd::plan::Dirty;
use rosterd::plan::Edit;
use rosterd::plan::Facts;
use rosterd::plan::GroupName;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::plan::RawRow;
use rosterd::plan::RawRows;
use rosterd::plan::Rules;
use rosterd::plan::ScopeFact;
use rosterd::scim::Attributes;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use serde_json::Value;
use serde_json::json;

use super::support::sections;
use super::support::story;

/// What the reference knows of mappings (section 5, and flow types of section 1); each has cases under a heading.
const KINDS: [&str; 13] = [
    "Direct",
    "Constant",
    "Expression",
    "None",
    "Default value if null",
    "Always",
    "ObjectAddOnly",
    "MultiValueAddOnly",
    "Clear attribute values",
    "Reference",
    "caseExact",
    "Target forms",
    "Source attribute names",
];

#[test]
fn every_mapping_makes_what_its_case_says() {
    let (mut played, mut wrong, mut headings) = (0, Vec::new(), String::new());
    for (name, text) in files() {
        let mut case = Case::default();
        let mut section = "";
        for (number, line) in (1..).zip(text.lines()) {
            let place = format!("{name}:{number}");
            if let Some(heading) = line.strip_prefix("## ") {
                sections::check(&place, heading);
                (section, case) = (heading, Case::default());
                headings += heading;
                headings.push('\n');
            } else if let Some(expected) = line.strip_prefix("=> ") {
                assert!(!section.is_empty(), "{place}: under no section");
                let made = case.made();
                if made != expected {
                    wrong.push(format!("{place}: gives   {made}\n  and not {expected}"));
                }
                case = case.next();
                played += 1;
            } else if !line.is_empty() && !line.starts_with("# ") {
                case.read(&place, line);
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(played > 100, "only {played} cases were played");
    let without: Vec<&str> = KINDS.into_iter().filter(|kind| !headings.contains(kind)).collect();
    assert!(without.is_empty(), "no case of {without:?}");
}

fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/mapping");
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("a text"))
        })
        .collect();
    files.sort();
    files
}

/// What the lines above a result say. Rows and source stay for the cases below, up to the next rows or heading.
#[derive(Clone, Default)]
struct Case {
    rows: String,
    /// The rows have been used, so that the next ones are others.
    used: bool,
    vocabulary: Option<Vocabulary>,
    group: bool,
    disabled: bool,
    attributes: Value,
    groups: Vec<GroupName>,
    sent: Option<Value>,
    shown: Option<Value>,
    /// A resource that nobody of ours has, and that is adopted.
    there: Option<Value>,
}

impl Case {
    fn next(self) -> Case {
        Case { rows: self.rows, used: true, vocabulary: self.vocabulary, ..Case::default() }
    }

    fn read(&mut self, place: &str, line: &str) {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let value = |text: &str| -> Value {
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{place}: {error}"))
        };
        match command {
            "|" => {
                if std::mem::take(&mut self.used) {
                    self.rows.clear();
                }
                self.rows += rest;
                self.rows.push('\n');
            }
            "from" => {
                self.vocabulary = Some(match rest {
                    "graph" => Vocabulary::Graph,
                    "okta" => Vocabulary::Okta,
                    "file" => Vocabulary::File,
                    other => panic!("{place}: no such source: {other}"),
                });
            }
            "person" | "group" => {
                self.group = command == "group";
                self.disabled = rest.starts_with("disabled");
                self.attributes = value(rest.trim_start_matches("disabled").trim());
            }
            "in" => {
                let named = |word: &str| {
                    let (id, name) = word.split_once('=').unwrap_or_else(|| panic!("{place}: ID=NAME"));
                    GroupName { name: name.to_owned(), id: SourceId(id.to_owned()) }
                };
                self.groups = rest.split_whitespace().map(named).collect();
            }
            "sent" => self.sent = Some(value(rest)),
            "shows" => self.shown = Some(value(rest)),
            "there" => self.there = Some(value(rest)),
            other => panic!("{place}: no such line: {other}"),
        }
    }

    fn kind(&self) -> Kind {
        if self.group { Kind::Group } else { Kind::User }
    }

    fn rules(&self) -> Result<Rules, String> {
        let vocabulary = self.vocabulary.unwrap_or(Vocabulary::Graph);
        let raw: RawMapping =
            toml_edit::de::from_str(&self.rows).map_err(|error| format!("unreadable: {error}"))?;
        let mappings = raw.check(Some(&base()), vocabulary).map_err(|problems| {
            let told =
                problems.iter().map(|problem| format!("{}: {}", problem.keys().join(" / "), problem.text));
            format!("refused: {}", told.collect::<Vec<_>>().join("; ").replace('\n', " | "))
        })?;
        Ok(Rules { vocabulary, users: mappings.users, groups: mappings.groups, ..story::rules() })
    }

    fn made(&self) -> String {
        let rules = match self.rules() {
            Ok(rules) => rules,
            Err(told) => return told,
        };
        let name = if self.group { "displayName" } else { "userName" };
        let whole = |value: &Value| -> Attributes {
            let mut attributes: Attributes = serde_json::from_value(value.clone()).expect("attributes");
            if attributes.get(name).is_none() {
                attributes.set(name, json!("u1"));
            }
            attributes
        };
        let applied = match &self.sent {
            None => Applied::Absent,
            Some(sent) => Applied::Active(Accepted {
                resource: ResourceId("r1".to_owned()),
                sent: whole(sent),
                shown: whole(self.shown.as_ref().unwrap_or(sent)),
                origin: Origin::Created,
            }),
        };
        let decision = self.decision(&rules, &applied);
        if let Some(hold) = decision.pending.as_ref().and_then(|pending| pending.hold.as_ref()) {
            return format!("held: {}", hold.text);
        }
        let made = match (&self.there, &decision.desired) {
            (Some(there), Desired::Active(wanted)) => {
                let edits = plan::edits_to_adopt(rules.mapping(self.kind()), &whole(there), wanted);
                format!("adopt{}", told(&edits))
            }
            _ => self.change(&decision, &applied, name),
        };
        made + &references(&decision)
    }

    fn decision(&self, rules: &Rules, applied: &Applied) -> Decision {
        let attributes = serde_json::from_value(self.attributes.clone()).expect("an object");
        let standing = if self.disabled { Standing::Disabled } else { Standing::Enabled };
        let seen = Seen { standing, attributes };
        let facts = Facts {
            undo: None,
            drifted: &[],
            kind: self.kind(),
            source: &SourceId("u1".to_owned()),
            seen: &seen,
            scope: ScopeFact::In(Vec::new()),
            applied,
            dirty: Dirty { object: true, ..Dirty::default() },
            twin: false,
            groups: &self.groups,
            environment: &Environment::default(),
            lost_groups: &[],
            memberships: &[],
            left: None,
        };
        plan::decide(rules, "digest", &facts)
    }

    fn change(&self, decision: &Decision, applied: &Applied, name: &str) -> String {
        match plan::diff(self.kind(), &decision.desired, applied) {
            None => "nothing".to_owned(),
            Some(Act::Create { mut attributes }) => {
                let named = |attributes: &Attributes| attributes.get(name) == Some(&json!("u1"));
                if named(&attributes) {
                    attributes.0.remove(name);
                }
                let once = &decision.on_create;
                let mut made = format!("create {}", json!(attributes));
                if !once.attributes.0.is_empty() {
                    made += &format!(" once {}", json!(once.attributes));
                }
                if !once.choices.0.is_empty() {
                    made += &format!(" the first free of {}", json!(once.choices));
                }
                made
            }
            Some(act @ Act::Update { .. }) => {
                let class = plan::class(self.kind(), &act).word();
                let Act::Update { edits } = act else { return class.to_owned() };
                format!("{class}{}", told(&edits))
            }
            Some(act) => plan::class(self.kind(), &act).word().to_owned(),
        }
    }
}

/// ` title "Boss" -> "Chief"`, in the order of the paths.
fn told(edits: &[Edit]) -> String {
    let value = |value: &Option<Value>, none: &str| match value {
        Some(value) => value.to_string(),
        None => none.to_owned(),
    };
    let edits = edits
        .iter()
        .map(|edit| format!(" {} {} -> {}", edit.path, value(&edit.old, "-"), value(&edit.new, "null")));
    let told: String = edits.collect();
    if told.is_empty() { " as it is".to_owned() } else { told }
}

fn references(decision: &Decision) -> String {
    let told = decision.references.iter().map(|reference| {
        let path = reference.path.rsplit(':').next().unwrap_or_default();
        let clears = if reference.clears { ", or takes back" } else { "" };
        format!(" refers {path} {}{clears}", reference.names.as_deref().unwrap_or("nobody"))
    });
    told.collect()
}

/// The rows that every mapping needs: whoever is mapped is u1 by name, so that the cases need not say it.
fn base() -> RawPreset {
    let row = |attribute: &str, matching| RawRow {
        attribute: Some(attribute.to_owned()),
        matching,
        ..RawRow::default()
    };
    let active = RawRow { expression: Some("Not([IsSoftDeleted])".to_owned()), ..RawRow::default() };
    let members = RawRow { reference: Some(true), ..RawRow::default() };
    let rows = || RawRows {
        users: BTreeMap::from([
            ("userName".to_owned(), row("objectId", Some(1))),
            ("active".to_owned(), active.clone()),
        ]),
        groups: BTreeMap::from([
            ("displayName".to_owned(), row("objectId", Some(1))),
            ("members".to_owned(), members.clone()),
        ]),
    };
    RawPreset { graph: Some(rows()), okta: Some(rows()), file: Some(rows()), ..RawPreset::default() }
}
