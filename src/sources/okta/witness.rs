//! The second, independent question before somebody is removed for being absent (P2).

use super::OktaSource;
use super::events::Subject;
use super::records::Meaning;
use super::refusal::Failure;
use super::refusal::Refusal;
use super::wire::AppGroup;
use super::wire::AppUser;
use super::wire::Group;
use super::wire::PushMapping;
use super::wire::User;
use crate::model::Container;
use crate::model::HeardOf;
use crate::model::List;
use crate::model::SourceId;
use crate::model::WitnessAnswer;
use crate::model::WitnessQuestion;
use crate::scim::Kind;
use crate::sources::SourceError;

/// What Okta says of one object.
enum Object<T> {
    There(T),
    /// 404, 410: with the status.
    Missing(u16),
    /// It may not be asked for, or cannot be read.
    Silent(String),
}

impl OktaSource {
    pub(super) async fn testify(
        &self,
        questions: &[WitnessQuestion],
    ) -> Result<Vec<WitnessAnswer>, SourceError> {
        self.talk.note_ids(true);
        let answers = self.answers(questions).await;
        self.talk.note_ids(false);
        answers
    }

    async fn answers(&self, questions: &[WitnessQuestion]) -> Result<Vec<WitnessAnswer>, SourceError> {
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            self.plan().told = None;
            answers.push(self.answer(question).await?);
            let mut plan = self.plan();
            if let Some(event) = plan.told.take() {
                plan.events.insert(question.clone(), event);
            }
        }
        Ok(answers)
    }

    /// What proves the answer to this question. A member is looked for in a list of the whole group.
    pub(super) fn heard_of(&self, question: &WitnessQuestion) -> HeardOf {
        let mut request_ids = self.talk.ledger.about(&question.about().0);
        if let WitnessQuestion::Held { container: Container::Group(group), .. } = question {
            request_ids.extend(self.talk.ledger.about(&group.0));
            request_ids.dedup();
        }
        HeardOf { request_ids, event: self.plan().events.get(question).cloned() }
    }

    async fn answer(&self, question: &WitnessQuestion) -> Result<WitnessAnswer, SourceError> {
        match question {
            WitnessQuestion::Held { container: Container::App(list), principal, kind } => {
                match (List::of(list), kind) {
                    (List::PushMappings(app), Kind::Group) if app == *self.settings.app() => {
                        self.pushed(principal).await
                    }
                    (List::App(app), Kind::User) if app == *self.settings.app() => {
                        self.assigned_user(principal).await
                    }
                    (List::App(app), Kind::Group) if app == *self.settings.app() => {
                        self.assigned_group(principal).await
                    }
                    _ => Ok(cannot(format!("this source does not read {list}"))),
                }
            }
            WitnessQuestion::Held { container: Container::Group(group), principal, kind: Kind::User } => {
                self.member(group, principal).await
            }
            WitnessQuestion::Held { container: Container::Group(_), .. } => {
                Ok(cannot("groups of Okta hold no groups".to_owned()))
            }
            WitnessQuestion::Exists { id, kind: Kind::User } => self.existing_user(id).await,
            WitnessQuestion::Exists { id, kind: Kind::Group } => self.existing_group(id).await,
        }
    }

    /// A row whose status is no assignment is evidence of its own. What the log does not explain may be a person who
    /// is hidden from us; only one who is shown as deactivated is beyond doubt.
    async fn assigned_user(&self, user: &SourceId) -> Result<WitnessAnswer, SourceError> {
        let status = match self.object::<AppUser>(&["apps", &self.settings.app().0, "users", &user.0]).await?
        {
            Object::There(row) => {
                let status = row.status.unwrap_or_default();
                return Ok(match self.settings.statuses.assigned(&status) {
                    Meaning::Yes => WitnessAnswer::Present,
                    Meaning::No => WitnessAnswer::Absent(format!("the assignment is {status}").into()),
                    Meaning::Unknown => cannot(format!("the assignment status `{status}` is not known")),
                });
            }
            Object::Missing(status) => status,
            Object::Silent(why) => return Ok(cannot(why)),
        };
        let id = || user.0.clone();
        let subjects = [Subject::Assignment(id()), Subject::Standing(id()), Subject::User(id())];
        let answer = self.explained(&user.0, &subjects, status.to_string()).await;
        if matches!(answer, WitnessAnswer::Unexplained(_))
            && let Object::There(person) = self.object::<User>(&["users", &user.0]).await?
            && person.status.as_deref() == Some("DEPROVISIONED")
        {
            return Ok(WitnessAnswer::Absent(format!("{status}, and the user is DEPROVISIONED").into()));
        }
        Ok(answer)
    }

    async fn assigned_group(&self, group: &SourceId) -> Result<WitnessAnswer, SourceError> {
        let segments = ["apps", self.settings.app().0.as_str(), "groups", group.0.as_str()];
        Ok(match self.object::<AppGroup>(&segments).await? {
            Object::There(_) => WitnessAnswer::Present,
            Object::Silent(why) => cannot(why),
            Object::Missing(status) => {
                let subjects = [Subject::AppGroup(group.0.clone()), Subject::Group(group.0.clone())];
                self.explained(&group.0, &subjects, status.to_string()).await
            }
        })
    }

    /// The list by source group, asked for anew. Which targets the events of group push have is not documented, so
    /// the log is not asked.
    async fn pushed(&self, group: &SourceId) -> Result<WitnessAnswer, SourceError> {
        let url =
            self.below_app(&["group-push", "mappings"], &[("limit", "100"), ("sourceGroupId", &group.0)]);
        let page = match self.talk.rows(url).await {
            Ok(page) => page,
            Err(Failure::Refused(refusal)) => return said(refusal).map(cannot),
            Err(Failure::Broken(SourceError::Malformed { place, what })) => {
                return Ok(cannot(format!("{place}: {what}")));
            }
            Err(Failure::Broken(error)) => return Err(error),
        };
        let (rows, bad) = page.read::<PushMapping>();
        if rows.iter().any(|mapping| mapping.source_group_id == group.0) {
            return Ok(WitnessAnswer::Present);
        }
        // The parameter may be ignored; then this is one page of all mappings, and the group may be on another one.
        if bad > 0 || page.next.is_some() || !rows.is_empty() {
            return Ok(cannot("the mappings of this group alone were asked for, and others came".to_owned()));
        }
        Ok(WitnessAnswer::Absent("no mapping has this source group".into()))
    }

    /// Okta cannot be asked about one member: the whole group is read a second time. The log of an imported group
    /// does not tell of every member (okta.md section 4), so it is asked only of groups that are Okta's own.
    async fn member(&self, group: &SourceId, principal: &SourceId) -> Result<WitnessAnswer, SourceError> {
        self.read_again(group).await?;
        let own = {
            let plan = self.plan();
            match plan.second.of.get(group) {
                Some(Ok(members)) if members.has(&principal.0) => return Ok(WitnessAnswer::Present),
                Some(Ok(_)) => plan.shown.contains(&group.0) && !plan.imported.contains(&group.0),
                Some(Err(why)) => return Ok(cannot(why.clone())),
                None => return Ok(cannot("the group was not read".to_owned())),
            }
        };
        let evidence = "a second complete read does not show it either".to_owned();
        if !own {
            return Ok(WitnessAnswer::Absent(evidence.into()));
        }
        let member = Subject::Member { group: group.0.clone(), user: principal.0.clone() };
        let subjects = [member, Subject::Group(group.0.clone()), Subject::User(principal.0.clone())];
        Ok(self.explained(&principal.0, &subjects, evidence).await)
    }

    /// Somebody deactivated is gone for every application, though the record is kept.
    async fn existing_user(&self, id: &SourceId) -> Result<WitnessAnswer, SourceError> {
        Ok(match self.object::<User>(&["users", &id.0]).await? {
            Object::There(user) => {
                let status = user.status.unwrap_or_default();
                match self.settings.statuses.enabled(&status, user.becoming.as_deref()) {
                    _ if status == "DEPROVISIONED" => {
                        WitnessAnswer::Absent("the user is DEPROVISIONED".into())
                    }
                    Meaning::No => WitnessAnswer::Disabled,
                    Meaning::Yes | Meaning::Unknown => WitnessAnswer::Present,
                }
            }
            Object::Silent(why) => cannot(why),
            Object::Missing(status) => {
                let subjects = [Subject::User(id.0.clone())];
                self.explained(&id.0, &subjects, status.to_string()).await
            }
        })
    }

    async fn existing_group(&self, id: &SourceId) -> Result<WitnessAnswer, SourceError> {
        Ok(match self.object::<Group>(&["groups", &id.0]).await? {
            Object::There(_) => WitnessAnswer::Present,
            Object::Silent(why) => cannot(why),
            Object::Missing(status) => {
                let subjects = [Subject::Group(id.0.clone())];
                self.explained(&id.0, &subjects, status.to_string()).await
            }
        })
    }

    /// | answer | means |
    /// |---|---|
    /// | the object | it is there |
    /// | 404, 410 of the object | it is missing |
    /// | 404 of the application, 403, other refusals | nobody can say |
    /// | 401, no answer | the source cannot be asked at all |
    async fn object<T: serde::de::DeserializeOwned>(
        &self,
        segments: &[&str],
    ) -> Result<Object<T>, SourceError> {
        match self.talk.one::<T>(self.talk.address(segments, &[])).await {
            Ok(object) => Ok(Object::There(object)),
            Err(Failure::Refused(refusal)) if refusal.is_missing() && !refusal.of_app => {
                Ok(Object::Missing(refusal.status))
            }
            Err(Failure::Refused(refusal)) => said(refusal).map(Object::Silent),
            Err(Failure::Broken(SourceError::Malformed { place, what })) => {
                Ok(Object::Silent(format!("{place}: {what}")))
            }
            Err(Failure::Broken(error)) => Err(error),
        }
    }
}

/// Why the source cannot say. A refused token ends the questions.
pub(super) fn said(refusal: Refusal) -> Result<String, SourceError> {
    if refusal.status == 401 {
        return Err(refusal.into());
    }
    Ok(match refusal.cure() {
        Some(cure) => format!("{}; {cure}", refusal.what()),
        None => refusal.what(),
    })
}

fn cannot(why: String) -> WitnessAnswer {
    WitnessAnswer::CannotSay(why)
}
