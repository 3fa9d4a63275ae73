//! Reading a PATCH (RFC 7644 section 3.5.2): its operations as steps, each with one path. `edit` carries them out.

use serde_json::Map;
use serde_json::Value;

use super::Dialect;
use super::Error;
use super::Path;
use super::ResourceId;
use super::ResourceType;
use super::ScimType;
use super::filter::Filter;
use super::filter::member;
use super::intake::no_twins;
use super::schema;
use super::schema::Definition;
use super::schema::Mutability;

/// More in one request come from nobody who means well.
pub const OPERATIONS_MAX: usize = 1000;

/// A PATCH that was understood; what it does depends on the resource.
#[derive(Clone, PartialEq)]
pub struct Patch {
    pub(super) kind: ResourceType,
    pub(super) dialect: Dialect,
    pub(super) steps: Vec<Step>,
    ignored: u64,
}

/// Shows paths only (P11).
impl std::fmt::Debug for Patch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths = self.steps.iter().map(|step| format!("{:?} {}", step.op, step.path.name));
        f.debug_list().entries(paths).finish()
    }
}

#[derive(Clone, PartialEq)]
pub(super) struct Step {
    pub op: Op,
    pub path: Path,
    /// Null means "unassigned" or, in a removal, "all of it".
    pub value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Replace,
    Remove,
}

/// What a PATCH does to the members of a group: kept apart, because the cost follows the request and not the
/// group.
#[derive(Clone, Debug, PartialEq)]
pub enum MembersEdit {
    Add(Vec<ResourceId>),
    Remove(Vec<ResourceId>),
    /// All for which the filter of the brackets holds.
    RemoveWhere(Filter),
    /// Exactly these.
    Replace(Vec<ResourceId>),
}

impl Patch {
    /// Reads the body of a PATCH request, of `OPERATIONS_MAX` operations at most.
    pub fn read(kind: ResourceType, dialect: Dialect, sent: &Value) -> Result<Patch, Error> {
        Patch::read_up_to(kind, dialect, sent, OPERATIONS_MAX)
    }

    /// As `read`; more than `operations_max` operations are a 413.
    pub fn read_up_to(
        kind: ResourceType,
        dialect: Dialect,
        sent: &Value,
        operations_max: usize,
    ) -> Result<Patch, Error> {
        let mut patch = Patch { kind, dialect, steps: Vec::new(), ignored: 0 };
        for operation in operations(dialect, sent, operations_max)? {
            patch.take(operation)?;
        }
        Ok(patch)
    }

    /// One `replace` for each value; null unassigns. Attributes that a workspace does not keep are left out.
    pub fn of_values(kind: ResourceType, values: &[(String, Value)]) -> Result<Patch, Error> {
        let mut patch = Patch { kind, dialect: Dialect::Tolerant, steps: Vec::new(), ignored: 0 };
        for (name, value) in values {
            patch.take_member(Op::Replace, name, value)?;
        }
        Ok(patch)
    }

    /// One `add` more for each value.
    pub fn adding(mut self, values: &[(String, Value)]) -> Result<Patch, Error> {
        for (name, value) in values {
            self.take_member(Op::Add, name, value)?;
        }
        Ok(self)
    }

    pub fn kind(&self) -> ResourceType {
        self.kind
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many names nobody knows and were left out (tolerant dialect only).
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// What it writes, in order; for who may not write everything, and for what an answer shows on request alone.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.steps.iter().map(|step| &step.path)
    }

    fn take(&mut self, operation: &Value) -> Result<(), Error> {
        no_twins(operation.as_object().ok_or_else(|| syntax("an operation is not an object"))?)?;
        let op = op(operation)?;
        let value = member(operation, "value");
        let path = match member(operation, "path") {
            None | Some(Value::Null) => "",
            Some(Value::String(path)) => path.trim(),
            Some(_) => return Err(Error::bad(ScimType::InvalidPath, "a path is a text")),
        };
        if op != Op::Remove && value.is_none() {
            return Err(Error::bad(ScimType::InvalidValue, "an operation has no value"));
        }
        let value = value.unwrap_or(&Value::Null);
        match (op, path) {
            (Op::Remove, "") => Err(Error::bad(ScimType::NoTarget, "a removal has no path")),
            (_, "") => self.take_members(op, value),
            _ => self.take_path(op, path, value),
        }
    }

    /// Without a path every member of the value is one (section 3.5.2.1); their order cannot matter.
    fn take_members(&mut self, op: Op, value: &Value) -> Result<(), Error> {
        let members = value
            .as_object()
            .ok_or_else(|| Error::bad(ScimType::InvalidValue, "without a path the value is an object"))?;
        no_twins(members)?;
        members.iter().try_for_each(|(name, value)| self.take_member(op, name, value))
    }

    /// Clients send back what they were shown: what is read-only, or unknown, is no reason to refuse the rest.
    fn take_member(&mut self, op: Op, name: &str, value: &Value) -> Result<(), Error> {
        let path = self.path(name)?;
        if path.is_extension() {
            return self.take_extension(op, &path, value);
        }
        let strict = self.dialect == Dialect::Strict;
        if strict && (path.sub.is_some() || path.select.is_some()) {
            return Err(Error::bad(ScimType::InvalidPath, "without a path the value names whole attributes"));
        }
        let unknown = schema::definition(self.kind, &path).is_none();
        if !strict && (unknown || read_only(self.kind, &path)) {
            self.ignored += u64::from(unknown);
            return Ok(());
        }
        self.push(op, path, value)
    }

