//! A host with settings, a directory file and the binary: what a command prints, and its exit code.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

/// A folder with settings and a directory file.
pub struct Host {
    pub folder: TempDir,
}

/// What a command did.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

const SETTINGS: &str = r#"
[daemon]
state = "STATE"
[jobs.hr]
target = "local"
source.file.path = "DIRECTORY"
scope.users.all = true
scope.teams.groups = "prefix:"
mapping.preset = "cerby"
[targets.local.workspace]
name = "main"
"#;

impl Host {
    pub fn new() -> Host {
        let host = Host { folder: TempDir::new().unwrap() };
        let text = SETTINGS
            .replace("STATE", &host.path("rosterd.db").display().to_string())
            .replace("DIRECTORY", &host.path("hr.json").display().to_string())
            .replace("prefix:", "name:Sales");
        fs::write(host.path("rosterd.toml"), text).unwrap();
        host.people(&["ann", "bob"]);
        host
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces the directory: these people, all in the team Sales.
    pub fn people(&self, names: &[&str]) {
        let users: Vec<Value> = names
            .iter()
            .map(|name| {
                let mail = format!("{name}@acme.example");
                json!({"id": format!("u-{name}"), "attributes": {"userName": mail, "mail": mail, "givenName": name, "surname": "Lee"}})
            })
            .collect();
        let members: Vec<String> = names.iter().map(|name| format!("user:u-{name}")).collect();
        let directory = json!({
            "directory": "acme-hr",
            "counts": {"users": users.len(), "groups": 1, "memberships": members.len()},
            "users": users,
            "groups": [{"id": "g1", "attributes": {"displayName": "Sales"}, "members": members}],
        });
        fs::write(self.path("hr.json"), directory.to_string()).unwrap();
    }

    /// Gives somebody of the directory another first name.
    pub fn named(&self, person: &str, first_name: &str) {
        let text = fs::read_to_string(self.path("hr.json")).unwrap();
        let is = format!("\"givenName\":\"{person}\"");
        assert!(text.contains(&is), "{text}");
        fs::write(self.path("hr.json"), text.replace(&is, &format!("\"givenName\":\"{first_name}\"")))
            .unwrap();
    }

    pub fn settings(&self, more: &str) {
        let text = fs::read_to_string(self.path("rosterd.toml")).unwrap();
        fs::write(self.path("rosterd.toml"), format!("{text}{more}")).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.arg("-c").arg(self.path("rosterd.toml")).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments))
    }

    /// Whatever differs from host to host is replaced.
    pub fn shown(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "DIR")
    }
}

pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rosterd"));
    command.env_remove("RUST_LOG").env_remove("ROSTERD_LOG").env_remove("ROSTERD_CONFIG");
    command
}

pub fn ran(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}
