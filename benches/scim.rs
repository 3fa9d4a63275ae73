//! What the SCIM core costs, on a durable file: straight into the store, and over HTTP through the daemon on loopback.
//!
//! `cargo bench --bench scim` prints one line an operation: rate, CPU of the process that answers, median and 99th
//! percentile. `docs/scim.md` keeps the figures. The people and the team are made before anything is measured.

use std::error::Error;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use jiff::Timestamp;
use rosterd::scim::Dialect;
use rosterd::scim::Filter;
use rosterd::scim::MembersEdit;
use rosterd::scim::Patch;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::ListQuery;
use rosterd::store::Store;
use rosterd::store::TokenWish;
use rosterd::store::Write;
use rosterd::store::WriteAct;
use serde_json::Value;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const PEOPLE: usize = 10_000;
const PAGE: usize = 100;
/// A clock tick of `/proc/PID/stat`.
const TICK: Duration = Duration::from_millis(10);

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone, Copy)]
enum Operation {
    ById,
    ByUserName,
    Post,
    PatchMember,
    TeamWithoutMembers,
    Page,
}

/// Operation, what it is called, workers, how often.
const PLAN: [(Operation, &str, usize, usize); 7] = [
    (Operation::ById, "GET of a user by id", 8, 20_000),
    (Operation::ByUserName, "GET by filter userName eq", 8, 20_000),
    (Operation::Post, "POST of a user, one at a time", 1, 1_000),
    (Operation::Post, "POST of a user, 16 at a time", 16, 8_000),
    (Operation::PatchMember, "PATCH of one member, team of 10,000", 1, 1_000),
    (Operation::TeamWithoutMembers, "GET of that team without members", 1, 5_000),
    (Operation::Page, "GET of 100 of 10,000 users, page by page", 1, 400),
];

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure_all())
}

async fn measure_all() -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let path = home.path().join("state.db");
    let store = Store::open(&path)?;
    fill(&store).await?;
    let wish = TokenWish::new("main", Dialect::Strict, "bench", "to measure");
    let token = store.create_token(wish, Timestamp::now()).await?.text;
    println!("straight into the store");
    measure_door(&Door::Store(store.clone()), std::process::id()).await?;
    drop(store);

    println!("over HTTP");
    let daemon = Daemon::start(home.path(), &path).await?;
    let door = Door::Http { address: daemon.address.clone(), token };
    measure_door(&door, daemon.process.id()).await
}

fn id(n: usize) -> String {
    format!("u{n:05}")
}

fn person(n: usize) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": format!("person{n}@acme.example"), "externalId": format!("e{n}"), "active": true,
        "name": { "givenName": "Person", "familyName": format!("Number {n}") },
        "emails": [{ "type": "work", "value": format!("person{n}@acme.example"), "primary": true }],
    })
}

fn create(kind: ResourceType, id: String, body: &Value) -> Outcome<Write> {
    let incoming = incoming(kind, Dialect::Strict, body)?;
    Ok(WriteAct::Create { kind, id: ResourceId(id), incoming, dialect: Dialect::Strict }.into())
}

fn author() -> Author {
    Author::push("push", "bench", false, Timestamp::now())
}

async fn fill(store: &Store) -> Outcome<()> {
    let people: Vec<Write> =
        (0..PEOPLE).map(|n| create(ResourceType::User, id(n), &person(n))).collect::<Outcome<_>>()?;
    for batch in people.chunks(500) {
        store.write_resources("main", author(), batch.to_vec()).await?;
    }
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Everybody",
    });
    let team = create(ResourceType::Group, "team".to_owned(), &body)?;
    let everybody = MembersEdit::Add((0..PEOPLE).map(|n| ResourceId(id(n))).collect());
    let fill = WriteAct::Members { team: ResourceId("team".to_owned()), edits: vec![everybody] };
    store.write_resources("main", author(), vec![team, fill.into()]).await?;
    Ok(())
}

/// How the core is reached.
#[derive(Clone)]
enum Door {
    Store(Store),
    Http { address: String, token: String },
}

async fn measure_door(door: &Door, process: u32) -> Outcome<()> {
    let made = Arc::new(AtomicUsize::new(PEOPLE * if matches!(door, Door::Store(_)) { 1 } else { 10 }));
    for (operation, name, workers, count) in PLAN {
        let before = cpu(process)?;
        let started = Instant::now();
        let (next, mut tasks) = (Arc::new(AtomicUsize::new(0)), tokio::task::JoinSet::new());
        for _ in 0..workers {
            let mut worker = Worker { door: door.clone(), wire: None, made: Arc::clone(&made) };
            let next = Arc::clone(&next);
            tasks.spawn(async move {
                let mut took = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return Outcome::Ok(took);
                    }
                    let begun = Instant::now();
                    worker.run(operation, n).await?;
                    took.push(begun.elapsed());
                }
            });
        }
        let mut took = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            took.extend(ended??);
        }
        let wall = started.elapsed().as_secs_f64();
        took.sort_unstable();
        let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or_default();
        println!(
            "  {name:<42} {:>8.0} /s  {:>6.0} us CPU  median {:>7.3} ms  p99 {:>7.3} ms",
            count as f64 / wall,
            (cpu(process)? - before).as_secs_f64() * 1e6 / count as f64,
            at(50).as_secs_f64() * 1e3,
            at(99).as_secs_f64() * 1e3,
        );
    }
    Ok(())
}

/// User and system time of a process.
fn cpu(process: u32) -> Outcome<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    Ok(TICK * ticks)
}

struct Worker {
    door: Door,
    wire: Option<TcpStream>,
    made: Arc<AtomicUsize>,
}

