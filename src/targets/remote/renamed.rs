//! Where a resource is, and what it shows, after a change. Some services make ids of names, so that a rename moves it (SCIM reference,
//! section 13).

use serde_json::Value;

use super::Lookup;
use super::Outcome;
use super::RemoteTarget;
use super::TargetError;
use super::answer;
use crate::client::Answer;
use crate::scim::Kind;
use crate::scim::ResourceId;

impl RemoteTarget {
    /// The outcome of a change that was accepted, under the id that the resource has now: as the answer shows it, else
    /// as it is read.
    pub(super) async fn patched(
        &self,
        kind: Kind,
        id: &ResourceId,
        set: &[(String, Value)],
        answer: &Answer,
    ) -> Result<Outcome, TargetError> {
        let shown = answer::json(&answer.body).and_then(|body| answer::resource(kind, body));
        let same = |found: &super::Found| found.id == *id;
        let Some(name) = name_of(kind, set) else {
            if let Some(found) = shown.filter(same) {
                return Ok(done(id, Some(found.body)));
            }
            // Without it nobody would see that the service made something else of what was sent (O6).
            let values = set.iter().any(|(path, _)| !path.eq_ignore_ascii_case("active"));
            let shown = if values { self.seen_after(kind, id).await? } else { None };
            return Ok(done(id, shown));
        };
        if let Some(found) = shown.filter(|found| same(found) || found.body[name.0].as_str() == Some(name.1))
        {
            return Ok(done(&found.id, Some(found.body)));
        }
        if let Some(found) = self.get_one(kind, id).await? {
            return Ok(done(id, Some(found.body)));
        }
        let lookup = Lookup { kind, path: name.0.to_owned(), value: name.1.to_owned() };
        match self.look_up(&lookup).await?.as_slice() {
            [found] => Ok(done(&found.id, Some(found.body.clone()))),
            _ => Ok(Outcome::Missing),
        }
    }
}

/// The name that a patch gives, with its attribute.
fn name_of(kind: Kind, set: &[(String, Value)]) -> Option<(&'static str, &str)> {
    let attribute = match kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    };
    let (_, value) = set.iter().find(|(path, _)| path.eq_ignore_ascii_case(attribute))?;
    Some((attribute, value.as_str()?))
}

fn done(id: &ResourceId, shown: Option<Value>) -> Outcome {
    Outcome::Done { id: id.clone(), shown }
}
