//! The second question before a removal (P2; graph.md 5.14, 6.6 R5): asked in batches, answered with care.
//!
//! | absent from | question | confirms | does not |
//! |---|---|---|---|
//! | an application | the principal's own `appRoleAssignments` | no row of its own, and none through a group that it is still in | a row |
//! | a group | `checkMemberGroups`; where it says yes, the direct groups | not named; or only through a nested group | a direct membership |
//! | a filtered list | the same filter and the id | an empty list | a row |
//! | the directory | the object, then the recycle bin | 404, then 200 or 404 | 200; a disabled account confirms a deactivation |
//!
//! Anything else (403, 5xx, another object, a body that cannot be read, a 404 that does not say what is missing)
//! confirms nothing. The text names the permission where one is missing.

mod assigned;
mod exists;
mod filtered;
mod member;

use serde_json::Value;

use super::batch::PartAnswer;
use super::door::Graph;
use super::door::segment;
use super::wire::Failure;
use crate::model::Container;
use crate::model::List;
use crate::model::SourceId;
use crate::model::WitnessAnswer;
use crate::model::WitnessQuestion;
use crate::scim::Kind;
use crate::sources::SourceError;

use assigned::Assigned;
use filtered::Filtered;
use member::Membership;

/// Codes of a 404 that mean the object and not the way to it (graph.md section 8).
const NOT_THERE: [&str; 3] = ["Request_ResourceNotFound", "itemNotFound", "Directory_ObjectNotFound"];

/// Who a question is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Principal {
    kind: Kind,
    id: SourceId,
}

/// The questions of one call by what they ask, each with its place.
#[derive(Default)]
struct Sorted {
    exists: Asked<Principal>,
    member: Asked<Membership>,
    assigned: Asked<Assigned>,
    filtered: Asked<Filtered>,
}

struct Asked<T> {
    places: Vec<usize>,
    questions: Vec<T>,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Asked { places: Vec::new(), questions: Vec::new() }
    }
}

impl<T> Asked<T> {
    fn push(&mut self, place: usize, question: T) {
        self.places.push(place);
        self.questions.push(question);
    }
}

/// In the order of the questions.
pub(super) async fn answers(
    graph: &Graph,
    questions: &[WitnessQuestion],
) -> Result<Vec<WitnessAnswer>, SourceError> {
    let sorted = Sorted::of(questions);
    // What is asked below is answered there; this is for a list that Graph does not keep.
    let mut answers = vec![WitnessAnswer::CannotSay("Graph keeps no such list".to_owned()); questions.len()];
    let heard = exists::answers(graph, &sorted.exists.questions).await;
    settle(&mut answers, &sorted.exists.places, heard)?;
    let heard = member::answers(graph, &sorted.member.questions).await;
    settle(&mut answers, &sorted.member.places, heard)?;
    let heard = assigned::answers(graph, &sorted.assigned.questions).await;
    settle(&mut answers, &sorted.assigned.places, heard)?;
    let heard = filtered::answers(graph, &sorted.filtered.questions).await;
    settle(&mut answers, &sorted.filtered.places, heard)?;
    Ok(answers)
}

/// An outage in the middle of the questions confirms nothing and holds only what was asked; what does not need a
/// witness goes on. A refused sign-in is for a person to mend, and ends the cycle.
fn settle(
    answers: &mut [WitnessAnswer],
    places: &[usize],
    heard: Result<Vec<WitnessAnswer>, SourceError>,
) -> Result<(), SourceError> {
    match heard {
        Ok(heard) => places.iter().zip(heard).for_each(|(place, answer)| answers[*place] = answer),
        Err(error @ SourceError::Refused { .. }) => return Err(error),
        Err(error) => {
            let why = WitnessAnswer::CannotSay(error.to_string());
            places.iter().for_each(|place| answers[*place] = why.clone());
        }
    }
    Ok(())
}

impl Sorted {
    fn of(questions: &[WitnessQuestion]) -> Sorted {
        let mut sorted = Sorted::default();
        for (place, question) in questions.iter().enumerate() {
            match question {
                WitnessQuestion::Exists { id, kind } => {
                    sorted.exists.push(place, Principal { kind: *kind, id: id.clone() });
                }
                WitnessQuestion::Held { container, principal, kind } => {
                    sorted.held(place, container, Principal { kind: *kind, id: principal.clone() });
                }
            }
        }
        sorted
    }

    fn held(&mut self, place: usize, container: &Container, principal: Principal) {
        let list = match container {
            Container::Group(group) => {
                return self.member.push(place, Membership { group: group.clone(), principal });
            }
            Container::App(id) => List::of(id),
        };
        match (list, principal.kind) {
            (List::App(app), _) => self.assigned.push(place, Assigned { app, principal }),
            (List::UserFilter(filter), Kind::User) | (List::GroupFilter(filter), Kind::Group) => {
                self.filtered.push(place, Filtered { filter, principal });
            }
            _ => {}
        }
    }
}

impl Principal {
    /// `/users/…`
    fn path(&self) -> String {
        format!("{}/{}", collection(self.kind), segment(&self.id.0))
    }

    /// Whether an object is this one; ids are compared without case (graph.md section 4).
    fn is(&self, id: &str) -> bool {
        self.id.0.eq_ignore_ascii_case(id)
    }
}

fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "/users",
        Kind::Group => "/groups",
    }
}

/// What one part of a batch lets one say.
#[derive(Debug, PartialEq)]
enum Said {
    Whole(Value),
    /// The object is not there, and Graph says so.
    NotThere,
    /// Nothing can be concluded; the text says why.
    Nothing(String),
}

/// `permission` is what the question needs (graph.md 2.9).
fn said(answer: PartAnswer, permission: &str) -> Said {
    match answer.status {
        200 => Said::Whole(answer.body),
        404 if names_the_missing(&answer.body) => Said::NotThere,
        404 => Said::Nothing("Graph answered 404 without saying what is missing".to_owned()),
        status @ (401 | 403) => Said::Nothing(format!(
            "Graph refuses the question ({status}); it needs the application permission {permission}"
        )),
        status => Said::Nothing(format!("Graph answered {status}")),
    }
}

fn names_the_missing(body: &Value) -> bool {
    let failure = Failure::of(body);
    NOT_THERE.iter().any(|code| failure.says(code))
}

fn text_of<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, code: &str) -> PartAnswer {
        PartAnswer { status, body: json!({"error": {"code": code}}) }
    }

    /// 403, 5xx and odd answers never confirm.
    #[test]
    fn only_a_404_that_names_the_object_says_that_it_is_not_there() {
        for code in ["Request_ResourceNotFound", "ITEMNOTFOUND", "Directory_ObjectNotFound"] {
            assert_eq!(said(answer(404, code), "X"), Said::NotThere, "{code}");
        }
        let nothing = |text: &str| Said::Nothing(text.to_owned());
        let unclear = "Graph answered 404 without saying what is missing";
        assert_eq!(said(answer(404, "UnknownError"), "X"), nothing(unclear));
        assert_eq!(said(PartAnswer { status: 404, body: Value::Null }, "X"), nothing(unclear));
        assert_eq!(
            said(answer(403, "Authorization_RequestDenied"), "User.Read.All"),
            nothing("Graph refuses the question (403); it needs the application permission User.Read.All")
        );
        for status in [204, 302, 400, 429, 500, 503] {
            assert_eq!(
                said(answer(status, "Request_ResourceNotFound"), "X"),
                nothing(&format!("Graph answered {status}"))
            );
        }
    }
}
