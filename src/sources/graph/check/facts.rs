//! What the tenant's licence allows, whether it tells of changes, how much of its allowance is ours, and which hosts
//! are spoken to.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::Over;
use super::application::Assigned;
use super::count;
use super::get;
use super::is_refused;
use super::ok;
use super::permissions::Known;
use super::warning;
use crate::model::Finding;
use crate::sources::graph::door::APPLICATION_READ;
use crate::sources::graph::door::DIRECTORY_READ;
use crate::sources::graph::door::Graph;
use crate::sources::graph::door::MEMBER_READ;
use crate::sources::graph::door::USER_READ;
use crate::sources::graph::door::segment;
use crate::sources::graph::expiry::Expiry;
use crate::sources::graph::sign_in::SignIn;

/// Service plans of Microsoft Entra ID P1 and P2, the same in every tenant (Microsoft's list of service plans).
const PLANS: [(&str, &str); 2] =
    [("41781fb2-bc02-4b7c-bd55-b576c07bb09d", "P1"), ("eec0eb4f-6444-4f95-aba0-50c24d67f998", "P2")];

/// A plan that is used, or that ended a moment ago.
const ALIVE: [&str; 2] = ["Enabled", "Warning"];

/// Groups can be assigned to an application with P1 or P2 alone (graph.md section 3).
pub(super) async fn licence(
    graph: &Graph,
    assigned: &Assigned,
    findings: &mut Vec<Finding>,
) -> Result<(), Over> {
    let address = "/organization?$select=id,displayName,assignedPlans";
    let heard = get::<Value>(graph, "licence", address, DIRECTORY_READ, findings).await?;
    let plans = heard.as_ref().ok().and_then(plans);
    findings.push(told(plans.as_deref(), assigned));
    Ok(())
}

/// The premium plans of the first organization; `None` where they are not shown.
fn plans(list: &Value) -> Option<Vec<&'static str>> {
    let plans = list.get("value")?.get(0)?.get("assignedPlans")?.as_array()?;
    let text =
        |plan: &Value, name: &str| plan.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let alive = plans.iter().filter(|plan| ALIVE.contains(&text(plan, "capabilityStatus").as_str()));
    let ids: Vec<String> = alive.map(|plan| text(plan, "servicePlanId").to_lowercase()).collect();
    Some(PLANS.iter().filter(|(id, _)| ids.iter().any(|known| known == id)).map(|(_, name)| *name).collect())
}

/// | plans | groups assigned | then |
/// |---|---|---|
/// | P1 or P2 | | groups can be assigned |
/// | none | none | people one by one, or chosen groups |
/// | none | some | they count, and no further one can be assigned |
/// | not shown | none | cannot be seen |
/// | not shown | some | there is, or was, a licence |
fn told(plans: Option<&[&str]>, assigned: &Assigned) -> Finding {
    let groups = assigned.groups.len();
    let free = "assign people one by one, or choose groups by scope.users.groups; both need no licence";
    match (plans, groups) {
        (Some([_, ..]), _) => {
            let names = plans.unwrap_or_default().join(" and ");
            ok("licence", format!("Entra ID {names}: groups can be assigned; their direct members count"))
        }
        (Some([]), 0) if assigned.asked => {
            ok("licence", format!("Entra ID Free: groups cannot be assigned; {free}"))
        }
        (Some([]), 0) => ok("licence", "Entra ID Free: what is read needs no licence"),
        (Some([]), _) => warning(
            "licence",
            format!(
                "Entra ID Free, and {} assigned: it counts, but no other can be assigned",
                count(groups, "group")
            ),
            free,
        ),
        (None, 0) => {
            ok("licence", format!("cannot be seen without {DIRECTORY_READ}; assigning groups needs P1"))
        }
        (None, _) => ok(
            "licence",
            format!(
                "cannot be seen without {DIRECTORY_READ}; {} assigned, which takes P1",
                count(groups, "group")
            ),
        ),
    }
}

