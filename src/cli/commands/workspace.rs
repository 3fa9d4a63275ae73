//! `workspace users|teams`: what an embedded workspace holds.
//!
//! As JSON: one SCIM resource (RFC 7643) a line.

use crate::cli::args::Global;
use crate::cli::args::Output;
use crate::cli::args::Workspace as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::wire;
use crate::report;
use crate::scim::ResourceType;
use crate::store::ListQuery;
use crate::store::Resource;

const CHUNK: u64 = 500;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let (kind, list) = match arguments {
        Arguments::Users(list) => (ResourceType::User, list),
        Arguments::Teams(list) => (ResourceType::Group, list),
    };
    let config = settings::load(global)?;
    let store = wire::open_to_look(&config)?;
    let name = wire::workspace_name(&config, list.workspace.as_deref())?;
    let mut start = 1;
    loop {
        let query = ListQuery { start, count: CHUNK, related: true, ..ListQuery::all(kind) };
        let page = store.list_resources(&name, query).await?;
        for resource in &page.resources {
            out::print(&match list.format {
                Output::Text => text(resource),
                Output::Json => format!("{}\n", resource.shown("")),
            });
        }
        start += page.resources.len() as u64;
        if page.resources.is_empty() || start > page.total {
            return Ok(Exit::Done);
        }
    }
}

/// The display name, or first and last name: a mapping may give either.
fn called(resource: &Resource) -> String {
    if let Some(name) = resource.body["displayName"].as_str() {
        return name.to_owned();
    }
    let part = |name: &str| resource.body["name"][name].as_str();
    [part("givenName"), part("familyName")].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn text(resource: &Resource) -> String {
    let text = |name: &str| report::printable(resource.body[name].as_str().unwrap_or_default());
    let state = if resource.active() { "active" } else { "inactive" };
    let related: Vec<String> = resource
        .related
        .iter()
        .map(|related| report::printable(related.display.as_deref().unwrap_or(&related.id.0)))
        .collect();
    match resource.meta.kind {
        ResourceType::User => format!(
            "{:<36} {state:<9} {:<28} {}\n",
            text("userName"),
            report::printable(&called(resource)),
            related.join(", ")
        ),
        ResourceType::Group => {
            format!("{:<36} {:>6} members  {}\n", text("displayName"), related.len(), related.join(", "))
        }
        ResourceType::Grant => format!(
            "{:<36} {:<10} {}\n",
            text("account"),
            if resource.body["privileged"] == true { "privileged" } else { "" },
            report::printable(resource.body["user"]["value"].as_str().unwrap_or_default())
        ),
    }
}
