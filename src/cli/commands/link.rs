//! `link`: links are looked at, set, undone and handed over, on the state alone.

use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;

use crate::cli::args::Global;
use crate::cli::args::Link as Arguments;
use crate::cli::args::LinkImport;
use crate::cli::args::LinkList;
use crate::cli::args::LinkMove;
use crate::cli::args::LinkSet;
use crate::cli::args::LinkShow;
use crate::cli::args::LinkUnlink;
use crate::cli::args::Output;
use crate::cli::args::Why;
use crate::cli::commands::link_rebuild;
use crate::cli::commands::link_takeover;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::who::by_hand;
use crate::cli::wire;
use crate::config::Config;
use crate::model::LinkId;
use crate::report;
use crate::scim::ResourceId;
use crate::store::JobId;
use crate::store::Lease;
use crate::store::LinkRow;
use crate::store::Pairing;
use crate::store::Store;

/// Links read at once: a list of any length is shown in constant memory.
const CHUNK: usize = 1_000;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    match arguments {
        Arguments::List(arguments) => list(&config, arguments).await,
        Arguments::Show(arguments) => show(&config, arguments).await,
        Arguments::Set(arguments) => set(&config, arguments).await,
        Arguments::Unlink(arguments) => unlink(&config, arguments).await,
        Arguments::Import(arguments) => import(&config, arguments).await,
        Arguments::Move(arguments) => hand_over(&config, arguments).await,
        Arguments::Rebuild(arguments) => link_rebuild::run(&config, arguments).await,
        Arguments::Takeover(arguments) => link_takeover::run(&config, arguments).await,
    }
}

async fn list(config: &Config, arguments: &LinkList) -> Result<Exit, anyhow::Error> {
    let name = &wire::one(config, &arguments.job)?.name;
    let store = wire::open_to_look(config)?;
    let job = known(&store, name).await?;
    let mut after = LinkId(0);
    loop {
        let rows = store.links(job, after, CHUNK).await?;
        let Some(last) = rows.last() else { return Ok(Exit::Done) };
        after = last.link;
        let told = match arguments.format {
            Output::Text => rows.iter().map(line).collect::<String>(),
            Output::Json => rows.iter().map(|row| format!("{}\n", body(row))).collect(),
        };
        out::print(&told);
    }
}

async fn show(config: &Config, arguments: &LinkShow) -> Result<Exit, anyhow::Error> {
    let name = &wire::one(config, &arguments.job)?.name;
    let store = wire::open_to_look(config)?;
    let job = known(&store, name).await?;
    let rows = store.links_of(job, &arguments.who).await?;
    let cure = "give a source id, a userName or a team's name";
    anyhow::ensure!(
        !rows.is_empty(),
        "job {name}: the source shows nobody and no group `{}`; {cure}",
        arguments.who
    );
    for row in rows {
        out::print(&whole(name, &row));
        for (at, who, what, reason) in store.decisions_of(job, &row.source).await? {
            let at = Timestamp::from_second(at).map_or_else(|_| at.to_string(), |at| at.to_string());
            let reason =
                if reason.is_empty() { String::new() } else { format!(": {}", report::printable(&reason)) };
            out::print(&format!(
                "  {:<10}{at}  {} by {}{reason}\n",
                "decided",
                report::printable(&what),
                report::printable(&who)
            ));
        }
    }
    Ok(Exit::Done)
}

async fn set(config: &Config, arguments: &LinkSet) -> Result<Exit, anyhow::Error> {
    let resource = ResourceId(arguments.resource.clone());
    let pair = Pairing { who: arguments.who.clone(), resource };
    set_all(config, &arguments.job, vec![pair], &[], &arguments.why).await
}

async fn import(config: &Config, arguments: &LinkImport) -> Result<Exit, anyhow::Error> {
    let path = arguments.file.display();
    let unread = || format!("{path} cannot be read; give a CSV file with lines of WHO,RESOURCE");
    let text = std::fs::read_to_string(&arguments.file).with_context(unread)?;
    let (pairs, lines) = pairs(&text).map_err(|problem| anyhow::anyhow!("{path}: {problem}"))?;
    anyhow::ensure!(!pairs.is_empty(), "{path} has no links; write lines of WHO,RESOURCE");
    set_all(config, &arguments.job, pairs, &lines, &arguments.why).await
}

