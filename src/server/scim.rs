//! The SCIM service of the workspaces (RFC 7644): the same store functions as the workspace target.

use std::time::Duration;

use axum::body::Body;
use axum::body::to_bytes;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::extract::rejection::PathRejection;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;

use super::Service;
use super::answer::Answer;
use super::auth;
use super::query::PAGE_LIMITS;
use super::query::Parameters;
use super::query::expected_versions;
use super::query::is_known;
use super::route::Route;
use crate::scim::Error;
use crate::scim::Patch;
use crate::scim::Projection;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::ScimType;
use crate::scim::ServiceSupport;
use crate::scim::incoming;
use crate::scim::list_response;
use crate::scim::related_name;
use crate::scim::resource_types;
use crate::scim::schema_descriptions;
use crate::scim::service_provider_config;
use crate::store::Author;
use crate::store::Resource;
use crate::store::StoreError;
use crate::store::Token;
use crate::store::Write;
use crate::store::WriteAct;
use crate::store::Written;

/// What discovery says of the service.
const SUPPORT: ServiceSupport =
    ServiceSupport { page: PAGE_LIMITS, bulk: None, cursor_seconds: None, documentation: None };

const BODY_MAX_BYTES: usize = 1024 * 1024;
/// A PUT of a group names every member.
const GROUP_BODY_MAX_BYTES: usize = 8 * 1024 * 1024;
/// A client that does not send its body in this time is not waited for.
const BODY_WAIT: Duration = Duration::from_secs(60);

pub async fn root(State(service): State<Service>, request: Request) -> Response {
    handle(&service, String::new(), request).await
}

pub async fn endpoint(
    State(service): State<Service>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // A path that is no text names nothing.
    let path = path.map_or_else(|_| "?".to_owned(), |Path(path)| path);
    handle(&service, path, request).await
}

async fn handle(service: &Service, path: String, request: Request) -> Response {
    let method = request.method().clone();
    let token = match auth::token(service, request.headers()).await {
        Ok(Some(token)) => token,
        Ok(None) => return auth::refused().into(),
        Err(error) => return failed(&error).into(),
    };
    let Some(route) = Route::of(&path) else {
        return Answer::from(Error::new(404, "nothing is here")).into();
    };
    let what = route.word();
    let id = token.id.clone();
    let answer = match (Call { service, token }).answer(route, request).await {
        Ok(answer) => answer,
        Err(Failure::Refused(error)) => error.into(),
        Err(Failure::Store(error)) => failed(&error),
    };
    tracing::info!(token = %id, %method, what, status = answer.status, "SCIM request");
    answer.into()
}

/// The details are in the log, not in the answer.
fn failed(error: &StoreError) -> Answer {
    tracing::error!(error = error as &dyn std::error::Error, "the state failed a SCIM request");
    Error::new(500, "the service's store failed; try again later").into()
}

enum Failure {
    Refused(Error),
    Store(StoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Refused(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

/// One request of one token.
struct Call<'a> {
    service: &'a Service,
    token: Token,
}

/// What was asked, without its body.
struct Asked {
    headers: HeaderMap,
    parameters: Parameters,
    projection: Projection,
    base: String,
}

impl Call<'_> {
    async fn answer(&self, route: Route, request: Request) -> Result<Answer, Failure> {
        let (parts, body) = request.into_parts();
        if !route.methods().contains(&parts.method) {
            return Ok(wrong_method(&route));
        }
        let parameters = Parameters::of_url(parts.uri.query());
        let projection = parameters.projection()?;
        let base = self.base(&parts);
        let asked = Asked { projection, parameters, base, headers: parts.headers };
        match (route, parts.method) {
            (Route::Collection(kind), Method::GET) => self.list(kind, &asked, &asked.parameters).await,
            (Route::Collection(kind), _) => self.create(kind, &asked, body).await,
            (Route::Search(kind), _) => self.search(kind, &asked, body).await,
            (Route::One(kind, id), Method::GET) => self.get(kind, id, &asked).await,
            (Route::One(kind, id), Method::PUT) => self.replace(kind, id, &asked, body).await,
            (Route::One(kind, id), Method::PATCH) => self.patch(kind, id, &asked, body).await,
            (Route::One(kind, id), _) => self.delete(kind, id, &asked).await,
            (Route::Unsupported, _) => Err(Error::new(501, "this service does not support that").into()),
            (discovery, _) => Ok(discover(&discovery, &asked, self.shown_types())?),
        }
    }

    /// A client that provisions people is not shown what it has no business with.
    fn shown_types(&self) -> &'static [ResourceType] {
        match self.token.rights.read_grants {
            true => &ResourceType::ALL,
            false => &[ResourceType::User, ResourceType::Group],
        }
    }

