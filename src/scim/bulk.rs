//! Bulk (RFC 7644 section 3.7) as values: a request that was read, the steps to carry it out, the answer.
//!
//! The caller loops: it takes a step, carries it out in a transaction of its own, and hands the reply back.
//!
//! ```text
//! let mut run = Request::read(&body, operations_max)?.run();
//! while let Some(step) = run.next_step() {
//!     run.take(carry_out(&step));
//! }
//! run.response(base)
//! ```
//!
//! Who refers to what is made later in the request waits until it is made. Where two refer to each other the first
//! is made without its references, which a second step adds; if they cannot be added it is taken back, so that an
//! operation that failed left nothing behind.

mod order;
mod read;
mod references;
mod run;
#[cfg(test)]
mod tests;

pub use run::Run;

use serde_json::Value;

use super::Error;
use super::Meta;
use super::ResourceId;
use super::ResourceType;

/// A BulkRequest that was understood. What is wrong with one operation is kept for its answer; what is wrong with
/// the message refuses it whole.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// After so many failed operations the rest is left undone.
    errors_max: Option<u64>,
    operations: Vec<Operation>,
}

/// Shows methods only (P11).
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.operations.iter().map(|operation| operation.method.word())).finish()
    }
}

#[derive(Clone, PartialEq)]
struct Operation {
    method: Method,
    bulk_id: Option<String>,
    version: Option<String>,
    place: Result<Place, Error>,
    data: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    const ALL: [Method; 4] = [Method::Post, Method::Put, Method::Patch, Method::Delete];

    fn word(self) -> &'static str {
        match self {
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// Where an operation happens: of a POST the endpoint, else one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    kind: ResourceType,
    id: Option<Reference>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reference {
    Id(ResourceId),
    /// What the operation with this bulkId makes.
    BulkId(String),
}

/// One write, all references resolved.
#[derive(Clone, PartialEq)]
pub struct Step {
    pub kind: ResourceType,
    pub act: Act,
    /// A condition as in `If-Match` (RFC 7644 section 3.14).
    pub version: Option<String>,
}

/// Shows the kind and the act only (P11).
impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}", self.act, self.kind.word())
    }
}

/// What is written; `data` is the body that a request of its own would have.
#[derive(Clone, PartialEq)]
pub enum Act {
    Create { data: Value },
    Replace { id: ResourceId, data: Value },
    Patch { id: ResourceId, data: Value },
    Delete { id: ResourceId },
}

/// Shows ids only (P11).
impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Act::Create { .. } => f.write_str("create"),
            Act::Replace { id, .. } => write!(f, "replace {id}"),
            Act::Patch { id, .. } => write!(f, "patch {id}"),
            Act::Delete { id } => write!(f, "delete {id}"),
        }
    }
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It was created, replaced or patched and is now so.
    Kept(Meta),
    Deleted,
    Refused(Error),
}