/// `lines`: where each stands in the file, for the refusals.
async fn set_all(
    config: &Config,
    job: &str,
    pairs: Vec<Pairing>,
    lines: &[usize],
    why: &Why,
) -> Result<Exit, anyhow::Error> {
    let name = &wire::one(config, job)?.name;
    let store = wire::open(config)?;
    let job = known(&store, name).await?;
    let _lease = alone(&store, &[name])?;
    let count = pairs.len();
    let refused = store.set_links(job, pairs, by_hand(why)).await?;
    if refused.is_empty() {
        out::print(&format!(
            "{name}: {count} set; the next cycle looks at them in the target and takes them over\n"
        ));
        return Ok(Exit::Done);
    }
    for (at, refusal) in &refused {
        let place = lines.get(*at).map_or_else(String::new, |line| format!("line {line}: "));
        out::failed(&anyhow::anyhow!("job {name}: {place}{}", refusal.0));
    }
    anyhow::ensure!(
        lines.is_empty(),
        "job {name}: nothing was set; mend these lines and import all of them again"
    );
    Ok(Exit::Failed)
}

async fn unlink(config: &Config, arguments: &LinkUnlink) -> Result<Exit, anyhow::Error> {
    let name = &wire::one(config, &arguments.job)?.name;
    let store = wire::open(config)?;
    let job = known(&store, name).await?;
    let _lease = alone(&store, &[name])?;
    match store.unlink(job, &arguments.who, by_hand(&arguments.why)).await? {
        Ok(resource) => {
            out::print(&format!(
                "{name}: {} is not linked to {resource} any more, which stays as it is\n",
                report::printable(&arguments.who)
            ));
            Ok(Exit::Done)
        }
        Err(refusal) => anyhow::bail!("job {name}: {}", refusal.0),
    }
}

async fn hand_over(config: &Config, arguments: &LinkMove) -> Result<Exit, anyhow::Error> {
    let (name, to) = (&wire::one(config, &arguments.job)?.name, &wire::one(config, &arguments.to)?.name);
    let store = wire::open(config)?;
    let (from_job, to_job) = (known(&store, name).await?, known(&store, to).await?);
    let jobs = if name == to { vec![name] } else { vec![name, to] };
    let _lease = alone(&store, &jobs)?;
    let (from_job, to_job) = ((from_job, name.clone()), (to_job, to.clone()));
    match store.move_link(from_job, &arguments.who, to_job, by_hand(&arguments.why)).await? {
        Ok(resource) => {
            let stays = if name == to { String::new() } else { format!("; {name} stays joined") };
            out::print(&format!("{name}: {resource} belongs to job {to} from now on{stays}\n"));
            Ok(Exit::Done)
        }
        Err(refusal) => anyhow::bail!("job {name}: {}", refusal.0),
    }
}

pub(super) async fn known(store: &Store, name: &str) -> Result<JobId, anyhow::Error> {
    let state = store.find_job(name).await?;
    let cure = format!("run a first one: rosterd sync {name}");
    state
        .map(|state| state.id)
        .with_context(|| format!("job {name} has not had a cycle, so it has no links; {cure}"))
}

/// No cycle of these jobs runs meanwhile: it would decide with what is being changed.
fn alone(store: &Store, jobs: &[&String]) -> Result<Lease, anyhow::Error> {
    let names: Vec<String> = jobs.iter().map(|name| format!("job {name}")).collect();
    Ok(store.lease(&names)?)
}

fn line(row: &LinkRow) -> String {
    let resource = match (&row.resource, &row.pinned) {
        (Some(resource), _) => resource.0.clone(),
        (None, Some(pinned)) => format!("(set: {pinned})"),
        (None, None) => "-".to_owned(),
    };
    let origin = row.origin.as_deref().unwrap_or("-");
    let pending = row.pending.as_deref().map_or_else(String::new, |class| {
        format!("  {class}{}", if row.hold.is_some() { " (held)" } else { "" })
    });
    format!(
        "{:<6}{:<9}{:<9}{}  {}  ({}){pending}\n",
        row.kind.word(),
        row.applied,
        origin,
        report::printable(&resource),
        report::printable(&row.name),
        report::printable(&row.source.0)
    )
}