    /// The absolute address of the service, for `meta.location`.
    fn base(&self, parts: &Parts) -> String {
        let host = || parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let root = match &self.service.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", host().unwrap_or("localhost")),
        };
        format!("{root}/scim/v2")
    }

    async fn list(&self, kind: ResourceType, asked: &Asked, wanted: &Parameters) -> Result<Answer, Failure> {
        let projection = wanted.projection()?;
        let query = wanted.list(kind, self.token.dialect, shows_related(kind, &projection))?;
        let start = query.start;
        let listing = self.service.store.list_resources(&self.token.workspace, query).await?;
        let resources = listing.resources.iter().map(|resource| cut(resource, &projection, &asked.base));
        Ok(Answer::new(200, list_response(listing.total, start, resources.collect())))
    }

    async fn search(&self, kind: ResourceType, asked: &Asked, body: Body) -> Result<Answer, Failure> {
        let body = read_json(&asked.headers, body, BODY_MAX_BYTES).await?;
        self.list(kind, asked, &Parameters::of_search(&body)?).await
    }

    async fn get(&self, kind: ResourceType, id: ResourceId, asked: &Asked) -> Result<Answer, Failure> {
        let resource = self.read(kind, id, asked).await?;
        let answer = match is_known(&asked.headers, resource.meta.version) {
            true => Answer::empty(304),
            false => Answer::new(200, cut(&resource, &asked.projection, &asked.base)),
        };
        Ok(answer.versioned(&resource.meta))
    }

    async fn create(&self, kind: ResourceType, asked: &Asked, body: Body) -> Result<Answer, Failure> {
        let body = read_json(&asked.headers, body, BODY_MAX_BYTES).await?;
        let dialect = self.token.dialect;
        let incoming = incoming(kind, dialect, &body)?;
        let id = ResourceId((self.service.ids)());
        self.write(WriteAct::Create { kind, id: id.clone(), incoming, dialect }.into()).await?;
        let resource = self.read(kind, id, asked).await?;
        let location = resource.meta.location(&asked.base);
        let answer = Answer::new(201, cut(&resource, &asked.projection, &asked.base));
        Ok(answer.versioned(&resource.meta).with(header::LOCATION, location))
    }

    async fn replace(
        &self,
        kind: ResourceType,
        id: ResourceId,
        asked: &Asked,
        body: Body,
    ) -> Result<Answer, Failure> {
        let most = if kind == ResourceType::Group { GROUP_BODY_MAX_BYTES } else { BODY_MAX_BYTES };
        let body = read_json(&asked.headers, body, most).await?;
        let dialect = self.token.dialect;
        let incoming = incoming(kind, dialect, &body)?;
        let act = WriteAct::Replace { kind, id: id.clone(), incoming, dialect };
        self.write(Write { act, expected: expected_versions(&asked.headers) }).await?;
        self.whole(kind, id, asked).await
    }

    /// A group answers 204, as Entra wants it, unless attributes were asked for (section 3.5.2).
    async fn patch(
        &self,
        kind: ResourceType,
        id: ResourceId,
        asked: &Asked,
        body: Body,
    ) -> Result<Answer, Failure> {
        let body = read_json(&asked.headers, body, BODY_MAX_BYTES).await?;
        let patch = Patch::read(kind, self.token.dialect, &body)?;
        let act = WriteAct::Patch { id: id.clone(), patch };
        let written = self.write(Write { act, expected: expected_versions(&asked.headers) }).await?;
        match written.resource {
            Some(resource) if kind == ResourceType::Group && asked.projection == Projection::Everything => {
                Ok(Answer::empty(204).versioned(&resource.meta))
            }
            _ => self.whole(kind, id, asked).await,
        }
    }

    async fn delete(&self, kind: ResourceType, id: ResourceId, asked: &Asked) -> Result<Answer, Failure> {
        let act = WriteAct::Delete { kind, id };
        self.write(Write { act, expected: expected_versions(&asked.headers) }).await?;
        Ok(Answer::empty(204))
    }

    async fn whole(&self, kind: ResourceType, id: ResourceId, asked: &Asked) -> Result<Answer, Failure> {
        let resource = self.read(kind, id, asked).await?;
        Ok(Answer::new(200, cut(&resource, &asked.projection, &asked.base)).versioned(&resource.meta))
    }

    async fn read(&self, kind: ResourceType, id: ResourceId, asked: &Asked) -> Result<Resource, Failure> {
        let related = shows_related(kind, &asked.projection);
        let found = self.service.store.resources(&self.token.workspace, vec![(kind, id)], related).await?;
        found.into_iter().next().flatten().ok_or_else(|| Error::not_found().into())
    }

    async fn write(&self, write: Write) -> Result<Written, Failure> {
        let author = Author::push(&self.token.tenant, &self.token.id, false, (self.service.clock)());
        let outcomes = self.service.store.write_resources(&self.token.workspace, author, vec![write]).await?;
        let written = outcomes
            .into_iter()
            .next()
            .unwrap_or_else(|| Err(Error::new(500, "the write had no outcome")))?;
        if written.skipped > 0 {
            tracing::warn!(token = %self.token.id, members = written.skipped, "members that do not exist were left out");
        }
        Ok(written)
    }
}

