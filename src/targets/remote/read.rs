//! Find and get: reads whose answers are checked before they are believed.

use futures_util::stream;
use futures_util::stream::StreamExt;
use futures_util::stream::TryStreamExt;
use serde_json::Value;

use super::Found;
use super::Lookup;
use super::RemoteTarget;
use super::TargetError;
use super::answer;
use super::fate;
use super::known;
use super::list::LEAVE_OUT;
use super::list::Listed;
use super::list::Listing;
use super::list::Question;
use super::message;
use crate::client::Answer;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::same_value;
use crate::scim::shown;

impl RemoteTarget {
    /// Many lookups are answered from one listing, where that costs less and can be trusted; else each is asked.
    pub(super) async fn find_all(&self, lookups: &[Lookup]) -> Result<Vec<Vec<Found>>, TargetError> {
        let indexes = self.indexes(lookups).await?;
        let answers = lookups.iter().map(|lookup| {
            let index = indexes.get(&lookup.kind).cloned();
            async move {
                match index {
                    Some(index) => Ok(index.find(lookup)),
                    None => self.look_up(lookup).await,
                }
            }
        });
        stream::iter(answers.collect::<Vec<_>>()).buffered(self.concurrency).try_collect().await
    }

    pub(super) async fn get_all(
        &self,
        ids: &[(Kind, ResourceId)],
    ) -> Result<Vec<Option<Found>>, TargetError> {
        let answers = ids.iter().map(|(kind, id)| self.get_one(*kind, id)).collect::<Vec<_>>();
        stream::iter(answers).buffered(self.concurrency).try_collect().await
    }

    /// All resources that have the value. What cannot be filtered has no answer of its own (`otherwise`). Any other
    /// way not to get an answer is an error, because no answer must never turn into a create.
    pub(super) async fn look_up(&self, lookup: &Lookup) -> Result<Vec<Found>, TargetError> {
        let Lookup { kind, path, value } = lookup;
        if !self.known.finds(*kind, path) {
            return self.otherwise(lookup).await;
        }
        let filter = message::filter(path, value, &self.known.profile.filter);
        self.fits(lookup, &filter)?;
        let key = known::filter_key(*kind, path);
        let question = Question { kind: *kind, filter: Some(&filter), value };
        match self.read_list(question, |_| false).await? {
            Listed::Read(listing) => {
                self.known.prove(&key);
                self.matches(lookup, listing)
            }
            Listed::Refused { status, detail } if self.known.is_proven(&key) => {
                let what = format!(
                    "{}{} refuses a filter on `{path}` that it took before (status {status}: {detail})",
                    self.identity,
                    kind.endpoint()
                );
                Err(TargetError::Unavailable { what })
            }
            Listed::Refused { status, detail } => {
                let evidence =
                    format!("GET {} with a filter on `{path}`: status {status}: {detail}", kind.endpoint());
                self.known.learn(&key, "no", evidence);
                self.otherwise(lookup).await
            }
        }
    }

    /// The next way to find somebody (SCIM reference, O2): by the next matching attribute, where the service can be asked
    /// by the name; else the whole list is read once, if it can be trusted.
    async fn otherwise(&self, lookup: &Lookup) -> Result<Vec<Found>, TargetError> {
        let Lookup { kind, path, .. } = lookup;
        let name = name_path(*kind);
        if !path.eq_ignore_ascii_case(name) && self.known.finds(*kind, name) {
            return Ok(Vec::new());
        }
        match self.whole_list(*kind).await? {
            Some(index) => Ok(index.find(lookup)),
            None => {
                let what = format!(
                    "{}{} refuses a filter on `{path}`, and cannot be asked for all either: nobody can be \
                     matched; take a profile that fits the service, or another matching attribute",
                    self.identity,
                    kind.endpoint()
                );
                Err(TargetError::Unavailable { what })
            }
        }
    }

    fn fits(&self, lookup: &Lookup, filter: &str) -> Result<(), TargetError> {
        let most = self.known.profile.filter.max_length.unwrap_or(usize::MAX);
        if filter.chars().count() <= most {
            return Ok(());
        }
        let what = format!(
            "a value of `{}` makes a filter longer than the {most} characters that the service takes; take \
             another matching attribute, or raise filter.max_length of the target's capabilities",
            lookup.path
        );
        Err(TargetError::Unavailable { what })
    }

    fn matches(&self, lookup: &Lookup, listing: Listing) -> Result<Vec<Found>, TargetError> {
        let (seen, total) = (listing.found.len(), listing.total);
        let matches: Vec<Found> =
            listing.found.into_iter().filter(|found| has_value(found, lookup)).collect();
        match listing.whole || !matches.is_empty() {
            true => Ok(matches),
            false => Err(self.not_whole(lookup, seen, total)),
        }
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
        let without_members = kind == Kind::Group && self.known.profile.excluded_attributes;
        let query = if without_members { format!("?{LEAVE_OUT}") } else { String::new() };
        let Some((place, answer)) = self.read_one(kind, id, &query).await? else {
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

    /// One resource by its id; `None` where the service says that there is none.
    pub(super) async fn read_one(
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
}

/// What a resource of this kind is called by.
fn name_path(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    }
}

/// Whether the resource has the value that was asked for, under the attribute's own case rule: some services
/// ignore filters and show everything, or match by prefix (SCIM reference, O3).
pub(super) fn has_value(found: &Found, lookup: &Lookup) -> bool {
    let asked = Value::from(lookup.value.as_str());
    shown(&found.body, [&lookup.path])
        .get(&lookup.path)
        .is_some_and(|value| same_value(&lookup.path, value, &asked))
}
