//! Which call a request is: Graph's paths, with keys as segments or in parentheses.

use super::super::exchange::Request;
use super::super::routes::Route;

/// How an application or its service principal is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AppKey {
    ObjectId(String),
    AppId(String),
}

/// Direct, or over any number of levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Direct,
    Transitive,
}

/// The members of a group, or the groups of a member; `cast` is the type that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Related {
    pub(super) of: String,
    pub(super) reach: Reach,
    pub(super) cast: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Token(String),
    /// Managed identity of a virtual machine.
    Imds,
    /// Managed identity of a machine with the Arc agent.
    Arc,
    Organization,
    Users,
    UsersDelta,
    User(String),
    Manager(String),
    UserAssignments(String),
    CheckMemberGroups(String),
    MemberOf(Related),
    Groups,
    GroupsDelta,
    Group(String),
    Members(Related),
    GroupAssignments(String),
    Apps,
    App(AppKey),
    AssignedTo(AppKey),
    Applications,
    Application(AppKey),
    DeletedItem(String),
    /// Of one type; without it the service refuses.
    DeletedItems(Option<String>),
    ByIds,
    Extensions,
    Batch,
    /// `…/$count` of a collection.
    Count(Box<Call>),
}

impl Call {
    pub(super) fn of(request: &Request) -> Option<Call> {
        let segments = request.segments();
        match (request.method.as_str(), &segments[..]) {
            ("POST", [tenant, "oauth2", "v2.0", "token"]) => return Some(Call::Token((*tenant).to_owned())),
            ("GET", ["metadata", "identity", "oauth2", "token"]) => return Some(identity(request)),
            _ => {}
        }
        let ("v1.0", rest) = segments.split_first().map(|(first, rest)| (*first, rest))? else {
            return None;
        };
        // A name that begins with `$` can only be a key in parentheses (graph.md section 4).
        if rest.iter().any(|segment| segment.starts_with('$') && !matches!(*segment, "$count" | "$batch")) {
            return None;
        }
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
            Call::Imds => Route::Imds,
            Call::Arc => Route::Arc,
            Call::Organization => Route::Organization,
            Call::Users => Route::UsersList,
            Call::UsersDelta => Route::UsersDelta,
            Call::User(_) => Route::User,
            Call::Manager(_) => Route::Manager,
            Call::UserAssignments(_) => Route::UserAssignments,
            Call::CheckMemberGroups(_) => Route::CheckMemberGroups,
            Call::MemberOf(Related { reach: Reach::Direct, .. }) => Route::MemberOf,
            Call::MemberOf(_) => Route::TransitiveMemberOf,
            Call::Groups => Route::GroupsList,
            Call::GroupsDelta => Route::GroupsDelta,
            Call::Group(_) => Route::Group,
            Call::Members(Related { reach: Reach::Direct, .. }) => Route::Members,
            Call::Members(_) => Route::TransitiveMembers,
            Call::GroupAssignments(_) => Route::GroupAssignments,
            Call::Apps | Call::App(_) => Route::App,
            Call::AssignedTo(_) => Route::Assignments,
            Call::Applications | Call::Application(_) => Route::Applications,
            Call::DeletedItem(_) | Call::DeletedItems(_) => Route::DeletedItems,
            Call::ByIds => Route::GetByIds,
            Call::Extensions => Route::Extensions,
            Call::Batch => Route::Batch,
            Call::Count(inner) => inner.route(),
        }
    }

    /// Tokens are asked for without a token.
    pub(super) fn is_sign_in(&self) -> bool {
        matches!(self, Call::Token(_) | Call::Imds | Call::Arc)
    }
}

/// The two agents answer the same path and differ in the version of their interface.
fn identity(request: &Request) -> Call {
    match request.query("api-version") {
        Some("2020-06-01") => Call::Arc,
        _ => Call::Imds,
    }
}

