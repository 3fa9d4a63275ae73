//! One exchange over the wire: the reqwest client, its certificates, and bodies with a limit.

use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::BytesMut;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::header;
use reqwest::Certificate;
use reqwest::ClientBuilder;
use reqwest::redirect::Policy;
use url::Url;

use super::Answer;
use super::ClientError;
use super::ClientSettings;
use super::Clock;
use super::Credential;
use super::Request;
use super::hosts;
use super::service_time::ServiceTime;
use super::wait;

/// The largest body that is read, unpacked: a page of 999 users is about 1 MB, the widest directory page known
/// to us below 20 MB.
const BODY_MAX: usize = 64 << 20;
/// How long a connection may take; the repeat is the better wait.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A service that sends a byte now and then is not silent, and still has to end.
const SILENCES_PER_REQUEST: u32 = 5;

/// The service on the machine itself answers at once or not at all.
const DIRECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Transport {
    http: reqwest::Client,
    /// Keeps no connection, so that each of its requests opens one. A 503 can come from one broken machine behind
    /// a name, and the old connection would lead to it again (graph.md section 4).
    fresh: reqwest::Client,
    body_max: usize,
    clock: Clock,
    service: ServiceTime,
}

/// Over which connection a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// One that is open already, where there is one.
    Kept,
    /// A new one.
    New,
}

/// Why an attempt has no answer.
pub(super) enum Failure {
    /// The request did not leave us.
    NotSent(String),
    /// It may have been received.
    NoAnswer(String),
    /// Trying again cannot help.
    Fatal(ClientError),
}

impl Transport {
    pub(super) fn new(settings: &ClientSettings) -> Result<Transport, ClientError> {
        let http = builder(settings)?.build().map_err(unbuilt)?;
        let fresh = builder(settings)?.pool_max_idle_per_host(0).build().map_err(unbuilt)?;
        let (clock, service) = (settings.clock.clone(), ServiceTime::default());
        Ok(Transport { http, fresh, body_max: BODY_MAX, clock, service })
    }

    /// To a service on the machine itself: never through a proxy.
    pub(super) fn direct(settings: &ClientSettings, endpoint: &Url) -> Result<Transport, ClientError> {
        let timeout = settings.timeout.min(DIRECT_TIMEOUT);
        let mut builder = patient(settings, timeout).no_proxy();
        if endpoint.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(unbuilt)?;
        let (clock, service) = (settings.clock.clone(), ServiceTime::default());
        Ok(Transport { fresh: http.clone(), http, body_max: BODY_MAX, clock, service })
    }

    /// Sends once and reads the whole answer.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        credential: HeaderMap,
        way: Way,
    ) -> Result<Answer, Failure> {
        let headers = headers(request, credential).map_err(Failure::Fatal)?;
        let http = match way {
            Way::Kept => &self.http,
            Way::New => &self.fresh,
        };
        let mut builder = http.request(request.method.clone(), request.url.clone()).headers(headers);
        if let Some(body) = &request.body {
            builder = builder.body(body.to_string());
        }
        self.receive(builder, &request.place()).await
    }

    /// What time it is at the service, by its answers so far.
    pub(super) fn service(&self) -> &ServiceTime {
        &self.service
    }

    /// Our own.
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A form that was encoded elsewhere (the token request of oauth2).
    pub(super) async fn post_form(
        &self,
        request: oauth2::HttpRequest,
        place: &str,
    ) -> Result<Answer, Failure> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string();
        let builder = self.http.request(parts.method, url).headers(parts.headers).body(body);
        self.receive(builder, place).await
    }

    async fn receive(&self, builder: reqwest::RequestBuilder, place: &str) -> Result<Answer, Failure> {
        let mut response = builder.send().await.map_err(|error| failure(error, place))?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        if let Some(date) = wait::date(&headers) {
            self.service.note(date, &self.clock);
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(error, place))? {
            if body.len() + chunk.len() > self.body_max {
                let what = format!("{place}: the answer is larger than {} MiB", self.body_max >> 20);
                return Err(Failure::Fatal(ClientError::TooLarge { what }));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body: body.freeze() })
    }
}

fn builder(settings: &ClientSettings) -> Result<ClientBuilder, ClientError> {
    let mut builder = patient(settings, settings.timeout);
    if hosts::is_loopback(&settings.base) {
        builder = builder.no_proxy();
    }
    Ok(match &settings.ca_file {
        Some(path) => builder.tls_certs_merge(certificates(path)?),
        // Without TLS no certificates are needed, and a host that has none is no obstacle.
        None if speaks_plainly(settings) => builder.tls_certs_only([]),
        None => builder,
    })
}

fn patient(settings: &ClientSettings, timeout: Duration) -> ClientBuilder {
    reqwest::Client::builder()
        // Tokens and links must not wander.
        .redirect(Policy::none())
        .user_agent(&settings.user_agent)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .read_timeout(timeout)
        .timeout(timeout * SILENCES_PER_REQUEST)
}

fn headers(request: &Request, credential: HeaderMap) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static(request.content_type));
    if request.body.is_some() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(request.content_type));
    }
    for (name, value) in &request.headers {
        let invalid = || ClientError::Invalid { what: format!("{}: `{name}` is no header", request.place()) };
        let name = HeaderName::try_from(name).map_err(|_| invalid())?;
        headers.insert(name, HeaderValue::try_from(value).map_err(|_| invalid())?);
    }
    headers.extend(credential);
    Ok(headers)
}

/// Reqwest's texts hold the address with its query; the innermost cause says what went wrong without it.
fn failure(error: reqwest::Error, place: &str) -> Failure {
    let error = error.without_url();
    let why = if error.is_timeout() { "no answer in time".to_owned() } else { innermost(&error) };
    if error.is_builder() {
        return Failure::Fatal(ClientError::Invalid { what: why });
    }
    if error.is_connect() && is_tls(&error) {
        let what = format!("{place}: no TLS connection: {why}");
        let cure =
            "check address and port; where a proxy opens TLS, name its certificates as ca_file".to_owned();
        return Failure::Fatal(ClientError::Denied { what, cure });
    }
    if error.is_connect() {
        return Failure::NotSent(format!("no connection: {why}"));
    }
    Failure::NoAnswer(format!("no whole answer: {why}"))
}

/// What TLS finds wrong (no certificate that is trusted, no TLS at all) is as wrong at the next attempt.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref().is_some_and(is_invalid) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An error of input and output that wraps another of its kind has no source, but shows it.
fn is_invalid(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(is_invalid)
}

fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn speaks_plainly(settings: &ClientSettings) -> bool {
    let token_plain = match &settings.credential {
        Credential::Grant(grant) => grant.token_url.scheme() == "http",
        _ => true,
    };
    settings.base.scheme() == "http" && token_plain
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, ClientError> {
    let wrong = |why: String| ClientError::Invalid {
        what: format!("the certificates in {} cannot be used: {why}; a PEM file is needed", path.display()),
    };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(innermost(&error)))?;
    if certificates.is_empty() {
        return Err(wrong("it holds none".to_owned()));
    }
    Ok(certificates)
}

fn unbuilt(error: reqwest::Error) -> ClientError {
    let why = innermost(&error);
    let what = format!(
        "no HTTPS on this host: {why}; install the package ca-certificates, or name a PEM file as ca_file"
    );
    ClientError::Unavailable { what }
}
