//! How one person or group stood at a time, worked out from the journal: pure.
//!
//! | what | comes from |
//! |---|---|
//! | the state | the last entry by then that made, stopped, began anew or deleted the account; else the first one after it, turned around; else what is now |
//! | an attribute | what stands now, with every later edit taken back; where the account was deleted or made since, every edit from its creation on |
//! | a membership | the last entry by then that added or removed it; else the first one after it, turned around; else what is now |

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::Edit;
use crate::scim::Attributes;

/// One entry of the journal about the link, or about a membership of it.
#[derive(Clone)]
pub struct PastEntry {
    pub entry: i64,
    pub at_second: i64,
    pub class: String,
    pub outcome: Option<String>,
    pub cause: Option<String>,
    pub edits: Vec<Edit>,
    pub cycle: Option<i64>,
    pub settings: Option<String>,
    /// An erasure took its values.
    pub is_erased: bool,
    /// The team, where it is about a membership.
    pub team: Option<String>,
}

impl PastEntry {
    fn is_done(&self) -> bool {
        self.outcome.as_deref() == Some("done")
    }

    /// What the account is after it; `None` where that stays.
    fn makes(&self) -> Option<&'static str> {
        match self.class.as_str() {
            "create" | "reactivate" => Some("active"),
            "deactivate" => Some("inactive"),
            "delete" | "delete_teams" => Some("absent"),
            _ => None,
        }
    }

    /// What the account was before it, where that is certain.
    fn unmakes(&self) -> Option<&'static str> {
        match self.class.as_str() {
            "create" if self.edits.iter().all(|edit| edit.old.is_none()) => Some("absent"),
            "deactivate" => Some("active"),
            "reactivate" => Some("inactive"),
            _ => None,
        }
    }
}

/// How it stood.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stood {
    /// `absent`, `active`, `inactive`; `None`: nobody knows any more.
    pub applied: Option<String>,
    /// By target attribute.
    pub attributes: BTreeMap<String, Value>,
    /// Whether these are all: every edit is known from the one end or the other.
    pub attributes_whole: bool,
    pub teams: Vec<String>,
}

/// `now` is what stands now: the state, the attributes, the teams.
pub fn stood(entries: &[PastEntry], at_second: i64, now: (&str, Option<&Attributes>, &[String])) -> Stood {
    let done: Vec<&PastEntry> = entries.iter().filter(|entry| entry.is_done()).collect();
    let (members, own): (Vec<&PastEntry>, Vec<&PastEntry>) =
        done.into_iter().partition(|entry| entry.team.is_some());
    let (before, after): (Vec<&PastEntry>, Vec<&PastEntry>) =
        own.into_iter().partition(|entry| entry.at_second <= at_second);
    let applied = state(&before, &after, now.0);
    let (attributes, attributes_whole) = match applied {
        Some("absent") => (BTreeMap::new(), true),
        _ => attributes(&before, &after, now.1),
    };
    let teams = match applied {
        Some("absent") => Vec::new(),
        _ => teams(&members, at_second, now.2),
    };
    Stood { applied: applied.map(str::to_owned), attributes, attributes_whole, teams }
}

fn state<'a>(before: &[&PastEntry], after: &[&PastEntry], now: &'a str) -> Option<&'a str> {
    if let Some(made) = before.iter().rev().find_map(|entry| entry.makes()) {
        return Some(made);
    }
    match after.iter().find(|entry| entry.makes().is_some()) {
        Some(first) => first.unmakes(),
        None => Some(now),
    }
}

fn attributes(
    before: &[&PastEntry],
    after: &[&PastEntry],
    now: Option<&Attributes>,
) -> (BTreeMap<String, Value>, bool) {
    let known = |entries: &[&PastEntry]| entries.iter().all(|entry| !entry.is_erased);
    let is_the_same = !after.iter().any(|entry| {
        matches!(entry.makes(), Some("absent")) || (entry.class == "create" && entry.unmakes().is_some())
    });
    if let Some(now) = now.filter(|_| is_the_same) {
        let mut values: BTreeMap<String, Value> =
            now.iter().map(|(path, value)| (path.clone(), value.clone())).collect();
        for edit in after.iter().rev().flat_map(|entry| entry.edits.iter().rev()) {
            put(&mut values, &edit.path, edit.old.as_ref());
        }
        return (values, known(after));
    }
    let made = before.iter().rposition(|entry| entry.class == "create");
    let since = &before[made.unwrap_or(0)..];
    let mut values = BTreeMap::new();
    for edit in since.iter().flat_map(|entry| &entry.edits) {
        put(&mut values, &edit.path, edit.new.as_ref());
    }
    let is_whole = made.is_some() && since.first().is_some_and(|entry| entry.unmakes().is_some());
    (values, is_whole && known(since))
}

/// The account's own state is told by itself.
fn put(values: &mut BTreeMap<String, Value>, path: &str, value: Option<&Value>) {
    match value {
        _ if path == "active" => {}
        Some(value) => drop(values.insert(path.to_owned(), value.clone())),
        None => drop(values.remove(path)),
    }
}

