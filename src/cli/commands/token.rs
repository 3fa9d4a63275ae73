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
use crate::store::TokenWish;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let Arguments::Create(TokenCreate { workspace, dialect, why }) = arguments;
    let dialect = match dialect {
        DialectWord::Strict => Dialect::Strict,
        DialectWord::Tolerant => Dialect::Tolerant,
    };
    let config = settings::load(global)?;
    let store = wire::open(&config)?;
    let workspace = wire::workspace_name(&config, Some(workspace))?;
    let reason = why.reason.clone();
    let wish = TokenWish::new(&workspace, dialect, who(), reason);
    let token = store.create_token(wish, jiff::Timestamp::now()).await?;
    out::print(&format!("{}\n", token.text));
    eprintln!(
        "token {} of workspace {workspace}, dialect {}; it is not shown again\nSCIM base: http://{}/scim/v2",
        token.id,
        dialect.word(),
        config.daemon.listen
    );
    Ok(Exit::Done)
}
