//! What undoing makes of writes, and what stands over the rules meanwhile.

use serde_json::json;

use super::*;
use crate::plan::Edit;
use crate::plan::Mapping;
use crate::plan::Tally;
use crate::scim::ResourceId;
use crate::scim::profiles::ActiveSemantics;
use crate::scim::profiles::Demands;

fn accepted(origin: Origin, values: &[(&str, &str)]) -> Accepted {
    let sent: Attributes = values.iter().map(|(path, value)| ((*path).to_owned(), json!(value))).collect();
    Accepted { resource: ResourceId("r1".to_owned()), shown: sent.clone(), sent, origin }
}

fn edit(path: &str, old: Value, new: Value) -> Edit {
    let some = |value: Value| Some(value).filter(|value| !value.is_null());
    Edit { path: path.to_owned(), old: some(old), new: some(new) }
}

fn back(writes: &Writes, applied: &Applied) -> (Inverse, Vec<String>) {
    let (mapping, refers) = (Mapping::default(), BTreeMap::new());
    let now = Current { kind: Kind::User, applied, another: false, mapping: &mapping, refers: &refers };
    inverse(writes, &now)
}

fn wrote(writes: &[(Class, &[Edit])], created: bool) -> Writes {
    let mut folded = Writes::default();
    writes.iter().for_each(|(class, edits)| folded.add(*class, edits, created));
    folded
}

/// Of several entries of one object in one cycle the oldest old value counts.
#[test]
fn the_oldest_old_value_wins_and_what_came_back_by_itself_is_no_change() {
    let is = Applied::Active(accepted(Origin::Created, &[("userName", "cy"), ("title", "Boss")]));
    let parked = [edit("userName", json!("ann"), json!("rosterd-rename-1"))];
    let named = [edit("userName", json!("rosterd-rename-1"), json!("cy"))];
    let title = [edit("title", json!("Boss"), json!("Clerk")), edit("title", json!("Clerk"), json!("Boss"))];
    let all = wrote(&[(Class::Rename, &parked), (Class::Rename, &named), (Class::Update, &title)], true);
    let (inverse, left) = back(&all, &is);
    assert_eq!(left, [] as [&str; 0]);
    assert_eq!(inverse.values.0, BTreeMap::from([("userName".to_owned(), json!("ann"))]));
    assert_eq!(inverse.active, None);
}

#[test]
fn a_value_that_was_new_is_unassigned_and_redacted_and_foreign_ones_are_left() {
    let is = Applied::Active(accepted(Origin::Created, &[("title", "Boss"), ("nickName", "B"), ("x", "y")]));
    let edits = [
        edit("title", Value::Null, json!("Boss")),
        edit("nickName", json!("[Redact]"), json!("[Redact]")),
        edit("x", json!("a"), json!("b")),
    ];
    let (inverse, left) = back(&wrote(&[(Class::Update, &edits)], true), &is);
    assert_eq!(inverse.values.0, BTreeMap::from([("title".to_owned(), Value::Null)]));
    let told =
        ["the journal keeps no value of nickName, which is redacted", "x was written again since then"];
    assert_eq!(left, told);
}

/// P16: what was made is made inactive, never deleted; what was adopted is as it was found.
#[test]
fn a_creation_is_deactivated_and_an_adoption_gets_back_what_it_had() {
    let made = [edit("userName", Value::Null, json!("ann"))];
    let created = Applied::Active(accepted(Origin::Created, &[("userName", "ann")]));
    let (inverse, _) = back(&wrote(&[(Class::Create, &made)], true), &created);
    assert_eq!(inverse, Inverse { active: Some(false), ..Inverse::default() });
    let adopted = Applied::Active(accepted(Origin::Adopted, &[("title", "Boss")]));
    let title = edit("title", json!("Old"), json!("Boss"));
    let (inverse, _) = back(&wrote(&[(Class::Create, std::slice::from_ref(&title))], false), &adopted);
    assert_eq!((inverse.active, inverse.values.get("title")), (None, Some(&json!("Old"))));
    let active = edit("active", json!(false), json!(true));
    let (inverse, _) = back(&wrote(&[(Class::Create, &[title, active])], false), &adopted);
    assert_eq!((inverse.active, inverse.values.get("title")), (Some(false), Some(&json!("Old"))));
}

