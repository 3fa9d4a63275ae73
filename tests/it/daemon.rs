//! The daemon as a service manager sees it: schedules of seconds, a source that goes away and comes back,
//! readiness, watchdog, and a quick stop.

use std::cell::RefCell;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use std::time::Instant;

use rosterd::simulators::Flavour;
use rosterd::simulators::GRAPH_APP_ID;
use rosterd::simulators::OKTA_APP_ID;
use tempfile::TempDir;

use crate::support::simulated::Simulated;

/// Far above what anything here takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

const SETTINGS: &str = r#"
[daemon]
state = "DIR/rosterd.db"
listen = "127.0.0.1:0"

[jobs.graph]
schedule = "every 1s"
jitter = "0s"
target = "graph"
scope.users.assigned_to = "GRAPH_APP"
scope.teams.assigned_to = "GRAPH_APP"
mapping.preset = "cerby"
[jobs.graph.source.graph]
authority = "http://GRAPH_AT"
root = "http://GRAPH_AT"
tenant = "11111111-aaaa-4bbb-8ccc-000000000001"
client_id = "22222222-aaaa-4bbb-8ccc-000000000002"
secret = "env:TEST_GRAPH"
[targets.graph.workspace]
name = "graph"

[jobs.okta]
schedule = "* * * * * *"
target = "okta"
scope.users.assigned_to = "OKTA_APP"
scope.teams.assigned_to = "OKTA_APP"
mapping.preset = "cerby"
source.okta = { url = "http://OKTA_AT", token = "env:TEST_OKTA" }
[targets.okta.workspace]
name = "okta"
"#;

/// The daemon, what it logs, and what it tells the service manager.
struct Daemon {
    child: Child,
    log: Receiver<String>,
    lines: RefCell<Vec<String>>,
    told: Receiver<String>,
    folder: TempDir,
}

impl Daemon {
    fn start(graph: SocketAddr, okta: SocketAddr) -> Daemon {
        Daemon::start_with(graph, okta, "env:TEST_OKTA")
    }

