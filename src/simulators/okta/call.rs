//! Which call a request is, and the scopes that it needs (okta.md section 3).

use super::super::exchange::Request;
use super::super::routes::Route;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Token,
    Org,
    Apps,
    App(String),
    AppUsers(String),
    AppUser(String, String),
    AppGroups(String),
    AppGroup(String, String),
    PushMappings(String),
    PushMapping(String, String),
    PushCreate(String),
    PushChange(String, String),
    PushDelete(String, String),
    Groups,
    Group(String),
    Members(String),
    GroupApps(String),
    GroupRules,
    GroupRule(String),
    Users,
    User(String),
    UserGroups(String),
    AppLinks(String),
    /// `apps/{id}`, `user` or `group`.
    Schema(Option<String>, &'static str),
    Mappings,
    Mapping(String),
    ApiToken(String),
    Logs,
    /// The path exists, not with that method.
    WrongMethod,
    Unknown,
}

impl Call {
    pub(super) fn of(request: &Request) -> Call {
        let segments = request.segments();
        if segments == ["oauth2", "v1", "token"] {
            return if request.method == "POST" { Call::Token } else { Call::WrongMethod };
        }
        let ["api", "v1", rest @ ..] = &segments[..] else { return Call::Unknown };
        let read = Call::read(rest);
        match (request.method.as_str(), &read) {
            ("GET", _) | (_, Call::Unknown) => read,
            ("POST", Call::PushMappings(app)) => Call::PushCreate(app.clone()),
            ("PATCH", Call::PushMapping(app, id)) => Call::PushChange(app.clone(), id.clone()),
            ("DELETE", Call::PushMapping(app, id)) => Call::PushDelete(app.clone(), id.clone()),
            _ => Call::WrongMethod,
        }
    }

    fn read(rest: &[&str]) -> Call {
        let own = |text: &str| text.to_owned();
        match *rest {
            ["org"] => Call::Org,
            ["apps"] => Call::Apps,
            ["apps", app] => Call::App(own(app)),
            ["apps", app, "users"] => Call::AppUsers(own(app)),
            ["apps", app, "users", user] => Call::AppUser(own(app), own(user)),
            ["apps", app, "groups"] => Call::AppGroups(own(app)),
            ["apps", app, "groups", group] => Call::AppGroup(own(app), own(group)),
            ["apps", app, "group-push", "mappings"] => Call::PushMappings(own(app)),
            ["apps", app, "group-push", "mappings", id] => Call::PushMapping(own(app), own(id)),
            ["groups"] => Call::Groups,
            ["groups", "rules"] => Call::GroupRules,
            ["groups", "rules", id] => Call::GroupRule(own(id)),
            ["groups", id] => Call::Group(own(id)),
            ["groups", id, "users"] => Call::Members(own(id)),
            ["groups", id, "apps"] => Call::GroupApps(own(id)),
            ["users"] => Call::Users,
            ["users", key] => Call::User(own(key)),
            ["users", id, "groups"] => Call::UserGroups(own(id)),
            ["users", id, "appLinks"] => Call::AppLinks(own(id)),
            ["meta", "schemas", "apps", app, "default"] => Call::Schema(Some(own(app)), "apps"),
            ["meta", "schemas", "user", "default"] => Call::Schema(None, "user"),
            ["meta", "schemas", "group", "default"] => Call::Schema(None, "group"),
            ["mappings"] => Call::Mappings,
            ["mappings", id] => Call::Mapping(own(id)),
            ["api-tokens", id] => Call::ApiToken(own(id)),
            ["logs"] => Call::Logs,
            _ => Call::Unknown,
        }
    }

    pub(super) fn route(&self) -> Route {
        match self {
            Call::Token => Route::Token,
            Call::Org => Route::Organization,
            Call::Apps => Route::AppsList,
            Call::App(_) => Route::App,
            Call::AppUsers(_) => Route::AppUsers,
            Call::AppUser(..) => Route::AppUser,
            Call::AppGroups(_) => Route::AppGroups,
            Call::AppGroup(..) => Route::AppGroup,
            Call::PushMappings(_) | Call::PushCreate(_) => Route::PushMappings,
            Call::PushMapping(..) | Call::PushChange(..) | Call::PushDelete(..) => Route::PushMapping,
            Call::Groups => Route::GroupsList,
            Call::Group(_) => Route::Group,
            Call::Members(_) => Route::Members,
            Call::GroupApps(_) => Route::GroupApps,
            Call::GroupRules | Call::GroupRule(_) => Route::GroupRules,
            Call::Users => Route::UsersList,
            Call::User(_) => Route::User,
            Call::UserGroups(_) => Route::UserGroups,
            Call::AppLinks(_) => Route::AppLinks,
            Call::Schema(..) => Route::Schema,
            Call::Mappings => Route::Mappings,
            Call::Mapping(_) => Route::Mapping,
            Call::ApiToken(_) => Route::ApiToken,
            Call::Logs => Route::Logs,
            Call::WrongMethod | Call::Unknown => Route::Unknown,
        }
    }

    /// What an OAuth token has to carry, all of it.
    pub(super) fn scopes(&self) -> &'static [&'static str] {
        match self {
            Call::Org => &["okta.orgs.read"],
            Call::Apps | Call::App(_) | Call::AppUsers(_) | Call::AppUser(..) | Call::AppGroups(_) => {
                &["okta.apps.read"]
            }
            Call::AppGroup(..) => &["okta.apps.read"],
            Call::PushMappings(_) | Call::PushMapping(..) => &["okta.apps.read", "okta.groups.read"],
            Call::PushCreate(_) | Call::PushChange(..) | Call::PushDelete(..) => {
                &["okta.apps.manage", "okta.groups.manage"]
            }
            Call::Groups | Call::Group(_) | Call::Members(_) | Call::GroupApps(_) => &["okta.groups.read"],
            Call::GroupRules | Call::GroupRule(_) => &["okta.groups.read"],
            Call::Users | Call::User(_) | Call::UserGroups(_) | Call::AppLinks(_) => &["okta.users.read"],
            Call::Schema(..) => &["okta.schemas.read"],
            Call::Mappings | Call::Mapping(_) => &["okta.profileMappings.read"],
            Call::ApiToken(_) => &["okta.apiTokens.read"],
            Call::Logs => &["okta.logs.read"],
            Call::Token | Call::WrongMethod | Call::Unknown => &[],
        }
    }
}
