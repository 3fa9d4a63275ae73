//! Lists that a source keeps under a name and that principals are on: an application's assignments, the result of a
//! server-side filter, the groups that an application pushes.

use super::SourceId;

/// A list of principals that a source keeps itself. It is read whole in every cycle, like the assignments of an
/// application, and carried as `Container::App` under its id, so that scope, witness and coverage treat all lists
/// alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// Who is assigned to this application.
    App(SourceId),
    /// The users that a server-side filter (Graph `$filter`) selects.
    UserFilter(String),
    /// The groups that a server-side filter selects.
    GroupFilter(String),
    /// The groups that Okta's Group Push sends to this application (Okta reference, section 3.9).
    PushMappings(SourceId),
}

const USERS: &str = "filter:users:";
const GROUPS: &str = "filter:groups:";
const PUSH: &str = "push:";

impl List {
    /// The id of the list as a container. The id of an application is its own.
    pub fn id(&self) -> SourceId {
        SourceId(match self {
            List::App(app) => return app.clone(),
            List::UserFilter(filter) => format!("{USERS}{filter}"),
            List::GroupFilter(filter) => format!("{GROUPS}{filter}"),
            List::PushMappings(app) => format!("{PUSH}{app}"),
        })
    }

    pub fn of(id: &SourceId) -> List {
        let text = id.0.as_str();
        if let Some(filter) = text.strip_prefix(USERS) {
            List::UserFilter(filter.to_owned())
        } else if let Some(filter) = text.strip_prefix(GROUPS) {
            List::GroupFilter(filter.to_owned())
        } else if let Some(app) = text.strip_prefix(PUSH) {
            List::PushMappings(SourceId(app.to_owned()))
        } else {
            List::App(id.clone())
        }
    }

    /// What a person calls it, in causes and notes.
    pub fn name(&self) -> String {
        match self {
            List::App(_) => "the application".to_owned(),
            List::UserFilter(filter) | List::GroupFilter(filter) => format!("filter {filter}"),
            List::PushMappings(_) => "the group push of the application".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_from_its_id() {
        let app = || SourceId("0oa1".to_owned());
        for (list, id) in [
            (List::App(app()), "0oa1"),
            (List::UserFilter("department eq 'Sales'".to_owned()), "filter:users:department eq 'Sales'"),
            (
                List::GroupFilter("startswith(displayName,'a')".to_owned()),
                "filter:groups:startswith(displayName,'a')",
            ),
            (List::PushMappings(app()), "push:0oa1"),
        ] {
            assert_eq!(list.id(), SourceId(id.to_owned()));
            assert_eq!(List::of(&list.id()), list);
        }
    }
}
