//! Find, get, members: reads whose answers are checked before they are believed.

use std::collections::BTreeSet;

use futures_util::stream;
use futures_util::stream::StreamExt;
use futures_util::stream::TryStreamExt;
use serde_json::Value;

use super::Found;
use super::Lookup;
use super::RemoteTarget;
use super::TargetError;
use super::answer;
use super::answer::ListPage;
use super::fate;
use super::message;
use crate::client::Answer;
use crate::client::Request;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::same_value;
use crate::scim::shown;

impl RemoteTarget {
    pub(super) async fn find_all(&self, lookups: &[Lookup]) -> Result<Vec<Vec<Found>>, TargetError> {
        let answers = lookups.iter().map(|lookup| self.look_up(lookup)).collect::<Vec<_>>();
        stream::iter(answers).buffered(self.concurrency).try_collect().await
    }

    pub(super) async fn get_all(
        &self,
        ids: &[(Kind, ResourceId)],
    ) -> Result<Vec<Option<Found>>, TargetError> {
        let answers = ids.iter().map(|(kind, id)| self.get_one(*kind, id)).collect::<Vec<_>>();
        stream::iter(answers).buffered(self.concurrency).try_collect().await
    }

    /// All resources that have the value. An attribute that the profile says cannot be filtered has no answer;
    /// matching then goes on with the next attribute. Any other way not to get an answer is an error, because
    /// no answer must never turn into a create.
    pub(super) async fn look_up(&self, lookup: &Lookup) -> Result<Vec<Found>, TargetError> {
        if !self.profile.finds(lookup.kind, &lookup.path) {
            return Ok(Vec::new());
        }
        let mut matches = Vec::new();
        let mut seen: BTreeSet<ResourceId> = BTreeSet::new();
        let mut total = None;
        let mut start = 1;
        for _ in 0..self.pages_max {
            let page = self.page(lookup, start).await?;
            let received = page.resources.len();
            total = page.total.or(total);
            let known = seen.len();
            for body in page.resources {
                let found = self.listed(lookup, body)?;
                if seen.insert(found.id.clone()) && has_value(&found, lookup) {
                    matches.push(found);
                }
            }
            // Advance by what came, not by what was asked for; a page that shows nothing new is the last.
            start += received;
            let last = received == 0 || seen.len() == known;
            if last || total.is_some_and(|total| start as u64 > total) {
                break;
            }
        }
        let whole = total.is_none_or(|total| seen.len() as u64 >= total);
        match whole || !matches.is_empty() {
            true => Ok(matches),
            false => Err(self.not_whole(lookup, seen.len(), total)),
        }
    }

    async fn page(&self, lookup: &Lookup, start: usize) -> Result<ListPage, TargetError> {
        let filter = message::filter(&lookup.path, &lookup.value, &self.profile.filter);
        let endpoint = lookup.kind.endpoint();
        let (filter, count) = (message::encoded(&filter), self.page_size);
        let mut query = format!("{endpoint}?filter={filter}&startIndex={start}&count={count}");
        query.push_str(leave_out(lookup.kind, '&'));
        let (place, answer) = self.read(&query).await?;
        match answer.status {
            200 => answer::list(&answer.body).ok_or_else(|| no_list(&place)),
            // A filter that is not understood is no answer to the question.
            400 | 501 => {
                let detail = answer::problem(&answer.body, &[&lookup.value]).detail;
                let what = format!(
                    "{place}: the service refuses a filter on `{}` (status {}: {detail}); \
                     take another matching attribute, or a profile that does not ask for it",
                    lookup.path, answer.status
                );
                Err(TargetError::Unavailable { what })
            }
            _ => Err(fate::refused(&place, &answer, &[&lookup.value])),
        }
    }

    fn listed(&self, lookup: &Lookup, body: Value) -> Result<Found, TargetError> {
        answer::resource(lookup.kind, body).ok_or_else(|| {
            let endpoint = lookup.kind.endpoint();
            let what = format!("{}{endpoint} lists a resource without an id", self.identity);
            TargetError::Unavailable { what }
        })
    }

    fn not_whole(&self, lookup: &Lookup, seen: usize, total: Option<u64>) -> TargetError {
        let Lookup { kind, path, .. } = lookup;
        let of = total.map_or_else(String::new, |total| format!(" of {total}"));
        let what = format!(
            "{}{} shows {seen}{of} resources for a filter on `{path}` and none that has the value: whether \
             there is one stays open; see whether the service supports this filter",
            self.identity,
            kind.endpoint()
        );
        TargetError::Unavailable { what }
    }

    pub(super) async fn get_one(&self, kind: Kind, id: &ResourceId) -> Result<Option<Found>, TargetError> {
        let Some((place, answer)) = self.read_one(kind, id, leave_out(kind, '?')).await? else {
            return Ok(None);
        };
        let found = answer::json(&answer.body).and_then(|body| answer::resource(kind, body));
        match found.filter(|found| found.id == *id) {
            Some(found) => Ok(Some(found)),
            None => {
                Err(TargetError::Unavailable { what: format!("{place} shows another resource, or none") })
            }
        }
    }

    /// The members, where the profile says that they are shown: a group without any leaves them out.
    pub(super) async fn members_of(&self, team: &ResourceId) -> Result<Option<Vec<ResourceId>>, TargetError> {
        if !self.profile.members.returned {
            return Ok(None);
        }
        let Some((place, answer)) = self.read_one(Kind::Group, team, "").await? else {
            return Ok(None);
        };
        match answer::json(&answer.body).filter(|body| body.get("id").is_some()) {
            Some(group) => Ok(Some(answer::members(&group))),
            None => Err(TargetError::Unavailable { what: format!("{place} shows no group") }),
        }
    }

    /// One resource by its id; `None` where the service says that there is none.
    async fn read_one(
        &self,
        kind: Kind,
        id: &ResourceId,
        query: &str,
    ) -> Result<Option<(String, Answer)>, TargetError> {
        let path = format!("{}/{}{query}", kind.endpoint(), message::encoded(&id.0));
        let (place, answer) = self.read(&path).await?;
        match answer.status {
            200 => Ok(Some((place, answer))),
            404 | 410 => Ok(None),
            _ => Err(fate::refused(&place, &answer, &[])),
        }
    }

    /// A GET below the base, with its place for messages.
    pub(super) async fn read(&self, path_and_query: &str) -> Result<(String, Answer), TargetError> {
        let url = self.client.url(path_and_query).map_err(fate::unread)?;
        let request: Request = self.get_request(url);
        let place = request.place();
        let answer = self.client.send(request).await.map_err(fate::unread)?;
        Ok((place, answer))
    }
}

/// Groups are read without their members, which can be thousands; clients that services know do the same
/// (SCIM reference, section 12), and unknown parameters are ignored (N4).
fn leave_out(kind: Kind, separator: char) -> &'static str {
    match (kind, separator) {
        (Kind::User, _) => "",
        (Kind::Group, '?') => "?excludedAttributes=members",
        (Kind::Group, _) => "&excludedAttributes=members",
    }
}

/// Whether the resource has the value that was asked for, under the attribute's own case rule: some services
/// ignore filters and show everything, or match by prefix (SCIM reference, O3).
fn has_value(found: &Found, lookup: &Lookup) -> bool {
    let asked = Value::from(lookup.value.as_str());
    shown(&found.body, [&lookup.path])
        .get(&lookup.path)
        .is_some_and(|value| same_value(&lookup.path, value, &asked))
}

fn no_list(place: &str) -> TargetError {
    TargetError::NotScim { what: format!("{place} was answered with something that is no list") }
}
