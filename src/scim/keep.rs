//! What a write may not change: immutable values, and what a replacement cannot know (RFC 7643 section 2.2).
//!
//! | mutability | PUT | PATCH |
//! |---|---|---|
//! | readWrite | replaced; what is not sent is unassigned | applied |
//! | immutable | set if there is none yet; else the same value, or not sent | set if there is none yet; else the same |
//! | writeOnly | replaced if sent, else kept: nobody can send back what is never shown | applied |

use serde_json::Map;
use serde_json::Value;

use super::Error;
use super::Incoming;
use super::ResourceType;
use super::ScimType;
use super::same::same_by_rule;
use super::schema;
use super::schema::Definition;
use super::schema::Mutability;

impl Incoming {
    /// The body after a PUT over what is kept (RFC 7644 section 3.5.1).
    pub fn replacing(self, kind: ResourceType, kept: &Value) -> Result<Value, Error> {
        let (Value::Object(mut new), Value::Object(old)) = (self.body, kept) else {
            return Err(Error::new(500, "a resource is not an object"));
        };
        over(schema::core(kind).attributes, &mut new, old)?;
        for extension in schema::extensions(kind) {
            let Some(Value::Object(old)) = old.get(extension.urn) else { continue };
            let mut members = match new.remove(extension.urn) {
                Some(Value::Object(members)) => members,
                _ => Map::new(),
            };
            over(extension.attributes, &mut members, old)?;
            if !members.is_empty() {
                new.insert(extension.urn.to_owned(), Value::Object(members));
            }
        }
        Ok(Value::Object(new))
    }
}

fn over(
    definitions: &'static [Definition],
    new: &mut Map<String, Value>,
    old: &Map<String, Value>,
) -> Result<(), Error> {
    for definition in definitions {
        let Some(before) = old.get(definition.name) else { continue };
        let sent = new.remove(definition.name);
        let after = match definition.mutability {
            Mutability::Immutable | Mutability::WriteOnly => sent.or_else(|| Some(before.clone())),
            Mutability::ReadOnly | Mutability::ReadWrite => {
                sent.map(|sent| completed(definition, sent, before))
            }
        };
        if let Some(after) = keeps(definition, Some(before.clone()), after)? {
            new.insert(definition.name.to_owned(), after);
        }
    }
    Ok(())
}

/// A complex value with the immutable parts that were not sent again.
fn completed(definition: &Definition, sent: Value, before: &Value) -> Value {
    match sent {
        Value::Object(mut members) => {
            for sub in definition.sub.iter().filter(|sub| sub.mutability == Mutability::Immutable) {
                if let (false, Some(old)) = (members.contains_key(sub.name), before.get(sub.name)) {
                    members.insert(sub.name.to_owned(), old.clone());
                }
            }
            Value::Object(members)
        }
        other => other,
    }
}

/// The value after a change, where that may be: what is immutable stays, in its spelling.
pub(super) fn keeps(
    definition: &'static Definition,
    before: Option<Value>,
    after: Option<Value>,
) -> Result<Option<Value>, Error> {
    let refused =
        |name: &str| Error::bad(ScimType::Mutability, format!("{name} was set once and cannot be changed"));
    if definition.mutability == Mutability::Immutable {
        return match (before, after) {
            (Some(before), Some(after)) if same_by_rule(definition, &before, &after) => Ok(Some(before)),
            (Some(_), _) => Err(refused(definition.name)),
            (None, after) => Ok(after),
        };
    }
    let mut after = after;
    for sub in definition.sub.iter().filter(|sub| sub.mutability == Mutability::Immutable) {
        let Some(old) = before.as_ref().and_then(|before| before.get(sub.name)) else { continue };
        match after.as_mut().and_then(|after| after.get_mut(sub.name)) {
            Some(new) if same_by_rule(sub, old, new) => *new = old.clone(),
            _ => return Err(refused(&format!("{}.{}", definition.name, sub.name))),
        }
    }
    Ok(after)
}
