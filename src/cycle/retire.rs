//! Making way: the account of somebody who left is renamed, because a person approved it, before somebody else gets its
//! address.

use serde_json::Value;

use super::CycleError;
use super::failure;
use super::unique::Taken;
use super::write::UNKNOWN;
use super::write::Writer;
use crate::model::Accepted;
use crate::plan::Cause;
use crate::plan::CauseKind;
use crate::plan::Class;
use crate::plan::Edit;
use crate::plan::Hold;
use crate::scim;
use crate::scim::Kind;
use crate::store::After;
use crate::store::Ended;
use crate::store::EntryId;
use crate::store::Intent;
use crate::store::LinkVerdict;
use crate::store::PendingLink;
use crate::store::Retirement;
use crate::targets::Operation;
use crate::targets::Outcome;

/// Addresses that are unique in many services.
const ADDRESSES: [&str; 2] = ["userName", "emails[type eq \"work\"].value"];

/// What a taken name means. An approval is for the account that was looked at.
pub(super) fn verdict(link: &PendingLink, taken: &Taken, usual: Option<Hold>) -> LinkVerdict {
    let Some(keeper) = &taken.retires else { return LinkVerdict::new(link.link, Some(taken.hold.clone())) };
    let approved = link.approved_for.as_ref() == Some(&keeper.resource);
    let hold = if approved { usual } else { Some(taken.hold.clone()) };
    let (subjects, names) = (Vec::new(), Vec::new());
    let cause = Cause { kind: CauseKind::Retired, subjects, names, rules: String::new() };
    LinkVerdict { cause: Some(cause), retires: Some(keeper.link), ..LinkVerdict::new(link.link, hold) }
}

impl Writer<'_> {
    /// Renames every account that has to make way. Who waits for one that could not be renamed is not created.
    pub(super) async fn retirements(&mut self) -> Result<(), CycleError> {
        let now = self.on.how.now.as_second();
        let all = self.store.retirements(self.job, now).await.map_err(self.on.store())?;
        for chunk in all.chunks(self.on.job.target.batch()) {
            self.on.stopped()?;
            let intents = chunk.iter().map(intent).collect();
            let entries = self.intend(intents).await?;
            let operations: Vec<Operation> = chunk.iter().map(operation).collect();
            let outcomes = self.apply(&operations).await?;
            let ended = chunk.iter().zip(entries).zip(outcomes);
            let ended = ended.map(|((account, entry), outcome)| ended_as(account, entry, outcome));
            self.end(ended.collect()).await?;
        }
        Ok(())
    }
}

/// `retired-9ecc7e-ann@x.example`: an address still, and another one for every account.
fn retired(account: &Retirement, address: &str) -> String {
    format!("retired-{}-{address}", &blake3::hash(account.source.0.as_bytes()).to_hex()[..6])
}

fn edits(account: &Retirement) -> Vec<Edit> {
    let held = |path: &&str| account.is.sent.text(path).map(scim::fold).as_ref() == Some(&account.key);
    let edit = |path: &str| {
        let old = account.is.sent.text(path)?;
        let (old, new) = (Value::from(old), Value::from(retired(account, old)));
        Some(Edit { path: path.to_owned(), old: Some(old), new: Some(new) })
    };
    ADDRESSES.into_iter().filter(held).filter_map(edit).collect()
}

fn intent(account: &Retirement) -> Intent {
    Intent {
        link: account.link,
        class: Class::Rename,
        cause: account.cause.clone(),
        people: Vec::new(),
        edits: edits(account),
        approved: true,
        evidence: None,
        proofs: None,
    }
}

fn operation(account: &Retirement) -> Operation {
    let set = edits(account).into_iter().map(|edit| (edit.path, edit.new.unwrap_or(Value::Null)));
    let id = account.is.resource.clone();
    Operation::Patch { kind: Kind::User, id, set: set.collect(), add: Vec::new() }
}

fn ended_as(account: &Retirement, entry: EntryId, outcome: Outcome) -> Ended {
    let (outcome, detail, after) = match outcome {
        Outcome::Done { shown, .. } => ("done", String::new(), parked(account, shown.as_ref())),
        Outcome::Missing => ("done", "the target had no such account any more".to_owned(), After::Gone),
        Outcome::Conflict { detail } => ("conflict", detail, After::Unchanged),
        Outcome::Refused { status, detail } => {
            ("refused", format!("refused with {status}: {detail}"), After::Unchanged)
        }
        later @ Outcome::Later { .. } => ("later", failure::told(&later).1, After::Unchanged),
        Outcome::Unknown { detail } => (UNKNOWN, detail, After::Unchanged),
    };
    Ended { entry, link: account.link, class: Class::Rename, outcome, detail, people: Vec::new(), after }
}

fn parked(account: &Retirement, shown: Option<&Value>) -> After {
    let mut sent = account.is.sent.clone();
    for edit in edits(account) {
        sent.set(edit.path, edit.new.unwrap_or(Value::Null));
    }
    let key = sent.text("userName").map(scim::fold).unwrap_or_default();
    let shown = shown.map_or_else(|| sent.clone(), |body| scim::shown(body, sent.0.keys()));
    After::Parked { active: account.active, accepted: Accepted { sent, shown, ..account.is.clone() }, key }
}
