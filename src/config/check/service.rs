//! The HTTP service: where it listens and lies, and what it takes on.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use super::Checker;
use crate::config::problem::Key;
use crate::config::raw_service::RawExtensions;
use crate::config::raw_service::RawService;
use crate::config::raw_service::RawTenant;
use crate::daemon::parse_duration;
use crate::scim::ResourceType;
use crate::scim::schema;
use crate::server::Limits;
use crate::server::Settings;
use crate::server::Tenant;

/// What else the listener has, or will have, at its root.
const TAKEN: [&str; 5] = ["healthz", "readyz", "metrics", "api", "assets"];
const WAIT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
const CURSOR_WAIT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

impl Checker<'_> {
    /// An address that other hosts reach is refused unless somebody says that plain HTTP is meant: tokens would
    /// travel in the clear (SCIM reference, S8).
    pub(super) fn address(&mut self, key: &Key, text: &str, plain_http: bool) -> Option<SocketAddr> {
        let Ok(address) = text.parse::<SocketAddr>() else {
            return self.error(key, format!("`{text}` is not an address and a port"), "write 127.0.0.1:8480");
        };
        if !address.ip().is_loopback() && !plain_http {
            let message = "other hosts would reach this address by plain HTTP, with their tokens".to_owned();
            let cure = "listen on 127.0.0.1 and put a proxy with TLS before it; where something else keeps the \
                        network apart, say daemon.plain_http = true";
            return self.error(key, message, cure);
        }
        Some(address)
    }

    pub(super) fn service(&mut self, raw: &RawService) -> Settings {
        self.extensions(&raw.extensions);
        let usual = Settings::default();
        let prefix = raw.prefix.as_deref().map(|prefix| self.prefix(prefix));
        let public_url = raw.url.as_deref().and_then(|url| self.public_url(url));
        Settings {
            prefix: prefix.flatten().unwrap_or(usual.prefix),
            public_url,
            discovery_without_token: raw.discovery_without_token.unwrap_or(usual.discovery_without_token),
            limits: self.limits_of_service(raw),
            tenants: raw.tenants.iter().map(|(name, raw)| (name.clone(), tenant(*raw))).collect(),
        }
    }

    /// Makes the schemas of these files known, before anything is read that may name their attributes.
    fn extensions(&mut self, raw: &RawExtensions) {
        for (name, kind, files) in [
            ("user", ResourceType::User, &raw.user),
            ("group", ResourceType::Group, &raw.group),
            ("grant", ResourceType::Grant, &raw.grant),
        ] {
            for file in files.iter().flat_map(|files| &files.0) {
                self.extension(&Key::of(["scim", "extensions", name]), kind, file);
            }
        }
    }

    fn extension(&mut self, key: &Key, kind: ResourceType, file: &str) {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                let cure =
                    "name a file that rosterd may read, with one schema as RFC 7643 section 7 writes it";
                self.error::<()>(key, format!("{file} cannot be read ({error})"), cure);
                return;
            }
        };
        let cure = "see RFC 7643 section 7 for the form of a schema";
        match schema::read(&text) {
            Ok(read) => {
                if let Err(conflict) = schema::register(kind, read) {
                    self.error::<()>(key, format!("{file}: {conflict}"), "");
                }
            }
            Err(problem) => {
                self.error::<()>(key, format!("{file}: {problem}"), cure);
            }
        }
    }

    /// A path of plain segments, without a slash at its end.
    fn prefix(&mut self, text: &str) -> Option<String> {
        let key = Key::of(["scim", "prefix"]);
        let prefix = text.trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
        let segments: Vec<&str> = prefix.split('/').skip(1).collect();
        let sound = prefix.starts_with('/')
            && !segments.is_empty()
            && segments.iter().all(|segment| !segment.is_empty() && segment.chars().all(plain));
        if !sound || segments.first().is_some_and(|first| TAKEN.contains(first)) {
            let message = format!("`{text}` is not a path that the service can lie at");
            return self.error(&key, message, "write one like /scim/v2");
        }
        if prefix.contains('_') {
            self.warn(&key, "Okta takes no base URL with an underscore", "write - instead of _");
        }
        Some(prefix.to_owned())
    }

    fn public_url(&mut self, text: &str) -> Option<String> {
        let key = Key::of(["scim", "url"]);
        let sound = Url::parse(text).is_ok_and(|url| {
            let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            matches!(url.scheme(), "https" | "http") && url.has_host() && bare && url.username().is_empty()
        });
        match sound {
            true => Some(text.trim_end_matches('/').to_owned()),
            false => {
                let message = format!("`{text}` is not the address of a service");
                self.error(
                    &key,
                    message,
                    "write scheme and host as clients see them, like https://sync.acme.example",
                )
            }
        }
    }

    fn limits_of_service(&mut self, raw: &RawService) -> Limits {
        let mut limits = Limits::default();
        self.wait_of_service("head_wait", raw.head_wait.as_deref(), WAIT, &mut limits.head_wait);
        self.wait_of_service("body_wait", raw.body_wait.as_deref(), WAIT, &mut limits.body_wait);
        self.number("connections", raw.connections, 1..=65_536, &mut limits.connections);
        self.number("url_bytes", raw.url_bytes, KIB..=32 * KIB, &mut limits.url_bytes);
        self.number("body_bytes", raw.body_bytes, KIB..=64 * MIB, &mut limits.body_bytes);
        self.number("group_body_bytes", raw.group_body_bytes, KIB..=64 * MIB, &mut limits.group_body_bytes);
        self.number("bulk_bytes", raw.bulk_bytes, KIB..=64 * MIB, &mut limits.bulk_bytes);
        self.number("bulk_operations", raw.bulk_operations, 1..=10_000, &mut limits.bulk_operations);
        // serde_json stops at 128 by itself.
        self.number("json_depth", raw.json_depth, 8..=100, &mut limits.json_depth);
        self.number("list_values", raw.list_values, 100..=1_000_000, &mut limits.list_values);
        // The readers of both stop there by themselves.
        self.number("patch_operations", raw.patch_operations, 1..=1000, &mut limits.patch_operations);
        self.number("filter_bytes", raw.filter_bytes, 256..=8 * KIB, &mut limits.filter_bytes);
        self.number("filter_depth", raw.filter_depth, 1..=100, &mut limits.filter_depth);
        let most = &mut limits.filter_comparisons;
        self.number("filter_comparisons", raw.filter_comparisons, 1..=4096, most);
        self.number("head_lines", raw.head_lines, 20..=1000, &mut limits.head_lines);
        self.wait_of_service("cursor_wait", raw.cursor_wait.as_deref(), CURSOR_WAIT, &mut limits.cursor_wait);
        self.number("page_max", raw.page_max, 1..=10_000, &mut limits.page_max);
        limits.page_default = limits.page_default.min(limits.page_max);
        self.number("page_default", raw.page_default, 1..=limits.page_max, &mut limits.page_default);
        self.number("concurrent", raw.concurrent, 1..=10_000, &mut limits.concurrent);
        self.number("rate", raw.rate, 1..=1_000_000, &mut limits.rate);
        limits.burst = limits.burst.max(limits.rate);
        self.number("burst", raw.burst, 1..=1_000_000, &mut limits.burst);
        limits
    }

    fn number<N: TryFrom<u64>>(
        &mut self,
        name: &str,
        given: Option<u64>,
        range: RangeInclusive<u64>,
        limit: &mut N,
    ) {
        let Some(number) = given else { return };
        match N::try_from(number) {
            Ok(fitting) if range.contains(&number) => *limit = fitting,
            _ => {
                let cure = format!("choose one from {} to {}", range.start(), range.end());
                self.error::<()>(&Key::of(["scim", name]), format!("{number} is out of bounds"), &cure);
            }
        }
    }

    fn wait_of_service(
        &mut self,
        name: &str,
        given: Option<&str>,
        range: RangeInclusive<Duration>,
        limit: &mut Duration,
    ) {
        let Some(text) = given else { return };
        match parse_duration(text) {
            Ok(wait) if range.contains(&wait) => *limit = wait,
            _ => {
                let message = format!("`{text}` is not a time to wait");
                let cure = format!("write one from 1s to {}s, like 60s", range.end().as_secs());
                self.error::<()>(&Key::of(["scim", name]), message, &cure);
            }
        }
    }
}

fn tenant(raw: RawTenant) -> Tenant {
    Tenant {
        group_patch: raw.group_patch.unwrap_or_default(),
        if_match: raw.if_match.unwrap_or_default(),
        unquoted_filters: raw.unquoted_filters.unwrap_or_default(),
    }
}
