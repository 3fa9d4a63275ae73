//! Which call a request is: Graph's paths, with keys as segments or in parentheses.

use super::super::exchange::Request;
use super::super::routes::Route;

/// How a service principal is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AppKey {
    ObjectId(String),
    AppId(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Token(String),
    Organization,
    Users,
    UsersDelta,
    User(String),
    Manager(String),
    UserAssignments(String),
    CheckMemberGroups(String),
    MemberOf(String),
    Groups,
    GroupsDelta,
    Group(String),
    Members(String),
    TransitiveMembers(String),
    GroupAssignments(String),
    Apps,
    App(AppKey),
    AssignedTo(AppKey),
    DeletedItem(String),
    DeletedUsers,
    DeletedGroups,
    Batch,
}

impl Call {
    pub(super) fn of(request: &Request) -> Option<Call> {
        if let [tenant, "oauth2", "v2.0", "token"] = request.segments()[..] {
            return (request.method == "POST").then(|| Call::Token(tenant.to_owned()));
        }
        let ("v1.0", rest) = request.path.split_first().map(|(first, rest)| (first.as_str(), rest))? else {
            return None;
        };
        let segments: Vec<String> = rest.iter().flat_map(|segment| split_key(segment)).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match request.method.as_str() {
            "GET" => get(&segments),
            "POST" => post(&segments),
            _ => None,
        }
    }

    pub(super) fn route(&self) -> Route {
        match self {
            Call::Token(_) => Route::Token,
            Call::Organization => Route::Organization,
            Call::Users => Route::UsersList,
            Call::UsersDelta => Route::UsersDelta,
            Call::User(_) => Route::User,
            Call::Manager(_) => Route::Manager,
            Call::UserAssignments(_) => Route::UserAssignments,
            Call::CheckMemberGroups(_) => Route::CheckMemberGroups,
            Call::MemberOf(_) => Route::MemberOf,
            Call::Groups => Route::GroupsList,
            Call::GroupsDelta => Route::GroupsDelta,
            Call::Group(_) => Route::Group,
            Call::Members(_) => Route::Members,
            Call::TransitiveMembers(_) => Route::TransitiveMembers,
            Call::GroupAssignments(_) => Route::GroupAssignments,
            Call::Apps | Call::App(_) => Route::App,
            Call::AssignedTo(_) => Route::Assignments,
            Call::DeletedItem(_) | Call::DeletedUsers | Call::DeletedGroups => Route::DeletedItems,
            Call::Batch => Route::Batch,
        }
    }
}

fn get(segments: &[&str]) -> Option<Call> {
    Some(match *segments {
        ["organization"] => Call::Organization,
        ["users"] => Call::Users,
        ["users", "delta"] => Call::UsersDelta,
        ["users", key] => Call::User(key.to_owned()),
        ["users", key, "memberOf"] => Call::MemberOf(key.to_owned()),
        ["users", key, "manager"] => Call::Manager(key.to_owned()),
        ["users", key, "appRoleAssignments"] => Call::UserAssignments(key.to_owned()),
        ["groups"] => Call::Groups,
        ["groups", "delta"] => Call::GroupsDelta,
        ["groups", id] => Call::Group(id.to_owned()),
        ["groups", id, "members"] => Call::Members(id.to_owned()),
        ["groups", id, "transitiveMembers"] => Call::TransitiveMembers(id.to_owned()),
        ["groups", id, "appRoleAssignments"] => Call::GroupAssignments(id.to_owned()),
        ["servicePrincipals"] => Call::Apps,
        ["servicePrincipals", key] => Call::App(app_key(key)),
        ["servicePrincipals", key, "appRoleAssignedTo"] => Call::AssignedTo(app_key(key)),
        ["directory", "deletedItems", "microsoft.graph.user"] => Call::DeletedUsers,
        ["directory", "deletedItems", "microsoft.graph.group"] => Call::DeletedGroups,
        ["directory", "deletedItems", id] => Call::DeletedItem(id.to_owned()),
        _ => return None,
    })
}

fn post(segments: &[&str]) -> Option<Call> {
    match *segments {
        ["$batch"] => Some(Call::Batch),
        ["users" | "directoryObjects", key, "checkMemberGroups" | "microsoft.graph.checkMemberGroups"] => {
            Some(Call::CheckMemberGroups(key.to_owned()))
        }
        _ => None,
    }
}

fn app_key(key: &str) -> AppKey {
    match key.strip_prefix("appId=") {
        Some(id) => AppKey::AppId(id.trim_matches('\'').to_owned()),
        None => AppKey::ObjectId(key.to_owned()),
    }
}

/// `users('x')` is the two segments `users` and `x`; a function may be qualified and have empty parentheses.
fn split_key(segment: &str) -> Vec<String> {
    if matches!(segment, "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()") {
        return vec!["delta".to_owned()];
    }
    let keyed = segment.strip_suffix(')').and_then(|text| text.split_once('('));
    match keyed {
        Some((name, key)) if !name.is_empty() => {
            let quoted = key.strip_prefix('\'').and_then(|key| key.strip_suffix('\''));
            let key = quoted.map_or_else(|| key.to_owned(), |key| key.replace("''", "'"));
            vec![name.to_owned(), key]
        }
        _ => vec![segment.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::HeaderMap;

    use super::*;

    fn call(method: &str, target: &str) -> Option<Call> {
        Call::of(&Request::new(method, "http://x", target, HeaderMap::new(), Bytes::new()))
    }

    #[test]
    fn keys_may_stand_in_parentheses() {
        assert_eq!(call("GET", "/v1.0/users('$x%27%27y@a.b')"), Some(Call::User("$x'y@a.b".to_owned())));
        let app = AppKey::AppId("1-2".to_owned());
        assert_eq!(
            call("GET", "/v1.0/servicePrincipals(appId='1-2')/appRoleAssignedTo?$top=5"),
            Some(Call::AssignedTo(app))
        );
        assert_eq!(call("GET", "/v1.0/users/microsoft.graph.delta()"), Some(Call::UsersDelta));
    }

    #[test]
    fn what_the_service_does_not_know_is_no_call() {
        assert_eq!(call("GET", "/v1.0/people"), None);
        assert_eq!(call("DELETE", "/v1.0/users/1"), None);
        assert_eq!(call("GET", "/beta/users"), None);
    }
}
