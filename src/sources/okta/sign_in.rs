//! How to sign in to an org: an API token, or a service application with a key of its own (okta.md section 2).

use url::Url;

use super::advice;
use super::refusal::Signed;
use super::settings::OktaSettings;
use super::settings::OktaSettingsError;
use super::wire::ErrorBody;
use crate::client::Answer;
use crate::client::Assertion;
use crate::client::Client;
use crate::client::ClientAuth;
use crate::client::ClientError;
use crate::client::ClientSettings;
use crate::client::Credential;
use crate::client::Grant;
use crate::client::KeyError;
use crate::client::KeyName;
use crate::client::Secret;
use crate::client::SigningKey;

/// What a service application asks for where the settings do not say: all that the reads of this source need, and the
/// System Log, which explains removals.
pub(super) const SCOPES: [&str; 4] =
    ["okta.apps.read", "okta.groups.read", "okta.users.read", "okta.logs.read"];

/// Who asks.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// An API token (`SSWS`) of a service account with the role Read-only Administrator.
    Token(Secret),
    Service(ServiceApp),
}

/// An API Services application with `private_key_jwt`. Whether its tokens are bound to a key (DPoP) says Okta.
#[derive(Clone, Debug)]
pub struct ServiceApp {
    pub client_id: String,
    /// RSA or EC, PEM or JWK.
    pub private_key: Secret,
    /// Needed as soon as the application has more than one key; a JWK may name its own.
    pub key_id: Option<String>,
    pub scopes: Vec<String>,
}

impl ServiceApp {
    pub fn new(client_id: &str, private_key: Secret) -> ServiceApp {
        let scopes = SCOPES.map(str::to_owned).to_vec();
        ServiceApp { client_id: client_id.to_owned(), private_key, key_id: None, scopes }
    }
}

impl ServiceApp {
    /// Only the org's own authorization server gives scopes of Okta's API. `aud` is its address as it is called.
    fn credential(&self, host: &Url) -> Result<Credential, ClientError> {
        let mut token_url = host.clone();
        token_url.set_path("/oauth2/v1/token");
        let assertion = self.assertion(&token_url).map_err(|KeyError { what, cure }| {
            let what = format!("`private_key` cannot sign in: {what}");
            ClientError::Denied { what, cure }
        })?;
        let (client_id, scope) = (self.client_id.clone(), self.scopes.join(" "));
        let auth = ClientAuth::Assertion(Box::new(assertion));
        Ok(Credential::from(Grant { token_url, client_id, scope, auth }))
    }

    /// The algorithm follows from the key: RS256 for RSA, ES256, ES384 or ES512 by the curve.
    fn assertion(&self, token_url: &Url) -> Result<Assertion, KeyError> {
        let key = SigningKey::read(&self.private_key)?;
        let named = match self.key_id.as_deref().or(key.kid()) {
            Some(id) => KeyName::Kid(id.to_owned()),
            None => KeyName::Unnamed,
        };
        let algorithm = key.kind().usual_algorithm();
        Assertion::new(key, algorithm, named, &self.client_id, token_url.as_str())
    }
}

impl From<Secret> for SignIn {
    fn from(token: Secret) -> SignIn {
        SignIn::Token(token)
    }
}

impl From<ServiceApp> for SignIn {
    fn from(app: ServiceApp) -> SignIn {
        SignIn::Service(app)
    }
}

impl SignIn {
    pub(super) fn check(&self) -> Result<(), OktaSettingsError> {
        let SignIn::Service(app) = self else { return Ok(()) };
        if app.client_id.trim().is_empty() {
            return Err(OktaSettingsError::ClientId);
        }
        if app.scopes.is_empty() {
            return Err(OktaSettingsError::Scopes);
        }
        let odd = |scope: &&String| !scope.starts_with("okta.") || scope.contains(char::is_whitespace);
        match app.scopes.iter().find(odd) {
            Some(scope) => Err(OktaSettingsError::Scope { scope: scope.clone() }),
            None => Ok(()),
        }
    }

    pub(super) fn signed(&self) -> Signed {
        match self {
            SignIn::Token(_) => Signed::Token,
            SignIn::Service(_) => Signed::Service,
        }
    }

    /// The same text for the same principal: allowances are counted for it.
    pub(super) fn principal(&self) -> String {
        match self {
            SignIn::Token(token) => blake3::hash(token.reveal().as_bytes()).to_hex()[..16].to_owned(),
            SignIn::Service(app) => app.client_id.clone(),
        }
    }
}

/// The client of an org. Links stay on its host, and on the siblings that the settings name.
pub(super) fn client(settings: &OktaSettings) -> Result<Client, ClientError> {
    client_as(settings, settings.sign_in())
}

/// The same for somebody else.
pub(super) fn client_as(settings: &OktaSettings, sign_in: &SignIn) -> Result<Client, ClientError> {
    let credential = match sign_in {
        SignIn::Token(token) => Credential::Header { scheme: "SSWS".to_owned(), secret: token.clone() },
        SignIn::Service(app) => app.credential(settings.host())?,
    };
    Client::new(ClientSettings {
        token_cure: advice::of,
        // The feature is missing, not the sign-in (okta/059 of the corpus).
        is_of_credential: |answer| code(answer).as_deref() != Some("E0000015"),
        also_hosts: settings.also_hosts().to_vec(),
        ca_file: settings.ca_file.clone(),
        timeout: settings.timeout,
        backoff: settings.backoff,
        ..ClientSettings::new(settings.host().clone(), credential)
    })
}

fn code(answer: &Answer) -> Option<String> {
    answer.json::<ErrorBody>().ok()?.code
}
