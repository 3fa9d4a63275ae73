//! One entry of the log as JSON: our words, and beside them those of Entra's provisioning log (provisioningObjectSummary).
//!
//! | key | is |
//! |---|---|
//! | `entry` | the change (Entra: `changeId`); numbers grow with time |
//! | `cycle`, `job` | the run and the job (`cycleId`, `jobId`); null of a push, a command, a decision |
//! | `workspace`, `owner`, `by` | of a push or a command: where, whose (`push TENANT`, `local`), and the token's id or who gave it |
//! | `at`, `duration_ms` | when (`activityDateTime`, `durationInMilliseconds`); null where nobody knows how long it took |
//! | `class`, `action` | what, in our words and in Entra's: create, update, disable, delete, other |
//! | `initiated_by` | `job NAME`, `push TENANT`, or who gave the command |
//! | `kind`, `id`, `name` | of whom: user, group, grant or job; the id in the source, and what people call it |
//! | `source`, `target` | `{"system", "id"}`: directory and service as they are pinned, and the ids there |
//! | `edits` | `[{"path", "old", "new"}]` (`modifiedProperties`) |
//! | `people`, `count` | members whose membership changed, and how many; of a refusal, how often |
//! | `cause`, `reason` | why: of a job `{"id", "sentence"}`, of a command or decision the reason that was given |
//! | `outcome`, `detail` | our words; `outcome` is null while none is known |
//! | `status` | `{"status": "success" \| "failure" \| "warning", "error": null \| {"code", "reason", "category", "recommended_action"}}` |
//! | `evidence` | of a removal: what the witness answered, as a sentence |
//! | `proofs` | the same as fields: `coverage`, and `witness` with `question`, `answer`, `request_ids`, `event` |
//! | `settings` | the digest of the settings that it was decided under: `rosterd config show --digest` |

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::plan::ErrorCode;
use crate::store::LogRow;

pub fn object(row: &LogRow) -> Value {
    json!({
        "entry": row.entry.0,
        "job": row.job,
        "cycle": row.cycle.map(|cycle| cycle.0),
        "workspace": row.workspace,
        "owner": row.owner,
        "by": row.by,
        "at": at(row),
        "duration_ms": row.took_ms,
        "class": row.class,
        "action": action(&row.class),
        "initiated_by": initiated_by(row),
        "kind": row.kind,
        "id": row.id,
        "name": row.name,
        "source": { "system": row.source_system, "id": source_id(row) },
        "target": { "system": row.target_system, "id": row.target_id },
        "people": row.people,
        "edits": row.edits,
        "cause": row.cause.as_ref().map(|cause| json!({ "id": cause.id(), "sentence": cause.sentence() })),
        "reason": row.reason,
        "outcome": row.outcome,
        "detail": row.detail,
        "status": status(row),
        "evidence": row.evidence,
        "proofs": row.proofs,
        "settings": row.settings,
        "count": row.count,
    })
}

pub fn at(row: &LogRow) -> Option<String> {
    Timestamp::from_second(row.at_second).map(|at| at.to_string()).ok()
}

/// A push knows no id of a source.
pub fn source_id(row: &LogRow) -> Option<&String> {
    row.id.as_ref().filter(|_| row.cycle.is_some())
}

/// Entra's words for what was done (Entra provisioning reference, section 12).
pub fn action(class: &str) -> &'static str {
    match class {
        "create" => "create",
        "update" | "rename" | "reactivate" | "add_members" | "remove_members" | "references" => "update",
        "deactivate" => "disable",
        "delete" | "delete_teams" => "delete",
        _ => "other",
    }
}

pub fn initiated_by(row: &LogRow) -> String {
    match (&row.owner, &row.by, &row.job) {
        (Some(owner), Some(by), _) if owner == "local" => by.clone(),
        (Some(owner), ..) => owner.clone(),
        (None, _, Some(job)) => format!("job {job}"),
        (None, ..) => String::new(),
    }
}

/// What is not known yet is a warning, as nothing failed.
pub fn word(row: &LogRow) -> &'static str {
    match row.outcome.as_deref() {
        Some("done") => "success",
        None | Some("not_done" | "later") => "warning",
        Some(_) => "failure",
    }
}

fn status(row: &LogRow) -> Value {
    let error = error(row).map(|error| {
        json!({
            "code": error.word(),
            "reason": row.detail,
            "category": if error.passes() { "NonServiceFailure" } else { "Failure" },
            "recommended_action": error.cure(),
        })
    });
    json!({ "status": word(row), "error": error })
}

/// Why it was not done, by Entra's codes.
pub fn error(row: &LogRow) -> Option<ErrorCode> {
    let detail = row.detail.as_deref().unwrap_or_default();
    let status = || detail.strip_prefix("refused with ")?.split(':').next()?.parse().ok();
    match row.outcome.as_deref()? {
        "conflict" => Some(ErrorCode::EntryConflict),
        "missing" => Some(ErrorCode::InvalidAnchor),
        "refused" => {
            Some(status().map_or(ErrorCode::NotPermitted, |status| ErrorCode::of_refusal(status, detail)))
        }
        "later" => Some(ErrorCode::InternalServerError),
        "not_done" => Some(ErrorCode::Timeout),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_word_of_entra() {
        for (class, word) in [
            ("create", "create"),
            ("rename", "update"),
            ("deactivate", "disable"),
            ("delete_teams", "delete"),
            ("remove_members", "update"),
            ("decide", "other"),
            ("grant", "other"),
        ] {
            assert_eq!(action(class), word, "{class}");
        }
    }
}
