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
use super::filter::Compare;
use super::filter::Filter;
use super::intake::attribute_value;
use super::intake::element;
use super::intake::is_members;
use super::intake::member_ids;
use super::intake::require_all;
use super::intake::same_element;
use super::patch::MembersEdit;
use super::patch::Op;
use super::patch::Patch;
use super::patch::Step;
use super::resource::demanded;
use super::schema;
use super::schema::Definition;
use super::schema::Mutability;

impl Patch {
    /// Changes the resource as it is kept (see `Incoming`), and gives back what is to be done to its members,
    /// in order. An error leaves `body` half changed: the caller throws it away.
    pub fn apply(&self, body: &mut Value) -> Result<Vec<MembersEdit>, Error> {
        let mut members = Vec::new();
        let root = body.as_object_mut().ok_or_else(|| Error::new(500, "the resource is not an object"))?;
        for step in &self.steps {
            match self.members_edit(step)? {
                Some(edit) => members.push(edit),
                None => self.edit(root, step)?,
            }
        }
        require_all(self.kind, root)?;
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
        // A password is taken and dropped: nobody here could check it.
        if top.mutability == Mutability::WriteOnly {
            return Ok(());
        }
        let before = root.remove(top.name);
        let after = match top.multi_valued {
            true => self.list_after(top, before, step)?,
            false => self.single_after(top, before, step)?,
        };
        if let Some(after) = after.filter(|after| !is_empty(after)) {
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
            (None, _) => match attribute_value(top, &step.value, self.dialect)? {
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
                let named = self.elements(top, &step.value)?;
                elements.retain(|element| !named.iter().any(|named| removes(named, element)));
            }
            (None, None, Op::Replace) => elements = self.elements(top, &step.value)?,
            (None, None, Op::Add) => {
                self.elements(top, &step.value)?.into_iter().for_each(|value| append(&mut elements, value));
            }
            (Some(select), None, Op::Remove) => elements.retain(|element| !select.matches_element(element)),
            (_, _, Op::Remove) => self.each_match(top, &mut elements, step, Unmatched::Leave)?,
            _ => self.each_match(top, &mut elements, step, Unmatched::Make)?,
        }
        let whole = step.path.select.is_none() && step.path.sub.is_none() && step.op == Op::Replace;
        one_primary(&mut elements, if whole { &[] } else { &primaries });
        elements.retain(|element| !is_empty(element));
        Ok(Some(Value::Array(elements)))
    }

    fn elements(&self, top: &'static Definition, value: &Value) -> Result<Vec<Value>, Error> {
        let sent = match value {
            Value::Array(sent) => sent.as_slice(),
            _ if self.dialect == Dialect::Strict => {
                return Err(Error::bad(ScimType::InvalidValue, format!("{} is a list", top.name)));
            }
            single => std::slice::from_ref(single),
        };
        let mut elements = Vec::new();
        for sent in sent {
            if let Some(value) = element(top, sent, self.dialect)? {
                append(&mut elements, value);
            }
        }
        Ok(elements)
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
            match (unmatched, select.and_then(demanded)) {
                (Unmatched::Leave, _) => return Ok(()),
                (Unmatched::Make, Some(described)) if self.dialect == Dialect::Tolerant => {
                    elements.push(Value::Object(described));
                }
                (Unmatched::Make, _) => {
                    let detail = format!("no element of {} is meant by the path", top.name);
                    return Err(Error::bad(ScimType::NoTarget, detail));
                }
            }
        }
        for found in elements.iter_mut().filter(|element| meant(element)) {
            let Some(object) = found.as_object_mut() else { continue };
            match &step.path.sub {
                Some(sub) => self.set_sub(top, object, sub, step)?,
                None => self.set_element(top, object, select, step)?,
            }
        }
        Ok(())
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
            Op::Add | Op::Replace => attribute_value(sub, &step.value, self.dialect)?,
        };
        match value {
            Some(value) => object.insert(sub.name.to_owned(), value),
            None => object.remove(sub.name),
        };
        Ok(())
    }

    /// A replaced element keeps what the brackets said of it, so that its type survives.
    fn set_element(
        &self,
        top: &'static Definition,
        object: &mut Map<String, Value>,
        select: Option<&Filter>,
        step: &Step,
    ) -> Result<(), Error> {
        let given = match element(top, &step.value, self.dialect)? {
            Some(Value::Object(given)) => given,
            _ => {
                return Err(Error::bad(
                    ScimType::InvalidValue,
                    format!("an element of {} is an object", top.name),
                ));
            }
        };
        if step.op == Op::Replace {
            *object = select.and_then(demanded).unwrap_or_default();
        }
        object.extend(given);
        Ok(())
    }

    /// Members are kept as rows; what is said of them becomes edits of rows.
    fn members_edit(&self, step: &Step) -> Result<Option<MembersEdit>, Error> {
        let path = &step.path;
        let members = schema::top(self.kind, path).is_some_and(|top| is_members(self.kind, top));
        if !members {
            return Ok(None);
        }
        if path.sub.is_some() || (path.select.is_some() && step.op != Op::Remove) {
            return Err(Error::bad(ScimType::Mutability, "a member can be added and removed, not changed"));
        }
        let edit = match (step.op, &path.select) {
            (Op::Add, _) => MembersEdit::Add(member_ids(&step.value, self.dialect)?),
            (Op::Replace, _) => MembersEdit::Replace(member_ids(&step.value, self.dialect)?),
            (Op::Remove, Some(select)) => match only_value(select) {
                Some(id) => MembersEdit::Remove(vec![id]),
                None => MembersEdit::RemoveWhere((**select).clone()),
            },
            (Op::Remove, None) if step.value.is_null() => MembersEdit::Replace(Vec::new()),
            (Op::Remove, None) => MembersEdit::Remove(member_ids(&step.value, self.dialect)?),
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

/// Adds an element that is not there; of one that is, what was sent with it is merged in.
fn append(elements: &mut Vec<Value>, value: Value) {
    let known = elements.iter_mut().find(|element| same_element(element, &value));
    match (known.and_then(Value::as_object_mut), value) {
        (Some(known), Value::Object(given)) => known.extend(given),
        (None, value) => elements.push(value),
        (Some(_), _) => {}
    }
}

/// A removal by value names elements by their value, and by their type where it says one.
fn removes(named: &Value, element: &Value) -> bool {
    match (named.get("value"), named.get("type")) {
        (Some(value), Some(kind)) => element.get("value") == Some(value) && element.get("type") == Some(kind),
        (Some(value), None) => element.get("value") == Some(value),
        _ => named == element,
    }
}

/// The newest primary element wins, and the others lose it (section 3.5.2).
fn one_primary(elements: &mut [Value], before: &[bool]) {
    let primary = |element: &Value| element["primary"] == true;
    let newest = (0..elements.len())
        .rev()
        .find(|at| primary(&elements[*at]) && !before.get(*at).copied().unwrap_or(false));
    let Some(newest) = newest else { return };
    for (at, element) in elements.iter_mut().enumerate() {
        if at != newest && primary(element) {
            element["primary"] = Value::Bool(false);
        }
    }
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
