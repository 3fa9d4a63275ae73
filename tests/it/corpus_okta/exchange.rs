//! A file of the corpus as an answer that the replayed org can give, and the org around it.

use std::path::Path;
use std::path::PathBuf;

use jiff::Timestamp;
use rosterd::model::Reading;
use rosterd::model::SourceId;
use rosterd::model::Watermarks;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::okta::OktaSource;
use serde_json::Value;
use serde_json::json;

use super::super::okta_org::Org;
use super::super::okta_org::Pulled;
use super::super::okta_org::Reply;
use super::super::okta_org::pull;

/// One recorded exchange.
pub struct Exchange {
    file: String,
    url: String,
    pub response: Value,
}

impl Exchange {
    pub fn body(&self) -> &Value {
        &self.response["body"]
    }

    /// Path and query of the recorded request.
    pub fn target(&self) -> String {
        let from = self.url.find("/api/").unwrap_or_else(|| panic!("{}: no address of the API", self.file));
        self.url[from..].to_owned()
    }

    /// The recorded answer. How it travelled is not part of it: it was unpacked by the recorder.
    pub fn reply(&self) -> Reply {
        let status = self.response["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let mut reply = Reply::raw(status.expect("a status"), &self.body().to_string());
        for (name, value) in self.response["headers"].as_object().expect("headers") {
            let travels = ["transfer-encoding", "content-encoding", "content-length", "connection"];
            if travels.contains(&name.to_lowercase().as_str()) {
                continue;
            }
            let lines = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            for line in lines {
                reply = reply.header(name, line.as_str().expect("a header is text"));
            }
        }
        reply
    }
}

/// The corpus, where there is one, and which of its files the tests have met.
pub fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("ROSTERD_CORPUS").map(|root| PathBuf::from(root).join("okta"));
    if folder.is_none() {
        println!("skipped: no corpus");
    }
    folder
}

pub fn exchange(folder: &Path, file: &str) -> Exchange {
    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut exchange: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let url = exchange["request"]["url"].as_str().expect("an address").to_owned();
    Exchange { file: file.to_owned(), url, response: exchange["response"].take() }
}

pub fn id(text: &str) -> SourceId {
    SourceId(text.to_owned())
}

pub fn active() -> Reply {
    Reply::ok(json!({"id": "0oa1", "label": "Acme", "status": "ACTIVE"}))
}

/// An org whose application `0oa1` is active and has neither users nor groups.
pub async fn empty_org() -> Org {
    let org = Org::start().await;
    org.tell("/api/v1/apps/0oa1", active());
    org.tell(USERS, Reply::ok(json!([])));
    org.tell(GROUPS, Reply::ok(json!([])));
    org
}

pub const USERS: &str = "/api/v1/apps/0oa1/users?limit=500&expand=user";
pub const GROUPS: &str = "/api/v1/apps/0oa1/groups?limit=200&expand=group";

pub async fn all(source: &OktaSource) -> Result<Pulled, SourceError> {
    pull(source, source.reads(&Watermarks::new(), Reading::Full, Timestamp::UNIX_EPOCH)).await
}

pub async fn pulled(org: &Org) -> Result<Pulled, SourceError> {
    all(&org.source("0oa1")).await
}
