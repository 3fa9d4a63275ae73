//! A plan as one JSON document, written as a stream: one line a change.
//!
//! ```json
//! {"format": 1,
//!  "header": {"job": "acme", "source": "…", "target": "…", "mode": "write", "digest": "…",
//!             "active": 120, "desired": 121,
//!             "counts": {"create": {"user": {"go": 1, "held": 0, "waiting": 0, "escrow": 0}}},
//!             "causes": [{"id": "a1b2c3d4", "kind": "joined", "subjects": ["…"], "names": ["Sales"],
//!                         "sentence": "assigned through Sales", "go": 1, "held": 0, "waiting": 0, "escrow": 0}],
//!             "deletions": {"total": 1, "next": [{"id": "00u7", "name": "bo@x.example", "event": "unassigned",
//!                                                 "at": "2026-03-01T06:00:00Z"}]},
//!             "exemptions": [{"class": "deactivate", "who": "bo", "reason": "…", "at_second": 1772445600,
//!                             "until_second": 1773050400, "changes": 12, "name": "ann@x.example"}],
//!             "undone": [{"cycle": 7, "cause": "c3d4e5f6", "who": "bo", "reason": "…", "at_second": 1772445600,
//!                         "until_second": 1773050400, "objects": 12, "name": "ann@x.example"}],
//!             "drift": [{"drift": "changed", "kind": "user", "path": "title", "count": 2, "examples": ["ann@x.example"]}],
//!             "discovery": {"partial": {"group": "it showed 1 of 2"}, "counts": {"user": {"local": 1}},
//!                           "resources": [{"kind": "user", "id": "9", "name": "root", "whose": "local", "detail": ""}]},
//!             "notes": [],
//!             "findings": [{"grade": "warning", "subject": "guests", "text": "…", "cure": "…"}]},
//!  "changes": [
//!   {"class": "create", "kind": "user", "id": "00u1", "name": "ann@x.example", "do": "create",
//!    "edits": [{"path": "userName", "old": null, "new": "ann@x.example"}],
//!    "cause": "a1b2c3d4", "proof": "event", "verdict": "go"}]}
//! ```
//!
//! `do` is create, link, update, deactivate, release, reactivate, delete, add_member or remove_member. A link has
//! `resource` and `by`; a release has `wanted_by`, the other job that wants it still; a membership has `person` and `person_name`, and its `id` and `name` are the team's.
//! `exemptions` are decisions that changes are not made for a while; these are not among the changes. `undone` is
//! what somebody undid, and what stays as it was before that cycle for a while. A cause that holds something has `held_since`, a time.
//! `deletions` are accounts that are deleted when their time has come, the next hundred of them.
//! `drift` is what the last verification of the target found and only reports. `discovery` is there in a dry run that reads
//! everything: `whose` is linked, other, adoptable, ambiguous or local; `resources` are at most a thousand of those that are
//! not linked.
//! `verdict` is go, held (with `hold.kind` and `hold.text`), waiting or escrow (with `text`). Keys are only
//! ever added; `format` counts up when one changes its meaning.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::Render;
use super::words;
use crate::plan::Act;
use crate::plan::Change;
use crate::plan::Header;
use crate::plan::Tally;
use crate::plan::Verdict;

#[derive(Default)]
pub struct Json {
    changes: u64,
}

impl Render for Json {
    fn begin(&mut self, header: &Header) -> String {
        self.changes = 0;
        format!("{{\"format\":1,\n\"header\":{},\n\"changes\":[", head(header))
    }

    fn change(&mut self, change: &Change) -> String {
        let comma = if self.changes == 0 { "" } else { "," };
        self.changes += 1;
        format!("{comma}\n{}", body(change))
    }

    fn end(&mut self) -> String {
        "\n]}\n".to_owned()
    }
}

fn head(header: &Header) -> Value {
    let causes: Vec<Value> = header
        .causes
        .iter()
        .map(|(cause, tally)| {
            let mut entry = json!({
                "id": cause.id(),
                "kind": cause.kind,
                "subjects": cause.subjects,
                "names": cause.names,
                "sentence": cause.sentence(),
            });
            put_tally(&mut entry, *tally);
            if let Some(since) = header.held_since.get(&cause.id()) {
                entry["held_since"] = json!(Timestamp::from_second(*since).map(|at| at.to_string()).ok());
            }
            entry
        })
        .collect();
    let deletions: Vec<Value> = header
        .deletions
        .iter()
        .map(|deletion| {
            let at = Timestamp::from_second(deletion.at_second).map(|at| at.to_string()).ok();
            json!({ "id": deletion.source, "name": deletion.name, "event": deletion.by, "at": at })
        })
        .collect();
    json!({
        "job": header.job,
        "source": header.source,
        "target": header.target,
        "mode": header.mode,
        "digest": header.digest,
        "active": header.active,
        "desired": header.desired,
        "counts": header.counts,
        "causes": causes,
        "deletions": { "total": header.deletions_total, "next": deletions },
        "exemptions": header.exemptions,
        "undone": header.undone,
        "drift": header.drift,
        "discovery": header.discovery,
        "notes": header.notes,
        "findings": header.findings,
    })
}

fn put_tally(entry: &mut Value, tally: Tally) {
    entry["go"] = tally.go.into();
    entry["held"] = tally.held.into();
    entry["waiting"] = tally.waiting.into();
    entry["escrow"] = tally.escrow.into();
}

fn body(change: &Change) -> Value {
    let mut out = json!({
        "class": change.class,
        "kind": change.kind,
        "id": change.source,
        "name": change.name,
        "do": act_word(&change.act),
        "edits": words::edits(&change.act),
        "cause": change.cause,
        "proof": change.proof,
    });
    match &change.act {
        Act::Link { resource, by, .. } => {
            out["resource"] = json!(resource);
            out["by"] = json!(by);
        }
        Act::Release { job } => out["wanted_by"] = json!(job),
        Act::AddMember { person, person_name } | Act::RemoveMember { person, person_name } => {
            out["person"] = json!(person);
            out["person_name"] = json!(person_name);
        }
        _ => {}
    }
    put_verdict(&mut out, &change.verdict);
    out
}

fn act_word(act: &Act) -> &'static str {
    match act {
        Act::Create { .. } => "create",
        Act::Link { .. } => "link",
        Act::Update { .. } => "update",
        Act::Deactivate => "deactivate",
        Act::Release { .. } => "release",
        Act::Reactivate { .. } => "reactivate",
        Act::Delete => "delete",
        Act::AddMember { .. } => "add_member",
        Act::RemoveMember { .. } => "remove_member",
        Act::Refer { .. } => "refer",
    }
}

fn put_verdict(out: &mut Value, verdict: &Verdict) {
    let (word, detail) = match verdict {
        Verdict::Go => ("go", None),
        Verdict::Held(hold) => ("held", Some(("hold", json!(hold)))),
        Verdict::Waiting(text) => ("waiting", Some(("text", json!(text)))),
        Verdict::Escrow(text) => ("escrow", Some(("text", json!(text)))),
    };
    out["verdict"] = word.into();
    if let Some((key, value)) = detail {
        out[key] = value;
    }
}
