//! Sorting (RFC 7644 section 3.4.2.3): by what, which way, and the key of one resource.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::Dialect;
use super::Error;
use super::Path;
use super::ResourceType;
use super::ScimType;
use super::filter::member;
use super::filter::values;
use super::fold;
use super::form::instant;
use super::schema;
use super::schema::Form;
use super::schema::Returned;

/// `sortBy` and `sortOrder`. Equal keys are ordered by id, so that pages are stable.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    /// Of a complex attribute its `value` decides.
    pub path: Path,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    Ascending,
    Descending,
}

impl Direction {
    fn read(text: &str) -> Result<Direction, Error> {
        match text.to_ascii_lowercase().as_str() {
            "ascending" => Ok(Direction::Ascending),
            "descending" => Ok(Direction::Descending),
            _ => Err(Error::bad(ScimType::InvalidValue, "sortOrder is ascending or descending")),
        }
    }
}

impl Sort {
    /// Reads the two parameters for these resource types. An attribute that none of them has is refused by the
    /// strict dialect; to the tolerant one nobody has a value of it.
    pub fn read(
        kinds: &[ResourceType],
        dialect: Dialect,
        by: &str,
        order: Option<&str>,
    ) -> Result<Sort, Error> {
        let direction = order.map(Direction::read).transpose()?.unwrap_or_default();
        let wrong = |what: &str| Error::bad(ScimType::InvalidValue, format!("sortBy {what}"));
        let path = Path::parse(by.trim()).map_err(|problem| wrong(&format!("is no attribute: {problem}")))?;
        if path.select.is_some() || path.is_extension() {
            return Err(wrong("names one attribute, without brackets"));
        }
        let known = kinds.iter().find_map(|kind| schema::definition(*kind, &path));
        match known {
            None if dialect == Dialect::Strict => Err(wrong("names no attribute of this resource type")),
            Some(known) if known.returned == Returned::Never => Err(wrong("names what cannot be asked for")),
            Some(known) if known.deciding().form == Form::Complex => Err(wrong("needs a sub-attribute")),
            _ => Ok(Sort { path, direction }),
        }
    }

    /// How two resources stand to each other, without their ids.
    pub fn compare(&self, a: &Value, b: &Value) -> Ordering {
        let order = sort_key(a, &self.path).cmp(&sort_key(b, &self.path));
        match self.direction {
            Direction::Ascending => order,
            Direction::Descending => order.reverse(),
        }
    }
}

/// What a resource is sorted by, under the case rule of the attribute. In the order of the variants; who has no
/// value comes last, and first where the order is turned.
#[derive(Clone, Debug, PartialEq)]
pub enum SortKey {
    Truth(bool),
    Whole(i64),
    Number(f64),
    When(Timestamp),
    Text(String),
    Nothing,
}

/// The key of a resource: of a list the primary value, else the first.
pub fn sort_key(resource: &Value, path: &Path) -> SortKey {
    let whole = Path { sub: None, ..path.clone() };
    let elements = values(resource, &whole);
    let primary = elements.iter().find(|element| member(element, "primary") == Some(&Value::Bool(true)));
    let Some(element) = primary.or(elements.first()).copied() else { return SortKey::Nothing };
    let value = match element {
        Value::Object(_) => member(element, path.sub.as_deref().unwrap_or("value")),
        simple => Some(simple),
    };
    value.map_or(SortKey::Nothing, |value| key(value, path))
}

fn key(value: &Value, path: &Path) -> SortKey {
    let deciding = path.leaf().map(schema::Definition::deciding);
    let form = deciding.map_or(Form::Text, |leaf| leaf.form);
    match value {
        Value::Bool(truth) => SortKey::Truth(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) if form != Form::Decimal => SortKey::Whole(whole),
            (_, Some(number)) => SortKey::Number(number),
            _ => SortKey::Nothing,
        },
        Value::String(text) if text.is_empty() => SortKey::Nothing,
        Value::String(text) if form == Form::DateTime => {
            instant(text).map_or(SortKey::Nothing, SortKey::When)
        }
        Value::String(text) if deciding.is_some_and(|leaf| leaf.case_exact) => SortKey::Text(text.clone()),
        Value::String(text) => SortKey::Text(fold(text)),
        Value::Null | Value::Array(_) | Value::Object(_) => SortKey::Nothing,
    }
}

