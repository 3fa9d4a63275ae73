//! What Microsoft Graph charges for a request, and what its answers say of cost and load (graph.md section 7).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::client::Answer;
use crate::client::Bill;
use crate::client::Request;
use crate::client::Tariff;

/// The window of the limits.
const WINDOW: Duration = Duration::from_secs(10);
/// What a part that was refused for now is waited for where it does not say.
const REST_UNTOLD: Duration = Duration::from_secs(2);

/// How large a tenant is, by which Graph sets the limit for one application in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TenantSize {
    /// Fewer than 50 users.
    Small,
    /// 50 to 500 users.
    Medium,
    /// More than 500 users.
    Large,
}

impl TenantSize {
    pub const ALL: [TenantSize; 3] = [TenantSize::Small, TenantSize::Medium, TenantSize::Large];

    pub fn name(self) -> &'static str {
        match self {
            TenantSize::Small => "small",
            TenantSize::Medium => "medium",
            TenantSize::Large => "large",
        }
    }

    pub fn named(name: &str) -> Option<TenantSize> {
        TenantSize::ALL.into_iter().find(|size| size.name() == name)
    }

    pub(super) fn of(users: u64) -> TenantSize {
        match users {
            0..50 => TenantSize::Small,
            50..=500 => TenantSize::Medium,
            _ => TenantSize::Large,
        }
    }

    /// Resource units in ten seconds.
    pub(super) fn limit(self) -> u64 {
        match self {
            TenantSize::Small => 3_500,
            TenantSize::Medium => 5_000,
            TenantSize::Large => 8_000,
        }
    }

    /// Our share of it.
    pub(super) fn share(self, percent: u8) -> u64 {
        (self.limit() * u64::from(percent) / 100).max(1)
    }
}

pub(super) fn tariff(size: TenantSize, percent: u8) -> Tariff {
    Tariff { units: size.share(percent), window: WINDOW, cost, bill }
}

/// A batch costs what its parts cost.
fn cost(request: &Request) -> u64 {
    match parts(request) {
        Some(parts) => parts.iter().map(|(_, cost)| cost).sum::<u64>().max(1),
        None => cost_of(request.method.as_str(), &request.url),
    }
}

/// Id and cost of each part of a batch.
fn parts(request: &Request) -> Option<Vec<(&str, u64)>> {
    if !request.url.path().ends_with("/$batch") {
        return None;
    }
    let parts = request.body.as_ref()?.get("requests")?.as_array()?;
    let text =
        |part: &'_ Value, name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(
        parts
            .iter()
            .map(|part| {
                let id = part.get("id").and_then(Value::as_str).unwrap_or_default();
                // The host plays no part in the price.
                let url = Url::parse(&format!("https://graph/v1.0{}", text(part, "url")));
                (id, url.map_or(1, |url| cost_of(&text(part, "method"), &url)))
            })
            .collect(),
    )
}

/// | request | units |
/// |---|---|
/// | `users` | 2 |
/// | `groups/{id}/members` | 3 |
/// | `groups/{id}/transitiveMembers` | 5 |
/// | `directoryObjects/getByIds` | 3 |
/// | `…/appRoleAssignments`, `applications`, `…/memberOf`, `…/transitiveMemberOf` | 2 |
/// | `…/checkMemberGroups` | 4: not in the list, but recorded (corpus graph/008) |
/// | anything else, and every `delta` (not in the list) | 1 |
/// | `$select` | one less |
/// | `$expand` | one more |
/// | `$top` below 20 | one less |
/// | at least | 1 |
fn cost_of(method: &str, url: &Url) -> u64 {
    let segments: Vec<&str> = url.path_segments().into_iter().flatten().skip(1).collect();
    let base: i64 = match (method, &segments[..]) {
        ("POST", [.., "getByIds"]) => 3,
        ("POST", [.., "checkMemberGroups"]) => 4,
        ("GET", [.., "delta"]) => 1,
        ("GET", ["users"] | ["applications"]) => 2,
        ("GET", ["groups", _, "members", ..]) => 3,
        ("GET", ["groups", _, "transitiveMembers", ..]) => 5,
        ("GET", [_, _, "appRoleAssignments" | "memberOf" | "transitiveMemberOf", ..]) => 2,
        _ => 1,
    };
    let mut cost = base;
    for (name, value) in url.query_pairs() {
        cost += match &*name {
            "$select" => -1,
            "$expand" => 1,
            "$top" if value.parse::<u32>().is_ok_and(|top| top < 20) => -1,
            _ => 0,
        };
    }
    u64::try_from(cost).unwrap_or(1).max(1)
}

fn bill(request: &Request, answer: &Answer) -> Bill {
    match parts(request) {
        Some(parts) => bill_of_batch(&parts, answer),
        None => Bill { charged: charged(answer.header(UNIT)), load: load(answer.header(LOAD)), rest: None },
    }
}

const UNIT: &str = "x-ms-resource-unit";
const LOAD: &str = "x-ms-throttle-limit-percentage";

fn charged(text: Option<&str>) -> Option<u64> {
    text?.trim().parse().ok()
}

fn load(text: Option<&str>) -> Option<f64> {
    text?.trim().parse().ok().filter(|load: &f64| load.is_finite())
}

