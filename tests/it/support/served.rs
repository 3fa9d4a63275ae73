//! The daemon of a host, as a service manager runs it, on a port of its own.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Stdio;
use std::thread::JoinHandle;

use super::host::Host;

/// The running daemon; it ends with the test.
pub struct Daemon {
    process: Child,
    /// Reads the log, as a pipe that nobody empties would stop the daemon.
    log: Option<JoinHandle<String>>,
    /// Where its SCIM service lies, without the path.
    pub root: String,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Daemon {
    /// On a free port, which it says in its log.
    pub fn start(host: &Host) -> Daemon {
        let mut process = host
            .command(&["run", "--listen", "127.0.0.1:0"])
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let root = log.by_ref().map_while(Result::ok).find_map(|line| {
            let address = line.split_once("listen=")?.1.split(' ').next()?;
            Some(format!("http://{address}"))
        });
        let log = std::thread::spawn(move || log.map_while(Result::ok).map(|line| line + "\n").collect());
        Daemon { process, log: Some(log), root: root.expect("the daemon says where it listens") }
    }

    /// Ends it; what it has logged since it listened.
    pub fn logged(mut self) -> String {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.log.take().expect("it was not ended before").join().unwrap()
    }
}
