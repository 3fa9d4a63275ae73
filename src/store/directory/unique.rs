//! What is unique besides userName: what the settings name, and attributes of extensions whose schema says so. Each value
//! is a row with a unique key, so that two writers cannot both have it (RFC 7643 section 7, `uniqueness`).

use std::collections::BTreeSet;

use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::params;
use serde_json::Value;

use super::write::Place;
use crate::scim::Error;
use crate::scim::ResourceType;
use crate::scim::fold;
use crate::scim::schema;
use crate::store::Policy;
use crate::store::Sql;
use crate::store::Unique;
use crate::store::values;

/// An attribute of which no two resources of a type may have the same value.
struct Rule {
    kind: ResourceType,
    /// The URN of an extension.
    urn: Option<&'static str>,
    name: &'static str,
    case_exact: bool,
}

/// Takes the unique values of a resource, and gives back those that it has no more; the error where another has one.
pub(super) fn claim(
    place: &Place<'_>,
    n: i64,
    kind: ResourceType,
    old: Option<&Value>,
    new: &Value,
) -> Sql<Option<Error>> {
    for rule in rules(place.policy).filter(|rule| rule.kind == kind) {
        let (before, after) = (old.map(|old| rule.keys(old)).unwrap_or_default(), rule.keys(new));
        let mut give_back = place.tx.prepare_cached(
            "DELETE FROM unique_values WHERE workspace = ?1 AND attribute = ?2 AND key = ?3 AND resource = ?4",
        )?;
        for key in before.difference(&after) {
            give_back.execute(params![place.workspace, rule.word(), key, n])?;
        }
        for key in after.difference(&before) {
            if !take(place.tx, place.workspace, &rule, key, n)? {
                return Ok(Some(Error::taken(rule.name)));
            }
        }
    }
    Ok(None)
}

/// Brings the rows up to date where the settings, or the schemas, have changed since the workspace was written last.
pub(super) fn follow_rules(place: &Place<'_>) -> Sql<()> {
    let now: Vec<String> = rules(place.policy).map(|rule| rule.word()).collect();
    let now = now.join(" ");
    let then: String = place
        .tx
        .prepare_cached("SELECT unique_by FROM workspaces WHERE id = ?1")?
        .query_row([place.workspace], |row| row.get(0))?;
    if then == now {
        return Ok(());
    }
    place.tx.execute("DELETE FROM unique_values WHERE workspace = ?1", [place.workspace])?;
    for rule in rules(place.policy) {
        let doubles = take_all(place.tx, place.workspace, &rule)?;
        if doubles > 0 {
            let (workspace, attribute) = (place.name, rule.word());
            tracing::warn!(
                workspace,
                attribute,
                doubles,
                "values that were double before it was unique stay so"
            );
        }
    }
    place.tx.execute("UPDATE workspaces SET unique_by = ?2 WHERE id = ?1", params![place.workspace, now])?;
    Ok(())
}

/// How many values another resource has already: the elder keeps them.
fn take_all(tx: &Transaction<'_>, workspace: i64, rule: &Rule) -> Sql<u64> {
    let mut statement =
        tx.prepare_cached("SELECT n, body FROM resources WHERE workspace = ?1 AND kind = ?2 ORDER BY n")?;
    let mut rows = statement.query(params![workspace, rule.kind.word()])?;
    let mut doubles = 0;
    while let Some(row) = rows.next()? {
        let (n, body): (i64, Value) = (row.get(0)?, values::parsed(row, 1)?);
        for key in rule.keys(&body) {
            doubles += u64::from(!take(tx, workspace, rule, &key, n)?);
        }
    }
    Ok(doubles)
}

/// Whether nobody else has the value.
fn take(tx: &Transaction<'_>, workspace: i64, rule: &Rule, key: &str, n: i64) -> Sql<bool> {
    let known: Option<i64> = tx
        .prepare_cached(
            "SELECT resource FROM unique_values WHERE workspace = ?1 AND attribute = ?2 AND key = ?3",
        )?
        .query_row(params![workspace, rule.word(), key], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known == n);
    }
    tx.prepare_cached(
        "INSERT INTO unique_values (workspace, attribute, key, resource) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![workspace, rule.word(), key, n])?;
    Ok(true)
}

fn rules(policy: &Policy) -> impl Iterator<Item = Rule> {
    let set = |unique: &Unique| {
        let (kind, name) = match unique {
            Unique::ExternalId => (ResourceType::User, "externalId"),
            Unique::Emails => (ResourceType::User, "emails"),
            Unique::TeamName => (ResourceType::Group, "displayName"),
        };
        // The settings ask for it as userName is unique, whatever the attribute's own case rule.
        Rule { kind, urn: None, name, case_exact: false }
    };
    // userName has an index of its own.
    let of_schemas = ResourceType::ALL.into_iter().flat_map(|kind| {
        schema::unique(kind).filter_map(move |(urn, attribute)| {
            let (name, case_exact) = (attribute.name, attribute.case_exact);
            urn.map(|urn| Rule { kind, urn: Some(urn), name, case_exact })
        })
    });
    let of_settings: Vec<Rule> = policy.unique.iter().map(set).collect();
    of_settings.into_iter().chain(of_schemas)
}

impl Rule {
    /// `user.externalId`, `user.urn:…:User:badge`: what the state knows it by.
    fn word(&self) -> String {
        let urn = self.urn.map(|urn| format!("{urn}:")).unwrap_or_default();
        format!("{}.{urn}{}", self.kind.word(), self.name)
    }

    /// The values of a resource, as they are compared.
    fn keys(&self, body: &Value) -> BTreeSet<String> {
        let root = self.urn.map_or(body, |urn| &body[urn]);
        let found = &root[self.name];
        let elements = found.as_array().map_or_else(|| std::slice::from_ref(found), Vec::as_slice);
        let text = |element: &Value| {
            let value = if element.is_object() { &element["value"] } else { element };
            match value {
                Value::String(text) if self.case_exact => Some(text.clone()),
                Value::String(text) => Some(fold(text)),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            }
        };
        elements.iter().filter_map(text).filter(|key| !key.is_empty()).collect()
    }
}
