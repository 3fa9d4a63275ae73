//! Which permissions there are: as the token tells, and as harmless calls show.

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;

use super::CONSENT;
use super::Over;
use super::error_finding;
use super::first_id;
use super::get;
use super::ok;
use super::over;
use super::refused;
use super::warning;
use crate::client::Request;
use crate::model::Finding;
use crate::sources::graph::door::APPLICATION_READ;
use crate::sources::graph::door::DIRECTORY_READ;
use crate::sources::graph::door::GROUP_READ;
use crate::sources::graph::door::Graph;
use crate::sources::graph::door::MEMBER_READ;
use crate::sources::graph::door::USER_READ;
use crate::sources::graph::door::decode;
use crate::sources::graph::door::segment;
use crate::sources::graph::trouble;
use crate::sources::graph::trouble::Call;
use crate::sources::graph::trouble::Link;
use crate::sources::graph::trouble::Trouble;

pub(super) const HIDDEN_READ: &str = "Member.Read.Hidden";
const AUDIT_READ: &str = "AuditLog.Read.All";

/// What rosterd can make use of (graph.md 2.9).
const USEFUL: [&str; 7] = [
    USER_READ,
    MEMBER_READ,
    APPLICATION_READ,
    DIRECTORY_READ,
    GROUP_READ,
    HIDDEN_READ,
    "Organization.Read.All",
];

/// A difference that is worth a word, and one at which tokens and assertions begin to be refused.
const SKEW_TOLD: SignedDuration = SignedDuration::from_secs(30);
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Somebody and some group, to ask about.
#[derive(Default)]
pub(super) struct Known {
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    pub(super) users_readable: bool,
    pub(super) groups_readable: bool,
}

/// The `roles` of the token: application permissions that were consented to (graph.md 2.5).
pub(super) fn of_token(
    claims: &Value,
    attributes: &[String],
    findings: &mut Vec<Finding>,
) -> Result<Vec<String>, Over> {
    let roles: Vec<String> = claims
        .get("roles")
        .and_then(Value::as_array)
        .map(|roles| roles.iter().filter_map(Value::as_str).map(plain).collect())
        .unwrap_or_default();
    if claims.get("oid").is_none() {
        findings.push(warning(
            "sign-in",
            "the token names no service principal: the tenant does not know the application yet",
            "wait some minutes after it was made, and check again",
        ));
    }
    if roles.is_empty() {
        let least = format!("{USER_READ}, {MEMBER_READ} and {APPLICATION_READ}");
        findings.push(error_finding(
            "permissions",
            "the token holds no application permission",
            format!("add {least} as application (not delegated) permissions {CONSENT}"),
        ));
        return Err(Over);
    }
    let audits = attributes.iter().any(|name| name == "signInActivity");
    let useful = |role: &&String| USEFUL.contains(&role.as_str()) || (audits && *role == AUDIT_READ);
    let (needed, more): (Vec<&String>, Vec<&String>) = roles.iter().partition(useful);
    if !needed.is_empty() {
        findings.push(ok("permissions", joined(&needed)));
    }
    if !more.is_empty() {
        findings.push(warning(
            "permissions",
            format!("more than needed: {}", joined(&more)),
            "remove it under App registrations, API permissions; rosterd only reads",
        ));
    }
    Ok(roles)
}

/// A server's word is not ours to trust with a line.
fn plain(role: &str) -> String {
    role.chars().filter(char::is_ascii_graphic).take(80).collect()
}

fn joined(roles: &[&String]) -> String {
    let mut names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    names.sort_unstable();
    names.join(", ")
}

