//! The address of an org: which ones there are, and which look like one and are not (okta.md section 1).

use std::net::IpAddr;

use url::Host;
use url::Url;

/// What the name of a host tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostKind {
    Production,
    Preview,
    Emea,
    Government,
    Military,
    /// A name of the customer's own, which Okta answers to.
    Custom,
    /// This machine: a simulator.
    Own,
}

impl HostKind {
    const DOMAINS: [(&'static str, HostKind); 5] = [
        (".okta.com", HostKind::Production),
        (".oktapreview.com", HostKind::Preview),
        (".okta-emea.com", HostKind::Emea),
        (".okta-gov.com", HostKind::Government),
        (".okta.mil", HostKind::Military),
    ];

    pub fn of(host: &Url) -> HostKind {
        if is_loopback(host) {
            return HostKind::Own;
        }
        let name = host.host_str().unwrap_or_default();
        let known = HostKind::DOMAINS.iter().find(|(domain, _)| name.ends_with(domain));
        known.map_or(HostKind::Custom, |(_, kind)| *kind)
    }

    pub fn words(self) -> &'static str {
        match self {
            HostKind::Production => "a production org",
            HostKind::Preview => "a preview org",
            HostKind::Emea => "an org in EMEA",
            HostKind::Government => "an org for the US government",
            HostKind::Military => "an org for the US military",
            HostKind::Custom => "a custom domain",
            HostKind::Own => "this machine, a simulated org",
        }
    }
}

/// The org's own address, or why it cannot be that and what to write instead.
pub(super) fn checked(text: &str) -> Result<Url, String> {
    if text.contains(['{', '}', '<', '>']) || text.to_lowercase().contains("youroktadomain") {
        return Err("it is a placeholder; write your own org, such as https://acme.okta.com".to_owned());
    }
    let url = Url::parse(text).map_err(|_| "write it as https://acme.okta.com".to_owned())?;
    let name = url.host_str().unwrap_or_default().to_owned();
    if let Some((org, domain)) = name.split_once("-admin.") {
        return Err(format!("it is the admin console; write https://{org}.{domain}"));
    }
    if let Some(org) = name.strip_suffix(".com.com") {
        return Err(format!("it ends twice; write https://{org}.com"));
    }
    let rest = !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some();
    if rest || !url.username().is_empty() || url.password().is_some() {
        return Err(format!("write scheme and host only: {}://{name}", url.scheme()));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(format!("the token would be readable on the way; write https://{name}")),
    }
}

/// A sibling that links may lead to: a host, without scheme and path.
pub(super) fn is_plain(text: &str) -> bool {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    !name.is_empty() && name.chars().all(letters) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// A sibling with its port, for a firewall.
pub(super) fn with_port(sibling: &str) -> String {
    match sibling.split_once(':') {
        Some((name, port)) => format!("{name}, port {port}"),
        None => format!("{sibling}, port 443"),
    }
}

/// A simulator on this machine needs no TLS.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, expected: &str) {
        let found = match checked(host) {
            Ok(url) => format!("{url} {}", HostKind::of(&url).words()),
            Err(why) => why,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn orgs_of_every_kind_have_their_names() {
        check("https://acme.okta.com", "https://acme.okta.com/ a production org");
        check("https://acme.oktapreview.com", "https://acme.oktapreview.com/ a preview org");
        check("https://acme.okta-emea.com/", "https://acme.okta-emea.com/ an org in EMEA");
        check("https://acme.okta-gov.com", "https://acme.okta-gov.com/ an org for the US government");
        check("https://acme.okta.mil", "https://acme.okta.mil/ an org for the US military");
        check("https://login.acme.example", "https://login.acme.example/ a custom domain");
        check("http://127.0.0.1:8081", "http://127.0.0.1:8081/ this machine, a simulated org");
    }

    #[test]
    fn what_only_looks_like_an_org_is_refused_with_what_to_write() {
        check("https://acme-admin.okta.com", "it is the admin console; write https://acme.okta.com");
        check(
            "https://acme-admin.oktapreview.com",
            "it is the admin console; write https://acme.oktapreview.com",
        );
        let placeholder = "it is a placeholder; write your own org, such as https://acme.okta.com";
        check("https://{yourOktaDomain}", placeholder);
        check("https://yourOktaDomain", placeholder);
        check("https://acme.okta.com.com", "it ends twice; write https://acme.okta.com");
        check("http://acme.okta.com", "the token would be readable on the way; write https://acme.okta.com");
        check("https://acme.okta.com/api/v1", "write scheme and host only: https://acme.okta.com");
        check("https://ann@acme.okta.com", "write scheme and host only: https://acme.okta.com");
        check("acme", "write it as https://acme.okta.com");
    }

    #[test]
    fn a_sibling_is_a_host_and_perhaps_a_port() {
        assert!(is_plain("acme.okta.com") && is_plain("acme.okta.com:8443"));
        for text in ["", "https://acme.okta.com", "acme.okta.com/x", "a b", "acme:x", "ann@acme"] {
            assert!(!is_plain(text), "{text}");
        }
    }
}
