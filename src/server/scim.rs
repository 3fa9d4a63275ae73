//! The SCIM service of the workspaces (RFC 7644): who asks, what for, and whether it may. What is done is in `reads`,
//! `writes` and `bulk`, by the same store functions as the workspace target.

use std::time::Instant;

use axum::body::Body;
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

use super::Shared;
use super::accept;
use super::answer::Answer;
use super::around::Noted;
use super::auth::Claim;
use super::body;
use super::body::Most;
use super::discovery;
use super::pace::Seat;
use super::query::Expected;
use super::query::of_url;
use super::rights;
use super::rights::Access;
use super::rights::Denied;
use super::route::Route;
use super::settings::Limits;
use super::settings::Tenant;
use crate::scim::Dialect;
use crate::scim::Error;
use crate::scim::Path as AttributePath;
use crate::scim::Projection;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::Search;
use crate::scim::related_name;
use crate::store::Resource;
use crate::store::StoreError;
use crate::store::Token;
use crate::store::View;

/// What a client is shown of that has no token, or none for grants.
const PROVISIONED: &[ResourceType] = &[ResourceType::User, ResourceType::Group];

pub async fn root(State(shared): State<Shared>, request: Request) -> Response {
    handle(&shared, String::new(), request).await
}

pub async fn endpoint(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // A path that is no text names nothing.
    let path = path.map_or_else(|_| "?".to_owned(), |Path(path)| path);
    handle(&shared, path, request).await
}

