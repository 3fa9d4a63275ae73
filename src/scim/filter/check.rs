//! Whether a filter makes sense for a resource type: known attributes, operators and values that fit the type.

use serde_json::Value;

use super::Compare;
use super::Filter;
use crate::scim::Dialect;
use crate::scim::Error;
use crate::scim::ResourceType;
use crate::scim::ScimType;
use crate::scim::form::instant;
use crate::scim::schema;
use crate::scim::schema::Definition;
use crate::scim::schema::Form;
use crate::scim::schema::Returned;

impl Filter {
    /// Refuses what the schema forbids (RFC 7644 section 3.4.2.2). The tolerant dialect lets an attribute that
    /// nobody knows have no value, and a boolean be written as text.
    pub fn check(&self, kind: ResourceType, dialect: Dialect) -> Result<(), Error> {
        let unknown = match dialect {
            Dialect::Strict => Unknown::Refused,
            Dialect::Tolerant => Unknown::NoValue,
        };
        self.check_terms(kind, dialect, unknown)
    }

    /// As `check`, for a query over several resource types: what one of them does not have has no value there
    /// (RFC 7644 section 3.4.2.1).
    pub fn check_all(&self, kinds: &[ResourceType], dialect: Dialect) -> Result<(), Error> {
        kinds.iter().try_for_each(|kind| self.check_terms(*kind, dialect, Unknown::NoValue))
    }

    fn check_terms(&self, kind: ResourceType, dialect: Dialect, unknown: Unknown) -> Result<(), Error> {
        let mut problem = None;
        self.each_term(&mut |term| {
            if problem.is_none() {
                problem = check_term(term, kind, dialect, unknown).err();
            }
        });
        problem.map_or(Ok(()), Err)
    }
}

/// What becomes of an attribute that nobody knows.
#[derive(Clone, Copy)]
enum Unknown {
    Refused,
    NoValue,
}

fn check_term(term: &Filter, kind: ResourceType, dialect: Dialect, unknown: Unknown) -> Result<(), Error> {
    let (path, comparison) = match term {
        Filter::Compare { path, op, value } => (path, Some((*op, value))),
        Filter::Present(path) => (path, None),
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => return Ok(()),
    };
    let Some(definition) = schema::definition(kind, path) else {
        return match unknown {
            Unknown::Refused => {
                Err(wrong(format!("the filter names {}, which is no attribute", path.shape())))
            }
            Unknown::NoValue => Ok(()),
        };
    };
    let hidden = |definition: &Definition| definition.returned == Returned::Never;
    if hidden(definition) || schema::top(kind, path).is_some_and(hidden) {
        return Err(wrong(format!("{} cannot be asked for", path.shape())));
    }
    if path.select.is_some() {
        if !schema::top(kind, path).is_some_and(|top| top.multi_valued) {
            return Err(wrong(format!("{} is not a list", path.name)));
        }
        // Entra's way to ask for the value of one element; the grammar of RFC 7644 ends at the bracket.
        if dialect == Dialect::Strict && (path.sub.is_some() || comparison.is_some()) {
            return Err(wrong("nothing follows the brackets of a value path".to_owned()));
        }
    }
    match comparison {
        Some((op, value)) => check_comparison(definition, op, value, dialect),
        None => Ok(()),
    }
}

fn check_comparison(
    definition: &'static Definition,
    op: Compare,
    value: &Value,
    dialect: Dialect,
) -> Result<(), Error> {
    let name = definition.name;
    let deciding = definition.deciding();
    let equality = matches!(op, Compare::Eq | Compare::Ne);
    if value.is_null() {
        return if equality { Ok(()) } else { Err(wrong(format!("{name} {} null says nothing", op.word()))) };
    }
    let partial = matches!(op, Compare::Co | Compare::Sw | Compare::Ew);
    match (deciding.form, value) {
        (Form::Complex, _) => Err(wrong(format!("{name} needs a sub-attribute to compare"))),
        (Form::Boolean | Form::Binary, _) if !equality => {
            Err(wrong(format!("{name} can be compared with eq and ne only")))
        }
        (Form::Boolean, Value::Bool(_)) => Ok(()),
        (Form::Boolean, Value::String(text)) if dialect == Dialect::Tolerant && is_truth(text) => Ok(()),
        (Form::Boolean, _) => Err(wrong(format!("{name} is compared with true or false"))),
        (Form::DateTime | Form::Integer | Form::Decimal, _) if partial => {
            Err(wrong(format!("{name} has no parts to look for: {} is for texts", op.word())))
        }
        (Form::DateTime, Value::String(text)) if instant(text).is_some() => Ok(()),
        (Form::DateTime, _) => Err(wrong(format!("{name} is compared with a date and time"))),
        (Form::Integer | Form::Decimal, Value::Number(_)) => Ok(()),
        (Form::Integer | Form::Decimal, _) => Err(wrong(format!("{name} is compared with a number"))),
        (Form::Text | Form::Reference | Form::Binary, Value::String(_)) => Ok(()),
        (Form::Text | Form::Reference | Form::Binary, _) => {
            Err(wrong(format!("{name} is compared with a text in double quotes")))
        }
    }
}

fn is_truth(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn wrong(detail: String) -> Error {
    Error::bad(ScimType::InvalidFilter, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, dialect: Dialect) -> String {
        let filter = Filter::parse(text).expect(text);
        filter.check(ResourceType::User, dialect).map_or_else(|error| error.detail, |()| "fine".to_owned())
    }

    #[test]
    fn operators_and_values_fit_the_type() {
        use Dialect::Strict;
        assert_eq!(check("userName eq \"x\" and emails co \"y\"", Strict), "fine");
        assert_eq!(check("active gt true", Strict), "active can be compared with eq and ne only");
        assert_eq!(check("userName eq 5", Strict), "userName is compared with a text in double quotes");
        assert_eq!(check("name eq \"x\"", Strict), "name needs a sub-attribute to compare");
        assert_eq!(
            check("meta.created gt \"yesterday\"", Strict),
            "created is compared with a date and time"
        );
        assert_eq!(check("userName co null", Strict), "userName co null says nothing");
        assert_eq!(check("password eq \"x\"", Strict), "password cannot be asked for");
        assert_eq!(check("emails[type eq 5]", Strict), "type is compared with a text in double quotes");
    }

    #[test]
    fn the_tolerant_dialect_takes_more() {
        assert_eq!(check("shoeSize eq \"9\"", Dialect::Tolerant), "fine");
        assert_eq!(
            check("shoeSize eq \"9\"", Dialect::Strict),
            "the filter names shoeSize, which is no attribute"
        );
        assert_eq!(check("active eq \"True\"", Dialect::Tolerant), "fine");
        assert_eq!(check("active eq \"True\"", Dialect::Strict), "active is compared with true or false");
    }
}
