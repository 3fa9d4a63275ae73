//! `workspace grants`: what access there is, and how it is given, taken and given back.
//!
//! As JSON: the list is one SCIM resource a line; `taken` is one object a line, `{"cause", "by", "at", "undone",
//! "grants": [{"id", "account", "privileged"}]}`, the last loss first.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::Desk;
use crate::cli::args::Global;
use crate::cli::args::Grants as Arguments;
use crate::cli::args::GrantsAct;
use crate::cli::args::Output;
use crate::cli::args::Why;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::person;
use crate::cli::who::who;
use crate::cli::wire;
use crate::report::printable;
use crate::scim::Dialect;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::incoming;
use crate::scim::schema;
use crate::store::Author;
use crate::store::FollowUp;
use crate::store::Loss;
use crate::store::Resource;
use crate::store::Undone;
use crate::store::WriteAct;
use crate::store::Written;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    match &arguments.act {
        None => list(global, arguments).await,
        Some(GrantsAct::Add { who, account, privileged, name, place, why }) => {
            let desk = Desk::to_write(global, place)?;
            let person = desk.person(who).await?;
            let mut body = json!({
                "schemas": [schema::core(ResourceType::Grant).urn],
                "user": { "value": person.meta.id.0 },
                "account": account,
                "privileged": privileged,
            });
            if let Some(name) = name {
                body["displayName"] = json!(name);
            }
            let made = create(&desk, &body, why).await?;
            out::print(&format!(
                "{} has access to {} now, by grant {made}\n",
                called(&person),
                printable(account)
            ));
            Ok(Exit::Done)
        }
        Some(GrantsAct::Remove { id, place, why }) => {
            let desk = Desk::to_write(global, place)?;
            write(&desk, WriteAct::Delete { kind: ResourceType::Grant, id: ResourceId(id.clone()) }, why)
                .await?;
            out::print(&format!("grant {} is taken\n", printable(id)));
            Ok(Exit::Done)
        }
        Some(GrantsAct::Taken { who, list }) => {
            let desk = Desk::to_look(global, &list.place)?;
            taken(&desk, who, list.format).await
        }
        Some(GrantsAct::Restore { who, place, why }) => {
            let desk = Desk::to_write(global, place)?;
            let person = desk.person(who).await?;
            let undone = desk.store.undo_loss(&desk.workspace, &person.meta.id, author(why)).await?;
            let undone = undone.map_err(|why| anyhow::anyhow!("{}: {why}", called(&person)))?;
            out::print(&told(&called(&person), &undone));
            Ok(Exit::Done)
        }
    }
}

fn author(why: &Why) -> Author {
    Author::local(who(), &why.reason, Timestamp::now())
}

async fn create(desk: &Desk, body: &Value, why: &Why) -> Result<ResourceId, anyhow::Error> {
    let (kind, dialect, id) = (ResourceType::Grant, Dialect::Strict, ResourceId(wire::new_id()));
    let incoming = incoming(kind, dialect, body)?;
    write(desk, WriteAct::Create { kind, id: id.clone(), incoming, dialect }, why).await?;
    Ok(id)
}

async fn write(desk: &Desk, act: WriteAct, why: &Why) -> Result<(), anyhow::Error> {
    let done = desk.store.write_resources(&desk.workspace, author(why), vec![act.into()]).await?;
    let done: Result<Vec<Written>, _> = done.into_iter().collect();
    match done {
        Ok(_) => Ok(()),
        Err(refused) if refused.status == 404 => {
            anyhow::bail!("there is no such grant; `rosterd workspace grants` lists them with their ids")
        }
        Err(refused) => Err(refused.into()),
    }
}

async fn list(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let desk = Desk::to_look(global, &arguments.list.place)?;
    let filter = match &arguments.who {
        Some(who) => Some(person::equal("user.value", &desk.person(who).await?.meta.id.0)?),
        None => None,
    };
    let mut pages = desk.pages(ResourceType::Grant, filter);
    while let Some(page) = pages.next().await? {
        match arguments.list.format {
            Output::Json => page.iter().for_each(|grant| out::print(&format!("{}\n", grant.shown("")))),
            Output::Text => {
                let holders = holders(&desk, &page).await?;
                page.iter().zip(&holders).for_each(|(grant, holder)| out::print(&line(grant, holder)));
            }
        }
    }
    Ok(Exit::Done)
}