    fn start_with(graph: SocketAddr, okta: SocketAddr, token: &str) -> Daemon {
        let folder = TempDir::new().unwrap();
        let settings = SETTINGS
            .replace("env:TEST_OKTA", token)
            .replace("DIR", &folder.path().display().to_string())
            .replace("GRAPH_APP", GRAPH_APP_ID)
            .replace("OKTA_APP", OKTA_APP_ID)
            .replace("GRAPH_AT", &graph.to_string())
            .replace("OKTA_AT", &okta.to_string());
        let file = folder.path().join("rosterd.toml");
        fs::write(&file, settings).unwrap();
        for job in ["graph", "okta"] {
            let enabled = binary(&file).args(["enable", job, "--mode", "write"]).status().unwrap();
            assert!(enabled.success());
        }
        let socket = folder.path().join("notify");
        let told = datagrams(&socket);
        let mut child = binary(&file)
            .arg("run")
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "2000000")
            .env_remove("WATCHDOG_PID")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = lines(&mut child);
        Daemon { child, log, lines: RefCell::default(), told, folder }
    }

    /// The lines so far.
    fn now(&self) -> usize {
        let mut lines = self.lines.borrow_mut();
        lines.extend(self.log.try_iter());
        lines.len()
    }

    /// Waits for a line, from this one on, that has all of these.
    fn logged(&self, from: usize, parts: &[&str]) {
        let begun = Instant::now();
        let mut lines = self.lines.borrow_mut();
        let mut looked_at = from;
        loop {
            if lines[looked_at..].iter().any(|line| parts.iter().all(|part| line.contains(part))) {
                return;
            }
            looked_at = lines.len();
            let left = PATIENCE.checked_sub(begun.elapsed()).unwrap_or_default();
            match self.log.recv_timeout(left) {
                Ok(line) => lines.push(line),
                Err(error) => panic!("no line with {parts:?} ({error}) in\n{}", lines[from..].join("\n")),
            }
        }
    }

    /// The answer to `/readyz`.
    fn ready(&self) -> (u16, String) {
        self.logged(0, &["started listen="]);
        let lines = self.lines.borrow();
        let address = lines.iter().find_map(|line| line.split("listen=").nth(1)?.split(' ').next()).unwrap();
        let mut connection = TcpStream::connect(address).unwrap();
        connection.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn told(&self, what: &str) {
        let begun = Instant::now();
        loop {
            let left = PATIENCE.checked_sub(begun.elapsed()).unwrap_or_default();
            let text = self.told.recv_timeout(left).unwrap_or_else(|error| panic!("no {what}: {error}"));
            if text.lines().any(|line| line == what) {
                return;
            }
        }
    }

    /// SIGTERM, and how long it took to end. The exit must be a clean one.
    fn stop(&mut self) -> Duration {
        let begun = Instant::now();
        let term = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &term]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.log.try_iter().collect::<Vec<_>>().join("\n"));
        begun.elapsed()
    }

    fn users(&self, workspace: &str) -> String {
        self.command(&["workspace", "users", "--workspace", workspace])
    }

    /// What another command prints meanwhile.
    fn command(&self, arguments: &[&str]) -> String {
        let mut command = binary(&self.folder.path().join("rosterd.toml"));
        let output = command.args(arguments).stdout(Stdio::piped()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // A test that failed before the stop leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary(settings: &PathBuf) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rosterd"));
    command.arg("-c").arg(settings).stdout(Stdio::null());
    for name in ["RUST_LOG", "ROSTERD_LOG", "NOTIFY_SOCKET", "JOURNAL_STREAM"] {
        command.env_remove(name);
    }
    command
        .env("TEST_GRAPH", rosterd::simulators::CLIENT_SECRET)
        .env("TEST_OKTA", rosterd::simulators::API_TOKEN);
    command.env("NO_COLOR", "1");
    command
}

fn lines(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    lines
}

fn datagrams(path: &PathBuf) -> Receiver<String> {
    let socket = UnixDatagram::bind(path).unwrap();
    let (sender, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0_u8; 4096];
        while let Ok(length) = socket.recv(&mut buffer) {
            if sender.send(String::from_utf8_lossy(&buffer[..length]).into_owned()).is_err() {
                return;
            }
        }
    });
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_jobs_keep_their_schedule_through_a_lost_source_and_stop_at_once() {
    let mut graph = Simulated::start(Flavour::Graph).await;
    let okta = Simulated::start(Flavour::Okta).await;
    let mut daemon = Daemon::start(graph.address, okta.address);
    daemon.told("READY=1");

    // A first cycle of each begins at the start, and fills its workspace; later ones find nothing.
    for job in ["job=graph", "job=okta"] {
        daemon.logged(0, &[job, " create", "written"]);
        daemon.logged(0, &[job, "0 written"]);
    }
    daemon.told("WATCHDOG=1");

    // One source goes away: the other job goes on, and when the source is back its job does too.
    let before = daemon.users("graph");
    graph.stop.cancel();
    for _ in 0..3 {
        daemon.logged(daemon.now(), &["job=okta", "0 written"]);
    }
    let returned = daemon.now();
    graph.back().await;
    daemon.logged(returned, &["job=graph", "0 written"]);
    assert_eq!(daemon.users("graph"), before, "a source that was away removed nobody (P1)");
    assert!(before.lines().count() > 10, "{before}");

    let took = daemon.stop();
    assert!(took < Duration::from_secs(2), "stopping took {took:?}");
    daemon.told("STOPPING=1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cycle_that_waits_for_its_source_does_not_hold_up_the_stop() {
    let graph = Simulated::start(Flavour::Graph).await;
    let okta = Simulated::start(Flavour::Okta).await;
    let slow = r#"{"times": null, "trouble": {"delay": {"milliseconds": 30000}}}"#;
    graph.world.fault(serde_json::from_str(slow).unwrap());
    let mut daemon = Daemon::start(graph.address, okta.address);
    daemon.told("READY=1");
    daemon.logged(0, &["job=okta", "written"]);
    let took = daemon.stop();
    assert!(took < Duration::from_secs(2), "stopping took {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_secret_is_missing_is_named_and_runs_once_it_is_there() {
    let graph = Simulated::start(Flavour::Graph).await;
    let okta = Simulated::start(Flavour::Okta).await;
    let mut daemon = Daemon::start_with(graph.address, okta.address, "file:DIR/okta-token");
    daemon.told("READY=1");
    // It says so at the start and whenever it is due, with the place of the secret; the other job runs.
    for _ in 0..2 {
        let parts = ["job=okta", "cannot run", "jobs.okta.source.okta.token", "okta-token cannot be read"];
        daemon.logged(daemon.now(), &parts);
    }
    daemon.logged(0, &["job=graph", " create", "written"]);
    let line = "ready\njob okta cannot run; see `rosterd status okta`\n";
    assert_eq!(daemon.ready(), (200, line.to_owned()));
    let status = daemon.command(&["status", "okta"]);
    assert!(status.contains("ended early: job okta: its source cannot be used"), "{status}");
    assert!(status.contains("QUARANTINE since ") && status.contains("put it right: "), "{status}");

    let token = daemon.folder.path().join("okta-token");
    // Whole at once, as whoever rotates a secret should.
    let replaced = |secret: &str| {
        let new = token.with_extension("new");
        let mut file =
            fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&new).unwrap();
        file.write_all(secret.as_bytes()).unwrap();
        fs::rename(new, &token).unwrap();
    };
    replaced(rosterd::simulators::API_TOKEN);
    daemon.logged(daemon.now(), &["job=okta", "written"]);
    assert_eq!(daemon.ready(), (200, "ready\n".to_owned()));
    assert!(!daemon.command(&["status", "okta"]).contains("QUARANTINE"));
    // The daemon signs in with what lies there now.
    let since = daemon.now();
    replaced("another token");
    daemon.logged(since, &["job=okta", "the cycle could not go on"]);
    let since = daemon.now();
    replaced(rosterd::simulators::API_TOKEN);
    daemon.logged(since, &["job=okta", "written"]);
    daemon.stop();
}
