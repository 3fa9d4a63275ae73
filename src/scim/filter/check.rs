//! Whether a filter makes sense for a resource type: known attributes, operators and values that fit the type.

use jiff::Timestamp;
use serde_json::Value;

use super::Compare;
use super::Filter;
use crate::scim::Dialect;
use crate::scim::Error;
use crate::scim::ResourceType;
use crate::scim::ScimType;
use crate::scim::schema;
use crate::scim::schema::Definition;
use crate::scim::schema::Form;
use crate::scim::schema::Returned;

impl Filter {
    /// Refuses what the schema forbids (RFC 7644 section 3.4.2.2). The tolerant dialect lets an attribute that
    /// nobody knows have no value, and a boolean be written as text.
    pub fn check(&self, kind: ResourceType, dialect: Dialect) -> Result<(), Error> {
        let mut problem = None;
        self.each_term(&mut |term| {
            if problem.is_none() {
                problem = check_term(term, kind, dialect).err();
            }
        });
        problem.map_or(Ok(()), Err)
    }
}

fn check_term(term: &Filter, kind: ResourceType, dialect: Dialect) -> Result<(), Error> {
    let (path, comparison) = match term {
        Filter::Compare { path, op, value } => (path, Some((*op, value))),
        Filter::Present(path) => (path, None),
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => return Ok(()),
    };
    let Some(definition) = schema::definition(kind, path) else {
        return match dialect {
            Dialect::Strict => Err(wrong(format!("the filter names {path}, which is no attribute"))),
            Dialect::Tolerant => Ok(()),
        };
    };
    if definition.returned == Returned::Never {
        return Err(wrong(format!("{path} cannot be asked for")));
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
    let deciding = definition.sub("value").unwrap_or(definition);
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
        (Form::DateTime, Value::String(text)) if partial || text.parse::<Timestamp>().is_ok() => Ok(()),
        (Form::DateTime, _) => Err(wrong(format!("{name} is compared with a date and time"))),
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
