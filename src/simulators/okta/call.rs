//! Which call a request is.

use super::super::exchange::Request;
use super::super::routes::Route;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Org,
    App(String),
    AppUsers(String),
    AppUser(String, String),
    AppGroups(String),
    AppGroup(String, String),
    Groups,
    Group(String),
    Members(String),
    Users,
    User(String),
}

impl Call {
    pub(super) fn of(request: &Request) -> Option<Call> {
        let segments = request.segments();
        let ["api", "v1", rest @ ..] = &segments[..] else { return None };
        if request.method != "GET" {
            return None;
        }
        let own = |text: &str| text.to_owned();
        Some(match *rest {
            ["org"] => Call::Org,
            ["apps", app] => Call::App(own(app)),
            ["apps", app, "users"] => Call::AppUsers(own(app)),
            ["apps", app, "users", user] => Call::AppUser(own(app), own(user)),
            ["apps", app, "groups"] => Call::AppGroups(own(app)),
            ["apps", app, "groups", group] => Call::AppGroup(own(app), own(group)),
            ["groups"] => Call::Groups,
            ["groups", id] => Call::Group(own(id)),
            ["groups", id, "users"] => Call::Members(own(id)),
            ["users"] => Call::Users,
            ["users", key] => Call::User(own(key)),
            _ => return None,
        })
    }

    pub(super) fn route(&self) -> Route {
        match self {
            Call::Org => Route::Organization,
            Call::App(_) => Route::App,
            Call::AppUsers(_) => Route::AppUsers,
            Call::AppUser(..) => Route::AppUser,
            Call::AppGroups(_) => Route::AppGroups,
            Call::AppGroup(..) => Route::AppGroup,
            Call::Groups => Route::GroupsList,
            Call::Group(_) => Route::Group,
            Call::Members(_) => Route::Members,
            Call::Users => Route::UsersList,
            Call::User(_) => Route::User,
        }
    }
}