/// What the holders are called, in the order of the grants.
async fn holders(desk: &Desk, grants: &[Resource]) -> Result<Vec<String>, anyhow::Error> {
    let id = |grant: &Resource| grant.body["user"]["value"].as_str().unwrap_or_default().to_owned();
    let ids = grants.iter().map(|grant| (ResourceType::User, ResourceId(id(grant)))).collect();
    let users = desk.store.resources(&desk.workspace, ids, false).await?;
    Ok(users.iter().map(|user| user.as_ref().map(called).unwrap_or_default()).collect())
}

fn line(grant: &Resource, holder: &str) -> String {
    let text = |name: &str| printable(grant.body[name].as_str().unwrap_or_default());
    let privileged = if grant.body["privileged"] == true { "privileged" } else { "" };
    let line = format!(
        "{:<36} {holder:<28} {:<24} {privileged:<10} {}",
        grant.meta.id.0,
        text("account"),
        text("displayName")
    );
    format!("{}\n", line.trim_end())
}

fn called(person: &Resource) -> String {
    printable(person.body["userName"].as_str().unwrap_or(&person.meta.id.0))
}

/// Whoever is deleted is known by id alone.
async fn taken(desk: &Desk, who: &str, format: Output) -> Result<Exit, anyhow::Error> {
    let found = person::look(&desk.store, &desk.workspace, who).await?;
    let id = found.map_or_else(|| ResourceId(who.to_owned()), |person| person.meta.id);
    let losses = desk.store.losses(&desk.workspace, &id).await?;
    if losses.is_empty() && format == Output::Text {
        out::print(&format!("nothing was taken of anybody called {}\n", printable(who)));
    }
    for loss in &losses {
        out::print(&match format {
            Output::Text => loss_text(loss),
            Output::Json => format!("{}\n", loss_json(loss)),
        });
    }
    Ok(Exit::Done)
}

fn loss_text(loss: &Loss) -> String {
    let undone = loss.undone.map(|at| format!(", given back at {}", second(at))).unwrap_or_default();
    let (at, cause) = (second(loss.at), loss.cause.word());
    let mut out = format!("{at}  {cause} by {}{undone}\n", printable(&loss.owner));
    for grant in &loss.grants {
        let account = printable(grant.account.as_deref().unwrap_or("(erased)"));
        let privileged = if grant.privileged { "  privileged" } else { "" };
        out += &format!("  {:<36} {account}{privileged}\n", grant.id);
    }
    out
}

fn loss_json(loss: &Loss) -> Value {
    let grant = |grant: &crate::store::LostGrant| json!({ "id": grant.id, "account": grant.account, "privileged": grant.privileged });
    json!({
        "cause": loss.cause.word(),
        "by": loss.owner,
        "at": loss.at.to_string(),
        "undone": loss.undone.map(|at| at.to_string()),
        "grants": loss.grants.iter().map(grant).collect::<Vec<_>>(),
    })
}

fn told(person: &str, undone: &Undone) -> String {
    let accounts = |list: &[String]| list.iter().map(|one| printable(one)).collect::<Vec<_>>().join(", ");
    let mut out = match undone.given_back.as_slice() {
        [] => format!("{person}: nothing had to be given back\n"),
        some => format!("{person} has access again to {}\n", accounts(some)),
    };
    if !undone.there_already.is_empty() {
        out += &format!("given anew meanwhile, and left as they are: {}\n", accounts(&undone.there_already));
    }
    for follow_up in &undone.cancelled {
        out +=
            &format!("cancelled before it went out: follow-up {} for {}\n", follow_up.id, account(follow_up));
    }
    for follow_up in &undone.gone_out {
        let how = match follow_up.delivered {
            Some(at) => format!("went out at {}", second(at)),
            None => format!("was tried {} times and may have arrived", follow_up.attempts),
        };
        out += &format!(
            "follow-up {} {how}: the password of {} may be another one now\n",
            follow_up.id,
            account(follow_up)
        );
    }
    out
}

fn account(follow_up: &FollowUp) -> String {
    printable(follow_up.body["data"]["grant"]["account"].as_str().unwrap_or("(erased)"))
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
