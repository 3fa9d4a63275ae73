//! A bulk request on its way: the next step, what became of it, and the answer in the end.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Act;
use super::Method;
use super::Operation;
use super::Reference;
use super::Reply;
use super::Request;
use super::Step;
use super::order::order;
use super::read::PREFIX;
use super::references::split_off;
use crate::scim::Error;
use crate::scim::Meta;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::ScimType;

impl Request {
    pub fn run(self) -> Run {
        let posts = self.operations.iter().filter(|operation| operation.method == Method::Post);
        Run {
            to_come: posts.filter_map(|operation| operation.bulk_id.clone()).collect(),
            ahead: order(&self.operations).into(),
            answers: vec![None; self.operations.len()],
            operations: self.operations,
            errors_max: self.errors_max.unwrap_or(u64::MAX),
            errors: 0,
            made: BTreeMap::new(),
            waiting: Vec::new(),
            undo: Vec::new(),
            open: None,
        }
    }
}

/// The state of a run: one step is open at a time.
pub struct Run {
    operations: Vec<Operation>,
    answers: Vec<Option<Answer>>,
    errors_max: u64,
    errors: u64,
    ahead: VecDeque<usize>,
    /// The bulkIds of what is still to be made.
    to_come: BTreeSet<String>,
    made: BTreeMap<String, ResourceId>,
    waiting: Vec<Waiting>,
    undo: Vec<Undo>,
    open: Option<Turn>,
}

/// What became of one operation.
type Answer = Result<Done, Error>;

#[derive(Clone)]
struct Done {
    status: u16,
    version: Option<String>,
}

/// Made, but without the references that could not be resolved yet.
struct Waiting {
    at: usize,
    kind: ResourceType,
    id: ResourceId,
    /// Operations of a PATCH.
    later: Vec<Value>,
    needs: Vec<String>,
}

/// What was made is taken back, for this reason; without one the operation counts as never tried.
struct Undo {
    at: usize,
    kind: ResourceType,
    id: ResourceId,
    reason: Option<Error>,
}

enum Turn {
    /// With what is left for later.
    Whole(usize, Vec<Value>),
    Rest(Waiting),
    Undo(Undo),
}

impl Run {
    /// What is to be done next; `None` when all is done, or enough has failed.
    pub fn next_step(&mut self) -> Option<Step> {
        loop {
            if self.undo.is_empty() {
                self.end_waiting();
            }
            if let Some(undo) = self.undo.pop() {
                let step = Step { kind: undo.kind, act: Act::Delete { id: undo.id.clone() }, version: None };
                self.open = Some(Turn::Undo(undo));
                return Some(step);
            }
            if let Some(at) = self.waiting.iter().position(|waiting| self.is_ready(waiting)) {
                let waiting = self.waiting.remove(at);
                let step = self.rest(&waiting);
                self.open = Some(Turn::Rest(waiting));
                return Some(step);
            }
            if self.enough() {
                return None;
            }
            let at = self.ahead.pop_front()?;
            match self.whole(at) {
                Ok((step, later)) => {
                    self.open = Some(Turn::Whole(at, later));
                    return Some(step);
                }
                Err(error) => self.refused(at, error),
            }
        }
    }

    /// Hands over what became of the step that was given last.
    pub fn take(&mut self, reply: Reply) {
        match (self.open.take(), reply) {
            (Some(Turn::Whole(at, later)), Reply::Kept(meta)) => self.kept(at, &meta, later),
            (Some(Turn::Whole(at, _)), Reply::Refused(error)) => self.refused(at, error),
            (Some(Turn::Rest(waiting)), Reply::Kept(meta)) => self.finished(waiting.at, &meta),
            (Some(Turn::Rest(waiting)), Reply::Refused(error)) => self.take_back(waiting, Some(error)),
            (Some(Turn::Undo(undo)), _) => self.undone(undo),
            (Some(Turn::Whole(at, _) | Turn::Rest(Waiting { at, .. })), Reply::Deleted) => {
                self.answer(at, Ok(Done { status: 204, version: None }));
            }
            (None, _) => {}
        }
    }

    /// The BulkResponse: what was tried, in the order of the request. `base` is the address of the service.
    pub fn response(&self, base: &str) -> Value {
        let tried = self.operations.iter().zip(&self.answers);
        let answers = tried.filter_map(|(operation, answer)| Some((operation, answer.as_ref()?)));
        let shown: Vec<Value> =
            answers.map(|(operation, answer)| self.shown(operation, answer, base)).collect();
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"], "Operations": shown })
    }

    fn enough(&self) -> bool {
        self.errors >= self.errors_max
    }

    /// The operation with its references resolved, and what of it has to wait.
    fn whole(&self, at: usize) -> Result<(Step, Vec<Value>), Error> {
        let mut operation = self.operations[at].clone();
        let place = operation.place.clone()?;
        let later = match operation.method {
            Method::Post => split_off(place.kind, &mut operation.data, &|id| self.to_come.contains(id)),
            Method::Put | Method::Patch | Method::Delete => Vec::new(),
        };
        self.resolve(&mut operation)?;
        let id = match place.id {
            None => None,
            Some(Reference::Id(id)) => Some(id),
            Some(Reference::BulkId(id)) => Some(self.resolved(&id)?),
        };
        let data = operation.data;
        let act = match (operation.method, id) {
            (Method::Put, Some(id)) => Act::Replace { id, data },
            (Method::Patch, Some(id)) => Act::Patch { id, data },
            (Method::Delete, Some(id)) => Act::Delete { id },
            (Method::Post, _) | (_, None) => Act::Create { data },
        };
        Ok((Step { kind: place.kind, act, version: operation.version }, later))
    }

