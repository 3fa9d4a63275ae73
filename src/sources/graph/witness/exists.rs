//! Is the object still in the directory? `GET` it, then the recycle bin (graph.md 6.6 R5).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use super::Principal;
use super::Said;
use super::said;
use super::text_of;
use crate::model::WitnessAnswer;
use crate::scim::Kind;
use crate::sources::SourceError;
use crate::sources::graph::batch::Part;
use crate::sources::graph::door::GROUP_READ;
use crate::sources::graph::door::Graph;
use crate::sources::graph::door::MEMBER_READ;
use crate::sources::graph::door::USER_READ;
use crate::sources::graph::door::segment;

/// Evidence.
const IN_THE_BIN: &str = "404, and in the recycle bin";
const PURGED: &str = "404, and not in the recycle bin";

/// In the order of the questions.
pub(super) async fn answers(graph: &Graph, asked: &[Principal]) -> Result<Vec<WitnessAnswer>, SourceError> {
    let parts: Vec<Part> = asked.iter().map(part).collect();
    let heard: Vec<Said> = asked
        .iter()
        .zip(graph.batch(&parts).await?)
        .map(|(principal, answer)| said(answer, permission(principal.kind)))
        .collect();
    let missing = asked.iter().zip(&heard).filter(|(_, said)| **said == Said::NotThere);
    let fates = fates(graph, missing.map(|(principal, _)| principal.clone()).collect()).await?;
    let answers = asked.iter().zip(&heard).map(|(principal, said)| match said {
        Said::Whole(body) => there(principal, body),
        Said::NotThere => fate_of(&fates, principal),
        Said::Nothing(why) => WitnessAnswer::CannotSay(why.clone()),
    });
    Ok(answers.collect())
}

fn part(principal: &Principal) -> Part {
    let select = match principal.kind {
        Kind::User => "id,accountEnabled",
        Kind::Group => "id",
    };
    Part::get(format!("{}?$select={select}", principal.path()))
}

fn permission(kind: Kind) -> &'static str {
    match kind {
        Kind::User => USER_READ,
        Kind::Group => MEMBER_READ,
    }
}

fn there(principal: &Principal, body: &Value) -> WitnessAnswer {
    if !text_of(body, "id").is_some_and(|id| principal.is(id)) {
        return another();
    }
    match body.get("accountEnabled") {
        Some(Value::Bool(false)) => WitnessAnswer::Disabled,
        _ => WitnessAnswer::Present,
    }
}

fn another() -> WitnessAnswer {
    WitnessAnswer::CannotSay("Graph answered with something else than what was asked for".to_owned())
}

/// What became of objects that are not in the directory: found in the bin or not, they are gone; an answer that is
/// neither says nothing.
pub(super) async fn fates(
    graph: &Graph,
    missing: BTreeSet<Principal>,
) -> Result<BTreeMap<Principal, WitnessAnswer>, SourceError> {
    let parts = missing.iter().map(|principal| {
        Part::get(format!("/directory/deletedItems/{}?$select=id", segment(&principal.id.0)))
    });
    let heard = graph.batch(&parts.collect::<Vec<_>>()).await?;
    let fates = missing.into_iter().zip(heard).map(|(principal, answer)| {
        let fate = match said(answer, bin_permission(principal.kind)) {
            Said::Whole(body) if text_of(&body, "id").is_some_and(|id| principal.is(id)) => {
                WitnessAnswer::Absent(IN_THE_BIN.into())
            }
            Said::Whole(_) => another(),
            Said::NotThere => WitnessAnswer::Absent(PURGED.into()),
            Said::Nothing(why) => WitnessAnswer::CannotSay(format!("404, but of the recycle bin: {why}")),
        };
        (principal, fate)
    });
    Ok(fates.collect())
}

fn bin_permission(kind: Kind) -> &'static str {
    match kind {
        Kind::User => USER_READ,
        Kind::Group => GROUP_READ,
    }
}

/// The fate of one who was asked about.
pub(super) fn fate_of(fates: &BTreeMap<Principal, WitnessAnswer>, principal: &Principal) -> WitnessAnswer {
    let unasked = || WitnessAnswer::CannotSay("the recycle bin was not looked into".to_owned());
    fates.get(principal).cloned().unwrap_or_else(unasked)
}