fn shows_related(kind: ResourceType, projection: &Projection) -> bool {
    related_name(kind).is_some_and(|name| projection.shows(name))
}

fn cut(resource: &Resource, projection: &Projection, base: &str) -> Value {
    let mut shown = resource.shown(base);
    projection.apply(resource.meta.kind, &mut shown);
    shown
}

fn wrong_method(route: &Route) -> Answer {
    let allowed: Vec<&str> = route.methods().iter().map(Method::as_str).collect();
    let error = Error::new(405, "this method is not for this address");
    Answer::from(error).with(header::ALLOW, allowed.join(", "))
}

/// Discovery (RFC 7644 section 4); it cannot be filtered.
fn discover(route: &Route, asked: &Asked, shown: &[ResourceType]) -> Result<Answer, Error> {
    if asked.parameters.filter.is_some() {
        return Err(Error::new(403, "discovery cannot be filtered"));
    }
    let base = &asked.base;
    let (all, wanted) = match route {
        Route::ResourceTypes(wanted) => (resource_types(shown, base), wanted),
        Route::Schemas(wanted) => (schema_descriptions(shown, base), wanted),
        _ => return Ok(Answer::new(200, service_provider_config(base, &SUPPORT))),
    };
    let Some(wanted) = wanted else {
        return Ok(Answer::new(200, list_response(all.len() as u64, 1, all)));
    };
    let named = |one: &Value| one["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(wanted));
    all.into_iter().find(named).map(|one| Answer::new(200, one)).ok_or_else(Error::not_found)
}

/// The body as JSON, up to `most` bytes.
async fn read_json(headers: &HeaderMap, body: Body, most: usize) -> Result<Value, Error> {
    check_media_type(headers)?;
    let too_large = || Error::new(413, format!("the body is larger than {most} bytes"));
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > most) {
        return Err(too_large());
    }
    let bytes = tokio::time::timeout(BODY_WAIT, to_bytes(body, most))
        .await
        .map_err(|_| Error::new(408, "the body did not come in time"))?
        .map_err(|_| too_large())?;
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    serde_json::from_slice(text).map_err(|problem| {
        let place = format!("line {} column {}", problem.line(), problem.column());
        Error::bad(ScimType::InvalidSyntax, format!("the body is not JSON: {place}"))
    })
}

/// Both names of JSON, any charset parameter, or nothing at all.
fn check_media_type(headers: &HeaderMap) -> Result<(), Error> {
    let Some(sent) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = sent.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let known =
        ["application/scim+json", "application/json"].iter().any(|known| essence.eq_ignore_ascii_case(known));
    if known { Ok(()) } else { Err(Error::new(415, "the body must be application/scim+json")) }
}
