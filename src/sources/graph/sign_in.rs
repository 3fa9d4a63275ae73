//! How rosterd signs in to a tenant, and in which cloud the tenant lies (graph.md sections 1 and 2).

use url::Url;

use crate::client::Algorithm;
use crate::client::Assertion;
use crate::client::CertifiedKey;
use crate::client::ClientAuth;
use crate::client::Credential;
use crate::client::Grant;
use crate::client::IdentityHost;
use crate::client::KeyError;
use crate::client::KeyName;
use crate::client::ManagedIdentity;
use crate::client::Secret;

/// How a tenant learns that it is rosterd that asks.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// Client secrets, tried in order: while one is replaced, the old and the new one.
    Secrets(Vec<Secret>),
    /// A certificate that is registered with the application; its key signs an assertion.
    Certificate { pair: Box<CertifiedKey>, form: AssertionForm },
    /// An assertion of another identity provider, read from its place for every token.
    Federated { place: String },
    /// The identity of the machine; there is nothing to keep secret.
    Identity(IdentityHost),
}

/// How an assertion is signed, and how it names its certificate (graph.md 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssertionForm {
    /// RSASSA-PSS, `x5t#S256`.
    #[default]
    Ps256,
    /// RSASSA-PKCS1-v1_5, `x5t`: for keys in old hardware.
    Rs256,
}

impl AssertionForm {
    pub const ALL: [AssertionForm; 2] = [AssertionForm::Ps256, AssertionForm::Rs256];

    pub fn name(self) -> &'static str {
        match self {
            AssertionForm::Ps256 => "PS256",
            AssertionForm::Rs256 => "RS256",
        }
    }
}

impl SignIn {
    /// Whether it takes the client id of an application: a machine's identity is one itself.
    pub fn is_by_application(&self) -> bool {
        !matches!(self, SignIn::Identity(_))
    }

    /// What the client sends: `token_url` is the tenant's endpoint, `root` Graph's root without a trailing slash.
    pub(super) fn credential(
        &self,
        token_url: Url,
        root: &str,
        client_id: &str,
    ) -> Result<Credential, KeyError> {
        let auth = match self {
            SignIn::Secrets(secrets) => ClientAuth::Secrets(secrets.clone()),
            SignIn::Certificate { pair, form } => {
                ClientAuth::Assertion(Box::new(assertion(pair, *form, client_id, &token_url)?))
            }
            SignIn::Federated { place } => ClientAuth::Federated { place: place.clone() },
            SignIn::Identity(host) => {
                let identity = ManagedIdentity { root: root.to_owned(), host: host.clone() };
                return Ok(identity.into());
            }
        };
        let (client_id, scope) = (client_id.to_owned(), format!("{root}/.default"));
        Ok(Grant { token_url, client_id, scope, auth }.into())
    }
}

fn assertion(
    pair: &CertifiedKey,
    form: AssertionForm,
    client_id: &str,
    token_url: &Url,
) -> Result<Assertion, KeyError> {
    let certificate = pair.certificate.clone();
    let (algorithm, named) = match form {
        AssertionForm::Ps256 => (Algorithm::Ps256, KeyName::Thumbprint(certificate)),
        AssertionForm::Rs256 => (Algorithm::Rs256, KeyName::OldThumbprint(certificate)),
    };
    Assertion::new(pair.key.clone(), algorithm, named, client_id, token_url.as_str())
}

/// A cloud of Microsoft's: tokens of one are worth nothing in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cloud {
    /// Also GCC.
    #[default]
    Global,
    /// GCC High.
    UsgovL4,
    /// DoD.
    UsgovL5,
    /// Run by 21Vianet.
    China,
}

impl Cloud {
    pub const ALL: [Cloud; 4] = [Cloud::Global, Cloud::UsgovL4, Cloud::UsgovL5, Cloud::China];

    /// The key in the settings.
    pub fn key(self) -> &'static str {
        match self {
            Cloud::Global => "global",
            Cloud::UsgovL4 => "usgov-l4",
            Cloud::UsgovL5 => "usgov-l5",
            Cloud::China => "china",
        }
    }

    pub fn named(key: &str) -> Option<Cloud> {
        Cloud::ALL.into_iter().find(|cloud| cloud.key() == key)
    }

    /// Where tokens are asked for.
    pub fn authority(self) -> Url {
        constant(match self {
            Cloud::Global => "https://login.microsoftonline.com",
            Cloud::UsgovL4 | Cloud::UsgovL5 => "https://login.microsoftonline.us",
            Cloud::China => "https://login.partner.microsoftonline.cn",
        })
    }

    /// Where Graph is.
    pub fn root(self) -> Url {
        constant(match self {
            Cloud::Global => "https://graph.microsoft.com",
            Cloud::UsgovL4 => "https://graph.microsoft.us",
            Cloud::UsgovL5 => "https://dod-graph.microsoft.us",
            Cloud::China => "https://microsoftgraph.chinacloudapi.cn",
        })
    }
}

fn constant(text: &str) -> Url {
    Url::parse(text).expect("a constant address")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// graph.md section 1.
    #[test]
    fn every_cloud_has_its_addresses() {
        for (key, authority, root) in [
            ("global", "https://login.microsoftonline.com/", "https://graph.microsoft.com/"),
            ("usgov-l4", "https://login.microsoftonline.us/", "https://graph.microsoft.us/"),
            ("usgov-l5", "https://login.microsoftonline.us/", "https://dod-graph.microsoft.us/"),
            (
                "china",
                "https://login.partner.microsoftonline.cn/",
                "https://microsoftgraph.chinacloudapi.cn/",
            ),
        ] {
            let cloud = Cloud::named(key).unwrap();
            assert_eq!((cloud.authority().as_str(), cloud.root().as_str()), (authority, root), "{key}");
        }
        assert_eq!(Cloud::named("germany"), None);
    }
}
