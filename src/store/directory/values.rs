//! What a path names in a row, as SQL: a column, a member of the body, elements of a list, the other ends of memberships.

use super::condition::Condition;
use crate::scim::Path;
use crate::scim::ResourceType;
use crate::scim::schema;
use crate::scim::schema::Definition;
use crate::scim::schema::Form;
use crate::scim::type_name;

/// The values that a path names. NULL stands for "no" and "nothing" in all of it.
pub(super) struct Values {
    /// Where each value is a row: a FROM clause and its WHERE. Else there is one value at most.
    pub rows: Option<String>,
    /// In which order the rows are to be looked at for sorting: the primary one first.
    pub order: &'static str,
    /// The value itself; of a complex one its `value` (RFC 7644 section 3.4.2.2).
    pub simple: String,
    /// Neither null nor empty (RFC 7643 section 2.5).
    pub present: String,
}

impl Values {
    fn none() -> Values {
        Values { rows: None, order: "", simple: "NULL".to_owned(), present: "FALSE".to_owned() }
    }

    fn one(simple: String) -> Values {
        let present = format!("{simple} <> ''");
        Values { rows: None, order: "", simple, present }
    }

    /// Whether `condition` holds for any of the values.
    pub fn any(&self, condition: &str) -> String {
        match &self.rows {
            Some(rows) => format!("EXISTS (SELECT 1 FROM {rows} AND {condition})"),
            None => format!("({condition})"),
        }
    }

    /// The value that a list is sorted by: the primary one, else the first (section 3.4.2.3).
    pub fn first(&self) -> String {
        match &self.rows {
            Some(rows) => format!("(SELECT {} FROM {rows} ORDER BY {} LIMIT 1)", self.simple, self.order),
            None => self.simple.clone(),
        }
    }
}

impl Condition {
    /// The values of a path in the row of `resources`.
    pub(super) fn values(&mut self, path: &Path) -> Values {
        let Some(top) = schema::top(self.kind, path) else { return Values::none() };
        let known_sub = |sub: &String| top.sub(sub).is_some() || is_itself(top, sub);
        if path.sub.as_ref().is_some_and(|sub| !known_sub(sub)) {
            return Values::none();
        }
        match (path.urn.as_deref(), top.name, self.kind) {
            (None, "id", _) => Values::one("resources.id".to_owned()),
            (None, "externalId", _) => Values::one("resources.external_id".to_owned()),
            (None, "meta", _) => self.meta(path),
            (None, "schemas", _) => self.schemas(path),
            (None, "members", ResourceType::Group) => self.related(path, "team", "member"),
            (None, "groups", ResourceType::User) => self.related(path, "member", "team"),
            _ => self.in_body(path, top),
        }
    }

    /// The sub-attribute of the element that the brackets look at.
    pub(super) fn element_values(&mut self, path: &Path) -> Values {
        let (Some(top), Some(sub)) = (schema::top(self.kind, path), path.sub.as_deref()) else {
            return Values::none();
        };
        match (path.urn.as_deref(), top.name, self.kind) {
            (None, "members", ResourceType::Group) | (None, "groups", ResourceType::User) => {
                Values::one(self.related_cell(sub))
            }
            _ => self.sub_of_element(top, sub, None),
        }
    }

    fn meta(&mut self, path: &Path) -> Values {
        let simple = match path.sub.as_deref() {
            Some("resourceType") => self.bind(type_name(self.kind).to_owned()),
            Some("created") => "rosterd_time(resources.created)".to_owned(),
            Some("lastModified") => "rosterd_time(resources.modified)".to_owned(),
            Some("version") => "('W/\"' || resources.version || '\"')".to_owned(),
            Some("location") => {
                format!("({} || '/' || resources.id)", self.bind(self.kind.endpoint().to_owned()))
            }
            _ => return Values { present: "TRUE".to_owned(), ..Values::none() },
        };
        Values::one(simple)
    }

