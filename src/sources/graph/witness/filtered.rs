//! Does a server-side filter still select the principal? The same filter is asked, and the id with it.

use serde_json::Value;

use super::Principal;
use super::Said;
use super::collection;
use super::said;
use super::text_of;
use crate::model::WitnessAnswer;
use crate::scim::Kind;
use crate::sources::SourceError;
use crate::sources::graph::batch::Part;
use crate::sources::graph::door::Graph;
use crate::sources::graph::door::MEMBER_READ;
use crate::sources::graph::door::USER_READ;
use crate::sources::graph::door::segment;

pub(super) struct Filtered {
    pub(super) filter: String,
    pub(super) principal: Principal,
}

/// In the order of the questions.
pub(super) async fn answers(graph: &Graph, asked: &[Filtered]) -> Result<Vec<WitnessAnswer>, SourceError> {
    let parts: Vec<Part> = asked.iter().map(part).collect();
    let heard = graph.batch(&parts).await?;
    Ok(asked
        .iter()
        .zip(heard)
        .map(|(question, answer)| judge(question, said(answer, question.permission())))
        .collect())
}

/// An advanced query, whatever the filter says: with the header and the count every operator is allowed (graph.md
/// section 4).
fn part(question: &Filtered) -> Part {
    let id = question.principal.id.0.replace('\'', "''");
    let filter = segment(&format!("({}) and id eq '{id}'", question.filter));
    let of = collection(question.principal.kind);
    Part::get(format!("{of}?$filter={filter}&$select=id&$top=1&$count=true"))
        .header("ConsistencyLevel", "eventual")
}

impl Filtered {
    fn permission(&self) -> &'static str {
        match self.principal.kind {
            Kind::User => USER_READ,
            Kind::Group => MEMBER_READ,
        }
    }
}

fn judge(question: &Filtered, said: Said) -> WitnessAnswer {
    let body = match said {
        Said::Whole(body) => body,
        // A list is never missing.
        Said::NotThere => return WitnessAnswer::CannotSay("Graph does not know the list (404)".to_owned()),
        Said::Nothing(why) => return WitnessAnswer::CannotSay(why),
    };
    let rows = body.get("value").and_then(Value::as_array).map(Vec::as_slice);
    let further = body.get("@odata.nextLink").is_some();
    match rows {
        Some(rows)
            if rows.iter().any(|row| text_of(row, "id").is_some_and(|id| question.principal.is(id))) =>
        {
            WitnessAnswer::Present
        }
        Some([]) if !further => WitnessAnswer::Absent("the filter does not select it".into()),
        _ => WitnessAnswer::CannotSay(
            "Graph answered the filter with something else than was asked for".to_owned(),
        ),
    }
}
