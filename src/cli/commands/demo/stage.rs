//! The stage of the demo: a folder with settings, secrets and state, and the two directories on loopback.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::args::Demo as Arguments;
use crate::config::Config;
use crate::config::Layers;
use crate::config::Merged;
use crate::simulators;
use crate::simulators::Flavour;
use crate::simulators::Size;
use crate::simulators::World;

const SETTINGS: &str = include_str!("../../../../config/demo.toml");

/// Everything that the demo needs; dropping it ends the directories and removes the folder, unless it is kept.
pub struct Stage {
    pub config: Config,
    pub graph: World,
    pub okta: World,
    pub folder: PathBuf,
    pub endpoints: [SocketAddr; 2],
    keep: bool,
    stop: CancellationToken,
}

impl Stage {
    pub async fn build(arguments: &Arguments) -> Result<Stage, anyhow::Error> {
        let (folder, keep) = match &arguments.keep {
            Some(folder) => (folder.clone(), true),
            None => (std::env::temp_dir().join(format!("rosterd-demo-{}", std::process::id())), false),
        };
        make_folder(&folder)?;
        let stop = CancellationToken::new();
        let (graph, graph_at) = simulate(Flavour::Graph, arguments, &stop).await?;
        let (okta, okta_at) = simulate(Flavour::Okta, arguments, &stop).await?;
        write(&folder.join("rosterd.toml"), SETTINGS)?;
        write(&folder.join("graph-secret"), simulators::CLIENT_SECRET)?;
        write(&folder.join("okta-token"), simulators::API_TOKEN)?;
        write(&folder.join("conf.d/demo.toml"), &endpoints(&folder, graph_at, okta_at))?;
        let layers = Layers { file: Some(folder.join("rosterd.toml")), ..Layers::default() };
        let config = Merged::read(&layers)?.check()?;
        Ok(Stage { config, graph, okta, folder, endpoints: [graph_at, okta_at], keep, stop })
    }

    pub fn world(&self, job: &str) -> &World {
        if job == "acme" { &self.graph } else { &self.okta }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
        if !self.keep {
            // It lies in the folder for temporary files; what cannot be removed now is removed there.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

async fn simulate(
    flavour: Flavour,
    arguments: &Arguments,
    stop: &CancellationToken,
) -> Result<(World, SocketAddr), anyhow::Error> {
    let users = arguments.users as usize;
    let size = Size { users, groups: (users / 8).max(4), memberships_per_user: 2 };
    let world = World::new(flavour, size, arguments.seed, Timestamp::now());
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no loopback port could be opened")?;
    let address = listener.local_addr()?;
    tokio::spawn(simulators::serve(world.clone(), listener, stop.clone()));
    Ok((world, address))
}

/// A folder of its own: what stands in it already is not ours to overwrite.
fn make_folder(folder: &Path) -> Result<(), anyhow::Error> {
    let mut ours = std::fs::DirBuilder::new();
    ours.mode(0o700);
    let made = ours.recursive(false).create(folder);
    made.with_context(|| {
        format!("the folder {} cannot be made new; name another with --keep", folder.display())
    })?;
    Ok(ours.create(folder.join("conf.d"))?)
}

fn write(path: &Path, text: &str) -> Result<(), anyhow::Error> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.with_context(|| format!("{} cannot be written", path.display()))
}

fn endpoints(folder: &Path, graph: SocketAddr, okta: SocketAddr) -> String {
    let in_folder = |name: &str| folder.join(name).display().to_string();
    format!(
        "[daemon]\nstate = {state:?}\n\
         [jobs.acme.source.graph]\nauthority = \"http://{graph}\"\nroot = \"http://{graph}\"\nsecret = {secret:?}\n\
         [jobs.globex.source.okta]\nurl = \"http://{okta}\"\ntoken = {token:?}\n",
        state = in_folder("rosterd.db"),
        secret = format!("file:{}", in_folder("graph-secret")),
        token = format!("file:{}", in_folder("okta-token")),
    )
}
