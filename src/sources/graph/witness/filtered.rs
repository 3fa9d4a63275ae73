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
use crate::sources::graph::filter;

pub(super) struct Filtered {
    pub(super) filter: String,
    pub(super) principal: Principal,
}

/// In the order of the questions.
pub(super) async fn answers(graph: &Graph, asked: &[Filtered]) -> Result<Vec<WitnessAnswer>, SourceError> {
    // A filter that was cut into pieces (too many alternatives) selects whom one of them selects.
    let pieces: Vec<(usize, String)> = asked
        .iter()
        .enumerate()
        .flat_map(|(at, question)| filter::pieces(&question.filter).into_iter().map(move |piece| (at, piece)))
        .collect();
    let part = |(at, piece): &(usize, String), advanced| part(&asked[*at], piece, advanced);
    let plain = pieces.iter().map(|piece| part(piece, filter::is_advanced(&asked[piece.0].filter)));
    let mut heard = graph.batch(&plain.collect::<Vec<_>>()).await?;
    // What the plain form cannot answer is asked in the advanced one, as the list is.
    let refused: Vec<usize> = (0..heard.len()).filter(|at| heard[*at].status == 400).collect();
    let again: Vec<Part> = refused.iter().map(|at| part(&pieces[*at], true)).collect();
    for (at, answer) in refused.into_iter().zip(graph.batch(&again).await?) {
        heard[at] = answer;
    }
    let mut answers = vec![absent(); asked.len()];
    for ((at, _), answer) in pieces.iter().zip(heard) {
        let question = &asked[*at];
        let judged = judge(question, said(answer, question.permission()));
        // A piece that shows the principal says all; one that says nothing says it for the others.
        if judged == WitnessAnswer::Present || answers[*at] == absent() {
            answers[*at] = judged;
        }
    }
    Ok(answers)
}

fn absent() -> WitnessAnswer {
    WitnessAnswer::Absent("the filter does not select it".into())
}

fn part(question: &Filtered, piece: &str, advanced: bool) -> Part {
    let id = question.principal.id.0.replace('\'', "''");
    let filter = segment(&format!("({piece}) and id eq '{id}'"));
    let address = format!("{}?$filter={filter}&$select=id&$top=1", collection(question.principal.kind));
    if advanced {
        return Part::get(format!("{address}&$count=true")).header("ConsistencyLevel", "eventual");
    }
    Part::get(address)
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
        Some([]) if !further => absent(),
        _ => WitnessAnswer::CannotSay(
            "Graph answered the filter with something else than was asked for".to_owned(),
        ),
    }
}
