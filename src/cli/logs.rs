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