/// Users, groups and members by a call each, and the clock by the first answer.
pub(super) async fn findings(
    graph: &Graph,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<Known, Over> {
    let mut known = Known::default();
    let users = over("users", users(graph, now, findings).await, findings)?;
    known.users_readable = users.is_ok();
    match users {
        Ok(list) => {
            known.user = first_id(&list);
            findings.push(readable("users", USER_READ));
        }
        Err(trouble) => findings.push(refused("users", USER_READ, &trouble)),
    }
    match get::<Value>(graph, "groups", "/groups?$top=1&$select=id", MEMBER_READ, findings).await? {
        Ok(list) => {
            known.groups_readable = true;
            known.group = first_id(&list);
            findings.push(readable("groups", MEMBER_READ));
        }
        Err(trouble) => findings.push(refused("groups", MEMBER_READ, &trouble)),
    }
    if let Some(group) = &known.group {
        let address = format!("/groups/{}/members?$top=1&$select=id,displayName", segment(group));
        match get::<Value>(graph, "members", &address, MEMBER_READ, findings).await? {
            Ok(list) if is_limited(&list) => findings.push(error_finding(
                "members",
                "people in groups come without their names",
                format!("add the application permission {USER_READ} {CONSENT}"),
            )),
            Ok(_) => findings.push(readable("members", MEMBER_READ)),
            Err(trouble) => findings.push(refused("members", MEMBER_READ, &trouble)),
        }
    }
    Ok(known)
}

fn readable(subject: &str, permission: &str) -> Finding {
    ok(subject, format!("may be read ({permission} or more)"))
}

/// Somebody whose name is null is somebody whom we may not read (graph.md 2.9).
fn is_limited(list: &Value) -> bool {
    let first = list.get("value").and_then(|rows| rows.get(0));
    first.is_some_and(|row| {
        row.get("@odata.type").and_then(Value::as_str) == Some("#microsoft.graph.user")
            && row.get("displayName").is_some_and(Value::is_null)
    })
}

/// With the whole answer, for its `Date`.
async fn users(graph: &Graph, now: Timestamp, findings: &mut Vec<Finding>) -> Result<Value, Trouble> {
    let request = Request::get(graph.own("/users?$top=1&$select=id")?);
    let place = request.place();
    let answer = graph.send(request).await?;
    findings.extend(answer.date().map(|date| clock(date, now)));
    if answer.status != 200 {
        return Err(
            trouble::judge(&answer, Call { place: &place, permission: USER_READ, link: Link::Own }).plain()
        );
    }
    Ok(decode(&answer, &place)?)
}

/// Tokens, assertions and delta links are judged by time.
fn clock(server: Timestamp, now: Timestamp) -> Finding {
    let skew = now.duration_since(server);
    let text = match skew.as_secs() {
        0 => "agrees with the server's".to_owned(),
        seconds if seconds > 0 => format!("{} ahead of the server's", told(skew)),
        _ => format!("{} behind the server's", told(skew)),
    };
    let cure = "set this host's clock right, and let chrony or systemd-timesyncd keep it so";
    match skew.abs() {
        skew if skew >= SKEW_MAX => error_finding("clock", text, cure),
        skew if skew >= SKEW_TOLD => warning("clock", text, cure),
        _ => ok("clock", text),
    }
}

fn told(skew: SignedDuration) -> String {
    let seconds = skew.as_secs().abs();
    match seconds {
        0..120 => format!("{seconds} s"),
        _ => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Grade;
    use serde_json::json;

    fn lines(claims: Value, attributes: &[&str]) -> Vec<String> {
        let attributes: Vec<String> = attributes.iter().map(|name| (*name).to_owned()).collect();
        let mut findings = Vec::new();
        let _ = of_token(&claims, &attributes, &mut findings);
        findings
            .iter()
            .map(|finding| format!("{:?} {}: {}", finding.grade, finding.subject, finding.text))
            .collect()
    }

    #[test]
    fn a_token_tells_what_is_granted_and_what_is_too_much() {
        assert_eq!(
            lines(
                json!({"oid": "o", "roles": ["User.Read.All", "GroupMember.Read.All", "Application.Read.All"]}),
                &[]
            ),
            ["Ok permissions: Application.Read.All, GroupMember.Read.All, User.Read.All"]
        );
        assert_eq!(
            lines(
                json!({"oid": "o", "roles": ["Directory.ReadWrite.All", "Directory.Read.All", "Mail.Read"]}),
                &[]
            ),
            [
                "Ok permissions: Directory.Read.All",
                "Warning permissions: more than needed: Directory.ReadWrite.All, Mail.Read"
            ]
        );
        let audit = json!({"oid": "o", "roles": ["AuditLog.Read.All"]});
        assert_eq!(lines(audit.clone(), &[]), ["Warning permissions: more than needed: AuditLog.Read.All"]);
        assert_eq!(lines(audit, &["signInActivity"]), ["Ok permissions: AuditLog.Read.All"]);
    }

    #[test]
    fn a_token_without_roles_or_principal_says_so() {
        let none = "Error permissions: the token holds no application permission";
        let nobody = "Warning sign-in: the token names no service principal: the tenant does not know the application yet";
        assert_eq!(lines(json!({"oid": "o"}), &[]), [none]);
        assert_eq!(lines(json!({"roles": []}), &[]), [nobody, none]);
    }

    #[test]
    fn a_clock_is_told_from_half_a_minute_and_wrong_from_five_minutes_on() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let server = at("2026-11-24T08:00:00Z");
        for (now, grade, text) in [
            ("2026-11-24T08:00:00.9Z", Grade::Ok, "agrees with the server's"),
            ("2026-11-24T08:00:29Z", Grade::Ok, "29 s ahead of the server's"),
            ("2026-11-24T07:59:30Z", Grade::Warning, "30 s behind the server's"),
            ("2026-11-24T08:02:00Z", Grade::Warning, "2 min ahead of the server's"),
            ("2026-11-24T08:05:00Z", Grade::Error, "5 min ahead of the server's"),
            ("2026-11-24T06:00:00Z", Grade::Error, "120 min behind the server's"),
        ] {
            let finding = clock(server, at(now));
            assert_eq!((finding.grade, finding.text.as_str()), (grade, text), "{now}");
        }
    }

    #[test]
    fn people_without_names_are_a_missing_permission() {
        let row = |kind: &str, name: Value| json!({"value": [{"@odata.type": kind, "id": "x", "displayName": name}]});
        assert!(is_limited(&row("#microsoft.graph.user", Value::Null)));
        assert!(!is_limited(&row("#microsoft.graph.user", json!("Ann"))));
        assert!(!is_limited(&row("#microsoft.graph.device", Value::Null)));
        assert!(!is_limited(&json!({"value": []})));
    }
}