#[test]
fn what_is_gone_or_another_is_left_as_it_is() {
    let gone = wrote(&[(Class::Delete, &[])], true);
    let told = |writes: &Writes, applied: &Applied| back(writes, applied).1.join("; ");
    assert_eq!(
        told(&gone, &Applied::Absent),
        "a deleted account cannot be made again: a new one would have another id"
    );
    let deactivated = wrote(&[(Class::Deactivate, &[edit("active", json!(true), json!(false))])], true);
    assert_eq!(told(&deactivated, &Applied::Absent), "it has no account any more");
    let again = Applied::Active(accepted(Origin::Created, &[]));
    assert_eq!(told(&deactivated, &again), "it was activated or deactivated again since then");
    let (inverse, _) = back(&deactivated, &Applied::Inactive(accepted(Origin::Created, &[])));
    assert_eq!(inverse.active, Some(true));
    assert_eq!(
        told(&wrote(&[(Class::Update, &[])], true), &again),
        "its values were erased from the journal"
    );
}

fn over(active: Option<bool>, values: &[(&str, Value)]) -> Override {
    let values = values.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
    let (names, cause) = (BTreeMap::new(), Cause::of_undo(7));
    Override { active, values: Attributes(values), names, cause, ended: false }
}

/// The table of `Override::desired`, by name.
#[test]
fn what_was_undone_stands_over_the_rules() {
    let wanted = |title: &str| Desired::Active(accepted(Origin::Created, &[("title", title)]).sent);
    let rules = [
        ("active", wanted("Boss")),
        ("inactive", Desired::Inactive),
        ("absent", Desired::Absent),
        ("unmanaged", Desired::Unmanaged),
    ];
    let is = Applied::Inactive(accepted(Origin::Created, &[("title", "Clerk")]));
    let told = |desired: Desired| match desired {
        Desired::Active(attributes) => format!("active {}", attributes.text("title").unwrap_or("-")),
        Desired::Inactive => "inactive".to_owned(),
        Desired::Absent => "absent".to_owned(),
        Desired::Unmanaged => "unmanaged".to_owned(),
    };
    let mut table = String::new();
    for (row, rules) in &rules {
        for over in [over(Some(true), &[]), over(Some(false), &[]), over(None, &[("title", json!("Old"))])] {
            table += &format!("{row}: {}\n", told(over.desired(Kind::User, rules, &is)));
        }
    }
    let expected = "\
active: active Boss
active: inactive
active: active Old
inactive: active Clerk
inactive: inactive
inactive: inactive
absent: active Clerk
absent: absent
absent: absent
unmanaged: active Clerk
unmanaged: inactive
unmanaged: unmanaged
";
    assert_eq!(table, expected);
}

#[test]
fn a_membership_is_undone_where_both_are_there_and_the_person_is_active() {
    let now = Membership { applied: true, there: true, active: true };
    let added = MemberWrites::new(true);
    assert_eq!(member_inverse(added, now), Ok(Some(false)));
    assert!(member_inverse(added, Membership { applied: false, ..now }).is_err());
    assert!(member_inverse(added, Membership { there: false, ..now }).is_err());
    let removed = MemberWrites::new(false);
    let out = Membership { applied: false, ..now };
    assert_eq!(member_inverse(removed, out), Ok(Some(true)));
    assert!(member_inverse(removed, Membership { active: false, ..out }).is_err());
    let mut both = removed;
    both.add(true);
    assert_eq!(member_inverse(both, now), Ok(None));
}

/// What cannot be undone is said before the cycle runs.
#[test]
fn a_plan_says_of_each_class_what_this_target_cannot_take_back() {
    let tally = |held| BTreeMap::from([(Kind::User, Tally { go: 2, held, ..Tally::default() })]);
    let counts = BTreeMap::from([
        (Class::Update, tally(0)),
        (Class::Deactivate, tally(0)),
        (Class::Delete, tally(1)),
        (Class::DeleteTeams, BTreeMap::new()),
    ]);
    let mut demands = Demands::default();
    let deleted = "cannot be undone: 3 delete: a new account would have another id";
    assert_eq!(irrevocable(&counts, &demands), [deleted]);
    demands.active_semantics = ActiveSemantics::DeleteIdentity;
    let gone = "cannot be undone: 2 deactivate: this target deletes the identity of whoever is not active";
    assert_eq!(irrevocable(&counts, &demands), [deleted, gone]);
}
