//! What a file proves about absence: its own declared counts, when they match what was read (P2).

use super::snapshot::Count;
use super::snapshot::Snapshot;
use crate::model::Container;
use crate::model::Finding;
use crate::model::Grade;
use crate::model::WitnessAnswer;
use crate::model::WitnessQuestion;
use crate::scim::Kind;
use crate::sources::SourceError;

const EVIDENCE: &str = "the file, whole by its own counts, does not show it";

pub(super) fn answer(snapshot: &Snapshot, question: &WitnessQuestion) -> WitnessAnswer {
    match question {
        WitnessQuestion::Exists { id, kind } if snapshot.has(*kind, id) => WitnessAnswer::Present,
        WitnessQuestion::Exists { kind: Kind::User, .. } => absent("users", snapshot.tally.users),
        WitnessQuestion::Exists { kind: Kind::Group, .. } => absent("groups", snapshot.tally.groups),
        WitnessQuestion::Held { container, principal, kind } => {
            if snapshot.holds(container, *kind, principal) {
                return WitnessAnswer::Present;
            }
            match container {
                Container::App(app) if !snapshot.lists_app(app) => {
                    WitnessAnswer::CannotSay(format!("the file does not list the application {app}"))
                }
                Container::App(_) => absent("assignments", snapshot.tally.assignments),
                Container::Group(_) => absent("memberships", snapshot.tally.memberships),
            }
        }
    }
}

fn absent(class: &str, count: Count) -> WitnessAnswer {
    match count.declared {
        None => WitnessAnswer::CannotSay(format!("the file declares no counts of {class}")),
        Some(_) if count.differs() => {
            WitnessAnswer::CannotSay(format!("the declared count of {class} differs from what was read"))
        }
        Some(_) if count.left_out => {
            WitnessAnswer::CannotSay(format!("some {class} of the file were left out"))
        }
        Some(_) => WitnessAnswer::Absent(EVIDENCE.into()),
    }
}

/// `rosterd check` of a file that could be read.
pub(super) fn findings(place: &str, snapshot: &Snapshot) -> Vec<Finding> {
    let tally = snapshot.tally;
    let mut findings = vec![Finding {
        grade: Grade::Ok,
        subject: "file".to_owned(),
        text: format!(
            "{place}: directory {}, {} users, {} groups, {} assignments, {} memberships",
            snapshot.directory,
            tally.users.read,
            tally.groups.read,
            tally.assignments.read,
            tally.memberships.read
        ),
        cure: String::new(),
    }];
    findings.extend(undeclared(snapshot));
    findings.extend(snapshot.notes.iter().map(|note| Finding {
        grade: Grade::Warning,
        subject: "file".to_owned(),
        text: note.clone(),
        cure: "mend the export".to_owned(),
    }));
    findings
}

fn undeclared(snapshot: &Snapshot) -> Option<Finding> {
    let tally = snapshot.tally;
    let classes = [
        ("users", tally.users),
        ("groups", tally.groups),
        ("assignments", tally.assignments),
        ("memberships", tally.memberships),
    ];
    let missing: Vec<&str> = classes
        .iter()
        .filter(|(_, count)| count.declared.is_none() && count.read > 0)
        .map(|(name, _)| *name)
        .collect();
    (!missing.is_empty()).then(|| Finding {
        grade: Grade::Warning,
        subject: "counts".to_owned(),
        text: format!("the file declares no counts of {}", missing.join(", ")),
        cure: "write `counts` into the export, so that who is absent from one file can be removed at once"
            .to_owned(),
    })
}

pub(super) fn unreadable(error: &SourceError) -> Finding {
    let (text, cure) = match error {
        SourceError::Refused { what, cure } => (what.clone(), cure.clone()),
        other => (other.to_string(), "write the file anew; docs/file-source.md shows the form".to_owned()),
    };
    Finding { grade: Grade::Error, subject: "file".to_owned(), text, cure }
}