impl Worker {
    async fn run(&mut self, operation: Operation, n: usize) -> Outcome<()> {
        // Spread over the people, so that no page of the file is always the same.
        let someone = n * 7_919 % PEOPLE;
        match self.door.clone() {
            Door::Store(store) => self.store(&store, operation, n, someone).await,
            Door::Http { address, token } => self.http(&address, &token, operation, n, someone).await,
        }
    }

    async fn store(&mut self, store: &Store, operation: Operation, n: usize, someone: usize) -> Outcome<()> {
        let users = ListQuery { related: true, ..ListQuery::all(ResourceType::User) };
        let found = match operation {
            Operation::ById => {
                let one = vec![(ResourceType::User, ResourceId(id(someone)))];
                store.resources("main", one, true).await?.iter().flatten().count()
            }
            Operation::ByUserName => {
                let filter = Filter::parse(&format!("userName eq \"PERSON{someone}@acme.example\""))?;
                store
                    .list_resources("main", ListQuery { filter: Some(filter), count: 100, ..users })
                    .await?
                    .resources
                    .len()
            }
            Operation::Post => {
                let n = self.made.fetch_add(1, Ordering::Relaxed);
                self.write(store, create(ResourceType::User, id(n), &person(n))?).await?
            }
            Operation::PatchMember => {
                let patch = Patch::read(ResourceType::Group, Dialect::Strict, &member_patch(n))?;
                self.write(store, WriteAct::Patch { id: ResourceId("team".to_owned()), patch }.into()).await?
            }
            Operation::TeamWithoutMembers => {
                let one = vec![(ResourceType::Group, ResourceId("team".to_owned()))];
                store.resources("main", one, false).await?.iter().flatten().count()
            }
            Operation::Page => {
                let start = (n * PAGE % PEOPLE) as u64 + 1;
                store
                    .list_resources("main", ListQuery { start, count: PAGE as u64, ..users })
                    .await?
                    .resources
                    .len()
            }
        };
        if found == 0 { Err("nothing was found".into()) } else { Ok(()) }
    }

    async fn write(&mut self, store: &Store, write: Write) -> Outcome<usize> {
        let written = store.write_resources("main", author(), vec![write]).await?;
        written.into_iter().map(|outcome| outcome.map(|_| 1).map_err(Into::into)).sum()
    }

    async fn http(
        &mut self,
        address: &str,
        token: &str,
        operation: Operation,
        n: usize,
        someone: usize,
    ) -> Outcome<()> {
        let (method, target, body) = match operation {
            Operation::ById => ("GET", format!("/Users/{}", id(someone)), None),
            Operation::ByUserName => {
                ("GET", format!("/Users?filter=userName%20eq%20%22PERSON{someone}@acme.example%22"), None)
            }
            Operation::Post => {
                let n = self.made.fetch_add(1, Ordering::Relaxed);
                ("POST", "/Users".to_owned(), Some(person(n).to_string()))
            }
            Operation::PatchMember => ("PATCH", "/Groups/team".to_owned(), Some(member_patch(n).to_string())),
            Operation::TeamWithoutMembers => {
                ("GET", "/Groups/team?excludedAttributes=members".to_owned(), None)
            }
            Operation::Page => {
                ("GET", format!("/Users?startIndex={}&count={PAGE}", n * PAGE % PEOPLE + 1), None)
            }
        };
        let body = body.unwrap_or_default();
        let request = format!(
            "{method} /scim/v2{target} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/scim+json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let wire = match &mut self.wire {
            Some(wire) => wire,
            empty => {
                let wire = TcpStream::connect(address).await?;
                wire.set_nodelay(true)?;
                empty.insert(wire)
            }
        };
        wire.write_all(request.as_bytes()).await?;
        let status = answer(wire).await?;
        if (200..300).contains(&status) { Ok(()) } else { Err(format!("{method} {target}: {status}").into()) }
    }
}

/// Takes somebody out, then puts them in again.
fn member_patch(n: usize) -> Value {
    let someone = id(n / 2 * 13 % PEOPLE);
    let operation = match n % 2 {
        0 => json!({ "op": "remove", "path": format!("members[value eq \"{someone}\"]") }),
        _ => json!({ "op": "add", "path": "members", "value": [{ "value": someone }] }),
    };
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] })
}

/// Reads one answer whole; its status.
async fn answer(wire: &mut TcpStream) -> Outcome<u16> {
    let mut bytes = Vec::new();
    loop {
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if bytes.len() >= head + 4 + length.unwrap_or(0_usize) {
                return Ok(text.split_whitespace().nth(1).unwrap_or_default().parse()?);
            }
        }
        if wire.read_buf(&mut bytes).await? == 0 {
            return Err("the connection was closed".into());
        }
    }
}

/// The daemon, as it is shipped.
struct Daemon {
    process: Child,
    address: String,
}

impl Daemon {
    async fn start(home: &Path, state: &Path) -> Outcome<Daemon> {
        let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let settings: PathBuf = home.join("rosterd.toml");
        let state = state.display();
        std::fs::write(
            &settings,
            format!(
                "[daemon]\nstate = \"{state}\"\nlisten = \"{free}\"\n[workspaces.main]\n[scim]\nrate = 100000\nburst = 100000\n"
            ),
        )?;
        let process = Command::new(env!("CARGO_BIN_EXE_rosterd"))
            .arg("-c")
            .arg(&settings)
            .args(["--log", "error", "run"])
            .stdout(Stdio::null())
            .spawn()?;
        let daemon = Daemon { process, address: free.to_string() };
        for _ in 0..200 {
            if TcpStream::connect(&daemon.address).await.is_ok() {
                return Ok(daemon);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the daemon did not start".into())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
