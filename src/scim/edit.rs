//! Carrying a PATCH out on a resource's JSON, by the table of RFC 7644 section 3.5.2.
//!
//! | target | add | replace | remove |
//! |---|---|---|---|
//! | single value | set | set | unassign |
//! | complex value | merge | merge | unassign |
//! | list | append what is not there | the whole list | unassign |
//! | `a[f]` | merge into the matches | each match becomes the value | delete the matches |
//! | `a[f].b`, `a.b` | set in each | set in each | unassign in each |
//!
//! Where `a[f]` matches nothing the tolerant dialect makes the element that `f` describes.

use serde_json::Map;
use serde_json::Value;

use super::Dialect;
use super::Error;
use super::Path;
use super::ResourceId;
use super::ScimType;
use super::elements::join;
use super::elements::leave;
use super::elements::one_primary;
use super::filter::Compare;
use super::filter::Filter;
use super::intake::Intake;
use super::intake::is_dropped;
use super::intake::is_members;
use super::intake::require_all;
use super::keep::keeps;
use super::patch::MembersEdit;
use super::patch::Op;
use super::patch::Patch;
use super::patch::Step;
use super::resource::demanded;
use super::schema;
use super::schema::Definition;

impl Patch {
    /// Changes the resource as it is kept (see `Incoming`), and gives back what is to be done to its members,
    /// in order. All operations or none: an error leaves `body` as it was.
    pub fn apply(&self, body: &mut Value) -> Result<Vec<MembersEdit>, Error> {
        let mut members = Vec::new();
        let mut root =
            body.as_object().cloned().ok_or_else(|| Error::new(500, "the resource is not an object"))?;
        for step in &self.steps {
            match self.members_edit(step)? {
                Some(edit) => members.push(edit),
                None => self.edit(&mut root, step)?,
            }
        }
        require_all(self.kind, &root)?;
        *body = Value::Object(root);
        Ok(members)
    }

    fn edit(&self, root: &mut Map<String, Value>, step: &Step) -> Result<(), Error> {
        let Some(urn) = &step.path.urn else { return self.edit_within(root, step) };
        if step.path.is_extension() {
            root.remove(urn);
            return Ok(());
        }
        let mut extension = match root.remove(urn) {
            Some(Value::Object(extension)) => extension,
            _ => Map::new(),
        };
        self.edit_within(&mut extension, step)?;
        if !extension.is_empty() {
            root.insert(urn.clone(), Value::Object(extension));
        }
        Ok(())
    }

    fn edit_within(&self, root: &mut Map<String, Value>, step: &Step) -> Result<(), Error> {
        let top = schema::top(self.kind, &step.path).ok_or_else(|| {
            Error::bad(ScimType::InvalidPath, format!("{} is no attribute", step.path.name))
        })?;
        if is_dropped(top) {
            return Ok(());
        }
        let before = root.remove(top.name);
        let after = match top.multi_valued {
            true => self.list_after(top, before.clone(), step)?,
            false => self.single_after(top, before.clone(), step)?,
        };
        let after = after.filter(|after| !is_empty(after));
        if let Some(after) = keeps(top, before, after)? {
            root.insert(top.name.to_owned(), after);
        }
        Ok(())
    }

    fn single_after(
        &self,
        top: &'static Definition,
        before: Option<Value>,
        step: &Step,
    ) -> Result<Option<Value>, Error> {
        let object = |before| match before {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        };
        match (&step.path.sub, step.op) {
            (None, Op::Remove) => Ok(None),
            (None, _) => match self.intake().attribute(top, &step.value)? {
                Some(Value::Object(given)) => Ok(Some(merged(object(before), given, &step.value))),
                other => Ok(other),
            },
            (Some(sub), _) => {
                let mut object = object(before);
                self.set_sub(top, &mut object, sub, step)?;
                Ok(Some(Value::Object(object)))
            }
        }
    }

