//! `source.graph`: exactly one way to sign in, and what belongs to it.

use std::path::PathBuf;

use jiff::civil::Date;
use url::Url;

use super::Checker;
use crate::client::IdentityHost;
use crate::client::WhichIdentity;
use crate::config::checked::SecretPlace;
use crate::config::graph::GraphConfig;
use crate::config::graph::SignInConfig;
use crate::config::graph::SignInError;
use crate::config::problem::Key;
use crate::config::raw_graph::RawArc;
use crate::config::raw_graph::RawGraph;
use crate::config::raw_graph::RawIdentity;
use crate::config::raw_graph::Switch;
use crate::expr::nearest;
use crate::plan::Rules;
use crate::sources::graph::AssertionForm;
use crate::sources::graph::Cloud;
use crate::sources::graph::TenantSize;

/// Half: another job, or somebody's script with the same registration, shares the allowance.
const BUDGET_PERCENT: u8 = 50;

const WAYS: &str = "secret, certificate, federated_token, managed_identity or azure_arc";

/// The address that every machine in Azure knows its identity service by (graph.md 2.4).
const MACHINE: &str = "http://169.254.169.254/";

impl Checker<'_> {
    pub(super) fn graph(&mut self, table: &Key, raw: &RawGraph) -> Option<GraphConfig> {
        let key = |name: &str| table.join(name);
        let tenant = self.text(&key("tenant"), raw.tenant.as_deref(), "the directory (tenant) id");
        let cloud = self.cloud(&key("cloud"), raw.cloud.as_deref());
        let sign_in = self.sign_in(table, raw);
        let client_id = self.client_id(&key("client_id"), raw, sign_in.as_ref());
        let secret_expires = self.secret_expires(&key("secret_expires"), raw, sign_in.as_ref());
        let authority = self.optional_url(&key("authority"), raw.authority.as_deref());
        let root = self.optional_url(&key("root"), raw.root.as_deref());
        let budget_percent = self.budget(&key("budget"), raw.budget.as_deref());
        let tenant_size = self.tenant_size(&key("tenant_size"), raw.tenant_size.as_deref());
        Some(GraphConfig {
            tenant: tenant?,
            client_id: client_id?,
            cloud: cloud?,
            sign_in: sign_in?,
            secret_expires: secret_expires?,
            authority: authority?,
            root: root?,
            ca_file: raw.ca_file.as_ref().map(PathBuf::from),
            budget_percent: budget_percent?,
            tenant_size: tenant_size?,
        })
    }

    /// `50%`.
    fn budget(&mut self, key: &Key, raw: Option<&str>) -> Option<u8> {
        let Some(text) = raw else { return Some(BUDGET_PERCENT) };
        let percent = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
        percent.filter(|percent| (1..=100).contains(percent)).or_else(|| {
            let message = format!("`{text}` is no share of the tenant's allowance");
            self.error(key, message, "write a share from \"1%\" to \"100%\"")
        })
    }

    /// Outside: whether it can be read; inside: whether there is one.
    fn tenant_size(&mut self, key: &Key, raw: Option<&str>) -> Option<Option<TenantSize>> {
        let Some(name) = raw else { return Some(None) };
        TenantSize::named(name).map(Some).or_else(|| {
            let cure =
                "use small (below 50 users), medium (up to 500) or large; without it the users are counted";
            self.error(key, format!("there is no tenant size `{name}`"), cure)
        })
    }

    fn cloud(&mut self, key: &Key, raw: Option<&str>) -> Option<Cloud> {
        let Some(name) = raw else { return Some(Cloud::default()) };
        Cloud::named(name).or_else(|| {
            let known = Cloud::ALL.map(Cloud::key);
            let cure = match nearest(name, known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("use one of {}", known.join(", ")),
            };
            self.error(key, format!("there is no cloud `{name}`"), &cure)
        })
    }

    /// Exactly one of the ways.
    fn sign_in(&mut self, table: &Key, raw: &RawGraph) -> Option<SignInConfig> {
        let identity = raw.managed_identity.as_ref().and_then(Switch::on);
        let arc = raw.azure_arc.as_ref().and_then(Switch::on);
        let ways = [
            ("secret", raw.secret.is_some()),
            ("certificate", raw.certificate.is_some()),
            ("federated_token", raw.federated_token.is_some()),
            ("managed_identity", identity.is_some()),
            ("azure_arc", arc.is_some()),
        ];
        let named: Vec<&str> = ways.iter().filter(|(_, is_there)| *is_there).map(|(name, _)| *name).collect();
        self.belongings(table, raw);
        match named.as_slice() {
            [] => {
                let cure = format!("set one of {WAYS}");
                self.error(&table.join("secret"), "no way to sign in is set".to_owned(), &cure)
            }
            ["secret"] => self.secrets(&table.join("secret"), raw),
            ["certificate"] => self.certificate(table, raw),
            ["federated_token"] => self.federated(&table.join("federated_token"), raw),
            ["managed_identity"] => self.identity(&table.join("managed_identity"), identity?),
            ["azure_arc"] => self.arc(&table.join("azure_arc"), arc?),
            [.., last] => {
                let message = format!("{} ways to sign in are set: {}", named.len(), named.join(", "));
                self.error(&table.join(last), message, "keep one of them")
            }
        }
    }

    /// What only a certificate needs.
    fn belongings(&mut self, table: &Key, raw: &RawGraph) {
        let lonely = [("certificate_key", &raw.certificate_key), ("assertion", &raw.assertion)];
        for (name, value) in lonely {
            if value.is_some() && raw.certificate.is_none() {
                let message = "it belongs to a certificate, and none is set".to_owned();
                self.error::<()>(&table.join(name), message, "set certificate, or take it out");
            }
        }
    }

    fn secrets(&mut self, key: &Key, raw: &RawGraph) -> Option<SignInConfig> {
        let places = raw.secret.as_ref().map_or(&[][..], |many| &many.0);
        if places.is_empty() {
            self.secret(key, None, "the client secret")?;
        }
        let read: Vec<Option<SecretPlace>> =
            places.iter().map(|place| self.secret(key, Some(place), "the client secret")).collect();
        read.into_iter().collect::<Option<_>>().map(SignInConfig::Secrets)
    }

    fn certificate(&mut self, table: &Key, raw: &RawGraph) -> Option<SignInConfig> {
        let what = "the certificate and its key (PEM)";
        let certificate = self.secret(&table.join("certificate"), raw.certificate.as_deref(), what);
        let key = match &raw.certificate_key {
            None => Some(None),
            Some(text) => self.secret(&table.join("certificate_key"), Some(text), "the key (PEM)").map(Some),
        };
        let form = self.form(&table.join("assertion"), raw.assertion.as_deref());
        Some(SignInConfig::Certificate { certificate: certificate?, key: key?, form: form? })
    }

    fn form(&mut self, key: &Key, raw: Option<&str>) -> Option<AssertionForm> {
        let Some(name) = raw else { return Some(AssertionForm::default()) };
        let found = AssertionForm::ALL.into_iter().find(|form| form.name() == name);
        found.or_else(|| {
            let message = format!("an assertion is not signed with `{name}`");
            self.error(key, message, "use \"PS256\", or \"RS256\" for keys in old hardware")
        })
    }

    /// It rotates, so it has to be a file.
    fn federated(&mut self, key: &Key, raw: &RawGraph) -> Option<SignInConfig> {
        let place = self.secret(key, raw.federated_token.as_deref(), "the federated token")?;
        if place.to_string().starts_with("env:") {
            let message = "a variable cannot be renewed, and a federated token is read for every token";
            return self.error(key, message.to_owned(), "name its file: file:PATH");
        }
        Some(SignInConfig::Federated(place))
    }

    fn identity(&mut self, table: &Key, raw: &RawIdentity) -> Option<SignInConfig> {
        let named = [&raw.client_id, &raw.object_id, &raw.msi_res_id];
        if named.iter().filter(|id| id.is_some()).count() > 1 {
            let cure = "keep one of client_id, object_id and msi_res_id";
            return self.error(table, "one identity is named in several ways".to_owned(), cure);
        }
        let which = match named {
            [Some(id), ..] => WhichIdentity::ClientId(id.clone()),
            [_, Some(id), _] => WhichIdentity::ObjectId(id.clone()),
            [.., Some(id)] => WhichIdentity::ResourceId(id.clone()),
            _ => WhichIdentity::System,
        };
        let host = IdentityHost::machine(which);
        let endpoint = self.endpoint(&table.join("endpoint"), raw.endpoint.as_deref())?;
        Some(SignInConfig::Identity(match endpoint {
            Some(endpoint) => host.at(endpoint),
            None => host,
        }))
    }

    fn arc(&mut self, table: &Key, raw: &RawArc) -> Option<SignInConfig> {
        let IdentityHost::Arc { endpoint: usual, token_directory } = IdentityHost::arc() else { return None };
        let endpoint = self.endpoint(&table.join("endpoint"), raw.endpoint.as_deref())?;
        let token_directory = raw.token_directory.as_ref().map_or(token_directory, PathBuf::from);
        let endpoint = endpoint.unwrap_or(usual);
        Some(SignInConfig::Identity(IdentityHost::Arc { endpoint, token_directory }))
    }

    fn endpoint(&mut self, key: &Key, raw: Option<&str>) -> Option<Option<Url>> {
        match raw {
            Some(text) if text.starts_with(MACHINE) => match Url::parse(text) {
                Ok(url) => Some(Some(url)),
                Err(_) => self.optional_url(key, raw),
            },
            _ => self.optional_url(key, raw),
        }
    }

    fn client_id(&mut self, key: &Key, raw: &RawGraph, sign_in: Option<&SignInConfig>) -> Option<String> {
        match (sign_in, &raw.client_id) {
            (Some(SignInConfig::Identity(_)), None) => Some(String::new()),
            (Some(SignInConfig::Identity(_)), Some(_)) => {
                let cure = "take it out; which identity is meant is said by managed_identity = { client_id = \"…\" }";
                self.error(key, "the machine's identity signs in, not an application".to_owned(), cure)
            }
            (_, id) => self.text(key, id.as_deref(), "the application (client) id of rosterd itself"),
        }
    }

    /// Outside: whether it can be read; inside: whether there is one.
    fn secret_expires(
        &mut self,
        key: &Key,
        raw: &RawGraph,
        sign_in: Option<&SignInConfig>,
    ) -> Option<Option<Date>> {
        let Some(text) = &raw.secret_expires else { return Some(None) };
        match (text.trim().parse::<Date>(), sign_in) {
            (Err(_), _) => self.error(key, format!("`{text}` is no day"), "write one like 2027-01-31"),
            (Ok(_), Some(SignInConfig::Certificate { .. })) => {
                self.error(key, "a certificate says itself when it ends".to_owned(), "take it out")
            }
            (Ok(_), Some(SignInConfig::Identity(_))) => {
                self.error(key, "the machine's identity does not end".to_owned(), "take it out")
            }
            (Ok(day), _) => Some(Some(day)),
        }
    }

    /// What the source's own room says of the settings; it takes no secrets.
    pub(super) fn graph_fits(&mut self, job: &Key, graph: &GraphConfig, rules: &Rules) {
        for problem in graph.settings(rules, graph.sign_in.bare()).problems() {
            let key = match problem.key {
                "attributes" => job.join("mapping"),
                "assigned_to" if rules.scope.users.assigned_to.is_some() => {
                    job.join("scope").join("users").join("assigned_to")
                }
                "assigned_to" => job.join("scope").join("teams").join("assigned_to"),
                name => job.join("source").join("graph").join(name),
            };
            self.error::<()>(&key, problem.what, &problem.cure);
        }
    }

    /// What a sign-in takes and cannot be had now.
    pub(super) fn sign_in_error(&mut self, graph: &Key, error: &SignInError) {
        match error {
            SignInError::Secret { key, source } => self.secret_error(&graph.join(key), source),
            SignInError::Key { key, source } => {
                self.error::<()>(&graph.join(key), source.what.clone(), &source.cure);
            }
        }
    }
}
