//! The words that all formats share: marks, counts, values, and which command decides what is held.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::plan::Act;
use crate::plan::Cause;
use crate::plan::CauseId;
use crate::plan::Change;
use crate::plan::Class;
use crate::plan::CycleRecord;
use crate::plan::Discovery;
use crate::plan::Edit;
use crate::plan::Exemption;
use crate::plan::Header;
use crate::plan::HoldKind;
use crate::plan::Mode;
use crate::plan::Proof;
use crate::plan::Tally;
use crate::plan::Undone;
use crate::plan::Verdict;
use crate::scim::Attributes;
use crate::scim::Kind;

/// The sign at the beginning of a line.
///
/// | sign | change | sign | change |
/// |---|---|---|---|
/// | `+` | create | `^` | reactivate |
/// | `~` | update, rename, references | `x` | delete |
/// | `=` | link | `>` | add a member |
/// | `-` | deactivate | `<` | remove a member |
pub fn mark(act: &Act) -> char {
    match act {
        Act::Create { .. } => '+',
        Act::Update { .. } | Act::Refer { .. } => '~',
        Act::Link { .. } => '=',
        Act::Deactivate | Act::Release { .. } => '-',
        Act::Reactivate { .. } => '^',
        Act::Delete => 'x',
        Act::AddMember { .. } => '>',
        Act::RemoveMember { .. } => '<',
    }
}

/// `2 rename, 3 create (1 held), of 120 active`.
pub fn summary(header: &Header) -> String {
    let classes: Vec<String> = Class::ALL
        .into_iter()
        .filter_map(|class| Some((class, total(header.counts.get(&class)?))))
        .filter(|(_, tally)| tally.total() > 0)
        .map(|(class, tally)| format!("{} {}{}", tally.total(), class.word(), aside(tally, header.mode)))
        .collect();
    let changes = if classes.is_empty() { "no changes".to_owned() } else { classes.join(", ") };
    format!("{changes}, of {} active", header.active)
}

/// `3 users, 1 team`; of a class of memberships `4 memberships`.
pub(super) fn kinds(class: Class, counts: &BTreeMap<Kind, Tally>) -> String {
    if matches!(class, Class::AddMembers | Class::RemoveMembers) {
        return counted(total(counts).total(), "membership");
    }
    let parts: Vec<String> = counts
        .iter()
        .filter(|(_, tally)| tally.total() > 0)
        .map(|(kind, tally)| counted(tally.total(), kind_word(*kind)))
        .collect();
    parts.join(", ")
}

pub(super) fn total(counts: &BTreeMap<Kind, Tally>) -> Tally {
    counts.values().fold(Tally::default(), |sum, tally| Tally {
        go: sum.go + tally.go,
        held: sum.held + tally.held,
        waiting: sum.waiting + tally.waiting,
        escrow: sum.escrow + tally.escrow,
    })
}

/// ` (1 held, 2 waiting)`; nothing where everything may go. A job that observes holds everything, which is said
/// once and not at every number.
pub(super) fn aside(tally: Tally, mode: Mode) -> String {
    let held = if mode == Mode::Observe { 0 } else { tally.held };
    let parts: Vec<String> = [(held, "held"), (tally.waiting, "waiting"), (tally.escrow, "in escrow")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

pub fn counted(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// What a resource is called where people read: the source's group is the target's team.
pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::Group => "team",
    }
}

pub fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Approve => "approve",
        Mode::Write => "write",
    }
}

/// The attributes that an act carries, before and after.
pub(super) fn edits(act: &Act) -> Vec<Edit> {
    match act {
        Act::Create { attributes } => created(attributes),
        Act::Link { edits, .. } | Act::Update { edits } | Act::Reactivate { edits } => edits.clone(),
        Act::Refer { path, old, new } => {
            let name = |name: &Option<String>| name.clone().map(Value::String);
            vec![Edit { path: path.clone(), old: name(old), new: name(new) }]
        }
        Act::Deactivate
        | Act::Release { .. }
        | Act::Delete
        | Act::AddMember { .. }
        | Act::RemoveMember { .. } => Vec::new(),
    }
}

fn created(attributes: &Attributes) -> Vec<Edit> {
    attributes
        .iter()
        .map(|(path, value)| Edit { path: path.clone(), old: None, new: Some(value.clone()) })
        .collect()
}

/// What an act says besides its attributes.
pub(super) fn remark(act: &Act) -> Option<String> {
    match act {
        Act::Link { resource, by, .. } => Some(format!("becomes ours: {resource}, found by {by}")),
        Act::Release { job } => Some(format!("only let go: job {job} wants it still")),
        _ => None,
    }
}

/// The person of a membership.
pub(super) fn member(act: &Act) -> Option<(&str, &str)> {
    match act {
        Act::AddMember { person, person_name } | Act::RemoveMember { person, person_name } => {
            Some((person_name, &person.0))
        }
        _ => None,
    }
}