    fn take_extension(&mut self, op: Op, path: &Path, value: &Value) -> Result<(), Error> {
        let urn = path.urn.as_deref().unwrap_or_default();
        let known = schema::extension(self.kind, urn).is_some();
        match value {
            Value::Object(members) => {
                no_twins(members)?;
                // Some clients put `schemas` into an extension too; as that of the resource, it follows.
                let mut named = members.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("schemas"));
                let take =
                    |(name, value): (&String, &Value)| self.take_member(op, &format!("{urn}:{name}"), value);
                named.try_for_each(take)
            }
            Value::Null if known && op != Op::Add => self.push_known(Op::Remove, path.clone(), &Value::Null),
            _ if !known && self.dialect == Dialect::Tolerant => {
                self.ignored += 1;
                Ok(())
            }
            _ => Err(Error::bad(ScimType::InvalidValue, "the value of an extension is an object")),
        }
    }

    fn take_path(&mut self, op: Op, text: &str, value: &Value) -> Result<(), Error> {
        let path = self.path(text)?;
        if path.is_extension() {
            return self.take_extension(op, &path, value);
        }
        self.push(op, path, value)
    }

    /// A problem behind the first bracket is one of the filter.
    fn path(&self, text: &str) -> Result<Path, Error> {
        Path::parse(text).map_err(|problem| {
            let bracket = text.chars().position(|letter| letter == '[');
            match bracket.is_some_and(|bracket| problem.at > bracket + 1) {
                true => Error::filter(&problem),
                false => Error::bad(ScimType::InvalidPath, format!("the path: {problem}")),
            }
        })
    }

    fn push(&mut self, op: Op, path: Path, value: &Value) -> Result<(), Error> {
        let unknown = || Error::bad(ScimType::InvalidPath, format!("{} is no attribute", path.name));
        let top = schema::top(self.kind, &path).ok_or_else(unknown)?;
        schema::definition(self.kind, &path).ok_or_else(unknown)?;
        // It follows from what is assigned (RFC 7643 section 3), so to write it changes nothing.
        if path.urn.is_none() && path.name == "schemas" {
            return Ok(());
        }
        if read_only(self.kind, &path) {
            return Err(Error::bad(ScimType::Mutability, format!("{} cannot be written", path.name)));
        }
        if let Some(select) = &path.select {
            if !top.multi_valued {
                return Err(Error::bad(ScimType::InvalidPath, format!("{} is not a list", path.name)));
            }
            select.check(self.kind, self.dialect)?;
        }
        self.push_known(op, path, value)
    }

    fn push_known(&mut self, op: Op, path: Path, value: &Value) -> Result<(), Error> {
        let strict = self.dialect == Dialect::Strict;
        let nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        let (op, value) = match op {
            Op::Remove if strict && !value.is_null() => {
                return Err(Error::bad(ScimType::InvalidValue, "a removal has no value"));
            }
            Op::Add if nothing && strict => {
                return Err(Error::bad(ScimType::InvalidValue, "nothing cannot be added"));
            }
            Op::Add if nothing => return Ok(()),
            // Null and [] are "unassigned" (RFC 7643 section 2.5).
            Op::Replace if nothing => (Op::Remove, Value::Null),
            // An empty text clears, and never makes an element to clear it.
            Op::Add | Op::Replace if !strict && value == "" && self.clears(&path) => {
                (Op::Remove, Value::Null)
            }
            op => (op, value.clone()),
        };
        if op == Op::Remove && path.select.is_none() && required(self.kind, &path) {
            return Err(Error::bad(ScimType::Mutability, format!("{} is required", path.name)));
        }
        self.steps.push(Step { op, path, value });
        Ok(())
    }

    /// Whether "" can mean "unassigned" there: not of a list as a whole, whose removal is another thing, and not
    /// of what is required.
    fn clears(&self, path: &Path) -> bool {
        let list = schema::top(self.kind, path).is_some_and(|top| top.multi_valued);
        (path.sub.is_some() || !list) && !required(self.kind, path)
    }
}

fn required(kind: ResourceType, path: &Path) -> bool {
    schema::definition(kind, path).is_some_and(|definition| definition.required)
}

fn read_only(kind: ResourceType, path: &Path) -> bool {
    let locked = |definition: Option<&Definition>| {
        definition.is_some_and(|definition| definition.mutability == Mutability::ReadOnly)
    };
    locked(schema::top(kind, path)) || locked(schema::definition(kind, path))
}

fn operations(dialect: Dialect, sent: &Value, most: usize) -> Result<&Vec<Value>, Error> {
    let body: &Map<String, Value> =
        sent.as_object().ok_or_else(|| syntax("the body is not a JSON object"))?;
    no_twins(body)?;
    let urn = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    let named = member(sent, "schemas").and_then(Value::as_array).is_some_and(|urns| {
        urns.iter().filter_map(Value::as_str).any(|known| known.eq_ignore_ascii_case(urn))
    });
    if dialect == Dialect::Strict && !named {
        return Err(syntax("schemas does not name PatchOp"));
    }
    let operations = body
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("Operations"))
        .and_then(|(_, operations)| operations.as_array())
        .filter(|operations| !operations.is_empty())
        .ok_or_else(|| syntax("Operations is missing or empty"))?;
    if operations.len() > most {
        return Err(Error::new(413, format!("more than {most} operations in one request")));
    }
    Ok(operations)
}

/// Entra writes them with a capital letter.
fn op(operation: &Value) -> Result<Op, Error> {
    let word = member(operation, "op").and_then(Value::as_str).unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "add" => Ok(Op::Add),
        "replace" => Ok(Op::Replace),
        "remove" => Ok(Op::Remove),
        _ => Err(syntax("op is add, replace or remove")),
    }
}

fn syntax(detail: &str) -> Error {
    Error::bad(ScimType::InvalidSyntax, detail)
}
