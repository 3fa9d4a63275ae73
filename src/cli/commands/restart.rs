//! `restart`: a job begins anew: what failed is due, everything is read, the quarantine ends; on demand who is whose is
//! found out anew.

use crate::cli::args::Global;
use crate::cli::args::Restart as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::who::by_hand;
use crate::cli::wire;
use crate::store::Restart;
use crate::store::Restarted;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let name = &wire::one(&config, &arguments.job)?.name;
    let store = wire::open(&config)?;
    let state = store.job(name).await?;
    let what = wished(arguments);
    if what.links && arguments.why.reason.is_empty() {
        let count = store.links_to_forget(state.id).await?;
        anyhow::bail!(
            "job {name}: --links forgets {count} links. Whoever is wanted is matched anew and adopted as `adopt` says, what \
             matches nothing is created, and whoever has left stays as it is and is not ours any more; back up the state, then give \
             --reason"
        );
    }
    // A cycle of this job would go on with the links that are being forgotten.
    let _lease = match what.links {
        true => Some(store.lease(&[format!("job {name}")])?),
        false => None,
    };
    let restarted = store.restart(state.id, what, by_hand(&arguments.why)).await?;
    out::print(&told(name, what, restarted));
    Ok(Exit::Done)
}

/// Nothing named: what the reference's restart does.
fn wished(arguments: &Arguments) -> Restart {
    let Arguments { escrow, watermark, quarantine, links, .. } = *arguments;
    match [escrow, watermark, quarantine, links].contains(&true) {
        true => Restart { escrow, watermark, quarantine, links },
        false => Restart { escrow: true, watermark: true, quarantine: true, links: false },
    }
}

fn told(name: &str, what: Restart, restarted: Restarted) -> String {
    let mut out = format!("{name}: begins anew with the next cycle\n");
    let mut line = |on: bool, heading: &str, text: String| {
        if on {
            out += &format!("  {heading:<10} {text}\n");
        }
    };
    line(what.escrow, "escrow", format!("{} failed changes are tried again", restarted.escrow));
    line(what.watermark, "watermark", "everything is read anew".to_owned());
    let quarantine = if restarted.quarantine { "ended" } else { "there was none" };
    line(what.quarantine, "quarantine", quarantine.to_owned());
    line(
        what.links,
        "links",
        format!("{} forgotten: they are matched anew; nothing was removed in the target", restarted.links),
    );
    let shared = restarted.shared;
    line(shared > 0, "", format!("{shared} stay, because another job shares them: rosterd link move"));
    out + &format!("look first: rosterd plan {name}; now: rosterd sync {name}\n")
}