    fn resolve(&self, operation: &mut Operation) -> Result<(), Error> {
        let mut problem = None;
        operation.each_reference(&mut |text| {
            let Some(id) = text.strip_prefix(PREFIX) else { return };
            match self.resolved(id) {
                Ok(id) => *text = id.0,
                Err(error) => problem = Some(error),
            }
        });
        problem.map_or(Ok(()), Err)
    }

    fn resolved(&self, bulk_id: &str) -> Result<ResourceId, Error> {
        if let Some(id) = self.made.get(bulk_id) {
            return Ok(id.clone());
        }
        let mut posts = self.operations.iter().filter(|operation| operation.method == Method::Post);
        Err(match posts.any(|operation| operation.bulk_id.as_deref() == Some(bulk_id)) {
            true => not_made(),
            false => Error::bad(ScimType::InvalidValue, "no POST of the request has the bulkId it refers to"),
        })
    }

    /// Adds what had to wait (section 3.7.1).
    fn rest(&self, waiting: &Waiting) -> Step {
        let data = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": waiting.later,
        });
        let mut operation = Operation { method: Method::Patch, data, ..self.operations[waiting.at].clone() };
        operation.each_reference(&mut |text| {
            if let Some(id) = text.strip_prefix(PREFIX).and_then(|id| self.made.get(id)) {
                *text = id.0.clone();
            }
        });
        let act = Act::Patch { id: waiting.id.clone(), data: operation.data };
        Step { kind: waiting.kind, act, version: None }
    }

    fn is_ready(&self, waiting: &Waiting) -> bool {
        waiting.needs.iter().all(|id| self.made.contains_key(id))
    }

    /// What waits for something that will never be made, or for nothing any more, is taken back.
    fn end_waiting(&mut self) {
        let enough = self.enough();
        let known = |id: &String| self.made.contains_key(id) || self.to_come.contains(id);
        let (hopeless, waiting): (Vec<Waiting>, Vec<Waiting>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| enough || !waiting.needs.iter().all(known));
        self.waiting = waiting;
        for waiting in hopeless {
            self.take_back(waiting, (!enough).then(not_made));
        }
    }

    fn take_back(&mut self, waiting: Waiting, reason: Option<Error>) {
        let Waiting { at, kind, id, .. } = waiting;
        self.undo.push(Undo { at, kind, id, reason });
    }

    fn undone(&mut self, undo: Undo) {
        if let Some(bulk_id) = &self.operations[undo.at].bulk_id {
            self.made.remove(bulk_id);
        }
        if let Some(reason) = undo.reason {
            self.refused(undo.at, reason);
        }
    }

    fn kept(&mut self, at: usize, meta: &Meta, later: Vec<Value>) {
        let operation = &self.operations[at];
        if let (Method::Post, Some(bulk_id)) = (operation.method, &operation.bulk_id) {
            self.to_come.remove(bulk_id);
            self.made.insert(bulk_id.clone(), meta.id.clone());
        }
        if later.is_empty() {
            return self.finished(at, meta);
        }
        let mut waiting = Waiting { at, kind: meta.kind, id: meta.id.clone(), later, needs: Vec::new() };
        let whole = operation.bulk_ids().into_iter();
        waiting.needs = whole.filter(|id| waiting.later.iter().any(|later| names(later, id))).collect();
        self.waiting.push(waiting);
    }

    fn finished(&mut self, at: usize, meta: &Meta) {
        let status = if self.operations[at].method == Method::Post { 201 } else { 200 };
        self.answer(at, Ok(Done { status, version: Some(meta.version_tag()) }));
    }

    fn refused(&mut self, at: usize, error: Error) {
        let operation = &self.operations[at];
        if let (Method::Post, Some(bulk_id)) = (operation.method, &operation.bulk_id) {
            self.to_come.remove(bulk_id);
        }
        self.errors += 1;
        self.answer(at, Err(error));
    }

    fn answer(&mut self, at: usize, answer: Answer) {
        self.answers[at] = Some(answer);
    }

    /// Of a POST that failed there is no location; every other operation has one (section 3.7).
    fn shown(&self, operation: &Operation, answer: &Answer, base: &str) -> Value {
        let mut shown = Map::new();
        let mut say = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        say("method", operation.method.word().into());
        if let Some(bulk_id) = &operation.bulk_id {
            say("bulkId", bulk_id.as_str().into());
        }
        if let Some((kind, id)) = self.place(operation) {
            say("location", format!("{base}{}/{id}", kind.endpoint()).into());
        }
        match answer {
            Ok(done) => {
                say("status", done.status.to_string().into());
                if let Some(version) = &done.version {
                    say("version", version.as_str().into());
                }
            }
            Err(error) => {
                say("status", error.status.to_string().into());
                say("response", error.body());
            }
        }
        Value::Object(shown)
    }

    fn place(&self, operation: &Operation) -> Option<(ResourceType, ResourceId)> {
        let place = operation.place.as_ref().ok()?;
        let id = match (&place.id, &operation.bulk_id) {
            (Some(Reference::Id(id)), _) => id,
            (Some(Reference::BulkId(bulk_id)), _) | (None, Some(bulk_id)) => self.made.get(bulk_id)?,
            (None, None) => return None,
        };
        Some((place.kind, id.clone()))
    }
}

/// Whether an operation that adds references names this one.
fn names(later: &Value, bulk_id: &str) -> bool {
    let is_it = |value: &Value| {
        let text = value.get("value").unwrap_or(value).as_str();
        text.and_then(|text| text.strip_prefix(PREFIX)) == Some(bulk_id)
    };
    let Some(value) = later.get("value") else { return false };
    value.as_array().map_or_else(|| is_it(value), |elements| elements.iter().any(is_it))
}

fn not_made() -> Error {
    Error::new(409, "what a bulkId refers to was not made")
}