    fn list_after(
        &self,
        top: &'static Definition,
        before: Option<Value>,
        step: &Step,
    ) -> Result<Option<Value>, Error> {
        let mut elements = match before {
            Some(Value::Array(elements)) => elements,
            _ => Vec::new(),
        };
        let primaries: Vec<bool> = elements.iter().map(|element| element["primary"] == true).collect();
        match (&step.path.select, &step.path.sub, step.op) {
            (None, None, Op::Remove) if step.value.is_null() => return Ok(None),
            // Entra removes by a list of values; it never means the whole list.
            (None, None, Op::Remove) => {
                leave(top, &mut elements, &self.elements(top, step)?);
            }
            (None, None, Op::Replace) => elements = self.elements(top, step)?,
            (None, None, Op::Add) => join(top, &mut elements, self.elements(top, step)?),
            (Some(select), None, Op::Remove) => elements.retain(|element| !select.matches_element(element)),
            (_, _, Op::Remove) => self.each_match(top, &mut elements, step, Unmatched::Leave)?,
            _ => self.each_match(top, &mut elements, step, Unmatched::Make)?,
        }
        let whole = step.path.select.is_none() && step.path.sub.is_none() && step.op == Op::Replace;
        one_primary(&mut elements, if whole { &[] } else { &primaries });
        elements.retain(|element| !is_empty(element));
        // A change may have made two elements one (RFC 7643 section 2.4).
        let mut distinct = Vec::with_capacity(elements.len());
        join(top, &mut distinct, elements);
        Ok(Some(Value::Array(distinct)))
    }

    fn elements(&self, top: &'static Definition, step: &Step) -> Result<Vec<Value>, Error> {
        let sent = match &step.value {
            Value::Array(sent) => sent.as_slice(),
            // One new value may be added by itself; what replaces a list is a list.
            _ if self.dialect == Dialect::Strict && step.op != Op::Add => {
                return Err(Error::bad(ScimType::InvalidValue, format!("{} is a list", top.name)));
            }
            single => std::slice::from_ref(single),
        };
        let mut intake = self.intake();
        let mut given = Vec::new();
        for sent in sent {
            given.extend(intake.element(top, sent)?);
        }
        let mut elements = Vec::new();
        join(top, &mut elements, given);
        Ok(elements)
    }

    fn intake(&self) -> Intake {
        Intake::new(self.dialect)
    }

    /// `a[f]`, `a[f].b` and `a.b`: the same change in each element that is meant.
    fn each_match(
        &self,
        top: &'static Definition,
        elements: &mut Vec<Value>,
        step: &Step,
        unmatched: Unmatched,
    ) -> Result<(), Error> {
        let select = step.path.select.as_deref();
        let meant = |element: &Value| select.is_none_or(|select| select.matches_element(element));
        if !elements.iter().any(meant) {
            let described = select.filter(|select| self.is_known(select)).and_then(demanded);
            match (unmatched, described) {
                (Unmatched::Leave, _) => return Ok(()),
                (Unmatched::Make, Some(described)) if self.dialect == Dialect::Tolerant => {
                    elements.push(made(top, described));
                }
                (Unmatched::Make, _) => {
                    let detail = format!("no element of {} is meant by the path", top.name);
                    return Err(Error::bad(ScimType::NoTarget, detail));
                }
            }
        }
        for found in elements.iter_mut().filter(|element| meant(element)) {
            let before = std::mem::take(found);
            *found =
                keeps(top, Some(before.clone()), Some(self.changed(top, before, step)?))?.unwrap_or_default();
        }
        Ok(())
    }

    /// One element after the change; null where it is gone.
    fn changed(&self, top: &'static Definition, element: Value, step: &Step) -> Result<Value, Error> {
        match (element, &step.path.sub) {
            (Value::Object(mut object), Some(sub)) => {
                self.set_sub(top, &mut object, sub, step)?;
                Ok(Value::Object(object))
            }
            (Value::Object(object), None) => self.new_element(top, object, step).map(Value::Object),
            // What is called the `value` of a simple element is the element.
            (_, _) if step.op == Op::Remove => Ok(Value::Null),
            (_, _) => Ok(self.intake().element(top, &step.value)?.unwrap_or_default()),
        }
    }

