//! Group push mappings (okta.md section 3.9): the one thing that clients may also change.

use serde_json::Value;
use serde_json::json;

use super::super::directory::Directory;
use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::OKTA_APP_ID;
use super::OktaKnobs;
use super::PushFeature;
use super::Reply;
use super::View;
use super::apps;
use super::changes::PushStatus;
use super::errors;
use super::org::Push;
use super::paging::Limits;
use super::paging::Listing;
use super::paging::check_parameters;
use jiff::Timestamp;

const LIMITS: Limits = Limits { least: 1, default: 100, most: 1000 };

pub(super) fn list(view: &View, app: &str) -> Reply {
    let allowed = ["lastUpdated", "sourceGroupId", "status"];
    // The links forget which source was asked for (okta.md section 1.1).
    let listing = Listing::of(view, "push mappings", &LIMITS, &allowed)?.forgetting("sourceGroupId");
    is_on(view, app)?;
    let request = view.request;
    let since = match request.query("lastUpdated").map(str::parse::<Timestamp>) {
        Some(Err(_)) => return Err(errors::by_code("E0000030", "")),
        Some(Ok(since)) => Some(since),
        None => None,
    };
    let status = request.query("status").map(status_of).transpose()?;
    let source = request.query("sourceGroupId");
    let from = listing.cursor::<usize>()?.map_or(0, |last| last + 1);
    let rows = view.directory.org.pushes.iter().enumerate().skip(from).filter(|(_, push)| {
        view.sees_group(push.source)
            && since.is_none_or(|since| push.updated >= since)
            && status.is_none_or(|status| push.status == status)
            && source.is_none_or(|source| *view.directory.group(push.source).id == *source)
    });
    Ok(listing.page(rows, |push| shown(view.directory, view.request, push)))
}

pub(super) fn one(view: &View, app: &str, id: &str) -> Reply {
    check_parameters(view.request, &[])?;
    is_on(view, app)?;
    let found = view.directory.org.pushes.iter().find(|push| *push.id == *id && view.sees_group(push.source));
    let push = found.ok_or_else(|| errors::not_found(id, "GroupPushMapping"))?;
    Ok(Answer::json(200, shown(view.directory, view.request, push)))
}

fn is_on(view: &View, app: &str) -> Result<(), Answer> {
    apps::find(view, app)?;
    feature(view.knobs)
}

fn feature(knobs: &OktaKnobs) -> Result<(), Answer> {
    match knobs.push {
        PushFeature::On => Ok(()),
        PushFeature::Unauthorized => Err(errors::by_code("E0000015", "")),
        PushFeature::NotFound => Err(errors::not_found(OKTA_APP_ID, "GroupPushMapping")),
    }
}

fn status_of(text: &str) -> Result<PushStatus, Answer> {
    serde_json::from_value(Value::from(text)).map_err(|_| errors::invalid("status"))
}

/// Dates without milliseconds.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn shown(directory: &Directory, request: &Request, push: &Push) -> Value {
    let base = format!("{}/api/v1", request.base);
    let (source, target) = (directory.group(push.source), directory.group(push.target));
    json!({
        "id": *push.id,
        "created": time(push.created),
        "lastUpdated": time(push.updated),
        "lastPush": push.pushed.map(time),
        "errorSummary": push.error.as_deref().unwrap_or_default(),
        "sourceGroupId": *source.id,
        "targetGroupId": *target.id,
        "status": push.status,
        "_links": {
            "app": { "href": format!("{base}/apps/{OKTA_APP_ID}") },
            "sourceGroup": { "href": format!("{base}/groups/{}", source.id) },
            "targetGroup": { "href": format!("{base}/groups/{}", target.id) },
        },
    })
}

/// A client that changes mappings; what it may do beyond reading.
pub(super) struct Editor<'a> {
    pub(super) directory: &'a mut Directory,
    pub(super) knobs: &'a OktaKnobs,
    pub(super) request: &'a Request,
    pub(super) now: Timestamp,
}

impl Editor<'_> {
    fn body(&self) -> Result<Value, Answer> {
        let form = self.request.header("content-type").unwrap_or_default();
        if !form.starts_with("application/json") {
            return Err(errors::by_code("E0000021", ""));
        }
        serde_json::from_slice(&self.request.body).map_err(|_| errors::by_code("E0000003", ""))
    }

    fn bad(what: &str) -> Answer {
        errors::by_code("E0000027", what)
    }

    fn check(&self, app: &str) -> Result<(), Answer> {
        if app != OKTA_APP_ID {
            return Err(errors::not_found(app, "AppInstance"));
        }
        feature(self.knobs)
    }

    fn place(&self, id: &str) -> Result<usize, Answer> {
        let found = self.directory.org.pushes.iter().position(|push| *push.id == *id);
        found.ok_or_else(|| errors::not_found(id, "GroupPushMapping"))
    }

    /// `{sourceGroupId, status, targetGroupId | targetGroupName}`: documented 201, recorded 200.
    pub(super) fn create(&mut self, app: &str) -> Reply {
        self.check(app)?;
        let body = self.body()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let group =
            |id: &str| self.directory.group_by_id(id).ok_or_else(|| errors::not_found(id, "UserGroup"));
        let source = group(text("sourceGroupId").ok_or_else(|| Self::bad("sourceGroupId"))?)?;
        let (target, name) = match (text("targetGroupId"), text("targetGroupName")) {
            (Some(id), None) => (Some(group(id)?), None),
            (None, Some(name)) => (None, Some(name)),
            _ => return Err(Self::bad("one of targetGroupId and targetGroupName is needed")),
        };
        let status = text("status").map_or(Ok(PushStatus::Active), status_of)?;
        let made = self.directory.push_group(self.knobs, source, target, name, status, self.now);
        made.map_err(|error| Self::bad(&error.to_string()))?;
        let code = if self.knobs.push_as_documented { 201 } else { 200 };
        let place = self.directory.org.push_of(source).ok_or_else(|| errors::by_code("E0000009", ""))?;
        Ok(Answer::json(code, shown(self.directory, self.request, &self.directory.org.pushes[place])))
    }

    pub(super) fn change(&mut self, app: &str, id: &str) -> Reply {
        self.check(app)?;
        let (place, body) = (self.place(id)?, self.body()?);
        let status = status_of(body.get("status").and_then(Value::as_str).unwrap_or_default())?;
        if status == PushStatus::Error {
            return Err(errors::invalid("status"));
        }
        let source = self.directory.org.pushes[place].source;
        let made = self.directory.set_push(self.knobs, source, status, None, self.now);
        made.map_err(|error| Self::bad(&error.to_string()))?;
        Ok(Answer::json(200, shown(self.directory, self.request, &self.directory.org.pushes[place])))
    }

    /// `deleteTargetGroup` is needed, and a mapping that pushes no more: documented 204, recorded 200 without a body.
    pub(super) fn delete(&mut self, app: &str, id: &str) -> Reply {
        self.check(app)?;
        let place = self.place(id)?;
        let delete_target = match self.request.query("deleteTargetGroup") {
            Some("true") => true,
            Some("false") => false,
            _ => return Err(errors::invalid("deleteTargetGroup")),
        };
        let push = &self.directory.org.pushes[place];
        if push.status == PushStatus::Active {
            return Err(Self::bad("the mapping has to be inactive"));
        }
        let source = push.source;
        let made = self.directory.unpush(self.knobs, source, delete_target, self.now);
        made.map_err(|error| Self::bad(&error.to_string()))?;
        Ok(errors::empty(if self.knobs.push_as_documented { 204 } else { 200 }))
    }
}
