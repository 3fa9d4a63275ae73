//! SCIM servers that are not ours, started and stopped by a test, and read over plain HTTP.

use std::io::BufRead;
use std::io::BufReader;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;
use serde_json::json;
use url::Url;

pub const TOKEN: &str = "a-token-for-this-test";

/// One of them.
pub struct Package {
    pub name: &'static str,
    /// Names where it is installed; with `_REQUIRED` behind it: it is an error that it is not.
    pub variable: &'static str,
    /// Where `.ci/run` puts it.
    pub installed: &'static str,
    /// How somebody gets it.
    pub cure: &'static str,
    /// How it is started, given where it is and a port that is free.
    pub command: fn(&Path, u16) -> Command,
}

pub const SCIM2_SERVER: Package = Package {
    name: "scim2-server",
    variable: "ROSTERD_SCIM2_SERVER",
    installed: "target/scim2-server/bin/scim2-server",
    cure: "pip install scim2-server, then name its program",
    command: |program, port| {
        let mut command = Command::new(program);
        command.args(["--hostname", "127.0.0.1", "--port", &port.to_string(), "--bearer-token", TOKEN]);
        command
    },
};

pub const SCIMMY: Package = Package {
    name: "SCIMMY",
    variable: "ROSTERD_SCIMMY",
    installed: "target/scimmy/node_modules",
    cure: "npm install scimmy scimmy-routers express, then name its node_modules",
    command: |packages, _| {
        let mut command = Command::new("node");
        command.arg(script("scimmy.cjs")).arg(TOKEN).env("NODE_PATH", packages);
        command
    },
};

pub const DJANGO_SCIM: Package = Package {
    name: "django-scim2-server",
    variable: "ROSTERD_DJANGO_SCIM",
    installed: "target/django-scim/bin/python",
    cure: "pip install django-scim2-server, then name its python",
    command: |python, _| {
        let mut command = Command::new(python);
        command.arg(script("django_scim.py")).arg(TOKEN);
        command
    },
};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign").join(name)
}

/// The running server; it ends with the test.
pub struct Foreign {
    process: Child,
    pub url: Url,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Package {
    /// The server, or `None` after saying that there is none.
    pub fn start(&self) -> Option<Foreign> {
        let named = std::env::var_os(self.variable).map(PathBuf::from);
        let place = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(self.installed));
        if !place.exists() {
            let required = format!("{}_REQUIRED", self.variable);
            assert!(
                std::env::var_os(&required).is_none(),
                "{} is not there, and {required} is set",
                place.display()
            );
            println!("skipped: no {} ({} in {})", self.name, self.cure, self.variable);
            return None;
        }
        // Not every server can say which free port it took, so one is chosen for it; somebody may be quicker.
        let started = (0..5).find_map(|_| self.start_on(&place, free_port()));
        Some(started.unwrap_or_else(|| panic!("{} does not say where it listens", self.name)))
    }

    fn start_on(&self, place: &Path, port: u16) -> Option<Foreign> {
        let mut command = (self.command)(place, port);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut line = String::new();
        let said = process.stdout.take().expect("its output is ours");
        BufReader::new(said).read_line(&mut line).expect("a line");
        match line.trim().strip_prefix("Serving SCIM on ") {
            Some(url) => Some(Foreign { process, url: Url::parse(url).expect("a URL") }),
            None => {
                process.wait().expect("it ends");
                None
            }
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

impl Foreign {
    /// Status and body of one plain GET.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.send(client().get(format!("{}{path}", self.url))).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.bearer_auth(TOKEN).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Every resource below an endpoint. A server that shows the first page whatever it is asked for is searched.
    pub async fn all(&self, endpoint: &str) -> Vec<Value> {
        let mut resources: Vec<Value> = Vec::new();
        loop {
            let (_, page) =
                self.get(&format!("{endpoint}?startIndex={}&count=100", resources.len() + 1)).await;
            let total = page["totalResults"].as_u64().expect("a list") as usize;
            let shown = page["Resources"].as_array().cloned().unwrap_or_default();
            let again =
                shown.first().is_some_and(|first| resources.iter().any(|known| known["id"] == first["id"]));
            if again {
                return self.search(endpoint, total).await;
            }
            assert!(!shown.is_empty() || resources.len() == total, "a page of {endpoint} is empty");
            resources.extend(shown);
            if resources.len() >= total {
                return resources;
            }
        }
    }

    /// RFC 7644 section 3.4.3, everything on one page.
    async fn search(&self, endpoint: &str, total: usize) -> Vec<Value> {
        let asked = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "startIndex": 1,
            "count": total,
        });
        let request = client().post(format!("{}{endpoint}/.search", self.url));
        let request = request.header("content-type", "application/scim+json").body(asked.to_string());
        let (status, list) = self.send(request).await;
        let resources = list["Resources"].as_array().cloned().unwrap_or_default();
        assert_eq!((status, resources.len()), (200, total), "{list}");
        resources
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client")
}