    /// The core schema and the extensions in use (RFC 7643 section 3.3).
    fn schemas(&mut self, path: &Path) -> Values {
        let core = self.bind(schema::core(self.kind).urn.to_owned());
        let each = format!(
            "(SELECT {core} AS atom, 0 AS key UNION ALL
              SELECT key, 1 FROM json_each(resources.body) WHERE instr(key, ':') > 0) AS e"
        );
        self.rows(path, each, "e.key", "e.atom".to_owned(), "e.atom <> ''".to_owned())
    }

    fn rows(
        &mut self,
        path: &Path,
        each: String,
        order: &'static str,
        simple: String,
        present: String,
    ) -> Values {
        let chosen = match path.select.as_deref() {
            Some(select) => format!("({})", self.inside(select)),
            None => "TRUE".to_owned(),
        };
        Values { rows: Some(format!("{each} WHERE {chosen}")), order, simple, present }
    }

    /// Memberships: `near` is the side of this row, `far` the other one. An id is looked for, never the list read.
    fn related(&mut self, path: &Path, near: &str, far: &str) -> Values {
        let each = format!(
            "members AS m JOIN resources AS r ON r.n = m.{far} AND r.workspace = ?1 AND m.{near} = resources.n"
        );
        let cell = self.related_cell(path.sub.as_deref().unwrap_or("value"));
        let present = format!("{cell} <> ''");
        self.rows(path, each, "r.n", cell, present)
    }

    fn related_cell(&mut self, sub: &str) -> String {
        let named = "coalesce(json_extract(r.body, '$.displayName'), json_extract(r.body, '$.userName'))";
        let by_kind = |user: &str, group: &str| format!("iif(r.kind = 'user', '{user}', '{group}')");
        match (sub, self.kind) {
            ("value", _) => "r.id".to_owned(),
            ("display", _) => named.to_owned(),
            ("type", ResourceType::User) => "'direct'".to_owned(),
            ("type", _) => by_kind("User", "Group"),
            ("$ref", _) => format!("({} || r.id)", by_kind("/Users/", "/Groups/")),
            _ => "NULL".to_owned(),
        }
    }

    fn in_body(&mut self, path: &Path, top: &'static Definition) -> Values {
        let place = json_path(path.urn.as_deref(), top.name);
        let complex = top.form == Form::Complex;
        if !top.multi_valued && path.select.is_none() {
            return self.single(path, top, place);
        }
        let at = self.bind(place);
        let each = match top.multi_valued || !complex {
            true => format!("json_each(resources.body, {at}) AS e"),
            // The one complex value, as a row: `json_each` would take it apart.
            false => format!(
                "(SELECT json_type(resources.body, {at}) AS type, json_extract(resources.body, {at}) AS value,
                   0 AS key WHERE json_type(resources.body, {at}) = 'object') AS e"
            ),
        };
        let order = if complex { "json_extract(e.value, '$.primary') IS TRUE DESC, e.key" } else { "e.key" };
        let Values { simple, present, .. } = match &path.sub {
            Some(sub) => self.sub_of_element(top, sub, None),
            None if complex => {
                let filled = "EXISTS (SELECT 1 FROM json_tree(iif(e.type = 'object', e.value, NULL)) AS t WHERE t.atom <> '')";
                self.sub_of_element(top, "value", Some(filled.to_owned()))
            }
            None => Values::one("e.atom".to_owned()),
        };
        self.rows(path, each, order, simple, present)
    }

    fn single(&mut self, path: &Path, top: &'static Definition, place: String) -> Values {
        let sub = path.sub.as_ref().and_then(|sub| top.sub(sub));
        match (sub, top.form) {
            (Some(sub), _) => {
                let at = self.bind(format!("{place}.\"{}\"", sub.name));
                Values::one(format!("json_extract(resources.body, {at})"))
            }
            (None, Form::Complex) => {
                let at = self.bind(place.clone());
                let present =
                    format!("EXISTS (SELECT 1 FROM json_tree(resources.body, {at}) AS t WHERE t.atom <> '')");
                let simple = match top.has_value() {
                    true => format!("json_extract(resources.body, {})", self.bind(format!("{place}.value"))),
                    false => "NULL".to_owned(),
                };
                Values { rows: None, order: "", simple, present }
            }
            (None, _) => Values::one(format!("json_extract(resources.body, {})", self.bind(place))),
        }
    }

    /// A sub-attribute of the element `e`; the `value` of a simple element is the element itself.
    fn sub_of_element(&mut self, top: &'static Definition, sub: &str, present: Option<String>) -> Values {
        let simple = match top.sub(sub) {
            Some(sub) => {
                let at = self.bind(format!("$.\"{}\"", sub.name));
                format!("json_extract(iif(e.type = 'object', e.value, NULL), {at})")
            }
            None if is_itself(top, sub) => "e.atom".to_owned(),
            None => "NULL".to_owned(),
        };
        let present = present.unwrap_or_else(|| format!("{simple} <> ''"));
        Values { simple, present, ..Values::none() }
    }
}

/// RFC 7644 errata 7122.
fn is_itself(top: &Definition, sub: &str) -> bool {
    top.form != Form::Complex && sub == "value"
}

/// In SQLite's notation; names come from the schemas, URNs and all.
fn json_path(urn: Option<&str>, name: &str) -> String {
    match urn {
        Some(urn) => format!("$.\"{urn}\".\"{name}\""),
        None => format!("$.\"{name}\""),
    }
}