/// When our secret ends, as far as the registration shows it and nobody has written it down. Of several secrets nobody
/// can tell which is ours, so the one that lasts longest counts.
pub(super) async fn registration(
    graph: &Graph,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<(), Over> {
    let settings = &graph.settings;
    if !matches!(settings.sign_in, SignIn::Secrets(_)) || settings.secret_expires.is_some() {
        return Ok(());
    }
    let address =
        format!("/applications(appId='{}')?$select=id,passwordCredentials", segment(&settings.client_id));
    let heard = get::<Value>(graph, "expiry", &address, APPLICATION_READ, findings).await?;
    findings.push(match heard.as_ref().ok().and_then(last_end) {
        Some(at) => Expiry::registered(at, now).finding(),
        None => {
            ok("expiry", "when the secret ends cannot be seen; write it down as secret_expires to be warned")
        }
    });
    Ok(())
}

fn last_end(application: &Value) -> Option<Timestamp> {
    let secrets = application.get("passwordCredentials")?.as_array()?;
    secrets.iter().filter_map(|secret| secret.get("endDateTime")?.as_str()?.parse().ok()).max()
}

/// Tenants of B2C have no feeds (graph.md 6.5).
pub(super) async fn delta(graph: &Graph, known: &Known, findings: &mut Vec<Finding>) -> Result<(), Over> {
    let mut told = Vec::new();
    let feeds = [("users", USER_READ, known.users_readable), ("groups", MEMBER_READ, known.groups_readable)];
    for (collection, permission, _) in feeds.iter().filter(|(.., readable)| *readable) {
        let address = format!("/{collection}/delta?$deltatoken=latest&$select=id");
        match get::<Value>(graph, "changes", &address, permission, findings).await? {
            Ok(page) if page.get("@odata.deltaLink").is_some() || page.get("@odata.nextLink").is_some() => {
                told.push(format!("{collection}/delta"));
            }
            Err(trouble) if !is_refused(&trouble) => {
                findings.push(super::refused("changes", permission, &trouble))
            }
            _ => findings.push(warning(
                "changes",
                format!("{collection}/delta tells nothing"),
                "nothing has to be done: everything is listed in each cycle, which costs more requests",
            )),
        }
    }
    if !told.is_empty() {
        findings.push(ok("changes", format!("are told ({})", told.join(", "))));
    }
    Ok(())
}

pub(super) fn budget(graph: &Graph) -> Finding {
    let (units, size) = graph.budget();
    let percent = graph.settings.budget_percent;
    let (word, limit) = (size.name(), size.limit());
    let how = match graph.settings.tenant_size {
        Some(_) => "set",
        None => "until the users are counted",
    };
    ok(
        "budget",
        format!("{units} resource units in 10 s: {percent} % of the {limit} of a {word} tenant ({how})"),
    )
}

/// What a firewall has to let through.
pub(super) fn hosts(graph: &Graph) -> Finding {
    let settings = &graph.settings;
    let mut hosts = vec![host(&settings.root)];
    if !matches!(settings.sign_in, SignIn::Identity(_)) {
        hosts.insert(0, host(&settings.authority));
    }
    hosts.dedup();
    ok("hosts", format!("outbound only, to {}", hosts.join(" and ")))
}

fn host(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(443);
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn organization(plans: Value) -> Value {
        json!({"value": [{"id": "t", "assignedPlans": plans}]})
    }

    fn plan(id: &str, status: &str) -> Value {
        json!({"service": "AADPremiumService", "servicePlanId": id, "capabilityStatus": status})
    }

    #[test]
    fn premium_plans_are_known_by_their_ids_while_they_are_alive() {
        let p1 = plan("41781FB2-BC02-4b7c-bd55-b576c07bb09d", "Enabled");
        let p2 = plan("eec0eb4f-6444-4f95-aba0-50c24d67f998", "Warning");
        assert_eq!(plans(&organization(json!([p1, p2]))), Some(vec!["P1", "P2"]));
        let ended = plan("41781fb2-bc02-4b7c-bd55-b576c07bb09d", "Deleted");
        let other = plan("11111111-bc02-4b7c-bd55-b576c07bb09d", "Enabled");
        assert_eq!(plans(&organization(json!([ended, other]))), Some(vec![]));
        assert_eq!(plans(&json!({"value": [{"id": "t"}]})), None);
    }

    #[test]
    fn of_several_secrets_the_one_that_lasts_longest_counts() {
        let end = |days: &[&str]| {
            let secrets: Vec<Value> =
                days.iter().map(|day| json!({"endDateTime": format!("{day}T00:00:00Z")})).collect();
            last_end(&json!({"passwordCredentials": secrets})).map(|at| at.to_string())
        };
        assert_eq!(end(&["2027-01-31", "2027-06-30", "2026-12-01"]).as_deref(), Some("2027-06-30T00:00:00Z"));
        assert_eq!(end(&[]), None);
        assert_eq!(last_end(&json!({})), None);
    }

    #[test]
    fn a_licence_is_told_by_what_it_means_for_assignments() {
        let assigned = |groups: &[&str]| Assigned {
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            asked: true,
            ..Assigned::default()
        };
        let text = |plans: Option<&[&str]>, groups: &[&str]| told(plans, &assigned(groups)).text;
        assert_eq!(
            text(Some(&["P1"]), &["g"]),
            "Entra ID P1: groups can be assigned; their direct members count"
        );
        assert_eq!(
            text(Some(&[]), &[]),
            "Entra ID Free: groups cannot be assigned; assign people one by one, or choose groups by \
             scope.users.groups; both need no licence"
        );
        assert_eq!(
            text(Some(&[]), &["a", "b"]),
            "Entra ID Free, and 2 groups assigned: it counts, but no other can be assigned"
        );
        assert_eq!(text(None, &[]), "cannot be seen without Directory.Read.All; assigning groups needs P1");
        assert_eq!(
            text(None, &["g"]),
            "cannot be seen without Directory.Read.All; 1 group assigned, which takes P1"
        );
        let plain = told(Some(&[]), &Assigned::default());
        assert_eq!(plain.text, "Entra ID Free: what is read needs no licence");
    }
}
