//! Who somebody is beside the source's id: people who come back under a new one are told from strangers who got their
//! address (P7).

use jiff::Timestamp;
use serde_json::Value;

use crate::model::Seen;
use crate::model::SourceAttributes;

/// What survives when a directory gives somebody a new id.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// `employeeId` (Graph, files), `employeeNumber` (Okta).
    pub employee: Option<String>,
    /// `onPremisesImmutableId`: the anchor of a synchronised directory.
    pub immutable: Option<String>,
    /// When the object was made, in seconds.
    pub created_second: Option<i64>,
}

/// Shows no values (P11).
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    pub fn of(seen: &Seen) -> Identity {
        let created = text(&seen.attributes, "createdDateTime");
        Identity {
            employee: text(&seen.attributes, "employeeId")
                .or_else(|| text(&seen.attributes, "user.employeeNumber")),
            immutable: text(&seen.attributes, "onPremisesImmutableId"),
            created_second: created.and_then(|text| text.parse::<Timestamp>().ok()).map(Timestamp::as_second),
        }
    }
}

fn text(attributes: &SourceAttributes, name: &str) -> Option<String> {
    match attributes.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Why the newcomer cannot be the one who left, although the address is the same; `None` where nothing says so.
///
/// | newcomer against leaver | another person |
/// |---|---|
/// | both have an employeeId, and they differ | yes |
/// | both have an onPremisesImmutableId, and they differ | yes |
/// | the newcomer was created after the leaver had left | yes |
/// | anything else | nobody can say |
pub fn other_person(
    newcomer: &Identity,
    leaver: &Identity,
    left_second: Option<i64>,
) -> Option<&'static str> {
    let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
    if differ(&newcomer.employee, &leaver.employee) {
        return Some("its employeeId is another one");
    }
    if differ(&newcomer.immutable, &leaver.immutable) {
        return Some("its onPremisesImmutableId is another one");
    }
    let later =
        matches!((newcomer.created_second, left_second), (Some(created), Some(left)) if created > left);
    later.then_some("it was created after the other one had left")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Standing;

    fn identity(attributes: Value) -> Identity {
        let attributes = serde_json::from_value(attributes).expect("an object");
        Identity::of(&Seen { standing: Standing::Enabled, attributes })
    }

    #[track_caller]
    fn check(newcomer: Value, leaver: Value, left: Option<i64>, expected: Option<&str>) {
        assert_eq!(other_person(&identity(newcomer), &identity(leaver), left), expected);
    }

    #[test]
    fn the_table_of_newcomers() {
        let number = "its employeeId is another one";
        check(json!({"employeeId": "7"}), json!({"employeeId": "8"}), None, Some(number));
        check(json!({"employeeId": 7}), json!({"employeeId": "7"}), None, None);
        check(json!({"user.employeeNumber": "7"}), json!({"user.employeeNumber": "8"}), None, Some(number));
        check(json!({"employeeId": "7"}), json!({}), None, None);
        check(
            json!({"onPremisesImmutableId": "a"}),
            json!({"onPremisesImmutableId": "b"}),
            None,
            Some("its onPremisesImmutableId is another one"),
        );
        let created = json!({"createdDateTime": "2026-03-02T10:00:00Z"});
        let noon = 1_772_452_800;
        check(created.clone(), json!({}), Some(noon), None);
        let later = Some("it was created after the other one had left");
        check(created.clone(), json!({}), Some(noon - 3 * 3_600), later);
        check(created, json!({}), None, None);
    }
}
