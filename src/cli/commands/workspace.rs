//! `workspace …`: what an embedded workspace holds, and what is done to it by hand.
//!
//! As JSON, users and teams are one SCIM resource (RFC 7643) a line.

mod erase;
mod follow_ups;
mod grants;

use crate::cli::args::Global;
use crate::cli::args::In;
use crate::cli::args::Output;
use crate::cli::args::Workspace as Arguments;
use crate::cli::args::WorkspaceList;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::person;
use crate::cli::settings;
use crate::cli::wire;
use crate::config::Config;
use crate::config::FollowUpsConfig;
use crate::report;
use crate::scim::Filter;
use crate::scim::ResourceType;
use crate::store::ListQuery;
use crate::store::Resource;
use crate::store::Store;

const CHUNK: u64 = 500;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    match arguments {
        Arguments::Users(list) => show(global, ResourceType::User, list).await,
        Arguments::Teams(list) => show(global, ResourceType::Group, list).await,
        Arguments::Grants(arguments) => grants::run(global, arguments).await,
        Arguments::FollowUps(arguments) => follow_ups::run(global, arguments).await,
        Arguments::Erase(arguments) => erase::run(global, arguments).await,
    }
}

/// One workspace, with the settings and the state that it is in.
struct Desk {
    config: Config,
    store: Store,
    workspace: String,
}

impl Desk {
    fn to_look(global: &Global, place: &In) -> Result<Desk, anyhow::Error> {
        Desk::new(global, place, wire::open_to_look)
    }

    fn to_write(global: &Global, place: &In) -> Result<Desk, anyhow::Error> {
        Desk::new(global, place, wire::open)
    }

    fn new(
        global: &Global,
        place: &In,
        open: impl FnOnce(&Config) -> Result<Store, anyhow::Error>,
    ) -> Result<Desk, anyhow::Error> {
        let config = settings::load(global)?;
        let workspace = wire::workspace_name(&config, place.workspace.as_deref())?;
        let store = open(&config)?;
        Ok(Desk { config, store, workspace })
    }

    async fn person(&self, who: &str) -> Result<Resource, anyhow::Error> {
        person::find(&self.store, &self.workspace, who).await
    }

    fn follow_ups(&self) -> FollowUpsConfig {
        self.config.workspaces.get(&self.workspace).map(|found| found.follow_ups.clone()).unwrap_or_default()
    }

    fn receiver_is_missing(&self) -> bool {
        self.follow_ups().receiver.is_none()
    }

    fn pages(&self, kind: ResourceType, filter: Option<Filter>) -> Pages<'_> {
        let query = ListQuery { filter, count: CHUNK, related: true, ..ListQuery::all(kind) };
        Pages { desk: self, query }
    }
}

/// A list, page by page: one of any length is shown in constant memory.
struct Pages<'a> {
    desk: &'a Desk,
    query: ListQuery,
}

impl Pages<'_> {
    /// `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<Resource>>, anyhow::Error> {
        let page = self.desk.store.list_resources(&self.desk.workspace, self.query.clone()).await?;
        self.query.start += page.resources.len() as u64;
        Ok(Some(page.resources).filter(|resources| !resources.is_empty()))
    }
}

async fn show(global: &Global, kind: ResourceType, list: &WorkspaceList) -> Result<Exit, anyhow::Error> {
    let desk = Desk::to_look(global, &list.place)?;
    let mut pages = desk.pages(kind, None);
    while let Some(page) = pages.next().await? {
        for resource in &page {
            out::print(&match list.format {
                Output::Text => text(resource),
                Output::Json => format!("{}\n", resource.shown("")),
            });
        }
    }
    Ok(Exit::Done)
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
    if resource.meta.kind == ResourceType::User {
        let (name, called, teams) =
            (text("userName"), report::printable(&called(resource)), related.join(", "));
        return format!("{name:<36} {state:<9} {called:<28} {teams}\n");
    }
    format!("{:<36} {:>6} members  {}\n", text("displayName"), related.len(), related.join(", "))
}
