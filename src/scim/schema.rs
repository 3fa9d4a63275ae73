//! What is known of an attribute: type, case rule, mutability (RFC 7643 section 7). The tables are in `tables`;
//! extensions of an operator's own are read from files and registered.

mod read;
mod registry;

pub use read::Problem;
pub use read::read;
pub use registry::Conflict;
pub use registry::extensions;
pub use registry::register;
pub use registry::schemas;

use super::Path;
use super::ResourceType;
use super::tables;

/// One attribute or sub-attribute, with the characteristics of RFC 7643 section 2.2.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    pub name: &'static str,
    /// For people; may be empty.
    pub description: &'static str,
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

    /// Whose form and case rule decide a comparison: of a complex attribute those of its `value`.
    pub fn deciding(&'static self) -> &'static Definition {
        self.sub("value").unwrap_or(self)
    }

    /// A list of simple values: what is called `value` of it is an element itself (RFC 7644 errata 7122).
    pub fn is_simple_list(&self) -> bool {
        self.multi_valued && self.form != Form::Complex
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Boolean,
    Integer,
    Decimal,
    DateTime,
    Binary,
    Reference,
    Complex,
}

impl Form {
    const ALL: [Form; 8] = [
        Form::Text,
        Form::Boolean,
        Form::Integer,
        Form::Decimal,
        Form::DateTime,
        Form::Binary,
        Form::Reference,
        Form::Complex,
    ];

    /// The word of RFC 7643 section 2.3.
    pub fn word(self) -> &'static str {
        match self {
            Form::Text => "string",
            Form::Boolean => "boolean",
            Form::Integer => "integer",
            Form::Decimal => "decimal",
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
    const ALL: [Mutability; 4] =
        [Mutability::ReadOnly, Mutability::ReadWrite, Mutability::Immutable, Mutability::WriteOnly];

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
    /// Only where it is asked for, or after a write that named it.
    Request,
    Never,
}

impl Returned {
    const ALL: [Returned; 4] = [Returned::Always, Returned::Default, Returned::Request, Returned::Never];

    pub fn word(self) -> &'static str {
        match self {
            Returned::Always => "always",
            Returned::Default => "default",
            Returned::Request => "request",
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

/// The core schema of a resource type.
pub fn core(kind: ResourceType) -> &'static Schema {
    match kind {
        ResourceType::User => &tables::USER,
        ResourceType::Group => &tables::GROUP,
        ResourceType::Grant => &tables::GRANT,
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

/// What every resource has (RFC 7643 section 3.1).
pub(super) const COMMON: &[Definition] = &tables::COMMON;

/// `id`, `externalId`, `meta` and `schemas`.
pub fn common(name: &str) -> Option<&'static Definition> {
    tables::COMMON.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// The definition of what a path names, for this resource type: of the sub-attribute where it names one.
pub fn definition(kind: ResourceType, path: &Path) -> Option<&'static Definition> {
    let top = top(kind, path)?;
    match &path.sub {
        Some(sub) => sub_of(top, sub),
        None => Some(top),
    }
}

/// A sub-attribute; the `value` of a list of simple values is the attribute itself.
pub(super) fn sub_of(top: &'static Definition, sub: &str) -> Option<&'static Definition> {
    top.sub(sub).or((top.is_simple_list() && sub.eq_ignore_ascii_case("value")).then_some(top))
}

/// The attributes of a resource type that are unique in the service, each with the URN of its extension.
pub fn unique(kind: ResourceType) -> impl Iterator<Item = (Option<&'static str>, &'static Definition)> {
    let of = |urn, schema: &'static Schema| schema.attributes.iter().map(move |definition| (urn, definition));
    let extensions = extensions(kind).iter().flat_map(move |schema| of(Some(schema.urn), schema));
    of(None, core(kind)).chain(extensions).filter(|(_, definition)| definition.unique)
}

/// The definition of the attribute that a path begins with, for this resource type.
pub fn top(kind: ResourceType, path: &Path) -> Option<&'static Definition> {
    match &path.urn {
        Some(urn) => extension(kind, urn)?.attribute(&path.name),
        None => attribute(kind, &path.name),
    }
}

/// As `top`, where the resource type is not known: a name that several types have means the same in all of them,
/// and so does a URN.
pub(super) fn any_top(urn: Option<&str>, name: &str) -> Option<&'static Definition> {
    let mut kinds = ResourceType::ALL.into_iter();
    match urn {
        Some(urn) => kinds.find_map(|kind| extension(kind, urn))?.attribute(name),
        None => kinds.find_map(|kind| attribute(kind, name)),
    }
}