/// A value on one line: text as it is, without what could move the cursor or turn the line around.
pub(super) fn value(value: Option<&Value>) -> String {
    match value {
        None => "(none)".to_owned(),
        Some(Value::String(text)) => printable(text),
        Some(other) => printable(&other.to_string()),
    }
}

/// `userName: ann@x.example -> ann.koch@x.example`.
pub fn edit(edit: &Edit) -> String {
    format!("{}: {} -> {}", edit.path, value(edit.old.as_ref()), value(edit.new.as_ref()))
}

/// Names come from strangers: control characters and those that change the direction of text are escaped.
pub fn printable(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || turns(c) || matches!(c, '\u{2028}' | '\u{2029}') {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// What waits for a decision, folded by cause and kind of hold.
#[derive(Default)]
pub(super) struct HeldFold {
    folds: BTreeMap<(HoldKind, CauseId), Fold>,
    observed: bool,
}

struct Fold {
    count: u64,
    people: u64,
    memberships: u64,
    absent: bool,
    text: String,
}

/// One folded line of what is held.
pub(super) struct HeldLine {
    pub kind: HoldKind,
    pub cause: CauseId,
    pub count: u64,
    pub text: String,
    /// Of what, since when, and how it is known; nothing where no cycle has held it.
    pub detail: Option<String>,
    pub command: Option<String>,
}

impl HeldFold {
    pub fn note(&mut self, change: &Change) {
        let Verdict::Held(hold) = &change.verdict else { return };
        if hold.kind == HoldKind::Observe {
            self.observed = true;
            return;
        }
        let new = || Fold { count: 0, people: 0, memberships: 0, absent: false, text: hold.text.clone() };
        let fold = self.folds.entry((hold.kind, change.cause.clone())).or_insert_with(new);
        fold.count += 1;
        fold.absent |= change.proof == Proof::Absence && change.class.removes();
        match &change.act {
            Act::AddMember { .. } | Act::RemoveMember { .. } => fold.memberships += 1,
            _ if change.kind == Kind::User => fold.people += 1,
            _ => {}
        }
    }

    /// The command with which a job leaves `observe`, where that is why nothing is done.
    pub fn leaving_observe(&self, header: &Header) -> Option<String> {
        self.observed.then(|| format!("rosterd enable {} --plan {}", header.job, header.digest))
    }

    pub fn lines(&self, header: &Header) -> Vec<HeldLine> {
        self.folds
            .iter()
            .map(|((kind, cause), fold)| HeldLine {
                kind: *kind,
                cause: cause.clone(),
                count: fold.count,
                text: fold.text.clone(),
                detail: header.held_since.get(cause).map(|since| fold.detail(*since, header.at_second)),
                command: deciding(*kind, cause, &header.job),
            })
            .collect()
    }
}

impl Fold {
    /// `142 people, 310 memberships; held since 2026-03-02, for 3 days; known from an event of the source`.
    fn detail(&self, since: i64, now: i64) -> String {
        let teams = self.count - self.people - self.memberships;
        let people = if self.people == 1 { "1 person".to_owned() } else { format!("{} people", self.people) };
        let parts = [
            (self.people, people),
            (teams, counted(teams, "team")),
            (self.memberships, counted(self.memberships, "membership")),
        ];
        let of: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(_, text)| text).collect();
        let known = if self.absent {
            "known from absence: a witness is asked before it is done, unless you approve it"
        } else {
            "known from what the source says"
        };
        format!("{}; held since {}, for {}; {known}", of.join(", "), day(since), age(now - since))
    }
}

/// `3 days`, `5 hours`, `20 minutes`.
pub fn age(seconds: i64) -> String {
    let seconds = seconds.max(0).unsigned_abs();
    match seconds {
        172_800.. => format!("{} days", seconds / 86_400),
        7_200.. => format!("{} hours", seconds / 3_600),
        _ => counted(seconds / 60, "minute"),
    }
}

/// Whether the reason is one object's own, so that it stands beside the object instead of being folded.
pub(super) fn is_of_one_object(kind: HoldKind) -> bool {
    matches!(
        kind,
        HoldKind::Matching
            | HoldKind::Adoption
            | HoldKind::Relink
            | HoldKind::Retire
            | HoldKind::Uniqueness
            | HoldKind::Mapping
            | HoldKind::Protected
    )
}

/// The command that decides; `None` where something has to be mended instead.
fn deciding(kind: HoldKind, cause: &CauseId, job: &str) -> Option<String> {
    match kind {
        HoldKind::Approval
        | HoldKind::Shut
        | HoldKind::Adoption
        | HoldKind::Relink
        | HoldKind::Retire
        | HoldKind::Anchors
        | HoldKind::Limit
        | HoldKind::Unwitnessed
        | HoldKind::Disagrees
        | HoldKind::Clock
        | HoldKind::Rejected
        | HoldKind::Empty
        | HoldKind::Unexplained => Some(format!("rosterd approve {job} {}", cause.0)),
        HoldKind::Identity => Some(format!("rosterd approve {job} identity")),
        HoldKind::Observe
        | HoldKind::Matching
        | HoldKind::Uniqueness
        | HoldKind::Protected
        | HoldKind::Action
        | HoldKind::Exempt
        | HoldKind::Plan
        | HoldKind::Mapping => None,
    }
}

pub fn hold_word(kind: HoldKind) -> &'static str {
    match kind {
        HoldKind::Observe => "observe",
        HoldKind::Approval => "approval",
        HoldKind::Limit => "limit",
        HoldKind::Unwitnessed => "unwitnessed",
        HoldKind::Disagrees => "disagrees",
        HoldKind::Unexplained => "unexplained",
        HoldKind::Matching => "matching",
        HoldKind::Adoption => "adoption",
        HoldKind::Relink => "relink",
        HoldKind::Retire => "retire",
        HoldKind::Anchors => "anchors",
        HoldKind::Uniqueness => "uniqueness",
        HoldKind::Protected => "protected",
        HoldKind::Action => "action",
        HoldKind::Mapping => "mapping",
        HoldKind::Clock => "clock",
        HoldKind::Identity => "identity",
        HoldKind::Empty => "empty",
        HoldKind::Rejected => "rejected",
        HoldKind::Exempt => "exempt",
        HoldKind::Plan => "plan",
        HoldKind::Shut => "shut",
    }
}

