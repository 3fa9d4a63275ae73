//! What a PATCH does to the members of a group, read off its operations.

use serde_json::Value;

use super::filter::Filter;
use super::filter::parts;
use super::refusal::Done;
use super::refusal::Refusal;

/// One operation on members.
pub enum Change {
    Add(Vec<String>),
    Replace(Vec<String>),
    /// By a path that selects one.
    Remove(String),
    /// By the path `members`, with a list.
    RemoveListed(Vec<String>),
    Clear,
}

impl Change {
    /// How many members it names.
    pub fn named(&self) -> usize {
        match self {
            Change::Add(ids) | Change::Replace(ids) | Change::RemoveListed(ids) => ids.len(),
            Change::Remove(_) => 1,
            Change::Clear => 0,
        }
    }
}

/// What an operation does to members; `None` where it is about something else.
pub fn change(operation: &Value) -> Option<Done<Change>> {
    let path = operation["path"].as_str()?;
    let (list, select, _) = parts(path);
    (list == "members").then(|| read(operation, select))
}

fn read(operation: &Value, select: Option<&str>) -> Done<Change> {
    let value = operation.get("value");
    match (operation["op"].as_str(), select, value) {
        (Some("add"), None, Some(value)) => Ok(Change::Add(ids(value)?)),
        (Some("replace"), None, Some(value)) => Ok(Change::Replace(ids(value)?)),
        (Some("remove"), None, Some(value)) => Ok(Change::RemoveListed(ids(value)?)),
        (Some("remove"), None, None) => Ok(Change::Clear),
        (Some("remove"), Some(select), None) => selected(select),
        _ => Err(Refusal::invalid_value("operation on members that is none")),
    }
}

fn selected(select: &str) -> Done<Change> {
    match Filter::read(select)? {
        Filter::Compare(path, operator, Value::String(id)) if path == "value" && operator == "eq" => {
            Ok(Change::Remove(id))
        }
        _ => Err(Refusal::invalid_value("filter on members that is none")),
    }
}

/// The ids of a list of members.
pub fn ids(value: &Value) -> Done<Vec<String>> {
    let bad = || Refusal::invalid_value("list of members that is none");
    let list = value.as_array().ok_or_else(bad)?;
    list.iter().map(|member| member["value"].as_str().map(str::to_owned).ok_or_else(bad)).collect()
}