/// Each part is charged and throttled by itself: the bill is their sum, and the load the highest that one of them met.
fn bill_of_batch(parts: &[(&str, u64)], answer: &Answer) -> Bill {
    let heard = answer.json::<Heard>().unwrap_or_default().responses;
    let said: BTreeMap<&str, &HeardPart> = heard.iter().map(|part| (part.id.as_str(), part)).collect();
    let of = |id: &str, name: &str| said.get(id).and_then(|part| part.header(name));
    let outer = load(answer.header(LOAD));
    let load = parts.iter().filter_map(|(id, _)| load(of(id, LOAD).as_deref())).chain(outer).reduce(f64::max);
    let charged = parts.iter().map(|(id, cost)| charged(of(id, UNIT).as_deref()).unwrap_or(*cost)).sum();
    let rest = heard.iter().filter(|part| part.status == 429).map(HeardPart::rest).max();
    Bill { charged: Some(charged), load, rest }
}

#[derive(Default, Deserialize)]
struct Heard {
    responses: Vec<HeardPart>,
}

#[derive(Deserialize)]
struct HeardPart {
    id: String,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
}

impl HeardPart {
    fn header(&self, name: &str) -> Option<String> {
        let headers = self.headers.as_ref()?;
        let (_, value) = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    fn rest(&self) -> Duration {
        let seconds = self.header("retry-after").and_then(|text| text.trim().parse::<f64>().ok());
        let asked = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(1.0)).ok());
        asked.unwrap_or(REST_UNTOLD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::HeaderMap;
    use http::Method;
    use serde_json::json;

    fn get(path: &str) -> Request {
        Request::get(Url::parse(&format!("https://graph.example/v1.0{path}")).unwrap())
    }

    fn batch(urls: &[(&str, &str)]) -> Request {
        let parts = urls
            .iter()
            .enumerate()
            .map(|(id, (method, url))| json!({"id": id.to_string(), "method": method, "url": url}));
        let body = json!({"requests": parts.collect::<Vec<_>>()});
        let url = Url::parse("https://graph.example/v1.0/$batch").unwrap();
        Request::json(Method::POST, url, body)
    }

    fn answer(headers: &[(&str, &str)], body: Value) -> Answer {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        Answer { status: 200, headers, body: Bytes::from(body.to_string()) }
    }

    /// Every row of the table, and of graph.md section 7.
    #[test]
    fn a_request_costs_what_the_table_says() {
        for (path, units) in [
            ("/users", 2),
            ("/users?$top=999&$select=id", 1),
            ("/users?$select=id&$expand=manager($select=id)", 2),
            ("/users?$top=1", 1),
            ("/users/u1?$select=id&$expand=manager($select=id)", 1),
            ("/users/delta?$deltatoken=x", 1),
            ("/groups", 1),
            ("/groups/g1/members", 3),
            ("/groups/g1/members?$select=id&$top=999", 2),
            ("/groups/g1/members?$select=id&$top=1", 1),
            ("/groups/g1/transitiveMembers", 5),
            ("/users/u1/memberOf?$select=id&$top=999", 1),
            ("/users/u1/appRoleAssignments?$top=999", 2),
            ("/servicePrincipals/s1/appRoleAssignments", 2),
            ("/servicePrincipals(appId='a')/appRoleAssignedTo?$top=999", 1),
            ("/applications", 2),
            ("/directory/deletedItems/x?$select=id", 1),
        ] {
            assert_eq!(cost(&get(path)), units, "{path}");
        }
        let ask = batch(&[("POST", "/users/u1/checkMemberGroups")]);
        assert_eq!(cost(&ask), 4);
    }

    #[test]
    fn a_batch_costs_its_parts() {
        let twenty = vec![("GET", "/users/u1?$select=id"); 20];
        assert_eq!(cost(&batch(&twenty)), 20);
        assert_eq!(cost(&batch(&[("GET", "/groups/g/members"), ("GET", "/users/u/memberOf")])), 5);
    }

    #[test]
    fn an_answer_says_what_it_did_cost_and_how_busy_the_tenant_is() {
        let headers = [("x-ms-resource-unit", "4"), ("x-ms-throttle-limit-percentage", "0.85")];
        let heard = bill(&get("/users"), &answer(&headers, json!({})));
        assert_eq!(heard, Bill { charged: Some(4), load: Some(0.85), rest: None });
        let odd = [("x-ms-resource-unit", "many"), ("x-ms-throttle-limit-percentage", "NaN")];
        assert_eq!(bill(&get("/users"), &answer(&odd, json!({}))), Bill::default());
    }

    #[test]
    fn the_parts_of_a_batch_say_it_each() {
        let request = batch(&[("GET", "/users/u1"), ("GET", "/users/u2"), ("GET", "/groups/g/members")]);
        let body = json!({"responses": [
            {"id": "2", "status": 429, "headers": {"Retry-After": "3.5"}, "body": {}},
            {"id": "1", "status": 200, "headers": {"X-Ms-Resource-Unit": "7", "x-ms-throttle-limit-percentage": "1.2"}, "body": {"id": "u2"}},
            {"id": "0", "status": 429, "body": {}}]});
        let heard = bill(&request, &answer(&[], body));
        let rest = Some(Duration::from_millis(3500));
        assert_eq!(heard, Bill { charged: Some(1 + 7 + 3), load: Some(1.2), rest });
        assert_eq!(bill(&request, &answer(&[], json!("<html>"))).charged, Some(5));
    }

    #[test]
    fn the_limit_follows_the_number_of_users() {
        for (users, units) in [(0, 1750), (49, 1750), (50, 2500), (500, 2500), (501, 4000)] {
            assert_eq!(TenantSize::of(users).share(50), units, "{users} users");
        }
        assert_eq!(TenantSize::Small.share(100), 3500);
    }
}