impl SortKey {
    fn rank(&self) -> u8 {
        match self {
            SortKey::Truth(_) => 0,
            SortKey::Whole(_) => 1,
            SortKey::Number(_) => 2,
            SortKey::When(_) => 3,
            SortKey::Text(_) => 4,
            SortKey::Nothing => 5,
        }
    }
}

impl Eq for SortKey {}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &SortKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &SortKey) -> Ordering {
        match (self, other) {
            (SortKey::Truth(a), SortKey::Truth(b)) => a.cmp(b),
            (SortKey::Whole(a), SortKey::Whole(b)) => a.cmp(b),
            (SortKey::Number(a), SortKey::Number(b)) => a.total_cmp(b),
            (SortKey::When(a), SortKey::When(b)) => a.cmp(b),
            (SortKey::Text(a), SortKey::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const USER: [ResourceType; 1] = [ResourceType::User];

    /// The names of these people in the order that is asked for.
    fn check(people: &[(&str, Value)], by: &str, order: Option<&str>, expected: &[&str]) {
        let sort = Sort::read(&USER, Dialect::Strict, by, order).expect("a sort");
        let mut people = people.to_vec();
        people.sort_by(|a, b| sort.compare(&a.1, &b.1));
        let names: Vec<&str> = people.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, expected, "{by} {order:?}");
    }

    #[test]
    fn case_counts_where_the_attribute_says_so() {
        let people = [
            ("upper", json!({"userName": "B", "externalId": "B"})),
            ("lower", json!({"userName": "a", "externalId": "a"})),
        ];
        check(&people, "USERNAME", None, &["lower", "upper"]);
        check(&people, "externalId", Some("Ascending"), &["upper", "lower"]);
        check(&people, "userName", Some("descending"), &["upper", "lower"]);
    }

    #[test]
    fn who_has_no_value_is_last_and_first_when_the_order_is_turned() {
        let people = [("none", json!({})), ("b", json!({"title": "b"})), ("a", json!({"title": "a"}))];
        check(&people, "title", None, &["a", "b", "none"]);
        check(&people, "title", Some("descending"), &["none", "b", "a"]);
    }

    #[test]
    fn of_a_list_the_primary_value_decides_else_the_first() {
        let people = [
            ("primary c", json!({"emails": [{"value": "a"}, {"value": "c", "primary": true}]})),
            ("first b", json!({"emails": [{"value": "b"}, {"value": "d"}]})),
        ];
        check(&people, "emails", None, &["first b", "primary c"]);
        check(&people, "emails.value", Some("descending"), &["primary c", "first b"]);
    }

    #[test]
    fn times_are_sorted_as_instants_and_booleans_with_false_first() {
        let at = |time: &str, active: bool| json!({"meta": {"created": time}, "active": active});
        let people =
            [("noon", at("2024-05-01T12:00:00Z", true)), ("ten", at("2024-05-01T12:00:00+02:00", false))];
        check(&people, "meta.created", None, &["ten", "noon"]);
        check(&people, "active", None, &["ten", "noon"]);
    }

    #[test]
    fn what_cannot_be_sorted_by_is_said() {
        let refused = |by: &str, order: Option<&str>| {
            let error = Sort::read(&USER, Dialect::Strict, by, order).expect_err("no sort");
            assert_eq!(error.kind, Some(ScimType::InvalidValue));
            error.detail
        };
        assert_eq!(refused("name", None), "sortBy needs a sub-attribute");
        assert_eq!(refused("password", None), "sortBy names what cannot be asked for");
        assert_eq!(refused("shoeSize", None), "sortBy names no attribute of this resource type");
        assert_eq!(refused("emails[primary eq true]", None), "sortBy names one attribute, without brackets");
        assert_eq!(refused("", None), "sortBy is no attribute: an attribute name is expected at character 1");
        assert_eq!(refused("title", Some("up")), "sortOrder is ascending or descending");
        assert!(Sort::read(&USER, Dialect::Tolerant, "shoeSize", None).is_ok());
    }
}
