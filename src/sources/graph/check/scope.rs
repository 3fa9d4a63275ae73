//! Whether the groups that the scope chooses are there, and whether Graph takes its filters.

use serde_json::Value;

use super::CONSENT;
use super::Over;
use super::count;
use super::error_finding;
use super::first_id;
use super::get;
use super::ok;
use super::over;
use super::permissions::HIDDEN_READ;
use super::refused;
use super::warning;
use crate::client::Request;
use crate::model::Finding;
use crate::model::GroupPick;
use crate::model::List;
use crate::sources::graph::door::Graph;
use crate::sources::graph::door::MEMBER_READ;
use crate::sources::graph::door::USER_READ;
use crate::sources::graph::door::segment;
use crate::sources::graph::filter;
use crate::sources::graph::trouble::Link;
use crate::sources::graph::trouble::Trouble;

/// Each pick is a request; more than these are not looked for one by one.
const PICKS_MAX: usize = 50;

pub(super) async fn findings(
    graph: &Graph,
    roles: Option<&[String]>,
    findings: &mut Vec<Finding>,
) -> Result<(), Over> {
    let picks = &graph.settings.picks;
    for pick in picks.iter().take(PICKS_MAX) {
        match pick {
            GroupPick::Id(id) => by_id(graph, &id.0, roles, findings).await?,
            GroupPick::Name(name) => {
                let filter = format!("displayName eq '{}'", quoted(name));
                by_name(graph, &format!("name:{name}"), &filter, Many::Odd, findings).await?;
            }
            GroupPick::Prefix(prefix) => {
                let filter = format!("startswith(displayName,'{}')", quoted(prefix));
                by_name(graph, &format!("prefix:{prefix}"), &filter, Many::Meant, findings).await?;
            }
            // Graph cannot be asked for it; the groups are read, and the rule is ours.
            GroupPick::Rule { .. } => {}
        }
    }
    for list in &graph.settings.lists {
        match list {
            List::UserFilter(filter) => filtered(graph, list, filter, ("users", USER_READ), findings).await?,
            List::GroupFilter(filter) => {
                filtered(graph, list, filter, ("groups", MEMBER_READ), findings).await?
            }
            List::App(_) | List::PushMappings(_) => {}
        }
    }
    if picks.len() > PICKS_MAX {
        let more = count(picks.len() - PICKS_MAX, "further choice");
        findings.push(ok(
            "scope",
            format!("{more} not looked at: more than {PICKS_MAX} are not asked for one by one"),
        ));
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

async fn by_id(
    graph: &Graph,
    id: &str,
    roles: Option<&[String]>,
    findings: &mut Vec<Finding>,
) -> Result<(), Over> {
    let address = format!("/groups/{}?$select=id,displayName,visibility", segment(id));
    match get::<Value>(graph, "scope", &address, MEMBER_READ, findings).await? {
        Ok(group) => findings.push(group_seen(id, &group, roles)),
        Err(Trouble::Missing { .. }) => findings.push(error_finding(
            "scope",
            format!("id:{id}: the tenant has no such group"),
            "copy its Object ID from Groups, or take it out of the scope",
        )),
        Err(trouble) => findings.push(refused("scope", MEMBER_READ, &trouble)),
    }
    Ok(())
}

fn group_seen(id: &str, group: &Value, roles: Option<&[String]>) -> Finding {
    let text = |name: &str| group.get(name).and_then(Value::as_str).unwrap_or_default();
    let hides = text("visibility") == "HiddenMembership";
    let may_see = roles.is_some_and(|roles| roles.iter().any(|role| role == HIDDEN_READ));
    if hides && !may_see {
        return warning(
            "scope",
            format!("id:{id} ({}) hides its members", text("displayName")),
            format!("add the application permission {HIDDEN_READ} {CONSENT}"),
        );
    }
    ok("scope", format!("id:{id} is {}", text("displayName")))
}

/// What several groups mean.
enum Many {
    Meant,
    /// A name that is meant for one.
    Odd,
}

async fn by_name(
    graph: &Graph,
    pick: &str,
    filter: &str,
    many: Many,
    findings: &mut Vec<Finding>,
) -> Result<(), Over> {
    let address = format!("/groups?$filter={}&$select=id&$top=999", segment(filter));
    let list = match get::<Value>(graph, "scope", &address, MEMBER_READ, findings).await? {
        Ok(list) => list,
        Err(trouble) => {
            findings.push(refused("scope", MEMBER_READ, &trouble));
            return Ok(());
        }
    };
    let found = list.get("value").and_then(Value::as_array).map_or(0, Vec::len);
    let more = if list.get("@odata.nextLink").is_some() { " and more" } else { "" };
    findings.push(match (found, many) {
        (0, _) => warning(
            "scope",
            format!("{pick}: no group is called so"),
            "compare it with Groups in the admin center; case does not matter, spaces do",
        ),
        (1, _) => ok("scope", format!("{pick}: 1 group")),
        (_, Many::Meant) => ok("scope", format!("{pick}: {found} groups{more}")),
        (_, Many::Odd) => warning(
            "scope",
            format!("{pick}: {found} groups{more} are called so, and all of them count"),
            "names are not unique; choose one by id:ID if only that one is meant",
        ),
    });
    Ok(())
}

/// Whether Graph takes the filter, and whether it selects anybody: asked piece by piece, as it is read.
async fn filtered(
    graph: &Graph,
    list: &List,
    filter: &str,
    (collection, permission): (&str, &'static str),
    findings: &mut Vec<Finding>,
) -> Result<(), Over> {
    let name = list.name();
    for piece in filter::pieces(filter) {
        let address = format!("/{collection}?$filter={}&$select=id&$top=1", segment(&piece));
        let advanced = filter::is_advanced(filter);
        let mut heard = asked(graph, &address, permission, advanced).await;
        if let (Err(Trouble::Unsupported { .. }), false) = (&heard, advanced) {
            heard = asked(graph, &address, permission, true).await;
        }
        match over("scope", heard, findings)? {
            Ok(page) if first_id(&page).is_some() => {
                findings.push(ok("scope", format!("{name} selects {collection}")));
                return Ok(());
            }
            Ok(_) => {}
            Err(Trouble::Unsupported { said, .. }) => {
                findings.push(error_finding(
                    "scope",
                    format!("{name}: Graph does not take it ({said})"),
                    "write it as Graph's $filter takes it, such as department eq 'Sales'",
                ));
                return Ok(());
            }
            Err(trouble) => {
                findings.push(refused("scope", permission, &trouble.plain()));
                return Ok(());
            }
        }
    }
    let cure = "compare its values with the directory; it may be right, and nobody is there yet";
    findings.push(warning("scope", format!("{name} selects no {collection}"), cure));
    Ok(())
}

async fn asked(
    graph: &Graph,
    address: &str,
    permission: &'static str,
    advanced: bool,
) -> Result<Value, Trouble> {
    if !advanced {
        return graph.ask(Request::get(graph.own(address)?), Link::Own, permission).await;
    }
    let url = graph.own(&format!("{address}&$count=true"))?;
    graph.ask(Request::get(url).header("ConsistencyLevel", "eventual"), Link::Own, permission).await
}