/// `12 deactivate until 2026-03-09, among them ann@x.example: rejected by bo on 2026-03-02: on parental leave`.
pub(super) fn exemption(of: &Exemption) -> String {
    let because = if of.reason.is_empty() { String::new() } else { format!(": {}", of.reason) };
    let among = if of.changes > 1 { "among them" } else { "of" };
    let (class, until, at) = (of.class.word(), day(of.until_second), day(of.at_second));
    let text = format!(
        "{} {class} until {until}, {among} {}: rejected by {} on {at}{because}",
        of.changes, of.name, of.who
    );
    printable(&text)
}

/// `12 objects as before cycle 7 until 2026-03-09, among them ann@x.example: undone by bo on 2026-03-02 (11d89be6): why`.
pub(super) fn undone(of: &Undone) -> String {
    let because = if of.reason.is_empty() { String::new() } else { format!(": {}", of.reason) };
    let among = if of.objects > 1 { "among them" } else { "of" };
    let (until, at) = (day(of.until_second), day(of.at_second));
    let text = format!(
        "{} as before cycle {} until {until}, {among} {}: undone by {} on {at} ({}){because}",
        counted(of.objects, "object"),
        of.cycle,
        of.name,
        of.who,
        of.cause.0
    );
    printable(&text)
}

/// `2 differences are reported (rosterd held acme), 1 is put right`.
pub(super) fn verified(record: &CycleRecord) -> String {
    if record.drift == 0 && record.drift_repaired == 0 {
        return "it shows what it accepted".to_owned();
    }
    let is = |count: u64| if count == 1 { "is" } else { "are" };
    let mut parts = Vec::new();
    if record.drift > 0 {
        let count = counted(record.drift, "difference");
        parts.push(format!("{count} {} reported (rosterd held {})", is(record.drift), record.job));
    }
    if record.drift_repaired > 0 {
        let count = counted(record.drift_repaired, "difference");
        parts.push(format!("{count} {} put right", is(record.drift_repaired)));
    }
    parts.join(", ")
}

pub(super) fn drift(header: &Header) -> Vec<String> {
    header.drift.iter().map(|fold| printable(&fold.sentence())).collect()
}

/// Whose the accounts and teams of the target are.
pub(super) fn discovery(header: &Header) -> Vec<String> {
    header.discovery.iter().flat_map(Discovery::lines).map(|line| printable(&line)).collect()
}

/// Days are enough for what happens in days; the time stands in the JSON.
pub(super) fn day(second: i64) -> String {
    Timestamp::from_second(second).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// The sentence of a cause of this plan; its id where the header does not know it.
pub(super) fn cause_sentence(header: &Header, id: &CauseId) -> String {
    let known = header.causes.iter().map(|(cause, _)| cause).find(|cause| cause.id() == *id);
    known.map_or_else(|| id.0.clone(), |cause: &Cause| printable(&cause.sentence()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_move_the_cursor_or_turn_the_line() {
        assert_eq!(printable("Ann\u{1b}[2J Lee"), "Ann\\u{1b}[2J Lee");
        assert_eq!(printable("ann\u{202e}gpj.exe"), "ann\\u{202e}gpj.exe");
        assert_eq!(printable("李雷 O'Brien"), "李雷 O'Brien");
    }
}