    /// Whether a filter names sub-attributes that the schema has, so that an element can be made from it.
    fn is_known(&self, select: &Filter) -> bool {
        let mut known = true;
        select.each_term(&mut |term| {
            if let Filter::Compare { path, .. } | Filter::Present(path) = term {
                known &= schema::definition(self.kind, path).is_some();
            }
        });
        known
    }

    fn set_sub(
        &self,
        top: &'static Definition,
        object: &mut Map<String, Value>,
        sub: &str,
        step: &Step,
    ) -> Result<(), Error> {
        let sub = top
            .sub(sub)
            .ok_or_else(|| Error::bad(ScimType::InvalidPath, format!("{} has no {sub}", top.name)))?;
        let value = match step.op {
            Op::Remove => None,
            Op::Add | Op::Replace => self.intake().attribute(sub, &step.value)?,
        };
        match value {
            Some(value) => object.insert(sub.name.to_owned(), value),
            None => object.remove(sub.name),
        };
        Ok(())
    }

    /// A replaced element keeps what the brackets said of it, so that its type survives.
    fn new_element(
        &self,
        top: &'static Definition,
        before: Map<String, Value>,
        step: &Step,
    ) -> Result<Map<String, Value>, Error> {
        let Some(Value::Object(given)) = self.intake().element(top, &step.value)? else {
            let detail = format!("an element of {} is an object", top.name);
            return Err(Error::bad(ScimType::InvalidValue, detail));
        };
        let mut element = match step.op {
            Op::Replace => step.path.select.as_deref().and_then(demanded).unwrap_or_default(),
            Op::Add | Op::Remove => before,
        };
        element.extend(given);
        Ok(element)
    }

    /// Members are kept as rows; what is said of them becomes edits of rows.
    fn members_edit(&self, step: &Step) -> Result<Option<MembersEdit>, Error> {
        let path = &step.path;
        let top = schema::top(self.kind, path).filter(|top| is_members(self.kind, top));
        let Some(members) = top else { return Ok(None) };
        if path.sub.is_some() || (path.select.is_some() && step.op != Op::Remove) {
            return Err(Error::bad(ScimType::Mutability, "a member can be added and removed, not changed"));
        }
        let edit = match (step.op, &path.select) {
            (Op::Add, _) => MembersEdit::Add(self.intake().member_ids(members, &step.value)?),
            (Op::Replace, _) => MembersEdit::Replace(self.intake().member_ids(members, &step.value)?),
            (Op::Remove, Some(select)) => match only_value(select) {
                Some(id) => MembersEdit::Remove(vec![id]),
                None => MembersEdit::RemoveWhere((**select).clone()),
            },
            (Op::Remove, None) if step.value.is_null() => MembersEdit::Replace(Vec::new()),
            (Op::Remove, None) => MembersEdit::Remove(self.intake().member_ids(members, &step.value)?),
        };
        Ok(Some(edit))
    }
}

/// What to do where a path means no element.
#[derive(Clone, Copy)]
enum Unmatched {
    Leave,
    Make,
}

/// The element that a filter describes.
fn made(top: &Definition, mut described: Map<String, Value>) -> Value {
    match top.is_simple_list() {
        true => described.remove("value").unwrap_or_default(),
        false => Value::Object(described),
    }
}

/// The id in `[value eq "id"]`.
fn only_value(select: &Filter) -> Option<ResourceId> {
    match select {
        Filter::Compare { path: Path { sub: Some(sub), .. }, op: Compare::Eq, value: Value::String(id) }
            if sub == "value" =>
        {
            Some(ResourceId(id.clone()))
        }
        _ => None,
    }
}

/// Sub-attributes that were not sent stay; those sent as null go (section 3.5.2.3).
fn merged(mut object: Map<String, Value>, given: Map<String, Value>, sent: &Value) -> Value {
    let cleared = sent.as_object().into_iter().flatten();
    for (name, _) in cleared.filter(|(_, value)| value.is_null() || **value == "") {
        object.retain(|known, _| !known.eq_ignore_ascii_case(name));
    }
    object.extend(given);
    Value::Object(object)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
