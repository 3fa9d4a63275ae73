//! Where a client may go: its base, and the siblings that the settings name. Pure.

use std::fmt;

use url::Host;
use url::Url;

use super::ClientError;
use super::ClientSettings;
use super::Credential;
use super::identity::stays_here;

/// The service's addresses.
pub(super) struct Hosts {
    /// Without a trailing slash in its path.
    base: Url,
    also: Vec<(String, Option<u16>)>,
}

impl Hosts {
    pub(super) fn new(settings: &ClientSettings) -> Result<Hosts, ClientError> {
        check_base(&settings.base, &settings.credential)?;
        match &settings.credential {
            Credential::Grant(grant) => check_plain(&grant.token_url)?,
            Credential::Identity(identity) if !stays_here(identity.endpoint()) => {
                check_plain(identity.endpoint())?;
            }
            _ => {}
        }
        let also = settings.also_hosts.iter().map(|text| sibling(text)).collect::<Result<_, _>>()?;
        let mut base = settings.base.clone();
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Ok(Hosts { base, also })
    }

    pub(super) fn below(&self, path_and_query: &str) -> Result<Url, ClientError> {
        let slash = if path_and_query.starts_with('/') { "" } else { "/" };
        let text = format!("{}{slash}{path_and_query}", self.base.as_str().trim_end_matches('/'));
        let url = Url::parse(&text).map_err(|error| {
            let what = format!("an address below {self} cannot be made: {error}");
            ClientError::Invalid { what }
        })?;
        self.admit(&url)?;
        Ok(url)
    }

    pub(super) fn follow(&self, link: &str) -> Result<Url, ClientError> {
        let url = self.base.join(link).map_err(|error| {
            let what = format!("{self} sent a link that is no address: {error}");
            ClientError::Invalid { what }
        })?;
        self.admit(&url)?;
        Ok(url)
    }

    /// Same scheme, host and port as the base, or a named sibling; no user or password in it.
    pub(super) fn admit(&self, url: &Url) -> Result<(), ClientError> {
        let port = url.port_or_known_default();
        let at_base = url.host() == self.base.host() && port == self.base.port_or_known_default();
        let host = url.host_str().unwrap_or_default();
        let at_sibling = self
            .also
            .iter()
            .any(|(name, at)| name == host && at.map_or(url.port().is_none(), |p| port == Some(p)));
        let plain = url.username().is_empty() && url.password().is_none();
        if plain && url.scheme() == self.base.scheme() && (at_base || at_sibling) {
            return Ok(());
        }
        let what =
            format!("{self} points to {}://{host}, which is not it; nothing was sent there", url.scheme());
        Err(ClientError::ForeignHost { what })
    }
}

/// The base without a query: `graph.microsoft.com/v1.0`.
impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.host_str().unwrap_or_default())?;
        if let Some(port) = self.base.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.base.path().trim_end_matches('/'))
    }
}

/// Whether this is our own machine: no proxy, and plain `http` is no risk.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn check_base(base: &Url, credential: &Credential) -> Result<(), ClientError> {
    let invalid = |what: String| Err(ClientError::Invalid { what });
    if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
        return invalid(format!("`{}://…` is no address of a web service; use https://", base.scheme()));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return invalid("an address must not hold a user or a password; name them as a secret".to_owned());
    }
    if base.query().is_some() || base.fragment().is_some() {
        let host = base.host_str().unwrap_or_default();
        return invalid(format!(
            "the address of {host} must end with its path; remove what follows `?` or `#`"
        ));
    }
    match credential {
        Credential::None => Ok(()),
        _ => check_plain(base),
    }
}

fn check_plain(url: &Url) -> Result<(), ClientError> {
    if url.scheme() == "https" || is_loopback(url) {
        return Ok(());
    }
    let host = url.host_str().unwrap_or_default();
    let what =
        format!("{host} is to be reached over http, which shows our secrets to the network; use https://");
    Err(ClientError::Invalid { what })
}

fn sibling(text: &str) -> Result<(String, Option<u16>), ClientError> {
    let wrong = || ClientError::Invalid { what: format!("`{text}` is no host; write `host` or `host:port`") };
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
        None => (text, None),
    };
    if host.is_empty() || host.contains(['/', '@', '?', '#', ' ']) {
        return Err(wrong());
    }
    Ok((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Secret;

    fn hosts(base: &str, also: &[&str]) -> Hosts {
        let mut settings = ClientSettings::new(Url::parse(base).unwrap(), Credential::None);
        settings.also_hosts = also.iter().map(|host| (*host).to_owned()).collect();
        Hosts::new(&settings).unwrap()
    }

    #[test]
    fn a_path_is_put_below_the_path_of_the_base() {
        let graph = hosts("https://graph.microsoft.com/v1.0/", &[]);
        let url = graph.below("/users?$top=999&$select=id,mail").unwrap();
        assert_eq!(url.as_str(), "https://graph.microsoft.com/v1.0/users?$top=999&$select=id,mail");
        assert_eq!(graph.to_string(), "graph.microsoft.com/v1.0");
    }

    #[test]
    fn a_path_cannot_leave_the_host() {
        let graph = hosts("https://graph.microsoft.com", &[]);
        let url = graph.below("@evil.example/x").unwrap();
        assert_eq!(url.host_str(), Some("graph.microsoft.com"));
    }

    #[test]
    fn a_link_to_another_host_port_or_scheme_is_foreign() {
        let graph = hosts("https://graph.microsoft.com/v1.0", &[]);
        for link in [
            "https://evil.example/v1.0/users?$skiptoken=x",
            "https://graph.microsoft.com:8443/v1.0/users",
            "http://graph.microsoft.com/v1.0/users",
            "//evil.example/users",
            "https://me@graph.microsoft.com/v1.0/users",
        ] {
            assert!(matches!(graph.follow(link), Err(ClientError::ForeignHost { .. })), "{link}");
        }
    }

    #[test]
    fn a_link_is_followed_as_it_is() {
        let graph = hosts("https://graph.microsoft.com/v1.0", &[]);
        let link = "https://graph.microsoft.com/beta/users/delta?$skiptoken=a%2Bb_C-~";
        assert_eq!(graph.follow(link).unwrap().as_str(), link);
        assert_eq!(graph.follow("https://graph.microsoft.com:443/x").unwrap().path(), "/x");
    }

    #[test]
    fn a_named_sibling_is_admitted() {
        let okta = hosts("https://acme-admin.okta.com", &["acme.okta.com", "acme.okta.com:8443"]);
        assert!(okta.follow("https://acme.okta.com/api/v1/users?after=1").is_ok());
        assert!(okta.follow("https://acme.okta.com:8443/api/v1/users").is_ok());
        assert!(okta.follow("https://acme.okta.com:9443/api/v1/users").is_err());
    }

    #[test]
    fn secrets_travel_over_plain_http_to_loopback_only() {
        let bearer = || Credential::Bearer(vec![Secret::new("s3cret")]);
        let plain = Url::parse("http://scim.example/v2").unwrap();
        let error = Hosts::new(&ClientSettings::new(plain, bearer())).err().unwrap();
        assert_eq!(
            error.to_string(),
            "scim.example is to be reached over http, which shows our secrets to the network; use https://"
        );
        for own in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"] {
            assert!(Hosts::new(&ClientSettings::new(Url::parse(own).unwrap(), bearer())).is_ok());
        }
    }
}
