//! Adding to lists: an `add` of a PATCH, which takes nothing away (RFC 7644 section 3.5.2.1). Where the service takes no
//! PATCH, what it shows and what is new are sent together.

use serde_json::Value;

use super::Operation;
use super::Outcome;
use super::RemoteTarget;
use super::message;
use super::write::Sent;
use super::write::alone;
use crate::scim;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::profiles::Support;

impl RemoteTarget {
    /// Sets what is set, then adds: a request each. What is set may move the resource to another id.
    pub(super) async fn change_and_add(
        &self,
        operation: &Operation,
        kind: Kind,
        id: &ResourceId,
        set: &[(String, Value)],
        add: &[(String, Value)],
    ) -> Sent<Outcome> {
        let added: Vec<(String, Value)> =
            add.iter().filter(|(path, _)| self.known.profile.keeps(kind, path)).cloned().collect();
        if added.is_empty() || !set.is_empty() {
            let changed = self.change(operation, kind, id, set).await?;
            return match changed {
                Ok(Outcome::Done { id, .. }) if !added.is_empty() => {
                    self.add(operation, kind, &id, &added).await
                }
                other => Ok(other),
            };
        }
        self.add(operation, kind, id, &added).await
    }

    async fn add(
        &self,
        operation: &Operation,
        kind: Kind,
        id: &ResourceId,
        added: &[(String, Value)],
    ) -> Sent<Outcome> {
        if self.known.patches(kind) != Support::No {
            let body = message::additions(added, &self.known.profile);
            match self.send_patch(operation, kind, id, body).await? {
                Ok(answer) => return alone(self.patched(kind, id, &[], &answer).await),
                Err(failed) if !matches!(failed.status, 405 | 501) => return Ok(Err(failed)),
                Err(_) => {}
            }
        }
        let shown = match alone(self.get_one(kind, id).await)? {
            Ok(Some(found)) => scim::shown(&found.body, added.iter().map(|(path, _)| path)),
            Ok(None) => return Ok(Ok(Outcome::Missing)),
            Err(failed) => return Ok(Err(failed)),
        };
        let whole: Vec<(String, Value)> =
            added.iter().map(|(path, new)| (path.clone(), union(path, shown.get(path), new))).collect();
        self.change(operation, kind, id, &whole).await
    }
}

/// What is there, then what is not there yet.
fn union(path: &str, there: Option<&Value>, new: &Value) -> Value {
    let values = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    };
    let mut all = there.map(values).unwrap_or_default();
    for value in values(new) {
        if !all.iter().any(|is| scim::same_value(path, is, &value)) {
            all.push(value);
        }
    }
    Value::Array(all)
}
