//! `token …`: the tokens with which others push into a workspace. A token is shown once, when it is made.
//!
//! As JSON, the list is one object a line: `{"id", "workspace", "tenant", "dialect", "rights", "denied", "state",
//! "created", "by", "reason", "last_used", "client", "expires", "revoked", "successor"}`. `last_used` is to the hour; `client` is
//! what the client called itself then.

use anyhow::Context;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::cli::args::DialectWord;
use crate::cli::args::Global;
use crate::cli::args::Output;
use crate::cli::args::Token as Arguments;
use crate::cli::args::TokenCreate;
use crate::cli::args::TokenList;
use crate::cli::args::TokenRevoke;
use crate::cli::args::TokenRotate;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::when;
use crate::cli::who::who;
use crate::cli::wire;
use crate::config::Config;
use crate::report::printable;
use crate::scim::Dialect;
use crate::scim::Path;
use crate::store::NewToken;
use crate::store::Rotation;
use crate::store::Store;
use crate::store::Token;
use crate::store::TokenWish;

/// Two follow one another; a third is one that somebody forgot.
const VALID_MAX: usize = 2;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    match arguments {
        Arguments::Create(create) => make(&config, create).await,
        Arguments::List(list) => show(&config, list).await,
        Arguments::Rotate(rotate) => follow(&config, rotate).await,
        Arguments::Revoke(TokenRevoke { id, why }) => {
            let store = wire::open(&config)?;
            let revoked = store.revoke_token(id, &who(), &why.reason, Timestamp::now()).await?;
            anyhow::ensure!(
                revoked,
                "there is no token `{id}` that could be revoked; `rosterd token list` shows them"
            );
            out::print(&format!("token {id} opens nothing any more\n"));
            Ok(Exit::Done)
        }
    }
}

async fn make(config: &Config, create: &TokenCreate) -> Result<Exit, anyhow::Error> {
    let now = Timestamp::now();
    let workspace = wire::workspace_name(config, Some(&create.workspace))?;
    let dialect = match create.dialect {
        DialectWord::Strict => Dialect::Strict,
        DialectWord::Tolerant => Dialect::Tolerant,
    };
    let wish = TokenWish {
        tenant: create.tenant.clone(),
        rights: create.rights,
        denied: create.deny.iter().map(|path| denied(path)).collect::<Result<_, _>>()?,
        expires: create.expires.as_deref().map(|text| when::ahead(text, now)).transpose()?,
        ..TokenWish::new(&workspace, dialect, who(), &create.why.reason)
    };
    let store = wire::open(config)?;
    ensure_room(&store, &wish, now).await?;
    let token = store.create_token(wish, now).await?;
    shown_once(config, &token);
    eprintln!(
        "token {} of workspace {workspace}, tenant {}, dialect {}, rights {}; it is not shown again",
        token.id,
        printable(&create.tenant),
        dialect.word(),
        create.rights
    );
    Ok(Exit::Done)
}

fn denied(path: &str) -> Result<String, anyhow::Error> {
    let path = Path::parse(path).with_context(|| format!("`{path}` is no attribute; see docs/scim.md"))?;
    Ok(path.to_string())
}

async fn ensure_room(store: &Store, wish: &TokenWish, now: Timestamp) -> Result<(), anyhow::Error> {
    let same = |token: &&Token| {
        token.workspace == wish.workspace && token.tenant == wish.tenant && token.is_valid(now)
    };
    let tokens = store.tokens().await?;
    let valid: Vec<&str> = tokens.iter().filter(same).map(|token| token.id.as_str()).collect();
    anyhow::ensure!(
        valid.len() < VALID_MAX,
        "the tenant `{}` has {} valid tokens already ({}); revoke one, or name another client with --tenant",
        wish.tenant,
        valid.len(),
        valid.join(", ")
    );
    Ok(())
}

async fn follow(config: &Config, rotate: &TokenRotate) -> Result<Exit, anyhow::Error> {
    let now = Timestamp::now();
    let overlap = when::span(&rotate.overlap)
        .with_context(|| format!("`{}` is no span; write --overlap 7d, 12h or 0d", rotate.overlap))?;
    let expires = rotate.expires.as_deref().map(|text| when::ahead(text, now)).transpose()?;
    let rotation = Rotation { overlap, expires, who: who(), reason: rotate.why.reason.clone() };
    let store = wire::open(config)?;
    let token = store.rotate_token(&rotate.id, rotation, now).await??;
    shown_once(config, &token);
    eprintln!(
        "token {} follows {}, which works for {} more; it is not shown again",
        token.id, rotate.id, rotate.overlap
    );
    Ok(Exit::Done)
}

/// To stdout and nowhere else, so that it can be caught.
fn shown_once(config: &Config, token: &NewToken) {
    out::print(&format!("{}\n", token.text));
    eprintln!("SCIM base: http://{}/scim/v2", config.daemon.listen);
}

async fn show(config: &Config, list: &TokenList) -> Result<Exit, anyhow::Error> {
    let store = wire::open_to_look(config)?;
    let named = list.workspace.as_deref().map(|name| wire::workspace_name(config, Some(name))).transpose()?;
    let now = Timestamp::now();
    for token in store.tokens().await? {
        if named.as_ref().is_some_and(|name| *name != token.workspace) {
            continue;
        }
        out::print(&match list.format {
            Output::Text => text(&token, now),
            Output::Json => format!("{}\n", object(&token, now)),
        });
    }
    Ok(Exit::Done)
}

fn text(token: &Token, now: Timestamp) -> String {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let ends = match (token.revoked, token.expires) {
        (Some(at), _) => format!("since {}", day(at)),
        (None, Some(at)) => format!("until {}", day(at)),
        (None, None) => String::new(),
    };
    let used = match (token.last_used, &token.client) {
        (None, _) => "never used".to_owned(),
        (Some(at), None) => format!("used {}", at.strftime("%Y-%m-%dT%HZ")),
        (Some(at), Some(client)) => format!("used {} by {}", at.strftime("%Y-%m-%dT%HZ"), printable(client)),
    };
    let denied = match token.denied.as_slice() {
        [] => String::new(),
        paths => format!(", but not {}", paths.join(", ")),
    };
    let reason =
        if token.reason.is_empty() { String::new() } else { format!(": {}", printable(&token.reason)) };
    format!(
        "{}  {:<8}{ends:<17} {}/{}, {}, {}{denied}\n  made {} by {}{reason}; {used}{}\n",
        token.id,
        token.state(now).word(),
        printable(&token.workspace),
        printable(&token.tenant),
        token.dialect.word(),
        token.rights,
        day(token.created),
        printable(&token.who),
        token.successor.as_ref().map(|(id, _)| format!("; followed by {id}")).unwrap_or_default()
    )
}

fn object(token: &Token, now: Timestamp) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "id": token.id,
        "workspace": token.workspace,
        "tenant": token.tenant,
        "dialect": token.dialect.word(),
        "rights": token.rights.to_string(),
        "denied": token.denied,
        "state": token.state(now).word(),
        "created": token.created.to_string(),
        "by": token.who,
        "reason": token.reason,
        "last_used": time(token.last_used),
        "client": token.client,
        "expires": time(token.expires),
        "revoked": time(token.revoked),
        "successor": token.successor.as_ref().map(|(id, _)| id),
    })
}