fn whole(job: &str, row: &LinkRow) -> String {
    let mut out = format!(
        "{} {} ({})\n",
        row.kind.word(),
        report::printable(&row.name),
        report::printable(&row.source.0)
    );
    let mut tell = |key: &str, value: String| out += &format!("  {key:<10}{}\n", report::printable(&value));
    tell("source", format!("{:?}", row.standing).to_lowercase());
    tell("wanted", row.desired.clone().unwrap_or_else(|| "not decided yet".to_owned()));
    match &row.resource {
        Some(resource) => {
            let origin = row.origin.as_deref().unwrap_or_default();
            tell("target", format!("{resource}, {}, {origin}", row.applied));
        }
        None => tell("target", "nothing".to_owned()),
    }
    if let Some(pinned) = &row.pinned {
        tell("set", format!("{pinned}; the next cycle looks at it"));
    }
    if !row.shared_with.is_empty() {
        tell("shared", format!("with job {}", row.shared_with.join(", ")));
    }
    if row.is_ownerless() {
        let cure = format!("rosterd link move {job} {} {job}", row.source);
        tell(
            "owner",
            format!("no job any more, so its attributes are not written; make this one the owner: {cure}"),
        );
    }
    if let Some(class) = &row.pending {
        let hold = row.hold.as_ref().map_or_else(String::new, |hold| format!(", held: {}", hold.text));
        tell("pending", format!("{class}{hold}"));
    }
    out
}

fn body(row: &LinkRow) -> serde_json::Value {
    json!({
        "kind": row.kind,
        "id": row.source,
        "name": row.name,
        "standing": row.standing,
        "desired": row.desired,
        "applied": row.applied,
        "resource": row.resource,
        "origin": row.origin,
        "set": row.pinned,
        "pending": row.pending,
        "hold": row.hold,
        "shared_with": row.shared_with,
        "ownerless": row.is_ownerless(),
    })
}

/// Two fields a line, remarks begin with `#`; in quotes where they have a comma or a quote in them (RFC 4180); with the number of each line.
fn pairs(text: &str) -> Result<(Vec<Pairing>, Vec<usize>), String> {
    let (mut pairs, mut lines) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields = fields(line)
            .ok_or_else(|| format!("line {number}: a quote is not closed; write WHO,RESOURCE"))?;
        let [who, resource] = fields.as_slice() else {
            return Err(format!("line {number} has {} fields; write WHO,RESOURCE", fields.len()));
        };
        if number == 1 && (who.as_str(), resource.as_str()) == ("source", "resource") {
            continue;
        }
        if who.is_empty() || resource.is_empty() {
            return Err(format!("line {number} has an empty field; write WHO,RESOURCE"));
        }
        pairs.push(Pairing { who: who.clone(), resource: ResourceId(resource.clone()) });
        lines.push(number);
    }
    Ok((pairs, lines))
}

/// `None` where a quote is not closed.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let field = fields.last_mut()?;
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    (!quoted).then(|| fields.iter().map(|field| field.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let told = match pairs(text) {
            Ok((pairs, lines)) => {
                let told = pairs
                    .iter()
                    .zip(lines)
                    .map(|(pair, line)| format!("{line} {}={}", pair.who, pair.resource));
                told.collect::<Vec<_>>().join("; ")
            }
            Err(problem) => problem,
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn a_csv_of_links_is_read_line_by_line() {
        check("source,resource\nu1,r1\n\nu2, r2\r\n", "2 u1=r1; 4 u2=r2");
        check("\u{feff}u1,r1", "1 u1=r1");
        check("source,resource\n# u9,r9\nu1,r1", "3 u1=r1");
        check("\"Sales, EMEA\",\"r\"\"1\"\"\"", "1 Sales, EMEA=r\"1\"");
        check("u1,r1\nu2", "line 2 has 1 fields; write WHO,RESOURCE");
        check("u1,", "line 1 has an empty field; write WHO,RESOURCE");
        check("\"u1,r1", "line 1: a quote is not closed; write WHO,RESOURCE");
    }
}
