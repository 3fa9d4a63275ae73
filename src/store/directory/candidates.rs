//! Which rows can match a filter at all, where an index says so (SCIM reference, F15).

use std::collections::BTreeMap;

use serde_json::Value;

use super::condition::Condition;
use crate::scim::Compare;
use crate::scim::Filter;
use crate::scim::Path;
use crate::scim::ResourceType;
use crate::scim::fold;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Index {
    Id,
    ExternalId,
    UserName,
    DisplayName,
    Email,
    Member,
    Team,
}

impl Index {
    #[cfg(test)]
    const ALL: [Index; 7] = [
        Index::Id,
        Index::ExternalId,
        Index::UserName,
        Index::DisplayName,
        Index::Email,
        Index::Member,
        Index::Team,
    ];

    fn is_folded(self) -> bool {
        matches!(self, Index::UserName | Index::DisplayName | Index::Email)
    }

    /// The rows of a workspace (`?1`) with one of the keys, which follow in parentheses.
    fn sql(self) -> &'static str {
        match self {
            Index::Id => "SELECT n FROM resources WHERE workspace = ?1 AND id IN",
            Index::ExternalId => "SELECT n FROM resources WHERE workspace = ?1 AND external_id IN",
            Index::UserName => "SELECT n FROM resources WHERE workspace = ?1 AND user_key IN",
            Index::DisplayName => "SELECT n FROM resources WHERE workspace = ?1 AND display_key IN",
            Index::Email => "SELECT resource FROM emails WHERE workspace = ?1 AND key IN",
            Index::Member => {
                "SELECT team FROM resources JOIN members ON member = n WHERE workspace = ?1 AND id IN"
            }
            Index::Team => {
                "SELECT member FROM resources JOIN members ON team = n WHERE workspace = ?1 AND id IN"
            }
        }
    }
}

impl Condition {
    /// A statement that selects the row numbers of all that can match; `None` where every row can.
    pub fn candidates(&mut self, filter: &Filter) -> Option<String> {
        let mut keys: BTreeMap<Index, Vec<String>> = BTreeMap::new();
        for (index, key) in looked_up(self.kind, filter)? {
            keys.entry(index).or_default().push(key);
        }
        let mut one = |(index, keys): (Index, Vec<String>)| {
            let keys: Vec<String> = keys.into_iter().map(|key| self.bind(key)).collect();
            format!("{} ({})", index.sql(), keys.join(", "))
        };
        Some(keys.into_iter().map(&mut one).collect::<Vec<_>>().join(" UNION ALL "))
    }
}

/// What has to be looked up: of an `and` one part is enough, of an `or` all are needed.
fn looked_up(kind: ResourceType, filter: &Filter) -> Option<Vec<(Index, String)>> {
    match filter {
        Filter::And(parts) => parts.iter().filter_map(|part| looked_up(kind, part)).min_by_key(Vec::len),
        Filter::Or(parts) => {
            let parts = parts.iter().map(|part| looked_up(kind, part)).collect::<Option<Vec<_>>>()?;
            Some(parts.concat())
        }
        Filter::Not(_) => None,
        Filter::Present(path) => lookup_in_brackets(path).map(|lookup| vec![lookup]),
        Filter::Compare { path, op: Compare::Eq, value: Value::String(value) } => {
            let index = index_of(kind, path)?;
            let key = if index.is_folded() { fold(value) } else { value.clone() };
            Some(vec![(index, key)])
        }
        Filter::Compare { .. } => None,
    }
}

/// `emails[type eq "work" and value eq "…"]`.
fn lookup_in_brackets(path: &Path) -> Option<(Index, String)> {
    let select = path.select.as_deref().filter(|_| path.urn.is_none() && path.name == "emails")?;
    select.terms().iter().find_map(|term| match term {
        Filter::Compare { path, op: Compare::Eq, value: Value::String(value) }
            if path.sub.as_deref() == Some("value") =>
        {
            Some((Index::Email, fold(value)))
        }
        _ => None,
    })
}

fn index_of(kind: ResourceType, path: &Path) -> Option<Index> {
    let Path { urn: None, name, select, sub } = path else { return None };
    match (name.as_str(), sub.as_deref(), select.is_some(), kind) {
        ("id", None, false, _) => Some(Index::Id),
        ("externalId", None, false, _) => Some(Index::ExternalId),
        ("userName", None, false, ResourceType::User) => Some(Index::UserName),
        ("displayName", None, false, _) => Some(Index::DisplayName),
        ("emails", None | Some("value"), _, ResourceType::User) => Some(Index::Email),
        ("members", None | Some("value"), false, ResourceType::Group) => Some(Index::Member),
        ("groups", None | Some("value"), false, ResourceType::User) => Some(Index::Team),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_searched_for_one_key_and_for_several() {
        let db = crate::store::migrate::tests::database();
        for index in Index::ALL {
            for keys in ["(?2)", "(?2, ?3)"] {
                let steps = crate::store::migrate::tests::steps(&db, &format!("{} {keys}", index.sql()));
                let searched = match index {
                    Index::Id | Index::Member | Index::Team => "resources_id (workspace=? AND id=?)",
                    Index::ExternalId => "resources_external_id (workspace=? AND external_id=?)",
                    Index::UserName => "resources_user_key (workspace=? AND user_key=?)",
                    Index::DisplayName => "resources_display_key (workspace=? AND display_key=?)",
                    Index::Email => "PRIMARY KEY (workspace=? AND key=?)",
                };
                assert!(steps.contains(searched) && !steps.contains("SCAN"), "{index:?} {keys}: {steps}");
            }
        }
        let member = crate::store::migrate::tests::steps(&db, &format!("{} (?2)", Index::Member.sql()));
        assert!(member.contains("members_member (member=?)"), "{member}");
    }

    fn check(kind: ResourceType, filter: &str, expected: &str) {
        let filter = Filter::parse(filter).expect(filter);
        let found = looked_up(kind, &filter).map_or_else(
            || "every row".to_owned(),
            |lookups| {
                let one = |(index, key): &(Index, String)| format!("{index:?} {key}");
                lookups.iter().map(one).collect::<Vec<_>>().join(", ")
            },
        );
        assert_eq!(found, expected, "{filter}");
    }

    #[test]
    fn one_part_of_an_and_is_looked_up_and_every_part_of_an_or() {
        use ResourceType::Group;
        use ResourceType::User;
        check(User, "userName eq \"ANN\"", "UserName ann");
        check(User, "active eq true and externalId eq \"A\"", "ExternalId A");
        check(User, "userName eq \"a\" or emails.value eq \"B\"", "UserName a, Email b");
        check(User, "userName eq \"a\" or title pr", "every row");
        check(User, "not (userName eq \"a\")", "every row");
        check(User, "emails[type eq \"work\" and value eq \"A@x\"]", "Email a@x");
        check(User, "emails[type eq \"work\" or value eq \"A@x\"]", "every row");
        check(Group, "(id eq \"a\" or id eq \"b\") and members eq \"c\"", "Member c");
        check(Group, "userName eq \"a\"", "every row");
    }
}