async fn handle(shared: &Shared, path: String, request: Request) -> Response {
    let route = Route::of(&path);
    let mut noted = Noted { what: route.as_ref().map_or("nothing", Route::word), ..Noted::default() };
    let answer = match answer(shared, route, request, &mut noted).await {
        Ok(answer) => answer,
        Err(Failure::Refused(error)) => error.into(),
        Err(Failure::Store(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the state failed a SCIM request");
            failed().into()
        }
    };
    let mut response = Response::from(answer);
    response.extensions_mut().insert(noted);
    response
}

/// The details are in the log, not in the answer.
pub(super) fn failed() -> Error {
    Error::new(500, "the service's store failed; try again later")
}

pub(super) enum Failure {
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

async fn answer(
    shared: &Shared,
    route: Option<Route>,
    request: Request,
    noted: &mut Noted,
) -> Result<Answer, Failure> {
    let is_open = shared.service.settings.discovery_without_token
        && route.as_ref().is_some_and(Route::is_discovery)
        && !request.headers().contains_key(header::AUTHORIZATION);
    if let Some(route) = route.as_ref().filter(|_| is_open) {
        return discover(
            shared,
            route,
            request.method(),
            &Asked::of(shared, request.headers(), request.uri().query())?,
            PROVISIONED,
        );
    }
    let (parts, body) = request.into_parts();
    let claim = Claim::of(&shared.service, &parts.headers);
    let head = Head { shared: shared.clone(), claim, route, parts, noted: noted.clone() };
    let looked = shared.service.store.look(move |view| head.look(view)).await?;
    *noted = looked.noted;
    if let Some(token) = &looked.token {
        looked.claim.note(&shared.service, token).await?;
    }
    match looked.step? {
        Step::Answered(answer) => Ok(answer),
        Step::Goes(going) => going.answer(body, noted).await,
    }
}

/// A request without its body, before anybody knows whose it is.
struct Head {
    shared: Shared,
    claim: Claim,
    route: Option<Route>,
    parts: Parts,
    noted: Noted,
}

/// What the first look at the state gave. What only reads is answered by it: the token is recognised in the same view.
struct Looked {
    claim: Claim,
    token: Option<Token>,
    noted: Noted,
    step: Result<Step, Failure>,
}

enum Step {
    Answered(Answer),
    Goes(Box<Going>),
}

/// A request that writes, or has a body to be read.
struct Going {
    call: Call,
    route: Route,
    method: Method,
    asked: Asked,
    /// Held until the request is answered.
    _seat: Seat,
}

impl Head {
    fn look(mut self, view: &View<'_>) -> Result<Looked, StoreError> {
        let token = self.claim.token(view)?;
        let step = match token.clone() {
            Some(token) => self.step(view, token),
            None => Ok(Step::Answered(self.claim.refused(view)?)),
        };
        Ok(Looked { claim: self.claim, token, noted: self.noted, step })
    }

    fn step(&mut self, view: &View<'_>, token: Token) -> Result<Step, Failure> {
        self.noted.tenant.clone_from(&token.tenant);
        self.noted.token.clone_from(&token.id);
        let seat = match self.shared.pace.admit(&token.id, self.shared.limits(), Instant::now()) {
            Ok(seat) => seat,
            Err(too_fast) => {
                let answer = Answer::from(too_fast.error);
                return Ok(Step::Answered(answer.with(header::RETRY_AFTER, too_fast.after.to_string())));
            }
        };
        if token.dialect == Dialect::Strict && !accept::json(&self.parts.headers) {
            return Err(Error::new(
                406,
                "the answer is application/scim+json, which the request does not accept",
            )
            .into());
        }
        let route = self.route.take().ok_or_else(|| Error::new(404, "nothing is here"))?;
        let method = self.parts.method.clone();
        if !route.methods().contains(&method) {
            return Ok(Step::Answered(wrong_method(&route)));
        }
        let asked = Asked::of(&self.shared, &self.parts.headers, self.parts.uri.query())?;
        let tenant = self.shared.service.settings.tenant(&token.tenant);
        let call = Call { tenant, denied: Denied::of(&token), shared: self.shared.clone(), token };
        let noted = &mut self.noted;
        let answer = match (&route, &method) {
            (Route::Root, _) => call.list(view, None, &asked, &asked.search, noted)?,
            (Route::Collection(kind), &Method::GET) => {
                call.list(view, Some(*kind), &asked, &asked.search, noted)?
            }
            (Route::One(kind, id), &Method::GET) => call.get(view, *kind, id, &asked)?,
            _ => return Ok(Step::Goes(Box::new(Going { call, route, method, asked, _seat: seat }))),
        };
        Ok(Step::Answered(answer))
    }
}

impl Going {
    async fn answer(self, body: Body, noted: &mut Noted) -> Result<Answer, Failure> {
        let Going { call, route, method, asked, _seat } = self;
        match (route, &method) {
            (Route::Collection(kind), _) => call.post(kind, &asked, body).await,
            (Route::Search(kind), _) => call.search(kind, asked, body, noted).await,
            (Route::One(kind, id), &Method::PUT) => call.put(kind, id, &asked, body).await,
            (Route::One(kind, id), &Method::PATCH) => call.patch(kind, id, &asked, body).await,
            (Route::One(kind, id), _) => call.delete(kind, &id, &Expected::of_headers(&asked.headers)).await,
            (Route::Bulk, _) => call.bulk(&asked, body).await,
            (Route::Me, _) => Err(Error::new(501, "a token is no person: there is no /Me").into()),
            (discovery, method) => discover(&call.shared, &discovery, method, &asked, call.shown()),
        }
    }
}

/// What was asked, without its body.
pub(super) struct Asked {
    pub headers: HeaderMap,
    pub search: Search,
    pub projection: Projection,
    /// The absolute address of the service, for `meta.location`.
    pub base: String,
}

impl Asked {
    fn of(shared: &Shared, headers: &HeaderMap, query: Option<&str>) -> Result<Asked, Error> {
        let settings = &shared.service.settings;
        let host = || headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let root = match &settings.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", host().unwrap_or("localhost")),
        };
        let search = of_url(query);
        Ok(Asked {
            headers: headers.clone(),
            projection: search.projection()?,
            search,
            base: format!("{root}{}", settings.prefix),
        })
    }
}

/// One request of one token.
pub(super) struct Call {
    pub shared: Shared,
    pub token: Token,
    pub tenant: Tenant,
    pub denied: Denied,
}

impl Call {
    pub fn limits(&self) -> &Limits {
        self.shared.limits()
    }

    /// A list whose query stands in a body (RFC 7644 section 3.4.3).
    async fn search(
        self,
        kind: Option<ResourceType>,
        asked: Asked,
        body: Body,
        noted: &mut Noted,
    ) -> Result<Answer, Failure> {
        let sought = Search::of_body(&self.body(&asked, body).await?, self.token.dialect)?;
        let store = self.shared.service.store.clone();
        let mut seen = noted.clone();
        let look = move |view: &View<'_>| {
            let answer = self.list(view, kind, &asked, &sought, &mut seen);
            Ok::<_, StoreError>((answer, seen))
        };
        let (answer, seen) = store.look(look).await?;
        *noted = seen;
        answer
    }

    /// A client that provisions people is not shown what it has no business with.
    fn shown(&self) -> &'static [ResourceType] {
        match self.token.rights.read_grants {
            true => &ResourceType::ALL,
            false => PROVISIONED,
        }
    }

    pub fn require(&self, kind: ResourceType, access: Access) -> Result<(), Error> {
        rights::require(self.token.rights, kind, access)
    }

    /// The body as JSON, up to the usual bytes.
    pub async fn body(&self, asked: &Asked, body: Body) -> Result<Value, Error> {
        self.body_up_to(asked, body, Most { bytes: self.limits().body_bytes, setting: "scim.body_bytes" })
            .await
    }

    pub async fn body_up_to(&self, asked: &Asked, body: Body, most: Most) -> Result<Value, Error> {
        body::json(&asked.headers, body, most, self.limits()).await
    }

    pub async fn read(
        &self,
        kind: ResourceType,
        id: &ResourceId,
        related: bool,
    ) -> Result<Option<Resource>, StoreError> {
        let store = &self.shared.service.store;
        let found = store.resources(&self.token.workspace, vec![(kind, id.clone())], related).await?;
        Ok(found.into_iter().next().flatten())
    }
}

pub(super) fn shows_related(kind: ResourceType, projection: &Projection) -> bool {
    related_name(kind).is_some_and(|name| projection.shows(name))
}

/// The resource as it is shown; what is returned on request is shown where a write named it.
pub(super) fn cut(
    resource: &Resource,
    projection: &Projection,
    base: &str,
    written: &[AttributePath],
) -> Value {
    let mut shown = resource.shown(base);
    projection.apply_after(resource.meta.kind, &mut shown, written);
    shown
}

fn wrong_method(route: &Route) -> Answer {
    let allowed: Vec<&str> = route.methods().iter().map(Method::as_str).collect();
    let error = Error::new(405, "this method is not for this address");
    Answer::from(error).with(header::ALLOW, allowed.join(", "))
}

/// Discovery cannot be filtered (RFC 7644 section 4).
fn discover(
    shared: &Shared,
    route: &Route,
    method: &Method,
    asked: &Asked,
    shown: &[ResourceType],
) -> Result<Answer, Failure> {
    if !route.methods().contains(method) {
        return Ok(wrong_method(route));
    }
    if asked.search.filter.is_some() {
        return Err(Error::new(403, "discovery cannot be filtered").into());
    }
    Ok(discovery::answer(route, &asked.base, shared.limits(), shown)?)
}
