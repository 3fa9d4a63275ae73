//! Who is in a team, and adding and removing: additions first, in chunks that the service takes, never the whole list
//! unless nothing else can be and the profile allows it (SCIM reference, O8).

use std::collections::BTreeSet;

use futures_util::stream;
use futures_util::stream::StreamExt;
use futures_util::stream::TryStreamExt;
use http::Method;
use serde_json::Value;
use serde_json::json;

use super::Operation;
use super::Outcome;
use super::RemoteTarget;
use super::TargetError;
use super::answer;
use super::fate::Failed;
use super::known;
use super::list::Listed;
use super::list::Question;
use super::message;
use super::write::Sent;
use super::write::alone;
use super::write::done;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::profiles::Support;

/// Which way a chunk goes.
#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

impl RemoteTarget {
    /// The members, where the profile says that they are shown: a group without any leaves them out.
    pub(super) async fn members_of(&self, team: &ResourceId) -> Result<Option<Vec<ResourceId>>, TargetError> {
        if !self.known.profile.members.returned {
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

    /// Which of them are members: by the list of members, else by asking for the groups of each.
    pub(super) async fn who_is_in(
        &self,
        team: &ResourceId,
        people: &[ResourceId],
    ) -> Result<Option<Vec<bool>>, TargetError> {
        let profile = &self.known.profile;
        if profile.members.returned {
            let members = self.members_of(team).await?;
            let members = members.map(|members| members.into_iter().collect::<BTreeSet<_>>());
            return Ok(members.map(|members| people.iter().map(|one| members.contains(one)).collect()));
        }
        if !profile.filter.members_value {
            return Ok(None);
        }
        let answers = people.iter().map(|person| self.is_in(team, person)).collect::<Vec<_>>();
        let answers: Vec<Option<bool>> =
            stream::iter(answers).buffered(self.concurrency).try_collect().await?;
        Ok(answers.into_iter().collect())
    }

    async fn is_in(&self, team: &ResourceId, person: &ResourceId) -> Result<Option<bool>, TargetError> {
        let filter = format!("members.value eq {}", message::literal(&person.0));
        let question = Question { kind: Kind::Group, filter: Some(&filter), value: &person.0 };
        let enough = |so_far: &super::list::Listing| so_far.found.iter().any(|group| group.id == *team);
        Ok(match self.read_list(question, enough).await? {
            Listed::Read(listing) if enough(&listing) => Some(true),
            Listed::Read(listing) if listing.whole => Some(false),
            Listed::Read(_) | Listed::Refused { .. } => None,
        })
    }

    /// Each chunk may be sent again without harm. The first one that fails ends it.
    pub(super) async fn change_members(
        &self,
        operation: &Operation,
        team: &ResourceId,
        add: &[ResourceId],
        remove: &[ResourceId],
    ) -> Sent<Outcome> {
        if self.known.patches(Kind::Group) == Support::No {
            return self.replace_members(operation, team, add, remove).await;
        }
        for (way, people) in [(Way::In, add), (Way::Out, remove)] {
            if let Err(failed) = self.in_chunks(operation, team, way, people).await? {
                // Where no patch was ever taken and this one is not even known, the whole list is what is left.
                let unknown = matches!(failed.status, 405 | 501);
                if unknown && self.known.profile.members.replace_all {
                    let replaced = self.replace_members(operation, team, add, remove).await?;
                    if replaced.is_ok() {
                        let evidence = format!("PATCH /Groups: {}; PUT went", failed.evidence());
                        self.known.learn(&known::patch_key(Kind::Group), "no", evidence);
                    }
                    return Ok(replaced);
                }
                return self.of_team(team, failed).await;
            }
        }
        Ok(Ok(done(team, None)))
    }

    /// A chunk that is too large is halved, down to one. That it was its size is known when all of it went.
    async fn in_chunks(
        &self,
        operation: &Operation,
        team: &ResourceId,
        way: Way,
        people: &[ResourceId],
    ) -> Sent<()> {
        let (mut at, mut size) = (0, self.known.members_per_patch());
        let mut refused: Option<String> = None;
        while at < people.len() {
            let chunk = &people[at..people.len().min(at + size)];
            match self.chunk(operation, team, way, chunk).await? {
                Ok(()) => {
                    self.known.prove(&known::patch_key(Kind::Group));
                    at += chunk.len();
                }
                Err(failed) if chunk.len() > 1 && is_too_large(&failed) => {
                    let of = chunk.len();
                    refused.get_or_insert_with(|| {
                        format!("PATCH /Groups with {of} members: {}", failed.evidence())
                    });
                    size = of.div_ceil(2);
                }
                Err(failed) => return Ok(Err(failed)),
            }
        }
        if let Some(evidence) = refused {
            self.known.learn_members_per_patch(size, format!("{evidence}; {size} went"));
        }
        Ok(Ok(()))
    }

    /// Where one of them is no member any more, some services refuse the whole removal; then those that are left are
    /// removed.
    async fn chunk(
        &self,
        operation: &Operation,
        team: &ResourceId,
        way: Way,
        chunk: &[ResourceId],
    ) -> Sent<()> {
        let can = &self.known.profile.members;
        let body = match way {
            Way::In => message::addition(chunk),
            Way::Out => message::removal(chunk, can),
        };
        let sent = self.send_patch(operation, Kind::Group, team, body).await?;
        let Err(failed) = sent else { return Ok(Ok(())) };
        if failed.kind.as_deref() != Some("noTarget") || matches!(way, Way::In) {
            return Ok(Err(failed));
        }
        let Ok(Some(there)) = alone(self.who_is_in(team, chunk).await)? else { return Ok(Err(failed)) };
        let left: Vec<ResourceId> =
            chunk.iter().zip(there).filter(|(_, there)| *there).map(|(id, _)| id.clone()).collect();
        match left.len() {
            0 => Ok(Ok(())),
            // All are members, so the refusal has another reason.
            count if count == chunk.len() => Ok(Err(failed)),
            _ => {
                let body = message::removal(&left, can);
                Ok(self.send_patch(operation, Kind::Group, team, body).await?.map(drop))
            }
        }
    }

    /// PUT of the whole group, for a service without PATCH: only where the profile says that the list may be replaced,
    /// and from a list that was just read. Members that are not named stay.
    async fn replace_members(
        &self,
        operation: &Operation,
        team: &ResourceId,
        add: &[ResourceId],
        remove: &[ResourceId],
    ) -> Sent<Outcome> {
        let can = &self.known.profile.members;
        if !can.replace_all || !can.returned || self.known.puts(Kind::Group) == Support::No {
            let detail =
                "the service takes no PATCH of groups; where it may replace the whole list of members, set \
                          members.replace_all = true in the target's capabilities"
                    .to_owned();
            return Ok(Err(Outcome::Refused { status: 405, detail }.into()));
        }
        let read = match alone(self.read_one(Kind::Group, team, "").await)? {
            Ok(Some((_, answer))) => answer::json(&answer.body).filter(|body| body.get("id").is_some()),
            Ok(None) => return Ok(Err(Outcome::Missing.into())),
            Err(failed) => return Ok(Err(failed)),
        };
        let Some(mut group) = read else {
            let detail = "the service shows no group".to_owned();
            return Ok(Err(Outcome::Later { status: None, detail }.into()));
        };
        let mut members = answer::members(&group);
        members.retain(|member| !remove.contains(member));
        members.extend(add.iter().filter(|one| !members.contains(one)).cloned().collect::<Vec<_>>());
        if members.len() > can.max_per_post {
            let (count, most) = (members.len(), can.max_per_post);
            let detail = format!(
                "the team would have {count} members, and one PUT takes {most} (members.max_per_post)"
            );
            return Ok(Err(Outcome::Refused { status: 413, detail }.into()));
        }
        group["members"] = members.iter().map(|member| json!({"value": member.0})).collect::<Value>();
        let body = message::replacement(&group, &self.known.profile);
        let url = self.resource_url(Kind::Group, team);
        let sent = self.send(operation, Method::PUT, url, Some(body)).await?;
        Ok(sent.map(|_| done(team, None)))
    }

    /// A 404 on a change of members speaks of the team or of a member; asking for the team tells which.
    async fn of_team(&self, team: &ResourceId, failed: Failed) -> Sent<Outcome> {
        if failed.outcome != Outcome::Missing {
            return Ok(Err(failed));
        }
        match alone(self.get_one(Kind::Group, team).await)? {
            Ok(None) => return Ok(Err(failed)),
            Err(unread) => return Ok(Err(unread)),
            Ok(Some(_)) => {}
        }
        let detail = "the team is there, so one of the members is not".to_owned();
        Ok(Err(Outcome::Refused { status: 404, detail }.into()))
    }
}

/// What a service answers to a patch of too many members (SCIM reference, O2).
fn is_too_large(failed: &Failed) -> bool {
    match failed.status {
        413 => true,
        400 => failed.kind.as_deref() != Some("noTarget"),
        _ => false,
    }
}
