//! Logs go to stderr: warnings for a command, a line a cycle for the daemon.

use tracing_subscriber::EnvFilter;

/// The heartbeat's library tells of every beat.
const QUIET: &str = "tokio_cron_scheduler=warn";

/// `--log` wins over `RUST_LOG`, and that over the command's own level. A filter that cannot be read is an
/// error of the command line.
pub fn start(filter: Option<&str>, usual: &str) -> Result<(), anyhow::Error> {
    let text = match filter {
        Some(filter) => filter.to_owned(),
        None => std::env::var("RUST_LOG").unwrap_or_else(|_| usual.to_owned()),
    };
    let filter = EnvFilter::try_new(format!("{QUIET},{text}")).map_err(|error| {
        anyhow::anyhow!("`{text}` is no log filter ({error}); write info, or rosterd=debug")
    })?;
    let to_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(
            std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none(),
        );
    // journald puts the time on every line itself.
    let started = if to_journal { logs.without_time().try_init() } else { logs.try_init() };
    started.map_err(|error| anyhow::anyhow!("logging could not start ({error})"))
}

/// A panic is told by its place. Its text is left out unless it is one of ours, written out in the code: what
/// the library says of a text that it could not cut, for one, quotes the text (P11).
pub fn tell_panics_without_values() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(text not shown)");
        tracing::error!(place, "a defect of rosterd, please report it: {text}");
    }));
}
