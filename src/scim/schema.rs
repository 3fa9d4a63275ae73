//! What is known of an attribute: type, case rule, mutability (RFC 7643 section 7). The tables are in `tables`.

use super::Path;
use super::ResourceType;
use super::tables;

/// One attribute or sub-attribute, with the characteristics of RFC 7643 section 2.2.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    pub name: &'static str,
    pub form: Form,
    pub multi_valued: bool,
    pub required: bool,
    pub case_exact: bool,
    pub mutability: Mutability,
    pub returned: Returned,
    /// Unique within the service.
    pub unique: bool,
    /// Suggestions only; other values are kept as they come.
    pub canonical: &'static [&'static str],
    pub refers_to: &'static [&'static str],
    pub sub: &'static [Definition],
}

impl Definition {
    pub fn sub(&self, name: &str) -> Option<&'static Definition> {
        self.sub.iter().find(|sub| sub.name.eq_ignore_ascii_case(name))
    }

    /// A complex attribute that its `value` can stand for (RFC 7644 section 3.4.2.2).
    pub fn has_value(&self) -> bool {
        self.sub("value").is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Boolean,
    DateTime,
    Binary,
    Reference,
    Complex,
}

impl Form {
    /// The word of RFC 7643 section 2.3.
    pub fn word(self) -> &'static str {
        match self {
            Form::Text => "string",
            Form::Boolean => "boolean",
            Form::DateTime => "dateTime",
            Form::Binary => "binary",
            Form::Reference => "reference",
            Form::Complex => "complex",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

impl Mutability {
    pub fn word(self) -> &'static str {
        match self {
            Mutability::ReadOnly => "readOnly",
            Mutability::ReadWrite => "readWrite",
            Mutability::Immutable => "immutable",
            Mutability::WriteOnly => "writeOnly",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    Always,
    Default,
    Never,
}

impl Returned {
    pub fn word(self) -> &'static str {
        match self {
            Returned::Always => "always",
            Returned::Default => "default",
            Returned::Never => "never",
        }
    }
}

/// A schema: its URN and its attributes.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema {
    pub urn: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub attributes: &'static [Definition],
}

impl Schema {
    pub fn attribute(&self, name: &str) -> Option<&'static Definition> {
        self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }
}

/// All schemas, in the order of discovery.
pub fn schemas() -> [&'static Schema; 4] {
    [&tables::USER, &tables::GROUP, &tables::ENTERPRISE_USER, &tables::GRANT]
}

/// The core schema of a resource type.
pub fn core(kind: ResourceType) -> &'static Schema {
    match kind {
        ResourceType::User => &tables::USER,
        ResourceType::Group => &tables::GROUP,
        ResourceType::Grant => &tables::GRANT,
    }
}

/// The extensions of a resource type.
pub fn extensions(kind: ResourceType) -> &'static [&'static Schema] {
    match kind {
        ResourceType::User => &tables::USER_EXTENSIONS,
        ResourceType::Group | ResourceType::Grant => &[],
    }
}

/// An extension by its URN, in any spelling.
pub fn extension(kind: ResourceType, urn: &str) -> Option<&'static Schema> {
    extensions(kind).iter().find(|schema| schema.urn.eq_ignore_ascii_case(urn)).copied()
}

/// A top-level attribute of a resource type, the common ones (RFC 7643 section 3.1) included.
pub fn attribute(kind: ResourceType, name: &str) -> Option<&'static Definition> {
    common(name).or_else(|| core(kind).attribute(name))
}

/// `id`, `externalId`, `meta` and `schemas`.
pub fn common(name: &str) -> Option<&'static Definition> {
    tables::COMMON.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// The definition of what a path names, for this resource type: of the sub-attribute where it names one.
pub fn definition(kind: ResourceType, path: &Path) -> Option<&'static Definition> {
    let top = top(kind, path)?;
    match &path.sub {
        Some(sub) => top.sub(sub),
        None => Some(top),
    }
}

/// The definition of the attribute that a path begins with, for this resource type.
pub fn top(kind: ResourceType, path: &Path) -> Option<&'static Definition> {
    match &path.urn {
        Some(urn) => extension(kind, urn)?.attribute(&path.name),
        None => attribute(kind, &path.name),
    }
}

/// As `top`, where the resource type is not known: names that both types have mean the same in both.
pub(super) fn any_top(urn: Option<&str>, name: &str) -> Option<&'static Definition> {
    match urn {
        Some(urn) => extension(ResourceType::User, urn)?.attribute(name),
        None => attribute(ResourceType::User, name).or_else(|| attribute(ResourceType::Group, name)),
    }
}
