//! What a token may do: its rights, and the attributes that it may not write (SCIM reference, section 14: S4).

use serde_json::Map;
use serde_json::Value;

use crate::scim::Error;
use crate::scim::Incoming;
use crate::scim::Patch;
use crate::scim::Path;
use crate::scim::ResourceType;
use crate::store::Resource;
use crate::store::Rights;
use crate::store::Token;

/// What is done to resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// Refuses what the rights do not cover, and names the right that is missing.
pub fn require(rights: Rights, kind: ResourceType, access: Access) -> Result<(), Error> {
    let (given, right) = match (kind, access) {
        (ResourceType::User | ResourceType::Group, Access::Read) => (rights.read, "read"),
        (ResourceType::User, Access::Write) => (rights.write_users, "users:write"),
        (ResourceType::Group, Access::Write) => (rights.write_groups, "groups:write"),
        (ResourceType::Grant, Access::Read) => (rights.read_grants, "grants:read"),
        (ResourceType::Grant, Access::Write) => (rights.write_grants, "grants:write"),
    };
    match given {
        true => Ok(()),
        false => Err(Error::new(403, format!("this token may not do that: it lacks the right {right}"))),
    }
}

/// The types that a token may read.
pub fn readable(rights: Rights) -> Vec<ResourceType> {
    let may = |kind: &ResourceType| require(rights, *kind, Access::Read).is_ok();
    ResourceType::ALL.into_iter().filter(may).collect()
}

/// The attributes that a token may not write.
pub struct Denied(Vec<Path>);

impl Denied {
    pub fn of(token: &Token) -> Denied {
        Denied(token.denied.iter().filter_map(|path| Path::parse(path).ok()).collect())
    }

    /// A new resource that has one of them.
    pub fn check_new(&self, incoming: &Incoming) -> Result<(), Error> {
        let sent = |path: &&Path| match is_members(path) {
            true => !incoming.members.is_empty(),
            false => at(&incoming.body, path).is_some(),
        };
        self.0.iter().find(sent).map_or(Ok(()), |path| Err(refused(path)))
    }

    /// A PATCH that touches one of them.
    pub fn check_patch(&self, patch: &Patch) -> Result<(), Error> {
        let touched = |denied: &&Path| patch.paths().any(|path| overlap(path, denied));
        self.0.iter().find(touched).map_or(Ok(()), |path| Err(refused(path)))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn names_members(&self) -> bool {
        self.0.iter().any(is_members)
    }

    /// A replacement leaves them as they are: clients send back what they were shown, or nothing. A value that
    /// differs is refused.
    pub fn keep(&self, incoming: &mut Incoming, current: &Resource) -> Result<(), Error> {
        self.0.iter().try_for_each(|path| match is_members(path) {
            true => keep_members(incoming, current, path),
            false => keep_value(&mut incoming.body, &current.body, path),
        })
    }
}

fn keep_members(incoming: &mut Incoming, current: &Resource, path: &Path) -> Result<(), Error> {
    let kept: Vec<_> = current.related.iter().map(|member| member.id.clone()).collect();
    let same = |sent: &[_]| sent.len() == kept.len() && sent.iter().all(|id| kept.contains(id));
    if !incoming.members.is_empty() && !same(&incoming.members) {
        return Err(refused(path));
    }
    incoming.members = kept;
    Ok(())
}

fn keep_value(body: &mut Value, current: &Value, path: &Path) -> Result<(), Error> {
    match (at(body, path), at(current, path)) {
        (Some(sent), kept) if kept != Some(sent) => Err(refused(path)),
        (None, Some(kept)) => {
            place(body, path, kept.clone());
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What a path names in a body that is kept. Of a list the whole is meant: its elements have no identity.
fn at<'a>(body: &'a Value, path: &Path) -> Option<&'a Value> {
    let root = match &path.urn {
        Some(urn) => body.get(urn)?,
        None => body,
    };
    if path.is_extension() {
        return Some(root);
    }
    let value = root.get(&path.name)?;
    match &path.sub {
        Some(sub) if value.is_object() => value.get(sub),
        _ => Some(value),
    }
}

fn place(body: &mut Value, path: &Path, kept: Value) {
    let Some(root) = body.as_object_mut() else { return };
    let parts = [path.urn.as_deref(), Some(path.name.as_str()).filter(|name| !name.is_empty())];
    // A list is kept whole, so there is no way down into it.
    let sub = path.sub.as_deref().filter(|_| path.top().is_none_or(|top| !top.multi_valued));
    let mut names = parts.into_iter().flatten().chain(sub).peekable();
    let mut table: &mut Map<String, Value> = root;
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            table.insert(name.to_owned(), kept);
            return;
        }
        let below = table.entry(name.to_owned()).or_insert_with(|| Value::Object(Map::new()));
        let Some(next) = below.as_object_mut() else { return };
        table = next;
    }
}

fn is_members(path: &Path) -> bool {
    path.urn.is_none() && path.name == "members"
}

fn overlap(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| path.is_extension();
    let subs = match (&one.sub, &other.sub) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    one.urn == other.urn && (whole(one) || whole(other) || (one.name == other.name && subs))
}

fn refused(path: &Path) -> Error {
    Error::new(403, format!("this token may not write {path}"))
}
