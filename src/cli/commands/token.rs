//! `token create`: a token with which others push into a workspace; shown once.

use crate::cli::args::DialectWord;
use crate::cli::args::Global;
use crate::cli::args::Token as Arguments;
use crate::cli::args::TokenCreate;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::who::who;
use crate::cli::wire;
use crate::scim::Dialect;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let Arguments::Create(TokenCreate { workspace, dialect, why }) = arguments;
    let dialect = match dialect {
        DialectWord::Strict => Dialect::Strict,
        DialectWord::Tolerant => Dialect::Tolerant,
    };
    let config = settings::load(global)?;
    let store = wire::open(&config)?;
    let token = store.create_token(workspace, dialect, None, jiff::Timestamp::now()).await?;
    tracing::info!(token = %token.id, %workspace, who = %who(), reason = %why.reason, "a token was made");
    out::print(&format!("{}\n", token.text));
    eprintln!(
        "token {} of workspace {workspace}, dialect {}; it is not shown again\nSCIM base: http://{}/scim/v2",
        token.id,
        dialect.word(),
        config.daemon.listen
    );
    Ok(Exit::Done)
}
