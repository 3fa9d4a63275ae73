//! Sources: which directory a job reads, and with what credential.

use std::path::PathBuf;

use super::Checker;
use crate::config::checked::FileConfig;
use crate::config::checked::GraphConfig;
use crate::config::checked::JobConfig;
use crate::config::checked::OktaConfig;
use crate::config::checked::SecretPlace;
use crate::config::checked::SourceConfig;
use crate::config::problem::Key;
use crate::config::raw::RawFile;
use crate::config::raw::RawGraph;
use crate::config::raw::RawOkta;
use crate::config::raw::RawSource;

impl Checker<'_> {
    pub(super) fn source(&mut self, table: &Key, raw: &RawSource) -> Option<SourceConfig> {
        match (&raw.graph, &raw.okta, &raw.file) {
            (Some(graph), None, None) => self.graph(&table.join("graph"), graph).map(SourceConfig::Graph),
            (None, Some(okta), None) => self.okta(&table.join("okta"), okta).map(SourceConfig::Okta),
            (None, None, Some(file)) => self.file(&table.join("file"), file).map(SourceConfig::File),
            (None, None, None) => {
                let cure = "add one table: source.graph, source.okta or source.file";
                self.error(table, "the job reads nothing".to_owned(), cure)
            }
            _ => {
                let cure = "keep one of graph, okta and file; give each other a job of its own";
                self.error(table, "the job reads two sources".to_owned(), cure)
            }
        }
    }

    fn graph(&mut self, table: &Key, raw: &RawGraph) -> Option<GraphConfig> {
        let id = |name: &str| table.join(name);
        let tenant = self.text(&id("tenant"), raw.tenant.as_deref(), "the directory (tenant) id");
        let client_id = self.text(
            &id("client_id"),
            raw.client_id.as_deref(),
            "the application (client) id of rosterd itself",
        );
        let secret = self.secret(&id("secret"), raw.secret.as_deref(), "the client secret");
        let authority = self.optional_url(&id("authority"), raw.authority.as_deref());
        let root = self.optional_url(&id("root"), raw.root.as_deref());
        Some(GraphConfig {
            tenant: tenant?,
            client_id: client_id?,
            secret: secret?,
            authority: authority?,
            root: root?,
            ca_file: raw.ca_file.as_ref().map(PathBuf::from),
        })
    }

    fn okta(&mut self, table: &Key, raw: &RawOkta) -> Option<OktaConfig> {
        let key = table.join("url");
        let url = self.text(&key, raw.url.as_deref(), "the org, like https://acme.okta.com");
        let url = url.and_then(|text| self.url(&key, &text));
        let token = self.secret(&table.join("token"), raw.token.as_deref(), "the API token");
        Some(OktaConfig { url: url?, token: token?, ca_file: raw.ca_file.as_ref().map(PathBuf::from) })
    }

    fn file(&mut self, table: &Key, raw: &RawFile) -> Option<FileConfig> {
        let path = self.text(&table.join("path"), raw.path.as_deref(), "the path of the directory file")?;
        Some(FileConfig { path: PathBuf::from(path) })
    }
}

pub(super) fn secret(job: &JobConfig) -> Option<(Key, SecretPlace)> {
    let key = |kind, name| Key::of(["jobs", &job.name, "source", kind, name]);
    match &job.source {
        SourceConfig::Graph(graph) => Some((key("graph", "secret"), graph.secret.clone())),
        SourceConfig::Okta(okta) => Some((key("okta", "token"), okta.token.clone())),
        SourceConfig::File(_) => None,
    }
}
