//! What the service makes of a deactivation and of a deletion, and what it never shows: said before the first one.

use crate::model::Finding;
use crate::model::Grade;
use crate::plan::OnLeave;
use crate::plan::OnTeamLeave;
use crate::plan::Rules;
use crate::scim::profiles::ActiveSemantics;
use crate::scim::profiles::DeleteSemantics;
use crate::scim::profiles::Demands;

/// What is to be said of these rules at a service with these demands, whoever is in scope.
pub fn semantics(demands: &Demands, rules: &Rules) -> Vec<Finding> {
    let leavers = &rules.leavers;
    let events = [
        ("unassigned", leavers.unassigned),
        ("out_of_scope", leavers.out_of_scope),
        ("disabled", leavers.disabled),
        ("suspended", leavers.suspended),
        ("soft_deleted", leavers.soft_deleted),
        ("purged", leavers.purged),
    ];
    let of = |policy: fn(OnLeave) -> bool| -> Vec<&str> {
        events.iter().filter(|(_, on)| policy(*on)).map(|(event, _)| *event).collect()
    };
    let deactivating = of(|on| matches!(on, OnLeave::Deactivate | OnLeave::DeleteAfter { .. }));
    let deleting = of(|on| matches!(on, OnLeave::Delete | OnLeave::DeleteAfter { .. }));
    let deletes = rules.actions.delete && (!deleting.is_empty() || leavers.teams == OnTeamLeave::Delete);
    let mut said = Vec::new();
    if demands.active_semantics == ActiveSemantics::DeleteIdentity
        && rules.actions.deactivate
        && !deactivating.is_empty()
    {
        said.push(finding(
            "deactivation",
            format!(
                "the service deletes the identity of whoever is deactivated, and its id with it; `deactivate` is the \
                 policy of {}",
                deactivating.join(", ")
            ),
            "set those events to \"leave\", or accept that whoever comes back is somebody new there",
        ));
    }
    match demands.delete_semantics {
        DeleteSemantics::Irreversible if deletes => said.push(finding(
            "deletion",
            format!(
                "the service deletes for good, and nobody can undo it; {}",
                deleted(&deleting, leavers.teams)
            ),
            "prefer `deactivate`, or `delete after` a time that is long enough to notice a mistake",
        )),
        DeleteSemantics::Deactivate if deletes => said.push(finding(
            "deletion",
            "the service only deactivates what is deleted, shows it no more, and keeps its names".to_owned(),
            "",
        )),
        _ => {}
    }
    if demands.members_hidden && rules.actions.teams {
        said.push(finding(
            "members",
            "the service never shows who is in a team: what was written last stands for it, and changes that others \
             make there are not seen"
                .to_owned(),
            "",
        ));
    }
    said
}

fn deleted(events: &[&str], teams: OnTeamLeave) -> String {
    let teams = (teams == OnTeamLeave::Delete).then_some("teams");
    let all: Vec<&str> = events.iter().copied().chain(teams).collect();
    format!("`delete` is the policy of {}", all.join(", "))
}

fn finding(subject: &str, text: String, cure: &str) -> Finding {
    let grade = if cure.is_empty() { Grade::Ok } else { Grade::Warning };
    Finding { grade, subject: subject.to_owned(), text, cure: cure.to_owned() }
}