fn teams(entries: &[&PastEntry], at_second: i64, now: &[String]) -> Vec<String> {
    let named = entries.iter().filter_map(|entry| entry.team.as_ref());
    let all: BTreeSet<&String> = named.chain(now).collect();
    let was_in = |team: &String| {
        let of = || entries.iter().filter(|entry| entry.team.as_ref() == Some(team));
        let before = of().rev().find(|entry| entry.at_second <= at_second);
        let after = of().find(|entry| entry.at_second > at_second);
        match (before, after) {
            (Some(entry), _) => entry.class == "add_members",
            (None, Some(entry)) => entry.class != "add_members",
            (None, None) => now.contains(team),
        }
    };
    all.into_iter().filter(|team| was_in(team)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(at: i64, class: &str, edits: Value) -> PastEntry {
        PastEntry {
            entry: at,
            at_second: at,
            class: class.to_owned(),
            outcome: Some("done".to_owned()),
            cause: None,
            edits: serde_json::from_value(edits).expect("edits"),
            cycle: None,
            settings: None,
            is_erased: false,
            team: None,
        }
    }

    fn member(at: i64, class: &str, team: &str) -> PastEntry {
        PastEntry { team: Some(team.to_owned()), ..entry(at, class, json!([])) }
    }

    fn title(old: Value, new: Value) -> Value {
        json!([{"path": "title", "old": old, "new": new}])
    }

    fn sent(title: &str) -> Attributes {
        let mut sent = Attributes::default();
        sent.set("title", json!(title));
        sent
    }

    /// Made at 10, promoted at 20, left at 30, came back at 40 with another title.
    fn life() -> Vec<PastEntry> {
        let mut back = entry(40, "reactivate", json!([{"path": "active", "old": false, "new": true}]));
        back.edits.extend(entry(0, "", title(json!("CEO"), json!("Chair"))).edits);
        vec![
            entry(10, "create", title(Value::Null, json!("Dev"))),
            entry(20, "update", title(json!("Dev"), json!("CEO"))),
            entry(30, "deactivate", json!([{"path": "active", "old": true, "new": false}])),
            back,
        ]
    }

    fn told(stood: &Stood) -> (String, Option<&Value>) {
        (stood.applied.clone().unwrap_or_else(|| "unknown".to_owned()), stood.attributes.get("title"))
    }

    #[test]
    fn every_moment_of_a_life_is_found_again() {
        let now = sent("Chair");
        for (at, state, title) in [
            (9, "absent", None),
            (10, "active", Some(json!("Dev"))),
            (25, "active", Some(json!("CEO"))),
            (30, "inactive", Some(json!("CEO"))),
            (99, "active", Some(json!("Chair"))),
        ] {
            let stood = stood(&life(), at, ("active", Some(&now), &[]));
            assert_eq!(told(&stood), (state.to_owned(), title.as_ref()), "{at}");
            assert!(stood.attributes_whole, "{at}");
        }
    }

    #[test]
    fn what_retention_took_is_found_from_the_other_end() {
        let now = sent("Chair");
        let left = &life()[2..];
        let stood = stood(left, 25, ("active", Some(&now), &[]));
        assert_eq!(told(&stood), ("active".to_owned(), Some(&json!("CEO"))));
        assert!(stood.attributes_whole);
    }

    #[test]
    fn who_is_deleted_now_is_told_from_the_creation_on() {
        let mut life = life();
        life.push(entry(50, "delete", json!([])));
        let whole = stood(&life, 25, ("absent", None, &[]));
        assert_eq!(told(&whole), ("active".to_owned(), Some(&json!("CEO"))));
        assert!(whole.attributes_whole);
        let cut = stood(&life[1..], 25, ("absent", None, &[]));
        assert_eq!(cut.attributes.get("title"), Some(&json!("CEO")));
        assert!(!cut.attributes_whole, "the creation is not there any more");
        assert_eq!(cut.applied.as_deref(), Some("active"), "it was deactivated later");
        assert_eq!(stood(&life[4..], 25, ("absent", None, &[])).applied, None, "nobody knows any more");
        assert_eq!(stood(&life, 50, ("absent", None, &[])).applied.as_deref(), Some("absent"));
    }

    #[test]
    fn what_failed_changed_nothing_and_what_was_erased_is_not_whole() {
        let now = sent("CEO");
        let mut life = life();
        life[3].outcome = Some("refused".to_owned());
        assert_eq!(told(&stood(&life, 99, ("inactive", Some(&now), &[]))).0, "inactive");
        life[1].is_erased = true;
        life[1].edits.clear();
        assert!(!stood(&life, 15, ("inactive", Some(&now), &[])).attributes_whole);
    }

    #[test]
    fn memberships_are_those_of_the_day() {
        let entries = [
            member(10, "add_members", "Sales"),
            member(20, "remove_members", "Sales"),
            member(30, "add_members", "Ops"),
        ];
        let teams = |at: i64, now: &[&str]| {
            let now: Vec<String> = now.iter().map(|team| (*team).to_owned()).collect();
            stood(&entries, at, ("active", None, &now)).teams
        };
        assert_eq!(teams(15, &["Ops", "All"]), ["All", "Sales"]);
        assert_eq!(teams(20, &["Ops"]), Vec::<String>::new());
        assert_eq!(teams(30, &["Ops"]), ["Ops"]);
        assert_eq!(teams(5, &["Ops"]), Vec::<String>::new());
    }
}
