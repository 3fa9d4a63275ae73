//! `simulate graph|okta`: serves a simulated directory, and prints the settings that reach it.

use std::net::SocketAddr;

use anyhow::Context;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::args::Simulate as Arguments;
use crate::cli::args::Simulated;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::daemon::stop_on_signals;
use crate::simulators;
use crate::simulators::Fault;
use crate::simulators::FaultTextError;
use crate::simulators::Flavour;
use crate::simulators::Size;
use crate::simulators::World;

pub async fn run(arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let (flavour, simulated) = match arguments {
        Arguments::Graph(simulated) => (Flavour::Graph, simulated),
        Arguments::Okta(simulated) => (Flavour::Okta, simulated),
    };
    let faults = faults(simulated)?;
    let listener = TcpListener::bind(simulated.listen).await.with_context(|| {
        format!("{} cannot be listened on; choose another with --listen", simulated.listen)
    })?;
    let address = listener.local_addr()?;
    let world = World::new(flavour, size(simulated), simulated.seed, Timestamp::now());
    world.set_speed(simulated.speed);
    faults.into_iter().for_each(|fault| world.fault(fault));
    for text in &simulated.knob {
        world.turn(&knob(text)?)?;
    }
    out::print(&settings(flavour, address));
    let stop = CancellationToken::new();
    stop_on_signals(&stop)?;
    simulators::serve(world, listener, stop).await?;
    Ok(Exit::Done)
}

/// `NAME=@FILE` takes the value from a file, such as a certificate.
fn knob(text: &str) -> Result<String, anyhow::Error> {
    let Some((name, file)) = text.split_once("=@") else { return Ok(text.to_owned()) };
    let value = std::fs::read_to_string(file)
        .with_context(|| format!("the value of `{name}` cannot be read from {file}"))?;
    Ok(format!("{name}={value}"))
}

fn size(simulated: &Simulated) -> Size {
    Size {
        users: simulated.users as usize,
        groups: simulated.groups as usize,
        memberships_per_user: simulated.memberships as usize,
    }
}

fn faults(simulated: &Simulated) -> Result<Vec<Fault>, anyhow::Error> {
    Ok(simulated.fault.iter().map(|text| text.parse()).collect::<Result<_, FaultTextError>>()?)
}

/// A job that reads the simulated directory into a workspace, ready to be pasted.
pub fn settings(flavour: Flavour, address: SocketAddr) -> String {
    let (word, source, app) = match flavour {
        Flavour::Graph => ("graph", graph(address), simulators::GRAPH_APP_ID),
        Flavour::Okta => ("okta", okta(address), simulators::OKTA_APP_ID),
    };
    let upper = word.to_uppercase();
    let secret = match flavour {
        Flavour::Graph => simulators::CLIENT_SECRET,
        Flavour::Okta => simulators::API_TOKEN,
    };
    format!(
        "\
# a simulated {word} directory on http://{address}; Ctrl-C ends it
# its secret, which is none: export SIMULATED_{upper}='{secret}'
# change it: curl http://{address}/_control/snapshot, and POST to /_control/changes

[jobs.simulated_{word}]
schedule = \"every 10s\"
target = \"simulated_{word}\"
{source}
[jobs.simulated_{word}.scope]
users.assigned_to = \"{app}\"
teams.assigned_to = \"{app}\"

[jobs.simulated_{word}.mapping]
preset = \"cerby\"

[targets.simulated_{word}.workspace]
name = \"{word}\"
"
    )
}

fn graph(address: SocketAddr) -> String {
    format!(
        "
[jobs.simulated_graph.source.graph]
authority = \"http://{address}\"
root = \"http://{address}\"
tenant = \"{}\"
client_id = \"{}\"
secret = \"env:SIMULATED_GRAPH\"
",
        simulators::TENANT,
        simulators::CLIENT_ID
    )
}

fn okta(address: SocketAddr) -> String {
    format!(
        "\n[jobs.simulated_okta.source.okta]\nurl = \"http://{address}\"\ntoken = \"env:SIMULATED_OKTA\"\n"
    )
}