fn get(segments: &[&str]) -> Option<Call> {
    if let [rest @ .., "$count"] = segments {
        let inner = get(rest)?;
        let is_countable = matches!(inner, Call::Users | Call::Groups | Call::Members(_) | Call::MemberOf(_));
        return is_countable.then(|| Call::Count(Box::new(inner)));
    }
    if let [collection, key, relation, cast @ ..] = segments
        && let Some(call) = related(collection, key, relation, cast)
    {
        return Some(call);
    }
    Some(match *segments {
        ["organization"] => Call::Organization,
        ["users"] => Call::Users,
        ["users", "delta"] => Call::UsersDelta,
        ["users", key] => Call::User(key.to_owned()),
        ["users", key, "manager"] => Call::Manager(key.to_owned()),
        ["users", key, "appRoleAssignments"] => Call::UserAssignments(key.to_owned()),
        ["groups"] => Call::Groups,
        ["groups", "delta"] => Call::GroupsDelta,
        ["groups", id] => Call::Group(id.to_owned()),
        ["groups", id, "appRoleAssignments"] => Call::GroupAssignments(id.to_owned()),
        ["servicePrincipals"] => Call::Apps,
        ["servicePrincipals", key] => Call::App(app_key(key)),
        ["servicePrincipals", key, "appRoleAssignedTo"] => Call::AssignedTo(app_key(key)),
        ["applications"] => Call::Applications,
        ["applications", key] => Call::Application(app_key(key)),
        ["directory", "deletedItems"] => Call::DeletedItems(None),
        ["directory", "deletedItems", key] => match key.strip_prefix("microsoft.graph.") {
            Some(kind) => Call::DeletedItems(Some(kind.to_owned())),
            None => Call::DeletedItem(key.to_owned()),
        },
        _ => return None,
    })
}

fn related(collection: &str, key: &str, relation: &str, cast: &[&str]) -> Option<Call> {
    let cast = match cast {
        [] => None,
        [cast] => Some(cast.strip_prefix("microsoft.graph.")?.to_owned()),
        _ => return None,
    };
    let reach = match relation {
        "members" | "memberOf" => Reach::Direct,
        "transitiveMembers" | "transitiveMemberOf" => Reach::Transitive,
        _ => return None,
    };
    let related = Related { of: key.to_owned(), reach, cast };
    match (collection, relation) {
        ("groups", "members" | "transitiveMembers") => Some(Call::Members(related)),
        ("users" | "groups", "memberOf" | "transitiveMemberOf") => Some(Call::MemberOf(related)),
        _ => None,
    }
}

fn post(segments: &[&str]) -> Option<Call> {
    match *segments {
        ["$batch"] => Some(Call::Batch),
        ["directoryObjects", action] => match action.trim_start_matches("microsoft.graph.") {
            "getByIds" => Some(Call::ByIds),
            "getAvailableExtensionProperties" => Some(Call::Extensions),
            _ => None,
        },
        ["users" | "groups" | "directoryObjects", key, action]
            if action.trim_start_matches("microsoft.graph.") == "checkMemberGroups" =>
        {
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
        assert_eq!(call("GET", "/v1.0/users/$x@a.b"), None);
        let app = AppKey::AppId("1-2".to_owned());
        assert_eq!(
            call("GET", "/v1.0/servicePrincipals(appId='1-2')/appRoleAssignedTo?$top=5"),
            Some(Call::AssignedTo(app))
        );
    }

    #[test]
    fn delta_has_three_spellings() {
        for spelling in ["delta", "microsoft.graph.delta", "delta()", "microsoft.graph.delta()"] {
            assert_eq!(call("GET", &format!("/v1.0/users/{spelling}")), Some(Call::UsersDelta));
            assert_eq!(call("GET", &format!("/v1.0/groups/{spelling}")), Some(Call::GroupsDelta));
        }
    }

    #[test]
    fn members_may_be_cast_and_counted() {
        let related =
            |reach, cast: Option<&str>| Related { of: "g".to_owned(), reach, cast: cast.map(str::to_owned) };
        assert_eq!(
            call("GET", "/v1.0/groups/g/transitiveMembers/microsoft.graph.user"),
            Some(Call::Members(related(Reach::Transitive, Some("user"))))
        );
        assert_eq!(
            call("GET", "/v1.0/groups/g/members/$count"),
            Some(Call::Count(Box::new(Call::Members(related(Reach::Direct, None)))))
        );
        assert_eq!(call("GET", "/v1.0/groups/g/$count"), None);
    }

    #[test]
    fn what_the_service_does_not_know_is_no_call() {
        assert_eq!(call("GET", "/v1.0/people"), None);
        assert_eq!(call("DELETE", "/v1.0/users/1"), None);
        assert_eq!(call("GET", "/beta/users"), None);
        assert_eq!(call("GET", "/v1.0/users/1/members"), None);
    }
}
